"""Errors of the user's input that surface as those of a backend."""

import re


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
    found = re.search(r"ValueError: (.*)", str(getattr(error, "message", error)))
    return ValueError(found[1]) if found else None
