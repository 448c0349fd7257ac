"""Published configurations: what arguments are by default, by a name."""

from collections.abc import Callable
from typing import Any

from keras_gans.utils.validation import one_of


def chooser(configurations: dict[str, dict], name: str | None) -> Callable:
    """How arguments are chosen that may be left to a configuration.

    Args:
        configurations: dict of each configuration's arguments by its name.
        name: str, which of them, or `None` for none.

    Returns:
        function `(argument, given, default=None)`: `given`, or where that is
        `None` what the configuration has, or else `default`.

    Raises:
        ValueError: there is no such configuration.

    Example:

    ```python
    from keras_gans.core.configurations import chooser

    chosen = chooser({"large": {"width": 64}}, "large")
    chosen("width", None, 16)  # 64
    chosen("width", 32, 16)  # 32
    ```
    """
    arguments = {}
    if name is not None:
        arguments = configurations[one_of("configuration", name, tuple(configurations))]

    def chosen(argument: str, given: Any, default: Any = None) -> Any:
        return arguments.get(argument, default) if given is None else given

    return chosen
