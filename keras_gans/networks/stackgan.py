"""StackGAN's networks: conditioning augmentation, stage I and stage II."""

import keras
from keras import layers

from keras_gans.networks.building import builder
from keras_gans.networks.normal import batch_norm, conv_init
from keras_gans.networks.sizes import doublings
from keras_gans.utils.validation import check_shape, check_size

SLOPE = 0.2
MOST = 8  # times the width that features of a discriminator have
SHRUNK = 4  # times, that a picture of stage I is made smaller


def conditioning(text_dim: int, condition_dim: int) -> keras.Model:
    """From vectors of sentences to the mean and log variance of conditions.

    Both lie above 0: the reference rectifies them.

    Reference:
        https://arxiv.org/abs/1612.03242, section 3.2
    """
    check_size("condition_dim", condition_dim)
    text = keras.Input((check_size("text_dim", text_dim),), name="text")
    both = layers.Dense(
        2 * condition_dim,
        activation="relu",
        kernel_initializer=conv_init(),
        name="both",
    )(text)
    both = layers.Reshape((2, condition_dim), name="pair")(both)
    mean = layers.Cropping1D((0, 1), name="first")(both)
    spread = layers.Cropping1D((1, 0), name="second")(both)
    mean = layers.Reshape((condition_dim,), name="mean")(mean)
    spread = layers.Reshape((condition_dim,), name="log_variance")(spread)
    return keras.Model(text, [mean, spread], name="conditioning")


def _augmented(text, noise, condition_dim):
    """mean + noise exp(log variance / 2)."""
    mean, spread = conditioning(text.shape[-1], condition_dim)(text)
    spread = layers.Rescaling(0.5, name="half")(spread)
    spread = layers.Activation("exponential", name="deviation")(spread)
    moved = layers.Multiply(name="moved")([noise, spread])
    return layers.Add(name="condition")([mean, moved])


@builder
def stackgan_generator(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    text_dim: int = 1024,
    latent_dim: int = 100,
    condition_dim: int = 128,
    width: int = 192,
    name: str = "generator",
) -> keras.Model:
    """Stage I: up blocks of nearest pixels, convolution, batch norm and ReLU.

    Args:
        image_shape: tuple (height, width, channels), from 8 pixels: what doubles
            from a shorter side of 4 to 7 pixels.
        text_dim: int, numbers of a sentence's vector.
        latent_dim: int, numbers of a latent code.
        condition_dim: int, numbers of a condition.
        width: int, even; the largest map has half as many channels, and they double
            downwards.
        name: str.

    Returns:
        `keras.Model` from `[z, augmentation, text]`, `augmentation` being draws of
        N(0, 1) `[n, condition_dim]`, to images `[n, *image_shape]` in [-1, 1]. Its
        `get_layer("conditioning")` gives the mean and log variance of conditions.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    build = keras_gans.networks.stackgan.stackgan_generator
    generator = build((8, 8, 3), text_dim=5, latent_dim=4, condition_dim=2, width=4)
    generator([np.zeros((2, 4)), np.zeros((2, 2)), np.zeros((2, 5))]).shape
    ```

    Reference:
        https://arxiv.org/abs/1612.03242, section 3.3, figure 2
    """
    shape = check_shape(image_shape)
    count = doublings(shape)
    channels = [_part(width, 2, "width") * 2**i for i in range(count + 1)]
    base = tuple(side // 2**count for side in shape[:2])
    z = keras.Input((check_size("latent_dim", latent_dim),), name="z")
    noise = keras.Input((condition_dim,), name="augmentation")
    text = keras.Input((text_dim,), name="text")
    condition = _augmented(text, noise, condition_dim)
    x = layers.Concatenate(name="code")([z, condition])
    x = layers.Dense(
        base[0] * base[1] * channels[-1],
        use_bias=False,
        kernel_initializer=conv_init(),
        name="project",
    )(x)
    x = layers.ReLU(name="relu_0")(batch_norm("norm_0")(x))
    x = layers.Reshape((*base, channels[-1]), name="reshape")(x)
    x = _up(x, channels[-2::-1])
    return keras.Model([z, noise, text], _images(x, shape[-1]), name=name)


def _part(width, of, name):
    check_size(name, width)
    if width % of:
        raise ValueError(
            f"`{name}` must be a multiple of {of}: channels are halved so often. "
            f"Received: {width}."
        )
    return width // of


def _up(x, channels):
    for i, count in enumerate(channels, start=1):
        x = layers.UpSampling2D(name=f"up_{i}")(x)
        x = _conv(count, 3, f"conv_{i}")(x)
        x = layers.ReLU(name=f"relu_{i}")(batch_norm(f"norm_{i}")(x))
    return x


def _images(x, channels):
    x = _conv(channels, 3, "to_rgb")(x)
    return layers.Activation("tanh", dtype="float32", name="images")(x)


@builder
def stackgan_second_generator(
    image_shape: tuple[int, int, int] = (256, 256, 3),
    first: keras.Model | None = None,
    width: int = 192,
    blocks: int = 4,
    name: str = "generator",
) -> keras.Model:
    """Stage II: stage I's picture and the sentence again, to a larger picture.

    Args:
        image_shape: tuple (height, width, channels), 2, 4, 8 or more times as large
            as stage I's pictures.
        first: `keras.Model`, of `stackgan_generator`; it becomes a part of this one,
            `get_layer("first")`.
        width: int, a multiple of 4 where pictures are four times as large, of 2
            where twice; residual blocks have four times as many channels.
        blocks: int, residual blocks.
        name: str.

    Returns:
        `keras.Model` from `[z, augmentation, augmentation_2, text]` to images.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks import stackgan

    first = stackgan.stackgan_generator((8, 8, 3), 5, 4, 2, width=4)
    second = stackgan.stackgan_second_generator((16, 16, 3), first, 4, blocks=1)
    second.output_shape  # (None, 16, 16, 3)
    ```

    Reference:
        https://arxiv.org/abs/1612.03242, section 3.4, figure 2
    """
    shape = check_shape(image_shape)
    if first is None:
        first = stackgan_generator((shape[0] // 4, shape[1] // 4, shape[2]))
    small = tuple(first.output_shape)[1:]
    ratio = shape[0] // small[0]
    ups = ratio.bit_length() + 1
    fits = ratio >= 2 and shape == (ratio * small[0], ratio * small[1], small[2])
    if not fits or ratio & (ratio - 1) or any(side % SHRUNK for side in small[:2]):
        raise ValueError(
            "Stage II makes pictures 2, 4, 8, ... times as large as stage I's, whose "
            f"sides are multiples of {SHRUNK}. Received: image_shape={shape}, and "
            f"{small} of stage I."
        )
    check_size("blocks", blocks)
    _part(width, 2 ** (ups - 2), "width")
    specs = [(x.name, x.shape[1:]) for x in first.inputs]
    z, noise, text = (keras.Input(side, name=label) for label, side in specs)
    again = keras.Input(noise.shape[1:], name="augmentation_2")
    first = keras.Model(first.inputs, first.outputs[0], name="first")
    x = first([z, noise, text])
    x = layers.ReLU(name="encode_relu_0")(_conv(width, 3, "encode_0")(x))
    for i in (1, 2):
        x = _conv(2**i * width, 4, f"encode_{i}", strides=2)(_padded(x))
        x = layers.ReLU(name=f"encode_relu_{i}")(batch_norm(f"encode_norm_{i}")(x))
    x = _joined(x, _augmented(text, again, noise.shape[-1]))
    x = _conv(4 * width, 3, "joint")(x)
    x = layers.ReLU(name="joint_relu")(batch_norm("joint_norm")(x))
    for i in range(blocks):
        x = _residual(x, f"block_{i}")
    x = _up(x, [4 * width // 2**i for i in range(1, ups + 1)])
    images = _images(x, shape[-1])
    return keras.Model([z, noise, again, text], images, name=name)


def _residual(x, name):
    skip = x
    x = _conv(skip.shape[-1], 3, f"{name}_conv1")(x)
    x = layers.ReLU(name=f"{name}_relu1")(batch_norm(f"{name}_norm1")(x))
    x = batch_norm(f"{name}_norm2")(_conv(skip.shape[-1], 3, f"{name}_conv2")(x))
    x = layers.Add(name=f"{name}_sum")([skip, x])
    return layers.ReLU(name=f"{name}_relu2")(x)


def _joined(x, condition):
    """A map, and at each of its pixels the condition."""
    rows = layers.Reshape((1, 1, condition.shape[-1]), name="as_pixel")(condition)
    rows = layers.UpSampling2D(tuple(x.shape[1:3]), name="as_map")(rows)
    return layers.Concatenate(name="joined")([x, rows])


@builder
def stackgan_discriminator(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    condition_dim: int = 128,
    width: int = 96,
    unconditional: bool = False,
    name: str = "discriminator",
) -> keras.Model:
    """Down blocks of a stage, then a condition; and logits without one.

    Args:
        image_shape: tuple (height, width, channels), from 8 pixels: what doubles
            from a shorter side of 4 to 7 pixels.
        condition_dim: int, numbers of a condition.
        width: int, channels of the largest map; they double downwards, and are
            brought back to 8 times as many where they are more.
        unconditional: bool, whether there are logits of pictures by themselves too,
            as of stage II.
        name: str.

    Returns:
        `keras.Model` from `[images, condition]` to logits `[n, 1]`, or to a list of
        conditional and unconditional ones. Its parts are "trunk", from images to
        features, "head", from `[features, condition]` to logits, and "own".

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    build = keras_gans.networks.stackgan.stackgan_discriminator
    d = build((8, 8, 3), condition_dim=2, width=2)
    d([np.zeros((2, 8, 8, 3)), np.zeros((2, 2))]).shape  # (2, 1)
    ```

    Reference:
        https://arxiv.org/abs/1612.03242, sections 3.3 and 3.4
    """
    shape = check_shape(image_shape)
    check_size("condition_dim", condition_dim)
    trunk = stackgan_trunk(shape, width)
    side = tuple(trunk.output.shape[1:])
    head = _head(side, condition_dim)
    images = keras.Input(shape, name="images")
    condition = keras.Input((condition_dim,), name="condition")
    features = trunk(images)
    logits = head([features, condition])
    if unconditional:
        seen = keras.Input(side, name="features")
        own = keras.Model(seen, _score(seen, side), name="own")
        logits = [logits, own(features)]
    return keras.Model([images, condition], logits, name=name)


def stackgan_trunk(shape: tuple[int, int, int], width: int) -> keras.Model:
    """The part "trunk" of `stackgan_discriminator`."""
    check_size("width", width)
    images = x = keras.Input(shape, name="images")
    for i in range(max(1, doublings(shape))):
        x = _conv(width * 2**i, 4, f"down_{i}", strides=2)(_padded(x))
        x = batch_norm(f"down_norm_{i}")(x) if i else x
        x = layers.LeakyReLU(SLOPE, name=f"down_relu_{i}")(x)
    i = 0
    while x.shape[-1] > MOST * width:
        x = _conv(x.shape[-1] // 2, 3, f"narrow_{i}")(x)
        x = batch_norm(f"narrow_norm_{i}")(x)
        x = layers.LeakyReLU(SLOPE, name=f"narrow_relu_{i}")(x)
        i += 1
    return keras.Model(images, x, name="trunk")


def _head(side, condition_dim):
    features = keras.Input(side, name="features")
    condition = keras.Input((condition_dim,), name="condition")
    x = _conv(side[-1], 3, "joint")(_joined(features, condition))
    x = layers.LeakyReLU(SLOPE, name="joint_relu")(batch_norm("joint_norm")(x))
    return keras.Model([features, condition], _score(x, side), name="head")


def _score(x, side):
    x = layers.Conv2D(1, side[:2], kernel_initializer=conv_init(), name="score")(x)
    return layers.Reshape((1,), dtype="float32", name="logits")(x)


def _padded(x):
    return layers.ZeroPadding2D(1)(x)


def _conv(filters, size, name, strides=1):
    return layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same" if strides == 1 else "valid",
        use_bias=False,
        kernel_initializer=conv_init(),
        name=name,
    )
