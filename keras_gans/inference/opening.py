"""What the library has made, from where it lies: runs and `.keras` files."""

import os

import keras
from keras import layers, ops

from keras_gans.core.gan import BaseGAN
from keras_gans.inference.loading import load_model
from keras_gans.training import directories, runs
from keras_gans.utils.types import Path


def load(path: Path, best: bool = False) -> BaseGAN | keras.Model:
    """Loads the GAN of a run directory, or the model of a `.keras` file.

    No code in the file is run. A GAN of a run is compiled as it was trained; a
    model of a file is not (`keras.saving.load_model` brings back the optimizers
    of a file that you trust).

    Args:
        path: str or path of a run directory of `keras-gans train`, which is
            taken at its latest checkpoint, or of a `.keras` file.
        best: bool, take the run's checkpoint of the best score instead.

    Returns:
        `BaseGAN`, or the `keras.Model` in a file that holds one network, such
        as `convert_file` writes.

    Raises:
        ValueError: it is neither, it is damaged, or the run has no such
            checkpoint.

    Example:

    ```python
    gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8)
    gan.save("dcgan.keras")
    images = keras_gans.load("dcgan.keras").sample(4, seed=0)
    ```
    """
    if runs.is_run(path):
        return runs.open_run(path, best)[0]
    if not os.path.isfile(path):
        raise missing(path)
    if best:
        raise ValueError(
            f"Runs alone have a best checkpoint. Received: best=True, {path}. "
            "Leave it out."
        )
    return load_model(path)


def missing(path: Path) -> ValueError:
    """The error of a path without a run or file, which names those near to it."""
    found = "does not exist"
    if os.path.isdir(path):
        found = "is a directory of other files"
    return ValueError(
        f"Not a run directory, nor a .keras file. Received: {path}, which {found}."
        f"{directories.near(path, ('.keras',))} Give the --run_dir of a `keras-gans "
        "train`, or the file of a saved model (`gan.save`)."
    )


def open_gan(path: Path, best: bool = False) -> tuple[BaseGAN, int]:
    """Loads what can be sampled and exported.

    Args:
        path: see `load`; a file may also hold a generator alone.
        best: see `load`.

    Returns:
        `(gan, step)`: the GAN, and the steps it was trained.

    Raises:
        ValueError: as of `load`, or the file holds no generator of samples.
    """
    model = load(path, best)
    if not isinstance(model, BaseGAN):
        model = _around(model, path)
    return model, int(ops.convert_to_numpy(model.step))


def _around(network, path):
    """A GAN to sample with: a generator, and a discriminator nobody trains."""
    if not isinstance(network.input, keras.KerasTensor) or network.input.ndim != 2:
        raise ValueError(
            f"{path} holds no GAN, and no generator of latent codes [n, "
            f"latent_dim]. Received: the network {network.name!r}. Translators "
            f"are used by `keras-gans translate {path} PICTURES --out=DIR`."
        )
    return BaseGAN(
        network,
        lambda shape: keras.Sequential(
            [layers.Input(shape), layers.Flatten(), layers.Dense(1)]
        ),
    )
