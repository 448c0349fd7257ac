"""Convolutions of small maps as one matrix product, on TensorFlow.

Where a map has few pixels, a convolution mostly reads its kernel. A product of
the map's patches, `[pixels, taps * channels]`, with the kernel as it lies in
memory reads it once; kernels of convolutions bring it into another order first.
"""

import functools

import numpy as np
import tensorflow as tf

from keras_gans.engine.kernels.linear import compiled, linear_pair, zero_padded


def convolve(x, kernel, stride, before, size):
    """A convolution of zero-padded images.

    Args:
        x: float `[n, height, width, c]`, of known shape.
        kernel: `[k, k, c, f]`.
        stride: int.
        before: int, rows and columns of zeros above and to the left.
        size: (height, width) of the outputs.

    Returns:
        `[n, *size, f]`
    """
    k, _, c, f = kernel.shape
    patches = Patches(k, stride, before, tuple(x.shape[1:3]), tuple(size))
    y = tf.matmul(patches.of(x), tf.reshape(kernel, (k * k * c, f)))
    return tf.reshape(y, (-1, *size, f))


def convolve_transposed(x, kernel, stride, before, size):
    """The gradient of `convolve`, of images of `size`, for its outputs `x`."""
    k, _, c, f = kernel.shape
    patches = Patches(k, stride, before, tuple(size), tuple(x.shape[1:3]))
    flat = tf.reshape(kernel, (k * k * c, f))
    return patches.added(tf.matmul(tf.reshape(x, (-1, f)), flat, transpose_b=True))


@functools.lru_cache(maxsize=256)
class Patches:
    """What each output of a convolution sees: `of` images, and its transpose.

    `added` puts patches back where they come from, one upon the other.
    """

    def __init__(self, taps, stride, before, size, output_size):
        self.taps, self.stride, self.before = taps, stride, before
        self.size, self.output_size = size, output_size
        self.of, self.added = linear_pair(self._of, compiled(self._added))

    def _of(self, x):
        k, s = self.taps, self.stride
        x = zero_padded(x, k, s, self.before, self.output_size)
        # Pixels are copied as many at a time as all outputs see together.
        joined = s if k % s == 0 else 1
        c, width = x.shape[-1], x.shape[2] // joined
        x = tf.reshape(x, (-1, x.shape[1] * width, joined * c))
        rows, columns = (np.arange(side)[:, None] for side in self.output_size)
        rows = s * rows + np.arange(k)
        columns = s // joined * columns + np.arange(k // joined)
        # Added in the graph, which would hold an array of all of them.
        seen = tf.constant(width * rows[:, None, :, None], tf.int32)
        seen += tf.constant(columns[None, :, None, :], tf.int32)
        patches = tf.gather(x, tf.reshape(seen, (-1,)), axis=1)
        return tf.reshape(patches, (-1, k * k * c))

    def _added(self, patches):
        k, s, before = self.taps, self.stride, self.before
        rows, columns = self.output_size
        c = patches.shape[-1] // k**2
        patches = tf.reshape(patches, (-1, rows, columns, k, k, c))
        steps = -(-k // s)

        def phase(p, q):
            """Pixels p and q rows and columns from a multiple of strides."""
            terms = []
            for i in range(p, k, s):
                for j in range(q, k, s):
                    down, right = i // s, j // s
                    paddings = (
                        (0, 0),
                        (down, steps - 1 - down),
                        (right, steps - 1 - right),
                        (0, 0),
                    )
                    terms.append(tf.pad(patches[:, :, :, i, j], paddings))
            return functools.reduce(tf.add, terms)

        lines = [tf.stack([phase(p, q) for q in range(s)], axis=3) for p in range(s)]
        tall, wide = s * (rows + steps - 1), s * (columns + steps - 1)
        x = tf.reshape(tf.stack(lines, axis=2), (-1, tall, wide, c))
        height, width = self.size
        x = x[:, before : before + height, before : before + width]
        missing = (height - x.shape[1], width - x.shape[2])
        return tf.pad(x, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)))
