"""Periodic activations of signals in time, without aliases."""

import keras
from keras import layers, ops
import numpy as np

from keras_gans.layers.plain import Rebuilt
from keras_gans.utils.types import Tensor

TAPS = 12  # of the filters, for twice the rate
CUTOFF, HALF_WIDTH = 0.25, 0.3  # in cycles a sample


def kaiser_sinc() -> np.ndarray:
    """The low-pass filter of a change of rate by two: float64 `[12]`, of sum 1.

    Reference:
        Kaiser's formulas for the window: https://en.wikipedia.org/wiki/Kaiser_window
    """
    half = TAPS // 2
    attenuation = 2.285 * (half - 1) * np.pi * 4 * HALF_WIDTH + 7.95
    beta = 0.1102 * (attenuation - 8.7)  # for attenuations above 50 dB
    times = np.arange(-half, half) + 0.5
    taps = np.kaiser(TAPS, beta) * np.sinc(2 * CUTOFF * times)
    return taps / taps.sum()


@keras.saving.register_keras_serializable("keras_gans")
class AntiAliasedSnake(Rebuilt):
    """x + sin²(a x) / b at twice the rate, with low-pass filters around it.

    The sine makes frequencies that a map's rate cannot hold. So the map is brought
    to twice its rate, activated, filtered, and brought back.

    Args:
        magnitude: bool, whether b is learned ("snakebeta"), or is a ("snake").
            Both are numbers of a channel, kept as logarithms: 1 at first.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: float `[n, time, channels]`.

    Raises:
        ValueError: `magnitude` is no bool.

    Example:

    ```python
    keras_gans.layers.AntiAliasedSnake()(np.ones((1, 8, 2))).shape  # (1, 8, 2)
    ```

    Reference:
        https://arxiv.org/abs/2206.04658, sections 3.1 and 3.2
    """

    def __init__(self, magnitude: bool = True, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(magnitude, bool):
            raise ValueError(f"`magnitude` is a bool. Received: {magnitude!r}.")
        self.magnitude = magnitude

    @property
    def reach(self) -> int:
        """Samples to either side that one depends on: of two filters, twice as fast."""
        return TAPS // 2

    def build(self, input_shape: tuple) -> None:
        channels = (input_shape[-1],)
        self.alpha = self.add_weight(channels, "zeros", name="alpha")
        self.beta = self.alpha
        if self.magnitude:
            self.beta = self.add_weight(channels, "zeros", name="beta")

    def call(self, inputs: Tensor) -> Tensor:
        return self._activated(inputs, _interleaved)

    def plain(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        # A graph of Keras has no place for the number of samples.
        return self._activated(inputs, _interleaved_by_layers)

    def _activated(self, inputs, interleave):
        x = _faster(inputs, interleave)
        a, b = ops.exp(self.alpha), ops.exp(self.beta)
        return _slower(x + ops.square(ops.sin(x * a)) / (b + 1e-9))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> dict:
        return {**super().get_config(), "magnitude": self.magnitude}


def _faster(x, interleave):
    """A map at twice its rate: two filters a sample, one of each new one."""
    taps = 2 * kaiser_sinc()
    even = np.append(taps[::-1][::2], 0.0)
    odd = np.append(0.0, taps[::-1][1::2])
    both = _filtered(_extended(x, 3, 3), np.stack([even, odd], axis=1), 1)
    return interleave(both, x.shape[-1])


def _interleaved(x, channels):
    """`[n, time, (channels, 2)]` as `[n, (time, 2), channels]`."""
    count = ops.shape(x)[1]
    x = ops.reshape(x, (-1, count, channels, 2))
    return ops.reshape(ops.transpose(x, (0, 1, 3, 2)), (-1, 2 * count, channels))


def _interleaved_by_layers(x, channels):
    for layer in (
        layers.Reshape((-1, channels, 2), dtype=x.dtype),
        layers.Permute((1, 3, 2), dtype=x.dtype),
        layers.Reshape((-1, channels), dtype=x.dtype),
    ):
        x = layer(x)
    return x


def _slower(x):
    """A filtered map at half its rate."""
    return _filtered(_extended(x, 5, 6), kaiser_sinc()[:, None], 2)


def _extended(x, before, after):
    """A map whose ends go on as they are."""
    first, last = x[:, :1], x[:, -1:]
    return ops.concatenate(
        [ops.repeat(first, before, axis=1), x, ops.repeat(last, after, axis=1)], axis=1
    )


def _filtered(x, taps, stride):
    """Each channel by the same filters `[taps, filters]`."""
    kernel = np.repeat(taps[:, None], x.shape[-1], axis=1).astype("float32")
    kernel = ops.cast(kernel, x.dtype)
    return ops.depthwise_conv(x, kernel, stride, "valid")
