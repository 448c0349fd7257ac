"""Every private name of Keras that this package uses, and what it is used for.

Nothing else imports from `keras.src` or reads such an attribute, but for the
methods that the engines override. A test fails when a new Keras lacks one.
"""

from collections.abc import Callable, Iterator
import contextlib
import random
from typing import Any

import keras
from keras.src.backend.common import global_state
from keras.src.backend.common.stateless_scope import get_stateless_scope
from keras.src.backend.common.variables import AutocastScope
from keras.src.models.functional import Functional
from keras.src.ops.nn import Conv, ConvTranspose, DepthwiseConv
from keras.src.ops.numpy import Matmul
from keras.src.trainers.data_adapters import get_data_adapter
from keras.src.trainers.data_adapters.data_adapter import DataAdapter

__all__ = [
    "AutocastScope",
    "Conv",
    "ConvTranspose",
    "DataAdapter",
    "DepthwiseConv",
    "Functional",
    "Matmul",
    "adam_moments",
    "bind_moments",
    "flatten_layers",
    "get_data_adapter",
    "get_stateless_scope",
    "graph_of",
    "is_graph",
    "is_made_under",
    "keep_gradients",
    "learning_rate_of",
    "let_export",
    "nodes_of",
    "output_index",
    "outputs_structure",
    "place_of",
    "producer",
    "replayed",
    "synchronize_seed",
    "takes_training",
    "without_values",
]


# --- Layers and graphs ---


def flatten_layers(network: keras.Layer) -> list[keras.Layer]:
    """A network, the layers in it, and the layers in those."""
    return list(network._flatten_layers())


def is_graph(network: Any) -> bool:
    """Whether it is a Functional or Sequential model."""
    return isinstance(network, (keras.Sequential, Functional))


def graph_of(network: keras.Model) -> Functional | None:
    """What holds the graph of layers that `network` runs, if it runs one."""
    if type(network).call is Functional.call:
        return network
    if type(network).call is keras.Sequential.call:
        return network._functional
    return None


def nodes_of(graph: Functional) -> Iterator[Any]:
    """The calls of a graph, inputs first; inputs themselves are left out."""
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        for node in graph._nodes_by_depth[depth]:
            if node.operation and not node.is_input:
                yield node


def replayed(graph: Functional, inputs: list, call: Callable) -> Any:
    """The outputs of a graph that is run on other tensors, node by node.

    Args:
        graph: `Functional`.
        inputs: list of tensors, one for each input.
        call: function of an operation, its positional and its named arguments.
    """
    tensors = {id(x): y for x, y in zip(graph.inputs, inputs, strict=True)}
    for node in nodes_of(graph):
        outputs = call(node.operation, *node.arguments.fill_in(tensors))
        tensors |= zip(map(id, node.outputs), keras.tree.flatten(outputs), strict=True)
    return keras.tree.map_structure(lambda x: tensors[id(x)], outputs_structure(graph))


def let_export(network: keras.Model) -> None:
    """Lets a network be exported to every format before it was called.

    Keras asks for a call, which tells what a model takes; a graph knows that.
    """
    if is_graph(network):
        network._called = True


def place_of(node: Any) -> int | None:
    """Which place of axis 1 a call takes from its input, as `x[:, 3]` does."""
    key = node.arguments.args[1] if len(node.arguments.args) > 1 else None
    whole = isinstance(key, (tuple, list)) and len(key) == 2 and key[0] == slice(None)
    return key[1] if whole and isinstance(key[1], int) else None


def outputs_structure(graph: Functional) -> Any:
    """The outputs of a graph, nested as it returns them."""
    return graph._outputs_struct


def producer(tensor: keras.KerasTensor) -> tuple[keras.Operation, list]:
    """What made a symbolic tensor, and the tensors that it was called with."""
    history = tensor._keras_history
    node = history.operation._inbound_nodes[history.node_index]
    return history.operation, node.input_tensors


def output_index(tensor: keras.KerasTensor) -> int:
    """Which of the outputs of what made it a symbolic tensor is."""
    return tensor._keras_history.tensor_index


def takes_training(operation: keras.Operation) -> bool:
    """Whether a call may be given `training`: a layer's, not an operation's."""
    if not isinstance(operation, keras.Layer):
        return False
    return "training" in operation._call_context_args


def bind_moments(
    norm: keras.layers.BatchNormalization,
    combine: Callable,
    moments_of: Callable | None = None,
) -> None:
    """Lets a batch norm normalize by `combine(mean, variance)` of its batch.

    `moments_of(inputs, axes)` gives them in place of Keras's, where no mask does.
    """

    def moments(inputs, mask):
        if mask is None and moments_of is not None:
            return combine(*moments_of(inputs, tuple(norm._reduction_axes)))
        return combine(*type(norm)._moments(norm, inputs, mask))

    norm._moments = moments


# --- Optimizers ---


def adam_moments(
    optimizer: keras.optimizers.Adam, variable: keras.Variable
) -> tuple[keras.Variable, keras.Variable]:
    """The running means of a variable's gradient and of its square."""
    index = optimizer._get_variable_index(variable)
    return optimizer._momentums[index], optimizer._velocities[index]


def is_made_under(optimizer: keras.optimizers.Optimizer, strategy: Any) -> bool:
    """Whether an optimizer was made in the scope of a TensorFlow strategy."""
    return optimizer._distribution_strategy is strategy


def learning_rate_of(optimizer: keras.optimizers.Optimizer) -> Any:
    """The learning rate of an optimizer, or its schedule."""
    return getattr(optimizer, "inner_optimizer", optimizer)._learning_rate


def keep_gradients(optimizer: keras.optimizers.Optimizer) -> None:
    """Lets an optimizer take gradients as they are, not sum over replicas."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    inner._all_reduce_sum_gradients = lambda pairs: list(pairs)


# --- Variables ---


@contextlib.contextmanager
def without_values(check: Callable[[keras.Variable], None]) -> Iterator[None]:
    """Within it, this thread makes variables that take no memory.

    They have a shape, and no value. What holds them is to be thrown away.

    Args:
        check: function of a variable, called as each is made.
    """

    class Checked(list):
        def append(self, variable):
            check(variable)
            super().append(variable)

    name = "uninitialized_variables"
    before, drawn = global_state.get_global_attribute(name), random.getstate()
    global_state.set_global_attribute(name, Checked())
    try:
        with keras.StatelessScope(initialize_variables=False):
            yield
    finally:
        global_state.set_global_attribute(name, before)
        random.setstate(drawn)  # which initializers took seeds from


def synchronize_seed() -> None:
    """Gives the processes of a training by JAX one seed of Keras."""
    from keras.src.backend.jax.distribution_lib import initialize_rng

    initialize_rng()
