"""Frames that follow: predicted at several scales, against discriminators."""

from collections.abc import Callable, Sequence
import types
from typing import Any

import keras
from keras import ops
import numpy as np

from keras_gans.core import previews
from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Past
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.core.translation import check_weight
from keras_gans.engine.phases import Phase
from keras_gans.losses import frame_distance, gradient_difference
from keras_gans.modalities import Image, Preview, Video
from keras_gans.networks.frame_prediction import (
    CONFIGURATIONS,
    check_frame,
    frame_discriminator,
    frame_predictor,
    prediction_layers,
)
from keras_gans.utils.networks import input_shape_of
from keras_gans.utils.types import Shape, Tensor
from keras_gans.utils.validation import check_size, one_of

AHEAD = 8  # frames that a preview predicts
SCALES = "frames are seen at several scales"
REFUSED = {
    "packing": (1, SCALES),
    "r1": (0.0, SCALES),
    "r2": (0.0, SCALES),
    "instance_noise": (None, SCALES),
    "diff_augment": (None, "a frame is seen beside its past"),
}


@keras.saving.register_keras_serializable("keras_gans")
class FramePrediction(BaseGAN):
    """Predicts the next frame of a video; by recursion, those after it.

    `fit(clips)` takes clips `[n, past + 1, height, width, channels]` in [-1, 1],
    or `fit(past, next)` their parts. The generator minimizes, at each scale, the
    distance of frames, the difference of their gradients, which keeps edges, and
    what a discriminator says that sees the past and the frame.

    With `adversarial_weight=0` there is no discriminator's phase; with
    `gradient_weight=0` as well, it is the squared error alone, which blurs.

    Args:
        frame_shape: tuple (height, width, channels) of the frames that it is
            trained on; (32, 32, 3) by default. It predicts frames of any size that
            all scales divide.
        past: int, frames that it sees.
        rate: int, frames a second, which videos of other rates are brought to.
        configuration: "small", of three scales, or "paper", of four: the networks,
            where the next four arguments do not give them.
        scales: rows of `frame_predictor`.
        d_scales: rows of `frame_discriminator`, one for each of `scales`.
        residual: "previous" or `None`; see `frame_predictor`.
        padding: of the discriminators: "same", or "valid" as in the paper.
        distance_weight: float of 0 or more, of the distance of frames.
        power: float of 1 or more, p of the distance.
        gradient_weight: float of 0 or more, of the difference of gradients.
        alpha: float of 1 or more, its exponent.
        adversarial_weight: float of 0 or more, of what discriminators say.
        generator: `keras.Model` to use instead of `frame_predictor`. Its layers
            "prediction_0", ... give the frames of the scales; without any, there is
            one scale.
        discriminator: `keras.Model`, or dict of them by name, one for each scale,
            to use instead of `frame_discriminator`s.
        **kwargs: `objective`, `ema`, `seed` and other arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or networks do not fit.

    Example:

    ```python
    gan = keras_gans.FramePrediction(
        (8, 8, 1), past=2, scales=[((3, 3), (4,))], d_scales=[((3,), (4,), (8,))]
    )
    gan.compile()
    clips = np.random.uniform(-1, 1, (8, 3, 8, 8, 1)).astype("float32")
    gan.fit(clips, batch_size=4, verbose=0)
    gan.predict_frames(clips[:2, :2], 5).shape  # (2, 5, 8, 8, 1)
    ```

    Reference:
        https://arxiv.org/abs/1511.05440
    """

    def __init__(
        self,
        frame_shape: Shape | None = None,
        past: int = 4,
        rate: int = 10,
        configuration: str = "small",
        *,
        scales: Sequence | None = None,
        d_scales: Sequence | None = None,
        residual: str | None = "previous",
        padding: str = "same",
        distance_weight: float = 1.0,
        power: float = 2.0,
        gradient_weight: float = 1.0,
        alpha: float = 1.0,
        adversarial_weight: float = 0.05,
        generator: keras.Model | None = None,
        discriminator: keras.Model | dict[str, keras.Model] | None = None,
        **kwargs,
    ):
        refuse(type(self).__name__, kwargs, REFUSED)
        one_of("configuration", configuration, tuple(CONFIGURATIONS))
        default_scales, default_discriminators = CONFIGURATIONS[configuration]
        shape = (32, 32, 3) if frame_shape is None else frame_shape
        self.past, self.rate = check_size("past", past), check_size("rate", rate)
        for name in ("distance_weight", "gradient_weight", "adversarial_weight"):
            setattr(self, name, check_weight(name, locals()[name]))
        self.power, self.alpha = power, alpha
        for loss, exponent in ((frame_distance, power), (gradient_difference, alpha)):
            loss(np.zeros((1, 1, 1, 1)), np.zeros((1, 1, 1, 1)), exponent)
        if generator is None:
            scales = default_scales if scales is None else scales
            check_frame(shape, len(scales))
            open_shape = (None, None, shape[2])
            generator = frame_predictor(past, open_shape, scales, residual)
        names = prediction_layers(generator)
        self.scales = max(1, len(names))
        shape = check_frame(shape, self.scales)
        shapes = [
            (*(side // 2 ** (self.scales - 1 - i) for side in shape[:2]), shape[2])
            for i in range(self.scales)
        ]
        if discriminator is None:
            if d_scales is None:
                d_scales = default_discriminators[-self.scales :]
            if len(d_scales) != self.scales:
                raise ValueError(
                    "There is a discriminator for each scale. Received: "
                    f"{len(d_scales)} `d_scales` and {self.scales} scales. Pass a row "
                    "of `d_scales` for each of `scales`."
                )
            discriminator = {
                f"discriminator_{i}": frame_discriminator(
                    (*own[:2], (past + 1) * own[2]),
                    row,
                    padding,
                    name=f"discriminator_{i}",
                )
                for i, (own, row) in enumerate(zip(shapes, d_scales, strict=True))
            }
        elif isinstance(discriminator, keras.Model):
            discriminator = {"discriminator_0": discriminator}
        if len(discriminator) != self.scales:
            raise ValueError(
                "There is a discriminator for each scale. Received: "
                f"{len(discriminator)} of them, and {self.scales} scales."
            )
        self._shapes = dict(zip(discriminator, shapes, strict=True))
        frame = Image(shape)
        super().__init__(
            generator,
            discriminator,
            modality=frame,
            inputs=(Past(past, frame),),
            **kwargs,
        )
        predictions = generator
        if len(names) > 1:
            outputs = [generator.get_layer(name).output for name in names]
            predictions = keras.Model(generator.input, outputs)
        # In an object that Keras does not look into for networks.
        self._parts = types.SimpleNamespace(predictions=predictions)

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        for name, network in discriminators.items():
            (wanted,) = (x.shape for x in self.discriminator_inputs(name))
            seen = input_shape_of(network)
            if seen is not None and tuple(seen)[1:] != tuple(wanted)[1:]:
                raise ValueError(
                    "A discriminator sees the past and the frame, stacked on the "
                    f"channels. Received: {network.name} with inputs of shape "
                    f"{tuple(seen)[1:]}. "
                    f"Expected: {tuple(wanted)[1:]}."
                )

    def discriminator_inputs(self, name: str) -> list[keras.KerasTensor]:
        """The past and the frame at the scale of a discriminator."""
        height, width, channels = self._shapes[name]
        stacked = (self.past + 1) * channels
        return [keras.KerasTensor((1, height, width, stacked))]

    def default_optimizers(self) -> tuple:
        """Adam: 1e-3 with betas 0.5 and 0.99, for D and for G.

        The paper's, stochastic gradient descent of D at 0.02, takes far longer.
        """

        def adam():
            return keras.optimizers.Adam(1e-3, beta_1=0.5, beta_2=0.99, epsilon=1e-8)

        return adam(), adam()

    def phases(self) -> list[Phase]:
        """D first, then G through the same predictions; G alone without D's weight."""
        logs = ("distance_loss", "gradient_loss")
        if not self.adversarial_weight:
            return [Phase("g", self.generator_loss, logs=logs)]
        return [
            Phase("d", self.discriminator_loss),
            Phase("g", self.generator_loss, logs=(*logs, "adversarial_loss")),
        ]

    @property
    def scores(self) -> bool:
        """Whether discriminators are trained."""
        return bool(self.adversarial_weight)

    # --- Batches ---

    def parts(self, batch: Any) -> tuple:
        """(past, next), of clips that hold both too."""
        parts = super().parts(batch)
        if len(parts) > 1 or len(getattr(parts[0], "shape", ())) != 5:
            return parts
        (clips,) = parts
        if clips.shape[1] != self.past + 1:
            raise ValueError(
                f"Clips hold {self.past} frames of the past and the next one. "
                f"Received: clips of {clips.shape[1]} frames, shape "
                f"{tuple(clips.shape)}. Cut them, or pass past={clips.shape[1] - 1}."
            )
        return clips[:, :-1], clips[:, -1]

    def generate(self, batch: dict, training: bool) -> list[Tensor]:
        """The predictions of all scales, the coarsest first."""
        predictions = self.forward(self._parts.predictions, [batch["past"]], training)
        return predictions if isinstance(predictions, (list, tuple)) else [predictions]

    def _at_scales(self, frames):
        """Frames at all scales, every so many pixels, the coarsest first."""
        steps = [2 ** (self.scales - 1 - i) for i in range(self.scales)]
        return [frames[:, ::k, ::k] for k in steps]

    # --- Losses ---

    def call_discriminator(
        self, x: Tensor | list[Tensor], batch: dict, training: bool
    ) -> list[Tensor]:
        """The logits of all scales, of frames or of predictions of all scales."""
        frames = x if isinstance(x, (list, tuple)) else self._at_scales(x)
        past = batch["past"]
        stacked = ops.concatenate([past[:, t] for t in range(self.past)], axis=-1)
        return [
            self.forward(name, ops.concatenate([before, frame], axis=-1), training)
            for name, before, frame in zip(
                self.discriminator_names, self._at_scales(stacked), frames, strict=True
            )
        ]

    def discriminator_loss(
        self, fake: list[Tensor], batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The adversarial loss, added over the scales (section 3.2)."""
        reals = self.call_discriminator(batch["real"], batch, training)
        fakes = self.call_discriminator(fake, batch, training)
        sides = [self.d_adversarial(*pair) for pair in zip(reals, fakes, strict=True)]
        loss = sum(one for one, _ in sides)
        names = ("d_real", "d_fake")
        scores = {n: sum(logs[n] for _, logs in sides) / len(sides) for n in names}
        return loss, {"d_loss": loss, **scores}

    def generator_loss(
        self, fake: list[Tensor], batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """Equation 7 with the mean over scales of each part."""
        pairs = list(zip(self._at_scales(batch["real"]), fake, strict=True))
        n = len(pairs)
        distance = sum(frame_distance(*pair, self.power) for pair in pairs) / n
        gradient = sum(gradient_difference(*pair, self.alpha) for pair in pairs) / n
        logs = {"distance_loss": distance, "gradient_loss": gradient}
        loss = self.distance_weight * distance + self.gradient_weight * gradient
        if self.adversarial_weight:
            on_fake = self.call_discriminator(fake, batch, training)
            if self.objective.relativistic:
                real = self.call_discriminator(batch["real"], batch, training)
                said = [
                    self.objective.g(*pair) for pair in zip(on_fake, real, strict=True)
                ]
            else:
                said = [self.objective.g(logits) for logits in on_fake]
            logs["adversarial_loss"] = sum(said) / n
            loss = loss + self.adversarial_weight * logs["adversarial_loss"]
        return loss, {"g_loss": loss, **logs}

    # --- Roll-out ---

    @property
    def clip(self) -> Video:
        """What it is trained on: the frames of the past and the next one."""
        return Video(self.past + 1, self.modality.shape, self.rate)

    def preview(
        self,
        n: int | None = None,
        seed: int = 0,
        columns: int | None = None,
        *,
        given: Any = None,
        picture: Callable | None = None,
        class_names: Sequence[str] | None = None,
    ) -> Preview:
        """Clips of the past and of what is predicted after it, as film strips.

        Args:
            n: int, how many; 8 by default, or as many as are given.
            seed: unused: there is one future.
            columns: int, clips a row of the animation.
            given: dict of `past`; by default what `fit` saw first.
            picture: unused.
            class_names: unused.

        Returns:
            `Preview`.

        Raises:
            ValueError: nothing is given, and `fit` has not begun.
        """
        if given is None and self._first_given is not None:
            given = vars(self._first_given)
        if not given:
            raise ValueError(
                "What is predicted follows a past. Received: none. Pass given="
                "{'past': frames}, or call `fit` first."
            )
        past = given["past"]
        past = self.inputs[0].check(past if np.ndim(past) == 5 else past[None])
        n = min(8, len(past)) if n is None else n
        past = np.resize(past, (n, *past.shape[1:]))
        shown = np.concatenate([past, self.predict_frames(past, AHEAD)], axis=1)
        told = f"The first {self.past} frames are seen, the others predicted."
        video = Video(None, shown.shape[2:], self.rate)
        return video.preview(shown, columns, caption=previews.caption(self, told))

    def predict_frames(
        self, past: np.ndarray, frames: int = 1, batch_size: int = 32
    ) -> np.ndarray:
        """The frames after those given, each predicted from those before it.

        Args:
            past: `[n, frames, height, width, channels]` in [-1, 1], or uint8 in
                [0, 255]: at least `past` frames, of which the last ones are seen.
                Sides may be others than in training.
            frames: int, how many to predict.
            batch_size: int, clips that are predicted at a time.

        Returns:
            float32 array `[n, frames, height, width, channels]`.

        Raises:
            ValueError: there are too few frames, they are of another kind, or their
                sides are no multiples of `2 ** (scales - 1)`.
        """
        check_size("frames", frames)
        check_size("batch_size", batch_size)
        past = np.asarray(past)
        if past.ndim != 5 or past.shape[1] < self.past or not len(past):
            raise ValueError(
                f"`past` is [n, frames, height, width, channels] of {self.past} frames "
                f"or more. Received: shape {past.shape}."
            )
        channels = self.modality.shape[-1]
        if past.shape[-1] != channels:
            raise ValueError(
                f"Frames have {channels} channels, as in training. Received: `past` of "
                f"shape {past.shape}. Convert it."
            )
        shape = check_frame(past.shape[2:], self.scales)
        seen = Past(self.past, Image(shape)).check(past[:, -self.past :])
        predictions = []
        for _ in range(frames):
            batches = range(0, len(seen), batch_size)
            new = [self.engine.predict_here(seen[i : i + batch_size]) for i in batches]
            predictions.append(np.concatenate(new))
            seen = np.concatenate([seen[:, 1:], predictions[-1][:, None]], axis=1)
        return np.stack(predictions, axis=1)


RECIPE = Recipe(
    name="frame_prediction",
    model="FramePrediction",
    summary="The next frames of a video, arXiv:1511.05440",
    task="clips",
    data="digits",
    epochs=50,
    batch_size=16,
    arguments={"frame_shape": (32, 32, 3), "past": 4, "ema": 0.995},
    data_options={"places": "random"},
    without=("data_dir", "evaluate_every", "diff_augment", "packing"),
)
