"""Waveforms that several discriminators hear, with features and mels matched."""

import keras
from keras import ops

from keras_gans.core.gan import BaseGAN
from keras_gans.core.optimizers import TorchAdam
from keras_gans.engine.phases import Phase
from keras_gans.layers.mel import MelSpectrogram
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_number, within


class WaveformGAN(BaseGAN):
    """What HiFi-GAN's losses train: a vocoder, or a speaker of phonemes.

    Args:
        generator: see `BaseGAN`.
        discriminator: dict of `keras.Model`s by name, each with a list of outputs,
            logits first.
        mel: `MelSpectrogram`; the loss compares its bands up to half of the rate.
        feature_weight: float of 0 or more, of feature matching.
        mel_weight: float of 0 or more, of the distance of spectrograms.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Reference:
        https://arxiv.org/abs/2010.05646, section 2.4
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: dict[str, keras.Model],
        *,
        mel: MelSpectrogram,
        feature_weight: float = 2.0,
        mel_weight: float = 45.0,
        **kwargs,
    ):
        weights = {"feature_weight": feature_weight, "mel_weight": mel_weight}
        for name, value in weights.items():
            ok = is_number(value) and 0 <= value < float("inf")
            within(name, value, ok, "[0, inf)")
        kwargs.setdefault("objective", "least_squares")
        super().__init__(generator, discriminator, **kwargs)
        self.mel = mel
        self.loss_mel = MelSpectrogram(**{**mel.get_config(), "high": None})
        self.feature_weight, self.mel_weight = feature_weight, mel_weight

    def default_optimizers(self) -> tuple:
        """The paper's AdamW: 2e-4, betas 0.8 and 0.99, decay 0.01.

        The paper multiplies the rate by 0.999 each epoch, which a
        `keras.optimizers.schedules.ExponentialDecay` does.
        """

        def adamw():
            return TorchAdam(
                2e-4, beta_1=0.8, beta_2=0.99, epsilon=1e-8, weight_decay=0.01
            )

        return tuple(adamw() for _ in self.optimizer_networks)

    def phases(self) -> list[Phase]:
        """D first, then G through the same fakes."""
        return [
            Phase("d", self.discriminator_loss, penalty=self.penalties),
            Phase("g", self.generator_loss, logs=("feature_loss", "mel_loss")),
        ]

    def call_discriminator(self, x: Tensor, batch: dict, training: bool) -> Tensor:
        """What each discriminator says: a list of lists, logits first."""
        names = self.discriminator_names
        return [self.forward(name, x, training) for name in names]

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 1, summed over the discriminators."""
        real = self.discriminate(batch["real"], batch, training, "real")
        fake = self.discriminate(fake, batch, training, "fake")
        # The reference's least squares are not halved.
        total = sum(
            2.0 * self.objective.d(r[0], f[0]) for r, f in zip(real, fake, strict=True)
        )
        n = len(real)
        scores = {
            "d_real": sum(ops.mean(r[0]) for r in real) / n,
            "d_fake": sum(ops.mean(f[0]) for f in fake) / n,
        }
        return total, {"d_loss": total, **scores}

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equations 2, 3 and 4: adversarial, of spectrograms and of features."""
        generated = self.discriminate(fake, batch, training, "generated")
        real = self.discriminate(batch["real"], batch, training, "real")
        loss = sum(2.0 * self.objective.g(f[0]) for f in generated)
        matched = sum(
            ops.mean(ops.abs(ops.stop_gradient(a) - b))
            for r, f in zip(real, generated, strict=True)
            for a, b in zip(r, f, strict=True)
        )
        distance = self.reconstruction(fake, batch)
        loss = loss + self.feature_weight * matched + self.mel_weight * distance
        logs = {"g_loss": loss, "feature_loss": matched, "mel_loss": distance}
        return loss, logs

    def reconstruction(self, fake: Tensor, batch: dict) -> Tensor:
        """How far fakes are from what they are made of: a scalar."""
        return self.mel_distance(batch["real"], fake)

    def mel_distance(self, real: Tensor, fake: Tensor) -> Tensor:
        """Equation 3: the mean |difference| of log-mel spectrograms."""
        return ops.mean(ops.abs(self.loss_mel(real) - self.loss_mel(fake)))

    @property
    def hop(self) -> int:
        """Samples of a frame."""
        return self.mel.hop
