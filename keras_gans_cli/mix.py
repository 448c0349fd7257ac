"""The command `keras-gans mix`."""

import argparse

from keras_gans_cli import latent, sample, values
from keras_gans_cli import words as said

SUMMARY = "Write a table in which pictures take some layers of others."
ENDING = "-mixed.png"  # of what is written without --out


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    latent.add_model(parser, "PNG file to write", ENDING)
    add = parser.add_argument
    add("--rows", required=True, metavar="LIST", help="seeds of the rows: 0-3")
    add(
        "--columns",
        "--cols",
        required=True,
        metavar="LIST",
        help="seeds of the columns, whose layers are taken: 8,9,12",
    )
    add(
        "--layers",
        "--styles",
        metavar="LIST",
        help="layers that are taken, from 0, the coarsest: 0-3 (default: the coarse "
        "half)",
    )
    latent.add_draws(parser)


def refuse(args: argparse.Namespace) -> None:
    """Finds seeds or layers that are none, and an --out that is taken."""
    latent.name_out(args, ENDING)
    values.check_ending(args.out, (".png",), "A table")
    for name in ("rows", "columns"):
        sample.read_seeds(getattr(args, name), f"--{name}")
    latent.read_layers(args.layers)
    values.check_free(args.out, args.overwrite)


def run(args: argparse.Namespace) -> None:
    """keras-gans mix RUN"""
    from keras_gans.inference.latent import mix

    rows, columns = (
        sample.read_seeds(getattr(args, name), f"--{name}")
        for name in ("rows", "columns")
    )
    layers = latent.read_layers(args.layers)
    gan, step, _, given = sample.opened(args)
    pictures = mix(gan, rows, columns, layers, draws=args.draws, **given)
    _draw(gan, rows, columns, pictures, args)
    print(f"{len(rows)} x {len(columns)} mixed samples{said.of_step(step)}: {args.out}")
    flags = sample.of_all(args, "draws")
    said.next_steps(
        (
            "finer layers of the columns",
            *("mix", args.run_dir, f"--rows={args.rows}", f"--columns={args.columns}"),
            *(*flags, f"--layers={len_half(gan)}", "--out=fine.png"),
        ),
        ("what can be changed", "directions", args.run_dir)
        + (*flags, "--out=directions"),
    )


def len_half(gan) -> str:
    """The finer half of the layers: "4-7"."""
    from keras_gans.inference.latent import LatentSpace

    count = LatentSpace(gan).layers
    return f"{max(1, count // 2)}-{count - 1}"


def _draw(gan, rows, columns, pictures, args):
    import numpy as np

    from keras_gans.core import previews

    sources, across, mixed = pictures
    blank = np.full((1, *mixed.shape[2:]), gan.modality.range[1], "float32")
    table, names = [blank, across], ["", *(f"seed {seed}" for seed in columns)]
    for seed, source, row in zip(rows, sources, mixed, strict=True):
        table += [source[None], row]
        names += [f"seed {seed}", *[""] * len(columns)]
    caption = previews.caption(
        gan,
        "the first row and column are samples; the others are those of their row "
        "with some layers of their column",
    )
    preview = gan.modality.preview(
        np.concatenate(table), len(columns) + 1, names, caption
    )
    preview.save(args.out, overwrite=args.overwrite)
