"""Convolutions over time by oneDNN, as rows of one convolution.

For a dilated one, TensorFlow splits a sequence into every d-th step of it, as rows of
a larger batch, and puts the results together again: oneDNN needs no such copies. And
it computes rows of a batch in parallel, but a row by one core where maps are wide: a
sequence alone is cut into parts that overlap.
"""

from typing import Any

import keras
from keras import ops
import tensorflow as tf

from keras_gans.engine.kernels import choice


def call(layer: keras.layers.Conv1D, inputs: Any) -> Any:
    """`keras.layers.Conv1D`."""
    parts = choice.parts(layer, inputs)
    if not parts:
        return type(layer).call(layer, inputs)
    y = _convolved(layer, inputs, parts)
    if layer.use_bias:
        y = ops.add(y, layer.bias)
    return y if layer.activation is None else layer.activation(y)


def _convolved(layer, x, parts):
    kernel = ops.expand_dims(layer.kernel, 0)
    padding, dilations = layer.padding.upper(), (1, *layer.dilation_rate)
    if parts == 1:
        x = ops.expand_dims(x, 1)
        y = tf.nn.conv2d(x, kernel, 1, padding, dilations=dilations)
        return ops.squeeze(y, 1)
    reach = choice.reach(layer)
    before = reach // 2 if padding == "SAME" else 0
    steps = x.shape[1] - (0 if padding == "SAME" else reach)
    length = -(-steps // parts)
    after = parts * length + reach - before - x.shape[1]
    x = ops.pad(x, ((0, 0), (before, after), (0, 0)))
    cut = [x[:, i * length : (i + 1) * length + reach] for i in range(parts)]
    rows = ops.concatenate(cut)[:, None]
    y = tf.nn.conv2d(rows, kernel, 1, "VALID", dilations=dilations)
    return ops.reshape(y, (1, parts * length, y.shape[-1]))[:, :steps]
