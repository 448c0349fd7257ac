"""What applications share: data sets of pairs, and images at the door."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple
import warnings

import keras
from keras import ops
import numpy as np

from keras_gans.modalities.image import Image, check_images
from keras_gans.models.pix2pix import Pix2Pix
from keras_gans.utils.types import Size, Tensor
from keras_gans.utils.validation import check_seed, is_int, within

if TYPE_CHECKING:
    import tensorflow as tf


AUTOTUNE = -1  # of tf.data


class Work(NamedTuple):
    """How the pictures of files are translated.

    Attributes:
        takes: int, channels that the pictures are read with.
        makes: int, channels of what is made.
        make: function of float pixels `[height, width, takes]` in [-1, 1] and
            the place of the file, a path without an extension, that gives
            `[height, width, makes]`.
    """

    takes: int
    makes: int
    make: Callable


def load_paired(
    application: Any,
    gan: Pix2Pix,
    source: Any,
    channels: int,
    seed: int,
    start: int,
    **options,
) -> "tf.data.Dataset":
    """Loads images and maps them to the pairs of an application.

    Args:
        application: it has `pairs`.
        gan: `BaseGAN`, whose image size is loaded.
        source: see `keras_gans.data.load`.
        channels: int, of the images.
        seed: int, of `load` and `pairs`.
        start: int, of `load` and `pairs`.
        **options: other arguments of `load`.
    """
    from keras_gans import data

    dataset = data.load(
        source,
        image_size=gan.image_shape[:2],
        channels=channels,
        seed=seed,
        start=start,
        **options,
    )
    return application.pairs(dataset, seed, start)


def paired(
    dataset: "tf.data.Dataset",
    pair: Callable,
    channels: int | None = None,
    seed: int = 0,
    start: int = 0,
) -> "tf.data.Dataset":
    """Maps a data set of images to one of pairs (source, target).

    Args:
        dataset: `tf.data.Dataset` of float `[n, height, width, channels]` in
            [-1, 1].
        pair: function of (seed, step, images) that returns (source, target);
            `step` is the number of the batch.
        channels: int that the images must have; `None` takes any number.
        seed: int in [0, 2**31).
        start: int, the batches of the endless data set that were consumed. Of
            one that ends, whole passes: each pass begins at step 0.

    Returns:
        `tf.data.Dataset` of tuples of two float32 batches.

    Raises:
        ValueError: the data set yields something else, or an argument is out
            of its range.
    """
    # Only who has a data set needs TensorFlow.
    import tensorflow as tf

    spec = _check_dataset(dataset, channels)
    check_seed(seed)
    within("start", start, is_int(start) and start >= 0, "0, 1, ...")
    length = int(dataset.cardinality())
    if length > 0:
        if start % length:
            raise ValueError(
                f"A data set that ends starts at a pass of its {length} "
                f"batches. Received: start={start}. Make it endless, as by "
                "`keras_gans.data.load(..., repeat=True, start=start)`."
            )
        start = 0

    def fn(step, images):
        return tuple(pair(seed, step, images))

    if keras.backend.backend() == "tensorflow":
        # There is nothing to convert, which would take seconds.
        fn = tf.autograph.experimental.do_not_convert(fn)
    else:
        fn = _in_python(fn, spec)
    dataset = dataset.enumerate(start)
    dataset = dataset.map(fn, num_parallel_calls=AUTOTUNE, deterministic=True)
    return dataset.prefetch(AUTOTUNE)


def _in_python(fn, spec):
    """`fn` for `tf.data`, where Keras does not compute by TensorFlow."""
    import tensorflow as tf

    from keras_gans.data.python_calls import python_call

    def arrays(step, images):
        return [as_array(x) for x in fn(int(step), images)]

    def call(step, images):
        pair = python_call(arrays, [step, images], ["float32"] * 2)
        # (A Python function does not tell how many channels it makes.)
        return tuple(tf.ensure_shape(x, (*spec.shape[:3], None)) for x in pair)

    return call


def _check_dataset(dataset, channels):
    try:
        spec = dataset.element_spec
    except AttributeError:
        raise ValueError(
            "Pairs are made of a tf.data.Dataset of images. Received: "
            f"{type(dataset).__name__}. Load one by `keras_gans.data.load`, or "
            "make one pair of arrays by `pair`."
        ) from None
    if isinstance(spec, (tuple, list, dict)):
        raise ValueError(
            f"The data set yields more than images. Received: {spec}. Load it "
            "without labels, or `dataset.map` it to its images."
        )
    wanted = "any" if channels is None else channels
    if spec.shape.rank != 4 or not spec.dtype.is_floating:
        fits = False
    else:
        fits = spec.shape[-1] is not None and channels in (None, spec.shape[-1])
    if not fits:
        raise ValueError(
            "The data set must yield float batches [n, height, width, "
            f"channels] in [-1, 1], of a known number of channels ({wanted}). "
            f"Received: {spec.dtype.name} of shape {spec.shape}. Load it by "
            "`keras_gans.data.load`."
        )
    return spec


def check_pictures(
    images: np.ndarray, channels: tuple[int, ...] | None = None
) -> np.ndarray:
    """Returns images as an array `[n, height, width, channels]`.

    Args:
        images: array, float in [-1, 1].
        channels: tuple of ints that they may have; `None` takes any number.

    Raises:
        ValueError: they are something else.
    """
    images = np.asarray(images)
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(
            "Images are an array [n, height, width, channels], none of them "
            f"0. Received: shape {images.shape}. {Image.remedy_of_rank(images.shape)}"
        )
    if channels is not None and images.shape[-1] not in channels:
        raise ValueError(
            f"The images must have {' or '.join(map(str, channels))} channels. "
            f"Received: shape {images.shape}. Convert them, as "
            "`keras_gans.data.load(..., channels=...)` does."
        )
    return check_images(images, images.shape[1:])


def check_translator(gan: Pix2Pix, source: int, target: int, what: str) -> None:
    """Checks the channels that a GAN takes and makes.

    Args:
        gan: `Pix2Pix`.
        source: int, channels that it has to take.
        target: int, channels that it has to make.
        what: str, what they are.

    Raises:
        ValueError: they are others.
    """
    has = (gan.source_shape[-1], gan.image_shape[-1])
    if has != (source, target):
        shape = (*gan.image_shape[:2], target)
        raise ValueError(
            f"{what}. Received: a GAN from {has[0]} to {has[1]} channels. Build it "
            f"with image_shape={shape} and source_channels={source}."
        )


def translated(
    gan: Pix2Pix, sources: np.ndarray, seed: int, evaluation: bool | None
) -> np.ndarray:
    """`gan.translate` of sources that this package has made."""
    with warnings.catch_warnings():
        # Bright ones lie in [0, 1] as they should.
        warnings.filterwarnings("ignore", "All images of the first batch")
        return gan.translate(sources, seed=seed, evaluation=evaluation)


def working_size(size: Size | None, sides: tuple[int, int]) -> tuple[int, int]:
    """(height, width) for the network, of images of `sides`.

    Args:
        size: `None`, the images as they are; an int, the pixels of the shorter
            side; or (height, width).
        sides: tuple (height, width).

    Raises:
        ValueError: `size` is something else.
    """
    if size is None:
        return sides
    if is_int(size):
        within("size", size, size > 0, "1, 2, ...")
        return tuple(max(1, round(s * size / min(sides))) for s in sides)
    ok = (
        isinstance(size, (tuple, list))
        and len(size) == 2
        and all(is_int(side) and side > 0 for side in size)
    )
    if not ok:
        raise ValueError(
            "`size` is None, a positive int or (height, width). Received: "
            f"size={size!r}."
        )
    return tuple(size)


def resized(images: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Images `[n, height, width, channels]` at (height, width), antialiased."""
    if images.shape[1:3] == tuple(size):
        return images
    resized = ops.image.resize(
        images,
        size,
        interpolation="bilinear",
        antialias=True,
        data_format="channels_last",
    )
    return as_array(resized)


def as_array(x: Tensor) -> np.ndarray:
    """A tensor of any backend as a numpy array."""
    return np.asarray(ops.convert_to_numpy(x))
