"""Half precision, XLA and rematerialization, of every GAN."""

import functools

import keras
import numpy as np
import pytest
from zoo import ZOO, train

import keras_gans as kg


def each(*quick):
    """Names of all GANs, of which every run takes `quick`, `full` the rest."""
    return [
        name if name in quick else pytest.param(name, marks=pytest.mark.full)
        for name in ZOO
    ]


@functools.cache
def plain(name, images, rate=0.05):
    """Weights and history of the training that others are compared to."""
    gan, history = train(name, images, rate)
    return gan.get_weights(), history


@pytest.fixture
def policy():
    """A function that sets the policy of layers made from then on."""
    yield keras.config.set_dtype_policy
    keras.config.set_dtype_policy("float32")


@pytest.mark.daily(1)
@pytest.mark.parametrize("name", each("wgan_gp"))
@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_half_precision(half, name, images, policy):
    """What is summed and compared stays in float32, and near to float32."""
    _, wanted = plain(name, images, rate=1e-3)
    policy(f"mixed_{half}")
    # Small enough for no gradient of these to overflow.
    scale = 64.0 if half == "float16" else None
    gan, found = train(name, images, rate=1e-3, scale=scale)
    assert {v.dtype for v in gan.trainable_variables} == {"float32"}
    made = gan.predict_on_batch(_inputs(gan, images))
    assert made.dtype == np.float32
    for key, values in wanted.items():
        # bfloat16 has 8 bits, over a few layers and two steps.
        tolerance = 0.05 * max(1.0, abs(values[0]))
        assert found[key] == pytest.approx(values, abs=tolerance), key
    _check_dtypes(gan, images)


def _check_dtypes(gan, images):
    """Fakes, logits' losses and penalties leave the half precision."""
    x = images(4, 8, 8)
    batch = gan.read_batch((x, np.arange(4) % 3) if gan.labelled else x)
    if "real" not in batch or "source" in gan.fields:
        batch = gan.read_batch((x, x))
    with gan.rng.at(1, 0, 0):
        fake = gan.generate(batch, True)
        made = [fake]
        for pair in (
            gan.discriminator_loss(fake, batch, True),
            gan.generator_loss(fake, batch, True),
        ):
            made += [pair[0], *pair[1].values()]
        if gan.penalty_names:
            made.append(gan.penalties(fake, batch, True)[0])
    dtypes = {
        keras.backend.standardize_dtype(x.dtype) for x in keras.tree.flatten(made)
    }
    assert dtypes == {"float32"}


def test_steps_that_overflow_are_left_out(images, policy):
    """At too large a scale gradients are infinite: nothing moves."""
    policy("mixed_float16")
    gan, logs = train("gan", images, scale=2.0**40)
    keras.utils.set_random_seed(0)
    fresh = ZOO["gan"]()
    for a, b in zip(gan.trainable_variables, fresh.trainable_variables, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.isfinite(logs["g_grad_norm"]).any()
    assert np.isfinite(logs["d_loss"]).all()
    for optimizer in gan.optimizer.optimizers:
        assert float(optimizer.dynamic_scale) == 2.0**38  # halved twice


def _inputs(gan, images):
    if not gan.samples_from_seed:
        return images(2, 8, 8)
    parts = [np.zeros((2, *x.shape[1:]), "float32") for x in _heads(gan)]
    return parts if len(parts) > 1 else parts[0]


def _heads(gan):
    return gan.generator.inputs


@pytest.mark.full
@pytest.mark.parametrize("name", each("gan"))
def test_xla(name, images):
    _alike(*plain(name, images), *train(name, images, jit_compile=True), 1e-5)


@pytest.mark.full
@pytest.mark.parametrize("name", each("wgan_gp", "cyclegan"))
def test_rematerialization(name, images):
    """The same numbers, whatever is kept."""
    _alike(*plain(name, images), *train(name, images, rematerialize=True), 1e-6)


def _alike(wanted, a_logs, gan, b_logs, tolerance):
    for x, y in zip(wanted, gan.get_weights(), strict=True):
        np.testing.assert_allclose(x, y, atol=tolerance)
    for key, values in a_logs.items():
        assert b_logs[key] == pytest.approx(values, rel=1e-4, abs=1e-5), key


@keras.saving.register_keras_serializable("test")
class Counted(keras.layers.Layer):
    """Notes how often it is called while a step is traced."""

    calls = []

    def call(self, x):
        self.calls.append(x.shape)
        return x


def counted_generator(kind):
    layers = [
        keras.layers.Dense(8, activation="tanh"),
        Counted(),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.5, seed=3),
        keras.layers.Dense(64),
        keras.layers.Reshape((8, 8, 1)),
    ]
    if kind == "sequential":
        return keras.Sequential([keras.Input((6,)), *layers])
    if kind.startswith("functional"):
        x = z = keras.Input((6,))
        for layer in layers:
            x = layer(x)
        return (keras.Model if kind == "functional" else Scaled)(z, x)
    generator = Rows(layers)
    generator(np.zeros((1, 6)))
    return generator


@pytest.mark.full
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param("functional", marks=pytest.mark.backends),
        "sequential",
        "subclassed",
        "functional of its own",
    ],
)
def test_maps_are_made_again(kind, images):
    traced = []
    results = []
    for rematerialize in (False, True):
        keras.utils.set_random_seed(0)
        generator = counted_generator(kind)
        discriminator = keras.Sequential(
            [
                keras.Input((8, 8, 1)),
                keras.layers.Flatten(),
                keras.layers.Dense(1, kernel_initializer="ones"),
            ]
        )
        gan = kg.GAN(generator=generator, discriminator=discriminator, latent_dim=6)
        gan.compile(
            keras.optimizers.SGD(0.1),
            keras.optimizers.SGD(0.1),
            rematerialize=rematerialize,
            # XLA replays what it has traced; here each call is one of Python.
            run_eagerly=keras.backend.backend() == "tensorflow",
        )
        Counted.calls.clear()
        gan.fit(images(4, 8, 8), batch_size=4, shuffle=False, verbose=0)
        traced.append(len(Counted.calls))
        results.append(gan.get_weights())
    if keras.backend.backend() == "tensorflow":
        assert traced == [1, 2]
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert gan.get_compile_config()["rematerialize"] is True


@keras.saving.register_keras_serializable("test")
class Rows(keras.Model):
    """Layers one after another, hidden in a method."""

    def __init__(self, rows, **kwargs):
        super().__init__(**kwargs)
        self.rows = rows

    def call(self, x, training=False):
        for layer in self.rows:
            if isinstance(
                layer, (keras.layers.BatchNormalization, keras.layers.Dropout)
            ):
                x = layer(x, training=training)
            else:
                x = layer(x)
        return x


class Scaled(keras.Model):
    """A graph of layers that does more than run it."""

    def call(self, x, training=False):
        return 0.5 * super().call(x, training=training)


def test_bad_switch():
    with pytest.raises(ValueError, match="`rematerialize` is one of True, False"):
        kg.GAN().compile(rematerialize=2)
