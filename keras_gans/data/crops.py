"""`load_crops`: photos as pairs of a small and a good crop, for super-resolution."""

from collections.abc import Callable
import os
import threading
from typing import Any

import numpy as np
import tensorflow as tf

from keras_gans.data.broken import Usable, check_files
from keras_gans.data.checks import (
    check_choice,
    check_image_size,
    check_integer,
    check_length,
    check_options,
    is_integer,
)
from keras_gans.data.decoding import list_images
from keras_gans.data.degradations import bicubic_pair, degrade
from keras_gans.data.domains import match_files
from keras_gans.data.embedded import emoji
from keras_gans.data.pipeline import batches_of_indices, seed_key
from keras_gans.data.places import find_place
from keras_gans.data.python_calls import python_call
from keras_gans.data.sources import Source, missing_folder
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.resizing import bicubic
from keras_gans.utils.types import Path, Size

DEGRADATIONS = ("bicubic", "real")
ROOM = 2**30  # bytes of photos that a data set keeps, 8 bits a value
MARGIN = 4  # pixels of the small picture that a crop's edges are made of
ALLOWED = '"emoji", or the path of a folder of photos or of a zip archive of them'
MOST_NAMED = 5


@refuses_unknown
def load_crops(
    source: Any,
    *,
    image_size: Size,
    scale: int,
    low: Path | None = None,
    degradation: str = "bicubic",
    batch_size: int = 16,
    crops_per_photo: int = 64,
    shrink: int = 1,
    tries: int = 1,
    flip: bool = True,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of (small, good) batches in [-1, 1].

    Each epoch shows `crops_per_photo` crops of every photo. Which photo, where,
    how it is turned and how it is degraded are functions of the seed, the epoch
    and the crop's number in it alone; epochs, `repeat` and `start` are those of
    `load`. Photos are decoded once and kept, up to a gigabyte of them.

    Args:
        source: the path of a folder of photos of any size, searched with its
            subfolders, or of a zip archive of them; `"emoji"`, the embedded
            pictures of 64 pixels, to try things out; or a list of uint8 arrays
            `[height, width, 3]`.
        image_size: pixels of the good crops, an integer or `(height, width)`,
            divisible by `scale`.
        scale: int of 2 or more, how many times smaller the small ones are.
        low: the path of a folder, or a zip archive, with the small pictures of
            all photos, matching by name (the extension aside); or a list of
            arrays. `None`: they are made of the photos.
        degradation: how small pictures are made: `"bicubic"`, as published
            tables have it (see `resizing.bicubic`; the crop is that of the whole
            photo made small); or `"real"`, the second-order model of
            Real-ESRGAN (see `degradations.degrade`).
        batch_size: pairs in a batch.
        crops_per_photo: crops of each photo in an epoch.
        shrink: how many times smaller the photos are made first: 2 takes away
            what a JPEG file did to them.
        tries: places drawn for each crop, of which the one with most contrast is
            taken: photos hold much sky.
        flip: whether crops are mirrored and turned by quarters, each of the
            eight ways as often (of crops that are not square, four).
        shuffle: whether each epoch has an order of its own.
        seed: a non-negative integer.
        drop_remainder: whether to leave out the last batch of an epoch if it is
            short.
        repeat: whether the dataset is endless.
        start: batches already consumed. With `repeat=False`, whole epochs.
        on_error: see `load`.

    Returns:
        A dataset of tuples of float32 `[batch_size, height / scale, width /
        scale, 3]` and `[batch_size, height, width, 3]`.

    Raises:
        ValueError: an argument is unusable, photos are smaller than a crop
            (they are named), have no small picture or one of another size, or
            cannot be read.

    Example:

    ```python
    from keras_gans.data import load_crops

    rng = np.random.default_rng(0)
    photos = [rng.integers(0, 256, (80, 100, 3), "uint8")]
    pairs = load_crops(photos, image_size=48, scale=4, batch_size=4)
    small, good = next(iter(pairs))
    print(len(pairs), small.shape, good.shape)  # 16 (4, 12, 12, 3) (4, 48, 48, 3)
    ```
    """
    size = _check(image_size, scale, degradation, low, shrink)
    batching = check_options(batch_size, drop_remainder, repeat, start, seed, on_error)
    check_integer("crops_per_photo", crops_per_photo, 1)
    check_integer("tries", tries, 1)
    photos = find_photos(source, low, size, scale, shrink, on_error)
    length = photos.size * crops_per_photo
    crops = "crops, `crops_per_photo` of each photo"
    check_length(photos.name, length, batching, crops)

    def make(epoch, index):
        words = (seed, int(epoch), int(index))
        good, small = photos.read(int(index) % photos.size)
        rng = np.random.default_rng((*words, 0))
        place = _place(good, size, scale if small is not None else 1, tries, rng)
        if small is not None:
            pair = _cut(small, [s // scale for s in place], _small(size, scale)) / 255
        elif degradation == "bicubic":
            pair = _small_of(good, place, size, scale)
        else:
            crop = _cut(good, place, size) / 255
            pair = degrade(crop, scale, np.random.default_rng((*words, 1)))
        crops = [pair, _cut(good, place, size) / 255]
        if flip:
            way = rng.integers(8 if size[0] == size[1] else 4)
            crops = [_turned(x, way) for x in crops]
        return [np.ascontiguousarray(2 * x - 1, "float32") for x in crops]

    def prepare(epoch, index):
        small, good = python_call(make, [epoch, index], [tf.float32, tf.float32])
        small.set_shape((*_small(size, scale), 3))
        good.set_shape((*size, 3))
        return small, good

    return batches_of_indices(length, prepare, batching, seed_key(seed), shuffle)


def find_photos(
    source: Any,
    low: Any,
    size: tuple[int, int],
    scale: int,
    shrink: int = 1,
    on_error: str = "raise",
) -> Source:
    """The photos that the argument of `load_crops` means.

    Args:
        source: see `load_crops`.
        low: see `load_crops`.
        size: tuple (height, width) of a crop.
        scale: int.
        shrink: int, see `load_crops`.
        on_error: "raise", or "skip" to leave out broken files.

    Returns:
        `Source`, whose `read` gives the uint8 photo of a number and its small
        picture, or `None`.

    Raises:
        ValueError: photos are smaller than a crop, or do not fit their small
            pictures.
    """
    sets, name = [_opened(source, on_error)], _called(source)
    if low is not None:
        sets.append(_opened(low, on_error))
    if all(isinstance(one, Usable) for one in sets) and low is not None:
        sets = list(match_files(*sets, same_size=False))
    if len({_count(one) for one in sets}) > 1:
        raise ValueError(
            "There is one small picture for each photo. Received: "
            f"{_count(sets[0])} photos, {_count(sets[1])} small pictures."
        )
    sizes = [_sizes(one) for one in sets]
    small = [
        f"{label} of {h} x {w}"
        for label, (h, w) in zip(_labels(sets[0]), sizes[0], strict=True)
        if h // shrink < size[0] or w // shrink < size[1]
    ]
    if small:
        named = "; ".join(small[:MOST_NAMED])
        more = "; ..." * (len(small) > MOST_NAMED)
        first = f" after `shrink={shrink}`" if shrink > 1 else ""
        raise ValueError(
            f"A photo has at least the height and width of a crop, {size[0]} x "
            f"{size[1]} pixels{first}. Received: {len(small)} smaller ones: {named}"
            f"{more}. Leave them out, or lower `image_size` (--image_shape)."
        )
    if low is not None:
        _check_pairs(_labels(sets[0]), *sizes, scale)
    read = _keeping([_reader(one) for one in sets], shrink)
    files = [one for one in sets if isinstance(one, Usable)]
    shape = (None, None, 3)
    return Source(name, _count(sets[0]), shape, None, read, files=files)


def _check(image_size, scale, degradation, low, shrink):
    check_choice("degradation", degradation, DEGRADATIONS)
    if not is_integer(scale, 2):
        raise ValueError(f"scale is an integer of 2 or more. Received: scale={scale!r}")
    if not is_integer(shrink, 1) or (low is not None and shrink != 1):
        raise ValueError(
            "`shrink` is an integer of 1 or more, and 1 with `low`: small pictures "
            f"are those of the photos as they are. Received: shrink={shrink!r}"
        )
    size = check_image_size(image_size)
    if size is None or any(side % scale for side in size):
        raise ValueError(
            f"The height and width of a crop are multiples of scale={scale}. "
            f"Received: a size of {image_size!r}"
        )
    return size


# --- Photos ---


def _opened(source, on_error):
    """`Usable` files, or a list of arrays."""
    if isinstance(source, str) and source == "emoji":
        return list(emoji("3d").images)
    if isinstance(source, (str, os.PathLike)):
        place = find_place(os.fspath(source))
        if place is None:
            raise missing_folder(os.fspath(source), ("emoji",), ALLOWED)
        return check_files(list_images(place, labels=False), 3, on_error)
    photos = list(source) if isinstance(source, (list, tuple)) else None
    if not photos or not all(
        isinstance(x, np.ndarray)
        and x.dtype == np.uint8
        and x.ndim == 3
        and x.shape[2] == 3
        for x in photos
    ):
        raise ValueError(
            "Photos are a folder, a zip archive, or a list of uint8 arrays [height, "
            f"width, 3]. Received: {type(source).__name__}."
        )
    return photos


def _called(source):
    if isinstance(source, (str, os.PathLike)):
        return f"folder {os.fspath(source)!r}"
    return "list of photos"


def _count(photos):
    return len(photos.heads) if isinstance(photos, Usable) else len(photos)


def _labels(photos):
    if isinstance(photos, Usable):
        return photos.listing.paths
    return [f"photo {i}" for i in range(len(photos))]


def _sizes(photos):
    if isinstance(photos, Usable):
        return [head.size for head in photos.heads]
    return [photo.shape[:2] for photo in photos]


def _check_pairs(labels, good, small, scale):
    for label, (h, w), (a, b) in zip(labels, good, small, strict=True):
        if (a * scale, b * scale) != (h, w):
            raise ValueError(
                f"A small picture is {scale} times smaller than its photo. Received: "
                f"{label} of {h} x {w} and a small one of {a} x {b} pixels. Crop the "
                f"photo to multiples of {scale}, or change the scale."
            )


def _reader(photos):
    """A function from the number of a photo to a uint8 array."""
    if not isinstance(photos, Usable):
        return lambda i: photos[i]
    return lambda i: np.round((photos.listing.read(i, 3) + 1) * 127.5).astype("uint8")


def _keeping(readers, shrink) -> Callable:
    """Reads photos once, as long as there is room."""
    kept, lock, used = {}, threading.Lock(), [0]

    def read(i):
        pair = kept.get(i)
        if pair is not None:
            return pair
        with lock:  # not twice at once: photos are large
            if i in kept:
                return kept[i]
            photos = [one(i) for one in readers]
            if shrink > 1:
                h, w = (side // shrink * shrink for side in photos[0].shape[:2])
                smaller = bicubic(photos[0][:h, :w], 1 / shrink)
                photos[0] = np.round(np.clip(smaller, 0, 255)).astype("uint8")
            pair = photos[0], photos[1] if len(photos) > 1 else None
            size = sum(x.nbytes for x in photos)
            if used[0] + size <= ROOM:
                kept[i], used[0] = pair, used[0] + size
        return pair

    return read


# --- Crops ---


def _small(size, scale):
    return tuple(side // scale for side in size)


def _place(photo, size, step, tries, rng):
    """The upper left corner of a crop, a multiple of `step`."""
    free = [
        (n - side) // step + 1 for n, side in zip(photo.shape[:2], size, strict=True)
    ]
    places = [[step * int(rng.integers(n)) for n in free] for _ in range(tries)]
    if tries == 1:
        return places[0]
    # Green alone, every other pixel: it only has to tell sky from leaves.
    return max(places, key=lambda at: _cut(photo, at, size)[::2, ::2, 1].std())


def _cut(photo, place, size):
    y, x = place
    return photo[y : y + size[0], x : x + size[1]]


def _small_of(photo, place, size, scale):
    """The crop of the photo made small, from the pixels that it depends on."""
    starts = [min(MARGIN, at // scale) for at in place]
    ends = [
        min(MARGIN * scale, n - at - side)
        for n, at, side in zip(photo.shape[:2], place, size, strict=True)
    ]
    at = [p - scale * start for p, start in zip(place, starts, strict=True)]
    around = [
        side + scale * start + end // scale * scale
        for side, start, end in zip(size, starts, ends, strict=True)
    ]
    small = bicubic_pair(_cut(photo, at, around) / 255, scale)
    return _cut(small, starts, _small(size, scale))


def _turned(image, way):
    image = image[:, ::-1] if way & 1 else image
    image = image[::-1] if way & 2 else image
    return image.transpose(1, 0, 2) if way & 4 else image
