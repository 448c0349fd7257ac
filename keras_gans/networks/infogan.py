"""InfoGAN's networks: DCGAN's, of codes, and Q beside D."""

import keras
from keras import layers, ops

from keras_gans.networks.building import builder
from keras_gans.networks.dcgan import down_blocks, score, up_blocks
from keras_gans.utils.validation import check_shape, check_size, is_int, within

Q_UNITS = 128  # of the hidden layer of Q


def check_categories(num_categories: int, num_codes: int) -> None:
    """Checks how many codes there are.

    Raises:
        ValueError: not an int of 2 or more, and an int of 1 or more.
    """
    ok = is_int(num_categories) and num_categories >= 2
    within("num_categories", num_categories, ok, "2, 3, ...")
    check_size("num_codes", num_codes)


@builder
def infogan_generator(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    num_categories: int = 10,
    num_codes: int = 2,
    latent_dim: int = 62,
    width: int = 64,
    name: str = "generator",
) -> keras.Model:
    """DCGAN's generator of noise, a category and continuous codes.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more.
        num_categories: int, values of the categorical code.
        num_codes: int, continuous codes.
        latent_dim: int, incompressible noise z.
        width: int, channels of the largest hidden map; they double downwards.
        name: str.

    Returns:
        `keras.Model` from `[z, label, codes]`, float32 `[n, latent_dim]`,
        int32 `[n]` and float32 `[n, num_codes]` in [-1, 1], to images
        `[n, *image_shape]` in [-1, 1].

    Raises:
        ValueError: an argument is out of its range.

    Reference:
        https://arxiv.org/abs/1606.03657, appendix C
    """
    check_categories(num_categories, num_codes)
    check_size("latent_dim", latent_dim)
    z = keras.Input((latent_dim,), name="z")
    label = keras.Input((), dtype="int32", name="label")
    codes = keras.Input((num_codes,), name="codes")
    parts = [z, ops.one_hot(label, num_categories), codes]
    code = layers.Concatenate(name="code")(parts)
    images = up_blocks(code, image_shape, width)
    return keras.Model([z, label, codes], images, name=name)


@builder
def infogan_discriminator(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    num_categories: int = 10,
    num_codes: int = 2,
    width: int = 64,
    norm: str | None = None,
    minibatch_stddev: int | None = None,
    name: str = "discriminator",
) -> keras.Model:
    """DCGAN's discriminator, and Q on top of the same features.

    Without batch norm by default, as ACGAN's, for the same reason.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more.
        num_categories: int, values of the categorical code.
        num_codes: int, continuous codes.
        width: int, channels of the first map; they double downwards.
        norm: "batch", "layer" or `None`: see `dcgan_discriminator`.
        minibatch_stddev: `None`, or the int size of `MinibatchStdDev` groups.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` to a list: logits `[n, 1]`, Q's
        logits `[n, num_categories]` of the category, Q's mean `[n, num_codes]`
        of the continuous codes.

    Raises:
        ValueError: an argument is out of its range.

    Reference:
        https://arxiv.org/abs/1606.03657, appendix C
    """
    check_categories(num_categories, num_codes)
    images = keras.Input(check_shape(image_shape), name="images")
    x = down_blocks(images, width, norm, minibatch_stddev)
    q = layers.Dense(Q_UNITS, name="q_hidden")(layers.Flatten()(x))
    q = layers.LeakyReLU(0.2, name="q_lrelu")(q)
    outputs = [
        score(x),
        layers.Dense(num_categories, dtype="float32", name="q_category")(q),
        layers.Dense(num_codes, dtype="float32", name="q_codes")(q),
    ]
    return keras.Model(images, outputs, name=name)
