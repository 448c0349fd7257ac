"""R-precision with its bounds, and edge energy."""

import numpy as np
import pytest

from keras_gans.metrics import edge_ratio, text_to_image_scores


def data(n, seed=0):
    """Pictures that are a linear function of vectors, and noise."""
    rng = np.random.default_rng(0)
    basis = rng.normal(size=(4, 8 * 8 * 3))
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(n, 4))
    images = np.tanh(0.3 * vectors @ basis + 0.3 * rng.normal(size=(n, 192)))
    return images.reshape(n, 8, 8, 3), vectors


def scores(fake, vectors, real, **options):
    train, train_vectors = data(200, 1)
    held = {"train": train, "train_vectors": train_vectors, "candidates": 20}
    return text_to_image_scores(fake, vectors, real=real, **{**held, **options})


def test_bounds_stand_beside_the_score():
    real, vectors = data(40, 2)
    rng = np.random.default_rng(3)
    found = scores(rng.permutation(real), vectors, real)
    assert found.chance == (0.05, 0.5)
    assert found.real.first > 0.5
    # What the issue is: a regression's blur is found at least as surely.
    assert found.blur.first >= found.real.first
    assert found.blur_edges < 0.9 < 0.99 < found.edges < 1.01
    # Pictures of other rows: chance, of 40 rows within four standard errors.
    assert found.fake.first < 0.05 + 4 * np.sqrt(0.05 * 0.95 / 40)
    own = scores(real, vectors, real)
    assert own.fake == own.real and own.edges == 1
    for line in ("fake", "real", "nearest", "blur", "chance", "edges"):
        assert line in str(own)
    assert set(own.rounded()) == set(own._fields)


def test_edges_are_steps_between_pixels():
    rng = np.random.default_rng(0)
    real = rng.uniform(-1, 1, (3, 6, 7, 2))
    down, across = np.diff(real, axis=1), np.diff(real, axis=2)
    assert edge_ratio(real, real / 4) == pytest.approx(0.25)
    other = rng.uniform(-1, 1, (5, 6, 7, 2))
    wanted = (
        np.abs(np.diff(other, axis=1)).mean() + np.abs(np.diff(other, axis=2)).mean()
    )
    wanted /= np.abs(down).mean() + np.abs(across).mean()
    assert edge_ratio(real, other) == pytest.approx(wanted, rel=1e-5)


def test_refusals():
    real, vectors = data(30)
    with pytest.raises(ValueError, match="30 samples for candidates=31"):
        scores(real, vectors, real, candidates=31)
    with pytest.raises(ValueError, match="as many of both"):
        scores(real[:20], vectors[:20], real)
    with pytest.raises(ValueError, match="a finite vector for each"):
        scores(real, vectors[:20], real)
    with pytest.raises(ValueError, match="5 and 4 numbers"):
        scores(real, np.ones((30, 5)), real)
    with pytest.raises(ValueError, match="NaN"):
        scores(real * np.nan, vectors, real)
    with pytest.raises(ValueError, match="one colour"):
        edge_ratio(np.zeros((2, 4, 4, 1)), real[..., :1][:, :4, :4])
