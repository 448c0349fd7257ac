"""Faster forms of the same maths on TensorFlow, and a switch to turn them off.

Each computes what Keras's form does, to rounding. Keras's form is taken where a
kernel does not apply: on JAX, whose compiler finds its own, and where the
environment variable KERAS_GANS_KERNELS is 0 or names others of `KERNELS`. Those
of batch norm and of convolutions are for steps on one CPU device that XLA does
not compile, but that several replicas too widen types; Adam's for one replica.
"""

import contextlib
import contextvars
import functools
import os
import pathlib
import re

import keras
from keras import ops

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    from keras_gans.engine import halves
    from keras_gans.engine import small_maps
    from keras_gans.engine import winograd

KERNELS = (
    "adam",
    "batch_norm",
    "halves",
    "norms",
    "rectifiers",
    "small_maps",
    "wide_types",
    "winograd",
)
FUSED_TYPES = ("float32", "bfloat16", "float16")
# A kernel of as many channels outweighs what its other forms cost.
LEAST_CHANNELS = 64
# Winograd's transforms of kernels pay from so many tiles on.
LEAST_TILES = 128
# An image of fewer rows of outputs is not cut into halves.
LEAST_ROWS = 8
# Up to so many pixels of all maps, reading the kernel is most of the work.
MOST_PIXELS = {"float32": 256, "bfloat16": 1024}
# Without these instructions, gradients of convolutions of a type are slow.
CONVOLVED_BY = {"bfloat16": "avx512f", "float16": "amx_fp16"}

_within_steps = contextvars.ContextVar("within_steps", default=False)


def enabled(name):
    """Whether a faster form is taken, looked up when a step is traced.

    Args:
        name: str, one of `KERNELS`.

    Raises:
        ValueError: KERAS_GANS_KERNELS names others.
    """
    switch = os.environ.get("KERAS_GANS_KERNELS", "").strip() or "1"
    names = [name.strip() for name in switch.split(",")]
    names = {"0": [], "1": KERNELS}.get(switch, names)
    if unknown := set(names) - set(KERNELS):
        raise ValueError(
            "The environment variable KERAS_GANS_KERNELS is 0, 1 or names of "
            f"{', '.join(KERNELS)}, with commas between. Received: "
            f"{', '.join(sorted(unknown))}."
        )
    return keras.backend.backend() == "tensorflow" and name in names


def _one_replica():
    context = tf.distribute.get_replica_context()
    return context is not None and context.num_replicas_in_sync == 1


def fuses_batch_norm(x):
    """Whether `batch_norm` takes images `x`."""
    kind = keras.backend.standardize_dtype(x.dtype)
    known = len(x.shape) == 4 and x.shape[-1] is not None
    if not _within_steps.get():
        return False
    fits = known and kind in FUSED_TYPES and not _on_gpu()
    return enabled("batch_norm") and fits and _one_replica()


def batch_norm(x, gamma, beta, epsilon):
    """Normalizes images by their own statistics, in one pass.

    Args:
        x: `[n, height, width, channels]`, of `FUSED_TYPES`.
        gamma: float32 `[channels]`.
        beta: float32 `[channels]`.
        epsilon: float.

    Returns:
        `(y, mean, variance)`: y like x, and the float32 moments of x.
    """
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=ops.cast(gamma, "float32"),
        offset=ops.cast(beta, "float32"),
        mean=tf.zeros((0,)),
        variance=tf.zeros((0,)),
        epsilon=epsilon,
    )
    # The kernel gives the unbiased one.
    n = ops.cast(ops.size(x) // x.shape[-1], "float32")
    return y, mean, variance * (n - 1) / n


def fuse_adam(optimizer):
    """Lets a Keras Adam update each variable by one kernel, where it can."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if type(inner) is not keras.optimizers.Adam or inner.amsgrad:
        return
    plain = functools.partial(keras.optimizers.Adam.update_step, inner)

    def update_step(gradient, variable, learning_rate):
        sparse = isinstance(gradient, tf.IndexedSlices)
        wanted = enabled("adam")
        if sparse or variable.dtype != tf.float32 or not wanted:
            plain(gradient, variable, learning_rate)
            return
        index = inner._get_variable_index(variable)
        m, v = inner._momentums[index], inner._velocities[index]
        step = ops.cast(inner.iterations + 1, "float32")
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=m.value.handle,
            v=v.value.handle,
            beta1_power=ops.power(inner.beta_1, step),
            beta2_power=ops.power(inner.beta_2, step),
            lr=ops.cast(learning_rate, "float32"),
            beta1=inner.beta_1,
            beta2=inner.beta_2,
            epsilon=inner.epsilon,
            grad=ops.cast(gradient, "float32"),
        )

    inner.update_step = update_step


def squared_norm(x):
    """The sum of squares of all numbers of `x`: float32."""
    if keras.backend.backend() == "tensorflow":
        # Those of embeddings come as rows, of which some stand twice.
        x = tf.convert_to_tensor(x)
    x = ops.cast(x, "float32")
    if not enabled("norms"):
        return ops.sum(ops.square(x))
    return 2.0 * tf.nn.l2_loss(x)  # makes no array of squares


def rectified(x, slope=0.0):
    """`leaky_relu(x, slope)` whose slope does not depend on `x`.

    The slope is constant but where x is 0. TensorFlow says so by a map of
    zeros, which a penalty sends back through all layers before; here the two
    are not connected.
    """
    if not enabled("rectifiers"):
        return ops.leaky_relu(x, slope) if slope else ops.relu(x)

    @tf.custom_gradient
    def rectify(x):
        y = tf.nn.leaky_relu(x, slope) if slope else tf.nn.relu(x)

        def gradient(dy):
            signs = tf.stop_gradient(y)
            if slope:
                return tf.raw_ops.LeakyReluGrad(
                    gradients=dy, features=signs, alpha=slope
                )
            return tf.raw_ops.ReluGrad(gradients=dy, features=signs)

        return y, gradient

    return rectify(tf.convert_to_tensor(x))


# --- Convolutions ---


@contextlib.contextmanager
def scope(wanted=True):
    """Lets convolutions within take other forms, if `wanted`.

    Batch norm too is fused within. Steps of a GAN are traced in it. Outside, as
    in an exported model, a network is made of plain operations, which every
    server has and XLA compiles well: its form of fused batch norm cancels
    where means are large.
    """
    token = _within_steps.set(wanted)
    try:
        yield
    finally:
        _within_steps.reset(token)


@functools.cache
def _on_gpu():
    # Its libraries pick forms by themselves.
    return bool(tf.config.list_physical_devices("GPU"))


@functools.cache
def _instructions():
    """Names of what this processor can do; none where it does not say."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return frozenset()
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(), re.MULTILINE)
    return frozenset(flags[1].split() if flags else ())


def _avx2_alone():
    """Whether this processor is of the kind that some forms were measured on.

    Where AVX-512 makes products cheap, memory sets the pace, of which
    Winograd's transforms read and write more.
    """
    return "avx2" in _instructions() and "avx512f" not in _instructions()


def _lacks(kind):
    """Whether TensorFlow emulates gradients of convolutions of a type here."""
    known = kind in CONVOLVED_BY and "avx2" in _instructions()
    return known and CONVOLVED_BY[kind] not in _instructions()


def _widened(layer, x, kernel, form, plain):
    """`form`'s convolution, in float32 of types that the processor lacks.

    Args:
        layer: `Conv2D` or `Conv2DTranspose`.
        x: what it is called with.
        kernel: its kernel.
        form: function of the three that returns maps, or `None`.
        plain: function of x and the kernel: Keras's form.

    Returns:
        Maps, float32 where they were computed so, or `None`.
    """
    kind = keras.backend.standardize_dtype(x.dtype)
    wanted = _within_steps.get() and enabled("wide_types")
    last = layer.data_format == "channels_last"
    if not (wanted and last and _lacks(kind)) or _on_gpu():
        return form(layer, x, kernel)
    x, kernel = ops.cast(x, "float32"), ops.cast(kernel, "float32")
    y = form(layer, x, kernel)
    return plain(x, kernel) if y is None else y


def _form(layer, x, kernel, made):
    """The module that computes a convolution fastest, or `None`: Keras's.

    Args:
        layer: `Conv2D` or `Conv2DTranspose`.
        x: what it is called with, `[n, ...]`.
        kernel: `[k, k, c, f]`.
        made: (height, width) of the smaller maps, those of `f` channels.
    """
    wanted = [n for n in ("small_maps", "winograd", "halves") if enabled(n)]
    if not (_within_steps.get() and wanted and _one_replica()):
        return None
    kind, (height, width), (k, _, c, f) = x.dtype, made, kernel.shape
    side, stride = layer.kernel_size[0], layer.strides[0]
    plain = (
        layer.data_format == "channels_last"
        and layer.kernel_size == (side, side)
        and layer.strides == (stride, stride)
        and layer.dilation_rate in (1, (1, 1))
        and getattr(layer, "groups", 1) == 1
    )
    if not plain or kernel.dtype != kind or _on_gpu():
        return None
    pixels = x.shape[0] * height * width
    few = pixels <= MOST_PIXELS.get(kind.name, 0)
    if "small_maps" in wanted and few and min(c, f) >= LEAST_CHANNELS:
        return small_maps
    if kind != tf.float32 or not _avx2_alone():
        return None
    tiles = x.shape[0] * -(-height // 2) * -(-width // 2)
    if (
        "winograd" in wanted
        and (k, stride) in winograd.KINDS
        and min(stride**2 * c, f) >= LEAST_CHANNELS
        and tiles >= LEAST_TILES
    ):
        return winograd
    splits = (
        "halves" in wanted
        and isinstance(layer, keras.layers.Conv2D)
        and x.shape[0] == 1
        and height >= LEAST_ROWS
    )
    return halves if splits else None


def convolve(layer, x, kernel):
    """Maps of a `Conv2D` before its bias; `None` where Keras's are due."""
    plain = functools.partial(keras.layers.Conv2D.convolution_op, layer)
    return _widened(layer, x, kernel, _convolve, plain)


def _convolve(layer, x, kernel):
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
    form = _form(layer, x, kernel, size)
    # Outputs further apart than they see leave pixels that none of them sees.
    odd = taps < stride or min(size) < 1 or len(before) > 1
    if form is None or odd:
        return None
    return form.convolve(x, kernel, stride, *before, size)


def convolve_transposed(layer, x, kernel):
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


def _convolve_transposed(layer, x, kernel):
    """That of one whose maps grow by its strides."""
    if None in x.shape or layer.padding != "same":
        return None
    taps, stride = layer.kernel_size[0], layer.strides[0]
    if layer.output_padding is not None or taps < stride:
        return None
    size = tuple(stride * side for side in x.shape[1:3])
    form = _form(layer, x, kernel, tuple(x.shape[1:3]))
    if form is None:
        return None
    before = _zeros_before(taps, stride, stride)
    return form.convolve_transposed(x, kernel, stride, before, size)


def _zeros_before(taps, stride, side):
    """Rows that "same" puts above: half of what is missing, rounded down."""
    missing = max((-(-side // stride) - 1) * stride + taps - side, 0)
    return missing // 2
