"""Classes of unlike sizes, each shown as often as the others."""

import numpy as np
import tensorflow as tf

from keras_gans.data.pipeline import shuffled_range
from keras_gans.data.sources import Source


def balanced(source: Source) -> Source:
    """A source of as many examples an epoch, of each class as many.

    Images of small classes come several times an epoch. Those of large ones take
    turns from epoch to epoch, until all have been shown.

    Args:
        source: `Source` whose labels are known.

    Raises:
        ValueError: they are not.
    """
    if source.labels is None:
        raise ValueError(
            "`class_balanced` needs to know all labels beforehand: of a folder, an "
            f"embedded set or a tuple (array, labels). Received: {source.name}. Load "
            "its images as an array."
        )
    labels = np.asarray(source.labels)
    classes, counts = np.unique(labels, return_counts=True)
    members = np.argsort(labels, kind="stable").astype("int64")
    starts = np.cumsum(counts) - counts
    share = -(-source.size // len(classes))
    with tf.device("CPU"):
        members = tf.constant(members)
        counts, starts = (tf.constant(x, "int64") for x in (counts, starts))

    def examples(order, first):
        def member(slot):
            own, turn = slot % len(classes), slot // len(classes)
            place = (turn + order[2] * share) % counts[own]
            return tf.gather(members, starts[own] + place)

        slots = shuffled_range(source.size, order, first)
        # Of each slot, not image: what comes twice is cropped in two ways.
        return tf.data.Dataset.zip(slots, slots.map(member))

    return source._replace(examples=examples)


def weights(labels: np.ndarray) -> dict[int, float]:
    """How many times as often an image of each class is shown, balanced.

    Example:

    ```python
    from keras_gans.data.balancing import weights

    weights(np.array([0, 0, 0, 1]))  # {0: 0.67, 1: 2.0}, rounded
    ```
    """
    classes, counts = np.unique(np.asarray(labels), return_counts=True)
    ratios = len(labels) / (len(classes) * counts)
    return dict(zip(classes.tolist(), ratios.tolist(), strict=True))
