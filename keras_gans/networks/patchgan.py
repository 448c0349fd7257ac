"""Discriminators of patches and of pixels."""

import keras
from keras import layers

from keras_gans.networks.building import builder
from keras_gans.networks.normal import conv_init
from keras_gans.networks.translation import (
    check_norm,
    check_open_shape,
    has_bias,
    normalized,
)
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import check_size

MAX_WIDTHS = 8  # channels stop doubling at 8 times the first width
KERNEL = 4


def patch_widths(n_layers: int, width: int) -> list[int]:
    """The channels of each convolution but the last.

    Args:
        n_layers: int, 1 or more.
        width: int, channels of the first.

    Returns:
        List of `n_layers + 1` ints.

    Raises:
        ValueError: `n_layers` or `width` is too small.
    """
    check_size("n_layers", n_layers)
    check_size("width", width)
    return [width * min(2**i, MAX_WIDTHS) for i in range(n_layers + 1)]


@builder
def patch_discriminator(
    image_shape: Shape = (256, 256, 6),
    n_layers: int = 3,
    width: int = 64,
    norm: str | None = "batch",
    name: str = "discriminator",
) -> keras.Model:
    """A logit for each patch of an image, by convolutions alone.

    `n_layers` convolutions halve the size and two do not. With 3 a logit sees
    70 x 70 pixels, with 1, 2, 4 and 5 it sees 16, 34, 142 and 286.

    Args:
        image_shape: tuple (height, width, channels). Height and width may be
            `None`. Pix2Pix sees the source and the image together, so it
            has the channels of both.
        n_layers: int, 1 or more.
        width: int, channels of the first map; they double three times.
        norm: "batch", "instance" (nothing to learn) or `None`; the first
            convolution and the last have none.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` to float32 logits
        `[n, rows, columns, 1]`.

    Raises:
        ValueError: an argument is out of range, or the images are too small
            for a single patch.

    Example:

    ```python
    from keras_gans.networks.patchgan import patch_discriminator

    discriminator = patch_discriminator((64, 48, 6), width=4)
    discriminator(np.zeros((1, 64, 48, 6), "float32")).shape  # (1, 6, 4, 1)
    ```

    Reference:
        https://arxiv.org/abs/1611.07004, sections 3.2.2 and 6.1.2
    """
    image_shape = check_open_shape(image_shape)
    widths = patch_widths(n_layers, width)
    check_norm(norm)
    least = 3 * 2**n_layers
    if any(side is not None and side < least for side in image_shape[:2]):
        raise ValueError(
            f"A discriminator of n_layers={n_layers} takes images of at least "
            f"{least} x {least} pixels. Received: image_shape={image_shape}. "
            "Use fewer layers or larger images."
        )

    def conv(x, filters, strides, name, **kwargs):
        # "same" would pad odd sizes otherwise.
        x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
        return layers.Conv2D(
            filters,
            KERNEL,
            strides,
            kernel_initializer=conv_init(),
            name=name,
            **kwargs,
        )(x)

    images = keras.Input(image_shape, name="images")
    x = images
    for i, filters in enumerate(widths):
        strides = 2 if i < n_layers else 1
        bias = i == 0 or has_bias(norm)
        x = conv(x, filters, strides, f"conv_{i}", use_bias=bias)
        if i > 0:
            x = normalized(x, norm, f"norm_{i}")
        x = layers.LeakyReLU(0.2, name=f"lrelu_{i}")(x)
    logits = conv(x, 1, 1, "logits", dtype="float32")
    return keras.Model(images, logits, name=name)


@builder
def pixel_discriminator(
    image_shape: Shape = (256, 256, 6),
    width: int = 64,
    norm: str | None = "batch",
    name: str = "discriminator",
) -> keras.Model:
    """A logit for each pixel, from its colour alone: 1 x 1 convolutions.

    Args:
        image_shape: tuple (height, width, channels). Height and width may be
            `None`.
        width: int, channels of the first map; the second has twice as many.
        norm: "batch", "instance" (nothing to learn) or `None`, of the second.
        name: str.

    Returns:
        `keras.Model` from `[n, height, width, channels]` to float32 logits
        `[n, height, width, 1]`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_gans.networks.patchgan import pixel_discriminator

    discriminator = pixel_discriminator((20, 30, 3), width=4)
    discriminator(np.zeros((1, 20, 30, 3), "float32")).shape  # (1, 20, 30, 1)
    ```

    Reference:
        https://arxiv.org/abs/1611.07004, section 6.1.2
    """
    image_shape = check_open_shape(image_shape)
    check_size("width", width)
    check_norm(norm)

    def conv(x, filters, name, **kwargs):
        init = conv_init()
        return layers.Conv2D(filters, 1, kernel_initializer=init, name=name, **kwargs)(
            x
        )

    images = keras.Input(image_shape, name="images")
    x = layers.LeakyReLU(0.2, name="lrelu_0")(conv(images, width, "conv_0"))
    bias = has_bias(norm)
    x = normalized(conv(x, 2 * width, "conv_1", use_bias=bias), norm, "norm_1")
    x = layers.LeakyReLU(0.2, name="lrelu_1")(x)
    logits = conv(x, 1, "logits", use_bias=bias, dtype="float32")
    return keras.Model(images, logits, name=name)
