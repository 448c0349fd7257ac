"""Errors of the user's input that surface as those of a backend; whose a warning is."""

import re
import sys

INNER = {__name__.partition(".")[0], "keras", "tensorflow"}  # packages of no user


def of_input(error: Exception) -> ValueError | None:
    """The `ValueError` that Python raised within a `tf.data` pipeline.

    TensorFlow wraps it into an error of its own, with all of its traceback.

    Args:
        error: what TensorFlow raised.

    Returns:
        `ValueError` of the message alone, or `None` where it is another error.
    """
    if not type(error).__module__.startswith("tensorflow."):
        return None
    match = re.search(r"ValueError: (.*)", str(getattr(error, "message", error)))
    return ValueError(match[1]) if match else None


def outside() -> int:
    """The `stacklevel` by which a warning shows the line that called this package.

    Or that called Keras, which calls this package: `fit` and its callbacks.

    Example:

    ```python
    from keras_gans.utils.errors import outside

    outside()  # 1: this very line is not of the package
    ```
    """
    frame, level = sys._getframe(1), 1
    while (
        frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in INNER
    ):
        frame, level = frame.f_back, level + 1
    return level
