"""DF-GAN's networks, `GBlocks.0.c1.weight`, `DBlocks.0.gamma`, `joint_conv.0.weight`.

Of tobran/DF-GAN: its generator, and its discriminator in two parts, netD from
images to features and netC from these and a sentence to logits.
"""

import math
import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.networks.dfgan import dfgan_generator, dfgan_head, dfgan_trunk

BASE = 4  # pixels of a side of the smallest map
BLOCK = re.compile(r"([GD])Blocks\.(\d\d?)\.(c1|conv_r\.0)\.weight")


def detect(state):
    """Tells the configuration of a network of DF-GAN from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    blocks = {
        int(match[2]): state[name].shape
        for name in state
        if (match := BLOCK.fullmatch(name)) and state[name].ndim == 4
    }
    if sorted(blocks) != list(range(len(blocks))) or len(blocks) > weights.MAX_BLOCKS:
        return None
    if "fc.weight" in state and blocks:
        return _generator_config(state, blocks)
    if "conv_img.weight" in state and blocks:
        shape = state["conv_img.weight"].shape
        side = BASE << len(blocks)
        if len(shape) != 4:
            return None
        return {
            "network": "trunk",
            "image_shape": (side, side, shape[1]),
            "width": shape[0],
        }
    joint, score = (state.get(f"joint_conv.{i}.weight") for i in (0, 2))
    if joint is None or score is None or joint.ndim != 4 or score.ndim != 4:
        return None
    width = joint.shape[0] // 2
    if joint.shape[1] <= 8 * width:
        return None
    return {
        "network": "head",
        "shape": (*score.shape[2:], 8 * width),
        "text_dim": joint.shape[1] - 8 * width,
        "width": width,
    }


def _generator_config(state, blocks):
    last = state.get("to_rgb.1.weight")
    affine = state.get("GBlocks.0.fuse1.affine0.fc_gamma.linear1.weight")
    matrix = state["fc.weight"]
    if last is None or affine is None or last.ndim != 4:
        return None
    if matrix.ndim != 2 or affine.ndim != 2 or not blocks[0][1]:
        return None
    side = math.isqrt(matrix.shape[0] // blocks[0][1]) << len(blocks)
    if affine.shape[1] <= matrix.shape[1]:
        return None
    return {
        "network": "generator",
        "image_shape": (side, side, last.shape[0]),
        "text_dim": affine.shape[1] - matrix.shape[1],
        "latent_dim": matrix.shape[1],
        "width": last.shape[1],
    }


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: `[z, text]` to images in [-1, 1] of a generator, images to
        features of netD, `[features, text]` to logits of netC.

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    builders = {"generator": dfgan_generator, "trunk": dfgan_trunk, "head": dfgan_head}
    entries = {"generator": _generator, "trunk": _trunk, "head": _head}
    config = dict(config)
    network = config.pop("network")
    if network not in builders:
        raise ValueError(
            f"`network` must be one of {sorted(builders)}. Received: "
            f"network={network!r}."
        )
    model = builders[network](**config)
    if network == "trunk":
        state = _without_unused(state, model)
    weights.assign(model, state, entries[network](model))
    return model


def _without_unused(state, model):
    """Leaves out shortcuts of blocks that keep their channels: nothing reads them."""
    unused = {
        f"DBlocks.{i}.conv_s.{leaf}"
        for i in range(_count(model))
        if f"block_{i}_skip" not in _layers(model)
        for leaf in ("weight", "bias")
    }
    return {name: value for name, value in state.items() if name not in unused}


def _layers(model):
    return {layer.name: layer for layer in model.layers}


def _count(model):
    return sum(bool(re.fullmatch(r"block_\d+_sum", name)) for name in _layers(model))


def _generator(model):
    layer = _layers(model)
    entries = _of_map("fc", layer["project"], layer["reshape"].target_shape)
    pairs = [(layer["to_rgb"], "to_rgb.1")]
    for i in range(_count(model)):
        for j in (1, 2):
            pairs.append((layer[f"block_{i}_conv{j}"], f"GBlocks.{i}.c{j}"))
            for k in (0, 1):
                for what in ("gamma", "beta"):
                    pairs += [
                        (
                            layer[f"block_{i}_fuse{j}_{k}_{what}{n}"],
                            f"GBlocks.{i}.fuse{j}.affine{k}.fc_{what}.linear{n}",
                        )
                        for n in (1, 2)
                    ]
        if f"block_{i}_skip" in layer:
            pairs.append((layer[f"block_{i}_skip"], f"GBlocks.{i}.c_sc"))
    return entries + weights.of_pairs(pairs)


def _of_map(name, layer, shape):
    """A matrix whose outputs are a map, of channels first."""
    *sides, channels = shape

    def last(rows):
        return np.moveaxis(rows.reshape(channels, *sides, -1), 0, 2)

    def matrix(weight):
        return last(weight).reshape(-1, weight.shape[1]).T

    def vector(bias):
        return last(bias[:, None]).ravel()

    wanted = tuple(layer.kernel.shape[::-1])
    return [
        weights.Entry(f"{name}.weight", layer.kernel, wanted, matrix),
        weights.Entry(f"{name}.bias", layer.bias, wanted[:1], vector),
    ]


def _trunk(model):
    layer = _layers(model)
    entries = [*weights.of_pairs([(layer["from_rgb"], "conv_img")])]
    for i in range(_count(model)):
        gain = layer[f"block_{i}_gain"].gain
        entries.append(weights.vector(f"DBlocks.{i}.gamma", gain))
        pairs = [
            (layer[f"block_{i}_conv{j + 1}"], f"DBlocks.{i}.conv_r.{2 * j}")
            for j in (0, 1)
        ]
        if f"block_{i}_skip" in layer:
            pairs.append((layer[f"block_{i}_skip"], f"DBlocks.{i}.conv_s"))
        entries += weights.of_pairs(pairs)
    return entries


def _head(model):
    layer = _layers(model)
    pairs = [(layer["joint"], "joint_conv.0"), (layer["score"], "joint_conv.2")]
    return weights.of_pairs(pairs)
