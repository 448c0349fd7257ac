"""Grids of samples while a GAN trains."""

import pathlib

from keras_gans import images
from keras_gans.callbacks.steps import StepCallback


class SampleGrid(StepCallback):
    """Writes a grid of samples of one fixed set of latent codes.

    Args:
        directory: str or path; files are named `step-00000100.png`.
        every: int, steps between two grids.
        n: int, images a grid.
        seed: int, which latent codes.
        columns: int, images a row; by default a column for each class of a
            conditional GAN, and else a square grid.
        tensorboard_dir: str or path; also writes the grid as a TensorBoard
            summary there (needs TensorFlow).

    Example:

    ```python
    grids = keras_gans.callbacks.SampleGrid("samples", every=100)
    gan.fit(dataset, epochs=50, callbacks=[grids])
    ```
    """

    def __init__(
        self,
        directory,
        every=100,
        n=64,
        seed=0,
        columns=None,
        tensorboard_dir=None,
    ):
        super().__init__(every)
        self.directory = pathlib.Path(directory)
        self.n = n
        self.seed = seed
        self.columns = columns
        self._writer = None
        if tensorboard_dir is not None:
            import tensorflow as tf

            self._writer = tf.summary.create_file_writer(str(tensorboard_dir))

    def after_step(self, logs):
        self.write()

    def write(self):
        """Writes the grid of this step."""
        self.model.sync_state()
        samples = self.model.sample(self.n, seed=self.seed)
        path = self.directory / f"step-{self.step:08d}.png"
        columns = self.columns or self.model.grid_columns
        # A resumed run draws the same grid again.
        images.save_grid(path, samples, columns, overwrite=True)
        if self._writer is not None:
            import tensorflow as tf

            grid = images.make_grid(samples, columns)
            with self._writer.as_default():
                tf.summary.image("samples", grid[None], step=self.step)
            self._writer.flush()
