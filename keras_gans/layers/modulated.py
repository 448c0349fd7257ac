"""What StyleGAN2's generator is made of: modulation, noise, truncation."""

import math

import keras
from keras import ops

from keras_gans.engine import global_rows, rng
from keras_gans.engine.convolutions import Convolving
from keras_gans.layers.plain import Rebuilt
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, within

EPSILON = 1e-8


@keras.saving.register_keras_serializable("keras_gans")
class ModulatedConv2D(Convolving):
    """A convolution whose kernel is scaled for each row.

    Input channel i is scaled by style s_i. With demodulation, each output is
    divided by what that did to its deviation. Scaling maps before and after one
    convolution of all rows gives the same as a kernel for each row. There is no
    bias.

    Args:
        filters: int.
        kernel_size: int.
        upsample: bool, double the size: a transposed convolution of stride 2,
            of which the map has one row and one column more than twice as many;
            the filter after it takes them.
        demodulate: bool.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        A list `[x, styles]`: `[n, height, width, channels]` and `[n, channels]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    layer = keras_gans.layers.ModulatedConv2D(8, 3)
    layer([np.ones((2, 4, 4, 3), "float32"), np.ones((2, 3), "float32")]).shape
    # (2, 4, 4, 8)
    ```

    Reference:
        https://arxiv.org/abs/1912.04958, equations 1 and 3
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int,
        upsample: bool = False,
        demodulate: bool = True,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.filters = check_size("filters", filters)
        self.kernel_size = check_size("kernel_size", kernel_size)
        for name, value in (("upsample", upsample), ("demodulate", demodulate)):
            within(name, value, isinstance(value, bool), "True, False")
        self.upsample = upsample
        self.demodulate = demodulate

    def build(self, input_shape: list) -> None:
        size = (self.kernel_size, self.kernel_size)
        # Of transposed convolutions Keras has (outputs, inputs).
        channels = (input_shape[0][-1], self.filters)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*size, *(channels[::-1] if self.upsample else channels)),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )
        self.gain = 1.0 / math.sqrt(math.prod(size) * channels[0])

    def call(self, inputs: list) -> Tensor:
        x, styles = inputs
        kernel = ops.convert_to_tensor(self.kernel)
        if not self.demodulate:
            styles = styles * self.gain
        elif self.compute_dtype == "float16":
            styles, kernel = self._normalized(styles, kernel)
        x = x * styles[:, None, None, :]
        if self.upsample:
            y = ops.conv_transpose(
                x, kernel, strides=2, padding="valid", data_format="channels_last"
            )
        else:
            y = self.convolve(x, kernel)
        if self.demodulate:
            squares = ops.sum(ops.square(ops.cast(kernel, "float32")), axis=(0, 1))
            if self.upsample:
                squares = ops.transpose(squares)
            total = ops.matmul(ops.square(ops.cast(styles, "float32")), squares)
            y = y * ops.cast(ops.rsqrt(total + EPSILON), y.dtype)[:, None, None, :]
        return y

    def _normalized(self, styles, kernel):
        """Both by their largest: float16 holds the sums, and demodulation undoes it.

        Reference:
            https://arxiv.org/abs/2006.06676, appendix D
        """
        styles = ops.cast(styles, "float32")
        styles = styles / (ops.max(ops.abs(styles), axis=1, keepdims=True) + EPSILON)
        kernel = ops.cast(kernel, "float32")
        axes = (0, 1, 3) if self.upsample else (0, 1, 2)
        most = ops.max(ops.abs(kernel), axis=axes, keepdims=True) + EPSILON
        kernel = kernel * self.gain / most
        return (ops.cast(x, self.compute_dtype) for x in (styles, kernel))

    def compute_output_shape(self, input_shape: list) -> tuple:
        n, height, width, _ = input_shape[0]
        if self.upsample:
            more = max(self.kernel_size - 2, 0)
            height, width = 2 * height + more, 2 * width + more
        return (n, height, width, self.filters)

    def get_config(self) -> dict:
        config = {
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "upsample": self.upsample,
            "demodulate": self.demodulate,
        }
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable("keras_gans")
class NoiseMap(keras.layers.Layer):
    """Adds a map of noise to every channel, by a strength that is learned.

    In training each row gets noise of its own. Otherwise the map is one that was
    drawn once and is part of the weights: samples are a function of their latent
    codes. The strength starts from 0.

    Args:
        random: bool, whether noise is drawn in training.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `[n, height, width, channels]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    layer = keras_gans.layers.NoiseMap()
    layer(np.ones((2, 4, 4, 3), "float32")).shape  # (2, 4, 4, 3)
    ```

    Reference:
        https://arxiv.org/abs/1812.04948, section 2, with one strength for all
        channels (arXiv:1912.04958)
    """

    def __init__(self, random: bool = True, **kwargs):
        super().__init__(**kwargs)
        ok = isinstance(random, bool)
        self.random = within("random", random, ok, "True, False")
        self.seed_generator = keras.random.SeedGenerator() if random else None

    def build(self, input_shape: tuple) -> None:
        self.noise = self.add_weight(
            name="noise",
            shape=tuple(input_shape[1:3]),
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
            trainable=False,
        )
        self.strength = self.add_weight(name="strength", shape=(), initializer="zeros")

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        noise = self.noise[None]
        if training and self.random:
            # As of dropout: of (seed, call, global row).
            seed, calls = ops.unstack(self.seed_generator.next(), 2)
            n, height, width, _ = ops.shape(inputs)
            words = (seed, "noise map", calls)
            noise = rng.normal(words, global_rows(n), height * width)
            noise = ops.reshape(noise, (-1, height, width))
        noise = ops.cast(noise * self.strength, inputs.dtype)
        return inputs + noise[..., None]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "random": self.random}


@keras.saving.register_keras_serializable("keras_gans")
class Bias(keras.layers.Layer):
    """Adds a number that is learned to each channel; it starts from 0.

    Args:
        **kwargs: arguments of `keras.layers.Layer`.

    Example:

    ```python
    keras_gans.layers.Bias()(np.ones((2, 4, 4, 3), "float32")).shape  # (2, 4, 4, 3)
    ```

    Reference:
        https://arxiv.org/abs/1912.04958, figure 2: the b after a convolution
    """

    def build(self, input_shape: tuple) -> None:
        self.bias = self.add_weight(
            name="bias", shape=(input_shape[-1],), initializer="zeros"
        )

    def call(self, inputs: Tensor) -> Tensor:
        return inputs + self.bias

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape


@keras.saving.register_keras_serializable("keras_gans")
class LearnedMap(Rebuilt):
    """The same map for every row of its input, learned from N(0, 1).

    Args:
        shape: tuple of ints, of the map.
        **kwargs: arguments of `keras.layers.Layer`.

    Example:

    ```python
    layer = keras_gans.layers.LearnedMap((4, 4, 8))
    layer(np.ones((2, 16), "float32")).shape  # (2, 4, 4, 8)
    ```

    Reference:
        https://arxiv.org/abs/1812.04948, section 2
    """

    def __init__(self, shape: tuple[int, ...], **kwargs):
        super().__init__(**kwargs)
        self.shape = tuple(check_size("shape", side) for side in shape)

    def build(self, input_shape: tuple) -> None:
        self.map = self.add_weight(
            name="map",
            shape=self.shape,
            initializer=keras.initializers.RandomNormal(0.0, 1.0),
        )

    def call(self, inputs: Tensor) -> Tensor:
        count = ops.shape(inputs)[0]
        return ops.broadcast_to(self.map[None], (count, *self.shape))

    def plain(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        # A graph of Keras has no place for the number of rows.
        zeros = ops.zeros_like(inputs[(slice(None), *[0] * (len(inputs.shape) - 1))])
        return ops.reshape(zeros, (-1, *[1] * len(self.shape))) + self.map

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], *self.shape)

    def get_config(self) -> dict:
        return {**super().get_config(), "shape": self.shape}


@keras.saving.register_keras_serializable("keras_gans")
class Truncation(keras.layers.Layer):
    """Moves intermediate codes w towards their mean, for each layer of them.

    Args:
        layers: int, how many layers take a w.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        A list `[w, psi]`: `[n, d]`, and `[n]` of which 1 leaves w as it is and 0
        makes it the mean.

    Output shape:
        `[n, layers, d]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    layer = keras_gans.layers.Truncation(6)
    layer([np.ones((2, 16), "float32"), np.full(2, 0.7, "float32")]).shape
    # (2, 6, 16)
    ```

    Reference:
        https://arxiv.org/abs/1812.04948, appendix B
    """

    def __init__(self, layers: int, **kwargs):
        super().__init__(**kwargs)
        self.layers = check_size("layers", layers)

    def build(self, input_shape: list) -> None:
        self.mean = self.add_weight(
            name="mean",
            shape=(input_shape[0][-1],),
            initializer="zeros",
            trainable=False,
        )

    def call(self, inputs: list) -> Tensor:
        w, psi = inputs
        w = ops.add(self.mean, psi[:, None] * (w - self.mean))
        return ops.tile(w[:, None, :], (1, self.layers, 1))

    def compute_output_shape(self, input_shape: list) -> tuple:
        n, d = input_shape[0]
        return (n, self.layers, d)

    def get_config(self) -> dict:
        return {**super().get_config(), "layers": self.layers}
