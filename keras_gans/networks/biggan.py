"""BigGAN's networks, and BigGAN-deep's: residual, spectrally normalized.

From ajbrock/BigGAN-PyTorch; at 32 to 256 pixels they are its networks. Channels
are given as factors of `width`, one table for each number of doublings.
"""

from typing import NamedTuple

import keras
from keras import layers

from keras_gans.layers.attention import SelfAttention
from keras_gans.layers.spectral import SpectralNormalization
from keras_gans.networks.building import builder
from keras_gans.networks.sizes import doublings
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_classes, check_size, is_int, within

# Channels of each map over `width`, by how often the size doubles.
G_WIDTHS = {
    1: (4, 4),
    2: (4, 4, 4),
    3: (4, 4, 4, 4),
    4: (16, 16, 8, 4, 2),
    5: (16, 16, 8, 4, 2, 1),
    6: (16, 16, 8, 8, 4, 2, 1),
    7: (16, 16, 8, 8, 4, 2, 1, 1),
}
D_WIDTHS = {
    1: (4, 4, 4, 4),
    2: (4, 4, 4, 4),
    3: (4, 4, 4, 4),
    4: (1, 2, 4, 8, 16),
    5: (1, 2, 4, 8, 16, 16),
    6: (1, 2, 4, 8, 8, 16, 16),
    7: (1, 1, 2, 4, 8, 8, 16, 16),
}
SMALL = 3  # up to so many doublings, two of D's blocks halve the map
CHUNK = 20  # numbers of z for the first map and for each block, by default
WHOLE_LATENT = 128  # where z is not cut


class Block(NamedTuple):
    """A residual block.

    Attributes:
        inputs: int, channels that it takes.
        outputs: int, channels that it gives.
        resizes: bool, whether its map is doubled (of G) or halved (of D).
        attention: bool, whether self-attention follows.
    """

    inputs: int
    outputs: int
    resizes: bool
    attention: bool


def generator_plan(
    image_shape: tuple[int, int, int],
    width: int,
    attention: tuple[int, ...] = (),
    depth: int = 1,
) -> tuple[tuple[int, int], list[Block]]:
    """The smallest map's (height, width), and the generator's blocks.

    Args:
        image_shape: tuple (height, width, channels).
        width: int.
        attention: shorter sides of the maps that attention follows.
        depth: int, blocks for each size, of which the last doubles.

    Raises:
        ValueError: no table has this size, or a number is no positive int.
    """
    count = _doublings(image_shape)
    check_size("width", width)
    check_size("depth", depth)
    base = tuple(side >> count for side in image_shape[:2])
    sizes = _sizes_of_g(image_shape, count)
    _check_attention(attention, image_shape, count)
    widths = [width * factor for factor in G_WIDTHS[count]]
    blocks = []
    for i, size in enumerate(sizes):
        before, after = widths[i : i + 2]
        blocks += [Block(before, before, False, False)] * (depth - 1)
        blocks.append(Block(before, after, True, size in attention))
    return base, blocks


def discriminator_plan(
    image_shape: tuple[int, int, int],
    width: int,
    attention: tuple[int, ...] = (),
    depth: int = 1,
    stem: bool = False,
) -> list[Block]:
    """The discriminator's blocks; arguments and errors as of `generator_plan`.

    Of `depth` blocks the first halves the map. With a `stem`, a convolution to
    the table's first width comes before them, in place of the first block.
    """
    count = _doublings(image_shape)
    check_size("width", width)
    check_size("depth", depth)
    halvings = count if count > SMALL else min(count, 2)
    widths = [width * factor for factor in D_WIDTHS[count]]
    side, before = min(image_shape[:2]), image_shape[-1]
    if stem:
        before, *widths = widths
    sizes = [side >> min(i + 1, halvings) for i in range(len(widths))]
    if count <= SMALL:
        # The reference calls all maps of its small discriminator by the size of
        # the first: attention there follows every block.
        sizes = [side // 2] * len(widths)
    _check_attention(attention, image_shape, count)
    blocks = []
    for i, (after, size) in enumerate(zip(widths, sizes, strict=True)):
        blocks.append(Block(before, after, i < halvings, False))
        blocks += [Block(after, after, False, False)] * (depth - 1)
        blocks[-1] = blocks[-1]._replace(attention=size in attention)
        before = after
    return blocks


def _doublings(image_shape):
    count = doublings(image_shape)
    if count not in G_WIDTHS:
        raise ValueError(
            f"BigGAN's sizes double 1 to {max(G_WIDTHS)} times from 4 to 7 pixels. "
            f"Received: image_shape={tuple(image_shape)}, {count} times. Give an "
            f"`image_shape` whose shorter side has 8 to {7 << max(G_WIDTHS)} pixels."
        )
    return count


def _sizes_of_g(image_shape, count):
    return [min(image_shape[:2]) >> count - i for i in range(1, count + 1)]


def _check_attention(attention, image_shape, count):
    """Of both networks: what one has no map of may be for the other."""
    side = min(image_shape[:2])
    halved = [side // 2] if count <= SMALL else [side >> i for i in range(1, count + 1)]
    sizes = sorted({*_sizes_of_g(image_shape, count), *halved})
    if not isinstance(attention, (tuple, list)) or set(attention) - set(sizes):
        raise ValueError(
            "`attention` is a tuple of shorter sides of maps, of "
            f"{', '.join(map(str, sizes))}. Received: "
            f"attention={attention!r}. Give `attention=[{sizes[-1]}]`, or "
            "`attention=None`, which has none below 128 pixels."
        )


def default_attention(image_shape: tuple[int, int, int]) -> tuple[int, ...]:
    """Where the reference has attention: at 64 pixels of 128 or more, else none.

    Example:

    ```python
    from keras_gans.networks.biggan import default_attention

    default_attention((128, 128, 3))  # (64,)
    ```
    """
    base = min(image_shape[:2]) >> _doublings(image_shape)
    return (base * 16,) if _doublings(image_shape) > 4 else ()


def default_latent_dim(
    image_shape: tuple[int, int, int],
    depth: int = 1,
    bottleneck: int = 1,
    shared_dim: int = 128,
    hierarchical: bool = True,
) -> int:
    """20 numbers for the first map and for each block; 128 where z is not cut.

    Example:

    ```python
    from keras_gans.networks.biggan import default_latent_dim

    default_latent_dim((128, 128, 3))  # 120
    ```
    """
    if (depth, bottleneck) != (1, 1) or not shared_dim or not hierarchical:
        return WHOLE_LATENT
    return CHUNK * (_doublings(image_shape) + 1)


class _Parts:
    """Layers of one network: normalized or not, from the same start."""

    def __init__(self, normalized, initializer, epsilon=1e-5, num_classes=None):
        self.normalized, self.initializer = normalized, initializer
        self.epsilon, self.num_classes = epsilon, num_classes

    def _start(self):
        start = keras.initializers.get(self.initializer)
        return type(start).from_config(start.get_config())

    def _wrapped(self, layer):
        # The reference iterates in evaluation as well.
        if not self.normalized:
            return layer
        return SpectralNormalization(layer, iterate_in_inference=True)

    def conv(self, x, filters, size, name):
        conv = layers.Conv2D(
            filters, size, padding="same", kernel_initializer=self._start(), name=name
        )
        return self._wrapped(conv)(x)

    def dense(self, x, units, name, use_bias=True, **kwargs):
        dense = layers.Dense(
            units,
            use_bias=use_bias,
            kernel_initializer=self._start(),
            name=name,
            **kwargs,
        )
        return self._wrapped(dense)(x)

    def embedding(self, label, classes, dim, name, **kwargs):
        start = self._start()
        table = layers.Embedding(
            classes, dim, embeddings_initializer=start, name=name, **kwargs
        )
        return self._wrapped(table)(label)

    def attention(self, x, name):
        return SelfAttention(
            self.normalized,
            iterate_in_inference=True,
            initializer=self._start(),
            name=name,
        )(x)

    def batch_norm(self, name, **kwargs):
        # PyTorch's momentum 0.1 is Keras's 0.9.
        return layers.BatchNormalization(
            momentum=0.9, epsilon=self.epsilon, name=name, **kwargs
        )

    def _of_code(self, code, units, name):
        if self.num_classes is None:
            return self.dense(code, units, name, use_bias=False)
        start = self._start()
        return layers.Embedding(
            self.num_classes, units, embeddings_initializer=start, name=name
        )(code)

    def conditional_norm(self, x, code, name):
        """Batch norm whose gain 1 + Wy and bias Vy are linear in a code y.

        With `num_classes` y is a class, and W and V are tables of them.
        """
        x = self.batch_norm(name, center=False, scale=False)(x)
        channels = x.shape[-1]

        def linear(suffix):
            y = self._of_code(code, channels, f"{name}_{suffix}")
            return layers.Reshape((1, 1, channels), name=f"{name}_{suffix}_map")(y)

        gain = layers.Rescaling(1.0, 1.0, name=f"{name}_one")(linear("gain"))
        x = layers.Multiply(name=f"{name}_scaled")([x, gain])
        return layers.Add(name=f"{name}_shifted")([x, linear("bias")])


def _first_channels(x: Tensor, count: int) -> Tensor:
    return x if x.shape[-1] == count else x[..., :count]


# --- Generator ---


@builder
def biggan_generator(
    image_shape: tuple[int, int, int] = (128, 128, 3),
    num_classes: int = 1000,
    latent_dim: int | None = None,
    width: int = 96,
    *,
    shared_dim: int = 128,
    hierarchical: bool = True,
    attention: tuple[int, ...] | None = None,
    depth: int = 1,
    bottleneck: int = 1,
    spectral_norm: bool = True,
    initializer: str | keras.initializers.Initializer = "orthogonal",
    epsilon: float = 1e-5,
    name: str = "generator",
) -> keras.Model:
    """BigGAN's generator: every norm learns from the class and a part of z.

    z is cut into one chunk for the first map and one for each block. Deep
    networks, of `depth` or `bottleneck` above 1, give each all of z. Not
    `hierarchical`, or without a shared embedding, norms learn from the class
    alone, and the first map from z.

    Args:
        image_shape: tuple (height, width, channels), a shorter side of 4 to 7
            pixels doubled up to 7 times: 32, 64, 128, 256 as the reference has
            them.
        num_classes: int of 2 or more.
        latent_dim: int; 20 for each chunk by default, 120 at 128 pixels.
        width: int, the factor of all channels; 96 in the reference at 128
            pixels, 64 at 32.
        shared_dim: int, numbers of the embedding that all norms share; 0 for a
            gain and a bias of each class in each norm instead, as the reference's
            script for CIFAR has them.
        hierarchical: bool, whether norms are given parts of z too, next to the
            shared embedding.
        attention: shorter sides of the maps that self-attention follows; 64 by
            default from 128 pixels on, `()` for none.
        depth: int, blocks for each size; 2 in BigGAN-deep.
        bottleneck: int; above 1, blocks have four convolutions of as many times
            fewer channels, and their shortcut has no weights; 4 in BigGAN-deep.
        spectral_norm: bool, whether all layers are normalized but the embedding.
        initializer: str or Keras initializer, of all kernels.
        epsilon: float above 0, of batch norm.
        name: str.

    Returns:
        `keras.Model` from `[z, label]`, float32 `[n, latent_dim]` and int32
        `[n]`, to float32 `[n, *image_shape]` in [-1, 1].

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.biggan import biggan_generator

    generator = biggan_generator((32, 32, 3), 10, width=4, shared_dim=16)
    z = np.random.normal(size=(4, 80)).astype("float32")
    generator([z, np.arange(4)]).shape  # (4, 32, 32, 3)
    ```

    Reference:
        https://arxiv.org/abs/1809.11096, appendix B
    """
    check_classes(num_classes)
    if attention is None:
        attention = default_attention(image_shape)
    base, blocks = generator_plan(image_shape, width, attention, depth)
    check_size("bottleneck", bottleneck)
    ok = is_int(shared_dim) and shared_dim >= 0
    within("shared_dim", shared_dim, ok, "[0, inf)")
    if latent_dim is None:
        sizes = (depth, bottleneck, shared_dim, hierarchical)
        latent_dim = default_latent_dim(image_shape, *sizes)
    check_size("latent_dim", latent_dim)
    tables = None if shared_dim else num_classes
    parts = _Parts(spectral_norm, initializer, epsilon, tables)
    z = keras.Input((latent_dim,), name="z")
    label = keras.Input((), dtype="int32", name="label")
    if shared_dim:
        start = parts._start()
        shared = layers.Embedding(
            num_classes, shared_dim, embeddings_initializer=start, name="shared"
        )(label)
    if not shared_dim or not hierarchical:
        first, codes = z, [shared if shared_dim else label] * len(blocks)
    elif (depth, bottleneck) == (1, 1):
        first, *codes = _chunks(z, len(blocks) + 1)
        codes = [
            layers.Concatenate(name=f"code{i}")([shared, chunk])
            for i, chunk in enumerate(codes)
        ]
    else:
        first = layers.Concatenate(name="code")([shared, z])
        codes = [first] * len(blocks)
    _block = _plain_up if bottleneck == 1 else _deep_up
    x = parts.dense(first, base[0] * base[1] * blocks[0].inputs, "project")
    x = layers.Reshape((*base, blocks[0].inputs), name="reshape")(x)
    for i, (block, code) in enumerate(zip(blocks, codes, strict=True)):
        x = _block(parts, x, code, block, bottleneck, f"block{i}")
        if block.attention:
            x = parts.attention(x, f"block{i}_attention")
    x = layers.ReLU(name="relu")(parts.batch_norm("norm")(x))
    x = parts.conv(x, image_shape[-1], 3, "to_images")
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model([z, label], images, name=name)


def _chunks(z, count):
    dim = z.shape[-1]
    if dim % count:
        near = sorted({max(count, dim // count * count), -(-dim // count) * count})
        raise ValueError(
            f"z is cut into {count} chunks, one for the first map and one for each "
            f"block. Received: latent_dim={dim}. Near it: "
            f"{' or '.join(map(str, near))}."
        )
    size = dim // count
    return [z[:, i * size : (i + 1) * size] for i in range(count)]


def _plain_up(parts, x, code, block, bottleneck, name):
    h = layers.ReLU(name=f"{name}_relu1")(
        parts.conditional_norm(x, code, f"{name}_norm1")
    )
    if block.resizes:
        h = layers.UpSampling2D(name=f"{name}_up")(h)
    h = parts.conv(h, block.outputs, 3, f"{name}_conv1")
    h = layers.ReLU(name=f"{name}_relu2")(
        parts.conditional_norm(h, code, f"{name}_norm2")
    )
    h = parts.conv(h, block.outputs, 3, f"{name}_conv2")
    if block.resizes or block.inputs != block.outputs:
        # The reference doubles first; a 1 x 1 convolution commutes with that.
        x = parts.conv(x, block.outputs, 1, f"{name}_shortcut")
    if block.resizes:
        x = layers.UpSampling2D(name=f"{name}_shortcut_up")(x)
    return layers.Add(name=name)([h, x])


def _deep_up(parts, x, code, block, bottleneck, name):
    hidden = _hidden(block.inputs, bottleneck)
    h = x
    for i, (filters, size) in enumerate(
        ((hidden, 1), (hidden, 3), (hidden, 3), (block.outputs, 1)), start=1
    ):
        h = parts.conditional_norm(h, code, f"{name}_norm{i}")
        h = layers.ReLU(name=f"{name}_relu{i}")(h)
        if block.resizes and i == 2:
            h = layers.UpSampling2D(name=f"{name}_up")(h)
        h = parts.conv(h, filters, size, f"{name}_conv{i}")
    x = _first_channels(x, block.outputs)
    if block.resizes:
        x = layers.UpSampling2D(name=f"{name}_shortcut_up")(x)
    return layers.Add(name=name)([h, x])


def _hidden(channels, bottleneck):
    if channels < bottleneck:
        raise ValueError(
            "A block's hidden maps have a part of its channels. Received: "
            f"bottleneck={bottleneck} for {channels} channels. Choose a larger "
            "`width`, or a smaller `bottleneck`."
        )
    return channels // bottleneck


# --- Discriminator ---


@builder
def biggan_discriminator(
    image_shape: tuple[int, int, int] = (128, 128, 3),
    num_classes: int = 1000,
    width: int = 96,
    *,
    attention: tuple[int, ...] | None = None,
    depth: int = 1,
    bottleneck: int = 1,
    spectral_norm: bool = True,
    initializer: str | keras.initializers.Initializer = "orthogonal",
    name: str = "discriminator",
) -> keras.Model:
    """BigGAN's discriminator: no norm of maps, and a projection of the class.

    Args:
        image_shape: tuple (height, width, channels), as of `biggan_generator`.
        num_classes: int of 2 or more.
        width: int, the factor of all channels.
        attention: as of `biggan_generator`. Up to 32 pixels, half of the shorter
            side is the one size there is, and puts it after every block.
        depth: int, as of `biggan_generator`.
        bottleneck: int, as of `biggan_generator`.
        spectral_norm: bool, whether all layers are normalized.
        initializer: str or Keras initializer, of all kernels.
        name: str.

    Returns:
        `keras.Model` from `[images, label]`, float32 `[n, *image_shape]` and
        int32 `[n]`, to float32 logits `[n, 1]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.biggan import biggan_discriminator

    discriminator = biggan_discriminator((32, 32, 3), 10, width=4)
    images = np.zeros((4, 32, 32, 3), "float32")
    discriminator([images, np.arange(4)]).shape  # (4, 1)
    ```

    Reference:
        https://arxiv.org/abs/1809.11096, appendix B
    """
    check_classes(num_classes)
    if attention is None:
        attention = default_attention(image_shape)
    deep = (depth, bottleneck) != (1, 1)
    check_size("bottleneck", bottleneck)
    blocks = discriminator_plan(image_shape, width, attention, depth, deep)
    parts = _Parts(spectral_norm, initializer)
    images = keras.Input(image_shape, name="images")
    label = keras.Input((), dtype="int32", name="label")
    x = images
    if deep:
        x = parts.conv(x, blocks[0].inputs, 3, "from_images")
    for i, block in enumerate(blocks):
        named = f"block{i}"
        if bottleneck > 1:
            x = _deep_down(parts, x, block, bottleneck, named)
        else:
            x = _plain_down(parts, x, block, deep or i > 0, named)
        if block.attention:
            x = parts.attention(x, f"{named}_attention")
    x = layers.ReLU(name="relu")(x)
    height, map_width, channels = x.shape[1:]
    # What follows decides the scale of the logits: float32.
    single = {"dtype": "float32"}
    h = layers.GlobalAveragePooling2D(name="mean", **single)(x)
    h = layers.Rescaling(height * map_width, name="sum", **single)(h)
    logits = parts.dense(h, 1, "score", **single)
    table = parts.embedding(label, num_classes, channels, "class_embedding", **single)
    projection = layers.Dot(1, name="projection", **single)([table, h])
    logits = layers.Add(name="logits", **single)([logits, projection])
    return keras.Model([images, label], logits, name=name)


def _plain_down(parts, x, block, activated, name):
    def halved(x, suffix):
        if not block.resizes:
            return x
        return layers.AveragePooling2D(2, name=f"{name}_{suffix}")(x)

    h = layers.ReLU(name=f"{name}_relu1")(x) if activated else x
    h = parts.conv(h, block.outputs, 3, f"{name}_conv1")
    h = layers.ReLU(name=f"{name}_relu2")(h)
    h = halved(parts.conv(h, block.outputs, 3, f"{name}_conv2"), "pool")
    # The reference halves last but in the first block; the two commute.
    x = halved(x, "shortcut_pool")
    if block.resizes or block.inputs != block.outputs:
        x = parts.conv(x, block.outputs, 1, f"{name}_shortcut")
    return layers.Add(name=name)([h, x])


def _deep_down(parts, x, block, bottleneck, name):
    hidden = _hidden(block.outputs, bottleneck)
    h = x
    for i, size in enumerate((1, 3, 3), start=1):
        h = layers.ReLU(name=f"{name}_relu{i}")(h)
        h = parts.conv(h, hidden, size, f"{name}_conv{i}")
    h = layers.ReLU(name=f"{name}_relu4")(h)
    if block.resizes:
        h = layers.AveragePooling2D(2, name=f"{name}_pool")(h)
        x = layers.AveragePooling2D(2, name=f"{name}_shortcut_pool")(x)
    h = parts.conv(h, block.outputs, 1, f"{name}_conv4")
    if block.inputs != block.outputs:
        more = parts.conv(x, block.outputs - block.inputs, 1, f"{name}_shortcut")
        x = layers.Concatenate(name=f"{name}_widened")([x, more])
    return layers.Add(name=name)([h, x])
