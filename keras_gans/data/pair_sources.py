"""Where pairs and pairs of domains come from; see `sources`."""

import os

import numpy as np
import tensorflow as tf

from keras_gans.data.broken import check_files, parallel_reads
from keras_gans.data.checks import CONVERTIBLE, check_choice
from keras_gans.data.decoding import list_images
from keras_gans.data.domains import (
    check_halves,
    check_same_size,
    domain_folders,
    holds_images_alone,
    looked_for,
    match_files,
    subfolder,
)
from keras_gans.data.embedded import STYLES, emoji
from keras_gans.data.places import find_place
from keras_gans.data.python_calls import python_call
from keras_gans.data.sources import (
    Source,
    array_source,
    check_tfds_dtype,
    folder_source,
    kind,
    missing_folder,
    not_of_tfds,
    open_tfds,
    prepare_tfds,
    range_examples,
    tfds_source,
    unknown,
)

EMOJI = tuple(f"emoji:{a}-{b}" for a in STYLES for b in STYLES if a != b)
TEST_EVERY = 10  # of the embedded emoji, the last of so many is held out
ALLOWED = (
    ", ".join(f'"{name}"' for name in EMOJI)
    + ', "tfds:NAME" (tensorflow-datasets), or the path of a folder or zip archive '
    "(or a `tuple` of two numpy arrays)"
)


def find_pairs(source, channels, split, data_dir, on_error):
    """Returns the `Source` of pairs that the argument of `load_pairs` means.

    Args:
        source: the argument.
        channels: those of A and those of B, or `None`.
        split: str.
        data_dir: where tensorflow-datasets keeps its data.
        on_error: "raise", or "skip" to leave out broken files.
    """
    if is_tfds(source):
        return _tfds_pairs(source, split, data_dir)
    _refuse_data_dir(source, data_dir)
    if isinstance(source, (str, os.PathLike)) and not is_emoji(source):
        place = _find_place(os.fspath(source), channels)
        return _folder_pairs(place, channels, split, on_error)
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


def find_domains(source, channels, split, data_dir, on_error):
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
        place = _find_place(os.fspath(source), channels)
        folders = domain_folders(place, split)
        if folders is None:
            raise ValueError(
                f"Folder {place.path!r} holds no domains A and B of "
                f"the split {split!r}. Expected subfolders {looked_for(split)}. "
                f"Received: {_content(place)}"
            )
        return [
            folder_source(folder, count, False, on_error)
            for folder, count in zip(folders, channels, strict=True)
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


def _folder_pairs(place, channels, split, on_error):
    folders = domain_folders(place, split)
    if folders is None:
        return _halves(_halves_folder(place, split), channels, on_error)
    a, b = match_files(
        *(
            check_files(list_images(folder, labels=False), count, on_error)
            for folder, count in zip(folders, channels, strict=True)
        )
    )

    def read(index):
        images = [
            one.listing.read(index, count)
            for one, count in zip((a, b), channels, strict=True)
        ]
        paths = [one.listing.path_of(index) for one in (a, b)]
        check_same_size(paths, [image.shape[:2] for image in images])
        return images

    return _files(place.path, [a, b], channels, read)


def _halves_folder(place, split):
    """The folder of side-by-side pictures of a split."""
    folder = subfolder(place, split)
    if folder is not None:
        return folder
    # With subfolders of other names, it may be anything.
    if split == "train" and holds_images_alone(place):
        return place
    alone = " or in no subfolder" if split == "train" else ""
    raise ValueError(
        f"Folder {place.path!r} holds no pairs of the split {split!r}. Expected "
        f"subfolders {looked_for(split)}; or pictures of A and B side by side "
        f"in a subfolder {split}{alone}. Received: {_content(place)}"
    )


def _halves(place, channels, on_error):
    """Pictures of A, left, and B, right."""
    usable = check_files(list_images(place, labels=False), max(channels), on_error)
    check_halves(usable)

    def read(index):
        # read once, unless the halves are converted to other channels
        images = {count: usable.listing.read(index, count) for count in set(channels)}
        middle = images[channels[0]].shape[1] // 2
        return [images[channels[0]][:, :middle], images[channels[1]][:, middle:]]

    return _files(place.path, [usable], channels, read)


def _files(folder, files, channels, read):
    """The source of pairs of files.

    Args:
        folder: str, named in error messages.
        files: list of `Usable`: those of A and B, or of both side by side.
        channels: those of A and of B.
        read: function of a number; returns two images.
    """
    size = len(files[0].heads)

    def read_item(index):
        images = python_call(read, [index], [tf.float32, tf.float32])
        for image, count in zip(images, channels, strict=True):
            image.set_shape((None, None, count))
        return tuple(images)

    memory = sum(one.memory(max(channels)) for one in files)
    return Source(
        f"folder {folder!r}",
        size,
        (None, None, *channels),
        range_examples(size),
        read_item,
        files=files,
        parallel=parallel_reads(memory),
    )


def _find_place(folder, channels):
    place = find_place(folder)
    if place is None:
        raise missing_folder(folder, EMOJI, ALLOWED)
    if not set(channels) <= set(CONVERTIBLE):
        raise ValueError(
            "Files are read with 1, 2, 3 or 4 channels, which are to be "
            "chosen: they may differ. Received: channels of A and B "
            f"{tuple(channels)} for folder {folder!r}"
        )
    return place


def _content(place):
    """The names in a folder, in words."""
    names = sorted(name for names in place.children() for name in names)
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
            "pairs, as those of cycle_gan, are for CycleGAN (`load_unpaired`). "
            f"Received: features {sorted(features)}"
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
        raise not_of_tfds("data_dir", data_dir, source)


def _name_of(source):
    return source if isinstance(source, str) else "tuple of arrays"


def _described(source):
    if not isinstance(source, tuple):
        return kind(source)
    return f"a tuple of {', '.join(type(part).__name__ for part in source)}"
