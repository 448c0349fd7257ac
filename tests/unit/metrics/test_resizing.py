"""The resize modes of evaluation, each against its definition."""

import keras
import numpy as np
import pytest

from keras_gans.metrics.features.resizing import MODES, resize

SQUARES = np.arange(12, dtype="float32").reshape(1, 3, 4, 1) ** 2
# Of PyTorch's interpolate(mode="bilinear", align_corners=False)
OF_TORCH = {
    (2, 3): [[4.5, 9.5, 17.8333340], [54.5, 75.5, 99.8333334]],
    (4, 6): [
        [0, 0.5, 1.5, 3.5, 6.5, 9],
        [10, 13, 17.3333321, 22.6666679, 29, 34],
        [34, 40, 48.3333359, 57.6666641, 68, 75.9999924],
        [64, 72.5, 84.1666718, 96.8333359, 110.5, 121],
    ],
}


def pictures(*shape, dtype="uint8"):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, shape).astype(dtype)


def cubic(x):
    """The cubic convolution kernel, a = -1/2."""
    x = np.abs(x)
    near = 1.5 * x**3 - 2.5 * x**2 + 1
    far = -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0))


def antialiased(pixels, size):
    """The matrix whose kernel widens where the image shrinks."""
    scale = pixels / size
    centres = (np.arange(size)[:, None] + 0.5) * scale
    at = np.arange(pixels) + 0.5
    weights = cubic((at - centres) / max(scale, 1))
    return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize("size", [(4, 9), (31, 8), (12, 10)])
def test_clean_is_antialiased_bicubic_on_floats(size):
    x = pictures(2, 12, 10, 5)
    rows, columns = antialiased(12, size[0]), antialiased(10, size[1])
    want = np.einsum("ah,bw,nhwc->nabc", rows, columns, x).clip(0, 255)
    got = resize(x, size, "clean")
    assert got.dtype == "float32"
    np.testing.assert_allclose(got, want, atol=1e-3)  # float32 of 255
    assert (got != got.round()).any() or size == (12, 10)


def test_clean_clips_what_overshoots():
    x = np.zeros((1, 8, 8, 1), "uint8")
    x[:, :, 4:] = 255
    got = resize(x, 32, "clean")
    assert got.min() == 0 and got.max() == 255


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow's own op"
)
@pytest.mark.parametrize("size", [(5, 4), (13, 22), (7, 11), (299, 299)])
def test_legacy_tensorflow_is_its_op_bit_for_bit(size):
    import tensorflow as tf

    x = pictures(2, 7, 11, 3)
    want = tf.raw_ops.ResizeBilinear(images=x, size=size)
    got = resize(x, size, "legacy_tensorflow")
    np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("size", OF_TORCH)
def test_legacy_torch_gives_its_numbers(size):
    got = resize(SQUARES, size, "legacy_torch")
    want = np.array(OF_TORCH[size])[None, ..., None]
    np.testing.assert_allclose(got, want, rtol=1e-6)


def test_legacy_modes_do_not_smooth():
    # Stripes of one pixel vanish, or stay, by where the grid falls.
    x = np.zeros((1, 8, 8, 1), "uint8")
    x[:, :, ::2] = 255
    assert (resize(x, 4, "legacy_tensorflow") == 255).all()
    assert (resize(x, 4, "legacy_torch") == 127.5).all()
    assert np.ptp(resize(x, 2, "clean")[:, :, 0]) < 1e-3


@pytest.mark.parametrize("mode", MODES)
def test_the_same_for_all_dtypes_and_batches(mode):
    x = pictures(3, 9, 6, 4)
    before = x.copy()
    want = resize(x, (5, 13), mode)
    assert want.shape == (3, 5, 13, 4)
    np.testing.assert_array_equal(x, before)
    for given in (x.astype("float64"), x.astype("float16"), list(x)):
        np.testing.assert_array_equal(resize(given, (5, 13), mode), want)
    for i in range(3):
        got = resize(x[i : i + 1], (5, 13), mode)
        np.testing.assert_array_equal(got[0], want[i])
    np.testing.assert_array_equal(resize(x, (9, 6), mode), x)


@pytest.mark.parametrize(
    ("images", "size", "mode", "message"),
    [
        (pictures(1, 4, 4, 3), 8, "cleen", "Did you mean clean"),
        (pictures(1, 4, 4, 3), 0, "clean", "height"),
        (pictures(1, 4, 4, 3), (8, -1), "clean", "width"),
        (pictures(1, 4, 4, 3), (8, 8, 3), "clean", "`size` must be"),
        (pictures(4, 4, 3), 8, "clean", r"shape \(4, 4, 3\)"),
        (pictures(0, 4, 4, 3), 8, "clean", r"shape \(0, 4, 4, 3\)"),
        ([], 8, "clean", r"shape \(0,\)"),
        (pictures(1, 4, 4, 3, dtype="int32"), 8, "clean", "dtype int32"),
        (pictures(1, 4, 4, 3) / 127.5 - 1, 8, "clean", r"\+ 1\) \* 127.5"),
        (pictures(1, 4, 4, 3) + 100.5, 8, "clean", "from .* to"),
        (np.full((1, 4, 4, 3), np.nan), 8, "clean", "to nan"),
        (
            [pictures(4, 4, 3), pictures(4, 5, 3)],
            8,
            "clean",
            r"image 1 of shape \(4, 5, 3\)",
        ),
        (
            [pictures(4, 4, 3), pictures(4, 4, 3, dtype="float32")],
            8,
            "clean",
            "image 1 .* and float32",
        ),
        ([pictures(4, 4, 3), pictures(4, 4)], 8, "clean", "image 1"),
    ],
)
def test_bad_input_is_named(images, size, mode, message):
    with pytest.raises(ValueError, match=message):
        resize(images, size, mode)
