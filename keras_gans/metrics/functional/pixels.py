"""Distances between images and their references, pixel against pixel."""

import numpy as np

from keras_gans.utils.validation import is_int, is_number

# Luma of R, G, B in [0, 1], on the scale where it lies in [16, 235].
BT601 = np.array([65.481, 128.553, 24.966])
PEAK = 255.0
WINDOW = 11


def psnr(
    images: np.ndarray,
    references: np.ndarray,
    value_range: tuple[float, float],
    y_channel: bool = False,
    crop_border: int = 0,
) -> np.ndarray | float:
    """Peak signal-to-noise ratio, in decibels.

    10 log10(L^2 / MSE), with L the width of the range and the mean over the
    pixels and channels of an image. Infinite for equal images; higher is
    better.

    With `y_channel`, as papers on super-resolution report it: of the luma
    Y = 16 + 65.481 R + 128.553 G + 24.966 B (R, G, B in [0, 1]), with L = 255.
    Nothing is rounded or clipped on the way.

    Args:
        images: array `[n, height, width, channels]`, or one image `[height,
            width, channels]`; uint8, or floats.
        references: array of the same shape and kind.
        value_range: Tuple `(lo, hi)`: what black and white are, (0, 255) for
            uint8. Values beyond are an error: clip them first, if you mean to.
        y_channel: bool, whether to compare the luma of RGB images alone.
        crop_border: int, pixels left out at each edge. Papers on
            super-resolution leave out as many as the factor of scale.

    Returns:
        float64 array `[n]`; for one image, a float.

    Raises:
        ValueError: shapes, types or range do not fit, or values are not finite.

    Example:

    ```python
    images = np.full((2, 16, 16, 3), 0.5)
    decibels = keras_gans.metrics.psnr(images, images + 0.1, (0.0, 1.0))  # 20
    ```

    Reference:
        ITU-R BT.601 for the luma.
    """
    settings = (value_range, y_channel, crop_border)
    return _each(_psnr, images, references, *settings)


def ssim(
    images: np.ndarray,
    references: np.ndarray,
    value_range: tuple[float, float],
    y_channel: bool = False,
    crop_border: int = 0,
) -> np.ndarray | float:
    """Structural similarity.

    The mean, over the windows inside an image and over its channels, of

    (2 m_x m_y + C1)(2 s_xy + C2) / ((m_x^2 + m_y^2 + C1)(s_x^2 + s_y^2 + C2))

    with means m, variances s^2 and covariance s_xy under a Gaussian window of
    11 x 11 pixels and deviation 1.5, C1 = (0.01 L)^2, C2 = (0.03 L)^2, L the
    width of the range. In [-1, 1], 1 for equal images alone; higher is better.

    Args:
        images: array `[n, height, width, channels]`, or one image `[height,
            width, channels]`; uint8, or floats. 11 pixels or more a side.
        references: array of the same shape and kind.
        value_range: Tuple `(lo, hi)`: what black and white are, (0, 255) for
            uint8. Values beyond are an error: clip them first, if you mean to.
        y_channel: bool, whether to compare the luma of RGB images alone (see
            `psnr`), with L = 255.
        crop_border: int, pixels left out at each edge.

    Returns:
        float64 array `[n]`; for one image, a float.

    Raises:
        ValueError: shapes, types or range do not fit, values are not finite, or
            images are smaller than the window.

    Example:

    ```python
    rng = np.random.default_rng(0)
    images, references = rng.uniform(size=(2, 4, 16, 16, 3))
    similarity = keras_gans.metrics.ssim(images, references, (0.0, 1.0))  # [4]
    ```

    Reference:
        Wang et al., "Image quality assessment: from error visibility to
        structural similarity", 2004, equation 13,
        https://doi.org/10.1109/TIP.2003.819861
    """
    settings = (value_range, y_channel, crop_border)
    return _each(_ssim, images, references, *settings)


def _psnr(x, y):
    with np.errstate(divide="ignore"):  # equal images: infinite
        return 10 * np.log10(PEAK**2 / np.square(x - y).mean())


def _ssim(x, y):
    if min(x.shape[:2]) < WINDOW:
        raise ValueError(
            f"SSIM needs {WINDOW} x {WINDOW} pixels or more. Received: images "
            f"of {x.shape[0]} x {x.shape[1]} after cropping."
        )
    mx, my, xx, yy, xy = _windowed(np.stack([x, y, x * x, y * y, x * y]))
    c1, c2 = (0.01 * PEAK) ** 2, (0.03 * PEAK) ** 2
    luminance = (2 * mx * my + c1) / (mx**2 + my**2 + c1)
    variances = (xx - mx**2) + (yy - my**2)
    structure = (2 * (xy - mx * my) + c2) / (variances + c2)
    return (luminance * structure).mean()


def _windowed(maps):
    """Gaussian means of maps `[k, height, width, channels]`, inside only."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-np.square(offsets) / (2 * 1.5**2))
    weights /= weights.sum()
    height, width = (size - WINDOW + 1 for size in maps.shape[1:3])
    maps = sum(w * maps[:, i : i + height] for i, w in enumerate(weights))
    return sum(w * maps[:, :, i : i + width] for i, w in enumerate(weights))


def _each(metric, images, references, value_range, y_channel, crop_border):
    """The metric of each pair, of values in [0, 255], or of a single pair."""
    images, references = np.asarray(images), np.asarray(references)
    lo, hi = check_value_range(value_range)
    if images.shape != references.shape:
        raise ValueError(
            "`images` and `references` must have the same shape. Received: "
            f"{images.shape} and {references.shape}."
        )
    if (images.dtype.kind == "f") != (references.dtype.kind == "f"):
        raise ValueError(
            "`images` and `references` must both be floats or both be ints. "
            f"Received: {images.dtype} and {references.dtype}. Scale one as "
            "the other."
        )
    single = images.ndim == 3
    if single:
        images, references = images[None], references[None]
    _check_images("images", images, lo, hi)
    _check_images("references", references, lo, hi)
    if y_channel and images.shape[-1] != 3:
        raise ValueError(
            "The luma is of RGB images. Received: y_channel=True with "
            f"{images.shape[-1]} channels."
        )
    inside = _inside(images.shape, crop_border)

    def prepared(image):
        return _to_255(image[inside], lo, hi, y_channel)

    values = np.array(
        [
            metric(prepared(x), prepared(y))
            for x, y in zip(images, references, strict=True)
        ]
    )
    return float(values[0]) if single else values


def luma_of(images, value_range, crop_border=0):
    """The luma of checked RGB images, or grey as it is.

    Returns:
        `(planes, single)`: a list of float64 `[height, width]` in [0, 255], and
        whether it was one image.
    """
    images = np.asarray(images)
    lo, hi = check_value_range(value_range)
    single = images.ndim == 3
    if single:
        images = images[None]
    _check_images("images", images, lo, hi)
    channels = images.shape[-1]
    if channels not in (1, 3):
        raise ValueError(
            f"The luma is of RGB or grey images. Received: {channels} channels."
        )
    inside = _inside(images.shape, crop_border)
    return [_to_255(x[inside], lo, hi, channels == 3)[..., 0] for x in images], single


def _to_255(image, lo, hi, y_channel):
    image = (image.astype(np.float64) - lo) * (PEAK / (hi - lo))
    return 16 + image @ BT601[:, None] / PEAK if y_channel else image


def check_value_range(value_range):
    pair = isinstance(value_range, (tuple, list)) and len(value_range) == 2
    if (
        not pair
        or not all(is_number(v) and np.isfinite(v) for v in value_range)
        or value_range[0] >= value_range[1]
    ):
        raise ValueError(
            "`value_range` must be a tuple (lo, hi) of numbers, lo < hi, e.g. "
            f"(0, 255) or (-1.0, 1.0). Received: {value_range!r}."
        )
    return float(value_range[0]), float(value_range[1])


def _check_images(name, images, lo, hi):
    if images.ndim != 4 or images.size == 0 or images.shape[-1] > 4:
        raise ValueError(
            f"`{name}` must be images [n, height, width, channels] or one "
            "[height, width, channels], of 1 to 4 channels. Received: shape "
            f"{images.shape}. Grey images need a channel: images[..., None]."
        )
    if images.dtype.kind not in "fiu":
        raise ValueError(
            f"`{name}` must be an array of real numbers. Received: dtype "
            f"{images.dtype}."
        )
    if images.dtype == np.uint8 and (lo, hi) != (0.0, 255.0):
        raise ValueError(
            f"`{name}` are uint8, of the range (0, 255). Received: value_range="
            f"({lo:g}, {hi:g}). Pass value_range=(0, 255), or scale the images."
        )
    finite = np.isfinite(images).all(axis=(1, 2, 3))
    if not finite.all():
        raise ValueError(
            f"`{name}` must be finite. Received: NaN or infinity, first in "
            f"image {int(finite.argmin())}."
        )
    low, high = float(images.min()), float(images.max())
    rounding = 1e-6 * (hi - lo)
    if low < lo - rounding or high > hi + rounding:
        raise ValueError(
            f"`{name}` must lie in value_range=({lo:g}, {hi:g}). Received: "
            f"values from {low:g} to {high:g}. Pass the range they have, or "
            "clip them: np.clip(images, lo, hi)."
        )


def _inside(shape, border):
    height, width = shape[1:3]
    if not is_int(border) or not 0 <= 2 * border < min(height, width):
        raise ValueError(
            "`crop_border` must be an int, 0 or more, that leaves some pixels. "
            f"Received: crop_border={border!r} of images {height} x {width}."
        )
    return slice(border, height - border), slice(border, width - border)
