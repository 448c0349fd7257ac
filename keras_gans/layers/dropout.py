"""Dropout whose masks are functions of (seed, call, global row)."""

import math

import keras
from keras import ops

from keras_gans.engine import draws
from keras_gans.engine import global_rows


@keras.saving.register_keras_serializable("keras_gans")
class Dropout(keras.layers.Layer):
    """Dropout with a mask of its own for every row of the global batch.

    `keras.layers.Dropout` draws the same mask on every replica, and Keras does
    not save where its generator stands. Here the mask follows from the seed,
    the count of calls in training (a saved weight) and the row.

    Args:
        rate: float in [0, 1), the share of inputs set to 0; the others are
            multiplied by `1 / (1 - rate)`.
        seed: int in [0, 2**31). Give each layer of a network its own.
        **kwargs: arguments of `keras.layers.Layer`.

    Raises:
        ValueError: `rate` is out of range.

    Example:

    ```python
    x = keras_gans.layers.Dropout(0.5)(keras.ops.ones((2, 8)), training=True)
    ```

    Reference:
        https://arxiv.org/abs/1207.0580
    """

    def __init__(self, rate, seed=0, **kwargs):
        if not 0 <= rate < 1:
            raise ValueError(f"`rate` must lie in [0, 1). Received: {rate}.")
        super().__init__(**kwargs)
        self.rate = rate
        self.seed = seed
        self.supports_masking = True

    def build(self, input_shape):
        self.calls = self.add_weight(
            name="calls",
            dtype="int32",
            initializer="zeros",
            trainable=False,
            aggregation="only_first_replica",
        )

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        columns = math.prod(ops.shape(inputs)[1:])
        n = ops.shape(inputs)[0]
        u = draws.uniform(
            (self.seed, draws.DROPOUT, self.calls.value),
            global_rows(n),
            columns,
        )
        self.calls.assign_add(1)
        kept = ops.reshape(u, ops.shape(inputs)) >= self.rate
        scaled = inputs / ops.cast(1.0 - self.rate, inputs.dtype)
        return ops.where(kept, scaled, ops.zeros_like(scaled))

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
