"""Other implementations of convolutions compute what Keras's do."""

import keras
from keras import layers
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.engine import kernels
from keras_gans.engine.kernels import choice, convolution

NATIVE = frozenset({"avx2", "avx512f", "amx_fp16"})


def count_calls(monkeypatch, implementation, name):
    """A list that grows with each call of an implementation's function."""
    module, calls = getattr(choice, implementation), []
    plain = getattr(module, name)

    def counted(*args):
        calls.append(args)
        return plain(*args)

    monkeypatch.setattr(module, name, counted)
    return calls


def twice_differentiated(call, watched):
    """What a function gives, its gradients, and those of their squares."""
    import tensorflow as tf

    with tf.GradientTape() as outer:
        outer.watch(watched)
        with tf.GradientTape() as tape:
            tape.watch(watched)
            y = call()
            loss = tf.reduce_sum(y**3)
        gradients = tape.gradient(loss, watched)
        penalty = sum(tf.reduce_sum(g**2) for g in gradients)
    return [y, *gradients, *outer.gradient(penalty, watched)]


CASES = [
    ("winograd", "convolve", "same", (1, 9, 6, 2)),
    *[
        pytest.param("winograd", *case, marks=pytest.mark.full)
        for case in (
            ("convolve_transposed", "same", (1, 9, 6, 2)),
            ("convolve", "same", (2, 8, 8, 3)),
            ("convolve", "valid", (1, 9, 6, 2)),
        )
    ],
    ("im2col", "convolve", "same", (2, 8, 8, 3)),
    ("im2col", "convolve", "same", (1, 9, 6, 2)),
    ("im2col", "convolve", "valid", (1, 9, 6, 2)),
    ("im2col", "convolve_transposed", "same", (1, 9, 6, 2)),
    *[
        ("tiling", "convolve", padding, (1, *sides, 2))
        for padding in ("same", "valid")
        for sides in ((8, 8), (9, 6), (7, 9))
    ],
]


@pytest.mark.daily(8)
@pytest.mark.parametrize(("name", "kind", "padding", "shape"), CASES)
@pytest.mark.parametrize(("taps", "strides"), [(3, 1), (4, 2)])
def test_convolutions(taps, strides, shape, kind, padding, name, any_size, monkeypatch):
    import tensorflow as tf

    layer = layers.Conv2D if kind == "convolve" else layers.Conv2DTranspose
    layer = layer(5, taps, strides, padding=padding)
    kernels.accelerate(layer)
    layer.build(shape)
    any_size(name)
    calls = count_calls(monkeypatch, name, kind)
    rng = np.random.default_rng(0)
    layer.bias.assign(rng.normal(size=5))
    x = tf.constant(rng.normal(size=shape).astype("float32"))

    def run():
        return twice_differentiated(lambda: layer(x), [x, layer.kernel.value])

    wanted = run()
    assert not calls
    with kernels.scope():
        found = run()
    assert len(calls) == 1
    for a, b in zip(found, wanted, strict=True):
        largest = float(tf.reduce_max(tf.abs(b)))
        # Sums of up to some thousand products, in another order.
        np.testing.assert_allclose(a, b, atol=1e-5 * largest, rtol=0)


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("layer", "upsample"),
    [
        (kg.layers.EqualizedConv2D(5, 3, padding="same", use_bias=False), False),
        (kg.layers.EqualizedConv2D(5, 3, padding="valid"), False),
        (kg.layers.ModulatedConv2D(5, 3), False),
        (kg.layers.ModulatedConv2D(5, 3, upsample=True), True),
    ],
)
def test_scaled_and_modulated_convolutions(layer, upsample, any_size, monkeypatch):
    """Layers of StyleGAN2, whose penalties differentiate them twice."""
    import tensorflow as tf

    any_size("winograd")
    calls = count_calls(monkeypatch, "winograd", "convolve")
    rng = np.random.default_rng(0)
    x, styles = (
        tf.constant(rng.normal(size=shape), "float32")
        for shape in ((2, 9, 6, 2), (2, 2))
    )
    modulated = isinstance(layer, kg.layers.ModulatedConv2D)
    inputs = [x, styles] if modulated else x
    layer(inputs)
    config = layer.get_config()
    kernels.accelerate(layer)
    watched = [x, layer.kernel.value, *([styles] if modulated else [])]
    wanted = twice_differentiated(lambda: layer(inputs), watched)
    assert not calls
    with kernels.scope():
        found = twice_differentiated(lambda: layer(inputs), watched)
    assert len(calls) == (not upsample)  # of 3 taps and strides of 2 there is none
    assert layer.get_config() == config
    for a, b in zip(found, wanted, strict=True):
        largest = float(tf.reduce_max(tf.abs(b)))
        # Sums of up to some thousand products, in another order.
        np.testing.assert_allclose(a, b, atol=1e-5 * largest, rtol=0)


@pytest.fixture
def processor(monkeypatch):
    """A function that sets the instructions of this processor."""

    def choose(*names):
        known = frozenset(names)
        monkeypatch.setattr(choice, "instructions", lambda: known)

    return choose


@pytest.mark.daily(1)
@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize(("taps", "strides"), [(4, 2), (5, 1)])
def test_types_without_arithmetic(
    taps, strides, transposed, kind, processor, monkeypatch
):
    """Computed in float32, by Keras too, and rounded once."""
    import tensorflow as tf

    layer = layers.Conv2DTranspose if transposed else layers.Conv2D
    layer = layer(5, taps, strides, padding="same", dtype=f"mixed_{kind}")
    kernels.accelerate(layer)
    shape = (2, 48, 48, 3)
    layer.build(shape)
    rng = np.random.default_rng(0)
    layer.bias.assign(rng.normal(size=5))
    x = tf.cast(rng.normal(size=shape), kind)
    # Of such a mean that the bias has a gradient of thousands of terms.
    w = rng.normal(0.1, 0.1, layer.compute_output_shape(shape))
    w = tf.cast(tf.cast(w, kind), "float32")
    variables = [layer.kernel.value, layer.bias.value]

    def run(wanted=True):
        @tf.function
        def step(x):
            with kernels.scope(wanted), tf.GradientTape() as tape:
                tape.watch(x)
                y = layer(x)
                loss = tf.reduce_sum(tf.cast(y, "float32") * w)
            return y, *tape.gradient(loss, [x, *variables])

        operations = step.get_concrete_function(x).graph.get_operations()
        types = {
            op.inputs[-1].dtype.name
            for op in operations
            if op.type.startswith(("Conv2D", "BatchMatMul", "MatMul"))
        }
        return types, step(x)

    processor("avx2")
    types, found = run()
    assert types == {"float32"}
    assert found[0].dtype == found[1].dtype == kind
    assert run(wanted=False)[0] == {kind}
    monkeypatch.setenv("KERAS_GANS_KERNELS", "adam")
    assert run()[0] == {kind}
    monkeypatch.delenv("KERAS_GANS_KERNELS")
    processor(*NATIVE)
    assert run()[0] == {kind}
    # The same of the rounded kernel and bias, in float32.
    for variable in variables:
        variable.assign(tf.cast(tf.cast(variable, kind), "float32"))
    layer.dtype_policy = "float32"
    x = tf.cast(x, "float32")
    _, wanted = run()
    # Each number is rounded once, or twice: to 8 or 11 bits of the largest.
    bound = 2**-8 if kind == "bfloat16" else 2**-11
    for a, b in zip(found, wanted, strict=True):
        a, b = np.asarray(a, "float32"), np.asarray(b, "float32")
        np.testing.assert_allclose(a, b, rtol=0, atol=bound * np.abs(b).max())


@pytest.mark.full
@pytest.mark.parametrize("kind", ["bfloat16", "float16"])
def test_training_in_types_without_arithmetic(kind, images, processor):
    processor("avx2")
    logs = []
    for policy in ("float32", f"mixed_{kind}"):
        keras.utils.set_random_seed(0)
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            gan = kg.DCGAN((16, 16, 3), 8, width=4)
        finally:
            keras.config.set_dtype_policy(before)
        optimizers = [keras.optimizers.SGD(0.01) for _ in range(2)]
        if "float16" in policy:  # small enough for nothing to overflow
            scaled = keras.optimizers.LossScaleOptimizer
            optimizers = [scaled(o, initial_scale=64.0) for o in optimizers]
        gan.compile(*optimizers)
        x = images(8, channels=3)
        history = gan.fit(x, batch_size=4, shuffle=False, verbose=0)
        logs.append(history.history)
        assert gan.sample(2).dtype == np.float32
    for name, values in logs[0].items():
        # 8 bits, over a few layers and two steps.
        tolerance = 0.05 * max(1.0, abs(values[0]))
        assert logs[1][name] == pytest.approx(values, abs=tolerance), name


@pytest.mark.parametrize(
    "options",
    [
        {"dilation_rate": 2, "strides": 1},
        {"strides": (2, 1)},
        {"kernel_size": (3, 4), "strides": 1},
        {"kernel_size": 1, "strides": 2},
        {"data_format": "channels_first", "strides": 1},
        {"dtype": "float64", "strides": 1},
    ],
    ids=lambda options: next(iter(options)),
)
def test_other_convolutions_are_left_to_keras(options, any_size):
    any_size("winograd")
    layer = layers.Conv2D(2, **{"kernel_size": 3, **options})
    x = keras.ops.ones((1, 8, 8, 8), dtype=options.get("dtype", "float32"))
    layer.build(x.shape)
    with kernels.scope():
        assert convolution.convolve(layer, x, layer.kernel.value) is None
    layer = layers.Conv2D(2, 3)
    kernels.accelerate(layer)
    layer.build((None, None, None, 2))
    with kernels.scope():
        assert layer(keras.Input((None, None, 2))).shape == (None,) * 3 + (2,)


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("winograd", lambda: kg.DCGAN((16, 16, 3), 8, width=4)),
        # Its penalty differentiates twice, through rectifiers.
        ("im2col", lambda: kg.WGANGP((16, 16, 3), 8, 4, 4, d_steps=1)),
    ],
    ids=["winograd", "im2col"],
)
def test_training_with_other_convolutions(
    name, make, images, plain, any_size, monkeypatch
):
    any_size(name)
    calls = count_calls(monkeypatch, name, "convolve")

    def train():
        keras.utils.set_random_seed(0)
        gan = make()
        optimizers = [keras.optimizers.SGD(0.01) for _ in range(2)]
        gan.compile(*optimizers)
        start = gan.get_weights()
        gan.fit(images(8, channels=3), batch_size=4, shuffle=False, verbose=0)
        return start, gan.get_weights(), gan.sample(2)

    _, weights, samples = train()
    assert calls
    plain()
    calls.clear()
    start, wanted, wanted_samples = train()
    assert not calls
    moved = [np.abs(a - b).max() for a, b in zip(start, wanted, strict=True)]
    assert np.median(moved) > 1e-4
    for a, b in zip(weights, wanted, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6, rtol=1e-5)
    np.testing.assert_allclose(samples, wanted_samples, atol=1e-5)


@pytest.mark.full
def test_exports_are_of_plain_operations(any_size, monkeypatch, tmp_path):
    """A server may have no compiler."""
    any_size("winograd")
    calls = count_calls(monkeypatch, "winograd", "convolve_transposed")
    gan = kg.DCGAN((16, 16, 3), 8, width=4)
    gan.sample(2)
    assert calls
    calls.clear()
    gan.export(tmp_path / "model")
    gan.generator(np.zeros((2, 8), "float32"))
    assert not calls
