"""Pix2Pix: images to images, learned from pairs of them."""

import keras
from keras import ops

from keras_gans.base import BaseGAN
from keras_gans.networks.patchgan import patch_discriminator
from keras_gans.networks.translation import check_open_shape
from keras_gans.networks.unet import default_depth
from keras_gans.networks.unet import unet_generator
from keras_gans.translating import Translating
from keras_gans.translating import check_judge
from keras_gans.translating import check_weight
from keras_gans.translating import domain_shapes
from keras_gans.translating import refuse

REFUSED = {
    "packing": (1, "an image is judged beside its source"),
    "diff_augment": (None, "the image would come apart from its source"),
    "latent_dim": (None, "its noise is dropout"),
}


@keras.saving.register_keras_serializable("keras_gans")
class Pix2Pix(Translating, BaseGAN):
    """Pix2Pix: `fit` on (source, target), `translate(images)`.

    The discriminator judges an image beside its source; the generator also
    keeps near to the target in L1. The fakes of a step are made once: the
    discriminator learns from them, then the generator through them. Its noise
    is dropout.

    Args:
        image_shape: tuple (height, width, channels) of the targets;
            (256, 256, 3) by default, or what `generator` makes. Height and
            width may be `None`: images of any size, those of a batch alike.
        source_channels: int, channels of the sources; those of the targets by
            default, or what `generator` takes.
        depth: int, how often the U-Net built here halves the size; see
            `unet_generator`.
        width: int, channels of the first maps of the networks built here.
        n_layers: int, of the `patch_discriminator` built here: 3 judges
            patches of 70 x 70 pixels.
        norm: "batch", "instance" or `None`, of the networks built here.
        dropout: float in [0, 1), of the U-Net built here.
        l1_weight: float of 0 or more, lambda of the L1 loss.
        generator: `keras.Model` from sources to targets of their size, to use
            instead of `unet_generator`. The one built here translates images
            of any size, whatever size it is trained on.
        discriminator: `keras.Model` from source and image, joined along the
            last axis, to logits, instead of `patch_discriminator`.
        **kwargs: `objective`, `ema`, `d_steps`, `linear_decay`, `seed` and
            other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, networks do not fit, or
            packing or augmentation is asked for.

    Example:

    ```python
    gan = keras_gans.Pix2Pix((32, 32, 3), source_channels=1, width=4)
    gan.compile()
    targets = np.random.uniform(-1, 1, (4, 32, 32, 3))
    sources = targets.mean(-1, keepdims=True)
    gan.fit(sources, targets, batch_size=1, verbose=0)
    images = gan.translate(sources)
    ```

    Reference:
        https://arxiv.org/abs/1611.07004, equations 1 to 4
    """

    loss_names = ("d_loss", "g_loss", "l1_loss")

    def __init__(
        self,
        image_shape=None,
        source_channels=None,
        depth=None,
        width=64,
        *,
        n_layers=3,
        norm="batch",
        dropout=0.5,
        l1_weight=100.0,
        generator=None,
        discriminator=None,
        **kwargs,
    ):
        refuse("Pix2Pix", kwargs, REFUSED)
        if image_shape is not None:
            image_shape = check_open_shape(image_shape)
        self.source_channels = source_channels
        self.depth = depth
        self.width = width
        self.n_layers = n_layers
        self.norm = norm
        self.dropout = dropout
        self.l1_weight = check_weight("l1_weight", l1_weight)
        if generator is None:
            shape = (256, 256, 3) if image_shape is None else image_shape
            image_shape = shape
            channels = shape[-1] if source_channels is None else source_channels
            generator = unet_generator(
                (None, None, channels),
                shape[-1],
                default_depth(shape) if depth is None else depth,
                width,
                norm,
                dropout,
            )
        if discriminator is None:
            source, made = domain_shapes(
                "generator", generator, image_shape, source_channels
            )
            discriminator = patch_discriminator(
                (*made[:2], source[-1] + made[-1]), n_layers, width, norm
            )
        super().__init__(
            generator, discriminator, image_shape=image_shape, **kwargs
        )

    def check_networks(
        self, generator, discriminator, latent_dim, image_shape, packing
    ):
        self.source_shape, made = domain_shapes(
            "generator", generator, image_shape, self.source_channels
        )
        judged = (*made[:2], self.source_shape[-1] + made[-1])
        check_judge(
            "discriminator", discriminator, judged, "source and image, joined"
        )
        return None, made

    def source(self, batch):
        """The images of a batch that are translated."""
        return ops.cast(self.pair(batch)[0], "float32")

    def real(self, batch):
        return ops.cast(self.pair(batch)[1], "float32")

    def generate(self, batch, training):
        images = self.forward(self.generator, self.source(batch), training)
        return ops.cast(images, "float32")

    def discriminate(self, x, batch, training):
        joined = ops.concatenate([self.source(batch), x], axis=-1)
        return super().discriminate(joined, batch, training)

    def d_adversarial(self, real, fake):
        """Half of the objective: it slows D down against G."""
        loss, logs = super().d_adversarial(real, fake)
        loss = 0.5 * self.adversarial_scale * loss
        return loss, {**logs, "d_loss": loss}

    def g_adversarial(self, fake, batch, training):
        loss, _ = super().g_adversarial(fake, batch, training)
        loss = self.adversarial_scale * loss
        return loss, {"g_loss": loss}

    def generator_loss(self, fake, batch, training):
        """Equation 4: the adversarial loss and lambda E[|y - G(x)|]."""
        loss, logs = super().generator_loss(fake, batch, training)
        l1 = ops.mean(ops.abs(fake - self.real(batch)))
        return loss + self.l1_weight * l1, {**logs, "l1_loss": l1}

    def check_batch(self, batch):
        """Checks the first batch of a `fit`: see `Translating.check_pair`."""
        shapes = (self.source_shape, self.image_shape)
        self.check_pair(batch, ("source", "target"), shapes)

    def translate(self, images, *, evaluation=False, seed=0):
        """Translates images of any height and width.

        By default as the reference tests: dropout is on, and batch norm takes
        the statistics of each image. Row i is then a function of the image
        and of `(seed, i)` alone.

        Args:
            images: float array `[n, height, width, source_channels]` in
                [-1, 1].
            evaluation: bool; `True` takes the moving statistics of batch norm
                and no dropout.
            seed: int in [0, 2**31), of dropout.

        Returns:
            float32 array `[n, height, width, channels]` in [-1, 1].

        Raises:
            ValueError: the images are not what the generator takes, or `seed`
                is out of range.

        Example:

        ```python
        gan = keras_gans.Pix2Pix((32, 32, 3), width=4)
        gan.translate(np.zeros((1, 50, 41, 3), "float32")).shape
        ```
        """
        return self._translate(images, "ab", seed, evaluation)
