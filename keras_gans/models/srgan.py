"""SRGAN: photos enlarged, with detail that a discriminator takes for real."""

import functools

import keras

from keras_gans.core.recipe import Recipe
from keras_gans.core.super_resolution import SuperResolvingGAN, check_crop
from keras_gans.networks.features.hed_vgg16 import HedVGG16
from keras_gans.networks.srresnet import msrresnet, srresnet
from keras_gans.networks.superresolution_discriminators import srgan_discriminator
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import one_of


@keras.saving.register_keras_serializable("keras_gans")
class SRGAN(SuperResolvingGAN):
    """SRGAN: `fit` on (low, high), `translate(images)`.

    The generator is SRResNet, of which there are two: the paper's has batch norm,
    PReLU and tanh; BasicSR's has no norm and adds to the image enlarged by
    interpolation, which is learned faster. Weights of one do not fit the other.

    Args:
        image_shape: tuple (height, width, channels) of the crops that it is
            trained on; (96, 96, 3) by default. It enlarges images of any size.
        scale: int, 2, 3 or 4.
        blocks: int, residual blocks of the generator built here.
        width: int, channels of the maps of the generator built here.
        configuration: "srresnet" (the paper's) or "msrresnet" (BasicSR's, bicubic).
        d_width: int, channels of the first maps of the discriminator built here.
        dense: int, units before its logit.
        generator: `keras.Model` to use instead, of any height and width.
        discriminator: `keras.Model` from images to logits, instead of
            `srgan_discriminator`.
        **kwargs: `pretrain_steps`, `features` and other arguments of
            `SuperResolvingGAN` and `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.SRGAN(
        (48, 48, 3), blocks=1, width=4, d_width=4, dense=8, pretrain_steps=2,
        perceptual_weight=0.0, pixel_weight=1.0,
    )
    gan.compile()
    photos = np.random.uniform(-1, 1, (8, 48, 48, 3)).astype("float32")
    gan.fit(photos[:, ::4, ::4], photos, batch_size=2, verbose=0)
    gan.translate(photos[:1]).shape  # (1, 192, 192, 3)
    ```

    Reference:
        https://arxiv.org/abs/1609.04802, equations 2 to 6
    """

    feature_network = HedVGG16

    def __init__(
        self,
        image_shape: Shape | None = None,
        scale: int = 4,
        blocks: int = 16,
        width: int = 64,
        *,
        configuration: str = "srresnet",
        d_width: int = 64,
        dense: int = 1024,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        kwargs.setdefault("pretrain_rate", 1e-4)
        kwargs.setdefault("pixel_loss", "l2")
        shape = (96, 96, 3) if image_shape is None else image_shape
        shape = check_crop(shape, scale)
        one_of("configuration", configuration, tuple(GENERATORS))
        if generator is None:
            make = GENERATORS[configuration]
            generator = make((None, None, shape[2]), scale, blocks, width)
        if discriminator is None:
            discriminator = srgan_discriminator(shape, d_width, dense)
        super().__init__(generator, discriminator, shape, scale, **kwargs)


GENERATORS = {
    "srresnet": srresnet,
    "msrresnet": functools.partial(msrresnet, skip="bicubic"),
}

RECIPE = Recipe(
    name="srgan",
    model="SRGAN",
    summary="Photos enlarged, arXiv:1609.04802",
    task="photos",
    epochs=2,
    batch_size=16,
    # Smaller, and BasicSR's, which learns in minutes.
    arguments={
        "image_shape": (64, 64, 3),
        "scale": 4,
        "blocks": 8,
        "width": 32,
        "configuration": "msrresnet",
        "d_width": 16,
        "dense": 64,
        "pretrain_steps": 1600,
        "pretrain_rate": 1e-3,
        "learning_rate": 2e-4,
        "pixel_loss": "l1",
        "pixel_weight": 1.0,
        "perceptual_loss": "l1",
        "adversarial_weight": 2e-3,
        "feature_layers": "relu1_2,relu2_2,relu3_3",
    },
    data_options={
        "degradation": "bicubic",
        "low": None,
        "crops_per_photo": 64,
        "shrink": 1,
        "tries": 4,
        "flip": True,
    },
    paper={
        "batch_size": 16,
        "image_shape": (96, 96, 3),
        "blocks": 16,
        "width": 64,
        "configuration": "srresnet",
        "d_width": 64,
        "dense": 1024,
        "pretrain_steps": 1_000_000,
        "pretrain_rate": 1e-4,
        "learning_rate": 1e-4,
        "pixel_loss": "l2",
        "pixel_weight": 0.0,
        "perceptual_loss": "l2",
        "adversarial_weight": 1e-3,
        "feature_layers": "conv5_3",
    },
    without=("packing", "linear_decay", "evaluate_every"),
)
