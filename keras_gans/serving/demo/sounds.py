"""Sounds of a seed: one-shots that are played from keys."""

from typing import Any

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.modalities import Waveform, pictures
from keras_gans.modalities.waveform import spectrogram
from keras_gans.serving.demo.views import SeededView, data_url

QUIETEST = -80  # decibels, black in a spectrogram
MOST_VALUES = 2**18  # of a sound that is a key's: 5.9 s at 44.1 kHz
LOW, HIGH = 8000, 96000  # samples a second, which every browser plays


class SoundsView(SeededView):
    """Sounds of a seed, one for each key."""

    kind = "sounds"
    count = 16
    most = 32
    formats = {"wav": "audio/wav"}

    @classmethod
    def fits(cls, gan: BaseGAN) -> bool:
        sound = gan.modality
        return (
            isinstance(sound, Waveform)
            and gan.samples_from_seed
            and sound.channels <= 2
            and LOW <= sound.rate <= HIGH
            and sound.samples is not None
            and sound.samples * sound.channels <= MOST_VALUES
        )

    def about(self) -> dict[str, Any]:
        sound = self.gan.modality
        return super().about() | {"seconds": sound.samples / sound.rate}

    @property
    def size(self) -> str:
        sound = self.gan.modality
        return f"{sound.samples / sound.rate:.2g} s {in_words(sound)}"

    def shown(self, samples: np.ndarray, scores: list | None) -> dict[str, list]:
        """WAV files and the pictures of their spectrograms."""
        return {
            "images": [spectrogram_url(sound) for sound in samples],
            "sounds": [sound_url(self.gan.modality, sound) for sound in samples],
        }


def in_words(sound: Waveform) -> str:
    """How many samples a second: "at 8 kHz, stereo"."""
    stereo = ", stereo" if sound.channels == 2 else ""
    return f"at {sound.rate / 1000:g} kHz{stereo}"


def sound_url(modality: Waveform, sound: np.ndarray) -> str:
    """A sound as a WAV file in a data URL; silence where it is not finite."""
    return data_url(modality.encode(np.nan_to_num(sound), ".wav"), "audio/wav")


def spectrogram_url(sound: np.ndarray) -> str:
    """The spectrogram of a sound's first channel as a PNG in a data URL.

    Args:
        sound: float array `[samples, channels]`.

    Returns:
        str; high frequencies are above, time runs to the right.
    """
    import matplotlib

    levels = spectrogram(np.nan_to_num(sound[:, 0]))[::-1]
    shares = np.clip(1 - levels / QUIETEST, 0, 1)
    pixels = matplotlib.colormaps["magma"](shares, bytes=True)[..., :3]
    return data_url(pictures.encode_png(np.ascontiguousarray(pixels)))
