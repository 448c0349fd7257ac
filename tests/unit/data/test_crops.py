"""Crops of photos, and how small pictures are made of them."""

import numpy as np
from paths import GOLDEN
from PIL import Image
import pytest

from keras_gans.data import load_crops
from keras_gans.data.degradations import (
    blur,
    degrade,
    gaussian_kernel,
    generalized_gaussian_kernel,
    jpeg,
    plateau_kernel,
    sinc_kernel,
)
from keras_gans.utils.resizing import bicubic, resize


@pytest.fixture(scope="module")
def photos():
    """Three smooth photos of unlike sizes."""
    rng = np.random.default_rng(0)
    small = [rng.uniform(0, 255, (h, w, 3)) for h, w in ((9, 12), (12, 9), (8, 8))]
    return [np.clip(np.round(bicubic(x, 8)), 0, 255).astype("uint8") for x in small]


@pytest.fixture(scope="module")
def wanted():
    return np.load(GOLDEN / "sr_data.npz")


def batches(source, n=2, **options):
    options = {"image_size": 32, "scale": 4, "batch_size": 4, **options}
    found = load_crops(source, repeat=True, **options).take(n)
    return [tuple(map(np.asarray, batch)) for batch in found]


def assert_same(a, b):
    for one, two in zip(a, b, strict=True):
        for x, y in zip(one, two, strict=True):
            np.testing.assert_array_equal(x, y)


def test_pictures_are_resized_as_the_reference_does(wanted):
    """Float32 of the reference: 1e-5; the kernels of both differ by 0.01."""
    x = wanted["x"]
    for name in ("d2", "d3", "d4", "u2", "u3", "u4"):
        scale = int(name[1]) if name[0] == "u" else 1 / int(name[1])
        made, want = bicubic(x, scale), wanted[f"imresize_{name}"]
        np.testing.assert_allclose(made, want, rtol=0, atol=1e-5)
    for method in ("area", "bilinear", "bicubic"):
        for size in ((11, 29), (40, 50)):
            want = wanted[f"{method}_{size[0]}"]
            np.testing.assert_allclose(resize(x, size, method), want, rtol=0, atol=1e-5)
    # Large pictures take another way to the same sums.
    long = np.tile(x, (24, 1, 1))
    half = bicubic(np.concatenate([long, long[:1]])[:, :4], 0.5)
    np.testing.assert_allclose(half[:200], bicubic(long[:500, :4], 0.5)[:200])


def test_kernels_are_the_reference_s(wanted):
    made = {
        "gauss_iso": gaussian_kernel(13, 1.7),
        "gauss_aniso": gaussian_kernel(21, (3.0, 0.8), 0.6),
        "general_aniso": generalized_gaussian_kernel(15, (2.5, 1.1), -1.0, 0.6),
        "general_iso": generalized_gaussian_kernel(15, 2.5, 0.0, 3.0),
        "plateau_aniso": plateau_kernel(17, (2.0, 0.5), 2.2, 1.8),
        "plateau_iso": plateau_kernel(7, 0.4, 0.0, 1.2),
        "sinc_21": sinc_kernel(21, 1.3),
        "sinc_7": sinc_kernel(7, np.pi),
    }
    for name, kernel in made.items():
        np.testing.assert_allclose(kernel, wanted[name], rtol=0, atol=1e-12)
    # Blurred by a sum over the window, too.
    x, kernel = wanted["x"], made["gauss_aniso"][5:16, 5:16]
    padded = np.pad(x, ((5, 5), (5, 5), (0, 0)), "reflect")
    want = np.sum(padded[7:18, 3:14] * kernel[..., None], (0, 1))
    np.testing.assert_allclose(blur(x, kernel)[7, 3], want, atol=1e-12)


def test_photos_are_degraded():
    photo = bicubic(np.random.default_rng(0).uniform(size=(4, 4, 3)), 12).clip(0, 1)
    made = [degrade(photo, 4, np.random.default_rng(i)) for i in range(40)]
    assert {x.shape for x in made} == {(12, 12, 3)}
    stacked = np.stack(made)
    assert stacked.min() >= 0 and stacked.max() <= 1
    np.testing.assert_allclose(255 * stacked, np.round(255 * stacked), atol=1e-9)
    np.testing.assert_array_equal(made[3], degrade(photo, 4, np.random.default_rng(3)))
    # Worse than made small alone, each in its own way, and of the same picture.
    gaps = [np.abs(x - bicubic(photo, 1 / 4)).mean() for x in made]
    assert len(set(gaps)) == 40 and 0.01 < np.mean(gaps) < 0.12
    assert (
        np.abs(jpeg(photo, 30) - photo).mean() > np.abs(jpeg(photo, 95) - photo).mean()
    )


def test_crops_are_functions_of_the_seed_and_the_place(photos):
    first = batches(photos, n=4, crops_per_photo=4)
    assert [x.shape for x in first[0]] == [(4, 8, 8, 3), (4, 32, 32, 3)]
    assert_same(first, batches(photos, n=4, crops_per_photo=4))
    assert_same(first[2:], batches(photos, n=2, crops_per_photo=4, start=2))
    other = batches(photos, n=4, crops_per_photo=4, seed=1)
    assert any(np.abs(a[1] - b[1]).max() > 0 for a, b in zip(first, other, strict=True))
    real = batches(photos, n=2, crops_per_photo=4, degradation="real")
    assert_same(real, batches(photos, n=2, crops_per_photo=4, degradation="real"))
    for a, b in zip(first, real, strict=False):
        np.testing.assert_array_equal(a[1], b[1])
        assert np.abs(a[0] - b[0]).max() > 0.02
    assert len(load_crops(photos, image_size=32, scale=4, crops_per_photo=8)) == 1


def test_small_crops_are_those_of_the_whole_photo(photos):
    """At multiples of the scale, to the last bit of 8."""
    options = {"flip": False, "crops_per_photo": 24, "batch_size": 16}
    photos = [photos[0][:40, :36], photos[1][8:44, 20:64]]
    whole = [np.round(bicubic(x / 255, 1 / 4).clip(0, 1) * 255) for x in photos]
    compared = 0
    for small, good in batches(photos, n=6, **options):
        for a, b in zip(np.round((small + 1) * 127.5), good, strict=True):
            b = np.round((b + 1) * 127.5)
            for photo, made in zip(photos, whole, strict=True):
                for y in range(0, photo.shape[0] - 31, 4):
                    for x in range(0, photo.shape[1] - 31, 4):
                        if np.array_equal(photo[y : y + 32, x : x + 32], b):
                            at = made[y // 4 : y // 4 + 8, x // 4 : x // 4 + 8]
                            np.testing.assert_array_equal(a, at)
                            compared += 1
    assert compared > 3


def test_given_pairs_and_files(photos, tmp_path):
    """Small pictures that are given, of files that match by name."""
    for folder in ("high", "low"):
        (tmp_path / folder).mkdir()
    low = [255 - x[::4, ::4] for x in photos]
    for i, (high, small) in enumerate(zip(photos, low, strict=True)):
        Image.fromarray(high).save(tmp_path / "high" / f"{i}.png")
        Image.fromarray(small).save(tmp_path / "low" / f"{i}.png")
    options = {"low": tmp_path / "low", "tries": 3, "flip": False}
    files = batches(tmp_path / "high", **options)
    assert_same(files, batches(photos, **{**options, "low": low}))
    for small, high in files:
        np.testing.assert_allclose(small, -high[:, ::4, ::4], atol=1e-6)
    half = batches(tmp_path / "high", shrink=2)
    assert half[0][1].shape == (4, 32, 32, 3)
    with pytest.raises(ValueError, match=r"3 smaller ones: .*0\.png of 72 x 96"):
        load_crops(tmp_path / "high", image_size=100, scale=4)
    with pytest.raises(ValueError, match=r"after `shrink=3`.*photo 0 of 72 x 96"):
        load_crops(photos, image_size=32, scale=4, shrink=3)
    with pytest.raises(ValueError, match=r"2 times smaller .*72 x 96 .* 18 x 24"):
        load_crops(photos, image_size=32, scale=2, low=low)
    with pytest.raises(ValueError, match="without a partner"):
        (tmp_path / "low" / "2.png").unlink()
        load_crops(tmp_path / "high", image_size=32, scale=4, low=tmp_path / "low")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"image_size": 30}, "multiples of scale=4"),
        ({"scale": 1}, "scale is an integer of 2 or more"),
        ({"degradation": "blur"}, "Unknown degradation"),
        ({"tries": 0}, "`tries` must be"),
        ({"batch_size": 1000}, "too few for a batch"),
        ({"shrink": 2, "low": []}, "`shrink` is an integer"),
    ],
)
def test_bad_options(photos, options, message):
    options = {"image_size": 32, "scale": 4, **options}
    with pytest.raises(ValueError, match=message):
        load_crops(photos, **options)


def test_bad_sources():
    for source in (np.zeros((2, 64, 64, 3), "uint8"), [np.zeros((64, 64, 3))]):
        with pytest.raises(ValueError, match="a list of uint8 arrays"):
            load_crops(source, image_size=32, scale=4)
    with pytest.raises(ValueError, match="No such folder"):
        load_crops("nowhere", image_size=32, scale=4)
    with pytest.raises(ValueError, match="`cutoff`"):
        sinc_kernel(7, 4.0)
    with pytest.raises(ValueError, match="`size`"):
        gaussian_kernel(8, 1.0)
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        degrade(np.full((16, 16, 3), 200.0), 4, np.random.default_rng(0))
