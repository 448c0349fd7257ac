"""From phonemes to waveforms: a small encoder before HiFi-GAN's generator."""

import keras
from keras import layers, ops

from keras_gans.layers.inverse_stft import InverseSTFT
from keras_gans.networks.building import check_channels_last
from keras_gans.networks.hifigan import (
    SLOPE,
    Configuration,
    check_configuration,
    convolved,
    upsampled,
)
from keras_gans.utils.validation import check_size

# Of hop 200 without the Fourier transform, of hop 50 * 4 with it.
WAVES = Configuration(
    256, (10, 5, 4), (20, 11, 8), "2", (3, 5, 7), ((1, 2), (2, 6), (3, 12))
)
SPECTRA = Configuration(
    128, (10, 5), (20, 11), "2", (3, 5, 7), ((1, 2), (2, 6), (3, 12))
)


def speech_generator(
    symbols: int,
    configuration: Configuration = SPECTRA,
    n_fft: int | None = 16,
    hop: int = 4,
    width: int = 128,
    blocks: int = 4,
    weight_norm: bool = True,
    name: str = "generator",
) -> keras.Model:
    """Waveforms of phonemes of known length.

    A frame is told by its phoneme, by its place in it, and by how long that is.
    Residual convolutions let it see its neighbours; HiFi-GAN's generator makes the
    waveform, or a spectrum whose inverse Fourier transform is the waveform: a
    quarter of the work.

    Args:
        symbols: int, how many phonemes there are.
        configuration: `networks.hifigan.Configuration` of the upsampling.
        n_fft: int, of the inverse Fourier transform at the end; `None` for none.
        hop: int, samples of each of its frames; unused without it.
        width: int, channels of the encoder.
        blocks: int, its residual convolutions, each of 5 frames.
        weight_norm: bool, whether kernels are normalized, as for training.
        name: str.

    Returns:
        `keras.Model` from int32 `[n, frames, 3]` (phoneme, its frame from 0, how
        many frames it has) to `[n, frames * samples, 1]` in [-1, 1].

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.text_to_speech import speech_generator

    speech_generator(40)(np.ones((1, 4, 3), "int32")).shape  # (1, 800, 1)
    ```

    Reference:
        https://arxiv.org/abs/2010.05646; the last layer: https://arxiv.org/abs/2203.02395
    """
    check_channels_last()
    sizes = {"symbols": symbols, "width": width, "blocks": blocks}
    for key, value in sizes.items():
        check_size(key, value)
    c = check_configuration(configuration)
    phones = keras.Input((None, 3), dtype="int32", name="phones")
    place = ops.cast(phones[..., 1:2], "float32")
    length = ops.maximum(ops.cast(phones[..., 2:3], "float32"), 1.0)
    timing = ops.concatenate([(place + 0.5) / length, ops.log(length)], axis=-1)
    x = layers.Embedding(symbols, width, name="symbols")(phones[..., 0])
    x = layers.Add()([x, layers.Dense(width, name="timing")(timing)])
    for i in range(blocks):
        y = layers.LeakyReLU(SLOPE)(x)
        y = convolved(y, width, 5, f"encoder_{i}", weight_norm=weight_norm)
        x = layers.Add()([x, y])
    x = convolved(x, c.channels, 7, "conv_pre", weight_norm=weight_norm)
    x = upsampled(x, c, weight_norm)
    if n_fft is None:
        x = convolved(x, 1, 7, "conv_post", weight_norm=weight_norm)
    else:
        x = convolved(x, n_fft + 2, 7, "conv_post", weight_norm=weight_norm)
        x = InverseSTFT(n_fft, hop, name="inverse_stft")(x)
    audio = layers.Activation("tanh", dtype="float32", name="audio")(x)
    return keras.Model(phones, audio, name=name)


def duration_predictor(
    symbols: int, width: int = 128, name: str = "durations"
) -> keras.Model:
    """How long each phoneme of a sequence is.

    Args:
        symbols: int, how many phonemes there are.
        width: int, channels of both convolutions.
        name: str.

    Returns:
        `keras.Model` from int32 `[n, phonemes]`, -1 after the end, to the natural
        logarithm of frames, `[n, phonemes]`.

    Raises:
        ValueError: an argument is out of its range.

    Reference:
        https://arxiv.org/abs/1905.09263, section 3.3
    """
    check_size("symbols", symbols)
    check_size("width", width)
    ids = keras.Input((None,), dtype="int32", name="ids")
    mask = ops.cast(ids >= 0, "float32")[..., None]
    x = layers.Embedding(symbols, width, name="symbols")(ops.maximum(ids, 0))
    for i in range(2):
        x = layers.Multiply()([x, mask])
        own = {"padding": "same", "activation": "relu", "name": f"conv_{i}"}
        x = layers.Conv1D(width, 3, **own)(x)
        x = layers.LayerNormalization(name=f"norm_{i}")(x)
    x = layers.Dense(1, dtype="float32", name="log_frames")(x)
    return keras.Model(ids, x[..., 0], name=name)
