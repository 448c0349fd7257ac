"""Grouped convolutions by oneDNN, or as dense ones of a few groups each.

Keras gives them to XLA on CPUs, whose gradients are 20 to 40 times slower than those
of dense ones. With oneDNN, TensorFlow's own operation computes them, and its
gradients. Without, it has no gradients: there some groups together are a dense
convolution, whose kernel is 0 between groups.
"""

from typing import Any

import keras
from keras import ops
import numpy as np
import tensorflow as tf

from keras_gans.engine.kernels import choice

# Channels computed together: more are more zeros, fewer more operations.
MOST_CHANNELS = 32


def convolve(layer: keras.layers.Conv2D, x: Any, kernel: Any) -> Any:
    """Maps of a `Conv2D` of groups, before its bias.

    Args:
        layer: `Conv2D`, channels last.
        x: `[n, height, width, groups * c]`.
        kernel: `[k, k, c, groups * f]`.
    """
    if choice.has_groups(x):
        return tf.nn.conv2d(
            x,
            kernel,
            strides=layer.strides,
            padding=layer.padding.upper(),
            dilations=layer.dilation_rate,
        )
    groups, c = layer.groups, kernel.shape[-2]
    f = kernel.shape[-1] // groups
    joined = max(
        n
        for n in range(1, groups + 1)
        if groups % n == 0 and (n == 1 or n * c <= MOST_CHANNELS)
    )
    own = np.kron(np.eye(joined), np.ones((c, f)))
    # The gradient of a split is one concatenation, that of slices a sum of maps
    # of zeros, each as large as `x`.
    count = groups // joined
    parts = zip(ops.split(x, count, -1), ops.split(kernel, count, -1), strict=True)
    convolved = []
    for maps, part in parts:
        part = ops.tile(part, (1, 1, joined, 1)) * ops.cast(own, part.dtype)
        y = ops.conv(
            maps,
            part,
            strides=layer.strides,
            padding=layer.padding,
            data_format=layer.data_format,
            dilation_rate=layer.dilation_rate,
        )
        convolved.append(y)
    return ops.concatenate(convolved, axis=-1)
