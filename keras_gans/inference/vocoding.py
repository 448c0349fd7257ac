"""From spectrograms, or recordings, to waveforms: in parts, without a seam."""

from collections.abc import Callable, Iterator
import math
import pathlib
from typing import TYPE_CHECKING

import keras
from keras import layers, ops
import numpy as np

from keras_gans.engine.keras_internals import flatten_layers
from keras_gans.layers.snake import AntiAliasedSnake
from keras_gans.modalities import Waveform
from keras_gans.utils import files
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
    return np.concatenate(list(_parts(gan, [mel], chunk)))


def _parts(gan, rows, chunk) -> Iterator[np.ndarray]:
    """The waveform `[samples, 1]` of a spectrogram's rows, both in parts.

    Frames are held as long as samples that are not made yet depend on them.
    """
    network, hop = gan.sampling_network(), gan.hop
    infer = gan.engine.inference_of(network)
    around = context(network)
    held, before = np.zeros((0, gan.mel.bands), "float32"), 0

    def made(count):
        nonlocal held, before
        frames = held[None, : before + count + around]
        samples = ops.convert_to_numpy(infer(frames))[0]
        samples = samples[before * hop : (before + count) * hop]
        drop = max(0, before + count - around)
        held, before = held[drop:], before + count - drop
        return np.clip(samples, -1, 1)

    for more in rows:
        held = np.concatenate([held, more])
        while len(held) - before >= chunk + around:
            yield made(chunk)
    while len(held) > before:
        yield made(min(chunk, len(held) - before))


def context(network: keras.Model) -> int:
    """How many frames to either side a sample depends on, at most.

    Each convolution, and the filters of each activation, reach as far as their
    kernels, in frames of their map's rate. All count, also those side by side: a few
    frames too many do no harm.

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
        elif isinstance(layer, AntiAliasedSnake):
            reach += layer.reach / rate
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
    return np.concatenate(list(_rows(gan.mel, [sound], chunk)))


def _rows(mel, blocks, chunk) -> Iterator[np.ndarray]:
    """The rows of the spectrogram of a sound `[samples, 1]`, both in parts."""
    hop, (before, after) = mel.hop, mel.sides
    whole = (chunk - 1) * hop + mel.n_fft  # samples of a part
    held, read, begun = np.zeros(0, "float32"), 0, False

    def made(samples):
        return ops.convert_to_numpy(mel.of_padded(samples[None]))[0]

    for block in blocks:
        held = np.concatenate([held, block[:, 0].astype("float32")])
        read += len(block)
        if not begun and len(held) > after:
            held, begun = np.pad(held, (before, 0), mode="reflect"), True
        while begun and len(held) >= whole + after:
            yield made(held[:whole])
            held = held[chunk * hop :]
    held = np.pad(held, (0, -read % hop))
    if read + -read % hop <= after:
        raise ValueError(
            f"A recording has more than {after} samples at {mel.rate} Hz. Received: "
            f"{read}."
        )
    held = np.pad(held, (0 if begun else before, after), mode="reflect")
    while len(held) >= mel.n_fft:
        yield made(held[:whole])
        held = held[chunk * hop :]


def vocode_files(
    gan: "HiFiGAN",
    paths: list[Path],
    directory: Path,
    chunk: int = CHUNK,
    overwrite: bool = False,
    on_change: Callable[[str], None] | None = None,
) -> list[pathlib.Path]:
    """Makes a WAV file of each recording, or of each .npy file of a spectrogram.

    Recordings are read, and waveforms written, in parts: memory does not grow with
    their length.

    Args:
        gan: `HiFiGAN`.
        paths: list of str or path: WAV, FLAC, OGG or MP3 files, of any rate, or
            .npy files of `[frames, bands]`, or `[bands, frames]`.
        directory: str or path of the folder of the results.
        chunk: int, frames made at a time.
        overwrite: bool, whether to replace files there.
        on_change: function that is called before a recording of another rate, or of
            several channels, is vocoded, with its path and what is changed:
            "a.wav: resampled from 44100 to 22050 Hz". `print` shows it.

    Returns:
        List of the paths written.

    Raises:
        ValueError: a file is of another kind, damaged, or does not fit; or its
            result exists. Nothing is written of it, nor of those after it; of
            results that exist, or have one name, nothing at all.
    """
    if not any(i.name == "mel" for i in gan.inputs):
        raise ValueError(
            "Spectrograms become waveforms by a HiFiGAN. Received: a "
            f"{type(gan).__name__}. Train one by `keras-gans train hifigan`."
        )
    check_size("chunk", chunk)
    paths = list(map(pathlib.Path, paths))
    targets = [pathlib.Path(directory) / f"{path.stem}.wav" for path in paths]
    for i, target in enumerate(targets):
        if target in targets[:i]:
            raise ValueError(
                f"Results have the names of their files. Received: {paths[i]} and "
                f"{paths[targets.index(target)]}, of which both become {target.name}. "
                "Write them into two folders."
            )
        files.check_free(target, overwrite)
    wave = Waveform(None, 1, gan.mel.rate)
    for path, target in zip(paths, targets, strict=True):
        rows = _rows_of(gan, path, chunk)
        if on_change is not None and path.suffix.lower() != ".npy":
            _tell_changes(path, gan.mel.rate, on_change)
        wave.write_parts(target, _parts(gan, rows, chunk), overwrite)
    return targets


def _tell_changes(path, rate, on_change):
    from keras_gans.data.sounds import changes_of

    if changes := changes_of(path, rate):
        on_change(f"{path}: {changes}")


def _rows_of(gan, path, chunk):
    """The rows of a file's spectrogram, in parts."""
    if path.suffix.lower() not in EXTENSIONS or not path.is_file():
        raise ValueError(
            f"Recordings end in {', '.join(EXTENSIONS[:-1])}, spectrograms in .npy. "
            f"Received: {path}{'' if path.exists() else ', which does not exist'}."
        )
    if path.suffix.lower() == ".npy":
        from keras_gans.data.mels import read_mel

        return [read_mel(path, gan.mel.bands)]
    from keras_gans.data.sounds import sound_blocks

    return _rows(gan.mel, sound_blocks(path, gan.mel.rate), chunk)
