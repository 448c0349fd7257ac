"""`Recipe`: how a GAN is trained by its name.

This file imports nothing of the package: the command line reads recipes
without importing a backend.
"""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a GAN is trained by its name.

    It stands at the end of its model's or its application's file, as
    `RECIPE = Recipe(...)`, and is a literal: it is also read as text.

    Args:
        name: str, what `keras-gans train` calls it.
        model: str, the name of a class of `keras_gans.models`.
        summary: str, one line, with the paper.
        task: str, what the data is: "images", "labelled images", "pairs",
            "unpaired", or the name of an application.
        data: str, where the data is from: a source that the task loads.
        epochs: int.
        batch_size: int.
        arguments: dict, constructor arguments of the model.
        optimizers: dict of "d" and "g" (or what else the model calls its
            optimizers) to a tuple of the name of a Keras optimizer and a dict
            of its arguments; empty takes the model's own.
        data_options: dict, arguments of the task's loader that a run may
            change, with the recipe's values. Every run may change `flip`.
        paper: dict of flags to their values: the paper's recipe, which takes
            hours, as `--recipe=paper`; empty where the recipe is the paper's.
        without: tuple of str, flags that make no sense for the model: help
            leaves them out.

    Example:

    ```python
    from keras_gans.core.recipe import Recipe

    Recipe(
        name="small_dcgan",
        model="DCGAN",
        summary="A DCGAN of 16 pixels, arXiv:1511.06434",
        arguments={"image_shape": (16, 16, 3), "width": 16},
        optimizers={
            "d": ("adam", {"learning_rate": 1e-4, "beta_1": 0.5}),
            "g": ("adam", {"learning_rate": 2e-4, "beta_1": 0.5}),
        },
    )
    ```
    """

    name: str
    model: str
    summary: str
    task: str = "images"
    data: str = "emoji"
    epochs: int = 50
    batch_size: int = 32
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)
    optimizers: dict[str, tuple[str, dict]] = dataclasses.field(default_factory=dict)
    data_options: dict[str, Any] = dataclasses.field(default_factory=dict)
    paper: dict[str, Any] = dataclasses.field(default_factory=dict)
    without: tuple[str, ...] = ()
