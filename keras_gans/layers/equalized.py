"""Layers whose weights are scaled where they are used, not where they start."""

import math

import keras
from keras import ops

from keras_gans.engine.convolutions import Convolving
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_number, within


class Equalized(keras.layers.Layer):
    """The base of layers with an equalized learning rate.

    A kernel starts from N(0, 1) / `rate`, and is multiplied by
    `rate / sqrt(fan_in)` whenever it is used: Adam, whose steps do not depend on
    the scale, then learns as fast in layers of any width.

    Args:
        units: int, outputs.
        rate: float above 0, by which kernel and bias are multiplied: learning
            rates of this layer are as many times those of others.
        use_bias: bool.
        bias: float, what the biases start from.
        **kwargs: arguments of `keras.layers.Layer`.

    Raises:
        ValueError: an argument is out of its range.

    Reference:
        https://arxiv.org/abs/1710.10196, section 4.1
    """

    def __init__(
        self,
        units: int,
        rate: float = 1.0,
        use_bias: bool = True,
        bias: float = 0.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.units = check_size("units", units)
        ok = is_number(rate) and 0 < rate < math.inf
        self.rate = within("rate", rate, ok, "(0, inf)")
        self.use_bias = within(
            "use_bias", use_bias, isinstance(use_bias, bool), "True, False"
        )
        ok = is_number(bias) and math.isfinite(bias)
        self.initial_bias = within("bias", bias, ok, "finite numbers")

    def add_kernel(self, shape: tuple[int, ...]) -> None:
        """Makes kernel and bias of a shape whose last axis are outputs."""
        self.gain = self.rate / math.sqrt(math.prod(shape[:-1]))
        self.kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=keras.initializers.RandomNormal(0.0, 1.0 / self.rate),
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(self.units,),
                initializer=keras.initializers.Constant(self.initial_bias / self.rate),
            )

    def scaled_kernel(self) -> Tensor:
        """The kernel as it is used."""
        return ops.multiply(self.kernel, self.gain)

    def biased(self, y: Tensor) -> Tensor:
        """`y` and the biases."""
        return y if self.bias is None else y + self.bias * self.rate

    def get_config(self) -> dict:
        config = {
            "units": self.units,
            "rate": self.rate,
            "use_bias": self.use_bias,
            "bias": self.initial_bias,
        }
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable("keras_gans")
class EqualizedDense(Equalized):
    """A dense layer with an equalized learning rate; see `Equalized`.

    Args:
        units: int, outputs.
        rate: float above 0, as of `Equalized`.
        use_bias: bool.
        bias: float, what the biases start from.
        **kwargs: arguments of `keras.layers.Layer`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    layer = keras_gans.layers.EqualizedDense(8, rate=0.01)
    layer(np.ones((2, 4), "float32")).shape  # (2, 8)
    ```

    Reference:
        https://arxiv.org/abs/1710.10196, section 4.1
    """

    def build(self, input_shape: tuple) -> None:
        self.add_kernel((input_shape[-1], self.units))

    def call(self, inputs: Tensor) -> Tensor:
        return self.biased(ops.matmul(inputs, self.scaled_kernel()))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.units)


@keras.saving.register_keras_serializable("keras_gans")
class EqualizedConv2D(Equalized, Convolving):
    """A convolution with an equalized learning rate; see `Equalized`.

    Args:
        units: int, filters.
        kernel_size: int.
        strides: int.
        padding: "same" or "valid".
        **kwargs: arguments of `Equalized`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    layer = keras_gans.layers.EqualizedConv2D(8, 3, padding="same")
    layer(np.ones((2, 4, 4, 3), "float32")).shape  # (2, 4, 4, 8)
    ```

    Reference:
        https://arxiv.org/abs/1710.10196, section 4.1
    """

    def __init__(
        self,
        units: int,
        kernel_size: int,
        strides: int = 1,
        padding: str = "same",
        **kwargs,
    ):
        super().__init__(units, **kwargs)
        self.kernel_size = check_size("kernel_size", kernel_size)
        self.strides = check_size("strides", strides)
        ok = padding in ("same", "valid")
        self.padding = within("padding", padding, ok, "'same', 'valid'")

    def build(self, input_shape: tuple) -> None:
        size = (self.kernel_size, self.kernel_size)
        self.add_kernel((*size, input_shape[-1], self.units))

    def call(self, inputs: Tensor) -> Tensor:
        kernel = self.scaled_kernel()
        return self.biased(self.convolve(inputs, kernel, self.strides, self.padding))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        taken = self.kernel_size - 1 if self.padding == "valid" else 0
        sides = [
            None if side is None else -(-(side - taken) // self.strides)
            for side in input_shape[1:3]
        ]
        return (input_shape[0], *sides, self.units)

    def get_config(self) -> dict:
        config = {
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
        }
        return {**super().get_config(), **config}
