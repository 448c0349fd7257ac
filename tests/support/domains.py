"""Both loaders of two domains, and what their data sets yield."""

import numpy as np
from pictures import order, some

from keras_gans import data

BOTH = [data.load_pairs, data.load_unpaired]


def unit(pixels):
    """Integers as loaders give them."""
    return pixels / np.float32(np.iinfo(pixels.dtype).max / 2) - np.float32(1)


def both(dataset):
    """The first batches of A and B."""
    a, b = next(iter(dataset))
    return a.numpy(), b.numpy()


def orders(dataset, count):
    """The numbers of `numbered` images of A and of B, of `count` batches."""
    batches = some(dataset, count)
    return order([a for a, _ in batches]), order([b for _, b in batches])
