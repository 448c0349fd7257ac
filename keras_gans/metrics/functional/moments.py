"""Features row by row, and their mean and covariance as a stream."""

import pathlib
from typing import NamedTuple

import numpy as np

from keras_gans.utils import files
from keras_gans.utils.types import Path

BLOCK = 1024  # rows in float64 at a time, whatever the number of samples
# Of a file's arrays, unpacked: statistics of 23,000 dimensions.
MAX_BYTES = 2**32


def as_features(features: np.ndarray, name: str, at_least: int = 1) -> np.ndarray:
    """Returns features as a real array `[n, d]`, checked, not converted.

    Args:
        features: array `[n, d]` of finite numbers.
        name: str, what the caller's argument is called.
        at_least: int, how many rows are needed.

    Raises:
        ValueError: another shape or type, too few rows, or values that are
            not finite.
    """
    features = np.asarray(features)
    if features.ndim != 2 or features.size == 0:
        raise ValueError(
            f"`{name}` must be an array [n, d], a row a sample. Received: "
            f"shape {features.shape}. Flatten or pool feature maps first; a "
            "single sample is features[None]."
        )
    if features.dtype.kind not in "fiub":
        raise ValueError(
            f"`{name}` must be an array of real numbers. Received: dtype "
            f"{features.dtype}. Cast it to float32."
        )
    bad = ~np.isfinite(features).all(axis=1)
    if bad.any():
        row = int(bad.argmax())
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinity in {bad.sum()}"
            f" of {len(bad)} rows, first in row {row}. Look at that sample: "
            "its image, or the network that made its features, is damaged."
        )
    if len(features) < at_least:
        raise ValueError(
            f"`{name}` needs {at_least} rows or more here. Received: "
            f"{len(features)}. Use more samples, or smaller settings."
        )
    return features


def as_feature_pair(
    real: np.ndarray, fake: np.ndarray, at_least: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Returns the features of reals and fakes, checked, of the same `d`.

    Raises:
        ValueError: see `as_features`; or they differ in `d`.
    """
    real = as_features(real, "real", at_least)
    fake = as_features(fake, "fake", at_least)
    check_dimensions(real.shape[1], fake.shape[1])
    return real, fake


def check_dimensions(real: int, fake: int) -> None:
    """Checks that reals and fakes have as many features each.

    Raises:
        ValueError: they do not.
    """
    if real != fake:
        raise ValueError(
            "Reals and fakes must have the same features. Received: `real` of "
            f"{real} dimensions, `fake` of {fake}. Take both from the same "
            "layer of the same network."
        )


class _Sums(NamedTuple):
    """What a set of rows adds up to; `scatter` is sum (x - m)(x - m)^T."""

    count: int
    mean: np.ndarray
    scatter: np.ndarray


def _sums(rows):
    mean = rows.mean(axis=0)
    centred = rows - mean
    return _Sums(len(rows), mean, centred.T @ centred)


def _joined(a, b):
    """The sums of two sets together.

    m = m_a + delta n_b / n and
    S = S_a + S_b + delta delta^T n_a n_b / n, with delta = m_b - m_a.

    Reference:
        Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm
        for computing sample variances", 1979, equation 2.1.
    """
    if a is None or b is None:
        return a or b
    count = a.count + b.count
    delta = b.mean - a.mean
    scatter = np.outer(delta * (a.count * b.count / count), delta)
    scatter += a.scatter
    scatter += b.scatter
    return _Sums(count, a.mean + delta * (b.count / count), scatter)


class Moments:
    """Mean and covariance of features that come batch by batch.

    Sums are float64 and need memory for `d * d` numbers, however many rows
    there are. Rows are taken up in blocks of a fixed size, so the result does
    not depend on how they were batched, not even in the last bit.

    `frechet_distance` takes `Moments` in place of features.

    Example:

    ```python
    features = np.random.default_rng(0).normal(size=(100, 4))
    moments = keras_gans.metrics.Moments()
    for batch in np.split(features, 10):
        moments.update(batch)
    moments.count  # 100
    moments.mean.shape, moments.covariance.shape  # (4,), (4, 4)
    ```

    Reference:
        Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm
        for computing sample variances", 1979, equation 2.1.
    """

    def __init__(self) -> None:
        self._sums = None  # of the blocks that were full
        self._block = None  # the rows since then: the first `_filled` ones
        self._filled = 0
        self._published = None  # (mean, covariance) of an unknown count

    def update(self, features: np.ndarray) -> None:
        """Adds a batch of features.

        Args:
            features: array `[n, d]` of finite numbers.

        Raises:
            ValueError: another shape, another `d` than before, or values that
                are not finite; or these are moments of an unknown count.
        """
        features = as_features(features, "features")
        self._check_countable()
        self._check_dimensions(features.shape[1])
        if self._block is None:
            self._block = np.empty((BLOCK, features.shape[1]))
        while len(features):
            taken = features[: BLOCK - self._filled]
            features = features[len(taken) :]
            self._block[self._filled : self._filled + len(taken)] = taken
            self._filled += len(taken)
            if self._filled == BLOCK:
                self._sums = self._total()
                self._filled = 0

    def merge(self, other: "Moments") -> None:
        """Adds all that other moments hold, as of another process's share.

        Args:
            other: `Moments`, left as they are.

        Raises:
            ValueError: `other` is something else or has another `d`, or one
                of both has an unknown count.
        """
        if not isinstance(other, Moments):
            raise ValueError(
                f"Moments merge with Moments. Received: {type(other).__name__}."
                " Use `update` for features."
            )
        self._check_countable()
        other._check_countable()
        if other.dimensions is not None:
            self._check_dimensions(other.dimensions)
        self._sums = _joined(self._total(), other._total())
        self._filled = 0

    @property
    def dimensions(self) -> int | None:
        """int, the number `d` of features; `None` before the first ones."""
        if self._published is not None:
            return len(self._published[0])
        if self._block is not None:
            return self._block.shape[1]
        return None if self._sums is None else len(self._sums.mean)

    @property
    def count(self) -> int | None:
        """int, how many rows; `None` where a file did not tell."""
        if self._published is not None:
            return None
        return self._filled + (0 if self._sums is None else self._sums.count)

    @property
    def mean(self) -> np.ndarray:
        """float64 array `[d]`."""
        if self._published is not None:
            return self._published[0].copy()
        self._check_count(1)
        return self._total().mean.copy()

    @property
    def covariance(self) -> np.ndarray:
        """float64 array `[d, d]`, unbiased: divided by `count - 1`."""
        if self._published is not None:
            return self._published[1].copy()
        self._check_count(2)
        return self._total().scatter / (self.count - 1)

    def save(self, path: Path, overwrite: bool = False) -> None:
        """Writes an .npz file of `mu`, `sigma` and `n`.

        `mu` and `sigma` are what pytorch-fid and the 2017 reference name so.
        There is no `n` where the count is unknown.

        Args:
            path: str or path, ending in ".npz".
            overwrite: bool, whether to replace what stands there.

        Raises:
            ValueError: `path` exists or does not end in ".npz", or there are
                fewer than 2 rows.
        """
        path = files.check_free(path, overwrite)
        if path.suffix != ".npz":
            raise ValueError(f"Statistics are .npz files. Received: {path}.")
        arrays = {"mu": self.mean, "sigma": self.covariance}
        if self.count is not None:
            arrays["n"] = np.int64(self.count)
        with files.replacing(path) as temporary:
            np.savez(temporary, **arrays)

    @classmethod
    def load(cls, path: Path) -> "Moments":
        """Reads an .npz file of `mu`, `sigma` and, where it is there, `n`.

        So it reads published statistics, which have no `n`: their `count` is
        `None`, and they cannot be updated or merged. Nothing in the file is
        executed.

        Args:
            path: str or path.

        Returns:
            `Moments`.

        Raises:
            ValueError: the file is no .npz file, is damaged, holds something
                else, or is of more than 4 GiB unpacked.
            OSError: there is no such file, or it may not be read.
        """
        mean, covariance, count = _read(pathlib.Path(path))
        moments = cls()
        if count is None:
            moments._published = mean, covariance
        else:
            moments._sums = _Sums(count, mean, covariance * (count - 1))
        return moments

    def _total(self):
        """The sums of all rows; `None` before the first."""
        pending = _sums(self._block[: self._filled]) if self._filled else None
        return _joined(self._sums, pending)

    def _check_countable(self):
        if self._published is not None:
            raise ValueError(
                "These moments come from a file that does not tell of how many "
                "samples (no `n`), so nothing can be added to them."
            )

    def _check_dimensions(self, dimensions):
        if self.dimensions not in (None, dimensions):
            raise ValueError(
                f"These moments are of {self.dimensions} dimensions. Received: "
                f"features of {dimensions}."
            )

    def _check_count(self, needed):
        if self.count < needed:
            raise ValueError(
                f"Moments need {needed} rows or more. Received so far: "
                f"{self.count}. Call `update` first."
            )


def _read(path):
    """The mean, covariance and count (or `None`) of a statistics file."""
    with open(path, "rb") as file:
        # Damaged bytes meet zipfile and NumPy with errors of many kinds.
        try:
            with np.load(file, allow_pickle=False) as archive:
                _check_bytes(archive)
                arrays = {
                    key: archive[key] for key in ("mu", "sigma", "n") if key in archive
                }
                names = list(archive)
        except Exception as e:
            raise ValueError(
                f"{path} is no .npz file of arrays, or a damaged one. Statistics "
                f"are written by `Moments.save` or pytorch-fid. ({e})"
            ) from e
    if not {"mu", "sigma"} <= set(arrays):
        raise ValueError(
            "A file of statistics holds the arrays `mu` and `sigma`. Received: "
            f"{path} with {str(names)[:300]}."
        )
    count = arrays.pop("n", None)
    mean, sigma = (_finite(path, *item) for item in sorted(arrays.items()))
    if mean.ndim != 1 or mean.size == 0 or sigma.shape != 2 * mean.shape:
        raise ValueError(
            "Statistics are `mu` [d] and `sigma` [d, d]. Received: "
            f"{path} with shapes {mean.shape} and {sigma.shape}."
        )
    # Covariances that were summed in float32 are symmetric to 1e-6 or so.
    if np.abs(sigma - sigma.T).max() > 1e-4 * np.abs(sigma).max():
        raise ValueError(
            f"`sigma` must be a covariance. Received: {path}, where it is not "
            "symmetric."
        )
    return mean, (sigma + sigma.T) / 2, _count(path, count)


def _check_bytes(archive):
    size = sum(info.file_size for info in archive.zip.infolist())
    if size > MAX_BYTES:
        raise ValueError(
            f"Unpacked, it would be {size:,} bytes; at most {MAX_BYTES:,} are read."
        )


def _finite(path, name, array):
    if array.dtype.kind not in "fiu" or not np.isfinite(array).all():
        raise ValueError(
            f"`{name}` must be an array of finite numbers. Received: {path}, "
            f"where it is of dtype {array.dtype}, or has NaN or infinity."
        )
    return array.astype(np.float64)


def _count(path, count):
    if count is None:
        return None
    if count.dtype.kind not in "iu" or count.shape != () or count < 2:
        raise ValueError(
            "`n` must be one int, 2 or more. Received: "
            f"{path} with n={str(count)[:80]}."
        )
    return int(count)
