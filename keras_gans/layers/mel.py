"""Log-mel spectrograms, as HiFi-GAN takes them."""

import dataclasses
import functools

import keras
from keras import ops
import numpy as np

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_number, within

LINEAR = 200 / 3  # Hz a mel of Slaney's scale, up to 1 kHz
BREAK = 1000.0  # Hz, from where on it is logarithmic
STEP = np.log(6.4) / 27  # of the logarithm, a mel


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class MelSpectrogram:
    """How a log-mel spectrogram is made of a waveform.

    Hann windows over reflected ends, magnitudes `sqrt(|X|^2 + epsilon)`, filters of
    Slaney's scale and norm as librosa's, and the natural logarithm of what is at
    least `floor`. A waveform of `k * hop` samples has k frames.

    Args:
        rate: int, samples a second.
        bands: int, filters.
        n_fft: int, length of the Fourier transform.
        hop: int, samples between frames.
        window: int, length of the window, at most `n_fft`.
        low: float, Hz, where the first filter begins.
        high: float, Hz, where the last one ends; `None`: half of `rate`.
        floor: float above 0, the least magnitude.
        epsilon: float above 0, added to squared magnitudes; VITS has 1e-6.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    mel = keras_gans.layers.MelSpectrogram(rate=22050)
    mel(np.random.uniform(-1, 1, (1, 8192)).astype("float32")).shape  # (1, 32, 80)
    ```

    Reference:
        https://arxiv.org/abs/2010.05646, section 3.1
    """

    rate: int = 22050
    bands: int = 80
    n_fft: int = 1024
    hop: int = 256
    window: int = 1024
    low: float = 0.0
    high: float | None = 8000.0
    floor: float = 1e-5
    epsilon: float = 1e-9

    def __post_init__(self):
        for name in ("rate", "bands", "n_fft", "hop", "window"):
            check_size(name, getattr(self, name))
        within("window", self.window, self.window <= self.n_fft, f"[1, {self.n_fft}]")
        within("hop", self.hop, self.hop <= self.n_fft, f"[1, {self.n_fft}]")
        half = self.rate / 2
        high = half if self.high is None else self.high
        ok = is_number(high) and 0 < high <= half
        within("high", self.high, ok, f"(0, {half:g}], or None")
        ok = is_number(self.low) and 0 <= self.low < high
        within("low", self.low, ok, f"[0, {high:g})")
        for name in ("floor", "epsilon"):
            value = getattr(self, name)
            within(name, value, is_number(value) and value > 0, "(0, inf)")

    def __call__(self, waveforms: Tensor) -> Tensor:
        """The spectrograms of waveforms.

        Args:
            waveforms: floats `[n, samples]`, or `[n, samples, 1]`, in [-1, 1], of
                more than `(n_fft - hop) / 2` samples.

        Returns:
            float32 `[n, frames, bands]`.

        Raises:
            ValueError: waveforms are something else.
        """
        self._check(waveforms)
        if len(waveforms.shape) == 3:
            waveforms = waveforms[..., 0]
        return self.of_padded(reflected(ops.cast(waveforms, "float32"), *self.sides))

    def _check(self, waveforms):
        shape = tuple(waveforms.shape)
        if len(shape) != 2 and (len(shape) != 3 or shape[2] != 1):
            remedy = "Mix channels by `x.mean(axis=-1)`."
            if len(shape) < 2:
                remedy = "Make one waveform a batch by `x[None]`."
            raise ValueError(
                "A spectrogram is made of waveforms [n, samples], or [n, samples, 1]. "
                f"Received: the shape {shape}. {remedy}"
            )
        dtype = keras.backend.standardize_dtype(waveforms.dtype)
        if "float" not in dtype:
            raise ValueError(
                f"Waveforms are floats in [-1, 1]. Received: {dtype}. Scale 16-bit "
                "samples by `x / 32768`."
            )
        least = self.sides[1] + 1
        if shape[1] is not None and shape[1] < least:
            raise ValueError(
                "A waveform is reflected at its ends, by half of what a window of "
                f"{self.n_fft} samples is longer than a hop of {self.hop}, so that it "
                f"has {least} samples or more. Received: {shape[1]}. Fill it up with "
                "silence."
            )

    def of_padded(self, waveforms: Tensor) -> Tensor:
        """The spectrograms of waveforms that have been reflected at their ends.

        Args:
            waveforms: float32 `[n, samples]`.
        """
        sizes = (self.n_fft, self.hop, self.window)
        magnitudes = stft_magnitudes(waveforms, *sizes, self.epsilon)
        mels = ops.matmul(magnitudes, self.filters)
        return ops.log(ops.maximum(mels, self.floor))

    @property
    def sides(self) -> tuple[int, int]:
        """How many samples both ends are reflected by."""
        return sides_of(self.n_fft, self.hop)

    @property
    def filters(self) -> np.ndarray:
        """float32 `[n_fft // 2 + 1, bands]`, from frequencies to bands."""
        return _filters(self.rate, self.bands, self.n_fft, self.low, self.high)

    def get_config(self) -> dict:
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config: dict) -> "MelSpectrogram":
        return cls(**config)


def sides_of(n_fft: int, hop: int) -> tuple[int, int]:
    """Samples that both ends are reflected by: `k * hop` samples have k frames."""
    before = (n_fft - hop) // 2
    return before, n_fft - hop - before


def reflected(waveforms: Tensor, before: int, after: int) -> Tensor:
    """Waveforms `[n, samples]`, reflected at both ends."""
    return ops.pad(waveforms, [[0, 0], [before, after]], "reflect")


def stft_magnitudes(
    waveforms: Tensor,
    n_fft: int,
    hop: int,
    window: int,
    epsilon: float = 1e-9,
    shape: str = "hann",
) -> Tensor:
    """Magnitudes of the short-time Fourier transform of whole windows.

    Args:
        waveforms: float32 `[n, samples]`.
        n_fft: int.
        hop: int.
        window: int, the length of the window, in the middle of `n_fft`.
        epsilon: float above 0.
        shape: "hann" or "flat", of the window.

    Returns:
        float32 `[n, frames, n_fft // 2 + 1]`: `sqrt(|X|^2 + epsilon)`.
    """
    frames = ops.extract_sequences(waveforms, n_fft, hop)
    real, imaginary = ops.rfft(frames * _window(window, n_fft, shape))
    return ops.sqrt(ops.square(real) + ops.square(imaginary) + epsilon)


@functools.lru_cache
def _window(length, n_fft, shape):
    weights = np.ones(length)
    if shape == "hann":
        weights = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)
    before = (n_fft - length) // 2
    return np.pad(weights, (before, n_fft - length - before)).astype("float32")


@functools.lru_cache
def _filters(rate, bands, n_fft, low, high):
    ends = _mels(np.array([low, rate / 2 if high is None else high]))
    corners = _hertz(np.linspace(*ends, bands + 2))
    frequencies = np.linspace(0, rate / 2, n_fft // 2 + 1)[:, None]
    widths = np.diff(corners)
    rising = (frequencies - corners[:-2]) / widths[:-1]
    falling = (corners[2:] - frequencies) / widths[1:]
    weights = np.maximum(0, np.minimum(rising, falling))
    return (weights * 2 / (corners[2:] - corners[:-2])).astype("float32")


def _mels(hertz):
    above = np.log(np.maximum(hertz, BREAK) / BREAK) / STEP
    return np.minimum(hertz, BREAK) / LINEAR + above


def _hertz(mels):
    edge = BREAK / LINEAR
    return np.minimum(mels, edge) * LINEAR * np.exp(np.maximum(mels - edge, 0) * STEP)
