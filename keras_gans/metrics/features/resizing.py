"""How images come to the size that a feature network takes.

Scores made with different modes do not compare: it alone moves FID by several
points. So each score names its mode.
"""

from concurrent import futures
import os

import numpy as np
from PIL import Image

from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Size
from keras_gans.utils.validation import check_size

MOST = 64  # images that Pillow sees as one


def resize(images: np.ndarray, size: Size, mode: str) -> np.ndarray:
    """Resizes a batch of images for a feature network.

    - "clean": bicubic (a = -0.5) with antialiasing, on float32, one channel at
      a time, clipped to 0..255; Pillow's, as clean-fid has it.
    - "legacy_tensorflow": bilinear between the pixels at i * (input size /
      output size), as in TensorFlow 1, without antialiasing. The Inception
      graph of FID does this by itself.
    - "legacy_torch": bilinear between the pixels at (i + 1/2) * (input size /
      output size) - 1/2, as PyTorch's `interpolate` with `align_corners=False`,
      without antialiasing.

    Args:
        images: uint8 or float array `[n, height, width, channels]` in 0..255,
            or a list of n such images of one shape and dtype.
        size: int, or `(height, width)`.
        mode: str, one of "clean", "legacy_tensorflow" and "legacy_torch".

    Returns:
        float32 array `[n, *size, channels]` in 0..255, not rounded.

    Raises:
        ValueError: the mode is unknown, images differ in shape or dtype, or
            are not in 0..255, or a size is not positive.

    Example:

    ```python
    from keras_gans.metrics.features.resizing import resize

    images = np.random.randint(0, 256, (4, 32, 32, 3), "uint8")
    resize(images, 299, "clean").shape  # (4, 299, 299, 3)
    ```

    Reference:
        https://arxiv.org/abs/2104.11222, section 3
    """
    if mode not in _RESIZES:
        raise ValueError(
            f"`mode` must be one of {', '.join(map(repr, MODES))}. Received: "
            f"mode={mode!r}.{hint(mode, MODES)}"
        )
    height, width = _height_width(size)
    x = _checked(images).astype(np.float32)
    if x.shape[1:3] == (height, width):
        return x
    return _RESIZES[mode](x, height, width)


def _clean(x, height, width):
    resized = np.empty((len(x), height, width, x.shape[3]), np.float32)
    # Pillow works outside of Python's lock: a share of the images a core.
    cores = os.cpu_count() or 1
    count = min(-(-len(x) // cores), MOST)
    shares = [slice(i, i + count) for i in range(0, len(x), count)]

    def resize_share(share):
        # bicubic overshoots at edges
        _bicubic(x[share], height, width).clip(0, 255, out=resized[share])

    with futures.ThreadPoolExecutor(cores) as pool:
        list(pool.map(resize_share, shares))
    return resized


def _bicubic(x, height, width):
    """Pillow's two passes, each over all images as if they were one.

    Its work for a small plane is less than that of handing it over.
    """
    n, rows, columns, channels = x.shape
    planes = x.transpose(1, 0, 3, 2).reshape(-1, columns)
    planes = _resized(planes, len(planes), width).reshape(rows, -1)
    planes = _resized(planes, height, planes.shape[1])
    return planes.reshape(height, n, channels, width).transpose(1, 0, 3, 2)


def _resized(plane, height, width):
    image = Image.fromarray(plane)
    return np.asarray(image.resize((width, height), Image.Resampling.BICUBIC))


def _legacy_tensorflow(x, height, width):
    return _bilinear(x, height, width, lambda i, scale: i * scale)


def _legacy_torch(x, height, width):
    return _bilinear(x, height, width, _between_centres)


def _between_centres(i, scale):
    # PyTorch rounds once, after both steps.
    at = (i + 0.5).astype(np.float64) * scale - 0.5
    return np.maximum(at, 0).astype(np.float32)


_RESIZES = {
    "clean": _clean,
    "legacy_tensorflow": _legacy_tensorflow,
    "legacy_torch": _legacy_torch,
}
MODES = tuple(_RESIZES)


def _bilinear(x, height, width, position):
    """Interpolates at `position` (i, scale), in float32 as the references."""
    for axis, size in ((2, width), (1, height)):
        pixels = x.shape[axis]
        scale = np.float32(pixels / size)
        at = position(np.arange(size, dtype=np.float32), scale)
        before = np.minimum(np.floor(at), pixels - 1).astype(int)
        after = np.minimum(before + 1, pixels - 1)
        share = (at - before).astype(np.float32)
        share = np.expand_dims(share, [a for a in range(4) if a != axis])
        left = x.take(before, axis)
        x = left + (x.take(after, axis) - left) * share
    return x


# --- Bad input ---


def _height_width(size):
    if isinstance(size, (int, np.integer)):
        size = (size, size)
    if not isinstance(size, (tuple, list)) or len(size) != 2:
        raise ValueError(
            f"`size` must be an int or (height, width). Received: size={size}."
        )
    height, width = size
    return check_size("height", height), check_size("width", width)


def _checked(images):
    """The images as one array, of numbers in 0..255."""
    x = _stacked(images)
    if x.ndim != 4 or 0 in x.shape:
        raise ValueError(
            "`images` must have shape [n, height, width, channels], none of "
            f"them 0. Received: shape {x.shape}."
        )
    if x.dtype == np.uint8:
        return x
    if x.dtype.kind != "f":
        raise ValueError(
            "`images` must be uint8 or floats in 0..255. Received: dtype "
            f"{x.dtype}. Convert them with `astype`."
        )
    low, high = x.min(), x.max()
    if not (low >= 0 and high <= 255):  # NaN, too
        raise ValueError(
            "`images` of floats must be in 0..255. Received: values from "
            f"{low} to {high}. Images in [-1, 1] come there by "
            "`(images + 1) * 127.5`."
        )
    return x


def _stacked(images):
    if not isinstance(images, (list, tuple)):
        return np.asarray(images)
    images = [np.asarray(image) for image in images]
    for i, image in enumerate(images):
        if (image.shape, image.dtype) != (images[0].shape, images[0].dtype):
            raise ValueError(
                "`images` must have one shape and dtype. Received: image 0 of "
                f"shape {images[0].shape} and {images[0].dtype}, and image {i} "
                f"of shape {image.shape} and {image.dtype}."
            )
    return np.stack(images) if images else np.empty(0)
