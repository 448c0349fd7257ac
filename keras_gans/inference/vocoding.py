"""From spectrograms, or recordings, to waveforms: in parts, without a seam."""

from collections.abc import Iterator
import math
import pathlib
from typing import TYPE_CHECKING

import keras
from keras import layers, ops
import numpy as np

from keras_gans.engine.keras_internals import flatten_layers
from keras_gans.modalities import Waveform
from keras_gans.utils.types import Path
from keras_gans.utils.validation import check_size

if TYPE_CHECKING:
    from keras_gans.models.hifigan import HiFiGAN

CHUNK = 256  # frames made at a time
EXTENSIONS = (".wav", ".flac", ".ogg", ".mp3", ".npy")


def vocode(gan: "HiFiGAN", mel: np.ndarray, chunk: int = CHUNK) -> np.ndarray:
    """Makes the waveform of a spectrogram of any length.

    It is made in parts, each with as many frames around it as its samples depend
    on: what comes out is that of the whole at once, to rounding.

    Args:
        gan: `HiFiGAN`.
        mel: float `[frames, bands]`, log-mel, made as `gan.mel` makes them.
        chunk: int, frames of a part.

    Returns:
        float32 `[frames * hop, 1]`.

    Raises:
        ValueError: `mel` has another shape, or NaN.

    Example:

    ```python
    from keras_gans.inference.vocoding import vocode

    gan = keras_gans.HiFiGAN(
        "v3", rate=8000, segment=512, channels=16, rates=(8, 4), kernels=(16, 8),
        d_width=4,
    )
    vocode(gan, np.zeros((100, 80), "float32")).shape  # (3200, 1)
    ```
    """
    mel = np.asarray(mel)
    if mel.ndim != 2:
        raise ValueError(
            f"`mel` has the shape [frames, {gan.mel.bands}]. Received: {mel.shape}."
        )
    check_size("chunk", chunk)
    (mel,) = gan.inputs[0].check(mel[None], 1)
    return np.concatenate(list(_parts(gan, mel, chunk)))


def _parts(gan, mel, chunk) -> Iterator[np.ndarray]:
    network, hop = gan.sampling_network(), gan.hop
    around = context(network)
    for start in range(0, len(mel), chunk):
        first, last = max(0, start - around), min(len(mel), start + chunk + around)
        samples = ops.convert_to_numpy(network(mel[None, first:last], training=False))
        count = min(chunk, len(mel) - start) * hop
        skip = (start - first) * hop
        yield np.clip(samples[0, skip : skip + count], -1, 1)


def context(network: keras.Model) -> int:
    """How many frames to either side a sample depends on, at most.

    Each convolution reaches as far as its kernel, in frames of its map's rate. All
    count, also those side by side: a few frames too many do no harm.

    Args:
        network: `keras.Model` from spectrograms to waveforms.
    """
    reach, rate = 0.0, 1
    for layer in flatten_layers(network):
        if isinstance(layer, layers.Conv1DTranspose):
            reach += layer.kernel_size[0] / layer.strides[0] / rate
            rate *= layer.strides[0]
        elif isinstance(layer, layers.Conv1D):
            reach += (layer.kernel_size[0] // 2) * layer.dilation_rate[0] / rate
    return math.ceil(reach) + 1


def spectrogram_of(gan: "HiFiGAN", sound: np.ndarray, chunk: int = CHUNK) -> np.ndarray:
    """The spectrogram of a sound of any length, made in parts.

    Args:
        gan: `HiFiGAN`, whose `mel` says how it is made.
        sound: float `[samples, 1]`; its end is filled up to a whole frame.
        chunk: int, frames of a part.

    Returns:
        float32 `[frames, bands]`: that of the whole at once.

    Raises:
        ValueError: it is too short to be reflected at its ends.
    """
    mel = gan.mel
    hop, side = mel.hop, (mel.n_fft - mel.hop) // 2
    frames = -(-len(sound) // hop)
    sound = np.pad(sound[:, 0], (0, frames * hop - len(sound)))
    if len(sound) <= side:
        raise ValueError(
            f"A recording has more than {side} samples at {mel.rate} Hz. Received: "
            f"{len(sound)}."
        )
    padded = np.pad(sound, side, mode="reflect").astype("float32")
    rows = []
    for start in range(0, frames, chunk):
        count = min(chunk, frames - start)
        part = padded[start * hop : (start + count - 1) * hop + mel.n_fft]
        rows.append(ops.convert_to_numpy(mel.of_padded(part[None]))[0])
    return np.concatenate(rows)


def vocode_files(
    gan: "HiFiGAN",
    paths: list[Path],
    directory: Path,
    chunk: int = CHUNK,
    overwrite: bool = False,
) -> list[pathlib.Path]:
    """Makes a WAV file of each recording, or of each .npy file of a spectrogram.

    Args:
        gan: `HiFiGAN`.
        paths: list of str or path: WAV, FLAC, OGG or MP3 files, of any rate, or
            .npy files of `[frames, bands]`.
        directory: str or path of the folder of the results.
        chunk: int, frames made at a time.
        overwrite: bool, whether to replace files there.

    Returns:
        List of the paths written.

    Raises:
        ValueError: a file is of another kind, damaged, or does not fit; or its
            result exists. Nothing is written of it, nor of those after it.
    """
    if not any(i.name == "mel" for i in gan.inputs):
        raise ValueError(
            "Spectrograms become waveforms by a HiFiGAN. Received: a "
            f"{type(gan).__name__}. Train one by `keras-gans train hifigan`."
        )
    written = []
    wave = Waveform(None, 1, gan.mel.rate)
    for path in map(pathlib.Path, paths):
        samples = vocode(gan, _spectrogram(gan, path, chunk), chunk)
        target = pathlib.Path(directory) / f"{path.stem}.wav"
        wave.write(target, samples, overwrite)
        written.append(target)
    return written


def _spectrogram(gan, path, chunk):
    if path.suffix.lower() not in EXTENSIONS or not path.is_file():
        raise ValueError(
            f"Recordings end in {', '.join(EXTENSIONS[:-1])}, spectrograms in .npy. "
            f"Received: {path}{'' if path.exists() else ', which does not exist'}."
        )
    if path.suffix.lower() == ".npy":
        return gan.inputs[0].parse(str(path))
    from keras_gans.data.sounds import read_sound

    return spectrogram_of(gan, read_sound(path, gan.mel.rate), chunk)
