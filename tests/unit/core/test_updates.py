"""What a GAN adds to an update holds however a step is run."""

import keras
from keras import layers, ops
from networks import tiny_critic, tiny_generator
import numpy as np
import pytest

import keras_gans as kg

SGD = keras.optimizers.SGD
CLIP = 0.02
OPTIONS = {"batch_size": 4, "shuffle": False, "verbose": 0}
WAYS = {
    "plain": {},
    "accumulated": {"accumulate": 2},
    "in four": {"accumulate": 4},
    "rematerialized": {"rematerialize": True},
    "executions": {"steps_per_execution": 2},
    "both": {"accumulate": 2, "rematerialize": True, "steps_per_execution": 2},
}
EACH = [
    pytest.param(way, marks=pytest.mark.backends if way in ("in four", "both") else ())
    for way in WAYS
]


def wgan():
    keras.utils.set_random_seed(0)
    return kg.WGAN(
        generator=tiny_generator(labelled=False),
        discriminator=tiny_critic(),
        clip=CLIP,
        d_steps=2,
    )


def largest(gan):
    return max(float(ops.max(ops.abs(v))) for v in gan.variables_of("d"))


@pytest.mark.daily(1)
@pytest.mark.parametrize("way", EACH)
def test_the_critic_is_clipped(images, way):
    gan = wgan()
    assert largest(gan) > 10 * CLIP
    gan.compile(SGD(0.5), SGD(0.5), **WAYS[way])
    gan.fit(images(32, 8, 8), **OPTIONS)
    assert 0.9 * CLIP < largest(gan) <= CLIP * (1 + 1e-6)


@pytest.mark.backends
def test_the_critic_is_clipped_on_single_batches(images):
    gan = wgan()
    gan.d_steps = 1
    gan.compile(SGD(0.5), SGD(0.5), accumulate=2)
    gan.train_on_batch(images(4, 8, 8))
    assert 0.9 * CLIP < largest(gan) <= CLIP * (1 + 1e-6)


class Added(kg.BaseGAN):
    """Counts its updates, adds a penalty, and sets a weight after each."""

    def __init__(self, **kwargs):
        super().__init__(tiny_generator(labelled=False), tiny_critic(), **kwargs)
        self.updates = self.add_weight(
            name="updates", initializer="zeros", trainable=False
        )

    def phases(self):
        d = kg.Phase(
            "d",
            self.discriminator_loss,
            penalty=self.weight_penalty,
            logs=("weights",),
            after=self.note,
        )
        return [d, kg.Phase("g", self.generator_loss)]

    def weight_penalty(self, fake, batch, training):
        value = sum(ops.sum(ops.square(v)) for v in self.variables_of("d"))
        return value, {"weights": value}

    def note(self):
        self.updates.assign_add(1.0)


@pytest.mark.daily(1)
@pytest.mark.parametrize("way", EACH)
def test_penalties_and_afters(images, way):
    """The penalty draws the critic's weights down, once an update."""
    gan = Added()
    gan.compile(SGD(0.1), SGD(1e-6), **WAYS[way])
    logs = gan.fit(images(32, 8, 8), epochs=2, **OPTIONS).history
    assert float(ops.convert_to_numpy(gan.updates)) == 16
    assert logs["weights"][1] < 0.2 * logs["weights"][0]


def embedded_generator():
    """A generator of a class by an embedding, without batch norm."""
    z, label = keras.Input((6,)), keras.Input((), dtype="int32")
    x = layers.Concatenate()([z, layers.Embedding(3, 4)(label)])
    x = layers.Dense(64, "tanh")(layers.Dense(16, "tanh")(x))
    return keras.Model([z, label], layers.Reshape((8, 8, 1))(x))


def embedded_critic():
    images, label = keras.Input((8, 8, 1)), keras.Input((), dtype="int32")
    parts = [layers.Flatten()(images), layers.Embedding(3, 4)(label)]
    x = layers.LeakyReLU(0.2)(layers.Dense(16)(layers.Concatenate()(parts)))
    return keras.Model([images, label], layers.Dense(1)(x))


LABELLED = {
    "conditional_gan": lambda: kg.ConditionalGAN(
        num_classes=3, generator=embedded_generator(), discriminator=embedded_critic()
    ),
    "acgan": lambda: kg.ACGAN(
        num_classes=3, generator=embedded_generator(), discriminator=tiny_critic((1, 3))
    ),
}


@pytest.mark.full_on_jax
@pytest.mark.daily(1)
@pytest.mark.backends
@pytest.mark.parametrize("name", LABELLED)
def test_gradients_of_embeddings_add_up(images, name):
    """TensorFlow has them as rows and their places."""
    trained = []
    for parts in (1, 2):
        keras.utils.set_random_seed(0)
        gan = LABELLED[name]()
        gan.compile(SGD(0.05), SGD(0.05), accumulate=parts)
        before = gan.get_weights()
        labels = np.array([0, 1, 1, 2, 2, 2, 0, 1])
        gan.fit(images(8, 8, 8), labels, **OPTIONS)
        trained.append(gan.get_weights())
    tables = [i for i, v in enumerate(gan.weights) if "embeddings" in v.path]
    assert tables
    for i in tables:
        assert np.abs(before[i] - trained[0][i]).max() > 1e-5
    for a, b in zip(*trained, strict=True):  # sums in another order
        np.testing.assert_allclose(a, b, atol=1e-6)
