"""ACGAN: a discriminator that also tells the class."""

import functools

import keras
from keras import ops

from keras_gans.core.endings import check_gives_logits
from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Label
from keras_gans.core.networks import latent_of, modality_of
from keras_gans.core.recipe import Recipe
from keras_gans.core.regularization import refuse
from keras_gans.engine.phases import Phase
from keras_gans.networks.acgan import acgan_discriminator
from keras_gans.networks.conditional_dcgan import conditional_generator
from keras_gans.utils.networks import output_shape_of
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_classes, is_number, within

REFUSED = {"packing": (1, "the class is that of one image")}


@keras.saving.register_keras_serializable("keras_gans")
class ACGAN(BaseGAN):
    """Auxiliary classifier GAN.

    Both networks also minimize the cross-entropy L_C of the class: D on reals
    and fakes, G on its fakes.

    Args:
        image_shape: tuple (height, width, channels), from 16 pixels up;
            (64, 64, 3) by default.
        num_classes: int, how many; labels are ints in [0, num_classes).
        latent_dim: int, length of the latent code; 100 by default.
        width: int, channels of the largest hidden map of the networks built
            here.
        class_weight: float of 0 or more, what L_C counts beside the
            adversarial loss.
        generator: `keras.Model` of `[z, label]` to use instead of
            `conditional_generator`.
        discriminator: `keras.Model` with the outputs of
            `acgan_discriminator` to use instead.
        **kwargs: `objective`, `ema`, `d_steps`, `seed` and the other arguments
            of `BaseGAN`.

    Raises:
        ValueError: an argument is out of its range, networks do not fit, or
            packing is asked for: a class is that of one image.

    Example:

    ```python
    gan = keras_gans.ACGAN((16, 16, 1), num_classes=3, width=4)
    gan.compile()
    images = np.random.uniform(-1, 1, (32, 16, 16, 1))
    gan.fit(images, np.arange(32) % 3, verbose=0)
    twos = gan.sample(8, seed=0, labels=2)
    ```

    Reference:
        https://arxiv.org/abs/1610.09585, equations 2 and 3
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int] | None = None,
        num_classes: int | None = None,
        latent_dim: int | None = None,
        width: int = 64,
        *,
        class_weight: float = 1.0,
        generator: keras.Model | None = None,
        discriminator: keras.Model | None = None,
        **kwargs,
    ):
        refuse("ACGAN", kwargs, REFUSED)
        check_classes(num_classes)
        self.num_classes = num_classes
        ok = is_number(class_weight) and 0 <= class_weight < float("inf")
        self.class_weight = within("class_weight", class_weight, ok, "[0, inf)")
        shape = (64, 64, 3) if image_shape is None else image_shape
        if generator is None:
            dim = 100 if latent_dim is None else latent_dim
            generator = conditional_generator(shape, num_classes, dim, width)
        if discriminator is None:
            discriminator = functools.partial(
                acgan_discriminator,
                num_classes=num_classes,
                width=width,
                minibatch_stddev=kwargs.get("minibatch_stddev"),
            )
        super().__init__(
            generator,
            discriminator,
            modality=modality_of(image_shape),
            inputs=(latent_of(generator, latent_dim), Label(num_classes)),
            **kwargs,
        )

    def check_discriminators(self, discriminators: dict[str, keras.Model]) -> None:
        super().check_discriminators(discriminators)
        network = discriminators["discriminator"]
        _check_outputs(network, self.num_classes)
        seen = self.discriminator_inputs("discriminator")
        check_gives_logits("discriminator", network, output=1, inputs=seen)

    def phases(self) -> list[Phase]:
        """Equations 2 and 3: D maximizes L_S + L_C, G maximizes L_C - L_S."""
        return [
            Phase(
                "d",
                self.discriminator_loss,
                penalty=self.penalties,
                logs=("d_class_loss", "real_class_accuracy"),
                batches=self.d_steps,
            ),
            Phase("g", self.generator_loss, logs=("g_class_loss",)),
        ]

    def discriminator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """-(L_S + L_C), equations 2 and 3."""
        real = self.discriminate(batch["real"], batch, training, "real")
        fake = self.discriminate(fake, batch, training, "fake")
        loss, logs = self.d_adversarial(real[0], fake[0])
        labels = batch["label"]
        l_c = _cross_entropy(real[1], labels) + _cross_entropy(fake[1], labels)
        correct = ops.equal(ops.argmax(real[1], axis=-1), labels)
        logs |= {
            "d_class_loss": l_c,
            "real_class_accuracy": ops.mean(ops.cast(correct, "float32")),
        }
        return loss + self.class_weight * l_c, logs

    def generator_loss(
        self, fake: Tensor, batch: dict, training: bool
    ) -> tuple[Tensor, dict]:
        """-(L_C - L_S), where L_C is of the fakes."""
        logits, class_logits = self.discriminate(fake, batch, training, "generated")
        loss, logs = self.g_adversarial(logits, batch, training)
        l_c = _cross_entropy(class_logits, batch["label"])
        logs |= {"g_class_loss": l_c}
        return loss + self.class_weight * l_c, logs


def _cross_entropy(logits, labels):
    losses = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
    return ops.mean(losses)


def _check_outputs(discriminator, num_classes):
    shapes = output_shape_of(discriminator)
    if shapes is None:
        return
    ok = isinstance(shapes, list) and len(shapes) == 2
    if not ok or tuple(shapes[1]) != (None, num_classes):
        raise ValueError(
            "ACGAN's discriminator has two outputs: logits, and class logits "
            f"of shape (None, {num_classes}). Received: {discriminator.name} "
            f"with output shape {shapes}. See "
            "`keras_gans.networks.acgan.acgan_discriminator`."
        )


RECIPE = Recipe(
    name="acgan",
    model="ACGAN",
    summary="A discriminator that also tells the class, arXiv:1610.09585",
    task="labelled images",
    epochs=50,
    batch_size=32,
    data_options={"class_balanced": False},
    arguments={
        "image_shape": (32, 32, 3),
        "num_classes": 9,
        "width": 32,
        "ema": 0.995,
        "label_smoothing": 0.1,
        "spectral_norm": True,
    },
    without=("packing",),
)
