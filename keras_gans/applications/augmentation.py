"""Data augmentation: whether samples of a GAN help a classifier of a rare class.

`augment_table` and `augment_images` answer it for a data set: a GAN is trained on
the rows or images to train on, beside it stand what costs nothing (copies) and
what is classic (SMOTE, shifted and mirrored images), and how much to add is chosen
on rows that no classifier was trained on. `compare` does so for other data.
"""

from collections.abc import Callable, Mapping, Sequence
import functools
import inspect
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_gans.core.serialization import argument_names
from keras_gans.modalities import Image, columns
from keras_gans.modalities.table import Table
from keras_gans.modalities.table_features import row_features
from keras_gans.models import ctgan
from keras_gans.models.conditional_gan import ConditionalGAN
from keras_gans.models.ctgan import CTGAN
from keras_gans.utils.optional import require
from keras_gans.utils.suggestions import hint
from keras_gans.utils.validation import check_size, is_int, is_number

NOTHING = "nothing"
GAN = "gan"
AMOUNTS = (0.25, 0.5, 1.0)
PROFILE = ctgan.RECIPE.arguments
NEIGHBOURS = 5  # of SMOTE
LEAST = 10  # samples of the rare class: fewer cannot be split in three


class Part(NamedTuple):
    """Samples and their classes.

    Attributes:
        x: array `[n, ...]`.
        y: bool `[n]`, whether each is of the rare class.
    """

    x: np.ndarray
    y: np.ndarray


class Split(NamedTuple):
    """A data set in three: to train on, to choose by, to report.

    Attributes:
        train: `Part`.
        validation: `Part`.
        test: `Part`.
        seed: int.
    """

    train: Part
    validation: Part
    test: Part
    seed: int


class Report(NamedTuple):
    """What augmentation did.

    Attributes:
        f1: dict of each way to an array `[seeds]`, F1 of the rare class.
        precision: dict likewise, its average precision.
        amounts: dict likewise, the amount chosen by validation.
        rare: str, the class.
        best: str, the best of the ways without a GAN, by mean F1.
        gain: float, the mean over seeds of the GAN's F1 minus that of `best`.
        error: float, the standard error of `gain`.
        precision_gain: float, the same of average precision.
        precision_error: float.
    """

    f1: dict
    precision: dict
    amounts: dict
    rare: str
    best: str
    gain: float
    error: float
    precision_gain: float
    precision_error: float

    @property
    def gains(self) -> bool:
        """Whether F1 rises by more than two standard errors."""
        return bool(self.gain > 2 * self.error and self.gain > 0)

    def __str__(self) -> str:
        rows = [("", "F1 of the rare class", "average precision", "added")]
        for name, values in self.f1.items():
            rows.append(
                (
                    name,
                    _with_error(values),
                    _with_error(self.precision[name]),
                    ", ".join(f"{a:g}" for a in self.amounts[name]),
                )
            )
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()
            for row in rows
        ]
        sign = "gain" if self.gains else "no gain"
        seeds = len(self.f1[NOTHING])
        lines.append(
            f"{sign}: F1 of class {self.rare} by the GAN {self.gain:+.3f} beside the "
            f"best other ({self.best}), standard error {self.error:.3f}, {seeds} seeds."
        )
        return "\n".join(lines)


def _with_error(values):
    return f"{np.mean(values):.3f} ({_error(values):.3f})"


def _error(values):
    """The standard error of a mean; infinite of one value."""
    if len(values) < 2:
        return float("inf")
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def compare(
    splits: Sequence[Split],
    ways: dict[str, Callable],
    classify: Callable | None = None,
    amounts: Sequence[float] = AMOUNTS,
    rare: str = "rare",
) -> Report:
    """Compares ways to add samples of a rare class.

    With a share a of `amounts`, as many samples are added as fill a of the gap
    between the rare class and the others: 1 makes both as large. For each way and
    seed the amount is that with the best average precision in `validation`; the
    classifier that it gives is then tested once.

    Args:
        splits: a `Split` for each seed.
        ways: dict of a name to a function `(split) -> function(count) -> x`, which
            makes so many samples of the rare class; "gan" is the one in question.
            "nothing" is added.
        classify: function `(x, y, seed) -> function(x) -> scores`, the probability
            of the rare class; a random forest by default.
        amounts: floats above 0.
        rare: str, what the class is called.

    Returns:
        `Report`.

    Raises:
        ValueError: there is no way called "gan", no split, or an amount is none.
    """
    if GAN not in ways or not splits:
        raise ValueError(
            "Ways to add samples are compared over one split or more, and one of them "
            f"is 'gan'. Received: {', '.join(ways) or 'none'}, {len(splits)} splits."
        )
    ok = isinstance(amounts, (tuple, list)) and len(amounts) > 0
    if not ok or not all(is_number(a) and 0 < a < 100 for a in amounts):
        raise ValueError(
            f"`amounts` are shares above 0, 1 for classes of one size. Received: "
            f"{amounts!r}."
        )
    classify = _forest if classify is None else classify
    names = [NOTHING, *ways]
    f1, precision, chosen = ({name: [] for name in names} for _ in range(3))
    for split in splits:
        for name in names:
            sampler = None if name == NOTHING else ways[name](split)
            best = None
            for amount in (0.0,) if sampler is None else amounts:
                x, y = _with_more(split, sampler, amount, name)
                told = classify(x, y, split.seed)
                score = _precision(split.validation.y, told(split.validation.x))
                if best is None or score > best[0]:
                    best = score, amount, told
            _, amount, told = best
            scores = told(split.test.x)
            f1[name].append(_f1(split.test.y, scores > 0.5))
            precision[name].append(_precision(split.test.y, scores))
            chosen[name].append(amount)
    f1, precision = (
        {name: np.array(values) for name, values in part.items()}
        for part in (f1, precision)
    )
    others = [name for name in names if name != GAN]
    best = max(others, key=lambda name: f1[name].mean())
    gain = f1[GAN] - f1[best]
    most = max(others, key=lambda name: precision[name].mean())
    of_precision = precision[GAN] - precision[most]
    return Report(
        f1,
        precision,
        chosen,
        rare,
        best,
        float(gain.mean()),
        _error(gain),
        float(of_precision.mean()),
        _error(of_precision),
    )


def _with_more(split, sampler, amount, name):
    x, y = split.train
    if sampler is None:
        return x, y
    count = round(amount * max(int((~y).sum()) - int(y.sum()), 1))
    if count < 1:
        return x, y
    more = np.asarray(sampler(count))
    wanted = (count, *x.shape[1:])
    if more.shape != wanted or not np.isfinite(more).all():
        raise ValueError(
            f"Ways make samples like those of the data, of shape {wanted}. Received: "
            f"of {name!r} shape {more.shape}"
            f"{', with NaN or infinite values' * (more.shape == wanted)}."
        )
    return np.concatenate([x, more]), np.concatenate([y, np.ones(len(more), bool)])


def _forest(x, y, seed):
    require("sklearn", "tables", "Classifiers of augmented data")
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(100, min_samples_leaf=2, random_state=seed)
    forest.fit(x.reshape(len(x), -1), y)
    return lambda x: forest.predict_proba(x.reshape(len(x), -1))[:, 1]


def _f1(y, told):
    right = int((y & told).sum())
    return 2 * right / max(int(y.sum()) + int(told.sum()), 1)


def _precision(y, scores):
    """The mean, over the samples of the class, of the precision down to each."""
    thresholds = np.unique(scores)[::-1]
    average, total, before = 0.0, int(y.sum()), 0
    for threshold in thresholds:  # ties count together
        above = scores >= threshold
        right = int((y & above).sum())
        average += (right - before) / total * right / int(above.sum())
        before = right
    return average


# --- Ways ---


def copies(split: Split) -> Callable:
    """Oversampling: samples of the rare class again."""
    rng = np.random.default_rng(split.seed)
    rare = split.train.x[split.train.y]
    return lambda count: rare[rng.integers(len(rare), size=count)]


def smote(split: Split) -> Callable:
    """Points on the lines between rare samples and their nearest rare neighbours.

    Columns that hold 0 and 1 alone, as categories do, take either end.

    Args:
        split: `Split`, of vectors.

    Reference:
        https://arxiv.org/abs/1106.1813
    """
    rng = np.random.default_rng(split.seed)
    rare = split.train.x[split.train.y].astype("float64")
    spread = np.where(rare.std(0) > 0, rare.std(0), 1.0)
    scaled = rare / spread
    gaps = ((scaled[:, None] - scaled[None]) ** 2).sum(2)
    np.fill_diagonal(gaps, np.inf)
    near = gaps.argsort(1)[:, : min(NEIGHBOURS, max(len(rare) - 1, 1))]
    binary = np.isin(split.train.x, (0, 1)).all(0)

    def make(count):
        first = rng.integers(len(rare), size=count)
        second = near[first, rng.integers(near.shape[1], size=count)]
        way = rng.random((count, 1))
        way = np.where(binary, (way > 0.5).astype("float64"), way)
        return rare[first] + way * (rare[second] - rare[first])

    return make


def moved(split: Split, mirrored: bool = False) -> Callable:
    """Classic augmentation: rare images, shifted by up to an eighth, and mirrored.

    Args:
        split: `Split`, of images `[n, height, width, channels]`.
        mirrored: bool, whether a mirrored image is of the same class.
    """
    rng = np.random.default_rng(split.seed)
    rare = split.train.x[split.train.y]
    most = [max(1, side // 8) for side in rare.shape[1:3]]

    def make(count):
        images = rare[rng.integers(len(rare), size=count)].copy()
        padding = [(0, 0), *((m, m) for m in most), (0, 0)]
        wide = np.pad(images, padding, mode="edge")
        for i in range(count):
            top, left = (int(rng.integers(2 * m + 1)) for m in most)
            image = wide[i, top : top + rare.shape[1], left : left + rare.shape[2]]
            images[i] = image[:, ::-1] if mirrored and rng.random() < 0.5 else image
        return images

    return make


# --- Tables ---


def augment_table(
    data: Any,
    label: str,
    rare: Any = None,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    amounts: Sequence[float] = AMOUNTS,
    steps: int = 800,
    batch_size: int = 100,
    classify: Callable | None = None,
    categories: Sequence[str] | None = None,
    numbers: Sequence[str] | None = None,
    leave_out: Sequence[str] | None = None,
    ranges: Mapping[str, tuple] | None = None,
    **arguments,
) -> Report:
    """Whether rows of a `CTGAN` help to tell a rare class of a table.

    For each seed, half of the rows are trained on, by the GAN too, a quarter is to
    choose by, and a quarter is tested on; each has its share of the rare class. The
    GAN learns from all rows, conditionally, and is asked for rows of the class.

    Args:
        data: see `Table.fit`.
        label: str, the column of the classes.
        rare: the class; the rarest by default.
        seeds: ints, one for each split.
        amounts: see `compare`.
        steps: int, of the GAN's training.
        batch_size: int.
        classify: see `compare`.
        categories: see `Table.fit`.
        numbers: see `Table.fit`.
        leave_out: see `Table.fit`; classifiers do not see these columns either.
        ranges: see `Table.fit`.
        **arguments: of `CTGAN`; by default those of the recipe.

    Returns:
        `Report`; `str` of it is a table that ends in "gain" or "no gain".

    Raises:
        ValueError: naming the column, the row or the class: it has too few rows.
        ImportError: the extra "tables" is not installed.

    Example:

    ```python
    def classify(x, y, seed):
        middle = x[y].mean(axis=0)  # of the rare class
        return lambda x: np.exp(-np.square(x - middle).sum(axis=1))

    rows = {"x": [1.5, 1.7, 3.1, 2.9] * 10, "y": ["a", "a", "a", "b"] * 10}
    small = {"latent_dim": 2, "g_widths": (4,), "d_widths": (4,)}
    report = keras_gans.applications.augment_table(
        rows, "y", seeds=[0], steps=1, batch_size=20, classify=classify, **small
    )
    report.rare, report.gains  # ("b", False): a single seed tells of no gain
    ```
    """
    _check_arguments(augment_table, CTGAN, arguments)
    columns.warn_of_index(data)
    all_rows = columns.read(data)
    if label not in all_rows:
        raise ValueError(
            f"`label` is a column of the table. Received: {label!r}."
            f"{hint(label, all_rows)}"
        )
    aside = [leave_out] if isinstance(leave_out, str) else list(leave_out or ())
    if label in aside or not set(all_rows) - {label, *aside}:
        raise ValueError(
            "Classes are told by other columns than `label`. Received: "
            f"label={label!r} of the columns {', '.join(map(repr, all_rows))}, "
            f"leave_out={aside}."
        )
    check_size("steps", steps)
    check_size("batch_size", batch_size)
    seeds = _checked_seeds(seeds)
    gone = [i for i, c in enumerate(all_rows[label], 1) if columns.is_missing(c)]
    if gone:
        raise ValueError(
            f"Each row has a class. Received: none in column {label!r} of {len(gone)} "
            f"rows, first in row {gone[0]}. Leave such rows out."
        )
    labels = np.array([columns.label(cell) for cell in all_rows[label]])
    rare = _rare(labels, rare)
    known = [categories] if isinstance(categories, str) else list(categories or ())
    found = {"numbers": numbers, "leave_out": leave_out, "ranges": ranges}
    splits, gans = [], []
    for seed in seeds:
        parts = _thirds(labels, seed)
        rows = [
            {n: [c[i] for i in part] for n, c in all_rows.items()} for part in parts
        ]
        table = Table.fit(rows[0], [label, *known], seed=seed, **found)
        thirds = [
            Part(row_features(table, part, label)[0], labels[own] == rare)
            for part, own in zip(rows, parts, strict=True)
        ]
        splits.append(Split(*thirds, seed))
        gans.append((table, rows[0]))
    options = {**PROFILE, **arguments}

    def gan(split):
        table, rows = gans[[s.seed for s in splits].index(split.seed)]
        keras.utils.set_random_seed(split.seed)
        model = CTGAN(table, seed=split.seed, **options)
        model.compile()
        size = min(batch_size, len(rows[label]))
        epochs = -(-steps // max(1, len(rows[label]) // size))
        model.fit(rows, batch_size=size, epochs=epochs, verbose=0)

        def make(count):
            synthetic = {name: [] for name in table.names}
            where = {label: rare}
            for part in model.synthesize_batches(count, where, split.seed):
                for name, cells in part.items():
                    synthetic[name] += cells
            return row_features(table, synthetic, label)[0]

        return make

    ways = {"copies": copies, "SMOTE": smote, GAN: gan}
    return compare(splits, ways, classify, amounts, rare)


# --- Images ---


def augment_images(
    images: np.ndarray,
    labels: np.ndarray,
    rare: int | None = None,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    amounts: Sequence[float] = AMOUNTS,
    steps: int = 1000,
    batch_size: int = 32,
    mirrored: bool = False,
    gan: Callable | None = None,
    classify: Callable | None = None,
    **arguments,
) -> Report:
    """Whether images of a conditional GAN help to tell a rare class.

    Splits are as of `augment_table`. The GAN learns from the images of all classes.

    Args:
        images: array `[n, height, width, channels]`, floats in [-1, 1] or uint8.
        labels: ints `[n]`, the class of each.
        rare: int, the class; the rarest by default.
        seeds: ints, one for each split.
        amounts: see `compare`.
        steps: int, of the GAN's training.
        batch_size: int.
        mirrored: bool, whether a mirrored image is of the same class.
        gan: function `(images, labels, rare, seed) -> function(count) -> images`;
            by default it trains a `ConditionalGAN`.
        classify: see `compare`; it sees images.
        **arguments: of `ConditionalGAN`.

    Returns:
        `Report`.

    Raises:
        ValueError: arrays do not fit each other, or a class has too few images.
        ImportError: `classify` is left out, and the extra "tables" not installed.

    Example:

    ```python
    def classify(x, y, seed):
        middle = x[y].mean(axis=0)  # of the rare class
        return lambda x: np.exp(-np.square(x - middle).mean(axis=(1, 2, 3)))

    def gan(images, labels, rare, seed):
        mean = images[labels == rare].mean(axis=0)  # a trained GAN in earnest
        return lambda count: np.repeat(mean[None], count, axis=0)

    images = np.random.default_rng(0).uniform(-1, 1, (40, 8, 8, 1))
    labels = np.array([0, 0, 0, 7] * 10)
    report = keras_gans.applications.augment_images(
        images, labels, seeds=[0, 1], gan=gan, classify=classify
    )
    report.rare, len(report.f1["gan"])  # ("7", 2)
    ```
    """
    _check_arguments(augment_images, ConditionalGAN, arguments)
    images, labels = np.asarray(images), np.asarray(labels)
    ok = images.ndim == 4 and labels.shape == images.shape[:1]
    if not ok or labels.dtype.kind not in "iu":
        raise ValueError(
            "Images [n, height, width, channels] and as many labels, ints [n]. "
            f"Received: shapes {images.shape} and {labels.shape}, labels of "
            f"{labels.dtype}."
        )
    modality = Image(images.shape[1:])
    modality.check_all(images)
    images = keras.ops.convert_to_numpy(modality.as_seen(images))
    check_size("steps", steps)
    check_size("batch_size", batch_size)
    if gan is not None and arguments:
        raise ValueError(
            "Arguments of ConditionalGAN are of the GAN that is trained without `gan`. "
            f"Received: {', '.join(arguments)}, with `gan`. Drop them."
        )
    seeds = _checked_seeds(seeds)
    rare = int(_rare(labels.astype(str), rare))
    splits, classes = [], {}
    for seed in seeds:
        parts = _thirds(labels, seed)
        thirds = [Part(images[own], labels[own] == rare) for own in parts]
        splits.append(Split(*thirds, seed))
        classes[seed] = labels[parts[0]]
    if gan is None:
        gan = functools.partial(
            _conditional, steps=steps, batch_size=batch_size, arguments=arguments
        )

    def of_gan(split):
        return gan(split.train.x, classes[split.seed], rare, split.seed)

    def classic(split):
        return moved(split, mirrored)

    ways = {"copies": copies, "classic": classic, GAN: of_gan}
    return compare(splits, ways, classify, amounts, str(rare))


def _conditional(images, labels, rare, seed, steps, batch_size, arguments):
    """A `ConditionalGAN` of all classes that makes images of one."""
    known, codes = np.unique(labels, return_inverse=True)
    keras.utils.set_random_seed(seed)
    options = {"width": 16, "ema": 0.99, **arguments}
    gan = ConditionalGAN(images.shape[1:], len(known), seed=seed, **options)
    gan.compile()
    # Each class as often: the rare one is to be learned.
    rng = np.random.default_rng(seed)
    size = min(batch_size, len(images))
    picked = [
        rng.choice(np.flatnonzero(codes == c))
        for c in rng.integers(len(known), size=steps * size)
    ]
    for start in range(0, len(picked), 100 * size):
        own = picked[start : start + 100 * size]
        gan.fit(
            images[own].astype("float32"),
            codes[own].astype("int32"),
            batch_size=size,
            shuffle=False,
            verbose=0,
        )
    place = int(np.flatnonzero(known == rare)[0])
    return lambda count: gan.sample(count, seed, labels=place)


# --- Arguments ---


def _check_arguments(function, cls, arguments):
    """Refuses what is an argument neither of a function nor of its GAN."""
    known = argument_names(cls)
    for name in arguments:
        if name not in known:
            own = {*inspect.signature(function).parameters, *known} - {"arguments"}
            raise TypeError(
                f"{function.__name__}() got an unexpected keyword argument {name!r}."
                f"{hint(name, own)}"
            )


def _checked_seeds(seeds):
    ok = isinstance(seeds, (Sequence, np.ndarray)) and not isinstance(seeds, str)
    seeds = list(seeds) if ok else seeds
    ok = ok and all(is_int(seed) and seed >= 0 for seed in seeds)
    if not ok or not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            "`seeds` are different ints of 0 or more, one for each split, such as "
            f"range(3). Received: {seeds!r}."
        )
    return seeds


# --- Splits ---


def _rare(labels, rare):
    """The class in question, as text."""
    known, counts = np.unique(labels, return_counts=True)
    known = known.tolist()
    label = known[counts.argmin()] if rare is None else columns.label(rare)
    if label not in known:
        raise ValueError(
            f"`rare` is a class of the data: {', '.join(map(repr, known[:20]))}. "
            f"Received: {rare!r}.{hint(str(label), known)}"
        )
    count = int(counts[known.index(label)])
    if count < LEAST or len(known) < 2:
        raise ValueError(
            f"A class is told from others by {LEAST} samples or more, of which half "
            f"are trained on. Received: {count} of class {label!r}, {len(known)} "
            "classes. Find more samples, or join it to a class like it."
        )
    return str(label)


def _thirds(labels, seed):
    """Rows of each part: half, a quarter and a quarter of each class."""
    rng = np.random.default_rng(seed)
    parts = [[], [], []]
    for one in np.unique(labels):
        order = rng.permutation(np.flatnonzero(labels == one))
        cuts = [len(order) // 2, 3 * len(order) // 4]
        for part, own in zip(parts, np.split(order, cuts), strict=True):
            part.append(own)
    return [np.sort(np.concatenate(part)) for part in parts]
