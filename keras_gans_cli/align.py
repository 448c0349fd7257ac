"""The command `keras-gans align`."""

import argparse

SUMMARY = "Find where phonemes are in recordings whose text is known."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("folder", metavar="DIR", help="folder with metadata.csv and wavs/, as LJSpeech")
    add(
        "--worst",
        type=float,
        default=-19.5,
        metavar="X",
        help="score below which a text is not what is said (default: -19.5)",
    )
    add(
        "--pronunciations",
        action="append",
        default=[],
        metavar="WORD=PHONEMES",
        help="how a word sounds that the dictionary lacks: keras='K EH R AH S'; "
        "may be repeated",
    )
    add("--overwrite", action="store_true", help="replace alignment.json there")


def run(args: argparse.Namespace) -> None:
    """keras-gans align DIR"""
    from keras_gans.data import align
    from keras_gans_cli import values, words

    spoken = values.pronunciations(args.pronunciations)
    left = align(args.folder, args.overwrite, args.worst, pronunciations=spoken)
    for name, why in left.items():
        print(f"left out {name!r}: {why}")
    print(f"{args.folder}/alignment.json: all but {len(left)} recordings")
    train = ("train", "text_to_speech", f"--data={args.folder}")
    words.next_steps(("a voice of them", *train))
