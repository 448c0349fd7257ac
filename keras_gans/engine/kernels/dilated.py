"""Dilated convolutions over time, as one operation.

TensorFlow splits a sequence into every d-th step of it, as rows of a larger batch,
and puts the results together again. oneDNN computes them without these copies.
"""

from typing import Any

import keras
from keras import ops
import tensorflow as tf

from keras_gans.engine.kernels import choice


def call(layer: keras.layers.Conv1D, inputs: Any) -> Any:
    """`keras.layers.Conv1D`."""
    if not choice.joins_steps(layer, inputs):
        return type(layer).call(layer, inputs)
    y = tf.nn.conv2d(
        ops.expand_dims(inputs, 1),
        ops.expand_dims(layer.kernel, 0),
        strides=1,
        padding=layer.padding.upper(),
        dilations=(1, *layer.dilation_rate),
    )
    y = ops.squeeze(y, 1)
    if layer.use_bias:
        y = ops.add(y, layer.bias)
    return y if layer.activation is None else layer.activation(y)
