"""The command `keras-gans directions`."""

import argparse
import pathlib

from keras_gans_cli import latent, sample, values
from keras_gans_cli import words as said

SUMMARY = "Find what can be changed in samples, and show it."
ENDING = "-directions"  # of what is written without --out


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    latent.add_model(parser, "folder of pictures and directions.npz", ENDING)
    add = parser.add_argument
    add(
        "--method",
        choices=("sefa", "pca"),
        default="sefa",
        help="closed form, from weights, or principal components (default: sefa)",
    )
    add("--number", type=int, default=5, help="directions (default: 5)")
    add("--layers", metavar="LIST", help="layers of w that are moved (default: all)")
    add("--seeds", default="0-3", metavar="LIST", help="what is shown (default: 0-3)")
    add(
        "--codes_file",
        metavar="FILE",
        help="codes w to show in place of seeds, as `project` writes them",
    )
    add(
        "--strength",
        type=float,
        default=3.0,
        help="how far, in deviations of codes (default: 3)",
    )
    add("--columns", type=int, default=7, help="pictures a row (default: 7)")
    latent.add_draws(parser)


def refuse(args: argparse.Namespace) -> None:
    """Finds seeds or layers that are none, and an --out that is taken."""
    latent.name_out(args, ENDING)
    sample.read_seeds(args.seeds)
    latent.read_layers(args.layers)
    values.check_free(args.out, args.overwrite, folder=True)


def run(args: argparse.Namespace) -> None:
    """keras-gans directions RUN"""
    import numpy as np

    from keras_gans.inference.latent import LatentSpace, directions, load_codes
    from keras_gans.utils.validation import check_size, within

    check_size("number", args.number)
    check_size("columns", args.columns)
    within("strength", args.strength, 0 < args.strength < 1e6, "(0, inf)")
    seeds = sample.read_seeds(args.seeds)
    layers = latent.read_layers(args.layers)
    gan, step, _, given = sample.opened(args)
    space = LatentSpace(gan)
    if args.codes_file is None:
        values = space.values(seeds, args.draws, **given)
        codes = space.styles(values) if space.has_w else values["z"]
        shown = [f"seed {seed}" for seed in seeds]
    else:
        codes, values = load_codes(gan, args.codes_file), {}
        shown = [f"code {i}" for i in range(len(codes))]
    labels = {k: v for k, v in given.items() if k == "labels" and np.ndim(v) == 0}
    axes = directions(gan, args.method, args.number, layers=layers, **labels)
    out = pathlib.Path(args.out)
    axes.save(out / "directions.npz", overwrite=args.overwrite)
    for i in range(args.number):
        preview = _strip(gan, space, axes, i, codes, values, shown, args)
        name = f"{args.method}{i:02d}.png"
        preview.save(out / name, overwrite=args.overwrite)
    count = said.count_of(args.number, "direction")
    print(f"{count} of {axes.space}{said.of_step(step)}: {args.out}")
    again = ("seeds", "number", "columns", "strength", "layers", "codes_file", "draws")
    said.next_steps(
        (
            "the other method",
            *("directions", args.run_dir, *sample.of_all(args, *again)),
            f"--method={'pca' if args.method == 'sefa' else 'sefa'}",
            f"--out={args.out.rstrip('/')}-2",
        ),
        ("your own picture", "project", args.run_dir, said.PICTURE)
        + tuple(said.flags_of(args, "best")),
    )
    print(
        "In Python: directions = keras_gans.latent.Directions.load("
        f"{str(out / 'directions.npz')!r})"
    )


def _strip(gan, space, axes, i, codes, values, shown, args):
    """A row for each code, moved along direction i."""
    import numpy as np

    from keras_gans.core import previews
    from keras_gans.inference.latent import edit

    shares = np.linspace(-args.strength, args.strength, args.columns)
    if args.columns == 1:
        shares = np.array([args.strength])
    amounts = shares * float(axes.deviations[i])
    moved = edit(codes, axes.vectors[i], amounts, axes.layers or None)
    flat = moved.reshape(-1, *codes.shape[1:])
    if axes.space == "w":
        pictures = space.synthesize(flat)
    else:
        rows = {name: np.repeat(x, len(shares), 0) for name, x in values.items()}
        pictures = space.samples({**rows, "z": flat})
    what = (
        f"direction {i} of {axes.method} in {axes.space}, in deviations of codes; "
        f"a row for {', '.join(shown)}"
    )
    names = [f"{share:+.1f}" for share in shares] * len(codes)
    rows = {"rows": shown} if gan.modality.names_rows else {}
    caption = previews.caption(gan, what)
    return gan.modality.preview(pictures, len(shares), names, caption, **rows)
