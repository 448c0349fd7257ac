"""Values from files as text for messages: short, and made in little time."""

import reprlib
from typing import Any


class _Repr(reprlib.Repr):
    """Looks at the first few items of what is nested, and of each at its head.

    `str(value)[:80]` makes the whole text first: of a list that holds one list
    ten times, and that another, a file of a few hundred bytes makes more text
    than memory holds.
    """

    def __init__(self):
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = self.maxlong = 80

    def repr_ndarray(self, x, level):
        return f"array of shape {x.shape}"


_repr = _Repr().repr


def brief(value: Any, letters: int = 80) -> str:
    """The text of a value, cut to so many letters.

    The time it takes does not depend on how much the value holds.

    Args:
        value: str, which is cut as it is, or anything else.
        letters: int, the most letters of the result.

    Example:

    ```python
    from keras_gans.utils.text import brief

    brief([[0] * 10**6] * 10**6)  # "[[0, 0, 0, 0, 0, 0, ...], [0, 0, ...
    ```
    """
    text = value if isinstance(value, str) else _repr(value)
    return text if len(text) <= letters else f"{text[: letters - 3]}..."
