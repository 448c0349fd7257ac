"""Convolutions that are faster in the steps of a GAN on CPUs.

With 64 channels or more on both sides: of maps of few pixels, as one matrix
product; on processors with AVX2 alone, of 3 x 3 taps, or 4 x 4 with strides of
2, by Winograd's minimal filtering, 4/9 or 9/16 of the products. On those
processors, what is left of a single image as that of its two halves. Of groups,
without XLA. Of kernels of one column, as of one row. In half precision they
compute in float32, and round to the layer's type once, on processors where
TensorFlow emulates that type's gradients; maps of "channels_first" excepted.
"""

import functools
from typing import Any

import keras
from keras import ops

from keras_gans.engine.convolutions import Convolving
from keras_gans.engine.kernels import choice, grouped, turned
from keras_gans.engine.kernels.form import Form


def call(layer: keras.layers.Conv2D, inputs: Any) -> Any:
    """`keras.layers.Conv2D`."""
    y = convolve(layer, inputs, ops.convert_to_tensor(layer.kernel))
    return _finished(layer, inputs, y)


def call_transposed(layer: keras.layers.Conv2DTranspose, inputs: Any) -> Any:
    """`keras.layers.Conv2DTranspose`."""
    kernel = ops.convert_to_tensor(layer.kernel)
    return _finished(layer, inputs, convolve_transposed(layer, inputs, kernel))


def _finished(layer, inputs, y):
    """Maps with their bias and activation, in the layer's type."""
    if y is None:
        return type(layer).call(layer, inputs)
    if layer.use_bias and choice.infers():
        y = ops.cast(y, layer.compute_dtype)
        y = ops.add(y, ops.cast(layer.bias, layer.compute_dtype))
    elif layer.use_bias:
        # Its gradient is a sum over all pixels, too long for half precision.
        y = ops.cast(y, "float32") + ops.cast(layer.bias, "float32")
    y = ops.cast(y, layer.compute_dtype)
    return y if layer.activation is None else layer.activation(y)


def convolve_maps(
    layer: Convolving, x: Any, kernel: Any, strides: int = 1, padding: str = "same"
) -> Any:
    """`Convolving.convolve`."""
    form = Form(tuple(kernel.shape[:2]), (strides, strides), padding)
    plain = functools.partial(
        Convolving.convolve, layer, strides=strides, padding=padding
    )
    y = _widened(form, x, kernel, _convolve, plain)
    return plain(x, kernel) if y is None else ops.cast(y, x.dtype)


def convolve(layer: keras.layers.Conv2D, x: Any, kernel: Any) -> Any:
    """Maps of a `Conv2D` before its bias; `None` where Keras's are due."""
    plain = functools.partial(keras.layers.Conv2D.convolution_op, layer)
    return _widened(layer, x, kernel, _convolve, plain)


def convolve_transposed(
    layer: keras.layers.Conv2DTranspose, x: Any, kernel: Any
) -> Any:
    """The same of a `Conv2DTranspose`."""
    plain = functools.partial(
        ops.conv_transpose,
        strides=list(layer.strides),
        padding=layer.padding,
        output_padding=layer.output_padding,
        dilation_rate=layer.dilation_rate,
        data_format=layer.data_format,
    )
    return _widened(layer, x, kernel, _convolve_transposed, plain)


def _widened(layer, x, kernel, implementation, plain):
    """A convolution in float32 of types that the processor lacks.

    Args:
        layer: `Conv2D` or `Conv2DTranspose`.
        x: what it is called with.
        kernel: its kernel.
        implementation: function of the three that returns maps, or `None`.
        plain: function of x and the kernel: Keras's implementation.

    Returns:
        Maps, float32 where they were computed so, or `None`.
    """
    if not choice.widens(layer, x):
        return implementation(layer, x, kernel)
    x, kernel = ops.cast(x, "float32"), ops.cast(kernel, "float32")
    y = implementation(layer, x, kernel)
    return plain(x, kernel) if y is None else y


def _convolve(layer, x, kernel):
    if choice.turns(layer, x):
        return turned.convolve(layer, x, kernel)
    if layer.groups == 1:
        return _by_choice(layer, x, kernel)
    if not choice.joins_groups(layer):
        return None
    # Without oneDNN, TensorFlow has no gradients of groups to be measured.
    y = _by_choice(layer, x, kernel) if choice.has_groups(x) else None
    return grouped.convolve(layer, x, kernel) if y is None else y


def _by_choice(layer, x, kernel):
    if None in x.shape or layer.padding not in ("same", "valid"):
        return None
    taps, stride = layer.kernel_size[0], layer.strides[0]
    sides = x.shape[1:3]
    if layer.padding == "same":
        size = tuple(-(-side // stride) for side in sides)
        before = {_zeros_before(taps, stride, side) for side in sides}
    else:
        size = tuple((side - taps) // stride + 1 for side in sides)
        before = {0}
    # Outputs further apart than they see leave pixels that none of them sees.
    if taps < stride or min(size) < 1 or len(before) > 1:
        return None
    implementation = choice.implementation(layer, x, kernel, sides, size, *before)
    if implementation is None:
        return None
    return implementation.convolve(x, kernel, stride, *before, size)


def _convolve_transposed(layer, x, kernel):
    """That of one whose maps grow by its strides."""
    if None in x.shape or layer.padding != "same":
        return None
    taps, stride = layer.kernel_size[0], layer.strides[0]
    if layer.output_padding is not None or taps < stride:
        return None
    size = tuple(stride * side for side in x.shape[1:3])
    small = tuple(x.shape[1:3])
    before = _zeros_before(taps, stride, stride)
    implementation = choice.implementation(layer, x, kernel, size, small, before)
    if implementation is None:
        return None
    return implementation.convolve_transposed(x, kernel, stride, before, size)


def _zeros_before(taps, stride, side):
    """Rows that "same" puts above: half of what is missing, rounded down."""
    missing = max((-(-side // stride) - 1) * stride + taps - side, 0)
    return missing // 2
