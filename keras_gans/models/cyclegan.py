"""CycleGAN: two sets of images translated into each other, without pairs."""

import keras
from keras import ops

from keras_gans import serialization
from keras_gans.base import BaseGAN
from keras_gans.checks import is_int
from keras_gans.checks import within
from keras_gans.engine import draws
from keras_gans.engine import global_rows
from keras_gans.networks.pair import Pair
from keras_gans.networks.patchgan import patch_discriminator
from keras_gans.networks.resnet_translator import resnet_translator
from keras_gans.networks.translation import check_open_shape
from keras_gans.pool import ImagePool
from keras_gans.switches import logits_of
from keras_gans.translating import Translating
from keras_gans.translating import check_judge
from keras_gans.translating import check_weight
from keras_gans.translating import domain_shapes
from keras_gans.translating import narrowed
from keras_gans.translating import refuse
from keras_gans.translating import shapes_of

REFUSED = {
    "packing": (1, "its discriminators judge one image at a time"),
    "r1": (0, "it has two discriminators, and no penalty for them"),
    "r2": (0, "it has two discriminators, and no penalty for them"),
    "d_steps": (1, "the generators go first, on the same batch"),
    "latent_dim": (None, "it makes images of images alone"),
}
DOMAINS = (0, 1)  # a and b
ROLES = 4  # of each domain, so that no two are drawn the same numbers


def default_blocks(image_shape):
    """Residual blocks as in the paper: 6 below 256 pixels, else 9."""
    sides = [side for side in image_shape[:2] if side is not None]
    return 6 if sides and min(sides) < 256 else 9


@keras.saving.register_keras_serializable("keras_gans")
class CycleGAN(Translating, BaseGAN):
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
    a = np.random.uniform(-1, 1, (4, 32, 32, 3))
    b = np.random.uniform(-1, 1, (4, 32, 32, 3))
    gan.fit(a, b, batch_size=1, verbose=0)
    like_a = gan.translate(b, direction="ba")
    ```

    Reference:
        https://arxiv.org/abs/1703.10593, equations 1 to 3 and sections 4, 5.2
    """

    directions = ("ab", "ba")

    def __init__(
        self,
        image_shape=None,
        source_channels=None,
        blocks=None,
        width=64,
        *,
        n_layers=3,
        norm="instance",
        dropout=0.0,
        cycle_weight_a=10.0,
        cycle_weight_b=10.0,
        identity_weight=0.5,
        pool_size=50,
        generator_ab=None,
        generator_ba=None,
        discriminator_a=None,
        discriminator_b=None,
        **kwargs,
    ):
        refuse("CycleGAN", kwargs, REFUSED)
        if image_shape is not None:
            image_shape = check_open_shape(image_shape)
        self.source_channels = source_channels
        self.blocks = blocks
        self.width = width
        self.n_layers = n_layers
        self.norm = norm
        self.dropout = dropout
        self.cycle_weight_a = check_weight("cycle_weight_a", cycle_weight_a)
        self.cycle_weight_b = check_weight("cycle_weight_b", cycle_weight_b)
        self.identity_weight = check_weight("identity_weight", identity_weight)
        ok = is_int(pool_size) and pool_size >= 0
        self.pool_size = within("pool_size", pool_size, ok, "0, 1, ...")
        if generator_ab is None:
            shape = (256, 256, 3) if image_shape is None else image_shape
            image_shape = shape
            channels = shape[-1] if source_channels is None else source_channels
            generator_ab = self._make(shape, channels, shape[-1], "ab")
        source, made = domain_shapes(
            "generator_ab", generator_ab, image_shape, source_channels
        )
        if generator_ba is None:
            generator_ba = self._make(made, made[-1], source[-1], "ba")
        judges = [
            patch_discriminator(shape, n_layers, width, norm, name=name)
            if given is None
            else given
            for given, shape, name in (
                (discriminator_a, source, "discriminator_a"),
                (discriminator_b, made, "discriminator_b"),
            )
        ]
        kwargs.setdefault("objective", "least_squares")
        super().__init__(
            Pair(generator_ab, generator_ba, name="generator"),
            Pair(*judges, name="discriminator"),
            image_shape=image_shape,
            **kwargs,
        )
        self.pools = None
        if pool_size:
            self.pools = self._make_pools()

    def _make(self, shape, channels, made, direction):
        """A generator for images of any size."""
        return resnet_translator(
            (None, None, channels),
            made,
            default_blocks(shape) if self.blocks is None else self.blocks,
            self.width,
            self.norm,
            self.dropout,
            name=f"generator_{direction}",
        )

    def _make_pools(self):
        if None in self.image_shape:
            raise ValueError(
                "A pool holds images of one size. Received: image_shape="
                f"{self.image_shape}, pool_size={self.pool_size}. Give "
                "`image_shape`, or pool_size=0."
            )
        shapes = (self.source_shape, self.image_shape)
        return [
            ImagePool(self.pool_size, shape, name=f"pool_{domain}")
            for shape, domain in zip(shapes, "ab", strict=True)
        ]

    def check_networks(
        self, generator, discriminator, latent_dim, image_shape, packing
    ):
        a, b = domain_shapes(
            "generator_ab", generator.first, image_shape, self.source_channels
        )
        back = shapes_of("generator_ba", generator.second, b)
        if (back[0][-1], back[1][-1]) != (b[-1], a[-1]):
            raise ValueError(
                "`generator_ba` leads back from B to A. Received: a generator "
                f"from {back[0]} to {back[1]}, with images of shape {a} in A "
                f"and {b} in B."
            )
        narrowed("image_shape", (*b[:2], a[-1]), back[1])
        check_judge("discriminator_a", discriminator.first, a, "domain A")
        check_judge("discriminator_b", discriminator.second, b, "domain B")
        if self.identity_weight and a[-1] != b[-1]:
            raise ValueError(
                "The identity loss gives each generator images of the other "
                f"domain: they need as many channels. Received: {a[-1]} in A, "
                f"{b[-1]} in B. Pass identity_weight=0."
            )
        self.source_shape = a
        return None, b

    def generator_inputs(self):
        (a,) = super().generator_inputs()
        return [a, (*a[:2], self.image_shape[-1])]

    # --- The networks of each side ---

    @property
    def generator_ab(self):
        return self.generator.first

    @property
    def generator_ba(self):
        return self.generator.second

    @property
    def discriminator_a(self):
        return self.discriminator.first

    @property
    def discriminator_b(self):
        return self.discriminator.second

    def translator(self, generator, direction):
        return generator.first if direction == "ab" else generator.second

    # --- Losses ---

    @property
    def loss_names(self):
        names = ("d_loss", "g_loss", "d_a_loss", "d_b_loss")
        names += ("g_ab_loss", "g_ba_loss", "cycle_a_loss", "cycle_b_loss")
        if self.identity_weight:
            names += ("identity_a_loss", "identity_b_loss")
        return names

    def real(self, batch):
        """The images of A and of B: a pair."""
        return tuple(ops.cast(x, "float32") for x in self.pair(batch))

    def generate(self, batch, training):
        """(G_BA(b), G_AB(a)), fakes of A and of B."""
        a, b = self.real(batch)
        return self._to_a(b, training), self._to_b(a, training)

    def _to_a(self, b, training):
        return ops.cast(self.forward(self.generator_ba, b, training), "float32")

    def _to_b(self, a, training):
        return ops.cast(self.forward(self.generator_ab, a, training), "float32")

    def _judge(self, domain, x, training, role):
        """Logits of images of a domain, as the switches show them."""
        x = self.shown(x, training, role + ROLES * domain)
        judge = (self.discriminator_a, self.discriminator_b)[domain]
        return ops.cast(logits_of(self.forward(judge, x, training)), "float32")

    def discriminator_loss(self, fake, batch, training):
        """Each domain's adversarial loss, halved, and their sum."""
        losses, scores = [], []
        real = self.real(batch)
        for domain in DOMAINS:
            loss, logs = self.d_adversarial(
                self._judge(domain, real[domain], training, draws.REAL),
                self._judge(domain, fake[domain], training, draws.FAKE),
            )
            losses.append(0.5 * self.adversarial_scale * loss)
            scores.append(logs)
        loss = losses[0] + losses[1]
        logs = {
            name: 0.5 * (scores[0][name] + scores[1][name])
            for name in self.score_names
        }
        logs |= {"d_a_loss": losses[0], "d_b_loss": losses[1]}
        return loss, {"d_loss": loss, **logs}

    def generator_loss(self, fake, batch, training):
        """Equation 3, and the identity loss of section 5.2."""
        g_ba, g_ab = (
            self._g_loss(domain, fake, batch, training) for domain in DOMAINS
        )
        (a, b), (fake_a, fake_b) = self.real(batch), fake
        cycle_a = _l1(self._to_a(fake_b, training), a)
        cycle_b = _l1(self._to_b(fake_a, training), b)
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
            identity_a = _l1(self._to_a(a, training), a)
            identity_b = _l1(self._to_b(b, training), b)
            weighted = self.cycle_weight_a * identity_a
            weighted = weighted + self.cycle_weight_b * identity_b
            loss = loss + self.identity_weight * weighted
            logs["identity_a_loss"] = identity_a
            logs["identity_b_loss"] = identity_b
        return loss, logs

    def _g_loss(self, domain, fake, batch, training):
        """The adversarial loss of the generator that leads to a domain."""
        logits = self._judge(domain, fake[domain], training, draws.GENERATED)
        if self.objective.relativistic:
            real = self.real(batch)[domain]
            real = self._judge(domain, real, training, draws.REAL)
            return self.adversarial_scale * self.objective.g(logits, real)
        return self.adversarial_scale * self.objective.g(logits)

    # --- A step ---

    def update(self, batches):
        return self.update_generator_first(batches)

    def remember(self, fake):
        """New and past fakes, as the pools exchange them (section 4)."""
        if self.pools is None:
            return fake
        return tuple(
            self._exchange(pool, x, draws.POOL + domain)
            for domain, pool, x in zip(DOMAINS, self.pools, fake, strict=True)
        )

    def _exchange(self, pool, x, purpose):
        n = ops.shape(x)[0]
        uniform = self.draws.uniform(n, 2, purpose)
        # Every replica keeps the one pool of all of them.
        given = pool(
            self.rows_of_all_replicas(x), self.rows_of_all_replicas(uniform)
        )
        return ops.take(given, global_rows(n), axis=0)

    # --- Data, configuration, use ---

    def check_batch(self, batch):
        """Checks the first batch of a `fit`: see `Translating.check_pair`."""
        self.check_pair(batch, "ab", (self.source_shape, self.image_shape))

    def get_config(self):
        config = serialization.arguments(self, BaseGAN)
        for side in ("generator", "discriminator"):  # they are pairs
            config.pop(side)
        return config

    def translate(self, images, direction="ab", *, evaluation=False, seed=0):
        """Translates images of any height and width.

        By default as the reference tests, which matters only to networks with
        batch norm or dropout: see `Pix2Pix.translate`. Row i is a function of
        the image and of `(seed, i)` alone.

        Args:
            images: float array `[n, height, width, channels]` in [-1, 1], of
                the domain that `direction` begins with.
            direction: "ab" or "ba".
            evaluation: bool; `True` takes the moving statistics of batch norm
                and no dropout.
            seed: int in [0, 2**31), of dropout.

        Returns:
            float32 array `[n, height, width, channels]` in [-1, 1].

        Raises:
            ValueError: the images are not what the generator takes, or
                another argument is out of its range.
        """
        return self._translate(images, direction, seed, evaluation)


def _l1(x, y):
    return ops.mean(ops.abs(x - y))
