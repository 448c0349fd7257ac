"""NIQE: the reference's numbers on made-up pictures, and what it refuses."""

import numpy as np
import pytest

from keras_gans.metrics import niqe
from keras_gans.utils.resizing import bicubic

MADE_UP = (np.linspace(0.5, 1.5, 36), np.eye(36))


@pytest.fixture(scope="module")
def picture():
    """Smooth shapes under noise, nowhere black or white."""
    rng = np.random.default_rng(0)
    smooth = bicubic(rng.uniform(60, 200, (25, 38, 3)), 8)
    return np.round(smooth + rng.normal(0, 4, smooth.shape)).clip(1, 254).astype("u1")


def test_the_reference_numbers_come_out(picture):
    """Of BasicSR 1.4.2 (niqe.py), whose sums are float32's: 1e-5."""
    options = {"value_range": (0, 255), "parameters": MADE_UP}
    got = [niqe(picture, **options), niqe(picture, crop_border=4, **options)]
    np.testing.assert_allclose(got, [7.65078432584296, 7.650043886979745], rtol=1e-5)
    both = niqe(np.stack([picture, picture[::-1]]) / 255, (0, 1), parameters=MADE_UP)
    assert both.shape == (2,) and both.dtype == np.float64
    np.testing.assert_allclose(both[0], got[0], rtol=1e-9)


def test_parameters_of_a_file(picture, tmp_path):
    path = tmp_path / "niqe_pris_params.npz"
    np.savez(path, mu_pris_param=MADE_UP[0][None], cov_pris_param=MADE_UP[1])
    got = niqe(picture, (0, 255), parameters=path)
    assert got == niqe(picture, (0, 255), parameters=MADE_UP)


def test_flat_parts_do_not_count(picture):
    half = picture.copy()
    half[:96, :96] = 128
    got = niqe(half, (0, 255), parameters=MADE_UP)
    assert np.isfinite(got) and got != niqe(picture, (0, 255), parameters=MADE_UP)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"images": np.zeros((95, 300, 3))}, "0 of 0 in an image"),
        ({"images": np.zeros((200, 200, 3))}, "0 of 4 in an image"),
        ({"images": np.zeros((200, 200, 4))}, "RGB or grey"),
        ({"parameters": (np.zeros(35), np.eye(36))}, "a mean of 36 numbers"),
        ({"parameters": (np.full(36, np.nan), np.eye(36))}, "finite"),
    ],
)
def test_bad_input(given, message):
    given = {"images": np.ones((96, 192, 1)), "parameters": MADE_UP, **given}
    with pytest.raises(ValueError, match=message):
        niqe(given.pop("images"), (0.0, 1.0), **given)


@pytest.mark.parametrize("kind", ["junk", "array"])
def test_a_file_of_something_else(picture, tmp_path, kind):
    path = tmp_path / "a.npz"
    if kind == "junk":
        path.write_bytes(b"PK\x03\x04junk")
    else:
        with path.open("wb") as file:
            np.save(file, MADE_UP[0])
    with pytest.raises(ValueError, match=r"an \.npz file of mu_pris_param"):
        niqe(picture, (0, 255), parameters=path)


def test_parameters_that_are_not_installed(picture, monkeypatch):
    monkeypatch.setattr("importlib.metadata.files", lambda name: [])
    with pytest.raises(FileNotFoundError, match="pip install --no-deps basicsr"):
        niqe(picture, (0, 255))
