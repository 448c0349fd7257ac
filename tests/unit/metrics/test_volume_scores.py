"""Scores of solids, against what can be counted by hand."""

import numpy as np
import pytest

from keras_gans.data import furniture
from keras_gans.metrics import volume_iou, volume_scores


def boxes(*lengths, size=8):
    """Solids of one column of voxels each, of these lengths."""
    made = np.zeros((len(lengths), size, 2, 2, 1))
    for solid, length in zip(made, lengths, strict=True):
        solid[:length, 0, 0] = 1
    return made


def test_iou():
    found = volume_iou(boxes(2, 4), boxes(4, 8, 0))
    np.testing.assert_allclose(found, [[1 / 2, 1 / 4, 0], [1, 1 / 2, 0]])
    assert volume_iou(boxes(0), boxes(0)) == 0
    signed = 2 * boxes(2, 4) - 1
    np.testing.assert_allclose(volume_iou(signed, signed, 0), [[1, 0.5], [0.5, 1]])


def test_iou_is_that_of_sets():
    rng = np.random.default_rng(0)
    a, b = rng.random((3, 4, 4, 4, 1)) < 0.4, rng.random((300, 4, 4, 4, 1)) < 0.6
    found = volume_iou(a, b)
    for i in range(3):
        for j in (0, 1, 299):
            wanted = (a[i] & b[j]).sum() / (a[i] | b[j]).sum()
            assert found[i, j] == pytest.approx(wanted)


def test_scores_of_copies_and_of_one_copied():
    real = boxes(1, 2, 3, 5, 8)
    copies = volume_scores(real, real)
    assert copies.coverage == 1 and copies.mmd_iou == 1
    assert copies.nearest_accuracy == 0  # a copy is nearer than any other
    one = volume_scores(real, boxes(5, 5, 5, 5, 5))
    assert one.coverage == 1 / 5
    assert one.pair_iou == 1 and one.fake_accuracy == 0
    assert one.mmd_iou == pytest.approx((1 / 5 + 2 / 5 + 3 / 5 + 1 + 5 / 8) / 5)


def test_noise_around_a_mean_shows_in_the_two_shares():
    solids = furniture().volumes
    real, others = solids[::8], solids[4::8]
    rng = np.random.default_rng(0)
    noise = rng.random(real.shape) < real.mean(axis=0)
    fooled, true = volume_scores(real, noise), volume_scores(real, others)
    assert fooled.nearest_accuracy == pytest.approx(0.5, abs=0.02)
    assert fooled.real_accuracy > 0.98 and fooled.fake_accuracy < 0.02
    assert 0.4 < true.real_accuracy < 0.7 and 0.4 < true.fake_accuracy < 0.7
    assert true.coverage > 3 * fooled.coverage


def test_bad_input():
    with pytest.raises(ValueError, match=r"\(1, 8, 2, 2, 1\)"):
        volume_iou(boxes(1), boxes(1, size=4))
    with pytest.raises(ValueError, match="0 and 2 voxels that are NaN"):
        volume_scores(boxes(1, 2), np.where(boxes(1, 1) > 0, np.nan, 0))
    with pytest.raises(ValueError, match="2 solids or more"):
        volume_scores(boxes(1), boxes(1, 2))
