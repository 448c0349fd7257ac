"""ACGAN: a discriminator that also tells the class."""

import keras
from keras import ops

from keras_gans.base import BaseGAN
from keras_gans.checks import check_shape
from keras_gans.checks import images_of
from keras_gans.checks import is_number
from keras_gans.checks import output_shape_of
from keras_gans.checks import within
from keras_gans.engine import draws
from keras_gans.labels import Labelled
from keras_gans.labels import check_classes
from keras_gans.models.conditional_gan import conditional_generator
from keras_gans.models.dcgan import ladder_down
from keras_gans.models.dcgan import score
from keras_gans.switches import refuse_packing


def acgan_discriminator(
    image_shape=(64, 64, 3),
    num_classes=10,
    width=64,
    norm=None,
    minibatch_stddev=None,
    name="discriminator",
):
    """DCGAN's discriminator with a second output: the class.

    Without batch norm by default: with it, D tells batches of fakes from
    batches of reals, and agrees with G on classes that only fakes have.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more.
        num_classes: int.
        width: int, channels of the first map; they double downwards.
        norm: "batch", "layer" or `None`: see `dcgan_discriminator`.
        minibatch_stddev: `None`, or the int size of `MinibatchStdDev` groups.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` to a list: logits `[n, 1]` of
        being real, logits `[n, num_classes]` of the class.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    critic = keras_gans.models.acgan.acgan_discriminator((28, 28, 1), width=8)
    logits, class_logits = critic(keras.ops.zeros((2, 28, 28, 1)))
    ```

    Reference:
        https://arxiv.org/abs/1610.09585, figure 2
    """
    check_classes(num_classes)
    images = keras.Input(check_shape(image_shape), name="images")
    x = ladder_down(images, width, norm, minibatch_stddev)
    outputs = [score(x), score(x, num_classes, name="class")]
    return keras.Model(images, outputs, name=name)


@keras.saving.register_keras_serializable("keras_gans")
class ACGAN(Labelled, BaseGAN):
    """Auxiliary classifier GAN.

    Both networks also minimize the cross-entropy L_C of the class: D on reals
    and fakes, G on its fakes.

    Args:
        image_shape: tuple (height, width, channels), from 16 pixels up;
            (64, 64, 3) by default.
        num_classes: int; labels are ints in [0, num_classes).
        latent_dim: int; 100 by default.
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

    loss_names = (
        "d_loss",
        "g_loss",
        "d_class_loss",
        "g_class_loss",
        "real_class_accuracy",
    )

    def __init__(
        self,
        image_shape=None,
        num_classes=None,
        latent_dim=None,
        width=64,
        *,
        class_weight=1.0,
        generator=None,
        discriminator=None,
        **kwargs,
    ):
        refuse_packing("ACGAN", kwargs, "the class is that of one image")
        self.num_classes = check_classes(num_classes)
        self.width = width
        ok = is_number(class_weight) and 0 <= class_weight < float("inf")
        self.class_weight = within("class_weight", class_weight, ok, "[0, inf)")
        if generator is None:
            generator = conditional_generator(
                (64, 64, 3) if image_shape is None else image_shape,
                num_classes,
                100 if latent_dim is None else latent_dim,
                width,
            )
        if discriminator is None:
            discriminator = acgan_discriminator(
                images_of(generator, latent_dim, self.conditions)[1],
                num_classes,
                width,
                minibatch_stddev=kwargs.get("minibatch_stddev"),
            )
        super().__init__(
            generator,
            discriminator,
            image_shape=image_shape,
            latent_dim=latent_dim,
            **kwargs,
        )
        _check_outputs(self.discriminator, num_classes)

    def discriminator_loss(self, fake, batch, training):
        """-(L_S + L_C), equations 2 and 3."""
        real = self.judge(self.real(batch), batch, training, draws.REAL)
        fake = self.judge(fake, batch, training, draws.FAKE)
        loss, logs = self.d_adversarial(real[0], fake[0])
        labels = self.labels(batch)
        l_c = _cross_entropy(real[1], labels) + _cross_entropy(fake[1], labels)
        found = ops.equal(ops.argmax(real[1], axis=-1), labels)
        logs |= {
            "d_class_loss": l_c,
            "real_class_accuracy": ops.mean(ops.cast(found, "float32")),
        }
        return loss + self.class_weight * l_c, logs

    def generator_loss(self, fake, batch, training):
        """-(L_C - L_S), where L_C is of the fakes."""
        logits, class_logits = self.judge(
            fake, batch, training, draws.GENERATED
        )
        loss, logs = self.g_adversarial(logits, batch, training)
        l_c = _cross_entropy(class_logits, self.labels(batch))
        logs |= {"g_class_loss": l_c}
        return loss + self.class_weight * l_c, logs


def _cross_entropy(logits, labels):
    losses = ops.sparse_categorical_crossentropy(
        labels, logits, from_logits=True
    )
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
            "`keras_gans.models.acgan.acgan_discriminator`."
        )
