"""The generator of ESRGAN and Real-ESRGAN: residual in residual dense blocks."""

import keras
from keras import layers, ops

from keras_gans.networks.building import builder
from keras_gans.networks.superresolution import (
    check_sizes,
    conv,
    enlarged,
    from_unit,
    to_unit,
)
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import one_of

DENSE = 3  # dense blocks of a block
CONVS = 5  # convolutions of a dense block
RESIDUAL = 0.2  # what residual branches are multiplied by


def doublings(scale: int, unshuffle: int) -> int:
    """How often maps are doubled to reach `scale` times the image's size."""
    return (scale * unshuffle).bit_length() - 1


@builder
def rrdbnet(
    image_shape: Shape = (None, None, 3),
    scale: int = 4,
    blocks: int = 23,
    width: int = 64,
    growth: int = 32,
    output_channels: int | None = None,
    unshuffle: int | None = None,
    name: str = "generator",
) -> keras.Model:
    """Residual in residual dense blocks without norm, then doublings.

    Args:
        image_shape: tuple (height, width, channels) of the small images. Height
            and width may be `None`: the network then takes images of any size,
            a multiple of `unshuffle`.
        scale: 1, 2, 3, 4 or 8.
        blocks: int; 23 of RealESRGAN_x4plus, 6 of its version for anime.
        width: int, channels of each map.
        growth: int, channels that each convolution of a dense block adds.
        output_channels: int, `None` for as many as come in.
        unshuffle: 1, 2 or 4: blocks of so many pixels a side become channels
            before the first convolution. By default 4 at a scale of 1 and 2 at
            a scale of 2, as BasicSR has it, so that the blocks work at a
            quarter of the result's size, and 1 above.
        name: str.

    Returns:
        `keras.Model` from `[n, height, width, channels]` in [-1, 1] to float32
        images `[n, scale height, scale width, output_channels]`, of [-1, 1] but
        not bounded.

    Raises:
        ValueError: an argument is out of range, or the size is no multiple of
            `unshuffle`.

    Example:

    ```python
    from keras_gans.networks.rrdbnet import rrdbnet

    generator = rrdbnet(scale=2, blocks=1, width=8, growth=4)
    generator(np.zeros((1, 12, 10, 3), "float32")).shape  # (1, 24, 20, 3)
    ```

    Reference:
        https://arxiv.org/abs/1809.00219, section 3.1, figure 4;
        https://arxiv.org/abs/2107.10833, section 3.4 (pixel-unshuffle)
    """
    image_shape, output_channels = check_sizes(
        image_shape, output_channels, blocks=blocks, width=width, growth=growth
    )
    one_of("scale", scale, (1, 2, 3, 4, 8))
    if unshuffle is None:
        unshuffle = max(1, 4 // scale)
    one_of("unshuffle", unshuffle, (1, 2, 4))
    if any(side is not None and side % unshuffle for side in image_shape[:2]):
        raise ValueError(
            f"Height and width are multiples of {unshuffle} (`unshuffle`). Received: "
            f"image_shape={image_shape}."
        )

    def lrelu(x, name):
        return layers.LeakyReLU(0.2, name=f"{name}_lrelu")(x)

    def added(x, branch, name):
        branch = layers.Rescaling(RESIDUAL, name=f"{name}_scaled")(branch)
        return layers.Add(name=name)([x, branch])

    def dense_block(x, name):
        maps = [x]
        for i in range(1, CONVS):
            h = maps[0] if i == 1 else layers.Concatenate(name=f"{name}_{i}")(maps)
            h = conv(h, growth, f"{name}_conv{i}", small=True)
            maps.append(lrelu(h, f"{name}_conv{i}"))
        h = layers.Concatenate(name=f"{name}_{CONVS}")(maps)
        return added(x, conv(h, width, f"{name}_conv{CONVS}", small=True), name)

    source = keras.Input(image_shape, name="source")
    x = to_unit(source)
    if unshuffle > 1:
        x = ops.space_to_depth(x, unshuffle)
    first = x = conv(x, width, "first")
    for i in range(blocks):
        h = x
        for k in range(1, DENSE + 1):
            h = dense_block(h, f"block_{i}_dense{k}")
        x = added(x, h, f"block_{i}")
    x = layers.Add(name="body_skip")([first, conv(x, width, "body")])
    # Of 3 there are no files: one step of it.
    steps = [3] if scale == 3 else [2] * doublings(scale, unshuffle)
    for i, step in enumerate(steps):
        x = enlarged(x, step, "nearest", f"up_{i}_nearest")
        x = lrelu(conv(x, width, f"up_{i}"), f"up_{i}")
    x = lrelu(conv(x, width, "high"), "high")
    x = conv(x, output_channels, "last")
    return keras.Model(source, from_unit(x), name=name)
