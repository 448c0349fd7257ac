"""The command `keras-gans vocode`."""

import argparse

SUMMARY = "Make waveforms of recordings' spectrograms, by HiFi-GAN."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="a run, a preset or a .keras file")
    add(
        "inputs",
        metavar="FILE",
        nargs="+",
        help="recordings (WAV, FLAC, OGG, MP3), or .npy files of log-mel spectrograms",
    )
    add("--out", required=True, metavar="DIR", help="folder of the WAV files")
    add(
        "--chunk",
        type=int,
        default=256,
        metavar="N",
        help="frames made at a time, to bound memory (default: 256)",
    )
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace files in the folder")


def run(args: argparse.Namespace) -> None:
    """keras-gans vocode MODEL FILE..."""
    from keras_gans.inference import opening
    from keras_gans.inference.vocoding import vocode_files
    from keras_gans_cli import words

    gan, step = opening.open_gan(args.model, args.best)
    options = {"overwrite": args.overwrite, "on_change": print}
    written = vocode_files(gan, args.inputs, args.out, args.chunk, **options)
    what = words.count_of(len(written), "waveform")
    print(f"{what}{words.of_step(step)}: {args.out}")
