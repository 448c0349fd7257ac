"""ESRGAN: dense residual blocks, and a discriminator of what is more real."""

import keras
from keras import ops

from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import logits_of
from keras_gans.core.super_resolution import SuperResolvingGAN, check_crop
from keras_gans.networks.features.hed_vgg16 import HedVGG16
from keras_gans.networks.rrdbnet import rrdbnet
from keras_gans.networks.superresolution_discriminators import vgg_discriminator
from keras_gans.utils.types import Shape, Tensor


@keras.saving.register_keras_serializable("keras_gans")
class ESRGAN(SuperResolvingGAN):
    """ESRGAN: `fit` on (low, high), `translate(images)`.

    The discriminator is relativistic on the average: it tells how much more real
    an image looks than those of the other kind do.

    Args:
        image_shape: tuple (height, width, channels) of the crops that it is
            trained on; (128, 128, 3) by default. It enlarges images of any size.
        scale: int, 2, 3 or 4.
        blocks: int, residual in residual dense blocks of the generator built here.
        width: int, channels of its maps.
        growth: int, channels that each convolution of a dense block adds.
        d_width: int, channels of the first maps of the discriminator built here.
        generator: `keras.Model` to use instead, of any height and width.
        discriminator: `keras.Model` from images to logits, instead of
            `vgg_discriminator`.
        **kwargs: `pretrain_steps`, `features` and other arguments of
            `SuperResolvingGAN` and `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.ESRGAN(
        (32, 32, 3), blocks=1, width=4, growth=2, d_width=4, pretrain_steps=2,
        perceptual_weight=0.0,
    )
    gan.compile()
    photos = np.random.uniform(-1, 1, (8, 32, 32, 3)).astype("float32")
    gan.fit(photos[:, ::4, ::4], photos, batch_size=2, verbose=0)
    gan.translate(photos[:1]).shape  # (1, 128, 128, 3)
    ```

    Reference:
        https://arxiv.org/abs/1809.00219, equations 1 to 3
    """

    feature_network = HedVGG16

    def __init__(
        self,
        image_shape: Shape | None = None,
        scale: int = 4,
        blocks: int = 23,
        width: int = 64,
        growth: int = 32,
        *,
        d_width: int = 64,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        kwargs.setdefault("pixel_weight", 1e-2)
        kwargs.setdefault("perceptual_loss", "l1")
        kwargs.setdefault("adversarial_weight", 5e-3)
        shape = (128, 128, 3) if image_shape is None else image_shape
        shape = check_crop(shape, scale)
        if generator is None:
            open_shape = (None, None, shape[2])
            generator = rrdbnet(open_shape, scale, blocks, width, growth)
        if discriminator is None:
            discriminator = vgg_discriminator(shape, d_width)
        super().__init__(generator, discriminator, shape, scale, **kwargs)

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 1: -E[log D(x, x')] - E[log(1 - D(x', x))]."""
        real = self.discriminate(batch["real"], batch, training, "real")
        fake = self.discriminate(fake, batch, training, "fake")
        return self.d_adversarial(*self._compared(real, fake))

    def g_adversarial(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 2: the same with reals and fakes exchanged."""
        real = self.discriminate(batch["real"], batch, training, "real")
        real, fake = self._compared(real, fake)
        loss = self.objective.d(fake, real)
        return loss, {"g_loss": loss}

    def _compared(self, real, fake):
        """Logits less the mean logit of the other kind, over all replicas."""
        real, fake = logits_of(real), logits_of(fake)
        means = [self.engine.mean_over_replicas(ops.mean(x)) for x in (real, fake)]
        return real - means[1], fake - means[0]


RECIPE = Recipe(
    name="esrgan",
    model="ESRGAN",
    summary="Photos enlarged, relativistic, arXiv:1809.00219",
    task="photos",
    epochs=2,
    batch_size=8,
    # Smaller: it is to learn in minutes.
    arguments={
        "image_shape": (64, 64, 3),
        "scale": 4,
        "blocks": 3,
        "width": 32,
        "growth": 16,
        "d_width": 16,
        "pretrain_steps": 1600,
        "pretrain_rate": 1e-3,
        "learning_rate": 2e-4,
        "pixel_weight": 1.0,
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
        "pixel_weight": 1e-2,
        "feature_layers": "conv5_3",
        "image_shape": (128, 128, 3),
        "blocks": 23,
        "width": 64,
        "growth": 32,
        "d_width": 64,
        "pretrain_steps": 1_000_000,
        "pretrain_rate": 2e-4,
        "learning_rate": 1e-4,
    },
    without=("packing", "linear_decay", "evaluate_every"),
)
