"""Training by sampling: rows of a table that have a category asked for."""

import itertools
from typing import Any

import numpy as np

from keras_gans.modalities.table import Table

RARE = 5  # rows of a category: fewer are told of


class RowSampler:
    """Draws rows of an encoded table with the conditions that they meet.

    A column is drawn, each as likely; of it a category, by the logarithm of how
    often it is in the table; then a row that has it. So rare categories are
    learned too (section 4.3 of the paper).

    Args:
        table: `Table`.
        rows: float32 `[n, width]`, encoded by it.
        seed: int.
        balanced: bool, whether conditions are drawn so; else rows are, each as
            likely, with one of their categories.

    Attributes:
        counts: int array `[conditions]`, rows of each.

    Reference:
        https://arxiv.org/abs/1907.00503, section 4.3
    """

    def __init__(
        self, table: Table, rows: np.ndarray, seed: int = 0, balanced: bool = True
    ):
        self.rows, self.seed, self.balanced = rows, seed, balanced
        self.conditions, self.counts = len(table.conditions), np.zeros(0, "int64")
        self.columns = len(table.categories)
        self._codes = np.zeros((len(rows), self.columns), "int64")
        groups, at, place, column = [], 0, 0, 0
        for _, kind, width in table.blocks:
            if kind == "category":
                codes = rows[:, at : at + width].argmax(1)
                self._codes[:, column] = place + codes
                order = np.argsort(codes, kind="stable")
                bounds = np.searchsorted(codes[order], np.arange(width + 1))
                groups += [order[a:b] for a, b in itertools.pairwise(bounds)]
                place, column = place + width, column + 1
            at += width
        if self.conditions:
            counts = np.array([len(group) for group in groups])
            self._starts = np.cumsum([0, *counts[:-1]])
            self.counts, self._order = counts, np.concatenate(groups)
            self._sums = np.cumsum(odds(table, counts, log=True))

    def batch(self, index: int, size: int) -> tuple[np.ndarray, ...]:
        """Batch `index`, a function of it and the seed: `(rows, conditions)`."""
        rng = np.random.default_rng([self.seed, int(index)])
        if not self.conditions:
            return (self.rows[rng.integers(len(self.rows), size=size)],)
        if self.balanced:
            chosen = place_of(self._sums, rng.random(size))
            nth = (rng.random(size) * self.counts[chosen]).astype("int64")
            taken = self._order[self._starts[chosen] + nth]
        else:
            taken = rng.integers(len(self.rows), size=size)
            chosen = self._codes[taken, rng.integers(self.columns, size=size)]
        conditions = np.zeros((size, self.conditions), "float32")
        conditions[np.arange(size), chosen] = 1
        return self.rows[taken], conditions


def odds(
    table: Table, counts: np.ndarray | None = None, log: bool = False
) -> np.ndarray:
    """How likely each condition of a table is drawn: float64 `[conditions]`.

    Args:
        table: `Table`.
        counts: how often each is in the data; the table's own by default.
        log: bool, by log(count + 1), as in training; else by the count.
    """
    if counts is None:
        counts = np.concatenate([table.counts(name) for name in table.categories])
    weights = np.log1p(counts) if log else np.asarray(counts, "float64")
    at, chances = 0, []
    for values in table.categories.values():
        own = weights[at : at + len(values)]
        chances.append(own / own.sum() / len(table.categories))
        at += len(values)
    return np.concatenate(chances)


def too_few(table: Table, counts: np.ndarray | None = None) -> list[str]:
    """The categories of so few rows that they cannot be learned: "class=ill (3 rows)".

    Args:
        table: `Table`.
        counts: as of `odds`.
    """
    if counts is None:
        counts = np.concatenate([[], *map(table.counts, table.categories)])
    return [
        f"{name}={category} ({int(count)} row{'' if count == 1 else 's'})"
        for (name, category), count in zip(table.conditions, counts, strict=True)
        if count < RARE
    ]


def place_of(sums: np.ndarray, draws: Any) -> np.ndarray:
    """The place of each draw of [0, 1) among sums of probabilities."""
    last = np.flatnonzero(np.diff(sums, prepend=0) > 0)[-1]
    return np.minimum(np.searchsorted(sums, draws, side="right"), last)
