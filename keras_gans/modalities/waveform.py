"""Waveforms: sounds, and other signals in time."""

from collections.abc import Iterable, Sequence
import contextlib
import dataclasses
import io
import math
import wave

import keras
import numpy as np

from keras_gans.modalities import base, pictures, untrusted
from keras_gans.modalities.wav_header import check_wav_is_whole
from keras_gans.utils import files
from keras_gans.utils.optional import require
from keras_gans.utils.types import Path, Tensor
from keras_gans.utils.validation import check_size

EXTENSIONS = (".wav", ".flac", ".ogg", ".mp3")  # of sounds to train on
FORMATS = {".wav": "WAV", ".flac": "FLAC", ".ogg": "OGG"}
MOST_BYTES = 2**32 - 1 - 36  # of samples in a WAV file: its sizes have 32 bits


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Waveform(base.Modality):
    """Waveforms `[samples, channels]` in [-1, 1].

    WAV files of 16 bits are written by Python alone. FLAC and OGG files, and
    WAV files of floats, need the extra "audio".

    Args:
        samples: int, or `None` for any length.
        channels: int, 2 for stereo.
        rate: int, samples a second.

    Raises:
        ValueError: an argument is something else.

    Example:

    ```python
    waveform = keras_gans.Waveform(16384, rate=16000)
    tone = 0.5 * np.sin(0.1 * np.arange(16384))[:, None]
    waveform.write("tone.wav", tone, overwrite=True)
    waveform.read("tone.wav").shape  # (16384, 1)
    ```
    """

    samples: int | None
    channels: int = 1
    rate: int = 16000

    kind = "waveform"
    tensor_name = "audio"
    bytes_name = "audio_bytes"
    bytes_extension = ".wav"
    range = (-1.0, 1.0)
    previewed = 16
    extensions = (".wav", ".flac", ".ogg")
    read_extensions = (".wav", ".flac", ".ogg")

    def __post_init__(self):
        if self.samples is not None:
            check_size("samples", self.samples)
        check_size("channels", self.channels)
        check_size("rate", self.rate)

    @property
    def shape(self) -> tuple:
        """(samples, channels)"""
        return (self.samples, self.channels)

    def _reshape(self, shape):
        return (
            "Cut or pad the sounds, or build the GAN with a Waveform of their "
            "length and channels."
        )

    def _rescale(self, floats):
        if floats:
            return "Scale them, e.g. by `x / np.abs(x).max()`."
        return "Scale 16-bit samples by `x / 32768`."

    def write_parts(
        self, path: Path, parts: Iterable[np.ndarray], overwrite: bool = False
    ) -> None:
        """Writes a WAV file, of up to 4 GiB, of a sound that comes in parts.

        Args:
            path: str or path, ending in ".wav".
            parts: arrays `[samples, channels]` of any length, in [-1, 1].
            overwrite: bool, whether to replace what stands there.

        Raises:
            ValueError: `path` exists or has another ending, a part does not fit, or
                all are more than 4 GiB; then no file is written.

        Example:

        ```python
        waveform = keras_gans.Waveform(None, rate=16000)
        parts = (np.zeros((n, 1), "float32") for n in (16000, 8000))
        waveform.write_parts("pause.wav", parts, overwrite=True)  # of 1.5 s
        ```
        """
        path = files.check_free(path, overwrite)
        base.check_extension(path, (".wav",), "Sounds in parts")
        one = dataclasses.replace(self, samples=None)
        with files.replacing(path) as temporary, self._opened(temporary) as file:
            written = 0
            for part in parts:
                levels = one._levels(part)
                written += levels.nbytes
                self._check_bytes(written)
                file.writeframes(levels.tobytes())

    def _check_bytes(self, count):
        """Refuses more bytes of samples than a WAV file can say that it has."""
        if count > MOST_BYTES:
            most = MOST_BYTES // (2 * self.channels)
            raise ValueError(
                f"A WAV file holds up to 4 GiB: {most:,} samples of {self.channels} "
                f"channels, {most / self.rate:,.0f} s. Received more. Write several "
                "files."
            )

    @contextlib.contextmanager
    def _opened(self, target):
        """A WAV file of 16 bits, opened for writing."""
        if not isinstance(target, io.BytesIO):
            target = str(target)
        with wave.open(target, "wb") as file:
            file.setnchannels(self.channels)
            file.setsampwidth(2)
            file.setframerate(self.rate)
            yield file

    def _levels(self, sample):
        """A sample in 16 bits."""
        levels = np.rint(self._one(sample) * 32768)
        return np.minimum(levels, 32767).astype("<i2")

    def _encode(self, sample, extension):
        pcm = self._levels(sample)
        stream = io.BytesIO()
        if extension == ".wav":
            self._check_bytes(pcm.nbytes)
            with self._opened(stream) as file:
                file.writeframes(pcm.tobytes())
            return stream.getvalue()
        soundfile = require("soundfile", "audio", "FLAC and OGG files")
        with soundfile.SoundFile(
            stream, "w", self.rate, self.channels, format=FORMATS[extension]
        ) as file:
            for start in range(0, len(pcm), 65536):  # long ones can crash it
                file.write(pcm[start : start + 65536])
        return stream.getvalue()

    def _decode(self, data, extension):
        if not data.startswith((b"RIFF", b"RIFX", b"fLaC", b"OggS")):
            what = "holds something else" if data else "is empty"
            raise ValueError(f"it {what}: no sound in WAV, FLAC or OGG.")
        try:
            rate, values = _read_wav(data)
        except (wave.Error, EOFError, RuntimeError) as error:
            at = data.find(b"fmt ") + 8
            if data.startswith(b"RIFF") and data[at : at + 2] in (b"", b"\1\0"):
                raise ValueError(f"it is no WAV file that is whole ({error}).") from (
                    error
                )
            rate, values = _read_sound(data)  # of floats
        if rate != self.rate:
            raise ValueError(
                f"it has {rate} samples a second, and the waveforms "
                f"{self.rate}. Resample it."
            )
        self._fits(values.shape, "Cut or pad it, or mix its channels.")
        return values

    def encode_in_graph(self, samples: Tensor) -> Tensor | None:
        import tensorflow as tf

        return tf.map_fn(
            lambda sample: tf.audio.encode_wav(sample, self.rate),
            # halves to the even one, as NumPy does
            tf.round(tf.cast(samples, "float32") * 32768) / 32768,
            fn_output_signature=tf.string,
        )

    def preview(
        self,
        samples: np.ndarray,
        columns: int | None = None,
        names: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> base.Preview:
        """Spectrograms of the first channel, and each sound as a WAV file."""
        samples = self._many(samples)
        columns = columns or pictures.full_rows(len(samples))
        rows = math.ceil(len(samples) / columns)

        def draw(axes):
            for i, axis in enumerate(axes):
                if i < len(samples):
                    name = f"{i}" if names is None else f"{i}: {names[i]}"
                    self._draw(axis, name, samples[i, :, 0])
                else:
                    axis.set_axis_off()

        picture = pictures.draw_plot(rows, columns, (3, 2), draw)
        media = [
            base.Media(f"{i}.wav", "audio/wav", self._encode(sample, ".wav"))
            for i, sample in enumerate(samples)
        ]
        return base.Preview(pictures.add_caption(picture, caption), media)

    def _draw(self, axis, name, values):
        decibels = spectrogram(values)
        axis.imshow(
            decibels,
            origin="lower",
            aspect="auto",
            cmap="magma",
            vmin=-80,
            vmax=0,
            extent=(0, len(values) / self.rate, 0, self.rate / 2000),
        )
        title = pictures.drawable(name, 40)
        axis.set_title(title, fontsize=8, parse_math=False)
        axis.tick_params(labelsize=6)
        axis.locator_params(axis="x", nbins=5)
        axis.set_xlabel("seconds", fontsize=6)
        axis.set_ylabel("kHz", fontsize=6)


def spectrogram(values: np.ndarray) -> np.ndarray:
    """The levels of a waveform over time and frequency.

    Args:
        values: float array `[samples]`.

    Returns:
        float array `[frequencies, times]` in decibels; a sine of amplitude 1
        has 0, and nothing is below -120.
    """
    size = min(512, max(16, 2 ** (len(values).bit_length() - 4)))
    hop = max(size // 4, len(values) // 1024)  # more would not be seen
    padded = np.pad(values, size // 2, mode="symmetric")
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]
    window = np.hanning(size + 1)[:-1]
    amplitudes = np.abs(np.fft.rfft(frames * window)) * 2 / window.sum()
    return 20 * np.log10(np.maximum(amplitudes, 1e-6)).T


def _read_wav(data):
    with wave.open(io.BytesIO(data), "rb") as file:
        rate, channels = file.getframerate(), file.getnchannels()
        width = file.getsampwidth()
        shape = (file.getnframes(), channels)
        untrusted.check_count(shape)
        bytes_ = np.frombuffer(file.readframes(shape[0]), "uint8")
    if width > 4 or len(bytes_) != width * channels * shape[0]:
        raise ValueError(
            f"it announces {shape} samples of {8 * width} bits, and holds "
            f"{len(bytes_)} bytes of them."
        )
    if width == 1:
        values = (bytes_.astype("float32") - 128) / 128
    else:
        # into the high bytes of 32 bits, where the sign is
        wide = np.zeros((len(bytes_) // width, 4), "uint8")
        wide[:, 4 - width :] = bytes_.reshape(-1, width)
        values = wide.view("<i4")[:, 0].astype("float64") / 2**31
    return rate, values.astype("float32").reshape(shape)


def _read_sound(data):
    soundfile = require("soundfile", "audio", "FLAC, OGG and float WAV files")
    try:
        check_wav_is_whole(io.BytesIO(data), len(data))
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            untrusted.check_count((file.frames, file.channels))
            if file.format not in FORMATS.values():
                raise ValueError(f"it is a {file.format} file.")
            values = file.read(dtype="float32", always_2d=True)
            return file.samplerate, values
    except Exception as error:  # decoders raise every kind
        raise ValueError(f"it is no sound to be read ({error}).") from error
