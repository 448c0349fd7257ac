"""Each way to compute a convolution and its two gradients, by name.

A convolution is linear in its maps and in its kernel, and so are its gradients:

    forward(x, kernel) = y
    input_gradient(dy, kernel) = dx, which is a transposed convolution
    filter_gradient(x, dy) = dkernel

The gradients of each of the three are the other two, so that each may be computed
in its own way however often it is differentiated.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from keras_gans.engine.kernels import im2col, tiling, winograd
from keras_gans.engine.kernels.linear import zero_padded

DIRECTIONS = ("forward", "input_gradient", "filter_gradient")
KERAS = "keras"
# What could not win was seen not to, and is not compiled to be timed.
MOST_PIXELS = {"float32": 256, "bfloat16": 1024}
FEW_CHANNELS = 16
MOST_NUMBERS = 2**27
MOST_GROUPS = 32  # more would be as many operations in the graph


class Convolution(NamedTuple):
    """All that decides how fast a convolution is, but for the machine.

    Attributes:
        kind: str, the type of maps and kernel.
        rows: int, the batch.
        size: (height, width) of the inputs, `c` channels.
        output_size: (height, width) of the outputs, `f` channels.
        c: int.
        f: int.
        taps: int, rows and columns of the kernel.
        stride: int.
        before: int, rows and columns of zeros above and to the left.
        groups: int; `c` is then the channels of one.
    """

    kind: str
    rows: int
    size: tuple[int, int]
    output_size: tuple[int, int]
    c: int
    f: int
    taps: int
    stride: int
    before: int
    groups: int = 1

    def __str__(self):
        sides = (self.rows, *self.size, self.c, *self.output_size, self.f)
        sides = "{}x{}x{}x{} {}x{}x{}".format(*sides)
        form = f"k{self.taps} s{self.stride} b{self.before}"
        groups = f" g{self.groups}" if self.groups > 1 else ""
        return f"{self.kind} {sides} {form}{groups}"

    @property
    def work(self) -> int:
        """Operations of each direction: two a multiplication."""
        height, width = self.output_size
        return 2 * self.rows * height * width * self.taps**2 * self.c * self.f

    @property
    def shapes(self) -> dict[str, tuple]:
        """The shapes of x, y and the kernel."""
        return {
            "x": (self.rows, *self.size, self.c * self.groups),
            "y": (self.rows, *self.output_size, self.f),
            "kernel": (self.taps, self.taps, self.c, self.f),
        }


class Candidate(NamedTuple):
    """A way to compute.

    Attributes:
        fits: function of a `Convolution` and a direction: whether it may pay.
        forward: function of it, x and the kernel. Gives y.
        input_gradient: of it, dy and the kernel. Gives dx.
        filter_gradient: of it, x and dy. Gives the kernel's.
    """

    fits: Callable
    forward: Callable | None = None
    input_gradient: Callable | None = None
    filter_gradient: Callable | None = None


# --- TensorFlow's operations ---


def _options(g):
    tight = tuple((side - g.taps) // g.stride + 1 for side in g.size)
    valid = g.before == 0 and tight == tuple(g.output_size)
    padding = "VALID" if valid else "SAME"
    return {"strides": [1, g.stride, g.stride, 1], "padding": padding}


def _plain_forward(g, x, kernel):
    return tf.nn.conv2d(x, kernel, **_options(g))


def _plain_input(g, dy, kernel):
    return tf.raw_ops.Conv2DBackpropInput(
        input_sizes=g.shapes["x"], filter=kernel, out_backprop=dy, **_options(g)
    )


def _plain_filter(g, x, dy):
    return tf.raw_ops.Conv2DBackpropFilter(
        input=x, filter_sizes=g.shapes["kernel"], out_backprop=dy, **_options(g)
    )


# --- One product of the maps as they lie in memory ---


def _is_product(g):
    point = g.taps == g.stride == 1
    whole = g.output_size == (1, 1) and g.size == (g.taps, g.taps) and g.before == 0
    return point or whole


def _flat(g, kernel):
    return tf.reshape(kernel, (-1, g.f))


def _product_forward(g, x, kernel):
    x = tf.reshape(x, (-1, g.taps**2 * g.c))
    return tf.reshape(tf.matmul(x, _flat(g, kernel)), g.shapes["y"])


def _product_input(g, dy, kernel):
    dy = tf.reshape(dy, (-1, g.f))
    dx = tf.matmul(dy, _flat(g, kernel), transpose_b=True)
    return tf.reshape(dx, g.shapes["x"])


def _product_filter(g, x, dy):
    x = tf.reshape(x, (-1, g.taps**2 * g.c))
    kernel = tf.matmul(x, tf.reshape(dy, (-1, g.f)), transpose_a=True)
    return tf.reshape(kernel, g.shapes["kernel"])


# --- One product of patches ---


def _is_patches(g, direction):
    """Whether patches may pay: of few pixels, of few channels, or for a kernel's sums.

    Where all pixels are summed up, patches cost least, if memory has room for them.
    """
    pixels = g.rows * g.output_size[0] * g.output_size[1]
    small = pixels <= MOST_PIXELS.get(g.kind, 0) or g.c <= FEW_CHANNELS
    held = pixels * g.taps**2 * g.c <= MOST_NUMBERS and g.f > FEW_CHANNELS
    summed = direction == "filter_gradient" and held
    return not _is_product(g) and (small or summed)


def _patches(g):
    return im2col.Patches(
        g.taps, g.stride, g.before, tuple(g.size), tuple(g.output_size)
    )


def _patches_forward(g, x, kernel):
    y = tf.matmul(_patches(g).of(x), _flat(g, kernel))
    return tf.reshape(y, g.shapes["y"])


def _patches_input(g, dy, kernel):
    dy = tf.reshape(dy, (-1, g.f))
    return _patches(g).added(tf.matmul(dy, _flat(g, kernel), transpose_b=True))


def _patches_filter(g, x, dy):
    dy = tf.reshape(dy, (-1, g.f))
    kernel = tf.matmul(_patches(g).of(x), dy, transpose_a=True)
    return tf.reshape(kernel, g.shapes["kernel"])


# --- Winograd's minimal filtering ---


def _is_fewer(g):
    """Whether products can be the most of the work, and transforms be less."""
    thick = min(g.stride**2 * g.c, g.f) > FEW_CHANNELS
    return thick and (g.taps, g.stride) in winograd.KINDS


def _transforms(g):
    return winograd.Transforms(g.stride, g.before, tuple(g.size), tuple(g.output_size))


def _fewer_forward(g, x, kernel):
    t = _transforms(g)
    pairs = zip(t.inputs(x), t.kernels(kernel), strict=True)
    return t.outputs(*(tf.matmul(v, u) for v, u in pairs))


def _fewer_input(g, dy, kernel):
    t = _transforms(g)
    pairs = zip(t.outputs_of(dy), t.kernels(kernel), strict=True)
    return t.inputs_of(*(tf.matmul(m, u, transpose_b=True) for m, u in pairs))


def _fewer_filter(g, x, dy):
    t = _transforms(g)
    pairs = zip(t.inputs(x), t.outputs_of(dy), strict=True)
    return t.kernels_of(*(tf.matmul(v, m, transpose_a=True) for v, m in pairs))


# --- The phases of the inputs as channels, without strides ---


def _unstrided(g):
    taps = g.taps // g.stride
    size = tuple(side - 1 + taps for side in g.output_size)
    return g._replace(
        taps=taps,
        stride=1,
        before=0,
        c=g.c * g.stride**2,
        size=size,
        output_size=g.output_size,
    )


def _phases(g, x):
    x = zero_padded(x, g.taps, g.stride, g.before, g.output_size)
    return tf.nn.space_to_depth(x, g.stride)


def _phases_kernel(g, kernel):
    r, s = g.taps // g.stride, g.stride
    kernel = tf.reshape(kernel, (r, s, r, s, g.c, g.f))
    kernel = tf.transpose(kernel, (0, 2, 1, 3, 4, 5))
    return tf.reshape(kernel, (r, r, s * s * g.c, g.f))


def _phases_forward(g, x, kernel):
    return _plain_forward(_unstrided(g), _phases(g, x), _phases_kernel(g, kernel))


def _phases_input(g, dy, kernel):
    x = _plain_input(_unstrided(g), dy, _phases_kernel(g, kernel))
    x = tf.nn.depth_to_space(x, g.stride)
    (height, width), before = g.size, g.before
    x = x[:, before : before + height, before : before + width]
    below, right = height - x.shape[1], width - x.shape[2]
    return tf.pad(x, ((0, 0), (0, below), (0, right), (0, 0)))


def _phases_filter(g, x, dy):
    kernel = _plain_filter(_unstrided(g), _phases(g, x), dy)
    r, s = g.taps // g.stride, g.stride
    kernel = tf.reshape(kernel, (r, r, s, s, g.c, g.f))
    kernel = tf.transpose(kernel, (0, 2, 1, 3, 4, 5))
    return tf.reshape(kernel, g.shapes["kernel"])


# --- A single image as its two halves ---


def _halves_forward(g, x, kernel):
    return tiling.convolve(x, kernel, g.stride, g.before, tuple(g.output_size))


# --- Each group as a convolution of its own ---


def _group(g):
    return g._replace(f=g.f // g.groups, groups=1)


def _split(g, a, b):
    pairs = zip(tf.split(a, g.groups, -1), tf.split(b, g.groups, -1), strict=True)
    return _group(g), pairs


def _groups_forward(g, x, kernel):
    own, pairs = _split(g, x, kernel)
    return tf.concat([_plain_forward(own, a, k) for a, k in pairs], -1)


def _groups_input(g, dy, kernel):
    own, pairs = _split(g, dy, kernel)
    return tf.concat([_plain_input(own, d, k) for d, k in pairs], -1)


def _groups_filter(g, x, dy):
    own, pairs = _split(g, x, dy)
    return tf.concat([_plain_filter(own, a, d) for a, d in pairs], -1)


PLAIN = Candidate(lambda g, _: True, _plain_forward, _plain_input, _plain_filter)
WINOGRAD = Candidate(
    # In half precision sums of inputs would be rounded before the product.
    lambda g, _: g.kind == "float32" and _is_fewer(g),
    _fewer_forward,
    _fewer_input,
    _fewer_filter,
)
CANDIDATES = {
    KERAS: PLAIN,
    "product": Candidate(
        lambda g, _: _is_product(g), _product_forward, _product_input, _product_filter
    ),
    "im2col": Candidate(_is_patches, _patches_forward, _patches_input, _patches_filter),
    "phases": Candidate(
        lambda g, _: g.stride > 1 and g.taps % g.stride == 0 and not _is_product(g),
        _phases_forward,
        _phases_input,
        _phases_filter,
    ),
    "winograd": WINOGRAD,
    "tiling": Candidate(
        lambda g, _: g.rows == 1 and g.output_size[0] > 1, _halves_forward
    ),
    "groups": Candidate(
        lambda g, _: 1 < g.groups <= MOST_GROUPS,
        _groups_forward,
        _groups_input,
        _groups_filter,
    ),
}
GROUPED = (KERAS, "groups")  # the others are for one group
# XLA compiles parts of these for each convolution.
COMPILED = ("im2col", "winograd")


def fitting(g: Convolution, direction: str) -> list[str]:
    """Names of what computes a direction of a convolution, Keras's first."""
    return [
        name
        for name, candidate in CANDIDATES.items()
        if getattr(candidate, direction) is not None
        and (g.groups == 1 or name in GROUPED)
        and candidate.fits(g, direction)
    ]


class Directions:
    """A convolution whose three directions are computed each in its own way.

    Args:
        g: `Convolution`.
        choose: function of a direction that gives a name of `CANDIDATES`.
    """

    def __init__(self, g: Convolution, choose: Callable[[str], str]):
        self._g, self._choose = g, choose

    def _computed(self, direction, a, b):
        candidate = CANDIDATES[self._choose(direction)]
        tensors = {"forward": "y", "input_gradient": "x", "filter_gradient": "kernel"}
        y = getattr(candidate, direction)(self._g, a, b)
        y.set_shape(self._g.shapes[tensors[direction]])
        return y

    def forward(self, x: Any, kernel: Any) -> Any:
        @tf.custom_gradient
        def run(x, kernel):
            def gradients(dy):
                return self.input_gradient(dy, kernel), self.filter_gradient(x, dy)

            return self._computed("forward", x, kernel), gradients

        return run(x, tf.convert_to_tensor(kernel))

    def input_gradient(self, dy: Any, kernel: Any) -> Any:
        @tf.custom_gradient
        def run(dy, kernel):
            def gradients(dx):
                return self.forward(dx, kernel), self.filter_gradient(dx, dy)

            return self._computed("input_gradient", dy, kernel), gradients

        return run(dy, tf.convert_to_tensor(kernel))

    def filter_gradient(self, x: Any, dy: Any) -> Any:
        @tf.custom_gradient
        def run(x, dy):
            def gradients(kernel):
                return self.input_gradient(dy, kernel), self.forward(x, kernel)

            return self._computed("filter_gradient", x, dy), gradients

        return run(x, dy)

    # --- As the modules of single implementations have them ---

    def convolve(self, x, kernel, *form):
        return self.forward(x, kernel)

    def convolve_transposed(self, x, kernel, *form):
        return self.input_gradient(x, kernel)
