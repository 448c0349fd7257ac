"""Networks called by themselves, of shapes that come again or do not."""

import concurrent.futures

import keras
import numpy as np
import pytest

import keras_gans as kg


class Counted(keras.layers.Layer):
    """Counts how often Python runs it."""

    calls = 0

    def call(self, x):
        type(self).calls += 1
        return x * self.factor

    def build(self, input_shape):
        self.factor = self.add_weight(name="factor", initializer="ones")


@pytest.mark.backends
def test_shapes_that_come_again_are_compiled(tiny):
    x = inputs = keras.Input((None, 1))
    network = keras.Model(inputs, Counted()(x))
    infer = tiny.engine.inference_of(network)
    compiles = keras.backend.backend() == "tensorflow"
    Counted.calls = 0
    for i in range(5):
        made = infer(np.full((1, 8, 1), i, "float32"))
        np.testing.assert_array_equal(made, np.full((1, 8, 1), i))
    assert Counted.calls == (3 if compiles else 5)  # twice by itself, once to compile
    network.layers[-1].factor.assign(3.0)
    made = infer(np.ones((1, 8, 1), "float32"))
    np.testing.assert_array_equal(made, 3 * np.ones((1, 8, 1)))
    before = Counted.calls
    infer(np.ones((1, 9, 1), "float32"))
    infer(np.ones((1, 8, 1), "int32"))
    assert Counted.calls == before + 2
    again = tiny.engine.inference_of(network)
    again(np.ones((1, 8, 1), "float32"))
    assert Counted.calls == before + (2 if compiles else 3)


def test_the_latest_shapes_are_kept(tiny, monkeypatch):
    """However many others came before."""
    monkeypatch.setattr("keras_gans.engine.tensorflow.MOST_SHAPES", 2)
    inputs = keras.Input((None, 1))
    infer = tiny.engine.inference_of(keras.Model(inputs, Counted()(inputs)))

    def runs(steps):
        before = Counted.calls
        infer(np.ones((1, steps, 1), "float32"))
        return Counted.calls - before

    assert [runs(n) for n in (1, 2, 3, 3, 3, 3)] == [1, 1, 1, 1, 1, 0]
    assert [runs(n) for n in (4, 3, 5, 3, 4)] == [1, 0, 1, 0, 1]
    assert [runs(n) for n in (5, 6, 3)] == [1, 1, 1]


def test_threads_may_call_at_once(tiny):
    inputs = keras.Input((None, 1))
    infer = tiny.engine.inference_of(keras.Model(inputs, Counted()(inputs)))
    Counted.calls = 0

    def made(i):
        return np.asarray(infer(np.full((1, 8, 1), i, "float32")))

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for i, y in enumerate(pool.map(made, range(64))):
            np.testing.assert_array_equal(y, np.full((1, 8, 1), i))
    assert Counted.calls <= 3


@pytest.fixture
def tiny():
    return kg.DCGAN((16, 16, 1), latent_dim=2, width=2)
