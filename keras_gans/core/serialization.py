"""A GAN as a config, and the random state that Keras does not save."""

from collections.abc import Callable
import inspect
import itertools
import math
from typing import Any

import keras
from keras import ops

from keras_gans import losses
from keras_gans.engine.keras_internals import without_values
from keras_gans.layers.mel import MelSpectrogram
from keras_gans.modalities import Modality
from keras_gans.utils import keywords
from keras_gans.utils.serialization import Configured

ROOM = 2**20  # bytes beside those of the file: counters, small files
EXPANSION = 4  # how much more may come out of a file than it holds
SERIALIZED = (
    keras.Layer,
    keras.optimizers.Optimizer,
    Configured,
    MelSpectrogram,
    Modality,
)


def constructor_arguments(cls: type, args: tuple, kwargs: dict) -> dict:
    """The arguments that a constructor is called with, by name.

    Args:
        cls: class.
        args: tuple, positional arguments.
        kwargs: dict, the others.

    Returns:
        dict, with the constructor's defaults; what goes through `**kwargs`
        stands in it by its own name.
    """
    # Not of the class: its `__new__` is (*args, **kwargs).
    signature = inspect.signature(cls.__init__)
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError:  # the constructor itself will say what is wrong
        return {}
    bound.apply_defaults()
    named = {}
    for name, value in list(bound.arguments.items())[1:]:  # but for self
        if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            named |= value
        else:
            named[name] = value
    return named


def argument_names(cls: type) -> set[str]:
    """The arguments that a class takes, those of the classes above it too.

    Args:
        cls: subclass of `keras.Model`.
    """
    own = itertools.takewhile(lambda c: c is not keras.Model, cls.__mro__)
    given = [inspect.signature(c.__init__).parameters.values() for c in own]
    various = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    names = {p.name for some in given for p in some if p.kind not in various}
    return names - {"self"}


def refuses_unknown(constructor: Callable) -> Callable:
    """A constructor that refuses arguments in the name of the class that is made.

    A GAN passes `**kwargs` on, and Python names only the class at their end.

    Args:
        constructor: an `__init__` without `**kwargs`.
    """

    def meant(self, *args):
        return type(self).__name__, argument_names(type(self))

    return keywords.refuses_unknown(constructor, meant)


def plain(value: Any) -> Any:
    """`value` with objects serialized."""
    if isinstance(value, dict):
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, (tuple, list)):
        return [plain(part) for part in value]
    if isinstance(value, losses.Objective):
        return losses.serialize(value)
    if isinstance(value, SERIALIZED):
        return keras.saving.serialize_keras_object(value)
    return value


def revive(value: Any) -> Any:
    """What `plain` was given, but for tuples, which are lists now."""
    if isinstance(value, dict):
        if "class_name" in value:
            return keras.saving.deserialize_keras_object(value)
        return {name: revive(part) for name, part in value.items()}
    if isinstance(value, list):
        return [revive(part) for part in value]
    return value


def copy(network: keras.Model, input_shapes: list[tuple[int, ...]]) -> keras.Model:
    """Another network of the same config and weights.

    Args:
        network: `keras.Model`.
        input_shapes: list of tuples of ints, one an input, without its batch
            axis.
    """
    other = type(network).from_config(network.get_config())
    if not other.built:
        inputs = [ops.zeros((1, *shape)) for shape in input_shapes]
        other(inputs if len(inputs) > 1 else inputs[0])
    other.set_weights(network.get_weights())
    return other


def check_size_of(make: Callable, limit: int) -> None:
    """Makes a model whose weights take no memory, and throws it away.

    Args:
        make: function that returns it.
        limit: int, bytes of the file that its weights are in.

    Raises:
        ValueError: it has more weights than the file can hold.
    """
    left = EXPANSION * limit + ROOM

    def check(variable):
        nonlocal left
        left -= math.prod(variable.shape)  # of a byte at least
        if left < 0:
            raise ValueError(
                f"The weight {variable.path!r} has the shape "
                f"{tuple(variable.shape)}, which the file is too small to hold."
            )

    with without_values(check):
        make()


def save_seeds(model: keras.Model, store: Any) -> None:
    """Stores where the seed generators of a model's layers stand.

    Keras saves none of them: Dropout would not resume where it was.
    """
    for i, v in enumerate(seed_states(model)):
        store[f"seed_{i}"] = ops.convert_to_numpy(v)


def load_seeds(model: keras.Model, store: Any) -> None:
    """Sets the seed generators as `save_seeds` stored them."""
    names = list(store.keys())
    for i, v in enumerate(seed_states(model)):
        if f"seed_{i}" in names:
            v.assign(store[f"seed_{i}"])


def without_seeds(store: Any) -> dict:
    """What Keras itself stored."""
    names = [name for name in store.keys() if not name.startswith("seed_")]  # noqa: SIM118, an HDF5 group
    return {name: store[name] for name in names}


def seed_states(model: keras.Model) -> list:
    """The states of the seed generators in a model's layers."""
    return [v for v in model.variables if v.path.endswith("seed_generator_state")]
