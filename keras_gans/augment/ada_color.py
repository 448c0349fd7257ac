"""The colour part of ADA: an affine map of (red, green, blue)."""

import math

from keras import ops
import numpy as np

from keras_gans.utils.types import Tensor


def recolor(
    images: Tensor,
    brightness: Tensor,
    contrast: Tensor,
    lumaflip: Tensor,
    hue: Tensor,
    saturation: Tensor,
) -> Tensor:
    """Pictures of other colours, by transformations in the order of arguments.

    Grey is treated as red, green and blue alike. A second or fourth channel is
    alpha, and stays.

    Args:
        images: float32 `[n, height, width, 1 to 4]`.
        brightness: `[n]`, is added.
        contrast: `[n]`, a factor.
        lumaflip: `[n]`, 1 to mirror the luma, else 0.
        hue: `[n]`, an angle about the axis of luma.
        saturation: `[n]`, a factor of what differs from luma.

    Returns:
        float32 tensor of the shape of `images`.
    """
    # The axis of luma is (1, 1, 1) / sqrt(3): all maps here leave it in place.
    # Along it colours are multiplied, across it turned and multiplied.
    shape = (-1, 1, 1, 1)
    along = ops.reshape(contrast * (1.0 - 2.0 * lumaflip), shape)
    bias = ops.reshape(brightness, shape) * along
    _, height, width, channels = images.shape
    alpha = images[..., channels - 1 :] if channels % 2 == 0 else None
    if channels < 3:
        y = images[..., :1] * along + bias
    else:
        luma = np.full((3, 3), 1 / 3, "float32")
        # The cross product with the axis, as a matrix on the right of rows.
        turned = np.array([[0, 1, -1], [-1, 0, 1], [1, -1, 0]]) / math.sqrt(3)
        across = contrast * saturation
        matrix = sum(
            ops.reshape(factor, (-1, 1, 1)) * part.astype("float32")
            for factor, part in (
                (along, luma),
                (across * ops.cos(hue), np.eye(3) - luma),
                (across * ops.sin(hue), turned),
            )
        )
        rgb = ops.reshape(images[..., :3], (-1, height * width, 3))
        y = ops.reshape(ops.matmul(rgb, matrix), (-1, height, width, 3)) + bias
    return y if alpha is None else ops.concatenate([y, alpha], axis=-1)
