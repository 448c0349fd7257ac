"""Videos."""

from collections.abc import Sequence
import dataclasses
import itertools
import pathlib
import tempfile

import keras
import numpy as np

from keras_gans.modalities import base, graph_videos, pictures, untrusted, video_files
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size

SHOWN = 16  # frames of a film strip


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Video(base.Modality):
    """Videos `[frames, height, width, channels]`.

    GIF files are written and read as they are: grey exactly, colours as 256
    a frame; WebP files hold all colours, and so do the animated PNG files that exported
    models answer and that are read. What is transparent is read as white. MP4 files
    need the extra "video", and lose detail.

    Args:
        frames: int, or `None` for any number.
        frame_shape: tuple (height, width, channels) of 1 or 3 channels.
        rate: int, frames a second.
        range: tuple (low, high): black and white.

    Raises:
        ValueError: an argument is something else.

    Example:

    ```python
    video = keras_gans.Video(8, (16, 16, 1))
    fading = np.linspace(-1, 1, 8)[:, None, None, None] * np.ones((16, 16, 1))
    video.write("fading.gif", fading, overwrite=True)
    video.read("fading.gif").shape  # (8, 16, 16, 1)
    ```
    """

    frames: int | None
    frame_shape: tuple
    rate: int = 10
    range: tuple = (-1.0, 1.0)

    kind = "video"
    tensor_name = "videos"
    bytes_name = "video_bytes"
    bytes_extension = ".apng"
    holds_pixels = True
    extensions = (".gif", ".mp4", ".webp")
    read_extensions = (".gif", ".mp4", ".webp", ".apng")

    def __post_init__(self):
        if self.frames is not None:
            check_size("frames", self.frames)
        check_size("rate", self.rate)
        shape = base.check_sides("frame_shape", self.frame_shape, 3)
        if shape[-1] not in video_files.MODES:
            raise ValueError(
                "Frames have 1 or 3 channels. Received: frame_shape="
                f"{self.frame_shape!r}."
            )
        self._set(frame_shape=shape, range=base.check_range(self.range))

    @property
    def shape(self) -> tuple:
        """(frames, height, width, channels)"""
        return (self.frames, *self.frame_shape)

    def _reshape(self, shape):
        return (
            "Cut the videos and resize their frames, or build the GAN with a "
            "Video of their frames."
        )

    def _rescale(self, floats):
        return self._rescale_bytes(floats)

    def _encode(self, sample, extension):
        frames = self._pixels(self._one(sample))
        if extension == ".gif":
            return pictures.encode_gif(frames, self.rate)
        if extension == ".webp":
            return pictures.encode_webp(frames, self.rate)
        return self._encode_mp4(frames)

    def _decode(self, data, extension):
        try:
            if extension == ".gif":
                each = pictures.gif_duration(self.rate)
                frames = self._stack(self._animated_frames(data, "GIF", each))
            elif extension == ".webp":
                each = 1000 / self.rate
                frames = self._stack(self._animated_frames(data, "WEBP", each))
            elif extension == ".apng":
                each = 1000 / self.rate
                frames = self._stack(self._animated_frames(data, "PNG", each))
            else:
                frames = self._stack(self._mp4_frames(data))
        except (ValueError, ImportError):
            raise
        except Exception as error:  # decoders raise every kind
            raise ValueError(
                f"it is no {extension} file that can be read ({error})."
            ) from error
        self._fits(frames.shape, "Cut it, or use `frames=None`.")
        low, high = self.range
        frames = frames.astype("float32") / np.float32(255)
        return low + frames * np.float32(high - low)

    def encode_in_graph(self, samples: Tensor) -> Tensor:
        """An animated PNG of each video, which loses nothing: strings `[n]`."""
        import tensorflow as tf

        samples = tf.clip_by_value(tf.cast(samples, "float32"), *self.range)
        pixels = tf.round(self._unit(samples) * 255)
        return graph_videos.encode_apng(tf.cast(pixels, tf.uint8), self.rate)

    def _pixels(self, frames):
        return np.rint(self._unit(frames) * 255).astype("uint8")

    def _stack(self, frames):
        """Uint8 frames of an iterator, as many as fit; no more are decoded."""
        kept = []
        for frame in frames:
            untrusted.check_count((len(kept) + 1, *frame.shape))
            if self.frames is not None and len(kept) == self.frames:
                raise ValueError(
                    f"it has more than the {self.frames} frames of {self!r}. "
                    "Cut it, or use `frames=None`."
                )
            kept.append(frame)
        if not kept:
            raise ValueError("it holds no frames that can be read.")
        return np.stack(kept)

    def _check_frame(self, size):
        shape = (size[1], size[0], self.frame_shape[-1])
        untrusted.check_count(shape)
        self._fits((self.frames or 1, *shape), "Resize its frames.")

    def _animated_frames(self, data, format, each):
        with video_files.opened(data, (format,)) as image:
            self._check_frame(image.size)
            for duration in video_files.durations(image, each):
                pixels = video_files.opaque(image, self.frame_shape[-1])
                pixels = np.asarray(pixels).reshape(*image.size[::-1], -1)
                # They hold frames that are the same once, for longer.
                yield from itertools.repeat(pixels, max(1, round(duration / each)))

    def _encode_mp4(self, frames):
        height, width = frames.shape[1:3]
        if height % 2 or width % 2:
            raise ValueError(
                "MP4 files have an even height and width. Received: "
                f"{height} x {width}. Write a GIF file, or pad the frames."
            )
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "video.mp4"
            video_files.write(path, frames, self.rate)
            return path.read_bytes()

    def _mp4_frames(self, data):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "video.mp4"
            path.write_bytes(data)
            for frame in video_files.frames_of(path, "mp4"):
                self._check_frame(frame.shape[1::-1])
                yield frame[..., : self.frame_shape[-1]]

    def preview(
        self,
        samples: np.ndarray,
        columns: int | None = None,
        names: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> base.Preview:
        """A film strip a row for each video, and a GIF file of all."""
        samples = self._pixels(self._many(samples)) / np.float32(127.5) - 1
        count = samples.shape[1]
        at = np.unique(np.linspace(0, count - 1, min(count, SHOWN)).round())
        # A strip is one tile, its frames a little apart.
        paper, gap = pictures.PAPER / 127.5 - 1, max(1, samples.shape[3] // 16)
        apart = [(0, 0)] * 3 + [(0, gap), (0, 0)]
        strips = np.pad(samples[:, at.astype(int)], apart, constant_values=paper)
        strips = strips.swapaxes(1, 2)
        strips = strips.reshape(*strips.shape[:2], -1, strips.shape[-1])[:, :, :-gap]
        told = f"Each row is a video: frames 0 to {count - 1}, {self.rate} a second."
        told = told if caption is None else f"{caption} {told}"
        picture = pictures.draw_grid(strips, 1, names, told)
        grids = np.stack(
            [
                pictures.draw_grid(frames, columns, names, caption)
                for frames in samples.swapaxes(0, 1)
            ]
        )
        gif = pictures.encode_gif(grids, self.rate)
        return base.Preview(picture, [base.Media("videos.gif", "image/gif", gif)])
