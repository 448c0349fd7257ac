"""The command `keras-gans check`."""

import argparse
import os

from keras_gans_cli import values

SUMMARY = "Look through a folder of pictures before training on it."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("folder", metavar="FOLDER", help="a folder of pictures, or a zip archive")
    add(
        "--image_size",
        type=values.size,
        default=64,
        help="pixels that they are brought to, as 64 or 64,96 (default: 64)",
    )
    add(
        "--channels",
        type=int,
        default=3,
        help="1 grey, 2 grey and alpha, 3 colour, 4 colour and alpha (default: 3)",
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
    report = check(args.folder, args.image_size, args.channels)
    print(report)
    if report.broken:
        print(
            "Remove or replace the files that cannot be read, or train with "
            "--skip_broken."
        )
    return 1 if report.broken else 0
