"""Small networks, images and GANs for the tests of scores."""

import functools

from checks import rewinding
import keras
from keras import layers
import numpy as np

import keras_gans as kg
from keras_gans.metrics import evaluate


def tiny(seed=0, logits=True):
    """A feature network of few numbers, the same in every process."""
    rng = np.random.default_rng(seed)
    x = inputs = keras.Input((8, 8, 3))
    x = layers.Flatten()(layers.Rescaling(1 / 255)(x))
    features, classes = layers.Dense(4), layers.Dense(5)
    outputs = {"features": features(x)}
    if logits:
        outputs["logits"] = classes(outputs["features"])
    model = keras.Model(inputs, outputs, name="tiny")
    model.set_weights([rng.normal(size=w.shape) for w in model.get_weights()])
    return model


def pictures(n=40, size=12, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, size, size, channels), dtype="uint8")


def values(fake, real, names=("fid", "kid"), network=None, **options):
    options = {"verbose": 0, "batch_size": 16, **options}
    records = evaluate(fake, real, names, network or tiny(), **options)
    return [record.value for record in records]


@functools.cache
def _compiled():
    return rewinding(new_gan())


def small_gan():
    """A `new_gan`, as new: the same object each time, whose steps stay compiled.

    A test that holds two at a time makes the others itself.
    """
    return _compiled()()


def new_gan():
    """A GAN of 8 x 8 grey images, compiled; the same weights each time."""
    keras.utils.set_random_seed(0)
    gan = kg.GAN(
        generator=keras.Sequential(
            [
                keras.Input((4,)),
                layers.Dense(64, activation="tanh"),
                layers.Reshape((8, 8, 1)),
            ]
        ),
        discriminator=keras.Sequential(
            [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)]
        ),
        ema=0.5,
    )
    gan.compile()
    return gan
