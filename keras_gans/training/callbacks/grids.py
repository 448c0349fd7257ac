"""Grids of samples while a GAN trains."""

from collections.abc import Callable, Sequence
import pathlib
from typing import Any

from keras_gans.training.callbacks.steps import StepCallback
from keras_gans.utils.types import Path

HEARD = 8  # sounds of a grid that TensorBoard gets


class SampleGrid(StepCallback):
    """Writes a grid of samples of one fixed set of latent codes.

    Small images are enlarged, and what rows and columns are is written beside
    them. Of a GAN that translates, it shows a fixed few images: in each row a
    source, what is made of it and the target; of CycleGAN a, G_AB(a) and what
    comes back of it, then b, G_BA(b) and what comes back.
    Where they differ in channels, they are shown in colour, on white.

    Args:
        directory: str or path; files are named `step-00000100.png`.
        every: int, steps between two grids.
        n: int, images a grid; by default 64, or the whole rows among them; of
            a GAN that translates, images of each side at most, 4 by default.
        seed: int, which latent codes, or of dropout.
        columns: int, images a row; by default a column for each class of a
            conditional GAN, and else as near to a square as leaves the fewest
            places free. Of a GAN that translates, so many images with their
            translations.
        tensorboard_dir: str or path; also writes the grid as a TensorBoard
            summary there, and of sounds the first eight (needs TensorFlow).
        images: what a GAN that translates is shown with: a pair of arrays, as
            `fit` takes them, or a data set of pairs, whose first `n` are
            taken, of the size of the very first. By default those of the
            first batch of `fit`, 16 at most; a training that goes on begins
            with another batch, so give them where grids are to be compared.
        picture: function of sources, and of sources and what is made of them,
            that gives what is to be seen: `picture` of an application.
        class_names: list of str, a name for each class of a conditional GAN.

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
        directory: Path,
        every: int = 100,
        n: int | None = None,
        seed: int = 0,
        columns: int | None = None,
        tensorboard_dir: Path | None = None,
        images: Any = None,
        picture: Callable | None = None,
        class_names: Sequence[str] | None = None,
    ):
        super().__init__(every)
        self.directory = pathlib.Path(directory)
        self.n = n
        self.seed = seed
        self.columns = columns
        self.images = images
        self.picture = picture
        self.class_names = class_names
        self._shown = None
        self._writer = None
        if tensorboard_dir is not None:
            import tensorflow as tf

            self._writer = tf.summary.create_file_writer(str(tensorboard_dir))

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        self._shown = self.model.keep_for_previews(self.images, self.n)

    def after_step(self, logs: dict) -> None:
        self.write()

    def write(self) -> None:
        """Writes the grid of this step, in the one process that writes."""
        if not self.model.engine.is_chief:
            return
        self.model.engine.sync_state()
        preview = self.model.preview(
            self.n,
            self.seed,
            self.columns,
            given=self._shown,
            picture=self.picture,
            class_names=self.class_names,
        )
        path = self.directory / f"step-{self.step:08d}.png"
        # A resumed run draws the same grid again.
        preview.save(path, overwrite=True)
        if self._writer is not None:
            import tensorflow as tf

            picture = preview.picture[None]
            with self._writer.as_default():
                tf.summary.image("samples", picture, step=self.step)
                for medium in preview.media[:HEARD]:
                    if medium.mime == "audio/wav":
                        sound, rate = tf.audio.decode_wav(medium.data)
                        name = f"samples/{pathlib.Path(medium.name).stem}"
                        tf.summary.audio(name, sound[None], int(rate), self.step)
            self._writer.flush()
