"""Copies of models in which some layers are replaced."""

from collections.abc import Callable, Iterator

import keras

from keras_gans.engine.keras_internals import is_graph


def rewritten(model: keras.Model, replace: Callable) -> keras.Model:
    """A copy of a model with other layers in place of some.

    Args:
        model: Functional or Sequential `keras.Model`, built.
        replace: function of each layer, in nested models too, that returns
            `None` for a copy with its weights, or a list of layers that are
            called in its place, one after the other; an empty one leaves it
            out.

    Returns:
        `keras.Model` of the same inputs, outputs and name.

    Example:

    ```python
    from keras_gans.layers.rewriting import rewritten

    layer = keras.layers.ReLU()
    model = keras.Sequential([keras.Input((8,)), layer])
    rewritten(model, lambda layer: [keras.layers.LeakyReLU(0.2)])
    ```
    """
    chains, pairs = {}, []

    def chain_of(layer):
        if not isinstance(layer, keras.Layer):  # an operation of keras.ops
            return [fresh(layer)]
        if isinstance(layer, keras.Model) and is_graph(layer):
            return [rewritten(layer, replace)]
        chain = replace(layer)
        if chain is None:
            chain = [fresh(layer)]
            pairs.append((layer, chain[0]))
        return chain

    def clone(layer):
        chain = chain_of(layer)
        stand_in = chain[-1] if chain else layer
        chains[id(stand_in)] = chain
        return stand_in

    def call(layer, *args, **kwargs):
        chain = chains[id(layer)]
        for before in chain[:-1]:
            args = (before(args[0]), *args[1:])
        return chain[-1](*args, **kwargs) if chain else args[0]

    if isinstance(model, keras.Sequential):
        (x,) = model.inputs
        chain = [keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name)]
        for layer in model.layers:
            chain += chain_of(layer)
        copy = keras.Sequential(chain, name=model.name)
    else:
        copy = keras.models.clone_model(model, clone_function=clone, call_function=call)
    for layer, new in pairs:
        carry_over(layer, new)
    if not model.trainable:
        copy.trainable = False
    return copy


def leaves_of(model: keras.Model) -> Iterator[keras.Layer]:
    """The layers of a model and of the models nested in it."""
    for layer in model.layers:
        if isinstance(layer, keras.Model) and is_graph(layer):
            yield from leaves_of(layer)
        else:
            yield layer


def fresh(layer: keras.Operation) -> keras.Operation:
    """A copy of a layer, or of an operation, without its weights."""
    return type(layer).from_config(layer.get_config())


def carry_over(layer: keras.Layer, copy: keras.Layer) -> None:
    """Gives `copy` the values of `layer`, random states included."""
    for old, new in zip(layer.variables, copy.variables, strict=True):
        new.assign(old)
