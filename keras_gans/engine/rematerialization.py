"""Networks whose maps are forgotten and made again for the gradients."""

import math

import keras
from keras import ops

from keras_gans.engine import keras_internals
from keras_gans.engine.scopes import forgetful_scope


def call(network, inputs, rematerialized):
    """`network(inputs, training=True)` in parts, which keep their ends alone.

    A functional network of n layers is cut into about sqrt(n) parts in a row;
    one that is no graph of layers is a part as a whole.

    Args:
        network: `keras.Model`, built.
        inputs: tensor, or list or tuple of them.
        rematerialized: function of a function `fn(tensors)`, a list to a list,
            that returns one which computes the same, and `fn` once more where
            it is differentiated.

    Returns:
        What the network returns; its variables are assigned what it assigns.

    Reference:
        https://arxiv.org/abs/1604.06174, section 4.3
    """
    graph = keras_internals.graph_of(network)
    if graph is None:

        def whole(tensors):
            x = keras.tree.pack_sequence_as(inputs, tensors)
            outputs = network(x, training=True)
            structure.append(outputs)
            return keras.tree.flatten(outputs)

        structure = []
        flat = keras.tree.flatten(inputs)
        flat_outputs = _run(whole, flat, network.variables, rematerialized)
        return keras.tree.pack_sequence_as(structure[0], flat_outputs)
    flat = zip(graph.inputs, keras.tree.flatten(inputs), strict=True)
    # As the network itself would take them.
    maps = {id(x): ops.cast(value, x.dtype) for x, value in flat}
    nodes = list(keras_internals.nodes_of(graph))
    size = max(1, math.isqrt(len(nodes)))
    wanted = {id(x) for x in graph.outputs}
    for start in range(0, len(nodes), size):
        part, later = nodes[start : start + size], nodes[start + size :]
        needed = wanted | {id(x) for node in later for x in node.input_tensors}
        _run_part(part, maps, needed, rematerialized)
        maps = {key: value for key, value in maps.items() if key in needed}
    outputs = [maps[id(x)] for x in graph.outputs]
    structure = keras_internals.outputs_structure(graph)
    return keras.tree.pack_sequence_as(structure, outputs)


def _run_part(part, maps, needed, rematerialized):
    """Runs nodes on `maps`, and adds to them what is `needed` later."""
    output_ids = [id(x) for node in part for x in node.outputs]
    read = {id(x) for node in part for x in node.input_tensors} - set(output_ids)
    reads = [key for key in maps if key in read]
    gives = [key for key in dict.fromkeys(output_ids) if key in needed]
    layers = [n.operation for n in part if isinstance(n.operation, keras.Layer)]
    variables = {id(v): v for layer in layers for v in layer.variables}

    def run(tensors):
        seen = dict(zip(reads, tensors, strict=True))
        for node in part:
            args, kwargs = node.arguments.fill_in(seen)
            if keras_internals.takes_training(node.operation):
                kwargs["training"] = True
            outputs = keras.tree.flatten(node.operation(*args, **kwargs))
            for x, value in zip(node.outputs, outputs, strict=True):
                seen[id(x)] = value
        return [seen[key] for key in gives]

    tensors = [maps[key] for key in reads]
    new_maps = _run(run, tensors, list(variables.values()), rematerialized)
    maps.update(zip(gives, new_maps, strict=True))


def _run(fn, tensors, variables, rematerialized):
    """`fn(tensors)`; its assignments are made once, when all is computed."""
    n = len(tensors)
    changed = []

    def pure(tensors_and_values):
        values = tensors_and_values[n:]
        with forgetful_scope(zip(variables, values, strict=True)) as scope:
            before = [scope.get_current_value(v) for v in variables]
            outputs = fn(tensors_and_values[:n])
            after = [scope.get_current_value(v) for v in variables]
        pairs = zip(before, after, strict=True)
        changed[:] = [i for i, (old, new) in enumerate(pairs) if new is not old]
        return [*outputs, *(after[i] for i in changed)]

    # Copies: what the gradients need must not be what is assigned below.
    values = [ops.copy(v.value) for v in variables]
    results = rematerialized(pure)([*tensors, *values])
    results, updates = (
        results[: len(results) - len(changed)],
        results[len(results) - len(changed) :],
    )
    for i, value in zip(changed, updates, strict=True):
        variables[i].assign(value)
    return results
