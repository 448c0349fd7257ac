"""Implementations bound to layers compute what Keras's do."""

import keras
from keras import layers
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.engine import kernels
from keras_gans.engine.kernels import choice


def accelerated(layer):
    kernels.accelerate(layer)
    return layer


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize("shape", [(3, 5, 4, 2), (8, 1, 1, 3), (1, 6, 6, 4)])
def test_batch_norm(dtype, shape, plain):
    import tensorflow as tf

    rng = np.random.default_rng(0)
    x = rng.normal(2.0, 3.0, shape).astype("float32")
    weights = rng.normal(size=shape).astype("float32")

    def run(wanted):
        norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=dtype)
        kernels.accelerate(norm)
        norm.build(shape)
        norm.gamma.assign(np.linspace(0.5, 2, shape[-1]))
        norm.beta.assign(np.linspace(-1, 1, shape[-1]))
        values = tf.constant(x)
        watched = [values, norm.gamma.value, norm.beta.value]
        with kernels.scope(), tf.GradientTape() as outer:
            outer.watch(watched)
            with tf.GradientTape() as tape:
                tape.watch(values)
                y = norm(values, training=True)
                loss = tf.reduce_sum(tf.cast(y, "float32") * weights)
            slope = tape.gradient(loss, values)
            total = loss + tf.reduce_sum(slope**2)
            assert choice.fuses_batch_norm(values) == wanted
        gradients = outer.gradient(total, watched)
        moving = (norm.moving_mean, norm.moving_variance)
        return [np.asarray(v, "float32") for v in (y, *gradients, *moving)]

    fused = run(True)
    plain()
    for a, b in zip(fused, run(False), strict=True):
        # Of bfloat16, the plain form keeps float32 within; y is rounded.
        largest = max(1.0, np.abs(b).max())
        bound = 1e-5 if dtype == "float32" else 0.02
        np.testing.assert_allclose(a, b, atol=bound * largest)


@pytest.mark.parametrize("scale", [False, True])
def test_moments_of_large_maps(scale):
    """Sums of sums keep six digits of a variance, where one long sum loses four."""
    import tensorflow as tf

    x = np.random.default_rng(0).normal(0.5, 3, (2, 256, 256, 4))
    x = np.maximum(x, 0).astype("float32")
    norm = layers.BatchNormalization(momentum=0.0, scale=scale, center=scale)
    norm.build(x.shape)
    plain = keras.ops.moments(tf.constant(x), (0, 1, 2))[1]
    kernels.accelerate(norm)
    with kernels.scope():
        norm(tf.constant(x), training=True)
    exact = x.astype("float64").var((0, 1, 2))
    assert np.abs(plain / exact - 1).max() > 1e-5
    np.testing.assert_allclose(norm.moving_variance, exact, rtol=1e-6)


@pytest.mark.parametrize("jit", [False, True])
def test_large_means_do_not_cancel(jit):
    """XLA's fused batch norm would; it is not taken there."""
    import tensorflow as tf

    x = np.random.default_rng(0).normal(100.0, 0.1, (8, 8, 8, 4))
    norm = accelerated(layers.BatchNormalization(momentum=0.0))
    norm.build(x.shape)

    @tf.function(jit_compile=jit)
    def run(x):
        with kernels.scope(not jit):
            return norm(x, training=True)

    run(tf.constant(x, "float32"))
    # float32 has 2^-17 of 100.
    wanted = x.astype("float32").var((0, 1, 2), dtype="float64")
    np.testing.assert_allclose(norm.moving_variance, wanted, rtol=2e-3)


def test_norms_add_rows_that_stand_twice(plain):
    import tensorflow as tf

    table = tf.Variable(tf.ones((4, 2)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.gather(table, [0, 0, 0, 1, 1, 2]) ** 2)
    rows = tape.gradient(loss, table)
    assert isinstance(rows, tf.IndexedSlices)
    for _ in range(2):
        # 6, 4 and 2 in two columns
        assert float(kernels.squared_norm(rows)) == 112.0
        plain()


@pytest.mark.full
def test_adam_and_batch_norm_in_training(images, plain):
    """The same GAN, whichever implementations its steps take."""

    def train():
        keras.utils.set_random_seed(0)
        gan = kg.DCGAN((16, 16, 3), 8, width=4)
        gan.compile()
        start = gan.get_weights()
        logs = gan.fit(
            images(12, channels=3), batch_size=4, shuffle=False, verbose=0
        ).history
        return start, gan.get_weights(), logs

    start, fast, fast_logs = train()
    plain()
    _, slow, slow_logs = train()
    moved = [np.abs(a - b).max() for a, b in zip(start, slow, strict=True)]
    assert np.median(moved) > 1e-4
    for a, b in zip(fast, slow, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-5)
    for name, values in slow_logs.items():
        assert fast_logs[name] == pytest.approx(values, rel=1e-4, abs=1e-5)


def test_adam_step_by_step(plain):
    """Against Keras's own, schedules and all; and what is left to it."""

    def run(optimizer):
        keras.utils.set_random_seed(0)
        model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
        optimizer = optimizer()
        optimizer.build(model.trainable_variables)
        kernels.fuse_adam(optimizer)
        rng = np.random.default_rng(0)
        for _ in range(5):
            gradients = [
                rng.normal(size=v.shape).astype("float32")
                for v in model.trainable_variables
            ]
            optimizer.apply(
                [keras.ops.convert_to_tensor(g) for g in gradients],
                model.trainable_variables,
            )
        return model.get_weights()

    adam = keras.optimizers.Adam
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    makers = [
        lambda: adam(0.1, beta_1=0.5, beta_2=0.9, epsilon=1e-3),
        lambda: adam(schedule),
        lambda: adam(0.1, amsgrad=True),
        lambda: keras.optimizers.AdamW(0.1),
        lambda: keras.optimizers.SGD(0.1),
    ]
    fast = [run(make) for make in makers]
    plain()
    for a, make in zip(fast, makers, strict=True):
        for x, y in zip(a, run(make), strict=True):
            # 1 - 0.999^t has 4 digits in float32; steps are of 0.1.
            np.testing.assert_allclose(x, y, atol=1e-5)


@pytest.mark.parametrize("slope", [0.0, 0.2])
def test_rectifiers(slope, plain):
    """The gradient's gradient, for dy and without one for x."""
    import tensorflow as tf

    layer = layers.LeakyReLU(slope) if slope else layers.ReLU()
    kernels.accelerate(layer)
    x = tf.constant([-2.0, -0.5, 0.5, 3.0])
    w = tf.constant([1.0, 2.0, 3.0, 4.0])

    def run():
        with tf.GradientTape(persistent=True) as outer:
            outer.watch([x, w])
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x)
                loss = tf.reduce_sum(y * w)
            slopes = tape.gradient(loss, x)
            penalty = tf.reduce_sum(slopes**2)
        return y, slopes, outer.gradient(penalty, w), outer.gradient(penalty, x)

    for within in (True, False):  # also in steps that XLA compiles
        with kernels.scope(within):
            *found, of_x = run()
        assert of_x is None
    plain()
    with kernels.scope():
        *wanted, of_x = run()
    np.testing.assert_array_equal(of_x, np.zeros(4))
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_other_rectifiers_are_left_to_keras():
    x = np.array([-2.0, -0.5, 0.5, 3.0], "float32")
    layer = layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.0)
    wanted = np.asarray(layer(x))
    kernels.accelerate(layer)
    with kernels.scope():
        np.testing.assert_array_equal(layer(x), wanted)


def test_names_of_kernels(monkeypatch):
    monkeypatch.setenv("KERAS_GANS_KERNELS", "")
    assert all(kernels.enabled(name) for name in kernels.KERNELS)
    monkeypatch.setenv("KERAS_GANS_KERNELS", "adam, im2col")
    assert [n for n in kernels.KERNELS if kernels.enabled(n)] == ["adam", "im2col"]
    monkeypatch.setenv("KERAS_GANS_KERNELS", "adma")
    with pytest.raises(ValueError, match=r"names of adam, .*Received: 'adma'"):
        kernels.squared_norm(np.ones(2))


def test_large_maps_are_normalized_by_moving_statistics_in_one_pass():
    """No sum is taken there, that large maps would make wrong."""
    import tensorflow as tf

    norm = layers.BatchNormalization()
    kernels.accelerate(norm)

    @tf.function
    def run(x):
        with kernels.scope(trains=False):
            return norm(x)

    graph = run.get_concrete_function(tf.TensorSpec((1, 128, 128, 32))).graph
    assert "FusedBatchNormV3" in {op.type for op in graph.get_operations()}


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_batch_norm_by_moving_statistics(dtype, monkeypatch):
    monkeypatch.setattr(choice, "LEAST_NUMBERS", 1)
    shape = (3, 5, 4, 2)
    norm = layers.BatchNormalization(epsilon=1e-5, dtype=dtype)
    norm.build(shape)
    rng = np.random.default_rng(0)
    for weight in norm.weights:  # of which means are large
        weight.assign(rng.uniform(0.5, 2.0, 2) + 50 * ("mean" in weight.path))
    x = keras.ops.cast(rng.normal(50.0, 1.0, shape), dtype.removeprefix("mixed_"))
    wanted = np.asarray(norm(x), "float32")
    kernels.accelerate(norm)
    with kernels.scope(trains=False):
        found = norm(x)
    assert found.dtype == norm.compute_dtype
    found = np.asarray(found, "float32")
    # float32 has 24 bits of the means; bfloat16 rounds what comes out.
    bound = 2e-5 if dtype == "float32" else 2**-7
    np.testing.assert_allclose(found, wanted, rtol=0, atol=bound * abs(wanted).max())
