"""Where examples come from: arrays, folders, tensorflow-datasets.

A `Source` says how many examples there are, gives them in the order of any
epoch, and reads one of them. It neither resizes nor batches.
"""

from collections.abc import Callable, Iterable, Sequence
import os
from typing import Any, NamedTuple
import warnings

import numpy as np
import tensorflow as tf

from keras_gans.data.broken import Usable, check_files, parallel_reads
from keras_gans.data.decoding import list_images
from keras_gans.data.embedded import STYLES, emoji
from keras_gans.data.pipeline import shuffled_range, shuffled_stream
from keras_gans.data.places import Folder, find_place
from keras_gans.data.python_calls import python_call
from keras_gans.utils.errors import outside
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.suggestions import did_you_mean, hint, nearest
from keras_gans.utils.types import Path

ALLOWED = (
    '"emoji", "emoji:flat", "emoji:line", "tfds:NAME" (tensorflow-datasets), or '
    "the path of a folder or zip archive of images (or a `numpy.ndarray`, or a "
    "tuple `(array, labels)`)"
)
EMOJI = ("emoji", *(f"emoji:{style}" for style in STYLES))
SHUFFLE_BUFFER = 10_000


class Source(NamedTuple):
    """Examples of one kind, before any preparation.

    Args:
        name: how error messages call it.
        size: examples of one pass.
        shape: `(height, width, channels)` of an image as read; `None` for
            what differs between images. Of pairs, `(height, width, channels
            of A, channels of B)`.
        examples: function `(order, first)` of an order's seed (`None`: as
            they come) and of how many examples to skip; returns a dataset of
            `(index, item)`.
        read: function of an item; returns the image, of dtype uint8, uint16
            or float32 in [-1, 1], and its int32 label (`None` if not asked).
            Of pairs, the image of A and that of B.
        classes: the names of the classes; `None` where they have none.
        files: list of the `Usable` files that it reads: those of A and of B of
            pairs, or the one of pictures that show both.
        parallel: how many examples may be read at once; `None`: any number.
        labels: int array, the class of every example; `None` where it is not
            known before it is read.
    """

    name: str
    size: int
    shape: tuple
    examples: Any
    read: Any
    classes: list[str] | None = None
    files: Sequence[Usable] = ()
    parallel: int | None = None
    labels: np.ndarray | None = None


def array_source(name: str, images: np.ndarray, labels: np.ndarray | None) -> Source:
    """Returns the source of an array and its labels (`None`: no labels)."""
    images = _check_images(name, images)
    size, *shape = images.shape
    # Kept in the host's memory: pipelines run there, and an accelerator has
    # better use for its own.
    with tf.device("CPU"):
        images = tf.constant(images)
        if labels is not None:
            known = _check_labels(name, labels, size)
            labels = tf.constant(known)

    def read(index):
        image = tf.gather(images, index)
        return image, None if labels is None else tf.gather(labels, index)

    source = Source(name, size, tuple(shape), range_examples(size), read)
    return source if labels is None else source._replace(labels=known)


def emoji_source(source: str, labels: bool) -> Source:
    """Returns the source of an embedded set, named as `"emoji:flat"`."""
    if source not in EMOJI:
        raise unknown(source, EMOJI, ALLOWED)
    data = emoji(source.partition(":")[2] or "3d")
    pictures = array_source(source, data.images, data.labels if labels else None)
    return pictures._replace(classes=data.label_names)


def folder_source(
    place: Folder, channels: int | None, labels: bool, on_error: str
) -> Source:
    """Returns the source of a folder, or a zip archive, of image files."""
    folder = place.path
    if channels is None:
        raise ValueError(
            "The images of a folder may differ in channels. Pass channels=1, "
            f"2, 3 or 4. Received: channels=None for folder {folder!r}"
        )
    usable = check_files(list_images(place, labels), channels, on_error)
    listing, size = usable.listing, len(usable.heads)
    with tf.device("CPU"):
        numbers = tf.constant(listing.labels, "int32") if labels else None

    def read(index):
        call = python_call(lambda i: listing.read(i, channels), [index], tf.float32)
        call.set_shape((None, None, channels))
        return call, tf.gather(numbers, index) if labels else None

    return Source(
        f"folder {folder!r}",
        size,
        (None, None, channels),
        range_examples(size),
        read,
        listing.classes,
        [usable],
        parallel_reads(usable.memory(channels)),
        None if listing.labels is None else np.asarray(listing.labels),
    )


def tfds_source(source: str, split: str, data_dir: Path | None, labels: bool) -> Source:
    """Returns the source of a tensorflow-datasets name, `"tfds:mnist"`."""
    builder, features = open_tfds(source, data_dir, ALLOWED)
    image = _tfds_image(source, features, labels)
    others = ["label"] if labels else []
    size, examples = prepare_tfds(builder, split, ["image"], others)

    def read(item):
        label = tf.cast(item["label"], "int32") if labels else None
        return image.decode_example(item["image"]), label

    classes = features["label"].names if labels else None
    return Source(source, size, tuple(image.shape), examples, read, classes)


def open_tfds(source: str, data_dir: Path | None, allowed: str) -> tuple[Any, dict]:
    """Returns the builder and the features of a tensorflow-datasets name.

    Args:
        source: str, `"tfds:NAME"`.
        data_dir: where tensorflow-datasets keeps its data.
        allowed: str, the sources that an error message offers.

    Raises:
        ValueError: there is no such set.
    """
    import tensorflow_datasets as tfds

    name = source.removeprefix("tfds:")
    if not name:
        raise unknown(source, [], allowed)
    try:
        builder = tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        known = [f"tfds:{name}" for name in tfds.list_builders()]
        raise unknown(source, known, allowed) from error
    features = builder.info.features
    is_dict = isinstance(features, tfds.features.FeaturesDict)
    return builder, dict(features.items()) if is_dict else {}


def prepare_tfds(
    builder: Any, split: str, images: Sequence[str], others: Sequence[str] = ()
) -> tuple[int, Callable]:
    """Prepares a set of tensorflow-datasets, downloading it where needed.

    Args:
        builder: from `open_tfds`.
        split: str.
        images: names of features that are left encoded.
        others: names of other features.

    Returns:
        `(size, examples)` of a `Source`; its items are dicts.
    """
    import tensorflow_datasets as tfds

    builder.download_and_prepare()
    size = builder.info.splits[split].num_examples
    # Kept encoded until they are read: a shuffle buffer of decoded photos
    # would take gigabytes, and what is skipped need not be decoded.
    stream = builder.as_dataset(
        split=split,
        shuffle_files=False,
        decoders=tfds.decode.PartialDecoding(
            dict.fromkeys([*images, *others], True),
            decoders=dict.fromkeys(images, tfds.decode.SkipDecoding()),
        ),
        read_config=tfds.ReadConfig(try_autocache=False),
    )

    def examples(order, first):
        numbered = stream.enumerate()
        if order is not None:
            buffer = min(size, SHUFFLE_BUFFER)
            numbered = shuffled_stream(numbered, buffer, order)
        return numbered.skip(first)

    return size, examples


def find_source(
    source: Any,
    *,
    channels: int | None,
    labels: bool,
    split: str,
    data_dir: Path | None,
    on_error: str = "raise",
) -> Source:
    """Returns the `Source` that the argument of `load` means."""
    if isinstance(source, str) and source.startswith("tfds:"):
        return tfds_source(source, split, data_dir, labels)
    if split != "train":
        raise not_of_tfds("split", split, source)
    if data_dir is not None:
        raise not_of_tfds("data_dir", data_dir, source)
    if isinstance(source, str) and source.partition(":")[0] == "emoji":
        return emoji_source(source, labels)
    if isinstance(source, (str, os.PathLike)):
        return folder_source(_existing_place(source), channels, labels, on_error)
    if isinstance(source, tuple) and len(source) == 2:
        images, numbers = source
        return array_source("array", images, numbers if labels else None)
    if labels:
        raise ValueError(
            "labels=True needs labels: pass the tuple (array, labels). "
            f"Received: {kind(source)}"
        )
    return array_source("array", source, None)


@refuses_unknown
def class_names(source: Any, data_dir: Path | None = None) -> list[str] | None:
    """The names of the classes that a source's labels number.

    Args:
        source: see `load`.
        data_dir: see `load`.

    Returns:
        list of str: of a folder, its first-level subfolders that hold images;
        `None` of arrays, whose classes have no names.

    Raises:
        ValueError: there is no such source, or it has no labels.

    Example:

    ```python
    keras_gans.data.class_names("emoji")[0]  # "smileys-emotion"
    ```
    """
    if isinstance(source, str) and source in EMOJI:
        return emoji(source.partition(":")[2] or "3d").label_names
    if isinstance(source, str) and source.startswith("tfds:"):
        _, features = open_tfds(source, data_dir, ALLOWED)
        _tfds_image(source, features, labels=True)
        return list(features["label"].names)
    if isinstance(source, (str, os.PathLike)):
        return list_images(_existing_place(source), labels=True).classes
    return None


def range_examples(size: int) -> Callable:
    """Returns `examples` of a `Source` whose items are their indices."""

    def examples(order, first):
        indices = shuffled_range(size, order, first)
        return tf.data.Dataset.zip(indices, indices)

    return examples


def _existing_place(source):
    place = find_place(os.fspath(source))
    if place is None:
        raise missing_folder(os.fspath(source), EMOJI, ALLOWED)
    return place


def _check_images(name, images):
    if not isinstance(images, np.ndarray):
        raise ValueError(
            f"Unknown data source. Expected one of {ALLOWED}. Received: {kind(images)}"
        )
    if images.ndim not in (3, 4) or 0 in images.shape:
        raise ValueError(
            "An array of images has the shape [n, height, width] or "
            "[n, height, width, channels], none of them 0. Received: "
            f"{name} of shape {images.shape}"
        )
    if np.issubdtype(images.dtype, np.floating):
        images = images.astype("float32")
        _check_range(name, images)
    elif images.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            "An array of images is uint8 (0..255), uint16 (0..65535) or "
            "float in [-1, 1]. Convert it, for instance with "
            f'.astype("uint8"). Received: {name} of dtype {images.dtype}'
        )
    return images[..., None] if images.ndim == 3 else images


def _check_range(name, images):
    low, high = images.min(), images.max()
    if np.isnan(low):
        raise ValueError(f"Images must be finite. Received: {name} with NaN")
    if low < -1 or high > 1:
        raise ValueError(
            "Float images must lie in [-1, 1]: scale with x/127.5-1 if they "
            f"are 0..255. Received: {name} with values in [{low}, {high}]"
        )
    if low >= 0:
        warnings.warn(
            f"The float images of the {name} all lie in [0, 1], but [-1, 1] "
            "is expected. If white is 1 and black is 0, rescale them with "
            "x*2-1.",
            UserWarning,
            stacklevel=outside(),
        )


def _check_labels(name, labels, size):
    labels = np.asarray(labels)
    if labels.shape == (size, 1):
        labels = labels[:, 0]
    if labels.shape != (size,) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"Labels are integers, one for each of the {size} images. Use "
            "argmax(-1) on one-hot labels. Received: labels of shape "
            f"{labels.shape} and dtype {labels.dtype} for the {name}"
        )
    return labels.astype("int32")


def _tfds_image(source, features, labels):
    """The feature that decodes the images of a tensorflow-datasets source."""
    import tensorflow_datasets as tfds

    names = sorted(features)
    image = features.get("image")
    if not isinstance(image, tfds.features.Image):
        raise ValueError(
            f'{source!r} has no image feature named "image". Choose another '
            f"dataset. Received: features {names}"
        )
    check_tfds_dtype(source, image)
    if labels and not isinstance(features.get("label"), tfds.features.ClassLabel):
        raise ValueError(
            f'{source!r} has no class feature named "label". Load it without '
            f"labels (`labels=False`). Received: features {names}"
        )
    return image


def check_tfds_dtype(source: str, image: Any) -> None:
    """Checks that an image feature of tensorflow-datasets holds integers.

    Raises:
        ValueError: it does not.
    """
    if image.np_dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"Expected uint8 or uint16 images; those of {source!r} are "
            f"{np.dtype(image.np_dtype)}. Load them yourself and pass an "
            "array in [-1, 1]."
        )


def unknown(source: str, known: Iterable[str], allowed: str) -> ValueError:
    """The error of a source of no known name.

    Args:
        source: str.
        known: names, of which the nearest is offered.
        allowed: str, the sources there are.
    """
    return ValueError(
        f"Unknown data source.{hint(source, known)} Expected one of "
        f"{allowed}. Received: {source!r}"
    )


def not_of_tfds(name: str, value: Any, source: Any) -> ValueError:
    """The error of an argument of "tfds:" sources that is given with another."""
    return ValueError(
        f'`{name}` is for "tfds:" sources only. Received: {name}={value!r} with '
        f"{kind(source)}"
    )


def missing_folder(
    folder: str, known: Iterable[str], allowed: str, kind: str = "images"
) -> ValueError:
    """The error of a folder that does not exist; see `unknown`."""
    if os.path.exists(folder):
        return ValueError(
            f"Expected a folder, or a .zip archive, of {kind}. Received: the file "
            f"{folder!r}"
        )
    parent, name = os.path.split(os.path.normpath(folder))
    siblings = os.listdir(parent or ".") if os.path.isdir(parent or ".") else []
    near = [
        os.path.join(parent, sibling) for sibling in nearest(name, siblings, most=1)
    ]
    near += nearest(folder, known, most=1)
    return ValueError(
        f"No such folder.{did_you_mean(near)} Expected one of {allowed}. "
        f"Received: {folder!r}"
    )


def kind(source: Any) -> str:
    """How an error message calls what was given as a source."""
    if isinstance(source, (str, os.PathLike)):
        return repr(source)
    return f"an object of type {type(source).__name__}"
