"""How a GAN gives images: of codes, of seeds, and as a SavedModel."""

from typing import NamedTuple

from keras import ops
import numpy as np

from keras_gans.checks import check_networks
from keras_gans.checks import check_seed
from keras_gans.checks import is_int
from keras_gans.engine import draws

SAMPLE_BATCH = 32  # images generated at a time by `sample`


class Condition(NamedTuple):
    """An input of a generator beside the latent code.

    Args:
        name: str, as the exported model calls it.
        shape: tuple, of one row.
        dtype: str.
        low: the least value allowed.
        high: the largest value allowed.
    """

    name: str
    shape: tuple
    dtype: str
    low: float
    high: float


class Sampling:
    """Samples of the (moving average of the) generator; in `BaseGAN`."""

    conditions = ()  # what the generator takes beside z, `Condition`s
    grid_columns = None  # images a row of a grid that suit the model
    grid_legend = "samples of one set of latent codes"

    def check_networks(
        self, generator, discriminator, latent_dim, image_shape, packing
    ):
        """Checks the networks; returns `(latent_dim, image_shape)`."""
        return check_networks(
            generator,
            discriminator,
            latent_dim,
            image_shape,
            packing,
            self.conditions,
        )

    def generator_inputs(self):
        """The shape of a row of each input of the generator, in a list."""
        return [(self.latent_dim,), *(c.shape for c in self.conditions)]

    def call(self, inputs, training=False):
        """Images of latent codes `[n, latent_dim]`, by the EMA generator."""
        images = self.sampling_generator(inputs, training=training)
        return ops.cast(images, "float32")

    @property
    def sampling_generator(self):
        """The generator that samples: the moving average where there is one."""
        if self.ema_generator is None:
            return self.generator
        return self.ema_generator

    def sample(self, n, seed=0):
        """Generates images.

        Row i is a function of `(seed, i)` alone: `sample(8, seed=3)[:4]`
        equals `sample(4, seed=3)`. It is the exported model's image for the
        seed number `seed * 2**32 + i`.

        Args:
            n: int, how many.
            seed: int in [0, 2**31).

        Returns:
            float32 array `[n, height, width, channels]` in [-1, 1].

        Raises:
            ValueError: `n` is below 1 or `seed` out of range.

        Example:

        ```python
        images = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8).sample(4)
        ```
        """
        return np.concatenate(list(self.sample_batches(n, seed)))

    def sample_batches(self, n, seed=0):
        """The images of `sample` as an iterator of batches.

        So any number of them takes the memory of one batch.

        Args:
            n: int, how many.
            seed: int in [0, 2**31).

        Returns:
            An iterator of float32 arrays of at most 32 images each.

        Raises:
            ValueError: `n` is below 1 or `seed` out of range.
        """
        return self._batches(n, seed, lambda rows: [])

    def _batches(self, n, seed, conditions):
        """`sample_batches` with `conditions(rows)`, arrays of int64 `rows`."""
        check_count(n)
        check_seed(seed)
        # Batches of one size: a row then meets the same kernels whatever `n`.
        starts = range(0, n, SAMPLE_BATCH)
        return (self._rows(i, seed, conditions)[: n - i] for i in starts)

    def _rows(self, start, seed, conditions):
        rows = np.arange(start, start + SAMPLE_BATCH)
        z = draws.latents(int(seed), rows.astype("uint32"), self.latent_dim)
        more = conditions(rows)
        return self.predict_here([z, *more] if more else z)

    def shown_images(self, images, n=None):
        """`images` of `callbacks.SampleGrid`, which there are none of here.

        Raises:
            ValueError: there are some.
        """
        if images is not None:
            raise ValueError(
                f"{type(self).__name__} makes images from a seed. Received: "
                "`images` for its sample grids. Drop them."
            )

    def sample_grid(self, shown=None, n=None, seed=0, columns=None):
        """What `callbacks.SampleGrid` draws.

        Args:
            shown: what `shown_images` returned.
            n: int, how many, 64 by default.
            seed: int in [0, 2**31).
            columns: int, images a row; by default what suits the model.

        Returns:
            `(images, columns)` for `images.make_grid`.
        """
        samples = self.sample(64 if n is None else n, seed=seed)
        return samples, columns or self.grid_columns

    def export(self, filepath, overwrite=False):
        """Writes a SavedModel for TF Serving: see `serving.export`."""
        from keras_gans.serving import export

        export(self, filepath, overwrite=overwrite)


def check_count(n):
    """Checks a number of samples.

    Raises:
        ValueError: it is no positive int.
    """
    if not is_int(n) or n < 1:
        raise ValueError(f"`n` must be a positive int. Received: n={n!r}.")
