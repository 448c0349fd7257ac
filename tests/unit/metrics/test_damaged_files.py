"""Caches of features and files of statistics, damaged in every byte."""

import pathlib
import random

import numpy as np
import pytest

from keras_gans import metrics
from keras_gans.metrics.features.cache import FeatureCache


def damaged(whole, n=300):
    """The bytes of a file with a bit or a byte changed, cut, or zeroed."""
    rng = random.Random(0)
    yield b""
    for _ in range(n):
        data, i = bytearray(whole), rng.randrange(len(whole))
        how = rng.randrange(4)
        if how == 0:
            data[i] ^= 1 << rng.randrange(8)
        elif how == 1:
            data[i] = rng.randrange(256)
        elif how == 2:
            del data[i:]
        else:
            data[i:] = bytes(len(data) - i)
        yield bytes(data)


def test_a_damaged_cache_counts_as_missing(tmp_path):
    images = np.zeros((3, 4, 4, 3), "uint8")
    rows = np.random.default_rng(0).normal(size=(2, 3, 4)).astype("float32")
    right = dict(zip(("features", "logits"), rows, strict=True))
    cache = FeatureCache(tmp_path, "key")
    cache.put(images, right)
    [path] = cache.directory.iterdir()
    whole = path.read_bytes()
    assert sorted(cache.get(images)) == ["features", "logits"]
    missed = 0
    for data in damaged(whole):
        path.write_bytes(data)
        found = cache.get(images)
        missed += found is None
        if found is not None:  # what has changed is read by nobody
            assert sorted(found) == sorted(right)
            for name, values in right.items():
                np.testing.assert_array_equal(found[name], values)
    assert missed > 200
    # What is whole, but none of ours.
    np.savez(path, features=rows[0].astype(object), allow_pickle=True)
    assert cache.get(images) is None
    np.savez(path, features=rows[0], logits=rows[1])
    assert cache.get(images) is None


def test_damaged_statistics_are_a_value_error():
    moments = metrics.Moments()
    moments.update(np.random.default_rng(0).normal(size=(9, 3)))
    moments.save("s.npz")
    path = pathlib.Path("s.npz")
    whole = path.read_bytes()
    refused = 0
    for data in damaged(whole):
        path.write_bytes(data)
        try:
            found = metrics.Moments.load(path)
        except ValueError as error:
            assert "s.npz" in str(error)
            refused += 1
        else:
            np.testing.assert_array_equal(found.mean, moments.mean)
            np.testing.assert_array_equal(found.covariance, moments.covariance)
    assert refused > 200
    # Errors of zipfile that are neither its own nor a ValueError.
    entry = whole.index(b"PK\x01\x02")
    for offset, value in ((8, 1), (10, 99)):  # encrypted; an unknown method
        data = bytearray(whole)
        data[entry + offset] = value
        path.write_bytes(data)
        with pytest.raises(ValueError, match="damaged"):
            metrics.Moments.load(path)
    with pytest.raises(OSError, match="nowhere"):
        metrics.Moments.load("nowhere.npz")
