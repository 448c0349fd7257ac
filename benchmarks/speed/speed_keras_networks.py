"""The networks of keras_gans that speed.py measures, of plain Keras layers.

    python benchmarks/speed/speed_keras.py keras

uses them. Same layers, widths and numbers of parameters as ours, and nothing
of keras_gans.
"""

import math

import keras
from keras import layers

LATENT_DIMS = {"dcgan": 100, "conditional": 100, "wgan_gp": 128}
CLASSES = 10
EMBEDDING = 50
NORMAL = keras.initializers.RandomNormal(0.0, 0.02)


def norm(x):
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5)(x)


def images_of(x):
    return layers.Activation("tanh", dtype="float32")(x)


def ladder(size, width):
    halvings = int(math.log2(size / 4))
    return [width * min(2**i, 16) for i in range(halvings)]


def up_blocks(code, size, width):
    channels = ladder(size, width)
    options = {"use_bias": False, "kernel_initializer": NORMAL}
    x = layers.Dense(16 * channels[-1], **options)(code)
    x = layers.Reshape((4, 4, channels[-1]))(x)
    x = layers.ReLU()(norm(x))
    for filters in channels[-2::-1]:
        x = layers.Conv2DTranspose(filters, 4, 2, "same", **options)(x)
        x = layers.ReLU()(norm(x))
    return images_of(layers.Conv2DTranspose(3, 4, 2, "same", **options)(x))


def down_blocks(x, size, width):
    options = {"use_bias": False, "kernel_initializer": NORMAL}
    for i, filters in enumerate(ladder(size, width)):
        x = layers.Conv2D(filters, 4, 2, "same", **options)(x)
        x = norm(x) if i > 0 else x
        x = layers.LeakyReLU(0.2)(x)
    x = layers.Conv2D(1, 4, **options)(x)
    return layers.Flatten(dtype="float32")(x)


def dcgan(size, width):
    z = keras.Input((LATENT_DIMS["dcgan"],))
    images = keras.Input((size, size, 3))
    return (
        keras.Model(z, up_blocks(z, size, width)),
        keras.Model(images, down_blocks(images, size, width)),
    )


def conditional(size, width):
    dim = LATENT_DIMS["conditional"]
    z, images = keras.Input((dim,)), keras.Input((size, size, 3))
    label = keras.Input((), dtype="int32")
    code = layers.Concatenate()([z, layers.Embedding(CLASSES, dim)(label)])
    y = layers.Dense(size * size)(layers.Embedding(CLASSES, EMBEDDING)(label))
    y = layers.Reshape((size, size, 1))(y)
    x = layers.Concatenate()([images, y])
    return (
        keras.Model([z, label], up_blocks(code, size, width)),
        keras.Model([images, label], down_blocks(x, size, width)),
    )


def wgan_gp(size, width):
    """At 32 pixels or below, as many blocks as ours."""
    z = keras.Input((LATENT_DIMS["wgan_gp"],))
    doublings = math.ceil(math.log2(size / 6))
    side = size // 2**doublings
    x = layers.Dense(side * side * 2 * width)(z)
    x = layers.Reshape((side, side, 2 * width))(x)
    for _ in range(doublings):
        x = _generator_block(x, 2 * width)
    x = layers.Conv2D(3, 3, padding="same")(layers.ReLU()(norm(x)))
    images = keras.Input((size, size, 3))
    y = _critic_block(images, width, halves=True)
    for halves in (True, False, False):
        y = _critic_block(layers.ReLU()(y), width, halves)
    y = layers.GlobalAveragePooling2D(dtype="float32")(layers.ReLU()(y))
    logits = layers.Dense(1, dtype="float32")(y)
    return keras.Model(z, images_of(x)), keras.Model(images, logits)


def _doubled(x):
    return layers.UpSampling2D(interpolation="bilinear")(x)


def _generator_block(x, width):
    h = _doubled(layers.ReLU()(norm(x)))
    h = layers.Conv2D(width, 3, padding="same")(h)
    h = layers.ReLU()(norm(h))
    h = layers.Conv2D(width, 3, padding="same")(h)
    return layers.Add()([h, _doubled(layers.Conv2D(width, 1)(x))])


def _critic_block(x, width, halves):
    h = layers.Conv2D(width, 3, padding="same")(x)
    h = layers.Conv2D(width, 3, padding="same")(layers.ReLU()(h))
    if halves:
        x = layers.Conv2D(width, 1)(layers.AveragePooling2D(2)(x))
        h = layers.AveragePooling2D(2)(h)
    return layers.Add()([h, x])


NETWORKS = {"dcgan": dcgan, "conditional": conditional, "wgan_gp": wgan_gp}
