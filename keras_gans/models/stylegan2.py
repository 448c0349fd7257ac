"""StyleGAN2: styles for every layer, regularized lazily."""

import math

import keras
from keras import ops

from keras_gans.augment import ADA
from keras_gans.core.configurations import chooser
from keras_gans.core.controllers import ImageCount, RampedAverage, RunningAverage
from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Label, Latent, Truncation
from keras_gans.core.networks import modality_of
from keras_gans.core.optimizers import TorchAdam, lazily_regularized
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import logits_of, refuse
from keras_gans.engine import input_gradient
from keras_gans.engine.phases import Phase
from keras_gans.engine.rng import below
from keras_gans.losses.penalties import outputs_and_squares
from keras_gans.networks.stylegan2 import stylegan2_discriminator, stylegan2_generator
from keras_gans.utils.networks import input_shape_of
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_classes, check_shape, is_number, within

# Of ADA's reference, for batches of 32 ("stylegan2") and 64 images. "auto", the
# defaults below, is for data of one's own.
CONFIGURATIONS = {
    "auto": {},
    "stylegan2": {
        "channel_base": 32768,
        "mapping_layers": 8,
        "learning_rate": 0.002,
        "gamma": 10.0,
        "ema_rampup": 0.0,
    },
    "paper256": {
        "channel_base": 16384,
        "mapping_layers": 8,
        "group_size": 8,
        "gamma": 1.0,
        "ema_kimg": 20,
        "ema_rampup": 0.0,
    },
    "cifar": {
        "channel_base": 32768,
        "group_size": 32,
        "gamma": 0.01,
        "ema_kimg": 500,
        "residual": False,
        "path_length": 0.0,
        "style_mixing": 0.0,
    },
}
W_RATE = 0.005  # of the running mean of w
PATH_RATE = 0.01  # of the running mean of path lengths
REFUSED = {
    "objective": ("non_saturating", "its loss is the non-saturating one"),
    "r1": (0.0, "`gamma` is the weight of R1"),
    "r2": (0.0, "R1 alone is part of it"),
    "penalty_interval": (1, "R1 has a phase of its own, in every 16th step"),
    "ema": (None, "`ema_kimg` counts its moving average in images"),
    "linear_decay": (None, "its learning rate is constant"),
    "minibatch_stddev": (None, "its discriminator has that layer: `group_size`"),
    "d_steps": (1, "all of its phases learn from one batch"),
}


@keras.saving.register_keras_serializable("keras_gans")
class StyleGAN2(BaseGAN):
    """A mapping of z to intermediate codes w, which style every layer.

    The generator learns first, then the discriminator, from the same reals. In
    every 4th step the generator's path length is regularized, in every 16th R1
    is part of the discriminator's. Samples are those of a moving average.

    Args:
        image_shape: tuple (height, width, channels), a shorter side of 4 to 7
            pixels doubled any number of times: 16, 24, 32, 48, 64 ...; (64, 64,
            3) by default, or what `generator` makes.
        num_classes: `None`, or int: `fit` on (images, labels), labels ints in
            [0, num_classes).
        latent_dim: int, numbers of a latent code; 512 by default, or what
            `generator` takes.
        configuration: "auto", "stylegan2", "paper256" or "cifar": what the
            arguments below are by default.
        w_dim: int, numbers of an intermediate code; 512 by default.
        channel_base: int, channels of a map times its side; by default 32768
            from 512 pixels on, and half of it below.
        channel_max: int, most channels of a map; 512 by default.
        mapping_layers: int, layers from z to w; 2 by default.
        group_size: int, rows of a group of the minibatch's deviation; 4 by
            default.
        residual: bool, whether the discriminator is residual.
        half_blocks: int, how many of the largest maps both networks compute in half
            precision, with weights in float32; 0 by default.
        half_dtype: "bfloat16", or "float16" with activations cut to [-256, 256].
        gamma: float of 0 or more, weight of R1; by default 0.0002 times the
            pixels of an image over 32.
        path_length: float of 0 or more, weight of path length regularization;
            2 by default.
        style_mixing: float in [0, 1], the probability that two codes share a
            sample in training; 0.9 by default.
        learning_rate: float above 0 of both default optimizers; 0.0025, from 1024
            pixels on 0.002.
        ema_kimg: float of 0 or more, thousands of images after which a weight
            counts half in the moving average; 10 by default. 0 leaves it out.
        ema_rampup: float of 0 or more, the largest share of the images so far
            that this may be; 0.05 by default. 0 lifts the limit.
        diff_augment: how what the discriminator sees in training is augmented:
            "ada", adaptively, as published; "ada:0.2"; an `ADA`; some of
            "color,translation,cutout"; or `None`.
        generator: `keras.Model` to use instead, as of `stylegan2_generator`.
        discriminator: `keras.Model` to use instead.
        **kwargs: `seed` and the other arguments of `BaseGAN`, but
            for `objective`, `r1`, `r2`, `penalty_interval`, `ema`,
            `linear_decay`, `minibatch_stddev` and `d_steps`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.StyleGAN2((8, 8, 3), latent_dim=8, w_dim=8, channel_base=64)
    gan.compile()
    gan.fit(np.random.uniform(-1, 1, (4, 8, 8, 3)), batch_size=4, verbose=0)
    gan.sample(4, seed=0, truncation=0.7).shape  # (4, 8, 8, 3)
    ```

    Reference:
        https://arxiv.org/abs/1912.04958; https://arxiv.org/abs/2006.06676
    """

    labels_shown = True

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        num_classes: int | None = None,
        latent_dim: int | None = None,
        *,
        configuration: str = "auto",
        w_dim: int | None = None,
        channel_base: int | None = None,
        channel_max: int | None = None,
        mapping_layers: int | None = None,
        group_size: int | None = None,
        residual: bool | None = None,
        half_blocks: int = 0,
        half_dtype: str = "bfloat16",
        gamma: float | None = None,
        path_length: float | None = None,
        style_mixing: float | None = None,
        learning_rate: float | None = None,
        ema_kimg: float | None = None,
        ema_rampup: float | None = None,
        diff_augment: str | tuple[str, ...] | ADA | None = "ada",
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        refuse("StyleGAN2", kwargs, REFUSED)
        chosen = chooser(CONFIGURATIONS, configuration)
        shape = (64, 64, 3) if image_shape is None else check_shape(image_shape)
        if generator is not None:
            _check_generator(generator, num_classes)
            shape = generator.output_shape[1:]
        if num_classes is not None:
            check_classes(num_classes)
            shown = {"packing": (1, "each image is shown with its label")}
            refuse("StyleGAN2 with labels", kwargs, shown)
        modality = modality_of(image_shape)
        side = min(shape[:2])
        built = {
            "num_classes": num_classes,
            "channel_base": chosen(
                "channel_base", channel_base, 32768 if side >= 512 else 16384
            ),
            "channel_max": chosen("channel_max", channel_max, 512),
            "half_blocks": half_blocks,
            "half_dtype": half_dtype,
        }
        if generator is None:
            modality = modality_of(shape)
            generator = stylegan2_generator(
                shape,
                512 if latent_dim is None else latent_dim,
                chosen("w_dim", w_dim, 512),
                mapping_layers=chosen("mapping_layers", mapping_layers, 2),
                **built,
            )
        if discriminator is None:
            own = {
                "group_size": chosen("group_size", group_size, 4),
                "residual": chosen("residual", residual, True),
            }

            def discriminator(seen):
                return stylegan2_discriminator(seen, **built, **own)

        inputs = [Latent(generator.inputs[0].shape[1]), Truncation()]
        if num_classes is not None:
            inputs.insert(1, Label(num_classes))
        super().__init__(
            generator,
            discriminator,
            modality=modality,
            inputs=tuple(inputs),
            diff_augment=diff_augment,
            **kwargs,
        )
        pixels = math.prod(self.modality.shape[:2])
        self.gamma = _check("gamma", chosen("gamma", gamma, 0.0002 * pixels / 32))
        weight = chosen("path_length", path_length, 2.0)
        self.path_length = _check("path_length", weight)
        mixing = chosen("style_mixing", style_mixing, 0.9)
        ok = is_number(mixing) and 0 <= mixing <= 1
        self.style_mixing = within("style_mixing", mixing, ok, "[0, 1]")
        rate = 0.002 if side >= 1024 else 0.0025
        rate = chosen("learning_rate", learning_rate, rate)
        ok = is_number(rate) and 0 < rate < math.inf
        self.learning_rate = within("learning_rate", rate, ok, "(0, inf)")
        half_life = _check("ema_kimg", chosen("ema_kimg", ema_kimg, 10))
        rampup = _check("ema_rampup", chosen("ema_rampup", ema_rampup, 0.05))
        if half_life:
            copies = self.generator_copies()
            self.controllers["ema"] = RampedAverage(1000 * half_life, rampup, copies)
        self.controllers["images"] = ImageCount()
        if self.path_length:
            self.controllers["path_length"] = RunningAverage("path_length", PATH_RATE)

    def default_optimizers(self) -> tuple:
        """Adam of beta_1 0, beta_2 0.99, corrected for lazy regularization."""

        def adam(every):
            own = TorchAdam(self.learning_rate, beta_1=0.0, beta_2=0.99, epsilon=1e-8)
            return lazily_regularized(own, every)

        # The reference corrects G's where path lengths are left out, too.
        return adam(16), adam(4)

    def phases(self) -> list[Phase]:
        """G, its path length, D and R1, from one batch, of codes of their own."""
        phases = [
            Phase("g", self.generator_loss, fakes="fresh"),
            Phase(
                "g_reg",
                self.path_length_loss,
                optimizer="g",
                logs=("path_length",),
                every=4,
                fakes=None,
            ),
            Phase("d", self.discriminator_loss, fakes="fresh"),
            Phase(
                "d_reg",
                self.r1_loss,
                optimizer="d",
                logs=("d_reg_sign",) if self.regularization.adaptive else (),
                every=16,
                fakes=None,
            ),
        ]
        left_out = {"g_reg": not self.path_length, "d_reg": not self.gamma}
        return [phase for phase in phases if not left_out.get(phase.name)]

    # --- The generator in training ---

    def generate(self, batch: dict, training: bool) -> Tensor:
        n = ops.shape(batch["real"])[0]
        ws = self.styles(batch.get("label"), n, training)
        return self.synthesize(ws, training)

    def styles(self, label: Tensor | None, n: int | Tensor, training: bool) -> Tensor:
        """The codes of every layer, `[n, layers, w_dim]`, of new latent codes.

        In training the mean of w follows them, and some samples take their later
        layers' from a second code, from a layer on that is drawn.
        """
        count = self.generator.get_layer("synthesis").input.shape[1]
        w = self._map("latent", label, n, training)
        if training:
            self._follow(w)
        ws = ops.tile(w[:, None], (1, count, 1))
        if not training or not self.style_mixing:
            return ws
        other = self._map("mixing/latent", label, n, training)
        u = self.rng.uniform(n, 2, "mixing")
        first = 1 + below(u[:, 1], count - 1)
        first = ops.where(u[:, 0] < self.style_mixing, first, count)
        own = ops.arange(count)[None] < first[:, None]
        return ops.where(own[..., None], ws, other[:, None])

    def synthesize(self, ws: Tensor, training: bool) -> Tensor:
        """Images of the codes of every layer."""
        return self.forward(self.generator.get_layer("synthesis"), ws, training)

    def _map(self, purpose, label, n, training):
        z = self.rng.normal(n, self.inputs[0].dim, purpose)
        values = [z] if label is None else [z, label]
        return self.forward(self.generator.get_layer("mapping"), values, training)

    def _follow(self, w):
        mean = self.generator.get_layer("truncation_of_w").mean
        new = self.engine.mean_over_replicas(ops.mean(ops.stop_gradient(w), axis=0))
        mean.assign(mean + W_RATE * (new - mean))

    # --- Losses ---

    def r1_loss(self, fake: None, batch: dict, training: bool) -> tuple[Tensor, dict]:
        """gamma / 2 E[||grad D(x)||^2], for 16 steps.

        Reference:
            https://arxiv.org/abs/1801.04406, equation 9
        """

        def critic(x):
            return logits_of(self.discriminate(x, batch, training, "regularized"))

        real = ops.cast(batch["real"], "float32")
        logits, squares = outputs_and_squares(critic, real)
        logs = {}
        if self.regularization.adaptive:
            logs["d_reg_sign"] = ops.mean(ops.sign(logits))
        return 16 * self.gamma * (ops.mean(squares) / 2.0), logs

    def path_length_loss(
        self, fake: None, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """E[(||J_w^T y|| - a)^2] with images y of noise, for 4 steps.

        Of half a batch. a is the running mean of the lengths.

        Reference:
            https://arxiv.org/abs/1912.04958, equation 4
        """
        n = max(1, ops.shape(batch["real"])[0] // 2)
        label = batch["label"][:n] if self.labelled else None
        ws = self.styles(label, n, training)
        shape = self.modality.shape
        noise = self.rng.normal(n, math.prod(shape), "path_length")
        noise = ops.reshape(noise, (-1, *shape)) / math.sqrt(math.prod(shape[:2]))

        def projected(ws):
            images = self.synthesize(ws, training)
            return ops.sum(images * noise, axis=(1, 2, 3))

        _, gradient = input_gradient(projected, ws)
        squares = ops.mean(ops.sum(ops.square(gradient), axis=2), axis=1)
        lengths = ops.sqrt(squares)
        length = ops.mean(lengths)
        mean = self.controllers["path_length"].value.value
        new = self.engine.mean_over_replicas(length)
        mean = mean + PATH_RATE * (new - mean)
        loss = 4 * self.path_length * ops.mean(ops.square(lengths - mean))
        return loss, {"path_length": length}


def _check(name, value):
    ok = is_number(value) and 0 <= value < math.inf
    return within(name, value, ok, "[0, inf)")


def _check_generator(generator, num_classes):
    """Checks that a generator is made as `stylegan2_generator` makes them."""
    shapes = input_shape_of(generator)
    count = 2 if num_classes is None else 3
    parts = {layer.name for layer in getattr(generator, "layers", [])}
    wanted = {"mapping", "synthesis", "truncation_of_w"}
    if not wanted <= parts or not isinstance(shapes, list) or len(shapes) != count:
        names = "[z, truncation]" if count == 2 else "[z, label, truncation]"
        raise ValueError(
            f"StyleGAN2's generator is one of `stylegan2_generator`, of {names}. "
            f"Received: {getattr(generator, 'name', generator)!r} with input shape "
            f"{shapes}. Build it with keras_gans.networks.stylegan2."
            "stylegan2_generator, and num_classes where there are labels."
        )


RECIPE = Recipe(
    name="stylegan2",
    model="StyleGAN2",
    summary="A style for every layer, lazy regularization, arXiv:1912.04958",
    epochs=50,
    batch_size=16,
    arguments={
        "image_shape": (32, 32, 3),
        "latent_dim": 64,
        "w_dim": 64,
        "channel_base": 1024,
        "channel_max": 64,
        "gamma": 0.05,
        "ema_kimg": 5,
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
        "minibatch_stddev",
        "d_steps",
    ),
)
