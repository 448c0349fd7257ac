"""`load_pairs` and `load_unpaired`: data of two domains, A and B."""

from typing import Any

import tensorflow as tf

from keras_gans.data.checks import (
    check_channels,
    check_choice,
    check_count,
    check_image_size,
    check_jitter,
    check_length,
    check_options,
    check_split,
    own_size,
)
from keras_gans.data.pair_sources import find_domains, find_pairs
from keras_gans.data.pipeline import (
    batches,
    batches_of_source,
    example_seeds,
    repeated,
    seed_key,
)
from keras_gans.data.transforms import convert, view
from keras_gans.modalities.image import jitter_margin
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.types import Path, Size

DIRECTIONS = ("ab", "ba")


@refuses_unknown
def load_pairs(
    source: Any,
    *,
    image_size: Size | None = None,
    source_channels: int = 3,
    channels: int = 3,
    batch_size: int = 1,
    split: str = "train",
    data_dir: Path | None = None,
    direction: str = "ab",
    resize: str = "crop",
    interpolation: str = "bilinear",
    jitter: int | float = 0,
    flip: bool = False,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of (source, target) batches in [-1, 1].

    Both images of a pair are resized, cropped and mirrored alike. The order,
    the crops and the flips are functions of the seed, the epoch and the pair's
    index alone; epochs, `repeat` and `start` are those of `load`.

    Args:
        source: one of

            - `"emoji:line-3d"`, `"emoji:flat-3d"` and every other two styles
              of the embedded set (line, flat, 3d), A first. Every tenth emoji
              (index % 10 == 9) is held out as `split="test"`;
            - the path of a folder with the images of A and of B in two
              subfolders, matching by name (the extension aside): `trainA` and
              `trainB`, `train/A` and `train/B`, `A/train` and `B/train`, for
              each split; or just `A` and `B`, for `split="train"`. Lower case
              does as well;
            - the path of a folder of pictures that show A, left, and B, right,
              side by side (about twice as wide as high), in a subfolder `train`
              for each split; or without any subfolder, for `split="train"`;
            - the path of a zip archive of such a folder;
            - `"tfds:NAME"`: a set of tensorflow-datasets with two image
              features, A before B in the alphabet;
            - a tuple of two arrays, those of A and of B, as `load` takes them.
        image_size: pixels, an integer or `(height, width)`. `None`: the
            source's own; a folder has none.
        source_channels: channels of the sources: 1 (grey), 2 (grey, alpha), 3
            (RGB) or 4 (RGBA), see `load`. `None`: as many as they have (not
            for folders).
        channels: channels of the targets.
        batch_size: pairs in a batch.
        split: the split of the source, `"train"`, `"test"` or another that it
            has.
        data_dir: where tensorflow-datasets keeps its data.
        direction: `"ab"`: A is the source, B the target; or `"ba"`.
        resize: see `load`.
        interpolation: see `load`.
        jitter: see `load`. The paper's is 30 of 256 pixels.
        flip: whether to mirror half of the pairs, left to right.
        shuffle: whether each epoch has an order of its own.
        seed: a non-negative integer.
        drop_remainder: whether to leave out the last batch of an epoch if it
            is short.
        repeat: whether the dataset is endless.
        start: batches already consumed. With `repeat=False`, whole epochs.
        on_error: see `load`.

    Returns:
        A dataset of tuples of float32 `[batch_size, height, width,
        source_channels]` and `[batch_size, height, width, channels]`.

    Raises:
        ValueError: if an argument is unusable, the source cannot be found or
            holds fewer pairs than a batch; a file has no partner, or one of
            another size; or files cannot be read, see `load`.

    Example:

    ```python
    from keras_gans.data import load_pairs

    pairs = load_pairs("emoji:line-3d", source_channels=1, jitter=8, flip=True)
    line, rendered = next(iter(pairs))
    print(len(pairs), line.shape, rendered.shape)
    ```
    """
    batching = check_options(
        batch_size, drop_remainder, repeat, start, seed, on_error, resize, interpolation
    )
    check_choice("direction", direction, DIRECTIONS)
    image_size = _check_own(image_size, source_channels, channels, split, jitter)
    # in the order of A and B, and back again
    names = _directed(("source_channels", "channels"), direction)
    counts = _directed((source_channels, channels), direction)
    pairs = find_pairs(source, counts, split, data_dir, on_error)
    size = image_size or own_size(pairs)
    for name, count, own_channels in zip(names, counts, pairs.shape[2:], strict=True):
        check_channels(name, count, own_channels, pairs.name)
    check_length(pairs.name, pairs.size, batching)
    key = seed_key(seed)

    def prepare(epoch, example):
        index, item = example
        images = [
            convert(image, count)
            for image, count in zip(pairs.read(item), counts, strict=True)
        ]
        # as one image, so that no crop or flip can part them
        joined = view(
            tf.concat(images, axis=-1),
            size,
            example_seeds(key, epoch, index, 2),
            resize=resize,
            interpolation=interpolation,
            flip=flip,
            margin=jitter_margin(jitter, size),
        )
        parts = [image.shape[-1] for image in images]
        return _directed(tf.split(joined, parts, axis=-1), direction)

    return batches_of_source(pairs, prepare, batching, key, shuffle)


@refuses_unknown
def load_unpaired(
    source: Any,
    *,
    image_size: Size | None = None,
    source_channels: int = 3,
    channels: int = 3,
    batch_size: int = 1,
    split: str = "train",
    data_dir: Path | None = None,
    resize: str = "crop",
    interpolation: str = "bilinear",
    jitter: int | float = 0,
    flip: bool = False,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of (a, b) batches in [-1, 1], not paired.

    An epoch is one pass over the larger domain; the smaller is passed over
    again and again within it, in another order each time. Each image has its
    own place, crop and flip, functions of the seed, the epoch and its index
    alone; epochs, `repeat` and `start` are those of `load`.

    Args:
        source: one of

            - `"emoji:flat-3d"` and every other two styles, see `load_pairs`:
              both domains hold the same emoji, in orders of their own;
            - the path of a folder with subfolders as those of `load_pairs`,
              of files of any name, or of a zip archive of it;
            - `"tfds:NAME"`: a set of tensorflow-datasets with a feature
              `"image"` and splits such as `"trainA"` and `"trainB"`, as all
              of `"tfds:cycle_gan/horse2zebra"` and its kin;
            - a tuple of two arrays, those of A and of B, as `load` takes them.
        image_size: see `load_pairs`.
        source_channels: channels of A, see `load_pairs`.
        channels: channels of B.
        batch_size: images of each domain in a batch.
        split: `"train"`, `"test"` or another that the source has.
        data_dir: see `load`.
        resize: see `load`.
        interpolation: see `load`.
        jitter: see `load_pairs`.
        flip: see `load`.
        shuffle: see `load`.
        seed: see `load`.
        drop_remainder: see `load`.
        repeat: see `load`.
        start: see `load`.
        on_error: see `load`.

    Returns:
        A dataset of such tuples as those of `load_pairs`.

    Raises:
        ValueError: if an argument is unusable, the source cannot be found, a
            domain is missing or empty, both hold fewer images than a batch,
            or files cannot be read, see `load`.

    Example:

    ```python
    from keras_gans.data import load_unpaired

    domains = load_unpaired("emoji:flat-3d", image_size=32, batch_size=4)
    flat, rendered = next(iter(domains))
    print(len(domains), flat.shape, rendered.shape)
    ```
    """
    batching = check_options(
        batch_size, drop_remainder, repeat, start, seed, on_error, resize, interpolation
    )
    image_size = _check_own(image_size, source_channels, channels, split, jitter)
    names = ("source_channels", "channels")
    counts = (source_channels, channels)
    domains = find_domains(source, counts, split, data_dir, on_error)
    size = image_size or _one_size(domains)
    for name, count, pictures in zip(names, counts, domains, strict=True):
        check_channels(name, count, pictures.shape[2], pictures.name)
    larger = max(domains, key=lambda pictures: pictures.size)
    check_length(larger.name, larger.size, batching)
    keys = tf.unstack(tf.random.split(seed_key(seed), 2))

    def examples(epoch, first):
        return tf.data.Dataset.zip(
            *(
                repeated(
                    pictures.examples,
                    key if shuffle else None,
                    size=pictures.size,
                    length=larger.size,
                    epoch=epoch,
                    first=first,
                )
                for pictures, key in zip(domains, keys, strict=True)
            )
        )

    def prepare(epoch, example):
        a, b = example
        return prepare_one(0, *a), prepare_one(1, *b)

    def prepare_one(domain, number, example):
        index, item = example
        image, _ = domains[domain].read(item)
        return view(
            convert(image, counts[domain]),
            size,
            example_seeds(keys[domain], number, index, 2),
            resize=resize,
            interpolation=interpolation,
            flip=flip,
            margin=jitter_margin(jitter, size),
        )

    return batches(
        examples,
        prepare,
        larger.size,
        batching,
        parallel=min((d.parallel for d in domains if d.parallel), default=None),
    )


def _check_own(image_size, source_channels, channels, split, jitter):
    """Checks what `load` has not; returns `(height, width)`, or `None`."""
    check_split(split)
    check_count("source_channels", source_channels)
    check_count("channels", channels)
    check_jitter(jitter)
    return check_image_size(image_size)


def _directed(pair, direction):
    """Source and target of A and B, or A and B of source and target."""
    first, second = pair
    return (first, second) if direction == "ab" else (second, first)


def _one_size(domains):
    sizes = [own_size(pictures) for pictures in domains]
    if sizes[0] != sizes[1]:
        raise ValueError(
            "The domains differ in size. Pass image_size, for instance "
            f"image_size={tuple(sizes[0])}. Received: image_size=None, "
            f"{domains[0].name} of {tuple(sizes[0])}, {domains[1].name} of "
            f"{tuple(sizes[1])} pixels"
        )
    return sizes[0]
