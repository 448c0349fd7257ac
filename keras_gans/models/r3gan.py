"""R3GAN: a relativistic loss with two gradient penalties, and no other tricks."""

import math

import keras
from keras import ops
import numpy as np

from keras_gans.augment import ADA, as_ada
from keras_gans.core.configurations import chooser
from keras_gans.core.controllers import ImageAverage, ImageCount, cosine
from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Label
from keras_gans.core.networks import latent_of, modality_of
from keras_gans.core.optimizers import CosineAdam
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import logits_of, refuse
from keras_gans.engine import input_gradient
from keras_gans.engine.phases import Phase
from keras_gans.networks.r3gan import r3gan_discriminator, r3gan_generator
from keras_gans.networks.sizes import doublings
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_classes, check_size, is_number, within

# The published networks and schedules, of the reference's repository. Theirs are
# batches of 512, 256, 256, 4096 and 4096.
CONFIGURATIONS = {
    "cifar10": {
        "image_shape": (32, 32, 3),
        "widths": (768,) * 4,
        "gamma": (0.05, 0.005),
        "ada": 0.55,
        "ema_kimg": 5_000,
        "decay_kimg": 20_000,
    },
    "ffhq64": {
        "image_shape": (64, 64, 3),
        "widths": (768, 768, 768, 768, 384),
        "gamma": (2.0, 0.2),
        "ada": 0.3,
        "ema_kimg": 500,
        "decay_kimg": 20_000,
    },
    "ffhq256": {
        "image_shape": (256, 256, 3),
        "widths": (768, 768, 768, 768, 384, 192, 96),
        "gamma": (150.0, 15.0),
        "ada": 0.3,
        "ema_kimg": 500,
        "decay_kimg": 20_000,
    },
    "imagenet32": {
        "image_shape": (32, 32, 3),
        "widths": (1536,) * 4,
        "group_size": 32,
        "gamma": [0.5, 0.05],
        "ada": 0.5,
        "ema_kimg": 50_000,
        "decay_kimg": 200_000,
    },
    "imagenet64": {
        "image_shape": (64, 64, 3),
        "widths": (1536,) * 5,
        "group_size": 32,
        "gamma": (1.0, 0.1),
        "ada": 0.4,
        "ema_kimg": 50_000,
        "decay_kimg": 200_000,
    },
}
TRANSFORMS = {"blit": 1.0, "geom": 1.0, "color": 0.5, "cutout": 1.0}  # of ADA
REFUSED = {
    "objective": ("relativistic", "its loss pairs reals with fakes"),
    "r1": (0.0, "`gamma` weighs R1 and R2 alike"),
    "r2": (0.0, "`gamma` weighs R1 and R2 alike"),
    "penalty_interval": (1, "both penalties are part of every step"),
    "ema": (None, "`ema_kimg` counts its moving average in images"),
    "linear_decay": (None, "its learning rate has a schedule of its own"),
    "packing": (1, "reals are paired with fakes one by one"),
    "minibatch_stddev": (None, "its penalties are of each row for itself"),
}


@keras.saving.register_keras_serializable("keras_gans")
class R3GAN(BaseGAN):
    """A relativistic GAN regularized by R1 and R2: a modern, minimal baseline.

    Each real is compared with a fake (RpGAN). Gradient penalties on both, in
    every step, make that converge; the networks are residual, without any norm.
    The discriminator learns first; the generator then learns from reals and
    latent codes of its own. gamma, beta_2, the learning rate and the moving
    average follow half a cosine over `decay_kimg` thousands of images.

    Args:
        image_shape: tuple (height, width, channels), a shorter side of 4 to 7
            pixels doubled any number of times: 32, 40, 48, 56, 64, 80 ...;
            (32, 32, 3) by default, or what `generator` makes.
        num_classes: `None`, or int: `fit` on (images, labels), labels ints in
            [0, num_classes).
        latent_dim: int, numbers of a latent code; 64 by default, or what
            `generator` takes.
        width: int, channels of the largest map; smaller ones have twice as
            many.
        widths: `None`, or the channels of each map from the smallest on, in
            place of `width`.
        configuration: `None`, or which published networks and schedules the
            other arguments are by default: "cifar10", "ffhq64", "ffhq256",
            "imagenet32" or "imagenet64".
        blocks: int, residual blocks for each size.
        group_size: int, hidden channels that a grouped convolution mixes; 16 by
            default.
        half_blocks: int, how many of the largest maps both networks compute in
            bfloat16, with weights in float32; 0 by default, 3 or 4 in the reference.
        gamma: float, or tuple (first, last), weight of both penalties; by
            default between the published ones by size: (0.05, 0.005) at 32
            pixels, (2, 0.2) at 64, (150, 15) at 256.
        ema_kimg: float of 0 or more, thousands of images after which a weight
            counts half in the moving average, in the end; 500 by default. It
            begins at 0 and follows the schedule; 0 leaves the average out.
        decay_kimg: float above 0, thousands of images until schedules end;
            20,000 by default.
        diff_augment: how what the discriminator sees in training is augmented:
            "ada", with the paper's transforms and a p that follows the schedule
            from 0 to the configuration's, or 0.3; "published", that of a
            `configuration` alone; "ada:0.2"; an `ADA`; some of
            "color,translation,cutout"; or `None`.
        generator: `keras.Model` to use instead of `r3gan_generator`.
        discriminator: `keras.Model` to use instead of `r3gan_discriminator`.
        **kwargs: `d_steps`, `seed` and the other arguments of
            `BaseGAN`, but for `objective`, `r1`, `r2`, `penalty_interval`,
            `ema`, `linear_decay`, `packing` and `minibatch_stddev`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.models.R3GAN((16, 16, 3), width=8, blocks=1, decay_kimg=100)
    gan.compile()
    gan.fit(np.random.uniform(-1, 1, (8, 16, 16, 3)), batch_size=4, verbose=0)
    ```

    Reference:
        https://arxiv.org/abs/2501.05441
    """

    labels_shown = True

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        num_classes: int | None = None,
        latent_dim: int | None = None,
        width: int = 64,
        widths: tuple[int, ...] | None = None,
        *,
        configuration: str | None = None,
        blocks: int = 2,
        group_size: int | None = None,
        half_blocks: int = 0,
        gamma: float | tuple[float, float] | None = None,
        ema_kimg: float | None = None,
        decay_kimg: float | None = None,
        diff_augment: str | tuple[str, ...] | ADA | None = "published",
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        refuse("R3GAN", kwargs, REFUSED)
        kwargs.setdefault("objective", "relativistic")
        chosen = chooser(CONFIGURATIONS, configuration)
        shape = chosen("image_shape", image_shape, (32, 32, 3))
        decay_kimg = chosen("decay_kimg", decay_kimg, 20_000)
        ok = is_number(decay_kimg) and 0 < decay_kimg < math.inf
        self.decay_images = 1000 * within("decay_kimg", decay_kimg, ok, "(0, inf)")
        check_size("width", width)
        widths = chosen("widths", widths)

        def widths_of(network_shape):
            if widths is not None:
                return widths
            return (2 * width,) * doublings(network_shape) + (width,)

        built = {
            "blocks": blocks,
            "group_size": chosen("group_size", group_size),
            "half_blocks": half_blocks,
        }
        if num_classes is not None:
            built["num_classes"] = check_classes(num_classes)
        if generator is None:
            dim = 64 if latent_dim is None else latent_dim
            generator = r3gan_generator(shape, dim, widths_of(shape), **built)
            image_shape = shape
        if discriminator is None:

            def discriminator(seen):
                return r3gan_discriminator(seen, widths_of(seen), **built)

        if diff_augment == "published":
            diff_augment = None if configuration is None else "ada"
        p = (0.0, chosen("ada", None, 0.3))
        ada = as_ada(diff_augment, ADA(TRANSFORMS, p, kimg=decay_kimg))
        inputs = (latent_of(generator, latent_dim),)
        if num_classes is not None:
            inputs = (*inputs, Label(num_classes))
        super().__init__(
            generator,
            discriminator,
            modality=modality_of(image_shape),
            inputs=inputs,
            diff_augment=diff_augment if ada is None else ada,
            **kwargs,
        )
        gamma = chosen("gamma", gamma, default_gamma(self.modality.shape))
        self.gamma = _check_gamma(gamma)
        self.warn_of_batch_norm("`gamma`")
        half_life = chosen("ema_kimg", ema_kimg, 500)
        ok = is_number(half_life) and 0 <= half_life < math.inf
        if within("ema_kimg", half_life, ok, "[0, inf)"):
            copies = self.generator_copies()
            self.controllers["ema"] = _Average(1000 * half_life, copies)
        self.controllers["images"] = _Schedules()

    def default_optimizers(self) -> tuple:
        """The paper's: Adam, 2e-4 to 5e-5, beta_1 0, beta_2 0.9 to 0.99."""
        return tuple(
            CosineAdam(2e-4, final_learning_rate=5e-5, final_beta_2=0.99)
            for _ in range(2)
        )

    def compile(self, *args, **kwargs) -> None:
        super().compile(*args, **kwargs)
        self.controllers["images"].set_rates(self)

    compile.__doc__ = BaseGAN.compile.__doc__

    @property
    def done(self) -> Tensor:
        """The share of the schedules that is over: 1 at the end, or more."""
        count = ops.cast(self.controllers["images"].value.value, "float32")
        return count / self.decay_images

    def phases(self) -> list[Phase]:
        """D learns from one batch, then G from another."""
        return [
            Phase(
                "d", self.discriminator_loss, logs=("r1", "r2"), batches=self.d_steps
            ),
            Phase("g", self.generator_loss, reals="fresh"),
        ]

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """E[f(D(G(z)) - D(x))] + gamma / 2 (R1 + R2), equations 2 to 4.

        A pass serves the loss and a penalty: rows do not mix, so the gradient of
        the sum of all logits holds that of each. Reals and fakes are apart, so
        that gradients that cancel between them do so to the last bit: Adam would
        make steps of what is left.
        """
        logits, penalties = {}, {}
        gamma = cosine(*self.gamma, self.done)
        for name, role, x in (("r1", "real", batch["real"]), ("r2", "fake", fake)):

            def critic(x, role=role):
                return logits_of(self.discriminate(x, batch, training, role))

            x = ops.cast(x, "float32")
            logits[role], gradient = input_gradient(critic, x)
            rows = ops.sum(ops.square(gradient), axis=[*range(1, len(x.shape))])
            penalties[name] = 0.5 * gamma * ops.mean(rows)
        loss, logs = self.d_adversarial(**logits)
        return loss + sum(penalties.values()), {**logs, **penalties}


class _Average(ImageAverage):
    def __init__(self, images, networks):
        super().__init__(networks)
        self.images = images

    def half_life(self, gan: BaseGAN) -> Tensor:
        return cosine(0.0, self.images, gan.done)


class _Schedules(ImageCount):
    """Counts images, and sets what optimizers have of schedules."""

    def update(self, gan: BaseGAN, logs: dict, rows: Tensor) -> None:
        super().update(gan, logs, rows)
        self.set_rates(gan)

    def set_rates(self, gan: BaseGAN) -> None:
        for optimizer in gan.optimizers.values():
            inner = getattr(optimizer, "inner_optimizer", optimizer)
            if isinstance(inner, CosineAdam):
                inner.follow(gan.done)


def default_gamma(image_shape: tuple[int, ...]) -> tuple[float, float]:
    """The weight of the penalties, between the published ones by size.

    Example:

    ```python
    from keras_gans.models.r3gan import default_gamma

    default_gamma((64, 64, 3))  # (2.0, 0.2)
    ```
    """
    sides, gammas = [32, 64, 256], [0.05, 2.0, 150.0]
    # A line between logarithms, and on beyond the last.
    side = math.log(max(math.sqrt(math.prod(image_shape[:2])), 32))
    first = math.exp(np.interp(side, np.log(sides), np.log(gammas)))
    return round(first, 6), round(first / 10, 6)


def _check_gamma(gamma):
    pair = (gamma, gamma) if is_number(gamma) else gamma
    ok = isinstance(pair, (tuple, list)) and len(pair) == 2
    ok = ok and all(is_number(g) and 0 <= g < math.inf for g in pair)
    within("gamma", gamma, ok, "[0, inf), or be a pair (first, last)")
    return tuple(pair)


RECIPE = Recipe(
    name="r3gan",
    model="R3GAN",
    summary="Relativistic loss, R1 + R2, no norm, arXiv:2501.05441",
    epochs=50,
    batch_size=32,
    arguments={
        "image_shape": (32, 32, 3),
        "width": 32,
        "blocks": 1,
        "gamma": [0.5, 0.05],
        "ema_kimg": 5,
        "decay_kimg": 100,
        "diff_augment": "color,translation,cutout",
    },
    without=(
        "num_classes",
        "objective",
        "r1",
        "r2",
        "penalty_interval",
        "ema",
        "linear_decay",
        "packing",
        "minibatch_stddev",
    ),
)
