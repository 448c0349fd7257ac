"""What StyleGAN3's generator is made of: signals, not pixels."""

import math

import keras
from keras import ops

from keras_gans.layers.filters import low_pass, resampled_across
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_number, within

TAPS = 6  # of a filter, for each pixel of the lower rate


@keras.saving.register_keras_serializable("keras_gans")
class FilteredLeakyReLU(keras.layers.Layer):
    """A leaky ReLU of a continuous signal, of which maps are samples.

    The kink of a ReLU makes frequencies that the pixels cannot hold: they would
    come back as aliases, bound to the pixel grid. So a map is sampled at twice
    the higher of both rates, the ReLU is applied there, times sqrt(2) to keep
    the deviation, and what is above `cutoffs[1]` is filtered out before it is
    sampled at its new rate. Filters are designed, not learned, and not stored.

    Args:
        size: int, the side of the map that it makes.
        rates: tuple of two ints (before, after), pixels in a unit of length;
            twice the larger is a multiple of both.
        cutoffs: tuple of two floats, the highest frequencies before and after.
        widths: tuple of two floats, of the filters' transition bands.
        radial: bool, whether the second filter is radially symmetric.
        slope: float, of the ReLU below 0.
        clamp: float above 0, the largest magnitude after it.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `[n, height, width, channels]`, both sides alike in their borders.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    layer = keras_gans.layers.FilteredLeakyReLU(52, (16, 32), (4.0, 5.0), (8.0, 22.0))
    layer(np.ones((2, 38, 38, 3), "float32")).shape  # (2, 52, 52, 3)
    ```

    Reference:
        https://arxiv.org/abs/2106.12423, section 3 and appendix C
    """

    def __init__(
        self,
        size: int,
        rates: tuple[int, int],
        cutoffs: tuple[float, float],
        widths: tuple[float, float],
        radial: bool = False,
        slope: float = 0.2,
        clamp: float = 256.0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.size = check_size("size", size)
        self.rates = tuple(check_size("rates", rate) for rate in rates)
        for name, pair in (("cutoffs", cutoffs), ("widths", widths)):
            ok = len(pair) == 2 and all(is_number(x) and x > 0 for x in pair)
            within(name, pair, ok, "(0, inf), two of them")
        self.cutoffs, self.widths = tuple(cutoffs), tuple(widths)
        self.radial = within("radial", radial, isinstance(radial, bool), "True, False")
        ok = is_number(slope) and math.isfinite(slope)
        self.slope = within("slope", slope, ok, "finite numbers")
        ok = is_number(clamp) and clamp > 0
        self.clamp = within("clamp", clamp, ok, "(0, inf)")
        between = 2 * max(self.rates)
        ok = len(self.rates) == 2 and all(between % rate == 0 for rate in self.rates)
        within("rates", rates, ok, "pairs whose larger, doubled, is a multiple of both")
        self.up, self.down = (between // rate for rate in self.rates)
        self.filters = [
            low_pass(TAPS * factor, cutoff, width, between, radial)
            for factor, cutoff, width, radial in zip(
                (self.up, self.down), cutoffs, widths, (False, radial), strict=True
            )
        ]

    def call(self, inputs: Tensor) -> Tensor:
        up, down = self.filters
        pads = [self._padding(side) for side in inputs.shape[1:3]]
        # The zeros between pixels take a share of the sum along each axis; a
        # leaky ReLU may be scaled before as well as after.
        up = up * self.up * 2**0.25
        x = resampled_across(inputs, up, self.up, 1, pads)
        x = keras.activations.leaky_relu(x, self.slope)
        x = ops.clip(x, -self.clamp, self.clamp)
        return resampled_across(x, down, 1, self.down)

    def _padding(self, side):
        """Zeros before and after: maps keep their middle, to half a pixel."""
        up, down = (len(filter) for filter in self.filters)
        total = (self.size - 1) * self.down + 1 + up + down - 2 - side * self.up
        before = (total + self.up) // 2
        return before, total - before

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.size, self.size, input_shape[-1])

    def get_config(self) -> dict:
        config = {
            "size": self.size,
            "rates": self.rates,
            "cutoffs": self.cutoffs,
            "widths": self.widths,
            "radial": self.radial,
            "slope": self.slope,
            "clamp": self.clamp,
        }
        return {**super().get_config(), **config}


@keras.saving.register_keras_serializable("keras_gans")
class FourierFeatures(keras.layers.Layer):
    """Waves on a plane that a code w turns and shifts: a map without pixels.

    Each channel is sin(2 pi (f x + p)), the frequency f drawn uniformly from a
    disc and p from [-1/2, 1/2). w gives (c, s, x, y) by an affine map that starts
    from (1, 0, 0, 0): the plane is turned by the angle of (c, s) and shifted by
    (x, y). `transform` is a further matrix `[3, 3]` of homogeneous coordinates,
    the inverse of what is done to images. Frequencies that it moves out of the
    band fade out.

    Args:
        channels: int.
        size: int, the side of the map.
        rate: int, pixels in a unit of length.
        bandwidth: float above 0, the radius of the disc.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `[n, w_dim]`.

    Output shape:
        `[n, size, size, channels]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    layer = keras_gans.layers.FourierFeatures(8, size=36, rate=16, bandwidth=2.0)
    layer(np.ones((2, 4), "float32")).shape  # (2, 36, 36, 8)
    ```

    Reference:
        https://arxiv.org/abs/2106.12423, section 3.1 and appendix F
    """

    def __init__(self, channels: int, size: int, rate: int, bandwidth: float, **kwargs):
        super().__init__(**kwargs)
        self.channels = check_size("channels", channels)
        self.size = check_size("size", size)
        self.rate = check_size("rate", rate)
        ok = is_number(bandwidth) and 0 < bandwidth < rate / 2
        self.bandwidth = within("bandwidth", bandwidth, ok, f"(0, {rate / 2})")

    def build(self, input_shape: tuple) -> None:
        def state(name, shape, initializer):
            return self.add_weight(
                name=name, shape=shape, initializer=initializer, trainable=False
            )

        self.frequencies = state("frequencies", (self.channels, 2), self._disc)
        uniform = keras.initializers.RandomUniform(-0.5, 0.5)
        self.phases = state("phases", (self.channels,), uniform)
        self.transform = state("transform", (3, 3), keras.initializers.Identity())
        width = input_shape[-1]
        self.gain = width**-0.5
        self.kernel = self.add_weight(
            name="kernel", shape=(width, 4), initializer="zeros"
        )
        self.bias = self.add_weight(name="bias", shape=(4,), initializer=_first)

    def _disc(self, shape, dtype=None):
        """Uniform in a disc: normal numbers give the angle and the radius."""
        x = keras.random.normal(shape, dtype=dtype)
        squares = ops.sum(ops.square(x), axis=1, keepdims=True)
        # exp(-r^2 / 2) is uniform in [0, 1].
        radius = self.bandwidth * ops.exp(-squares / 4)
        return x * radius * ops.rsqrt(squares)

    def call(self, inputs: Tensor) -> Tensor:
        w = ops.cast(inputs, "float32")
        t = ops.matmul(w, ops.cast(self.kernel, "float32")) * self.gain
        t = t + ops.cast(self.bias, "float32")
        t = t / ops.sqrt(ops.sum(ops.square(t[:, :2]), axis=1, keepdims=True))
        c, s, x, y = ops.unstack(t, 4, axis=1)
        one, zero = ops.ones_like(c), ops.zeros_like(c)
        turn = _matrices([[c, -s, zero], [s, c, zero], [zero, zero, one]])
        shift = _matrices([[one, zero, -x], [zero, one, -y], [zero, zero, one]])
        matrix = ops.matmul(turn, shift)
        matrix = ops.matmul(matrix, ops.cast(self.transform, "float32"))
        frequencies = ops.cast(self.frequencies, "float32")
        shifts = ops.matmul(matrix[:, :2, 2], ops.transpose(frequencies))
        phases = ops.add(self.phases, shifts)
        moved = ops.einsum("cj,njk->nck", frequencies, matrix[:, :2, :2])
        length = ops.sqrt(ops.sum(ops.square(moved), axis=2) + 1e-20)
        over = (length - self.bandwidth) / (self.rate / 2 - self.bandwidth)
        amplitude = 1.0 - ops.clip(over, 0.0, 1.0)
        place = ops.arange(self.size, dtype="float32") + 0.5 - self.size / 2
        place = place / self.rate
        # f x + p along both axes, [n, height, width, channels].
        across = moved[:, None, :, 0] * place[None, :, None]
        along = moved[:, None, :, 1] * place[None, :, None] + phases[:, None]
        angle = across[:, None] + along[:, :, None]
        waves = ops.sin(2 * math.pi * angle) * amplitude[:, None, None]
        return ops.cast(waves, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (input_shape[0], self.size, self.size, self.channels)

    def get_config(self) -> dict:
        config = {
            "channels": self.channels,
            "size": self.size,
            "rate": self.rate,
            "bandwidth": self.bandwidth,
        }
        return {**super().get_config(), **config}


def _first(shape, dtype=None):
    return ops.one_hot(0, shape[0], dtype=dtype)


def _matrices(rows):
    """[n, 3, 3], of rows of tensors [n]."""
    return ops.stack([ops.stack(row, axis=1) for row in rows], axis=1)


@keras.saving.register_keras_serializable("keras_gans")
class MagnitudeNorm(keras.layers.Layer):
    """Divides maps by the root of a running mean of their squares.

    The mean is one number for all pixels, channels and rows. It starts from 1,
    and is part of the weights: who trains the layer moves it.

    Args:
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `[n, height, width, channels]`.

    Example:

    ```python
    layer = keras_gans.layers.MagnitudeNorm()
    layer(np.ones((2, 4, 4, 3), "float32")).shape  # (2, 4, 4, 3)
    ```

    Reference:
        https://arxiv.org/abs/2106.12423, section 3.2 (flexible layer
        specifications) and appendix F
    """

    def build(self, input_shape: tuple) -> None:
        self.mean_square = self.add_weight(
            name="mean_square", shape=(), initializer="ones", trainable=False
        )

    def call(self, inputs: Tensor) -> Tensor:
        gain = ops.rsqrt(ops.cast(self.mean_square, "float32"))
        return inputs * ops.cast(gain, inputs.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape
