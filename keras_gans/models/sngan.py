"""SNGAN: spectral normalization of every layer of the discriminator."""

import functools

import keras

from keras_gans.core.class_conditional import ClassConditionalGAN
from keras_gans.core.inputs import Label
from keras_gans.core.networks import latent_of, modality_of
from keras_gans.core.optimizers import TorchAdam
from keras_gans.core.recipe import Recipe
from keras_gans.layers.spectral import spectrally_normalized
from keras_gans.models.wgan_gp import reference_widths
from keras_gans.networks.conditional_dcgan import (
    conditional_discriminator,
    conditional_generator,
)
from keras_gans.networks.dcgan import dcgan_discriminator, dcgan_generator
from keras_gans.networks.resnet import resnet_critic, resnet_generator
from keras_gans.utils.validation import check_classes, one_of

PLAIN_WIDTH = 64


@keras.saving.register_keras_serializable("keras_gans")
class SNGAN(ClassConditionalGAN):
    """Spectrally normalized GAN, with classes a projection GAN.

    Residual networks as mimicry's, whose published weights fit at 32, 48, 64 and
    128 pixels, or DCGAN's plain ones, which cost a tenth.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more; (32, 32,
            3) by default, or what `generator` makes.
        num_classes: `None`, or int: `fit` on (images, labels), labels ints in
            [0, num_classes).
        latent_dim: int, numbers of a latent code; 128 by default, or what
            `generator` takes.
        g_width: int, channels of the generator's first map; mimicry's by
            default: 256 up to 32 pixels, 512 up to 48, 1024 beyond. Of plain
            networks those of the largest map, 64 by default.
        d_width: int, channels of the discriminator's last map; mimicry's by
            default: 128 up to 32 pixels, 1024 beyond. Of plain networks those of
            the largest map, 64 by default.
        configuration: "resnet", or "dcgan": the plain networks, any size from 16
            pixels up.
        generator: `keras.Model` to use instead.
        discriminator: `keras.Model` to use instead.
        d_steps: int, batches (and updates of the discriminator) a step; 5 in the
            paper.
        **kwargs: `consistency`, `lecam` and `top_k` of `ClassConditionalGAN`,
            `ema`, `seed` and the other arguments of `BaseGAN`, but for `r2`,
            `packing` and `spectral_norm`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.SNGAN((16, 16, 1), 3, g_width=8, d_width=8, d_steps=1)
    gan.compile()
    images = np.random.uniform(-1, 1, (8, 16, 16, 1))
    gan.fit(images, np.arange(8) % 3, batch_size=4, verbose=0)
    twos = gan.sample(4, labels=2, truncation=1.5)
    ```

    Reference:
        https://arxiv.org/abs/1802.05957; https://arxiv.org/abs/1802.05637
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        num_classes: int | None = None,
        latent_dim: int | None = None,
        g_width: int | None = None,
        d_width: int | None = None,
        *,
        configuration: str = "resnet",
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        d_steps: int = 5,
        **kwargs,
    ):
        one_of("configuration", configuration, tuple(NETWORKS))
        make_generator, make_discriminator = NETWORKS[configuration]
        shape = (32, 32, 3) if image_shape is None else image_shape
        if num_classes is not None:
            check_classes(num_classes)
        if generator is None:
            dim = 128 if latent_dim is None else latent_dim
            generator = make_generator(self, shape, dim, g_width, num_classes)
        if discriminator is None:
            discriminator = functools.partial(
                make_discriminator, self, width=d_width, num_classes=num_classes
            )
        inputs = (latent_of(generator, latent_dim),)
        if num_classes is not None:
            inputs = (*inputs, Label(num_classes))
        super().__init__(
            generator,
            discriminator,
            modality=modality_of(image_shape),
            inputs=inputs,
            d_steps=d_steps,
            **kwargs,
        )

    def generator_options(self, image_shape: tuple, width: int) -> dict:
        """Further arguments of `resnet_generator`."""
        return {}

    def discriminator_options(self, image_shape: tuple, width: int) -> dict:
        """Further arguments of `resnet_critic`."""
        return {}

    def default_optimizers(self) -> tuple:
        """The paper's: Adam, 2e-4, beta_1 0, beta_2 0.9."""
        return tuple(
            TorchAdam(2e-4, beta_1=0.0, beta_2=0.9, epsilon=1e-8) for _ in range(2)
        )


def _resnet_generator(gan, shape, latent_dim, width, num_classes):
    width = reference_widths(shape)[0] if width is None else width
    options = gan.generator_options(shape, width)
    return resnet_generator(shape, latent_dim, width, num_classes, **options)


def _resnet_discriminator(gan, shape, width, num_classes):
    width = reference_widths(shape)[1] if width is None else width
    options = gan.discriminator_options(shape, width)
    return resnet_critic(
        shape, width, num_classes, spectral_norm=True, pooling="sum", **options
    )


def _plain_generator(gan, shape, latent_dim, width, num_classes):
    width = PLAIN_WIDTH if width is None else width
    if num_classes is None:
        return dcgan_generator(shape, latent_dim, width)
    return conditional_generator(shape, num_classes, latent_dim, width, "projection")


def _plain_discriminator(gan, shape, width, num_classes):
    width = PLAIN_WIDTH if width is None else width
    if num_classes is None:
        network = dcgan_discriminator(shape, width, norm=None)
    else:
        network = conditional_discriminator(
            shape, num_classes, width, "projection", norm=None
        )
    return spectrally_normalized(network)


# Functions of the GAN, a shape, sizes and classes: the generator, the discriminator.
NETWORKS = {
    "resnet": (_resnet_generator, _resnet_discriminator),
    "dcgan": (_plain_generator, _plain_discriminator),
}

RECIPE = Recipe(
    name="sngan",
    model="SNGAN",
    summary="Spectral norm, hinge loss, projected classes, arXiv:1802.05957",
    task="labelled images",
    epochs=50,
    batch_size=32,
    data_options={"class_balanced": False},
    arguments={
        "image_shape": (32, 32, 3),
        "num_classes": 9,
        "g_width": 48,
        "d_width": 48,
        "d_steps": 1,
        "ema": 0.995,
        "diff_augment": "color,translation,cutout",
    },
    without=("packing", "r2", "spectral_norm", "label_smoothing"),
)
