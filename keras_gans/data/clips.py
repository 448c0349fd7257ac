"""Clips of videos: found, looked at, and read by their frames."""

from collections.abc import Iterator
import contextlib
import itertools
import os
import pathlib
import tempfile
from typing import Any, NamedTuple

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps
import tensorflow as tf

from keras_gans.data.broken import Usable, usable_of
from keras_gans.data.checks import check_length, check_options
from keras_gans.data.decoding import Listing, counted, list_files
from keras_gans.data.digests import digests
from keras_gans.data.moving_digits import MovingDigits
from keras_gans.data.pipeline import batches_of_indices, example_seeds, seed_key
from keras_gans.data.places import Archive, find_place
from keras_gans.data.python_calls import python_call
from keras_gans.data.sources import kind, missing_folder
from keras_gans.data.summary import Report
from keras_gans.modalities import untrusted, video_files
from keras_gans.modalities.image_files import decode_head_and_end, decode_image, reason
from keras_gans.modalities.video import Video
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.text import by_number
from keras_gans.utils.types import Path, Shape
from keras_gans.utils.validation import check_shape, check_size, one_of

ANIMATED = (".gif", ".webp")
FILMS = (".mp4",)
STILLS = (".png", ".jpg", ".jpeg", ".bmp")
TOYS = ("digits",)
ALLOWED = (
    '"digits" (toy videos of moving digits), or the path of a folder or zip archive '
    "of MP4, GIF and WebP files, or of folders of frames"
)
PLACES = ("random", "first")
LEAST_DURATION = 20  # milliseconds; players show quicker frames for so long or more


class Film(NamedTuple):
    """What is known of a video.

    Attributes:
        frames: int, its length at the rate asked for.
        size: (width, height) of a frame, in pixels.
        rate: float, its own frames a second; 0 where they have durations, or none.
        uneven: bool, whether its frames are shown for unlike times.
        names: of the pictures of a folder of frames, a tuple of str.
    """

    frames: int
    size: tuple[int, int]
    rate: float
    uneven: bool = False
    names: tuple = ()


@refuses_unknown
def load_clips(
    source: Any,
    *,
    frames: int,
    frame_shape: Shape,
    rate: int = 10,
    batch_size: int = 16,
    labels: bool = False,
    places: str = "random",
    shuffle: bool = True,
    flip: bool = False,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of batches of clips in [-1, 1].

    All videos are looked at once beforehand. Then the frames of a clip alone are
    decoded, after those before it in its file, one at a time: memory does not grow
    with the length of videos. A video is one example for each whole clip that it
    holds. Frames are resized and cropped to `frame_shape`, at the rate asked for;
    what is transparent is white. Order and places are functions of the seed, the
    epoch and the example's index, as of `load`.

    Args:
        source: "digits", toy videos of two digits that move; or the path of a folder
            of MP4, GIF and WebP files, searched with its subfolders, or of a zip
            archive of them. In a folder whose subfolders hold PNG, JPEG or BMP
            pictures, each of these is a video, its pictures in the order of their
            names.
        frames: int, the length of a clip.
        frame_shape: tuple (height, width, channels) of 1 or 3 channels.
        rate: int, frames a second. Videos of other rates, and of frames that are
            shown for unlike times, are brought to it by leaving out or repeating
            frames; folders of pictures are taken to have it.
        batch_size: int.
        labels: whether to give `(clips, labels)`: the first-level subfolders,
            sorted by name; of digits, the direction of the first one.
        places: "random", anywhere in its part of the video, elsewhere each epoch;
            or "first", the beginning of each video alone.
        shuffle: whether each epoch has an order of its own.
        flip: whether half of the clips are mirrored, left to right.
        seed: a non-negative integer.
        drop_remainder: whether to leave out the last batch of an epoch if it is
            short.
        repeat: whether the dataset is endless.
        start: batches already consumed. With `repeat=False`, whole epochs.
        on_error: "raise", or "skip" to leave out videos that cannot be used, or are
            shorter than a clip.

    Returns:
        A dataset of float32 `[batch_size, frames, height, width, channels]`, or of
        tuples of it and int32 `[batch_size]` with `labels=True`.

    Raises:
        ValueError: an argument is unusable, there are no videos, or some are
            damaged or shorter than a clip: all of them are named.
        ImportError: the extra "video" is not installed, and there are MP4 files.

    Example:

    ```python
    from keras_gans.data import load_clips

    dataset = load_clips("digits", frames=5, frame_shape=(32, 32, 1), batch_size=4)
    print(next(iter(dataset)).shape)  # (4, 5, 32, 32, 1)
    ```
    """
    check_size("frames", frames)
    frame_shape = check_shape(frame_shape)
    check_size("rate", rate)
    Video(frames, frame_shape, rate)  # which checks the channels
    batching = check_options(batch_size, drop_remainder, repeat, start, seed, on_error)
    one_of("places", places, PLACES)
    cutter = _cutter(source, frames, frame_shape, rate, places, labels, on_error)
    check_length(f"source {str(source)!r}", cutter.size, batching, "clips")
    key = seed_key(seed)

    def prepare(epoch, index):
        seeds = example_seeds(key, epoch, index, 2)
        place = tf.random.stateless_uniform([], seeds[0])
        pixels = python_call(cutter.read, [index, place], tf.uint8)
        clip = tf.ensure_shape(pixels, (frames, *frame_shape))
        if flip:
            mirrored = tf.random.stateless_uniform([], seeds[1]) < 0.5
            clip = tf.where(mirrored, clip[:, :, ::-1], clip)
        clip = tf.cast(clip, "float32") / 127.5 - 1.0
        if not labels:
            return clip
        return clip, tf.gather(tf.constant(cutter.labels, "int32"), index)

    return batches_of_indices(cutter.size, prepare, batching, key, shuffle)


def _cutter(source, frames, frame_shape, rate, places, labels, on_error):
    if _is_toy(source):
        return MovingDigits(frames, frame_shape)
    usable = find_films(source, frames, rate, labels, on_error)
    return _Cutter(usable, frames, frame_shape, rate, places)


def find_films(
    source: Any, frames: int, rate: int, labels: bool = False, on_error: str = "raise"
) -> Usable:
    """Returns the videos of a folder or an archive, each as a `Film`.

    Raises:
        ValueError: there are none, or some cannot be used or are too short.
    """
    place = _place(source)
    listing, stills = _list(place, labels)

    def look(name):
        film = _look(place, name, stills.get(name), rate)
        if isinstance(film, Film) and film.frames < frames:
            return (
                f"it has {film.frames} frames at {rate} a second, and clips have "
                f"{frames}"
            )
        return film

    return usable_of(listing, look, on_error, "video")


def read_film(
    path: Path,
    frame_shape: Shape | None = None,
    rate: int | None = None,
    channels: int = 3,
) -> Iterator[np.ndarray]:
    """The frames of a video, one at a time.

    Args:
        path: str or path of an MP4, GIF or WebP file, or of a folder of pictures.
        frame_shape: tuple (height, width, channels) that frames are resized and
            cropped to; by default as they are.
        rate: int, frames a second; by default the video's own.
        channels: int, 1 or 3, of frames as they are.

    Returns:
        Iterator of uint8 arrays `[height, width, channels]`.

    Raises:
        ValueError: naming the file, where it cannot be used.
    """
    place, name, film = _film_at(pathlib.Path(path), rate or 1)
    shape = frame_shape or (*film.size[::-1], channels)
    return _frames(place, name, film, 0, None, shape, rate or _own_rate(film))


def film_rate(path: Path) -> int:
    """A video's own frames a second, rounded; 10 of a folder of pictures.

    Raises:
        ValueError: naming the file, where it cannot be used.
    """
    *_, film = _film_at(pathlib.Path(path), 1)
    return _own_rate(film)


def _own_rate(film):
    return max(1, round(film.rate)) if film.rate else 10


def _film_at(path, rate):
    """The place of a video, its name there, and its `Film`."""
    if path.is_dir():
        place, name = _place(path), ""
        names = [name for name in place.walk() if _ending(name) in STILLS]
        names = tuple(sorted(names, key=by_number))
        if not names:
            raise ValueError(f"Cannot read {str(path)!r}: it holds no pictures.")
    else:
        if not path.exists():
            raise ValueError(f"There is no such video. Received: {str(path)!r}.")
        untrusted.check_extension(
            path, (*FILMS, *ANIMATED), "Videos are folders of pictures, or"
        )
        place, name, names = _place(path.absolute().parent), path.name, None
    film = _look(place, name, names, rate)
    if isinstance(film, str):
        raise ValueError(f"Cannot read {str(path)!r}: {film}.")
    return place, name, film


def clip_classes(source: Any) -> list[str]:
    """The names of the classes of clips: the subfolders of a source.

    Args:
        source: path of a folder or zip archive, as of `load_clips`.

    Returns:
        List of str, sorted.

    Raises:
        ValueError: there are no videos, or some lie in no subfolder.

    Example:

    ```python
    import pathlib

    from PIL import Image

    for name in ("cats", "dogs"):
        pathlib.Path("clips", name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(f"clips/{name}/1.gif")
    keras_gans.data.clip_classes("clips")  # ["cats", "dogs"]
    ```
    """
    if _is_toy(source):
        return list(MovingDigits.class_names)
    return _list(_place(source), True)[0].classes


@refuses_unknown
def describe_clips(
    source: Any,
    modality: Video,
    labels: bool = False,
    places: str = "random",
    on_error: str = "raise",
) -> Report:
    """What a training reads from a source of clips.

    Args:
        source: see `load_clips`.
        modality: `Video` of a clip.
        labels: bool.
        places: see `load_clips`.
        on_error: see `load_clips`.

    Returns:
        `Report`.

    Raises:
        ValueError: the source cannot be used, or an argument is out of its range.

    Example:

    ```python
    modality = keras_gans.Video(4, (8, 8, 1))
    report = keras_gans.data.describe_clips("digits", modality)
    ```
    """
    frames, rate = modality.frames, modality.rate
    height, width = modality.frame_shape[:2]
    if _is_toy(source):
        digits = MovingDigits(frames, modality.frame_shape)
        rows = [
            ("data", f"{source}: toy videos of two digits that move"),
            ("made", f"{digits.size} clips of {frames} frames of {height} x {width}"),
        ]
        return Report(rows, {}, [], None)
    usable = find_films(source, frames, rate, labels, on_error)
    films = usable.heads
    cutter = _Cutter(usable, frames, modality.frame_shape, rate, places)
    lengths = [film.frames for film in films]
    rows = [
        ("data", str(source)),
        ("used", f"{len(films)} of {usable.total} videos"),
        (
            "lengths",
            f"{sum(lengths):,} frames in all, from {min(lengths)} to {max(lengths)} a "
            f"video, at {rate} a second",
        ),
    ]
    left = [f"{path!r}: {why}" for path, why in usable.broken.items()]
    if usable.listing.others:
        left.append(f"of other kinds: {counted(usable.listing.others)}")
    if left:
        rows.append(("left out", "\n".join(left)))
    if usable.listing.classes:
        names = usable.listing.classes
        rows.append(("classes", f"{len(names)}: {', '.join(names)}"))
    others = sorted({round(f.rate, 2) for f in films if f.rate} - {float(rate)})
    if others:
        count = sum(bool(f.rate) and round(f.rate, 2) != rate for f in films)
        few = ", ".join(f"{r:g}" for r in others[:5]) + ", ..." * (len(others) > 5)
        rows.append(("rates", f"{count} videos of {few} a second, brought to {rate}"))
    whole = usable.listing.names
    if uneven := [n for n, f in zip(whole, films, strict=True) if f.uneven]:
        told = f"{len(uneven)} videos have frames of unlike durations, which they keep"
        few = ", ".join(map(repr, uneven[:3])) + ", ..." * (len(uneven) > 3)
        rows.append(("uneven", f"{told}: {few}"))
    sizes = sorted({film.size for film in films} - {(width, height)})
    if sizes:
        few = ", ".join(f"{w} x {h}" for w, h in sizes[:3]) + ", ..." * (len(sizes) > 3)
        rows.append(("resized", f"{few} (width x height) to {width} x {height}"))
    where = "anywhere in the videos" if places == "random" else "their beginnings"
    rows.append(("made", f"{cutter.size} clips of {frames} frames, {where}"))
    if any(film.names for film in films):
        named = zip(whole, films, strict=True)
        each = [n for name, film in named for n in (film.names or (name,))]
        files = usable._replace(listing=usable.listing._replace(names=each))
    else:
        files = usable
    return Report(rows, usable.broken, [files], digests([files]))


class _Cutter:
    """Cuts clips of videos; keeps none of them."""

    def __init__(self, usable, frames, frame_shape, rate, places):
        self.place, self.names = usable.listing.place, usable.listing.names
        self.films, self.frames, self.shape = usable.heads, frames, frame_shape
        self.rate, self.places = rate, places
        slots = [
            1 if places == "first" else film.frames // frames for film in self.films
        ]
        self.firsts = np.concatenate([[0], np.cumsum(slots)])
        self.size = int(self.firsts[-1])
        numbers = usable.listing.labels
        self.labels = None if numbers is None else np.repeat(numbers, slots)

    def read(self, index, place):
        """The clip of an example; `place` in [0, 1) within its part."""
        number = int(np.searchsorted(self.firsts, index, side="right") - 1)
        film, first = self.films[number], 0
        if self.places == "random":
            slots = int(self.firsts[number + 1] - self.firsts[number])
            slot = int(index - self.firsts[number])
            # Parts of equal length, the last frames among them.
            last = film.frames - self.frames
            low, high = (last * k // slots for k in (slot, slot + 1))
            first = low + int(float(place) * (high - low + 1))
            first = min(first, last)
        stream = _frames(
            self.place,
            self.names[number],
            film,
            first,
            self.frames,
            self.shape,
            self.rate,
        )
        clip = list(itertools.islice(stream, self.frames))
        if len(clip) < self.frames:
            raise ValueError(
                f"{self.place.path_of(self.names[number])!r} ended after "
                f"{first + len(clip)} frames, and {film.frames} were found in it "
                "before. Was it changed?"
            )
        return np.stack(clip)


# --- Files ---


def _is_toy(source):
    return isinstance(source, str) and source in TOYS


def _ending(name):
    return os.path.splitext(name)[1].lower()


def _place(source):
    if not isinstance(source, (str, os.PathLike)):
        raise ValueError(
            f"Clips are loaded from {ALLOWED}. Received: {kind(source)}. Arrays are "
            "given to a GAN as they are."
        )
    place = find_place(os.fspath(source))
    if place is None:
        raise missing_folder(os.fspath(source), TOYS, ALLOWED, "videos")
    return place


def _list(place, labels):
    """The listing of the videos of a place, and the pictures of each folder of them.

    A folder of pictures stands in the listing by its own path.
    """
    endings = (*FILMS, *ANIMATED)
    names = list(place.walk())
    if any(_ending(name) in endings for name in names):
        return list_files(place, labels, endings, "videos"), {}
    stills = {}
    for name in sorted(names, key=by_number):
        folder = os.path.dirname(name)
        if folder and _ending(name) in STILLS:
            stills.setdefault(folder, []).append(name)
    if not stills:
        if any(_ending(name) in STILLS for name in names):
            raise ValueError(
                f"Folder {place.path!r} holds pictures that lie in no subfolder. A "
                "folder of frames is one video: move them into a subfolder, one for "
                "each video."
            )
        return list_files(place, labels, endings, "videos"), {}
    listing = list_files(place, labels, STILLS, "frames")
    pairs = zip(listing.names, listing.labels or itertools.repeat(0), strict=False)
    of_folder = {os.path.dirname(name): number for name, number in pairs}
    folders = sorted(stills)
    numbers = [of_folder[f] for f in folders] if labels else None
    own = Listing(place, folders, numbers, listing.classes, listing.others)
    return own, {folder: tuple(frames) for folder, frames in stills.items()}


def _look(place, name, stills, rate):
    """`Film`, or why a video cannot be used."""
    try:
        if stills is not None:
            return Film(len(stills), _size_of(place, stills), 0.0, names=stills)
        place.version_of(name)
        if _ending(name) in FILMS:
            return _look_at_mp4(place, name, rate)
        with _animation(place, name) as image:
            durations = list(_durations(image))
            seconds = sum(durations) / 1000
            frames = video_files.check_length(seconds * rate)
            own = len(durations) / seconds
            uneven = len(set(durations)) > 1
            return Film(frames, image.size, own, uneven)
    except ImportError:
        raise
    except Exception as error:  # decoders raise every kind
        return reason(error)


def _size_of(place, stills):
    """(width, height) of the first frame of a folder, of which none is damaged."""
    sizes = []
    for name in stills:
        try:
            place.version_of(name)
            with place.open(name) as file:
                head, cut = decode_head_and_end(file)
            if cut:
                decode_image(place.read(name), 1)
        except Exception as error:
            told = f"its frame {os.path.basename(name)!r} cannot be read"
            raise ValueError(f"{told}: {reason(error)}") from error
        sizes.append(head.size[::-1])
    return sizes[0]


def _still(place, name, channels):
    """A frame of a folder, of 8 bits."""
    try:
        pixels = decode_image(place.read(name), channels)
    except Exception as error:  # decoders raise every kind
        path = place.path_of(name)
        raise ValueError(f"Cannot read frame {path!r}: {reason(error)}.") from error
    pixels = np.rint((pixels + 1) * 127.5).astype("uint8")
    return PillowImage.fromarray(pixels[..., 0] if channels == 1 else pixels)


def _animation(place, name):
    return video_files.opened(place.read(name), ("GIF", "WEBP", "PNG", "JPEG", "BMP"))


def _durations(image):
    """Milliseconds that players show each frame of an animation."""
    for duration in video_files.durations(image, 0):
        yield max(LEAST_DURATION, duration or 100)


def _look_at_mp4(place, name, rate):
    with _file(place, name) as path:
        size, _ = video_files.look_at(path, "mp4")
        count, seconds, uneven = video_files.times_of(path, "mp4")
    own = count / seconds if seconds else float(rate)
    return Film(video_files.check_length(count / own * rate), size, own, uneven)


@contextlib.contextmanager
def _file(place, name):
    """The path of a file; of a zip archive, that of a temporary copy."""
    if not isinstance(place, Archive):
        yield os.path.abspath(place.path_of(name))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"video{_ending(name)}"
        path.write_bytes(place.read(name))
        yield str(path)


def _frames(place, name, film, first, count, shape, rate):
    """Frames from `first` on, at a rate, as uint8 of a shape."""
    if film.names:
        for still in film.names[first:]:
            yield _fitted(_still(place, still, shape[-1]), shape)
    elif _ending(name) in FILMS:
        with _file(place, name) as path:
            yield from _mp4_frames(path, first, count, shape, rate)
    else:
        with _animation(place, name) as image:
            yield from _animated_frames(image, first, shape, rate)


def _animated_frames(image, first, shape, rate):
    number, shown, end = 0, 0.0, 0.0
    for duration in _durations(image):
        end += duration * rate / 1000
        fitted = None
        # Of the frames at the rate asked for, those that begin while it is shown.
        while shown < end - 1e-6:
            if number >= first:
                fitted = _fitted(image, shape) if fitted is None else fitted
                yield fitted
            number += 1
            shown += 1.0
    if number == 0:
        yield _fitted(image, shape)


def _fitted(image, shape):
    """A picture on white, resized and cropped to a shape."""
    height, width, channels = shape
    image = video_files.opaque(image, channels)
    if image.size != (width, height):
        filters = PillowImage.Resampling
        image = ImageOps.fit(image, (width, height), filters.LANCZOS)
    return np.asarray(image).reshape(shape)


def _mp4_frames(path, first, count, shape, rate):
    height, width, channels = shape
    fit = f"scale={width}:{height}:force_original_aspect_ratio=increase:flags=lanczos"
    pick = f"fps={rate},trim=start_frame={first}"
    filters = (pick, fit, f"crop={width}:{height}")
    return video_files.frames_of(path, "mp4", filters, count, channels)
