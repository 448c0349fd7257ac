"""Gradients added up over the parts of a batch are those of the batch."""

import keras
from keras import layers, ops
from networks import tiny_critic, tiny_judge
import numpy as np
import pytest

import keras_gans as kg


def generator():
    """8 x 8 grey images, without batch norm, which would see parts."""
    x = inputs = keras.Input((6,))
    x = layers.Dense(16, activation="tanh")(x)
    x = layers.Reshape((8, 8, 1))(layers.Dense(64, activation="tanh")(x))
    return keras.Model(inputs, x)


def translator():
    x = inputs = keras.Input((8, 8, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="tanh")(x)
    x = layers.Conv2D(1, 3, padding="same", activation="tanh")(x)
    return keras.Model(inputs, x)


GANS = {
    "shared": lambda: kg.GAN(
        generator=generator(), discriminator=tiny_critic(), r1=1.0, instance_noise=0.1
    ),
    "fresh": lambda: kg.WGANGP(
        generator=generator(), discriminator=tiny_critic(), d_steps=1
    ),
    "generators first": lambda: kg.CycleGAN(
        generator_ab=translator(),
        generator_ba=translator(),
        discriminator_a=tiny_judge(),
        discriminator_b=tiny_judge(),
        pool_size=0,
    ),
}


def trained(name, images, accumulate):
    keras.utils.set_random_seed(0)
    gan = GANS[name]()
    gan.compile(
        keras.optimizers.SGD(0.05), keras.optimizers.SGD(0.05), accumulate=accumulate
    )
    # (How large a part of a batch was at most is another number.)
    kept = [v for v in gan.weights if not v.path.startswith("largest_batch")]
    before = [np.array(ops.convert_to_numpy(v)) for v in kept]
    data = images(16, 8, 8)
    y = 0.5 * data[::-1] if not gan.samples_from_seed else None
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    logs = gan.fit(data, y, **options).history
    return before, [np.array(ops.convert_to_numpy(v)) for v in kept], logs


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    "name", [pytest.param("shared", marks=pytest.mark.backends), *list(GANS)[1:]]
)
def test_parts_add_up(name, images):
    before, whole, logs = trained(name, images, 1)
    _, parts, more = trained(name, images, 2)
    pairs = list(zip(before, whole, strict=True))
    assert max(np.abs(a - b).max() for a, b in pairs[1:]) > 1e-3
    for a, b in zip(whole, parts, strict=True):  # sums in another order
        np.testing.assert_allclose(a, b, atol=1e-6)
    for key, values in logs.items():
        np.testing.assert_allclose(values, more[key], rtol=1e-4, atol=1e-6)


def test_bad_parts(images):
    gan = GANS["shared"]()
    with pytest.raises(ValueError, match="`accumulate` must"):
        gan.compile(accumulate=0)
    gan.compile(accumulate=3)
    assert gan.get_compile_config()["accumulate"] == 3
    with pytest.raises(ValueError, match=r"3 parts of a batch.*a batch of 4"):
        gan.fit(images(8, 8, 8), batch_size=4, verbose=0)
