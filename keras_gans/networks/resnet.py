"""The residual networks of WGAN-GP, SNGAN, SAGAN and the projection cGAN.

From 16 pixels up, square or not. At 32, 48, 64 and 128 pixels they are those
of kwotsin/mimicry, whose published numbers they can therefore reach.
"""

import math
from typing import NamedTuple

import keras
from keras import layers

from keras_gans.layers.attention import SelfAttention
from keras_gans.layers.spectral import SpectralNormalization
from keras_gans.networks.building import builder
from keras_gans.networks.normal import conditional_batch_norm
from keras_gans.networks.sizes import cut
from keras_gans.utils.validation import check_shape, check_size

MIN_SIZE = 16
SMALL = 32  # up to here every map has the same width
MAX_HALVINGS = 4  # of the width


class Block(NamedTuple):
    """A residual block of the critic.

    Attributes:
        inputs: int, channels that it takes.
        outputs: int, channels that it gives.
        halves: bool, whether its map has half the size.
    """

    inputs: int
    outputs: int
    halves: bool


def generator_plan(
    image_shape: tuple[int, int, int], width: int
) -> tuple[tuple[int, int], list[int]]:
    """The maps of the generator, from the smallest to the largest.

    The size doubles from a shorter side of 4 to 6 pixels. Up to 32 pixels
    every map has `width` channels; beyond, channels halve with each doubling,
    the last four times.

    Args:
        image_shape: tuple (height, width, channels).
        width: int.

    Returns:
        `(base, widths)`: the smallest map's (height, width), and the channels
        of every map; one more than there are blocks.

    Raises:
        ValueError: `image_shape` or `width` is too small.
    """
    side = _shorter_side(image_shape)
    check_size("width", width)
    doublings = math.ceil(math.log2(side / 6))
    base = tuple(-(-size // 2**doublings) for size in image_shape[:2])
    if side <= SMALL:
        return base, [width] * (doublings + 1)
    most = min(doublings, MAX_HALVINGS)
    _check_width(width, most)
    counts = [max(0, most - i) for i in range(doublings, -1, -1)]
    return base, [width >> halvings for halvings in counts]


def critic_plan(image_shape: tuple[int, int, int], width: int) -> list[Block]:
    """The critic's blocks.

    Up to 32 pixels: four blocks of `width` channels, the first two of which
    halve the map. Beyond: channels double from `width / 16` to `width`, and
    the map is halved to 2 or 3 pixels, from 128 pixels on to 4 to 7.

    Args:
        image_shape: tuple (height, width, channels).
        width: int.

    Returns:
        List of `Block`.

    Raises:
        ValueError: `image_shape` or `width` is too small.
    """
    side = _shorter_side(image_shape)
    check_size("width", width)
    if side <= SMALL:
        halvings, widths = 2, [width] * 4
    else:
        _check_width(width, MAX_HALVINGS)
        halvings = int(math.log2(side)) - (1 if side < 128 else 2)
        count = halvings + (side < 64 or side >= 128)
        counts = [max(0, MAX_HALVINGS - i) for i in range(count)]
        widths = [width >> i for i in counts]
    return [
        Block(inputs, outputs, halves=i < halvings)
        for i, (inputs, outputs) in enumerate(
            zip([image_shape[-1], *widths[:-1]], widths, strict=True)
        )
    ]


def generator_maps(image_shape: tuple[int, int, int], width: int) -> dict[int, int]:
    """The shorter side of the map after each block, and its channels."""
    base, widths = generator_plan(image_shape, width)
    return {min(base) << i: widths[i] for i in range(1, len(widths))}


def critic_maps(image_shape: tuple[int, int, int], width: int) -> dict[int, int]:
    """The same of the critic: of several maps of one size, the first."""
    maps, side = {}, min(image_shape[:2])
    for block in critic_plan(image_shape, width):
        side = -(-side // 2) if block.halves else side
        maps.setdefault(side, block.outputs)
    return maps


def _shorter_side(image_shape):
    side = min(check_shape(image_shape)[:2])
    if side < MIN_SIZE:
        raise ValueError(
            "The residual networks take images (height, width, channels) of "
            f"at least {MIN_SIZE} x {MIN_SIZE} pixels. Received: image_shape="
            f"{tuple(image_shape)}. Give a larger `image_shape`."
        )
    return side


def _check_width(width, halvings):
    least = 2**halvings
    if width < least:
        raise ValueError(
            f"Beyond {SMALL} pixels the channels halve {halvings} times, so "
            f"`width` must be at least {least}. Received: width={width}."
        )


def _xavier(gain):
    return keras.initializers.VarianceScaling(gain**2, "fan_avg", "uniform")


def _conv(filters, kernel_size, gain, name):
    return layers.Conv2D(
        filters,
        kernel_size,
        padding="same",
        kernel_initializer=_xavier(gain),
        name=name,
    )


# --- Generator ---


@builder
def resnet_generator(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    latent_dim: int = 128,
    width: int = 256,
    num_classes: int | None = None,
    spectral_norm: bool = False,
    attention: int | None = None,
    name: str = "generator",
) -> keras.Model:
    """Residual blocks with batch norm that double the size, bilinearly.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more. Sides
            that doubling does not reach are cut to size.
        latent_dim: int.
        width: int, channels of the smallest map. The reference has 256 at 32
            pixels, 512 at 48 and 1024 from 64 on.
        num_classes: `None`, or int: the batch norms of the blocks then depend
            on a class, and the model takes `[z, label]`.
        spectral_norm: bool, whether every layer but the norms has spectral
            normalization.
        attention: `None`, or the shorter side of the map that self-attention
            follows.
        name: str.

    Returns:
        `keras.Model` from `[n, latent_dim]`, or from that and int32 `[n]`, to
        float32 `[n, *image_shape]` in [-1, 1].

    Raises:
        ValueError: a size is too small, or `attention` is no map's.

    Example:

    ```python
    from keras_gans.networks.resnet import resnet_generator

    generator = resnet_generator((28, 28, 1), width=16, num_classes=10)
    z = np.random.normal(size=(4, 128)).astype("float32")
    generator([z, np.arange(4)]).shape  # (4, 28, 28, 1)
    ```

    Reference:
        https://arxiv.org/abs/1704.00028, appendix;
        https://arxiv.org/abs/1802.05957, appendix B.4;
        https://arxiv.org/abs/1802.05637
    """
    (height, base_width), widths = generator_plan(image_shape, width)
    check_size("latent_dim", latent_dim)
    z = keras.Input((latent_dim,), name="z")
    label = None
    if num_classes is not None:
        check_size("num_classes", num_classes)
        label = _label_input()
    wrapped = _wrapper(spectral_norm)
    project = layers.Dense(
        height * base_width * widths[0], kernel_initializer=_xavier(1), name="project"
    )
    x = wrapped(project)(z)
    x = layers.Reshape((height, base_width, widths[0]), name="reshape")(x)
    sizes = list(generator_maps(image_shape, width))
    _check_attention(attention, sizes)
    for i, filters in enumerate(widths[1:], start=1):
        x = _generator_block(x, label, num_classes, filters, wrapped, f"block{i}")
        if sizes[i - 1] == attention:
            x = _attention(x, spectral_norm)
    x = layers.ReLU(name="relu")(_norm("norm")(x))
    x = wrapped(_conv(image_shape[-1], 3, 1, "to_images"))(x)
    x = cut(x, image_shape)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    inputs = z if label is None else [z, label]
    return keras.Model(inputs, images, name=name)


def _wrapper(spectral_norm):
    """A function that normalizes a layer spectrally, or leaves it."""

    def wrapped(layer, **kwargs):
        return SpectralNormalization(layer, **kwargs) if spectral_norm else layer

    return wrapped


def _check_attention(attention, sizes):
    if attention is not None and attention not in sizes:
        raise ValueError(
            "`attention` is the shorter side of a map, one of "
            f"{', '.join(map(str, dict.fromkeys(sizes)))}. Received: "
            f"attention={attention!r}."
        )


def _attention(x, spectral_norm):
    start = _xavier(1)
    return SelfAttention(spectral_norm, initializer=start, name="attention")(x)


def _label_input():
    return keras.Input((), dtype="int32", name="label")


def _norm(name):
    # PyTorch's momentum 0.1 is Keras's 0.9.
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=name)


def _generator_block(x, label, num_classes, filters, wrapped, name):
    def normalized(x, name):
        if label is None:
            return _norm(name)(x)
        return conditional_batch_norm(x, label, num_classes, name)

    def doubled(x, name):
        return layers.UpSampling2D(interpolation="bilinear", name=name)(x)

    h = layers.ReLU(name=f"{name}_relu1")(normalized(x, f"{name}_norm1"))
    h = doubled(h, f"{name}_up")
    h = wrapped(_conv(filters, 3, math.sqrt(2), f"{name}_conv1"))(h)
    h = layers.ReLU(name=f"{name}_relu2")(normalized(h, f"{name}_norm2"))
    h = wrapped(_conv(filters, 3, math.sqrt(2), f"{name}_conv2"))(h)
    # The reference doubles first. A 1 x 1 convolution commutes with that, and
    # on the small map it costs a quarter.
    shortcut = wrapped(_conv(filters, 1, 1, f"{name}_shortcut"))(x)
    shortcut = doubled(shortcut, f"{name}_shortcut_up")
    return layers.Add(name=name)([h, shortcut])


# --- Critic ---


@builder
def resnet_critic(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    width: int = 128,
    num_classes: int | None = None,
    spectral_norm: bool = False,
    pooling: str = "mean",
    attention: int | None = None,
    name: str = "discriminator",
) -> keras.Model:
    """Residual blocks without batch norm, and a score of the pooled features.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more.
        width: int, channels of the smallest map. The reference has 128 at 32
            pixels and 1024 beyond.
        num_classes: `None`, or int: the model then takes `[images, label]`
            and adds the inner product of the class's embedding and the
            features to the score.
        spectral_norm: bool, whether every layer has spectral normalization.
        pooling: "mean" (WGAN-GP) or "sum" (SNGAN), of features over the map.
        attention: `None`, or the shorter side of the map that self-attention
            follows: of several of one size, the first.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]`, or from that and int32 `[n]`,
        to float32 logits `[n, 1]`.

    Raises:
        ValueError: a size is too small, `pooling` unknown or `attention` no
            map's.

    Example:

    ```python
    from keras_gans.networks.resnet import resnet_critic

    critic = resnet_critic((28, 28, 1), width=8, spectral_norm=True)
    critic(np.zeros((4, 28, 28, 1), "float32")).shape  # (4, 1)
    ```

    Reference:
        https://arxiv.org/abs/1704.00028, appendix;
        https://arxiv.org/abs/1802.05957, appendix B.4;
        https://arxiv.org/abs/1802.05637, equation 3
    """
    blocks = critic_plan(image_shape, width)
    if pooling not in ("mean", "sum"):
        raise ValueError(f'`pooling` must be "mean" or "sum". Received: {pooling!r}.')

    wrapped = _wrapper(spectral_norm)
    sizes = list(critic_maps(image_shape, width))  # the first halve the map
    _check_attention(attention, sizes)
    place = None if attention is None else sizes.index(attention) + 1
    images = keras.Input(image_shape, name="images")
    x = _first_block(images, blocks[0], wrapped, "block1")
    if place == 1:
        x = _attention(x, spectral_norm)
    for i, block in enumerate(blocks[1:], start=2):
        x = layers.ReLU(name=f"block{i}_relu1")(x)
        x = _critic_block(x, block, wrapped, f"block{i}")
        if place == i:
            x = _attention(x, spectral_norm)
    x = layers.ReLU(name="relu")(x)
    height, map_width = x.shape[1:3]
    # What follows decides the scale of the logits: float32.
    h = layers.GlobalAveragePooling2D(dtype="float32", name="mean")(x)
    if pooling == "sum":
        h = layers.Rescaling(height * map_width, dtype="float32", name="sum")(h)
    # The reference iterates these two in evaluation as well.
    ends = {"iterate_in_inference": True} if spectral_norm else {}
    score = layers.Dense(
        1, kernel_initializer=_xavier(1), dtype="float32", name="score"
    )
    logits = wrapped(score, **ends)(h)
    if num_classes is None:
        return keras.Model(images, logits, name=name)
    check_size("num_classes", num_classes)
    label = _label_input()
    embedding = layers.Embedding(
        num_classes,
        width,
        embeddings_initializer=_xavier(1),
        dtype="float32",
        name="class_embedding",
    )
    projection = layers.Dot(1, dtype="float32", name="projection")(
        [wrapped(embedding, **ends)(label), h]
    )
    logits = layers.Add(dtype="float32", name="logits")([logits, projection])
    return keras.Model([images, label], logits, name=name)


def _halved(x, name):
    # At even sizes nothing is padded; at odd ones no pixel is lost.
    return layers.AveragePooling2D(2, padding="same", name=name)(x)


def _first_block(x, block, wrapped, name):
    """The block of the images themselves, which no ReLU comes before."""
    filters = block.outputs
    h = wrapped(_conv(filters, 3, math.sqrt(2), f"{name}_conv1"))(x)
    h = layers.ReLU(name=f"{name}_relu2")(h)
    h = wrapped(_conv(filters, 3, math.sqrt(2), f"{name}_conv2"))(h)
    shortcut = _halved(x, f"{name}_shortcut_pool")
    shortcut = wrapped(_conv(filters, 1, 1, f"{name}_shortcut"))(shortcut)
    return layers.Add(name=name)([_halved(h, f"{name}_pool"), shortcut])


def _critic_block(x, block, wrapped, name):
    """A block of relu(x): in the reference the shortcut takes that as well."""
    h = wrapped(_conv(block.inputs, 3, math.sqrt(2), f"{name}_conv1"))(x)
    h = layers.ReLU(name=f"{name}_relu2")(h)
    h = wrapped(_conv(block.outputs, 3, math.sqrt(2), f"{name}_conv2"))(h)
    if block.halves:
        h = _halved(h, f"{name}_pool")
        x = _halved(x, f"{name}_shortcut_pool")
    if block.halves or block.inputs != block.outputs:
        # After pooling, with which a 1 x 1 convolution commutes: a quarter of
        # the reference's cost.
        x = wrapped(_conv(block.outputs, 1, 1, f"{name}_shortcut"))(x)
    return layers.Add(name=name)([h, x])
