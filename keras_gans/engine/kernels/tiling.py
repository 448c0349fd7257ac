"""Convolutions of one image as of its two halves, on TensorFlow.

For a single image oneDNN multiplies patches of it by the kernel as it lies in
memory; for more it has a faster way, which two halves of one image get too.
Gradients are those of the whole image, for which it makes no such difference.
"""

import tensorflow as tf

from keras_gans.engine.kernels.linear import zero_padded


def convolve(x, kernel, stride, before, size):
    """A convolution of a zero-padded image.

    Args:
        x: float `[1, height, width, c]`, of known shape.
        kernel: `[k, k, c, f]`.
        stride: int.
        before: int, rows and columns of zeros above and to the left.
        size: (height, width) of the outputs.

    Returns:
        `[1, *size, f]`
    """
    k = kernel.shape[0]
    x = zero_padded(x, k, stride, before, size)
    options = {"strides": [1, stride, stride, 1], "padding": "VALID"}

    @tf.custom_gradient
    def convolved(x, kernel):
        def gradient(dy):
            arguments = {"out_backprop": dy, **options}
            return (
                tf.raw_ops.Conv2DBackpropInput(
                    input_sizes=x.shape, filter=kernel, **arguments
                ),
                tf.raw_ops.Conv2DBackpropFilter(
                    input=x, filter_sizes=kernel.shape, **arguments
                ),
            )

        halves = _halves(x, k, stride, size[0])
        y = tf.nn.conv2d(halves, kernel, **options)
        # Halves lie one after the other, as rows of an image do.
        y = tf.reshape(y, (1, -1, *y.shape[2:]))
        return y[:, : size[0]], gradient

    return convolved(x, tf.convert_to_tensor(kernel))


def _halves(x, taps, stride, rows):
    """The rows that each half of `rows` of outputs sees: a batch of two."""
    half = -(-rows // 2)
    seen = stride * (half - 1) + taps
    upper, lower = x[:, :seen], x[:, stride * half :]
    missing = seen - lower.shape[1]
    lower = tf.pad(lower, ((0, 0), (0, missing), (0, 0), (0, 0)))
    return tf.concat([upper, lower], axis=0)
