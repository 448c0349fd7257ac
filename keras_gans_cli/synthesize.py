"""The command `keras-gans synthesize`."""

import argparse

from keras_gans_cli import values
from keras_gans_cli import words as said

SUMMARY = "Write a table of rows like those that a CTGAN was trained on."


def add_flags(parser: argparse.ArgumentParser, words: list | None = None) -> None:
    """Adds the flags of the command."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="a run, a preset or a .keras file")
    add("--out", required=True, metavar="FILE", help="CSV file to write")
    add("--rows", type=int, default=1000, help="how many rows (default: 1000)")
    add("--seed", type=int, default=0, help="of the rows (default: 0)")
    add(
        "--where",
        metavar="COLUMN=CATEGORY",
        action="append",
        default=[],
        help="the category that a column is to have: class=yes; may be repeated for "
        "other columns",
    )
    add(
        "--tries",
        type=int,
        default=100,
        help="rows made for each that --where asks for, at most (default: 100)",
    )
    add("--best", action="store_true", help="take the checkpoint in best/")
    add("--overwrite", action="store_true", help="replace the file")


def refuse(args: argparse.Namespace) -> None:
    """Finds flags that are none, and an --out that is taken."""
    values.check_ending(args.out, (".csv",), "A table")
    _where(args)
    if args.rows < 1:
        raise ValueError(f"--rows is 1 or more. Received: --rows={args.rows}.")
    values.check_free(args.out, args.overwrite)


def _where(args):
    """The category that each column is to have."""
    where = {}
    for text in args.where:
        name, equals, category = text.partition("=")
        if not equals or not name:
            raise ValueError(
                "--where takes COLUMN=CATEGORY, such as class=yes. Received: "
                f"--where={text}."
            )
        where[name] = category
    return where


def run(args: argparse.Namespace) -> None:
    """keras-gans synthesize MODEL"""
    from keras_gans.inference import opening
    from keras_gans.utils import files

    where = _where(args)
    gan, step = opening.open_gan(args.model, args.best)
    if not hasattr(gan, "synthesize_batches"):
        raise ValueError(
            f"Tables are made by CTGAN. Received: {args.model}, a "
            f"{type(gan).__name__}. Train one by `keras-gans train ctgan`."
        )
    table, count = gan.table, 0
    parts = gan.synthesize_batches(args.rows, where, args.seed, args.tries)
    with (
        files.replacing(args.out) as temporary,
        open(temporary, "w", encoding="utf-8", newline="") as file,
    ):
        for part in parts:
            file.write(table.to_csv(part, head=not count))
            count += len(next(iter(part.values())))
    asked = "".join(f", {name}={category}" for name, category in where.items())
    rows = said.count_of(count, "row")
    print(f"{rows}{said.of_step(step)}, seed {args.seed}{asked}: {args.out}")
