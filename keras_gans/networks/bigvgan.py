"""BigVGAN's networks: HiFi-GAN's generator with periodic activations."""

from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_gans.layers.mel import reflected, stft_magnitudes
from keras_gans.layers.snake import AntiAliasedSnake
from keras_gans.layers.weight_norm import WeightNormalization
from keras_gans.networks.building import check_channels_last
from keras_gans.networks.hifigan import CONFIGURATIONS as HIFIGAN
from keras_gans.networks.hifigan import (
    SLOPE,
    Configuration,
    check_configuration,
    check_periods,
    convolved,
    period_discriminator,
    torch_initializers,
    upsampled,
)
from keras_gans.utils.validation import check_size, is_int, one_of, within

ACTIVATIONS = ("snakebeta", "snake")
ENDINGS = ("clip", "tanh")
# (n_fft, hop, window) of the discriminators.
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))
_DILATIONS = ((1, 3, 5),) * 3
# The published ones: of 24 kHz (and 22.05), of 44.1 kHz, and the small one.
CONFIGURATIONS = {
    "256x": Configuration(
        1536, (4, 4, 2, 2, 2, 2), (8, 8, 4, 4, 4, 4), "1", (3, 7, 11), _DILATIONS
    ),
    "512x": Configuration(
        1536, (8, 4, 2, 2, 2, 2), (16, 8, 4, 4, 4, 4), "1", (3, 7, 11), _DILATIONS
    ),
    "small": HIFIGAN["small"],
    "base": Configuration(
        512, (8, 8, 2, 2), (16, 16, 4, 4), "1", (3, 7, 11), _DILATIONS
    ),
}


def bigvgan_generator(
    configuration: str | Configuration = "256x",
    bands: int = 100,
    activation: str = "snakebeta",
    ending: str = "clip",
    weight_norm: bool = True,
    name: str = "generator",
) -> keras.Model:
    """BigVGAN's generator, for spectrograms of any length.

    Args:
        configuration: "256x" or "512x", whose hops these are, "base", "small" or
            a `Configuration`.
        bands: int, mel bands.
        activation: "snakebeta" or "snake"; see `layers.AntiAliasedSnake`.
        ending: "clip", as in version 2, whose last convolution has no bias, or
            "tanh", as in the paper.
        weight_norm: bool, whether kernels are normalized, as for training.
        name: str.

    Returns:
        `keras.Model` from log-mel spectrograms `[n, frames, bands]` to waveforms
        `[n, frames * hop, 1]` in [-1, 1], hop the product of the rates.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.bigvgan import bigvgan_generator
    from keras_gans.networks.hifigan import Configuration

    numbers = Configuration(4, (4, 2), (8, 4), "1", (3,), ((1, 3),))
    bigvgan_generator(numbers, bands=8)(np.zeros((1, 4, 8))).shape  # (1, 32, 1)
    ```

    Reference:
        https://arxiv.org/abs/2206.04658, section 3
    """
    check_channels_last()
    check_size("bands", bands)
    one_of("activation", activation, ACTIVATIONS)
    one_of("ending", ending, ENDINGS)
    if isinstance(configuration, str):
        one_of("configuration", configuration, tuple(CONFIGURATIONS))
        configuration = CONFIGURATIONS[configuration]
    c = check_configuration(configuration)

    def activation_of(x, name):
        return AntiAliasedSnake(activation == "snakebeta", name=name)(x)

    mel = keras.Input((None, bands), name="mel")
    x = convolved(mel, c.channels, 7, "conv_pre", weight_norm=weight_norm)
    x = upsampled(x, c, weight_norm, activation_of, before_upsampling=False)
    options = {"weight_norm": weight_norm, "use_bias": ending == "tanh"}
    x = convolved(x, 1, 7, "conv_post", **options)
    if ending == "tanh":
        audio = layers.Activation("tanh", dtype="float32", name="audio")(x)
    else:
        audio = layers.Identity(dtype="float32", name="audio")(ops.clip(x, -1, 1))
    return keras.Model(mel, audio, name=name)


def resolution_discriminator(
    samples: int,
    n_fft: int,
    hop: int,
    window: int,
    width: int = 32,
    name: str | None = None,
) -> keras.Model:
    """A discriminator that sees a spectrogram.

    Args:
        samples: int, the length of a waveform, more than `(n_fft - hop) / 2`.
        n_fft: int, length of the Fourier transform.
        hop: int, samples between frames.
        window: int, length of the window, which is flat, at most `n_fft`.
        width: int, channels of its maps.
        name: str.

    Returns:
        `keras.Model` from `[n, samples, 1]` to a list: logits `[n, frequencies,
        time, 1]`, and the maps of the five layers before.

    Raises:
        ValueError: an argument is out of its range.

    Reference:
        https://arxiv.org/abs/2206.04658, section 3.3 (multi-resolution)
    """
    sizes = {"samples": samples, "n_fft": n_fft, "hop": hop, "window": window}
    for key, value in {**sizes, "width": width}.items():
        check_size(key, value)
    within("window", window, window <= n_fft, f"[1, {n_fft}]")
    within("hop", hop, hop <= n_fft, f"[1, {n_fft}]")
    side = (n_fft - hop) // 2
    within("samples", samples, samples > side, f"more than {side}")
    audio = keras.Input((samples, 1), name="audio")
    padded = reflected(audio[..., 0], side, side)
    x = stft_magnitudes(padded, n_fft, hop, window, shape="flat")
    x = ops.transpose(x, (0, 2, 1))[..., None]  # frequencies, then times
    maps = []
    for i, (time, stride) in enumerate([(9, 1), (9, 2), (9, 2), (9, 2), (3, 1)]):
        x = layers.LeakyReLU(SLOPE)(_conv(x, width, time, stride, f"convs_{i}"))
        maps.append(x)
    logits = _conv(x, 1, 3, 1, "conv_post")
    return keras.Model(audio, [logits, *maps], name=name or f"resolution_{n_fft}")


def _conv(x, filters, time, stride, name):
    """A convolution over frequency and time, padded at both ends alike."""
    x = layers.ZeroPadding2D((1, time // 2))(x)
    conv = layers.Conv2D(
        filters,
        (3, time),
        strides=(1, stride),
        name=name,
        **torch_initializers(3 * time * x.shape[-1]),
    )
    return WeightNormalization(conv)(x)


def bigvgan_discriminators(
    samples: int,
    periods: Sequence[int] = (2, 3, 5, 7, 11),
    resolutions: Sequence[Sequence[int]] = RESOLUTIONS,
    width: int = 32,
) -> dict[str, keras.Model]:
    """The discriminators of BigVGAN by name: "period_2", ..., "resolution_0", ...

    Args:
        samples: int, the length of a waveform.
        periods: tuple of int.
        resolutions: tuple of (n_fft, hop, window).
        width: int, channels of the first map of each.

    Raises:
        ValueError: an argument is out of its range.
    """
    ok = isinstance(resolutions, (tuple, list)) and all(
        isinstance(r, (tuple, list)) and len(r) == 3 and all(map(is_int, r))
        for r in resolutions
    )
    if not ok:
        raise ValueError(
            "`resolutions` is a tuple of (n_fft, hop, window), such as "
            f"((1024, 120, 600),). Received: {resolutions!r}."
        )
    check_periods(periods)
    discriminators = [
        period_discriminator(samples, period, width) for period in periods
    ]
    discriminators += [
        resolution_discriminator(samples, *r, width, name=f"resolution_{i}")
        for i, r in enumerate(resolutions)
    ]
    return {network.name: network for network in discriminators}
