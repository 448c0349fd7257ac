"""The command `keras-gans evaluate`."""

import argparse
import pathlib

from keras_gans_cli import values
from keras_gans_cli import words as said

SUMMARY = "Score a run, a preset, a .keras file or a folder of images."
CACHE = "~/.cache/keras_gans"
OF_IMAGES = ("metrics", "weights", "input_size", "resize", "image_size", "split")
OF_IMAGES += ("subsets", "subset_size")
# What another scoring of the same samples needs again.
AGAIN = ("data", "reals", "n", "seed", "best", "image_size", "split", "data_dir")
AGAIN += ("network", "weights", "input_size", "skip_broken", "resize", "batch_size")
AGAIN += ("cache_dir", "out")
CALLED = {"real": "--data", "fake": "TARGET"}


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="a run, a preset, a .keras file, or a folder of images",
    )
    parser.add_argument(
        "--out", metavar="FILE.jsonl", help="adds a line for each score"
    )
    add = parser.add_argument_group("what is compared").add_argument
    add(
        "--data",
        metavar="NAME",
        help="the reals: emoji, tfds:NAME or a folder; by default what a run or preset "
        "was trained on",
    )
    add("--reals", type=int, help="the first N reals; all by default")
    add(
        "--n",
        type=int,
        help="samples, or files of a folder; as many as reals by default",
    )
    add("--seed", type=int, default=0, help="of the samples (default: 0)")
    add("--best", action="store_true", help="of a run, its best checkpoint")
    add(
        "--image_size",
        type=values.size,
        metavar="N|H,W",
        help="pixels that reals are brought to; a GAN's own by default",
    )
    add("--split", metavar="NAME", help="of a tfds: source; train by default")
    add(
        "--data_dir",
        metavar="DIR",
        help="where tensorflow-datasets keeps its files; its own place by default",
    )
    add(
        "--label",
        metavar="COLUMN",
        help="of tables, the categories that classifiers are to tell; 'class', or the "
        "last column of categories, by default",
    )
    add = parser.add_argument_group("how it is measured").add_argument
    add(
        "--metrics",
        metavar="NAMES",
        help="with commas, of fid, kid, is, precision, recall, density and coverage "
        "(default: fid,kid); sounds have scores of their own",
    )
    add(
        "--network",
        default="lite0",
        metavar="lite0|inception",
        help="what sees the images (default: lite0)",
    )
    add(
        "--weights",
        metavar="FILE",
        help="of Inception: pt_inception-2015-12-05-6726825d.pth of pytorch-fid",
    )
    add(
        "--input_size",
        type=values.size,
        metavar="N|H,W",
        help="pixels that the network sees; its own by default",
    )
    add(
        "--skip_broken",
        action="store_true",
        help="leave out image files that cannot be read, as of a run that did",
    )
    add(
        "--resize",
        metavar="clean|legacy_tensorflow|legacy_torch",
        help="how images are resized; the network's own by default",
    )
    add(
        "--subsets",
        type=int,
        help="of the kernel distance, with --subset_size; one of all by default",
    )
    add("--subset_size", type=int, help="samples of each side in a subset")
    add = parser.add_argument_group("how it runs").add_argument
    add("--batch_size", type=int, default=64, help="images at a time (default: 64)")
    add(
        "--cache_dir",
        default=CACHE,
        metavar="DIR",
        help=f"where features of files are kept; '' keeps none (default: {CACHE})",
    )


def refuse(args: argparse.Namespace) -> None:
    """Finds an --out of another kind."""
    if args.out is not None and pathlib.Path(args.out).suffix != ".jsonl":
        raise ValueError(
            f"Scores are lines of a .jsonl file. Received: --out={args.out}."
        )


def run(args: argparse.Namespace) -> None:
    """keras-gans evaluate TARGET"""
    from keras_gans.core.text_to_image import TextToImageGAN
    from keras_gans.inference import opening
    from keras_gans.metrics import evaluate
    from keras_gans.metrics.table import check_metrics
    from keras_gans.training import runs

    metrics = check_metrics((args.metrics or "fid,kid").split(","))
    fake, data, data_dir = args.target, args.data, args.data_dir
    skip_broken = args.skip_broken
    is_run = runs.is_run(args.target)
    is_model = is_run or opening.is_preset(args.target)
    if is_model or pathlib.Path(args.target).is_file():
        fake, _ = opening.open_gan(args.target, args.best)
    elif not values.is_set(args.target) and not pathlib.Path(args.target).exists():
        raise opening.missing(args.target)
    config = opening.recipe_of(args.target) if is_model else None
    if config is not None:
        data = data or config["data"]
        if data == config["data"]:
            data_dir = data_dir or config["data_dir"]
            skip_broken = skip_broken or config["skip_broken"]
    elif data is None and metrics != ("is",):
        raise ValueError(
            "What are the fakes to be compared with? Pass --data=FOLDER, or "
            f"emoji or tfds:NAME. Received: {args.target} and no --data."
        )
    if getattr(getattr(fake, "modality", None), "kind", None) == "waveform":
        _evaluate_sounds(args, fake, config, data, skip_broken)
        return
    if getattr(getattr(fake, "modality", None), "kind", None) == "table":
        _evaluate_table(args, fake, config)
        return
    if isinstance(fake, TextToImageGAN):
        raise ValueError(
            "Pictures of sentences are evaluated from a folder, or in Python by "
            f"keras_gans.metrics.text_to_image_scores. Received: {args.target}. Make "
            "a folder by keras-gans sample, with --text and --each."
        )
    if getattr(getattr(fake, "modality", None), "kind", None) == "tokens":
        raise ValueError(
            "Lines of text are scored in Python, by `keras_gans.metrics.text_scores`. "
            f"Received: {args.target}, a {type(fake).__name__}."
        )
    settings = {}
    if (args.subsets, args.subset_size) != (None, None):
        options = {"subsets": args.subsets, "subset_size": args.subset_size}
        settings["kid"] = options
    records = evaluate(
        fake,
        data,
        metrics,
        args.network,
        n=args.n,
        reals=args.reals,
        seed=args.seed,
        weights=args.weights,
        input_size=args.input_size,
        resize=args.resize,
        image_size=args.image_size,
        split=args.split,
        data_dir=data_dir,
        on_error="skip" if skip_broken else "raise",
        settings=settings,
        batch_size=args.batch_size,
        cache_dir=args.cache_dir or None,
    )
    _tell(records, args.out)
    flags = said.flags_of(args, *AGAIN)
    steps = []
    if "recall" not in metrics:
        more = ("evaluate", args.target, *flags, "--metrics=precision,recall")
        steps = [("how varied they are", *more)]
    _tell_next(args, config, *steps)


def _tell_next(args, config, *steps):
    """Prints what to do next, of a run also how to train on."""
    from keras_gans.training import lengths, runs

    if runs.is_run(args.target):
        resume = ("train", config["recipe"], f"--run_dir={args.target}", "--resume")
        longer = lengths.longer(config)
        steps = (*steps, ("train on", *resume, *([longer] if longer else [])))
    if steps:
        said.next_steps(*steps)


def _evaluate_sounds(args, gan, config, data, skip_broken):
    """The scores of sounds, which have flags of their own."""
    import numpy as np

    from keras_gans.metrics import evaluate_sounds
    from keras_gans.training import datasets, recipes, tasks

    image_flags = [name for name in OF_IMAGES if getattr(args, name) is not None]
    if image_flags:
        told = ", ".join(f"--{name}={getattr(args, name)}" for name in image_flags)
        raise ValueError(
            f"Sounds are scored by metrics of their own, all of them. Received: {told} "
            "for images. Drop it."
        )
    if config is not None and data == config["data"]:
        batches = datasets.pictures_of(recipes.get(config["recipe"]), config, gan)
    else:
        options = {"batch_size": 100, "shuffle": False, "drop_remainder": False}
        options |= {"segments": "first", "on_error": "skip" if skip_broken else "raise"}
        batches = tasks.load("sounds", gan, data, **options)
    if args.reals is not None:
        batches = batches.unbatch().take(args.reals).batch(100)
    parts = [b[0] if isinstance(b, tuple) else b for b in batches.as_numpy_iterator()]
    real = np.concatenate(parts)
    _tell(evaluate_sounds(gan, real, args.n, args.seed, str(data)), args.out)
    _tell_next(args, config)


def _evaluate_table(args, gan, config):
    """The scores of a table, beside those of what it is compared with."""
    from keras_gans import data
    from keras_gans.metrics import evaluate_table
    from keras_gans.metrics.tables import records_of

    image_flags = [name for name in OF_IMAGES if getattr(args, name) is not None]
    if image_flags:
        told = ", ".join(f"--{name}={getattr(args, name)}" for name in image_flags)
        raise ValueError(
            f"Tables are scored by metrics of their own, all of them. Received: {told} "
            "for images. Drop it."
        )
    if config is None:
        raise ValueError(
            "A table is scored by the rows that it was trained on, and by others that "
            f"it was not: a run knows them. Received: {args.target}. Give the run "
            "(in Python, `keras_gans.metrics.evaluate_table` scores any)."
        )
    train, test = data.split_rows(config["data"], config["held_out"], config["seed"])
    if args.data is not None:
        test = data.read_table(args.data)
    size = len(next(iter(test.values())))
    if not size:
        raise ValueError(
            "A table is scored by rows that were not trained on. Received: a run with "
            "--held_out=0. Give a CSV file of others as --data, or train with "
            "--held_out=0.2."
        )
    label = args.label
    if label is None:
        known = list(gan.table.categories)
        label = "class" if "class" in known else (known or [None])[-1]
    scores = evaluate_table(gan, train, test, label, args.n, args.seed)
    settings = {"label": label, "seed": args.seed, "test_rows": size}
    names = {"gan": type(gan).__name__, "independent": "independent columns"}
    names |= {"copula": "Gaussian copula", "real": "the training rows"}
    rows = [("", *(names[n] for n in scores))]
    for field in scores["gan"]._fields:
        numbers = [getattr(one, field) for one in scores.values()]
        told = ["-" if x is None else f"{x:.3f}".removesuffix(".000") for x in numbers]
        rows.append((field, *told))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True))
        print(line.rstrip())
    print(
        f"Against {size:,} rows that were not trained on; classifiers tell {label!r}."
    )
    print("1 is best of columns, pairs, efficacy, precision and detection; closest is")
    print("1 or more where rows are no closer to the training rows than strangers are.")
    if args.out is not None:
        _add_lines(records_of(scores, settings), args.out)
    flags = said.flags_of(args, "best")
    words = ("synthesize", args.target, *flags, "--rows=10000", "--out=rows.csv")
    _tell_next(args, config, ("a table like it", *words))


def _tell(records, out):
    """Prints records, and adds them to a file."""
    for record in records:
        print(record)
    if out is not None:
        _add_lines([record.to_json() for record in records], out)


def _add_lines(lines, out):
    from keras_gans.utils import files

    with files.naming(out), open(out, "a") as file:
        file.writelines(line + "\n" for line in lines)
