"""Toy sets in two dimensions, whose modes can be counted."""

import math
from typing import NamedTuple

import numpy as np

from keras_gans.utils.validation import check_seed, check_size, is_number, within

# A sample within so many standard deviations of its mode is high-quality.
HIGH_QUALITY = 3.0


class Toy(NamedTuple):
    """A toy set.

    Args:
        points: float32 `[n, 2]`.
        labels: int32 `[n]`, the mode each point was drawn from.
        centres: float32 `[modes, 2]`.
        std: float, the standard deviation of a mode in each coordinate.
    """

    points: np.ndarray
    labels: np.ndarray
    centres: np.ndarray
    std: float


class Coverage(NamedTuple):
    """How well samples cover the modes of a toy set.

    Args:
        covered: int, modes that own a high-quality sample.
        modes: int, modes there are.
        high_quality: float in [0, 1], the share of high-quality samples.
        kl: float in [0, log(modes)], the reverse Kullback-Leibler divergence
            in nats: of the high-quality samples' histogram over the modes from
            the uniform one. NaN where there is no high-quality sample.
    """

    covered: int
    modes: int
    high_quality: float
    kl: float


def ring(
    n: int, modes: int = 8, radius: float = 1.0, std: float = 0.01, seed: int = 0
) -> Toy:
    """Draws from Gaussians whose centres lie evenly on a circle.

    Args:
        n: int, how many points.
        modes: int, how many Gaussians, each as likely. Mode k lies at the
            angle `2 pi k / modes`.
        radius: float above 0, of the circle.
        std: float above 0, the standard deviation in each coordinate.
        seed: int in [0, 2**31); the set is a function of the arguments alone.

    Returns:
        A `Toy` tuple `(points, labels, centres, std)`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    points, labels, centres, std = keras_gans.data.toy.ring(512)
    keras_gans.data.toy.coverage(points, centres, std).covered  # 8
    ```

    Reference:
        https://arxiv.org/abs/1705.07761, section 4.1, and
        https://arxiv.org/abs/1712.04086, section 4.1
    """
    check_size("modes", modes)
    _check_positive("radius", radius)
    angle = 2 * math.pi * np.arange(modes) / modes
    centres = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return _mixture(n, centres, std, seed)


def grid(
    n: int, side: int = 5, spacing: float = 2.0, std: float = 0.05, seed: int = 0
) -> Toy:
    """Draws from Gaussians whose centres make a square grid about 0.

    By default the centres are {-4, -2, 0, 2, 4} x {-4, -2, 0, 2, 4}.

    Args:
        n: int, how many points.
        side: int; there are `side**2` Gaussians, each as likely. Mode
            `side * i + j` is the i-th in x and the j-th in y.
        spacing: float above 0, between neighbours.
        std: float above 0, the standard deviation in each coordinate.
        seed: int in [0, 2**31); the set is a function of the arguments alone.

    Returns:
        A `Toy` tuple `(points, labels, centres, std)`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    points, labels, centres, std = keras_gans.data.toy.grid(2500)
    keras_gans.data.toy.coverage(points, centres, std).modes  # 25
    ```

    Reference:
        https://arxiv.org/abs/1705.07761, section 4.1, and
        https://arxiv.org/abs/1712.04086, section 4.1
    """
    check_size("side", side)
    _check_positive("spacing", spacing)
    ticks = spacing * (np.arange(side) - (side - 1) / 2)
    x, y = np.meshgrid(ticks, ticks, indexing="ij")
    return _mixture(n, np.stack([x.ravel(), y.ravel()], axis=1), std, seed)


def spiral(
    n: int, turns: float = 2.0, radius: float = 1.0, std: float = 0.02, seed: int = 0
) -> Toy:
    """Draws from an Archimedean spiral with Gaussian noise about it.

    Points are uniform along the curve. It has no modes of its own: `centres`
    cut it into arcs of equal length, at most two `std` each, so that nearly
    all points of the set are within three `std` of a centre and `coverage`
    tells how much of the curve is reached.

    Args:
        n: int, how many points.
        turns: float above 0, from the origin outwards.
        radius: float above 0, where the spiral ends.
        std: float above 0, the standard deviation of the noise in each
            coordinate.
        seed: int in [0, 2**31); the set is a function of the arguments alone.

    Returns:
        A `Toy` tuple `(points, labels, centres, std)`; label k is the k-th arc
        from the origin and centre k its middle.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    points, labels, centres, std = keras_gans.data.toy.spiral(1000)
    keras_gans.data.toy.coverage(points, centres, std).high_quality
    ```
    """
    check_size("n", n)
    _check_positive("turns", turns)
    _check_positive("radius", radius)
    _check_positive("std", std)
    # The angle is inverted from the arc length on a fine table.
    angles = np.linspace(0, 2 * math.pi * turns, 4096)
    curve = (radius * angles / angles[-1])[:, None] * np.stack(
        [np.cos(angles), np.sin(angles)], axis=1
    )
    steps = np.linalg.norm(np.diff(curve, axis=0), axis=1)
    length = np.concatenate([[0.0], np.cumsum(steps)])
    modes = math.ceil(length[-1] / (2 * std))

    def at(share):
        angle = np.interp(share * length[-1], length, angles)
        r = radius * angle / angles[-1]
        return np.stack([r * np.cos(angle), r * np.sin(angle)], axis=1)

    rng = _generator(seed)
    share = rng.random(n)
    points = at(share) + std * rng.standard_normal((n, 2))
    centres = at((np.arange(modes) + 0.5) / modes)
    return _toy(points, np.floor(share * modes), centres, std)


def coverage(samples: np.ndarray, centres: np.ndarray, std: float) -> Coverage:
    """Counts the modes that samples cover.

    A sample is high-quality within three standard deviations of its nearest
    centre; a mode is covered when it is nearest to a high-quality sample. The
    papers count over 2,500 samples.

    Args:
        samples: array `[n, 2]`, generated points.
        centres: array `[modes, 2]`, of a `Toy`.
        std: float above 0, of a `Toy`.

    Returns:
        A `Coverage` tuple `(covered, modes, high_quality, kl)`.

    Raises:
        ValueError: an array of another shape, without rows, or with values
            that are not finite; or `std` not above 0.

    Example:

    ```python
    toy = keras_gans.data.toy.grid(2500)
    coverage = keras_gans.data.toy.coverage(toy.points, toy.centres, toy.std)
    print(f"{coverage.covered} of {coverage.modes}, {coverage.high_quality:.1%}")
    ```

    Reference:
        https://arxiv.org/abs/1705.07761, section 4.1, and
        https://arxiv.org/abs/1712.04086, section 4.1
    """
    samples = _check_points("samples", samples)
    centres = _check_points("centres", centres)
    _check_positive("std", std)
    x, y = (np.subtract.outer(samples[:, i], centres[:, i]) for i in (0, 1))
    distance = np.hypot(x, y)
    good = distance.min(axis=1) <= HIGH_QUALITY * std
    modes = len(centres)
    counts = np.bincount(distance.argmin(axis=1)[good], minlength=modes)
    return Coverage(
        covered=int(np.count_nonzero(counts)),
        modes=modes,
        high_quality=float(good.mean()),
        kl=_kl_from_uniform(counts),
    )


def _kl_from_uniform(counts):
    """KL(histogram || uniform) in nats; NaN for an empty histogram."""
    if not counts.any():
        return math.nan
    p = counts[counts > 0] / counts.sum()
    # The sum may round to just below 0 for a uniform histogram.
    return max(0.0, float(np.sum(p * np.log(p * len(counts)))))


def _mixture(n, centres, std, seed):
    check_size("n", n)
    _check_positive("std", std)
    rng = _generator(seed)
    labels = rng.integers(len(centres), size=n)
    points = centres[labels] + std * rng.standard_normal((n, 2))
    return _toy(points, labels, centres, std)


def _toy(points, labels, centres, std):
    return Toy(
        points=points.astype("float32"),
        labels=labels.astype("int32"),
        centres=centres.astype("float32"),
        std=float(std),
    )


def _generator(seed):
    return np.random.Generator(np.random.PCG64(check_seed(seed)))


def _check_positive(name, value):
    ok = is_number(value) and math.isfinite(value) and value > 0
    within(name, value, ok, "(0, inf)")


def _check_points(name, points):
    points = np.asarray(points)
    ok = points.ndim == 2 and points.shape[1] == 2 and len(points) > 0
    if not ok or points.dtype.kind not in "iuf":
        raise ValueError(
            f"`{name}` must be numbers of shape (n, 2), n at least 1. "
            f"Received: {name} of shape {points.shape}, {points.dtype}."
        )
    points = points.astype("float64")
    finite = np.isfinite(points).all(axis=1)
    if not finite.all():
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinity in "
            f"{np.count_nonzero(~finite)} of {len(points)} rows, the first at "
            f"row {np.argmin(finite)}. A GAN that makes them has diverged."
        )
    return points
