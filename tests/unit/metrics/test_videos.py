"""Scores of videos: which see frames, which their order, what is refused."""

from keras import ops
import numpy as np
import pytest

from keras_gans.metrics import FeatureNetwork, frame_scores, video_scores

RANGE = (-1.0, 1.0)


@pytest.fixture(scope="module")
def network():
    """Means of the quarters of a picture."""
    return FeatureNetwork(
        lambda x: ops.reshape(ops.average_pool(x, 4), (-1, 12)), input_size=8
    )


def moving(n, seed=0):
    """A bright square that goes to the right, one pixel a frame."""
    rng = np.random.default_rng(seed)
    x = np.full((n, 6, 8, 8, 3), -1.0)
    for k in range(n):
        top, colour = rng.integers(6), rng.uniform(0, 1, 3)
        for t in range(6):
            x[k, t, top : top + 2, t : t + 2] = colour
    return x


def test_frames_and_motion_are_told_apart(network):
    real, other = moving(60), moving(60, seed=1)
    rng = np.random.default_rng(2)
    shuffled = np.stack([video[rng.permutation(6)] for video in other])
    still = np.repeat(other[:, 3:4], 6, axis=1)
    scores = {
        name: video_scores(real, fake, RANGE, network)
        for name, fake in (
            ("same", real),
            ("other", other),
            ("shuffled", shuffled),
            ("still", still),
        )
    }
    assert scores["same"].frames == pytest.approx(0, abs=1e-6)
    assert scores["same"].motion == pytest.approx(0, abs=1e-6)
    # Shuffling changes no frame, and all of the motion.
    assert scores["shuffled"].frames == pytest.approx(scores["other"].frames, rel=1e-6)
    for name in ("shuffled", "still"):
        assert scores[name].motion > 10 * scores["other"].motion
    assert scores["still"].frames > scores["other"].frames


def test_grey_videos_are_shown_as_colours(network):
    grey = moving(20)[..., :1]
    assert video_scores(grey, np.repeat(grey, 3, -1)[..., :1], RANGE, network)[0] < 1e-6


@pytest.mark.parametrize(
    ("real", "message"),
    [
        (np.zeros((2, 1, 8, 8, 3)), "two frames or more"),
        (np.zeros((2, 8, 8, 3)), "two frames or more"),
        (np.full((2, 2, 8, 8, 3), np.nan), "`real` holds NaN"),
        (np.zeros((2, 2, 8, 4, 3)), "frames of one shape"),
    ],
)
def test_bad_videos_are_refused(network, real, message):
    with pytest.raises(ValueError, match=message):
        video_scores(real, np.zeros((2, 3, 8, 8, 3)), RANGE, network)


def test_predicted_frames_are_scored_step_by_step():
    rng = np.random.default_rng(0)
    still = rng.uniform(-0.5, 0.5, (3, 12, 12, 1))
    real = np.repeat(still[:, None], 2, axis=1)
    real[:, 0, 2:4] += 0.4  # moves; the second frame is as the last one
    fake = np.clip(real + 0.1, -1, 1)
    scores = frame_scores(still, real, fake, RANGE)
    made, copied = scores["predicted"], scores["copied"]
    tenth = 10 * np.log10(4 / 0.01)
    np.testing.assert_allclose(made.psnr, [tenth, tenth])
    np.testing.assert_allclose(made.moving_psnr, [tenth, np.nan])
    np.testing.assert_allclose(made.edges, 1)
    # Of the rows that move alone, and of all 12.
    assert copied.moving_psnr[0] == pytest.approx(10 * np.log10(4 / 0.16))
    assert copied.psnr[0] == pytest.approx(10 * np.log10(4 / (0.16 / 6)))
    assert copied.psnr[1] == np.inf and copied.ssim[1] == pytest.approx(1)
    assert copied.ssim[0] < 1 and copied.edges[0] < 1
    blurred = np.repeat(real.mean(axis=(2, 3), keepdims=True), 12, axis=2)
    blurred = np.repeat(blurred, 12, axis=3)
    assert frame_scores(still, real, blurred, RANGE)["predicted"].edges.max() < 1e-6


def test_a_step_that_is_blank_stops_no_other():
    real = np.random.default_rng(0).uniform(-1, 1, (2, 3, 12, 12, 1))
    real[:, 1] = [[[[0.5]]], [[[-1.0]]]]  # each of one colour
    scores = frame_scores(real[:, 0], real, real, RANGE)
    np.testing.assert_allclose(scores["predicted"].edges, [1, np.nan, 1])
    assert np.isnan(scores["copied"].edges[1])
    assert (scores["predicted"].psnr == np.inf).all()


def test_frames_that_cannot_be_scored():
    x = np.zeros((2, 3, 12, 12, 1))
    with pytest.raises(ValueError, match=r"`last` is.*\(2, 3, 12, 12, 1\), \(2, 2"):
        frame_scores(x[:, 0], x, x[:, :2], RANGE)
    with pytest.raises(ValueError, match="`last` is"):
        frame_scores(x[:, 0, :6], x, x, RANGE)
    with pytest.raises(ValueError, match=r"a step ahead or more.*\(2, 0, "):
        frame_scores(x[:, 0], x[:, :0], x[:, :0], RANGE)
    with pytest.raises(ValueError, match=r"one video or more.*\(0, 3, "):
        frame_scores(x[:0, 0], x[:0], x[:0], RANGE)
    with pytest.raises(ValueError, match="lie in value_range"):
        frame_scores(x[:, 0], x, x + 2.0, RANGE)
