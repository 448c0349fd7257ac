"""Residual networks of super-resolution: the paper's, and BasicSR's without norm."""

import keras
from keras import layers

from keras_gans.networks.building import builder
from keras_gans.networks.superresolution import (
    SKIPS,
    check_sizes,
    conv,
    enlarged,
    factors,
    from_unit,
    prelu,
    shuffled,
    small_init,
    to_unit,
)
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import one_of


@builder
def srresnet(
    image_shape: Shape = (None, None, 3),
    scale: int = 4,
    blocks: int = 16,
    width: int = 64,
    output_channels: int | None = None,
    name: str = "generator",
) -> keras.Model:
    """SRGAN's generator: residual blocks with batch norm, then sub-pixel layers.

    Args:
        image_shape: tuple (height, width, channels) of the small images. Height
            and width may be `None`: the network then takes images of any size.
        scale: 1, 2, 3 or 4.
        blocks: int, residual blocks.
        width: int, channels of each map.
        output_channels: int, `None` for as many as come in.
        name: str.

    Returns:
        `keras.Model` from `[n, height, width, channels]` in [-1, 1] to float32
        images `[n, scale height, scale width, output_channels]` in [-1, 1].

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_gans.networks.srresnet import srresnet

    generator = srresnet(scale=4, blocks=2, width=8)
    generator(np.zeros((1, 12, 10, 3), "float32")).shape  # (1, 48, 40, 3)
    ```

    Reference:
        https://arxiv.org/abs/1609.04802, figure 4; small images are rescaled to
        [0, 1] within, section 3.2
    """
    image_shape, output_channels = check_sizes(
        image_shape, output_channels, blocks=blocks, width=width
    )
    steps = factors(scale)

    def norm(x, name):
        # PyTorch's momentum 0.1 is Keras's 0.9.
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)(x)

    source = keras.Input(image_shape, name="source")
    x = conv(to_unit(source), width, "first", 9)
    first = x = prelu("first_prelu")(x)
    for i in range(blocks):
        h = norm(conv(x, width, f"block_{i}_conv1"), f"block_{i}_norm1")
        h = prelu(f"block_{i}_prelu")(h)
        h = norm(conv(h, width, f"block_{i}_conv2"), f"block_{i}_norm2")
        x = layers.Add(name=f"block_{i}")([x, h])
    x = norm(conv(x, width, "body"), "body_norm")
    x = layers.Add(name="body_skip")([x, first])
    for i, factor in enumerate(steps):
        x = shuffled(conv(x, width * factor**2, f"up_{i}"), factor)
        x = prelu(f"up_{i}_prelu")(x)
    x = conv(x, output_channels, "last", 9)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(source, images, name=name)


@builder
def msrresnet(
    image_shape: Shape = (None, None, 3),
    scale: int = 4,
    blocks: int = 16,
    width: int = 64,
    output_channels: int | None = None,
    skip: str = "bilinear",
    name: str = "generator",
) -> keras.Model:
    """BasicSR's SRResNet: no norm, and what it adds to the enlarged image.

    Untrained it gives the enlarged image: its last convolution starts at 0.

    Args:
        image_shape: tuple (height, width, channels) of the small images. Height
            and width may be `None`: the network then takes images of any size.
        scale: 1, 2, 3 or 4.
        blocks: int, residual blocks.
        width: int, channels of each map.
        output_channels: int, `None` for as many as come in; another number
            leaves out the enlarged image.
        skip: "bilinear", "bicubic" or "nearest", how the image is enlarged that
            the output is added to. BasicSR's files are of "bilinear".
        name: str.

    Returns:
        `keras.Model` from `[n, height, width, channels]` in [-1, 1] to float32
        images `[n, scale height, scale width, output_channels]`, of [-1, 1] but
        not bounded.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_gans.networks.srresnet import msrresnet

    generator = msrresnet(scale=3, blocks=2, width=8)
    generator(np.zeros((1, 12, 10, 3), "float32")).shape  # (1, 36, 30, 3)
    ```

    Reference:
        https://arxiv.org/abs/1609.04802; XPixelGroup/BasicSR, MSRResNet
    """
    image_shape, output_channels = check_sizes(
        image_shape, output_channels, blocks=blocks, width=width
    )
    one_of("skip", skip, SKIPS)
    steps = factors(scale)

    def lrelu(x, name):
        return layers.LeakyReLU(0.1, name=f"{name}_lrelu")(x)

    source = keras.Input(image_shape, name="source")
    unit = to_unit(source)
    x = lrelu(conv(unit, width, "first", small=True), "first")
    for i in range(blocks):
        h = conv(x, width, f"block_{i}_conv1", small=True)
        h = layers.ReLU(name=f"block_{i}_relu")(h)
        h = conv(h, width, f"block_{i}_conv2", small=True)
        x = layers.Add(name=f"block_{i}")([x, h])
    for i, factor in enumerate(steps):
        x = conv(x, width * factor**2, f"up_{i}", small=True)
        x = lrelu(shuffled(x, factor), f"up_{i}")
    x = lrelu(conv(x, width, "high", small=True), "high")
    is_added = output_channels == image_shape[-1]
    start = "zeros" if is_added else small_init()
    x = conv(x, output_channels, "last", kernel_initializer=start)
    if is_added:
        base = enlarged(unit, scale, skip, "skip") if scale > 1 else unit
        x = layers.Add(name="skipped")([x, base])
    return keras.Model(source, from_unit(x), name=name)
