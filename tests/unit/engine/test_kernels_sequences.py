"""Convolutions over time compute what Keras's layer does."""

import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.engine import kernels
from keras_gans.engine.kernels import choice

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="kernels of TensorFlow"
)


@pytest.fixture
def on_a_cpu(monkeypatch):
    monkeypatch.setattr(choice, "_on_cpu", lambda: True)
    monkeypatch.setattr(choice, "LEAST_ALONE", 1)
    monkeypatch.setattr(choice, "_threads", lambda: 4)
    with choice.scope(trains=False):
        yield


@pytest.fixture
def one_dnn(monkeypatch):
    """Whether TensorFlow computes by oneDNN; as if it did."""
    found = choice.has_one_dnn()
    monkeypatch.setattr(choice, "has_one_dnn", lambda: True)
    return found


def results(layer, x, differentiable=True):
    """Values, the gradient of the inputs, and the gradients of its square."""
    if not differentiable:
        return (layer(x),)
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = layer(x)
            total = tf.reduce_sum(tf.sin(y))
        (gradient,) = inner.gradient(total, [x])
        loss = tf.reduce_sum(gradient**2)
    return y, gradient, *outer.gradient(loss, layer.trainable_variables)


@pytest.fixture
def convolved(monkeypatch):
    """The shapes and dilations of what TensorFlow was asked to convolve."""
    found, conv2d = [], tf.nn.conv2d

    def asked(x, *args, dilations, **options):
        found.append((tuple(x.shape), dilations))
        return conv2d(x, *args, dilations=dilations, **options)

    monkeypatch.setattr(tf.nn, "conv2d", asked)
    return found


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(
    ("rows", "steps", "taps", "dilation", "parts"),
    [
        (2, 11, 3, 3, 1),
        (2, 40, 4, 2, 1),
        (3, 40, 2, 5, 1),
        (1, 101, 3, 3, 2),
        (1, 100, 4, 2, 2),
        (1, 100, 4, 1, 4),
        (1, 257, 3, 1, 4),
    ],
)
def test_values_and_gradients(
    rows, steps, taps, dilation, parts, padding, on_a_cpu, one_dnn, convolved
):
    layer = layers.Conv1D(
        6, taps, dilation_rate=dilation, padding=padding, activation="tanh"
    )
    x = keras.random.normal((rows, steps, 4), seed=0)
    # Without oneDNN, TensorFlow has no gradients of dilated ones.
    differentiable = one_dnn or dilation == 1
    plain = results(layer, x, differentiable)
    kernels.accelerate(layer)
    convolved.clear()
    ours = results(layer, x, differentiable)
    ((shape, dilations),) = convolved
    assert shape[0] == rows * parts and dilations == (1, dilation)
    for a, b in zip(plain, ours, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5 * float(np.abs(a).max()))


def test_without_a_bias(on_a_cpu, one_dnn, convolved):
    layer = layers.Conv1D(6, 3, dilation_rate=2, use_bias=False)
    x = keras.random.normal((2, 9, 4), seed=0)
    plain = layer(x)
    kernels.accelerate(layer)
    np.testing.assert_allclose(layer(x), plain, rtol=0, atol=1e-5)
    assert len(convolved) == 1


def test_what_is_convolved_as_rows(on_a_cpu, monkeypatch):
    """Dilated ones of a batch; a long sequence alone. No others."""
    monkeypatch.setattr(choice, "has_one_dnn", lambda: True)
    batch, row = np.zeros((2, 99, 4), "float32"), np.zeros((1, 99, 4), "float32")

    def parts(x, **options):
        return choice.parts(layers.Conv1D(4, 3, **options), x)

    assert parts(batch, dilation_rate=2) == 1 and parts(batch) == 0
    assert parts(row) == 4 and parts(row, dilation_rate=2) == 3
    assert parts(row[:, :31]) == 0  # the halves would overlap by an eighth of them
    others = {"strides": 2}, {"padding": "causal"}, {"groups": 2}
    for other in others:
        assert parts(row, **other) == 0 and parts(batch, **other) == 0
    assert choice.parts(layers.Conv1D(4, 1), row) == 0
    assert choice.parts(layers.Conv1D(4, 3), keras.KerasTensor((None, 99, 4))) == 0
    with choice.scope(trains=True):  # to the bit on any number of cores
        assert parts(row) == 0 and parts(batch, dilation_rate=2) == 1
    monkeypatch.setenv("KERAS_GANS_KERNELS", "adam")
    assert parts(batch, dilation_rate=2) == 0 and parts(row) == 0
