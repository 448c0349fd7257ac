"""Convolutions by fewer products: Winograd's minimal filtering, on TensorFlow.

Two rows and two columns of outputs at a time, F(2 x 2, r x r) of
https://arxiv.org/abs/1509.09308, sections 3 and 4.1:

    Y = A^T [(G g G^T) * (B^T d B)] A

d is a tile of r + 1 rows and columns of the input, g a filter of r x r taps, *
the product of each number with its own. Over all tiles and channels that is one
matrix product for each of the (r + 1)^2 numbers of a tile: 9 for every 16 of a
convolution of 2 x 2 taps, 16 for every 36 of one of 3 x 3.

A convolution with strides of 2 and 4 x 4 taps is one of 2 x 2 taps over the
four phases of its input. The transposed one is its gradient, made of the same
parts.

B, G and A hold 0, 1 and 1/2, so that rounding stays that of a convolution. Each
transform is linear, and its gradient is its transpose: penalties differentiate
these convolutions as often as they like.
"""

import functools
import math

import tensorflow as tf

from keras_gans.engine.kernels.linear import compiled, linear_pair, zero_padded

KINDS = ((3, 1), (4, 2))  # (taps, strides)
# F(2, r), of r taps: B^T, G, A^T
_F = {
    2: (
        ((1, -1, 0), (0, 1, 0), (0, 1, -1)),
        ((1, 0), (1, 1), (0, 1)),
        ((1, 1, 0), (0, 1, -1)),
    ),
    3: (
        ((1, 0, -1, 0), (0, 1, 1, 0), (0, -1, 1, 0), (0, 1, 0, -1)),
        ((1, 0, 0), (0.5, 0.5, 0.5), (0.5, -0.5, 0.5), (0, 0, 1)),
        ((1, 1, 1, 0), (0, 1, -1, -1)),
    ),
}


def convolve(x, kernel, stride, before, size):
    """A convolution of zero-padded images.

    Args:
        x: float `[n, height, width, c]`, of known shape.
        kernel: `[4, 4, c, f]` for a stride of 2, `[3, 3, c, f]` for 1.
        stride: 1 or 2.
        before: int, rows and columns of zeros above and to the left.
        size: (height, width) of the outputs.

    Returns:
        `[n, *size, f]`
    """
    transforms = Transforms(stride, before, tuple(x.shape[1:3]), tuple(size))
    products = zip(
        transforms.inputs(x),
        transforms.kernels(tf.convert_to_tensor(kernel)),
        strict=True,
    )
    return transforms.outputs(*(tf.matmul(v, u) for v, u in products))


def convolve_transposed(x, kernel, stride, before, size):
    """The gradient of `convolve`, of images of `size`, for its outputs `x`."""
    transforms = Transforms(stride, before, tuple(size), tuple(x.shape[1:3]))
    pairs = zip(
        transforms.outputs_of(x),
        transforms.kernels(tf.convert_to_tensor(kernel)),
        strict=True,
    )
    parts = (tf.matmul(m, u, transpose_b=True) for m, u in pairs)
    return transforms.inputs_of(*parts)


@functools.lru_cache(maxsize=256)
class Transforms:
    """The transforms between images of two sizes, and their transposes.

    Tiles are matrices `[n * tiles, channels]`, (r + 1)^2 of them; those of
    inputs have `stride^2` times the channels of an image, a part a phase.
    """

    def __init__(self, stride, before, size, output_size):
        self.stride, self.before = stride, before
        self.size, self.output_size = size, output_size
        self.taps = 3 if stride == 1 else 2
        self.rows, self.columns = (-(-side // 2) for side in output_size)
        tiles = input_tiles(stride, self.rows, self.columns)
        taps, seen = stride * self.taps, (2 * self.rows, 2 * self.columns)
        self.inputs, self.inputs_of = linear_pair(
            # What lies below the last tile is not seen by any output.
            lambda x: tiles(zero_padded(x, taps, stride, before, seen)),
            compiled(self._inputs_of),
        )
        self.outputs, self.outputs_of = output_transforms(self.taps, output_size)

    def kernels(self, kernel):
        """The tiles of a kernel."""
        c, f = kernel.shape[2:]
        return kernel_transforms(self.stride, c, f)[0](kernel)

    def kernels_of(self, *tiles):
        """The transpose of `kernels`."""
        rows, f = tiles[0].shape
        return kernel_transforms(self.stride, rows // self.stride**2, f)[1](*tiles)

    def _inputs_of(self, *tiles):
        s, r = self.stride, self.taps
        rows, columns = self.rows, self.columns
        c = tiles[0].shape[-1] // s**2
        phases = []
        for row in _grid(tiles):
            row = [tf.reshape(t, (-1, rows, columns, s, s, c)) for t in row]
            phases.append([tf.transpose(t, (0, 1, 3, 2, 4, 5)) for t in row])
        grid = _both(_transposed(_F[r][0]), phases)

        def shifted(i, j):
            # Rows 2 and 3 of a tile are rows 0 and 1 of the next.
            down, right = i // 2, j // 2
            paddings = [(0, 0)] * 6
            paddings[1], paddings[3] = (down, 1 - down), (right, 1 - right)
            return tf.pad(grid[i][j], paddings)

        def added(p, q):
            at = [(i, j) for i in range(p, r + 1, 2) for j in range(q, r + 1, 2)]
            return functools.reduce(tf.add, [shifted(i, j) for i, j in at])

        # [n, rows, 2, s, columns, 2, s, c]
        lines = [tf.stack([added(p, 0), added(p, 1)], axis=4) for p in (0, 1)]
        x = tf.stack(lines, axis=2)
        rows, columns = 2 * s * (rows + 1), 2 * s * (columns + 1)
        x = tf.reshape(x, (-1, rows, columns, c))
        top, (height, width) = self.before, self.size
        x = x[:, top : top + height, top : top + width]
        missing = (height - x.shape[1], width - x.shape[2])
        return tf.pad(x, ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0)))


@functools.cache
def input_tiles(stride, rows, columns):
    """A function that cuts padded images into tiles and transforms these.

    It is the same for all images that give as many tiles, however they are padded.
    """
    s, r = stride, 3 if stride == 1 else 2

    def inputs(x):
        n, c = x.shape[0], x.shape[3]
        x = tf.reshape(x, (n, x.shape[1] // s, s, x.shape[2] // s, s, c))
        x = tf.transpose(x, (0, 1, 3, 2, 4, 5))
        grid = [
            [
                x[:, i : i + 2 * rows - 1 : 2, j : j + 2 * columns - 1 : 2]
                for j in range(r + 1)
            ]
            for i in range(r + 1)
        ]
        return _flat(_both(_F[r][0], grid), s * s * c)

    return compiled(inputs)


@functools.cache
def output_transforms(taps, output_size):
    """The transform of tiles to outputs and its transpose, whatever the inputs."""
    height, width = output_size
    rows, columns = (-(-side // 2) for side in output_size)
    a = _F[taps][2]

    def outputs(*tiles):
        shape = (-1, rows, columns, tiles[0].shape[-1])
        grid = _both(a, _grid([tf.reshape(tile, shape) for tile in tiles]))
        y = tf.stack([tf.stack(row, axis=3) for row in grid], axis=2)
        shape = (-1, 2 * rows, 2 * columns, tiles[0].shape[-1])
        return tf.reshape(y, shape)[:, :height, :width]

    def outputs_of(y):
        paddings = ((0, 0), (0, 2 * rows - height), (0, 2 * columns - width), (0, 0))
        y = tf.pad(y, paddings)
        grid = [[y[:, i::2, j::2] for j in (0, 1)] for i in (0, 1)]
        tiles = _grid(_flat(_both(_transposed(a), grid), y.shape[-1]))
        return tf.stack([tf.stack(row) for row in tiles])

    stacked = compiled(outputs_of)

    def unstacked(y):
        return [tile for row in tf.unstack(stacked(y)) for tile in tf.unstack(row)]

    return linear_pair(compiled(outputs), unstacked)


@functools.cache
def kernel_transforms(stride, c, f):
    """The transform of kernels and its transpose, whatever the images' size.

    Layers whose kernels have one shape share what XLA compiles of them.
    """
    s, r = stride, 3 if stride == 1 else 2
    _, g, _ = _F[r]

    def kernels(kernel):
        kernel = tf.reshape(kernel, (r, s, r, s, c, f))
        kernel = tf.transpose(kernel, (0, 2, 1, 3, 4, 5))
        kernel = tf.reshape(kernel, (r, r, s * s * c, f))
        grid = [[kernel[i, j] for j in range(r)] for i in range(r)]
        return _flat(_both(g, grid), f)

    def kernels_of(*tiles):
        grid = _both(_transposed(g), _grid(tiles))
        kernel = tf.stack([tf.stack(row) for row in grid])
        kernel = tf.reshape(kernel, (r, r, s, s, c, f))
        kernel = tf.transpose(kernel, (0, 2, 1, 3, 4, 5))
        return tf.reshape(kernel, (r * s, r * s, c, f))

    return linear_pair(compiled(kernels), compiled(kernels_of))


def _transposed(matrix):
    return tuple(zip(*matrix, strict=True))


def _grid(tiles):
    """A flat list of tiles as rows of a list."""
    side = math.isqrt(len(tiles))
    return [tiles[i : i + side] for i in range(0, side**2, side)]


def _both(matrix, grid):
    """`matrix grid matrix^T`, of a grid of tensors."""
    grid = [[_sum(row, column) for column in _transposed(grid)] for row in matrix]
    return [[_sum(row, line) for row in matrix] for line in grid]


def _sum(factors, tensors):
    total = None
    for factor, x in zip(factors, tensors, strict=True):
        if factor == 0:
            continue
        term = x if abs(factor) == 1 else abs(factor) * x
        if total is None:
            total = term if factor > 0 else -term
        else:
            total = total + term if factor > 0 else total - term
    return total


def _flat(grid, channels):
    return [tf.reshape(x, (-1, channels)) for row in grid for x in row]
