"""The command `keras-gans walk`."""

import argparse

from keras_gans_cli import latent, sample
from keras_gans_cli import words as said

SUMMARY = "Write an animation from seed to seed."
ENDINGS = (".gif", ".webp", ".mp4")


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    latent.add_model(parser, "GIF, WebP or MP4 file to write")
    add = parser.add_argument
    add("--seeds", required=True, metavar="LIST", help="where it leads: 3,8,12")
    add("--frames", type=int, default=60, help="of all of it (default: 60)")
    add("--rate", type=int, default=20, help="frames a second (default: 20)")
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
        default=256,
        help="pixels that the shorter side of small pictures is enlarged to, by a "
        "whole factor; 1: none (default: 256)",
    )
    latent.add_cutoff(parser)
    latent.add_draws(parser)


def run(args: argparse.Namespace) -> None:
    """keras-gans walk RUN"""
    from keras_gans.utils import files
    from keras_gans.utils.validation import check_size

    latent.check_ending(args.out, ENDINGS, "A walk")
    files.check_free(args.out, args.overwrite)
    for name in ("frames", "rate", "size"):
        check_size(name, getattr(args, name))
    seeds = sample.read_seeds(args.seeds)
    gan, step, _, given = sample.opened(args)
    write(gan, seeds, args, given)
    print(f"{args.frames} frames of step {step}, seeds {args.seeds}: {args.out}")
    said.next_steps(
        ("what can be changed", "directions", args.run_dir, "--out=directions"),
        ("your own picture", "project", args.run_dir, said.PICTURE),
    )


def write(gan, seeds: list, args: argparse.Namespace, given: dict) -> None:
    """Writes a walk as a video file.

    Raises:
        ValueError: samples are no images.
    """
    import numpy as np

    from keras_gans.inference.latent import walk
    from keras_gans.modalities import Image, Video, pictures

    if not isinstance(gan.modality, Image) or gan.modality.shape[-1] > 4:
        raise ValueError(
            "Walks show pictures. Received: samples that are "
            f"{gan.modality!r}. `keras_gans.latent.walk` gives their arrays."
        )
    options = {"loop": args.loop, "space": args.space}
    options |= {"draws": args.draws, "cutoff": args.cutoff}
    frames = walk(gan, seeds, args.frames, **options, **given)
    low, high = gan.modality.range
    frames = pictures.on_white((frames - low) * (2 / (high - low)) - 1)
    frames = pictures.enlarged(frames, args.size)
    if args.out.lower().endswith(".mp4"):  # whose sides are even
        odd = [(0, side % 2) for side in frames.shape[1:3]]
        frames = np.pad(frames, [(0, 0), *odd, (0, 0)], mode="edge")
    video = Video(None, frames.shape[1:], rate=args.rate)
    video.write(args.out, frames.astype("float32"), overwrite=args.overwrite)
