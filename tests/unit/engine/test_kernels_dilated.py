"""Dilated convolutions over time compute what Keras's layer does."""

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


@pytest.fixture
def one_dnn():
    if not choice.has_one_dnn():
        pytest.skip("TensorFlow computes without oneDNN here")


def results(layer, x):
    """Values, the gradient of the inputs, and the gradients of its square."""
    with tf.GradientTape() as outer:
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = layer(x)
            total = tf.reduce_sum(tf.sin(y))
        (gradient,) = inner.gradient(total, [x])
        loss = tf.reduce_sum(gradient**2)
    return y, gradient, *outer.gradient(loss, layer.trainable_variables)


@pytest.mark.parametrize("steps", [11, 40])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("taps", "dilation"), [(3, 3), (4, 2), (2, 5)])
def test_values_and_gradients(
    taps, dilation, padding, steps, on_a_cpu, one_dnn, monkeypatch
):
    layer = layers.Conv1D(
        6, taps, dilation_rate=dilation, padding=padding, activation="tanh"
    )
    x = keras.random.normal((2, steps, 4), seed=0)
    plain = results(layer, x)
    kernels.accelerate(layer)
    convolved = []
    conv2d = tf.nn.conv2d
    monkeypatch.setattr(
        tf.nn, "conv2d", lambda *a, **k: convolved.append(k) or conv2d(*a, **k)
    )
    ours = results(layer, x)
    assert [k["dilations"] for k in convolved] == [(1, dilation)]
    for a, b in zip(plain, ours, strict=True):
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-5 * float(np.abs(a).max()))


def test_without_a_bias(on_a_cpu, one_dnn):
    layer = layers.Conv1D(6, 3, dilation_rate=2, use_bias=False)
    x = keras.random.normal((2, 9, 4), seed=0)
    plain = layer(x)
    kernels.accelerate(layer)
    np.testing.assert_allclose(layer(x), plain, rtol=0, atol=1e-5)


def test_what_is_joined(on_a_cpu, monkeypatch):
    """Rows of a known number, more than one; dilations; no causal padding."""
    monkeypatch.setattr(choice, "has_one_dnn", lambda: True)
    dilated_layer = layers.Conv1D(4, 3, dilation_rate=2)
    batch, row = np.zeros((2, 9, 4), "float32"), np.zeros((1, 9, 4), "float32")
    assert choice.joins_steps(dilated_layer, batch)
    assert not choice.joins_steps(dilated_layer, row)
    assert not choice.joins_steps(dilated_layer, keras.KerasTensor((None, 9, 4)))
    others = {"dilation_rate": 1}, {"padding": "causal"}, {"groups": 2}
    for other in others:
        layer = layers.Conv1D(4, 3, **{"dilation_rate": 2, **other})
        assert not choice.joins_steps(layer, batch), other
    monkeypatch.setenv("KERAS_GANS_KERNELS", "adam")
    assert not choice.joins_steps(dilated_layer, batch)
