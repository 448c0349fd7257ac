"""Networks called by themselves, of shapes that come again or do not."""

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
    assert Counted.calls == (2 if compiles else 5)  # once by itself, once to compile
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


@pytest.fixture
def tiny():
    return kg.DCGAN((16, 16, 1), latent_dim=2, width=2)
