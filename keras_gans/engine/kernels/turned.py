"""Convolutions along the first axis of narrow maps, computed along the second.

oneDNN computes several pixels of a row at once. Maps of a discriminator of periods
have rows of few pixels, those of a waveform one: turned, their columns are rows.
"""

from typing import Any

import keras
from keras import ops

from keras_gans.engine.kernels import choice, grouped
from keras_gans.engine.kernels.form import Form


def convolve(layer: keras.layers.Conv2D, x: Any, kernel: Any) -> Any:
    """Maps of a `Conv2D` whose kernel has one column, before its bias.

    Args:
        layer: `Conv2D`, channels last.
        x: `[n, height, width, channels]`.
        kernel: `[k, 1, c, f]`.
    """
    form = Form(
        layer.kernel_size[::-1],
        layer.strides[::-1],
        layer.padding,
        dilation_rate=layer.dilation_rate[::-1],
        groups=layer.groups,
    )
    x, kernel = ops.swapaxes(x, 1, 2), ops.swapaxes(kernel, 0, 1)
    if choice.joins_groups(form):
        y = grouped.convolve(form, x, kernel)
    else:
        y = ops.conv(
            x,
            kernel,
            strides=form.strides,
            padding=form.padding,
            data_format=form.data_format,
            dilation_rate=form.dilation_rate,
        )
    return ops.swapaxes(y, 1, 2)
