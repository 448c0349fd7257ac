"""The command `keras-gans translate`."""

import argparse
import sys

from keras_gans_cli import values
from keras_gans_cli import words as said

SUMMARY = "Translate pictures by Pix2Pix or CycleGAN."
MAX_LISTED = 20


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="a run, a preset or a .keras file")
    add(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="pictures, folders of them, or patterns such as 'photos/*.jpg'",
    )
    add("--out", required=True, metavar="DIR", help="folder of the results")
    add(
        "--direction",
        choices=("ab", "ba"),
        default="ab",
        help="of a CycleGAN (default: ab)",
    )
    add(
        "--evaluation",
        action=argparse.BooleanOptionalAction,
        help="moving statistics and no dropout, or as the paper tests: each "
        "image's own statistics, with dropout (default: what suits the training)",
    )
    add("--seed", type=int, default=0, help="of dropout (default: 0)")
    add(
        "--size",
        type=values.value,
        help="pixels of the shorter side that a colourisation or inpainting works at "
        "(default: as trained)",
    )
    add("--masks", metavar="DIR", help="masks of an inpainting, white: hole")
    add(
        "--max_pixels",
        type=int,
        help="of a picture, to bound memory (default: 4194304)",
    )
    add("--overwrite", action="store_true", help="write into a folder in use")


def run(args: argparse.Namespace) -> None:
    """keras-gans translate MODEL INPUT..."""
    from keras_gans.inference import translate

    limit = args.max_pixels
    report = translate.translate_files(
        args.model,
        args.inputs,
        args.out,
        direction=args.direction,
        evaluation=args.evaluation,
        seed=args.seed,
        size=args.size,
        masks=args.masks,
        max_pixels=translate.MAX_PIXELS if limit is None else limit,
        overwrite=args.overwrite,
    )
    tell(report, args.out, "translated", args.model)


def tell(report, out: str, done: str, model: str | None = None) -> None:
    """Prints what came of files; `done` is what was done to them.

    Raises:
        ValueError: some failed, which it names.
    """
    for note, count in report.notes.items():
        print(f"{note}: {count}", file=sys.stderr)
    failed = report.failed
    total = len(report.written) + len(failed)
    print(f"{len(report.written)} of {total} pictures {done}: {out}")
    if model is not None:
        print(f"mode: {report.mode}")
        said.after_translation(model)
    if failed:
        lines = [f"{path}: {why}" for path, why in failed.items()]
        more = [f"and {len(lines) - MAX_LISTED} more"]
        more = more if len(lines) > MAX_LISTED else []
        were = "was" if len(failed) == 1 else "were"
        raise ValueError(
            f"{len(failed)} of {total} pictures {were} not {done}:\n"
            + "\n".join(lines[:MAX_LISTED] + more)
        )
