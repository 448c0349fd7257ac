"""SAGAN: self-attention, and spectral normalization of both networks."""

import keras

from keras_gans.core.optimizers import TorchAdam
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.models.sngan import SNGAN
from keras_gans.networks.resnet import critic_maps, generator_maps

REFUSED = {"configuration": ("resnet", "attention is of its residual networks")}


@keras.saving.register_keras_serializable("keras_gans")
class SAGAN(SNGAN):
    """Self-attention GAN: SNGAN's networks with attention, all normalized.

    Attention follows the generator's last map but one and the discriminator's
    second, as in mimicry, whose published weights fit.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more; (32, 32,
            3) by default, or what `generator` makes.
        num_classes: `None`, or int: `fit` on (images, labels), labels ints in
            [0, num_classes).
        latent_dim: int, numbers of a latent code; 128 by default.
        g_width: int, channels of the generator's first map; as of `SNGAN`.
        d_width: int, channels of the discriminator's last map; as of `SNGAN`.
        generator: `keras.Model` to use instead of `resnet_generator`.
        discriminator: `keras.Model` to use instead of `resnet_critic`.
        d_steps: int, batches (and updates of the discriminator) a step; 1 in the
            paper.
        **kwargs: as of `SNGAN`, but for `configuration`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.SAGAN((16, 16, 1), 3, g_width=8, d_width=8)
    gan.compile()
    images = np.random.uniform(-1, 1, (8, 16, 16, 1))
    gan.fit(images, np.arange(8) % 3, batch_size=4, verbose=0)
    ```

    Reference:
        https://arxiv.org/abs/1805.08318
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        num_classes: int | None = None,
        latent_dim: int | None = None,
        g_width: int | None = None,
        d_width: int | None = None,
        *,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        d_steps: int = 1,
        **kwargs,
    ):
        refuse("SAGAN", kwargs, REFUSED)
        super().__init__(
            image_shape,
            num_classes,
            latent_dim,
            g_width,
            d_width,
            generator=generator,
            discriminator=discriminator,
            d_steps=d_steps,
            **kwargs,
        )

    def generator_options(self, image_shape: tuple, width: int) -> dict:
        attended = list(generator_maps(image_shape, width))[-2]
        return {"spectral_norm": True, "attention": attended}

    def discriminator_options(self, image_shape: tuple, width: int) -> dict:
        return {"attention": list(critic_maps(image_shape, width))[1]}

    def default_optimizers(self) -> tuple:
        """The paper's: Adam, D 4e-4 and G 1e-4, beta_1 0, beta_2 0.9."""
        return tuple(
            TorchAdam(rate, beta_1=0.0, beta_2=0.9, epsilon=1e-8)
            for rate in (4e-4, 1e-4)
        )


RECIPE = Recipe(
    name="sagan",
    model="SAGAN",
    summary="Self-attention, spectral norm in both networks, arXiv:1805.08318",
    task="labelled images",
    epochs=50,
    batch_size=32,
    data_options={"class_balanced": False},
    arguments={
        "image_shape": (32, 32, 3),
        "num_classes": 9,
        "g_width": 48,
        "d_width": 48,
        "ema": 0.995,
        "diff_augment": "color,translation,cutout",
    },
    without=("packing", "r2", "spectral_norm", "label_smoothing"),
)
