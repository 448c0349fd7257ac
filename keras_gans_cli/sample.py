"""The command `keras-gans sample`."""

import argparse
import pathlib
import re
from typing import Any

from keras_gans_cli import values
from keras_gans_cli import words as said

SUMMARY = "Write samples: a grid of them, each to a file, or a walk between seeds."
MOST_SEEDS = 10**6
FILMS = (".gif", ".webp", ".mp4")
FILES_OF_EACH = ("waveform", "series")  # kinds of samples that a folder is filled with
# Of any of them, by which nothing needs to be opened to refuse others.
ENDINGS_OF_ONE = (".wav", ".flac", ".ogg", ".csv", ".npy", ".npz")
FILES_OF_ALL = ("tokens",)  # those of which one file holds many
ENDINGS_OF_ONE += (".txt", ".glb", ".obj", ".stl", ".ply", ".gif", ".webp", ".mp4")
FILES_OF_ONE = (*FILES_OF_EACH, "video", "volume")  # those that have files of their own
RATE, SIDE = 20, 256  # of a walk: frames a second, pixels of its shorter side
# Of a class, in the name of a file; "class0" and the like are others' numbers.
SAFE_NAME = re.compile(r"(?!class\d)[A-Za-z][A-Za-z0-9_-]{0,99}", re.IGNORECASE)

# Commands for what reads other files than `INPUTS`, by its argument of `sample`.
COMMANDS = {
    "mel": "keras-gans vocode MODEL FILE... --out=DIR",
    "phones": "keras-gans say MODEL TEXT --out=a.wav",
    "ids": "keras-gans say MODEL TEXT --out=a.wav",
}

# What generators take, by the argument of `sample`; an input reads its text.
INPUTS = {
    "labels": "class of all samples, or of each, numbers or names: 3 or 0,0,1,1 or "
    "cats,dogs; all in turn by default",
    "codes": "codes of all samples, numbers in [-1, 1]: 0.5,-1; random by default",
    "attributes": "attributes of all samples, numbers: 1,0,0.5; random by default",
    "truncation": "psi of all samples, or of each: 1 is none, 0 one picture of all; 1 "
    "by default; of SNGAN, SAGAN and BigGAN the largest |z|, 10 by default",
    "text": "a sentence that all samples show; several times, one for each sample",
    "temperature": "of sentences, all or each: below 1 likelier ones; 1 by default",
    "source": "file of what is translated",
}


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("run_dir", metavar="MODEL", help="a run, a preset or a .keras file")
    add(
        "--out",
        required=True,
        metavar="PATH",
        help="PNG file to write, of a solid also a mesh (.glb, .obj, .stl, .ply) or "
        ".npz, of sentences a .txt file, with --each, or of sounds, a folder, with "
        "--interpolate a GIF, WebP or MP4 file",
    )
    add("--each", action="store_true", help="write each sample to a file of its own")
    add(
        "--n",
        type=int,
        help="samples; by default as many as --labels, or 64, in whole rows",
    )
    add("--seed", type=int, help="seed of the samples (default: 0)")
    add(
        "--seeds",
        metavar="LIST",
        help="one sample for each seed, such as 0-35,77; of every class, unless "
        "--labels are given",
    )
    add(
        "--interpolate",
        metavar="LIST",
        help="write an animation from seed to seed and back: 3,8 (more by `walk`)",
    )
    add("--frames", type=int, help="of --interpolate (default: 60)")
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace what stands at --out")
    add_inputs(parser)
    add_cutoff(parser)


def add_cutoff(parser: argparse.ArgumentParser) -> None:
    """Adds how many layers are truncated."""
    parser.add_argument(
        "--cutoff",
        type=int,
        metavar="N",
        help="layers that --truncation is of, the coarsest first (default: all)",
    )


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Adds a flag for each input that a generator may take."""
    group = parser.add_argument_group("what the generator takes")
    for name, text in INPUTS.items():
        how = {"action": "append"} if name == "text" else {}
        group.add_argument(f"--{name}", metavar="VALUE", help=text, **how)


def opened(
    args: argparse.Namespace, n: int | None = None
) -> tuple[Any, int, list | None, dict]:
    """The GAN of a command, its step, names of classes, and what flags give.

    Args:
        args: flags, `add_inputs`'s among them.
        n: int, how many samples there will be, where that is told.

    Raises:
        ValueError: there is none, or it does not take what is given.
    """
    from keras_gans.inference import opening

    gan, step = opening.open_gan(args.run_dir, args.best)
    for i in gan.inputs:
        if command := COMMANDS.get(i.given):
            raise ValueError(
                f"A {type(gan).__name__} makes no samples from a seed. Received: "
                f"{args.run_dir}. Use `{command}`."
            )
    class_names = opening.class_names_of(args.run_dir)
    texts = {name: getattr(args, name) for name in INPUTS}
    texts["labels"] = label_numbers(texts["labels"], class_names)
    given = read_inputs(gan, texts)
    of_seeds = getattr(args, "seeds", None) is not None
    check_labels(gan, given, n, class_names, of_seeds)
    return gan, step, class_names, given


def with_every_class(gan: Any, seeds: list, given: dict) -> tuple[list, bool]:
    """Seeds, each as often as there are classes where `given` has no labels.

    Returns:
        `(seeds, whether)`; the labels are put into `given`.
    """
    known = gan.class_input
    if known is None or "labels" in given:
        return seeds, False
    classes = known.high + 1
    given["labels"] = [i % classes for i in range(classes * len(seeds))]
    return [seed for seed in seeds for _ in range(classes)], True


def refuse(args: argparse.Namespace) -> None:
    """Finds flags that do not fit, and an --out that is taken."""
    _check_out(args)
    if args.interpolate is not None:
        read_seeds(args.interpolate, "--interpolate", least=2)
        values.check_ending(args.out, FILMS, "A walk")
    elif args.seeds is not None:
        read_seeds(args.seeds)
    is_file = not args.each and pathlib.Path(args.out).suffix != ""
    values.check_free(args.out, args.overwrite, folder=not is_file)


def run(args: argparse.Namespace) -> None:
    """keras-gans sample RUN"""
    import numpy as np

    from keras_gans.core import previews

    if args.interpolate is not None:
        seeds = read_seeds(args.interpolate, "--interpolate", least=2)
        args.frames = 60 if args.frames is None else args.frames
        step = write_walk(args, seeds, RATE, SIDE)
        told = f"{said.of_step(step)}, seeds {args.interpolate}"
        print(f"{args.frames} frames{told}: {args.out}")
        flags = said.flags_of(args, "best", *INPUTS, "cutoff")
        said.next_steps(
            ("slower, without the way back", "walk", args.run_dir, *flags)
            + (f"--seeds={args.interpolate}", "--rate=10", "--no-loop")
            + ("--out=slow.gif",)
        )
        return
    seeds = None if args.seeds is None else read_seeds(args.seeds)
    n = args.n if seeds is None else len(seeds)
    gan, step, class_names, given = opened(args, n)
    one = _is_one(args, gan)
    names = rows = None
    all_in_one = one and gan.modality.kind in FILES_OF_ALL
    if seeds is None:
        seed = args.seed or 0
        n = 1 if one and not all_in_one else args.n
        if n is None:
            texts = given.get("text", ())
            usual = len(texts) if len(texts) > 1 else previews.count(gan)
            n = rows_of(given.get("labels"), usual)
        batches = gan.sample_batches(n, seed, **given)
        stems = [f"seed{seed:04d}-{row:04d}" for row in range(n)]
        what = f"samples 0 to {n - 1} of seed {seed}, row by row"
        what, names = with_texts(what, given)
        told = f"seed {seed}"
    else:
        what = f"seeds {args.seeds}, row by row"
        every = False
        if not one:  # which is of the first class, unless labels are given
            rows = [f"seed {seed}" for seed in seeds]
            seeds, every = with_every_class(gan, seeds, given)
        if every:
            what = f"seeds {args.seeds}: a row for each, a column for each class"
            if gan.class_input.high >= previews.MAX_COLUMNS:
                what = f"each of the seeds {args.seeds} with every class"
        else:
            rows = None
            names = [f"seed {seed}" for seed in seeds]
        what, names = with_texts(what, given, names)
        batches = of_seeds(gan, seeds, given, args.cutoff)
        stems = [f"seed{seed:04d}" for seed in seeds]
        told = f"seeds {args.seeds}"
    if all_in_one:
        n = write_all(args, gan.modality, batches)
    elif one:
        n = write_one(args, gan.modality, batches)
    elif args.each:
        stems = with_classes(stems, gan, given, class_names)
        n = write_each(args, gan.modality, stems, batches)
    else:
        samples = np.concatenate(list(batches))
        n = len(samples)
        preview = gan.show(
            samples,
            what,
            given.get("labels"),
            class_names=class_names,
            names=names,
            rows=rows,
        )
        preview.save(args.out, overwrite=args.overwrite)
    print(f"{said.count_of(n, 'sample')}{said.of_step(step)}, {told}: {args.out}")
    kind = gan.modality.kind
    names = ["best", *(name for name in INPUTS if name != "text"), "cutoff", "n"]
    names += [] if kind in FILES_OF_EACH else ["each"]
    flags = said.flags_of(args, *names)
    chosen = None if args.seeds is None else next_seeds(read_seeds(args.seeds))
    said.after_sampling(
        args.run_dir, args.seed or 0, kind, args.text or (), flags, chosen
    )


def of_seeds(
    gan: Any, seeds: list, given: dict, cutoff: int | None, draws: str = "keras_gans"
):
    """A sample of each seed, as an iterator of batches.

    Args:
        gan: `BaseGAN`.
        seeds: list of int.
        given: dict of arguments of `gan.sample`.
        cutoff: int or `None`, see `keras_gans.latent.generate`.
        draws: str, likewise.
    """
    from keras_gans.core.inputs import check_given
    from keras_gans.core.samples import SAMPLE_BATCH
    from keras_gans.inference.latent import generate

    if cutoff is None and draws == "keras_gans":
        return gan.seed_batches(seeds, **given)
    rows = check_given(gan.inputs, given, len(seeds))
    rows = {i.given: rows[i.name] for i in gan.inputs if i.name in rows}
    options = {"draws": draws, "cutoff": cutoff}
    starts = range(0, len(seeds), SAMPLE_BATCH)
    parts = (slice(i, i + SAMPLE_BATCH) for i in starts)
    return (
        generate(
            gan, seeds[part], **options, **{name: x[part] for name, x in rows.items()}
        )
        for part in parts
    )


def write_walk(
    args: argparse.Namespace, seeds: list, rate: int, side: int, **options
) -> int:
    """Writes a walk from seed to seed as a video file; returns the GAN's step.

    Args:
        args: flags: `out`, `overwrite`, `frames`, `cutoff`, and those of `opened`.
        seeds: list of int.
        rate: int, frames a second.
        side: int, pixels that the shorter side of small pictures is enlarged to.
        **options: of `keras_gans.latent.walk`.

    Raises:
        ValueError: samples are no images, or a flag is out of its range.
    """
    from keras_gans.inference.latent import films, walk
    from keras_gans.utils.validation import check_size

    for name, value in {"frames": args.frames, "rate": rate, "size": side}.items():
        check_size(name, value)
    gan, step, _, given = opened(args)
    films.check_images(gan)
    frames = walk(gan, seeds, args.frames, cutoff=args.cutoff, **options, **given)
    even = args.out.lower().endswith(".mp4")
    video, frames = films.film(gan, frames, rate, side, even)
    video.write(args.out, frames, overwrite=args.overwrite)
    return step


def with_texts(
    what: str, given: dict, names: list | None = None
) -> tuple[str, list | None]:
    """The caption of a grid, and the names of its samples, with their sentences."""
    texts = given.get("text", ())
    if len(texts) == 1:
        what += f"; each of {texts[0]!r}"
    elif texts:
        names = list(texts)
    return what, names


def _check_out(args):
    if args.interpolate is not None:
        names = ("n", "seed", "seeds", "each")
        if others := [f"--{n}" for n in names if getattr(args, n) not in (None, False)]:
            raise ValueError(
                "--interpolate names the seeds of an animation. Received: "
                f"--interpolate={args.interpolate} with {', '.join(others)}. Drop one."
            )
        return
    if args.frames is not None:
        raise ValueError(
            "--frames are those of --interpolate. Received: "
            f"--frames={args.frames} without it. Add --interpolate=3,8."
        )
    if args.cutoff is not None and args.seeds is None:
        raise ValueError(
            "--cutoff is of --seeds or --interpolate. Received: "
            f"--cutoff={args.cutoff} without them. Add --seeds=0-35."
        )
    if args.seeds is not None and (args.n is not None or args.seed is not None):
        raise ValueError(
            "--seeds says how many samples there are and of which seeds. Received: "
            f"--seeds={args.seeds} with --n or --seed. Drop them."
        )
    is_png = args.out.lower().endswith(".png")
    if args.each and is_png:
        raise ValueError(
            f"--each writes files into a folder. Received: --out={args.out}. Name "
            "a folder."
        )
    ending = pathlib.Path(args.out).suffix.lower()
    if not args.each and ending not in ("", ".png", *ENDINGS_OF_ONE):
        _refuse_grid(args)


def _is_one(args, gan):
    """Whether a file of one sample is named. Of sounds, a folder takes each."""
    ending = pathlib.Path(args.out).suffix.lower()
    if args.each or ending == ".png":
        return False
    kind = gan.modality.kind
    if not ending and kind in FILES_OF_EACH:
        args.each = True
        return False
    if kind in FILES_OF_ALL and ending in gan.modality.extensions:
        return True
    if kind in FILES_OF_ONE and ending in gan.modality.extensions:
        n = args.n if args.seeds is None else len(read_seeds(args.seeds))
        if n not in (None, 1):
            raise ValueError(
                f"{ending} is a file of one sample. Received: --out={args.out} for "
                f"{n}. Drop --n, or name a folder and add --each."
            )
        return True
    if kind == "table":
        raise ValueError(
            f"A table is written by `keras-gans synthesize {args.run_dir} "
            f"--out=rows.csv`. Received: --out={args.out}. `sample` draws rows as a "
            "grid, a .png file."
        )
    if kind in FILES_OF_ALL:
        raise ValueError(
            f"Lines of text are a {gan.modality.extensions[0]} file. Received: "
            f"--out={args.out}. Name such a file, or a .png file for a picture of them."
        )
    _refuse_grid(args)


def _refuse_grid(args):
    raise ValueError(
        f"A grid is a .png file. Received: --out={args.out}. Name such a file, "
        "or write each sample to a file of its own by --each."
    )


def with_classes(
    stems: list, gan: Any, given: dict, class_names: list | None = None
) -> list:
    """Names of files that say the class of each sample, where there are any.

    Classes are named where a file may have the name; others are numbered.
    """
    import numpy as np

    known, n = gan.class_input, len(stems)
    if known is None:
        return stems
    labels = given.get("labels")
    if labels is None:
        labels = known.default_rows(0, np.arange(n))
    labels = known.check(labels, n)
    names = [f"class{i}" for i in range(known.high + 1)]
    lower = [name.lower() for name in class_names or ()]  # some disks see no case
    for i, name in enumerate(class_names or ()):
        if SAFE_NAME.fullmatch(name) and lower.count(lower[i]) == 1:
            names[i] = name
    return [f"{stem}-{names[i]}" for stem, i in zip(stems, labels, strict=True)]


def write_one(args: argparse.Namespace, modality: Any, batches) -> int:
    """Writes the only sample to a file of its kind; returns 1."""
    (batch,) = batches
    modality.write(args.out, batch[0], overwrite=args.overwrite)
    return 1


def write_all(args: argparse.Namespace, modality: Any, batches) -> int:
    """Writes all samples to one file of their kind; returns how many."""
    import numpy as np

    samples = np.concatenate(list(batches))
    modality.write(args.out, samples, overwrite=args.overwrite)
    return len(samples)


def write_each(args: argparse.Namespace, modality: Any, stems: list, batches) -> int:
    """Writes each sample, also where others cannot be; returns how many."""
    samples = (sample for batch in batches for sample in batch)
    written, failed = set(), {}
    for stem, sample in zip(stems, samples, strict=True):
        path = pathlib.Path(args.out) / f"{stem}{modality.extensions[0]}"
        if path in written:  # the same seed, twice
            continue
        try:
            modality.write(path, sample, overwrite=args.overwrite)
            written.add(path)
        except ValueError as error:
            failed[path] = error
    if failed:
        lines = [f"{path}: {why}" for path, why in list(failed.items())[:20]]
        raise ValueError(
            f"{len(failed)} of {len(failed) + len(written)} samples were not "
            "written, the others were:\n" + "\n".join(lines)
        )
    return len(written)


def read_seeds(text: str, flag: str = "--seeds", least: int = 1) -> list[int]:
    """The seeds of a list such as "0-35,77", which a flag gave.

    Raises:
        ValueError: it is no such list, or names fewer than `least` or more than a
            million.
    """
    seeds = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,10})(?:-(\d{1,10}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if match and last < first:
            raise ValueError(
                f"A range of seeds runs backwards. Received: {part.strip()!r} in "
                f"{flag}={text}. Give {last}-{first}."
            )
        if not first <= last < 2**31 or last - first + len(seeds) >= MOST_SEEDS:
            raise ValueError(
                f"{flag} are ints in [0, 2**31) and ranges of them, with commas: "
                f"0-35,77; up to {MOST_SEEDS:,}. Received: {part.strip()!r} in "
                f"{flag}={text}."
            )
        seeds += range(first, last + 1)
    if len(seeds) < least:
        raise ValueError(
            f"A walk goes from seed to seed: two or more. Received: {flag}={text}. "
            f"Add another, as in {flag}=3,8."
        )
    return seeds


def next_seeds(seeds: list[int]) -> str:
    """The flag of as many seeds that follow: "--seeds=4-7" of 0 to 3."""
    count = len(seeds)
    first = max(seeds) + 1
    if first + count > 2**31:
        first = 0
    last = first + count - 1
    return f"--seeds={first}" if count == 1 else f"--seeds={first}-{last}"


def of_all(args: argparse.Namespace, *names: str) -> list[str]:
    """`words.flags_of` of --best, of inputs that all samples share, and of others."""
    shared = [n for n in INPUTS if "," not in str(getattr(args, n, None))]
    return said.flags_of(args, "best", *shared, *names)


def label_numbers(text: str | None, names: list[str] | None) -> str | None:
    """The numbers of classes that are given by name: "0,1" of "cats,dogs".

    Args:
        text: str, names or numbers with commas, or `None`.
        names: list of str, the `class_names` of a run, or `None`.

    Raises:
        ValueError: no class has one of the names.
    """
    from keras_gans.utils.suggestions import hint

    if text is None or names is None:
        return text
    if text in names:  # one that holds a comma, or is a number
        return str(names.index(text))
    numbers = []
    for word in map(str.strip, text.split(",")):
        if word in names:
            numbers.append(str(names.index(word)))
        elif word.isdecimal():
            numbers.append(word)
        else:
            raise ValueError(
                f"There is no such class. Received: {word!r} in --labels={text}. "
                f"Expected one of {', '.join(map(repr, names))}, or its number from 0."
                f"{hint(word, names)}"
            )
    return ",".join(numbers)


def check_labels(
    gan: Any, given: dict, n: int | None, names: list | None, of_seeds: bool
) -> None:
    """Checks the numbers of classes that `--labels` gives.

    Args:
        gan: `BaseGAN`.
        given: dict, from `read_inputs`.
        n: int, how many samples there will be, where that is told.
        names: list of str, the `class_names` of a run, or `None`.
        of_seeds: bool, whether the samples are of `--seeds`.

    Raises:
        ValueError: the GAN has no such class, or they are too few or too many.
    """
    if "labels" not in given:
        return
    labels = given["labels"]
    high, many = gan.class_input.high, labels.ndim > 0
    wrong = [int(x) for x in labels.ravel() if not 0 <= x <= high]
    if wrong:
        named = f", or names: {', '.join(names)}" if names else ""
        raise ValueError(
            f"--labels are classes, numbers from 0 to {high}{named}. Received: "
            f"{wrong[0]}."
        )
    if many and n is not None and len(labels) != n:
        every = " Leave it out for every class of each seed." if of_seeds else ""
        raise ValueError(
            f"--labels gives one class for all samples, or one for each. Received: "
            f"{len(labels)} classes for {n} samples.{every}"
        )


def read_inputs(gan: Any, texts: dict) -> dict:
    """The arguments of `gan.sample` that flags were given for.

    Args:
        gan: `BaseGAN`.
        texts: dict of the names of `INPUTS` to a flag's text, or `None`.

    Raises:
        ValueError: the generator does not take one.
    """
    known = {i.given: i.parse for i in gan.inputs if i.given is not None}
    given = {name: text for name, text in texts.items() if text is not None}
    for name, text in given.items():
        if name not in known:
            what = "classes" if name == "labels" else f"input `{name}`"
            raise ValueError(
                f"{type(gan).__name__} has no {what}. Received: --{name}="
                f"{text}. Drop it."
            )
    return {name: known[name](text) for name, text in given.items()}


def rows_of(labels: Any, usual: int = 64) -> int:
    """How many samples labels ask for: one each, or the usual number."""
    try:
        return len(labels)
    except TypeError:
        return usual
