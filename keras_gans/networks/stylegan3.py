"""StyleGAN3's generator, equivariant to translation or to rotation, too."""

import math
from typing import NamedTuple

import keras
from keras import ops
import numpy as np

from keras_gans.layers import (
    Bias,
    EqualizedDense,
    FilteredLeakyReLU,
    FourierFeatures,
    MagnitudeNorm,
    ModulatedConv2D,
)
from keras_gans.networks.stylegan2 import joined, mapping_network
from keras_gans.utils.validation import check_shape, check_size, is_number, within

LEAST = 8  # pixels a side
FIRST_CUTOFF = 2.0
FIRST_STOPBAND, LAST_STOPBAND = 2**2.1, 2**0.3  # the last times its cutoff
CRITICAL = 2  # last layers whose cutoff is half of the sampling rate
MARGIN = 10  # pixels beyond each edge of the image
OUTPUT_GAIN = 0.25


class Band(NamedTuple):
    """What a map holds: its side, pixels a unit of length, and frequencies.

    Attributes:
        size: int, its side with margins.
        rate: int, pixels in the side of an image.
        cutoff: float, the highest frequency that passes whole.
        width: float, of the transition band around it.
    """

    size: int
    rate: int
    cutoff: float
    width: float


def bands(resolution: int, layers: int = 14) -> list[Band]:
    """The maps that the layers make, from the coarsest to the image.

    Cutoffs and stopbands are geometric progressions, which the last two layers
    end: these have as many frequencies as the image's pixels can hold. Each
    map is sampled as coarsely as its stopband allows.

    Args:
        resolution: int, the side of the image.
        layers: int, above 2.

    Returns:
        list of `layers + 1` `Band`s; the last is that of the layer to colours.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.stylegan3 import bands

    [band.size for band in bands(32)][3:7]  # [36, 36, 52, 52]
    ```

    Reference:
        https://arxiv.org/abs/2106.12423, section 3.2 and figure 4c
    """
    check_size("layers", layers)
    within("layers", layers, layers > CRITICAL, f"{CRITICAL + 1}, {CRITICAL + 2}, ...")
    done = np.minimum(np.arange(layers + 1) / (layers - CRITICAL), 1.0)
    last = resolution / 2
    cutoffs = FIRST_CUTOFF * (last / FIRST_CUTOFF) ** done
    stopbands = FIRST_STOPBAND * (last * LAST_STOPBAND / FIRST_STOPBAND) ** done
    maps = []
    for i, (cutoff, stop) in enumerate(zip(cutoffs, stopbands, strict=True)):
        rate = 2 ** math.ceil(math.log2(min(2 * stop, resolution)))
        size = rate + 2 * MARGIN if i < layers - 1 else resolution
        half = max(stop, rate / 2) - cutoff
        maps.append(Band(size, rate, float(cutoff), float(2 * half)))
    return maps


def check_resolution(image_shape: tuple[int, int, int]) -> int:
    """The side of images that StyleGAN3 makes.

    Raises:
        ValueError: `image_shape` is not a square of a power of two.
    """
    height, width, _ = check_shape(image_shape)
    if height == width >= LEAST and height & (height - 1) == 0:
        return height
    least = max(LEAST, 2 ** int(math.log2(max(height, width))))
    nearest = [least] if least == max(height, width, LEAST) else [least, 2 * least]
    raise ValueError(
        f"StyleGAN3's images are squares whose side is a power of two, {LEAST} or "
        f"more. Received: {height} x {width} pixels. Near it: "
        f"{' or '.join(f'{side} x {side}' for side in nearest)}. StyleGAN2 makes "
        "other sizes."
    )


def channels_of(
    bands: list[Band],
    channel_base: int = 32768,
    channel_max: int = 512,
    widths: tuple[int, ...] | None = None,
) -> tuple[int, ...]:
    """The channels of the maps, from the coarsest on, without the image.

    Args:
        bands: list of `Band`s of the maps and the image.
        channel_base: int, channels times twice the cutoff.
        channel_max: int.
        widths: `None`, or a tuple of ints: the channels themselves.

    Raises:
        ValueError: a map has no channels, or there are not as many widths as
            maps.
    """
    check_size("channel_base", channel_base)
    check_size("channel_max", channel_max)
    maps = bands[:-1]
    if widths is None:
        channels = [
            round(min(channel_base / (2 * band.cutoff), channel_max)) for band in maps
        ]
        if min(channels) < 1:
            raise ValueError(
                f"The last map has channel_base / {2 * maps[-1].cutoff:g} channels. "
                f"Received: channel_base={channel_base}. Take "
                f"{2 * math.ceil(maps[-1].cutoff)} or more."
            )
        return tuple(channels)
    if len(widths) != len(maps):
        raise ValueError(
            f"StyleGAN3 of {len(maps)} layers has as many widths. Received: "
            f"{len(widths)} widths, {tuple(widths)}."
        )
    return tuple(check_size("widths", width) for width in widths)


def stylegan3_generator(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    latent_dim: int = 512,
    w_dim: int = 512,
    *,
    num_classes: int | None = None,
    mapping_layers: int = 2,
    layers: int = 14,
    kernel_size: int = 3,
    radial: bool = False,
    channel_base: int = 32768,
    channel_max: int = 512,
    widths: tuple[int, ...] | None = None,
    name: str = "generator",
) -> keras.Model:
    """A mapping of z to w, and a synthesis of continuous signals.

    It has two models as layers: "mapping", from z (and labels) to w
    `[n, w_dim]`, and "synthesis", from `[n, layers + 2, w_dim]` to images. In
    between, "truncation" moves w towards its mean. Images have no bound: a GAN's
    samples are cut to their range.

    With `kernel_size=3` and filters that are not radial it is the paper's
    StyleGAN3-T, whose images move with their content. `kernel_size=1` and
    `radial=True`, with twice the channels, make StyleGAN3-R, whose images turn
    with it, too.

    Args:
        image_shape: tuple (side, side, channels), the side a power of two, 8 or
            more.
        latent_dim: int.
        w_dim: int.
        num_classes: `None`, or int: the model then takes labels, too.
        mapping_layers: int.
        layers: int, above 2: those between waves and colours.
        kernel_size: int, odd.
        radial: bool, whether filters are radially symmetric, but for the last
            two layers'.
        channel_base: int, channels of a map times twice its cutoff.
        channel_max: int.
        widths: `None`, or a tuple of ints: the channels of each layer, in place
            of `channel_base` and `channel_max`.
        name: str.

    Returns:
        `keras.Model` of `[z, truncation]` or `[z, label, truncation]`, float32
        `[n, latent_dim]`, int32 `[n]` and float32 `[n]` (psi; 1 for none), to
        float32 `[n, *image_shape]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.stylegan3 import stylegan3_generator

    generator = stylegan3_generator((8, 8, 1), 8, 8, layers=3, channel_base=64)
    z, psi = np.zeros((4, 8), "float32"), np.full(4, 0.7, "float32")
    generator([z, psi]).shape  # (4, 8, 8, 1)
    ```

    Reference:
        https://arxiv.org/abs/2106.12423, section 3, figure 4 and appendix F
    """
    maps = bands(check_resolution(image_shape), layers)
    widths = channels_of(maps, channel_base, channel_max, widths)
    check_size("kernel_size", kernel_size)
    within("kernel_size", kernel_size, kernel_size % 2 == 1, "1, 3, 5, ...")
    within("radial", radial, isinstance(radial, bool), "True, False")
    mapping = mapping_network(latent_dim, w_dim, num_classes, mapping_layers)
    synthesis = _synthesis(image_shape[-1], w_dim, maps, widths, kernel_size, radial)
    return joined(mapping, synthesis, name)


def _synthesis(channels, w_dim, maps, widths, kernel_size, radial):
    count = len(widths)
    ws = keras.Input((count + 2, w_dim), name="w")
    first = maps[0]
    waves = FourierFeatures(
        widths[0], first.size, first.rate, first.cutoff, name="waves"
    )
    x = waves(ws[:, 0])
    x = EqualizedDense(widths[0], use_bias=False, name="mixed_waves")(x)
    for i, width in enumerate(widths):
        before, after = maps[max(i - 1, 0)], maps[i]
        x = _styled(x, ws[:, i + 1], width, kernel_size, f"layer{i}")
        x = FilteredLeakyReLU(
            after.size,
            (before.rate, after.rate),
            (before.cutoff, after.cutoff),
            (before.width, after.width),
            radial and i < count - CRITICAL,
            name=f"layer{i}_filtered",
        )(x)
    x = _styled(x, ws[:, -1], channels, 1, f"layer{count}", demodulate=False)
    return keras.Model(ws, ops.cast(x, "float32") * OUTPUT_GAIN, name="synthesis")


def _styled(x, w, width, size, name, demodulate=True):
    """A modulated convolution whose map has the pixels that a kernel adds."""
    style = EqualizedDense(x.shape[-1], bias=1.0, name=f"{name}_style")(w)
    x = MagnitudeNorm(name=f"{name}_norm")(x)
    if size > 1:
        edge = (size // 2, size // 2)
        x = ops.pad(x, [(0, 0), edge, edge, (0, 0)])
    x = ModulatedConv2D(width, size, demodulate=demodulate, name=name)([x, style])
    return Bias(name=f"{name}_bias")(x)


def place(
    generator: keras.Model, shift: tuple[float, float] = (0.0, 0.0), angle: float = 0.0
) -> None:
    """Turns and shifts what a generator of StyleGAN3 makes from now on.

    Images are turned about their middle, then shifted. Nothing is computed of
    pixels: what comes into view is made as the rest is.

    Args:
        generator: `keras.Model`, as of `stylegan3_generator`.
        shift: tuple (right, down) of floats, in sides of an image.
        angle: float, of a counter-clockwise turn, in degrees.

    Raises:
        ValueError: the generator is another, or an argument no finite number.

    Example:

    ```python
    from keras_gans.networks.stylegan3 import place, stylegan3_generator

    generator = stylegan3_generator((8, 8, 1), 8, 8, layers=3, channel_base=64)
    place(generator, shift=(0.25, 0.0), angle=30.0)
    ```

    Reference:
        https://arxiv.org/abs/2106.12423, section 3.1
    """
    numbers = [*shift, angle]
    ok = len(numbers) == 3 and all(is_number(x) and math.isfinite(x) for x in numbers)
    within("shift, angle", (shift, angle), ok, "finite numbers")
    layers = {layer.name: layer for layer in getattr(generator, "layers", [])}
    synthesis = layers.get("synthesis")
    parts = getattr(synthesis, "layers", [])
    waves = [layer for layer in parts if isinstance(layer, FourierFeatures)]
    if not waves:
        raise ValueError(
            "`place` moves the waves of StyleGAN3's generators. Received: "
            f"{getattr(generator, 'name', generator)!r}, which has none."
        )
    c, s = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    right, down = shift
    # From where a pixel is to where it came from: y points down.
    turned = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    shifted = np.array([[1, 0, -right], [0, 1, -down], [0, 0, 1]])
    waves[0].transform.assign((turned @ shifted).astype("float32"))
