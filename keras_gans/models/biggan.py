"""BigGAN: classes and parts of the latent code for every norm, at scale."""

import functools
import math

import keras
from keras import ops

from keras_gans.core.class_conditional import ClassConditionalGAN
from keras_gans.core.configurations import chooser
from keras_gans.core.controllers import EMA
from keras_gans.core.inputs import Label
from keras_gans.core.networks import latent_of, modality_of
from keras_gans.core.optimizers import TorchAdam
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import logits_of
from keras_gans.losses.penalties import off_diagonal_products
from keras_gans.networks.biggan import biggan_discriminator, biggan_generator
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_classes, is_number, within

AVERAGE = EMA(0.9999, rampup=None, start=20_000)
CONFIGURATIONS = {
    "biggan": {},
    "biggan_deep": {"depth": 2, "bottleneck": 4, "width": 128},
    "cifar": {
        "width": 64,
        "shared_dim": 0,
        # A name: an initializer made here would draw its seed when this is imported.
        "initializer": {"class_name": "RandomNormal", "config": {"stddev": 0.02}},
    },
}


@keras.saving.register_keras_serializable("keras_gans")
class BigGAN(ClassConditionalGAN):
    """Class-conditional images at scale.

    The discriminator sees fakes and reals in one pass. Samples are those of a
    moving average of the generator, statistics included;
    `standing_statistics` gives it new ones.

    Args:
        image_shape: tuple (height, width, channels), a shorter side of 4 to 7
            pixels doubled up to 7 times; (128, 128, 3) by default. At 32, 64, 128
            and 256 pixels the networks are the reference's.
        num_classes: int of 2 or more: `fit` on (images, labels), labels ints in
            [0, num_classes).
        latent_dim: int; by default 20 for the first map and for each block, 128
            where z is not cut.
        width: int, the factor of all channels; 96 by default.
        configuration: "biggan", "biggan_deep" or "cifar", the networks of the
            reference's script for CIFAR: what `depth`, `bottleneck`, `width`,
            `shared_dim` and the kernels' start are by default.
        shared_dim: int, numbers of a class's embedding; 128 by default. 0: each
            norm has a gain and a bias of each class, and z makes the first map.
        hierarchical: bool, whether norms are given parts of z next to that
            embedding; otherwise all of z makes the first map.
        attention: `None`, or the shorter sides of maps that self-attention follows,
            a tuple of ints; by default 64 from 128 pixels on.
        depth: int, blocks for each size; 1 by default, 2 of BigGAN-deep.
        bottleneck: int, of hidden maps; 1 by default, 4 of BigGAN-deep. See
            `biggan_generator`.
        orthogonal: float of 0 or more, weight of the generator's orthogonal
            regularization; 1e-4 in the paper where it is on.
        generator: `keras.Model` of `[z, label]` to use instead.
        discriminator: `keras.Model` of `[images, label]` to use instead.
        d_steps: int, batches (and updates of the discriminator) a step; 2 in the
            paper.
        ema: as of `BaseGAN`; by default 0.9999, from step 20,000 on, before which
            weights are copied.
        **kwargs: `consistency`, `lecam` and `top_k` of `ClassConditionalGAN`,
            `seed` and the other arguments of `BaseGAN`, but for `r2`, `packing`
            and `spectral_norm`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.BigGAN((16, 16, 1), 3, width=2, shared_dim=8, d_steps=1)
    gan.compile()
    images = np.random.uniform(-1, 1, (8, 16, 16, 1))
    gan.fit(images, np.arange(8) % 3, batch_size=4, verbose=0)
    twos = gan.sample(4, labels=2, truncation=0.5)
    ```

    Reference:
        https://arxiv.org/abs/1809.11096
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        num_classes: int | None = None,
        latent_dim: int | None = None,
        width: int | None = None,
        *,
        configuration: str = "biggan",
        shared_dim: int | None = None,
        hierarchical: bool = True,
        attention: tuple[int, ...] | None = None,
        depth: int | None = None,
        bottleneck: int | None = None,
        orthogonal: float = 0.0,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        d_steps: int = 2,
        ema: float | EMA | None = AVERAGE,
        **kwargs,
    ):
        check_classes(num_classes)
        chosen = chooser(CONFIGURATIONS, configuration)
        shape = (128, 128, 3) if image_shape is None else image_shape
        built = {
            "num_classes": num_classes,
            "width": chosen("width", width, 96),
            "attention": attention,
            "depth": chosen("depth", depth, 1),
            "bottleneck": chosen("bottleneck", bottleneck, 1),
            "initializer": chosen("initializer", None, "orthogonal"),
        }
        if generator is None:
            shared_dim = chosen("shared_dim", shared_dim, 128)
            generator = biggan_generator(
                shape,
                latent_dim=latent_dim,
                shared_dim=shared_dim,
                hierarchical=hierarchical,
                **built,
            )
        if discriminator is None:
            discriminator = functools.partial(biggan_discriminator, **built)
        ok = is_number(orthogonal) and 0 <= orthogonal < math.inf
        self.orthogonal = within("orthogonal", orthogonal, ok, "[0, inf)")
        super().__init__(
            generator,
            discriminator,
            modality=modality_of(image_shape),
            inputs=(latent_of(generator, latent_dim), Label(num_classes)),
            d_steps=d_steps,
            ema=ema,
            **kwargs,
        )

    def default_optimizers(self) -> tuple:
        """The reference's: Adam, D 4e-4 and G 1e-4, beta_1 0, beta_2 0.999."""
        return tuple(
            TorchAdam(rate, beta_1=0.0, beta_2=0.999, epsilon=1e-6)
            for rate in (4e-4, 1e-4)
        )

    def discriminate_all(self, parts: list[tuple], training: bool) -> list[Tensor]:
        """Logits of several parts by one pass, one power iteration."""
        roles, samples, batches = zip(*parts, strict=True)
        seen = [
            self.regularization.augmented(self, x, training, role)
            for role, x in zip(roles, samples, strict=True)
        ]
        # In the reference's order: fakes before reals.
        order = sorted(range(len(parts)), key=lambda i: roles[i] == "real")
        label = ops.concatenate([batches[i]["label"] for i in order])
        x = ops.concatenate([seen[i] for i in order])
        logits = logits_of(self.call_discriminator(x, {"label": label}, training))
        part_logits, start = {}, 0
        for i in order:
            n = ops.shape(seen[i])[0]
            part_logits[i] = logits[start : start + n]
            start = start + n
        return [part_logits[i] for i in range(len(parts))]

    def generator_loss(
        self, fake: dict, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The objective's, and beta / 2 sum ||W W^T * (1 - I)||^2.

        Reference:
            https://arxiv.org/abs/1809.11096, equation 3
        """
        loss, logs = super().generator_loss(fake, batch, training)
        if self.orthogonal:
            kernels = [
                # The rows of a table are its classes.
                ops.transpose(v) if v.path.endswith("/embeddings") else v
                for v in self.generator.trainable_variables
                if len(v.shape) > 1 and not v.path.endswith("shared/embeddings")
            ]
            total = sum(off_diagonal_products(v) for v in kernels)
            loss = loss + 0.5 * self.orthogonal * total
        return loss, logs


RECIPE = Recipe(
    name="biggan",
    model="BigGAN",
    summary="A shared embedding, z in chunks, spectral norm, arXiv:1809.11096",
    task="labelled images",
    epochs=50,
    batch_size=32,
    data_options={"class_balanced": False},
    arguments={
        "image_shape": (32, 32, 3),
        "num_classes": 9,
        "width": 12,
        "shared_dim": 32,
        "d_steps": 1,
        "ema": 0.998,
        "diff_augment": "color,translation,cutout",
    },
    optimizers={
        "d": ("adam", {"learning_rate": 4e-4, "beta_1": 0.0, "beta_2": 0.99}),
        "g": ("adam", {"learning_rate": 4e-4, "beta_1": 0.0, "beta_2": 0.99}),
    },
    without=("packing", "r2", "spectral_norm", "label_smoothing"),
)
