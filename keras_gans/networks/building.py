"""What every builder of networks checks before anything takes memory."""

from collections.abc import Callable
import functools
import inspect
import math
import os

import keras

from keras_gans.engine.keras_internals import flatten_layers, without_values
from keras_gans.utils.validation import is_int

LARGE = 2**20  # numbers of an image from which a network is measured first
FLOAT = 4  # bytes


def builder(function: Callable) -> Callable:
    """A function of an `image_shape` that builds a network, if it can be trained.

    Raises:
        ValueError: images have their channels first, or the network would take
            more memory than there is.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def build(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        shape = bound.arguments["image_shape"]
        if isinstance(shape, (tuple, list)) and len(shape) > 1:
            check_channels_last()
            sides = [side for side in shape if is_int(side)]
            if math.prod(sides) >= LARGE:
                _check_memory(function, bound, tuple(shape))
        return function(*args, **kwargs)

    return build


def check_channels_last() -> None:
    """Refuses to build networks of images that have their channels first.

    Raises:
        ValueError: Keras is set so.
    """
    if keras.config.image_data_format() != "channels_last":
        raise ValueError(
            "Images are [n, height, width, channels]. Received: "
            "image_data_format='channels_first'. Set it to 'channels_last' "
            "(`keras.config.set_image_data_format('channels_last')`), or change it "
            "in keras.json."
        )


def _check_memory(function, bound, shape):
    """Builds the network without its weights, and counts what it would hold."""
    memory, weights = _memory(), 0

    def check(variable):
        nonlocal weights
        weights += math.prod(variable.shape)
        if FLOAT * weights > memory:
            _refuse(function, shape, memory, weights, 0)

    with without_values(check):
        network = function(*bound.args, **bound.kwargs)
        outputs = [
            math.prod(side for side in x.shape[1:] if side)
            for layer in flatten_layers(network)
            if not isinstance(layer, (keras.Model, keras.layers.InputLayer))
            for x in keras.tree.flatten(layer.output)
        ]
    if FLOAT * (weights + sum(outputs)) > memory:
        _refuse(function, shape, memory, weights, sum(outputs))


def _refuse(function, shape, memory, weights, maps):
    needs = [f"{_size(weights)} for its weights"]
    if maps:
        needs.append(f"{_size(maps)} for the maps of one image")
    raise ValueError(
        f"`{function.__name__}` would take at least {' and '.join(needs)}, each "
        "several times in training. Received: image_shape="
        f"{shape}, and a machine of {_size(memory / FLOAT)}. Choose smaller "
        "images, or a smaller width."
    )


def _size(numbers):
    size = FLOAT * numbers
    for unit in ("kB", "MB", "GB", "TB", "PB"):
        size /= 1000
        if size < 1000 or unit == "PB":
            return f"{size:.3g} {unit}"


def _memory():
    """The bytes of this machine's memory."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not a POSIX system
        return 2**40
