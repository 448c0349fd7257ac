"""What the networks of super-resolution share.

Their references compute on images in [0, 1]; those of this package take and make
images in [-1, 1], and rescale them at both ends.
"""

from typing import Any

import keras
from keras import layers, ops
import numpy as np

from keras_gans.networks.translation import check_open_shape
from keras_gans.utils.resizing import keys_kernel
from keras_gans.utils.types import Shape
from keras_gans.utils.validation import check_size, one_of

SKIPS = ("nearest", "bilinear", "bicubic")  # how an image is enlarged by itself


def torch_init() -> keras.initializers.Initializer:
    """PyTorch's of a convolution: uniform of variance 1 / (3 fan_in)."""
    return keras.initializers.VarianceScaling(1 / 3, "fan_in", "uniform")


def small_init() -> keras.initializers.Initializer:
    """A tenth of He's normal: residual branches start near 0.

    Reference:
        https://arxiv.org/abs/1809.00219, section 3.1, "smaller initialization"
    """
    return keras.initializers.VarianceScaling(0.02, "fan_in", "untruncated_normal")


def conv(
    x: Any, filters: int, name: str, size: int = 3, small: bool = False, **kwargs: Any
) -> Any:
    """A convolution of stride 1 that keeps height and width."""
    kwargs.setdefault("kernel_initializer", small_init() if small else torch_init())
    return layers.Conv2D(filters, size, padding="same", name=name, **kwargs)(x)


def prelu(name: str) -> keras.layers.Layer:
    """A leaky rectifier with a learned slope a channel, from 0.25."""
    slope = keras.initializers.Constant(0.25)
    return layers.PReLU(slope, shared_axes=[1, 2], name=name)


def to_unit(images: Any) -> Any:
    """Images in [-1, 1] to [0, 1]."""
    return layers.Rescaling(0.5, 0.5, name="to_unit")(images)


def from_unit(x: Any) -> Any:
    """Images in [0, 1] to float32 in [-1, 1]."""
    return layers.Rescaling(2.0, -1.0, dtype="float32", name="images")(x)


def enlarged(x: Any, scale: int, kind: str, name: str) -> Any:
    """`x`, `scale` times as high and wide, by interpolation; one of `SKIPS`."""
    # Keras's interpolates no maps of open size in a graph.
    if kind == "nearest" or (kind == "bilinear" and None not in x.shape[1:3]):
        return layers.UpSampling2D(scale, interpolation=kind, name=name)(x)
    parts = [
        part
        for row in _interpolated(x, scale, kind, 1)
        for part in _interpolated(row, scale, kind, 2)
    ]
    return shuffled(layers.Concatenate(name=name)(parts), scale)


def _interpolated(x, scale, kind, axis):
    """Every `scale`-th of the new rows, or columns, from the first, the second ..."""
    reach = {"bilinear": 1, "bicubic": 2}[kind]
    sides = [(reach, reach) if i == axis else (0, 0) for i in range(4)]
    padded = ops.pad(x, sides, "symmetric")
    parts = []
    for i in range(scale):
        offsets = (i + 0.5) / scale - 0.5 - np.arange(-reach, reach + 1)
        if kind == "bilinear":
            weights = np.maximum(1 - np.abs(offsets), 0)
        else:
            weights = keys_kernel(offsets, -0.5)
        sums = 0.0
        for k, weight in enumerate(weights.tolist()):
            shift = slice(k, k - 2 * reach or None)
            if weight:
                rows = padded[:, shift] if axis == 1 else padded[:, :, shift]
                sums = rows * weight + sums
        parts.append(sums)
    return parts


def shuffled(x: Any, factor: int) -> Any:
    """Channels to pixels: `[n, h, w, factor**2 c]` to `[n, factor h, factor w, c]`.

    The channels are factor x factor blocks of c, as TensorFlow orders them.

    Reference:
        https://arxiv.org/abs/1609.05158, equation 4
    """
    return ops.depth_to_space(x, factor)


def factors(scale: int) -> tuple[int, ...]:
    """The steps by which a sub-pixel network reaches a scale of 1, 2, 3 or 4.

    Raises:
        ValueError: it is another.
    """
    one_of("scale", scale, (1, 2, 3, 4))
    return {1: (), 2: (2,), 3: (3,), 4: (2, 2)}[scale]


def check_sizes(
    image_shape: Shape, output_channels: int | None, **sizes: int
) -> tuple[tuple, int]:
    """Returns the shape as a tuple, and how many channels come out.

    Raises:
        ValueError: the shape, the channels or one of `sizes` is not usable.
    """
    image_shape = check_open_shape(image_shape)
    if output_channels is None:
        output_channels = image_shape[-1]
    for name, size in {"output_channels": output_channels, **sizes}.items():
        check_size(name, size)
    return image_shape, output_channels
