"""Spectral normalization: sigma, its gradient, its state, every layer."""

import keras
from keras import layers, ops
import numpy as np
import pytest

import keras_gans
from keras_gans.engine import input_gradient
from keras_gans.layers import SpectralNormalization
from keras_gans.layers.spectral import spectrally_normalized

# A layer, the shape of its input, and the axis of outputs of its kernel.
KINDS = {
    "dense": (lambda: layers.Dense(5), (2, 7), -1),
    "conv1d": (lambda: layers.Conv1D(5, 3), (2, 6, 3), -1),
    "conv2d": (lambda: layers.Conv2D(5, 3), (2, 6, 6, 3), -1),
    "conv3d": (lambda: layers.Conv3D(4, 2), (2, 3, 3, 3, 2), -1),
    "conv1d_t": (lambda: layers.Conv1DTranspose(5, 3), (2, 4, 3), -2),
    "conv2d_t": (lambda: layers.Conv2DTranspose(5, 3, 2), (2, 4, 4, 3), -2),
    "conv3d_t": (lambda: layers.Conv3DTranspose(4, 2), (2, 2, 2, 2, 3), -2),
    "embedding": (lambda: layers.Embedding(6, 4), (2,), 0),
}


def value(variable):
    return np.array(variable)


def kernel_of(layer):
    name = "embeddings" if isinstance(layer, layers.Embedding) else "kernel"
    return getattr(layer, name)


def matrix(kernel, axis):
    """W of the paper: rows are outputs."""
    return np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1)


def normal(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape).astype("float32")


def inputs_of(shape):
    return np.array([1, 5]) if len(shape) == 1 else normal(*shape)


def run(layer, x, **kwargs):
    return np.array(layer(x, **kwargs))


ON_JAX = ("dense", "conv2d_t", "embedding")


@pytest.mark.daily(3)
@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.backends) if kind in ON_JAX else kind
        for kind in KINDS
    ],
)
def test_each_layer_runs_with_its_kernel_over_the_spectral_norm(kind):
    make, shape, axis = KINDS[kind]
    x = inputs_of(shape)
    plain, layer = make(), SpectralNormalization(make())
    plain.build(shape)
    layer.build(shape)
    assert tuple(layer.compute_output_shape(shape)) == plain(x).shape
    kernel = normal(*kernel_of(plain).shape, seed=1)
    kernel_of(layer.layer).assign(kernel)
    for _ in range(40):
        got = run(layer, x, training=True)
    np.testing.assert_array_equal(value(kernel_of(layer.layer)), kernel)
    norm = np.linalg.norm(matrix(kernel, axis), 2)
    kernel_of(plain).assign(kernel / norm)
    if kind != "embedding":
        for inner in (plain, layer.layer):
            inner.bias.assign(np.arange(inner.bias.shape[0]))
        got = run(layer, x, training=True)
    # Power iteration's error falls by (s2 / s1)^2 < 0.9 a call here.
    np.testing.assert_allclose(got, run(plain, x), rtol=1e-3, atol=1e-3)
    u, v = value(layer.u), value(layer.v)
    np.testing.assert_allclose(u @ matrix(kernel, axis) @ v, norm, rtol=1e-3)
    assert np.linalg.norm(u) == pytest.approx(1, abs=1e-5)
    assert np.linalg.norm(v) == pytest.approx(1, abs=1e-5)


@pytest.mark.backends
@pytest.mark.parametrize("iterations", [1, 2])
def test_steps_equal_the_definition(iterations):
    """Algorithm 1 in numpy, while the kernel moves between calls."""
    layer = SpectralNormalization(layers.Dense(4, use_bias=False), iterations)
    layer.build((None, 6))
    u, eye = value(layer.u).astype("float64"), np.eye(6, dtype="float32")
    for step in range(3):
        kernel = normal(6, 4, seed=step)
        layer.layer.kernel.assign(kernel)
        for _ in range(iterations):
            v = kernel @ u / np.linalg.norm(kernel @ u)
            u = v @ kernel / np.linalg.norm(v @ kernel)
        got = run(layer, eye, training=True)
        np.testing.assert_allclose(got, kernel / (v @ kernel @ u), atol=1e-5)
        np.testing.assert_allclose(value(layer.u), u, atol=1e-5)
        np.testing.assert_allclose(value(layer.v), v, atol=1e-5)


@pytest.mark.backends
def test_inference_stores_nothing():
    eye, kernel = np.eye(6, dtype="float32"), normal(6, 4)
    for iterate in (False, True):
        layer = SpectralNormalization(
            layers.Dense(4, use_bias=False), iterate_in_inference=iterate
        )
        layer.build((None, 6))
        # v made from u and a first kernel; then the kernel changes.
        u, v = value(layer.u), value(layer.v)
        first = value(layer.layer.kernel) @ u
        np.testing.assert_allclose(v, first / np.linalg.norm(first), atol=1e-6)
        layer.layer.kernel.assign(kernel)
        got = run(layer, eye, training=False)
        np.testing.assert_array_equal(value(layer.u), u)
        np.testing.assert_array_equal(value(layer.v), v)
        if iterate:
            v = kernel @ u / np.linalg.norm(kernel @ u)
            u = v @ kernel / np.linalg.norm(v @ kernel)
        np.testing.assert_allclose(got, kernel / (v @ kernel @ u), rtol=1e-4)


def gradient(fn, variable):
    """The gradient of the scalar `fn()` by a Keras variable."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        @tf.function
        def compute():
            with tf.GradientTape() as tape:
                y = fn()
            return tape.gradient(y, variable.value)

        return np.array(compute())
    import jax

    def compute(value):
        scope = keras.StatelessScope([(variable, value)])
        with scope:
            return fn()

    return np.array(jax.jit(jax.grad(compute))(variable.value))


@pytest.mark.backends
@pytest.mark.parametrize("training", [False, True])
def test_the_gradient_passes_through_sigma_but_not_u_and_v(training):
    layer = SpectralNormalization(layers.Dense(4, use_bias=False))
    layer.build((None, 6))
    w, g, eye = normal(6, 4), normal(6, 4, seed=1), np.eye(6, dtype="float32")
    layer.layer.kernel.assign(w)
    u, v = value(layer.u), value(layer.v)
    got = gradient(
        lambda: ops.sum(g * layer(eye, training=training)), layer.layer.kernel
    )
    if training:
        v = w @ u / np.linalg.norm(w @ u)
        u = v @ w / np.linalg.norm(v @ w)
    # Equation 10 of the paper, of the loss <g, w / sigma>.
    sigma = v @ w @ u
    want = g / sigma - np.sum(g * w) / sigma**2 * np.outer(v, u)
    np.testing.assert_allclose(got, want, atol=1e-5 * np.abs(want).max())


@pytest.mark.backends
def test_a_gradient_penalty_passes_through_it():
    """d/dW |dy/dx|^2 of a linear layer, which is known by hand."""
    layer = SpectralNormalization(layers.Dense(1, use_bias=False))
    layer.build((None, 5))
    x = normal(3, 5)

    def penalty():
        _, g = input_gradient(
            lambda x: layer(x, training=True), ops.convert_to_tensor(x)
        )
        return ops.sum(ops.square(g))

    # One row: sigma = |w| whatever w is, so the penalty is 3, and flat.
    got = gradient(penalty, layer.layer.kernel)
    np.testing.assert_allclose(got, 0, atol=1e-5)
    with_plain = gradient(
        lambda: ops.sum(ops.square(layer.layer.kernel)), layer.layer.kernel
    )
    assert np.abs(with_plain).max() > 0.1

    wide = SpectralNormalization(layers.Dense(4, use_bias=False))
    wide.build((None, 5))
    w = value(wide.layer.kernel)
    u, v = value(wide.u), value(wide.v)

    def penalty_of_sum():
        _, g = input_gradient(
            lambda x: ops.sum(wide(x, training=False), axis=1), ops.convert_to_tensor(x)
        )
        return ops.sum(ops.square(g)) / 3

    # With a = w 1 / sigma the penalty is |a|^2.
    sigma, ones = v @ w @ u, np.ones((4, 1), "float32")
    a = w @ ones / sigma
    want = 2 * a @ ones.T / sigma - 2 * np.sum(a * a) / sigma * np.outer(v, u)
    got = gradient(penalty_of_sum, wide.layer.kernel)
    np.testing.assert_allclose(got, want, atol=1e-5 * np.abs(want).max())


@pytest.mark.backends
def test_a_gan_trains_with_it(images):
    generator = keras.Sequential(
        [keras.Input((4,)), layers.Dense(64), layers.Reshape((8, 8, 1))]
    )
    generator.add(layers.Activation("tanh"))
    plain = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(4, 3, 2),
            layers.Flatten(),
            layers.Dense(1),
        ]
    )
    critic = spectrally_normalized(plain)
    conv = critic.layers[0]
    before = [value(w) for w in (conv.layer.kernel, conv.u, conv.v)]
    gan = keras_gans.BaseGAN(generator, critic, objective="hinge")
    gan.compile(keras.optimizers.SGD(1e-3), keras.optimizers.SGD(1e-3))
    logs = gan.fit(images(32, 8, 8), batch_size=4, epochs=4, verbose=0).history
    assert np.isfinite(logs["d_loss"]).all()
    for old, new in zip(before, (conv.layer.kernel, conv.u, conv.v), strict=True):
        assert np.abs(value(new) - old).max() > 1e-4
    # 64 updates of a slow kernel: u and v are its singular vectors.
    w = matrix(value(conv.layer.kernel), -1)
    sigma = value(conv.u) @ w @ value(conv.v)
    assert sigma == pytest.approx(np.linalg.norm(w, 2), rel=1e-2)


@pytest.mark.backends
def test_reduced_precision_and_saving(tmp_path):
    layer = SpectralNormalization(
        layers.Conv2D(8, 3, dtype="mixed_bfloat16"), 2, 1e-9, True
    )
    x = normal(2, 8, 8, 3)
    layer.build(x.shape)
    w, u = matrix(value(layer.layer.kernel), -1), value(layer.u)
    y = layer(x, training=True)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    assert {w.dtype for w in layer.weights} == {"float32"}
    # The iteration is float32's, though the convolution runs in bfloat16.
    for _ in range(2):
        v = u @ w / np.linalg.norm(u @ w)
        u = w @ v / np.linalg.norm(w @ v)
    np.testing.assert_allclose(value(layer.u), u, atol=1e-6)
    plain = layers.Conv2D(8, 3, dtype="mixed_bfloat16")
    plain.build(x.shape)
    plain.kernel.assign(value(layer.layer.kernel) / (u @ w @ v))
    # One step of bfloat16 at 2, should sigma differ in its last bit.
    np.testing.assert_allclose(
        np.array(ops.cast(y, "float32")),
        np.array(ops.cast(plain(x), "float32")),
        atol=2**-6,
    )
    model = keras.Sequential([keras.Input((8, 8, 3)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for old, new in zip(model.weights, loaded.weights, strict=True):
        np.testing.assert_array_equal(value(old), value(new))
    np.testing.assert_array_equal(
        np.array(ops.cast(model(x), "float32")),
        np.array(ops.cast(loaded(x), "float32")),
    )
    config = loaded.layers[0].get_config()
    for name in ("power_iterations", "epsilon", "iterate_in_inference"):
        assert config[name] == layer.get_config()[name]


def two_inputs():
    """A model of two inputs and two outputs, with much that is not wrapped."""
    x = keras.Input((8, 8, 1), name="images")
    label = keras.Input((), dtype="int32", name="label")
    inner = keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(3, 3, name="deep")], name="inner"
    )
    h = layers.BatchNormalization()(inner(x))
    h = layers.Flatten()(ops.relu(h))
    e = layers.Embedding(4, 5, name="classes")(label)
    shared = layers.Dense(5, name="shared")
    h = shared(layers.Dense(5)(h)) + e
    return keras.Model(
        [x, label], [h, layers.Dense(1, name="out")(shared(h))], name="both"
    )


def test_a_model_is_copied_with_every_layer_normalized():
    model = two_inputs()
    x, label = normal(2, 8, 8, 1), np.array([0, 3])
    copy = spectrally_normalized(model)
    assert copy.name == "both"
    assert [t.name for t in copy.inputs] == ["images", "label"]
    wrapped = {
        layer.name
        for layer in [*copy.layers, *copy.get_layer("inner").layers]
        if isinstance(layer, SpectralNormalization)
    }
    assert {"deep", "classes", "shared", "out"} < wrapped
    assert len(wrapped) == 5
    for name in ("classes", "shared", "out"):
        old, new = model.get_layer(name), copy.get_layer(name)
        for a, b in zip(old.weights, new.layer.weights, strict=True):
            np.testing.assert_array_equal(value(a), value(b))
            assert a is not b
        # v fits the weights that were carried over.
        w = matrix(value(kernel_of(new.layer)), 0 if name == "classes" else -1)
        v = value(new.u) @ w
        np.testing.assert_allclose(value(new.v), v / np.linalg.norm(v), atol=1e-6)
    a, b = copy([x, label], training=True)
    assert a.shape == (2, 5)
    assert b.shape == (2, 1)
    assert spectrally_normalized(copy) is copy


def test_arguments_are_checked():
    for layer in (
        layers.DepthwiseConv2D(3),
        layers.SeparableConv2D(4, 3),
        layers.ReLU(),
        SpectralNormalization(layers.Dense(2)),
        "dense",
    ):
        with pytest.raises(ValueError, match="`layer` must be one of Dense"):
            SpectralNormalization(layer)
    with pytest.raises(ValueError, match="power_iterations"):
        SpectralNormalization(layers.Dense(2), 0)
    with pytest.raises(ValueError, match="epsilon"):
        SpectralNormalization(layers.Dense(2), epsilon=0)
    with pytest.raises(ValueError, match="without activity"):
        SpectralNormalization(layers.Dense(2, activity_regularizer="l2"))

    class Own(keras.Model):
        def call(self, x):
            return x

    own = Own()
    own(np.ones((1, 2)))
    with pytest.raises(ValueError, match="Only Functional and Sequential"):
        spectrally_normalized(own)
    with pytest.raises(ValueError, match="not built"):
        spectrally_normalized(keras.Sequential([layers.Dense(2)]))
