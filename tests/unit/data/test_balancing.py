"""Classes of unlike sizes, each shown as often."""

import numpy as np
import pytest

from keras_gans import data

COUNTS = (80, 15, 5)


def labelled():
    images = np.zeros((100, 4, 4, 1), "uint8")
    images[:, 0, 0, 0] = np.arange(100)
    return images, np.repeat(np.arange(3), COUNTS).astype("int32")


def numbers(dataset):
    """The number of every image, and its label."""
    found = [
        (np.rint((images.numpy()[:, 0, 0, 0] + 1) * 127.5), labels.numpy())
        for images, labels in dataset
    ]
    return tuple(np.concatenate(part).astype(int) for part in zip(*found, strict=True))


def test_every_class_is_shown_as_often_and_every_image_in_its_turn():
    options = {"channels": None, "batch_size": 20, "labels": True, "repeat": True}
    options["class_balanced"] = True
    dataset = data.load(labelled(), **options)
    seen, labels = numbers(dataset.take(15))  # three epochs
    counts = np.bincount(labels)
    assert counts.sum() == 300 and np.ptp(counts) <= 3
    np.testing.assert_array_equal(labels, labelled()[1][seen])
    shown = np.bincount(seen, minlength=100)
    for label, size in enumerate(COUNTS):
        own = shown[labelled()[1] == label]
        assert own.min() >= 1 and np.ptp(own) <= 1 + 3, size
    later = numbers(data.load(labelled(), start=7, **options).take(3))
    np.testing.assert_array_equal(seen[140:200], later[0])


def test_what_cannot_be_balanced_is_refused():
    with pytest.raises(ValueError, match="labels=False"):
        data.load(labelled(), channels=None, class_balanced=True)
    with pytest.raises(ValueError, match="shuffle=False"):
        data.load(
            labelled(), channels=None, labels=True, class_balanced=True, shuffle=False
        )


def test_reports_tell_weights():
    text = str(data.describe("emoji", "labelled images", (32, 32), 3))
    assert "of 'flags' 21.81 times" in text  # 1570 / (9 * 8)
    assert "flags (8)" in text
