"""MoCoGAN: videos of a content code and a path of motion codes."""

from typing import Any

import keras
from keras import ops
import numpy as np

from keras_gans.core.endings import check_gives_logits
from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Input, Label, Latent
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.core.translation import check_weight
from keras_gans.engine import rng
from keras_gans.engine.phases import Phase
from keras_gans.modalities import Video
from keras_gans.networks.dcgan import dcgan_discriminator
from keras_gans.networks.mocogan import mocogan_generator, video_discriminator
from keras_gans.utils.networks import input_shape_of
from keras_gans.utils.types import Shape, Tensor
from keras_gans.utils.validation import check_size

REFUSED = {
    "packing": (1, "videos are seen one by one"),
    "diff_augment": (None, "frames of a video would be augmented apart"),
}


@keras.saving.register_keras_serializable("keras_gans")
class Motion(Input):
    """Draws of N(0, 1) that the motion of a video is made of.

    Args:
        frames: int, frames of a video. There is one draw more, for the state that
            motion starts from.
        dim: int, numbers a draw.

    Example:

    ```python
    from keras_gans.models.mocogan import Motion

    Motion(16, 10).shape  # (17, 10)
    ```
    """

    name = "motion"
    given = "motion"
    help = "draws of N(0, 1) [n, frames + 1, dim] that motion is made of"
    drawn = True

    def __init__(self, frames: int, dim: int):
        self.frames = check_size("frames", frames)
        self.dim = check_size("dim", dim)
        self.shape = (frames + 1, dim)

    def draw(self, generator: rng.RNG, n: int | Tensor) -> Tensor:
        flat = generator.normal(n, (self.frames + 1) * self.dim, "motion")
        return ops.reshape(flat, (-1, *self.shape))

    def default_rows(self, seed: int, rows: np.ndarray) -> Tensor:
        return self.served(int(seed), rows.astype("uint32"))

    def served(self, high: Tensor, low: Tensor) -> Tensor:
        count = (self.frames + 1) * self.dim
        draws = rng.normal(("sample", high, "motion"), low, count)
        return ops.reshape(draws, (-1, *self.shape))


@keras.saving.register_keras_serializable("keras_gans")
class MoCoGAN(BaseGAN):
    """MoCoGAN: one content code a video, a motion code a frame.

    A recurrent network makes the motion codes, another the frames. One
    discriminator sees single frames, at places drawn for each video, the other
    whole videos.

    Args:
        frames: int, the length of a video: 16 at 64 pixels, at least 13 at 32 and
            10 at 16.
        frame_shape: tuple (height, width, channels), from 16 pixels up.
        content_dim: int, numbers of the content code.
        motion_dim: int, numbers of a motion code.
        width: int, channels of the largest hidden map of the networks built here.
        num_classes: int, or `None` without labels. With classes, `fit` takes
            (videos, labels), the discriminator of videos learns to tell them, and
            the generator to be told.
        class_weight: float of 0 or more, of the cross-entropy of classes.
        generator: `keras.Model` to use instead of `mocogan_generator`.
        discriminator: dict of "image_discriminator" and "video_discriminator" to
            use instead of `dcgan_discriminator` and `video_discriminator`.
        **kwargs: `objective`, `ema`, `seed` and other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.MoCoGAN(10, (16, 16, 1), content_dim=4, motion_dim=2, width=2)
    gan.compile()
    videos = np.random.uniform(-1, 1, (4, 10, 16, 16, 1)).astype("float32")
    gan.fit(videos, batch_size=2, verbose=0)
    gan.modality.write("clip.gif", gan.sample(1, seed=0)[0], overwrite=True)
    ```

    Reference:
        https://arxiv.org/abs/1707.04993
    """

    def __init__(
        self,
        frames: int = 16,
        frame_shape: Shape | None = None,
        content_dim: int = 50,
        motion_dim: int = 10,
        width: int = 64,
        num_classes: int | None = None,
        *,
        class_weight: float = 1.0,
        generator: keras.Model | None = None,
        discriminator: dict[str, keras.Model] | None = None,
        **kwargs,
    ):
        refuse(type(self).__name__, kwargs, REFUSED)
        shape = (64, 64, 3) if frame_shape is None else frame_shape
        self.class_weight = check_weight("class_weight", class_weight)
        modality = Video(frames, shape)
        if generator is None:
            generator = mocogan_generator(
                frames, shape, content_dim, motion_dim, width, num_classes
            )
        if discriminator is None:
            discriminator = {
                "image_discriminator": dcgan_discriminator(
                    shape, width, name="image_discriminator"
                ),
                "video_discriminator": video_discriminator(
                    frames, shape, width, num_classes
                ),
            }
        if set(discriminator) != {"image_discriminator", "video_discriminator"}:
            raise ValueError(
                "`discriminator` is a dict of an image_discriminator and a "
                f"video_discriminator. Received: {', '.join(discriminator)}."
            )
        inputs = (Latent(content_dim), Motion(frames, motion_dim))
        if num_classes is not None:
            inputs += (Label(num_classes),)
        super().__init__(
            generator, discriminator, modality=modality, inputs=inputs, **kwargs
        )

    def default_optimizers(self) -> tuple:
        """The release's Adam: 2e-4, betas 0.5 and 0.999."""

        def adam():
            return keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8)

        return adam(), adam()

    def phases(self) -> list[Phase]:
        """D, both networks of it, and G through the same videos."""
        logs = ("class_loss",) if self.labelled else ()
        d = Phase(
            "d",
            self.discriminator_loss,
            penalty=self.penalties,
            batches=self.d_steps,
            logs=tuple(f"d_{name}" for name in logs),
        )
        return [d, Phase("g", self.generator_loss, logs=logs)]

    def discriminator_inputs(self, name: str) -> list[keras.KerasTensor]:
        shape = self.modality.shape
        seen = shape if name == "video_discriminator" else shape[1:]
        return [keras.KerasTensor((1, *seen))]

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        for name, network in discriminators.items():
            (wanted,) = (x.shape[1:] for x in self.discriminator_inputs(name))
            seen = input_shape_of(network)
            if seen is not None and tuple(seen)[1:] != tuple(wanted):
                raise ValueError(
                    f"`{name}` sees inputs of shape {tuple(wanted)}. Received: "
                    f"{network.name}, of {seen[1:]}. Build it for them."
                )
            if self.labelled and name == "video_discriminator":
                seen = self.discriminator_inputs(name)
                check_gives_logits(name, network, output=1, inputs=seen)

    def discriminate(self, x: Tensor, batch: dict, training: bool, role: str) -> Any:
        """What both say of videos: of a frame of each, drawn in training."""
        if training:
            n, frames = ops.shape(x)[0], self.modality.shape[0]
            place = self.rng.integers(n, 1, frames, f"frame/{role}")[:, 0]
            batch = {**batch, "place": place}
        return super().discriminate(x, batch, training, role)

    def call_discriminator(self, x: Tensor, batch: dict, training: bool) -> Any:
        """[logits of a frame, logits of the video], and of its class after them."""
        frames = self.modality.shape[0]
        place = batch.get("place")
        if place is None:
            frame = x[:, frames // 2]
        else:
            frame = ops.einsum("nt,nthwc->nhwc", ops.one_hot(place, frames), x)
        said = self.forward("video_discriminator", x, training)
        said = said if isinstance(said, (list, tuple)) else [said]
        return [self.forward("image_discriminator", frame, training), *said]

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 5's D side: of frames and of videos; and the classes of reals."""
        real = self.discriminate(batch["real"], batch, training, "real")
        fake = self.discriminate(fake, batch, training, "fake")
        pairs = list(zip(real[:2], fake[:2], strict=True))
        sides = [self.d_adversarial(*pair) for pair in pairs]
        loss = sum(one for one, _ in sides)
        scores = {
            name: sum(logs[name] for _, logs in sides) / 2
            for name in ("d_real", "d_fake")
        }
        if self.labelled:
            scores["d_class_loss"] = self._class_loss(real[2], batch)
            loss = loss + self.class_weight * scores["d_class_loss"]
        return loss, {"d_loss": loss, **scores}

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 5's G side, and the classes that fakes were asked for."""
        generated = self.discriminate(fake, batch, training, "generated")
        if self.objective.relativistic:
            real = self.discriminate(batch["real"], batch, training, "real")
            pairs = zip(generated[:2], real[:2], strict=True)
            loss = sum(self.objective.g(*pair) for pair in pairs)
        else:
            loss = sum(self.objective.g(logits) for logits in generated[:2])
        logs = {}
        if self.labelled:
            logs["class_loss"] = self._class_loss(generated[2], batch)
            loss = loss + self.class_weight * logs["class_loss"]
        return loss, {"g_loss": loss, **logs}

    def _class_loss(self, logits, batch):
        return ops.mean(
            ops.sparse_categorical_crossentropy(
                batch["label"], logits, from_logits=True
            )
        )


RECIPE = Recipe(
    name="mocogan",
    model="MoCoGAN",
    summary="Videos of content and motion, arXiv:1707.04993",
    task="clips",
    data="digits",
    epochs=100,
    batch_size=16,
    arguments={"frames": 16, "frame_shape": (32, 32, 3), "width": 16, "ema": 0.995},
    without=("data_dir", "evaluate_every", "diff_augment", "packing"),
)
