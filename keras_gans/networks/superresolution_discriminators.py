"""The discriminators of SRGAN, ESRGAN and Real-ESRGAN."""

import math

import keras
from keras import layers

from keras_gans.layers.spectral import SpectralNormalization
from keras_gans.networks.building import builder
from keras_gans.networks.superresolution import conv, enlarged, to_unit, torch_init
from keras_gans.networks.translation import check_open_shape
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import check_shape, check_size

SMALLEST = 4  # pixels of the smallest map
MAX_WIDTHS = 8  # channels stop doubling at 8 times the first width
HALVINGS = 3  # of the U-Net
PAPER_HALVINGS = 4  # of SRGAN's


def _halved(x, filters, size, name, wrap=None, **kwargs):
    # PyTorch's padding of 1; "same" would pad even sizes at one side alone.
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    layer = layers.Conv2D(
        filters, size, 2, kernel_initializer=torch_init(), name=name, **kwargs
    )
    return (wrap(layer) if wrap else layer)(x)


def _lrelu(x, name):
    return layers.LeakyReLU(0.2, name=f"{name}_lrelu")(x)


def _norm(x, name):
    # PyTorch's momentum 0.1 is Keras's 0.9.
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)


def _check_crop(image_shape, width, least):
    image_shape = check_shape(image_shape)
    check_size("width", width)
    if min(image_shape[:2]) < least:
        raise ValueError(
            f"This discriminator takes images of at least {least} x {least} pixels. "
            f"Received: image_shape={image_shape}. Choose larger crops."
        )
    return image_shape


@builder
def srgan_discriminator(
    image_shape: Shape = (96, 96, 3),
    width: int = 64,
    dense: int = 1024,
    name: str = "discriminator",
) -> keras.Model:
    """SRGAN's: pairs of convolutions, of which the second halves, batch norm.

    Args:
        image_shape: tuple (height, width, channels) of the crops, at least 16
            pixels a side.
        width: int, channels of the first pair; they double three times.
        dense: int, units before the logit.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` in [-1, 1] to float32 logits
        `[n, 1]`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_gans.networks.superresolution_discriminators import (
        srgan_discriminator,
    )

    discriminator = srgan_discriminator((48, 48, 3), width=4, dense=8)
    discriminator(np.zeros((2, 48, 48, 3), "float32")).shape  # (2, 1)
    ```

    Reference:
        https://arxiv.org/abs/1609.04802, figure 4
    """
    image_shape = _check_crop(image_shape, width, 2**PAPER_HALVINGS)
    check_size("dense", dense)
    images = keras.Input(image_shape, name="images")
    x = images
    for i in range(PAPER_HALVINGS):
        filters = width * 2**i
        x = conv(x, filters, f"conv_{i}_0")
        if i:
            x = _norm(x, f"norm_{i}_0")
        x = _lrelu(x, f"conv_{i}_0")
        x = _norm(_halved(x, filters, 3, f"conv_{i}_1"), f"norm_{i}_1")
        x = _lrelu(x, f"conv_{i}_1")
    x = layers.Flatten(name="flat")(x)
    x = _lrelu(layers.Dense(dense, name="dense")(x), "dense")
    logits = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name=name)


def vgg_halvings(image_shape: Shape) -> int:
    """How often crops are halved: the smallest map has 4 to 7 pixels a side."""
    return int(math.log2(min(image_shape[:2]) / SMALLEST))


@builder
def vgg_discriminator(
    image_shape: Shape = (128, 128, 3),
    width: int = 64,
    dense: int = 100,
    name: str = "discriminator",
) -> keras.Model:
    """ESRGAN's: as VGG, halved until 4 to 7 pixels a side are left.

    Crops of 128 pixels are halved 5 times and those of 256 pixels 6 times, as
    BasicSR has it; 64 and 96 pixels 4 times, 32 and 48 pixels 3 times.

    Args:
        image_shape: tuple (height, width, channels) of the crops, at least 8
            pixels a side.
        width: int, channels of the first pair; they double three times.
        dense: int, units before the logit.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` in [-1, 1] to float32 logits
        `[n, 1]`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_gans.networks.superresolution_discriminators import (
        vgg_discriminator,
    )

    discriminator = vgg_discriminator((64, 64, 3), width=4)
    discriminator(np.zeros((2, 64, 64, 3), "float32")).shape  # (2, 1)
    ```

    Reference:
        https://arxiv.org/abs/1809.00219; XPixelGroup/BasicSR,
        VGGStyleDiscriminator
    """
    image_shape = _check_crop(image_shape, width, 2 * SMALLEST)
    check_size("dense", dense)
    images = keras.Input(image_shape, name="images")
    x = to_unit(images)
    for i in range(vgg_halvings(image_shape)):
        filters = width * min(2**i, MAX_WIDTHS)
        x = conv(x, filters, f"conv_{i}_0", use_bias=i == 0)
        if i:
            x = _norm(x, f"norm_{i}_0")
        x = _lrelu(x, f"conv_{i}_0")
        x = _halved(x, filters, 4, f"conv_{i}_1", use_bias=False)
        x = _lrelu(_norm(x, f"norm_{i}_1"), f"conv_{i}_1")
    x = layers.Flatten(name="flat")(x)
    x = _lrelu(layers.Dense(dense, name="dense")(x), "dense")
    logits = layers.Dense(1, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name=name)


@builder
def unet_discriminator(
    image_shape: Shape = (None, None, 3), width: int = 64, name: str = "discriminator"
) -> keras.Model:
    """Real-ESRGAN's: a U-Net under spectral norm, a logit for each pixel.

    Args:
        image_shape: tuple (height, width, channels). Height and width are
            multiples of 8, or `None`.
        width: int, channels of the first map; they double three times.
        name: str.

    Returns:
        `keras.Model` from `[n, height, width, channels]` in [-1, 1] to float32
        logits `[n, height, width, 1]`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_gans.networks.superresolution_discriminators import (
        unet_discriminator,
    )

    discriminator = unet_discriminator(width=4)
    discriminator(np.zeros((1, 16, 24, 3), "float32")).shape  # (1, 16, 24, 1)
    ```

    Reference:
        https://arxiv.org/abs/2107.10833, section 3.4
    """
    image_shape = check_open_shape(image_shape)
    check_size("width", width)
    multiple = 2**HALVINGS
    if any(side is not None and side % multiple for side in image_shape[:2]):
        raise ValueError(
            f"Height and width are multiples of {multiple}, or None. Received: "
            f"image_shape={image_shape}."
        )

    def normalized(x, filters, name):
        layer = layers.Conv2D(
            filters,
            3,
            padding="same",
            use_bias=False,
            kernel_initializer=torch_init(),
            name=name,
        )
        return _lrelu(SpectralNormalization(layer)(x), name)

    images = keras.Input(image_shape, name="images")
    x = _lrelu(conv(to_unit(images), width, "conv_0"), "conv_0")
    maps = [x]
    for i in range(1, HALVINGS + 1):
        x = _halved(
            x, width * 2**i, 4, f"conv_{i}", wrap=SpectralNormalization, use_bias=False
        )
        x = _lrelu(x, f"conv_{i}")
        maps.append(x)
    for i in range(1, HALVINGS + 1):
        layer, outer = f"conv_{HALVINGS + i}", maps[HALVINGS - i]
        x = enlarged(x, 2, "bilinear", f"{layer}_bilinear")
        x = normalized(x, outer.shape[-1], layer)
        x = layers.Add(name=f"{layer}_skip")([x, outer])
    for i in (1, 2):
        x = normalized(x, width, f"conv_{2 * HALVINGS + i}")
    logits = conv(x, 1, "logits", dtype="float32")
    return keras.Model(images, logits, name=name)
