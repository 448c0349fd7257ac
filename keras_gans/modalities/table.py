"""Tables: rows of numbers and categories."""

import collections
from collections.abc import Iterable, Sequence
import csv
import dataclasses
import io
import itertools
from typing import Self

import keras
import numpy as np

from keras_gans.modalities import base, pictures, untrusted
from keras_gans.utils.suggestions import hint
from keras_gans.utils.validation import is_number

SPREAD = 4  # standard deviations at which the scalar of a mode is 1
SHOWN = 30  # rows of a preview


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Table(base.Modality):
    """Rows of a table, `[width]` as networks see them.

    A category becomes a one-hot vector. A number becomes a scalar: how far it
    is from the mean of its mode, 1 being 4 standard deviations; where a
    column has several modes, a one-hot vector of the mode follows. Files are
    CSV with a head, and hold many rows.

    Args:
        columns: dict, or list of pairs, of a column's name to its categories,
            a list of str, or to its modes, a list of (mean, standard
            deviation). `Table.of(rows)` finds them.

    Raises:
        ValueError: `columns` is something else.

    Example:

    ```python
    rows = [{"age": 30, "sex": "f"}, {"age": 50, "sex": "m"}]
    table = keras_gans.Table.of(rows)
    table.columns  # (("age", ((40.0, 10.0),)), ("sex", ("f", "m")))
    table.encode_rows(rows).tolist()  # [[-0.25, 1, 0], [0.25, 0, 1]]
    ```

    Reference:
        Xu et al., "Modeling Tabular Data using Conditional GAN", 2019.
    """

    columns: tuple

    kind = "table"
    tensor_name = "rows"
    range = (-1.0, 1.0)
    extensions = (".csv",)
    read_extensions = (".csv",)

    def __post_init__(self):
        columns = self.columns
        if isinstance(columns, dict):
            columns = columns.items()
        try:
            columns = tuple((name, _column(v)) for name, v in columns)
        except (TypeError, ValueError):
            columns = ()
        names = [name for name, _ in columns]
        ok = columns and all(isinstance(n, str) and n for n in names)
        if not ok or len(set(names)) < len(names):
            raise ValueError(
                "`columns` names each column once, with its categories (a "
                "list of different str) or its modes (a list of (mean, "
                "standard deviation > 0)). Received: "
                f"columns={str(self.columns)[:300]}."
            )
        self._set(columns=columns)

    @classmethod
    def of(cls, rows: list[dict], most: int = 1000) -> Self:
        """A table with the columns of some rows.

        Args:
            rows: list of dicts of a column's name to its value. A column is
                of numbers, of one mode, where all values are; else of
                categories.
            most: int, categories that a column may have.

        Raises:
            ValueError: there are no rows, they differ in columns, or a column
                has more categories.
        """
        if not rows or any(row.keys() != rows[0].keys() for row in rows):
            raise ValueError(
                "A table is of rows that all have the same columns. Received: "
                f"{len(rows)} rows, the first: {str(rows[:1])[:200]}."
            )
        columns = {}
        for name in rows[0]:
            values = [row[name] for row in rows]
            try:
                numbers = np.array([float(v) for v in values])
            except (TypeError, ValueError):
                numbers = np.array([np.nan])
            if np.isfinite(numbers).all():
                columns[name] = [(numbers.mean(), numbers.std() or 1.0)]
                continue
            columns[name] = sorted({str(value) for value in values})
            if len(columns[name]) > most:
                raise ValueError(
                    f"Column {name!r} has {len(columns[name])} categories, "
                    f"more than {most}. Leave it out, or group its values."
                )
        return cls(columns)

    @property
    def blocks(self) -> list[tuple[str, str, int]]:
        """The parts of a row: (column, "scalar", "mode" or "category", width).

        A generator ends in a tanh of each scalar and a softmax of the others.
        """
        blocks = []
        for name, values in self.columns:
            if _is_numeric(values):
                blocks.append((name, "scalar", 1))
                if len(values) > 1:
                    blocks.append((name, "mode", len(values)))
            else:
                blocks.append((name, "category", len(values)))
        return blocks

    @property
    def shape(self) -> tuple:
        """(width,)"""
        return (sum(width for *_, width in self.blocks),)

    def _reshape(self, shape):
        return "Encode rows by `table.encode_rows(rows)`."

    def _rescale(self, floats):
        return "Encode rows by `table.encode_rows(rows)`."

    def encode_rows(self, rows: Iterable[dict]) -> np.ndarray:
        """Encodes dicts of names to values as float32 `[n, width]`.

        Numbers are cut at 4 standard deviations of their mode.

        Raises:
            ValueError: naming the row and the column, if a value is missing,
                no number or an unknown category.
        """
        encoded = (self._row(i, row) for i, row in enumerate(rows, 1))
        return untrusted.collect(encoded, self.shape[0], "float32")

    def _row(self, number, row):
        cells = []
        for name, values in self.columns:
            value = row.get(name)
            try:
                cells += (
                    _encode_number(float(value), values)
                    if _is_numeric(values)
                    else _one_hot(values.index(str(value)), len(values))
                )
            except (TypeError, ValueError):
                near = ""
                if not _is_numeric(values) and value is not None:
                    near = hint(value, values)
                kind = "a number" if _is_numeric(values) else "a category"
                raise ValueError(
                    f"row {number} needs {kind} in column {name!r}. Received: "
                    f"{str(value)[:80]!r}.{near} Mend or leave out the row."
                ) from None
        return cells

    def decode_rows(self, array: np.ndarray) -> list[dict]:
        """The rows, dicts of names to values, of floats `[n, width]`.

        Of categories and modes, the likeliest is taken.
        """
        array, at, columns = self._many(array), 0, []
        for _, values in self.columns:
            numeric = _is_numeric(values)
            scalar = array[:, at].astype("float64")
            at += numeric
            width = len(values) if not numeric or len(values) > 1 else 0
            chosen = array[:, at : at + width].argmax(1) if width else 0
            at += width
            if numeric:
                means, deviations = np.array(values)[chosen].T
                columns.append((means + SPREAD * deviations * scalar).tolist())
            else:
                columns.append([values[i] for i in chosen])
        names = [name for name, _ in self.columns]
        return [
            dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)
        ]

    def _encode(self, sample, extension):
        rows = self.decode_rows(np.atleast_2d(np.asarray(sample)))
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(
            {name: _text(value) for name, value in row.items()} for row in rows
        )
        return stream.getvalue().encode()

    def _decode(self, data, extension):
        try:
            reader = csv.DictReader(untrusted.lines_of(data))
            head = collections.Counter(reader.fieldnames or ())
            for name, _ in self.columns:
                if head[name] != 1:
                    raise ValueError(
                        f"it has {head[name]} columns {name!r}, and one is "
                        f"needed.{hint(name, head) if not head[name] else ''}"
                    )
            return self.encode_rows(reader)
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"it is no CSV file ({error}).") from error

    def preview(
        self,
        samples: np.ndarray,
        columns: int | None = None,
        names: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> base.Preview:
        """The first rows, as text and as a picture of it, each with its name."""
        rows = self.decode_rows(np.asarray(samples)[:SHOWN])
        cells = [list(rows[0])]
        cells += [[_text(v) for v in row.values()] for row in rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = (
            "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True))
            for row in cells
        )
        text = "\n".join(line.rstrip() for line in lines)
        if names:
            firsts = ["", *map(str, names)]
            cells = [[n, *row] for n, row in zip(firsts, cells, strict=False)]
        picture = pictures.add_caption(pictures.draw_table(cells), caption)
        return base.Preview(picture, text=text)


def _column(values):
    """Categories, or modes, as a tuple; they say themselves which."""
    values = tuple(values)
    if values and all(isinstance(v, str) for v in values):
        if len(set(values)) == len(values) > 0:
            return values
        raise ValueError
    modes = tuple((float(m), float(d)) for m, d in values)
    numbers = [*itertools.chain(*modes)]
    if not modes or not np.isfinite(numbers).all() or min(numbers[1::2]) <= 0:
        raise ValueError
    return modes


def _is_numeric(values):
    return not isinstance(values[0], str)


def _encode_number(number, modes):
    if not np.isfinite(number):
        raise ValueError
    # the mode whose density is the highest there
    distances = [(number - m) / d for m, d in modes]
    densities = [
        -(x**2) / 2 - np.log(d) for x, (_, d) in zip(distances, modes, strict=True)
    ]
    mode = int(np.argmax(densities))
    scalar = float(np.clip(distances[mode] / SPREAD, -1, 1))
    return [scalar, *(_one_hot(mode, len(modes)) if len(modes) > 1 else ())]


def _one_hot(index, width):
    return [float(i == index) for i in range(width)]


def _text(value):
    return f"{value:.7g}" if is_number(value) else value
