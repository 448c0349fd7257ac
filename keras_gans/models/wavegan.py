"""WaveGAN: sounds of a few seconds at most, made sample by sample at once."""

import keras

from keras_gans.core.gradient_penalty import GradientPenaltyGAN
from keras_gans.core.inputs import Label, Latent
from keras_gans.core.networks import latent_of
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.modalities import Waveform
from keras_gans.networks.wavegan import (
    check_strides,
    shuffled_maps,
    wavegan_discriminator,
    wavegan_generator,
)
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_int, within


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
        generator: `keras.Model` to use instead of `wavegan_generator`.
        discriminator: `keras.Model` to use instead of `wavegan_discriminator`,
            with its inputs.
        d_steps: int, n_critic; 5 in the paper.
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
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        d_steps: int = 5,
        **kwargs,
    ):
        if num_classes is not None:
            reason = "each sound is shown with its label"
            refuse("conditional WaveGAN", kwargs, {"packing": (1, reason)})
        ok = is_int(phase_shuffle) and phase_shuffle >= 0
        self.phase_shuffle = within("phase_shuffle", phase_shuffle, ok, "0, 1, ...")
        self.shuffled = 0
        if phase_shuffle:
            self.shuffled = shuffled_maps(check_strides(samples, strides))
        kwargs.setdefault("modality", Waveform(samples, channels, rate))
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

        inputs = (Latent(latent_of(generator, latent_dim).dim, "uniform"),)
        if num_classes is not None:
            inputs += (Label(num_classes),)
        super().__init__(
            generator,
            discriminator,
            gp_weight=gp_weight,
            d_steps=d_steps,
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
        if self.shuffled:
            seen.append(keras.KerasTensor((1, self.shuffled), "int32"))
        return seen

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


RECIPE = Recipe(
    name="wavegan",
    model="WaveGAN",
    summary="Sounds, sample by sample, arXiv:1802.04208",
    task="sounds",
    data="drums",
    epochs=2200,
    batch_size=16,
    arguments={
        "samples": 4096,
        "rate": 8000,
        "dim": 12,
        "objective": "non_saturating",
        "gp_weight": 0.0,
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
