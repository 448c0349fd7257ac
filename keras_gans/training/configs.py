"""`config.json` of a run: read, and what it holds checked and compared."""

import json
import pathlib
from typing import Any

from keras_gans.training import lengths
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

# What a resumed run may be told anew: none of it touches the numbers.
MUTABLE = (
    *lengths.LENGTHS,
    "checkpoint_every",
    "sample_every",
    "evaluate_every",
    "data_dir",
    "kernels",
    "strategy",
    "version",
)


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


def check_same(run_dir: pathlib.Path, old: dict, new: dict) -> None:
    """Checks that a run is resumed as it was started.

    Args:
        run_dir: path.
        old: dict, the config that it was started with.
        new: dict, the one that it is resumed with.

    Raises:
        ValueError: they differ in what decides on the numbers: each flag is named.
    """
    if old["recipe"] != new["recipe"]:
        raise ValueError(
            f"{run_dir} holds a run of the recipe {old['recipe']}. Received: "
            f"{new['recipe']}. Go on by `keras-gans train {old['recipe']} "
            f"--run_dir={run_dir} --resume`, or choose another --run_dir."
        )
    before, now = ({**c, **c["arguments"], "arguments": None} for c in (old, new))
    differ = [
        f"\n  {typed(name, value)}, where the run has {typed(name, before.get(name))}"
        for name, value in now.items()
        if name not in MUTABLE and before.get(name) != value
    ]
    if differ:
        raise ValueError(
            f"The run in {run_dir} was started with other flags, so it cannot be "
            f"resumed exactly. Received:{''.join(differ)}\nLeave them out, as they "
            "are read from the run; or start in another --run_dir."
        )


def typed(name: str, value: Any) -> str:
    """A flag as one types it: --flip, --no-flip, --width=2, --image_shape=8,8,3."""
    option = OPTIONS.get(name)
    if option is not None and option.type is bool:
        return f"--{name}" if value else f"--no-{name}"
    if value is None:
        value = "none"
    elif isinstance(value, bool):
        value = "on" if value else "off"
    elif isinstance(value, (list, tuple)):
        value = ",".join(map(str, value))
    return f"--{name}={value}"
