"""Rectifiers that gradient penalties pass through once."""

import keras

from keras_gans.engine import kernels


@keras.saving.register_keras_serializable("keras_gans")
class ReLU(keras.layers.ReLU):
    """`keras.layers.ReLU`, whose second derivative is left out, not zeros.

    TensorFlow differentiates the gradient of a rectifier with respect to its
    input as well: a map of zeros, which then goes back through every layer
    before it. Here the gradient is not connected to the input: where nothing
    else connects them, `tape.gradient` of a gradient gives `None`.

    Args:
        **kwargs: arguments of `keras.layers.ReLU`.

    Example:

    ```python
    keras_gans.layers.ReLU()(np.array([-1.0, 2.0]))  # [0, 2]
    ```
    """

    def call(self, inputs):
        if self.max_value is None and self.threshold == 0:
            return kernels.rectified(inputs, self.negative_slope)
        return super().call(inputs)


@keras.saving.register_keras_serializable("keras_gans")
class LeakyReLU(keras.layers.LeakyReLU):
    """`keras.layers.LeakyReLU`, as `ReLU` is.

    Args:
        *args: arguments of `keras.layers.LeakyReLU`.
        **kwargs: the same.

    Example:

    ```python
    keras_gans.layers.LeakyReLU(0.2)(np.array([-1.0, 2.0]))  # [-0.2, 2]
    ```
    """

    def call(self, inputs):
        return kernels.rectified(inputs, self.negative_slope)
