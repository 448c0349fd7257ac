"""DFGAN: pictures of sentences, fused into every block of the generator."""

from typing import Any

import keras
from keras import ops

from keras_gans.core.inputs import Latent
from keras_gans.core.optimizers import TorchAdam, rise_and_fall
from keras_gans.core.recipe import Recipe
from keras_gans.core.text_to_image import TextToImageGAN, lone, of_others, text_input
from keras_gans.core.translation import check_weight
from keras_gans.engine.phases import Phase
from keras_gans.losses.penalties import outputs_and_squares
from keras_gans.losses.perceptual import distance
from keras_gans.networks.dfgan import dfgan_discriminator, dfgan_generator
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_int, is_number, within


@keras.saving.register_keras_serializable("keras_gans")
class DFGAN(TextToImageGAN):
    """DF-GAN: one stage, deep text-image fusion, a matching-aware penalty.

    The discriminator tells reals with their sentence from fakes, and from reals
    with the sentence of another row, if a batch has one. Its gradient at reals with
    their sentence is kept small, so that its loss is flat there and steep around.

    Where nearly each picture has a sentence of its own, as in small sets, the
    squared error of pixels teaches colours and shapes long before a discriminator
    does. So for `pretrain_steps` steps the generator can learn by it alone, with an
    optimizer of its own, and keep it in its loss by `pixel_weight`.

    Args:
        image_shape: tuple (height, width, channels), sides that double from 4 to 7
            pixels; (256, 256, 3) by default.
        text_dim: int, numbers of a sentence's vector; by default the encoder's, or
            256 without one.
        latent_dim: int, numbers of a latent code.
        width: int, channels of the generator's largest map.
        d_width: int, channels of the discriminator's largest map; by default those
            of the generator.
        encoder: what makes vectors of sentences: words, which needs no model, or
            minilm (or in Python a `keras.Model`, a function, or `None`: then vectors
            are given); see `TextToImageGAN`.
        penalty_weight: float of 0 or more, k of the matching-aware penalty.
        penalty_power: float from 1, p of the same.
        pixel_weight: float of 0 or more, of the squared error of pixels in the
            generator's loss. The paper has none.
        pretrain_steps: int of 0 or more, steps by the squared error alone, before
            the discriminator starts.
        pretrain_rate: float of 0 or more, the highest learning rate of these steps,
            by Adam: it rises to it for a twentieth of them, then falls to 0 by half
            a cosine.
        generator: `keras.Model` to use instead of `dfgan_generator`.
        discriminator: `keras.Model` to use instead of `dfgan_discriminator`.
        **kwargs: `objective`, `ema`, `seed` and other arguments of `BaseGAN`, but
            for `packing`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.DFGAN((8, 8, 3), latent_dim=4, width=2, encoder="words")
    gan.compile()
    images = np.random.uniform(-1, 1, (4, 8, 8, 3))
    gan.fit(images, ["red", "blue", "green", "grey"], batch_size=2, verbose=0)
    gan.sample(texts=["a red heart", "a blue one"]).shape  # (2, 8, 8, 3)
    ```

    Reference:
        https://arxiv.org/abs/2008.05865
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        text_dim: int | None = None,
        latent_dim: int = 100,
        width: int = 32,
        d_width: int | None = None,
        *,
        encoder: Any = None,
        penalty_weight: float = 2.0,
        penalty_power: float = 6.0,
        pixel_weight: float = 0.0,
        pretrain_steps: int = 0,
        pretrain_rate: float = 5e-4,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        shape = (256, 256, 3) if image_shape is None else image_shape
        text = text_input(encoder, text_dim)
        self.penalty_weight = check_weight("penalty_weight", penalty_weight)
        ok = is_number(penalty_power) and 1 <= penalty_power < float("inf")
        self.penalty_power = within("penalty_power", penalty_power, ok, "[1, inf)")
        self.pixel_weight = check_weight("pixel_weight", pixel_weight)
        ok = is_int(pretrain_steps) and pretrain_steps >= 0
        self.pretrain_steps = within("pretrain_steps", pretrain_steps, ok, "0, 1, ...")
        self.pretrain_rate = check_weight("pretrain_rate", pretrain_rate)
        if generator is None:
            generator = dfgan_generator(shape, text.dim, latent_dim, width)
        if discriminator is None:
            d_width = width if d_width is None else d_width
            discriminator = dfgan_discriminator(shape, text.dim, d_width)
        kwargs.setdefault("objective", "hinge")
        super().__init__(
            generator,
            discriminator,
            encoder=text.encoder,
            inputs=(Latent(latent_dim), text),
            **kwargs,
        )
        if self.penalty_weight:
            self.warn_of_batch_norm("`penalty_weight`")

    @property
    def optimizer_networks(self) -> dict[str, tuple[str, ...]]:
        """`pretrain` is an optimizer of the same generator, if there is the phase."""
        networks = {"d": self.discriminator_names, "g": self.generator_names}
        if self.pretrain_steps:
            networks["pretrain"] = self.generator_names
        return networks

    def default_optimizers(self) -> tuple:
        """The paper's Adam: D 4e-4 and G 1e-4, beta_1 0, beta_2 0.9."""
        adams = tuple(
            TorchAdam(rate, beta_1=0.0, beta_2=0.9, epsilon=1e-8)
            for rate in (4e-4, 1e-4)
        )
        if not self.pretrain_steps:
            return adams
        schedule = rise_and_fall(self.pretrain_rate, self.pretrain_steps)
        return (*adams, keras.optimizers.Adam(schedule, beta_1=0.5, beta_2=0.9))

    def phases(self) -> list[Phase]:
        """D of reals, fakes and mismatched pairs; G through the same fakes."""
        logs = ("d_mismatched",)
        if self.penalty_weight:
            logs += ("matching_penalty",)
        start = self.pretrain_steps
        adversarial = [
            Phase(
                "d",
                self.discriminator_loss,
                penalty=self.penalties,
                batches=self.d_steps,
                start=start,
                logs=logs,
            ),
            Phase(
                "g",
                self.generator_loss,
                start=start,
                logs=("pixel_loss",) if self.pixel_weight else (),
            ),
        ]
        if not start:
            return adversarial
        return [Phase("pretrain", self.pretraining_loss, end=start), *adversarial]

    def pretraining_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """E[(G(z, s) - x)^2]."""
        return distance(fake, batch["real"], "l2"), {}

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The adversarial loss, `g_loss`, and the squared error by its weight."""
        loss, logs = super().generator_loss(fake, batch, training)
        if not self.pixel_weight:
            return loss, logs
        pixel = distance(fake, batch["real"], "l2")
        return loss + self.pixel_weight * pixel, {**logs, "pixel_loss": pixel}

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 3: reals against half fakes, half mismatched; and equation 2."""
        real, squares = self._of_reals(batch, training)
        other = {**batch, "text": of_others(batch["text"])}
        wrong = self.discriminate(batch["real"], other, training, "real")
        fake = self.discriminate(fake, batch, training, "fake")
        # A lone picture has no other's sentence: its own counts for nothing.
        alone = lone(wrong)
        negatives = ops.concatenate([fake, wrong[alone:]], axis=0)
        loss, logs = self.d_adversarial(real, negatives)
        mismatched = ops.cast(1 - alone, wrong.dtype) * self._score(wrong)
        logs |= {"d_fake": self._score(fake), "d_mismatched": mismatched}
        if self.penalty_weight:
            penalty = ops.mean(ops.power(squares, self.penalty_power / 2))
            logs["matching_penalty"] = penalty
            loss = loss + self.penalty_weight * penalty
        return loss, {**logs, "d_loss": loss}

    def _of_reals(self, batch, training):
        """Logits of matching reals, and their squared gradient norms.

        One norm of each row, of its picture and its sentence together.
        """
        real, text = (ops.cast(batch[name], "float32") for name in ("real", "text"))
        if not self.penalty_weight:
            return self.discriminate(real, batch, training, "real"), None
        count = text.shape[-1]
        flat = ops.reshape(real, (ops.shape(real)[0], -1))

        def critic(both):
            images = ops.reshape(both[:, :-count], ops.shape(real))
            own = {**batch, "text": both[:, -count:]}
            return self.discriminate(images, own, training, "real")

        return outputs_and_squares(critic, ops.concatenate([flat, text], axis=-1))


RECIPE = Recipe(
    name="dfgan",
    model="DFGAN",
    summary="Pictures of sentences, arXiv:2008.05865",
    task="captions",
    epochs=100,
    batch_size=32,
    arguments={
        "image_shape": (32, 32, 3),
        "width": 16,
        "latent_dim": 32,
        "encoder": "words",
        "ema": 0.995,
        "diff_augment": "translation",
        "pixel_weight": 10.0,
        "pretrain_steps": 3600,
    },
    data_options={"captions": None, "text_cache": None},
    without=("data_dir", "evaluate_every", "packing"),
)
