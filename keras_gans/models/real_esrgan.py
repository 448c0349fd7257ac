"""Real-ESRGAN: photos enlarged and mended, whatever made them bad."""

import keras

from keras_gans.core.recipe import Recipe
from keras_gans.core.super_resolution import SuperResolvingGAN, check_crop
from keras_gans.networks.features.hed_vgg16 import HedVGG16
from keras_gans.networks.rrdbnet import rrdbnet
from keras_gans.networks.srresnet import msrresnet
from keras_gans.networks.superresolution_discriminators import unet_discriminator
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import one_of

CONFIGURATIONS = ("rrdbnet", "msrresnet")


@keras.saving.register_keras_serializable("keras_gans")
class RealESRGAN(SuperResolvingGAN):
    """Real-ESRGAN: `fit` on (low, high), `translate(images)`.

    It learns of photos that are blurred, resized, noisy and compressed, twice,
    see `data.load_crops(degradation="real")`. The discriminator is a U-Net under
    spectral norm, with a logit for each pixel. The generator is ESRGAN's RRDBNet, or
    `SRGAN`'s "msrresnet", which adds to the image enlarged by interpolation and
    learns in minutes.

    Args:
        image_shape: tuple (height, width, channels) of the crops that it is
            trained on; (256, 256, 3) by default. It enlarges images of any size.
        scale: int, 2, 3 or 4.
        blocks: int, of the generator built here: 23 residual in residual dense
            blocks by default, or 16 residual blocks of "msrresnet".
        width: int, channels of its maps.
        growth: int, channels that each convolution of a dense block adds.
        configuration: "rrdbnet" (the paper's) or "msrresnet" (BasicSR's, bicubic).
        d_width: int, channels of the first maps of the discriminator built here.
        generator: `keras.Model` to use instead, of any height and width.
        discriminator: `keras.Model` from images to logits, instead of
            `unet_discriminator`.
        **kwargs: `pretrain_steps`, `features` and other arguments of
            `SuperResolvingGAN` and `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.RealESRGAN(
        (32, 32, 3), blocks=1, width=4, growth=2, d_width=4, pretrain_steps=2,
        perceptual_weight=0.0,
    )
    gan.compile()
    photos = np.random.uniform(-1, 1, (8, 32, 32, 3)).astype("float32")
    gan.fit(photos[:, ::4, ::4], photos, batch_size=2, verbose=0)
    gan.translate(photos[:1]).shape  # (1, 128, 128, 3)
    ```

    Reference:
        https://arxiv.org/abs/2107.10833, sections 3.4 and 4.1
    """

    feature_network = HedVGG16

    def __init__(
        self,
        image_shape: Shape | None = None,
        scale: int = 4,
        blocks: int | None = None,
        width: int = 64,
        growth: int = 32,
        *,
        configuration: str = "rrdbnet",
        d_width: int = 64,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        kwargs.setdefault("pixel_weight", 1.0)
        kwargs.setdefault("perceptual_loss", "l1")
        kwargs.setdefault("adversarial_weight", 0.1)
        kwargs.setdefault("ema", 0.999)
        kwargs.setdefault("feature_layers", "conv1_2,conv2_2,conv3_3,conv4_3,conv5_3")
        shape = (256, 256, 3) if image_shape is None else image_shape
        shape = check_crop(shape, scale)
        one_of("configuration", configuration, CONFIGURATIONS)
        if generator is None:
            open_shape = (None, None, shape[2])
            if configuration == "rrdbnet":
                blocks = 23 if blocks is None else blocks
                generator = rrdbnet(open_shape, scale, blocks, width, growth)
            else:
                blocks = 16 if blocks is None else blocks
                generator = msrresnet(open_shape, scale, blocks, width, skip="bicubic")
        if discriminator is None:
            discriminator = unet_discriminator(shape, d_width)
        super().__init__(generator, discriminator, shape, scale, **kwargs)


RECIPE = Recipe(
    name="real_esrgan",
    model="RealESRGAN",
    summary="Bad photos enlarged and mended, arXiv:2107.10833",
    task="photos",
    epochs=2,
    batch_size=8,
    # Smaller: it is to learn in minutes.
    arguments={
        "image_shape": (64, 64, 3),
        "scale": 4,
        "configuration": "msrresnet",
        "blocks": 8,
        "width": 32,
        "d_width": 16,
        "pretrain_steps": 400,
        "pretrain_rate": 1e-3,
        "learning_rate": 4e-4,
        "adversarial_weight": 0.01,
        "ema": 0.98,
        "feature_layers": "relu1_2,relu2_2,relu3_3",
    },
    data_options={
        "degradation": "real",
        "low": None,
        "crops_per_photo": 64,
        "shrink": 1,
        "tries": 4,
        "flip": True,
    },
    paper={
        "adversarial_weight": 0.1,
        "image_shape": (256, 256, 3),
        "configuration": "rrdbnet",
        "blocks": 23,
        "width": 64,
        "d_width": 64,
        "ema": 0.999,
        "pretrain_steps": 1_000_000,
        "pretrain_rate": 2e-4,
        "learning_rate": 1e-4,
        "batch_size": 48,
        "feature_layers": "conv1_2,conv2_2,conv3_3,conv4_3,conv5_3",
    },
    without=("packing", "linear_decay", "evaluate_every"),
)
