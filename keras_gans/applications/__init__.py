"""Applications: thin recipes over the GANs, by name and arguments."""

import dataclasses

from keras_gans.applications import lab
from keras_gans.applications import masks
from keras_gans.applications.colorization import Colorization
from keras_gans.applications.inpainting import Inpainting
from keras_gans.names import hint

__all__ = ["APPLICATIONS", "Colorization", "Inpainting", "get", "lab", "masks"]

APPLICATIONS = {"colorization": Colorization, "inpainting": Inpainting}


def get(name, **arguments):
    """Makes an application by its name.

    Both are what JSON can hold: `dataclasses.asdict` gives the arguments back.

    Args:
        name: str, one of `APPLICATIONS`.
        **arguments: of its class.

    Returns:
        An application: it has `gan`, `pairs`, `pair` and `apply`.

    Raises:
        ValueError: there is none of that name, or it has no such argument.

    Example:

    ```python
    keras_gans.applications.get("inpainting", kind="rectangle")
    ```
    """
    if name not in APPLICATIONS:
        raise ValueError(
            f"Unknown application. Received: {name!r}. Expected one of "
            f"{', '.join(APPLICATIONS)}.{hint(name, APPLICATIONS)}"
        )
    made = APPLICATIONS[name]
    known = [field.name for field in dataclasses.fields(made)]
    unknown = [argument for argument in arguments if argument not in known]
    if unknown:
        raise ValueError(
            f"{made.__name__} takes {', '.join(known) or 'no arguments'}. "
            f"Received: {', '.join(unknown)}.{hint(unknown[0], known)}"
        )
    return made(**arguments)
