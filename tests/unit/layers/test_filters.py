"""Filters: their design, resampling by them, and the filtered ReLU."""

import math

import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

from keras_gans.engine import input_gradient
from keras_gans.layers import FilteredLeakyReLU
from keras_gans.layers.filters import low_pass, resampled, resampled_across


def channels_last(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def close(got, want, bound=1e-6):
    got = np.asarray(ops.convert_to_numpy(got), "float64")
    want = channels_last(want)
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


def of_sum_1(*taps):
    return np.array(taps) / sum(taps)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_maps_are_resampled_as_the_reference_does():
    wanted = np.load(GOLDEN / "upfirdn2d.npz")
    x = channels_last(wanted["x"])
    smooth, other = of_sum_1(1, 3, 3, 1), of_sum_1(1, 2, 1, 4)
    for filter in (2 * smooth, np.outer(2 * smooth, 2 * smooth)):
        close(resampled(x, filter, 2, 1, (2, 1)), wanted["y0"])
    close(resampled(x, smooth, 1, 2, (1, 1)), wanted["y1"])
    close(resampled(x, other, 3, 2, ((2, 0), (1, -1))), wanted["y2"])
    close(resampled(x, other[::-1], 1, 1, ((0, 1), (-1, 2))), wanted["y3"])
    close(resampled(x, of_sum_1(1, 2, 3), (1, 2), (2, 1), (2, 2)), wanted["y4"])
    with pytest.raises(ValueError, match=r"10 x 10 taps.*9 x 8 pixels"):
        resampled(x, np.ones(10))


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_the_filtered_relu_is_the_reference_s():
    wanted = np.load(GOLDEN / "stylegan3_filtered_lrelu.npz")
    x = channels_last(wanted["x"]) + wanted["b"]
    up, down = wanted["fu"], wanted["fd"]

    def made(up, down, factors, padding, gain, slope, clamp):
        y = resampled_across(x, up * factors[0], factors[0], 1, padding)
        y = keras.activations.leaky_relu(y, slope) * gain
        y = ops.clip(y, -clamp, clamp)
        return resampled_across(y, down, 1, factors[1])

    root = 2**0.5
    y = made(up, down, (4, 2), ((5, 2), (3, 4)), root, 0.2, 1.0)
    close(y, wanted["y_up4_down2"])
    y = made(up, down, (2, 2), (5, 5), root, 0.2, 256.0)
    close(y, wanted["y_up2_down2"])
    both = np.outer(down, down)[::-1, ::-1]
    y = made(up[::-1], both, (2, 1), (6, 6), 1.3, 0.1, 256.0)
    close(y, wanted["y_flip"])


def test_large_maps_are_taken_in_blocks():
    """What a block makes at its edges is what one block of all makes."""
    x = np.random.default_rng(0).normal(size=(1, 300, 5, 1)).astype("float32")
    filter = np.arange(1.0, 8.0)
    for up, down in ((2, 1), (1, 2), (3, 2)):
        got = resampled(x, filter, (up, 1), (down, 1), ((9, -4), (3, 3)))
        zeros = np.zeros((300 * up, 5))
        zeros[::up] = x[0, :, :, 0]
        padded = np.pad(zeros, ((9, 0), (3, 3)))[:-4]
        rows = np.stack([np.convolve(c, filter, "valid") for c in padded.T], 1)
        wanted = np.stack([np.convolve(r, filter, "valid") for r in rows[::down]])
        np.testing.assert_allclose(got[0, :, :, 0], wanted, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("radial", [False, True])
def test_gradients_are_the_transposed_resampling(radial):
    """sum(y A x) has the gradient A^T y, which A of unit vectors gives."""
    filter = low_pass(6, 0.2, 0.2, 1.0, radial)
    layer = FilteredLeakyReLU(
        3, (1, 1), (0.2, 0.2), (0.2, 0.2), radial, slope=1.0, clamp=1e9
    )
    for linear in (lambda x: resampled(x, filter, 1, 2), layer):
        x = np.eye(64).reshape(64, 8, 8, 1).astype("float32")
        matrix = ops.convert_to_numpy(linear(x)).reshape(64, -1)
        y = np.random.default_rng(0).normal(size=matrix.shape[1]).astype("float32")

        def weighed(x, linear=linear, y=y):
            return ops.matmul(ops.reshape(linear(x), (-1, len(y))), y[:, None])

        _, gradient = input_gradient(weighed, ops.convert_to_tensor(x[:1]))
        gradient = ops.convert_to_numpy(gradient).reshape(64)
        np.testing.assert_allclose(gradient, matrix @ y, rtol=0, atol=1e-5)


def test_low_pass_filters_pass_what_is_low():
    place = (np.arange(24) - 11.5) / 64

    def response(taps, f, direction):
        """What is left of a wave of frequency f."""
        x = direction[0] * place[:, None] + direction[1] * place
        return (taps * np.cos(2 * np.pi * f * x)).sum()

    one = low_pass(24, 4.0, 8.0, 64.0)
    square, round_ = np.outer(one, one), low_pass(24, 4.0, 8.0, 64.0, radial=True)
    for taps in (square, round_):
        assert math.isclose(taps.sum(), 1.0)
        assert response(taps, 1, (0, 1)) > 0.95
        assert abs(response(taps, 9, (0, 1))) < 0.01
    # Of a radial one, all directions have the same response.
    diagonal = (0.5**0.5, 0.5**0.5)
    for taps, low, high in ((round_, 0, 0.01), (square, 0.03, 1)):
        gap = abs(response(taps, 5, diagonal) - response(taps, 5, (0, 1)))
        assert low <= gap < high


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"rates": (7, 16)}, "multiple"),
        ({"rates": (16,)}, "rates"),
        ({"cutoffs": (4.0, -1.0)}, "cutoffs"),
        ({"widths": (4.0,)}, "widths"),
        ({"radial": 1}, "radial"),
        ({"clamp": 0.0}, "clamp"),
        ({"size": 0}, "size"),
    ],
)
def test_bad_arguments_are_refused(given, message):
    good = {"size": 8, "rates": (8, 8), "cutoffs": (2.0, 2.0), "widths": (4.0, 4.0)}
    with pytest.raises(ValueError, match=message):
        FilteredLeakyReLU(**{**good, **given})
