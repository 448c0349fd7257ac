"""Toy videos: handwritten digits that move, each kind of motion a class."""

import functools
import importlib.resources
import io

import numpy as np
from PIL import Image

from keras_gans.utils.types import Shape

COUNT, TILE, ACROSS = 1797, 8, 60
SIZE = 4096  # videos of an epoch
DIGITS = 2  # in a video
PART = 0.4  # of a frame's shorter side, a digit's


class MovingDigits:
    """Videos of two digits of the UCI set that bounce off the borders.

    Both move alike: across, down, aslant or around. Which digits, where and how
    fast is a function of the example's index and place.

    Args:
        frames: int, the length of a video.
        frame_shape: tuple (height, width, channels) of 1 or 3 channels; digits are
            grey or of a colour each, on black.

    Attributes:
        size: int, videos of an epoch.
        labels: int array `[size]`, the kind of motion.
    """

    class_names = ("across", "down", "aslant", "around")

    def __init__(self, frames: int, frame_shape: Shape):
        self.frames, self.shape = frames, tuple(frame_shape)
        self.size = SIZE
        self.labels = np.arange(SIZE) % len(self.class_names)

    def read(self, index: int, place: float) -> np.ndarray:
        """The video of an example: uint8 `[frames, *frame_shape]`.

        Args:
            index: int in [0, size).
            place: float in [0, 1), by which an example differs between epochs.
        """
        height, width, channels = self.shape
        rng = np.random.default_rng([int(index), int(float(place) * 2**32)])
        motion = self.class_names[self.labels[index]]
        side = max(4, round(PART * min(height, width)))
        room = np.array([height - side, width - side], "float64")
        video = np.zeros((self.frames, *self.shape), "float32")
        for _ in range(DIGITS):
            digit = _resized(int(rng.integers(COUNT)), side)
            colour = np.ones(channels, "float32")
            if channels == 3:
                colour = np.float32(0.4) + np.float32(0.6) * rng.random(3, "float32")
                colour /= colour.max()
            path = _path(rng, motion, self.frames, room)
            for t, (top, left) in enumerate(np.rint(path).astype(int)):
                window = video[t, top : top + side, left : left + side]
                np.maximum(window, digit[..., None] * colour, out=window)
        return np.rint(np.clip(video, 0, 255)).astype("uint8")


def _path(rng, motion, frames, room):
    """Where a digit's corner is in each frame: float `[frames, 2]`."""
    t = np.arange(frames)[:, None]
    start, pace = rng.random(2) * room, rng.uniform(0.05, 0.15) * np.maximum(room, 1)
    sign = rng.choice([-1.0, 1.0], 2)
    if motion == "around":
        angle = 2 * np.pi * rng.random() + sign[0] * rng.uniform(0.3, 0.7) * t
        centre = room / 2 + (rng.random(2) - 0.5) * room / 2
        return centre + np.concatenate([np.sin(angle), np.cos(angle)], 1) * room / 4
    axes = {"across": (0, 1), "down": (1, 0), "aslant": (1, 1)}[motion]
    moved = start + t * sign * pace * np.array(axes)
    # Mirrored at the borders.
    period = np.maximum(2 * room, 1e-9)
    moved = np.mod(moved, period)
    return np.minimum(np.where(moved > room, period - moved, moved), room)


@functools.cache
def digits() -> np.ndarray:
    """The 1,797 digits: uint8 `[1797, 8, 8]`."""
    path = importlib.resources.files("keras_gans.data") / "assets" / "digits.png"
    atlas = np.asarray(Image.open(io.BytesIO(path.read_bytes())))
    tiles = atlas.reshape(-1, TILE, ACROSS, TILE).transpose(0, 2, 1, 3)
    return tiles.reshape(-1, TILE, TILE)[:COUNT]


def _resized(number, side):
    picture = Image.fromarray(digits()[number])
    picture = picture.resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(picture, "float32")
