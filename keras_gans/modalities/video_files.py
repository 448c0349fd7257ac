"""Video files, frame by frame, in bounded memory: all are read and written here."""

import array
from collections.abc import Iterable, Iterator
import contextlib
import fractions
import io
import itertools
import os
import re
import subprocess
import tempfile

import numpy as np
from PIL import Image as PillowImage

from keras_gans.modalities import untrusted
from keras_gans.utils.optional import require
from keras_gans.utils.types import Path

MODES = {1: "L", 3: "RGB"}
# Local files alone, which name no others, of frames of a bounded size.
SAFE = ["-protocol_whitelist", "file", "-max_pixels", str(untrusted.MAX_VALUES)]
CODEC = ["-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", "-f", "mp4"]
MAX_ERRORS = 2**22  # bytes of what ffmpeg tells
MAX_FRAMES = 2**24  # of one video: 19 days at 10 a second


def ffmpeg() -> list[str]:
    """The start of a command of ffmpeg, of the extra `video`."""
    package = require("imageio_ffmpeg", "video", "MP4 files")
    return [package.get_ffmpeg_exe(), "-v", "error", "-nostdin"]


def check_length(frames: float) -> int:
    """The frames that a video is told to have, rounded; at least 1.

    Raises:
        ValueError: they are more than any video has.
    """
    if not frames <= MAX_FRAMES:  # NaN too
        raise ValueError(
            f"it is told to last {frames:.3g} frames, more than the {MAX_FRAMES} "
            "allowed."
        )
    return max(1, int(round(frames, 6)))


# --- GIF and WebP, and single pictures ---


@contextlib.contextmanager
def opened(data: bytes, formats: tuple) -> Iterator[PillowImage.Image]:
    """A picture or an animation; of no size that would exhaust memory.

    Raises:
        ValueError: it is too large.
    """
    untrusted.check_bytes(len(data))
    try:
        opened = PillowImage.open(io.BytesIO(data), formats=formats)
    except PillowImage.UnidentifiedImageError:
        what = "damaged, or of no known format" if data else "empty (0 bytes)"
        raise ValueError(f"it is {what}.") from None
    with opened as image:
        untrusted.check_count((*image.size, 4))
        yield image


def durations(image: PillowImage.Image, default: float) -> Iterator[float]:
    """Moves an animation from frame to frame; milliseconds that each is shown.

    Args:
        image: an animation, opened.
        default: float, of a frame that tells none.
    """
    for i in itertools.count():
        try:
            image.seek(i)
        except EOFError:
            return
        if image.format == "WEBP":
            image.load()  # which tells the duration
        yield image.info.get("duration", default)


def opaque(image: PillowImage.Image, channels: int) -> PillowImage.Image:
    """A picture of 1 channel or 3, on white where it is transparent."""
    if image.mode == "P" or image.has_transparency_data:
        paper = PillowImage.new("RGBA", image.size, "white")
        image = PillowImage.alpha_composite(paper, image.convert("RGBA"))
    return image.convert(MODES[channels])


# --- MP4, and what else ffmpeg reads ---


def frames_of(
    path: Path,
    format: str | None = None,
    filters: Iterable[str] = (),
    count: int | None = None,
    channels: int = 3,
) -> Iterator[np.ndarray]:
    """The frames of a video file, at an even rate.

    Args:
        path: path.
        format: str, the one format that is read; by default what it looks like.
        filters: strings, ffmpeg's, that frames go through.
        count: int, how many at most.
        channels: int, 1 or 3.

    Returns:
        Iterator of uint8 arrays `[height, width, channels]`. It ends where the file
        cannot be read further.

    Raises:
        ValueError: frames are too large.
    """
    chain = ["-vf", ",".join(filters)] if filters else []
    limit = [] if count is None else ["-frames:v", str(count)]
    kind = ["pgm", "gray", b"P5\n"] if channels == 1 else ["ppm", "rgb24", b"P6\n"]
    asked = ["-c:v", kind[0], "-pix_fmt", kind[1], "pipe:1"]
    with subprocess.Popen(
        [*_source(path, format), "-an", *chain, *limit, "-f", "image2pipe", *asked],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            stream = process.stdout
            while stream.readline() == kind[2]:
                width, height = map(int, stream.readline().split())
                shape = (height, width, channels)
                untrusted.check_count(shape)
                stream.readline()
                pixels = stream.read(height * width * channels)
                if len(pixels) == height * width * channels:
                    yield np.frombuffer(pixels, "uint8").reshape(shape)
        finally:
            process.kill()


def look_at(path: Path, format: str | None = None) -> tuple[tuple[int, int], str]:
    """The size of a video file's frames, and how many it shows a second.

    Args:
        path: path.
        format: str, the one format that is read; by default what it looks like.

    Returns:
        Tuple ((width, height), rate); the rate is a fraction: "30000/1001".

    Raises:
        ValueError: it cannot be read.
    """
    asked = ["-an", "-frames:v", "1", "-f", "yuv4mpegpipe", "-pix_fmt", "yuv420p"]
    done = subprocess.run(
        [*_source(path, format), *asked, "pipe:1"],
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    match = re.match(rb"YUV4MPEG2 W(\d+) H(\d+) .*?\bF(\d+):(\d+)", done.stdout)
    if match is None:
        if b"does not contain any stream" in done.stderr:
            raise ValueError("it holds no video, perhaps a sound alone")
        why = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ValueError("".join(why)[:200] or "it holds no frames")
    width, height, *rate = (int(n) for n in match.groups())
    untrusted.check_count((height, width, 3))
    return (width, height), "/".join(map(str, rate))


def times_of(path: Path, format: str | None = None) -> tuple[int, float, bool]:
    """How long the frames of a video file are shown.

    Args:
        path: path.
        format: str, the one format that is read; by default what it looks like.

    Returns:
        Tuple of how many frames there are, how many seconds they last, and whether
        some last longer or shorter than most, by more than half a frame.

    Raises:
        ValueError: it cannot be read, or is cut short.
    """
    asked = ["-map", "0:v:0", "-fps_mode", "passthrough", "-enc_time_base", "demux"]
    with tempfile.TemporaryFile() as told:
        process = subprocess.Popen(
            [*_source(path, format), *asked, "-f", "framecrc", "pipe:1"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=told,
        )
        unit, times, last = 0.0, array.array("q"), 0
        with process:
            for line in process.stdout:
                if line.startswith(b"#tb 0:"):
                    unit = float(fractions.Fraction(line[6:].decode().strip()))
                elif not line.startswith(b"#"):
                    _, _, time, last, *_ = line.split(b",")
                    times.append(int(time))
        told.seek(0)
        errors = told.read(MAX_ERRORS).decode(errors="replace")
    if "partial file" in errors:
        raise ValueError(f"it is cut short: {len(times)} of its frames can be read")
    why = errors.strip().splitlines()[-1:]
    if process.returncode or not times:
        raise ValueError("".join(why)[:200] or "it holds no frames")
    steps = np.diff(np.asarray(times))
    usual = float(np.median(steps)) if len(steps) else float(last)
    uneven = bool(len(steps)) and float(np.abs(steps - usual).max()) > usual / 2
    seconds = (times[-1] - times[0] + (int(last) or usual)) * unit
    return len(times), seconds, uneven


def write(
    path: Path,
    frames: Iterable[np.ndarray],
    rate: float | str,
    sound: Path | None = None,
) -> int:
    """Writes an MP4 file, H.264, of frames that come one by one.

    Args:
        path: path.
        frames: uint8 arrays `[height, width, 1 or 3]` of one size. Of an odd height
            or width the last row or column is repeated.
        rate: frames a second.
        sound: path of a file whose sound it gets, if that has any; or `None`.

    Returns:
        int, how many there were; of none, no file is written.

    Raises:
        OSError: ffmpeg failed.
    """
    process, count = None, 0
    try:
        for frame in frames:
            odd = [(0, side % 2) for side in frame.shape[:2]]
            frame = np.pad(frame, (*odd, (0, 0)), "edge")
            frame = frame.repeat(3 // frame.shape[-1], -1)
            if process is None:
                height, width = frame.shape[:2]
                raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-r", str(rate)]
                raw += ["-s", f"{width}x{height}", "-i", "pipe:0"]
                if sound is not None:
                    raw += [*SAFE, "-i", os.fspath(sound), "-map", "0:v"]
                    raw += ["-map", "1:a:0?", "-c:a", "copy"]
                process = subprocess.Popen(
                    [*ffmpeg(), "-y", *raw, *CODEC, os.fspath(path)],
                    stdin=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                )
            try:
                process.stdin.write(frame.tobytes())
            except BrokenPipeError:
                break
            count += 1
        if process is not None:
            _, told = process.communicate()
            if process.returncode:
                text = told.decode(errors="replace").strip()
                raise OSError(f"ffmpeg could not write {path}: {text[-300:]}")
    finally:
        if process is not None and process.poll() is None:
            process.kill()
            process.communicate()
    return count


def _source(path, format):
    """The start of a command that reads a file."""
    known = [] if format is None else ["-f", format]
    return [*ffmpeg(), *known, *SAFE, "-i", os.path.abspath(path)]
