"""What the commands of a latent space have in common."""

import argparse
import pathlib
import re

from keras_gans_cli import sample


def add_model(parser: argparse.ArgumentParser, out: str, ending: str) -> None:
    """Adds the model, what is written, and what the generator takes.

    Args:
        parser: of the command.
        out: str, what --out names.
        ending: str, as of `name_out`.
    """
    add = parser.add_argument
    add("run_dir", metavar="MODEL", help="a run, a preset or a .keras file")
    add("--out", metavar="PATH", help=f"{out} (default: MODEL{ending})")
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace what stands at --out")
    sample.add_inputs(parser)


def name_out(args: argparse.Namespace, ending: str) -> None:
    """Gives --out the model's name and an ending where it is left out.

    Args:
        args: flags, as of `add_model`.
        ending: str, such as "-walk.gif".
    """
    if args.out is None:
        path = pathlib.Path(args.run_dir)
        name = path.name or path.resolve().name  # of "." a name, too
        args.out = f"{name.removesuffix('.keras')}{ending}"


def add_draws(parser: argparse.ArgumentParser) -> None:
    """Adds which codes a seed stands for."""
    parser.add_argument(
        "--draws",
        choices=("keras_gans", "numpy"),
        default="keras_gans",
        help="the codes of a seed: those of `sample`, or of NumPy's RandomState, as "
        "StyleGAN's own scripts have them (default: keras_gans)",
    )


def read_layers(text: str | None) -> list[int] | None:
    """The layers of a list such as "0-3,6".

    Raises:
        ValueError: it is no such list.
    """
    if text is None:
        return None
    layers = []
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,3})(?:-(\d{1,3}))?\s*", part)
        if match and match[2] and int(match[2]) < int(match[1]):
            raise ValueError(
                f"A range of layers runs backwards. Received: {part.strip()!r} in "
                f"--layers={text}. Give {match[2]}-{match[1]}."
            )
        if not match:
            raise ValueError(
                "--layers are ints and ranges of them, with commas: 0-3,6. Received: "
                f"{part.strip()!r} in --layers={text}."
            )
        layers += range(int(match[1]), int(match[2] or match[1]) + 1)
    return layers
