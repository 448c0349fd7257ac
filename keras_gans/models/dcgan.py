"""DCGAN: deep convolutional GAN, for any size from 16 pixels up."""

import functools

import keras

from keras_gans.core.gan import BaseGAN
from keras_gans.core.networks import latent_of, modality_of
from keras_gans.core.recipe import Recipe
from keras_gans.networks.dcgan import dcgan_discriminator, dcgan_generator


@keras.saving.register_keras_serializable("keras_gans")
class DCGAN(BaseGAN):
    """Deep convolutional GAN.

    Args:
        image_shape: tuple (height, width, channels), square or not, from 16
            pixels up; (64, 64, 3) by default, or what `generator` makes.
        latent_dim: int, length of the latent code; 100 by default, or what
            `generator` takes.
        width: int, channels of the largest hidden map of the networks built
            here.
        generator: `keras.Model` to use instead of `dcgan_generator`.
        discriminator: `keras.Model` to use instead of `dcgan_discriminator`.
        **kwargs: `objective`, `ema`, `d_steps`, `packing`, `seed` and the
            other arguments of `BaseGAN`.

    Raises:
        ValueError: a size below 16, or networks that do not fit.

    Example:

    ```python
    gan = keras_gans.DCGAN(image_shape=(32, 32, 3), width=16)
    gan.compile()
    gan.fit(np.random.uniform(-1, 1, (64, 32, 32, 3)), verbose=0)
    images = gan.sample(16, seed=0)
    ```

    Reference:
        https://arxiv.org/abs/1511.06434
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        latent_dim: int | None = None,
        width: int = 64,
        *,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        shape = (64, 64, 3) if image_shape is None else image_shape
        if generator is None:
            dim = 100 if latent_dim is None else latent_dim
            generator = dcgan_generator(shape, dim, width)
        if discriminator is None:
            discriminator = functools.partial(dcgan_discriminator, width=width)
        super().__init__(
            generator,
            discriminator,
            modality=modality_of(image_shape),
            inputs=(latent_of(generator, latent_dim),),
            **kwargs,
        )


RECIPE = Recipe(
    name="dcgan",
    model="DCGAN",
    summary="Deep convolutional GAN, arXiv:1511.06434",
    epochs=300,
    batch_size=32,
    arguments={
        "image_shape": (32, 32, 3),
        "width": 32,
        "ema": 0.998,
        "diff_augment": "color,translation,cutout",
    },
)
