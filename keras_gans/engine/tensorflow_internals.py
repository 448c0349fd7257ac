"""Every private name of TensorFlow that this package uses, and what it is for."""

import itertools
import weakref

import tensorflow as tf
from tensorflow.python.framework import ops
from tensorflow.python.util import _pywrap_util_port


def release_gradients() -> None:
    """Lets gradients in the graph that is being traced go when it goes.

    For each call of `tf.custom_gradient` in a graph TensorFlow registers a function
    that holds the graph, and never forgets it: the graph is never collected. Each
    optimizer of Keras makes such a call, for the sum over replicas; so does
    `tf.nn.silu`. From here on the graph itself holds these functions.
    """
    if tf.executing_eagerly():
        return
    graph = tf.compat.v1.get_default_graph()
    registry = ops._gradient_registry._registry
    definition = graph.as_graph_def()
    called = (function.node_def for function in definition.library.function)
    old, new = getattr(graph, "custom_gradients", {}), {}
    for node in itertools.chain(definition.node, *called):
        name = node.attr["_gradient_op_type"].s.decode()
        # Other names are those of functions, which other graphs may call as well.
        single = name.startswith("CustomGradient-") and name in registry
        if single and name not in old:
            new[name] = registry[name]["type"]
            registry[name]["type"] = _weak(new[name])
    graph.custom_gradients = {**old, **new}
    weakref.finalize(graph, _forget, registry, tuple(new)).atexit = False


def has_one_dnn() -> bool:
    """Whether TensorFlow computes with oneDNN, which it decides at its import."""
    return _pywrap_util_port.IsMklEnabled()


def _weak(fn):
    reference = weakref.ref(fn)
    return lambda *args: reference()(*args)


def _forget(registry, names):
    for name in names:
        registry.pop(name, None)
