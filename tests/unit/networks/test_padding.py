"""Padding by reflection, against numpy's."""

import keras
from keras import ops
import numpy as np
import pytest

from keras_gans.networks.padding import cropped, multiple_of, padded, reflected


def ramp(*shape):
    return np.arange(np.prod(shape), dtype="float32").reshape(shape)


def network(size, function):
    """A model of `function`, of images of a size that is known or not."""
    x = keras.Input((*size, 3))
    return keras.Model(x, function(x))


PADDINGS = [0, 1, 3, ((0, 2), (1, 0)), ((7, 11), (0, 1)), ((0, 0), (40, 23))]


@pytest.mark.parametrize(
    "size", [(5, 6), pytest.param((3, 1), marks=pytest.mark.backends), (1, 2)]
)
@pytest.mark.parametrize("padding", PADDINGS)
def test_reflection_is_that_of_numpy(size, padding):
    x = ramp(2, *size, 3)
    pairs = ((padding, padding),) * 2 if isinstance(padding, int) else padding
    want = np.pad(x, [(0, 0), *pairs, (0, 0)], mode="reflect")
    np.testing.assert_array_equal(reflected(x, padding), want)
    fits = all(max(pair) < s for pair, s in zip(pairs, size, strict=True))
    unknown = [(None, None), (None, size[1])] if fits else []
    for known in (size, *unknown):
        model = network(known, lambda x: reflected(x, padding))
        shape = zip(known, want.shape[1:3], strict=True)
        shape = (side if k is not None else None for k, side in shape)
        assert model.output_shape == (None, *shape, 3)
        np.testing.assert_array_equal(model(x), want)


@pytest.mark.full_on_jax
@pytest.mark.parametrize(
    "size", [(1, 5), (8, 16), pytest.param((13, 30), marks=pytest.mark.backends)]
)
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("blocks", [1, 2])
def test_cropping_undoes_padding_to_a_multiple(size, known, blocks):
    x = ramp(2, *size, 3)
    extra = [max(-(-side // 8), blocks) * 8 - side for side in size]
    pairs = [(e // 2, e - e // 2) for e in extra]
    want = np.pad(x, [(0, 0), *pairs, (0, 0)], mode="reflect")

    def both(x):
        y = padded(x, 8, blocks)
        return y, cropped(ops.concatenate([y] * 3, -1), x)

    model = network(size if known else (None, None), both)
    y, again = model(x)
    np.testing.assert_array_equal(y, want)
    np.testing.assert_array_equal(again, np.concatenate([x] * 3, -1))
    if known:
        shapes = [tuple(made.shape)[1:] for made in model.outputs]
        assert shapes == [want.shape[1:], again.shape[1:]]
    assert multiple_of(model) == (1 if known and not any(extra) else 8)


def test_of_no_images_comes_none():
    model = network((None, None), lambda x: cropped(padded(x, 8), x))
    assert model(ramp(0, 5, 9, 3)).shape == (0, 5, 9, 3)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_they_are_saved(dtype, tmp_path):
    keras.config.set_dtype_policy(dtype)
    try:
        x = keras.Input((None, None, 2))
        y = padded(reflected(x, ((1, 2), (3, 4))), 16)
        assert y.dtype == dtype.removeprefix("mixed_")
        model = keras.Model(x, cropped(y, x))
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.output_shape == (None, None, None, 2)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    x = ramp(1, 9, 7, 2)
    got, want = (np.array(ops.cast(m(x), "float32")) for m in (loaded, model))
    np.testing.assert_array_equal(got, want)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="GradientTape")
@pytest.mark.parametrize(
    ("padding", "size"), [(2, (4, 3)), (9, (4, 3)), (2, (None, None))]
)
def test_gradients_of_gradients(padding, size):
    """Of sum(pad(x)^3): each pixel as often as padding repeats it."""
    import tensorflow as tf

    model = network(size, lambda x: reflected(x, padding))
    x = tf.constant(ramp(1, 4, 3, 3))
    counts = np.zeros(x.shape)
    places = np.array(model(x), "int32").reshape(-1)
    np.add.at(counts.reshape(-1), places, 1)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = tf.reduce_sum(model(x) ** 3)
        first = inner.gradient(y, x)
    np.testing.assert_allclose(first, 3 * counts * x**2, rtol=1e-5)
    second = outer.gradient(first, x)
    np.testing.assert_allclose(second, 6 * counts * x, rtol=1e-5)


def test_arguments_are_checked():
    for padding in (-1, 1.0, (1, 2), ((1, 2), (3,)), ((1, -2), (3, 4))):
        with pytest.raises(ValueError, match="`padding` is an int"):
            reflected(ramp(1, 2, 2, 1), padding)
    with pytest.raises(ValueError, match="`multiple` must"):
        padded(ramp(1, 2, 2, 1), 0)
