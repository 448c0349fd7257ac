"""The frames after those of a video file."""

from collections import deque
from collections.abc import Iterator
import itertools
import pathlib
from typing import TYPE_CHECKING

import numpy as np

from keras_gans.modalities import Image, Video, video_files
from keras_gans.modalities.untrusted import MAX_VALUES, check_extension
from keras_gans.utils import files
from keras_gans.utils.types import Path
from keras_gans.utils.validation import check_size, one_of

if TYPE_CHECKING:
    from keras_gans.models.frame_prediction import FramePrediction

ENDINGS = (".gif", ".webp", ".mp4")
SIZES = ("trained", "own")


def predict_file(
    gan: "FramePrediction",
    source: Path,
    out: Path,
    frames: int = 30,
    *,
    size: str = "trained",
    with_past: bool = True,
    overwrite: bool = False,
) -> int:
    """Predicts the frames after a video's last ones, each from those before it.

    The video is read at the rate of the GAN, one frame at a time: of long ones, the
    last frames alone are kept. MP4 files are written as frames are made.

    Args:
        gan: `FramePrediction`.
        source: str or path of an MP4, GIF or WebP file, or of a folder of pictures.
        out: str or path of a GIF, WebP or MP4 file, or of a folder that is made, of
            PNG files.
        frames: int, how many to predict.
        size: "trained", frames are resized and cropped to those that the GAN was
            trained on; or "own", the video's own, cropped to what all scales divide.
        with_past: bool, whether the frames that it saw come first.
        overwrite: bool, whether to replace a file at `out`.

    Returns:
        int, frames written.

    Raises:
        ValueError: `gan` predicts no frames, the video cannot be read or is shorter
            than what the GAN sees, `out` exists or is of another kind, or so many
            frames do not fit such a file.
        ImportError: the extra "video" is not installed, and a file is an MP4.
    """
    if not hasattr(gan, "predict_frames"):
        raise ValueError(
            "Frames are predicted by a FramePrediction. Received: a "
            f"{type(gan).__name__}. Train one by `keras-gans train frame_prediction`."
        )
    check_size("frames", frames)
    one_of("size", size, SIZES)
    out = pathlib.Path(out)
    if out.suffix:
        check_extension(out, ENDINGS, "Predicted frames")
        files.check_free(out, overwrite)
    else:  # a folder of other things is never replaced
        files.check_free(out, kind=files.FOLDER)
    past = _past(gan, source, size)
    total, ending = frames + with_past * len(past), out.suffix.lower()
    if ending in (".gif", ".webp") and total * past[0].size > MAX_VALUES:
        raise ValueError(
            f"{total:,} frames of shape {past.shape[1:]} are too many for a "
            f"{ending} file. Write an .mp4 file or a folder, or fewer frames."
        )
    film = _frames(gan, past, frames, with_past)
    if ending == ".mp4":
        with files.replacing(out) as temporary:
            return video_files.write(temporary, film, gan.rate)
    if ending:
        shown = np.stack(list(film)).astype("float32") / 127.5 - 1
        Video(None, shown.shape[1:], gan.rate).write(out, shown, overwrite)
        return len(shown)
    image, count = Image(past.shape[1:]), 0
    with files.replacing(out) as temporary:
        temporary.mkdir()
        for count, frame in enumerate(film, start=1):
            path = temporary / f"{count - 1:05}.png"
            image.write(path, frame.astype("float32") / 127.5 - 1)
    return count


def _past(gan, source, size):
    """The last frames of a video that the GAN sees: uint8 `[past, ...]`."""
    from keras_gans.data.clips import read_film

    shape = None if size == "own" else gan.modality.shape
    channels = gan.modality.shape[-1]
    kept = deque(read_film(source, shape, gan.rate, channels), maxlen=gan.past)
    if len(kept) < gan.past:
        raise ValueError(
            f"Cannot predict what follows {str(source)!r}: it has {len(kept)} frames "
            f"at {gan.rate} a second, and the GAN sees {gan.past}. Take a longer video."
        )
    past = np.stack(kept)
    times = 2 ** (gan.scales - 1)
    height, width = (side // times * times for side in past.shape[1:3])
    if not height * width:
        raise ValueError(
            f"Frames of {str(source)!r} are too small for {gan.scales} scales, which "
            f"need {times} x {times} pixels. Received: {past.shape[1]} x "
            f'{past.shape[2]}. Enlarge them by `size="trained"` (--size=trained).'
        )
    return past[:, :height, :width]


def _frames(gan, past, count, with_past) -> Iterator[np.ndarray]:
    """Uint8 frames, those that are seen before those that are predicted."""
    if with_past:
        yield from past
    seen = past[None].astype("float32") / 127.5 - 1
    for _ in itertools.repeat(None, count):
        new = gan.predict_frames(seen, 1)
        seen = np.concatenate([seen[:, 1:], new], axis=1)
        yield np.rint((np.clip(new[0, 0], -1, 1) + 1) * 127.5).astype("uint8")
