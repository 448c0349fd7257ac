"""HiFi-GAN's networks: from mel spectrograms to waveforms, and two families of D."""

from collections.abc import Callable, Sequence
import math
from typing import NamedTuple

import keras
from keras import layers

from keras_gans.layers.spectral import SpectralNormalization
from keras_gans.layers.weight_norm import WeightNormalization
from keras_gans.networks.building import check_channels_last
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_int, one_of, within

SLOPE = 0.1
LAST_SLOPE = 0.01  # before the last convolution of the generator
LAST = "activation_post"  # the name of that activation


class Configuration(NamedTuple):
    """The numbers of a generator.

    Attributes:
        channels: int, of the first map; they are halved by each upsampling.
        rates: tuple of int, of the upsamplings; a frame has their product of
            samples.
        kernels: tuple of int, of the upsamplings: rates plus an even number.
        block: "1", two convolutions for each dilation, or "2", one.
        block_kernels: tuple of int, odd: of the residual blocks after each
            upsampling, whose outputs are averaged.
        dilations: tuple of a tuple of int for each of them.
    """

    channels: int
    rates: tuple
    kernels: tuple
    block: str
    block_kernels: tuple
    dilations: tuple


_WIDE = ((1, 3, 5),) * 3
_V3 = ((1, 2), (2, 6), (3, 12))
_SMALL = ((1, 3), (1, 3))
CONFIGURATIONS = {
    # For processors: as few operations at the full rate as still sound.
    "small": Configuration(128, (8, 8, 4), (16, 16, 8), "2", (3, 7), _SMALL),
    "v1": Configuration(512, (8, 8, 2, 2), (16, 16, 4, 4), "1", (3, 7, 11), _WIDE),
    "v2": Configuration(128, (8, 8, 2, 2), (16, 16, 4, 4), "1", (3, 7, 11), _WIDE),
    "v3": Configuration(256, (8, 8, 4), (16, 16, 8), "2", (3, 5, 7), _V3),
}


def check_configuration(configuration: Configuration) -> Configuration:
    """Returns a configuration of ints and tuples.

    Raises:
        ValueError: its numbers do not fit each other.
    """
    check_size("channels", configuration.channels)
    one_of("block", configuration.block, ("1", "2"))
    dilations = configuration.dilations
    lists = (
        configuration.rates,
        configuration.kernels,
        configuration.block_kernels,
        *(dilations if isinstance(dilations, (tuple, list)) else (dilations,)),
    )
    for numbers in lists:
        ok = isinstance(numbers, (tuple, list)) and numbers
        if not ok or not all(is_int(n) and n > 0 for n in numbers):
            raise ValueError(
                "`rates`, `kernels`, `block_kernels` and each of `dilations` are "
                f"tuples of positive ints, (8,) of one. Received: {numbers!r}."
            )
    ok = len(configuration.rates) == len(configuration.kernels) and all(
        k >= r and (k - r) % 2 == 0
        for r, k in zip(configuration.rates, configuration.kernels, strict=False)
    )
    if not ok:
        raise ValueError(
            "`kernels` has a number for each of `rates`, larger by an even one. "
            f"Received: rates={configuration.rates}, kernels={configuration.kernels}."
        )
    ok = len(configuration.block_kernels) == len(configuration.dilations)
    if not ok or not all(k % 2 for k in configuration.block_kernels):
        raise ValueError(
            "`block_kernels` are odd, and `dilations` has a tuple for each. Received: "
            f"block_kernels={configuration.block_kernels}, "
            f"dilations={configuration.dilations}."
        )
    halvings = 2 ** len(configuration.rates)
    if configuration.channels % halvings:
        raise ValueError(
            f"`channels` is halved {len(configuration.rates)} times, once for each of "
            f"`rates`: it is a multiple of {halvings}. Received: "
            f"channels={configuration.channels}."
        )
    return configuration._replace(
        rates=tuple(configuration.rates),
        kernels=tuple(configuration.kernels),
        block_kernels=tuple(configuration.block_kernels),
        dilations=tuple(map(tuple, configuration.dilations)),
    )


def hifigan_generator(
    configuration: str | Configuration = "v1",
    bands: int = 80,
    weight_norm: bool = True,
    name: str = "generator",
) -> keras.Model:
    """HiFi-GAN's generator, for spectrograms of any length.

    Args:
        configuration: "v1", "v2", "v3", "small" or a `Configuration`.
        bands: int, mel bands.
        weight_norm: bool, whether kernels are normalized, as for training; without
            it, the network is one of Keras's own layers.
        name: str.

    Returns:
        `keras.Model` from log-mel spectrograms `[n, frames, bands]` to waveforms
        `[n, frames * hop, 1]` in [-1, 1], hop the product of the rates.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.hifigan import hifigan_generator

    hifigan_generator("v3")(np.zeros((1, 4, 80))).shape  # (1, 1024, 1)
    ```

    Reference:
        https://arxiv.org/abs/2010.05646, section 2.2 and appendix A
    """
    check_channels_last()
    check_size("bands", bands)
    if isinstance(configuration, str):
        one_of("configuration", configuration, tuple(CONFIGURATIONS))
        configuration = CONFIGURATIONS[configuration]
    c = check_configuration(configuration)

    mel = keras.Input((None, bands), name="mel")
    x = convolved(mel, c.channels, 7, "conv_pre", weight_norm=weight_norm)
    x = upsampled(x, c, weight_norm)
    x = convolved(x, 1, 7, "conv_post", weight_norm=weight_norm)
    audio = layers.Activation("tanh", dtype="float32", name="audio")(x)
    return keras.Model(mel, audio, name=name)


def upsampled(
    x: Tensor,
    c: Configuration,
    weight_norm: bool = True,
    activation: Callable[[Tensor, str], Tensor] | None = None,
    before_upsampling: bool = True,
) -> Tensor:
    """The generator's maps from after its first convolution to before its last.

    Args:
        x: Keras tensor `[n, frames, c.channels]`.
        c: `Configuration`, checked.
        weight_norm: bool, whether kernels are normalized.
        activation: function of a map and a name, before each convolution; leaky
            ReLUs by default.
        before_upsampling: bool, whether it stands before upsamplings too.

    Returns:
        Keras tensor `[n, frames * product of rates, c.channels >> len(c.rates)]`.
    """

    def before(x, name):
        if activation is not None:
            return activation(x, name)
        return layers.LeakyReLU(LAST_SLOPE if name == LAST else SLOPE)(x)

    number = 0
    for i, (rate, kernel) in enumerate(zip(c.rates, c.kernels, strict=True)):
        width = c.channels >> (i + 1)
        if before_upsampling:
            x = before(x, f"ups_{i}_activation")
        up = layers.Conv1DTranspose(
            width,
            kernel,
            strides=rate,
            padding="same",
            name=f"ups_{i}",
            **torch_initializers(kernel * width),
        )
        x = (WeightNormalization(up) if weight_norm else up)(x)
        blocks = []
        for size, dilations in zip(c.block_kernels, c.dilations, strict=True):
            y, stem = x, f"resblocks_{number}"
            each = 2 if c.block == "1" else 1
            for j, dilation in enumerate(dilations):
                z = before(y, f"{stem}_activations_{each * j}")
                first = "convs1" if c.block == "1" else "convs"
                own = f"{stem}_{first}_{j}"
                z = convolved(z, width, size, own, dilation, weight_norm)
                if c.block == "1":
                    z = before(z, f"{stem}_activations_{each * j + 1}")
                    own = f"{stem}_convs2_{j}"
                    z = convolved(z, width, size, own, weight_norm=weight_norm)
                y = layers.Add()([z, y])
            blocks.append(y)
            number += 1
        x = layers.Average()(blocks) if len(blocks) > 1 else blocks[0]
    return before(x, LAST)


def convolved(
    x: Tensor,
    filters: int,
    kernel: int,
    name: str,
    dilation: int = 1,
    weight_norm: bool = True,
    use_bias: bool = True,
) -> Tensor:
    """A convolution over time, of as many frames, as PyTorch initializes it."""
    conv = layers.Conv1D(
        filters,
        kernel,
        dilation_rate=dilation,
        padding="same",
        use_bias=use_bias,
        name=name,
        **torch_initializers(kernel * x.shape[-1]),
    )
    return (WeightNormalization(conv) if weight_norm else conv)(x)


def torch_initializers(fan_in: int) -> dict:
    """PyTorch's by default: U(-1, 1) / sqrt(fan_in), also of the bias."""
    bound = 1 / math.sqrt(fan_in)
    uniform = keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")
    bias = keras.initializers.RandomUniform(-bound, bound)
    return {"kernel_initializer": uniform, "bias_initializer": bias}


def period_discriminator(
    samples: int, period: int, width: int = 32, name: str | None = None
) -> keras.Model:
    """A discriminator that sees every `period`-th sample beside each other.

    Args:
        samples: int, the length of a waveform.
        period: int.
        width: int, channels of the first map.
        name: str.

    Returns:
        `keras.Model` from `[n, samples, 1]` to a list: logits `[n, time, period,
        1]`, and the maps of the five layers before.

    Raises:
        ValueError: an argument is out of its range.

    Reference:
        https://arxiv.org/abs/2010.05646, section 2.3
    """
    for key, value in (("samples", samples), ("period", period), ("width", width)):
        check_size(key, value)
    audio = keras.Input((samples, 1), name="audio")
    x, rest = audio, -samples % period
    if rest:
        x = keras.ops.pad(x, [[0, 0], [0, rest], [0, 0]], "reflect")
    x = layers.Reshape((-1, period, 1))(x)
    maps = []
    stack = [(width, 3), (4 * width, 3), (16 * width, 3), (32 * width, 3)]
    for i, (filters, stride) in enumerate([*stack, (32 * width, 1)]):
        x = strided_conv(x, filters, 5, stride, f"convs_{i}", WeightNormalization)
        x = layers.LeakyReLU(SLOPE)(x)
        maps.append(x)
    logits = strided_conv(x, 1, 3, 1, "conv_post", WeightNormalization)
    return keras.Model(audio, [logits, *maps], name=name or f"period_{period}")


def scale_discriminator(
    samples: int,
    halvings: int = 0,
    width: int = 128,
    spectral_norm: bool = False,
    name: str | None = None,
) -> keras.Model:
    """A discriminator that sees the waveform, or averages of its samples.

    Args:
        samples: int, the length of a waveform.
        halvings: int, how often its rate is halved first.
        width: int, channels of the first map, divisible by 16.
        spectral_norm: bool, spectral instead of weight normalization.
        name: str.

    Returns:
        `keras.Model` from `[n, samples, 1]` to a list: logits `[n, time, 1, 1]`,
        and the maps of the seven layers before.

    Raises:
        ValueError: an argument is out of its range.

    Reference:
        https://arxiv.org/abs/2010.05646, section 2.3
    """
    check_size("samples", samples)
    if not is_int(width) or width <= 0 or width % 16:
        raise ValueError(f"`width` is divisible by 16. Received: width={width!r}.")
    norm = SpectralNormalization if spectral_norm else WeightNormalization
    audio = keras.Input((samples, 1), name="audio")
    x = audio
    for _ in range(halvings):
        x = layers.ZeroPadding1D(2)(x)
        x = layers.AveragePooling1D(4, 2)(x)
    x = layers.Reshape((-1, 1, 1))(x)
    maps = []
    for i, (filters, kernel, stride, groups) in enumerate(
        (
            (width, 15, 1, 1),
            (width, 41, 2, 4),
            (2 * width, 41, 2, 16),
            (4 * width, 41, 4, 16),
            (8 * width, 41, 4, 16),
            (8 * width, 41, 1, 16),
            (8 * width, 5, 1, 1),
        )
    ):
        x = strided_conv(x, filters, kernel, stride, f"convs_{i}", norm, groups)
        x = layers.LeakyReLU(SLOPE)(x)
        maps.append(x)
    logits = strided_conv(x, 1, 3, 1, "conv_post", norm)
    return keras.Model(audio, [logits, *maps], name=name or f"scale_{halvings}")


def strided_conv(
    x: Tensor,
    filters: int,
    kernel: int,
    stride: int,
    name: str,
    norm: Callable[[keras.Layer], keras.Layer],
    groups: int = 1,
) -> Tensor:
    """A convolution along the first of two axes, padded at both ends alike."""
    x = layers.ZeroPadding2D((kernel // 2, 0))(x)
    fan_in = kernel * x.shape[-1] // groups
    conv = layers.Conv2D(
        filters,
        (kernel, 1),
        strides=(stride, 1),
        groups=groups,
        name=name,
        **torch_initializers(fan_in),
    )
    return norm(conv)(x)


def check_periods(periods: Sequence[int]) -> None:
    """Checks the periods of discriminators.

    Raises:
        ValueError: they are no list.
    """
    if not isinstance(periods, (tuple, list)):
        raise ValueError(
            f"`periods` is a tuple of ints, (2,) of one. Received: {periods!r}."
        )


def hifigan_discriminators(
    samples: int,
    periods: Sequence[int] = (2, 3, 5, 7, 11),
    scales: int = 3,
    width: int = 32,
) -> dict[str, keras.Model]:
    """The discriminators of HiFi-GAN by name: "period_2", ..., "scale_0", ...

    The first scale is normalized spectrally, as the reference has it.

    Args:
        samples: int, the length of a waveform.
        periods: tuple of int.
        scales: int.
        width: int, channels of the first map of periods; scales have four times
            as many.

    Raises:
        ValueError: an argument is out of its range.
    """
    check_periods(periods)
    within("scales", scales, is_int(scales) and scales >= 0, "0, 1, ...")
    discriminators = [
        period_discriminator(samples, period, width) for period in periods
    ]
    discriminators += [
        scale_discriminator(samples, i, 4 * width, spectral_norm=i == 0)
        for i in range(scales)
    ]
    return {network.name: network for network in discriminators}
