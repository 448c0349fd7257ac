"""StyleGAN2's networks in TensorFlow, `synthesis.4x4/Conv/weight` and so on.

From NVlabs/stylegan2: names of its variables. They are given the names and
layouts that the reference has in PyTorch, which family `stylegan2` reads.
"""

import re

import numpy as np

from keras_gans.convert.families import stylegan2
from keras_gans.convert.readers.snapshots import RATE

_LAYER = re.compile(
    r"(synthesis\.)?(\d{1,5})x\2/"
    r"(Const|Conv|Conv0|Conv0_up|Conv1|Conv1_down|ToRGB|FromRGB|Skip|Dense0)/"
    r"(const|weight|bias|mod_weight|mod_bias|noise_strength)"
)
_NOISE = re.compile(r"synthesis\.noise(\d{1,2})")
_DENSE = re.compile(r"(mapping\.)?(LabelEmbed|Dense|Mapping|Output)(\d{0,2})/(\w+)")
_LAYERS = {
    "Conv0": "conv0",
    "Conv0_up": "conv0",
    "Conv1": "conv1",
    "Conv1_down": "conv1",
    "ToRGB": "torgb",
    "FromRGB": "fromrgb",
    "Skip": "skip",
    "Dense0": "fc",
}
_LEAVES = {"mod_weight": "affine.weight", "mod_bias": "affine.bias"}
_LEFT_OUT = ("lod", RATE)  # lod counts a growth that StyleGAN2 has no more


def detect(state):
    """Tells the configuration of a network; see `families.stylegan2`."""
    if "synthesis.4x4/Const/const" not in state and "4x4/Conv/weight" not in state:
        return None
    return stylegan2.detect(_renamed(state))


def build(state, config):
    """Makes the network; see `families.stylegan2`."""
    return stylegan2.build(_renamed(state), config)


def _renamed(state):
    """The state as the reference has it in PyTorch."""
    # Theirs of the discriminator learns ten times faster than PyTorch's: its
    # numbers are as many times smaller.
    rate = state.get(RATE, 0.01 if "dlatent_avg" in state else 0.1)
    renamed = {}
    for name, value in state.items():
        if name not in _LEFT_OUT:
            theirs, layout = _place(name)
            value = layout(value)
            if theirs.startswith("mapping.fc"):
                value = value * np.float32(rate / 0.01)
            renamed[theirs] = value
    return renamed


def _place(name):
    """The name of a variable in PyTorch, and a function to its layout."""
    if name == "dlatent_avg":
        return "mapping.w_avg", np.asarray
    if name == "mbstd.group_size":
        return stylegan2.GROUP, np.asarray
    if match := _NOISE.fullmatch(name):
        i = int(match[1])
        size, layer = 4 << (i + 1) // 2, "conv0" if i % 2 else "conv1"
        return f"synthesis.b{size}.{layer}.noise_const", _without_ones
    if match := _LAYER.fullmatch(name):
        return _layer(match[1] or "", *match.groups()[1:])
    if match := _DENSE.fullmatch(name):
        _, layer, number, leaf = match.groups()
        if layer == "Output":
            return f"b4.out.{leaf}", _dense
        ours = "embed" if layer == "LabelEmbed" else f"fc{number}"
        return f"mapping.{ours}.{leaf}", _dense
    return name, np.asarray  # told of as unexpected


def _layer(network, size, layer, leaf):
    block = f"{network}b{size}"
    if layer == "Const":
        return f"{block}.const", _without_first
    # The first map has one convolution: the second of G's names, D's own.
    ours = _LAYERS.get(layer, "conv1" if network else "conv")
    name = f"{block}.{ours}.{_LEAVES.get(leaf, leaf)}"
    if leaf == "mod_bias":
        return name, _plus_one
    if leaf in ("bias", "noise_strength"):
        return name, np.asarray
    if leaf == "mod_weight" or layer == "Dense0":
        return name, _dense
    return name, _flipped if layer == "Conv0_up" else _conv


def _without_ones(x):
    return x[0, 0] if x.ndim == 4 else x


def _without_first(x):
    return x[0] if x.ndim == 4 else x


def _plus_one(x):
    return x + np.float32(1)


def _dense(x):
    return x.T


def _conv(x):
    """(height, width, in, out) to (out, in, height, width)."""
    return np.transpose(x, (3, 2, 0, 1)) if x.ndim == 4 else x


def _flipped(x):
    return _conv(x)[..., ::-1, ::-1]
