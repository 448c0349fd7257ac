"""Pictures made smaller or larger in NumPy, as papers on super-resolution do it."""

import functools
import math

import numpy as np

from keras_gans.utils.validation import is_int, is_number, one_of, within

METHODS = ("area", "bilinear", "bicubic")


def bicubic(image: np.ndarray, scale: float) -> np.ndarray:
    """A picture resized by MATLAB's `imresize`: bicubic, antialiased.

    The kernel is Keys' with a = -0.5. Where the picture is made smaller, it is
    as many times wider. Beyond the edges the picture is mirrored, edge pixels
    twice. Published tables of super-resolution are of such pictures.

    Args:
        image: array `[height, width, channels]` of any range.
        scale: float above 0, `1 / 4` for a quarter of each side.

    Returns:
        float64 array `[ceil(height scale), ceil(width scale), channels]`, not
        rounded or clipped: the kernel overshoots.

    Raises:
        ValueError: the image has no three axes, or the scale is none.

    Example:

    ```python
    from keras_gans.utils.resizing import bicubic

    bicubic(np.zeros((48, 64, 3)), 1 / 4).shape  # (12, 16, 3)
    ```

    Reference:
        Keys, "Cubic convolution interpolation for digital image processing",
        1981, equation 15, https://doi.org/10.1109/TASSP.1981.1163711
    """
    within("scale", scale, is_number(scale) and 0 < scale < math.inf, "(0, inf)")
    image = _checked(image)
    for axis in (0, 1):
        n = image.shape[axis]
        image = _apply(image, axis, *_bicubic_taps(n, math.ceil(n * scale), scale))
    return image


def resize(image: np.ndarray, size: tuple[int, int], method: str) -> np.ndarray:
    """A picture resized as deep-learning frameworks do it, without antialiasing.

    Args:
        image: array `[height, width, channels]` of any range.
        size: tuple (height, width).
        method: "area", the mean of the pixels that a new one covers; "bilinear";
            or "bicubic", Keys' kernel with a = -0.75. Pixels beyond the edges are
            those at them.

    Returns:
        float64 array `[*size, channels]`.

    Raises:
        ValueError: the image has no three axes, or another argument is unusable.

    Example:

    ```python
    from keras_gans.utils.resizing import resize

    resize(np.zeros((48, 64, 3)), (36, 48), "area").shape  # (36, 48, 3)
    ```
    """
    one_of("method", method, METHODS)
    ok = len(size) == 2 and all(is_int(side) and side > 0 for side in size)
    within("size", size, ok, "two positive integers")
    image = _checked(image)
    for axis, side in enumerate(size):
        image = _apply(image, axis, *_plain_taps(image.shape[axis], side, method))
    return image


def _checked(image):
    image = np.asarray(image)
    if image.ndim != 3 or 0 in image.shape:
        raise ValueError(
            "A picture is an array [height, width, channels], none of them 0. "
            f"Received: shape {image.shape}. Take the pictures of a batch one by one."
        )
    return image.astype("float64")


def _apply(image, axis, places, weights):
    """Sums of the pixels at `places` along an axis; both are `[new, taps]`."""
    image = np.moveaxis(image, axis, 0)
    if len(image) <= 512:  # one product of matrices is faster on small crops
        matrix = np.zeros((len(places), len(image)))
        np.add.at(matrix, (np.arange(len(places))[:, None], places), weights)
        sums = np.tensordot(matrix, image, 1)
    else:
        sums = sum(
            weights[:, k, None, None] * image[places[:, k]]
            for k in range(places.shape[1])
        )
    return np.moveaxis(sums, 0, axis)


def keys_kernel(x: np.ndarray, a: float) -> np.ndarray:
    """Keys' cubic kernel at distances `x`, of the parameter `a`."""
    x = np.abs(x)
    near = ((a + 2) * x - (a + 3)) * x * x + 1
    far = ((a * x - 5 * a) * x + 8 * a) * x - 4 * a
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))


@functools.lru_cache(64)
def _bicubic_taps(n, side, scale):
    narrow = min(scale, 1.0)  # how much wider the kernel gets
    centres = (np.arange(side) + 0.5) / scale - 0.5
    first = np.floor(centres - 2 / narrow).astype(int)
    places = first[:, None] + np.arange(math.ceil(4 / narrow) + 2)
    weights = keys_kernel(narrow * (centres[:, None] - places), -0.5)
    weights /= weights.sum(axis=1, keepdims=True)
    places %= 2 * n
    return np.where(places < n, places, 2 * n - 1 - places), weights


@functools.lru_cache(256)
def _plain_taps(n, side, method):
    if method == "area":
        edges = np.arange(side + 1) * n
        first, last = edges[:-1] // side, -(-edges[1:] // side)
        places = first[:, None] + np.arange((last - first).max())
        inside = places < last[:, None]
        return np.minimum(places, n - 1), inside / (last - first)[:, None]
    centres = (np.arange(side) + 0.5) * n / side - 0.5
    reach = {"bilinear": 1, "bicubic": 2}[method]
    if method == "bilinear":
        centres = np.maximum(centres, 0)
    first = np.floor(centres).astype(int) - reach + 1
    places = first[:, None] + np.arange(2 * reach)
    gaps = centres[:, None] - places
    weights = 1 - np.abs(gaps) if method == "bilinear" else keys_kernel(gaps, -0.75)
    return np.clip(places, 0, n - 1), weights
