"""The command `keras-gans export`."""

import argparse

SUMMARY = "Write a SavedModel."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("run_dir", metavar="RUN", help="a run directory")
    add("--to", required=True, metavar="DIR", help="directory to make")
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace the directory")


def run(args: argparse.Namespace) -> None:
    """keras-gans export RUN"""
    from keras_gans.training import runs
    from keras_gans.utils import files

    files.check_free(args.to, args.overwrite)
    gan, position = runs.open_run(args.run_dir, args.best)
    gan.export(args.to, overwrite=args.overwrite)
    print(f"SavedModel of step {position.step}: {args.to}")
