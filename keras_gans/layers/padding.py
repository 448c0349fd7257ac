"""Padding by reflection, of any size, and its removal."""

import keras
from keras import layers
from keras import ops

from keras_gans.checks import check_size
from keras_gans.checks import is_int

AXES = (1, 2)  # height and width of [n, height, width, channels]


@keras.saving.register_keras_serializable("keras_gans")
class ReflectionPadding2D(layers.Layer):
    """Pads maps by their mirror image, in which the edge is not repeated.

    Padding that reaches the other edge turns there again: [a, b, c] goes on
    as b, a, b, c, b, a. A single pixel is repeated.

    Args:
        padding: int, pixels on each side; or
            `((top, bottom), (left, right))`, ints.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `[n, height, width, channels]`; height and width may be unknown.

    Raises:
        ValueError: `padding` is something else, or negative.

    Example:

    ```python
    x = np.arange(3.0).reshape(1, 3, 1, 1)
    y = keras_gans.layers.ReflectionPadding2D(((1, 4), (0, 0)))(x)
    np.ravel(y)  # 1, 0, 1, 2, 1, 0, 1, 2
    ```
    """

    def __init__(self, padding=1, **kwargs):
        super().__init__(**kwargs)
        self.padding = _pairs(padding)

    def call(self, inputs):
        return _reflect(inputs, self.padding)

    def compute_output_shape(self, input_shape):
        n, *sides, channels = input_shape
        sides = [
            None if side is None else side + sum(pair)
            for side, pair in zip(sides, self.padding, strict=True)
        ]
        return (n, *sides, channels)

    def get_config(self):
        return {**super().get_config(), "padding": self.padding}


@keras.saving.register_keras_serializable("keras_gans")
class ReflectToMultiple(layers.Layer):
    """Pads height and width by reflection to the next multiple of a number.

    Half of the padding goes to either side; `CropToSize` takes it away.

    Args:
        multiple: int, above 0.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `[n, height, width, channels]`; height and width may be unknown.

    Raises:
        ValueError: `multiple` is no positive int.

    Example:

    ```python
    x = keras.random.normal((1, 60, 129, 3))
    keras_gans.layers.ReflectToMultiple(64)(x).shape  # (1, 64, 192, 3)
    ```
    """

    def __init__(self, multiple, **kwargs):
        super().__init__(**kwargs)
        self.multiple = check_size("multiple", multiple)

    def call(self, inputs):
        extra = [-side % self.multiple for side in _sides(inputs)]
        return _reflect(inputs, [_halves(e) for e in extra])

    def compute_output_shape(self, input_shape):
        n, *sides, channels = input_shape
        sides = [
            None if side is None else side + -side % self.multiple
            for side in sides
        ]
        return (n, *sides, channels)

    def get_config(self):
        return {**super().get_config(), "multiple": self.multiple}


@keras.saving.register_keras_serializable("keras_gans")
class CropToSize(layers.Layer):
    """Crops maps to the height and width of others, around the centre.

    Called on `[x, like]`, both `[n, height, width, channels]`: gives x where
    `ReflectToMultiple` had left `like`.

    Example:

    ```python
    x, like = np.zeros((1, 64, 192, 8)), np.zeros((1, 60, 129, 3))
    keras_gans.layers.CropToSize()([x, like]).shape  # (1, 60, 129, 8)
    ```
    """

    def call(self, inputs):
        x, like = inputs
        wanted = _sides(like)
        (top, left) = (
            _halves(had - side)[0]
            for had, side in zip(_sides(x), wanted, strict=True)
        )
        height, width = wanted
        return x[:, top : top + height, left : left + width]

    def compute_output_shape(self, input_shape):
        x, like = input_shape
        return (x[0], *like[1:3], x[-1])


def _pairs(padding):
    """`padding` as ((top, bottom), (left, right))."""
    pairs = ((padding, padding),) * 2 if is_int(padding) else padding
    ok = (
        isinstance(pairs, (tuple, list))
        and len(pairs) == 2
        and all(isinstance(pair, (tuple, list)) for pair in pairs)
        and all(len(pair) == 2 for pair in pairs)
        and all(is_int(n) and n >= 0 for pair in pairs for n in pair)
    )
    if not ok:
        raise ValueError(
            "`padding` is an int or ((top, bottom), (left, right)), ints from "
            f"0 up. Received: padding={padding!r}."
        )
    return tuple(tuple(pair) for pair in pairs)


def _sides(x):
    """Height and width: ints where they are known, else scalar tensors."""
    shape = ops.shape(x)
    return [shape[axis] for axis in AXES]


def _halves(n):
    return n // 2, n - n // 2


def _reflect(x, pairs):
    """Pads height and width of x by pairs (before, after) of ints."""
    sides = _sides(x)
    known = all(map(is_int, [*sides, *pairs[0], *pairs[1]]))
    if known and all(
        max(pair) < side for side, pair in zip(sides, pairs, strict=True)
    ):
        return ops.pad(x, [(0, 0), *pairs, (0, 0)], mode="reflect")
    for axis, side, pair in zip(AXES, sides, pairs, strict=True):
        x = ops.take(x, _reflected(side, *pair), axis=axis)
    return x


def _reflected(side, before, after):
    """The indices into `side` pixels that reflection gives."""
    places = ops.arange(before + side + after, dtype="int32") - before
    # There and back is one period; of one pixel it is that pixel.
    period = ops.maximum(2 * (side - 1), 1)
    return (side - 1) - ops.abs(ops.mod(places, period) - (side - 1))
