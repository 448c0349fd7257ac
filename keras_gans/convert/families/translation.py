"""The networks of pix2pix and CycleGAN.

From junyanz/pytorch-CycleGAN-and-pix2pix, models/networks.py. A U-Net is
nested: `model.model.0` and `.3` are its outermost convolutions, `.1` the
network between them, and so on inwards. The ResNet and the patch
discriminator are one sequence, `model.N`, the pixel discriminator is `net.N`.
"""

import re

from keras_gans.convert import weights
from keras_gans.networks.patchgan import (
    KERNEL,
    patch_discriminator,
    patch_widths,
    pixel_discriminator,
)
from keras_gans.networks.resnet_translator import resnet_translator
from keras_gans.networks.translation import check_norm, has_bias
from keras_gans.networks.unet import unet_generator, unet_widths

_STATISTICS = ("running_mean", "running_var")
_OUTER_UNET = "model.model"
_UNET_KERNEL = 4


class _Names:
    """The reference's names and shapes of the layers of a network of ours.

    Attributes:
        norm: "batch", "instance" or None.
        pairs: Dict of our layer's name to the reference's prefix.
        shapes: Dict of the reference's name to its shape.
        idle: Set of names that the reference may hold but never uses.
    """

    def __init__(self, norm):
        self.norm = check_norm(norm)
        self.pairs = {}
        self.shapes = {}
        self.idle = set()

    def add_conv(self, ours, theirs, shape, outputs, bias=None):
        """A convolution, with a bias as the norm has it or as `bias` says."""
        self.pairs[ours] = theirs
        self.shapes[f"{theirs}.weight"] = shape
        if has_bias(self.norm) if bias is None else bias:
            self.shapes[f"{theirs}.bias"] = (outputs,)

    def conv(self, ours, theirs, inputs, outputs, size, bias=None):
        shape = (outputs, inputs, size, size)
        self.add_conv(ours, theirs, shape, outputs, bias)

    def conv_transpose(self, ours, theirs, inputs, outputs, size, bias=None):
        shape = (inputs, outputs, size, size)
        self.add_conv(ours, theirs, shape, outputs, bias)

    def normalization(self, ours, theirs, channels):
        statistics = {f"{theirs}.{leaf}" for leaf in _STATISTICS}
        if self.norm == "instance":
            # Of PyTorch before 0.4, which kept them without being asked to.
            self.idle |= statistics
        if self.norm == "batch":
            self.pairs[ours] = theirs
            names = [f"{theirs}.weight", f"{theirs}.bias", *sorted(statistics)]
            self.shapes |= dict.fromkeys(names, (channels,))


# --- Detection ---


def detect(state):
    """Tells the configuration of a network from names and shapes.

    Weights tell neither the size of images, which is left open, nor whether a
    U-Net had dropout: it is taken for the reference's rate of 0.5.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    kernels = {
        name.removesuffix(".weight"): weight.shape
        for name, weight in state.items()
        if name.endswith(".weight") and weight.ndim == 4 and 0 not in weight.shape
    }
    if all(name.startswith("net.") for name in state) and "net.0" in kernels:
        return _detect_pixels(state, kernels)
    if not all(name.startswith("model.") for name in state):
        return None
    if f"{_OUTER_UNET}.0" in kernels and f"{_OUTER_UNET}.3" in kernels:
        return _detect_unet(state, kernels)
    places = [
        int(match[1])
        for name in kernels
        if (match := re.fullmatch(r"model\.(\d{1,3})", name))
    ]
    if max(places, default=0) > 3 * weights.MAX_BLOCKS:
        return None
    if {0, 2} <= set(places) and 1 not in places:
        return _detect_patches(state, kernels, max(places))
    if {1, 4, 7} <= set(places):
        return _detect_resnet(state, kernels, max(places))
    return None


def _norm(state, conv, norm):
    """The kind of the norm of this prefix after the convolution of that."""
    if f"{norm}.weight" in state:
        return "batch"
    return "instance" if f"{conv}.bias" in state else None


def _detect_pixels(state, kernels):
    width, channels = kernels["net.0"][:2]
    return {
        "network": "pixel_discriminator",
        "image_shape": (None, None, channels),
        "width": width,
        "norm": _norm(state, "net.2", "net.3"),
    }


def _detect_patches(state, kernels, last):
    width, channels = kernels["model.0"][:2]
    return {
        "network": "patch_discriminator",
        "image_shape": (None, None, channels),
        "n_layers": max(1, (last - 2) // 3),
        "width": width,
        "norm": _norm(state, "model.2", "model.3"),
    }


def _detect_unet(state, kernels):
    depth = 2
    while f"{_unet_block(depth)}.1" in kernels:
        depth += 1
        if depth > weights.MAX_BLOCKS:
            return None
    width, channels = kernels[f"{_OUTER_UNET}.0"][:2]
    innermost = _unet_block(depth - 1)
    return {
        "network": "unet",
        "image_shape": (None, None, channels),
        "output_channels": kernels[f"{_OUTER_UNET}.3"][1],
        "depth": depth,
        "width": width,
        "norm": _norm(state, f"{innermost}.1", f"{innermost}.4"),
        "dropout": 0.5,
    }


def _detect_resnet(state, kernels, last):
    width, channels = kernels["model.1"][:2]
    with_dropout = "model.10.conv_block.6" in kernels
    return {
        "network": "resnet",
        "image_shape": (None, None, channels),
        "output_channels": kernels[f"model.{last}"][0],
        "blocks": max(0, last - 17),
        "width": width,
        "norm": _norm(state, "model.1", "model.2"),
        "dropout": 0.5 if with_dropout else 0.0,
    }


# --- Names and shapes ---


def _unet_block(level):
    """The prefix of the layers of a level, 1 or more."""
    return f"{_OUTER_UNET}.1.model" + ".3.model" * (level - 1)


def _unet(norm, image_shape, output_channels, depth, width, **_):
    names, size = _Names(norm), _UNET_KERNEL
    widths = unet_widths(depth, width)
    names.conv("down_0", f"{_OUTER_UNET}.0", image_shape[-1], widths[0], size)
    names.conv_transpose(
        "up_0", f"{_OUTER_UNET}.3", 2 * widths[0], output_channels, size, bias=True
    )
    for i in range(1, depth):
        block, outer, inner = _unet_block(i), widths[i - 1], widths[i]
        names.conv(f"down_{i}", f"{block}.1", outer, inner, size)
        if i == depth - 1:
            up, joined = 3, inner
        else:
            up, joined = 5, 2 * inner
            names.normalization(f"down_norm_{i}", f"{block}.2", inner)
        names.conv_transpose(f"up_{i}", f"{block}.{up}", joined, outer, size)
        names.normalization(f"up_norm_{i}", f"{block}.{up + 1}", outer)
    return names


def _resnet(norm, image_shape, output_channels, blocks, width, dropout):
    names = _Names(norm)

    def normalized(add, ours, place, inputs, outputs, size):
        """The layer of that place, and the norm of the place after it."""
        prefix, _, number = place.rpartition(".")
        add(ours, place, inputs, outputs, size)
        after = f"{prefix}.{int(number) + 1}"
        names.normalization(f"{ours}_norm", after, outputs)

    normalized(names.conv, "first", "model.1", image_shape[-1], width, 7)
    normalized(names.conv, "down_1", "model.4", width, 2 * width, 3)
    normalized(names.conv, "down_2", "model.7", 2 * width, 4 * width, 3)
    for i in range(blocks):
        for k, place in ((1, 1), (2, 6 if dropout else 5)):
            place = f"model.{10 + i}.conv_block.{place}"
            ours = f"block_{i}_conv{k}"
            normalized(names.conv, ours, place, 4 * width, 4 * width, 3)
    end, up = 10 + blocks, names.conv_transpose
    normalized(up, "up_2", f"model.{end}", 4 * width, 2 * width, 3)
    normalized(up, "up_1", f"model.{end + 3}", 2 * width, width, 3)
    names.conv("last", f"model.{end + 7}", width, output_channels, 7, bias=True)
    return names


def _patches(norm, image_shape, n_layers, width):
    names = _Names(norm)
    widths = [image_shape[-1], *patch_widths(n_layers, width)]
    names.conv("conv_0", "model.0", *widths[:2], KERNEL, bias=True)
    for i in range(1, n_layers + 1):
        place = 3 * i - 1
        names.conv(f"conv_{i}", f"model.{place}", *widths[i : i + 2], KERNEL)
        names.normalization(f"norm_{i}", f"model.{place + 1}", widths[i + 1])
    last = f"model.{3 * n_layers + 2}"
    names.conv("logits", last, widths[-1], 1, KERNEL, bias=True)
    return names


def _pixels(norm, image_shape, width):
    names = _Names(norm)
    names.conv("conv_0", "net.0", image_shape[-1], width, 1, bias=True)
    names.conv("conv_1", "net.2", width, 2 * width, 1)
    names.normalization("norm_1", "net.3", 2 * width)
    names.conv("logits", "net.5", 2 * width, 1, 1)
    return names


# --- Building ---

_NETWORKS = {
    "unet": (_unet, unet_generator),
    "resnet": (_resnet, resnet_translator),
    "patch_discriminator": (_patches, patch_discriminator),
    "pixel_discriminator": (_pixels, pixel_discriminator),
}


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: images to images in [-1, 1], or to logits
        [n, rows, columns, 1]. With `training=True` batch norm is on the
        batch's statistics and dropout is on, as the reference tests.

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
    state = {k: v for k, v in state.items() if k not in names.idle}
    # Before anything is made: a file may name sizes that it does not have.
    weights.check(network, state, names.shapes)
    model = make(**config)
    pairs = [(model.get_layer(a), b) for a, b in names.pairs.items()]
    entries = weights.of_pairs(pairs)
    weights.assign(model, state, entries)
    return model
