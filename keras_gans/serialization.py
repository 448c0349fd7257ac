"""A GAN as a config, and the random state that Keras does not save."""

import inspect

import keras
from keras import ops

from keras_gans import losses


def arguments(gan, base):
    """The constructor arguments of a GAN and its parents, as a config.

    Each argument is an attribute of the same name.

    Args:
        gan: a GAN.
        base: the class whose arguments its `**kwargs` are.

    Returns:
        dict that `revive` turns back into arguments.
    """
    names = {
        name: None
        for cls in type(gan).__mro__
        if issubclass(cls, base)
        for name, p in inspect.signature(cls.__init__).parameters.items()
        if name != "self" and p.kind is not p.VAR_KEYWORD
    }
    return plain({name: getattr(gan, name) for name in names})


def plain(config):
    """`config` with objects serialized."""
    return {name: _serialize(value) for name, value in config.items()}


def revive(config):
    """`config` with objects made again."""
    return {name: _deserialize(value) for name, value in config.items()}


def _serialize(value):
    if isinstance(value, losses.Objective):
        return losses.serialize(value)
    if isinstance(value, (keras.Model, keras.optimizers.Optimizer)):
        return keras.saving.serialize_keras_object(value)
    return value


def _deserialize(value):
    if isinstance(value, dict) and "class_name" in value:
        return keras.saving.deserialize_keras_object(value)
    return value


def copy(network, input_shapes):
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


def save_seeds(model, store):
    """Stores where the seed generators of a model's layers stand.

    Keras saves none of them: Dropout would not resume where it was.
    """
    for i, v in enumerate(_seed_states(model)):
        store[f"seed_{i}"] = ops.convert_to_numpy(v)


def load_seeds(model, store):
    """Sets the seed generators as `save_seeds` stored them."""
    names = list(store.keys())
    for i, v in enumerate(_seed_states(model)):
        if f"seed_{i}" in names:
            v.assign(store[f"seed_{i}"])


def without_seeds(store):
    """What Keras itself stored."""
    names = [name for name in store.keys() if not name.startswith("seed_")]  # noqa: SIM118, an HDF5 group
    return {name: store[name] for name in names}


def _seed_states(model):
    return [
        v for v in model.variables if v.path.endswith("seed_generator_state")
    ]
