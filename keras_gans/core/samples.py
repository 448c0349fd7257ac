"""What a GAN makes of seeds and of what is given for its inputs."""

from collections.abc import Iterator, Sequence
from typing import Any

from keras import ops
import numpy as np

from keras_gans.core.inputs import Input, check_given
from keras_gans.utils.validation import check_count, check_seed

SAMPLE_BATCH = 32  # rows generated at a time by `sample`


def class_input(inputs: Sequence[Input]) -> Input | None:
    """The input that is a class or a category, or `None`."""
    known = (i for i in inputs if i.dtype == "int32" and not i.shape)
    return next((i for i in known if i.high is not None), None)


def count_texts(inputs: Sequence[Input], given: dict) -> int | None:
    """How many sentences are among arguments of `sample`; `None` without."""
    for i in inputs:
        values = None if i.also is None else given.get(i.given)
        if values is not None:
            rows = np.asarray(values)
            row = 0 if rows.dtype.kind in "OSU" else len(i.shape)
            return len(rows) if rows.ndim > row else 1
    return None


def of_seed(gan: Any, n: int, seed: int, given: dict) -> Iterator[np.ndarray]:
    """Samples 0 to n - 1 of a seed: see `BaseGAN.sample_batches`."""
    check_count(n)
    check_seed(seed)
    given = check_given(gan.inputs, given, n)
    # Batches of one size: a row then meets the same kernels whatever `n`.
    starts = range(0, n, SAMPLE_BATCH)
    return (_rows(gan, i, seed, given)[: n - i] for i in starts)


def _rows(gan, start, seed, given):
    rows = np.arange(start, start + SAMPLE_BATCH)
    return _generate(gan, [i.rows(seed, rows, given.get(i.name)) for i in gan.inputs])


def of_seeds(gan: Any, seeds: Sequence[int], given: dict) -> Iterator[np.ndarray]:
    """Sample 0 of each seed: see `BaseGAN.seed_batches`."""
    n = len(seeds)
    check_count(n)
    seeds = [check_seed(seed) for seed in seeds]
    given = check_given(gan.inputs, given, n)
    starts = range(0, n, SAMPLE_BATCH)
    return (
        _rows_of_seeds(gan, range(i, min(n, i + SAMPLE_BATCH)), seeds, given)
        for i in starts
    )


def _rows_of_seeds(gan, places, seeds, given):
    # Batches of one size, as in `of_seed`.
    filled = np.resize(np.arange(len(places)), SAMPLE_BATCH)
    values = [
        np.concatenate([_row_of(i, seeds[p], p, given) for p in places])
        for i in gan.inputs
    ]
    return _generate(gan, [rows[filled] for rows in values])[: len(places)]


def _row_of(i, seed, place, given):
    """Row 0 of an input, of the value that is given for a place."""
    own = given.get(i.name)
    own = None if own is None else own[place][None]
    return ops.convert_to_numpy(i.rows(seed, np.zeros(1, int), own))


def _generate(gan, values):
    return gan.engine.predict_here(values if len(values) > 1 else values[0])
