"""The command `keras-gans demo`."""

import argparse

from keras_gans_cli import recipes
from keras_gans_cli import words as said

SUMMARY = "Show models in a browser: draw, play, speak, turn; a run also in training."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add(
        "models",
        metavar="MODEL",
        nargs="*",
        help="runs, presets or .keras files (default: the presets of the package)",
    )
    add("--port", type=int, default=8080, help="of the page; 0: any (default: 8080)")
    add(
        "--host",
        default="127.0.0.1",
        help="address that is listened at; others than this machine's let everybody "
        "in who reaches it (default: 127.0.0.1)",
    )
    add(
        "--browser",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="open the page (default: on)",
    )


def refuse(args: argparse.Namespace) -> None:
    """Finds that a package of the page is missing."""
    for module in ("starlette", "uvicorn"):
        recipes.load_file("utils/optional.py").require(module, "demo", "The demo")


def run(args: argparse.Namespace) -> None:
    """keras-gans demo MODEL..."""
    from keras_gans.serving.demo import Demo

    shown = Demo(*args.models, host=args.host, port=args.port)
    with shown:
        print(f"The demo is at {shown.url}, until you press Ctrl+C.", flush=True)
        if args.browser:
            shown.open()
        shown.wait()
    if args.models:
        told = ("samples, from the command line", "sample", args.models[0])
        said.next_steps((*told, "--out=samples.png"))
    else:
        said.next_steps(("train one of your own", "train", "dcgan"))
