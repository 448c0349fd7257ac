"""`config.json` of a run: read, and what it holds checked."""

import json
import pathlib
from typing import Any

from keras_gans.training.options import DATA_OPTIONS, OPTIONS
from keras_gans.utils.suggestions import hint
from keras_gans.utils.validation import is_int, is_number
from keras_gans.version import __version__

# Of what a value is, by an option's type.
TYPES = {
    bool: ("true or false", lambda x: isinstance(x, bool)),
    int: ("a whole number", is_int),
    float: ("a number", is_number),
    str: ("text in quotes", lambda x: isinstance(x, str)),
}


def read(path: pathlib.Path) -> dict:
    """What a `config.json` holds: a dict with `recipe` and `arguments`.

    Raises:
        ValueError: it cannot be read, or is that of another program.
    """
    try:
        config = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read ({error}).") from error
    if not (
        isinstance(config, dict)
        and isinstance(config.get("recipe"), str)
        and isinstance(config.get("arguments"), dict)
    ):
        raise ValueError(
            f"{path} is of no run of keras-gans: that has a `recipe`, which is "
            "text, and `arguments`."
        )
    return config


def check(config: dict, usual: dict) -> None:
    """Checks the names and types of what a config holds.

    Args:
        config: dict, from `read`.
        usual: dict, the config of a run that was told nothing.

    Raises:
        ValueError: a name is unknown, or a value of another type.
    """
    for name, value in config.items():
        if name not in usual:
            raise ValueError(
                f"`{name}` is not known to keras_gans {__version__}.{hint(name, usual)}"
                f" The run was written by version {config.get('version')}: "
                "install that, or remove the line."
            )
        option = OPTIONS.get(name) or DATA_OPTIONS.get(name)
        if option is None or option.type not in TYPES:
            continue
        what, is_one = TYPES[option.type]
        optional = option.default is None and usual[name] is None
        if not is_one(value) and not (value is None and optional):
            raise ValueError(f"`{name}` must be {what}. Received: {_shown(value)}.")


def _shown(value: Any) -> str:
    return json.dumps(value)[:80]
