"""Reference weights into Keras variables: layouts, names, and one check.

A family lists pairs of a Keras layer and the prefix of its names in the
reference; `assign` does the rest, and every name must be used exactly once.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from keras import layers
import numpy as np

from keras_gans.layers.spectral import SpectralNormalization

# Blocks of a network, of any family: of the references' at most 9. A small file
# can name thousands, which take Keras hours to build.
MAX_BLOCKS = 64
MAX_LISTED = 8
MAX_LETTERS = 200


class Entry(NamedTuple):
    """One tensor of a reference and the variable that it goes to.

    Attributes:
        name: The reference's name.
        variable: The Keras variable.
        shape: The shape that the reference's tensor must have.
        convert: Function of that tensor that returns the variable's value.
    """

    name: str
    variable: Any
    shape: tuple
    convert: Callable


def vector(name, variable):
    """A tensor of one axis, or of any shape that both sides share."""
    return Entry(name, variable, tuple(variable.shape), np.asarray)


def dense(name, kernel):
    """A matrix: (out, in) of PyTorch to (in, out)."""
    return Entry(name, kernel, tuple(kernel.shape[::-1]), np.transpose)


def conv(name, kernel):
    """A convolution's kernel, of one, two or three spatial axes.

    Conv: (out, in, *space) of PyTorch to (*space, in, out). Transposed conv:
    (in, out, *space) to (*space, out, in). Both swap ends in the same way, and
    neither side flips the kernel.
    """
    *space, before_last, last = kernel.shape
    return Entry(name, kernel, (last, before_last, *space), _space_first)


def _space_first(weight):
    return np.moveaxis(weight, (0, 1), (-1, -2))


def projection(name, kernel, base):
    """A transposed convolution of a 1 x 1 map, to a matrix.

    Args:
        name: The reference's name.
        kernel: Variable (in, height * width * out), channels last.
        base: The (height, width) that the convolution makes of one pixel.
    """
    height, width = base
    latent, total = kernel.shape
    shape = (latent, total // (height * width), height, width)
    return Entry(name, kernel, shape, _channels_last_rows)


def _channels_last_rows(weight):
    return np.moveaxis(weight, 1, -1).reshape(len(weight), -1)


def batch_norm(prefix, layer):
    """The four vectors of a batch normalization."""
    return [
        vector(f"{prefix}.weight", layer.gamma),
        vector(f"{prefix}.bias", layer.beta),
        vector(f"{prefix}.running_mean", layer.moving_mean),
        vector(f"{prefix}.running_var", layer.moving_variance),
    ]


_KERNELS = {
    layers.Conv1D: conv,
    layers.Conv1DTranspose: conv,
    layers.Conv2D: conv,
    layers.Conv2DTranspose: conv,
    layers.Dense: dense,
}


def _of_kind(table, layer):
    """The value of the first class in `table` that `layer` is of."""
    for kind, value in table.items():
        if isinstance(layer, kind):
            return value
    known = ", ".join(kind.__name__ for kind in table)
    raise TypeError(
        f"Weights of {known} have names in a state dict. Received: the layer "
        f"{layer.name}, of type {type(layer).__name__}."
    )


def plain(prefix, layer, leaf="weight"):
    """The kernel, named by `leaf`, and the bias; or the embeddings."""
    if isinstance(layer, layers.Embedding):
        return [vector(f"{prefix}.{leaf}", layer.embeddings)]
    kernel_entry = _of_kind(_KERNELS, layer)
    entries = [kernel_entry(f"{prefix}.{leaf}", layer.kernel)]
    if layer.use_bias:
        entries.append(vector(f"{prefix}.bias", layer.bias))
    return entries


def spectral_norm(prefix, layer):
    """A layer under PyTorch's `torch.nn.utils.spectral_norm`."""
    weight, *bias = plain(prefix, layer.layer, "weight_orig")
    # v has W's columns: (in, *space) in PyTorch, (*space, in) here.
    _, *columns = _rows_first(weight.shape, layer.layer)

    def space_first(v):
        return np.moveaxis(v.reshape(columns), 0, -1).ravel()

    return [
        weight,
        *bias,
        vector(f"{prefix}.weight_u", layer.u),
        Entry(f"{prefix}.weight_v", layer.v, tuple(layer.v.shape), space_first),
    ]


def prelu(prefix, layer):
    """A slope a channel, the same for all pixels."""
    shape = tuple(layer.alpha.shape)
    return [
        Entry(f"{prefix}.weight", layer.alpha, shape[-1:], lambda w: w.reshape(shape))
    ]


def _rows_first(shape, layer):
    """PyTorch's shape of a kernel with the axis of outputs first."""
    if isinstance(layer, (layers.Conv1DTranspose, layers.Conv2DTranspose)):
        inputs, outputs, *space = shape
        return (outputs, inputs, *space)
    return shape


_OF_LAYER = {
    **dict.fromkeys([*_KERNELS, layers.Embedding], plain),
    layers.BatchNormalization: batch_norm,
    layers.PReLU: prelu,
    SpectralNormalization: spectral_norm,
}


def of_pairs(pairs):
    """The entries of (layer, prefix) pairs, by the type of each layer."""
    return [
        entry
        for layer, prefix in pairs
        for entry in _of_kind(_OF_LAYER, layer)(prefix, layer)
    ]


def without_filters(state, ending):
    """Leaves out the filters of resampling, which are no weights.

    Args:
        state: Dict of the reference's name to numpy array.
        ending: String. How the names of filters end.

    Raises:
        ValueError: If one is another than [1, 3, 3, 1] along both axes.
    """
    wanted = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    kept = {}
    for name, value in state.items():
        if not name.endswith(ending):
            kept[name] = value
        elif value.size != 16 or np.abs(value.reshape(4, 4) - wanted).max() > 1e-6:
            raise ValueError(
                f"{name[:MAX_LETTERS]} is the filter [1, 3, 3, 1] of resampling. "
                f"Received: another one, of shape {value.shape}."
            )
    return kept


def check(what, state, shapes):
    """Checks that `state` has the names and shapes of `shapes`, and no more.

    Args:
        what: String. The network they are for, as messages name it.
        state: Dict of the reference's name to numpy array.
        shapes: Dict of the reference's name to expected shape.

    Raises:
        ValueError: If names are missing, left over or of another shape.
    """
    wrong = [
        f"{name} has shape {state[name].shape}, expected {shape}"
        for name, shape in shapes.items()
        if name in state and state[name].shape != shape
    ]
    problems = [
        *_list("missing", [name for name in shapes if name not in state]),
        *_list("unexpected", [name for name in state if name not in shapes]),
        *_list("of another shape", wrong),
    ]
    if problems:
        raise ValueError(
            f"The weights do not fit the {what}. {' '.join(problems)} Give "
            "the configuration that they were trained with as keyword "
            "arguments, or other weights."
        )


def assign(model, state, entries):
    """Gives `model` the weights of `state`, all of them or none.

    Args:
        model: `keras.Model`, built.
        state: Dict of the reference's name to numpy array.
        entries: List of `Entry`, one for each name and each weight.

    Raises:
        ValueError: If names are missing, left over or of another shape.
        RuntimeError: If the entries leave a weight of the model out.
    """
    _check_complete(model, entries)
    check(model.name, state, {entry.name: entry.shape for entry in entries})
    for entry in entries:
        # A copy: JAX may keep the memory that it is given.
        entry.variable.assign(np.array(entry.convert(state[entry.name])))


def _check_complete(model, entries):
    """A name map that forgets a layer would leave it as initialized."""
    assigned = sorted(id(entry.variable) for entry in entries)
    if assigned != sorted(map(id, model.weights)):
        known = set(assigned)
        left = [w.path for w in model.weights if id(w) not in known]
        raise RuntimeError(
            f"The name map of {model.name!r} must have each weight once. "
            f"Left out: {left}."
        )


def _list(what, items):
    """A sentence of the first few items, or nothing."""
    if not items:
        return []
    more = len(items) - MAX_LISTED
    tail = f" and {more} more" if more > 0 else ""
    listed = "; ".join(item[:MAX_LETTERS] for item in items[:MAX_LISTED])
    return [f"{what.capitalize()}: {listed}{tail}."]
