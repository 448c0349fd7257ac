"""The columns of tables: read from what users have, and what they hold found out."""

from collections.abc import Iterable, Mapping, Sequence
import datetime
import os
import pathlib
import re
from typing import Any
import warnings

import numpy as np

from keras_gans.modalities import untrusted
from keras_gans.modalities.csv_rows import read_rows
from keras_gans.utils.errors import outside
from keras_gans.utils.optional import require
from keras_gans.utils.suggestions import hint
from keras_gans.utils.validation import check_size, is_int, is_number, within

# What stands for a missing value in a file.
MISSING = frozenset(
    ("", "?", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "#N/A", "<NA>", "NaT")
)
FEW = 10  # different whole numbers that are categories
CONCENTRATION = 1e-3  # the reference's prior of a mixture's weights
LEAST_WEIGHT = 5e-3  # modes of less are left out, as the reference does
MOST_ROWS = 10_000  # that modes are found from
MOST_DECIMALS = 9
UNITS = {"date": 1.0, "day": 86400.0}  # seconds
IDS = 20  # different texts, as many as rows: names, not categories
ODD = 0.05  # of the cells of a column of numbers or dates: mistakes, not categories

_WHOLE = re.compile(r"-?(0|[1-9]\d{0,17})")
# What is written otherwise than it is read: what it is, how, and as what.
_OTHERWISE = (
    (re.compile(r"-?\d+,\d+"), "numbers with decimal commas", "1.5"),
    (re.compile(r"\d{1,2}([./])\d{1,2}\1\d{2,4}"), "dates", "2030-12-31"),
)
_EPOCH = datetime.datetime(1970, 1, 1)


# --- Cells ---


def is_missing(cell: Any) -> bool:
    """Whether a cell holds nothing: `None`, NaN, or a text that says so."""
    if cell is None or type(cell).__name__ in ("NAType", "NaTType"):
        return True
    if isinstance(cell, str):
        return cell.strip() in MISSING
    return isinstance(cell, (float, np.floating)) and bool(np.isnan(cell))


def label(cell: Any) -> str | None:
    """A cell as a category: text, which is the same for 1, 1.0 and "1"."""
    if cell is None or isinstance(cell, str):
        return cell
    if isinstance(cell, (float, np.floating)) and float(cell).is_integer():
        return str(int(cell))
    if isinstance(cell, np.generic):
        cell = cell.item()
    return str(cell)


def number(cell: Any, kind: str | None = None) -> float | None:
    """A cell as a number, NaN where it is missing; `None` where it is none.

    Of a "date" it is the seconds since 1970, of a "day" the days.
    """
    if is_missing(cell):
        return np.nan
    if kind in UNITS:
        seconds = _seconds(cell)
        return None if seconds is None else seconds / UNITS[kind]
    x = _float(cell)
    return x if x is not None and np.isfinite(x) else None


def _float(cell):
    """A cell as a float, which may be infinite; `None` where it is no number."""
    if isinstance(cell, str) and "_" in cell:  # a code, which `float` would take
        return None
    try:
        return float(cell)
    except OverflowError:
        return np.inf
    except (TypeError, ValueError):
        return None


def date(number: float, kind: str = "date") -> str:
    """An ISO 8601 date of the number of a "date", or of a "day"."""
    moment = _EPOCH + datetime.timedelta(seconds=float(number) * UNITS[kind])
    return moment.isoformat(" ", "seconds")[: 10 if kind == "day" else None]


def _seconds(cell):
    """Seconds since 1970 of a date, without regard of time zones."""
    if isinstance(cell, str):
        if not re.match(r"\d{4}-\d\d-\d\d", cell.strip()):
            return None
        try:
            cell = datetime.datetime.fromisoformat(cell.strip())
        except ValueError:
            return None
    if isinstance(cell, np.datetime64):
        cell = cell.astype("datetime64[s]").item()
    if isinstance(cell, datetime.date) and not isinstance(cell, datetime.datetime):
        cell = datetime.datetime(cell.year, cell.month, cell.day)
    if not isinstance(cell, datetime.datetime):
        return None
    return (cell.replace(tzinfo=None) - _EPOCH).total_seconds()


# --- Tables ---


def read(data: Any) -> dict[str, list]:
    """The columns of a table as lists of cells, by name.

    Args:
        data: a pandas `DataFrame`, a dict of columns, a list of dicts, or the
            path of a CSV file.

    Raises:
        ValueError: it is something else, it has no rows, or they differ.
    """
    if isinstance(data, (str, os.PathLike)):
        return read_csv(data)
    if hasattr(data, "columns") and hasattr(data, "to_dict"):  # pandas
        names = [str(name) for name in data.columns]
        cells_by_name = {n: data.iloc[:, i].tolist() for i, n in enumerate(names)}
        if len(cells_by_name) < len(names):
            twice = next(n for n in names if names.count(n) > 1)
            raise ValueError(
                f"Each column has a name of its own. Received: {twice!r} "
                f"{names.count(twice)} times. Rename one."
            )
    elif isinstance(data, Mapping):
        cells_by_name = {str(name): list(cells) for name, cells in data.items()}
    elif isinstance(data, (list, tuple)) and all(isinstance(r, Mapping) for r in data):
        names = list(data[0]) if data else []
        for i, row in enumerate(data, 1):
            if set(row) != set(names):
                other = sorted(map(str, set(row) ^ set(names)))[0]
                raise ValueError(
                    f"All rows have the same columns. Received: row {i}, which "
                    f"differs from row 1 in {other!r}. Give `None` where a value "
                    "is missing."
                )
        cells_by_name = {str(name): [row[name] for row in data] for name in names}
    else:
        raise ValueError(
            "A table is a pandas DataFrame, a dict of columns, a list of dicts or "
            f"the path of a CSV file. Received: a {type(data).__name__}."
        )
    if "" in cells_by_name:
        raise ValueError(
            "Each column has a name. Received: '', of column "
            f"{[*cells_by_name].index('') + 1}. Rename it."
        )
    sizes = {name: len(cells) for name, cells in cells_by_name.items()}
    if not sizes or not max(sizes.values()):
        raise ValueError(
            f"A table has columns and rows. Received: {len(sizes)} columns "
            f"{', '.join(map(repr, list(sizes)[:10]))} of 0 rows."
        )
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{n} of {name!r}" for name, n in list(sizes.items())[:10])
        raise ValueError(f"Columns have as many rows as each other. Received: {told}.")
    return cells_by_name


def warn_of_index(data: Any) -> None:
    """Says of a data frame whose index holds more than numbers of rows: it is left out.

    Args:
        data: as of `read`.
    """
    index = getattr(data, "index", None)
    if not hasattr(index, "inferred_type") or not len(index):  # none of pandas'
        return
    names = [name for name in index.names if name is not None]
    if not names and index.inferred_type == "integer":  # of rows, some chosen or not
        return
    called = ", ".join(map(repr, names)) or f"of {index.inferred_type} values"
    warnings.warn(
        "A table is of the columns of a data frame, without its index. Received: the "
        f"index {called}. Make it a column by `data.reset_index()`, or drop it by "
        "`data.reset_index(drop=True)`.",
        UserWarning,
        stacklevel=outside(),
    )


def read_csv(path: str | os.PathLike) -> dict[str, list]:
    """The columns of a CSV file with a head, as text; `None` where empty.

    Args:
        path: str or path. Cells are parted by commas, semicolons or tabs,
            whichever the head has most of.

    Raises:
        ValueError: naming the file and the row.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        near = hint(path.name, [p.name for p in _beside(path)])
        raise ValueError(f"There is no such CSV file. Received: {path}.{near}")
    try:
        untrusted.check_bytes(path.stat().st_size, untrusted.MAX_TEXT)
        return _columns_of(path.read_bytes())
    except ValueError as error:  # of Unicode, too
        told = f"it is no text in UTF-8 ({error}). Save the file in UTF-8."
        told = told if isinstance(error, UnicodeDecodeError) else str(error)
        raise ValueError(f"Cannot read {path}: {told}") from error


def _beside(path):
    try:
        return sorted(path.absolute().parent.glob("*.csv"))[:1000]
    except OSError:
        return []


def _columns_of(data):
    head, rows = read_rows(untrusted.lines_of(data))
    if not any(head):
        raise ValueError("it is empty, without a head of column names.")
    for i, name in enumerate(head, 1):
        if not name:
            raise ValueError(
                f"its head names each column. Received: none of column {i}. Name it in "
                "the first line; pandas writes no index with "
                "`data.to_csv(path, index=False)`."
            )
        if head.count(name) > 1:
            raise ValueError(
                f"its head names each column once. Received: {name!r} "
                f"{head.count(name)} times. Mend the first line."
            )
    columns = [[] for _ in head]
    for _, row in rows:
        for cells, cell in zip(columns, row, strict=True):
            cells.append(cell)
    if not columns[0]:
        raise ValueError("it has a head and no rows.")
    return dict(zip(head, columns, strict=True))


def check_few(name: str, count: int, most: int) -> None:
    """Refuses a column of too many categories.

    Raises:
        ValueError: naming it.
    """
    if count > most:
        raise ValueError(
            f"Column {name!r} has {count} categories, more than {most}. "
            "Leave it out, or group its values."
        )


# --- What columns hold ---


def fit(
    cells_by_name: dict[str, list],
    categories: Sequence[str] | None,
    numbers: Sequence[str] | None,
    leave_out: Sequence[str] | None,
    modes: int,
    ranges: Mapping[str, tuple] | None,
    most: int,
    seed: int,
) -> tuple[dict, dict]:
    """What `Table` is made of: its columns and their rules; see `Table.fit`."""
    check_size("modes", modes)
    check_size("most", most)
    within("seed", seed, is_int(seed) and seed >= 0, "0, 1, ...")
    ranges = {} if ranges is None else ranges
    if not isinstance(ranges, Mapping):
        raise ValueError(
            "`ranges` is a dict of a column to (low, high), such as "
            f"{{'age': (0, 120)}}. Received: {ranges!r}."
        )
    categories, numbers, leave_out = (
        () if names is None else names for names in (categories, numbers, leave_out)
    )
    for what, names in (
        ("categories", categories),
        ("numbers", numbers),
        ("leave_out", leave_out),
        ("ranges", ranges),
    ):
        if isinstance(names, str):
            raise ValueError(
                f"`{what}` is a list of names of columns. Received: {names!r}. "
                f"Write [{names!r}]."
            )
        if not isinstance(names, Iterable):
            raise ValueError(
                f"`{what}` is a list of names of columns. Received: {names!r}."
            )
        for name in names:
            if name not in cells_by_name:
                raise ValueError(
                    f"`{what}` names columns of the table. Received: {name!r}."
                    f"{hint(str(name), cells_by_name)}"
                )
    if both := sorted(set(categories) & set(numbers)):
        raise ValueError(
            "A column is of categories or of numbers. Received: both for "
            f"{both[0]!r}. Drop one."
        )
    columns, rules = {}, {}
    for name, cells in cells_by_name.items():
        if name in leave_out:
            continue
        kind = _kind(name, cells, name in categories, name in numbers)
        if kind == "category":
            if name in ranges:
                raise ValueError(
                    f"`ranges` is of columns of numbers. Received: {name!r}, of "
                    f"categories. Name it in `numbers`, or drop its range."
                )
            columns[name], rules[name] = _categories(name, cells, most)
        else:
            own = _numbers(name, cells, kind == "date", modes, seed)
            columns[name], rules[name] = own
            rules[name] |= _range(name, ranges.get(name), own[1])
    if not columns:
        raise ValueError(
            "All columns of the table are left out. Received: "
            f"`leave_out={list(leave_out)}`. Keep one."
        )
    return columns, rules


def _range(name, bounds, rules):
    """The rules that a given range stands for."""
    if bounds is None:
        return {}
    dates, own = rules["kind"] in UNITS, (rules["low"], rules["high"])
    ends = None
    if isinstance(bounds, (tuple, list)) and len(bounds) == 2:
        # An end that is not given is the data's.
        ends = [
            x if bound is None else _end(bound, rules["kind"] if dates else None)
            for bound, x in zip(bounds, own, strict=True)
        ]
    told = [date(x, rules["kind"]) if dates else f"{x:g}" for x in own]
    what = "dates, such as 2019-07-01," if dates else "finite numbers"
    if ends is None or None in ends:
        raise ValueError(
            f"`ranges` gives column {name!r} (low, high), {what} or `None`. Received: "
            f"{bounds!r}; its data lies in [{', '.join(told)}]."
        )
    low, high = ends
    if low > min(high, own[1]) or high < own[0]:
        raise ValueError(
            f"`ranges` gives column {name!r} (low, high) with low <= high and some of "
            f"its data between. Received: {bounds!r}; its data lies in "
            f"[{', '.join(told)}]."
        )
    return {"low": low, "high": high}


def _end(bound, kind):
    """An end of a range as a number; `None` where it is none."""
    if kind is None and not is_number(bound):
        return None
    x = number(bound, kind)
    return None if x is None or np.isnan(x) else float(x)


def _kind(name, cells, as_categories, as_numbers):
    """What a column is: "category", "date" or "number"."""
    present = [cell for cell in cells if not is_missing(cell)]
    if not present:
        raise ValueError(
            f"Column {name!r} is empty: all of its {len(cells)} values are missing. "
            f"Leave it out: `leave_out=[{name!r}]`."
        )
    if as_categories:
        return "category"
    text = any(isinstance(cell, str) for cell in present)
    truths = all(isinstance(cell, (bool, np.bool_)) for cell in present)
    values = None if truths else [number(cell) for cell in present]
    if not truths and None not in values:
        distinct = set(values)
        few = len(distinct) <= 2 or (
            len(distinct) <= FEW and all(x.is_integer() for x in distinct)
        )
        return "category" if few and not as_numbers else "number"
    if as_numbers:
        bad = next(i for i, c in enumerate(cells) if number(c) is None or truths)
        raise ValueError(
            f"Column {name!r} is of numbers, as `numbers` says. Received: "
            f"{str(cells[bad])[:80]!r} in row {bad + 1}. Mend it, or take the name out."
        )
    if not truths and all(_seconds(cell) is not None for cell in present):
        return "date"
    if not truths and not text and not all(np.isscalar(c) for c in present):
        bad = next(i for i, c in enumerate(cells) if not np.isscalar(c))
        raise ValueError(
            f"Column {name!r} holds numbers, texts, truth values or dates. Received: "
            f"a {type(cells[bad]).__name__} in row {bad + 1}. "
            f"Leave it out: `leave_out=[{name!r}]`."
        )
    _refuse_infinite(name, cells)
    _refuse_mistakes(name, cells)
    distinct = {label(cell) for cell in present}
    if len(distinct) == len(present) >= IDS:
        raise ValueError(
            f"Column {name!r} has another text in each of its {len(present)} rows; "
            f"categories repeat. Received: {str(present[0])[:80]!r} and others. Write "
            "numbers as 1.5, without a sign or unit beside them, or leave names and "
            f"the like out: `leave_out=[{name!r}]`."
        )
    return "category"


def _refuse_infinite(name, cells):
    """Refuses numbers of which some are infinite, or too large to compute with."""
    numbers = [np.nan if is_missing(cell) else _float(cell) for cell in cells]
    if None in numbers or not (odd := np.flatnonzero(np.isinf(numbers))).size:
        return
    raise ValueError(
        f"Column {name!r} holds finite numbers. Received: {str(cells[odd[0]])[:80]!r} "
        f"in row {odd[0] + 1}, and {len(odd)} in all. Mend them, leave cells empty "
        f"where a value is missing, or take them for categories: `categories="
        f"[{name!r}]`."
    )


def _refuse_mistakes(name, cells):
    """Refuses numbers and dates that a few cells, or their writing, make texts."""
    rows = [i for i, cell in enumerate(cells) if not is_missing(cell)]
    remedy = f"or take them for categories: `categories=[{name!r}]`."
    for what, read in (("numbers", number), ("dates", _seconds)):
        odd = [i for i in rows if read(cells[i]) is None]
        few = 0 < len(odd) <= ODD * len(rows)
        if few and len({str(cells[i]) for i in rows}) > IDS:
            raise ValueError(
                f"Column {name!r} holds {what}, but for {len(odd)} cells. Received: "
                f"{str(cells[odd[0]])[:80]!r} in row {odd[0] + 1}. Mend them, leave "
                f"cells empty where a value is missing, {remedy}"
            )
    texts = {str(cells[i]).strip() for i in rows}
    for pattern, what, example in _OTHERWISE:
        written = sum(bool(pattern.fullmatch(text)) for text in texts)
        if written > IDS and written >= (1 - ODD) * len(texts):
            raise ValueError(
                f"Column {name!r} holds {what}. Received: {str(cells[rows[0]])!r} in "
                f"row {rows[0] + 1}. Write them as {example}, {remedy}"
            )


def _categories(name, cells, most):
    labels = [None if is_missing(cell) else label(cell) for cell in cells]
    counts = {}
    for one in labels:
        counts[one] = counts.get(one, 0) + 1
    check_few(name, len(counts), most)
    gone = counts.pop(None, None)
    known = sorted(counts, key=_by_number)
    present = [c for c in cells if not is_missing(c)]
    rules = {"kind": _kind_of(present), "counts": [counts[one] for one in known]}
    if gone:
        return [*known, None], {**rules, "counts": [*rules["counts"], gone]}
    return known, rules


def _by_number(text):
    """Sorts numbers by size, and texts behind them."""
    try:
        return (0, float(text), text)
    except ValueError:
        return (1, 0.0, text)


def _kind_of(present):
    """As what categories are given back."""
    if all(isinstance(cell, (bool, np.bool_)) for cell in present):
        return "bool"
    if all(isinstance(cell, str) for cell in present):
        return "int" if all(_WHOLE.fullmatch(cell) for cell in present) else "str"
    if all(is_number(cell) for cell in present):
        whole = all(is_int(c) or float(c).is_integer() for c in present)
        return "int" if whole else "float"
    return "str"


def _numbers(name, cells, dates, modes, seed):
    kind = "date" if dates else None
    numbers = np.array([number(cell, kind) for cell in cells], "float64")
    gone = np.isnan(numbers)
    numbers = numbers[~gone]
    if dates:
        digits = 0
        if (numbers % UNITS["day"] == 0).all():
            kind, numbers = "day", numbers / UNITS["day"]
    else:
        digits = _decimals([c for c, no in zip(cells, gone, strict=True) if not no])
    rules = {"low": float(numbers.min()), "high": float(numbers.max())}
    kind = kind or ("int" if digits == 0 else "float")
    if digits is not None:
        rules["decimals"] = digits
    rules["kind"] = kind
    fitted_modes = mixture(numbers, modes, seed)
    return [*fitted_modes, *([None] if gone.any() else [])], rules


def _decimals(cells):
    """The most decimals of the numbers; `None` where they have no end."""
    most = 0
    for cell in cells:
        if is_int(cell):
            continue
        value = float(cell)
        text = repr(value)
        if "e" in text or "E" in text:
            if value.is_integer():
                continue
            return None
        part = text.partition(".")[2].rstrip("0")
        most = max(most, len(part))
        if most > MOST_DECIMALS:
            return None
    return most


def mixture(numbers: np.ndarray, modes: int, seed: int = 0) -> list[tuple]:
    """The modes of numbers: (mean, standard deviation, weight), by their means.

    A variational Gaussian mixture with a Dirichlet process prior leaves modes
    that it does not need without weight; they are dropped.

    Args:
        numbers: float array `[n]`, none of them NaN.
        modes: int, the most modes.
        seed: int.

    Raises:
        ImportError: the extra "tables" is not installed.
    """
    spread = float(numbers.std())
    distinct = len(np.unique(numbers[:MOST_ROWS]))
    if spread == 0 or not np.isfinite(spread):
        return [(float(numbers.mean()), 1.0, 1.0)]
    if modes == 1 or distinct == 1:
        return [(float(numbers.mean()), spread, 1.0)]
    require("sklearn", "tables", "Modes of columns")
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import BayesianGaussianMixture

    rng = np.random.default_rng(seed)
    some = numbers
    if len(numbers) > MOST_ROWS:
        some = rng.choice(numbers, MOST_ROWS, replace=False)
    center = some.mean()
    scaled = ((some - center) / spread)[:, None]  # for numbers of any size
    model = BayesianGaussianMixture(
        n_components=min(modes, distinct, len(some)),
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=CONCENTRATION,
        n_init=1,
        random_state=seed,
    )
    with warnings.catch_warnings():
        # Modes that have not settled serve as well: encoding is exact with any.
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(scaled)
    kept = model.weights_ > LEAST_WEIGHT
    if not kept.any():
        kept = model.weights_ == model.weights_.max()
    means = model.means_[kept, 0] * spread + center
    deviations = np.sqrt(model.covariances_[kept].reshape(-1)) * spread
    weights = model.weights_[kept] / model.weights_[kept].sum()
    order = np.argsort(means)
    return [(float(means[i]), float(deviations[i]), float(weights[i])) for i in order]
