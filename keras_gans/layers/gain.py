"""Gain: maps times one number that is learned."""

import keras
from keras import ops

from keras_gans.utils.types import Tensor


@keras.saving.register_keras_serializable("keras_gans")
class Gain(keras.layers.Layer):
    """`gain * x`, from a gain of 0: a residual branch that starts switched off.

    Example:

    ```python
    from keras_gans.layers.gain import Gain

    Gain()(np.ones((2, 4, 4, 3))).shape  # (2, 4, 4, 3), all 0
    ```
    """

    def build(self, input_shape: tuple) -> None:
        self.gain = self.add_weight(name="gain", shape=(1,), initializer="zeros")

    def call(self, x: Tensor) -> Tensor:
        return x * ops.cast(self.gain, x.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape
