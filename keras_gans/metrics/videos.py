"""How near videos come to real ones: in their frames, and in their motion."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from keras_gans.metrics.features.network import FeatureNetwork
from keras_gans.metrics.functional.distances import frechet_distance
from keras_gans.metrics.functional.moments import Moments
from keras_gans.metrics.functional.pixels import check_value_range, psnr, ssim
from keras_gans.metrics.functional.text_to_image import edge_ratio
from keras_gans.utils.validation import check_size


class VideoScores(NamedTuple):
    """Fréchet distances of videos from real ones; read them together.

    They are no FVD, whose network has seen videos.

    Attributes:
        frames: over the features of single frames; 0 is best. It does not see the
            order of frames.
        motion: over the features of what changes from a frame to the next; 0 is
            best. Still videos and shuffled frames have a large one.
    """

    frames: float
    motion: float


def video_scores(
    real: np.ndarray,
    fake: np.ndarray,
    value_range: tuple[float, float],
    network: FeatureNetwork | str = "lite0",
    batch_size: int = 64,
) -> VideoScores:
    """Scores videos against real ones by a network that knows pictures.

    Motion is shown to it as pictures: half the difference of neighbouring frames,
    on middle grey.

    Args:
        real: array `[n, frames, height, width, channels]` of 1 or 3 channels.
        fake: array `[m, frames, height, width, channels]`.
        value_range: tuple (lo, hi), what black and white are.
        network: `FeatureNetwork`, or the name of one.
        batch_size: int, frames that it sees at a time.

    Returns:
        `VideoScores`.

    Raises:
        ValueError: videos have other shapes, fewer than two frames, or values that
            are not finite.

    Warns:
        UserWarning: there are fewer frames than features.

    Example:

    ```python
    pixels = keras_gans.metrics.FeatureNetwork(
        lambda x: keras.ops.mean(x, axis=(1, 2)), input_size=8
    )
    x = np.random.default_rng(0).uniform(size=(4, 5, 8, 8, 3))
    keras_gans.metrics.video_scores(x, x, (0.0, 1.0), pixels)  # frames 0, motion 0
    ```

    Reference:
        https://arxiv.org/abs/1706.08500, equation 6, of these features
    """
    check_size("batch_size", batch_size)
    low, high = check_value_range(value_range)
    if not isinstance(network, FeatureNetwork):
        network = FeatureNetwork(network)
    sides = [
        _unit(name, videos, low, high)
        for name, videos in (("real", real), ("fake", fake))
    ]
    if sides[0].shape[2:] != sides[1].shape[2:]:
        raise ValueError(
            "Real and fake videos have frames of one shape. Received: "
            f"{sides[0].shape[2:]} and {sides[1].shape[2:]}."
        )
    frames, motion = (
        [_moments(network, pictures(x), batch_size) for x in sides]
        for pictures in (_still, _moving)
    )
    return VideoScores(frechet_distance(*frames), frechet_distance(*motion))


MOVED = 0.1  # of the range, by which a pixel that moves differs


class FrameScores(NamedTuple):
    """How near predicted frames come to the true ones, each `[frames]`.

    Attributes:
        psnr: float64 array, decibels, the mean over videos.
        moving_psnr: float64 array, of the pixels alone that differ from the last
            frame seen by a tenth of the range or more; NaN where none does.
        ssim: float64 array, the mean over videos.
        edges: float64 array, sharpness: `edge_ratio`, below 1 for a blur; NaN where
            each true frame is of one colour, which has no edges.
    """

    psnr: np.ndarray
    moving_psnr: np.ndarray
    ssim: np.ndarray
    edges: np.ndarray


def frame_scores(
    last: np.ndarray,
    real: np.ndarray,
    fake: np.ndarray,
    value_range: tuple[float, float],
) -> dict[str, FrameScores]:
    """Scores predicted frames, one, two, ... steps ahead, beside the last one seen.

    Args:
        last: array `[n, height, width, channels]`, the last frame that was seen, of
            11 pixels or more a side.
        real: array `[n, frames, height, width, channels]`, what followed.
        fake: array of the shape of `real`, what was predicted.
        value_range: tuple (lo, hi), what black and white are.

    Returns:
        dict of "predicted", and of "copied", which is `last` as every prediction, to
        their `FrameScores`.

    Raises:
        ValueError: shapes or range do not fit, values are not finite, or there are
            no videos or no frames.

    Example:

    ```python
    real = np.random.default_rng(0).uniform(size=(2, 3, 16, 16, 1))
    scores = keras_gans.metrics.frame_scores(real[:, 0], real, real, (0.0, 1.0))
    scores["copied"].psnr  # infinite for the first frame, which is the last one seen
    ```

    Reference:
        https://arxiv.org/abs/1511.05440, section 4
    """
    last, real, fake = (np.asarray(x) for x in (last, real, fake))
    of_last = (*real.shape[:1], *real.shape[2:])
    if real.ndim != 5 or fake.shape != real.shape or last.shape != of_last:
        raise ValueError(
            "`real` and `fake` are [n, frames, height, width, channels], and `last` is "
            "[n, height, width, channels] of the same sides. Received: shapes "
            f"{real.shape}, {fake.shape} and {last.shape}."
        )
    if 0 in real.shape[:2]:
        raise ValueError(
            "Frames are scored of one video or more, a step ahead or more. Received: "
            f"shape {real.shape}."
        )
    copied = np.broadcast_to(last[:, None], real.shape)
    sides = {"predicted": fake, "copied": copied}
    return {
        name: FrameScores(
            *np.transpose(
                [
                    _scores_of(last, real[:, t], frames[:, t], value_range)
                    for t in range(real.shape[1])
                ]
            )
        )
        for name, frames in sides.items()
    }


def _scores_of(last, real, fake, value_range):
    """The four scores of one step ahead."""
    decibels = np.mean(psnr(fake, real, value_range))  # which looks at the values
    width = value_range[1] - value_range[0]
    last, true, made = (np.asarray(x, "float64") for x in (last, real, fake))
    moving = np.abs(true - last).max(axis=-1) >= MOVED * width
    moving_psnr = np.nan
    if moving.any():
        error = np.square(true - made)[moving].mean()
        with np.errstate(divide="ignore"):  # infinite where they are the same
            moving_psnr = 10 * np.log10(width**2 / error)
    similarity = np.mean(ssim(fake, real, value_range))
    blank = (true == true[:, :1, :1]).all()
    edges = np.nan if blank else edge_ratio(real, fake)
    return decibels, moving_psnr, similarity, edges


def _unit(name, videos, low, high):
    videos = np.asarray(videos)
    if videos.ndim != 5 or videos.shape[1] < 2 or videos.shape[-1] not in (1, 3):
        raise ValueError(
            f"`{name}` is [n, frames, height, width, 1 or 3] of two frames or more. "
            f"Received: shape {videos.shape}."
        )
    videos = (videos.astype("float32") - low) / (high - low)
    if not np.isfinite(videos).all():
        raise ValueError(f"`{name}` holds NaN or infinite values. Clean the data.")
    return np.clip(videos, 0, 1)


def _still(videos) -> Iterator[np.ndarray]:
    yield from videos


def _moving(videos) -> Iterator[np.ndarray]:
    for video in videos:
        yield 0.5 + np.diff(video, axis=0) / 2


def _moments(network, clips, batch_size):
    moments = Moments()
    for clip in clips:
        pixels = np.rint(255 * clip).astype("uint8")
        pixels = pixels.repeat(3 // pixels.shape[-1], axis=-1)
        for i in range(0, len(pixels), batch_size):
            moments.update(network(pixels[i : i + batch_size])["features"])
    return moments
