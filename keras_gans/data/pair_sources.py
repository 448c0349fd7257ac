"""Where pairs and pairs of domains come from; see `sources`."""

import os

import numpy as np
import tensorflow as tf

from keras_gans.data.checks import CONVERTIBLE, check_choice
from keras_gans.data.domains import (
    check_same_size,
    domain_folders,
    holds_images_alone,
    list_halves,
    looked_for,
    match_files,
    subfolder,
)
from keras_gans.data.embedded import STYLES, emoji
from keras_gans.data.python_calls import python_call
from keras_gans.data.sources import (
    Source,
    array_source,
    check_tfds_dtype,
    folder_source,
    kind,
    missing_folder,
    open_tfds,
    prepare_tfds,
    range_examples,
    tfds_source,
    unknown,
)
from keras_gans.modalities.image_files import read_image

EMOJI = tuple(f"emoji:{a}-{b}" for a in STYLES for b in STYLES if a != b)
TEST_EVERY = 10  # of the embedded emoji, the last of so many is held out
ALLOWED = (
    ", ".join(f'"{name}"' for name in EMOJI)
    + ', "tfds:NAME" (tensorflow-datasets), the path of a folder, or a tuple '
    "of two numpy arrays"
)


def find_pairs(source, channels, split, data_dir):
    """Returns the `Source` of pairs that the argument of `load_pairs` means.

    Args:
        source: the argument.
        channels: those of A and those of B, or `None`.
        split: str.
        data_dir: where tensorflow-datasets keeps its data.
    """
    if is_tfds(source):
        return _tfds_pairs(source, split, data_dir)
    _refuse_data_dir(source, data_dir)
    if isinstance(source, (str, os.PathLike)) and not is_emoji(source):
        return _folder_pairs(os.fspath(source), channels, split)
    (name_a, a), (name_b, b) = _two_arrays(source, split)
    a, b = array_source(name_a, a, None), array_source(name_b, b, None)
    check_same_size((a.name, b.name), (a.shape[:2], b.shape[:2]))
    if a.size != b.size:
        raise ValueError(
            "Pairs are two arrays of as many images. Received: "
            f"{a.size} in the {a.name}, {b.size} in the {b.name}"
        )

    def read(index):
        return a.read(index)[0], b.read(index)[0]

    name = _name_of(source)
    return Source(name, a.size, (*a.shape, b.shape[2]), a.examples, read)


def find_domains(source, channels, split, data_dir):
    """Returns the two `Source`s that the argument of `load_unpaired` means.

    See `find_pairs`.
    """
    if is_tfds(source):
        # a part of a split, as "train[:10%]", is one of each domain
        name, bracket, part = split.partition("[")
        splits = [f"{name}{domain}{bracket}{part}" for domain in "AB"]
        return [tfds_source(source, s, data_dir, False) for s in splits]
    _refuse_data_dir(source, data_dir)
    if isinstance(source, (str, os.PathLike)) and not is_emoji(source):
        folder = _check_folder(os.fspath(source), channels)
        folders = domain_folders(folder, split)
        if folders is None:
            raise ValueError(
                f"Folder {folder!r} holds no domains A and B of "
                f"split={split!r}. Expected subfolders {looked_for(split)}. "
                f"Received: {_content(folder)}"
            )
        return [
            folder_source(path, count, False)
            for path, count in zip(folders, channels, strict=True)
        ]
    (name_a, a), (name_b, b) = _two_arrays(source, split)
    return array_source(name_a, a, None), array_source(name_b, b, None)


def is_tfds(source):
    """Whether a source is a name of tensorflow-datasets."""
    return isinstance(source, str) and source.startswith("tfds:")


def is_emoji(source):
    """Whether a source is a name of the embedded set."""
    return isinstance(source, str) and source.partition(":")[0] == "emoji"


# --- Arrays, and the embedded set ---


def _two_arrays(source, split):
    """Names and arrays of domains A and B."""
    if is_emoji(source):
        return _emoji_arrays(source, split)
    is_pair = isinstance(source, tuple) and len(source) == 2
    if not is_pair or not all(isinstance(x, np.ndarray) for x in source):
        raise ValueError(
            f"Unknown data source. Expected one of {ALLOWED}. Received: "
            f"{_described(source)}"
        )
    if split != "train":
        raise ValueError(
            "Arrays have no splits: pass those of the split. Received: "
            f"split={split!r} with {kind(source)}"
        )
    return zip(("array of A", "array of B"), source, strict=True)


def _emoji_arrays(source, split):
    if source not in EMOJI:
        raise unknown(source, EMOJI, ALLOWED)
    check_choice("split", split, ("train", "test"))
    styles = source.removeprefix("emoji:").split("-")
    sets = [emoji(style).images for style in styles]
    held_out = np.arange(len(sets[0])) % TEST_EVERY == TEST_EVERY - 1
    chosen = held_out if split == "test" else ~held_out
    return [
        (f"emoji:{style}", images[chosen])
        for style, images in zip(styles, sets, strict=True)
    ]


# --- Folders ---


def _folder_pairs(folder, channels, split):
    _check_folder(folder, channels)
    folders = domain_folders(folder, split)
    if folders is None:
        return _halves(_halves_folder(folder, split), channels)

    def read(path_a, path_b):
        paths = [os.fsdecode(path) for path in (path_a, path_b)]
        images = [
            read_image(path, count) for path, count in zip(paths, channels, strict=True)
        ]
        check_same_size(paths, [image.shape[:2] for image in images])
        return images

    return _files(folder, match_files(*folders), channels, read)


def _halves_folder(folder, split):
    """The folder of side-by-side pictures of a split."""
    found = subfolder(folder, split)
    if found is not None:
        return found
    # With subfolders of other names, it may be anything.
    if split == "train" and holds_images_alone(folder):
        return folder
    alone = " or in no subfolder" if split == "train" else ""
    raise ValueError(
        f"Folder {folder!r} holds no pairs of split={split!r}. Expected "
        f"subfolders {looked_for(split)}; or pictures of A and B side by side "
        f"in a subfolder {split}{alone}. Received: {_content(folder)}"
    )


def _halves(folder, channels):
    """Pictures of A, left, and B, right."""

    def read(path):
        # read once, unless the halves are converted to other channels
        images = {count: read_image(os.fsdecode(path), count) for count in channels}
        middle = images[channels[0]].shape[1] // 2
        return [images[channels[0]][:, :middle], images[channels[1]][:, middle:]]

    return _files(folder, [list_halves(folder)], channels, read)


def _files(folder, lists, channels, read):
    """The source of pairs of files.

    Args:
        folder: str, named in error messages.
        lists: lists of paths of the same length.
        channels: those of A and of B.
        read: function of a path of each list; returns two images.
    """
    with tf.device("CPU"):
        files = tf.constant([[os.fsencode(path) for path in paths] for paths in lists])
    size = len(lists[0])

    def read_item(index):
        paths = tf.unstack(tf.gather(files, index, axis=1))
        images = python_call(read, paths, [tf.float32, tf.float32])
        for image, count in zip(images, channels, strict=True):
            image.set_shape((None, None, count))
        return tuple(images)

    return Source(
        f"folder {folder!r}",
        size,
        (None, None, *channels),
        range_examples(size),
        read_item,
    )


def _check_folder(folder, channels):
    if not os.path.isdir(folder):
        raise missing_folder(folder, EMOJI, ALLOWED)
    if not set(channels) <= set(CONVERTIBLE):
        raise ValueError(
            "Files are read with 1, 2, 3 or 4 channels, which are to be "
            "chosen: they may differ. Received: channels of A and B "
            f"{tuple(channels)} for folder {folder!r}"
        )
    return folder


def _content(folder):
    """The names in a folder, in words."""
    names = sorted(n for n in os.listdir(folder) if not n.startswith("."))
    if not names:
        return "an empty folder"
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return ", ".join(names[:5]) + more


# --- tensorflow-datasets ---


def _tfds_pairs(source, split, data_dir):
    """The two image features of each example."""
    import tensorflow_datasets as tfds

    builder, features = open_tfds(source, data_dir, ALLOWED)
    images = {
        name: feature
        for name, feature in sorted(features.items())
        if isinstance(feature, tfds.features.Image)
    }
    if len(images) != 2:
        raise ValueError(
            "Pairs of tensorflow-datasets are two image features, A before B "
            f"in the alphabet; {source!r} has {len(images)}. Domains without "
            "pairs, as those of cycle_gan, are for `load_unpaired`. Received: "
            f"features {sorted(features)}"
        )
    for feature in images.values():
        check_tfds_dtype(source, feature)
    (name_a, a), (name_b, b) = images.items()
    if None not in (*a.shape[:2], *b.shape[:2]):
        check_same_size((name_a, name_b), (a.shape[:2], b.shape[:2]))
    size, examples = prepare_tfds(builder, split, [name_a, name_b])

    def read(item):
        pair = a.decode_example(item[name_a]), b.decode_example(item[name_b])
        sizes = [tf.shape(image)[:2] for image in pair]
        same = tf.debugging.assert_equal(
            *sizes, f"The images of a pair of {source} have one size."
        )
        # First that: else joining them may fail with less to say.
        with tf.control_dependencies([same]):
            return tuple(map(tf.identity, pair))

    sides = [x or y for x, y in zip(a.shape[:2], b.shape[:2], strict=True)]
    shape = (*sides, a.shape[2], b.shape[2])
    return Source(source, size, shape, examples, read)


# --- What is given ---


def _refuse_data_dir(source, data_dir):
    if data_dir is not None:
        raise ValueError(
            'data_dir is for "tfds:" sources only. Received: '
            f"data_dir={data_dir!r} with {kind(source)}"
        )


def _name_of(source):
    return source if isinstance(source, str) else "tuple of arrays"


def _described(source):
    if not isinstance(source, tuple):
        return kind(source)
    return f"a tuple of {', '.join(type(part).__name__ for part in source)}"
