"""The command `keras-gans convert`."""

import argparse

from keras_gans_cli import values
from keras_gans_cli import words as said

SUMMARY = "Make a preset of a run or a snapshot, a .keras file of a checkpoint."
CALLED = {"path": "FILE", "state": "FILE"}


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add(
        "file",
        metavar="FILE",
        help="a run directory; a .pkl snapshot; a .pth, .pt or .safetensors file",
    )
    add("--to", required=True, metavar="DIR", help="the preset, or folder of the file")
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
    add("--overwrite", action="store_true", help="replace what stands there")
    add("--best", action="store_true", help="of a run, its best checkpoint")


def run(args: argparse.Namespace) -> None:
    """keras-gans convert FILE"""
    from keras_gans.convert.files import convert_file
    from keras_gans.inference import opening
    from keras_gans.training import presets, runs

    config = dict(map(values.setting, args.set))
    if args.best and not runs.is_run(args.file):
        raise ValueError(
            f"Runs alone have a best checkpoint. Received: --best with {args.file}. "
            "Drop it."
        )
    if runs.is_run(args.file):
        if config or args.key:
            raise ValueError(
                "--key and --set are for checkpoints of others. Received: them with "
                f"{args.file}, a run. Drop them."
            )
        target, text = presets.of_run(args.file, args.to, args.overwrite, args.best)
    else:
        target, text = convert_file(
            args.file, args.to, args.overwrite, key=args.key, **config
        )
    print(f"{text}\n{target}")
    if opening.is_preset(target):
        return said.after_preset(target, text.split()[0].rstrip(":"))
    if "scale" in text:
        use = ("your pictures, enlarged", "upscale", target, said.PICTURES)
        said.next_steps((*use, "--out=enlarged"))
    elif "output_channels" in text:
        use = ("your pictures", "translate", target, said.PICTURES)
        said.next_steps((*use, "--out=translated"))
    elif "w_dim" in text:
        seeds = ("--seeds=0-8", "--truncation=0.7", "--draws=numpy")
        use = ("pictures of seeds, as its own scripts draw them", "generate", target)
        said.next_steps((*use, *seeds, "--out=generated"))
    elif "latent_dim" in text:
        said.next_steps(("a grid of samples", "sample", target, "--out=samples.png"))
    print(f"In Python: network = keras_gans.load({str(target)!r})")
