"""Applications: thin recipes over the GANs, by name and arguments."""

import dataclasses
from typing import Any

from keras_gans.applications import augmentation, colorization, inpainting, lab, masks
from keras_gans.applications.augmentation import augment_images, augment_table
from keras_gans.applications.colorization import Colorization
from keras_gans.applications.inpainting import Inpainting
from keras_gans.utils.suggestions import hint

__all__ = [
    "APPLICATIONS",
    "RECIPES",
    "Colorization",
    "Inpainting",
    "augment_images",
    "augment_table",
    "augmentation",
    "get",
    "lab",
    "masks",
]

APPLICATIONS = {"colorization": Colorization, "inpainting": Inpainting}
RECIPES = {module.RECIPE.name: module.RECIPE for module in (colorization, inpainting)}


def get(name: str, **arguments) -> Colorization | Inpainting:
    """Makes an application by its name.

    Both are what JSON can hold: `dataclasses.asdict` gives the arguments back.

    Args:
        name: str, one of `APPLICATIONS`.
        **arguments: of its class.

    Returns:
        An application: it has `gan`, `load`, `pairs`, `pair`, `apply`,
        `on_files` and `picture`.

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
    cls = APPLICATIONS[name]
    known = argument_names(name)
    unknown = [argument for argument in arguments if argument not in known]
    if unknown:
        raise ValueError(
            f"{cls.__name__} takes {', '.join(known) or 'no arguments'}. "
            f"Received: {', '.join(unknown)}.{hint(unknown[0], known)}"
        )
    return cls(**arguments)


def argument_names(name: str) -> list:
    """The names of the arguments that an application takes."""
    return [field.name for field in dataclasses.fields(APPLICATIONS[name])]


def check_file_options(
    application: Colorization | Inpainting | None, options: dict, model: Any
) -> None:
    """Checks the options of a translation of files.

    Args:
        application: that of the model, or `None`.
        options: dict of names to values.
        model: what the user named, for the message.

    Raises:
        ValueError: the application does not take one of them.
    """
    for option, value in options.items():
        if application is None or option not in application.file_options:
            owners = [
                name
                for name, owner in APPLICATIONS.items()
                if option in owner.file_options
            ]
            raise ValueError(
                f"`{option}` is for runs of {', '.join(owners)}. Received: "
                f"{option}={value!r} with {model}. Drop it."
            )
