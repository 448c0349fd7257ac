"""Dropout whose masks are functions of (seed, call, global row)."""

import math
from typing import Any

import keras
from keras import ops

from keras_gans.engine import rng
from keras_gans.engine.replicas import global_rows


def call(layer: keras.layers.Dropout, inputs: Any, training: bool = False) -> Any:
    """`keras.layers.Dropout` with a mask for every row of the global batch.

    Keras's own draws the same mask on every replica. Where the layer stands is
    kept where Keras keeps it: the state of its seed generator is the seed and
    the count of calls in training.
    """
    if not training or not 0 < layer.rate < 1 or layer.noise_shape is not None:
        return type(layer).call(layer, inputs, training=training)
    seed, calls = ops.unstack(layer.seed_generator.next(), 2)
    columns = math.prod(ops.shape(inputs)[1:])
    words = (seed, "dropout", calls)
    u = rng.uniform(words, global_rows(ops.shape(inputs)[0]), columns)
    kept = ops.reshape(u, ops.shape(inputs)) >= layer.rate
    scaled = inputs / ops.cast(1.0 - layer.rate, inputs.dtype)
    return ops.where(kept, scaled, ops.zeros_like(scaled))
