"""R3GAN's networks: residual blocks of grouped convolutions, without any norm."""

import math
from typing import NamedTuple

import keras
from keras import layers

from keras_gans.networks.precision import cast_to, precisions
from keras_gans.networks.resampling import downsampled, upsampled
from keras_gans.networks.sizes import doublings
from keras_gans.utils.text import count_of
from keras_gans.utils.validation import check_shape, check_size, is_int

EXPANSION = 2  # hidden channels of a block for each channel
GROUP = 16  # hidden channels that a grouped convolution mixes
SLOPE = 0.2  # of leaky ReLUs


class Stage(NamedTuple):
    """The residual blocks of one size.

    Attributes:
        width: int, channels.
        blocks: int, how many.
        groups: int, of hidden channels.
    """

    width: int
    blocks: int
    groups: int


def plan(
    image_shape: tuple[int, int, int],
    widths: tuple[int, ...],
    blocks: int | tuple[int, ...],
    group_size: int | tuple[int, ...] | None,
) -> tuple[tuple[int, int], list[Stage]]:
    """The stages of both networks, from the smallest map on.

    Args:
        image_shape: tuple (height, width, channels).
        widths: tuple of ints, channels of each stage.
        blocks: int, residual blocks of a stage, or a tuple of one for each.
        group_size: int, channels of a group of hidden channels, or a tuple; by
            default 16, or fewer where 16 do not divide them.

    Returns:
        `(base, stages)`: the smallest map's (height, width), and a list of
        `Stage`.

    Raises:
        ValueError: doublings of a map of 4 to 7 pixels do not reach the shape,
            or groups do not divide the hidden channels.
    """
    shape = check_shape(image_shape)
    if not isinstance(widths, (tuple, list)) or not all(
        is_int(w) and w > 0 for w in widths
    ):
        raise ValueError(
            "`widths` are the channels of each stage, positive ints from the "
            f"smallest map to the largest. Received: widths={widths!r}."
        )
    wanted = doublings(shape)
    if len(widths) != wanted + 1:
        raise ValueError(
            f"Images of {shape[0]} x {shape[1]} pixels have "
            f"{count_of(wanted + 1, 'stage')}: {count_of(wanted, 'doubling')} of "
            f"{shape[0] >> wanted} x {shape[1] >> wanted}. Received: "
            f"{count_of(len(widths), 'width')}, {tuple(widths)}."
        )
    counts = _for_each("blocks", blocks, widths)
    if group_size is None:
        group_size = [math.gcd(EXPANSION * width, GROUP) for width in widths]
    sizes = _for_each("group_size", group_size, widths)
    stages = []
    for width, count, size in zip(widths, counts, sizes, strict=True):
        hidden = EXPANSION * width
        if hidden % size:
            raise ValueError(
                f"Blocks of `width` channels have {EXPANSION} * width hidden ones, in "
                f"groups of `group_size`. Received: width={width}, group_size={size}. "
                f"Choose a group size that divides {hidden}."
            )
        stages.append(Stage(width, count, hidden // size))
    return tuple(side >> wanted for side in shape[:2]), stages


def _for_each(name, value, widths):
    """A number for each stage, of one for all or as many."""
    values = (
        tuple(value) if isinstance(value, (tuple, list)) else (value,) * len(widths)
    )
    for number in values:
        check_size(name, number)
    if len(values) != len(widths):
        raise ValueError(
            f"`{name}` is an int, or one for each of {len(widths)} stages. Received: "
            f"{name}={value!r}."
        )
    return values


def r3gan_generator(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    latent_dim: int = 64,
    widths: tuple[int, ...] = (128, 128, 128, 64),
    *,
    blocks: int | tuple[int, ...] = 2,
    group_size: int | tuple[int, ...] | None = None,
    num_classes: int | None = None,
    embedding_dim: int | None = None,
    half_blocks: int = 0,
    name: str = "generator",
) -> keras.Model:
    """A learned map scaled by z, then stages of residual blocks.

    Between stages the size doubles. The images have no bound: a GAN's samples
    are cut to their range.

    Args:
        image_shape: tuple (height, width, channels): a shorter side of 4 to 7
            pixels, doubled any number of times.
        latent_dim: int.
        widths: tuple of ints, channels of each stage from the smallest map on.
        blocks: int, residual blocks of a stage, or a tuple of one for each.
        group_size: int, hidden channels that a grouped convolution mixes, or a
            tuple; 16 by default, 32 in the reference's networks for ImageNet.
        num_classes: `None`, or int: the model then takes `[z, label]`, and joins
            the class's embedding to z.
        embedding_dim: int, size of the embedding; `latent_dim` by default.
        half_blocks: int, how many of the largest maps are computed in bfloat16, with
            weights in float32; 0 leaves it to Keras's policy.
        name: str.

    Returns:
        `keras.Model` from float32 `[n, latent_dim]`, or from that and int32
        `[n]`, to float32 `[n, *image_shape]`.

    Raises:
        ValueError: doubling does not reach the size, or groups do not divide
            the channels.

    Example:

    ```python
    from keras_gans.networks.r3gan import r3gan_generator

    generator = r3gan_generator((24, 48, 1), widths=(16, 16, 8), blocks=1)
    generator(np.zeros((4, 64), "float32")).shape  # (4, 24, 48, 1)
    ```

    Reference:
        https://arxiv.org/abs/2501.05441, sections 4.1 and 4.2
    """
    base, stages = plan(image_shape, widths, blocks, group_size)
    *dtypes, full = precisions(len(stages), half_blocks)
    check_size("latent_dim", latent_dim)
    z = keras.Input((latent_dim,), name="z")
    code, inputs = z, z
    if num_classes is not None:
        check_size("num_classes", num_classes)
        label = keras.Input((), dtype="int32", name="label")
        size = check_size("embedding_dim", embedding_dim or latent_dim)
        embedding = _embedding(num_classes, size, 1.0)(label)
        code = layers.Concatenate(dtype=full, name="code")([z, embedding])
        inputs = [z, label]
    x = _linear(widths[0], "project", full)(code)
    # Each channel's map is learned; the code scales it.
    x = layers.EinsumDense(
        "nc,chw->nhwc",
        (*base, widths[0]),
        kernel_initializer=keras.initializers.RandomNormal(0.0, 1.0),
        dtype=full,
        name="basis",
    )(x)
    total = sum(stage.blocks for stage in stages)
    for i, stage in enumerate(stages):
        x = cast_to(x, dtypes[i])
        if i:
            if stage.width != stages[i - 1].width:
                x = _pointwise(stage.width, f"stage{i}_widen", dtypes[i])(x)
            x = upsampled(x)
        x = _residuals(x, stage, f"stage{i}", total, dtypes[i])
    images = _pointwise(image_shape[-1], "images", dtype="float32")(x)
    return keras.Model(inputs, images, name=name)


def r3gan_discriminator(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    widths: tuple[int, ...] = (128, 128, 128, 64),
    *,
    blocks: int | tuple[int, ...] = 2,
    group_size: int | tuple[int, ...] | None = None,
    num_classes: int | None = None,
    embedding_dim: int | None = None,
    half_blocks: int = 0,
    name: str = "discriminator",
) -> keras.Model:
    """The generator's stages in reverse, and a score of the smallest map.

    Args:
        image_shape: tuple (height, width, channels), as of `r3gan_generator`.
        widths: tuple of ints, channels of each stage from the smallest map, the
            last, on.
        blocks: int, residual blocks of a stage, or a tuple of one for each.
        group_size: int, hidden channels that a grouped convolution mixes, or a
            tuple; 16 by default.
        num_classes: `None`, or int: the model then takes `[images, label]`, and
            its score is the inner product of features and the class's embedding.
        embedding_dim: int, size of the embedding; `widths[0]` by default.
        half_blocks: int, as of `r3gan_generator`.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]`, or from that and int32 `[n]`, to
        float32 logits `[n, 1]`.

    Raises:
        ValueError: doubling does not reach the size, or groups do not divide
            the channels.

    Example:

    ```python
    from keras_gans.networks.r3gan import r3gan_discriminator

    discriminator = r3gan_discriminator((24, 48, 1), widths=(16, 16, 8), blocks=1)
    discriminator(np.zeros((4, 24, 48, 1), "float32")).shape  # (4, 1)
    ```

    Reference:
        https://arxiv.org/abs/2501.05441, sections 4.1 and 4.2
    """
    base, stages = plan(image_shape, widths, blocks, group_size)
    *dtypes, _ = precisions(len(stages), half_blocks)
    images = keras.Input(image_shape, name="images")
    x = _pointwise(widths[-1], "from_images", dtypes[-1])(images)
    total = sum(stage.blocks for stage in stages)
    for i, stage in reversed([*enumerate(stages)]):
        x = _residuals(cast_to(x, dtypes[i]), stage, f"stage{i}", total, dtypes[i])
        if i:
            x = downsampled(x)
            if stages[i - 1].width != stage.width:
                x = _pointwise(stages[i - 1].width, f"stage{i}_widen", dtypes[i])(x)
    # What follows decides the scale of the logits: float32.
    x = layers.DepthwiseConv2D(
        base,
        use_bias=False,
        depthwise_initializer=keras.initializers.RandomNormal(
            0.0, 1.0 / math.sqrt(math.prod(base))
        ),
        dtype="float32",
        name="basis",
    )(x)
    x = layers.Flatten(dtype="float32", name="features")(x)
    if num_classes is None:
        logits = _linear(1, "logits", dtype="float32")(x)
        return keras.Model(images, logits, name=name)
    check_size("num_classes", num_classes)
    label = keras.Input((), dtype="int32", name="label")
    size = check_size("embedding_dim", embedding_dim or widths[0])
    x = _linear(size, "project", dtype="float32")(x)
    embedding = _embedding(num_classes, size, 1.0 / math.sqrt(size))(label)
    logits = layers.Dot(1, dtype="float32", name="logits")([x, embedding])
    return keras.Model([images, label], logits, name=name)


def _residuals(x, stage, name, total, dtype):
    """The blocks of a stage, each x + L3(a(L2(a(L1(x))))) with a leaky ReLU a.

    They start as x.

    Reference:
        https://arxiv.org/abs/2501.05441, section 4.2; the scale of L1 and L2:
        https://arxiv.org/abs/1901.09321, of `total` blocks of three layers
    """
    # total^(-1 / (2 * 3 - 2)), squared, and He's for a slope.
    scale = 2.0 / (1.0 + SLOPE**2) / math.sqrt(total)
    init = keras.initializers.VarianceScaling(scale, "fan_in", "untruncated_normal")
    for i in range(stage.blocks):
        x = _residual(x, stage, f"{name}_block{i}", init, dtype)
    return x


def _residual(x, stage, name, init, dtype):
    hidden = EXPANSION * stage.width
    own = {"kernel_initializer": init, "dtype": dtype}
    h = layers.Conv2D(hidden, 1, **own, name=f"{name}_expand")(x)
    h = layers.LeakyReLU(SLOPE, dtype=dtype, name=f"{name}_relu1")(h)
    mix = {"padding": "same", "groups": stage.groups, "name": f"{name}_mix"}
    h = layers.Conv2D(hidden, 3, **own, **mix)(h)
    h = layers.LeakyReLU(SLOPE, dtype=dtype, name=f"{name}_relu2")(h)
    h = layers.Conv2D(
        stage.width,
        1,
        use_bias=False,
        kernel_initializer="zeros",
        dtype=dtype,
        name=f"{name}_reduce",
    )(h)
    return layers.Add(dtype=dtype, name=name)([x, h])


def _normal():
    return keras.initializers.VarianceScaling(1.0, "fan_in", "untruncated_normal")


def _pointwise(width, name, dtype=None):
    return layers.Conv2D(
        width, 1, use_bias=False, kernel_initializer=_normal(), dtype=dtype, name=name
    )


def _linear(width, name, dtype=None):
    return layers.Dense(
        width, use_bias=False, kernel_initializer=_normal(), dtype=dtype, name=name
    )


def _embedding(num_classes, size, gain):
    # A linear layer of one-hot labels, of which `num_classes` go in.
    deviation = gain / math.sqrt(num_classes)
    return layers.Embedding(
        num_classes,
        size,
        embeddings_initializer=keras.initializers.RandomNormal(0.0, deviation),
        dtype="float32",
        name="class_embedding",
    )
