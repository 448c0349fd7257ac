"""What `accelerate` binds, and what it leaves as it was."""

import keras
from keras import layers, ops
import numpy as np
import pytest

from keras_gans.engine import kernels
from keras_gans.layers import SpectralNormalization

# Each from an image of three channels, of the same size.
PLAIN = {
    "conv": lambda: layers.Conv2D(3, 3, padding="same"),
    "transposed": lambda: layers.Conv2DTranspose(3, 3, padding="same"),
    "norm": layers.BatchNormalization,
    "relu": layers.ReLU,
    "leaky_relu": lambda: layers.LeakyReLU(0.2),
    "dropout": lambda: layers.Dropout(0.5, seed=1),
}


class Own(layers.Conv2D):
    """A layer that does something else."""

    def call(self, inputs):
        return 2.0 * super().call(inputs)


def network():
    inner = [make() for make in PLAIN.values()]
    x = inputs = keras.Input((8, 8, 3))
    x = keras.Sequential([keras.Input((8, 8, 3)), *inner])(x)
    wrapped = SpectralNormalization(layers.Conv2D(3, 3, padding="same"))
    own = Own(3, 3, padding="same")
    return keras.Model(inputs, own(wrapped(x))), [*inner, wrapped.layer], own


def bound(layer):
    return "call" in vars(layer)


@pytest.mark.backends
def test_layers_are_bound_once_and_stay_those_of_keras(tmp_path):
    model, inner, own = network()
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    before, config = np.asarray(model(x)), model.get_config()
    names = [w.path for w in model.weights]
    kernels.accelerate(model)
    on_tensorflow = keras.backend.backend() == "tensorflow"
    for layer in inner:
        wanted = on_tensorflow or type(layer) is layers.Dropout
        assert bound(layer) == wanted, layer.name
    assert not bound(own)
    calls = [layer.call for layer in inner]
    kernels.accelerate(model)
    assert [layer.call for layer in inner] == calls
    np.testing.assert_array_equal(model(x), before)
    assert model.get_config() == config
    assert [w.path for w in model.weights] == names
    model.save(tmp_path / "model.keras")
    custom = {"Own": Own}
    loaded = keras.saving.load_model(tmp_path / "model.keras", custom)
    np.testing.assert_array_equal(loaded(x), before)
    clone = keras.models.clone_model(model)
    for copy in (loaded, clone):
        assert not any(map(bound, copy.layers[1].layers))


@pytest.mark.backends
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_dropout_follows_from_seed_call_and_row(dtype):
    def masks(seed, calls=2, rows=6):
        layer = layers.Dropout(0.25, seed=seed, dtype=dtype)
        kernels.accelerate(layer)
        x = ops.ones((rows, 40, 3))
        found = [layer(x, training=True) for _ in range(calls)]
        assert int(layer.seed_generator.state.value[1]) == calls
        np.testing.assert_array_equal(layer(x), np.ones((rows, 40, 3)))
        return [np.array(ops.cast(y, "float32")) for y in found]

    first, second = masks(7)
    kept = np.float32(ops.cast(ops.cast(1.0, dtype[-8:]) / 0.75, "float32"))
    np.testing.assert_allclose(np.unique(first), [0, kept], rtol=1e-2)
    # 720 draws: four standard deviations.
    assert abs((first > 0).mean() - 0.75) < 0.065
    assert (first != second).any() and (first[0] != first[1]).any()
    np.testing.assert_array_equal(first, masks(7)[0])
    # A row does not depend on how many there are.
    np.testing.assert_array_equal(first[:2], masks(7, 1, 2)[0])
    assert (first != masks(8)[0]).any()


@pytest.mark.backends
def test_other_dropouts_are_left_to_keras():
    x = ops.ones((4, 6, 5))
    for options in ({"rate": 0.5, "noise_shape": (4, 1, 5)}, {"rate": 1.0}):
        layer = layers.Dropout(seed=3, **options)
        twin = layers.Dropout(seed=3, **options)
        kernels.accelerate(layer)
        np.testing.assert_array_equal(layer(x, training=True), twin(x, training=True))
    layer = layers.Dropout(0.0)
    kernels.accelerate(layer)
    np.testing.assert_array_equal(layer(x, training=True), x)
