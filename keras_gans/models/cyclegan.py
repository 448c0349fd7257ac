"""CycleGAN: two sets of images translated into each other, without pairs."""

import keras
from keras import ops
import numpy as np

from keras_gans.core.inputs import Source
from keras_gans.core.pool import ImagePool
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import logits_of, refuse
from keras_gans.core.translation import (
    TranslatingGAN,
    check_sees_images,
    check_weight,
    domain_shapes,
    narrowed,
    shapes_of,
)
from keras_gans.engine import global_rows
from keras_gans.engine.phases import Phase
from keras_gans.modalities import Image, Modality
from keras_gans.networks.patchgan import patch_discriminator
from keras_gans.networks.resnet_translator import resnet_translator
from keras_gans.networks.translation import check_open_shape
from keras_gans.utils.types import Shape, Tensor
from keras_gans.utils.validation import is_int, within

REFUSED = {
    "packing": (1, "its discriminators see one image at a time"),
    "r1": (0, "it has two discriminators, and no penalty for them"),
    "r2": (0, "it has two discriminators, and no penalty for them"),
    "d_steps": (1, "the generators go first, on the same batch"),
    "latent_dim": (None, "it makes images of images alone"),
}
DOMAINS = ("a", "b")


def default_blocks(image_shape: Shape) -> int:
    """Residual blocks as in the paper: 6 below 256 pixels, else 9."""
    sides = [side for side in image_shape[:2] if side is not None]
    return 6 if sides and min(sides) < 256 else 9


def adding(network: keras.Model, name: str) -> keras.Model:
    """A network that adds to its images what `network` makes of them.

    Raises:
        ValueError: it makes images of other channels than it takes.
    """
    taken, added = network.input.shape[-1], network.output.shape[-1]
    if taken != added:
        raise ValueError(
            "What is added to images has their channels. Received: "
            f"residual=True, {name} from {taken} to {added} channels. Drop it."
        )
    images = ops.clip(network.input + network.output, -1.0, 1.0)
    return keras.Model(network.input, images, name=name)


@keras.saving.register_keras_serializable("keras_gans")
class CycleGAN(TranslatingGAN):
    """CycleGAN: `fit` on (a, b), `translate(images, direction="ab")`.

    The images of a batch of domain A and of one of domain B need not belong
    together. One step trains both generators, then both discriminators, each
    pair by one optimizer. The discriminators learn from fakes out of a pool
    of past ones.

    Args:
        image_shape: tuple (height, width, channels) of domain B, and of A but
            for its channels; (256, 256, 3) by default, or what `generator_ab`
            makes. Height and width may be `None` where `pool_size` is 0.
        source_channels: int, channels of domain A; those of B by default, or
            what `generator_ab` takes.
        blocks: int, residual blocks of the generators built here; 6 below 256
            pixels and else 9, as in the paper.
        width: int, channels of the first maps of the networks built here.
        n_layers: int, of each `patch_discriminator` built here.
        norm: "instance", "batch" or `None`, of the networks built here.
        dropout: float in [0, 1), of the generators built here.
        residual: bool, whether the generators built here make what is added to
            the image, instead of the image: a short training need not learn
            first what is already there. The domains then have as many channels.
        cycle_weight_a: float of 0 or more, lambda of |G_BA(G_AB(a)) - a|.
        cycle_weight_b: float of 0 or more, lambda of |G_AB(G_BA(b)) - b|.
        identity_weight: float of 0 or more, times the lambda of the domain
            the weight of |G_AB(b) - b| and |G_BA(a) - a|. 0 leaves them out,
            as it must where the domains differ in channels.
        pool_size: int, how many past fakes of each domain are kept; 0 for no
            pool.
        generator_ab: `keras.Model` from A to B, images of one size, to use
            instead of `resnet_translator`. Those built here translate images
            of any size.
        generator_ba: `keras.Model` from B to A.
        discriminator_a: `keras.Model` from images of A to logits, to use
            instead of `patch_discriminator`.
        discriminator_b: `keras.Model` from images of B to logits.
        **kwargs: `objective`, `ema`, `linear_decay`, `diff_augment`, `seed`
            and other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, networks do not fit, or
            packing, R1, R2 or several batches a step are asked for.

    Example:

    ```python
    gan = keras_gans.CycleGAN((32, 32, 3), width=4, blocks=1, pool_size=4)
    gan.compile()
    a = np.random.uniform(-1, 1, (2, 32, 32, 3))
    b = np.random.uniform(-1, 1, (2, 32, 32, 3))
    gan.fit(a, b, batch_size=1, verbose=0)
    like_a = gan.translate(b, direction="ba")
    ```

    Reference:
        https://arxiv.org/abs/1703.10593, equations 1 to 3 and sections 4, 5.2
    """

    directions = ("ab", "ba")
    pair_names = ("a", "b")

    def __init__(
        self,
        image_shape: Shape | None = None,
        source_channels: int | None = None,
        blocks: int | None = None,
        width: int = 64,
        *,
        n_layers: int = 3,
        norm: str | None = "instance",
        dropout: float = 0.0,
        residual: bool = False,
        cycle_weight_a: float = 10.0,
        cycle_weight_b: float = 10.0,
        identity_weight: float = 0.5,
        pool_size: int = 50,
        generator_ab: keras.Model | None = None,
        generator_ba: keras.Model | None = None,
        discriminator_a: keras.Model | None = None,
        discriminator_b: keras.Model | None = None,
        **kwargs,
    ):
        refuse("CycleGAN", kwargs, REFUSED)
        if image_shape is not None:
            image_shape = check_open_shape(image_shape)
        self.cycle_weight_a = check_weight("cycle_weight_a", cycle_weight_a)
        self.cycle_weight_b = check_weight("cycle_weight_b", cycle_weight_b)
        self.identity_weight = check_weight("identity_weight", identity_weight)
        ok = is_int(pool_size) and pool_size >= 0
        within("pool_size", pool_size, ok, "0, 1, ...")

        def build(shape, channels, target_channels, direction):
            """A generator for images of any size."""
            name = f"generator_{direction}"
            network = resnet_translator(
                (None, None, channels),
                target_channels,
                default_blocks(shape) if blocks is None else blocks,
                width,
                norm,
                dropout,
                name=name,
            )
            return adding(network, name) if residual else network

        if generator_ab is None:
            shape = (256, 256, 3) if image_shape is None else image_shape
            image_shape = shape
            channels = shape[-1] if source_channels is None else source_channels
            generator_ab = build(shape, channels, shape[-1], "ab")
        source, target = domain_shapes(
            "generator_ab", generator_ab, image_shape, source_channels
        )
        if generator_ba is None:
            generator_ba = build(target, target[-1], source[-1], "ba")
        discriminators = {
            name: patch_discriminator(shape, n_layers, width, norm, name=name)
            if network is None
            else network
            for network, shape, name in (
                (discriminator_a, source, "discriminator_a"),
                (discriminator_b, target, "discriminator_b"),
            )
        }
        kwargs.setdefault("objective", "least_squares")
        super().__init__(
            {"generator_ab": generator_ab, "generator_ba": generator_ba},
            discriminators,
            modality=Image(target),
            inputs=(Source(Image(source), "a"),),
            **kwargs,
        )
        if pool_size:
            self._add_pools(pool_size)

    def _add_pools(self, pool_size):
        if None in self.image_shape:
            raise ValueError(
                "A pool holds images of one size. Received: image_shape="
                f"{self.image_shape}, pool_size={pool_size}. Give "
                "`image_shape`, or pool_size=0."
            )
        for domain, shape in zip(
            DOMAINS, (self.source_shape, self.image_shape), strict=True
        ):
            name = f"pool_{domain}"
            self.controllers[name] = ImagePool(pool_size, shape, name=name)

    def check_generators(
        self, generators: dict[str, keras.Model], modality: Modality | None
    ) -> Modality:
        a, b = self.source_shape, modality.shape
        back = shapes_of("generator_ba", generators["generator_ba"], b)
        if (back[0][-1], back[1][-1]) != (b[-1], a[-1]):
            raise ValueError(
                "`generator_ba` leads back from B to A. Received: a generator "
                f"from {back[0]} to {back[1]}, with images of shape {a} in A "
                f"and {b} in B."
            )
        narrowed("image_shape", (*b[:2], a[-1]), back[1])
        if self.identity_weight and a[-1] != b[-1]:
            raise ValueError(
                "The identity loss gives each generator images of the other "
                f"domain: they need as many channels. Received: {a[-1]} in A, "
                f"{b[-1]} in B. Pass identity_weight=0."
            )
        return modality

    def discriminator_inputs(self, name: str) -> list[keras.KerasTensor]:
        shape = self.source_shape if name[-1] == "a" else self.image_shape
        return [keras.KerasTensor((1, *shape))]

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        for domain in DOMAINS:
            name = f"discriminator_{domain}"
            shape = tuple(self.discriminator_inputs(name)[0].shape)[1:]
            of = f"domain {domain.upper()}"
            check_sees_images(name, discriminators[name], shape, of)

    def translator(self, direction: str) -> str:
        return f"generator_{direction}"

    @property
    def fields(self) -> tuple[str, ...]:
        return ("a", "b")

    # --- A step ---

    def phases(self) -> list[Phase]:
        """Section 5.2: both generators, then both discriminators."""
        g_logs = ["g_ab_loss", "g_ba_loss", "cycle_a_loss", "cycle_b_loss"]
        if self.identity_weight:
            g_logs += ["identity_a_loss", "identity_b_loss"]
        return [
            Phase("g", self.generator_loss, logs=tuple(g_logs)),
            Phase("d", self.discriminator_loss, logs=("d_a_loss", "d_b_loss")),
        ]

    def generate(self, batch: dict, training: bool) -> tuple[Tensor, Tensor]:
        """(G_BA(b), G_AB(a)), fakes of A and of B."""
        return (
            self.forward("generator_ba", batch["b"], training),
            self.forward("generator_ab", batch["a"], training),
        )

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 3, and the identity loss of section 5.2."""
        a, b = _reals(batch)
        fake_a, fake_b = fake
        g_ba = self._g_loss("a", fake_a, a, training)
        g_ab = self._g_loss("b", fake_b, b, training)
        cycle_a = _l1(self.forward("generator_ba", fake_b, training), a)
        cycle_b = _l1(self.forward("generator_ab", fake_a, training), b)
        adversarial = g_ab + g_ba
        loss = adversarial + self.cycle_weight_a * cycle_a
        loss = loss + self.cycle_weight_b * cycle_b
        logs = {
            "g_loss": adversarial,
            "g_ab_loss": g_ab,
            "g_ba_loss": g_ba,
            "cycle_a_loss": cycle_a,
            "cycle_b_loss": cycle_b,
        }
        if self.identity_weight:
            identity_a = _l1(self.forward("generator_ba", a, training), a)
            identity_b = _l1(self.forward("generator_ab", b, training), b)
            weighted = self.cycle_weight_a * identity_a
            weighted = weighted + self.cycle_weight_b * identity_b
            loss = loss + self.identity_weight * weighted
            logs["identity_a_loss"] = identity_a
            logs["identity_b_loss"] = identity_b
        return loss, logs

    def _g_loss(self, domain, fake, real, training):
        """The adversarial loss of the generator that leads to a domain."""
        logits = self._logits(domain, fake, training, "generated")
        if self.objective.relativistic:
            real = self._logits(domain, real, training, "real")
            return self.adversarial_scale * self.objective.g(logits, real)
        return self.adversarial_scale * self.objective.g(logits)

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Each domain's adversarial loss, halved, and their sum."""
        if training:
            fake = self._pooled(fake)
        losses, scores = [], []
        for domain, x, y in zip(DOMAINS, _reals(batch), fake, strict=True):
            loss, logs = self.d_adversarial(
                self._logits(domain, x, training, "real"),
                self._logits(domain, y, training, "fake"),
            )
            losses.append(0.5 * self.adversarial_scale * loss)
            scores.append(logs)
        loss = losses[0] + losses[1]
        logs = {
            name: 0.5 * (scores[0][name] + scores[1][name]) for name in self.score_names
        }
        logs |= {"d_a_loss": losses[0], "d_b_loss": losses[1]}
        return loss, {"d_loss": loss, **logs}

    def _logits(self, domain, x, training, role):
        """Logits of images of a domain, augmented where that is on."""
        role = role if domain == "a" else f"{role}_b"
        x = self.regularization.augmented(self, x, training, role)
        outputs = self.forward(f"discriminator_{domain}", x, training)
        return logits_of(outputs)

    def _pooled(self, fake):
        """New and past fakes, as the pools exchange them (section 4)."""
        if "pool_a" not in self.controllers:
            return fake
        exchanged = []
        for domain, x in zip(DOMAINS, fake, strict=True):
            n = ops.shape(x)[0]
            uniform = self.rng.uniform(n, 2, f"pool/{domain}")
            # Every replica keeps the one pool of all of them.
            batch = self.controllers[f"pool_{domain}"](
                self.engine.rows_of_all_replicas(x),
                self.engine.rows_of_all_replicas(uniform),
            )
            exchanged.append(ops.take(batch, global_rows(n), axis=0))
        return tuple(exchanged)

    # --- Use ---

    def translate(
        self,
        images: np.ndarray,
        direction: str = "ab",
        *,
        evaluation: bool | None = None,
        seed: int = 0,
    ) -> np.ndarray:
        """Translates images of any height and width.

        Its two modes are those of `Pix2Pix.translate`; they differ only for
        networks with batch norm or dropout. Row i is a function of the image
        and of `(seed, i)` alone.

        Args:
            images: float array `[n, height, width, channels]` in [-1, 1], of
                the domain that `direction` begins with.
            direction: "ab" or "ba".
            evaluation: bool, whether in evaluation mode; `None` for what
                suits the training.
            seed: int in [0, 2**31), of dropout.

        Returns:
            float32 array `[n, height, width, channels]` in [-1, 1].

        Raises:
            ValueError: the images are not what the generator takes, or
                another argument is out of its range.
        """
        return self._translate(images, direction, seed, evaluation)


def _reals(batch):
    return ops.cast(batch["a"], "float32"), ops.cast(batch["b"], "float32")


def _l1(x, y):
    return ops.mean(ops.abs(x - y))


RECIPE = Recipe(
    name="cyclegan",
    model="CycleGAN",
    summary="Images to images without pairs, arXiv:1703.10593",
    task="unpaired",
    data="emoji:flat-3d",
    epochs=4,
    batch_size=4,
    # Narrower, in larger batches and with weaker cycles than the paper: it is
    # to learn in minutes.
    arguments={
        "image_shape": (64, 64, 3),
        "blocks": 4,
        "width": 16,
        "n_layers": 2,
        "residual": True,
        "cycle_weight_a": 2.0,
        "cycle_weight_b": 2.0,
        "ema": 0.995,
    },
    optimizers={
        "d": ("adam", {"learning_rate": 5e-4, "beta_1": 0.5}),
        "g": ("adam", {"learning_rate": 5e-4, "beta_1": 0.5}),
    },
    # 30 of the paper's 256 pixels, at any size
    data_options={"jitter": 0.1171875, "flip": True},
    paper={
        "epochs": 200,
        "batch_size": 1,
        "image_shape": (256, 256, 3),
        "blocks": 9,
        "width": 64,
        "n_layers": 3,
        "residual": False,
        "cycle_weight_a": 10.0,
        "cycle_weight_b": 10.0,
        "ema": None,
        "d_learning_rate": 2e-4,
        "g_learning_rate": 2e-4,
    },
    without=("packing", "r1", "r2", "penalty_interval", "d_steps", "evaluate_every"),
)
