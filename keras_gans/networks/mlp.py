"""The multilayer perceptrons of 2014."""

import math

import keras
from keras import layers

from keras_gans.networks.building import builder
from keras_gans.utils.validation import check_row_shape, check_size

# Published MNIST hyper-parameters of the paper's authors.
INIT_G = 0.05


INIT_D = 0.005


@builder
def mlp_generator(
    image_shape: tuple[int, ...] = (28, 28, 1),
    latent_dim: int = 100,
    width: int = 1200,
    name: str = "generator",
) -> keras.Model:
    """Two layers of rectified units, then the pixels.

    The paper's sigmoid in [0, 1] is a tanh in [-1, 1] here: the same family,
    for tanh(x) = 2 sigmoid(2x) - 1.

    Args:
        image_shape: tuple (height, width, channels), or (d,) for vectors: they
            may have any range, so that their last layer is linear.
        latent_dim: int.
        width: int, hidden units a layer.
        name: str.

    Returns:
        `keras.Model` from `[n, latent_dim]` to `[n, *image_shape]`.

    Reference:
        https://arxiv.org/abs/1406.2661
    """

    image_shape = check_row_shape(image_shape)
    check_size("latent_dim", latent_dim)
    check_size("width", width)

    def dense(units, activation):
        initializer = keras.initializers.RandomUniform(-INIT_G, INIT_G)
        return layers.Dense(
            units, activation=activation, kernel_initializer=initializer
        )

    z = keras.Input((latent_dim,), name="z")
    x = dense(width, "relu")(z)
    x = dense(width, "relu")(x)
    x = dense(math.prod(image_shape), None)(x)
    x = layers.Reshape(image_shape)(x)
    last = "linear" if len(image_shape) == 1 else "tanh"
    images = layers.Activation(last, dtype="float32", name="images")(x)
    return keras.Model(z, images, name=name)


@builder
def mlp_discriminator(
    image_shape: tuple[int, ...] = (28, 28, 1),
    width: int = 240,
    pieces: int = 5,
    seed: int = 0,
    name: str = "discriminator",
) -> keras.Model:
    """Two layers of maxout units with dropout, then one logit.

    Args:
        image_shape: tuple (height, width, channels), or (d,) for vectors.
        width: int, maxout units a layer.
        pieces: int, linear pieces a unit.
        seed: int in [0, 2**29), of the dropout masks.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]` to logits `[n, 1]`.

    Reference:
        https://arxiv.org/abs/1406.2661; maxout:
        https://arxiv.org/abs/1302.4389
    """

    image_shape = check_row_shape(image_shape)
    check_size("width", width)
    check_size("pieces", pieces)

    def dense(units, **kwargs):
        initializer = keras.initializers.RandomUniform(-INIT_D, INIT_D)
        return layers.Dense(units, kernel_initializer=initializer, **kwargs)

    images = keras.Input(image_shape, name="images")
    x = layers.Flatten()(images)
    for i, rate in enumerate((0.2, 0.5)):
        x = layers.Dropout(rate, seed=4 * seed + i)(x)
        x = dense(width * pieces)(x)
        x = layers.Reshape((pieces, width))(x)
        x = layers.GlobalMaxPooling1D()(x)
    x = layers.Dropout(0.5, seed=4 * seed + 2)(x)
    logits = dense(1, dtype="float32", name="logits")(x)
    return keras.Model(images, logits, name=name)
