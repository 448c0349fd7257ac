"""DCGAN's networks with class labels, in one of three ways."""

import keras
from keras import layers, ops

from keras_gans.networks.building import builder
from keras_gans.networks.dcgan import down_blocks, score, up_blocks
from keras_gans.utils.suggestions import hint
from keras_gans.utils.validation import check_classes, check_shape, check_size, packed

EMBEDDING = 50  # numbers a class in the discriminator's embedding


CONDITIONINGS = ("embedding", "one_hot", "projection")


def check_conditioning(conditioning: str) -> str:
    """Returns `conditioning`, one of `CONDITIONINGS`.

    Raises:
        ValueError: it is something else.
    """
    if conditioning not in CONDITIONINGS:
        raise ValueError(
            f"`conditioning` is one of {', '.join(CONDITIONINGS)}. Received: "
            f"conditioning={conditioning!r}.{hint(conditioning, CONDITIONINGS)}"
        )
    return conditioning


@builder
def conditional_generator(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    num_classes: int = 10,
    latent_dim: int = 100,
    width: int = 64,
    conditioning: str = "embedding",
    name: str = "generator",
) -> keras.Model:
    """DCGAN's generator of a latent code and a class.

    The class joins the latent code: as a learned vector of as many numbers
    ("embedding") or as one-hot numbers ("one_hot"). With "projection" each
    batch norm has a gain and a bias of its own for each class.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more.
        num_classes: int.
        latent_dim: int.
        width: int, channels of the largest hidden map; they double downwards.
        conditioning: "embedding", "one_hot" or "projection".
        name: str.

    Returns:
        `keras.Model` from `[z, label]`, float32 `[n, latent_dim]` and int32
        `[n]`, to `[n, *image_shape]` in [-1, 1].

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.conditional_dcgan import conditional_generator

    generator = conditional_generator((28, 28, 1), num_classes=10, width=8)
    generator([np.zeros((2, 100), "float32"), np.array([3, 7])]).shape
    ```

    Reference:
        https://arxiv.org/abs/1411.1784
    """
    check_conditioning(conditioning)
    check_classes(num_classes)
    check_size("latent_dim", latent_dim)
    z = keras.Input((latent_dim,), name="z")
    label = keras.Input((), dtype="int32", name="label")
    if conditioning == "projection":
        images = up_blocks(z, image_shape, width, label, num_classes)
        return keras.Model([z, label], images, name=name)
    if conditioning == "embedding":
        code = layers.Embedding(num_classes, latent_dim, name="embed")(label)
    else:
        code = ops.one_hot(label, num_classes)
    code = layers.Concatenate(name="code")([z, code])
    images = up_blocks(code, image_shape, width)
    return keras.Model([z, label], images, name=name)


@builder
def conditional_discriminator(
    image_shape: tuple[int, int, int] = (64, 64, 3),
    num_classes: int = 10,
    width: int = 64,
    conditioning: str = "embedding",
    norm: str | None = "batch",
    packing: int = 1,
    minibatch_stddev: int | None = None,
    name: str = "discriminator",
) -> keras.Model:
    """DCGAN's discriminator of images and their classes.

    The class joins the image as more channels: one map made of a learned
    vector ("embedding"), or a map of ones and zeros for each class
    ("one_hot"). With "projection" the logit is that of the image plus the
    inner product of its features with a learned vector of the class.

    Args:
        image_shape: tuple (height, width, channels), 16 pixels or more.
        num_classes: int.
        width: int, channels of the first map; they double downwards.
        conditioning: "embedding", "one_hot" or "projection".
        norm: "batch", "layer" or `None`: see `dcgan_discriminator`.
        packing: int, how many images, and labels, are seen together.
        minibatch_stddev: `None`, or the int size of `MinibatchStdDev` groups.
        name: str.

    Returns:
        `keras.Model` from `[images, label]` to logits `[n, 1]`; images
        `[n, height, width, packing * channels]`, labels int32 `[n]`, or
        `[n, packing]` of packs.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.conditional_dcgan import (
        conditional_discriminator,
    )

    critic = conditional_discriminator((28, 28, 1), num_classes=10, width=8)
    critic([np.zeros((2, 28, 28, 1), "float32"), np.array([3, 7])]).shape
    ```

    Reference:
        https://arxiv.org/abs/1411.1784; projection:
        https://arxiv.org/abs/1802.05637, equation 3
    """
    check_conditioning(conditioning)
    check_classes(num_classes)
    height, image_width = check_shape(image_shape)[:2]
    shape = packed(image_shape, packing)
    images = keras.Input(shape, name="images")
    label_shape = () if packing == 1 else (packing,)
    label = keras.Input(label_shape, dtype="int32", name="label")
    if conditioning == "projection":
        x = down_blocks(images, width, norm, minibatch_stddev)
        # The sum over the map, as the paper's: a mean would learn too slowly.
        h = ops.sum(ops.cast(x, "float32"), axis=(1, 2))
        embed = layers.Embedding(
            num_classes, h.shape[-1], dtype="float32", name="embed"
        )
        y = embed(label)
        if packing > 1:
            y = ops.mean(y, axis=1)
        inner = ops.sum(y * h, axis=-1, keepdims=True)
        logits = layers.Add(dtype="float32", name="projected")([score(x), inner])
        return keras.Model([images, label], logits, name=name)
    if conditioning == "embedding":
        y = layers.Embedding(num_classes, EMBEDDING, name="embed")(label)
        y = layers.Dense(height * image_width, name="embed_map")(y)
        y = layers.Reshape((packing, height, image_width), name="maps")(y)
        y = layers.Permute((2, 3, 1), name="label_maps")(y)
    else:
        y = layers.Flatten()(ops.one_hot(label, num_classes))
        y = layers.RepeatVector(height * image_width, name="pixels")(y)
        y = layers.Reshape((height, image_width, -1), name="label_maps")(y)
    x = layers.Concatenate(name="labelled")([images, y])
    logits = score(down_blocks(x, width, norm, minibatch_stddev))
    return keras.Model([images, label], logits, name=name)
