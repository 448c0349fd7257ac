"""BigVGAN: a larger HiFi-GAN with periodic activations."""

import math

import keras
from keras import ops

from keras_gans.core.optimizers import TorchAdam
from keras_gans.core.recipe import Recipe
from keras_gans.layers.mel import MelSpectrogram
from keras_gans.models.hifigan import HiFiGAN
from keras_gans.networks.bigvgan import (
    CONFIGURATIONS,
    bigvgan_discriminators,
    bigvgan_generator,
)
from keras_gans.networks.hifigan import Configuration
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_int


@keras.saving.register_keras_serializable("keras_gans")
class BigVGAN(HiFiGAN):
    """BigVGAN: HiFi-GAN's training, of a generator that hears periods.

    Used as `HiFiGAN` is. The defaults are those of version 2 at 24 kHz, but for its
    discriminator of constant-Q transforms, instead of which the paper's of
    spectrograms is used. The paper's own, version 1, is
    `BigVGAN(ending="tanh", mel_windows=(), mel_weight=45.0, segment=8192)`.

    Args:
        configuration: "256x", "512x", "base", or "small", for processors, which
            the next six arguments of the generator change.
        rate: int, samples a second.
        segment: int, samples of a training segment, a multiple of the hop.
        channels: int, of the generator's first map.
        rates: of the upsamplings, a tuple of ints; their product is the hop.
        kernels: of the upsamplings, a tuple of ints.
        block: "1" or "2", the kind of residual block.
        block_kernels: of the residual blocks, a tuple of ints.
        dilations: of each residual block, a tuple of tuples of ints.
        activation: "snakebeta" or "snake"; see `layers.AntiAliasedSnake`.
        ending: "clip", without a bias before it, or "tanh".
        bands: int, mel bands.
        mel: `MelSpectrogram`, see `HiFiGAN`.
        feature_weight: float of 0 or more, of feature matching.
        mel_weight: float of 0 or more, of the distance of spectrograms.
        mel_windows: windows of the spectrograms whose distances are added, a tuple of
            multiples of 32; without any, the distance is HiFi-GAN's.
        periods: of the discriminators, a tuple of ints.
        resolutions: of the discriminators, a tuple of (n_fft, hop, window).
        d_width: int, channels of the first map of discriminators.
        generator: `keras.Model` to use instead of `bigvgan_generator`.
        discriminator: dict of `keras.Model`s by name to use instead of
            `bigvgan_discriminators`, each with a list of outputs, logits first.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.BigVGAN(
        rate=8000, segment=256, channels=4, rates=(32,), kernels=(64,), bands=8,
        block_kernels=(3,), dilations=((1,),), mel_windows=(64,), periods=(2,),
        resolutions=((64, 16, 64),), d_width=4,
    )
    gan.compile()
    sounds = np.random.uniform(-1, 1, (4, 256, 1)).astype("float32")
    gan.fit(sounds, batch_size=2, verbose=0)
    gan.sample(4, mel=gan.mel(sounds)).shape  # (4, 256, 1)
    ```

    Reference:
        https://arxiv.org/abs/2206.04658; spectrograms of several windows:
        https://arxiv.org/abs/2306.06546, section 3.4
    """

    configurations = CONFIGURATIONS

    def __init__(
        self,
        configuration: str = "256x",
        rate: int = 24000,
        segment: int = 65536,
        channels: int | None = None,
        rates: tuple[int, ...] | None = None,
        kernels: tuple[int, ...] | None = None,
        block: str | None = None,
        block_kernels: tuple[int, ...] | None = None,
        dilations: tuple[tuple[int, ...], ...] | None = None,
        *,
        activation: str = "snakebeta",
        ending: str = "clip",
        bands: int = 100,
        mel: MelSpectrogram | None = None,
        feature_weight: float = 2.0,
        mel_weight: float = 15.0,
        mel_windows: tuple[int, ...] = (32, 64, 128, 256, 512, 1024, 2048),
        periods: tuple[int, ...] = (2, 3, 5, 7, 11),
        resolutions: tuple[tuple[int, int, int], ...] = (
            (1024, 120, 600),
            (2048, 240, 1200),
            (512, 50, 240),
        ),
        d_width: int = 32,
        generator: keras.Model | None = None,
        discriminator: dict[str, keras.Model] | None = None,
        **kwargs,
    ):
        check_size("segment", segment)
        check_size("rate", rate)
        ok = isinstance(mel_windows, (tuple, list))
        if not ok or not all(is_int(w) and w > 0 and w % 32 == 0 for w in mel_windows):
            raise ValueError(
                "`mel_windows` is a tuple of multiples of 32. Received: "
                f"{mel_windows!r}."
            )
        if any(window >= segment for window in mel_windows):
            raise ValueError(
                "`segment` is longer than each of `mel_windows`. Received: "
                f"segment={segment}, mel_windows={mel_windows}."
            )
        arguments = Configuration(
            channels, rates, kernels, block, block_kernels, dilations
        )
        numbers = self.numbers_of(configuration, arguments)
        if generator is None:
            generator = bigvgan_generator(numbers, bands, activation, ending)
        if discriminator is None:
            discriminator = bigvgan_discriminators(
                segment, periods, resolutions, d_width
            )
        super().__init__(
            configuration,
            rate,
            segment,
            *arguments,
            bands=bands,
            mel=mel,
            feature_weight=feature_weight,
            mel_weight=mel_weight,
            generator=generator,
            discriminator=discriminator,
            **kwargs,
        )
        self.mel_windows = tuple(mel_windows)

    def default_optimizers(self) -> tuple:
        """AdamW: 1e-4, betas 0.8 and 0.99, decay 0.01, gradients of norm 500.

        The reference multiplies the rate by 0.9999996 each step, which a
        `keras.optimizers.schedules.ExponentialDecay` does.
        """

        def adamw():
            return TorchAdam(
                1e-4,
                beta_1=0.8,
                beta_2=0.99,
                epsilon=1e-8,
                weight_decay=0.01,
                global_clipnorm=500.0,
            )

        return adamw(), adamw()

    def mel_distance(self, real: Tensor, fake: Tensor) -> Tensor:
        """The means of |difference| of log-mels of several windows, summed.

        Their logarithms are to base 10. Without `mel_windows`, HiFi-GAN's.
        """
        if not self.mel_windows:
            return super().mel_distance(real, fake)
        total = 0.0
        for window in self.mel_windows:
            bands, hop = 5 * window // 32, window // 4
            mel = MelSpectrogram(self.mel.rate, bands, window, hop, window, high=None)
            total += ops.mean(ops.abs(mel(real) - mel(fake)))
        return total / math.log(10)


RECIPE = Recipe(
    name="bigvgan",
    model="BigVGAN",
    summary="Waveforms from mel spectrograms, with periods, arXiv:2206.04658",
    task="sounds",
    data="drums",
    epochs=200,
    batch_size=8,
    # Smaller: the paper's takes weeks on GPUs.
    arguments={
        "configuration": "small",
        "rate": 16000,
        "segment": 8192,
        "bands": 80,
        "d_width": 4,
    },
    optimizers={
        "d": (
            "adamw",
            {
                "learning_rate": 1e-3,
                "beta_1": 0.8,
                "beta_2": 0.99,
                "global_clipnorm": 500.0,
            },
        ),
        "g": (
            "adamw",
            {
                "learning_rate": 1e-3,
                "beta_1": 0.8,
                "beta_2": 0.99,
                "global_clipnorm": 500.0,
            },
        ),
    },
    data_options={"segments": "random", "peak": 0.95, "mels": None},
    paper={
        "configuration": "256x",
        "rate": 24000,
        "segment": 65536,
        "bands": 100,
        "d_width": 32,
        "batch_size": 32,
        "d_learning_rate": 1e-4,
        "g_learning_rate": 1e-4,
    },
    without=("data_dir", "evaluate_every", "diff_augment", "mel"),
)
