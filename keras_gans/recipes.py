"""One table: what each name trains, on what, and for how long."""

from collections.abc import Callable
import dataclasses
import difflib

import keras

from keras_gans.models.dcgan import DCGAN
from keras_gans.models.gan import GAN


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a GAN is trained by its name.

    Args:
        model: subclass of `BaseGAN`.
        summary: str, one line, with the paper.
        data: str, a source of `keras_gans.data.load`.
        epochs: int.
        batch_size: int.
        arguments: dict, constructor arguments of the model.
        optimizers: function that returns `(d_optimizer, g_optimizer)`; `None`
            takes the paper's.
    """

    model: type
    summary: str
    data: str = "emoji"
    epochs: int = 50
    batch_size: int = 64
    arguments: dict = dataclasses.field(default_factory=dict)
    optimizers: Callable | None = None

    def compile(self, gan, **kwargs):
        """Compiles `gan` with the recipe's optimizers."""
        optimizers = self.optimizers() if self.optimizers else (None, None)
        gan.compile(*optimizers, **kwargs)


def _adam():
    return tuple(
        keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8) for _ in range(2)
    )


RECIPES = {
    "gan": Recipe(
        GAN,
        "The multilayer perceptrons of 2014, arXiv:1406.2661",
        arguments={"image_shape": (32, 32, 3), "ema": 0.99},
        optimizers=_adam,
        epochs=100,
    ),
    "dcgan": Recipe(
        DCGAN,
        "Deep convolutional GAN, arXiv:1511.06434",
        arguments={"image_shape": (64, 64, 3), "width": 32, "ema": 0.99},
    ),
}


def get(name):
    """Returns the recipe of a name.

    Raises:
        ValueError: there is none; the nearest names are given.
    """
    if name not in RECIPES:
        near = difflib.get_close_matches(str(name), RECIPES, n=3)
        hint = f" Did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(
            f"Unknown recipe. Received: {name!r}. Expected one of "
            f"{', '.join(RECIPES)}.{hint}"
        )
    return RECIPES[name]
