"""The command `keras-gans check`."""

import argparse
import os

from keras_gans_cli import recipes, values
from keras_gans_cli import words as said

SUMMARY = "Look through a folder of pictures before training on it."
RECIPE, OF_CLASSES = "dcgan", "conditional_gan"  # what is offered next


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("folder", metavar="FOLDER", help="a folder of pictures, or a zip archive")
    add(
        "--image_size",
        type=values.size,
        help="pixels that they are brought to, as 64 or 64,96 (default: those of "
        "train dcgan)",
    )
    add(
        "--channels",
        type=int,
        default=3,
        help="1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha (default: 3)",
    )
    add(
        "--skip_broken",
        action="store_true",
        help="take it for no failure that files cannot be read, which train leaves out "
        "by the same flag",
    )


def run(args: argparse.Namespace) -> int:
    """keras-gans check FOLDER"""
    from keras_gans.data import check

    if values.is_set(args.folder) and not os.path.exists(args.folder):
        raise ValueError(
            f"check looks through your own pictures. Received: {args.folder}, which "
            "names a data set that needs no checking. Train on it by keras-gans train "
            f"dcgan --data={args.folder}, or give a folder or a zip archive."
        )
    usual = recipes.recipes()[RECIPE].arguments["image_shape"]
    size = args.image_size or usual[:2]
    report = check(args.folder, size, args.channels)
    print(report)
    flags = [f"--data={args.folder}"]
    height, width = size if isinstance(size, tuple) else (size, size)
    shape = (height, width, args.channels)
    if shape != tuple(usual):
        flags.append(f"--image_shape={values.text(shape)}")
    if args.image_size is None:
        print(
            f"{width} x {height} pixels are what train {RECIPE} makes unless told "
            "otherwise; --image_size=64 shows what becomes of others."
        )
    if report.broken:
        flags.append("--skip_broken")
        if not args.skip_broken:
            print("Remove or replace the files that cannot be read, or leave them out.")
    without = " without them" if report.broken else ""
    steps = [(f"train on the pictures{without}", "train", RECIPE, *flags)]
    classes = dict(report.rows).get("classes", "1:")
    if not classes.startswith("1:"):
        steps.append(("the same by class", "train", OF_CLASSES, *flags))
    said.next_steps(*steps)
    return 1 if report.broken and not args.skip_broken else 0
