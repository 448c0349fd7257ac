"""Toy sets and the coverage of their modes."""

import math

import numpy as np
import pytest

from keras_gans.data import toy

N = 20000
MAKERS = {"ring": toy.ring, "grid": toy.grid, "spiral": toy.spiral}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_set_is_a_function_of_its_arguments(make):
    a, b, other = make(100), make(100, seed=0), make(100, seed=1)
    assert a.points.shape == (100, 2) and a.points.dtype == np.float32
    assert a.labels.shape == (100,) and a.labels.dtype == np.int32
    assert a.centres.dtype == np.float32 and isinstance(a.std, float)
    np.testing.assert_array_equal(a.points, b.points)
    np.testing.assert_array_equal(a.labels, b.labels)
    np.testing.assert_array_equal(a.centres, other.centres)
    assert not np.array_equal(a.points, other.points)
    assert make(1).points.shape == (1, 2)


def test_centres_of_the_ring():
    s = 2 * math.sqrt(0.5)
    centres = toy.ring(1, radius=2).centres
    expected = [(2, 0), (s, s), (0, 2), (-s, s)]
    np.testing.assert_allclose(centres[:4], expected, atol=1e-6)
    np.testing.assert_allclose(centres[4:], -centres[:4], atol=1e-6)


def test_centres_of_the_grid():
    ticks = (-4, -2, 0, 2, 4)
    expected = [(x, y) for x in ticks for y in ticks]
    np.testing.assert_array_equal(toy.grid(1).centres, expected)
    even = toy.grid(1, side=2, spacing=1).centres
    half = [(-0.5, -0.5), (-0.5, 0.5), (0.5, -0.5), (0.5, 0.5)]
    np.testing.assert_array_equal(even, half)


@pytest.mark.parametrize("make", [toy.ring, toy.grid])
def test_moments_of_mixtures(make):
    points, labels, centres, std = make(N, seed=3)
    modes = len(centres)
    z = (points - centres[labels]) / std
    # Five standard errors of a mean, and of a standard deviation.
    assert np.abs(z.mean(axis=0)).max() < 5 / math.sqrt(N)
    assert np.abs(z.std(axis=0) - 1).max() < 5 / math.sqrt(2 * N)
    assert abs(np.mean(z[:, 0] * z[:, 1])) < 5 / math.sqrt(N)
    counts = np.bincount(labels, minlength=modes)
    assert np.abs(counts - N / modes).max() < 5 * math.sqrt(N / modes)
    # The modes lie many standard deviations apart: labels are nearest ones.
    distance = np.linalg.norm(points[:, None] - centres[None], axis=2)
    np.testing.assert_array_equal(distance.argmin(axis=1), labels)


@pytest.mark.parametrize("make", [toy.ring, toy.grid])
def test_a_mixture_covers_itself(make):
    points, _, centres, std = make(N)
    found = toy.coverage(points, centres, std)
    assert found.covered == found.modes == len(centres)
    # P(|z| <= 3) in two dimensions is 1 - exp(-9 / 2).
    p = 1 - math.exp(-4.5)
    assert abs(found.high_quality - p) < 5 * math.sqrt(p * (1 - p) / N)
    # 2 N KL is chi-squared with modes - 1 degrees of freedom, its mean.
    assert 0 <= 2 * N * found.kl < len(centres) - 1 + 5 * math.sqrt(2 * 24)


def test_the_spiral_follows_its_curve():
    points, labels, centres, std = toy.spiral(N, turns=1.5, std=0.01)
    # Without noise, radius and angle grow together.
    r, angle = np.hypot(*centres.T), np.arctan2(centres[:, 1], centres[:, 0])
    off = (angle - r * 2 * math.pi * 1.5) / (2 * math.pi)
    np.testing.assert_allclose(off, np.round(off), atol=1e-4)
    assert 0 < r[0] < 0.05 and 0.95 < r[-1] < 1
    # Neighbours are two std apart along the curve, or a little less.
    gaps = np.linalg.norm(np.diff(centres, axis=0), axis=1)
    assert gaps.max() <= 2 * std and gaps[1:].min() > 1.8 * std
    # Arcs are equally likely; a point lies on its own arc but for the noise.
    counts = np.bincount(labels, minlength=len(centres))
    mean = N / len(centres)
    assert np.abs(counts - mean).max() < 5 * math.sqrt(mean)
    distance = np.linalg.norm(points - centres[labels], axis=1)
    assert distance.max() < 7 * std  # half an arc, and noise of 6 at most
    found = toy.coverage(points, centres, std)
    assert found.covered == found.modes and found.high_quality > 0.98


CENTRES = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]]


def test_coverage_by_hand():
    samples = [
        [0.0, 0.0],
        [0.2, 0.2],  # 0.283 from mode 0
        [0.25, 0.25],  # 0.354: nearest to mode 0, of no quality
        [10.29, 0.0],
        [5.0, 5.0],
        [0.0, 10.31],  # mode 2 has no sample of quality
    ]
    found = toy.coverage(samples, CENTRES, 0.1)
    assert found.covered == 2 and found.modes == 4
    assert found.high_quality == 0.5
    # KL of (2/3, 1/3, 0, 0) from (1/4, 1/4, 1/4, 1/4)
    kl = 2 / 3 * math.log(8 / 3) + 1 / 3 * math.log(4 / 3)
    assert found.kl == pytest.approx(kl, rel=1e-12)


def test_coverage_of_extremes():
    assert toy.coverage(CENTRES, CENTRES, 0.1) == (4, 4, 1.0, 0.0)
    collapsed = toy.coverage([CENTRES[1]] * 9, CENTRES, 0.1)
    assert collapsed[:3] == (1, 4, 1.0)
    assert collapsed.kl == pytest.approx(math.log(4), rel=1e-12)
    lost = toy.coverage([[5.0, 5.0]], CENTRES, 0.1)
    assert lost[:3] == (0, 4, 0.0) and math.isnan(lost.kl)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: toy.ring(0), "`n`"),
        (lambda: toy.grid(2.5), "`n`"),
        (lambda: toy.spiral(-1), "`n`"),
        (lambda: toy.ring(9, modes=0), "`modes`"),
        (lambda: toy.ring(9, radius=-1.0), "`radius`"),
        (lambda: toy.ring(9, std=0), "`std`"),
        (lambda: toy.ring(9, seed=-1), "`seed`"),
        (lambda: toy.grid(9, side=0), "`side`"),
        (lambda: toy.grid(9, spacing=math.inf), "`spacing`"),
        (lambda: toy.spiral(9, turns=0), "`turns`"),
        (lambda: toy.spiral(9, std=math.nan), "`std`"),
        (lambda: toy.coverage([[0, math.nan]], CENTRES, 1), "in 1 of 1 rows"),
        (lambda: toy.coverage(np.zeros((4, 3)), CENTRES, 1), r"\(4, 3\)"),
        (lambda: toy.coverage(np.zeros((0, 2)), CENTRES, 1), r"\(0, 2\)"),
        (lambda: toy.coverage([["a", "b"]], CENTRES, 1), "`samples`"),
        (lambda: toy.coverage(CENTRES, [0.0, 1.0], 1), "`centres`"),
        (lambda: toy.coverage(CENTRES, CENTRES, -1), "`std`"),
    ],
)
def test_bad_input_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
