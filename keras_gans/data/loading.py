"""`load`: any source of images as a `tf.data` pipeline in [-1, 1]."""

from typing import Any

import tensorflow as tf

from keras_gans.data.balancing import balanced
from keras_gans.data.checks import (
    CONVERTIBLE,
    check_balance,
    check_channels,
    check_choice,
    check_image_size,
    check_jitter,
    check_length,
    check_options,
    own_size,
)
from keras_gans.data.keeping import keeping
from keras_gans.data.pipeline import batches_of_source, example_seeds, seed_key
from keras_gans.data.sources import find_source
from keras_gans.data.transforms import convert, view
from keras_gans.modalities.image import jitter_margin
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.types import Path, Size
from keras_gans.utils.validation import batch_of_few

USUAL_BATCH = 64


@refuses_unknown
def load(
    source: Any,
    *,
    image_size: Size | None = None,
    channels: int = 3,
    batch_size: int | None = None,
    labels: bool = False,
    class_balanced: bool = False,
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
    """Returns a `tf.data.Dataset` of image batches in [-1, 1].

    The order, the crops and the flips are functions of the seed, the epoch
    and the example's index alone. With `repeat=False`, each iteration over
    the dataset is one pass, and the next epoch: `fit(dataset, epochs=50)` sees
    50 orders, the same 50 each time the program runs. With `repeat=True` the
    same epochs follow each other in one endless dataset, and `start=k` begins
    at its batch `k` without decoding the ones before: a training run resumes
    where it stopped.

    Args:
        source: one of

            - `"emoji"`, `"emoji:flat"`, `"emoji:line"`: the embedded set;
            - `"tfds:NAME"`: a set of tensorflow-datasets, which downloads and
              prepares it at first use. It needs a feature `"image"`;
            - the path of a folder of PNG, JPEG, WebP, GIF, TIFF, BMP, AVIF or
              HEIC files of any size and mode, searched with its subfolders, or
              of a zip archive of them. Hidden files and other files are left
              out. Of animations the first picture is read. HEIC needs
              `pip install pillow-heif`;
            - a numpy array `[n, height, width]` or
              `[n, height, width, channels]`, uint8, uint16 or float in
              [-1, 1];
            - a tuple `(array, labels)`, labels an integer `[n]`.
        image_size: pixels, an integer or `(height, width)`. `None`: the
            source's own; a folder has none.
        channels: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA). Grey and
            colour are converted; transparent images are laid on white for 1
            and 3. `None`: as many as the source has (not for folders).
        batch_size: images in a batch. `None`: 64, or the largest power of 2 that the
            images of a smaller set fill, where `drop_remainder` would leave no batch.
        labels: whether to give `(images, labels)`. A folder's labels number
            its first-level subfolders, sorted by name.
        class_balanced: whether every class is shown as often as the others,
            however many images it has; an epoch has as many examples.
        split: the split of a `"tfds:"` source, such as `"train[:80%]"`.
        data_dir: where tensorflow-datasets keeps its data.
        resize: `"crop"` scales the short side and crops the centre;
            `"random_crop"` crops anywhere, elsewhere each epoch; `"pad"`
            scales the long side and fills up with white; `"stretch"` ignores
            proportions.
        interpolation: `"bilinear"`, `"bicubic"`, `"area"`, `"lanczos3"` or
            `"nearest"`; antialiased where the method can.
        jitter: how much larger the images are made before a crop of
            `image_size` anywhere, elsewhere each epoch: pixels of each side, an
            integer; or their ratio to `image_size`, a float in [0, 1].
        flip: whether to mirror half of the images, left to right.
        shuffle: whether each epoch has an order of its own. A `"tfds:"`
            source is shuffled through a buffer of 10,000 examples, others
            perfectly.
        seed: a non-negative integer.
        drop_remainder: whether to leave out the last batch of an epoch if it
            is short.
        repeat: whether the dataset is endless.
        start: batches already consumed. With `repeat=False`, whole epochs.
        on_error: `"raise"`, or `"skip"` to leave out files that cannot be
            read, with a warning: then all are decoded once beforehand.

    Returns:
        A dataset of float32 `[batch_size, height, width, channels]`, or of
        tuples of it and int32 `[batch_size]` with `labels=True`. With
        `repeat=False`, `len(dataset)` is the number of batches in an epoch.

    Raises:
        ValueError: if an argument is unusable, the source cannot be found or
            holds fewer images than a batch; or image files cannot be read,
            naming all of them. (Of sets of more than 268 million pixels, the
            heads and ends of files are looked at. What is damaged in between
            is found when it is read: `tf.errors.InvalidArgumentError`, and
            `ValueError` from `fit`, naming the file.)

    Example:

    ```python
    from keras_gans.data import load

    dataset = load("emoji", image_size=32, batch_size=16, labels=True)
    images, labels = next(iter(dataset))
    print(len(dataset), images.shape, labels.shape)
    ```
    """
    usual = USUAL_BATCH if batch_size is None else batch_size
    batching = check_options(
        usual, drop_remainder, repeat, start, seed, on_error, resize, interpolation
    )
    check_choice("channels", channels, (*CONVERTIBLE, None))
    check_jitter(jitter)
    image_size = check_image_size(image_size)
    pictures = find_source(
        source,
        channels=channels,
        labels=labels,
        split=split,
        data_dir=data_dir,
        on_error=on_error,
    )
    size = image_size or own_size(pictures)
    check_channels("channels", channels, pictures.shape[2], pictures.name)
    if batch_size is None and drop_remainder and pictures.size < USUAL_BATCH:
        batching = batching._replace(batch_size=batch_of_few(pictures.size))
    check_length(pictures.name, pictures.size, batching)
    if class_balanced:
        check_balance(labels, shuffle)
        pictures = balanced(pictures)
    key = seed_key(seed)
    margin = jitter_margin(jitter, size)
    read = pictures.read
    if pictures.files and resize != "random_crop":
        larger = (size[0] + margin[0], size[1] + margin[1])
        read = keeping(pictures, channels, larger, resize, interpolation)

    def prepare(epoch, example):
        index, item = example
        image, label = read(item)
        image = view(
            convert(image, channels),
            size,
            example_seeds(key, epoch, index, 2),
            resize=resize,
            interpolation=interpolation,
            flip=flip,
            margin=margin,
        )
        return (image, label) if labels else image

    return batches_of_source(pictures, prepare, batching, key, shuffle)
