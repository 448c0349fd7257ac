"""Padding by reflection, against numpy's."""

import keras
from keras import ops
import numpy as np
import pytest

from keras_gans.layers import CropToSize
from keras_gans.layers import ReflectionPadding2D
from keras_gans.layers import ReflectToMultiple


def ramp(*shape):
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


PADDINGS = [0, 1, 3, ((0, 2), (1, 0)), ((7, 11), (0, 1)), ((0, 0), (40, 23))]


@pytest.mark.parametrize(
    "size",
    [(5, 6), pytest.param((3, 1), marks=pytest.mark.backends), (1, 2)],
)
@pytest.mark.parametrize("padding", PADDINGS)
def test_reflection_is_that_of_numpy(size, padding):
    x = ramp(2, *size, 3)
    pairs = ((padding, padding),) * 2 if isinstance(padding, int) else padding
    want = np.pad(x, [(0, 0), *pairs, (0, 0)], mode="reflect")
    layer = ReflectionPadding2D(padding)
    np.testing.assert_array_equal(layer(x), want)
    assert layer.compute_output_shape(x.shape) == want.shape
    open_shape = (None, None, size[1], 3)
    assert layer.compute_output_shape(open_shape) == (
        None,
        None,
        *want.shape[2:],
    )


@pytest.mark.backends
@pytest.mark.parametrize("size", [(1, 5), (8, 16), (13, 30)])
def test_cropping_undoes_padding_to_a_multiple(size):
    x = ramp(2, *size, 3)
    layer = ReflectToMultiple(8)
    y = np.array(layer(x))
    assert y.shape == layer.compute_output_shape(x.shape)
    assert all(0 <= a - b < 8 for a, b in zip(y.shape, x.shape, strict=True))
    assert all(side % 8 == 0 for side in y.shape[1:3])
    crop = CropToSize()
    np.testing.assert_array_equal(crop([y, x]), x)
    assert crop.compute_output_shape([(*y.shape[:3], 9), x.shape]) == (
        *x.shape[:3],
        9,
    )


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_they_are_saved(dtype, tmp_path):
    x = keras.Input((None, None, 2))
    y = ReflectionPadding2D(((1, 2), (3, 4)), dtype=dtype)(x)
    y = CropToSize(dtype=dtype)([ReflectToMultiple(16, dtype=dtype)(y), x])
    model = keras.Model(x, y)
    assert model.output_shape == (None, None, None, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = ramp(1, 9, 7, 2)
    got, want = (np.array(ops.cast(m(x), "float32")) for m in (loaded, model))
    np.testing.assert_array_equal(got, want)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="GradientTape"
)
@pytest.mark.parametrize("padding", [2, 9])
def test_gradients_of_gradients(padding):
    """Of sum(pad(x)^3): each pixel as often as padding repeats it."""
    import tensorflow as tf

    x = tf.constant(ramp(1, 4, 3, 1))
    counts = np.zeros(x.shape)
    places = ReflectionPadding2D(padding)(ramp(1, 4, 3, 1))
    np.add.at(counts.reshape(-1), np.array(places, "int32").reshape(-1), 1)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_sum(ReflectionPadding2D(padding)(x) ** 3)
        first = inner.gradient(y, x)
    np.testing.assert_allclose(first, 3 * counts * x**2, rtol=1e-5)
    second = outer.gradient(first, x)
    np.testing.assert_allclose(second, 6 * counts * x, rtol=1e-5)


def test_arguments_are_checked():
    for padding in (-1, 1.0, (1, 2), ((1, 2), (3,)), ((1, -2), (3, 4))):
        with pytest.raises(ValueError, match="`padding` is an int"):
            ReflectionPadding2D(padding)
    with pytest.raises(ValueError, match="`multiple` must"):
        ReflectToMultiple(0)
