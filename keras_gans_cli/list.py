"""The command `keras-gans list`."""

import argparse

from keras_gans_cli import speeds, values
from keras_gans_cli import words as said
from keras_gans_cli.recipes import recipes

SUMMARY = "List what can be trained, and how long it takes."

MORE = "Pictures and checkpoints add to them."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds nothing: it has no flags."""


def run(args: argparse.Namespace) -> None:
    """keras-gans list"""
    known = recipes()
    measured, here = speeds.read()
    columns = [
        (
            recipe.task,
            recipe.data,
            f"{recipe.epochs} epochs of batch {recipe.batch_size}",
            _length(speeds.minutes(recipe, measured)),
        )
        for recipe in known.values()
    ]
    widths = [max(map(len, column)) for column in zip(*columns, strict=True)]
    rows = [
        (
            recipe.name,
            f"{recipe.summary}\n"
            + "  ".join(f"{text:{n}}" for text, n in zip(cells, widths, strict=True)),
        )
        for recipe, cells in zip(known.values(), columns, strict=True)
    ]
    print("\n".join(line.rstrip() for line in values.table(rows).splitlines()))
    if here:
        print(f"\nTimes are estimates of steps on this machine. {MORE}")
    elif measured:
        print(
            f"\nTimes are estimates of steps on {measured['machine']}. {MORE}\n"
            f"On yours: {said.program()} doctor --speed"
        )
    said.next_steps(
        ("all flags of a recipe", "train", "dcgan", "--help"),
        ("on the emoji that come with it", "train", "dcgan"),
        ("on your own", "train", "dcgan", f"--data={said.PICTURES}"),
    )


def _length(minutes):
    if minutes is None:
        return "not timed"
    return f"{max(1, round(minutes))} min" if minutes < 90 else f"{minutes / 60:.1f} h"
