"""Which implementation is taken: switches, and rules by shape and processor.

Keras's is taken where no other applies: on JAX, whose compiler finds its own,
and where KERAS_GANS_KERNELS says so. Batch norm and convolutions have others in
steps on one CPU device that XLA does not compile; several replicas too widen
types. Adam's is for one replica.
"""

from collections.abc import Iterator
import contextlib
import contextvars
import functools
import os
from types import ModuleType
from typing import Any

import keras

from keras_gans.utils.startup import instructions

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    from keras_gans.engine.kernels import im2col, tiling, winograd

KERNELS = (
    "adam",
    "batch_norm",
    "groups",
    "im2col",
    "norms",
    "rectifiers",
    "tiling",
    "wide_types",
    "winograd",
)
FUSED_TYPES = ("float32", "bfloat16", "float16")
# A kernel of as many channels outweighs what its other implementations cost.
LEAST_CHANNELS = 64
# Winograd's transforms of kernels pay from so many tiles on.
LEAST_TILES = 128
# An image of fewer rows of outputs is not cut in two.
LEAST_ROWS = 8
# Up to so many pixels of all maps, reading the kernel is most of the work.
MOST_PIXELS = {"float32": 256, "bfloat16": 1024}
# Without these instructions, gradients of convolutions of a type are slow.
CONVOLVED_BY = {"bfloat16": "avx512f", "float16": "amx_fp16"}

# `None` outside of the steps of a GAN; within, whether its graph is one that
# implementations for CPUs fit.
_step = contextvars.ContextVar("step", default=None)


def enabled(name: str) -> bool:
    """Whether an implementation is on, looked up when a step is traced.

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


@contextlib.contextmanager
def scope(wanted: bool = True) -> Iterator[None]:
    """A step of a GAN; its convolutions and batch norms are other, if `wanted`.

    Outside, as in an exported model, a network is made of plain operations,
    which every server has and XLA compiles well: its fused batch norm cancels
    where means are large.
    """
    token = _step.set(wanted)
    try:
        yield
    finally:
        _step.reset(token)


def rectifies() -> bool:
    """Whether rectifiers leave out their second derivative."""
    return _step.get() is not None and enabled("rectifiers")


def fuses_batch_norm(x: Any) -> bool:
    """Whether images `x` are normalized in one pass."""
    kind = keras.backend.standardize_dtype(x.dtype)
    known = len(x.shape) == 4 and x.shape[-1] is not None
    if not _on_cpu():
        return False
    fits = known and kind in FUSED_TYPES
    return enabled("batch_norm") and fits and _one_replica()


def widens(layer: keras.Layer, x: Any) -> bool:
    """Whether a convolution is computed in float32, whatever its type."""
    kind = keras.backend.standardize_dtype(x.dtype)
    wanted = _on_cpu() and enabled("wide_types")
    return wanted and layer.data_format == "channels_last" and _lacks(kind)


def joins_groups(layer: keras.layers.Conv2D) -> bool:
    """Whether a convolution of groups is computed as dense ones."""
    wanted = _on_cpu() and enabled("groups")
    return wanted and layer.groups > 1 and layer.data_format == "channels_last"


def implementation(
    layer: keras.Layer, x: Any, kernel: Any, made: tuple[int, int]
) -> ModuleType | None:
    """The module that computes a convolution fastest, or `None`: Keras's.

    Args:
        layer: `Conv2D` or `Conv2DTranspose`.
        x: what it is called with, `[n, ...]`.
        kernel: `[k, k, c, f]`.
        made: (height, width) of the smaller maps, those of `f` channels.
    """
    wanted = [n for n in ("im2col", "winograd", "tiling") if enabled(n)]
    if not (_on_cpu() and wanted and _one_replica()):
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
    if not plain or kernel.dtype != kind:
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
    return bool(_step.get()) and not _has_gpu()


@functools.cache
def _has_gpu():
    return bool(tf.config.list_physical_devices("GPU"))


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
    found = {}
    for name in KERNELS:
        found[name] = "on"
        if not enabled(name):
            tensorflow = keras.backend.backend() == "tensorflow"
            why = "KERAS_GANS_KERNELS says so" if tensorflow else "TensorFlow's alone"
            found[name] = f"off: {why}"
        elif name not in ("adam", "norms", "rectifiers") and _has_gpu():
            found[name] = "off: for CPUs"
        elif name in ("tiling", "winograd") and not _avx2_alone():
            found[name] = "off: for processors of AVX2 without AVX-512"
    return found
