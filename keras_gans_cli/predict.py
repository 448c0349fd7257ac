"""The command `keras-gans predict`."""

import argparse

SUMMARY = "Predict the next frames of a video."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="a run, a preset or a .keras file")
    add("video", metavar="VIDEO", help="MP4, GIF or WebP file, or a folder of pictures")
    add(
        "--out",
        required=True,
        metavar="PATH",
        help="GIF, WebP or MP4 file, or a new folder of PNG files",
    )
    add("--frames", type=int, default=30, help="frames to predict (default: 30)")
    add(
        "--size",
        choices=("trained", "own"),
        default="trained",
        help="of the frames: as in training, or the video's own (default: trained)",
    )
    add(
        "--without_past",
        action="store_true",
        help="leave out the frames that it has seen",
    )
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace the file")


def run(args: argparse.Namespace) -> None:
    """keras-gans predict MODEL VIDEO"""
    from keras_gans.inference import opening
    from keras_gans.inference.predicting import predict_file
    from keras_gans_cli import words

    gan, step = opening.open_gan(args.model, args.best)
    count = predict_file(
        gan,
        args.video,
        args.out,
        args.frames,
        size=args.size,
        with_past=not args.without_past,
        overwrite=args.overwrite,
    )
    print(f"{words.count_of(count, 'frame')}{words.of_step(step)}: {args.out}")
