"""StyleGAN3: a generator without aliases, which sticks to no pixel grid."""

import math

import keras
from keras import ops

from keras_gans.augment.blur import blurred
from keras_gans.core.configurations import chooser
from keras_gans.core.controllers import Schedule
from keras_gans.core.optimizers import TorchAdam, lazily_regularized
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.engine.phases import Phase
from keras_gans.layers import MagnitudeNorm
from keras_gans.models.stylegan2 import StyleGAN2
from keras_gans.networks.stylegan3 import check_resolution, stylegan3_generator
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_number, within

CONFIGURATIONS = {
    "t": {"kernel_size": 3, "radial": False, "factor": 1, "blur": 0.0},
    "r": {"kernel_size": 1, "radial": True, "factor": 2, "blur": 10.0},
}
W_RATE = 0.002  # of the running mean of w
HALF_LIFE = 20_000  # images, of the running means of squares
BLURRED = 6250  # steps: 200,000 images in batches of 32
REFUSED = {
    "path_length": (0.0, "it has no path length regularization"),
    "style_mixing": (0.0, "it mixes no styles"),
    "residual": (True, "its discriminator is residual"),
    "learning_rate": (None, "its networks have two; pass optimizers to `compile`"),
}


@keras.saving.register_keras_serializable("keras_gans")
class StyleGAN3(StyleGAN2):
    """StyleGAN2's training, with a generator whose maps are continuous signals.

    Details move with what they are part of: "t" makes images that may be
    shifted by any part of a pixel, "r" such that may be turned, too; see
    `networks.stylegan3.place`. There is no noise, style mixing or path length.
    The discriminator is StyleGAN2's. With "r" it sees blurred images at first,
    so that the generator does not learn from the pixel grid.

    Args:
        image_shape: tuple (height, width, channels), both sides the same power of
            two, 8 or more; (64, 64, 3) by default, or what `generator` makes.
        num_classes: `None`, or int: `fit` on (images, labels), labels ints in
            [0, num_classes).
        latent_dim: int, numbers of a latent code; 512 by default, or what
            `generator` takes.
        configuration: "t", 3 x 3 convolutions, or "r", 1 x 1 convolutions of
            twice the channels and radially symmetric filters.
        w_dim: int, numbers of an intermediate code; 512 by default.
        channel_base: int, channels of a map times the pixels that its frequencies
            need, and in the discriminator its side; by default 32768 from 512
            pixels on, and half of it below. "r" has twice as many in the
            generator.
        channel_max: int, most channels of a map; 512 by default, as above.
        mapping_layers: int, layers from z to w; 2 by default.
        layers: int above 2, those of the synthesis; 14 in the paper.
        blur: float of 0 or more, the deviation in pixels of the blur in the first
            step, which falls to 0 in 6250 steps; by default 0 for "t", 10 for "r".
        generator: `keras.Model` to use instead, as of `stylegan3_generator`.
        discriminator: `keras.Model` to use instead.
        **kwargs: `gamma`, `group_size`, `ema_kimg`, `ema_rampup` and the other
            arguments of `StyleGAN2`, but for `path_length`, `style_mixing`,
            `residual` and `learning_rate`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.StyleGAN3(
        (8, 8, 3), latent_dim=8, w_dim=8, layers=3, channel_base=64, channel_max=8
    )
    gan.sample(4, seed=0, truncation=0.7).shape  # (4, 8, 8, 3)
    ```

    Reference:
        https://arxiv.org/abs/2106.12423
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        num_classes: int | None = None,
        latent_dim: int | None = None,
        *,
        configuration: str = "t",
        w_dim: int | None = None,
        channel_base: int | None = None,
        channel_max: int | None = None,
        mapping_layers: int | None = None,
        layers: int = 14,
        blur: float | None = None,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        refuse("StyleGAN3", kwargs, REFUSED)
        chosen = chooser(CONFIGURATIONS, configuration)
        blur = chosen("blur", blur)
        ok = is_number(blur) and 0 <= blur < math.inf
        self.blur = within("blur", blur, ok, "[0, inf)")
        if generator is None:
            image_shape = (64, 64, 3) if image_shape is None else image_shape
            side = check_resolution(image_shape)
            base = (
                (32768 if side >= 512 else 16384)
                if channel_base is None
                else channel_base
            )
            factor = chosen("factor", None)
            generator = stylegan3_generator(
                image_shape,
                512 if latent_dim is None else latent_dim,
                512 if w_dim is None else w_dim,
                num_classes=num_classes,
                mapping_layers=2 if mapping_layers is None else mapping_layers,
                layers=layers,
                kernel_size=chosen("kernel_size", None),
                radial=chosen("radial", None),
                channel_base=factor * base,
                channel_max=factor * (512 if channel_max is None else channel_max),
            )
        super().__init__(
            image_shape,
            num_classes,
            latent_dim,
            channel_base=channel_base,
            channel_max=channel_max,
            path_length=0.0,
            style_mixing=0.0,
            generator=generator,
            discriminator=discriminator,
            **kwargs,
        )
        if not self._norms:
            raise ValueError(
                "StyleGAN3's generator is one of `stylegan3_generator`. Received: "
                f"{generator.name!r}, which is StyleGAN2's. Build it with "
                "keras_gans.networks.stylegan3.stylegan3_generator, or a StyleGAN2."
            )
        if self.blur:
            self.controllers["blur"] = Schedule(self.blur, 0.0, steps=BLURRED)

    def default_optimizers(self) -> tuple:
        """Adam of beta_1 0, beta_2 0.99; D's is corrected for R1 in a few steps."""

        def adam(rate):
            return TorchAdam(rate, beta_1=0.0, beta_2=0.99, epsilon=1e-8)

        return lazily_regularized(adam(0.002), 16), adam(0.0025)

    def phases(self) -> list[Phase]:
        """G, D and R1, from one batch, of codes of their own."""
        g, d, *r1 = super().phases()
        own = Phase("d", d.loss, fakes="fresh", generate=self.generate_and_follow)
        return [g, own, *r1]

    # --- The generator in training ---

    def styles(self, label: Tensor | None, n: int | Tensor, training: bool) -> Tensor:
        """The codes of every layer, `[n, layers, w_dim]`, of new latent codes."""
        w = self._map("latent", label, n, training)
        return ops.tile(w[:, None], (1, self._synthesis.input.shape[1], 1))

    def generate_and_follow(self, batch: dict, training: bool) -> Tensor:
        """Fakes; the running means of w and of squares of maps follow them."""
        n = ops.shape(batch["real"])[0]
        ws = self.styles(batch.get("label"), n, training)
        self._move(
            self.generator.get_layer("truncation_of_w").mean,
            ops.mean(ws[:, 0], axis=0),
            W_RATE,
        )
        norms = self._norms
        measured = keras.Model(
            self._synthesis.input, [self._synthesis.output, *[x.input for x in norms]]
        )
        images, *maps = self.forward(measured, ws, training)
        rows = ops.cast(n * self.engine.num_replicas, "float32")
        rate = 1.0 - ops.power(0.5, rows / HALF_LIFE)
        for norm, x in zip(norms, maps, strict=True):
            self._move(norm.mean_square, ops.mean(ops.square(x)), rate)
        return images

    @property
    def _synthesis(self):
        return self.generator.get_layer("synthesis")

    @property
    def _norms(self):
        return [x for x in self._synthesis.layers if isinstance(x, MagnitudeNorm)]

    def _move(self, mean, value, rate):
        value = self.engine.mean_over_replicas(ops.stop_gradient(value))
        mean.assign(mean + rate * (value - mean))

    # --- What the discriminator sees ---

    def discriminate(self, x: Tensor, batch: dict, training: bool, role: str) -> Tensor:
        if training and self.blur:
            x = blurred(x, self.controllers["blur"].value.value, self.blur)
        return super().discriminate(x, batch, training, role)

    discriminate.__doc__ = StyleGAN2.discriminate.__doc__


RECIPE = Recipe(
    name="stylegan3",
    model="StyleGAN3",
    summary="Images that stick to no pixel grid, arXiv:2106.12423",
    epochs=50,
    batch_size=16,
    arguments={
        "image_shape": (32, 32, 3),
        "latent_dim": 64,
        "w_dim": 64,
        "channel_base": 1024,
        "channel_max": 64,
        "layers": 6,
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
        "path_length",
        "style_mixing",
        "residual",
        "learning_rate",
    ),
)
