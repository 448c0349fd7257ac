"""The parts of applications: Lab, and masks of holes."""

from keras import ops
import numpy as np
import pytest

from keras_gans.applications import lab
from keras_gans.applications.masks import KINDS, random_masks


def array(x):
    return np.array(ops.convert_to_numpy(x))


# --- Lab ---

COLOURS = {
    # Published for D65; with the standard's matrix of 4 digits and CIE's own
    # white, which differ from the exact primaries' by less than 0.01.
    (255, 0, 0): (53.2408, 80.0925, 67.2032),
    (0, 255, 0): (87.7347, -86.1827, 83.1793),
    (0, 0, 255): (32.2970, 79.1875, -107.8602),
    (255, 255, 255): (100, 0, 0),
    (0, 0, 0): (0, 0, 0),
    # Both linear pieces: 1/255 / 12.92 of white, times (29/3)^3.
    (1, 1, 1): ((29 / 3) ** 3 / 255 / 12.92, 0, 0),
    # Both curves: 116 cbrt(((0.2 + 0.055) / 1.055)^2.4) - 16.
    (51, 51, 51): (116 * (0.255 / 1.055) ** 0.8 - 16, 0, 0),
}


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_lab_of_known_colours():
    rgb = np.array(list(COLOURS)) / 127.5 - 1
    found = array(lab.rgb_to_lab(rgb))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, list(COLOURS.values()), atol=0.01)
    # Greys need no tables: nothing but rounding, times 500.
    np.testing.assert_allclose(found[3:], list(COLOURS.values())[3:], atol=2e-4)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_each_colour_comes_back():
    steps = np.r_[0:256:15, 1, 2, 254]
    pixels = np.stack(np.meshgrid(steps, steps, steps), -1)
    images = (pixels / 127.5 - 1).astype("float32")
    lightness, ab = lab.split(images)
    assert lightness.shape[-1] == 1 and ab.shape[-1] == 2
    lightness, ab = array(lightness), array(ab)
    assert lightness.min() >= -1 and lightness.max() <= 1 + 1e-6
    assert ab.min() > -0.99 and ab.max() < 0.9
    back = array(lab.join(lightness, ab))
    # A cube root and a matrix with entries up to 3 on float32, then the steep
    # end of the sRGB curve, times 12.92.
    np.testing.assert_allclose(back, images, atol=3e-5)
    np.testing.assert_array_equal(np.rint((back + 1) * 127.5), pixels)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_colours_out_of_srgb_keep_lightness_and_hue():
    rng = np.random.default_rng(0)
    asked = rng.uniform([2, -110, -110], [98, 110, 110], (4000, 3))
    rgb = array(lab.lab_to_rgb(asked))
    assert np.abs(rgb).max() <= 1
    found = array(lab.rgb_to_lab(rgb))
    np.testing.assert_allclose(found[:, 0], asked[:, 0], atol=0.01)
    chroma, less = (np.hypot(x[:, 1], x[:, 2]) for x in (asked, found))
    # No more chroma, the same direction, and as much of it as fits.
    cross = asked[:, 1] * found[:, 2] - asked[:, 2] * found[:, 1]
    np.testing.assert_allclose(cross / chroma, 0, atol=0.02)
    assert (less <= chroma + 0.01).all()
    paler = less < chroma - 0.1
    assert 0.3 < paler.mean() < 0.9
    edge = np.abs(rgb[paler]).max(axis=1)
    assert edge.min() > 0.99


def test_gradients_are_finite():
    import tensorflow as tf

    x = tf.constant([[-1.0, -1, -1], [1, 1, 1], [-1, 0.2, 1]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = lab.rgb_to_lab(x) / 50.0
    assert np.isfinite(tape.gradient(y, x)).all()
    x = tf.constant([[0.0, 0, 0], [100, 0, 0], [50, 120, 120]])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = lab.lab_to_rgb(x)
    assert np.isfinite(tape.gradient(y, x)).all()


# --- Masks ---


@pytest.mark.parametrize("kind", KINDS)
def test_masks(kind):
    share = (0.15, 0.3)
    masks = array(random_masks(60, 40, 25, kind, share, seed=3, step=7))
    assert masks.shape == (60, 40, 25, 1)
    assert set(np.unique(masks)) == {0.0, 1.0}
    holes = masks.mean(axis=(1, 2, 3))
    # A range of 60 draws: what is left out at either end is below 10 %.
    assert 0.15 <= holes.min() < 0.18 and 0.27 < holes.max() <= 0.3
    boxes = []
    for mask in masks[..., 0]:
        rows, columns = mask.any(1), mask.any(0)
        boxes.append(rows.sum() * columns.sum() == mask.sum())
    part = {"rectangle": (1, 1), "free_form": (0, 0), "mixed": (0.3, 0.7)}
    assert part[kind][0] <= np.mean(boxes) <= part[kind][1]
    # Everywhere is a hole in some of them.
    assert masks.max(axis=0).mean() > 0.95
    again = array(random_masks(9, 40, 25, kind, share, seed=3, step=7))
    np.testing.assert_array_equal(masks[:9], again)
    for other in ({"seed": 4, "step": 7}, {"seed": 3, "step": 8}):
        changed = array(random_masks(9, 40, 25, kind, share, **other))
        assert (changed != again).any(axis=(1, 2, 3)).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sides", [(1, 2), (3, 90), (17, 1)])
def test_masks_of_small_and_long_images(kind, sides):
    for share in ((0.01, 0.02), (0.1, 0.9), (0.97, 0.99)):
        masks = array(random_masks(20, *sides, kind, share))
        holes = masks.sum(axis=(1, 2, 3))
        assert holes.min() >= 1 and holes.max() < masks[0].size


def test_a_share_is_kept_exactly():
    masks = array(random_masks(20, 30, 20, "free_form", (0.25, 0.25)))
    assert (masks.sum(axis=(1, 2, 3)) == 150).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "rectangles"}, "Unknown kind.*Did you mean rectangle"),
        ({"share": 0.5}, r"`share` is \(low, high\)"),
        ({"share": (0.5, 0.2)}, "low <= high"),
        ({"share": (0, 0.2)}, "low <= high"),
        ({"seed": -1}, "`seed` must lie"),
        ({"step": -1}, "`step` must lie"),
        ({"height": 0}, "`height` must lie"),
    ],
)
def test_bad_masks(arguments, message):
    with pytest.raises(ValueError, match=message):
        random_masks(**{"n": 1, "height": 4, "width": 4, **arguments})
