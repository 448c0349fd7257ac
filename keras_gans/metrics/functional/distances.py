"""Distances between the features of reals and of fakes."""

from typing import NamedTuple
import warnings

import numpy as np

from keras_gans.metrics.functional.moments import (
    BLOCK,
    Moments,
    as_feature_pair,
    as_features,
    check_dimensions,
)
from keras_gans.utils.validation import check_seed, check_size


class _Gaussian(NamedTuple):
    """N(mean, S), by S = `covariance` or by S = `root`^T `root`."""

    count: int | None
    mean: np.ndarray
    covariance: np.ndarray | None
    root: np.ndarray | None

    def trace(self):
        if self.root is not None:
            return np.square(self.root).sum()
        return np.trace(self.covariance)


def frechet_distance(real: np.ndarray | Moments, fake: np.ndarray | Moments) -> float:
    """Fréchet distance of Gaussians fitted to two sets of features.

    |m_r - m_f|^2 + tr S_r + tr S_f - 2 tr (S_r S_f)^(1/2), with means m and
    unbiased covariances S, in float64. Of Inception's 2,048 pooled features
    this is the FID. From 0, for the same mean and covariance, upwards; lower is
    better. It is biased upwards, the more so the fewer the samples: compare
    values of the same counts only.

    The trace of the root is the sum of the roots of the eigenvalues of
    S_r^(1/2) S_f S_r^(1/2), which is symmetric: no imaginary parts, and finite
    where covariances are singular. With no more rows than dimensions it is the
    sum of the singular values of X_r X_f^T, X the centred rows divided by
    (n - 1)^(1/2), which is the same.

    Args:
        real: array `[n, d]` of finite numbers, n of 2 or more; or `Moments`.
        fake: array `[m, d]`, likewise; or `Moments`.

    Returns:
        float, 0 or more.

    Raises:
        ValueError: the shapes do not fit, there are too few rows, or values are
            not finite.

    Warns:
        UserWarning: a side has fewer samples than dimensions.

    Example:

    ```python
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 500, 8))
    distance = keras_gans.metrics.frechet_distance(real, fake + 1.0)
    ```

    Reference:
        https://arxiv.org/abs/1706.08500, equation 6.
    """
    real, fake = _gaussian(real, "real"), _gaussian(fake, "fake")
    check_dimensions(len(real.mean), len(fake.mean))
    _warn_of_bias(real, fake)
    shift = np.square(real.mean - fake.mean).sum()
    spread = real.trace() + fake.trace() - 2 * _trace_of_root(real, fake)
    return max(float(shift + spread), 0.0)  # below 0 by rounding alone


def _gaussian(side, name):
    if isinstance(side, Moments):
        return _of_moments(side)
    features = as_features(side, name, at_least=2)
    n, d = features.shape
    if n > d:
        moments = Moments()
        moments.update(features)
        return _of_moments(moments)
    rows = features.astype(np.float64)
    mean = rows.mean(axis=0)
    return _Gaussian(n, mean, None, (rows - mean) / np.sqrt(n - 1))


def _of_moments(moments):
    return _Gaussian(moments.count, moments.mean, moments.covariance, None)


def _warn_of_bias(real, fake):
    """Once of both: the covariance of few samples is singular."""
    dimensions = len(real.mean)
    few = [
        f"{side.count} {name}"
        for name, side in (("reals", real), ("fakes", fake))
        if side.count is not None and side.count < dimensions
    ]
    if few:
        warnings.warn(
            f"The Fréchet distance is biased upwards, as {' and '.join(few)} are "
            f"fewer than the {dimensions} dimensions. Use more, or the kernel "
            "distance, KID, which is unbiased at any number.",
            UserWarning,
            stacklevel=3,
        )


def _trace_of_root(a, b):
    """tr (S_a S_b)^(1/2), the sum of the singular values of R_a R_b^T."""
    if a.root is None:
        a, b = b, a  # the trace is symmetric
    root = _root(a.covariance) if a.root is None else a.root
    if b.root is not None:
        return np.linalg.svd(root @ b.root.T, compute_uv=False).sum()
    product = root @ b.covariance @ root.T
    eigenvalues = np.linalg.eigvalsh((product + product.T) / 2)
    return np.sqrt(np.maximum(eigenvalues, 0)).sum()


def _root(covariance):
    """R of S = R^T R: Cholesky's, or, of a singular S, by its eigenvalues."""
    rounding = len(covariance) * np.finfo(np.float64).eps
    try:
        root = np.linalg.cholesky(covariance).T
    except np.linalg.LinAlgError:  # not positive definite
        root = np.zeros((1, 1))
    pivots = np.square(np.diagonal(root))
    if pivots.min() > rounding * pivots.max():
        return root
    # Eigenvectors tell what is 0 but for rounding; they take far longer.
    eigenvalues, vectors = np.linalg.eigh(covariance)
    kept = eigenvalues > max(rounding * eigenvalues[-1], 0)
    return (vectors[:, kept] * np.sqrt(eigenvalues[kept])).T


class KernelDistance(NamedTuple):
    """Mean and standard deviation of MMD^2 over random subsets."""

    mean: float
    std: float


def kernel_distance(
    real: np.ndarray,
    fake: np.ndarray,
    subsets: int | None = None,
    subset_size: int | None = None,
    seed: int = 0,
) -> float | KernelDistance:
    """Squared maximum mean discrepancy of features, with a cubic kernel.

    The unbiased estimate of MMD^2, with k(x, y) = (x.y / d + 1)^3 in float64:

    sum_{i != j} k(r_i, r_j) / (n (n - 1)) + sum_{i != j} k(f_i, f_j) /
    (m (m - 1)) - 2 sum_{i, j} k(r_i, f_j) / (n m)

    Of Inception's 2,048 pooled features this is the KID. Its expectation does
    not depend on n and m and is 0 for equal distributions, so that a value may
    well be a little below 0. Lower is better.

    Args:
        real: array `[n, d]` of finite numbers, n of 2 or more.
        fake: array `[m, d]`, likewise.
        subsets: int, over how many random subsets to average, as the paper
            does; 100 is usual. By default there are none: one value over all
            samples.
        subset_size: int, samples of each side in a subset, 2 or more; 1,000 is
            usual. Given where `subsets` is.
        seed: int, of the subsets: numpy's `RandomState(seed)` draws each by
            `choice(n, subset_size, replace=False)`, of the reals, then of the
            fakes.

    Returns:
        float; with `subsets`, a named tuple `(mean, std)`, the standard
        deviation of the subsets' values themselves (`ddof=0`).

    Raises:
        ValueError: the shapes do not fit, there are fewer rows than a subset
            needs, values are not finite, or only one of `subsets` and
            `subset_size` is given.

    Example:

    ```python
    rng = np.random.default_rng(0)
    real, fake = rng.normal(size=(2, 50, 8))
    exact = keras_gans.metrics.kernel_distance(real, fake)
    mean, std = keras_gans.metrics.kernel_distance(real, fake, 10, 20)
    ```

    Reference:
        https://arxiv.org/abs/1801.01401, section 4; the estimate:
        http://jmlr.org/papers/v13/gretton12a.html, equation 3.
    """
    if (subsets is None) != (subset_size is None):
        raise ValueError(
            "`subsets` and `subset_size` go together. Received: "
            f"subsets={subsets}, subset_size={subset_size}. Pass both, e.g. "
            "subsets=100, subset_size=1000, or none for the value over all."
        )
    if subsets is None:
        return float(_mmd2(*as_feature_pair(real, fake, at_least=2)))
    check_size("subsets", subsets)
    check_size("subset_size", subset_size)
    check_seed(seed)
    if subset_size < 2:
        raise ValueError(
            "A subset has pairs of samples. Received: subset_size=1; pass 2 or more."
        )
    real, fake = as_feature_pair(real, fake, at_least=subset_size)
    draw = np.random.RandomState(seed).choice
    values = []
    for _ in range(subsets):
        reals = real[draw(len(real), subset_size, replace=False)]
        fakes = fake[draw(len(fake), subset_size, replace=False)]
        values.append(_mmd2(reals, fakes))
    return KernelDistance(float(np.mean(values)), float(np.std(values)))


def _mmd2(real, fake):
    n, m = len(real), len(fake)
    return (
        _sum_within(real) / (n * (n - 1))
        + _sum_within(fake) / (m * (m - 1))
        - 2 * _sum_between(real, fake) / (n * m)
    )


def _kernel(x, y):
    k = x @ y.T / x.shape[1] + 1
    return k * k * k


def _sum_between(x, y):
    """sum_{i, j} k(x_i, y_j)."""
    return sum(_kernel(a, b).sum() for a in _blocks(x) for b in _blocks(y))


def _sum_within(x):
    """sum_{i != j} k(x_i, x_j)."""
    total = 0.0
    for i, a in enumerate(_blocks(x)):
        k = _kernel(a, a)
        total += k.sum() - np.trace(k)
        total += 2 * _sum_between(a, x[(i + 1) * BLOCK :])
    return total


def _blocks(x):
    for start in range(0, len(x), BLOCK):
        yield x[start : start + BLOCK].astype(np.float64)
