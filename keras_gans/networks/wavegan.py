"""WaveGAN's networks: convolutions in time of 25 samples."""

from collections.abc import Sequence
import math

import keras
from keras import layers, ops

from keras_gans.layers.phase_shuffle import PhaseShuffle
from keras_gans.networks.building import check_channels_last
from keras_gans.utils.validation import check_classes, check_size, is_int, one_of

KERNEL = 25
START = 16  # samples of the first map
SHUFFLED = 4  # maps that are shuffled at most, from the first on
UPSAMPLINGS = ("zeros", "nearest")


def default_strides(samples: int) -> tuple[int, ...]:
    """The paper's strides for a length: 4s, and a 2 where one is left.

    Raises:
        ValueError: `samples` is not 16 times a power of 2.
    """
    check_size("samples", samples)
    ratio, rest = divmod(samples, START)
    if rest or ratio < 2 or ratio & (ratio - 1):
        below = max(2 * START, 1 << (samples.bit_length() - 1))
        raise ValueError(
            "WaveGAN's own strides make 16 samples times a power of 2, such as "
            f"{below} or {2 * below}. Received: samples={samples}. Choose such a "
            "length, or pass `strides` whose product divides it, as in "
            "strides=(4, 4, 5, 5)."
        )
    count = ratio.bit_length() - 1
    return (4,) * (count // 2) + (2,) * (count % 2)


def check_strides(samples: int, strides: Sequence[int] | None) -> tuple[int, ...]:
    """Returns the strides of both networks, those by default where `None`.

    Raises:
        ValueError: their product does not divide `samples`.
    """
    if strides is None:
        return default_strides(samples)
    check_size("samples", samples)
    ok = isinstance(strides, (tuple, list)) and strides
    ok = ok and all(is_int(s) and s > 0 for s in strides)
    if not ok or samples % math.prod(strides):
        raise ValueError(
            "`strides` is a tuple of positive ints whose product divides "
            f"`samples`. Received: strides={strides!r}, samples={samples}."
        )
    return tuple(strides)


def wavegan_generator(
    samples: int = 16384,
    channels: int = 1,
    latent_dim: int = 100,
    dim: int = 64,
    *,
    strides: Sequence[int] | None = None,
    upsampling: str = "zeros",
    num_classes: int | None = None,
    name: str = "generator",
) -> keras.Model:
    """WaveGAN's generator.

    Args:
        samples: int, the length of a sound.
        channels: int, 2 for stereo; any number for other signals.
        latent_dim: int.
        dim: int, channels of the last hidden map; they double downwards.
        strides: tuple of int, one for each layer, whose product divides
            `samples`; the paper's by default, which make 16 times a power of 2.
        upsampling: "zeros", transposed convolutions, or "nearest", samples
            repeated before a convolution.
        num_classes: int, or `None` without labels. A label joins the latent
            code as one-hot numbers.
        name: str.

    Returns:
        `keras.Model` from `[n, latent_dim]`, or `[z, label]`, to sounds
        `[n, samples, channels]` in [-1, 1].

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.wavegan import wavegan_generator

    wavegan_generator(4096, dim=4)(np.zeros((2, 100))).shape  # (2, 4096, 1)
    ```

    Reference:
        https://arxiv.org/abs/1802.04208, table 4
    """
    check_channels_last()
    for key, value in (("channels", channels), ("latent_dim", latent_dim)):
        check_size(key, value)
    check_size("dim", dim)
    one_of("upsampling", upsampling, UPSAMPLINGS)
    strides = check_strides(samples, strides)
    z = keras.Input((latent_dim,), name="z")
    inputs, code = z, z
    if num_classes is not None:
        label = keras.Input((), dtype="int32", name="label")
        inputs = [z, label]
        classes = ops.one_hot(label, check_classes(num_classes))
        code = layers.Concatenate(name="code")([z, classes])
    width = dim << (len(strides) - 1)
    start = samples // math.prod(strides)
    x = layers.Dense(start * width, name="project")(code)
    x = layers.Reshape((start, width))(x)
    x = layers.ReLU()(x)
    for i, stride in enumerate(strides):
        last = i == len(strides) - 1
        width = channels if last else width // 2
        if upsampling == "zeros":
            conv, options = layers.Conv1DTranspose, {"strides": stride}
        else:
            x = layers.UpSampling1D(stride)(x)
            conv, options = layers.Conv1D, {}
        x = conv(width, KERNEL, padding="same", name=f"upconv_{i}", **options)(x)
        if not last:
            x = layers.ReLU()(x)
    sounds = layers.Activation("tanh", dtype="float32", name="audio")(x)
    return keras.Model(inputs, sounds, name=name)


def wavegan_discriminator(
    samples: int = 16384,
    channels: int = 1,
    dim: int = 64,
    *,
    strides: Sequence[int] | None = None,
    phase_shuffle: int = 2,
    num_classes: int | None = None,
    name: str = "discriminator",
) -> keras.Model:
    """WaveGAN's discriminator.

    Args:
        samples: int, the length of a sound.
        channels: int.
        dim: int, channels of the first map; they double downwards.
        strides: tuple of int, see `wavegan_generator`.
        phase_shuffle: int, n: the first four maps, but never the last, are
            shifted by up to n samples; 0 leaves it out.
        num_classes: int, or `None` without labels. The logit is then that of
            the sound plus the inner product of its features with a learned
            vector of the class.
        name: str.

    Returns:
        `keras.Model` from sounds, and int32 labels `[n]` where there are
        classes, and int32 shifts `[n, maps]` where there are any, to logits
        `[n, 1]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.wavegan import wavegan_discriminator

    discriminator = wavegan_discriminator(4096, dim=4, phase_shuffle=0)
    discriminator(np.zeros((2, 4096, 1))).shape  # (2, 1)
    ```

    Reference:
        https://arxiv.org/abs/1802.04208, table 5; labels:
        https://arxiv.org/abs/1802.05637, equation 3
    """
    check_channels_last()
    check_size("channels", channels)
    check_size("dim", dim)
    strides = check_strides(samples, strides)
    if phase_shuffle != 0:
        check_size("phase_shuffle", phase_shuffle)
    audio = keras.Input((samples, channels), name="audio")
    inputs, label = [audio], None
    if num_classes is not None:
        label = keras.Input((), dtype="int32", name="label")
        inputs.append(label)
    maps = shuffled_maps(strides) if phase_shuffle else 0
    if maps:
        shifts = keras.Input((maps,), dtype="int32", name="shifts")
        inputs.append(shifts)
    x = audio
    for i, stride in enumerate(strides):
        conv = layers.Conv1D(
            dim << i, KERNEL, strides=stride, padding="same", name=f"downconv_{i}"
        )
        x = layers.LeakyReLU(0.2)(conv(x))
        if i < maps:
            shuffle = PhaseShuffle(phase_shuffle, name=f"shuffle_{i}")
            x = shuffle([x, shifts[:, i]])
    logits = _logits(x, label, num_classes)
    return keras.Model(inputs if len(inputs) > 1 else audio, logits, name=name)


def spectrogram_discriminator(
    frames: int,
    bands: int,
    channels: int = 1,
    dim: int = 64,
    *,
    num_classes: int | None = None,
    name: str = "spectrogram",
) -> keras.Model:
    """A discriminator of spectrograms, by three convolutions in time.

    Args:
        frames: int, the length of a spectrogram.
        bands: int.
        channels: int, spectrograms of a sound, along the last axis.
        dim: int, a quarter of the first map's channels, of the others an eighth.
        num_classes: int, or `None` without labels; see `wavegan_discriminator`.
        name: str.

    Returns:
        `keras.Model` from spectrograms `[n, frames, bands * channels]`, and int32
        labels `[n]` where there are classes, to logits `[n, 1]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.wavegan import spectrogram_discriminator

    spectrogram_discriminator(64, 32, dim=4)(np.zeros((2, 64, 32))).shape  # (2, 1)
    ```
    """
    sizes = {"frames": frames, "bands": bands, "channels": channels, "dim": dim}
    for key, value in sizes.items():
        check_size(key, value)
    spectrogram = keras.Input((frames, bands * channels), name="spectrogram")
    inputs, label = [spectrogram], None
    if num_classes is not None:
        label = keras.Input((), dtype="int32", name="label")
        inputs.append(label)
    x = spectrogram
    for i, width in enumerate((4 * dim, 8 * dim, 8 * dim)):
        conv = layers.Conv1D(width, 5, strides=2, padding="same", name=f"conv_{i}")
        x = layers.LeakyReLU(0.2)(conv(x))
    logits = _logits(x, label, num_classes)
    return keras.Model(inputs if label is not None else spectrogram, logits, name=name)


def _logits(x, label, num_classes):
    """Logits of a map; with the inner product of features and class, if labelled."""
    features = layers.Flatten()(x)
    logits = layers.Dense(1, dtype="float32", name="output")(features)
    if label is None:
        return logits
    embed = layers.Embedding(
        check_classes(num_classes), x.shape[-1], dtype="float32", name="embed"
    )
    h = ops.sum(ops.cast(x, "float32"), axis=1)
    inner = ops.sum(embed(label) * h, axis=-1, keepdims=True)
    return layers.Add(dtype="float32", name="projected")([logits, inner])


def shuffled_maps(strides: Sequence[int]) -> int:
    """How many maps of a discriminator are shuffled."""
    return min(SHUFFLED, len(strides) - 1)
