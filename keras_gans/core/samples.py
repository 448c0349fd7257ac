"""What a GAN makes of seeds and of what is given for its inputs."""

from collections.abc import Iterator, Sequence

from keras import ops
import numpy as np

from keras_gans.core.inputs import Input, check_given, renamed
from keras_gans.utils.validation import check_count, check_seed

SAMPLE_BATCH = 32  # rows generated at a time by `sample`


class Samples:
    """The methods of `BaseGAN` that make samples."""

    @property
    def class_input(self) -> Input | None:
        """The input that is a class or a category, or `None`."""
        known = (i for i in self.inputs if i.dtype == "int32" and not i.shape)
        return next((i for i in known if i.high is not None), None)

    def sample(self, n: int | None = None, seed: int = 0, **given) -> np.ndarray:
        """Generates samples.

        Row i is a function of `(seed, i)` and what is given for it alone:
        `sample(8, seed=3)[:4]` equals `sample(4, seed=3)`. It is the exported
        model's sample for the seed number `seed * 2**32 + i`.

        Args:
            n: int, how many. It may be left out where `texts` are given: then
                one of each.
            seed: int in [0, 2**31).
            **given: values of the generator's inputs, one for all or `[n]` of
                them: `labels` of conditional GANs, `codes` of InfoGAN, `texts`,
                `source`, each as its `Input` says.

        Returns:
            float32 array `[n, *modality.shape]`.

        Raises:
            ValueError: `n` is below 1, `seed` out of range, or what is given
                is unknown or does not fit.

        Example:

        ```python
        samples = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8).sample(4)
        ```
        """
        given = renamed(self.inputs, given)
        n = self.texts_given(given) if n is None else n
        return np.concatenate(list(self.sample_batches(n, seed, **given)))

    def texts_given(self, given: dict) -> int | None:
        """How many sentences are among arguments of `sample`; `None` without."""
        for i in self.inputs:
            values = None if i.also is None else given.get(i.given)
            if values is not None:
                rows = np.asarray(values)
                row = 0 if rows.dtype.kind in "OSU" else len(i.shape)
                return len(rows) if rows.ndim > row else 1
        return None

    def sample_batches(self, n: int, seed: int = 0, **given) -> Iterator[np.ndarray]:
        """The samples of `sample` as an iterator of batches of at most 32.

        So any number of them takes the memory of one batch.
        """
        check_count(n)
        check_seed(seed)
        given = check_given(self.inputs, given, n)
        # Batches of one size: a row then meets the same kernels whatever `n`.
        starts = range(0, n, SAMPLE_BATCH)
        return (self._rows(i, seed, given)[: n - i] for i in starts)

    def _rows(self, start, seed, given):
        rows = np.arange(start, start + SAMPLE_BATCH)
        values = [i.rows(seed, rows, given.get(i.name)) for i in self.inputs]
        values = values if len(values) > 1 else values[0]
        return self.engine.predict_here(values)

    def seed_batches(self, seeds: Sequence[int], **given) -> Iterator[np.ndarray]:
        """One sample for each seed, row 0 of `sample(1, seed)`, in batches.

        Args:
            seeds: list of int in [0, 2**31).
            **given: as of `sample`, one for all or one for each seed.

        Returns:
            Iterator of float32 arrays `[up to 32, *modality.shape]`.

        Raises:
            ValueError: as of `sample`.

        Example:

        ```python
        gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8)
        samples = np.concatenate(list(gan.seed_batches([0, 1, 77])))
        samples.shape  # (3, 16, 16, 1)
        ```
        """
        n = len(seeds)
        check_count(n)
        seeds = [check_seed(seed) for seed in seeds]
        given = check_given(self.inputs, given, n)
        starts = range(0, n, SAMPLE_BATCH)
        return (
            self._rows_of_seeds(range(i, min(n, i + SAMPLE_BATCH)), seeds, given)
            for i in starts
        )

    def _rows_of_seeds(self, places, seeds, given):
        # Batches of one size, as in `sample_batches`.
        filled = np.resize(np.arange(len(places)), SAMPLE_BATCH)
        values = [
            np.concatenate([self._row_of(i, seeds[p], p, given) for p in places])
            for i in self.inputs
        ]
        values = [rows[filled] for rows in values]
        values = values if len(values) > 1 else values[0]
        return self.engine.predict_here(values)[: len(places)]

    def _row_of(self, i, seed, place, given):
        """Row 0 of an input, of the value that is given for a place."""
        own = given.get(i.name)
        own = None if own is None else own[place][None]
        return ops.convert_to_numpy(i.rows(seed, np.zeros(1, int), own))
