"""The U-Net of Pix2Pix, of any depth, for images of any size."""

import keras
from keras import layers

from keras_gans.networks.building import builder
from keras_gans.networks.normal import conv_init
from keras_gans.networks.padding import cropped, padded
from keras_gans.networks.translation import (
    check_norm,
    check_open_shape,
    has_bias,
    normalized,
)
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import check_size, is_number, within

MAX_DEPTH = 8  # chosen by itself: images of 256 pixels, as in the paper
MAX_WIDTHS = 8  # channels stop doubling at 8 times the first width


def unet_widths(depth: int, width: int) -> list[int]:
    """The channels of the maps on the way down, from the largest map on.

    Args:
        depth: int, 2 or more, how often the size is halved.
        width: int, channels of the first.

    Returns:
        List of `depth` ints.

    Raises:
        ValueError: `depth` or `width` is too small.
    """
    check_size("width", width)
    check_size("depth", depth)
    within("depth", depth, depth > 1, "2, 3, ...")
    return [width * min(2**i, MAX_WIDTHS) for i in range(depth)]


def default_depth(image_shape: Shape) -> int:
    """Halvings down to one pixel of the shorter side, 2 to 8; 8 if unknown."""
    sides = [side for side in image_shape[:2] if side is not None]
    if not sides:
        return MAX_DEPTH
    return max(2, min(MAX_DEPTH, min(sides).bit_length() - 1))


@builder
def unet_generator(
    image_shape: Shape = (256, 256, 3),
    output_channels: int | None = None,
    depth: int | None = None,
    width: int = 64,
    norm: str | None = "batch",
    dropout: float = 0.5,
    name: str = "generator",
) -> keras.Model:
    """Convolutions down to a bottleneck and up again, joined at every size.

    It halves the size `depth` times. Images whose sides are no multiple of
    `2**depth` are padded by reflection, repeated if need be, and the result
    is cropped to their size: any height and width will do. At depth 8 it is
    the reference's `unet_256`, at 7 its `unet_128`.

    Args:
        image_shape: tuple (height, width, channels). Height and width may be
            `None`: the network then takes images of any size.
        output_channels: int, `None` for as many as come in.
        depth: int, 2 or more; `None` for what brings the shorter side to 1
            pixel, at most 8.
        width: int, channels of the first map; they double three times.
        norm: "batch", "instance" (nothing to learn) or `None`.
        dropout: float in [0, 1), the rate of the maps of 8 `width` channels
            on the way up, where there are more than 5 levels.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` to float32 images of
        `output_channels` in [-1, 1].

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_gans.networks.unet import unet_generator

    generator = unet_generator((48, 40, 1), output_channels=2, width=4)
    generator(np.zeros((1, 48, 40, 1), "float32")).shape  # (1, 48, 40, 2)
    ```

    Reference:
        https://arxiv.org/abs/1611.07004, section 6.1.1;
        https://arxiv.org/abs/1505.04597
    """
    image_shape = check_open_shape(image_shape)
    if output_channels is None:
        output_channels = image_shape[-1]
    check_size("output_channels", output_channels)
    depth = default_depth(image_shape) if depth is None else depth
    widths = unet_widths(depth, width)
    check_norm(norm)
    ok = is_number(dropout) and 0 <= dropout < 1
    within("dropout", dropout, ok, "[0, 1)")

    source = keras.Input(image_shape, name="source")
    x = padded(source, 2**depth)
    skips = []
    for i, filters in enumerate(widths):
        if i > 0:
            skips.append(x)
            x = layers.LeakyReLU(0.2, name=f"down_lrelu_{i}")(x)
        x = _conv(layers.Conv2D, filters, has_bias(norm), f"down_{i}")(x)
        if 0 < i < depth - 1:
            x = normalized(x, norm, f"down_norm_{i}")
    for i in range(depth - 1, 0, -1):
        x = layers.ReLU(name=f"up_relu_{i}")(x)
        filters = widths[i - 1]
        x = _conv(layers.Conv2DTranspose, filters, has_bias(norm), f"up_{i}")(x)
        x = normalized(x, norm, f"up_norm_{i}")
        if dropout and 4 <= i < depth - 1:
            x = layers.Dropout(dropout, seed=i, name=f"dropout_{i}")(x)
        # The reference activates the skip in place on the way down, and ReLU
        # of leaky ReLU is ReLU: the skip before its activation does the same.
        x = layers.Concatenate(name=f"skip_{i}")([skips[i - 1], x])
    x = layers.ReLU(name="up_relu_0")(x)
    x = _conv(layers.Conv2DTranspose, output_channels, True, "up_0")(x)
    x = cropped(x, source)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(source, images, name=name)


def _conv(kind, filters, use_bias, name):
    """Halves or doubles the size, which is even on the way down."""
    return kind(
        filters,
        4,
        2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=conv_init(),
        name=name,
    )
