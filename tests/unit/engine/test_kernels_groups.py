"""Convolutions of groups and of columns compute what Keras's layer does."""

import keras
from keras import layers
import numpy as np
import pytest
import tensorflow as tf

from keras_gans.engine import kernels
from keras_gans.engine.convolutions import Convolving
from keras_gans.engine.kernels import choice, convolution, measured

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="kernels of TensorFlow"
)


@pytest.fixture
def on_a_cpu(monkeypatch):
    monkeypatch.setattr(choice, "_on_cpu", lambda: True)
    with choice.scope():
        yield


@pytest.fixture(params=["one_dnn", "dense"])
def way(request, monkeypatch):
    """How groups are computed on this machine, or the other way."""
    if request.param == "dense":
        monkeypatch.setattr(choice, "has_groups", lambda x: False)
    elif not choice.has_groups(np.zeros(1, "float32")):
        pytest.skip("TensorFlow computes without oneDNN here")


@pytest.mark.daily(2)
@pytest.mark.parametrize(
    ("channels", "filters", "groups", "options"),
    [
        (64, 64, 4, {"padding": "same"}),  # two groups joined, twice
        (12, 24, 3, {"strides": 2}),  # all joined
        (96, 48, 2, {"padding": "same"}),  # a group a convolution
        (10, 5, 5, {"kernel_size": 1, "use_bias": False}),
        (6, 6, 6, {"kernel_size": (4, 1), "strides": (2, 1)}),
        (6, 9, 3, {"dilation_rate": 2, "padding": "same"}),
    ],
)
def test_values_and_gradients(channels, filters, groups, options, way, on_a_cpu):
    layer = layers.Conv2D(filters, groups=groups, **{"kernel_size": 3, **options})
    check_layer(layer, keras.random.normal((2, 7, 6, channels), seed=0))


@pytest.mark.parametrize(
    ("groups", "options"),
    [(4, {"padding": "same"}), (2, {"strides": 2}), (3, {"kernel_size": 1})],
)
def test_groups_one_by_one(groups, options, on_a_cpu, monkeypatch, tmp_path):
    """As they are where the clock has found that to be fastest."""
    layer = layers.Conv2D(24, groups=groups, **{"kernel_size": 3, **options})
    timed = []

    def measure(g, direction, names):
        timed.append((direction, g.groups, *names))
        return dict(zip(names, (1.0, 0.5), strict=True))

    monkeypatch.setattr(measured, "measure", measure)
    monkeypatch.setattr(measured, "_processes", {})
    monkeypatch.setattr(measured, "_unwritten", set())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("KERAS_GANS_KERNELS", "measure")
    monkeypatch.setattr(choice, "LEAST_WORK", 1)
    monkeypatch.setattr(choice, "has_groups", lambda x: True)
    choices = measured.Choices()
    with choice.scope(choices=choices):
        check_layer(layer, keras.random.normal((2, 7, 5, 12), seed=0))
    directions = ("forward", "input_gradient", "filter_gradient")
    assert set(timed) == {(d, groups, "keras", "groups") for d in directions}
    assert set(choices.names.values()) == {"groups"}


def test_groups_that_are_not_measured(on_a_cpu, monkeypatch):
    """Off by the switch they are Keras's; small ones are oneDNN's."""
    layer = layers.Conv2D(4, 3, groups=2)
    x = keras.random.normal((2, 7, 5, 4), seed=0)
    layer.build(x.shape)
    monkeypatch.setattr(choice, "has_groups", lambda x: True)
    choices = measured.Choices()
    with choice.scope(choices=choices):
        convolution.call(layer, x)
        assert list(choices.names.values()) == ["keras"]
        monkeypatch.setenv("KERAS_GANS_KERNELS", "adam")
        assert convolution.convolve(layer, x, layer.kernel.value) is None


def check_layer(layer, x):
    """Values, gradients and those of gradients are those of Keras's layer."""
    layer.build(x.shape)
    results = []
    for call in (layers.Conv2D.call, convolution.call):
        with tf.GradientTape() as outer:
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = call(layer, x)
                total = tf.reduce_sum(tf.sin(y))
            (gradient,) = inner.gradient(total, [x])
            loss = tf.reduce_sum(gradient**2)
        second = outer.gradient(loss, layer.trainable_variables[:1])
        results.append((y, gradient, *second))
    for plain, ours in zip(*results, strict=True):
        bound = 1e-5 * float(np.abs(plain).max())
        np.testing.assert_allclose(ours, plain, rtol=0, atol=bound)


@pytest.mark.daily(2)
@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize(
    ("width", "options"),
    [
        (1, {"kernel_size": (5, 1), "strides": (3, 1)}),
        (2, {"kernel_size": (5, 1), "strides": (2, 1), "padding": "same"}),
        (5, {"kernel_size": (3, 1), "dilation_rate": (2, 1)}),
        (5, {"kernel_size": (2, 1), "strides": (2, 2), "use_bias": False}),
    ],
)
def test_columns(width, options, groups, way, on_a_cpu):
    layer = layers.Conv2D(6, groups=groups, **options)
    x = keras.random.normal((2, 11, width, 4), seed=0)
    assert choice.turns(layer, x) == choice.has_one_dnn()
    check_layer(layer, x)


def test_a_column_of_a_layer_that_convolves(on_a_cpu):
    """Layers of this package say nothing of dilations."""
    x = keras.random.normal((2, 11, 3, 4), seed=0)
    kernel = keras.random.normal((5, 1, 4, 6), seed=1)
    layer = Convolving()
    ours = convolution.convolve_maps(layer, x, kernel)
    plain = layer.convolve(x, kernel)
    np.testing.assert_allclose(ours, plain, rtol=0, atol=1e-5 * np.abs(plain).max())


def test_what_is_turned(on_a_cpu, monkeypatch):
    """Narrow maps and kernels of a column; no others."""
    monkeypatch.setattr(choice, "has_one_dnn", lambda: True)
    narrow, wide = np.zeros((1, 9, 8, 2)), np.zeros((1, 9, 9, 2))
    column = layers.Conv2D(4, (3, 1))
    assert choice.turns(column, narrow) and not choice.turns(column, wide)
    for other in ((1, 3), (1, 1), 3):
        assert not choice.turns(layers.Conv2D(4, other), narrow)
    monkeypatch.setenv("KERAS_GANS_KERNELS", "adam")
    assert not choice.turns(column, narrow)


def test_the_switch(on_a_cpu, monkeypatch):
    layer = layers.Conv2D(4, 3, groups=2)
    assert choice.joins_groups(layer)
    assert not choice.joins_groups(layers.Conv2D(4, 3))
    monkeypatch.setenv("KERAS_GANS_KERNELS", "adam")
    assert "groups" in kernels.KERNELS and not choice.joins_groups(layer)
