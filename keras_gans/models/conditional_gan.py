"""Conditional GAN: class labels in both networks, in one of three ways."""

import keras

from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Label
from keras_gans.core.networks import latent_of, modality_of
from keras_gans.core.recipe import Recipe
from keras_gans.networks.conditional_dcgan import (
    check_conditioning,
    conditional_discriminator,
    conditional_generator,
)
from keras_gans.utils.networks import input_shape_of
from keras_gans.utils.validation import check_classes


@keras.saving.register_keras_serializable("keras_gans")
class ConditionalGAN(BaseGAN):
    """Conditional GAN: `fit` on (images, labels), `sample(n, labels=...)`.

    Args:
        image_shape: tuple (height, width, channels), from 16 pixels up;
            (64, 64, 3) by default.
        num_classes: int, how many; labels are ints in [0, num_classes).
        latent_dim: int, length of the latent code; 100 by default.
        width: int, channels of the largest hidden map of the networks built
            here.
        conditioning: how labels enter the networks built here: "embedding",
            "one_hot" or "projection"; see `conditional_generator` and
            `conditional_discriminator`.
        generator: `keras.Model` of `[z, label]` to use instead, e.g.
            `keras_gans.networks.resnet.resnet_generator(num_classes=10)`.
        discriminator: `keras.Model` of `[images, label]` to use instead.
        **kwargs: `objective`, `ema`, `d_steps`, `packing`, `seed` and the
            other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.ConditionalGAN((16, 16, 1), num_classes=3, width=4)
    gan.compile()
    images = np.random.uniform(-1, 1, (32, 16, 16, 1))
    gan.fit(images, np.arange(32) % 3, verbose=0)
    twos = gan.sample(8, seed=0, labels=2)
    ```

    Reference:
        https://arxiv.org/abs/1411.1784
    """

    labels_shown = True

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        num_classes: int | None = None,
        latent_dim: int | None = None,
        width: int = 64,
        *,
        conditioning: str = "embedding",
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        check_classes(num_classes)
        check_conditioning(conditioning)
        shape = (64, 64, 3) if image_shape is None else image_shape
        packing = kwargs.get("packing", 1)
        if generator is None:
            dim = 100 if latent_dim is None else latent_dim
            generator = conditional_generator(
                shape, num_classes, dim, width, conditioning
            )
        if discriminator is None:

            def discriminator(shape):
                return conditional_discriminator(
                    (*shape[:-1], shape[-1] // packing),
                    num_classes,
                    width,
                    conditioning,
                    packing=packing,
                    minibatch_stddev=kwargs.get("minibatch_stddev"),
                )

        super().__init__(
            generator,
            discriminator,
            modality=modality_of(image_shape),
            inputs=(latent_of(generator, latent_dim), Label(num_classes)),
            **kwargs,
        )

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        super().check_discriminators(discriminators)
        _check_takes_labels(discriminators["discriminator"], self.packing)


def _check_takes_labels(discriminator, packing):
    """Checks that a discriminator takes `[images, label]`.

    Raises:
        ValueError: it takes something else.
    """
    shapes = input_shape_of(discriminator)
    wanted = (None,) if packing == 1 else (None, packing)
    if shapes is None:  # a subclassed model does not tell
        return
    ok = isinstance(shapes, list) and len(shapes) == 2
    if not ok or tuple(shapes[1]) != wanted:
        raise ValueError(
            "The discriminator of a conditional GAN takes [images, label], "
            f"labels of shape {wanted}. Received: {discriminator.name} with "
            f"input shape {shapes}. See `keras_gans.networks."
            "conditional_dcgan.conditional_discriminator`."
        )


RECIPE = Recipe(
    name="conditional_gan",
    model="ConditionalGAN",
    summary="Class labels in both networks, arXiv:1411.1784",
    task="labelled images",
    epochs=50,
    batch_size=32,
    data_options={"class_balanced": False},
    arguments={
        "image_shape": (32, 32, 3),
        "num_classes": 9,
        "width": 32,
        "ema": 0.995,
        "label_smoothing": 0.1,
    },
)
