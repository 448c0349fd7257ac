"""One file a GAN: its class and how it trains.

A GAN is known by its file in this folder: its classes become attributes of this
package, and the `RECIPE` at its end what `keras-gans train` takes by name.
"""

import importlib
import pkgutil

from keras_gans.core.gan import BaseGAN

CLASSES = {}
RECIPES = {}
for _file in pkgutil.iter_modules(__path__):
    _module = importlib.import_module(f"{__name__}.{_file.name}")
    for _class in vars(_module).values():
        own = getattr(_class, "__module__", None) == _module.__name__
        if own and isinstance(_class, type) and issubclass(_class, BaseGAN):
            CLASSES[_class.__name__] = _class
    RECIPES[_module.RECIPE.name] = _module.RECIPE
globals().update(CLASSES)

__all__ = ["CLASSES", "RECIPES", *CLASSES]
