"""Keras files from elsewhere: no code of theirs runs, no size is believed."""

import json
import os
import re
import zipfile

import keras

from keras_gans.core import serialization
from keras_gans.utils.types import Path

CONFIG = "config.json"
WEIGHTS = "model.weights.h5"


def load_model(path: Path) -> keras.Model:
    """Loads a `.keras` file in Keras's safe mode, without its optimizers.

    Args:
        path: str or path of a file that Keras 3 wrote.

    Returns:
        `keras.Model`, not compiled.

    Raises:
        ValueError: it is no such file, it is damaged, it would run code of
            its own (Lambda layers, classes that are not known here), or it
            names more weights than it holds.
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise ValueError(f"No such file. Received: {path}.")
    if not path.endswith(".keras"):
        raise ValueError(f"A model is a .keras file. Received: {path}.{_remedy(path)}")
    size = _check_archive(path)
    try:
        _check_weights(path, size)
        model = keras.saving.load_model(path, compile=False)
    # A damaged file or one that lies may fail in any layer of Keras or h5py.
    except Exception as error:
        raise ValueError(f"Cannot load {path}. {_reason(error)}") from error
    if not isinstance(model, keras.Model):
        raise ValueError(f"{path} holds no model. Received: a {type(model).__name__}.")
    return model


def _check_archive(path):
    """The bytes of the weights in an archive that is no bomb."""
    limit = serialization.EXPANSION * os.path.getsize(path) + serialization.ROOM
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {i.filename: i.file_size for i in archive.infolist()}
    except (zipfile.BadZipFile, NotImplementedError, OSError) as error:
        raise ValueError(
            f"Not a .keras file of Keras 3, or a damaged one. Received: {path} "
            f"({error}). Save the model again (`model.save`)."
        ) from error
    if WEIGHTS not in sizes or sum(sizes.values()) > limit:
        raise ValueError(
            f"Not a .keras file as Keras writes it. Received: {path}, with "
            f"{len(sizes)} files of {sum(sizes.values())} bytes once unpacked"
            f"{'' if WEIGHTS in sizes else f', and no {WEIGHTS}'}. Save the "
            "model again (`model.save`)."
        )
    return sizes[WEIGHTS]


def _check_weights(path, size):
    """Refuses a config that names more weights than so many bytes hold.

    Each has its place in the file, so a file that names more is not whole.
    """
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read(CONFIG))
    config = {**config, "compile_config": None}
    serialization.check_size_of(
        lambda: keras.saving.deserialize_keras_object(config), size
    )


def _reason(error):
    # Keras puts each cause at the end of what it broke, after its config.
    text = " ".join(str(error).split()).rpartition("Exception encountered:")[2]
    if "safe_mode" in text or "unsafe" in text.lower():
        return (
            "It holds a Lambda layer or other code, which would run on this "
            "machine, so it is not loaded. If you trust where it comes from, "
            "load it in Python with `keras.saving.load_model(path, "
            "safe_mode=False)`, and call it there."
        )
    unknown = re.search(r"ould not locate \w+ '([^']{1,100})'", text)
    if unknown:
        return (
            f"It holds {unknown[1]!r}, which is not known here. Load it in "
            "Python where that is defined, and registered with "
            "`keras.saving.register_keras_serializable`."
        )
    return f"It is damaged or not as Keras writes it: {text[:300]}"


def _remedy(path):
    """What to do with a file of another kind."""
    if path.endswith((".pth", ".pt", ".safetensors")):
        return (
            " It looks like a checkpoint of PyTorch: `keras-gans convert "
            f"{path} --to=DIR` makes a .keras file of it."
        )
    return ""
