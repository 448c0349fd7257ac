"""How near videos come to real ones: in their frames, and in their motion."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from keras_gans.metrics.features.network import FeatureNetwork
from keras_gans.metrics.functional.distances import frechet_distance
from keras_gans.metrics.functional.moments import Moments
from keras_gans.metrics.functional.pixels import check_value_range
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
