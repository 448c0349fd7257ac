"""SensorGAN: short series of several sensors, such as those of motion."""

import keras

from keras_gans.core.recipe import Recipe
from keras_gans.modalities import Series
from keras_gans.models.wavegan import WaveGAN
from keras_gans.utils.validation import check_size


@keras.saving.register_keras_serializable("keras_gans")
class SensorGAN(WaveGAN):
    """SensorGAN: WaveGAN of several channels, in short slices.

    Samples are series float `[n, samples, channels]` in [-1, 1], made at once, so
    that channels fit each other. Strides are smaller than those of sounds.

    Args:
        samples: int, the length of a slice: 16 times a power of 2, or what
            `strides` divide.
        channels: int, numbers that are measured at a time.
        rate: int, samples a second.
        latent_dim: int, length of the latent code, of U(-1, 1).
        dim: int, channels of the largest hidden maps.
        num_classes: int, or `None` without labels. With classes, `fit` takes
            (series, labels), and `sample(n, labels=...)` makes one of them.
        strides: of both networks, a tuple of ints; 2s by default.
        phase_shuffle: int, n of WaveGAN; 0 leaves it out, as by default: series
            are cut anywhere, and have no artefacts to hide.
        generator: `keras.Model` to use instead of `wavegan_generator`.
        discriminator: `keras.Model` to use instead of `wavegan_discriminator`.
        **kwargs: the other arguments of `WaveGAN` and `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.SensorGAN(32, channels=3, dim=4, num_classes=2, d_steps=1)
    gan.compile()
    series, labels = np.random.uniform(-1, 1, (8, 32, 3)), np.arange(8) % 2
    gan.fit(series, labels, batch_size=4, verbose=0)
    gan.modality.write("walk.csv", gan.sample(1, labels=1)[0], overwrite=True)
    ```

    Reference:
        https://arxiv.org/abs/1802.04208, of which this is the form
    """

    def __init__(
        self,
        samples: int = 128,
        channels: int = 6,
        rate: int = 50,
        latent_dim: int | None = None,
        dim: int = 32,
        num_classes: int | None = None,
        *,
        strides: tuple[int, ...] | None = None,
        phase_shuffle: int = 0,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        modality = Series(samples, channels, rate)
        super().__init__(
            samples,
            channels,
            rate,
            latent_dim,
            dim,
            num_classes,
            strides=halvings(samples) if strides is None else strides,
            phase_shuffle=phase_shuffle,
            generator=generator,
            discriminator=discriminator,
            modality=modality,
            **kwargs,
        )


def halvings(samples: int) -> tuple[int, ...] | None:
    """2s that lead to 16 samples; `None`, WaveGAN's own, where they do not."""
    check_size("samples", samples)
    count = (samples // 16).bit_length() - 1
    return (2,) * count if count > 0 and 16 << count == samples else None


RECIPE = Recipe(
    name="sensor_gan",
    model="SensorGAN",
    summary="Series of several sensors, in the form of arXiv:1802.04208",
    task="sounds",
    data="watch",
    epochs=200,
    batch_size=32,
    arguments={
        "samples": 128,
        "channels": 6,
        "rate": 50,
        "objective": "non_saturating",
        "gp_weight": 0.0,
        "d_steps": 1,
        "r1": 1.0,
        "penalty_interval": 8,
        "ema": 0.99,
    },
    optimizers={
        "d": ("adam", {"learning_rate": 5e-4, "beta_1": 0.5, "beta_2": 0.99}),
        "g": ("adam", {"learning_rate": 5e-4, "beta_1": 0.5, "beta_2": 0.99}),
    },
    data_options={"segments": "random", "peak": None},
    without=("data_dir", "evaluate_every", "diff_augment"),
)
