"""Packages that are installed for one kind of sample only."""

import importlib
import importlib.metadata
import pathlib
from types import ModuleType


def require(module: str, extra: str, what: str) -> ModuleType:
    """Imports an optional package.

    Args:
        module: str, what to import: "soundfile", "skimage.measure".
        extra: str, the extra of keras_gans that installs it: "audio".
        what: str, the start of a sentence on what needs it: "MP4 files".

    Returns:
        The module.

    Raises:
        ImportError: it is not installed; the message says what to type.

    Example:

    ```python
    from keras_gans.utils.optional import require

    require("wave", extra="audio", what="Sounds")  # the module `wave`
    ```
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        need = "needs" if what.startswith("The ") else "need"
        raise ImportError(
            f"{what} {need} the package {module.partition('.')[0]!r}, which "
            f"cannot be imported ({error}). Install it: "
            f"`pip install 'keras_gans[{extra}]'`."
        ) from error


def installed_file(package: str, ending: str) -> pathlib.Path | None:
    """A file that an installed package brings, found without importing it.

    Args:
        package: str, its name on PyPI.
        ending: str, the end of the file's name.

    Returns:
        `pathlib.Path`, or `None`: the package or the file is not installed.

    Example:

    ```python
    from keras_gans.utils.optional import installed_file

    installed_file("keras", "METADATA").name  # "METADATA"
    ```
    """
    try:
        files = importlib.metadata.files(package) or []
    except importlib.metadata.PackageNotFoundError:
        return None
    paths = (pathlib.Path(file.locate()) for file in files)
    return next((p for p in paths if p.name.endswith(ending) and p.is_file()), None)
