"""DF-GAN's networks: text that is fused into a generator block by block."""

import math

import keras
from keras import layers

from keras_gans.layers.gain import Gain
from keras_gans.networks.building import builder
from keras_gans.networks.sizes import doublings
from keras_gans.utils.validation import check_shape, check_size

MOST = 8  # times the width that a map's channels are, at most
SLOPE = 0.2
PARTS = ("trunk", "head")  # of a discriminator


def widths(image_shape: tuple[int, int, int], width: int) -> list[int]:
    """The channels of each map, from the image's size down to the smallest."""
    check_size("width", width)
    return [width * min(2**i, MOST) for i in range(doublings(image_shape) + 1)]


@builder
def dfgan_generator(
    image_shape: tuple[int, int, int] = (256, 256, 3),
    text_dim: int = 256,
    latent_dim: int = 100,
    width: int = 32,
    name: str = "generator",
) -> keras.Model:
    """Residual up blocks, each with two deep fusion blocks of noise and sentence.

    A fusion block is two affine maps, whose scales and shifts two small networks
    make of (z, sentence), each followed by a leaky rectifier. There is no norm.

    Args:
        image_shape: tuple (height, width, channels), from 4 pixels: what doubles
            from a shorter side of 4 to 7 pixels.
        text_dim: int, numbers of a sentence's vector.
        latent_dim: int, numbers of a latent code.
        width: int, channels of the largest map; they double downwards, 8 times at
            most.
        name: str.

    Returns:
        `keras.Model` from `[z, text]` to images `[n, *image_shape]` in [-1, 1].

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    generator = keras_gans.networks.dfgan.dfgan_generator((8, 8, 3), 5, 4, width=2)
    generator([np.zeros((2, 4)), np.zeros((2, 5))]).shape  # (2, 8, 8, 3)
    ```

    Reference:
        https://arxiv.org/abs/2008.05865, sections 3.2 and 3.4, figures 2 and 4
    """
    shape = check_shape(image_shape)
    *outer, first = widths(shape, width)
    base = tuple(side // 2 ** len(outer) for side in shape[:2])
    z = keras.Input((check_size("latent_dim", latent_dim),), name="z")
    text = keras.Input((check_size("text_dim", text_dim),), name="text")
    x = _dense(math.prod(base) * first, "project")(z)
    x = layers.Reshape((*base, first), name="reshape")(x)
    condition = layers.Concatenate(name="condition")([z, text])
    for i, channels in enumerate(reversed(outer)):
        x = _up_block(x, condition, channels, f"block_{i}")
    x = _leaky("last_relu")(x)
    x = _conv(shape[-1], 3, "to_rgb")(x)
    images = layers.Activation("tanh", dtype="float32", name="images")(x)
    return keras.Model([z, text], images, name=name)


def _up_block(x, condition, channels, name):
    x = layers.UpSampling2D(name=f"{name}_up")(x)
    skip = x
    if x.shape[-1] != channels:
        skip = _conv(channels, 1, f"{name}_skip")(x)
    for i in (1, 2):
        for j in (0, 1):
            x = _affine(x, condition, f"{name}_fuse{i}_{j}")
            x = _leaky(f"{name}_relu{i}_{j}")(x)
        x = _conv(channels, 3, f"{name}_conv{i}")(x)
    return layers.Add(name=f"{name}_sum")([skip, x])


def _affine(x, condition, name):
    """Equation 5: gamma(condition) x + beta(condition), by channel; x at first."""

    def predict(what, start):
        hidden = _dense(x.shape[-1], f"{name}_{what}1", activation="relu")(condition)
        value = layers.Dense(
            x.shape[-1],
            kernel_initializer="zeros",
            bias_initializer=start,
            name=f"{name}_{what}2",
        )(hidden)
        return layers.Reshape((1, 1, -1), name=f"{name}_{what}")(value)

    scaled = layers.Multiply(name=f"{name}_scaled")([x, predict("gamma", "ones")])
    return layers.Add(name=f"{name}_shifted")([scaled, predict("beta", "zeros")])


@builder
def dfgan_discriminator(
    image_shape: tuple[int, int, int] = (256, 256, 3),
    text_dim: int = 256,
    width: int = 32,
    name: str = "discriminator",
) -> keras.Model:
    """The one-way discriminator: residual down blocks, then the sentence.

    Args:
        image_shape: tuple (height, width, channels), as of `dfgan_generator`.
        text_dim: int, numbers of a sentence's vector.
        width: int, channels of the largest map; they double downwards, 8 times at
            most.
        name: str.

    Returns:
        `keras.Model` from `[images, text]` to logits `[n, 1]`, of two parts:
        `get_layer("trunk")` from images to features, and `get_layer("head")` from
        `[features, text]` to logits.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    d = keras_gans.networks.dfgan.dfgan_discriminator((8, 8, 3), 5, width=2)
    d([np.zeros((2, 8, 8, 3)), np.zeros((2, 5))]).shape  # (2, 1)
    ```

    Reference:
        https://arxiv.org/abs/2008.05865, section 3.3, figure 2
    """
    shape = check_shape(image_shape)
    trunk = dfgan_trunk(shape, width)
    head = dfgan_head(tuple(trunk.output.shape[1:]), text_dim, width)
    images = keras.Input(shape, name="images")
    text = keras.Input((text_dim,), name="text")
    return keras.Model([images, text], head([trunk(images), text]), name=name)


def dfgan_trunk(image_shape: tuple[int, int, int], width: int) -> keras.Model:
    """The part "trunk" of `dfgan_discriminator`: from images to features."""
    first, *others = widths(image_shape, width)
    images = keras.Input(image_shape, name="images")
    x = _conv(first, 3, "from_rgb")(images)
    for i, channels in enumerate(others):
        x = _down_block(x, channels, f"block_{i}")
    return keras.Model(images, x, name="trunk")


def _down_block(x, channels, name):
    residual = _conv(channels, 4, f"{name}_conv1", strides=2, use_bias=False)(
        _padded(x)
    )
    residual = _leaky(f"{name}_relu1")(residual)
    residual = _conv(channels, 3, f"{name}_conv2", use_bias=False)(residual)
    residual = Gain(name=f"{name}_gain")(_leaky(f"{name}_relu2")(residual))
    # A 1 x 1 convolution and a mean of 4 pixels may change places: here it has a
    # quarter of the pixels.
    skip = layers.AveragePooling2D(2, name=f"{name}_pool")(x)
    if x.shape[-1] != channels:
        skip = _conv(channels, 1, f"{name}_skip")(skip)
    return layers.Add(name=f"{name}_sum")([skip, residual])


def _padded(x):
    return layers.ZeroPadding2D(1)(x)


def dfgan_head(shape: tuple[int, int, int], text_dim: int, width: int) -> keras.Model:
    """The part "head" of `dfgan_discriminator`: from features and text to logits."""
    check_size("text_dim", text_dim)
    features = keras.Input(shape, name="features")
    text = keras.Input((text_dim,), name="text")
    rows = layers.Reshape((1, 1, text_dim), name="as_pixel")(text)
    rows = layers.UpSampling2D(shape[:2], name="as_map")(rows)
    x = layers.Concatenate(name="joined")([features, rows])
    x = _leaky("relu")(_conv(2 * width, 3, "joint", use_bias=False)(x))
    x = layers.Conv2D(
        1, shape[:2], use_bias=False, kernel_initializer=_uniform(), name="score"
    )(x)
    logits = layers.Reshape((1,), dtype="float32", name="logits")(x)
    return keras.Model([features, text], logits, name="head")


def _uniform():
    """PyTorch's: uniform of variance 1 / (3 fan_in)."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def _dense(units, name, **kwargs):
    return layers.Dense(units, kernel_initializer=_uniform(), name=name, **kwargs)


def _conv(filters: int, size: int, name: str, **kwargs) -> keras.layers.Layer:
    padding = "valid" if kwargs.get("strides") else "same"
    return layers.Conv2D(
        filters,
        size,
        padding=padding,
        kernel_initializer=_uniform(),
        name=name,
        **kwargs,
    )


def _leaky(name: str) -> keras.layers.Layer:
    return layers.LeakyReLU(SLOPE, name=name)
