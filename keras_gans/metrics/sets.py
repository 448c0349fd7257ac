"""Sets of images to score: arrays, batches, folders, data sets and GANs.

Whatever they come as, networks see 8 bits a channel in colour: the pixels that
a PNG would hold. So a set has the same score in memory and as files.
"""

import collections.abc
import os
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from keras import ops
import numpy as np

from keras_gans.utils.validation import is_number

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN

UNIT = (-1.0, 1.0)  # what generators make, and `data.load` gives
SETS = (
    "an array [n, height, width, channels], a tuple (array, labels), an "
    "iterable of such batches (a tf.data.Dataset), the path of a folder, a "
    'name that `keras_gans.data.load` knows ("emoji", "tfds:NAME"), or a GAN'
)


class ImageSet(NamedTuple):
    """Images to score.

    Args:
        role: str, "real" or "fake", as messages call it.
        name: str, where they are from.
        count: int, how many; `None` if not known before the end.
        batches: function that gives an iterator of `(images, labels, place)`:
            a list of uint8 `[height, width, 3]`, an int array or `None`, and
            a function that says where image i of them is.
        drawn: bool, whether they are samples of a GAN, never twice the same.
    """

    role: str
    name: str
    count: int | None
    batches: Any
    drawn: bool = False


def of_gan(
    gan: "BaseGAN", n: int, seed: int, labels: np.ndarray | None = None
) -> ImageSet:
    """The samples of a GAN: `gan.sample(n, seed)`, in the memory of a batch.

    Args:
        gan: `BaseGAN` of images.
        n: int.
        seed: int.
        labels: ints `[n]` for a conditional GAN; by default `i % num_classes`.

    Returns:
        `ImageSet`.

    Raises:
        ValueError: the GAN makes no images of 1 or 3 channels.
    """
    check_gan(gan)
    given = {} if labels is None else {"labels": labels}
    drawn = gan.sample_batches(n, seed=seed, **given)

    def batches():
        start = 0
        for batch in drawn:
            yield _batch(batch, "fake", UNIT, start)
            start += len(batch)

    step = int(ops.convert_to_numpy(gan.step))
    name = f"{type(gan).__name__}, step {step}"
    return ImageSet("fake", name, n, batches, drawn=True)


def of_images(
    images: Any,
    role: str,
    value_range: tuple[float, float] | None = None,
    n: int | None = None,
    on_error: str = "raise",
) -> ImageSet:
    """Images that stand somewhere, as an `ImageSet`.

    Args:
        images: array, tuple, iterable of batches, or path of a folder.
        role: str, "real" or "fake".
        value_range: tuple `(lo, hi)` of float images; [-1, 1] by default, and
            then images that all lie in [0, 1] are refused.
        n: int, take the first so many only.
        on_error: "raise", or "skip" to leave out files that cannot be read.

    Returns:
        `ImageSet`.

    Raises:
        ValueError: it is none of these, or holds no images.
    """
    if isinstance(images, (str, os.PathLike)):
        return _of_folder(os.fspath(images), role, n, on_error)
    value_range = _check_range(value_range)
    if ops.is_tensor(images):
        images = ops.convert_to_numpy(images)
    if isinstance(images, tuple) and len(images) == 2:
        array, labels = (np.asarray(x) for x in images)
        if array.ndim == 4 and labels.shape != array.shape[:1]:
            raise ValueError(
                f"`{role}` as a tuple is (images, labels), an int for each "
                f"image. Received: images of shape {array.shape}, labels of "
                f"{labels.shape}."
            )
        return _of_array(array, labels, role, value_range, n)
    if isinstance(images, np.ndarray):
        return _of_array(images, None, role, value_range, n)
    if isinstance(images, collections.abc.Iterable):
        return _of_batches(images, role, value_range, n)
    raise ValueError(f"`{role}` must be {SETS}. Received: {type(images).__name__}.")


def _of_array(array, labels, role, value_range, n):
    _check_shape(array, role)
    _check_enough(len(array), n, role)
    array = array[:n]

    def batches():
        for i in range(0, len(array), 64):
            some = None if labels is None else labels[i : i + 64]
            yield (array[i : i + 64], some)

    return ImageSet(
        role, "array", len(array), lambda: _checked(batches(), role, value_range, None)
    )


def _of_batches(images, role, value_range, n):
    if n is None and _is_endless(images):
        raise ValueError(
            f"`{role}` never ends. Received: an infinite data set. Take one "
            "pass of it: `dataset.take(batches)`, or repeat=False in "
            "`keras_gans.data.load`."
        )
    batches = (_pair(element) for element in images)
    return ImageSet(role, "batches", n, lambda: _checked(batches, role, value_range, n))


def _is_endless(images):
    tf = sys.modules.get("tensorflow")  # without it there is no tf.data
    if tf is None or not isinstance(images, tf.data.Dataset):
        return False
    return bool(images.cardinality() == tf.data.INFINITE_CARDINALITY)


def _pair(element):
    """The images and labels of a batch; `None` where it has no labels."""
    if not isinstance(element, (tuple, list)):
        return element, None
    labels = np.asarray(element[1]) if len(element) > 1 else None
    if labels is not None and labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    is_one = labels is not None and labels.ndim == 1 and labels.dtype.kind in "iu"
    return element[0], labels if is_one else None  # or masks, or targets


def _checked(batches, role, value_range, n):
    """Canonical batches of raw ones, the first `n` images of them."""
    start, darkest = 0, np.inf
    for images, labels in batches:
        images = np.asarray(images)
        _check_shape(images, role)
        if n is not None:
            images = images[: n - start]
            labels = None if labels is None else labels[: n - start]
        if images.dtype.kind == "f":
            darkest = min(darkest, float(images.min()))
        yield _batch(images, role, value_range or UNIT, start, labels)
        start += len(images)
        if start == n:
            break
    _check_enough(start, n, role)
    if value_range is None and 0 <= darkest < np.inf:
        raise ValueError(
            f"The float images of `{role}` all lie in [0, 1], while [-1, 1] is "
            "expected. Received: a darkest pixel of "
            f"{darkest:.4g}. Pass value_range=(0, 1), or value_range=(-1, 1) "
            "if they are that bright."
        )


def _of_folder(folder, role, n, on_error):
    from keras_gans.data.broken import check_files
    from keras_gans.data.decoding import list_images
    from keras_gans.data.places import find_place

    place = find_place(folder)
    if place is None:
        raise ValueError(
            f"`{role}` must be {SETS}. Received: {folder!r}, which is no folder."
        )
    files = list_images(place, labels=False)
    listing = check_files(files, 3, on_error).listing
    paths = listing.paths
    _check_enough(len(paths), n, f"{role} ({folder})")
    paths = paths[:n]

    def batches():
        for i, path in enumerate(paths):
            # Alpha is laid on white, grey becomes colour.
            image = _to_bytes(listing.read(i, 3), UNIT)
            yield [image], None, lambda i, path=path: path

    name = os.path.basename(os.path.normpath(folder)) or folder
    return ImageSet(role, f"folder {name}", len(paths), batches)


# --- Pixels ---


def _batch(images, role, value_range, start, labels=None):
    """One canonical batch of an array of images."""

    def place(i):
        return f"image {start + i}"

    if images.dtype.kind == "f":
        _check_floats(images, role, value_range, place)
        pixels = _to_bytes(images, value_range)
    elif images.dtype == np.uint16:
        pixels = np.rint(images / 257.0).astype(np.uint8)
    elif images.dtype == np.uint8:
        pixels = images
    else:
        raise ValueError(
            f"The images of `{role}` must be uint8, uint16 or floats. "
            f"Received: dtype {images.dtype}. Convert them, e.g. by "
            '`.astype("uint8")`.'
        )
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    return list(pixels), labels, place


def _to_bytes(images, value_range):
    lo, hi = value_range
    images = np.asarray(images, np.float64)
    return np.rint((images - lo) * (255 / (hi - lo))).astype(np.uint8)


def _check_floats(images, role, value_range, place):
    lo, hi = value_range
    low = images.min(axis=(1, 2, 3)).astype(np.float64)
    high = images.max(axis=(1, 2, 3)).astype(np.float64)
    slack = 1e-4 * (hi - lo)  # rounding, of half precision too
    bad = ~((low >= lo - slack) & (high <= hi + slack))  # NaN is bad, too
    if not bad.any():
        return
    i = int(bad.argmax())
    if not np.isfinite(images[i]).all():
        raise ValueError(
            f"The images of `{role}` must be finite. Received: NaN or infinity "
            f"in {place(i)}. Leave it out, or look at what made it."
        )
    raise ValueError(
        f"The float images of `{role}` must lie in [{lo:g}, {hi:g}]. Received: "
        f"{place(i)} with values from {low[i]:.4g} to {high[i]:.4g}. Pass the "
        "range they have, e.g. value_range=(0, 255), or uint8 images."
    )


# --- Bad input ---


# What scores samples of other kinds, in Python.
SCORES = {"volume": "volume_scores", "video": "video_scores"}


def check_gan(gan: "BaseGAN") -> None:
    """Checks that feature networks can see a GAN's images.

    Raises:
        ValueError: they cannot.
    """
    shape = gan.modality.shape
    if gan.modality.kind == "series":
        raise ValueError(
            "Feature networks see images. Received: samples of "
            f"{type(gan).__name__}, series of shape {shape}. Judge them by a "
            "classifier of yours that is trained on samples and tested on real series."
        )
    gan.sample_batches(1)  # a GAN of other inputs says so
    if len(shape) != 3 or shape[2] not in (1, 3):
        own = SCORES.get(gan.modality.kind)
        remedy = "Turn its samples into such images and pass them as an array."
        if own is not None:
            remedy = f"Score them by `keras_gans.metrics.{own}` (in Python)."
        raise ValueError(
            "Feature networks see images of 1 or 3 channels. Received: samples of "
            f"{type(gan).__name__}, of shape {shape}. {remedy}"
        )


def _check_range(value_range):
    ok = value_range is None or (
        isinstance(value_range, (tuple, list))
        and len(value_range) == 2
        and all(map(is_number, value_range))
        and value_range[0] < value_range[1]
    )
    if not ok:
        raise ValueError(
            "`value_range` is (lo, hi), what black and white are in float "
            f"images. Received: {value_range!r}."
        )
    return value_range


def _check_shape(images, role):
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(
            f"`{role}` must hold images [n, height, width, channels], none of "
            f"them 0. Received: shape {images.shape}. Grey images without "
            "channels are `images[..., None]`, a single one is `image[None]`."
        )
    if images.shape[-1] not in (1, 3):
        raise ValueError(
            f"The images of `{role}` must have 1 or 3 channels, grey or RGB. "
            f"Received: {images.shape[-1]} channels. Lay transparent ones on "
            "a background first; `keras_gans.data.load(..., channels=3)` and "
            "folders lay them on white."
        )


def _check_enough(count, n, role):
    if count == 0:
        raise ValueError(f"`{role}` holds no images.")
    if n is not None and count < n:
        raise ValueError(
            f"`{role}` holds {count} images. Received: {n} wanted of them. Lower "
            f"`{'reals' if role == 'real' else 'n'}`, or leave it out."
        )
