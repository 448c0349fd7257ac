"""Scores of tables: distributions, usefulness, detection, and privacy."""

from collections.abc import Iterator
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_gans.metrics.table_baselines import gaussian_copula, independent_columns
from keras_gans.modalities import columns
from keras_gans.modalities.table import Table
from keras_gans.modalities.table_features import code_of, coded, row_features, size_of
from keras_gans.utils.optional import require
from keras_gans.utils.suggestions import hint
from keras_gans.utils.validation import check_count, check_seed
from keras_gans.version import __version__

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN

FOLDS = 3  # of rows that are told from others
BINS = 10  # of numbers, where they meet categories
MOST_PAIRS = 1000
MOST_ROWS = 5000  # that closest records are looked for of, and among
LEAST_CLASS = 2  # rows of each class that a classifier is trained or tested on


class TableScores(NamedTuple):
    """How like a table another is; see `table_scores`.

    Attributes:
        columns: float in [0, 1], the mean of `column_scores`.
        pairs: float in [0, 1], the mean of `pair_scores`.
        efficacy: float, the area under the ROC curve of classifiers trained on it
            and tested on real rows; `None` without a label.
        precision: float, their average precision of the rarest class.
        detection: float in [0, 1], see `detection_score`.
        closest: float, see `closest_record_ratio`.
        copies: float in [0, 1], the share of rows that are rows of the data.
        violations: int, values beyond the ranges and categories of the table.
    """

    columns: float
    pairs: float
    efficacy: float | None
    precision: float | None
    detection: float
    closest: float
    copies: float
    violations: int


def column_scores(table: Table, real: Any, fake: Any) -> dict[str, float]:
    """How like the distribution of each column is: 1 is the same.

    Of numbers, with F and G the shares of values up to x in both tables, missing
    ones counted as below all others, 1 - sup |F(x) - G(x)| (the complement of
    Kolmogorov and Smirnov's statistic). Of categories, with their shares p and q,
    1 - 1/2 sum |p - q| (that of the total variation).

    Args:
        table: `Table` that says which columns are of categories.
        real: rows of the data, see `Table.fit`.
        fake: rows to be scored.

    Returns:
        dict of each column's name to a float in [0, 1].

    Raises:
        ValueError: a table is none, lacks a column, or a cell is no number: the
            message names the column and the row.

    Example:

    ```python
    rows = {"x": [1.0, 2.0, 3.0, 4.0], "y": ["a", "a", "b", "b"]}
    table = keras_gans.Table.fit(rows, numbers=["x"], modes=1)
    keras_gans.metrics.column_scores(table, rows, rows)  # {"x": 1.0, "y": 1.0}
    ```

    Reference:
        Massey, "The Kolmogorov-Smirnov Test for Goodness of Fit", 1951
    """
    real, fake = coded(table, real), coded(table, fake)
    return {
        name: _same_shares(real[name], fake[name])
        if name in table.categories
        else _same_steps(real[name], fake[name])
        for name in table.names
    }


def _same_steps(real, fake):
    places = np.concatenate([real, fake])
    shares = [
        np.searchsorted(np.sort(x), places, side="right") / len(x) for x in (real, fake)
    ]
    return float(1 - np.abs(shares[0] - shares[1]).max())


def _same_shares(real, fake):
    known, places = np.unique(np.concatenate([real, fake]), return_inverse=True)
    shares = [
        np.bincount(part, minlength=len(known)) / len(part)
        for part in np.split(places, [len(real)])
    ]
    return float(1 - np.abs(shares[0] - shares[1]).sum() / 2)


def pair_scores(table: Table, real: Any, fake: Any) -> dict[tuple[str, str], float]:
    """How like two columns together are: 1 is the same.

    Of two columns of numbers, with Pearson's correlations r and s of both tables
    (rows with a missing value left out), 1 - |r - s| / 2. Of others, with the
    shares p and q of each pair of values, 1 - 1/2 sum |p - q|; numbers are cut at
    the tenths of the real ones.

    Args:
        table: as of `column_scores`.
        real: likewise.
        fake: likewise.

    Returns:
        dict of pairs of names to floats in [0, 1], of the first 1,000 pairs.

    Raises:
        ValueError: a table is none, lacks a column, or a cell is no number: the
            message names the column and the row.

    Example:

    ```python
    real = {"x": [1.0, 2.0, 3.0, 4.0], "y": [1.0, 2.0, 3.0, 4.0]}
    table = keras_gans.Table.fit(real, numbers=["x", "y"], modes=1)
    fake = {**real, "y": [4.0, 3.0, 2.0, 1.0]}
    keras_gans.metrics.pair_scores(table, real, fake)  # {("x", "y"): 0.0}
    ```

    Reference:
        Pearson, "Notes on Regression and Inheritance in the Case of Two Parents",
        1895 (the correlation)
    """
    real, fake = coded(table, real), coded(table, fake)
    bins = {}
    for name in table.names:
        if name not in table.categories:
            finite = real[name][np.isfinite(real[name])]
            cuts = np.quantile(finite, np.arange(1, BINS) / BINS) if len(finite) else []
            bins[name] = [np.digitize(x[name], cuts) for x in (real, fake)]
            gone = [~np.isfinite(x[name]) for x in (real, fake)]
            bins[name] = [
                np.where(no, -1, b) for b, no in zip(bins[name], gone, strict=True)
            ]
    scores = {}
    for a, b in _pairs(table.names):
        if a in bins and b in bins:
            r, s = (_correlation(x[a], x[b]) for x in (real, fake))
            scores[a, b] = 1 - abs(r - s) / 2
            continue
        parts = [
            [f"{v}\0{w}" for v, w in zip(*both, strict=True)]
            for both in (
                [bins[n][i] if n in bins else x[n] for n in (a, b)]
                for i, x in enumerate((real, fake))
            )
        ]
        scores[a, b] = _same_shares(*map(np.array, parts))
    return scores


def _pairs(names) -> Iterator[tuple[str, str]]:
    count = 0
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            if count == MOST_PAIRS:
                return
            count += 1
            yield a, b


def _correlation(x, y):
    ok = np.isfinite(x) & np.isfinite(y)
    x, y = x[ok], y[ok]
    if len(x) < 2 or x.std() == 0 or y.std() == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def efficacy(
    table: Table, train: Any, test: Any, label: str, seed: int = 0
) -> tuple[float, float]:
    """How well classifiers learn from rows, tested on others.

    A logistic regression and a random forest are trained on `train`. Of each, A is
    the area under the ROC curve on `test` (of several classes the mean of each
    against the rest), and P the average precision of the class that is rarest in
    `test`. What a table is worth is A of it over A of real rows.

    Args:
        table: `Table`.
        train: rows, real or made.
        test: real rows that neither was made of.
        label: str, the column of categories that is to be told.
        seed: int, of the forest.

    Returns:
        `(A, P)`, means over both classifiers. A classifier that was shown one
        class alone tells none: 0.5, and the share of the class.

    Raises:
        ValueError: `label` is no column of categories, `test` has one class, or a
            class of a single row; or as of `column_scores`.
        ImportError: the extra "tables" is not installed.

    Example:

    ```python
    rows = {"x": [1.5, 1.7, 3.1, 3.3] * 4, "y": ["a", "a", "b", "b"] * 4}
    table = keras_gans.Table.fit(rows, modes=1)
    keras_gans.metrics.efficacy(table, rows, rows, "y")  # (1.0, 1.0)
    ```

    Reference:
        https://arxiv.org/abs/1907.00503, section 5 (machine learning efficacy)
    """
    require("sklearn", "tables", "Scores of tables")
    from sklearn.metrics import average_precision_score, roc_auc_score

    _check_label(table, label)
    x, y = row_features(table, train, label)
    x_test, y_test = row_features(table, test, label)
    classes, counts = np.unique(y_test, return_counts=True)
    if len(classes) < 2 or counts.min() < LEAST_CLASS:
        each = zip(classes.tolist(), counts, strict=True)
        told = ", ".join(f"{c!r} {n}" for c, n in each)
        raise ValueError(
            f"A classifier is tested on {LEAST_CLASS} rows or more of 2 classes or "
            f"more. Received: in column {label!r} {told}. Hold out more rows, or join "
            "rare classes."
        )
    rare = classes[counts.argmin()]
    areas, precisions = [], []
    for model in _classifiers(seed):
        told = np.zeros((len(y_test), len(classes)))
        if len(np.unique(y)) > 1:
            model.fit(x, y)
            known = {c: i for i, c in enumerate(model.classes_)}
            probabilities = model.predict_proba(x_test)
            for i, one in enumerate(classes):
                if one in known:
                    told[:, i] = probabilities[:, known[one]]
        of_each = [
            roc_auc_score(y_test == c, told[:, i]) for i, c in enumerate(classes)
        ]
        areas.append(np.mean(of_each))
        own = told[:, list(classes).index(rare)]
        precisions.append(average_precision_score(y_test == rare, own))
    return float(np.mean(areas)), float(np.mean(precisions))


def _check_label(table, label):
    if label not in table.categories:
        raise ValueError(
            f"`label` is a column of categories: {', '.join(table.categories)}. "
            f"Received: {label!r}.{hint(str(label), table.categories)}"
        )


def _classifiers(seed):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return (
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000)),
        RandomForestClassifier(100, min_samples_leaf=2, random_state=seed),
    )


def detection_score(table: Table, real: Any, fake: Any, seed: int = 0) -> float:
    """How hard rows are to tell from real ones: 1 is a guess, 0 is never wrong.

    With A the area under the ROC curve of a random forest that tells real rows from
    others, over three folds, it is 1 - (2 max(A, 1/2) - 1).

    Args:
        table: `Table`.
        real: rows.
        fake: rows; of the larger table as many as of the other are taken.
        seed: int, of rows, folds and the forest.

    Returns:
        float in [0, 1].

    Raises:
        ValueError: as of `column_scores`; or a table has fewer than 3 rows.
        ImportError: the extra "tables" is not installed.

    Example:

    ```python
    real = {"x": [1.5, 1.7, 1.9], "y": ["a", "b", "a"]}
    table = keras_gans.Table.fit(real, modes=1)
    fake = {"x": [3.5, 3.7, 3.9], "y": ["a", "b", "a"]}
    keras_gans.metrics.detection_score(table, real, fake)  # 0.0: x tells
    ```

    Reference:
        https://arxiv.org/abs/1610.06545 (tests of two samples by classifiers)
    """
    require("sklearn", "tables", "Scores of tables")
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rng = np.random.default_rng(seed)
    parts = [row_features(table, rows)[0] for rows in (real, fake)]
    n = min(*map(len, parts), MOST_ROWS)
    if n < FOLDS:
        raise ValueError(
            f"Rows are told apart by {FOLDS} folds, of {FOLDS} rows or more of each "
            f"table. Received: {' and '.join(str(len(p)) for p in parts)} rows."
        )
    x = np.concatenate([p[rng.permutation(len(p))[:n]] for p in parts])
    y = np.repeat([0, 1], n)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    forest = _classifiers(seed)[1]
    told = cross_val_predict(forest, x, y, cv=folds, method="predict_proba")[:, 1]
    return float(1 - (2 * max(roc_auc_score(y, told), 0.5) - 1))


def closest_record_ratio(
    table: Table, train: Any, test: Any, fake: Any, seed: int = 0
) -> tuple[float, float]:
    """Whether rows are closer to those trained on than strangers are: privacy.

    The distance of two rows is the mean over columns of |x - y| / (largest -
    smallest) of numbers, and of 0 for the same category or 1 (Gower's). With d the
    distance of a row to the closest of `train`, it is the median d of `fake` over
    the median d of `test`. 1 or more: rows are no closer than real rows that were
    not trained on. Also told: the share of `fake` with d = 0, which are copies.

    Args:
        table: `Table`.
        train: rows that were trained on.
        test: real rows that were not.
        fake: rows that were made.
        seed: int, of the rows that are taken: 5,000 of each at most.

    Returns:
        `(ratio, share of copies)`: floats of 0 or more, the first infinite where
        half of `test` are rows of `train`, and in [0, 1].

    Raises:
        ValueError: a table is none, lacks a column, or a cell is no number: the
            message names the column and the row.

    Example:

    ```python
    train = {"x": [1.5, 2.5, 4.5], "y": ["a", "b", "b"]}
    test = {"x": [2.0, 4.0], "y": ["a", "b"]}
    table = keras_gans.Table.fit(train, modes=1)
    keras_gans.metrics.closest_record_ratio(table, train, test, train)  # (0.0, 1.0)
    ```

    Reference:
        https://arxiv.org/abs/1806.03384 (distance to the closest record);
        Gower, "A General Coefficient of Similarity and Some of Its Properties", 1971
    """
    rng = np.random.default_rng(seed)
    known, *others = (_some(_places(table, r), rng) for r in (train, test, fake))
    to_test, to_fake = (_nearest(part, known) for part in others)
    middle = float(np.median(to_test))
    ratio = float(np.median(to_fake)) / middle if middle else float("inf")
    return ratio, float((to_fake < 1e-9).mean())


def _some(places, rng):
    """As many rows as are looked at."""
    numbers, codes = places
    some = rng.permutation(len(numbers))[:MOST_ROWS]
    return numbers[some], codes[some]


def _nearest(rows, known):
    """The distance of each row to the closest of others."""
    numbers, codes = rows
    distances = np.empty(len(numbers))
    width = numbers.shape[1] + codes.shape[1]
    for i in range(len(numbers)):
        total = np.abs(known[0] - numbers[i]).sum(1) + (known[1] != codes[i]).sum(1)
        distances[i] = total.min() / width
    return distances


def _places(table, rows):
    """Numbers on [0, 1], missing ones on -1, and codes of categories."""
    arrays = coded(table, rows)
    numbers, codes = [np.zeros((size_of(arrays), 0))], [np.zeros((size_of(arrays), 0))]
    for name in table.names:
        if name in table.categories:
            known = {code_of(c): i for i, c in enumerate(table.categories[name])}
            codes.append(np.array([known.get(c, -1) for c in arrays[name]])[:, None])
            continue
        low, high = table.bounds(name)
        x = arrays[name]
        if not np.isfinite(high - low):
            finite = x[np.isfinite(x)]
            low, high = finite.min(), finite.max()
        scaled = (x - low) / ((high - low) or 1.0)
        numbers.append(np.where(np.isfinite(x), scaled, -1.0)[:, None])
    return np.concatenate(numbers, 1), np.concatenate(codes, 1)


def violations(table: Table, rows: Any) -> int:
    """How many values are beyond the range, the decimals or the categories.

    Args:
        table: `Table`, whose rules values keep to.
        rows: see `Table.fit`.

    Returns:
        int of 0 or more.

    Raises:
        ValueError: a table is none, lacks a column, or a cell is no number: the
            message names the column and the row.

    Example:

    ```python
    rows = {"x": [1.5, 2.5, 4.5], "y": ["a", "b", "b"]}
    table = keras_gans.Table.fit(rows, modes=1)
    fake = {"x": [1.5, 9.0], "y": ["c", "b"]}
    keras_gans.metrics.violations(table, fake)  # 2: 9.0 and "c"
    ```
    """
    arrays, count = coded(table, rows), 0
    for name, values in table.columns:
        if name in table.categories:
            known = set(map(code_of, values))
            count += sum(c not in known for c in arrays[name])
            continue
        x = arrays[name]
        finite = x[np.isfinite(x)]
        low, high = table.bounds(name)
        count += int(((finite < low - 1e-9) | (finite > high + 1e-9)).sum())
        if values[-1] is not None:
            count += int((~np.isfinite(x)).sum())
        digits = dict(dict(table.rules).get(name, ())).get("decimals")
        if digits is not None:
            near = np.abs(finite - np.round(finite, digits))
            count += int((near > 1e-6 * 10.0**-digits + 1e-12 * np.abs(finite)).sum())
    return count


def table_scores(
    table: Table,
    train: Any,
    test: Any,
    fake: Any,
    label: str | None = None,
    seed: int = 0,
) -> TableScores:
    """All scores of a table that was made, against real rows.

    Args:
        table: `Table`.
        train: rows that were trained on.
        test: real rows that were not.
        fake: rows that were made.
        label: str, see `efficacy`; `None` leaves that out.
        seed: int.

    Returns:
        `TableScores`.

    Raises:
        ValueError: as of `efficacy` and `detection_score`.
        ImportError: the extra "tables" is not installed.

    Example:

    ```python
    rows = {"x": [1.5, 1.7, 3.1, 3.3], "y": ["a", "a", "b", "b"]}
    table = keras_gans.Table.fit(rows, modes=1)
    test = {"x": [1.6, 1.8, 3.2], "y": ["a", "a", "b"]}
    keras_gans.metrics.table_scores(table, rows, test, rows).copies  # 1.0
    ```

    Reference:
        https://arxiv.org/abs/1907.00503, section 5
    """
    train, test, fake = map(columns.read, (train, test, fake))
    pairs = pair_scores(table, test, fake)
    area, precision = (None, None)
    if label is not None:
        area, precision = efficacy(table, fake, test, label, seed)
    ratio, copies = closest_record_ratio(table, train, test, fake, seed)
    return TableScores(
        float(np.mean([*column_scores(table, test, fake).values()])),
        float(np.mean([*pairs.values()])) if pairs else 1.0,
        area,
        precision,
        detection_score(table, test, fake, seed),
        ratio,
        copies,
        violations(table, fake),
    )


def evaluate_table(
    gan: "BaseGAN",
    train: Any,
    test: Any,
    label: str | None = None,
    n: int | None = None,
    seed: int = 0,
) -> dict[str, TableScores]:
    """The scores of a `CTGAN`'s table beside what they are to be compared with.

    Args:
        gan: `CTGAN`.
        train: rows that it was trained on.
        test: real rows that it was not.
        label: str, the column of categories that classifiers are to tell.
        n: int, rows to make; as many as `train` has by default.
        seed: int in [0, 2**31), of the rows.

    Returns:
        dict of `TableScores`: "gan"; "independent", columns drawn each by itself;
        "copula", a Gaussian copula; and "real", `train` itself, which is the
        ceiling of all but privacy.

    Raises:
        ValueError: as of `table_scores`; or `n` or `seed` is out of its range.
        ImportError: the extra "tables" is not installed.

    Example:

    ```python
    rows = {"x": [1.5, 1.7, 3.1, 3.3], "y": ["a", "a", "b", "b"]}
    gan = keras_gans.CTGAN(keras_gans.Table.fit(rows, modes=1), 2, (4,), (4,))
    scores = keras_gans.metrics.evaluate_table(gan, rows, rows)
    scores["gan"].columns, scores["copula"].columns
    ```

    Reference:
        https://arxiv.org/abs/1907.00503, section 5
    """
    table = gan.table
    train, test = columns.read(train), columns.read(test)
    size = len(next(iter(train.values()))) if n is None else n
    check_count(size)
    check_seed(seed)
    synthetic = {name: [] for name in table.names}
    for part in gan.synthesize_batches(size, seed=seed):
        for name, cells in part.items():
            synthetic[name] += cells
    known = {name: train[name] for name in table.names}
    tables = {
        "gan": synthetic,
        "independent": independent_columns(known, size, seed),
        "copula": gaussian_copula(known, size, seed),
        "real": known,
    }
    return {
        name: table_scores(table, train, test, rows, label, seed)
        for name, rows in tables.items()
    }


def records_of(scores: dict[str, TableScores], settings: dict) -> list[str]:
    """Scores as lines of JSON, one for each table.

    Args:
        scores: dict, of `evaluate_table`.
        settings: dict that JSON can hold, what they depend on.
    """
    return [
        json.dumps({"table": name, **one._asdict(), **settings, "version": __version__})
        for name, one in scores.items()
    ]
