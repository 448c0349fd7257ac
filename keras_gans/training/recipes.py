"""Recipes by their names, and the models and optimizers that they stand for."""

import keras

from keras_gans import applications, losses, models
from keras_gans.core.gan import BaseGAN
from keras_gans.core.recipe import Recipe
from keras_gans.utils.suggestions import hint
from keras_gans.utils.validation import within

RECIPES = {**models.RECIPES, **applications.RECIPES}


def get(name: str) -> Recipe:
    """Returns the recipe of a name.

    Raises:
        ValueError: there is none; the nearest names are given.
    """
    if name not in RECIPES:
        raise ValueError(
            f"Unknown recipe. Received: {name!r}. Expected one of "
            f"{', '.join(RECIPES)}.{hint(name, RECIPES)}"
        )
    return RECIPES[name]


def model_of(recipe: Recipe) -> type[BaseGAN]:
    """The class that a recipe trains."""
    return models.CLASSES[recipe.model]


def arguments(recipe: Recipe, given: dict | None = None) -> dict:
    """A recipe's constructor arguments, changed by those `given`."""
    given = given or {}
    chosen = {**recipe.arguments, **given}
    objective = losses.get(chosen.get("objective", "non_saturating"))
    if not objective.smoothable and "label_smoothing" not in given:
        chosen.pop("label_smoothing", None)
    return chosen


def optimizers(recipe: Recipe, gan: BaseGAN) -> tuple:
    """A recipe's optimizers, or the model's own where it names none."""
    if not recipe.optimizers:
        return tuple(gan.default_optimizers())
    return tuple(
        keras.optimizers.get({"class_name": name, "config": dict(config)})
        for name, config in recipe.optimizers.values()
    )


def compile(
    recipe: Recipe,
    gan: BaseGAN,
    d_learning_rate: float | None = None,
    g_learning_rate: float | None = None,
    global_clipnorm: float | None = None,
    **options,
) -> None:
    """Compiles `gan` with a recipe's optimizers, changed as told.

    Args:
        recipe: `Recipe`.
        gan: `BaseGAN`.
        d_learning_rate: float, or `None` for the recipe's.
        g_learning_rate: float, or `None` for the recipe's.
        global_clipnorm: float, or `None` for the optimizers' own.
        **options: other arguments of `compile`.

    Raises:
        ValueError: `global_clipnorm` is out of its range.
    """
    ok = global_clipnorm is None or global_clipnorm > 0
    within("global_clipnorm", global_clipnorm, ok, "(0, inf)")
    pairs = zip(gan.optimizer_networks, optimizers(recipe, gan), strict=True)
    by_name = dict(pairs)
    if global_clipnorm is not None:
        for optimizer in by_name.values():
            optimizer.global_clipnorm = global_clipnorm
    for name, rate in (("d", d_learning_rate), ("g", g_learning_rate)):
        if rate is not None:
            by_name[name].learning_rate = rate
    options |= {f"{name}_optimizer": o for name, o in by_name.items()}
    gan.compile(**options)
