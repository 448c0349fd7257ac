"""What networks end in: logits of a discriminator, values that a generator makes."""

import math
from typing import Any

import keras

from keras_gans.engine.keras_internals import (
    graph_of,
    output_index,
    outputs_structure,
    producer,
)
from keras_gans.modalities import Modality

PROBABILITIES = {
    "sigmoid",
    "softmax",
    "hard_sigmoid",
    "sparse_sigmoid",
    "sparsemax",
    "log_sigmoid",
    "log_softmax",
}
# What activations make, from the least to the most.
MADE = {
    "tanh": (-1.0, 1.0),
    "softsign": (-1.0, 1.0),
    "sigmoid": (0.0, 1.0),
    "hard_sigmoid": (0.0, 1.0),
    "sparse_sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "sparsemax": (0.0, 1.0),
    "log_sigmoid": (-math.inf, 0.0),
    "log_softmax": (-math.inf, 0.0),
    "relu": (0.0, math.inf),
    "softplus": (0.0, math.inf),
}
OPERATIONS = {name.replace("_", ""): name for name in MADE}
# Layers and operations that leave values as they are, in any order.
RESHAPING = {
    "Flatten",
    "Reshape",
    "Permute",
    "Squeeze",
    "Identity",
    *(f"Cropping{n}D" for n in (1, 2, 3)),
}
# Those that select or cast values, or average over places of one map. In
# inference dropout and noise are none.
PASSING = RESHAPING | {
    *("Activation", "ActivityRegularization", "Masking", "RepeatVector"),
    *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
    *(f"SpatialDropout{n}D" for n in (1, 2, 3)),
    *(f"UpSampling{n}D" for n in (1, 2, 3)),
    *(
        f"{form}{kind}Pooling{n}D"
        for form in ("", "Global", "Adaptive")
        for kind in ("Average", "Max")
        for n in (1, 2, 3)
    ),
    *("AveragePool", "AdaptiveAveragePool", "MaxPool", "AdaptiveMaxPool"),
    *("Mean", "Median", "Max", "Amax", "Min", "Amin", "Quantile", "Nanmean"),
    *("Cast", "SaturateCast", "StopGradient", "Copy", "Array", "ConvertToTensor"),
    *("GetItem", "Slice", "Take", "TakeAlongAxis", "Split", "Unstack", "TopK"),
    *("Ravel", "Transpose", "Moveaxis", "Swapaxes", "ExpandDims", "BroadcastTo"),
    *("Flip", "Roll", "Repeat", "Tile", "Sort", "Clip", "NanToNum"),
}
# Packages whose layers say what they end in by their `activation`.
KNOWN = {"keras", "keras_gans"}
# Those that put values of several inputs beside each other, or choose among them.
JOINING = {
    *("Concatenate", "Stack", "Hstack", "Vstack", "Append"),
    *("Average", "Maximum", "Minimum"),
}


def check_gives_logits(
    name: str,
    discriminator: keras.Model,
    output: int = 0,
    inputs: list[keras.KerasTensor] | None = None,
) -> None:
    """Refuses a discriminator that ends in a sigmoid or a softmax.

    Losses are written in logits: with probabilities they would train on, and
    badly, without a word.

    Args:
        name: str, of messages.
        discriminator: `keras.Model`.
        output: int, the place of what is to be logits, where there are several
            outputs: those of being real come first.
        inputs: list of `KerasTensor`, what it is called with: what a subclass's own
            `call` ends in is seen by them.

    Raises:
        ValueError: the discriminator ends so; the message names the layer.
    """
    layer, ending = _ending(discriminator, output, inputs)
    if ending in PROBABILITIES:
        loss = "softmax" if output else "sigmoid"
        which = f" (output {output}, of classes)" if output else ""
        raise ValueError(
            f"`{name}` ends in logits{which}: the loss applies the {loss} itself. "
            f"Received: {discriminator.name}, whose layer {layer!r} ends "
            f"in a {ending}. Leave its activation out."
        )


def check_reaches(name: str, generator: keras.Model, modality: Modality) -> None:
    """Refuses a generator whose last activation cannot make the data's values.

    Raises:
        ValueError: it ends so; the message names the layer.
    """
    layer, ending = _ending(generator)
    if modality.range is None or ending not in MADE:
        return
    (low, high), (least, most) = modality.range, MADE[ending]
    if low < least or most < high:
        raise ValueError(
            f"`{name}` cannot make the {modality.tensor_name} of the data, which "
            f"lie in [{low:g}, {high:g}]. Received: {generator.name}, whose layer "
            f"{layer!r} ends in a {ending}, from {least:g} to {most:g}. End it in "
            f"{'a tanh' if (low, high) == (-1, 1) else 'another activation'}, or "
            "give `keras_gans.BaseGAN` the modality of such samples, as "
            "keras_gans.Image(shape, range=(0, 1))."
        )


# --- Back from an output to the layer that made its values ---


def _ending(network, output=0, inputs=None):
    """The layer that makes the values of an output, and its activation: two str."""
    graph = graph_of(network)
    if graph is None and inputs is not None:
        given = [keras.Input(batch_shape=x.shape, dtype=x.dtype) for x in inputs]
        return _ending_of_call(network, given, output)
    if graph is None:
        return _last_layer(network) if output == 0 else ("", "")
    outputs = outputs_structure(graph)
    several = isinstance(outputs, (list, tuple))
    if not several and output:
        return "", ""
    if several:
        outputs = outputs[output] if output < len(outputs) else None
    if not isinstance(outputs, keras.KerasTensor):  # outputs by name, or nested
        return _last_layer(network) if output == 0 else ("", "")
    return _ending_of(outputs, ())


def _last_layer(network):
    """The same of a model that is no graph, by the order of its layers."""
    steps = getattr(network, "operations", network.layers)
    steps = [step for step in steps if type(step).__name__ not in RESHAPING]
    last = _unwrapped(steps[-1]) if steps else None
    if isinstance(last, keras.Model):
        return _ending(last)
    return getattr(last, "name", ""), _activation(last)


def _ending_of_call(step, arguments, output=0):
    """The same of an output of a layer's own `call`, which operations of Keras tell.

    Those of TensorFlow or JAX take no symbolic tensors: the order of layers is all
    that is known then.
    """
    given = arguments[0] if len(arguments) == 1 else list(arguments)
    try:
        outputs = keras.tree.flatten(step.call(given))
    except Exception:  # a user's code raises every kind
        outputs = []
    known = output < len(outputs) and isinstance(outputs[output], keras.KerasTensor)
    if known:
        return _ending_of(outputs[output], ())
    if isinstance(step, keras.Model) and output == 0:
        return _last_layer(step)
    return getattr(step, "name", ""), ""


def _ending_of(tensor, calls):
    """The same of a symbolic tensor.

    Args:
        tensor: `KerasTensor`.
        calls: tuple of pairs, the inputs of each model that the tensor stands
            in, from the outermost on, and the tensors that it was called with.
    """
    if calls:
        for own, argument in zip(*calls[-1], strict=False):
            if own is tensor:
                return _ending_of(argument, calls[:-1])
    operation, arguments = producer(tensor)
    step = _unwrapped(operation)
    if isinstance(step, keras.Model):
        graph = graph_of(step)
        if graph is None:
            return _ending_of_call(step, arguments, output_index(tensor))
        output = graph.outputs[output_index(tensor)]
        return _ending_of(output, (*calls, (graph.inputs, arguments)))
    activation, kind = _activation(step), type(step).__name__
    if activation or not arguments:
        return step.name, activation
    if kind in JOINING:
        endings = [_ending_of(x, calls) for x in arguments]
        activations = {activation for _, activation in endings}
        alike = len(activations) == 1 or activations <= PROBABILITIES
        return endings[0] if alike else (step.name, "")
    if kind in PASSING:
        return _ending_of(arguments[0], calls)
    if kind == "Lambda" or type(step).__module__.split(".")[0] not in KNOWN:
        return step.name, _ending_of_call(step, arguments)[1]
    return step.name, ""


def _unwrapped(step):
    """The layer that a wrapper, such as `TimeDistributed`, calls."""
    inner = getattr(step, "layer", None)
    if isinstance(inner, keras.Layer) and not _activation(step):
        return _unwrapped(inner)
    return step


def _activation(step: Any) -> str:
    """The name of the activation that a layer ends in, or that an operation is."""
    kind = type(step).__name__.lower()
    if kind in OPERATIONS:
        return OPERATIONS[kind]
    activation = getattr(step, "activation", None)
    if isinstance(activation, keras.Operation):
        return _activation(activation)
    activation = getattr(activation, "func", activation)  # of functools.partial
    name = getattr(activation, "__name__", "")
    return "" if name == "linear" else name
