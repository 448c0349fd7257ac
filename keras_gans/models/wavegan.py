"""WaveGAN: sounds of a few seconds at most, made sample by sample at once."""

from collections.abc import Callable
import math

import keras
from keras import ops

from keras_gans.core.gradient_penalty import GradientPenaltyGAN
from keras_gans.core.inputs import Label, Latent
from keras_gans.core.networks import latent_of
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.layers.mel import MelSpectrogram
from keras_gans.losses.penalties import gradient_penalty
from keras_gans.modalities import Waveform
from keras_gans.networks.wavegan import (
    check_strides,
    shuffled_maps,
    spectrogram_discriminator,
    wavegan_discriminator,
    wavegan_generator,
)
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_int, packed, within

SPECTROGRAM = "spectrogram"  # what the second discriminator is called
WINDOW = 0.032  # seconds, of its spectrograms
FLOOR = 1e-4  # the least magnitude of a band


@keras.saving.register_keras_serializable("keras_gans")
class WaveGAN(GradientPenaltyGAN):
    """WaveGAN: convolutions in time, phase shuffle, WGAN-GP.

    Samples are sounds float `[n, samples, channels]` in [-1, 1]. Phase shuffle
    shifts each sound by numbers of its own, which differ between reals, fakes
    and what the gradient penalty is taken at.

    Args:
        samples: int, the length of a sound: 16384, 32768 or 65536 as in the
            paper, any 16 times a power of 2, or what `strides` divide.
        channels: int, 2 for stereo; any number for other signals.
        rate: int, samples a second.
        latent_dim: int, length of the latent code, of U(-1, 1).
        dim: int, channels of the largest hidden maps; 64 in the paper.
        num_classes: int, or `None` without labels. With classes, `fit` takes
            (sounds, labels), and `sample(n, labels=...)` makes one of them.
        strides: of both networks, a tuple of ints; see `wavegan_generator`.
        upsampling: "zeros" or "nearest"; see `wavegan_generator`.
        phase_shuffle: int, n of the paper; 0 leaves it out.
        gp_weight: float of 0 or more, lambda of the penalty.
        mel_bands: int, bands of the log-mel spectrograms that a second
            discriminator sees, in windows of about 32 ms; its losses and penalties
            are added to those of the first. `None`, as in the paper, has one
            discriminator.
        generator: `keras.Model` to use instead of `wavegan_generator`.
        discriminator: `keras.Model` to use instead of `wavegan_discriminator`,
            with its inputs; with `mel_bands` also a dict of that and of
            "spectrogram", to use instead of `spectrogram_discriminator`.
        d_steps: int, n_critic; 5 in the paper.
        packing: int, see `BaseGAN`.
        **kwargs: the other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.WaveGAN(4096, rate=8000, dim=4, d_steps=1)
    gan.compile()
    gan.fit(np.random.uniform(-1, 1, (8, 4096, 1)), batch_size=4, verbose=0)
    gan.modality.write("hit.wav", gan.sample(1, seed=0)[0], overwrite=True)
    ```

    Reference:
        https://arxiv.org/abs/1802.04208
    """

    labels_shown = True

    def __init__(
        self,
        samples: int = 16384,
        channels: int = 1,
        rate: int = 16000,
        latent_dim: int | None = None,
        dim: int = 64,
        num_classes: int | None = None,
        *,
        strides: tuple[int, ...] | None = None,
        upsampling: str = "zeros",
        phase_shuffle: int = 2,
        gp_weight: float = 10.0,
        mel_bands: int | None = None,
        generator: keras.Model | None = None,
        discriminator: keras.Model | dict[str, keras.Model] | None = None,
        d_steps: int = 5,
        packing: int = 1,
        **kwargs,
    ):
        if num_classes is not None:
            reason = "each sound is shown with its label"
            given = {"packing": packing}
            refuse("conditional WaveGAN", given, {"packing": (1, reason)})
        ok = is_int(phase_shuffle) and phase_shuffle >= 0
        self.phase_shuffle = within("phase_shuffle", phase_shuffle, ok, "0, 1, ...")
        self.shuffled = 0
        if phase_shuffle:
            self.shuffled = shuffled_maps(check_strides(samples, strides))
        kwargs.setdefault("modality", Waveform(samples, channels, rate))
        self.mel = None
        if mel_bands is not None:
            self.mel = mel_of(check_size("mel_bands", mel_bands), samples, rate)
        if generator is None:
            generator = wavegan_generator(
                samples,
                channels,
                100 if latent_dim is None else latent_dim,
                dim,
                strides=strides,
                upsampling=upsampling,
                num_classes=num_classes,
            )
        if discriminator is None:

            def discriminator(shape):
                return wavegan_discriminator(
                    *shape,
                    dim,
                    strides=strides,
                    phase_shuffle=phase_shuffle,
                    num_classes=num_classes,
                )

        if self.mel is not None and not isinstance(discriminator, dict):
            shape = packed((samples, channels), check_size("packing", packing))
            if not isinstance(discriminator, keras.Model):
                discriminator = discriminator(shape)
            discriminator = {
                "discriminator": discriminator,
                SPECTROGRAM: spectrogram_discriminator(
                    samples // self.mel.hop,
                    mel_bands,
                    shape[-1],
                    dim,
                    num_classes=num_classes,
                ),
            }
        _check_names(discriminator, mel_bands)
        inputs = (Latent(latent_of(generator, latent_dim).dim, "uniform"),)
        if num_classes is not None:
            inputs += (Label(num_classes),)
        super().__init__(
            generator,
            discriminator,
            gp_weight=gp_weight,
            d_steps=d_steps,
            packing=packing,
            inputs=inputs,
            **kwargs,
        )

    def default_optimizers(self) -> tuple:
        """The paper's Adam: 1e-4, betas 0.5 and 0.9."""

        def adam():
            return keras.optimizers.Adam(1e-4, beta_1=0.5, beta_2=0.9, epsilon=1e-8)

        return adam(), adam()

    def discriminator_inputs(self, name: str) -> list[keras.KerasTensor]:
        seen = super().discriminator_inputs(name)
        if name == SPECTROGRAM:
            samples, channels = seen[0].shape[1:]
            shape = (samples // self.mel.hop, self.mel.bands * channels)
            return [keras.KerasTensor((1, *shape)), *seen[1:]]
        if self.shuffled:
            seen.append(keras.KerasTensor((1, self.shuffled), "int32"))
        return seen

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        """Checks that the first takes the samples."""
        super().check_discriminators(
            {k: v for k, v in discriminators.items() if k != SPECTROGRAM}
        )

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """That of WGAN-GP, of both discriminators."""
        loss, logs = super().discriminator_loss(fake, batch, training)
        if self.mel is None:
            return loss, logs
        critic = self._critic(batch, training)
        real, made = (
            critic(self.spectrograms(x, training, role))
            for x, role in ((batch["real"], "real"), (fake, "fake"))
        )
        own = self.d_adversarial(real, made)[0]
        loss, logs["d_loss"] = loss + own, logs["d_loss"] + own
        if not self.gp_weight:
            return loss, logs
        mixed = self._between(batch["real"], fake)
        seen = self.spectrograms(mixed, training, "mixed")
        penalty = gradient_penalty(critic, seen)
        logs["gradient_penalty"] += penalty
        return loss + self.gp_weight * penalty, logs

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Against both discriminators."""
        loss, logs = super().generator_loss(fake, batch, training)
        if self.mel is None:
            return loss, logs
        critic = self._critic(batch, training)
        logits = [critic(self.spectrograms(fake, training, "generated"))]
        if self.objective.relativistic:
            logits.append(critic(self.spectrograms(batch["real"], training, "real")))
        own = self.objective.g(*logits)
        return loss + own, {**logs, "g_loss": logs["g_loss"] + own}

    def penalties(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """R1 and R2 of both: by samples, and by spectrograms."""
        total, logs = super().penalties(fake, batch, training)
        if self.mel is None:
            return total, logs
        critic = self._critic(batch, training)

        def seen(x, role):
            return lambda: self.spectrograms(x, training, role)

        terms = {
            "r1": (critic, seen(batch["real"], "real")),
            "r2": (critic, seen(fake, "fake")),
        }
        own, of_each = self.regularization.penalties_of(self, terms)
        return total + own, {k: logs[k] + value for k, value in of_each.items()}

    def spectrograms(self, x: Tensor, training: bool, role: str) -> Tensor:
        """What the second discriminator sees of samples.

        Args:
            x: samples `[n, samples, channels]`.
            training: bool; noise is for training alone.
            role: see `discriminate`.

        Returns:
            float32 `[n, frames, bands * channels]`, of about unit variance.
        """
        x = self.regularization.augmented(self, x, training, role)
        _, samples, channels = x.shape
        x = ops.reshape(ops.transpose(x, (0, 2, 1)), (-1, samples))
        x = (self.mel(x) + 4.0) / 3.0  # of magnitudes from 1e-4 to 1 or so
        x = ops.reshape(x, (-1, channels, *x.shape[1:]))
        return ops.reshape(
            ops.transpose(x, (0, 2, 1, 3)), (-1, x.shape[2], channels * x.shape[3])
        )

    def _critic(self, batch: dict, training: bool) -> Callable[[Tensor], Tensor]:
        """A function from spectrograms to the second discriminator's logits."""
        label = [batch["label"]] if self.labelled else []
        return lambda x: self.forward(SPECTROGRAM, [x, *label], training)

    def discriminate(self, x: Tensor, batch: dict, training: bool, role: str) -> Tensor:
        """What the discriminator says, its maps shifted in training."""
        if training and self.shuffled:
            n, most = keras.ops.shape(x)[0] // self.packing, self.phase_shuffle
            shifts = self.rng.integers(
                n, self.shuffled, 2 * most + 1, f"phase shuffle/{role}"
            )
            batch = {**batch, "shifts": shifts - most}
        return super().discriminate(x, batch, training, role)

    def call_discriminator(self, x: Tensor, batch: dict, training: bool) -> Tensor:
        values = [x]
        if self.labelled:
            values.append(batch["label"])
        if self.shuffled:
            shifts = batch.get("shifts")
            if shifts is None:
                n = keras.ops.shape(x)[0]
                shifts = keras.ops.zeros((n, self.shuffled), "int32")
            values.append(shifts)
        return self.forward("discriminator", values, training)


def mel_of(bands: int, samples: int, rate: int) -> MelSpectrogram:
    """The spectrogram of sounds of a rate, in windows of about 32 ms.

    Args:
        bands: int.
        samples: int, the length of a sound.
        rate: int, samples a second.

    Raises:
        ValueError: a sound is shorter than a window, or a window has fewer
            frequencies than there are bands.
    """
    window = 1 << max(2, round(math.log2(WINDOW * rate)))
    if window > samples or bands > window // 2:
        raise ValueError(
            "Spectrograms have windows of about 32 ms, no longer than a sound, and at "
            "most a band for each two samples of them. Received: "
            f"mel_bands={bands}, samples={samples}, rate={rate}, of which windows have "
            f"{window} samples. Choose fewer bands or longer sounds, or leave out "
            "`mel_bands`."
        )
    return MelSpectrogram(
        rate, bands, window, window // 4, window, high=None, floor=FLOOR
    )


def _check_names(discriminator, mel_bands):
    wanted = {"discriminator"}
    if mel_bands is not None:
        wanted.add(SPECTROGRAM)
    if isinstance(discriminator, dict) and set(discriminator) != wanted:
        raise ValueError(
            "With `mel_bands`, `discriminator` is a keras.Model, or a dict of "
            "'discriminator' and 'spectrogram'; without, it is a keras.Model. "
            f"Received: mel_bands={mel_bands}, and a dict of "
            f"{', '.join(map(repr, discriminator))}."
        )


RECIPE = Recipe(
    name="wavegan",
    model="WaveGAN",
    summary="Sounds, sample by sample, arXiv:1802.04208",
    task="sounds",
    data="drums",
    epochs=400,
    batch_size=16,
    arguments={
        "samples": 4096,
        "rate": 8000,
        "dim": 12,
        "objective": "non_saturating",
        "gp_weight": 0.0,
        "mel_bands": 32,
        "d_steps": 1,
        "r1": 1.0,
        "penalty_interval": 8,
        "ema": 0.998,
    },
    optimizers={
        "d": ("adam", {"learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.99}),
        "g": ("adam", {"learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.99}),
    },
    data_options={"segments": "first", "speed": 0.1},
    without=("data_dir", "evaluate_every", "diff_augment"),
)
