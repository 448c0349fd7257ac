"""HiFi-GAN: waveforms from mel spectrograms."""

from typing import Any

import keras
import numpy as np

from keras_gans.core.inputs import Mel
from keras_gans.core.recipe import Recipe
from keras_gans.core.waveform_gan import WaveformGAN
from keras_gans.layers.mel import MelSpectrogram
from keras_gans.modalities import Waveform
from keras_gans.networks.hifigan import (
    CONFIGURATIONS,
    Configuration,
    hifigan_discriminators,
    hifigan_generator,
)
from keras_gans.utils.validation import check_size, one_of

FULL_BAND = 22050  # the highest rate at which mels end at 8 kHz by default


def default_mel(rate: int, hop: int, bands: int = 80) -> MelSpectrogram:
    """HiFi-GAN's spectrogram at a rate: windows of four hops.

    At 22,050 samples a second and a hop of 256, it is the paper's.
    """
    window = 4 * hop
    n_fft = 1 << (window - 1).bit_length()
    high = min(8000.0, rate / 2) if rate <= FULL_BAND else None
    return MelSpectrogram(rate, bands, n_fft, hop, window, high=high)


@keras.saving.register_keras_serializable("keras_gans")
class HiFiGAN(WaveformGAN):
    """HiFi-GAN: a vocoder, against discriminators of periods and of scales.

    `fit(waveforms)` takes segments float `[n, segment, 1]`, of which spectrograms
    are made in the step; `fit(mels, waveforms)` takes those of another model, to
    fine-tune on. `sample(n, mel=...)` makes waveforms of spectrograms of any
    length, and `gan.mel(waveforms)` the spectrograms.

    Args:
        configuration: "v1", "v2" or "v3" of the paper, or "small", for
            processors, which the next six arguments change.
        rate: int, samples a second.
        segment: int, samples of a training segment, a multiple of the hop.
        channels: int, of the generator's first map.
        rates: of the upsamplings, a tuple of ints; their product is the hop.
        kernels: of the upsamplings, a tuple of ints.
        block: "1" or "2", the kind of residual block.
        block_kernels: of the residual blocks, a tuple of ints.
        dilations: of each residual block, a tuple of tuples of ints.
        bands: int, mel bands.
        mel: `MelSpectrogram`, by default that of `default_mel` at the rate; it is
            kept with the model.
        feature_weight: float of 0 or more, of feature matching.
        mel_weight: float of 0 or more, of the distance of spectrograms.
        periods: of the discriminators, a tuple of ints.
        scales: int, how many discriminators see averages.
        d_width: int, channels of the first map of discriminators of periods, a
            multiple of 4.
        generator: `keras.Model` to use instead of `hifigan_generator`.
        discriminator: dict of `keras.Model`s by name to use instead of
            `hifigan_discriminators`, each with a list of outputs, logits first.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.HiFiGAN(
        "v3", rate=8000, segment=256, channels=8, rates=(8, 4), kernels=(16, 8),
        periods=(2, 3), scales=0, d_width=4,
    )
    gan.compile()
    sounds = np.random.uniform(-1, 1, (2, 256, 1)).astype("float32")
    gan.fit(sounds, batch_size=2, verbose=0)
    gan.sample(2, mel=gan.mel(sounds)).shape  # (2, 256, 1)
    ```

    Reference:
        https://arxiv.org/abs/2010.05646
    """

    configurations = CONFIGURATIONS

    def __init__(
        self,
        configuration: str = "v1",
        rate: int = 22050,
        segment: int = 8192,
        channels: int | None = None,
        rates: tuple[int, ...] | None = None,
        kernels: tuple[int, ...] | None = None,
        block: str | None = None,
        block_kernels: tuple[int, ...] | None = None,
        dilations: tuple[tuple[int, ...], ...] | None = None,
        *,
        bands: int = 80,
        mel: MelSpectrogram | None = None,
        feature_weight: float = 2.0,
        mel_weight: float = 45.0,
        periods: tuple[int, ...] = (2, 3, 5, 7, 11),
        scales: int = 3,
        d_width: int = 32,
        generator: keras.Model | None = None,
        discriminator: dict[str, keras.Model] | None = None,
        **kwargs,
    ):
        check_size("segment", segment)
        arguments = Configuration(
            channels, rates, kernels, block, block_kernels, dilations
        )
        numbers = self.numbers_of(configuration, arguments)
        if generator is None:
            generator = hifigan_generator(numbers, bands)
        hop = 1
        for factor in numbers.rates:
            hop *= factor
        mel = default_mel(rate, hop, bands) if mel is None else mel
        _check_mel(mel, rate, hop, bands)
        if segment % hop or segment <= mel.n_fft:
            least = hop * (mel.n_fft // hop + 1)
            near = max(least, segment // hop * hop)
            raise ValueError(
                f"`segment` is a multiple of the hop, {hop}, and longer than a "
                f"spectrogram's window, {mel.n_fft}, such as {near} or {near + hop}. "
                f"Received: segment={segment}."
            )
        if discriminator is None:
            discriminator = hifigan_discriminators(segment, periods, scales, d_width)
        super().__init__(
            generator,
            discriminator,
            mel=mel,
            feature_weight=feature_weight,
            mel_weight=mel_weight,
            modality=Waveform(segment, 1, rate),
            inputs=(Mel(bands),),
            **kwargs,
        )

    @classmethod
    def numbers_of(cls, configuration: str, given: Configuration) -> Configuration:
        """A configuration by its name, changed by what is `given` and not `None`."""
        one_of("configuration", configuration, tuple(cls.configurations))
        changed = {k: v for k, v in given._asdict().items() if v is not None}
        return cls.configurations[configuration]._replace(**changed)

    def parts(self, batch: Any) -> tuple:
        """(mels, waveforms), the first made of the second where they are alone.

        Raises:
            ValueError: waveforms cannot be used, or mels have other frames.
        """
        parts = super().parts(batch)
        if self._are_waveforms(parts):
            return (self.mel(parts[0]), *parts)
        shape, *others = (tuple(getattr(part, "shape", ())) for part in parts)
        if others and len(shape) == 3 and None not in (shape[1], *others[0][1:]):
            fit = shape[1] * self.hop == self.modality.samples
            if others[0][1:] == self.modality.shape and not fit:
                raise ValueError(
                    "A mel has a frame for each hop of its waveform. Received: "
                    f"{shape[1]} frames with waveforms of {others[0][1]} samples, "
                    f"{others[0][1] // self.hop} hops of {self.hop}. Cut both alike, "
                    "or give waveforms alone."
                )
        return parts

    def given_parts(self, batch: Any) -> dict:
        """Without spectrograms that are made of waveforms: of all, they are large."""
        parts = super().parts(batch)
        if self._are_waveforms(parts):
            return {"real": parts[0]}
        return super().given_parts(batch)

    def _are_waveforms(self, parts):
        """Whether waveforms are given alone; arrays of them are checked."""
        shape = tuple(getattr(parts[0], "shape", ()))
        alone = len(parts) == 1 and len(shape) in (2, 3)
        if not alone or shape[-1] == self.mel.bands:
            return False
        if isinstance(parts[0], np.ndarray):  # as data are checked
            if shape[-1:] != (1,) or len(shape) == 2:
                self.modality.check(parts[0], "waveforms")
            self.modality.check_all(parts[0], "waveforms")
        return True


def _check_mel(mel, rate, hop, bands):
    if not isinstance(mel, MelSpectrogram):
        raise ValueError(
            "`mel` is a keras_gans.layers.MelSpectrogram, or None. Received: "
            f"mel={mel!r}."
        )
    wanted = {"rate": rate, "hop": hop, "bands": bands}
    if wrong := {k: v for k, v in wanted.items() if getattr(mel, k) != v}:
        told = ", ".join(f"{k}={v}" for k, v in wrong.items())
        raise ValueError(
            "Spectrograms are made as the generator takes them: the hop is the "
            f"product of the rates. Received: {mel!r}, where {told}."
        )


RECIPE = Recipe(
    name="hifigan",
    model="HiFiGAN",
    summary="Waveforms from mel spectrograms, arXiv:2010.05646",
    task="sounds",
    data="drums",
    epochs=200,
    batch_size=4,
    # Small, for processors. Grouped convolutions, those of scales, take them longest.
    arguments={
        "configuration": "small",
        "rate": 16000,
        "periods": (2, 5, 11),
        "scales": 0,
        "d_width": 4,
        "ema": 0.99,
    },
    optimizers={
        "d": ("adamw", {"learning_rate": 1e-3, "beta_1": 0.8, "beta_2": 0.99}),
        "g": ("adamw", {"learning_rate": 1e-3, "beta_1": 0.8, "beta_2": 0.99}),
    },
    data_options={"segments": "random", "peak": 0.95, "mels": None},
    paper={
        "configuration": "v1",
        "rate": 22050,
        "periods": (2, 3, 5, 7, 11),
        "scales": 3,
        "d_width": 32,
        "ema": None,
        "batch_size": 16,
        "d_learning_rate": 2e-4,
        "g_learning_rate": 2e-4,
    },
    without=("data_dir", "evaluate_every", "diff_augment", "mel"),
)
