"""Pix2Pix: images to images, learned from pairs of them."""

import keras
from keras import ops
import numpy as np

from keras_gans.core.inputs import Source
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.core.translation import (
    TranslatingGAN,
    check_sees_images,
    check_weight,
    domain_shapes,
)
from keras_gans.engine.phases import Phase
from keras_gans.modalities import Image, Modality
from keras_gans.networks.patchgan import patch_discriminator
from keras_gans.networks.translation import check_open_shape
from keras_gans.networks.unet import default_depth, unet_generator
from keras_gans.utils.types import Shape, Tensor

REFUSED = {
    "packing": (1, "an image is seen beside its source"),
    "diff_augment": (None, "the image would come apart from its source"),
    "latent_dim": (None, "its noise is dropout"),
}


@keras.saving.register_keras_serializable("keras_gans")
class Pix2Pix(TranslatingGAN):
    """Pix2Pix: `fit` on (source, target), `translate(images)`.

    The discriminator sees an image beside its source; the generator also
    keeps near to the target in L1. The fakes of a step are made once: the
    discriminator learns from them, then the generator through them. Its noise
    is dropout.

    Args:
        image_shape: tuple (height, width, channels) of the targets;
            (256, 256, 3) by default, or what `generator` makes. Height and
            width may be `None`: images of any size, those of a batch alike.
        source_channels: int, channels of the sources; those of the targets by
            default, or what `generator` takes.
        depth: int, how often the U-Net built here halves the size; down to one
            pixel, but at most 8 times, by default.
        width: int, channels of the first maps of the networks built here.
        n_layers: int, of the `patch_discriminator` built here: 3 sees
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

    def __init__(
        self,
        image_shape: Shape | None = None,
        source_channels: int | None = None,
        depth: int | None = None,
        width: int = 64,
        *,
        n_layers: int = 3,
        norm: str | None = "batch",
        dropout: float = 0.5,
        l1_weight: float = 100.0,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        refuse("Pix2Pix", kwargs, REFUSED)
        if image_shape is not None:
            image_shape = check_open_shape(image_shape)
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
        source, target = domain_shapes(
            "generator", generator, image_shape, source_channels
        )
        if discriminator is None:
            discriminator = patch_discriminator(
                (*target[:2], source[-1] + target[-1]), n_layers, width, norm
            )
        super().__init__(
            generator,
            discriminator,
            modality=Image(target),
            inputs=(Source(Image(source)),),
            **kwargs,
        )

    def check_generators(
        self, generators: dict[str, keras.Model], modality: Modality | None
    ) -> Modality:
        return modality  # `domain_shapes` has

    def discriminator_inputs(self, name: str) -> list[keras.KerasTensor]:
        source, target = self.source_shape, self.image_shape
        return [keras.KerasTensor((1, *target[:2], source[-1] + target[-1]))]

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        seen = tuple(self.discriminator_inputs("discriminator")[0].shape)[1:]
        network = discriminators["discriminator"]
        check_sees_images("discriminator", network, seen, "source and image, joined")

    def phases(self) -> list[Phase]:
        """Equation 4, D first: its part is halved, which slows it down."""
        return [
            Phase(
                "d",
                self.discriminator_loss,
                penalty=self.penalties,
                batches=self.d_steps,
            ),
            Phase("g", self.generator_loss, logs=("l1_loss",)),
        ]

    def call_discriminator(self, x: Tensor, batch: dict, training: bool) -> Tensor:
        joined = ops.concatenate([batch["source"], x], axis=-1)
        return self.forward("discriminator", joined, training)

    def d_adversarial(self, real: Tensor, fake: Tensor) -> tuple[Tensor, dict]:
        """Half of the objective: it slows D down against G."""
        loss, logs = super().d_adversarial(real, fake)
        loss = 0.5 * self.adversarial_scale * loss
        return loss, {**logs, "d_loss": loss}

    def g_adversarial(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        loss, _ = super().g_adversarial(fake, batch, training)
        loss = self.adversarial_scale * loss
        return loss, {"g_loss": loss}

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 4: the adversarial loss and lambda E[|y - G(x)|]."""
        loss, logs = super().generator_loss(fake, batch, training)
        real = ops.cast(batch["real"], "float32")
        l1 = ops.mean(ops.abs(fake - real))
        return loss + self.l1_weight * l1, {**logs, "l1_loss": l1}

    def translate(
        self, images: np.ndarray, *, evaluation: bool | None = None, seed: int = 0
    ) -> np.ndarray:
        """Translates images of any height and width.

        There are two modes. The reference tests with dropout on, and batch
        norm takes the statistics of each image: that suits a training on
        batches of 1, as the paper's. The evaluation mode takes the moving
        statistics and no dropout: that suits one on larger batches. The
        default is the mode that suits how the GAN was trained, and the
        reference's before any training; `mode()` tells. Row i is a function
        of the image and of `(seed, i)` alone.

        Args:
            images: float array `[n, height, width, source_channels]` in
                [-1, 1].
            evaluation: bool, whether in evaluation mode; `None` for what
                suits the training.
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


RECIPE = Recipe(
    name="pix2pix",
    model="Pix2Pix",
    summary="Images to images from pairs of them, arXiv:1611.07004",
    task="pairs",
    data="emoji:line-3d",
    epochs=20,
    batch_size=16,
    # Narrower, and in larger batches, than the paper: it is to learn in minutes.
    arguments={
        "image_shape": (64, 64, 3),
        "depth": 6,
        "width": 16,
        "n_layers": 2,
        "dropout": 0.0,
        "objective": "least_squares",
        "ema": 0.995,
    },
    optimizers={
        "d": ("adam", {"learning_rate": 1e-3, "beta_1": 0.5}),
        "g": ("adam", {"learning_rate": 1e-3, "beta_1": 0.5}),
    },
    # 30 of the paper's 256 pixels, at any size
    data_options={"direction": "ab", "jitter": 0.1171875, "flip": True},
    paper={
        "epochs": 200,
        "batch_size": 1,
        "image_shape": (256, 256, 3),
        "depth": 8,
        "width": 64,
        "n_layers": 3,
        "dropout": 0.5,
        "objective": "non_saturating",
        "ema": None,
        "d_learning_rate": 2e-4,
        "g_learning_rate": 2e-4,
    },
    without=("packing", "diff_augment", "evaluate_every"),
)
