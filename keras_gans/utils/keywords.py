"""Keyword arguments that do not exist, refused with those they may mean."""

from collections.abc import Callable
import functools
import inspect
from typing import Any, TypeVar

from keras_gans.utils.suggestions import hint

# Its own type, so that editors and type checkers still know the arguments.
Function = TypeVar("Function", bound=Callable[..., Any])


def refuses_unknown(function: Function, meant: Callable | None = None) -> Function:
    """A function that refuses unknown arguments, and names the nearest.

    Args:
        function: one without `**kwargs`.
        meant: function of the positional arguments that returns what the message
            calls the function, and the arguments to suggest. By default they are
            its own.

    Returns:
        The function. It raises a `TypeError`, as Python does.
    """
    known = inspect.signature(function).parameters

    @functools.wraps(function)
    def checked(*args, **kwargs):
        for name in kwargs:
            if name not in known:
                owner, names = meant(*args) if meant else (function.__name__, known)
                raise TypeError(
                    f"{owner}() got an unexpected keyword argument {name!r}."
                    f"{hint(name, names)}"
                )
        return function(*args, **kwargs)

    return checked
