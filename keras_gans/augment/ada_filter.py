"""The filter part of ADA: bands of frequencies, amplified."""

import functools

from keras import ops
import numpy as np

from keras_gans.utils.types import Tensor

# The low-pass filter of the wavelet sym2, Daubechies' of four taps.
_ROOT = 3**0.5
SYM2 = np.array([1 - _ROOT, 3 - _ROOT, 3 + _ROOT, 1 + _ROOT]) / (4 * 2**0.5)
POWERS = np.array([10, 1, 1, 1]) / 13  # of bands, in natural pictures
REACH = 21  # of the filter of the lowest band, either way


def amplify(images: Tensor, gains: Tensor) -> Tensor:
    """Pictures whose bands of frequencies are amplified.

    Bands are octaves, the lowest first: up to 1/16, 1/8, 1/4 and 1/2 of the
    sampling rate. Each filter is symmetric, and they add up to the identity.
    Pictures are mirrored on at their sides.

    Args:
        images: float32 `[n, height, width, channels]`, both sides above 21.
        gains: float32 `[n, 4]`, factors.

    Returns:
        float32 tensor of the shape of `images`.
    """
    _, height, width, channels = images.shape
    rows, columns = (_matrices(gains, side) for side in (height, width))
    x = ops.reshape(images, (-1, height, width * channels))
    x = ops.reshape(ops.matmul(rows, x), (-1, height, width, channels))
    # Columns in the place of rows, and back.
    x = ops.reshape(ops.transpose(x, (0, 2, 1, 3)), (-1, width, height * channels))
    x = ops.reshape(ops.matmul(columns, x), (-1, width, height, channels))
    return ops.transpose(x, (0, 2, 1, 3))


def normalized(gains: Tensor) -> Tensor:
    """`gains` of bands, such that a natural picture keeps its power."""
    power = ops.sum(ops.square(gains) * POWERS.astype("float32"), axis=1)
    return gains / ops.sqrt(power)[:, None]


def _matrices(gains, side):
    bands = _bands(side)
    matrices = ops.matmul(gains, bands.reshape(len(bands), -1))
    return ops.reshape(matrices, (-1, side, side))


@functools.cache
def _bands(side):
    """The filters of the bands as matrices on a mirrored row: `[4, side, side]`."""
    filters = np.zeros((4, 2 * REACH + 1))
    for i, taps in enumerate(_filters()):
        middle = len(taps) // 2
        filters[i, REACH - middle : REACH + middle + 1] = taps
    period = 2 * (side - 1)
    source = np.arange(side)[:, None] + np.arange(-REACH, REACH + 1)
    source = np.minimum(source % period, period - source % period)
    bands = np.zeros((4, side, side))
    for row in range(side):
        np.add.at(bands[:, row], (slice(None), source[row]), filters)
    return bands.astype("float32")


def _filters():
    """The band-pass filters H(z) H(1/z) ..., the lowest band first."""
    low = np.convolve(SYM2, SYM2[::-1]) / 2
    high = low * (-1.0) ** (np.arange(len(low)) + 1)
    bands, below = [], np.ones(1)
    for octave in range(3):
        step = 2**octave
        bands.append(np.convolve(below, _spread(high, step)))
        below = np.convolve(below, _spread(low, step))
    return [below, *reversed(bands)]


def _spread(taps, step):
    """Filter taps with zeros in between."""
    spread = np.zeros(step * (len(taps) - 1) + 1)
    spread[::step] = taps
    return spread
