"""Pictures and videos enlarged by networks of super-resolution."""

from collections.abc import Iterator
import contextlib
import os
import pathlib
from typing import Any

import keras
import numpy as np
from PIL import Image

from keras_gans.core.gan import BaseGAN
from keras_gans.core.translation import TranslatingGAN
from keras_gans.inference.opening import load
from keras_gans.inference.tiles import Enlarger
from keras_gans.inference.translate import (
    FIRST_OF_SEVERAL,
    NUMBERED,
    Report,
    is_of_the_file,
    targets_of,
)
from keras_gans.modalities import video_files
from keras_gans.modalities.image_files import EXTENSIONS, LUMA, read_head, read_image
from keras_gans.modalities.png import PngWriter, read_metadata
from keras_gans.utils import files
from keras_gans.utils.progress import progress_bar
from keras_gans.utils.types import Path
from keras_gans.utils.validation import is_int, is_number, one_of, within

ALPHA = ("model", "bilinear")
VIDEO = ".mp4"
VIDEOS = (".avi", ".m4v", ".mkv", ".mov", ".mp4", ".webm")
_NO_FOLDERS = {*EXTENSIONS, *VIDEOS} - {VIDEO}
RATE = 25  # frames a second, of pictures that become a video


def upscale(
    model: keras.Model | Path,
    inputs: Any,
    out: Path | None = None,
    *,
    scale: int | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    precision: str = "float32",
    alpha: str = "model",
    padding: int = 0,
    rate: float | None = None,
    overwrite: bool = False,
    verbose: int = 1,
) -> np.ndarray | Report:
    """Enlarges arrays, picture files or a video by a network of super-resolution.

    Pictures of any size are enlarged tile by tile, so that memory is bounded. For
    networks without a norm of each image the result is that of the whole picture,
    to 1e-5 of the largest value.

    Colours go through a network of three channels as they are, and grey as equal
    colours, of which the luma is taken; a network of one channel enlarges each
    channel by itself. Transparency is enlarged as another grey picture.

    All files that `keras_gans.data.load` reads are, turned upright; of an animation
    the first picture. They become PNG files of as many bits a channel, 8 or 16,
    with their EXIF data and colour profile. A file that cannot be read is reported,
    and the others are still enlarged.

    Args:
        model: a network (`keras.Model`) from images to larger images of any size, a
            GAN that has one, or the path of a run directory, a preset or a `.keras`
            file of one.
        inputs: an array `[height, width]`, `[height, width, channels]` or `[n,
            height, width, channels]`: uint8, uint16, or float in [-1, 1]; or paths
            of files and of folders, which are searched with their subfolders, and
            patterns such as "photos/*.jpg", one or a list.
        out: of paths, the folder to write to; or a path ending in ".mp4", which one
            video becomes, with its sound and rate, or pictures in the order of
            their names.
        scale: int, what the network is expected to enlarge by; `None` for any.
        tile: int, pixels a side of what the network sees at once, 0 for whole
            pictures; by default as many as fit into 2 GiB of memory, at most 512.
        overlap: int, pixels that tiles share at either side; by default as many as
            the result depends on.
        precision: "float32", or "bfloat16" or "float16", in which the network's
            layers compute: faster where the machine has such units, and within a
            level or two of 8 bits.
        alpha: "model", or "bilinear": how transparency is enlarged.
        padding: int, pixels of its mirror image put to the right and below of a
            picture, and cut away from the result.
        rate: number above 0, frames a second of a video that pictures become (by
            default 25).
        overwrite: bool, whether `out` may hold files already; those of the same
            names are replaced.
        verbose: 1 for a progress bar over tiles, 0 for none.

    Returns:
        Of an array, an array of its type, clipped to its range; of paths, a
        `Report`: `written`, `failed`, `notes`.

    Raises:
        ValueError: an argument is unusable, the model does not enlarge, no pictures
            at all are found, or `out` is taken.

    Example:

    ```python
    from keras_gans.networks.srresnet import msrresnet

    network = msrresnet(scale=4, blocks=2, width=8)
    photo = np.zeros((30, 40, 3), "uint8")
    keras_gans.upscale(network, photo, verbose=0).shape  # (120, 160, 3)
    ```

    Reference:
        https://arxiv.org/abs/2107.10833; xinntao/Real-ESRGAN, RealESRGANer
    """
    one_of("alpha", alpha, ALPHA)
    within("padding", padding, is_int(padding) and padding >= 0, "0, 1, 2, ...")
    ok = rate is None or (is_number(rate) and 0 < rate <= 1000)
    within("rate", rate, ok, "(0, 1000]")
    is_array = hasattr(inputs, "shape") and hasattr(inputs, "dtype")
    if is_array != (out is None):
        raise ValueError(
            "Arrays are enlarged into an array, files into a folder or a video, `out`."
            f" Received: out={out} and inputs of type {type(inputs).__name__}."
        )
    if not is_array:
        out = pathlib.Path(out)
        if out.suffix.lower() in _NO_FOLDERS and not out.is_dir():
            raise ValueError(
                f"`out` is a folder, or a video that ends in {VIDEO}. Received: "
                f"out={out}. Name a folder: pictures keep their names in it."
            )
        kind = files.FILE if _is_film(out) else files.FOLDER
        files.check_free(out, overwrite, kind)
        if out.exists() and not kind.is_at(out):
            raise ValueError(f"`out` is a folder. Received: the file {out}.")
    work = _Work(open_enlarger(model, scale, tile, overlap, precision), alpha, padding)
    if is_array:
        return _of_array(work, inputs, verbose)
    if _is_film(out):
        return _film(work, inputs, out, rate, overwrite, verbose)
    return _of_files(work, inputs, out, overwrite, verbose)


def open_enlarger(
    model: keras.Model | Path,
    scale: int | None = None,
    tile: int | None = None,
    overlap: int | None = None,
    precision: str = "float32",
) -> Enlarger:
    """The network of a model, or of where one is kept, ready to enlarge.

    Args:
        model: see `upscale`.
        scale: see `upscale`.
        tile: see `upscale`.
        overlap: see `upscale`.
        precision: see `upscale`.

    Raises:
        ValueError: there is none, or it is of another scale.
    """
    if not isinstance(model, keras.Model):
        model = load(model)
    if isinstance(model, BaseGAN):
        if not isinstance(model, TranslatingGAN):
            raise ValueError(
                "Pictures are enlarged by networks of super-resolution. Received: a "
                f"{type(model).__name__}, which makes samples of a seed."
            )
        model = model.sampling_network(model.translator("ab"))
    enlarger = Enlarger(model, tile, overlap, precision)
    if scale not in (None, enlarger.scale):
        raise ValueError(
            f"This network enlarges {enlarger.scale} times. Received: scale={scale}. "
            "Leave `scale` out, or take a network of that scale."
        )
    if enlarger.takes != enlarger.makes or enlarger.takes not in (1, 3):
        raise ValueError(
            "Pictures are enlarged by networks of 1 or 3 channels. Received: one from "
            f"{enlarger.takes} to {enlarger.makes} channels. Call it on arrays."
        )
    return enlarger


def _is_film(out):
    return out.suffix.lower() == VIDEO


class _Work:
    """An enlarger for pictures of 1 to 4 channels."""

    def __init__(self, enlarger, alpha, padding):
        self.enlarger, self.alpha, self.padding = enlarger, alpha, padding

    def count(self, size, channels):
        """How many tiles a picture takes."""
        passes = channels if self.enlarger.takes == 1 else 1
        passes += self.enlarger.takes > 1 and channels in (2, 4)
        passes -= channels in (2, 4) and self.alpha == "bilinear"
        return passes * self.enlarger.count(size, self.padding)

    def strips(self, image, dtype, step) -> Iterator[np.ndarray]:
        """The rows of the enlarged image from the top, `[rows, columns, channels]`.

        Args:
            image: float32 `[height, width, 1 to 4]` in [-1, 1].
            dtype: of the result, whole numbers or floats.
            step: function to call after each tile.
        """
        planes = list(self._planes(image))
        width = self.enlarger.scale * image.shape[1]
        row, strip = None, None
        for parts in zip(*planes, strict=True):
            step(len(planes))
            top, left, first = parts[0]
            if top != row:
                if row is not None:
                    yield strip
                row = top
                strip = np.empty((len(first), width, image.shape[-1]), dtype)
            tile = np.concatenate([part for _, _, part in parts], axis=-1)
            tile = _as(tile, strip.dtype)
            strip[:, left : left + tile.shape[1]] = tile
        yield strip

    def _planes(self, image):
        """What goes through the network at once: one iterator of parts each."""
        channels = image.shape[-1]
        has_alpha = channels in (2, 4)
        colours = image[..., : channels - has_alpha]
        if self.enlarger.takes == colours.shape[-1]:
            yield self.enlarger.parts(colours, self.padding)
        else:
            for i in range(colours.shape[-1]):
                yield self._grey(colours[..., i : i + 1])
        if has_alpha:
            opacity = image[..., -1:]
            yield (
                self._grey(opacity)
                if self.alpha == "model"
                else self._interpolated(opacity)
            )

    def _grey(self, image):
        image = np.repeat(image, self.enlarger.takes, -1)
        for top, left, part in self.enlarger.parts(image, self.padding):
            if part.shape[-1] == 3:
                # Of the colours in their range, as if they had been written.
                part = (np.clip(part, -1, 1) @ LUMA)[..., None]
            yield top, left, part

    def _interpolated(self, image):
        """Interpolated linearly, in the same parts."""
        scale, size = self.enlarger.scale, image.shape[:2]
        whole = Image.fromarray(image[..., 0])
        for top, left, height, width in self.enlarger.places(size, self.padding):
            box = [x / scale for x in (left, top, left + width, top + height)]
            part = whole.resize((width, height), Image.Resampling.BILINEAR, box)
            yield top, left, np.asarray(part)[..., None]


def _as(values, dtype):
    """Values in [-1, 1], clipped, as floats or whole numbers of a dtype."""
    if not np.isfinite(values).all():
        raise ValueError("The model makes NaN or infinity of it.")
    values = np.clip(values, -1, 1)
    if dtype.kind == "f":
        return values.astype(dtype)
    return np.rint((values + 1) * (np.iinfo(dtype).max / 2)).astype(dtype)


# --- Arrays ---


def _of_array(work, images, verbose):
    images = np.asarray(images)
    known = images.dtype in ("uint8", "uint16") or images.dtype.kind == "f"
    shape = images.shape
    if images.ndim == 2:
        images = images[None, ..., None]
    elif images.ndim == 3:
        images = images[None]
    if images.ndim != 4 or not known or not images.size or images.shape[-1] > 4:
        raise ValueError(
            "Images are [height, width], [height, width, channels] or [n, height, "
            "width, channels] of 1 to 4 channels: uint8, uint16, or float in [-1, 1]. "
            f"Received: shape {shape}, dtype {images.dtype}."
        )
    if images.dtype.kind == "f" and not np.abs(images).max() <= 1 + 1e-3:
        raise ValueError(
            "Images of floats are in [-1, 1]. Received: values from "
            f"{images.min():.4g} to {images.max():.4g}. Rescale them, or pass uint8."
        )
    count = len(images) * work.count(images.shape[1:3], images.shape[-1])
    bar = progress_bar(count, verbose, "tile")
    enlarged = []
    for image in images:
        image = _to_floats(image)
        enlarged.append(np.concatenate(list(work.strips(image, images.dtype, bar.add))))
    enlarged = np.stack(enlarged)
    if len(shape) == 4:
        return enlarged
    return enlarged[0] if len(shape) == 3 else enlarged[0, ..., 0]


def _to_floats(image):
    if image.dtype.kind == "f":
        return image.astype("float32")
    top = np.float32(np.iinfo(image.dtype).max / 2)
    return image.astype("float32") / top - np.float32(1)


# --- Files ---


def _of_files(work, inputs, out, overwrite, verbose):
    report = Report([], {}, {})
    targets = targets_of(inputs, out, report)
    heads = {}
    for source in targets:
        try:
            if source.lower().endswith(VIDEOS):
                raise ValueError("It is a video: enlarge it into one, out=NAME.mp4.")
            heads[source] = read_head(source)
        except ValueError as error:
            report.failed[source] = str(error)
    counts = {s: work.count(h.size, _channels(h)) for s, h in heads.items()}
    bar = progress_bar(sum(counts.values()), verbose, "tile")
    for source, head in heads.items():
        place, target = targets[source]
        done = [0]

        def step(count, done=done):
            done[0] += count
            bar.add(count)

        try:
            files.check_free(target, overwrite)
            target.parent.mkdir(parents=True, exist_ok=True)
            with files.replacing(target) as temporary:
                _write(work, source, head, temporary, step)
        except Exception as error:
            if not is_of_the_file(error):
                raise
            report.failed[source] = str(error)
            bar.add(counts[source] - done[0])
        else:
            report.written.append(str(target))
            notes = [FIRST_OF_SEVERAL] if head.animated else []
            notes += [NUMBERED] if target.stem != place.name else []
            for note in notes:
                report.notes[note] = report.notes.get(note, 0) + 1
    return report


def _channels(head):
    return (1 if head.grey else 3) + head.alpha


def _write(work, source, head, target, step):
    """Enlarges a file into a PNG file, a row of tiles at a time."""
    channels, dtype = _channels(head), "uint16" if head.deep else "uint8"
    image = read_image(source, channels)
    scale = work.enlarger.scale
    size = tuple(scale * side for side in head.size)
    with open(target, "wb") as file:
        writer = PngWriter(file, (*size, channels), dtype, read_metadata(source, size))
        for strip in work.strips(image, dtype, step):
            writer.write(strip)
        writer.close()


# --- Videos ---


def _film(work, inputs, out, rate, overwrite, verbose):
    """Enlarges the frames of a video, or pictures, into a video."""
    report = Report([], {}, {})
    named = [inputs] if isinstance(inputs, (str, os.PathLike)) else list(inputs)
    video = [os.fspath(p) for p in named if os.fspath(p).lower().endswith(VIDEOS)]
    if video and (len(named) > 1 or rate is not None):
        raise ValueError(
            "One video becomes one video, of its own rate. Received: "
            f"{len(named)} inputs, rate={rate}. Leave the others out."
        )
    there = video and out.exists() and os.path.exists(video[0])
    if there and os.path.samefile(video[0], out):
        raise ValueError(
            f"A video is not written over itself. Received: out={out}. Choose another "
            "name."
        )
    if video:
        frames, count, sound = video_files.frames_of(video[0]), None, video[0]
        try:
            _, rate = video_files.look_at(video[0])
        except ValueError as error:
            raise ValueError(f"Cannot read the video {video[0]}. {error}") from error
    else:
        # The folder beside which nothing is written: pictures are read alone.
        targets = targets_of(named, out.parent / f".{out.name}", report)
        frames, count, sound = _pictures(targets, report), len(targets), None
    bar = progress_bar(count, verbose, "frame")

    def enlarged():
        for frame in frames:
            image = _to_floats(frame)
            strips = work.strips(image, "uint8", lambda count: None)
            yield np.concatenate(list(strips))
            bar.add(1)

    with files.replacing(out) as temporary, contextlib.closing(enlarged()) as film:
        if not video_files.write(temporary, film, rate or RATE, sound):
            why = [f"{path}: {why}" for path, why in report.failed.items()]
            raise ValueError("\n".join(why) or f"{sound} has no frames.")
    report.written.append(str(out))
    return report


def _pictures(targets, report):
    """The pictures that can be read and have the size of the first."""
    size = None
    for source in targets:
        try:
            pixels = read_image(source, 3)
            if size not in (None, pixels.shape):
                raise ValueError(
                    f"Frames have one size. Received: {pixels.shape[:2]} after "
                    f"{size[:2]}."
                )
        except ValueError as error:
            report.failed[source] = str(error)
            continue
        size = pixels.shape
        yield pixels
