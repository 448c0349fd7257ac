"""How much a minibatch varies, shown to the discriminator."""

import keras
from keras import ops
import numpy as np

from keras_gans.engine.keras_internals import producer
from keras_gans.layers.rewriting import leaves_of, rewritten
from keras_gans.utils.networks import check_built
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size

EPSILON = 1e-8
CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D, keras.layers.Conv3D)
REMEDY = (
    "Add keras_gans.layers.MinibatchStdDev to your discriminator yourself, "
    "before the layer that makes its score."
)


@keras.saving.register_keras_serializable("keras_gans")
class MinibatchStdDev(keras.layers.Layer):
    """Appends the standard deviation over the minibatch to each row.

    The batch is cut into groups. For each group, the standard deviation of
    every feature over the group is averaged over features (and pixels) to one
    number, which each row of the group gets as an additional, constant
    channel. A generator that collapses makes it small, and is found out.

    Row i of n rows belongs to group `i % (n / group_size)`.

    Args:
        group_size: int, rows a group. Where the batch size is known and no
            multiple of it, the largest divisor of the batch size up to it
            serves (a prime batch size makes groups of one row, and a statistic
            that tells nothing). Where the batch size is unknown, it must be a
            multiple.
        channels: int, statistics a row: the input's channels are cut into so
            many equal parts.
        **kwargs: arguments of `keras.layers.Layer`.

    Input shape:
        `[n, d]` or `[n, height, width, d]`, or any other with channels last.

    Output shape:
        The input's, with `channels` more on the last axis.

    Raises:
        ValueError: `group_size` or `channels` is below 1, or `channels` does
            not divide the input's channels.

    Example:

    ```python
    x = keras.random.normal((8, 4, 4, 16))
    keras_gans.layers.MinibatchStdDev()(x).shape  # (8, 4, 4, 17)
    ```

    Reference:
        https://arxiv.org/abs/1710.10196, section 3; with groups,
        https://arxiv.org/abs/1912.04958
    """

    def __init__(self, group_size: int = 4, channels: int = 1, **kwargs):
        super().__init__(**kwargs)
        self.group_size = check_size("group_size", group_size)
        self.channels = check_size("channels", channels)

    def build(self, input_shape: tuple) -> None:
        d = input_shape[-1]
        if len(input_shape) < 2 or d is None or d % self.channels:
            raise ValueError(
                f"MinibatchStdDev(channels={self.channels}) takes inputs "
                "(n, ..., d) with d a multiple of its channels. Received: an "
                f"input of shape {tuple(input_shape)}."
            )

    def call(self, inputs: Tensor) -> Tensor:
        n, *pixels, d = ops.shape(inputs)
        group = self._rows_a_group(inputs.shape[0])
        parts = (self.channels, d // self.channels)
        x = ops.cast(inputs, "float32")
        x = ops.reshape(x, (group, n // group, *pixels, *parts))
        x = x - ops.mean(x, axis=0, keepdims=True)
        # EPSILON keeps the derivatives finite where all rows are equal.
        std = ops.sqrt(ops.mean(ops.square(x), axis=0) + EPSILON)
        axes = (*range(1, 1 + len(pixels)), -1)
        statistic = ops.tile(ops.mean(std, axis=axes), (group, 1))
        statistic = ops.reshape(
            ops.cast(statistic, inputs.dtype), (n, *(1 for _ in pixels), self.channels)
        )
        # Adding zeros spreads it over the pixels.
        statistic += ops.zeros_like(inputs[..., : self.channels])
        return ops.concatenate([inputs, statistic], axis=-1)

    def _rows_a_group(self, n):
        if n is None:
            return self.group_size
        sizes = range(min(n, self.group_size), 0, -1)
        return next((size for size in sizes if n % size == 0), 1)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], input_shape[-1] + self.channels)

    def get_config(self) -> dict:
        config = {"group_size": self.group_size, "channels": self.channels}
        return {**super().get_config(), **config}


def with_minibatch_stddev(model: keras.Model, group_size: int = 4) -> keras.Model:
    """A copy of a discriminator that sees how much its minibatch varies.

    `MinibatchStdDev` goes before the last layer with weights, which is made
    anew for one more channel: its initializer draws the weights of that
    channel, the others are carried over, as are those of all other layers.

    Args:
        model: Functional or Sequential `keras.Model`, built, whose last layer
            with weights is a `Dense`, `Conv1D`, `Conv2D` or `Conv3D`
            (perhaps within `SpectralNormalization`), followed at most by a
            chain of layers without weights.
        group_size: int, see `MinibatchStdDev`.

    Returns:
        `keras.Model` of the same inputs, that shares no weights with `model`;
        `model` itself where it has a `MinibatchStdDev` already.

    Raises:
        ValueError: `model` ends otherwise, or is not built.

    Example:

    ```python
    critic = keras_gans.networks.dcgan.dcgan_discriminator((32, 32, 3), width=8)
    critic = keras_gans.layers.with_minibatch_stddev(critic)
    ```

    Reference:
        https://arxiv.org/abs/1710.10196, section 3
    """
    check_size("group_size", group_size)
    check_built("model", model)
    outputs = _outputs(model)
    if any(isinstance(layer, MinibatchStdDev) for layer in leaves_of(model)):
        return model
    last = _last_layer(model, outputs)
    statistic = MinibatchStdDev(
        group_size, dtype=last.dtype_policy, name=f"{last.name}_minibatch_stddev"
    )
    return _widened(model, last, statistic)


def _outputs(model):
    try:
        return model.outputs
    except AttributeError:
        raise ValueError(
            "Only Functional and Sequential models can be given a layer. "
            f"Received: {model.name} (of type {type(model).__name__}). {REMEDY}"
        ) from None


def _last_layer(model, outputs):
    """The layer with weights from which a plain chain leads to the output."""
    if len(outputs) != 1:
        raise ValueError(
            "A discriminator of several outputs has no one last layer. "
            f"Received: {model.name} with {len(outputs)} outputs. {REMEDY}"
        )
    tensor = outputs[0]
    while True:
        layer, inputs = producer(tensor)
        if isinstance(layer, keras.layers.Layer) and layer.weights:
            return _check_last(model, layer)
        if len(inputs) != 1:
            what = "has no weights" if not inputs else f"joins {len(inputs)}"
            raise ValueError(
                "The last layer with weights must lead to the output by a "
                f"plain chain. Received: {model.name}, whose layer "
                f"{layer.name} {what}. {REMEDY}"
            )
        tensor = inputs[0]


def _check_last(model, layer):
    core = _core(layer)
    ok = isinstance(core, keras.layers.Dense) or (
        isinstance(core, CONVOLUTIONS)
        and core.groups == 1
        and core.data_format == "channels_last"
    )
    if not ok:
        raise ValueError(
            "The last layer with weights must be Dense or a convolution "
            "(channels last, one group). Received: "
            f"{model.name} with {layer.name} (of type "
            f"{type(core).__name__}). {REMEDY}"
        )
    return layer


def _core(layer):
    """The layer in a wrapper such as spectral normalization, or itself."""
    return layer.layer if isinstance(layer, keras.layers.Wrapper) else layer


def _widened(model, last, statistic):
    """A copy with its weights, and `statistic` before the layer `last`."""
    wider = []

    def replace(layer):
        if layer is not last:
            return None
        config = layer.get_config()
        if isinstance(layer, keras.layers.Wrapper):
            # Else the layer in it is made for the old number of channels.
            config["layer"].pop("build_config", None)
        wider.append(type(layer).from_config(config))
        return [statistic, *wider]

    clone = rewritten(model, replace)
    _carry_over(last, *wider)
    return clone


def _carry_over(layer, copy):
    """Copies weights, into a layer with one input channel more."""
    core = _core(layer)
    for old, new in zip(layer.variables, copy.variables, strict=True):
        value = ops.convert_to_numpy(old)
        if old.shape != new.shape and old is core.kernel:
            drawn = ops.convert_to_numpy(new)
            value = np.concatenate([value, drawn[..., -1:, :]], axis=-2)
        elif old.shape != new.shape:
            # The v of spectral norm, one number an input: 0 keeps the norm.
            value = value.reshape(core.kernel.shape[:-1])
            value = np.pad(value, [(0, 0)] * (value.ndim - 1) + [(0, 1)])
            value = value.reshape(-1)
        new.assign(value)
