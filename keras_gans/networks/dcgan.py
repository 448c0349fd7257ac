"""DCGAN's networks, for any size from 16 pixels up."""

import math

import keras
from keras import layers

from keras_gans.layers.minibatch_stddev import MinibatchStdDev
from keras_gans.networks.building import builder
from keras_gans.networks.normal import batch_norm, conditional_batch_norm, conv_init
from keras_gans.networks.sizes import cut
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_shape, check_size

MIN_SIZE = 16


MAX_WIDTHS = 16  # channels stop doubling at 16 times the first width


NORMS = {
    None: None,
    "batch": batch_norm,
    # Layer normalization of a map: over all of it, with a gain a channel.
    "layer": lambda name: layers.GroupNormalization(groups=1, epsilon=1e-5, name=name),
}


def stages(
    image_shape: tuple[int, int, int], width: int
) -> tuple[tuple[int, int], list[int]]:
    """How often a size is halved until its shorter side is 4 to 7 pixels.

    Returns:
        `(base, channels)`: the smallest map's (height, width), and the
        channels of each map from the largest to the smallest.

    Raises:
        ValueError: `image_shape` is no (height, width, channels) from 16 up.
    """
    image_shape = check_shape(image_shape)
    check_size("width", width)
    if min(image_shape[:2]) < MIN_SIZE:
        raise ValueError(
            "DCGAN makes images (height, width, channels) of at least "
            f"{MIN_SIZE} x {MIN_SIZE} pixels. Received: image_shape="
            f"{tuple(image_shape)}. Give a larger `image_shape`."
        )
    halvings = int(math.log2(min(image_shape[:2]) / 4))
    base = tuple(-(-side // 2**halvings) for side in image_shape[:2])
    channels = [width * min(2**i, MAX_WIDTHS) for i in range(halvings)]
    return base, channels


@builder
def dcgan_generator(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    latent_dim: int = 100,
    width: int = 64,
    name: str = "generator",
) -> keras.Model:
    """Up blocks of transposed convolution, batch norm and ReLU.

    At 64 x 64 it equals the generator of PyTorch's DCGAN example; its first
    transposed convolution, of a 1 x 1 map, is a matrix product here.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more. Sides
            that are no multiple of the blocks' factor are cropped.
        latent_dim: int.
        width: int, channels of the largest hidden map; they double downwards.
        name: str.

    Returns:
        `keras.Model` from `[n, latent_dim]` to `[n, *image_shape]` in [-1, 1].

    Raises:
        ValueError: `image_shape` is too small.

    Example:

    ```python
    generator = keras_gans.networks.dcgan.dcgan_generator((28, 28, 1), width=32)
    generator(keras.random.normal((4, 100))).shape  # (4, 28, 28, 1)
    ```

    Reference:
        https://arxiv.org/abs/1511.06434, figure 1
    """
    check_size("latent_dim", latent_dim)
    z = keras.Input((latent_dim,), name="z")
    return keras.Model(z, up_blocks(z, image_shape, width), name=name)


def up_blocks(
    code: Tensor,
    image_shape: tuple[int, int, int],
    width: int,
    label: Tensor | None = None,
    num_classes: int | None = None,
) -> Tensor:
    """The generator's layers: images of a code `[n, d]`.

    With a label, the batch norms are conditional on it.
    """

    def norm(x, name):
        if label is None:
            return batch_norm(name)(x)
        return conditional_batch_norm(x, label, num_classes, name)

    base, channels = stages(image_shape, width)
    x = layers.Dense(
        math.prod(base) * channels[-1],
        use_bias=False,
        kernel_initializer=conv_init(),
        name="project",
    )(code)
    x = layers.Reshape((*base, channels[-1]), name="reshape")(x)
    x = layers.ReLU(name="relu_0")(norm(x, "norm_0"))
    for i, filters in enumerate([*channels[-2::-1], image_shape[-1]], start=1):
        x = layers.Conv2DTranspose(
            filters,
            4,
            2,
            padding="same",
            use_bias=False,
            kernel_initializer=conv_init(),
            name=f"up_{i}",
        )(x)
        if i < len(channels):
            x = layers.ReLU(name=f"relu_{i}")(norm(x, f"norm_{i}"))
    x = cut(x, image_shape)
    return layers.Activation("tanh", dtype="float32", name="images")(x)


@builder
def dcgan_discriminator(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    width: int = 64,
    norm: str | None = "batch",
    name: str = "discriminator",
) -> keras.Model:
    """Down blocks of strided convolution, batch norm and leaky ReLU.

    At 64 x 64 it equals the discriminator of PyTorch's DCGAN example before
    its sigmoid.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more.
        width: int, channels of the first map; they double downwards.
        norm: "batch"; "layer" or `None` for a critic whose gradient is
            penalized, in which no row may depend on the others.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` to logits `[n, 1]`.

    Raises:
        ValueError: `image_shape` is too small, or `norm` unknown.

    Example:

    ```python
    dcgan_discriminator = keras_gans.networks.dcgan.dcgan_discriminator
    critic = dcgan_discriminator((28, 28, 1), width=32)
    critic(keras.ops.zeros((4, 28, 28, 1))).shape  # (4, 1)
    ```

    Reference:
        https://arxiv.org/abs/1511.06434, section 3
    """
    images = keras.Input(check_shape(image_shape), name="images")
    x = down_blocks(images, width, norm)
    return keras.Model(images, score(x), name=name)


def down_blocks(
    x: Tensor,
    width: int,
    norm: str | None = "batch",
    minibatch_stddev: int | None = None,
) -> Tensor:
    """The discriminator's layers before its score: a map of 4 to 7 pixels.

    With the size of a group, `MinibatchStdDev` is the last of them.
    """
    if norm not in NORMS:
        raise ValueError(
            f"`norm` is 'batch', 'layer' or None. Received: norm={norm!r}."
        )
    _, channels = stages(tuple(x.shape[1:]), width)
    for i, filters in enumerate(channels):
        x = layers.Conv2D(
            filters,
            4,
            2,
            padding="same",
            use_bias=norm is None,
            kernel_initializer=conv_init(),
            name=f"down_{i}",
        )(x)
        if i > 0 and norm is not None:
            x = NORMS[norm](f"norm_{i}")(x)
        x = layers.LeakyReLU(0.2, name=f"lrelu_{i}")(x)
    if minibatch_stddev is not None:
        x = MinibatchStdDev(minibatch_stddev, name="minibatch_stddev")(x)
    return x


def score(x: Tensor, units: int = 1, name: str = "score") -> Tensor:
    """One linear unit or more of a whole map: float32 `[n, units]`."""
    x = layers.Conv2D(
        units, x.shape[1:3], use_bias=False, kernel_initializer=conv_init(), name=name
    )(x)
    logits = "logits" if name == "score" else f"{name}_logits"
    return layers.Flatten(dtype="float32", name=logits)(x)
