"""Maps of twice or half the size, filtered by [1, 3, 3, 1].

The filter is taken apart into sums of neighbouring rows and columns, or into means
of pairs: [1, 1] with itself, three times. On CPUs both cost a part of what a
convolution for each channel does, whose kernel would also be part of each saved
network. What lies beyond the edge is 0.
"""

from typing import Any

import keras
from keras import ops

AXES = (1, 2)  # height and width of [n, height, width, channels]
# Maps of fewer channels are added up sooner than pooled.
LEAST_CHANNELS = 16


def upsampled(x: Any) -> Any:
    """`x` of twice the size.

    A transposed convolution of stride 2 with the filter [1, 3, 3, 1] / 4 along
    each axis: between a and b it puts (3a + b) / 4 and (a + 3b) / 4.

    Args:
        x: float Keras tensor or tensor `[n, height, width, channels]`.

    Returns:
        `[n, 2 height, 2 width, channels]`.

    Example:

    ```python
    from keras_gans.networks.resampling import upsampled

    upsampled(np.ones((2, 4, 4, 3), "float32")).shape  # (2, 8, 8, 3)
    ```

    Reference:
        https://arxiv.org/abs/1912.04958, section 4; zero insertion and a
        low-pass filter of gain 4
    """
    for axis in AXES:
        side = x.shape[axis]
        padded = _padded(x, axis, 1, 1)
        before, after = _cut(padded, axis, 0, side), _cut(padded, axis, 2, side)
        x = ops.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after], axis + 1)
        shape = [-1, *x.shape[1:]]
        x = ops.reshape(x, [*shape[:axis], 2 * side, *shape[axis + 2 :]])
    return x


def downsampled(x: Any) -> Any:
    """`x` of half the size, rounded down.

    A convolution of stride 2 with the filter [1, 3, 3, 1] / 8 along each axis,
    a zero of padding at each edge.

    Args:
        x: float Keras tensor or tensor `[n, height, width, channels]`, of two
            pixels or more a side.

    Returns:
        `[n, height // 2, width // 2, channels]`.

    Example:

    ```python
    from keras_gans.networks.resampling import downsampled

    downsampled(np.ones((2, 8, 9, 3), "float32")).shape  # (2, 4, 4, 3)
    ```

    Reference:
        https://arxiv.org/abs/1912.04958, section 4
    """
    for axis in AXES:
        half = x.shape[axis] // 2
        # Pixels by their places in pairs: one before the first pair, one after
        # the last.
        pairs = _padded(x, axis, 1, 1 + x.shape[axis] % 2)
        shape = [-1, *pairs.shape[1:]]
        count = pairs.shape[axis] // 2
        pairs = ops.reshape(pairs, [*shape[:axis], count, 2, *shape[axis + 1 :]])
        first, second = ops.unstack(pairs, 2, axis + 1)
        outer = _cut(first, axis, 0, half) + _cut(second, axis, 1, half)
        inner = _cut(second, axis, 0, half) + _cut(first, axis, 1, half)
        x = 0.125 * outer + 0.375 * inner
    return x


def filtered(x: Any, padding: int) -> Any:
    """`x` smoothed by the filter [1, 3, 3, 1] / 8 along each axis.

    Args:
        x: float Keras tensor or tensor `[n, height, width, channels]`.
        padding: int, zeros at each edge: the map has `2 * padding - 3` pixels more
            a side.

    Example:

    ```python
    from keras_gans.networks.resampling import filtered

    filtered(np.ones((2, 8, 8, 3), "float32"), 2).shape  # (2, 9, 9, 3)
    ```

    Reference:
        https://arxiv.org/abs/1904.11486
    """
    if keras.backend.backend() == "tensorflow" and x.shape[-1] >= LEAST_CHANNELS:
        edges = (padding, padding)
        x = ops.pad(x, [(0, 0), edges, edges, (0, 0)])
        for _ in range(3):
            x = ops.average_pool(x, 2, 1, "valid", data_format="channels_last")
        return x
    for axis in AXES:
        side = x.shape[axis] + 2 * padding - 3
        padded = _padded(x, axis, padding, padding)
        a, b, c, d = (_cut(padded, axis, i, side) for i in range(4))
        x = 0.125 * (a + d) + 0.375 * (b + c)
    return x


def _padded(x, axis, before, after):
    pads = [(0, 0)] * 4
    pads[axis] = (before, after)
    return ops.pad(x, pads)


def _cut(x, axis, start, count):
    # The gradient of a split is one concatenation, which CPUs make many times
    # faster than that of a slice.
    side = x.shape[axis]
    ends = [end for end in (start, start + count) if 0 < end < side]
    parts = ops.split(x, ends, axis) if ends else [x]
    return parts[1 if start else 0]
