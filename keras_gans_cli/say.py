"""The command `keras-gans say`."""

import argparse

from keras_gans_cli import values

SUMMARY = "Say a text, by TextToSpeech or VITS."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="a run, a preset or a .keras file")
    add("text", metavar="TEXT", help="English words: 'seven three nine'")
    add("--out", required=True, metavar="FILE", help="WAV file to write")
    add(
        "--pause",
        type=float,
        metavar="X",
        help="seconds between words, clearer of a voice of single words (default: 0)",
    )
    add(
        "--speed",
        type=float,
        default=1.0,
        metavar="X",
        help="how many times faster than it has learned (default: 1)",
    )
    add(
        "--pronunciations",
        action="append",
        default=[],
        metavar="WORD=PHONEMES",
        help="how a word sounds that the dictionary lacks: keras='K EH R AH S'; "
        "may be repeated",
    )
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace the file")


def refuse(args: argparse.Namespace) -> None:
    """Finds pronunciations that are none, and an --out that is taken."""
    values.pronunciations(args.pronunciations)
    if not args.out.lower().endswith(".wav"):
        raise ValueError(f"--out is a .wav file. Received: --out={args.out}.")
    values.check_free(args.out, args.overwrite)


def run(args: argparse.Namespace) -> None:
    """keras-gans say MODEL TEXT"""
    from keras_gans.inference import opening

    spoken = values.pronunciations(args.pronunciations)
    gan, step = opening.open_gan(args.model, args.best)
    if not hasattr(gan, "say"):
        raise ValueError(
            f"Texts are said by TextToSpeech and VITS. Received: {args.model}, a "
            f"{type(gan).__name__}. Train one by `keras-gans train text_to_speech`."
        )
    options = {"speed": args.speed, "overwrite": args.overwrite}
    if args.pause is not None:
        if type(gan).__name__ != "TextToSpeech":
            raise ValueError(
                f"--pause is TextToSpeech's. Received: --pause={args.pause} for a "
                f"{type(gan).__name__}. Drop it."
            )
        options["pause"] = args.pause
    sound = gan.say(args.text, args.out, pronunciations=spoken, **options)
    told = f" of step {step}" if step else ""
    print(f"{len(sound) / gan.modality.rate:.2f} s{told}: {args.out}")
