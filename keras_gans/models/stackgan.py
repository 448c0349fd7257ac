"""StackGAN: pictures of sentences in two stages, small and then large."""

import dataclasses
from typing import Any, Self

import keras
from keras import ops

from keras_gans.core.inputs import Latent
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.core.text_to_image import TextToImageGAN, lone, of_all, text_input
from keras_gans.core.translation import check_weight
from keras_gans.engine import rng
from keras_gans.engine.phases import Phase
from keras_gans.networks.stackgan import (
    stackgan_discriminator,
    stackgan_generator,
    stackgan_second_generator,
)
from keras_gans.utils.networks import input_shape_of
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_shape, one_of

STAGES = (1, 2)
REFUSED = {
    "spectral_norm": (False, "its discriminator has parts, with batch norms"),
    "minibatch_stddev": (None, "its discriminator has parts"),
}


@keras.saving.register_keras_serializable("keras_gans")
class Augmentation(Latent):
    """Draws of N(0, 1) that a sentence's condition is moved by.

    Args:
        dim: int, numbers of a condition.
        stage: int, 1 or 2.

    Example:

    ```python
    from keras_gans.models.stackgan import Augmentation

    Augmentation(128).shape  # (128,)
    ```
    """

    help = "draws of N(0, 1) [n, condition_dim] that conditions are moved by"

    def __init__(self, dim: int, stage: int = 1):
        super().__init__(dim)
        self.stage = one_of("stage", stage, STAGES)
        self.name = "augmentation" if stage == 1 else f"augmentation_{stage}"

    def draw(self, generator: rng.RNG, n: int | Tensor) -> Tensor:
        return generator.normal(n, self.dim, self.name)

    def served(self, high: Tensor, low: Tensor) -> Tensor:
        return rng.normal(("sample", high, self.name), low, self.dim)

    def get_config(self) -> dict:
        return {"dim": self.dim, "stage": self.stage}


def _first(config):
    """Whether arguments are those of a stage 1."""
    return config.get("stage", 1) == 1


@keras.saving.register_keras_serializable("keras_gans")
class StackGAN(TextToImageGAN):
    """StackGAN: a stage of small pictures, and one that makes them larger and better.

    Stage I learns small pictures. Stage II holds a generator of stage I, whose
    weights it keeps, and learns to make its pictures larger and better:

        second = first.second_stage((256, 256, 3))

    Pictures are shown with the sentence of the next one, too, unless a batch is a
    single picture.

    Args:
        image_shape: tuple (height, width, channels), sides that double from 4 to 7
            pixels; (64, 64, 3) by default, of stage 2 (256, 256, 3).
        text_dim: int, numbers of a sentence's vector; by default the encoder's, or
            256 without one.
        latent_dim: int, numbers of a latent code.
        condition_dim: int, numbers of a condition.
        width: int, a number of channels of the generator, see `networks.stackgan`.
        d_width: int, channels of the discriminator's largest map.
        stage: int, 1 makes small pictures, and 2 enlarges those of a stage 1.
        first_shape: tuple (height, width, channels) of stage I's pictures, in stage 2;
            by default a quarter of `image_shape`.
        blocks: int, residual blocks of stage 2.
        encoder: what makes vectors of sentences: words, which needs no model, or
            minilm (or in Python a `keras.Model`, a function, or `None`: then vectors
            are given); see `TextToImageGAN`.
        kl_weight: float of 0 or more, lambda of equation 4: how near conditions are
            kept to N(0, 1).
        generator: `keras.Model` to use instead of those of `networks.stackgan`, with
            their inputs and parts.
        discriminator: likewise.
        **kwargs: `objective`, `ema`, `seed` and other arguments of `BaseGAN`, but
            for `packing`, `spectral_norm` and `minibatch_stddev`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    small = {"latent_dim": 4, "condition_dim": 2, "width": 4, "d_width": 2}
    gan = keras_gans.StackGAN((8, 8, 3), encoder="words", **small)
    gan.compile()
    images = np.random.uniform(-1, 1, (4, 8, 8, 3))
    gan.fit(images, ["red", "blue", "green", "grey"], batch_size=2, verbose=0)
    second = gan.second_stage((16, 16, 3), blocks=1)
    second.sample(texts=["a red heart"]).shape  # (1, 16, 16, 3)
    ```

    Reference:
        https://arxiv.org/abs/1612.03242
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        text_dim: int | None = None,
        latent_dim: int = 100,
        condition_dim: int = 128,
        width: int = 192,
        d_width: int = 96,
        stage: int = 1,
        first_shape: tuple[int, int, int] | None = None,
        blocks: int = 4,
        *,
        encoder: Any = None,
        kl_weight: float = 2.0,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        refuse(type(self).__name__, kwargs, REFUSED)
        self.stage = one_of("stage", stage, STAGES)
        side = 64 if stage == 1 else 256
        shape = (side, side, 3) if image_shape is None else check_shape(image_shape)
        if first_shape is not None and stage == 1:
            raise ValueError(
                "`first_shape` is of stage 2, which enlarges such pictures. Received: "
                f"first_shape={first_shape} with stage=1. Drop it."
            )
        text = text_input(encoder, text_dim)
        self.kl_weight = check_weight("kl_weight", kl_weight)
        if generator is None:
            small = shape
            if stage == 2:
                small = first_shape or (*(s // 4 for s in shape[:2]), shape[2])
            generator = stackgan_generator(
                small, text.dim, latent_dim, condition_dim, width
            )
            if stage == 2:
                generator = stackgan_second_generator(shape, generator, width, blocks)
        if discriminator is None:
            discriminator = stackgan_discriminator(
                shape, condition_dim, d_width, unconditional=stage == 2
            )
        self.condition_dim = condition_dim
        noises = (Augmentation(condition_dim, k) for k in STAGES[:stage])
        super().__init__(
            generator,
            discriminator,
            encoder=text.encoder,
            inputs=(Latent(latent_dim), *noises, text),
            **kwargs,
        )
        for name, parts in (
            ("generator", ("conditioning", "first")[:stage]),
            ("discriminator", ("trunk", "head", "own")[: stage + 1]),
        ):
            names = {layer.name for layer in self.networks[name].layers}
            if missing := [part for part in parts if part not in names]:
                raise ValueError(
                    f"`{name}` has the parts {', '.join(parts)}. Received: "
                    f"{self.networks[name].name} without {', '.join(missing)}. Build "
                    "it as `networks.stackgan` does."
                )

    def second_stage(
        self, image_shape: tuple[int, int, int] | None = None, **kwargs
    ) -> Self:
        """A StackGAN of stage 2 that starts from this one's generator.

        Args:
            image_shape: tuple (height, width, channels); by default four times as
                high and wide.
            **kwargs: arguments of the constructor; what is not given is this GAN's.

        Raises:
            ValueError: this is no stage 1, or an argument is out of its range.
        """
        if self.stage != 1:
            raise ValueError(
                f"Stage 2 starts from a stage 1. Received: stage={self.stage}."
            )
        *sides, channels = self.modality.shape
        config = {
            **self.constructor_config(),
            "encoder": vars(self._arguments)["encoder"],
        }
        for name in ("generator", "discriminator", "name"):
            config.pop(name)
        own = {
            "image_shape": image_shape or (*(4 * s for s in sides), channels),
            "first_shape": self.modality.shape,
            "stage": 2,
        }
        second = type(self)(**{**config, **own, **kwargs})
        second.start_from(self)
        return second

    @classmethod
    def fine_tuning_config(cls, config: dict, changed: dict) -> dict:
        """Of a preset of stage 1 that is to be stage 2: as `second_stage` makes it."""
        if not _first(config) or changed.get("stage") != 2:
            return config
        *sides, channels = small = config["image_shape"] or (64, 64, 3)
        shape = changed.get("image_shape") or (*(4 * s for s in sides), channels)
        return {**config, "image_shape": shape, "first_shape": small, "stage": 2}

    def begins_from(self, config: dict) -> bool:
        return self.stage == 2 and _first(config)

    def start_from(self, first: Self) -> None:
        """Takes the generator of a stage 1, as it samples, for this stage 2's.

        Raises:
            ValueError: the stages are others, or stage 1 has other networks.
        """
        if self.stage != 2 or first.stage != 1:
            raise ValueError(
                "Stage 2 starts from stage 1. Received: stages "
                f"{self.stage} and {first.stage}."
            )
        network = first.sampling_network()
        parts = [self.generator.get_layer("first")]
        if self.ema_generator is not None:
            parts.append(self.ema_generator.get_layer("first"))
        shapes = [[w.shape for w in n.weights] for n in (network, parts[0])]
        if shapes[0] != shapes[1]:
            raise ValueError(
                "Stage 2 is built for the stage 1 that it starts from. Received: "
                f"generators of {network.count_params():,} and "
                f"{parts[0].count_params():,} weights. Give it the same text_dim, "
                "latent_dim, condition_dim and width, or call `second_stage`."
            )
        for part in parts:
            part.set_weights(network.get_weights())

    def default_optimizers(self) -> tuple:
        """The reference's Adam: 2e-4, betas 0.5 and 0.999."""

        def adam():
            return keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8)

        return adam(), adam()

    def variables_of(self, optimizer: str) -> list:
        """What an optimizer trains: in stage 2 not what stage 1 has learned."""
        own = super().variables_of(optimizer)
        if self.stage == 1:
            return own
        kept = {id(v) for v in self.generator.get_layer("first").variables}
        return [v for v in own if id(v) not in kept]

    def phases(self) -> list[Phase]:
        """D of reals, fakes and reals of other sentences; G and its conditions."""
        d, g = super().phases()
        d = dataclasses.replace(d, logs=("d_mismatched",))
        return [d, dataclasses.replace(g, logs=("kl_loss",))]

    def sampling_networks(self) -> list[keras.Model]:
        """What samples are made by; the discriminator sees G's own conditions."""
        return list(
            {id(n): n for n in (self.sampling_network(), self.generator)}.values()
        )

    def discriminator_inputs(self, name: str) -> list[keras.KerasTensor]:
        shapes = ((1, *self.modality.shape), (1, self.condition_dim))
        return [keras.KerasTensor(shape) for shape in shapes]

    def conditions(self, text: Tensor, training: bool) -> tuple[Tensor, Tensor]:
        """The mean and the log variance of the conditions of vectors."""
        network = self.generator.get_layer("conditioning")
        return self.forward(network, text, training)

    def call_discriminator(self, x: Tensor, batch: dict, training: bool) -> Any:
        """Logits with each picture's sentence; in stage 2 those without, after."""
        mean, _ = self.conditions(batch["text"], training)
        values = [x, ops.stop_gradient(mean)]
        return self.forward("discriminator", values, training)

    def _seen(self, x, batch, training, role):
        """The features of pictures, and a list of logits."""
        x = self.regularization.augmented(self, x, training, role)
        features = self.forward(self._part("trunk"), x, training)
        mean, _ = self.conditions(batch["text"], training)
        mean = ops.stop_gradient(mean)
        logits = [self.forward(self._part("head"), [features, mean], training)]
        if self.stage == 2:
            logits.append(self.forward(self._part("own"), features, training))
        return features, mean, logits

    def _part(self, name):
        return self.discriminator.get_layer(name)

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 3: reals against fakes, and against reals of other sentences.

        Each side is the mean of its parts. In stage 2 logits without a condition are
        among them, as in the reference.
        """
        features, mean, real = self._seen(batch["real"], batch, training, "real")
        # The reference's: each picture but the last with the next one's sentence.
        # Of all replicas: each forms all pairs, so that their means are of one set.
        # A lone picture stands in for its pair, which counts for nothing.
        alone = lone(mean)
        features, mean = of_all(features), of_all(mean)
        pair = [features[: ops.shape(features)[0] - 1 + alone], mean[1 - alone :]]
        wrong = self.forward(self._part("head"), pair, training)
        _, _, fake = self._seen(fake, batch, training, "fake")
        _, logs = self.d_adversarial(real[0], fake[0])
        share = ops.cast(1 - alone, wrong.dtype)
        pairs = [(r, f, 1.0) for r in real for f in fake]
        pairs += [(r, wrong, share) for r in real]
        loss = sum(w * self.d_adversarial(r, f)[0] for r, f, w in pairs)
        loss = loss / sum(w for *_, w in pairs)
        mismatched = share * self._score(wrong)
        return loss, {**logs, "d_loss": loss, "d_mismatched": mismatched}

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 4: the objective's, and how far conditions are from N(0, 1)."""
        *_, logits = self._seen(fake, batch, training, "generated")
        loss = sum(self.objective.g(x) for x in logits)
        mean, spread = self.conditions(batch["text"], training)
        # Of each number of a condition, on the average.
        kl = ops.mean(ops.square(mean) + ops.exp(spread) - 1 - spread) / 2
        loss = loss + self.kl_weight * kl
        return loss, {"g_loss": loss, "kl_loss": kl}

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        wanted = [(None, *self.modality.shape), (None, self.condition_dim)]
        for name, network in discriminators.items():
            seen = input_shape_of(network)
            if seen is None:  # its own code tells nothing
                continue
            if not isinstance(seen, list) or list(map(tuple, seen)) != wanted:
                raise ValueError(
                    f"`{name}` sees pictures and conditions, {wanted[0]} and "
                    f"{wanted[1]}. Received: {network.name}, of {seen}. Build it for "
                    "them."
                )


RECIPE = Recipe(
    name="stackgan",
    model="StackGAN",
    summary="Pictures of sentences in two stages, arXiv:1612.03242",
    task="captions",
    epochs=100,
    batch_size=32,
    arguments={
        "image_shape": (32, 32, 3),
        "latent_dim": 32,
        "condition_dim": 64,
        "width": 32,
        "d_width": 32,
        "encoder": "words",
        "kl_weight": 0.2,
        "ema": 0.995,
        "diff_augment": "translation",
    },
    data_options={"captions": None, "text_cache": None},
    without=("data_dir", "evaluate_every", "packing"),
)
