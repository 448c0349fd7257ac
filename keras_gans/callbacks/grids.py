"""Grids of samples while a GAN trains."""

import pathlib

from keras_gans import images
from keras_gans.callbacks.steps import StepCallback


class SampleGrid(StepCallback):
    """Writes a grid of samples of one fixed set of latent codes.

    Of a GAN that translates, it shows a fixed few images: in each row a
    source, what is made of it and the target; of CycleGAN a, G_AB(a) and what
    comes back of it, and in the row below b, G_BA(b) and what comes back.
    Where they differ in channels, they are shown in colour, on white.

    Args:
        directory: str or path; files are named `step-00000100.png`.
        every: int, steps between two grids.
        n: int, images a grid, 64 by default; of a GAN that translates, images
            of each side at most, 4 by default.
        seed: int, which latent codes, or of dropout.
        columns: int, images a row; by default a column for each class of a
            conditional GAN, and else a square grid. Of a GAN that translates,
            so many images with their translations, 1 by default.
        tensorboard_dir: str or path; also writes the grid as a TensorBoard
            summary there (needs TensorFlow).
        images: what a GAN that translates is shown with: a pair of arrays, as
            `fit` takes them, or a data set of pairs, whose first `n` are
            taken, of the size of the very first. By default those of the
            first batch of `fit`, 16 at most; a training that goes on begins
            with another batch, so give them where grids are to be compared.
        picture: function of sources, and of sources and what is made of them,
            that gives what is to be seen: `picture` of an application.

    Raises:
        ValueError: from `fit`: `images` are not what the GAN trains on.

    Example:

    ```python
    grids = keras_gans.callbacks.SampleGrid("samples", every=1)
    gan.fit(dataset, epochs=2, callbacks=[grids])
    ```
    """

    def __init__(
        self,
        directory,
        every=100,
        n=None,
        seed=0,
        columns=None,
        tensorboard_dir=None,
        images=None,
        picture=None,
    ):
        super().__init__(every)
        self.directory = pathlib.Path(directory)
        self.n = n
        self.seed = seed
        self.columns = columns
        self.images = images
        self._looks = {} if picture is None else {"picture": picture}
        self._shown = None
        self._writer = None
        if tensorboard_dir is not None:
            import tensorflow as tf

            self._writer = tf.summary.create_file_writer(str(tensorboard_dir))

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self._shown = self.model.shown_images(self.images, self.n)

    def after_step(self, logs):
        self.write()

    def write(self):
        """Writes the grid of this step, in the one process that writes."""
        if not self.model.is_chief:
            return
        self.model.sync_state()
        samples, columns = self.model.sample_grid(
            self._shown, self.n, self.seed, self.columns, **self._looks
        )
        path = self.directory / f"step-{self.step:08d}.png"
        # A resumed run draws the same grid again.
        images.save_grid(path, samples, columns, overwrite=True)
        if self._writer is not None:
            import tensorflow as tf

            grid = images.make_grid(samples, columns)
            with self._writer.as_default():
                tf.summary.image("samples", grid[None], step=self.step)
            self._writer.flush()
