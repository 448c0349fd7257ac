"""Tables: rows of numbers and categories."""

from collections.abc import Iterable, Mapping, Sequence
import csv
import dataclasses
import io
import itertools
import json
import math
from typing import Any, Self

import keras
import numpy as np

from keras_gans.modalities import base, columns, graph_text, pictures, untrusted
from keras_gans.modalities.csv_rows import read_rows
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_int, is_number

SPREAD = 4  # standard deviations at which the scalar of a mode is 1
SHOWN = 30  # rows of a preview
KINDS = ("str", "int", "float", "bool", "date", "day")
RULES = ("low", "high", "decimals", "kind", "counts")
WRITERS = {"date": graph_text.time, "day": graph_text.day}  # within a graph


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Table(base.Modality):
    """Rows of a table, `[width]` as networks see them.

    A category becomes a one-hot vector. A number becomes a scalar: how far it
    is from the mean of its mode, 1 being 4 standard deviations; where a
    column has several modes, a one-hot vector of the mode follows. A missing
    value is a category, or a mode, of its own. Files are CSV with a head, and
    hold many rows.

    Args:
        columns: dict, or list of pairs, of a column's name to its categories,
            a list of str, or to its modes, a list of (mean, standard
            deviation) or (mean, standard deviation, weight). A last `None`
            stands for missing values. `Table.fit(data)` finds them.
        rules: dict, or list of pairs, of a column's name to what its values
            keep to: a dict of some of "low" and "high" (decoded numbers lie
            within), "decimals" (to which they are rounded), "kind" ("str",
            "int", "float", "bool", "date" or "day", as which values are given back)
            and "counts" (how often each category was in the data).

    Raises:
        ValueError: `columns` or `rules` is something else.

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
    rules: tuple = ()

    kind = "table"
    tensor_name = "rows"
    bytes_name = "json"
    bytes_extension = ".json"
    range = (-1.0, 1.0)
    extensions = (".csv",)
    read_extensions = (".csv",)

    def __post_init__(self):
        pairs = _pairs(self.columns)
        try:
            pairs = tuple((name, _column(v)) for name, v in pairs)
        except (TypeError, ValueError):
            pairs = ()
        names = [name for name, _ in pairs]
        ok = pairs and all(isinstance(n, str) and n for n in names)
        if not ok or len(set(names)) < len(names):
            raise ValueError(
                "`columns` names each column once, with its categories (a "
                "list of different str) or its modes (a list of (mean, "
                "standard deviation > 0)). Received: "
                f"columns={str(self.columns)[:300]}."
            )
        rules = tuple(
            (name, _checked_rules(name, dict(_pairs(own)), dict(pairs)))
            for name, own in _pairs(self.rules)
        )
        self._set(columns=pairs, rules=rules)

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
        values_by_name = {}
        for name in rows[0]:
            values = [row[name] for row in rows]
            try:
                numbers = np.array([float(v) for v in values])
            except (TypeError, ValueError):
                numbers = np.array([np.nan])
            if np.isfinite(numbers).all():
                values_by_name[name] = [(numbers.mean(), numbers.std() or 1.0)]
                continue
            values_by_name[name] = sorted({str(value) for value in values})
            columns.check_few(name, len(values_by_name[name]), most)
        return cls(values_by_name)

    @classmethod
    def fit(
        cls,
        data: Any,
        categories: Sequence[str] | None = (),
        numbers: Sequence[str] | None = (),
        leave_out: Sequence[str] | None = (),
        modes: int = 10,
        ranges: Mapping[str, tuple] | None = None,
        most: int = 1000,
        seed: int = 0,
    ) -> Self:
        """A table with the columns of data, and the modes of its numbers.

        A column is of categories where it holds text or truth values, two
        different values, or at most 10 different whole numbers; of dates where
        all are ISO 8601; else of numbers, whose modes a variational Gaussian
        mixture finds (section 4.2 of the paper). Numbers are rounded as those
        of the data are, and lie within their least and largest.

        Args:
            data: a pandas `DataFrame`, whose index is no column, a dict of columns,
                a list of dicts, or the path of a CSV file.
            categories: names of further columns of categories.
            numbers: names of columns of numbers that would be of categories.
            leave_out: names of columns that are not learned, such as names and
                numbers of persons.
            modes: int, the most modes of a column.
            ranges: dict of a column of numbers, or of dates, to (low, high) in place
                of the least and the largest, either of which may be `None`; dates
                as text of ISO 8601, or as Python has them.
            most: int, categories that a column may have.
            seed: int, of the mixture.

        Raises:
            ValueError: naming the column and the row, where data is none, a
                column is empty or has too many categories.
            ImportError: the extra "tables" is not installed.

        Example:

        ```python
        data = {"age": [30, 41, 50, None], "sex": ["f", "m", "m", "f"]}
        table = keras_gans.Table.fit(data, numbers=["age"], modes=1)
        table.blocks  # [("age", "scalar", 1), ("age", "mode", 2), ...]
        ```
        """
        columns.warn_of_index(data)
        arguments = columns.fit(
            columns.read(data),
            categories=categories,
            numbers=numbers,
            leave_out=leave_out,
            modes=modes,
            ranges=ranges,
            most=most,
            seed=seed,
        )
        return cls(*arguments)

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

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [name for name, _ in self.columns]

    @property
    def categories(self) -> dict[str, tuple]:
        """The categories of each column that has some, `None` for missing."""
        return {n: v for n, v in self.columns if not _is_numeric(v)}

    def counts(self, name: str) -> np.ndarray:
        """How often each category of a column was in the data; else 1 of each."""
        width = len(self.categories[name])
        return np.array(self._rules(name).get("counts", [1] * width), "float64")

    def bounds(self, name: str) -> tuple[float, float]:
        """The least and the largest number of a column."""
        rules = self._rules(name)
        return rules.get("low", -math.inf), rules.get("high", math.inf)

    def _rules(self, name):
        return dict(dict(self.rules).get(name, ()))

    def _reshape(self, shape):
        return "Encode rows by `table.encode_rows(rows)`."

    def _rescale(self, floats):
        return "Encode rows by `table.encode_rows(rows)`."

    # --- Rows as networks see them ---

    def encode_rows(self, rows: Iterable[dict]) -> np.ndarray:
        """Encodes dicts of names to values as float32 `[n, width]`.

        Numbers are cut at 4 standard deviations of their mode, which is the
        likeliest.

        Raises:
            ValueError: naming the row and the column, if a value is missing
                where none was, no number or an unknown category.
        """
        parts, rows, start = [], iter(rows), 0
        step = max(1, 2**16 // self.shape[0])
        while chunk := list(itertools.islice(rows, step)):
            cells_by_name = {
                name: [row.get(name) for row in chunk] for name in self.names
            }
            untrusted.check_count((start + len(chunk), self.shape[0]))
            parts.append(self._encoded(cells_by_name, start, None))
            start += len(chunk)
        if not parts:
            raise ValueError("it holds no rows.")
        return np.concatenate(parts)

    def encode_table(self, data: Any, seed: int | None = None) -> np.ndarray:
        """Encodes a whole table as float32 `[n, width]`.

        Args:
            data: as of `fit`. Columns that this table lacks are left aside.
            seed: int: the mode of each number is drawn by its probability, as
                for training (section 4.2 of the paper); `None` takes the
                likeliest.

        Raises:
            ValueError: a column is missing; or as of `encode_rows`.
        """
        cells_by_name = columns.read(data)
        for name in self.names:
            if name not in cells_by_name:
                raise ValueError(
                    f"Column {name!r} is missing. Received: the columns "
                    f"{', '.join(map(repr, list(cells_by_name)[:20]))}."
                    f"{hint(name, cells_by_name)} "
                    f"Expected: {', '.join(map(repr, self.names[:20]))}."
                )
        rng = None if seed is None else np.random.default_rng(seed)
        return self._encoded(cells_by_name, 0, rng)

    def _encoded(self, cells_by_name, start, rng):
        """Rows of columns, of which the first is row `start` of its table."""
        n = len(cells_by_name[self.names[0]])
        encoded = np.zeros((n, self.shape[0]), "float32")
        at = 0
        for name, values in self.columns:
            cells = cells_by_name[name]
            if _is_numeric(values):
                scalars, modes = self._numbers(name, values, cells, start, rng)
                encoded[:, at] = scalars
                at += 1
                if len(values) > 1:
                    encoded[np.arange(n), at + modes] = 1
                    at += len(values)
                continue
            places = {label: i for i, label in enumerate(values)}
            for i, cell in enumerate(cells):
                label = columns.label(cell)
                if label not in places and columns.is_missing(cell):
                    label = None
                if label not in places:
                    self._refuse(start + i, name, cell, values)
                encoded[i, at + places[label]] = 1
            at += len(values)
        return encoded

    def _numbers(self, name, values, cells, start, rng):
        """The scalar and the mode of each number of a column."""
        missing = values[-1] is None
        modes = np.array([(*mode, 1.0)[:3] for mode in values if mode is not None])
        own = self._rules(name).get("kind")
        numbers = np.empty(len(cells))
        for i, cell in enumerate(cells):
            number = columns.number(cell, own)
            if number is None or (math.isnan(number) and not missing):
                self._refuse(start + i, name, cell, values)
            numbers[i] = number
        gone = np.isnan(numbers)
        means, deviations, weights = modes.T
        with np.errstate(divide="ignore"):  # of a weight of 0
            distances = (np.where(gone, 0, numbers)[:, None] - means) / deviations
            densities = -(distances**2) / 2 - np.log(deviations) + np.log(weights)
        if rng is None:
            chosen = densities.argmax(1)
        else:
            odds = np.exp(densities - densities.max(1, keepdims=True))
            sums = odds.cumsum(1)
            draws = rng.random((len(numbers), 1)) * sums[:, -1:]
            chosen = np.minimum((sums <= draws).sum(1), len(means) - 1)
        scalars = np.clip(distances[np.arange(len(numbers)), chosen] / SPREAD, -1, 1)
        chosen = np.where(gone, len(means), chosen)
        return np.where(gone, 0, scalars), chosen

    def _refuse(self, place, name, cell, values):
        numeric = _is_numeric(values)
        near = ""
        if not numeric and cell is not None:
            near = hint(str(cell), [v for v in values if v is not None])
        kind = "a number" if numeric else "a category"
        if numeric and self._rules(name).get("kind") in columns.UNITS:
            kind = "a date, as 2019-07-01,"
        raise ValueError(
            f"row {place + 1} needs {kind} in column {name!r}"
            f"{' that was in the data' * (not numeric)}. Received: "
            f"{str(cell)[:80]!r}.{near} Mend or leave out the row."
        )

    def decode_rows(self, array: np.ndarray) -> list[dict]:
        """The rows, dicts of names to values, of floats `[n, width]`.

        Of categories and modes, the likeliest is taken; `None` is a missing
        value.
        """
        cells_by_name = self.decode_table(array)
        names = list(cells_by_name)
        return [
            dict(zip(names, row, strict=True))
            for row in zip(*cells_by_name.values(), strict=True)
        ]

    def decode_table(self, array: np.ndarray) -> dict[str, list]:
        """The columns, lists by name, of floats `[n, width]`; see `decode_rows`."""
        array, at, cells_by_name = self._many(array), 0, {}
        for name, values in self.columns:
            numeric = _is_numeric(values)
            scalar = array[:, at].astype("float64")
            at += numeric
            width = len(values) if not numeric or len(values) > 1 else 0
            chosen = np.zeros(len(array), int)
            if width:
                chosen = array[:, at : at + width].argmax(1)
            at += width
            rules = self._rules(name)
            if numeric:
                cells_by_name[name] = _decoded(scalar, chosen, values, rules)
            else:
                own = [_given_back(v, rules.get("kind", "str")) for v in values]
                cells_by_name[name] = [own[i] for i in chosen]
        return cells_by_name

    # --- Conditions ---

    @property
    def conditions(self) -> list[tuple[str, str | None]]:
        """Each (column, category) that rows can be asked for, in their order."""
        return [(n, c) for n, values in self.categories.items() for c in values]

    def condition_of(self, where: Mapping[str, Any]) -> list[int]:
        """The places in `conditions` of a column's name to its category.

        Raises:
            ValueError: a column has no categories, or not this one.
        """
        known, places = self.conditions, []
        if not isinstance(where, Mapping) or not where:
            name, equals, value = str(where)[:80].partition("=")
            written = isinstance(where, str) and name and equals
            raise ValueError(
                "`where` is a dict of a column to its category, such as "
                f"{{'class': 'yes'}}. Received: {str(where)[:80]!r}."
                + f" Write where={{{name!r}: {value!r}}}."
                * bool(written)
            )
        for name, value in where.items():
            if name not in self.categories:
                raise ValueError(
                    f"Rows are asked for by a column of categories: "
                    f"{', '.join(map(repr, self.categories)) or 'there is none'}. "
                    f"Received: {name!r}.{hint(str(name), self.categories)}"
                )
            wanted = columns.label(value)
            if (name, wanted) not in known and columns.is_missing(value):
                wanted = None
            if (name, wanted) not in known:
                own = [c for c in self.categories[name] if c is not None]
                raise ValueError(
                    f"Column {name!r} has the categories "
                    f"{', '.join(map(repr, own[:20]))}{', ...' * (len(own) > 20)}. "
                    f"Received: {str(value)[:80]!r}.{hint(str(value), own)}"
                )
            places.append(known.index((name, wanted)))
        return places

    # --- Files ---

    def _encode(self, sample, extension):
        cells_by_name = self.decode_table(np.atleast_2d(np.asarray(sample)))
        return self.to_csv(cells_by_name).encode()

    def to_csv(self, columns: dict[str, list], head: bool = True) -> str:
        """Columns as the text of a CSV file, numbers rounded as the data's are.

        Args:
            columns: dict of lists, as `decode_table` gives them.
            head: bool, whether a line of names comes first.
        """
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\n")
        if head:
            writer.writerow(columns)
        digits = [self._rules(name).get("decimals") for name in columns]
        for row in zip(*columns.values(), strict=True):
            cells = [_text(v, d) for v, d in zip(row, digits, strict=True)]
            writer.writerow(cells)
        return stream.getvalue()

    def _decode(self, data, extension):
        try:
            head, rows = read_rows(untrusted.lines_of(data))
            for name, _ in self.columns:
                if (count := head.count(name)) != 1:
                    raise ValueError(
                        f"it has {count} columns {name!r}, and one is "
                        f"needed.{hint(name, head) if not count else ''}"
                    )
            return self.encode_rows(
                dict(zip(head, row, strict=True)) for _, row in rows
            )
        except UnicodeDecodeError as error:
            raise ValueError(f"it is no CSV file ({error}).") from error

    def encode_in_graph(self, samples: Tensor) -> Tensor:
        """Each row as JSON, for serving: `{"age": 41, "born": "1978-03-09"}`."""
        import tensorflow as tf

        at, cells = 0, []
        for name, values in self.columns:
            numeric = _is_numeric(values)
            scalar = tf.cast(samples[:, at], tf.float64)
            at += numeric
            width = len(values) if not numeric or len(values) > 1 else 0
            chosen = tf.zeros_like(samples[:, 0], tf.int64)
            if width:
                chosen = tf.argmax(samples[:, at : at + width], axis=1)
            at += width
            rules = self._rules(name)
            if numeric:
                text = _number_in_graph(scalar, chosen, values, rules)
            else:
                own = [_given_back(v, rules.get("kind", "str")) for v in values]
                text = tf.gather(tf.constant([json.dumps(v) for v in own]), chosen)
            cells.append(tf.strings.join([f"{json.dumps(name)}: ", text]))
        rows = tf.strings.join(cells, separator=", ")
        return tf.strings.join(["{", rows, "}"])

    def preview(
        self,
        samples: np.ndarray,
        columns: int | None = None,
        names: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> base.Preview:
        """The first rows, as text and as a picture of it, each with its name."""
        cells_by_name = self.decode_table(np.asarray(samples)[:SHOWN])
        digits = [self._rules(name).get("decimals") for name in cells_by_name]
        cells = [list(cells_by_name)]
        cells += [
            [_text(v, d) for v, d in zip(row, digits, strict=True)]
            for row in zip(*cells_by_name.values(), strict=True)
        ]
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


def _pairs(entries):
    """Pairs of names and what belongs to them, of a dict or of a list of them."""
    if isinstance(entries, dict):
        return tuple(entries.items())
    try:
        return tuple((name, value) for name, value in entries)
    except (TypeError, ValueError):
        return ()


def _column(values):
    """Categories, or modes, as a tuple; they say themselves which."""
    values = tuple(values)
    missing = (None,) if values[-1:] == (None,) else ()
    values = values[: len(values) - len(missing)]
    if values and all(isinstance(v, str) for v in values):
        if len(set(values)) == len(values) > 0:
            return values + missing
        raise ValueError
    modes = tuple(tuple(float(x) for x in mode) for mode in values)
    numbers = [*itertools.chain(*modes)]
    positive = [x for mode in modes for x in mode[1:2]]
    weights = [x for mode in modes for x in mode[2:]]
    ok = modes and np.isfinite(numbers).all() and min(positive, default=0) > 0
    if not ok or not all(len(mode) in (2, 3) for mode in modes):
        raise ValueError
    if min(weights, default=1) < 0:
        raise ValueError
    return modes + missing


def _checked_rules(name, rules, known):
    """The rules of a column as a sorted tuple of pairs."""
    numeric = name in known and _is_numeric(known[name])
    ok = name in known and set(rules) <= set(RULES)
    ends = [rules[end] for end in ("low", "high") if end in rules]
    ok = ok and all(is_number(x) and math.isfinite(x) for x in ends)
    ok = ok and (len(ends) < 2 or ends[0] <= ends[1])
    digits = rules.get("decimals")
    ok = ok and (digits is None or (is_int(digits) and 0 <= digits <= 15))
    ok = ok and rules.get("kind", "str") in KINDS
    counts = rules.get("counts")
    if ok and counts is not None:
        counts = tuple(counts) if isinstance(counts, (list, tuple)) else ()
        ok = not numeric and len(counts) == len(known[name])
        ok = ok and all(is_int(c) and c >= 0 for c in counts) and sum(counts) > 0
        rules = {**rules, "counts": counts}
    if not ok:
        raise ValueError(
            "`rules` gives a column's name some of low <= high, decimals (0 to 15), "
            f"kind (one of {', '.join(KINDS)}) and counts (one of each category). "
            f"Received: {str(rules)[:200]} for column {name!r}."
        )
    return tuple(sorted((k, v) for k, v in rules.items() if v is not None))


def _is_numeric(values):
    return values[0] is not None and not isinstance(values[0], str)


def _limits(rules):
    """The least and the largest number, which rounding keeps."""
    low, high = rules.get("low", -math.inf), rules.get("high", math.inf)
    digits = rules.get("decimals")
    if digits is not None:
        unit = 10.0**digits
        if math.isfinite(low):
            low = max(low, math.ceil(low * unit - 1e-6) / unit)
        if math.isfinite(high):
            high = min(high, math.floor(high * unit + 1e-6) / unit)
    return low, high


def _decoded(scalar, chosen, values, rules):
    """Numbers of scalars and modes, as the rules of their column have them."""
    modes = [mode for mode in values if mode is not None]
    means, deviations = np.array([mode[:2] for mode in modes]).T
    gone = chosen >= len(modes)
    own = np.minimum(chosen, len(modes) - 1)
    numbers = np.clip(means[own] + SPREAD * deviations[own] * scalar, *_limits(rules))
    digits, kind = rules.get("decimals"), rules.get("kind")
    if digits is not None:
        numbers = np.round(numbers, digits)
    if kind in columns.UNITS:
        cells = [columns.date(x, kind) for x in numbers]
    elif kind == "int":
        cells = [int(x) for x in numbers]
    else:
        cells = numbers.tolist()
    return [None if no else x for x, no in zip(cells, gone, strict=True)]


def _number_in_graph(scalar, chosen, values, rules):
    """The same as text of JSON, by TensorFlow."""
    import tensorflow as tf

    modes = [mode for mode in values if mode is not None]
    own = tf.minimum(chosen, len(modes) - 1)
    means, deviations = (
        tf.gather(tf.constant([mode[i] for mode in modes], tf.float64), own)
        for i in (0, 1)
    )
    numbers = means + SPREAD * deviations * scalar
    low, high = _limits(rules)
    numbers = tf.clip_by_value(numbers, max(low, -1e300), min(high, 1e300))
    digits = rules.get("decimals")
    whole = rules.get("kind") in ("int", *WRITERS) or digits == 0
    if whole:
        write = WRITERS.get(rules.get("kind"), tf.strings.as_string)
        text = write(tf.cast(tf.round(numbers), tf.int64))
        if rules.get("kind") in WRITERS:
            text = tf.strings.join(['"', text, '"'])
    elif digits is not None:
        text = tf.strings.as_string(numbers, precision=digits)
    else:
        text = tf.strings.as_string(numbers, precision=9, scientific=True)
    return tf.where(chosen >= len(modes), "null", text)


def _given_back(label, kind):
    """A category as the value that it was."""
    if label is None:
        return None
    convert = {"int": int, "float": float, "bool": lambda x: x == "True"}
    return convert.get(kind, str)(label)


def _text(value, digits=None):
    if value is None:
        return ""
    if isinstance(value, bool) or not is_number(value):
        return str(value)
    if is_int(value):
        return str(value)
    return f"{value:.{digits}f}" if digits is not None else f"{value:.7g}"
