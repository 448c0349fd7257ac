"""The residual generator of CycleGAN, for images of any size."""

import keras
from keras import layers

from keras_gans.networks.building import builder
from keras_gans.networks.normal import conv_init
from keras_gans.networks.padding import cropped, padded, reflected
from keras_gans.networks.translation import (
    check_norm,
    check_open_shape,
    has_bias,
    normalized,
)
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import check_size, is_int, is_number, within

HALVINGS = 2


@builder
def resnet_translator(
    image_shape: Shape = (256, 256, 3),
    output_channels: int | None = None,
    blocks: int = 9,
    width: int = 64,
    norm: str | None = "instance",
    dropout: float = 0.0,
    name: str = "generator",
) -> keras.Model:
    """Two halvings, residual blocks with reflection padding, two doublings.

    Images whose sides are no multiple of 4, or are below 8, are padded by
    reflection and the result is cropped to their size.

    Args:
        image_shape: tuple (height, width, channels). Height and width may be
            `None`: the network then takes images of any size.
        output_channels: int, `None` for as many as come in.
        blocks: int, 0 or more; the paper has 6 for images of 128 pixels, 9
            from 256 on.
        width: int, channels of the first map; the blocks have four times that.
        norm: "instance" (nothing to learn), "batch" or `None`.
        dropout: float in [0, 1), the rate in each block.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` to float32 images of
        `output_channels` in [-1, 1].

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    from keras_gans.networks.resnet_translator import resnet_translator

    generator = resnet_translator((30, 44, 3), blocks=2, width=4)
    generator(np.zeros((1, 30, 44, 3), "float32")).shape  # (1, 30, 44, 3)
    ```

    Reference:
        https://arxiv.org/abs/1703.10593, section 7.2;
        https://arxiv.org/abs/1603.08155
    """
    image_shape = check_open_shape(image_shape)
    if output_channels is None:
        output_channels = image_shape[-1]
    check_size("output_channels", output_channels)
    check_size("width", width)
    within("blocks", blocks, is_int(blocks) and blocks >= 0, "0, 1, ...")
    check_norm(norm)
    ok = is_number(dropout) and 0 <= dropout < 1
    within("dropout", dropout, ok, "[0, 1)")

    def conv(x, kind, filters, size, name, **kwargs):
        x = kind(
            filters,
            size,
            use_bias=has_bias(norm),
            kernel_initializer=conv_init(),
            name=name,
            **kwargs,
        )(x)
        if kind is layers.Conv2DTranspose:
            # The row and the column that PyTorch's padding of 1 cuts.
            x = layers.Cropping2D(((1, 0), (1, 0)), name=f"{name}_cut")(x)
        return normalized(x, norm, f"{name}_norm")

    def relu(x, name):
        return layers.ReLU(name=f"{name}_relu")(x)

    source = keras.Input(image_shape, name="source")
    # Two pixels at least are left of each side for the blocks to reflect.
    x = reflected(padded(source, 2**HALVINGS, blocks=2), 3)
    x = relu(conv(x, layers.Conv2D, width, 7, "first"), "first")
    for i in range(1, HALVINGS + 1):
        x = layers.ZeroPadding2D(1, name=f"down_{i}_pad")(x)
        filters = width * 2**i
        x = conv(x, layers.Conv2D, filters, 3, f"down_{i}", strides=2)
        x = relu(x, f"down_{i}")
    for i in range(blocks):
        name_1, name_2 = f"block_{i}_conv1", f"block_{i}_conv2"
        h = reflected(x, 1)
        h = relu(conv(h, layers.Conv2D, filters, 3, name_1), name_1)
        if dropout:
            h = layers.Dropout(dropout, seed=i, name=f"block_{i}_dropout")(h)
        h = reflected(h, 1)
        h = conv(h, layers.Conv2D, filters, 3, name_2)
        x = layers.Add(name=f"block_{i}")([x, h])
    for i in range(HALVINGS, 0, -1):
        filters = width * 2 ** (i - 1)
        x = conv(x, layers.Conv2DTranspose, filters, 3, f"up_{i}", strides=2)
        x = relu(x, f"up_{i}")
    x = reflected(x, 3)
    x = layers.Conv2D(output_channels, 7, kernel_initializer=conv_init(), name="last")(
        x
    )
    x = cropped(x, source)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model(source, images, name=name)
