"""Values from files as text for messages: short, and made in little time."""

import re
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


def by_number(name: str) -> tuple:
    """The key that sorts names as one counts: "2.png" before "10.png".

    Args:
        name: str.

    Returns:
        tuple that is compared with those of other names.

    Example:

    ```python
    from keras_gans.utils.text import by_number

    sorted(["10.png", "2.png"], key=by_number)  # ["2.png", "10.png"]
    ```
    """
    parts = re.split("([0-9]+)", name)
    # A number of any length, by its digits without zeros before them.
    numbers = [part.lstrip("0") for part in parts[1::2]]
    parts[1::2] = [(len(digits), digits) for digits in numbers]
    return parts, name


def count_of(n: int | float, noun: str) -> str:
    """A number and its noun: "1 step", "2,000 steps", "0.5 minutes".

    Args:
        n: int or float.
        noun: str, its singular, to which an s makes the plural.

    Example:

    ```python
    from keras_gans.utils.text import count_of

    count_of(1, "step"), count_of(2000, "step")  # "1 step", "2,000 steps"
    ```
    """
    number = f"{n:,}" if n == int(n) and abs(n) < 1e15 else f"{n:g}"
    number = number.removesuffix(".0")
    return f"{number} {noun}" if n == 1 else f"{number} {noun}s"


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
