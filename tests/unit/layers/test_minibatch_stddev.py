"""Minibatch standard deviation: the layer, and discriminators given it."""

import keras
from keras import layers, ops
import numpy as np
import pytest

from keras_gans.layers import (
    MinibatchStdDev,
    SpectralNormalization,
    with_minibatch_stddev,
)
from keras_gans.networks.dcgan import dcgan_discriminator

# float32 sums of at most some hundred terms of order 1.
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


def expected(x, group, channels=1):
    """The layer in float64, one group and row at a time."""
    n, d = len(x), x.shape[-1]
    part, step = d // channels, n // group
    out = np.zeros((*x.shape[:-1], d + channels))
    out[..., :d] = x
    for i in range(n):
        rows = x[i % step :: step].astype("float64")
        std = np.sqrt(rows.var(axis=0) + 1e-8)
        for k in range(channels):
            out[i, ..., d + k] = std[..., k * part : (k + 1) * part].mean()
    return out


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, "float32")


@pytest.mark.backends
@pytest.mark.parametrize("shape", [(8, 6), (8, 3, 5, 6), (8, 4, 6)])
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_what_its_definition_says(shape, channels):
    x = normal(*shape)
    layer = MinibatchStdDev(channels=channels)
    y = ops.convert_to_numpy(layer(x))
    assert y.shape == layer.compute_output_shape(shape)
    np.testing.assert_array_equal(y[..., :6], x)
    np.testing.assert_allclose(y, expected(x, 4, channels), **CLOSE)


def test_by_hand():
    # Groups (0, 2) and (1, 3): deviations (1, 2) and (0, 5).
    x = np.array([[0, 1], [7, 0], [2, 5], [7, 10]], "float32")
    y = ops.convert_to_numpy(MinibatchStdDev(2)(x))
    # The epsilon moves 0 to 1e-4: half of that in the mean.
    np.testing.assert_allclose(y[:, 2], [1.5, 2.5, 1.5, 2.5], atol=1e-4)


@pytest.mark.parametrize(
    ("n", "group"), [(3, 3), (4, 4), (6, 3), (7, 1), (9, 3), (10, 2), (1, 1)]
)
def test_known_batches_of_any_size(n, group):
    x = normal(n, 5)
    y = ops.convert_to_numpy(MinibatchStdDev(4)(x))
    np.testing.assert_allclose(y, expected(x, group), **CLOSE)


def test_unknown_batches_and_sizes():
    tf = pytest.importorskip("tensorflow")
    layer = MinibatchStdDev(4)
    run = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 6))])
    x = normal(8, 3, 5, 6)
    np.testing.assert_allclose(run(x), expected(x, 4), **CLOSE)
    with pytest.raises(tf.errors.InvalidArgumentError):
        run(x[:6])


def derivatives(f, x):
    """First derivative of `f`, and that of its squared length."""
    if keras.backend.backend() == "jax":
        import jax

        first = jax.grad(f)
        second = jax.grad(lambda x: ops.sum(first(x) ** 2))
        return jax.jit(lambda x: (first(x), second(x)))(x)
    import tensorflow as tf

    x = tf.constant(x)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = f(x)
        first = inner.gradient(y, x)
        length = ops.sum(first**2)
    return first, outer.gradient(length, x)


@pytest.mark.backends
@pytest.mark.parametrize("shape", [(4, 3), (4, 2, 2, 3)])
def test_derivatives(shape):
    layer = MinibatchStdDev(4)
    weights = normal(*shape[1:-1], shape[-1] + 1, seed=1)

    def f(x):
        return ops.sum(ops.tanh(layer(x) * weights))

    for derivative in derivatives(f, np.ones(shape, "float32")):
        assert np.isfinite(ops.convert_to_numpy(derivative)).all()
    # Central differences of the definition in float64, which err by some 1e-8.
    x = normal(*shape)
    first, _ = map(ops.convert_to_numpy, derivatives(f, x))
    for i in np.ndindex(*shape):
        step = np.zeros(shape)
        step[i] = 1e-4
        high, low = (
            np.sum(np.tanh(expected(x.astype("float64") + s, 4) * weights))
            for s in (step, -step)
        )
        assert first[i] == pytest.approx((high - low) / 2e-4, abs=1e-5)


def test_mixed_precision():
    x = 100 + 0.5 * normal(8, 6)
    layer = MinibatchStdDev(dtype="mixed_bfloat16")
    y = layer(x)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    rounded = ops.convert_to_numpy(ops.cast(ops.cast(x, "bfloat16"), "float32"))
    # The statistic is exact for the rounded input but for its own 8 bits.
    np.testing.assert_allclose(
        ops.convert_to_numpy(ops.cast(y, "float32")), expected(rounded, 4), rtol=2**-8
    )


def test_it_is_saved():
    x = normal(8, 6)
    inputs = keras.Input((6,))
    model = keras.Model(inputs, MinibatchStdDev(2, channels=3)(inputs))
    model.save("model.keras")
    loaded = keras.models.load_model("model.keras")
    assert loaded.layers[1].group_size == 2 and loaded.output_shape == (None, 9)
    np.testing.assert_array_equal(loaded(x), model(x))


@pytest.mark.parametrize(
    "call",
    [
        lambda: MinibatchStdDev(0),
        lambda: MinibatchStdDev(2.5),
        lambda: MinibatchStdDev(channels=0),
        lambda: MinibatchStdDev(channels=4)(np.zeros((8, 6))),
        lambda: MinibatchStdDev()(np.zeros(8)),
        lambda: MinibatchStdDev()(keras.Input((4, 4, None))),
        lambda: with_minibatch_stddev(keras.Sequential([layers.Dense(1)])),
        lambda: with_minibatch_stddev(dcgan_discriminator((16, 16, 1), 2), 0),
    ],
)
def test_bad_input_is_refused(call):
    with pytest.raises(ValueError, match="Received"):
        call()


def sequential():
    return keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            layers.Conv2D(4, 3, 2, activation="relu"),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1),
        ],
        name="critic",
    )


def convolutional():
    return dcgan_discriminator((16, 16, 3), width=4)


def spectral():
    x = inputs = keras.Input((8, 8, 3))
    x = SpectralNormalization(layers.Conv2D(4, 3, 2))(x)
    x = SpectralNormalization(layers.Conv2D(1, 3))(x)
    return keras.Model(inputs, layers.Flatten()(x) * 2.0)


def joined():
    """Two inputs, a layer called twice and a nested model before the tail."""
    a, b = keras.Input((6,), name="a"), keras.Input((4,), name="b")
    nested = keras.Sequential([keras.Input((4,)), layers.Dense(6)])
    shared = layers.Dense(5, activation="relu")
    x = layers.Concatenate()([shared(a), shared(nested(b))])
    return keras.Model([a, b], layers.Dense(2, activation="tanh")(x))


def inputs_of(model):
    return [normal(8, *x.shape[1:]) for x in model.inputs]


def score_layer(model):
    return next(layer for layer in reversed(model.layers) if layer.weights)


def kernel_of(layer):
    return getattr(layer, "layer", layer).kernel


@pytest.mark.full_on_jax
@pytest.mark.parametrize(
    "make",
    [
        sequential,
        convolutional,
        spectral,
        pytest.param(joined, marks=pytest.mark.backends),
    ],
)
def test_a_discriminator_given_it(make):
    model = make()
    for w in model.weights:  # not as made: moving means and biases too
        if w.dtype != "int32":
            w.assign(w + 0.1)
    x = inputs_of(model)
    x = x if len(x) > 1 else x[0]
    before = model(x)
    wide = with_minibatch_stddev(model, group_size=2)
    assert wide.name == model.name and type(wide) is type(model)
    layer = next(y for y in wide.layers if isinstance(y, MinibatchStdDev))
    assert layer.group_size == 2
    assert wide.layers.index(score_layer(wide)) == wide.layers.index(layer) + 1
    assert len(wide.layers) == len(model.layers) + 1
    old, new = kernel_of(score_layer(model)), kernel_of(score_layer(wide))
    assert new.shape[-2] == old.shape[-2] + 1
    new = ops.convert_to_numpy(new)
    extra = new[..., -1:, :]
    assert np.abs(extra).max() > 0 and np.abs(extra).max() < 1
    # With no weight on the statistic, it is the same function.
    assert np.abs(np.asarray(wide(x)) - np.asarray(before)).max() > 1e-4
    kernel_of(score_layer(wide)).assign(
        new * np.r_[[1] * (new.shape[-2] - 1), 0][:, None]
    )
    np.testing.assert_allclose(wide(x), before, **CLOSE)
    # The copy is one: it shares nothing, and needs no second.
    score_layer(wide).set_weights([w * 0 + 1 for w in score_layer(wide).get_weights()])
    np.testing.assert_array_equal(model(x), before)
    assert with_minibatch_stddev(wide) is wide
    assert wide(x, training=True).shape == before.shape


def test_a_given_discriminator_is_saved():
    model = with_minibatch_stddev(spectral())
    model.save("model.keras")
    loaded = keras.models.load_model("model.keras")
    x = normal(8, 8, 8, 3)
    np.testing.assert_array_equal(loaded(x), model(x))
    assert with_minibatch_stddev(loaded) is loaded


def test_states_and_flags_are_carried_over():
    model = sequential()
    model.layers[0].trainable = False
    model(normal(4, 8, 8, 3), training=True)
    wide = with_minibatch_stddev(model)
    assert int(wide.layers[1].seed_generator.state.value[1]) == 1
    assert not wide.layers[0].trainable and wide.layers[-1].trainable


def test_a_collapsed_batch_is_told_apart():
    """What the layer is for: a linear critic sees that rows are equal."""
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1)])
    wide = with_minibatch_stddev(model)
    wide.layers[-1].set_weights([np.eye(7)[:, 6:], np.zeros(1)])
    assert np.asarray(wide(np.ones((8, 6)))).max() < 1e-3
    assert np.asarray(wide(normal(8, 6))).min() > 0.3


def projection():
    x, label = keras.Input((6,)), keras.Input((), dtype="int32")
    h = layers.Dense(5)(x)
    y = layers.Embedding(3, 5)(label)
    score = layers.Dense(1)(h) + ops.sum(h * y, axis=-1, keepdims=True)
    return keras.Model([x, label], score)


def two_headed():
    x = keras.Input((6,))
    return keras.Model(x, [layers.Dense(1)(x), layers.Dense(3)(x)])


def weightless():
    x = keras.Input((6,))
    return keras.Model(x, layers.Flatten()(x))


def normalized():
    x = keras.Input((6,))
    return keras.Model(x, layers.BatchNormalization()(layers.Dense(1)(x)))


def grouped():
    x = keras.Input((4, 4, 2))
    return keras.Model(x, layers.Conv2D(2, 4, groups=2)(x))


def nested():
    x = keras.Input((6,))
    model = keras.Sequential([keras.Input((6,)), layers.Dense(1)])
    return keras.Model(x, model(x))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1)

    def call(self, x):
        return self.dense(x)


def subclassed():
    model = Subclassed()
    model(np.zeros((2, 3), "float32"))
    return model


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (projection, "joins 2"),
        (two_headed, "2 outputs"),
        (weightless, "has no weights"),
        (normalized, "BatchNormalization"),
        (grouped, "Conv2D"),
        (nested, "Sequential"),
        (subclassed, "Subclassed"),
    ],
)
def test_other_tails_are_refused(make, said):
    with pytest.raises(ValueError, match=said) as caught:
        with_minibatch_stddev(make())
    assert "MinibatchStdDev to your discriminator yourself" in str(caught.value)
