"""Rows of a table as arrays: for scores, and as classifiers see them."""

from typing import Any

import numpy as np

from keras_gans.modalities import columns
from keras_gans.modalities.table import Table
from keras_gans.utils.suggestions import hint

GONE = "\uffff"  # stands for a missing category


def code_of(category: str | None) -> str:
    """What stands for a category, and for none."""
    return GONE if category is None else category


def size_of(arrays: dict[str, np.ndarray]) -> int:
    """Rows of columns."""
    return len(next(iter(arrays.values())))


def coded(table: Table, rows: Any) -> dict[str, np.ndarray]:
    """Columns as arrays: numbers, missing ones -inf; categories as objects."""
    rows, arrays = columns.read(rows), {}
    for name in table.names:
        if name not in rows:
            raise ValueError(
                f"Column {name!r} is missing. Received: the columns "
                f"{', '.join(map(repr, list(rows)[:20]))}.{hint(name, rows)}"
            )
        cells = rows[name]
        if name in table.categories:
            known = set(table.categories[name])
            labels = [columns.label(cell) for cell in cells]
            arrays[name] = np.array(
                [
                    GONE if columns.is_missing(c) and one not in known else one
                    for c, one in zip(cells, labels, strict=True)
                ],
                object,
            )
            arrays[name][[one is None for one in arrays[name]]] = GONE
            continue
        kind = dict(dict(table.rules).get(name, ())).get("kind")
        numbers = [
            columns.number(c, kind if kind in columns.UNITS else None) for c in cells
        ]
        if None in numbers:
            bad = numbers.index(None)
            raise ValueError(
                f"row {bad + 1} needs a number in column {name!r}. Received: "
                f"{str(cells[bad])[:80]!r}. Mend or leave out the row."
            )
        x = np.array(numbers, "float64")
        arrays[name] = np.where(np.isnan(x), -np.inf, x)
    return arrays


def row_features(
    table: Table, rows: Any, label: str | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """Rows as classifiers see them, and their classes.

    Numbers are as they are, with 1 beside where one is missing; categories are
    one-hot, those that the table lacks none.

    Args:
        table: `Table`.
        rows: see `Table.fit`.
        label: str, the column of the classes, which is left out.

    Returns:
        `(float64 [n, features], classes as str [n])`, the second `None` without a
        label.
    """
    arrays, parts = coded(table, rows), []
    for name, values in table.columns:
        if name == label:
            continue
        x = arrays[name]
        if name in table.categories:
            parts += [(x == code_of(c))[:, None] for c in values]
            continue
        gone = ~np.isfinite(x)
        middle = float(np.array(values[0][:1])[0])
        parts.append(np.where(gone, middle, x)[:, None])
        if values[-1] is None:
            parts.append(gone[:, None])
    features = np.concatenate(parts, 1).astype("float64")
    if label is None:
        return features, None
    return features, np.array([str(c) for c in arrays[label]])
