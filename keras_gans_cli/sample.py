"""The command `keras-gans sample`."""

import argparse
from typing import Any

SUMMARY = "Write a grid of samples."

# What generators take, by the argument of `sample`; an input reads its text.
INPUTS = {
    "labels": "class of all images, or of each: 3 or 0,0,1,1; all in turn by default",
    "codes": "codes of all images, numbers in [-1, 1]: 0.5,-1; random by default",
    "attributes": "attributes of all images, numbers: 1,0,0.5; random by default",
    "text": "a sentence that all images show",
    "source": "file of what is translated",
}


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("run_dir", metavar="RUN", help="a run directory")
    add("--out", required=True, metavar="FILE", help="PNG file to write")
    add("--n", type=int, help="images; 64, or as many as --labels, by default")
    add("--seed", type=int, default=0, help="seed of the samples (default: 0)")
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace the file")
    group = parser.add_argument_group("what the generator takes")
    for name, text in INPUTS.items():
        group.add_argument(f"--{name}", metavar="VALUE", help=text)


def run(args: argparse.Namespace) -> None:
    """keras-gans sample RUN"""
    from keras_gans.training import runs
    from keras_gans.utils import files

    files.check_free(args.out, args.overwrite)
    gan, position = runs.open_run(args.run_dir, args.best)
    texts = {name: getattr(args, name) for name in INPUTS}
    given = read_inputs(gan, texts)
    n = args.n
    if n is None:
        n = rows_of(given.get("labels"))
    samples = gan.sample(n, seed=args.seed, **given)
    preview = gan.modality.preview(samples, gan.preview_columns)
    preview.save(args.out, overwrite=args.overwrite)
    print(f"{n} samples of step {position.step}, seed {args.seed}: {args.out}")


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
    """How many images labels ask for: one each, or the usual number."""
    try:
        return len(labels)
    except TypeError:
        return usual
