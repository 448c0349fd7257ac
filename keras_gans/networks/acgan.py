"""ACGAN's discriminator: DCGAN's, with a second output for the class."""

import keras

from keras_gans.networks.building import builder
from keras_gans.networks.dcgan import down_blocks, score
from keras_gans.utils.validation import check_classes, check_shape


@builder
def acgan_discriminator(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    num_classes: int = 10,
    width: int = 64,
    norm: str | None = None,
    minibatch_stddev: int | None = None,
    name: str = "discriminator",
) -> keras.Model:
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
    critic = keras_gans.networks.acgan.acgan_discriminator((28, 28, 1), width=8)
    logits, class_logits = critic(keras.ops.zeros((2, 28, 28, 1)))
    ```

    Reference:
        https://arxiv.org/abs/1610.09585, figure 2
    """
    check_classes(num_classes)
    images = keras.Input(check_shape(image_shape), name="images")
    x = down_blocks(images, width, norm, minibatch_stddev)
    outputs = [score(x), score(x, num_classes, name="class")]
    return keras.Model(images, outputs, name=name)
