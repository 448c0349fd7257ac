"""StyleGAN2's networks, of any size that doubling reaches."""

from typing import Any

import keras
from keras import layers, ops

from keras_gans.layers import (
    Bias,
    EqualizedConv2D,
    EqualizedDense,
    LearnedMap,
    MinibatchStdDev,
    ModulatedConv2D,
    NoiseMap,
    Truncation,
)
from keras_gans.networks.precision import cast_to, precisions
from keras_gans.networks.resampling import downsampled, filtered, upsampled
from keras_gans.networks.sizes import doublings
from keras_gans.utils.validation import check_classes, check_size, within

SLOPE, GAIN = 0.2, 2**0.5  # of leaky ReLUs
EPSILON = 1e-8
CLAMP = 256.0  # of activations in float16, which has no more than 65504


def channels_of(
    image_shape: tuple[int, int, int],
    channel_base: int = 32768,
    channel_max: int = 512,
    widths: tuple[int, ...] | None = None,
) -> tuple[int, ...]:
    """The channels of each map, from the smallest to the largest.

    Args:
        image_shape: tuple (height, width, channels).
        channel_base: int, channels times the side of a map, of which the smallest
            counts as 4 pixels.
        channel_max: int.
        widths: `None`, or a tuple of ints: the channels themselves.

    Raises:
        ValueError: doubling does not reach the size, a map has no channels, or
            there are not as many widths as maps.
    """
    check_size("channel_base", channel_base)
    check_size("channel_max", channel_max)
    count = doublings(image_shape) + 1
    if widths is None:
        channels = [min(channel_base // (4 << i), channel_max) for i in range(count)]
        if min(channels) < 1:
            raise ValueError(
                f"The largest map has channel_base // {4 << count - 1} channels. "
                f"Received: channel_base={channel_base}. Take {4 << count - 1} or more."
            )
        return tuple(channels)
    if len(widths) != count:
        raise ValueError(
            f"Images of {image_shape[0]} x {image_shape[1]} pixels have {count} maps. "
            f"Received: {len(widths)} widths, {tuple(widths)}."
        )
    return tuple(check_size("widths", width) for width in widths)


def stylegan2_generator(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    latent_dim: int = 512,
    w_dim: int = 512,
    *,
    num_classes: int | None = None,
    mapping_layers: int = 8,
    channel_base: int = 32768,
    channel_max: int = 512,
    widths: tuple[int, ...] | None = None,
    random_noise: bool = True,
    half_blocks: int = 0,
    half_dtype: str = "bfloat16",
    name: str = "generator",
) -> keras.Model:
    """A mapping of z to w, and a synthesis whose every layer is styled by a w.

    It has two models as layers: "mapping", from z (and labels) to w
    `[n, w_dim]`, and "synthesis", from `[n, layers, w_dim]` to images. In
    between, "truncation" moves w towards its mean. Images have no bound: a GAN's
    samples are cut to their range.

    Args:
        image_shape: tuple (height, width, channels): a shorter side of 4 to 7
            pixels, doubled any number of times.
        latent_dim: int.
        w_dim: int.
        num_classes: `None`, or int: the model then takes labels, too.
        mapping_layers: int; 8 in the paper, 2 in ADA's "auto".
        channel_base: int, channels times the side of a map; 32768 in the paper,
            half of it up to 256 pixels in ADA's "auto".
        channel_max: int.
        widths: `None`, or a tuple of ints: the channels of each map from the
            smallest on, in place of `channel_base` and `channel_max`.
        random_noise: bool, whether layers get other noise for each row in
            training.
        half_blocks: int, how many of the largest maps are computed in half
            precision; weights and all else are float32. 0 leaves it to Keras's
            policy.
        half_dtype: "bfloat16" or "float16", in which activations are cut to
            [-256, 256] (arXiv:2006.06676, appendix D).
        name: str.

    Returns:
        `keras.Model` of `[z, truncation]` or `[z, label, truncation]`, float32
        `[n, latent_dim]`, int32 `[n]` and float32 `[n]` (psi; 1 for none), to
        float32 `[n, *image_shape]`.

    Raises:
        ValueError: an argument is out of its range, or doubling does not reach
            the size.

    Example:

    ```python
    from keras_gans.networks.stylegan2 import stylegan2_generator

    generator = stylegan2_generator((16, 24, 1), 8, 8, channel_base=64)
    z, psi = np.zeros((4, 8), "float32"), np.full(4, 0.7, "float32")
    generator([z, psi]).shape  # (4, 16, 24, 1)
    ```

    Reference:
        https://arxiv.org/abs/1912.04958, figure 2 and section 4;
        https://arxiv.org/abs/2006.06676, appendix
    """
    widths = channels_of(image_shape, channel_base, channel_max, widths)
    dtypes = precisions(len(widths), half_blocks, half_dtype)
    mapping = mapping_network(
        latent_dim, w_dim, num_classes, mapping_layers, dtypes[-1]
    )
    synthesis = _synthesis(image_shape, w_dim, widths, random_noise, dtypes)
    return joined(mapping, synthesis, name)


def joined(mapping: keras.Model, synthesis: keras.Model, name: str) -> keras.Model:
    """A generator of a mapping and a synthesis, truncation between them."""
    inputs = [
        keras.Input(i.shape[1:], dtype=i.dtype, name=i.name) for i in mapping.inputs
    ]
    psi = keras.Input((), name="truncation")
    w = mapping(inputs if len(inputs) > 1 else inputs[0])
    count = synthesis.input.shape[1]
    ws = Truncation(count, dtype="float32", name="truncation_of_w")([w, psi])
    return keras.Model([*inputs, psi], synthesis(ws), name=name)


def _normalized(x):
    return x * ops.rsqrt(ops.mean(ops.square(x), axis=-1, keepdims=True) + EPSILON)


def _clamped(x):
    return ops.clip(x, -CLAMP, CLAMP) if x.dtype == "float16" else x


def _activated(x):
    return _clamped(layers.LeakyReLU(SLOPE, dtype=x.dtype)(x) * GAIN)


def mapping_network(
    latent_dim: int, w_dim: int, num_classes: int | None, count: int, dtype: Any = None
) -> keras.Model:
    """Dense layers from z `[n, latent_dim]` (and labels) to w `[n, w_dim]`.

    Args:
        latent_dim: int.
        w_dim: int.
        num_classes: `None`, or int.
        count: int, layers.
        dtype: of the layers, see `keras.layers.Layer`.

    Raises:
        ValueError: an argument is out of its range.
    """
    check_size("latent_dim", latent_dim)
    check_size("w_dim", w_dim)
    check_size("mapping_layers", count)
    z = keras.Input((latent_dim,), name="z")
    x, inputs = _normalized(z), z
    if num_classes is not None:
        label = keras.Input((), dtype="int32", name="label")
        y = _embedded(label, num_classes, w_dim, dtype)
        x = ops.concatenate([x, y], axis=-1)
        inputs = [z, label]
    for i in range(count):
        dense = EqualizedDense(w_dim, rate=0.01, dtype=dtype, name=f"fc{i}")
        x = _activated(dense(x))
    return keras.Model(inputs, x, name="mapping")


def _embedded(label, num_classes, width, dtype):
    one_hot = ops.one_hot(label, check_classes(num_classes))
    return _normalized(EqualizedDense(width, dtype=dtype, name="embed")(one_hot))


def _synthesis(image_shape, w_dim, widths, random_noise, dtypes):
    base = tuple(side >> len(widths) - 1 for side in image_shape[:2])
    ws = keras.Input((2 * len(widths), w_dim), name="w")
    x = LearnedMap((*base, widths[0]), dtype=dtypes[0], name="map0")(ws)
    images, place = None, 0
    for i, width in enumerate(widths):
        own = {"style": dtypes[-1], "map": dtypes[i]}
        x = cast_to(x, dtypes[i])
        for up in (True, False) if i else (False,):
            layer = f"map{i}_{'up' if up else 'conv'}"
            x = _styled(x, ws[:, place], width, up, random_noise, own, layer)
            place += 1
        y = _to_images(x, ws[:, place], image_shape[-1], own, f"map{i}_images")
        images = y if images is None else upsampled(images) + y
    return keras.Model(ws, images, name="synthesis")


def _style(w, channels, dtype, name):
    return EqualizedDense(channels, bias=1.0, dtype=dtype, name=f"{name}_style")(w)


def _styled(x, w, width, up, random_noise, dtypes, name):
    style, dtype = _style(w, x.shape[-1], dtypes["style"], name), dtypes["map"]
    x = ModulatedConv2D(width, 3, upsample=up, dtype=dtype, name=name)([x, style])
    if up:
        # A zero between pixels takes half of the sum along each axis.
        x = filtered(x, 1) * 4.0
    x = NoiseMap(random_noise, dtype=dtype, name=f"{name}_noise")(x)
    return _activated(Bias(dtype=dtype, name=f"{name}_bias")(x))


def _to_images(x, w, channels, dtypes, name):
    style, dtype = _style(w, x.shape[-1], dtypes["style"], name), dtypes["map"]
    own = {"demodulate": False, "dtype": dtype, "name": name}
    y = ModulatedConv2D(channels, 1, **own)([x, style])
    y = _clamped(Bias(dtype=dtype, name=f"{name}_bias")(y))
    return ops.cast(y, "float32")


def stylegan2_discriminator(
    image_shape: tuple[int, int, int] = (32, 32, 3),
    *,
    num_classes: int | None = None,
    channel_base: int = 32768,
    channel_max: int = 512,
    widths: tuple[int, ...] | None = None,
    mapping_layers: int = 8,
    residual: bool = True,
    group_size: int = 4,
    half_blocks: int = 0,
    half_dtype: str = "bfloat16",
    name: str = "discriminator",
) -> keras.Model:
    """Residual blocks that halve the size, and the minibatch's deviation.

    Args:
        image_shape: tuple (height, width, channels), as of
            `stylegan2_generator`.
        num_classes: `None`, or int: the model then takes `[images, label]`, and
            its score is the inner product of features and a mapping of the
            class.
        channel_base: int, as of `stylegan2_generator`.
        channel_max: int.
        widths: `None`, or a tuple of ints, as of `stylegan2_generator`.
        mapping_layers: int, of the mapping of classes.
        residual: bool; ADA's "cifar" has no residual connections.
        group_size: int, rows of a group of the minibatch's deviation.
        half_blocks: int, as of `stylegan2_generator`.
        half_dtype: str, as of `stylegan2_generator`.
        name: str.

    Returns:
        `keras.Model` from `[n, *image_shape]`, or from that and int32 `[n]`, to
        float32 logits `[n, 1]`.

    Raises:
        ValueError: an argument is out of its range, or doubling does not reach
            the size.

    Example:

    ```python
    from keras_gans.networks.stylegan2 import stylegan2_discriminator

    discriminator = stylegan2_discriminator((16, 24, 1), channel_base=64)
    discriminator(np.zeros((4, 16, 24, 1), "float32")).shape  # (4, 1)
    ```

    Reference:
        https://arxiv.org/abs/1912.04958, section 4.1
    """
    within("residual", residual, isinstance(residual, bool), "True, False")
    widths = channels_of(image_shape, channel_base, channel_max, widths)
    *dtypes, full = precisions(len(widths), half_blocks, half_dtype)
    images = keras.Input(image_shape, name="images")
    x = EqualizedConv2D(widths[-1], 1, dtype=dtypes[-1], name="from_images")(images)
    x = _activated(x)
    for i in reversed(range(1, len(widths))):
        x = cast_to(x, dtypes[i])
        x = _halved(x, widths[i], widths[i - 1], residual, dtypes[i], f"map{i}")
    x = MinibatchStdDev(group_size, dtype=full, name="stddev")(cast_to(x, full))
    conv = EqualizedConv2D(widths[0], 3, dtype=dtypes[0], name="map0_conv")
    x = _activated(conv(x))
    # Channels come first in the reference's rows.
    x = layers.Permute((3, 1, 2), dtype=full, name="channels_first")(x)
    x = layers.Flatten(dtype="float32", name="features")(x)
    x = _activated(EqualizedDense(widths[0], dtype="float32", name="fc")(x))
    if num_classes is None:
        logits = EqualizedDense(1, dtype="float32", name="logits")(x)
        return keras.Model(images, logits, name=name)
    x = EqualizedDense(widths[0], dtype="float32", name="logits")(x)
    label = keras.Input((), dtype="int32", name="label")
    y = _embedded(label, num_classes, widths[0], full)
    for i in range(check_size("mapping_layers", mapping_layers)):
        dense = EqualizedDense(widths[0], rate=0.01, dtype=full, name=f"fc{i}")
        y = _activated(dense(y))
    logits = layers.Dot(1, dtype="float32", name="score")([x, y]) * widths[0] ** -0.5
    return keras.Model([images, label], logits, name=name)


def _halved(x, width, outputs, residual, dtype, name):
    h = _activated(EqualizedConv2D(width, 3, dtype=dtype, name=f"{name}_conv")(x))
    down = {"strides": 2, "padding": "valid", "dtype": dtype, "name": f"{name}_down"}
    h = _activated(EqualizedConv2D(outputs, 3, **down)(filtered(h, 2)))
    if not residual:
        return h
    own = {"use_bias": False, "dtype": dtype, "name": f"{name}_skip"}
    skip = EqualizedConv2D(outputs, 1, **own)
    # Each has half of the variance.
    return (h + skip(downsampled(x))) * 0.5**0.5
