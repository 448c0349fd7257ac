"""Video files, frame by frame, by ffmpeg."""

from collections.abc import Iterable, Iterator
import os
import re
import subprocess

import numpy as np

from keras_gans.modalities.untrusted import MAX_VALUES
from keras_gans.modalities.video import ffmpeg
from keras_gans.utils.types import Path

# Local files alone, which name no others, of frames of a bounded size.
SAFE = ["-protocol_whitelist", "file", "-max_pixels", str(MAX_VALUES)]
CODEC = ["-c:v", "libx264", "-crf", "12", "-pix_fmt", "yuv420p", "-f", "mp4"]


def rate_of(path: Path) -> str:
    """The frames a second of a video file, as a fraction: "30000/1001".

    Raises:
        ValueError: it cannot be read.
    """
    asked = ["-an", "-frames:v", "1", "-f", "yuv4mpegpipe", "-pix_fmt", "yuv420p"]
    command = [*ffmpeg(), *SAFE, "-i", os.fspath(path), *asked, "pipe:1"]
    done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL)
    found = re.match(rb"YUV4MPEG2 .*?\bF(\d+):(\d+)", done.stdout)
    if found is None:
        why = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise ValueError(f"Cannot read the video {path}. {''.join(why)[:200]}")
    return "/".join(n.decode() for n in found.groups())


def frames_of(path: Path) -> Iterator[np.ndarray]:
    """The frames of a video file: uint8 `[height, width, 3]`, at an even rate."""
    asked = ["-an", "-f", "image2pipe", "-c:v", "ppm", "pipe:1"]
    with subprocess.Popen(
        [*ffmpeg(), *SAFE, "-i", os.fspath(path), *asked],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            while process.stdout.readline() == b"P6\n":
                width, height = map(int, process.stdout.readline().split())
                process.stdout.readline()
                pixels = process.stdout.read(3 * height * width)
                yield np.frombuffer(pixels, "uint8").reshape(height, width, 3)
        finally:
            process.kill()


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
