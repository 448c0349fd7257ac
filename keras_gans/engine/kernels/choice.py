"""Which implementation is taken: switches, measurements, and rules.

Convolutions that are work enough take what was measured to be the fastest on this
machine; smaller ones, and all where KERAS_GANS_KERNELS is 1 or a list of names,
follow rules by shape and processor. A GAN keeps what it has taken.

Keras's is taken where no other applies: on JAX, whose compiler finds its own,
and where KERAS_GANS_KERNELS says so. Batch norm and convolutions have others in
steps on one CPU device that XLA does not compile; several replicas too widen
types, compute groups without XLA, turn columns and convolve sequences as rows.
Adam's is for one replica.
"""

from collections.abc import Iterator
import contextlib
import contextvars
import functools
import math
import os
from typing import Any, NamedTuple

import keras

from keras_gans.engine.kernels import measured
from keras_gans.utils.startup import instructions

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    from keras_gans.engine.kernels import candidates, im2col, tiling, winograd
    from keras_gans.engine.tensorflow_internals import has_one_dnn

KERNELS = (
    "adam",
    "batch_norm",
    "columns",
    "groups",
    "im2col",
    "norms",
    "phases",
    "product",
    "rectifiers",
    "sequences",
    "tiling",
    "wide_types",
    "winograd",
)
# Rows of so few pixels are turned into columns.
MOST_COLUMNS = 8
FUSED_TYPES = ("float32", "bfloat16", "float16")
# A kernel of as many channels outweighs what its other implementations cost.
LEAST_CHANNELS = 64
# Winograd's transforms of kernels pay from so many tiles on.
LEAST_TILES = 128
# An image of fewer rows of outputs is not cut in two.
LEAST_ROWS = 8
# Up to so many pixels of all maps, reading the kernel is most of the work.
MOST_PIXELS = {"float32": 256, "bfloat16": 1024}
# Convolutions of so many operations are measured: less would not pay for it.
LEAST_WORK = 2 * 10**8
# Maps of so many numbers are worth another batch norm where they are sampled.
LEAST_NUMBERS = 2**19
# The fused norm adds up the pixels of all maps one after another: large ones lose
# four digits of a variance. So do many small ones, which keep it for its speed.
MOST_FUSED_PIXELS = 96 * 96
# A sequence alone of so many operations is cut into parts for the cores, each of at
# least so many times the steps by which they overlap.
LEAST_ALONE = 10**9
LEAST_PART = 8
# What choices of rules are called.
RULES = ("im2col", "winograd", "tiling")
MEASURE, CACHED = "measure", "cached"
# Without these instructions, gradients of convolutions of a type are slow.
CONVOLVED_BY = {"bfloat16": "avx512f", "float16": "amx_fp16"}

# `None` outside of the steps of a GAN.
_step = contextvars.ContextVar("step", default=None)


class Step(NamedTuple):
    """The step of a GAN that is traced.

    Attributes:
        fits: bool, whether its graph is one that implementations for CPUs fit.
        choices: `measured.Choices` of the GAN, or `None`: rules alone.
        trains: bool, whether gradients follow.
    """

    fits: bool
    choices: measured.Choices | None
    trains: bool


def _switch():
    """(`MEASURE`, `CACHED` or "" for rules, names that are on)."""
    switch = os.environ.get("KERAS_GANS_KERNELS", "").strip() or MEASURE
    words = [word.strip() for word in switch.split(",")]
    mode = words.pop(0) if words[0] in (MEASURE, CACHED) else ""
    if mode and not words:
        words = KERNELS
    names = {"0": (), "1": KERNELS}.get(switch, words)
    if unknown := set(names) - set(KERNELS):
        raise ValueError(
            "The environment variable KERAS_GANS_KERNELS is 0, 1, measure, cached or "
            f"names of {', '.join(KERNELS)}, with commas between. Received: "
            f"{switch!r}, of which {', '.join(map(repr, sorted(unknown)))} is none."
        )
    return mode, names


def enabled(name: str) -> bool:
    """Whether an implementation is on, looked up when a step is traced.

    Args:
        name: str, one of `KERNELS`.

    Raises:
        ValueError: KERAS_GANS_KERNELS names others.
    """
    _, names = _switch()
    return keras.backend.backend() == "tensorflow" and name in names


@contextlib.contextmanager
def scope(
    wanted: bool = True, choices: measured.Choices | None = None, trains: bool = True
) -> Iterator[None]:
    """A step of a GAN; its convolutions and batch norms are other, if `wanted`.

    Outside, as in an exported model, a network is made of plain operations,
    which every server has and XLA compiles well: its fused batch norm cancels
    where means are large.

    Args:
        wanted: bool.
        choices: `measured.Choices`, what the GAN has taken so far, and will.
            `None` takes what rules say.
        trains: bool, whether gradients follow.
    """
    token = _step.set(Step(wanted, choices, trains))
    try:
        yield
    finally:
        _step.reset(token)
        if choices is not None:
            measured.write()


def infers() -> bool:
    """Whether a step is traced that no gradients follow."""
    step = _step.get()
    return step is not None and not step.trains


def rectifies() -> bool:
    """Whether rectifiers leave out their second derivative."""
    step = _step.get()
    return step is not None and step.trains and enabled("rectifiers")


def fuses_batch_norm(x: Any, trains: bool = True) -> bool:
    """Whether images `x` are normalized in one pass, by their own statistics or not."""
    kind = keras.backend.standardize_dtype(x.dtype)
    known = len(x.shape) == 4 and x.shape[-1] is not None
    if not _on_cpu():
        return False
    fits = known and kind in FUSED_TYPES and not (trains and _is_large(x))
    return enabled("batch_norm") and fits and _one_replica()


def _is_large(x):
    """Whether one map alone has too many pixels for the fused norm."""
    return None in x.shape[1:3] or x.shape[1] * x.shape[2] > MOST_FUSED_PIXELS


def infers_batch_norm(x: Any) -> bool:
    """Whether images `x` are normalized by moving statistics in one pass."""
    large = None not in x.shape and math.prod(x.shape) >= LEAST_NUMBERS
    return infers() and large


def widens(layer: keras.Layer, x: Any) -> bool:
    """Whether a convolution is computed in float32, whatever its type."""
    kind = keras.backend.standardize_dtype(x.dtype)
    wanted = _on_cpu() and enabled("wide_types")
    if not wanted or layer.data_format != "channels_last" or kind not in CONVOLVED_BY:
        return False
    lacks = lambda: "wide" if _lacks(kind) else "keras"  # noqa: E731
    choices = _step.get().choices
    return (choices.rule(kind, lacks) if choices else lacks()) == "wide"


def joins_groups(layer: keras.layers.Conv2D) -> bool:
    """Whether a convolution of groups is computed otherwise than by XLA."""
    wanted = _on_cpu() and enabled("groups")
    return wanted and layer.groups > 1 and layer.data_format == "channels_last"


def turns(layer: keras.layers.Conv2D, x: Any) -> bool:
    """Whether a convolution by a kernel of one column is computed as by one row."""
    if not (_on_cpu() and enabled("columns") and has_one_dnn()):
        return False
    rows, columns = layer.kernel_size
    narrow = x.shape[2] is not None and x.shape[2] <= MOST_COLUMNS
    plain = layer.data_format == "channels_last" and layer.padding in ("same", "valid")
    return plain and narrow and columns == 1 < rows


def reach(layer: keras.layers.Conv1D) -> int:
    """How many steps beside its own an output of a convolution over time sees."""
    return (layer.kernel_size[0] - 1) * layer.dilation_rate[0]


def parts(layer: keras.layers.Conv1D, x: Any) -> int:
    """How many parts of a sequence oneDNN convolves as rows; 0 is Keras's way."""
    if not (_on_cpu() and enabled("sequences") and has_one_dnn()) or None in x.shape:
        return 0
    kind = keras.backend.standardize_dtype(x.dtype)
    plain = layer.data_format == "channels_last" and layer.padding in ("same", "valid")
    simple = layer.groups == 1 and layer.strides == (1,)
    if not (plain and simple and kind in FUSED_TYPES and not _lacks(kind)):
        return 0
    (rows, steps, c), seen = x.shape, reach(layer)
    if rows > 1:
        return int(layer.dilation_rate[0] > 1)
    work = 2 * steps * layer.kernel_size[0] * c * layer.filters
    if not infers() or not seen or work < LEAST_ALONE:
        return 0
    found = min(_threads(), steps // (LEAST_PART * seen))
    return found if found > 1 else 0


def has_groups(x: Any) -> bool:
    """Whether TensorFlow has convolutions of groups, and their gradients, for maps."""
    kind = keras.backend.standardize_dtype(x.dtype)
    seen = has_one_dnn() and "avx2" in instructions()  # elsewhere it was not tried
    return seen and kind in FUSED_TYPES and not _lacks(kind)


def implementation(
    layer: keras.Layer,
    x: Any,
    kernel: Any,
    size: tuple[int, int],
    small_size: tuple[int, int],
    before: int,
) -> Any:
    """What computes a convolution fastest, or `None`: Keras's.

    Args:
        layer: `Conv2D` or `Conv2DTranspose`.
        x: what it is called with, `[n, ...]`.
        kernel: `[k, k, c, f]`.
        size: (height, width) of the larger maps, those of `c` channels.
        small_size: (height, width) of the smaller maps, those of `f` channels.
        before: int, rows and columns of zeros above and to the left.

    Returns:
        A module or an object that has `convolve` and `convolve_transposed`.
    """
    mode, names = _switch()
    wanted = [n for n in RULES if n in names]
    if not (_on_cpu() and names and _one_replica()):
        return None
    kind, (k, _, c, f) = x.dtype, kernel.shape
    side, stride = layer.kernel_size[0], layer.strides[0]
    plain = (
        layer.data_format == "channels_last"
        and layer.kernel_size == (side, side)
        and layer.strides == (stride, stride)
        and layer.dilation_rate == (1, 1)
    )
    if not plain or kernel.dtype != kind:
        return None
    choices = _step.get().choices
    if choices is None:
        return _by_rules(layer, x, kernel, small_size, wanted)
    groups = getattr(layer, "groups", 1)
    sizes = tuple(size), tuple(small_size)
    g = candidates.Convolution(
        kind.name, x.shape[0], *sizes, c, f, k, stride, before, groups
    )
    transposed = isinstance(layer, keras.layers.Conv2DTranspose)
    direction = "input_gradient" if transposed else "forward"
    budget = measured.SAMPLING_BUDGET if infers() else measured.BUDGET
    budget = {MEASURE: budget, CACHED: 0.0}.get(mode)
    worth = g.work >= LEAST_WORK and kind.name in FUSED_TYPES
    timed = (mode and worth) or choices.has(g, direction)
    if timed and not choices.has_rule(g, direction):

        def choose(direction):
            fitting = [n for n in candidates.fitting(g, direction) if _is_on(n, names)]
            return choices.of(g, direction, fitting, budget)

        if not infers():
            choices.expect(g, candidates.DIRECTIONS)
        first = choose(direction)
        if first == candidates.KERAS and infers():
            return None
        if first:
            return candidates.Directions(
                g, lambda d: choose(d) or choices.keep(g, d, candidates.KERAS)
            )

    def decide():
        module = _by_rules(layer, x, kernel, small_size, wanted)
        return "keras" if module is None else module.__name__.rpartition(".")[2]

    name = choices.rule(f"{direction} {g}", decide)
    known = {"im2col": im2col, "winograd": winograd, "tiling": tiling}
    return known.get(name) if name in wanted else None


def _is_on(candidate, names):
    """Whether the switch lets a candidate be taken."""
    return candidate == candidates.KERAS or candidate in names


def _by_rules(layer, x, kernel, small_size, wanted):
    """A module, or `None`: by shape, type and processor."""
    kind, (height, width), (k, _, c, f) = x.dtype, small_size, kernel.shape
    stride = layer.strides[0]
    if getattr(layer, "groups", 1) > 1:
        return None
    pixels = x.shape[0] * height * width
    few = pixels <= MOST_PIXELS.get(kind.name, 0)
    if "im2col" in wanted and few and min(c, f) >= LEAST_CHANNELS:
        return im2col
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
        "tiling" in wanted
        and isinstance(layer, keras.layers.Conv2D)
        and x.shape[0] == 1
        and height >= LEAST_ROWS
    )
    return tiling if splits else None


# --- The machine at hand ---


def _on_cpu():
    """Whether implementations for CPUs fit: GPU libraries choose their own."""
    step = _step.get()
    return step is not None and step.fits and not _has_gpu()


@functools.cache
def _has_gpu():
    return bool(tf.config.list_physical_devices("GPU"))


@functools.cache
def _threads():
    """How many threads an operation has."""
    return tf.config.threading.get_intra_op_parallelism_threads() or measured.cores()


def _one_replica():
    context = tf.distribute.get_replica_context()
    return context is not None and context.num_replicas_in_sync == 1


def _avx2_alone():
    """Whether this processor is of the kind that some were measured on.

    Where AVX-512 makes products cheap, memory sets the pace, of which
    Winograd's transforms read and write more.
    """
    return "avx2" in instructions() and "avx512f" not in instructions()


def _lacks(kind):
    """Whether TensorFlow emulates gradients of convolutions of a type here."""
    known = kind in CONVOLVED_BY and "avx2" in instructions()
    return known and CONVOLVED_BY[kind] not in instructions()


def in_use() -> dict[str, str]:
    """Each implementation, and "on" or why Keras's is taken on this machine."""
    states, (mode, _) = {}, _switch()
    for name in KERNELS:
        states[name] = "on"
        if not enabled(name):
            tensorflow = keras.backend.backend() == "tensorflow"
            why = "KERAS_GANS_KERNELS says so" if tensorflow else "TensorFlow's alone"
            states[name] = f"off: {why}"
        elif name not in ("adam", "norms", "rectifiers") and _has_gpu():
            states[name] = "off: for CPUs"
        elif not mode and name in ("tiling", "winograd") and not _avx2_alone():
            states[name] = "off: for processors of AVX2 without AVX-512"
        elif not mode and name in ("phases", "product"):
            states[name] = "off: no rule takes them"
    return states
