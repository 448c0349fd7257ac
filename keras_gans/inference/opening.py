"""What the library has made, where it lies: runs, presets and `.keras` files."""

import os

import keras
from keras import layers, ops

from keras_gans.core import presets
from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Label, Latent, Truncation
from keras_gans.engine.keras_internals import graph_of, nodes_of
from keras_gans.inference.loading import load_model
from keras_gans.training import directories, runs
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Path


def load(path: Path, best: bool = False) -> BaseGAN | keras.Model:
    """Loads the GAN of a run or a preset, or the model of a `.keras` file.

    No code in the file is run. A GAN of a run is compiled as it was trained; a
    model of a file is not (`keras.saving.load_model` brings back the optimizers
    of a file that you trust).

    Args:
        path: str or path of a run directory of `keras-gans train`, which is
            taken at its latest checkpoint, of a preset (see
            `keras_gans.from_preset`; also its name, where it comes with the
            package), or of a `.keras` file.
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
    preset = is_preset(path)
    if not preset and not os.path.isfile(path):
        raise missing(path)
    if best:
        raise ValueError(
            f"Runs alone have a best checkpoint. Received: best=True, {path}. "
            "Leave it out."
        )
    return presets.from_preset(path) if preset else load_model(path)


def missing(path: Path) -> ValueError:
    """The error of a path without a run or file, which names those near to it."""
    reason = "does not exist"
    if os.path.isdir(path):
        reason = "is a directory of other files"
    near = directories.near(path, (".keras",))
    near = near or hint(str(path), presets.pretrained())
    return ValueError(
        f"No run directory, preset or .keras file. Received: {path}, which {reason}."
        f"{near} Give the --run_dir of a keras-gans train, the folder of a preset, "
        f"the .keras file of a saved model, or a preset of the package: "
        f"{', '.join(presets.pretrained())}."
    )


def is_preset(path: Path) -> bool:
    """Whether a path is that of a preset, here, in the package or on a hub."""
    known = presets.is_preset(path) or presets.is_pretrained(path)
    return known or "://" in str(path)


def recipe_of(path: Path) -> dict | None:
    """The config of a run, or of the run that a preset is of; or `None`."""
    if runs.is_run(path):
        return runs.read_config(path)
    if is_preset(path):
        directory = presets.locate(path)
        if (directory / presets.RECIPE).is_file():
            return presets.read_json(directory / presets.RECIPE)
    return None


def class_names_of(path: Path) -> list[str] | None:
    """The names of the classes of a run or a preset, where it has any."""
    if is_preset(path):
        return presets.metadata(presets.locate(path)).get("class_names")
    return (recipe_of(path) or {}).get("class_names")


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
    inputs = _inputs_of(network)
    ends = network.inputs[0], network.outputs[0]
    if inputs is None and all(x.ndim == 3 for x in ends) and ends[1].shape[-1] == 1:
        raise ValueError(
            f"{path} holds the generator of a vocoder alone, which does not tell how "
            f"its spectrograms are made. Received: the network {network.name!r}. "
            "Convert the file that it is of anew, `keras-gans convert FILE --to=DIR` "
            "without --key: the preset has both."
        )
    if inputs is None:
        raise ValueError(
            f"{path} holds no GAN, and no generator of latent codes [n, "
            f"latent_dim]. Received: the network {network.name!r}. Translators "
            f"are used by `keras-gans translate {path} PICTURES --out=DIR`."
        )
    gan = BaseGAN(
        network,
        lambda shape: keras.Sequential(
            [layers.Input(shape), layers.Flatten(), layers.Dense(1)]
        ),
        inputs=inputs,
    )
    gan.scores = False
    return gan


def _inputs_of(network):
    """What a generator alone takes: z, and perhaps a class and a truncation."""
    z, *others = network.inputs
    if z.ndim != 2 or any(x.ndim != 1 for x in others):
        return None
    inputs = [Latent(z.shape[1])]
    for x in others:
        if x.dtype == "int32":
            classes = _classes_of(graph_of(network), x)
            if classes is None:
                return None
            inputs.append(Label(classes))
        elif x.name == "truncation":
            inputs.append(Truncation())
        else:
            return None
    return tuple(inputs)


def _classes_of(graph, label):
    """How many classes the layers know that take a label; `None` if none does."""
    for node in nodes_of(graph):
        if not any(x is label for x in node.input_tensors):
            continue
        taker, inner = node.operation, None
        if isinstance(taker, keras.Model):
            inner = graph_of(taker)
        if inner is not None:
            place = [x is label for x in node.input_tensors].index(True)
            return _classes_of(inner, inner.inputs[place])
        for name in ("input_dim", "num_classes"):  # of Embedding, of one_hot
            if hasattr(taker, name):
                return getattr(taker, name)
    return None
