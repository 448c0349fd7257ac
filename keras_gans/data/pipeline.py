"""Epochs, orders and batches: the parts of a pipeline that know no pixels.

Every random choice is a function of the seed, the epoch and the example's
index, so that a pipeline can start at any batch of its endless sequence.
"""

import functools
import itertools
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans.data.python_calls import python_call

BLOCK = 1024


class Batching(NamedTuple):
    """How the examples of epochs become batches.

    Attributes:
        batch_size: examples of a batch.
        drop_remainder: whether to leave out an epoch's last, short batch.
        repeat: `True`: endless. `False`: each iteration is one epoch, the one after
            that of the iteration before.
        start: batches to skip, without preparing them.
    """

    batch_size: int
    drop_remainder: bool
    repeat: bool
    start: int

    def sizes(self, examples: int) -> list[int]:
        """The sizes of the batches of an epoch of so many examples."""
        full, rest = divmod(examples, self.batch_size)
        short = rest and not self.drop_remainder
        return [self.batch_size] * full + [rest] * bool(short)


def seed_key(seed):
    """Returns the int32 `[2]` key of a seed, any non-negative integer."""
    words = np.random.SeedSequence(seed).generate_state(2)
    return tf.constant(words.astype("int32"))


def example_seeds(key, epoch, index, count):
    """Returns int32 `[count, 2]` seeds for one example in one epoch."""
    seed = tf.random.fold_in(tf.random.fold_in(key, epoch), index)
    return tf.random.split(seed, count)


def epoch_order(key, epoch):
    """Returns the int64 `[3]` seed of an epoch's order."""
    return tf.concat([tf.cast(key, "int64"), [epoch]], axis=0)


def shuffled_range(size, order, first):
    """Returns the dataset of a permutation of `range(size)`, from `first` on.

    Args:
        size: a Python integer.
        order: seed of the permutation, from `epoch_order`; `None`: sorted.
        first: how many indices to skip.
    """
    positions = tf.data.Dataset.range(first, size)
    if order is None:
        return positions

    def permute(positions):
        # `index_shuffle` itself takes 4 rounds of this cipher, which leaves
        # neighbours in large orders correlated; 16 rounds do not.
        return tf.raw_ops.RandomIndexShuffle(
            index=positions,
            seed=order,
            max_index=tf.constant(size - 1, "int64"),
            rounds=16,
        )

    # in blocks: a call for each index would hold up the pipeline
    return positions.batch(BLOCK).map(permute).unbatch()


def shuffled_stream(dataset, buffer, order):
    """Returns a dataset shuffled through a buffer.

    `Dataset.shuffle` mixes TensorFlow's global seed into its own; the
    operation below it takes the seed alone.

    Args:
        dataset: a `tf.data.Dataset`.
        buffer: elements held at once.
        order: seed of the order, from `epoch_order`.
    """
    seed = tf.cast(tf.random.fold_in(order[:2], order[2]), "int64")
    flat = tf.nest.flatten(dataset.element_spec)
    shuffled = tf.raw_ops.ShuffleDataset(
        input_dataset=tf.data.experimental.to_variant(dataset),
        buffer_size=tf.constant(buffer, "int64"),
        seed=seed[0],
        seed2=seed[1],
        output_types=[spec.dtype for spec in flat],
        output_shapes=[spec.shape for spec in flat],
        reshuffle_each_iteration=False,
    )
    return tf.data.experimental.from_variant(shuffled, dataset.element_spec)


def repeated(examples, key, *, size, length, epoch, first):
    """Returns an epoch's examples of a source that it may pass repeatedly.

    Args:
        examples: function `(order, first)` of a source, see `Source`.
        key: key of the orders, each pass having its own; `None`: sorted.
        size: examples of one pass.
        length: examples of the epoch, at least `size`.
        epoch: int64 scalar.
        first: int64 scalar, how many examples of the epoch to skip.

    Returns:
        A dataset of `(number, example)`, `number` that of the pass, int64: no
        pass of any epoch has the number of another.
    """
    passes = -(-length // size)
    first_pass = epoch * passes + first // size

    def one_pass(number):
        order = None if key is None else epoch_order(key, number)
        skipped = tf.where(number == first_pass, first % size, 0)
        numbers = tf.data.Dataset.from_tensors(number).repeat()
        return tf.data.Dataset.zip(numbers, examples(order, skipped))

    numbers = tf.data.Dataset.range(first_pass, (epoch + 1) * passes)
    return numbers.flat_map(one_pass).take(length - first)


def batches(examples, prepare, size, batching, parallel=None):
    """Returns the batches of successive epochs.

    Args:
        examples: function `(epoch, first)`: the dataset of an epoch's
            examples without the `first` ones.
        prepare: function of `(epoch, example)`: what a batch is made of.
        size: examples of an epoch.
        batching: `Batching`.
        parallel: examples prepared at once; `None`: what is fastest.
    """
    batch_size, drop_remainder, repeat, start = batching
    sizes = batching.sizes(size)
    first_epoch, skipped = divmod(start, len(sizes))

    def one_epoch(epoch):
        first = tf.where(epoch == first_epoch, skipped * batch_size, 0)
        first = tf.cast(first, "int64")
        dataset = examples(epoch, first).take(sum(sizes) - first)
        epoch = tf.data.Dataset.from_tensors(epoch).repeat()
        return tf.data.Dataset.zip(epoch, dataset)

    epochs = _endless_epochs if repeat else _one_epoch_an_iteration
    dataset = epochs(first_epoch).flat_map(one_epoch)
    dataset = dataset.map(
        prepare, num_parallel_calls=parallel or tf.data.AUTOTUNE, deterministic=True
    )
    dataset = dataset.batch(batch_size, drop_remainder=drop_remainder)
    if repeat and sizes[-1] != batch_size:
        # the short batch ends each epoch, not the endless sequence
        dataset = dataset.rebatch(np.roll(sizes, -skipped))
    length = tf.data.INFINITE_CARDINALITY if repeat else len(sizes)
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(length))
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(_options())


def batches_of_indices(size, prepare, batching, key, shuffle):
    """Returns the batches of what is known by its index in `range(size)`.

    Args:
        size: examples of an epoch.
        prepare: function of `(epoch, index)`, see `batches`.
        batching: `Batching`.
        key: key of the orders, from `seed_key`.
        shuffle: whether each epoch has an order of its own; else indices are sorted.
    """
    examples = _ordered(functools.partial(shuffled_range, size), key, shuffle)
    return batches(examples, prepare, size, batching)


def batches_of_source(source, prepare, batching, key, shuffle):
    """Returns the batches of the examples of a `Source`; see `batches_of_indices`."""
    examples = _ordered(source.examples, key, shuffle)
    return batches(examples, prepare, source.size, batching, source.parallel)


def _ordered(examples, key, shuffle):
    """The dataset of an epoch of a function `(order, first)` of a source."""

    def of_epoch(epoch, first):
        return examples(epoch_order(key, epoch) if shuffle else None, first)

    return of_epoch


def _endless_epochs(first):
    return tf.data.Dataset.counter(start=tf.constant(first, "int64"))


def _one_epoch_an_iteration(first):
    numbers = itertools.count(first)

    def number(_):
        call = python_call(lambda: np.int64(next(numbers)), [], "int64", True)
        return tf.ensure_shape(call, [])

    # (`from_generator` calls Python when an iterator is deleted, too.)
    return tf.data.Dataset.from_tensors(0).map(number)


def _options():
    options = tf.data.Options()
    # Workers that shared out the files would each see their own order.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    return options
