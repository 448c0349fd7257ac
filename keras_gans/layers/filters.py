"""Filters of finite impulse response: their design, and resampling by them.

A filter is an array: of one axis, for rows and columns alike, or of two. It is
applied as a product with a banded Toeplitz matrix, a block of rows at a time.
Only TensorFlow's convolutions for each channel are faster on CPUs, and only
where they thin a map out (docs/stylegan3.md has figures).
"""

import math

import keras
from keras import ops
import numpy as np

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_int

BLOCK = 128  # the most pixels that a product makes along an axis
RANK = 1e-7  # the share of the largest singular value below which one is left out


def low_pass(
    taps: int, cutoff: float, width: float, rate: float, radial: bool = False
) -> np.ndarray:
    """A low-pass filter: an ideal one, in a Kaiser window.

    The window's beta is what Kaiser's formulas give for a transition band of
    `width`. Along one axis the ideal filter is a sinc. The radially symmetric
    one is a jinc, J1(2 pi f_c r) / r, and treats all directions alike.

    Args:
        taps: int.
        cutoff: float, the frequency f_c, above which nothing passes.
        width: float, of the transition band around it.
        rate: float, samples in a unit of length.
        radial: bool, whether the filter is radially symmetric.

    Returns:
        float64 `[taps]`, or `[taps, taps]` if radial, of sum 1.

    Example:

    ```python
    from keras_gans.layers.filters import low_pass

    low_pass(12, cutoff=2.0, width=12.0, rate=32.0).shape  # (12,)
    ```

    Reference:
        https://arxiv.org/abs/2106.12423, appendix C.1
    """
    attenuation = 2.285 * (taps - 1) * math.pi * 2 * width / rate + 7.95
    if attenuation > 50:
        beta = 0.1102 * (attenuation - 8.7)
    else:
        above = max(attenuation - 21, 0.0)
        beta = 0.5842 * above**0.4 + 0.07886 * above
    window = np.kaiser(taps, beta)
    x = (np.arange(taps) - (taps - 1) / 2) / rate
    if radial:
        r = np.hypot(x[:, None], x)
        # Of odd filters, the limit in the middle.
        r[r == 0] = 1e-9
        ideal = _bessel(2 * math.pi * cutoff * r) / r * np.outer(window, window)
    else:
        ideal = np.sinc(2 * cutoff * x) * window
    return ideal / ideal.sum()


def _bessel(x):
    """J1(x), by its integral: exact to rounding, as its integrand is periodic."""
    angle = (np.arange(256) + 0.5) * math.pi / 256
    return np.cos(angle - x[..., None] * np.sin(angle)).mean(axis=-1)


def resampled(
    x: Tensor,
    filter: np.ndarray,
    up: int | tuple[int, int] = 1,
    down: int | tuple[int, int] = 1,
    padding: tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = (0, 0),
) -> Tensor:
    """Maps with zeros between pixels, padded, filtered, and thinned out.

    `up - 1` zeros follow each pixel, then the map is padded (or cropped, by
    negative numbers), convolved with the filter, and every `down`-th pixel is
    kept.

    Args:
        x: float tensor `[n, height, width, channels]`.
        filter: array `[taps]`, for both axes, or `[taps, taps]`.
        up: int, or a pair of ints of height and width.
        down: int, or a pair.
        padding: tuple (before, after), or a pair of such.

    Returns:
        `[n, h, w, channels]` with
        `h = (height up + before + after - taps) // down + 1`, and w alike.

    Raises:
        ValueError: the filter is larger than the map.

    Example:

    ```python
    from keras_gans.layers.filters import resampled

    filter = np.array([1, 3, 3, 1]) / 4
    resampled(np.ones((2, 4, 4, 3), "float32"), filter, 2, 1, (2, 1)).shape
    # (2, 8, 8, 3)
    ```
    """
    y = resampled_across(x, filter, up, down, padding)
    return ops.transpose(y, (0, 2, 1, 3))


def resampled_across(
    x: Tensor,
    filter: np.ndarray,
    up: int | tuple[int, int] = 1,
    down: int | tuple[int, int] = 1,
    padding: tuple[int, int] | tuple[tuple[int, int], tuple[int, int]] = (0, 0),
) -> Tensor:
    """`resampled` with height and width swapped: twice, they are in order.

    Products are along the first of both axes, so one pass over the memory
    between them is enough.
    """
    ups, downs = ((k, k) if is_int(k) else k for k in (up, down))
    pads = (padding, padding) if is_int(padding[0]) else tuple(padding)
    filter = np.asarray(filter, "float64")
    rows, columns = _separable(filter)
    height, width = x.shape[1:3]
    sides = [
        (side * ups[i] + sum(pads[i]) - taps) // downs[i] + 1
        for i, side, taps in ((0, height, rows.shape[1]), (1, width, columns.shape[1]))
    ]
    if min(sides) < 1:
        raise ValueError(
            f"The filter has {rows.shape[1]} x {columns.shape[1]} taps. Received: a "
            f"map of {height} x {width} pixels, padded by {pads}: it is smaller."
        )
    alike = pads == ((0, 0), (0, 0)) and downs[0] == downs[1]
    if keras.backend.backend() == "tensorflow" and ups == (1, 1) and alike:
        return _thinned_across(x, filter, downs[0])
    return _by_products(x, (rows, columns), ups, downs, pads, sides)


def _by_products(x, filters, ups, downs, pads, sides):
    """`resampled_across` by filters of rows and of columns, to `sides`."""
    rows, columns = filters
    rank = len(rows)
    _, _, width, channels = x.shape
    first, frames = _framed(x, rows, ups[0], downs[0], pads[0][0], sides[0])
    count, size = frames.shape[1:3]
    frames = ops.reshape(frames, (-1, count, size, width * channels))
    block = first.shape[1]
    # [n, count, (rank, block), (width, channels)]
    y = ops.matmul(_constant(first.reshape(rank * block, size), x), frames)
    y = ops.reshape(y, (-1, count, rank, block, width, channels))
    y = ops.transpose(y, (0, 4, 2, 1, 3, 5))
    y = ops.reshape(y, (-1, width, rank, count * block, channels))
    if y.shape[3] > sides[0]:
        y = y[:, :, :, : sides[0]]
    second, frames = _framed(y, columns, ups[1], downs[1], pads[1][0], sides[1])
    count, size = frames.shape[1:3]
    frames = ops.reshape(frames, (-1, count, size * rank, sides[0] * channels))
    block = second.shape[1]
    second = np.moveaxis(second, 0, -1).reshape(block, size * rank)
    y = ops.matmul(_constant(second, x), frames)
    y = ops.reshape(y, (-1, count * block, sides[0], channels))
    return y if y.shape[1] == sides[1] else y[:, : sides[1]]


def _thinned_across(x, filter, down):
    """The same by a convolution for each channel, without zeros or padding."""
    if filter.ndim == 1:
        filter = np.outer(filter, filter)
    kernel = np.broadcast_to(
        filter[::-1, ::-1, None, None], (*filter.shape, x.shape[-1], 1)
    )
    y = ops.depthwise_conv(
        x, _constant(kernel, x), down, "valid", data_format="channels_last"
    )
    return ops.transpose(y, (0, 2, 1, 3))


def _constant(matrix, x):
    return ops.convert_to_tensor(matrix.astype("float32"), dtype=x.dtype)


def _separable(filter):
    """Filters of rows and of columns, whose outer products add up to `filter`."""
    if filter.ndim == 1:
        return filter[None], filter[None]
    u, values, v = np.linalg.svd(filter)
    kept = values > RANK * values[0]
    roots = np.sqrt(values[kept])[:, None]
    return roots * u.T[kept], roots * v[kept]


def _framed(x, filters, up, down, before, new_side):
    """Frames of `x` along its axis 1, and the matrices of a frame to a block.

    Args:
        x: tensor `[n, side, ...]`.
        filters: float64 `[rank, taps]`.
        up: int.
        down: int.
        before: int, the padding.
        new_side: int, the side of what comes of it.

    Returns:
        `(matrices, frames)`: float64 `[rank, block, size]`, and
        `[n, count, size, ...]`: the product of both is `[n, count, block, ...]`.
    """
    taps = filters.shape[1]
    # The pattern of the zeros is the same after `period` pixels.
    period = up // math.gcd(up, down)
    block = -(-new_side // -(-new_side // BLOCK))  # all alike: little is cut off
    block += -block % period
    step = block * down // up
    first = -(before // up)
    last = (taps - 1 + (block - 1) * down - before) // up
    size = last - first + 1
    count = -(-new_side // block)
    if count > 1 and size - step > step:  # a frame that reaches over two blocks
        block = new_side + -new_side % period
        count, step = 1, block * down // up
        last = (taps - 1 + (block - 1) * down - before) // up
        size = last - first + 1
    tap = (first + np.arange(size)) * up + before - np.arange(block)[:, None] * down
    inside = (tap >= 0) & (tap < taps)
    matrices = np.where(inside, filters[:, taps - 1 - np.where(inside, tap, 0)], 0.0)
    if count == 1:
        return matrices, _cut(x, first, size)[:, None]
    blocks = _cut(x, first, (count + 1) * step)
    blocks = ops.reshape(blocks, (-1, count + 1, step, *blocks.shape[2:]))
    over = blocks[:, 1:, : size - step]
    return matrices, ops.concatenate([blocks[:, :-1], over], axis=2)


def _cut(x, first, size):
    """`size` pixels from `first` on along axis 1, zeros where there are none."""
    side = x.shape[1]
    before, after = max(0, -first), max(0, first + size - side)
    if first > 0 or first + size < side:
        x = x[:, max(0, first) : min(side, first + size)]
    if before or after:
        x = ops.pad(x, [(0, 0), (before, after), *[(0, 0)] * (len(x.shape) - 2)])
    return x
