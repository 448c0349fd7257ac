"""Streamed means and covariances, and the files that hold them."""

import pickle
import zipfile

import numpy as np
import pytest

from keras_gans import metrics


def rows(n=3000, d=5, seed=0):
    x = np.random.default_rng(seed).normal(size=(n, d))
    return (x @ np.triu(np.ones((d, d))) + 10).astype("float32")


def streamed(x, sizes):
    moments = metrics.Moments()
    for batch in np.split(x, np.cumsum(sizes)):
        if len(batch):
            moments.update(batch)
    return moments


def check_moments(moments, x, rel=1e-12):
    x = x.astype("float64")
    assert moments.count == len(x)
    np.testing.assert_allclose(moments.mean, x.mean(axis=0), rtol=rel)
    np.testing.assert_allclose(moments.covariance, np.cov(x, rowvar=False), rtol=rel)


@pytest.mark.parametrize("n", [2, 1000, 1024, 3000])
def test_moments_are_numpy_s(n):
    check_moments(streamed(rows(n), []), rows(n))


def test_moments_do_not_depend_on_batches():
    x = rows()
    whole = streamed(x, [])
    for sizes in ([1] * 100, [64] * 40, [1023, 2, 1500]):
        parts = streamed(x, sizes)
        np.testing.assert_array_equal(parts.mean, whole.mean)
        np.testing.assert_array_equal(parts.covariance, whole.covariance)


def test_reading_moments_leaves_them_alone():
    moments = metrics.Moments()
    for batch in np.split(rows(), 30):
        moments.update(batch)
        before = moments.covariance
        before += 1
    np.testing.assert_array_equal(moments.covariance, streamed(rows(), []).covariance)


def test_moments_far_from_zero():
    """Sums of squares would lose every digit of the covariance here."""
    x = rows().astype("float64")
    shifted = streamed(x + 1e8, [700, 700, 700])
    # Adding 1e8 rounds the features themselves, to 1e-8.
    np.testing.assert_allclose(shifted.covariance, np.cov(x, rowvar=False), rtol=1e-6)


def test_moments_merge():
    x = rows()
    parts = [streamed(part, []) for part in np.split(x, [1, 500, 2000])]
    whole = metrics.Moments()
    whole.update(rows(7, seed=2))
    for part in [*parts, metrics.Moments()]:
        whole.merge(part)
    x = np.concatenate([rows(7, seed=2), x])
    check_moments(whole, x)
    whole.update(rows(7, seed=1))
    check_moments(whole, np.concatenate([x, rows(7, seed=1)]))
    assert parts[1].count == 499


def test_frechet_distance_of_moments():
    x, y = rows(), rows(700, seed=1) + 1
    want = metrics.frechet_distance(x, y)
    a, b = streamed(x, [1000]), streamed(y, [10] * 70)
    for pair in ((a, b), (a, y), (x, b)):
        assert metrics.frechet_distance(*pair) == want
    with pytest.warns(UserWarning, match="4 reals are fewer than"):
        metrics.frechet_distance(streamed(x[:4], []), b)
    with pytest.raises(ValueError, match=r"of 5 .* of 4"):
        metrics.frechet_distance(a, rows(9, 4))


def test_moments_in_a_file():
    moments = streamed(rows(), [])
    moments.save("real.npz")
    with np.load("real.npz") as arrays:
        assert sorted(arrays) == ["mu", "n", "sigma"]
    loaded = metrics.Moments.load("real.npz")
    check_moments(loaded, rows())
    loaded.update(rows(7, seed=1))
    check_moments(loaded, np.concatenate([rows(), rows(7, seed=1)]))
    with pytest.raises(ValueError, match="exists"):
        moments.save("real.npz")
    moments.save("real.npz", overwrite=True)
    with pytest.raises(ValueError, match=r"\.npz"):
        moments.save("real.npy")


def test_published_statistics():
    """pytorch-fid's files do not tell of how many samples they are."""
    x, y = rows(), rows(700, seed=1) + 1
    sigma = np.cov(x, rowvar=False)
    np.savez("published.npz", mu=x.mean(axis=0, dtype="f8"), sigma=sigma)
    published = metrics.Moments.load("published.npz")
    assert published.count is None
    assert published.dimensions == 5
    assert metrics.frechet_distance(published, y) == pytest.approx(
        metrics.frechet_distance(x, y), rel=1e-10
    )
    published.save("again.npz")
    again = metrics.Moments.load("again.npz")
    np.testing.assert_array_equal(again.covariance, published.covariance)
    with pytest.raises(ValueError, match="of how many"):
        published.update(y)
    with pytest.raises(ValueError, match="of how many"):
        metrics.Moments().merge(published)


EYE, ZERO = np.eye(3), np.zeros(3)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"mean": ZERO}, "holds the arrays `mu` and `sigma`.*mean"),
        ({"mu": ZERO, "sigma": np.eye(4)}, r"\(3,\) and \(4, 4\)"),
        ({"mu": ZERO + np.nan, "sigma": EYE}, "`mu`.*NaN"),
        ({"mu": ZERO, "sigma": EYE + [0, 1, 2]}, "not symmetric"),
        ({"mu": ZERO, "sigma": EYE, "n": 1}, "`n`.*n=1"),
        ({"mu": ZERO, "sigma": EYE, "n": 9.5}, "`n`.*n=9.5"),
        ({"mu": np.array([{}]), "sigma": EYE}, "damaged"),
    ],
)
def test_bad_statistics_are_met_at_the_door(arrays, message):
    np.savez("bad.npz", **arrays)
    with pytest.raises(ValueError, match=message):
        metrics.Moments.load("bad.npz")


def test_files_of_something_else(tmp_path):
    streamed(rows(), []).save("good.npz")
    good = (tmp_path / "good.npz").read_bytes()
    np.save("array.npy", ZERO)
    files = {
        "text": b"hello",
        "empty": b"",
        "half": good[: len(good) // 2],
        "broken": good[:300] + b"\0" * 8 + good[308:],
        "pickle": pickle.dumps({"mu": ZERO}),
        "array": (tmp_path / "array.npy").read_bytes(),
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name} is no .npz file"):
            metrics.Moments.load(name)
    with pytest.raises(FileNotFoundError):
        metrics.Moments.load("nowhere.npz")


def test_files_that_unpack_to_more_than_memory_holds():
    with zipfile.ZipFile("bomb.npz", "w") as archive:
        archive.writestr("mu.npy", b"")
        archive.infolist()[0].file_size = 2**33  # what its directory tells
    with pytest.raises(ValueError, match="8,589,934,592 bytes; at most"):
        metrics.Moments.load("bomb.npz")
    header = {"descr": "<f8", "fortran_order": False, "shape": (2**50,)}
    with (
        zipfile.ZipFile("header.npz", "w") as archive,
        archive.open("mu.npy", "w") as member,
    ):
        np.lib.format.write_array_header_1_0(member, header)
    with pytest.raises(ValueError, match=r"header.npz is no .npz file"):
        metrics.Moments.load("header.npz")


def test_bad_rows_are_met_at_the_door():
    moments = metrics.Moments()
    with pytest.raises(ValueError, match=r"2 rows.*: 0"):
        _ = moments.covariance
    moments.update(rows(9))
    with pytest.raises(ValueError, match=r"of 5 dimensions.*of 4"):
        moments.update(rows(9, 4))
    with pytest.raises(ValueError, match=r"`features`.*row 2"):
        moments.update(np.where(np.arange(5)[:, None] == 2, np.inf, rows(5)))
    with pytest.raises(ValueError, match="merge with Moments"):
        moments.merge(rows(9))
    check_moments(moments, rows(9))
