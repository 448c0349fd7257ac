"""The command `keras-gans export`."""

import argparse

from keras_gans_cli import words as said

SUMMARY = "Write a SavedModel."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("run_dir", metavar="MODEL", help="a run, a preset or a .keras file")
    add("--to", required=True, metavar="DIR", help="directory to make")
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace the SavedModel in DIR")


def run(args: argparse.Namespace) -> None:
    """keras-gans export RUN"""
    from keras_gans.core.export import check_target
    from keras_gans.inference import opening
    from keras_gans.training import datasets

    check_target(args.to, args.overwrite)
    gan, step = opening.open_gan(args.run_dir, args.best)
    gan.export(args.to, overwrite=args.overwrite)
    datasets.write_class_names(args.to, opening.class_names_of(args.run_dir))
    print(f"SavedModel of step {step}: {args.to}")
    said.after_export(args.to)
