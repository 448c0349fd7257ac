"""The command `keras-gans walk`."""

import argparse

from keras_gans_cli import latent, sample, values
from keras_gans_cli import words as said

SUMMARY = "Write an animation from seed to seed."
ENDING = "-walk.gif"  # of what is written without --out


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    latent.add_model(parser, "GIF, WebP or MP4 file to write", ENDING)
    add = parser.add_argument
    add("--seeds", required=True, metavar="LIST", help="where it leads: 3,8,12")
    add("--frames", type=int, default=60, help="of all of it (default: 60)")
    add("--rate", type=int, default=sample.RATE, help="frames a second (default: 20)")
    add(
        "--loop",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="go back to the first seed, to play for ever (default: on)",
    )
    add(
        "--space",
        choices=("z", "w"),
        help="along arcs of z, or lines of w (default: w where there is one)",
    )
    add(
        "--size",
        type=int,
        default=sample.SIDE,
        help="pixels that the shorter side of small pictures is enlarged to, by a "
        "whole factor; 1: none (default: 256)",
    )
    sample.add_cutoff(parser)
    latent.add_draws(parser)


def refuse(args: argparse.Namespace) -> None:
    """Finds seeds that are none, and an --out that is taken."""
    latent.name_out(args, ENDING)
    sample.read_seeds(args.seeds, least=2)
    values.check_ending(args.out, sample.FILMS, "A walk")
    values.check_free(args.out, args.overwrite)


def run(args: argparse.Namespace) -> None:
    """keras-gans walk RUN"""
    options = {"loop": args.loop, "space": args.space, "draws": args.draws}
    step = sample.write_walk(
        args, sample.read_seeds(args.seeds, least=2), args.rate, args.size, **options
    )
    print(f"{args.frames} frames{said.of_step(step)}, seeds {args.seeds}: {args.out}")
    flags = sample.of_all(args, "draws")
    said.next_steps(
        ("what can be changed", "directions", args.run_dir)
        + (*flags, "--out=directions"),
        ("your own picture", "project", args.run_dir, said.PICTURE)
        + tuple(said.flags_of(args, "best")),
    )
