"""Images that tell their order, and files of them, for the data tests."""

import itertools
import os

import numpy as np
from PIL import Image
import tensorflow as tf

from keras_gans import data


def numbered(n=10, size=4, channels=3):
    """Image i is filled with the value i, so that a batch tells its order."""
    values = np.arange(n, dtype="uint8").reshape(-1, 1, 1, 1)
    return np.broadcast_to(values, (n, size, size, channels)).copy()


def order(batches):
    """The numbers of `numbered` images, flattened over batches."""
    means = np.concatenate([np.mean(b, axis=(1, 2, 3)) for b in batches])
    return np.rint((means + 1) * 127.5).astype(int).tolist()


def one_pass(dataset):
    return [batch.numpy() for batch in dataset]


def some(dataset, count):
    return [
        tuple(map(np.asarray, tf.nest.flatten(b)))
        for b in itertools.islice(dataset, count)
    ]


def assert_same(left, right):
    assert len(left) == len(right) > 0
    for a, b in zip(left, right, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


def noise(shape, seed=0, dtype="uint8"):
    top = np.iinfo(dtype).max
    values = np.random.default_rng(seed).integers(0, top + 1, shape)
    return values.astype(dtype)


def save(folder, name, pixels, mode=None, **options):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    image = Image.fromarray(pixels)
    image = image if mode is None else image.convert(mode)
    image.save(path, **options)
    return path


def read(folder, **options):
    """The only image of a folder, as a float32 array."""
    options = {"batch_size": 1, "image_size": 8, **options}
    (batch,) = one_pass(data.load(folder, **options))
    return batch[0]
