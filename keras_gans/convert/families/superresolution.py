"""The networks of ESRGAN, Real-ESRGAN and BasicSR's SRResNet.

From XPixelGroup/BasicSR (archs), xinntao/Real-ESRGAN and xinntao/ESRGAN. ESRGAN's
generator has three schemes of names; the two older ones are renamed to the last:

| BasicSR | ESRGAN | its first version |
|---|---|---|
| conv_first | conv_first | model.0 |
| body.N.rdb1.conv1 | RRDB_trunk.N.RDB1.conv1 | model.1.sub.N.RDB1.conv1.0 |
| conv_body | trunk_conv | model.1.sub.(last) |
| conv_up1, conv_up2 | upconv1, upconv2 | model.3, model.6 |
| conv_hr, conv_last | HRconv, conv_last | model.8, model.10 |
"""

import math
import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.networks.rrdbnet import CONVS, DENSE, doublings, rrdbnet
from keras_gans.networks.srresnet import msrresnet
from keras_gans.networks.srvgg import srvgg
from keras_gans.networks.superresolution import factors
from keras_gans.networks.superresolution_discriminators import (
    HALVINGS,
    unet_discriminator,
    vgg_discriminator,
    vgg_halvings,
)

# --- Detection ---


def detect(state):
    """Tells the configuration of a network from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family. The size
        of images is left open, but of the discriminator that ends in a vector.
    """
    state = _renamed(state)
    kernels = {
        name.removesuffix(".weight").removesuffix(".weight_orig"): weight.shape
        for name, weight in state.items()
        if weight.ndim == 4 and 0 not in weight.shape
    }
    if {"conv_first", "body.0.rdb1.conv1", "conv_last"} <= set(kernels):
        return _detect_rrdbnet(kernels)
    if {"conv_first", "body.0.conv1", "upconv1", "conv_last"} <= set(kernels):
        return _detect_msrresnet(kernels)
    if {"conv0_0", "conv0_1"} <= set(kernels) and "linear1.weight" in state:
        return _detect_vgg(state, kernels)
    if {"conv0", "conv1", "conv9"} <= set(kernels):
        width, channels = kernels["conv0"][:2]
        return {
            "network": "unet_discriminator",
            "image_shape": (None, None, channels),
            "width": width,
        }
    if {"body.0", "body.2"} <= set(kernels) and all(
        re.fullmatch(r"body\.\d{1,3}\.(weight|bias)", name) for name in state
    ):
        return _detect_srvgg(state, kernels)
    return None


def _count(kernels, name):
    """How many of the numbered kernels there are, from 0 on."""
    count = 0
    while name.format(count) in kernels and count < weights.MAX_BLOCKS:
        count += 1
    return count


def _detect_rrdbnet(kernels):
    width, inputs = kernels["conv_first"][:2]
    outputs = kernels["conv_last"][0]
    # Blocks of pixels as channels; as many colours as come out tell it.
    unshuffle = {outputs * 4: 2, outputs * 16: 4}.get(inputs, 1)
    ups = sum(f"conv_up{i}" in kernels for i in range(1, 6))
    return {
        "network": "rrdbnet",
        "image_shape": (None, None, inputs // unshuffle**2),
        "output_channels": outputs,
        "scale": max(1, 2**ups // unshuffle),
        "blocks": _count(kernels, "body.{}.rdb1.conv1"),
        "width": width,
        "growth": kernels["body.0.rdb1.conv1"][0],
        "unshuffle": unshuffle,
    }


def _detect_msrresnet(kernels):
    width, channels = kernels["conv_first"][:2]
    scale = 4 if "upconv2" in kernels else math.isqrt(kernels["upconv1"][0] // width)
    return {
        "network": "msrresnet",
        "image_shape": (None, None, channels),
        "output_channels": kernels["conv_last"][0],
        "scale": scale,
        "blocks": _count(kernels, "body.{}.conv1"),
        "width": width,
    }


def _detect_srvgg(state, kernels):
    width, channels = kernels["body.0"][:2]
    last = max(int(name.removeprefix("body.")) for name in kernels)
    # Rectifiers without weights are not told from each other.
    learned = "body.1.weight" in state
    return {
        "network": "srvgg",
        "image_shape": (None, None, channels),
        "scale": math.isqrt(kernels[f"body.{last}"][0] // channels),
        "convs": max(1, last // 2 - 1),
        "width": width,
        "activation": "prelu" if learned else "relu",
    }


def _detect_vgg(state, kernels):
    width, channels = kernels["conv0_0"][:2]
    halvings = _count(kernels, "conv{}_1")
    pixels = state["linear1.weight"].size // (
        max(1, len(state["linear1.weight"])) * kernels[f"conv{halvings - 1}_1"][0]
    )
    side = math.isqrt(pixels) * 2**halvings
    return {
        "network": "vgg_discriminator",
        "image_shape": (side, side, channels),
        "width": width,
        "dense": len(state["linear1.weight"]),
    }


# --- Names ---


def _renamed(state):
    """ESRGAN's older names to BasicSR's; others as they are."""
    if "model.0.weight" in state and any(
        name.startswith("model.1.sub.0.RDB1.") for name in state
    ):
        rename = _from_first(state)
    elif "RRDB_trunk.0.RDB1.conv1.weight" in state:
        rename = _from_second
    else:
        return state
    return {rename(name): value for name, value in state.items()}


_SECOND = {"trunk_conv": "conv_body", "HRconv": "conv_hr"}


def _from_second(name):
    layer, _, leaf = name.rpartition(".")
    layer = re.sub(r"^upconv(\d)$", r"conv_up\1", _SECOND.get(layer, layer))
    layer = re.sub(
        r"^RRDB_trunk\.(\d+)\.RDB(\d)\.conv(\d)$", r"body.\1.rdb\2.conv\3", layer
    )
    return f"{layer}.{leaf}"


def _from_first(state):
    places = {
        int(match[1])
        for name in state
        if (match := re.fullmatch(r"model\.(\d{1,2})\.weight", name))
    }
    *ups, high, last = [0, *sorted(places - {0})]
    names = {f"model.{n}": f"conv_up{i}" for i, n in enumerate(ups)}
    names |= {f"model.{high}": "conv_hr", f"model.{last}": "conv_last"}
    names["model.0"] = "conv_first"

    def rename(name):
        layer, _, leaf = name.rpartition(".")
        layer = names.get(layer, layer)
        layer = re.sub(
            r"^model\.1\.sub\.(\d+)\.RDB(\d)\.conv(\d)\.0$",
            r"body.\1.rdb\2.conv\3",
            layer,
        )
        layer = re.sub(r"^model\.1\.sub\.\d+$", "conv_body", layer)
        return f"{layer}.{leaf}"

    return rename


class _Names:
    """The reference's names and shapes of the layers of a network of ours.

    Attributes:
        pairs: Dict of our layer's name to the reference's prefix.
        shapes: Dict of the reference's name to its shape.
        blocks: Dict of a weight's name to `(axis, pixels)`: along that axis the
            reference has so many pixels of each channel, channel by channel, and
            we have the channels of each pixel.
    """

    def __init__(self):
        self.pairs = {}
        self.shapes = {}
        self.blocks = {}

    def conv(self, ours, theirs, inputs, outputs, size=3, bias=True):
        self.pairs[ours] = theirs
        self.shapes[f"{theirs}.weight"] = (outputs, inputs, size, size)
        if bias:
            self.shapes[f"{theirs}.bias"] = (outputs,)

    def shuffled(self, ours, theirs, inputs, outputs, factor):
        """A convolution before a pixel shuffle."""
        self.conv(ours, theirs, inputs, outputs * factor**2)
        for leaf in ("weight", "bias"):
            self.blocks[f"{theirs}.{leaf}"] = (0, factor**2)

    def spectral(self, ours, theirs, inputs, outputs, size):
        self.pairs[ours] = theirs
        self.shapes[f"{theirs}.weight_orig"] = (outputs, inputs, size, size)
        self.shapes[f"{theirs}.weight_u"] = (outputs,)
        self.shapes[f"{theirs}.weight_v"] = (inputs * size**2,)

    def vectors(self, ours, theirs, channels, leaves):
        self.pairs[ours] = theirs
        self.shapes |= {f"{theirs}.{leaf}": (channels,) for leaf in leaves}


_NORM = ("weight", "bias", "running_mean", "running_var")


def _rrdbnet(image_shape, output_channels, scale, blocks, width, growth, unshuffle):
    names = _Names()
    inputs = image_shape[-1] * unshuffle**2
    names.conv("first", "conv_first", inputs, width)
    if unshuffle > 1:
        names.blocks["conv_first.weight"] = (1, unshuffle**2)
    for i in range(blocks):
        for k in range(1, DENSE + 1):
            for j in range(1, CONVS + 1):
                names.conv(
                    f"block_{i}_dense{k}_conv{j}",
                    f"body.{i}.rdb{k}.conv{j}",
                    width + (j - 1) * growth,
                    growth if j < CONVS else width,
                )
    names.conv("body", "conv_body", width, width)
    for i in range(doublings(scale, unshuffle)):
        names.conv(f"up_{i}", f"conv_up{i + 1}", width, width)
    names.conv("high", "conv_hr", width, width)
    names.conv("last", "conv_last", width, output_channels)
    return names


def _msrresnet(image_shape, output_channels, scale, blocks, width, **_):
    names = _Names()
    names.conv("first", "conv_first", image_shape[-1], width)
    for i in range(blocks):
        for k in (1, 2):
            names.conv(f"block_{i}_conv{k}", f"body.{i}.conv{k}", width, width)
    for i, factor in enumerate(factors(scale)):
        names.shuffled(f"up_{i}", f"upconv{i + 1}", width, width, factor)
    names.conv("high", "conv_hr", width, width)
    names.conv("last", "conv_last", width, output_channels)
    return names


def _srvgg(image_shape, scale, convs, width, activation):
    names, channels = _Names(), image_shape[-1]
    for i in range(convs + 1):
        names.conv(f"conv_{i}", f"body.{2 * i}", width if i else channels, width)
        if activation == "prelu":
            names.vectors(f"act_{i}", f"body.{2 * i + 1}", width, ["weight"])
    names.shuffled("last", f"body.{2 * convs + 2}", width, channels, scale)
    return names


def _vgg(image_shape, width, dense):
    names, halvings = _Names(), vgg_halvings(image_shape)
    widths = [width * min(2**i, 8) for i in range(halvings)]
    inputs = image_shape[-1]
    for i, outputs in enumerate(widths):
        names.conv(f"conv_{i}_0", f"conv{i}_0", inputs, outputs, bias=i == 0)
        names.conv(f"conv_{i}_1", f"conv{i}_1", outputs, outputs, 4, bias=False)
        for k in (0, 1) if i else (1,):
            names.vectors(f"norm_{i}_{k}", f"bn{i}_{k}", outputs, _NORM)
        inputs = outputs
    pixels = math.prod(side // 2**halvings for side in image_shape[:2])
    for ours, theirs, inputs, outputs in (
        ("dense", "linear1", widths[-1] * pixels, dense),
        ("logits", "linear2", dense, 1),
    ):
        names.pairs[ours] = theirs
        names.shapes[f"{theirs}.weight"] = (outputs, inputs)
        names.shapes[f"{theirs}.bias"] = (outputs,)
    names.blocks["linear1.weight"] = (1, pixels)
    return names


def _unet(image_shape, width):
    names = _Names()
    names.conv("conv_0", "conv0", image_shape[-1], width)
    widths = [width * 2**i for i in range(HALVINGS + 1)]
    for i in range(HALVINGS):
        names.spectral(f"conv_{i + 1}", f"conv{i + 1}", widths[i], widths[i + 1], 4)
        k = 2 * HALVINGS - i
        names.spectral(f"conv_{k}", f"conv{k}", widths[i + 1], widths[i], 3)
    for k in (7, 8):
        names.spectral(f"conv_{k}", f"conv{k}", width, width, 3)
    names.conv("logits", "conv9", width, 1)
    return names


# --- Building ---

_NETWORKS = {
    "rrdbnet": (_rrdbnet, rrdbnet),
    "msrresnet": (_msrresnet, msrresnet),
    "srvgg": (_srvgg, srvgg),
    "vgg_discriminator": (_vgg, vgg_discriminator),
    "unet_discriminator": (_unet, unet_discriminator),
}


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: images in [-1, 1] to images in [-1, 1], `scale` times as
        large, or to logits.

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    config = dict(config)
    network = config.pop("network")
    if network not in _NETWORKS:
        raise ValueError(
            f"`network` must be one of {sorted(_NETWORKS)}. Received: "
            f"network={network!r}."
        )
    name_layers, make = _NETWORKS[network]
    names = name_layers(**config)
    state = _renamed(state)
    # Before anything is made: a file may name sizes that it does not have.
    weights.check(network, state, names.shapes)
    model = make(**config)
    state = {
        name: _pixels_first(value, *names.blocks[name])
        if name in names.blocks
        else value
        for name, value in state.items()
    }
    pairs = [(model.get_layer(a), b) for a, b in names.pairs.items()]
    weights.assign(model, state, weights.of_pairs(pairs))
    return model


def _pixels_first(value, axis, pixels):
    """An axis of (channel, pixel of a block) to one of (pixel, channel)."""
    shape = value.shape
    parts = (*shape[:axis], -1, pixels, *shape[axis + 1 :])
    return np.swapaxes(value.reshape(parts), axis, axis + 1).reshape(shape)
