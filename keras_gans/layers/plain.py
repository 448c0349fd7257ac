"""Networks as Keras's own layers, whose files need no other package."""

from functools import partial
import itertools
from typing import Any, NamedTuple

import keras
from keras import layers, ops, tree
import numpy as np

from keras_gans.engine.keras_internals import (
    AutocastScope,
    Conv,
    ConvTranspose,
    DepthwiseConv,
    Matmul,
    graph_of,
    is_graph,
    replayed,
)
from keras_gans.layers.rewriting import carry_over, fresh
from keras_gans.utils.networks import check_built

WITH_KERNEL = (Matmul, Conv, ConvTranspose, DepthwiseConv)


class Rebuilt(layers.Layer):
    """A layer whose `call` cannot be traced, and that says what to trace instead."""

    def plain(self, inputs: Any) -> Any:
        """What `call` computes in inference.

        Args:
            inputs: Keras tensor, or a list of them.
        """
        raise NotImplementedError


def plain_keras(network: keras.Model) -> keras.Model:
    """A copy of a network that is made of Keras's own layers alone.

    Its file loads where this package is not installed, and makes the same samples.
    Layers that Keras lacks are traced, as are those of Keras with an activation, a
    constraint or the like that Keras lacks: each becomes the layers and operations of
    Keras that it consists of. What does not depend on inputs, such as the norm of a
    kernel, is computed once, also a layer's noise of a fixed shape: the copy is for
    inference, not to be trained on.

    Args:
        network: Functional or Sequential `keras.Model`, built: a generator, see
            `BaseGAN.sampling_network`, or a converted network.

    Returns:
        `keras.Model` of the same inputs, outputs and name.

    Raises:
        ValueError: the network is subclassed or not built, or has a layer that
            cannot be traced.

    Example:

    ```python
    gan = keras_gans.SNGAN((16, 16, 1), g_width=8, d_width=8)
    network = keras_gans.layers.plain_keras(gan.sampling_network())
    network.save("generator.keras")
    ```
    """
    check_built("network", network)
    if graph_of(network) is None:
        raise ValueError(
            "Only Functional and Sequential models are rebuilt from Keras's layers. "
            f"Received: {network.name} (of type {type(network).__name__})."
        )
    return _copied(network)


def _copied(model):
    graph = graph_of(model)  # a Sequential itself may have no inputs yet
    inputs = tree.map_structure(
        lambda x: keras.Input(batch_shape=x.shape, dtype=x.dtype, name=x.name),
        graph.input,
    )
    flat = tree.flatten(inputs)
    outputs = _Copy(graph, flat[0]).replay(graph, flat)
    return keras.Model(inputs, outputs, name=model.name)


class _Owner(NamedTuple):
    """The layer that an operation comes of: its name, and what it computes in."""

    name: str
    dtype: str | None


class _Copy:
    """The copy of a graph while it is made.

    Args:
        graph: what is copied.
        first: Keras tensor, the first input of the copy.
    """

    def __init__(self, graph, first):
        self.first = first
        self.names = {operation.name for operation in graph.operations}
        # By ids, each next to what has the id: it stays in memory.
        self.copies, self.kernels, self.weights = {}, {}, {}

    def replay(self, graph, inputs, owner=None):
        """The outputs of a graph, of Keras tensors of the copy."""

        def call(operation, args, kwargs):
            if not isinstance(operation, keras.Layer):
                return self._operate(operation, args, kwargs, owner)
            nested = isinstance(operation, keras.Model) and is_graph(operation)
            if nested or _is_kerass(operation):
                return self._call(operation, args, kwargs, owner, nested)
            return self._take_apart(operation, args, kwargs, owner)

        return replayed(graph, inputs, call)

    def _inlined(self, function, args, owner):
        """What a function of Keras tensors does, as operations of the copy."""
        graph = _traced(function, args, owner)
        return self.replay(graph, tree.flatten(args), owner)

    def _name(self, part, owner):
        """The name of a part; alone, it has its owner's."""
        if owner is None:
            return part
        stem = owner.name if part == owner.name else f"{owner.name}_{part}"
        numbered = (f"{stem}_{i}" for i in itertools.count(1))
        name = next(n for n in itertools.chain([stem], numbered) if n not in self.names)
        self.names.add(name)
        return name

    # --- Layers ---

    def _call(self, layer, args, kwargs, owner, nested):
        """A layer of Keras, or a nested model."""
        if id(layer) in self.copies:
            return self.copies[id(layer)][1](*args, **kwargs)
        copy = _copied(layer) if nested else fresh(layer)
        copy.name = self._name(layer.name, owner)
        outputs = copy(*args, **kwargs)
        if not nested:
            carry_over(layer, copy)
        self.copies[id(layer)] = layer, copy
        return outputs

    def _take_apart(self, layer, args, kwargs, owner):
        """A layer that Keras lacks, or that has something Keras lacks."""
        given = args, kwargs
        key = id(layer), str(tree.map_structure(_form, given))
        if key not in self.copies:
            try:
                # A copy has no faster convolutions bound, which cannot be traced.
                copy = fresh(layer)
                copy(*args, **kwargs)
                carry_over(layer, copy)
                if owner is not None:
                    copy.name = f"{owner.name}_{layer.name}"
                dtype = copy.compute_dtype if copy.autocast else None
                own = _Owner(copy.name, dtype)
                graph = _traced(partial(_called, copy), given, own)
            except (AttributeError, NotImplementedError, TypeError, ValueError) as e:
                raise ValueError(
                    f"The layer {layer.name!r} (of type {type(layer).__name__}) cannot "
                    "be rebuilt from Keras's layers: its `call` is not written with "
                    f"keras.ops alone, or asks for a size that is not known ({e}). Use "
                    "`gan.export`, which takes every layer."
                ) from e
            self.copies[key] = layer, (graph, own)
            if owner is None:
                self.names.discard(layer.name)  # which its parts may have
        graph, own = self.copies[key][1]
        return self.replay(graph, _tensors(given), own)

    # --- Operations ---

    def _operate(self, operation, args, kwargs, owner):
        own = owner or _Owner(operation.name, None)
        if isinstance(operation, WITH_KERNEL) and _is_array(args[1]):
            layer = self._with_kernel(operation, *args, own)
            if layer is not None:
                return layer(args[0])
        copy = fresh(operation)
        if owner is not None:
            copy.name = self._name(type(operation).__name__.lower(), owner)
        args, kwargs = tree.map_structure(lambda x: self._held(x, own), (args, kwargs))
        return copy(*args, **kwargs)

    def _with_kernel(self, operation, x, kernel, owner):
        """The layer that does what an operation does by a known kernel, or `None`."""
        value = _value(kernel, owner)
        make = _layer_of(operation, x, value)
        if make is None:
            return None
        key = id(kernel), str(make)
        if key not in self.kernels:
            layer = make(dtype=x.dtype, name=self._name(owner.name, owner))
            layer.build(x.shape)
            layer.kernel.assign(value)
            self.kernels[key] = kernel, layer
        return self.kernels[key][1]

    def _held(self, value, owner):
        """A constant, as a weight of the copy where it is of floats."""
        if not _is_array(value):
            return value
        tensor = _value(value, owner)
        if "float" not in _dtype(tensor):
            return tensor if isinstance(value, keras.Variable) else value
        if id(value) not in self.weights:
            index = self._index()
            size = int(np.prod(tensor.shape))
            table = layers.Embedding(1, size, dtype=_dtype(tensor), name=owner.name)
            table.build(())
            table.embeddings.assign(ops.reshape(tensor, (1, size)))
            shaped = self._inlined(
                lambda i: ops.reshape(table(i), tuple(tensor.shape)), [index], owner
            )
            self.weights[id(value)] = value, shaped
        return self.weights[id(value)][1]

    def _index(self):
        """0, as a Keras tensor of the copy, which looks weights up."""
        if None not in self.weights:
            axes = len(self.first.shape) - 1

            def zero(x):
                # A sum of zeros also where there is no row at all.
                line = ops.zeros_like(x[(slice(0, 1), *[0] * axes)], dtype="int32")
                return ops.sum(line, axis=0)

            own = _Owner("weights", None)
            self.weights[None] = None, self._inlined(zero, [self.first], own)
        return self.weights[None][1]


def _is_kerass(layer):
    """Whether Keras alone loads a layer, its activation and all else it holds."""
    if not type(layer).__module__.startswith("keras."):
        return False

    def is_known(config):
        if isinstance(config, dict):
            module = config.get("module", "keras")  # of numbers there is none
            known = module is not None and module.partition(".")[0] == "keras"
            return known and all(map(is_known, config.values()))
        return not isinstance(config, (list, tuple)) or all(map(is_known, config))

    return is_known(keras.saving.serialize_keras_object(layer))


def _tensors(given):
    return [x for x in tree.flatten(given) if isinstance(x, keras.KerasTensor)]


def _form(x):
    return (x.shape, x.dtype) if isinstance(x, keras.KerasTensor) else x


def _traced(function, given, owner):
    """The graph of what a function does with Keras tensors like those given."""

    def symbol(x):
        if not isinstance(x, keras.KerasTensor):
            return x
        return keras.Input(batch_shape=x.shape, dtype=x.dtype)

    symbols = tree.map_structure(symbol, given)
    with AutocastScope(owner.dtype):
        outputs = function(*symbols)
    return keras.Model(_tensors(symbols), outputs)


def _called(layer, args, kwargs):
    """What a layer does with Keras tensors, without a node of the layer itself."""
    policy = layer.dtype_policy
    args, kwargs = tree.map_structure(
        lambda x: policy.convert_input(x, layer.autocast, layer.input_dtype),
        (args, kwargs),
    )
    return (
        layer.plain(*args)
        if isinstance(layer, Rebuilt)
        else layer.call(*args, **kwargs)
    )


def _is_array(x):
    return isinstance(x, (keras.Variable, np.ndarray)) or ops.is_tensor(x)


def _dtype(x):
    return keras.backend.standardize_dtype(x.dtype)


def _value(x, owner):
    """A constant as its owner computes with it."""
    with AutocastScope(owner.dtype):
        return x.value if isinstance(x, keras.Variable) else ops.convert_to_tensor(x)


def _layer_of(operation, x, kernel):
    """What makes the layer that does what an operation does by a known kernel.

    `None` where there is no such layer.
    """
    if not isinstance(x, keras.KerasTensor) or x.dtype != _dtype(kernel):
        return None
    shape = tuple(kernel.shape)
    if isinstance(operation, Matmul):
        alike = len(shape) == 2 and len(x.shape) > 1
        return partial(layers.Dense, shape[-1], use_bias=False) if alike else None
    size, places = shape[:-2], len(shape) - 3
    own = {
        "strides": operation.strides,
        "padding": operation.padding,
        "data_format": operation.data_format,
        "dilation_rate": operation.dilation_rate,
        "use_bias": False,
    }
    if isinstance(operation, DepthwiseConv):
        kind = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)[places]
        return partial(kind, size, depth_multiplier=shape[-1], **own)
    if isinstance(operation, ConvTranspose):
        kinds = layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose
        own["output_padding"] = operation.output_padding
        return partial(kinds[places], shape[-2], size, **own)
    kind = (layers.Conv1D, layers.Conv2D, layers.Conv3D)[places]
    groups = x.shape[-1] // shape[-2]
    return partial(kind, shape[-1], size, groups=groups, **own)
