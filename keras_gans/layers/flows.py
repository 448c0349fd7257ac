"""Layers that can be inverted: the parts of normalizing flows over sequences.

Each takes `[x, mask, ...]`, maps `[n, time, channels]` and a mask `[n, time, 1]` of 0
and 1. `layer(inputs)` is the forward direction and `layer.inverse(inputs)` the other.
"""

import keras
from keras import layers, ops

from keras_gans.utils.types import Tensor

BINS = 10  # of a spline
BOUND = 5.0  # beyond it, a spline leaves values as they are
LEAST = 1e-3  # width, height and slope of a bin


@keras.saving.register_keras_serializable("keras_gans")
class ShiftCoupling(layers.Wrapper):
    """Shifts half of the channels by what a network makes of the others.

    Then the order of all channels is reversed. The volume stays as it is.

    Args:
        layer: `keras.Model` from `[x, mask]`, half of the channels, to shifts.
        **kwargs: arguments of `keras.layers.Layer`.

    Reference:
        https://arxiv.org/abs/2106.06103, section 2.5.2
    """

    def call(self, inputs: list, training: bool = False) -> Tensor:
        x, mask = inputs
        first, second = ops.split(x, 2, axis=-1)
        shift = self.layer([first, mask], training=training)
        moved = ops.concatenate([first, shift + second * mask], axis=-1)
        return ops.flip(moved, axis=-1)

    def inverse(self, inputs: list) -> Tensor:
        """The `x` that `call` makes `inputs` of."""
        x, mask = inputs
        first, second = ops.split(ops.flip(x, axis=-1), 2, axis=-1)
        shift = self.layer([first, mask], training=False)
        return ops.concatenate([first, (second - shift) * mask], axis=-1)

    def compute_output_shape(self, input_shape: list) -> tuple:
        return tuple(input_shape[0])


@keras.saving.register_keras_serializable("keras_gans")
class ScaleAndShift(layers.Layer):
    """`shift + exp(log_scale) x`, of a learned number for each channel."""

    def build(self, input_shape: list) -> None:
        channels = input_shape[0][-1]
        for name in ("shift", "log_scale"):
            weight = self.add_weight(name=name, shape=(channels,), initializer="zeros")
            setattr(self, name, weight)

    def call(self, inputs: list) -> tuple[Tensor, Tensor]:
        x, mask = inputs[:2]
        moved = (self.shift + ops.exp(self.log_scale) * x) * mask
        return moved, ops.sum(self.log_scale * mask, axis=(1, 2))

    def inverse(self, inputs: list) -> Tensor:
        """The `x` that `call` makes `inputs` of."""
        x, mask = inputs[:2]
        return (x - self.shift) * ops.exp(-self.log_scale) * mask

    def compute_output_shape(self, input_shape: list) -> tuple:
        return tuple(input_shape[0]), (input_shape[0][0],)


@keras.saving.register_keras_serializable("keras_gans")
class SplineCoupling(layers.Wrapper):
    """Bends half of the channels by splines that a network makes of the others.

    Then the order of all channels is reversed.

    Args:
        layer: `keras.Model` from `[x, mask, condition]`, half of the channels, to
            `[n, time, half * (3 * BINS - 1)]`: widths, heights and slopes.
        width: int, channels of the network, by whose root widths and heights are
            divided.
        **kwargs: arguments of `keras.layers.Layer`.

    Reference:
        https://arxiv.org/abs/1906.04032, section 3.1
    """

    def __init__(self, layer: keras.Model, width: int, **kwargs):
        super().__init__(layer, **kwargs)
        self.width = width

    def call(self, inputs: list, training: bool = False) -> tuple[Tensor, Tensor]:
        x, mask, condition = inputs
        first, second = ops.split(x, 2, axis=-1)
        numbers = self._numbers(first, mask, condition, training)
        second, volume = spline(second, *numbers)
        moved = ops.concatenate([first, second], axis=-1) * mask
        return ops.flip(moved, axis=-1), ops.sum(volume * mask, axis=(1, 2))

    def inverse(self, inputs: list) -> Tensor:
        """The `x` that `call` makes `inputs` of."""
        x, mask, condition = inputs
        first, second = ops.split(ops.flip(x, axis=-1), 2, axis=-1)
        numbers = self._numbers(first, mask, condition, False)
        second, _ = spline(second, *numbers, inverse=True)
        return ops.concatenate([first, second], axis=-1) * mask

    def _numbers(self, first, mask, condition, training):
        knots = self.layer([first, mask, condition], training=training)
        n, time = ops.shape(knots)[0], ops.shape(knots)[1]
        half = first.shape[-1]
        knots = ops.reshape(knots, (n, time, half, 3 * BINS - 1))
        root = self.width**0.5
        widths, heights = knots[..., :BINS] / root, knots[..., BINS : 2 * BINS] / root
        return widths, heights, knots[..., 2 * BINS :]

    def compute_output_shape(self, input_shape: list) -> tuple:
        return tuple(input_shape[0]), (input_shape[0][0],)

    def get_config(self) -> dict:
        return {**super().get_config(), "width": self.width}


def spline(
    x: Tensor, widths: Tensor, heights: Tensor, slopes: Tensor, inverse: bool = False
) -> tuple[Tensor, Tensor]:
    """A monotonic rational-quadratic spline on [-5, 5], the identity beyond.

    Args:
        x: float tensor.
        widths: float tensor `[*x.shape, BINS]`, logits of the widths of bins.
        heights: likewise, of their heights.
        slopes: float tensor `[*x.shape, BINS - 1]`, of the slopes between bins, before
            a softplus; at both ends they are 1.
        inverse: bool, whether to go back.

    Returns:
        `(y, log |dy / dx|)`.

    Reference:
        https://arxiv.org/abs/1906.04032, equations 4 to 8
    """
    left, width = _bins(widths)
    bottom, height = _bins(heights)
    inner = LEAST + ops.softplus(slopes)
    one = ops.ones_like(inner[..., :1])
    slopes = ops.concatenate([one, inner, one], axis=-1)
    inside = ops.logical_and(x >= -BOUND, x <= BOUND)
    clipped = ops.clip(x, -BOUND, BOUND)
    edges = bottom if inverse else left
    # How many bins begin at x or before it.
    place = ops.sum(ops.cast(clipped[..., None] >= edges[..., 1:], "int32"), axis=-1)
    chosen = ops.one_hot(place, BINS)

    def at(values):
        return ops.sum(values * chosen, axis=-1)

    x0, y0, w, h = at(left), at(bottom), at(width), at(height)
    slope = h / w
    d0, d1 = at(slopes[..., :-1]), at(slopes[..., 1:])
    bend = d0 + d1 - 2.0 * slope
    if inverse:
        risen = clipped - y0
        a = risen * bend + h * (slope - d0)
        b = h * d0 - risen * bend
        c = -slope * risen
        root = ops.sqrt(ops.maximum(ops.square(b) - 4.0 * a * c, 0.0))
        t = 2.0 * c / (-b - root)
    else:
        t = (clipped - x0) / w
    mixed = t * (1.0 - t)
    below = slope + bend * mixed
    above = ops.square(slope) * (
        d1 * ops.square(t) + 2.0 * slope * mixed + d0 * ops.square(1.0 - t)
    )
    volume = ops.log(above) - 2.0 * ops.log(below)
    if inverse:
        y, volume = t * w + x0, -volume
    else:
        y = y0 + h * (slope * ops.square(t) + d0 * mixed) / below
    return ops.where(inside, y, x), ops.where(inside, volume, 0.0)


def _bins(logits):
    """Where bins begin, and their sizes, from -BOUND to BOUND."""
    sizes = LEAST + (1.0 - LEAST * BINS) * ops.softmax(logits, axis=-1)
    ends = 2.0 * BOUND * ops.cumsum(sizes, axis=-1) - BOUND
    last = BOUND * ops.ones_like(ends[..., :1])
    edges = ops.concatenate([-last, ends[..., :-1], last], axis=-1)
    return edges[..., :-1], edges[..., 1:] - edges[..., :-1]
