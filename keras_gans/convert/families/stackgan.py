"""StackGAN's networks, `ca_net.fc.weight`, `upsample1.1.weight`, `encode_img.0.weight`.

Of hanzhanggit/StackGAN-Pytorch: the generators of both stages, `netG_epoch_N.pth`,
that of stage II with stage I in it, and their discriminators.
"""

import math
import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.networks.stackgan import (
    stackgan_discriminator,
    stackgan_generator,
    stackgan_second_generator,
)

UP = re.compile(r"upsample(\d\d?)\.1\.weight")
DOWN = re.compile(r"encode_img\.(\d\d?)\.weight")
BLOCK = re.compile(r"residual\.(\d\d?)\.block\.0\.weight")
FIRST = "STAGE1_G."
BASE = 4  # pixels of a side of a discriminator's smallest map


def detect(state):
    """Tells the configuration of a network of StackGAN from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    if "ca_net.fc.weight" in state:
        return _of_generator(state)
    joint = state.get("get_cond_logits.outlogits.0.weight")
    kernels = {
        int(match[1]): state[name].shape
        for name in state
        if (match := DOWN.fullmatch(name)) and state[name].ndim == 4
    }
    if joint is None or joint.ndim != 4 or 0 not in kernels:
        return None
    downs = [shape for shape in kernels.values() if shape[2:] == (4, 4)]
    side = BASE << len(downs)
    if len(downs) > weights.MAX_BLOCKS:
        return None
    return {
        "network": "discriminator",
        "image_shape": (side, side, kernels[0][1]),
        "condition_dim": joint.shape[1] - joint.shape[0],
        "width": kernels[0][0],
        "unconditional": "get_uncond_logits.outlogits.0.weight" in state,
    }


def _of_generator(state):
    first = {
        name.removeprefix(FIRST): value
        for name, value in state.items()
        if name.startswith(FIRST)
    }
    if not first:
        config = _of_first(state)
        return config and {"network": "generator", **config}
    config = _of_first(first)
    encoder, last = state.get("encoder.0.weight"), state.get("img.0.weight")
    if not config or encoder is None or last is None or encoder.ndim != 4:
        return None
    ups = sum(bool(UP.fullmatch(name)) for name in state)
    blocks = sum(bool(BLOCK.fullmatch(name)) for name in state)
    if not 3 <= ups <= weights.MAX_BLOCKS or not 0 < blocks <= weights.MAX_BLOCKS:
        return None
    *sides, channels = config["image_shape"]
    return {
        "network": "second generator",
        "image_shape": (*(side // 4 << ups for side in sides), channels),
        "first": config,
        "width": encoder.shape[0],
        "blocks": blocks,
    }


def _of_first(state):
    condition, matrix, last = (
        state.get(f"{name}.weight") for name in ("ca_net.fc", "fc.0", "img.0")
    )
    kernels = {
        int(match[1]): state[name].shape
        for name in state
        if (match := UP.fullmatch(name)) and state[name].ndim == 4
    }
    count = len(kernels)
    if sorted(kernels) != list(range(1, count + 1)) or count > weights.MAX_BLOCKS:
        return None
    if not count or any(x is None for x in (condition, matrix, last)):
        return None
    deepest = kernels[1][1]
    if condition.ndim != 2 or matrix.ndim != 2 or last.ndim != 4 or not deepest:
        return None
    side = math.isqrt(matrix.shape[0] // deepest) << count
    condition_dim = condition.shape[0] // 2
    return {
        "image_shape": (side, side, last.shape[0]),
        "text_dim": condition.shape[1],
        "latent_dim": matrix.shape[1] - condition_dim,
        "condition_dim": condition_dim,
        "width": 2 * deepest >> count,
    }


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: `[z, augmentation, text]` to images of a stage I,
        `[z, augmentation, augmentation_2, text]` to images of a stage II, and
        `[images, condition]` to logits of a discriminator, in stage II to a list.

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    config = dict(config)
    network = config.pop("network")
    if network == "generator":
        model, entries = stackgan_generator(**config), _first
    elif network == "second generator":
        config["first"] = stackgan_generator(**config["first"])
        model, entries = stackgan_second_generator(**config), _second
    elif network == "discriminator":
        model, entries = stackgan_discriminator(**config), _discriminator
    else:
        raise ValueError(
            "`network` must be 'generator', 'second generator' or 'discriminator'. "
            f"Received: network={network!r}."
        )
    weights.assign(model, state, entries(model))
    return model


def _layers(model):
    return {layer.name: layer for layer in model.layers}


def _conditioning(model, prefix):
    both = model.get_layer("conditioning").get_layer("both")
    return weights.of_pairs([(both, f"{prefix}ca_net.fc")])


def _first(model, prefix=""):
    layer = _layers(model)
    shape = layer["reshape"].target_shape
    *sides, channels = shape

    def last(rows):  # of channels first
        return np.moveaxis(rows.reshape(channels, *sides, -1), 0, 2)

    def matrix(weight):
        return last(weight).reshape(-1, weight.shape[1]).T

    def vector(values):
        return last(values[:, None]).ravel()

    kernel = layer["project"].kernel
    wanted = tuple(kernel.shape[::-1])
    entries = [weights.Entry(f"{prefix}fc.0.weight", kernel, wanted, matrix)]
    entries += [
        entry._replace(convert=vector)
        for entry in weights.batch_norm(f"{prefix}fc.1", layer["norm_0"])
    ]
    return entries + _conditioning(model, prefix) + _ups(layer, prefix)


def _ups(layer, prefix):
    count = sum(bool(re.fullmatch(r"up_\d+", name)) for name in layer)
    pairs = [(layer["to_rgb"], f"{prefix}img.0")]
    for i in range(1, count + 1):
        pairs += [
            (layer[f"conv_{i}"], f"{prefix}upsample{i}.1"),
            (layer[f"norm_{i}"], f"{prefix}upsample{i}.2"),
        ]
    return weights.of_pairs(pairs)


def _second(model):
    layer = _layers(model)
    pairs = [(layer["encode_0"], "encoder.0")]
    for i in (1, 2):
        pairs += [
            (layer[f"encode_{i}"], f"encoder.{3 * i - 1}"),
            (layer[f"encode_norm_{i}"], f"encoder.{3 * i}"),
        ]
    pairs += [(layer["joint"], "hr_joint.0"), (layer["joint_norm"], "hr_joint.1")]
    for i in range(sum(bool(re.fullmatch(r"block_\d+_sum", name)) for name in layer)):
        for j in (1, 2):
            stem = f"residual.{i}.block"
            pairs += [
                (layer[f"block_{i}_conv{j}"], f"{stem}.{3 * j - 3}"),
                (layer[f"block_{i}_norm{j}"], f"{stem}.{3 * j - 2}"),
            ]
    entries = _first(layer["first"], FIRST) + _conditioning(model, "")
    return entries + weights.of_pairs(pairs) + _ups(layer, "")


def _discriminator(model):
    parts = _layers(model)
    layer, head = _layers(parts["trunk"]), _layers(parts["head"])
    names = [n for n in layer if re.fullmatch(r"(down|narrow)_\d+", n)]
    pairs = []
    for k, name in enumerate(names):
        pairs.append((layer[name], f"encode_img.{max(0, 3 * k - 1)}"))
        norm = name.replace("_", "_norm_")
        if norm in layer:
            pairs.append((layer[norm], f"encode_img.{3 * k}"))
    stem = "get_cond_logits.outlogits"
    pairs += [
        (head["joint"], f"{stem}.0"),
        (head["joint_norm"], f"{stem}.1"),
        (head["score"], f"{stem}.3"),
    ]
    if "own" in parts:
        own = _layers(parts["own"])["score"]
        pairs.append((own, "get_uncond_logits.outlogits.0"))
    return weights.of_pairs(pairs)
