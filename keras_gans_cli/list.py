"""The command `keras-gans list`."""

import argparse

from keras_gans_cli import values
from keras_gans_cli.recipes import recipes

SUMMARY = "List what can be trained."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds nothing: it has no flags."""


def run(args: argparse.Namespace) -> None:
    """keras-gans list"""
    rows = [
        (
            name,
            f"{recipe.summary}\n{recipe.task}: {recipe.data}, "
            f"{recipe.epochs} epochs, batch {recipe.batch_size}",
        )
        for name, recipe in recipes().items()
    ]
    print(values.table(rows))
