"""Overlap of the manifolds of reals and fakes, by nearest neighbours."""

import itertools
from typing import NamedTuple

import numpy as np

from keras_gans.metrics.functional.moments import (
    BLOCK,
    as_feature_pair,
    as_features,
    check_dimensions,
)
from keras_gans.utils.validation import check_size

# Below this share of |x|^2 + |y|^2, |x|^2 + |y|^2 - 2 x.y has lost digits:
# |x - y|^2 is then summed directly.
NEAR = 1e-4
# Squared distances that differ by less, relatively, are equal: rounding
# depends on where in a block a pair lies.
TIE = 1e-9
DIRECT = 2**20  # numbers in a chunk of direct differences


class PrecisionRecall(NamedTuple):
    """Shares of fakes, and of reals, on the others' manifold."""

    precision: float
    recall: float


class DensityCoverage(NamedTuple):
    """Density of fakes about the reals, and the share of reals they cover."""

    density: float
    coverage: float


def precision_recall(real: np.ndarray, fake: np.ndarray, k: int = 3) -> PrecisionRecall:
    """Shares of fakes near the reals, and of reals near the fakes.

    The manifold of a set is the union of balls around its samples, each
    reaching to the sample's k-th nearest neighbour among the others, its
    surface included. Precision, of the fakes on the manifold of the reals,
    tells of fidelity; recall, of the reals on the manifold of the fakes, of
    variety. Both lie in [0, 1]; higher is better.

    Distances are float64, in blocks: beside the features themselves, memory for
    some 100 MB serves any number of samples of 2,048 dimensions.

    Args:
        real: array `[n, d]` of finite numbers, n above `k`.
        fake: array `[m, d]`, m above `k`.
        k: int, 1 or more.

    Returns:
        Named tuple `(precision, recall)` of floats.

    Raises:
        ValueError: the shapes do not fit, there are too few rows for `k`, or
            values are not finite.

    Example:

    ```python
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 100, 8))
    precision, recall = keras_gans.metrics.precision_recall(real, fake)
    ```

    Reference:
        https://arxiv.org/abs/1904.06991, equations 1 and 2.
    """
    check_size("k", k)
    real, fake = as_feature_pair(real, fake, at_least=k + 1)
    real_reach = _squared_reach(real, k) * (1 + TIE)
    fake_reach = _squared_reach(fake, k) * (1 + TIE)
    on_reals = np.zeros(len(fake), bool)
    on_fakes = np.zeros(len(real), bool)
    for i, j, squared in _distances_between(real, fake):
        on_reals[j] |= (squared <= real_reach[i, None]).any(axis=0)
        on_fakes[i] |= (squared <= fake_reach[j]).any(axis=1)
    return PrecisionRecall(float(on_reals.mean()), float(on_fakes.mean()))


def density_coverage(real: np.ndarray, fake: np.ndarray, k: int = 5) -> DensityCoverage:
    """How many reals' neighbourhoods fakes lie in, and how many hold one.

    The neighbourhood of a real is the ball that reaches to its k-th nearest
    neighbour among the other reals, without its surface, so that the density of
    a set against itself is 1. Density is the mean over fakes of the number of
    neighbourhoods they lie in, divided by `k`: 0 or more, about 1 for equal
    distributions, above where fakes crowd where reals are dense. Coverage is
    the share of neighbourhoods that hold a fake, in [0, 1]. An outlier among
    the fakes, whose own ball would be wide, does them no good. Higher is
    better.

    Args:
        real: see `precision_recall`.
        fake: array `[m, d]`, of any m.
        k: see `precision_recall`.

    Returns:
        Named tuple `(density, coverage)` of floats.

    Raises:
        ValueError: as of `precision_recall`.

    Example:

    ```python
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 100, 8))
    density, coverage = keras_gans.metrics.density_coverage(real, fake)
    ```

    Reference:
        https://arxiv.org/abs/2002.09797, equations 3 and 4.
    """
    check_size("k", k)
    real = as_features(real, "real", at_least=k + 1)
    fake = as_features(fake, "fake")
    check_dimensions(real.shape[1], fake.shape[1])
    reach = _squared_reach(real, k) * (1 - TIE)
    neighbourhoods = 0
    covered = np.zeros(len(real), bool)
    for i, _, squared in _distances_between(real, fake):
        inside = squared < reach[i, None]
        neighbourhoods += int(inside.sum())
        covered[i] |= inside.any(axis=1)
    return DensityCoverage(neighbourhoods / (k * len(fake)), float(covered.mean()))


def _squared_reach(features, k):
    """Squared distance of each row's k-th nearest among the others: `[n]`."""
    centre = _inner_point(features)
    nearest = np.full((len(features), k), np.inf)
    slices = _slices(features)
    halves = ((i, j) for row, i in enumerate(slices) for j in slices[row:])
    for i, j, squared in _distances(features, features, halves, centre):
        if i == j:
            np.fill_diagonal(squared, np.inf)
        else:
            nearest[j] = _smallest(nearest[j], squared.T)
        nearest[i] = _smallest(nearest[i], squared)
    return nearest.max(axis=1)


def _smallest(nearest, squared):
    """The k smallest of each row of both, k the columns of `nearest`."""
    k = nearest.shape[1]
    both = np.concatenate([nearest, squared], axis=1)
    both.partition(k - 1, axis=1)
    return both[:, :k]


def _distances_between(real, fake):
    """Yields slices i of reals, j of fakes and their squared distances."""
    pairs = itertools.product(_slices(real), _slices(fake))
    yield from _distances(real, fake, pairs, _inner_point(real))


def _distances(real, fake, pairs, centre):
    """Yields pairs of slices, each with the squared distances between them."""
    known, x = None, None
    for i, j in pairs:
        if i != known:  # slices of reals follow each other
            known, x = i, real[i].astype(np.float64) - centre
        yield i, j, _squared_distances(x, fake[j].astype(np.float64) - centre)


def _slices(features):
    starts = range(0, len(features), BLOCK)
    return [slice(start, start + BLOCK) for start in starts]


def _inner_point(features):
    """A point amid the features: from there, norms are as short as distances.

    It is the upper median of about a thousand rows, coordinate by coordinate:
    a value of the data, so that the distances of integers stay exact.
    """
    rows = np.sort(features[:: -(-len(features) // BLOCK)], axis=0)
    return rows[len(rows) // 2].astype(np.float64)


def _squared_distances(x, y):
    """|x_i - y_j|^2 of float64 rows: `[n, m]`, exactly 0 for equal rows."""
    norms = np.square(x).sum(axis=1)[:, None] + np.square(y).sum(axis=1)
    squared = norms - 2 * (x @ y.T)
    rows, columns = np.nonzero(squared < NEAR * norms)
    step = max(1, DIRECT // x.shape[1])
    for start in range(0, len(rows), step):
        i, j = rows[start : start + step], columns[start : start + step]
        squared[i, j] = np.square(x[i] - y[j]).sum(axis=1)
    return squared
