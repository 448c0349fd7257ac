"""Versions of an exported model: the next number, written whole or not at all."""

import pathlib
import re

from keras_gans.core.export import SAVED_MODEL, check_target
from keras_gans.core.gan import BaseGAN
from keras_gans.training import datasets
from keras_gans.utils import files, locks
from keras_gans.utils.types import Path

LARGEST = 2**63 - 1  # of TF Serving's version numbers


def split(path: Path) -> tuple[pathlib.Path, int | None]:
    """Takes a path apart into the folder of a model and a version.

    Args:
        path: str or path: "models/emoji", or "models/emoji/3".

    Returns:
        `(folder, version)`; the version is `None` where the path names none.

    Raises:
        ValueError: its last part is nearly a version, but no whole number.
    """
    path = pathlib.Path(path)
    name = path.name
    if re.fullmatch(r"0|[1-9][0-9]*", name) and int(name) <= LARGEST:
        return path.parent, int(name)
    if re.fullmatch(r"[vV]?[-+]?[0-9][0-9._]*", name):
        raise ValueError(
            "A version is a whole number without leading zeros, such as models/emoji/3."
            f" Received: {path}. Name the folder of the model alone, and the next "
            "version is written; models whose names are nearly numbers need others."
        )
    return path, None


def numbers(folder: Path) -> list[int]:
    """The versions in the folder of a model, the oldest first."""
    folder = pathlib.Path(folder)
    return _numbers(_visible(folder))


def _numbers(names):
    return sorted(int(name) for name in names if re.fullmatch(r"[0-9]+", name))


def check(path: Path, overwrite: bool = False) -> None:
    """Checks that a version can be written to a path, before a model is loaded.

    Raises:
        ValueError: as of `write`.
        NotWrittenError: an `OSError`: the disk is full or read-only, or the like.
    """
    folder, version = split(path)
    if version is not None:
        check_target(path, overwrite)
    else:
        _check_folder(folder, overwrite)
    files.check_writable(folder / "1")


def _check_folder(folder, overwrite):
    files.check_name(folder)
    check_target(folder / "1", overwrite=True)  # the backend
    if overwrite:
        raise ValueError(
            f"A version is overwritten. Received: overwrite=True and {folder}, "
            "which names none. Leave it out, and the next version is written; or "
            f"name one, such as {folder / '1'}."
        )
    above = folder.parent
    if any(SAVED_MODEL.is_at(above / str(number)) for number in numbers(above)):
        raise ValueError(
            f"The versions of a model are numbers. Received: {folder}, beside versions "
            f"of {above}. Leave {folder.name!r} out, and the next one is written."
        )
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"A model's versions lie in a folder. Received: {folder}, a file. "
            "Choose another path."
        )
    names = _visible(folder)  # once: another process may write the first version
    if SAVED_MODEL.is_at(folder) or (names and not _numbers(names)):
        raise ValueError(
            "A model's versions lie in a folder of its own. Received: "
            f"{folder}, which holds other files and no version. Choose another, such "
            f"as {folder / 'model'}."
        )


def write(
    gan: BaseGAN,
    path: Path,
    overwrite: bool = False,
    class_names: list[str] | None = None,
) -> pathlib.Path:
    """Exports a GAN as the next version of a model, or as the one that is named.

    It appears whole or not at all. Of several at a time each waits for the one
    before, and gets a number of its own; what a kill left half is removed.

    Args:
        gan: `BaseGAN`, on the TensorFlow backend.
        path: str or path: "models/emoji" for the next version (1, 2, ...), or
            "models/emoji/3".
        overwrite: bool, whether a version that is named is replaced.
        class_names: list of str, kept in the model's `assets.extra`.

    Returns:
        The path of the version.

    Raises:
        ValueError: the version exists or is no number, something else stands at
            the path, or the backend is not TensorFlow.

    Example:

    ```python
    from keras_gans.serving import publishing

    gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=4)
    publishing.write(gan, "models/digits")  # models/digits/1, then /2, ...
    ```
    """
    check(path, overwrite)
    folder, version = split(path)
    with locks.locked(folder, wait=True):
        files.sweep(folder)
        if version is None:
            version = max(numbers(folder), default=0) + 1
        target = folder / str(version)
        check_target(target, overwrite)
        with files.replacing(target) as temporary:
            gan.export(temporary)
            datasets.write_class_names(temporary, class_names)
    return target


def _visible(folder):
    """The names in a folder that are not hidden."""
    if not folder.is_dir():
        return []
    return [p.name for p in folder.iterdir() if p.name[0] != "."]
