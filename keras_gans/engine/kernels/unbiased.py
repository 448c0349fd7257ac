"""Batch norm whose moving variance is unbiased, as PyTorch's."""

import keras
from keras import ops
import numpy as np

from keras_gans.engine import keras_internals
from keras_gans.engine.replicas import count


def unbias_moving_variance(network: keras.Layer) -> None:
    """Lets the moving variances of a network follow n / (n - 1) of a batch's.

    n is how many values a channel has in the whole batch. In training nothing
    else differs; in evaluation a small batch of small maps does.

    Args:
        network: `keras.Model` or any other layer.
    """
    for layer in keras_internals.flatten_layers(network):
        if isinstance(layer, keras.layers.BatchNormalization):
            _bind(layer)


def _bind(layer):
    inner = layer.call

    def call(inputs, training=None, mask=None):
        moving = layer.moving_variance
        kept = layer.momentum * ops.cast(moving.value, "float32")
        y = inner(inputs, training=training, mask=mask)
        if training and layer.trainable:
            axes = np.delete(np.arange(len(inputs.shape)), layer.axis)
            shape = ops.shape(inputs)
            n = count()
            for axis in axes:
                n = n * ops.cast(shape[int(axis)], "float32")
            new = ops.cast(moving.value, "float32") - kept
            moving.assign(kept + new * n / ops.maximum(n - 1.0, 1.0))
        return y

    layer.call = call
