"""Packages that are installed for one kind of sample only."""

import importlib
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
