"""The command `keras-gans convert`."""

import argparse

from keras_gans_cli import values
from keras_gans_cli import words as said

SUMMARY = "Make a .keras file of a PyTorch checkpoint."
CALLED = {"path": "FILE", "state": "FILE"}


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("file", metavar="FILE", help="a .pth, .pt or .safetensors file")
    add("--to", required=True, metavar="DIR", help="folder of the .keras file")
    add(
        "--key",
        metavar="NAME",
        help="of a file of several networks, the one to take: netG, g_ema",
    )
    add(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what weights do not tell, such as dropout=0 or n_layers=3",
    )
    add("--overwrite", action="store_true", help="replace the file")


def run(args: argparse.Namespace) -> None:
    """keras-gans convert FILE"""
    from keras_gans.convert.files import convert_file

    config = dict(map(values.setting, args.set))
    target, text = convert_file(
        args.file, args.to, args.overwrite, key=args.key, **config
    )
    print(f"{text}\n{target}")
    if "output_channels" in text:
        use = ("your pictures", "translate", target, said.PICTURES)
        said.next_steps((*use, "--out=translated"))
    elif "latent_dim" in text:
        said.next_steps(("a grid of samples", "sample", target, "--out=samples.png"))
    print(f"In Python: network = keras_gans.load({str(target)!r})")
