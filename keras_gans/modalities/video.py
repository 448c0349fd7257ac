"""Videos."""

from collections.abc import Sequence
import dataclasses
import io
import itertools
import pathlib
import subprocess
import tempfile

import keras
import numpy as np
from PIL import Image as PillowImage

from keras_gans.modalities import base, pictures, untrusted
from keras_gans.utils.optional import require
from keras_gans.utils.validation import check_size

MODES = {1: "L", 3: "RGB"}
SHOWN = 16  # frames of a film strip


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Video(base.Modality):
    """Videos `[frames, height, width, channels]`.

    GIF files are written and read as they are: grey exactly, colours as 256
    a frame; WebP files hold all colours. MP4 files need the extra "video", and lose
    detail.

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
    holds_pixels = True
    extensions = (".gif", ".mp4", ".webp")
    read_extensions = (".gif", ".mp4", ".webp")

    def __post_init__(self):
        if self.frames is not None:
            check_size("frames", self.frames)
        check_size("rate", self.rate)
        shape = base.check_sides("frame_shape", self.frame_shape, 3)
        if shape[-1] not in MODES:
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
        with PillowImage.open(io.BytesIO(data), formats=(format,)) as image:
            self._check_frame(image.size)
            for i in itertools.count():
                try:
                    image.seek(i)
                except EOFError:
                    return
                pixels = image.convert(MODES[self.frame_shape[-1]])
                pixels = np.asarray(pixels).reshape(*image.size[::-1], -1)
                # They hold frames that are the same once, for longer.
                shown = image.info.get("duration", each) / each
                yield from itertools.repeat(pixels, max(1, round(shown)))

    def _encode_mp4(self, frames):
        height, width = frames.shape[1:3]
        if height % 2 or width % 2:
            raise ValueError(
                "MP4 files have an even height and width. Received: "
                f"{height} x {width}. Write a GIF file, or pad the frames."
            )
        frames = np.repeat(frames, 3 // frames.shape[-1], axis=-1)
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-r", str(self.rate)]
        raw += ["-s", f"{width}x{height}", "-i", "pipe:0"]
        code = ["-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p"]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "video.mp4"
            subprocess.run(
                [*ffmpeg(), *raw, *code, str(path)], input=frames.tobytes(), check=True
            )
            return path.read_bytes()

    def _mp4_frames(self, data):
        # Only this format, which names no other files, and only of this size.
        source = ["-f", "mp4", "-protocol_whitelist", "file"]
        source += ["-max_pixels", str(untrusted.MAX_VALUES), "-i"]
        pictures_of = ["-an", "-f", "image2pipe", "-c:v", "ppm", "pipe:1"]
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "video.mp4"
            path.write_bytes(data)
            with subprocess.Popen(
                [*ffmpeg(), *source, str(path), *pictures_of],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            ) as process:
                try:
                    yield from self._ppm_frames(process.stdout)
                finally:
                    process.kill()

    def _ppm_frames(self, stream):
        while stream.readline() == b"P6\n":
            width, height = map(int, stream.readline().split())
            self._check_frame((width, height))
            stream.readline()
            pixels = np.frombuffer(stream.read(height * width * 3), "uint8")
            pixels = pixels.reshape(height, width, 3)
            yield pixels[..., : self.frame_shape[-1]]

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


def ffmpeg() -> list[str]:
    """The start of a command of ffmpeg, of the extra `video`."""
    package = require("imageio_ffmpeg", "video", "MP4 files")
    return [package.get_ffmpeg_exe(), "-v", "error", "-nostdin"]
