"""The command `keras-gans upscale`."""

import argparse

from keras_gans_cli import translate

SUMMARY = "Enlarge pictures and videos by super-resolution."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="a run, a preset or a .keras file")
    add(
        "inputs",
        metavar="INPUT",
        nargs="+",
        help="pictures, folders of them, patterns such as 'photos/*.jpg', or a video",
    )
    add("--out", required=True, metavar="DIR", help="folder of the results, or x.mp4")
    add("--scale", type=int, help="refuse a model of another one")
    add(
        "--tile",
        type=int,
        help="pixels a side that the network sees at once; 0: whole pictures "
        "(default: what 2 GiB of memory hold, at most 512)",
    )
    add(
        "--overlap",
        type=int,
        help="pixels that tiles share at either side (default: as many as the result "
        "depends on)",
    )
    add(
        "--precision",
        choices=("float32", "bfloat16", "float16"),
        default="float32",
        help="that the network computes in (default: float32)",
    )
    add(
        "--alpha",
        choices=("model", "bilinear"),
        default="model",
        help="how transparency is enlarged (default: model)",
    )
    add(
        "--padding",
        type=int,
        default=0,
        help="pixels of its mirror image around a picture's end (default: 0)",
    )
    add("--rate", type=float, help="frames a second of pictures as a video")
    add("--overwrite", action="store_true", help="write into a folder in use")


def run(args: argparse.Namespace) -> None:
    """keras-gans upscale MODEL INPUT..."""
    from keras_gans.inference.upscale import upscale

    names = ("scale", "tile", "overlap", "precision", "alpha", "padding", "rate")
    options = {name: getattr(args, name) for name in names}
    report = upscale(
        args.model, args.inputs, args.out, overwrite=args.overwrite, **options
    )
    translate.tell(report, args.out, "enlarged")
