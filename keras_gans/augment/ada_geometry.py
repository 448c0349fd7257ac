"""The geometric part of ADA: one resampling of pictures by an affine map."""

import functools
import math

from keras import ops
import numpy as np

from keras_gans.utils.types import Tensor

# The low-pass filter of the wavelet sym6, `rec_lo` of PyWavelets' tables.
SYM6 = (
    -0.007800708325034148,
    0.0017677118642428036,
    0.04472490177066578,
    -0.021060292512300564,
    -0.07263752278646252,
    0.3379294217276218,
    0.787641141030194,
    0.4910559419267466,
    -0.048311742585633,
    -0.11799011114819057,
    0.0034907120842174702,
    0.015404109327027373,
)
TAPS = len(SYM6)
MARGIN = TAPS // 2 - 1  # what downsampling reads beyond each side


def affine_map(
    flip: Tensor,
    turns: Tensor,
    shift: Tensor,
    scale: Tensor,
    before: Tensor,
    stretch: Tensor,
    after: Tensor,
    move: Tensor,
) -> tuple[Tensor, Tensor]:
    """The inverse of transformations that are applied in the order given.

    Coordinates are (x, y) in pixels from the middle of the picture, y down.

    Args:
        flip: `[n]`, 1 to mirror left and right, else 0.
        turns: `[n]`, a number of quarter turns.
        shift: `[n, 2]`, a translation.
        scale: `[n]`, a factor of both sides.
        before: `[n]`, an angle, before the next.
        stretch: `[n]`, a factor of x; y is divided by it.
        after: `[n]`, an angle.
        move: `[n, 2]`, another translation.

    Returns:
        `(matrix, offset)`, `[n, 2, 2]` and `[n, 2]`: what is seen at v comes
        from `matrix @ v + offset`.
    """
    turn = turns * (math.pi / 2)
    # Rounded: quarter turns are exact.
    cos, sin = ops.round(ops.cos(turn)), ops.round(ops.sin(turn))
    mirror = 1.0 - 2.0 * flip
    whole = _matrix(mirror * cos, -mirror * sin, sin, cos)
    narrow, wide = 1.0 / (scale * stretch), stretch / scale
    cos, sin = ops.cos(before), ops.sin(before)
    part = _matrix(cos * narrow, -sin * wide, sin * narrow, cos * wide)
    cos, sin = ops.cos(after), ops.sin(after)
    part = ops.matmul(part, _matrix(cos, -sin, sin, cos))
    moved = shift + ops.matmul(part, move[..., None])[..., 0]
    offset = -ops.matmul(whole, moved[..., None])[..., 0]
    return ops.matmul(whole, part), offset


def _matrix(*entries):
    return ops.reshape(ops.stack(entries, axis=-1), (-1, 2, 2))


def warp(images: Tensor, matrix: Tensor, offset: Tensor) -> Tensor:
    """Pictures seen through an affine map; outside they are mirrored on.

    They are upsampled twofold by an orthogonal wavelet, looked up bilinearly,
    and downsampled by the same wavelet, so that the identity changes nothing.
    Both filters are products with a matrix for each axis: their gradients are
    others, of any order. The mirrored plane is periodic, so that a period is
    all that has to be made of it, however far a map reaches.

    Args:
        images: float32 `[n, height, width, channels]`.
        matrix: float32 `[n, 2, 2]`.
        offset: float32 `[n, 2]`; see `affine_map`.

    Returns:
        float32 tensor of the shape of `images`.
    """
    _, height, width, channels = images.shape
    rows, columns = _up(height), np.kron(_up(width).T, np.eye(channels))
    x = ops.reshape(images, (-1, height, width * channels))
    x = ops.matmul(rows, x)
    x = ops.matmul(x, columns.astype("float32"))
    x = _look_up(x, matrix, offset, images.shape)
    rows, columns = _down(height), np.kron(_down(width).T, np.eye(channels))
    x = ops.matmul(x, columns.astype("float32"))
    x = ops.matmul(rows, x)
    return ops.reshape(x, (-1, height, width, channels))


def _look_up(x, matrix, offset, shape):
    """Bilinear values at twice the resolution, `MARGIN` beyond each side."""
    _, height, width, channels = shape
    period_y, period_x = 2 * _period(height), 2 * _period(width)
    n = ops.shape(x)[0]
    # The filter has pixel k at 2 k, as nearly as it can: the middle is there.
    across = np.arange(2 * width + 2 * MARGIN, dtype="float32")
    across = across - (MARGIN + width - 1)
    down = np.arange(2 * height + 2 * MARGIN, dtype="float32")
    down = down[:, None] - (MARGIN + height - 1)

    def source(i, side):
        a, b = (matrix[:, i, j][:, None, None] for j in range(2))
        middle = 2.0 * offset[:, i] + (side - 1)
        at = a * across + b * down + middle[:, None, None]
        low = ops.floor(at)
        return ops.cast(low, "int32"), (at - low)[..., None]

    left, share_x = source(0, width)
    top, share_y = source(1, height)
    first = ops.arange(n, dtype="int32")[:, None, None] * (period_y * period_x)

    # One gather of all four corners: its gradient is one scatter.
    places, shares = [], []
    for i, part_y in enumerate((1.0 - share_y, share_y)):
        for j, part_x in enumerate((1.0 - share_x, share_x)):
            row = ops.mod(top + i, period_y)
            places.append(first + row * period_x + ops.mod(left + j, period_x))
            shares.append(part_y * part_x)
    x = ops.reshape(x, (-1, channels))
    corners = ops.take(x, ops.stack(places), axis=0)
    y = ops.sum(corners * ops.stack(shares), axis=0)
    return ops.reshape(y, (-1, len(down), len(across) * channels))


def _period(side):
    """Of a row of pixels that is mirrored at its outer ones."""
    return max(2 * (side - 1), 1)


@functools.cache
def _up(side):
    """The matrix from a row to the period of its upsampled mirror images."""
    period = _period(side)
    up = np.zeros((2 * period, side))
    for j in range(2 * period):
        for t, tap in enumerate(SYM6):
            k, odd = divmod(j - TAPS // 2 + t, 2)
            if not odd:
                k %= period
                up[j, min(k, period - k)] += math.sqrt(2) * tap
    return up.astype("float32")


@functools.cache
def _down(side):
    """The matrix from an upsampled row, with margins, to a row."""
    down = np.zeros((side, 2 * side + 2 * MARGIN))
    for k in range(side):
        for t, tap in enumerate(SYM6):
            down[k, 2 * k + TAPS - 1 - t] += tap / math.sqrt(2)
    return down.astype("float32")
