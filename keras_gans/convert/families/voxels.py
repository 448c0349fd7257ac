"""3D-GAN's networks in two forms, and 3D-IWGAN's in TensorFlow.

The paper's layers as one sequence, `main.0.weight` and so on; those of
black0017/3D-GAN-pytorch, `linear.weight` and `conv1.0.weight`; and those of
EdwardSmith1884/3D-IWGAN, `gen/g/net_1/dense/W`.
"""

import itertools
import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.networks.voxels import voxel_discriminator, voxel_generator

KERNEL = 4
PAPER = re.compile(r"main\.(\d\d?)\.weight")
DENSE = re.compile(r"conv(\d\d?)\.0\.weight")
IWGAN = re.compile(r"(gen|dis)/[gd]/net_(\d\d?)/(de)?conv/W_(de)?conv3d")


def detect(state):
    """Tells the configuration of a network of voxels from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    for form, pattern in (("paper", PAPER), ("dense", DENSE), ("iwgan32", IWGAN)):
        kernels = {}
        for name, weight in state.items():
            if pattern.fullmatch(name) and weight.ndim == 5:
                kernels[name] = weight.shape
        if not 1 < len(kernels) <= weights.MAX_BLOCKS:
            continue
        if form == "iwgan32":
            return _of_iwgan(state, kernels)
        if any(shape[2:] != (KERNEL,) * 3 for shape in kernels.values()):
            return None
        ordered = [kernels[name] for name in sorted(kernels, key=_number)]
        return {"paper": _of_paper, "dense": _of_dense}[form](state, ordered)
    return None


def _number(name):
    return int(re.search(r"\d+", name)[0])


def _of_paper(state, shapes):
    pairs = list(itertools.pairwise(shapes))
    down = all(one[0] == after[1] for one, after in pairs)
    if not down and any(one[1] != after[0] for one, after in pairs):
        return None
    config = {"network": "discriminator" if down else "generator", "form": "paper"}
    config["size"] = 4 << (len(shapes) - 1)
    if down:
        return {**config, "channels": shapes[0][1], "width": shapes[0][0]}
    channels, width = shapes[-1][1], shapes[-1][0]
    return {**config, "channels": channels, "latent_dim": shapes[0][0], "width": width}


def _of_dense(state, shapes):
    if len(shapes) != 4:
        return None
    name = "linear.weight" if "linear.weight" in state else "out.0.weight"
    matrix = state.get(name)
    if matrix is None or matrix.ndim != 2:
        return None
    up = name == "linear.weight"
    deepest = shapes[0][0] if up else shapes[-1][0]
    count = matrix.shape[0 if up else 1] / max(deepest, 1)
    side = round(count ** (1 / 3))
    if side**3 != count:
        return None
    config = {"network": "generator" if up else "discriminator", "form": "dense"}
    config["size"] = 16 * side
    if not up:
        return {**config, "channels": shapes[0][1], "width": shapes[0][0]}
    return {
        **config,
        "channels": shapes[-1][1],
        "latent_dim": matrix.shape[1],
        "width": shapes[-1][0],
    }


def _of_iwgan(state, kernels):
    sides = {name.split("/")[0] for name in kernels}
    if len(sides) != 1 or any(s[:3] != (KERNEL,) * 3 for s in kernels.values()):
        return None
    ordered = sorted(kernels, key=lambda name: int(IWGAN.fullmatch(name)[2]))
    first, last = kernels[ordered[0]], kernels[ordered[-1]]
    config = {"form": "iwgan32", "size": 2 << len(kernels)}
    if sides == {"dis"}:
        config = {"network": "discriminator", **config}
        return {**config, "channels": first[3], "width": first[4]}
    matrix = state.get("gen/g/net_1/dense/W")
    if matrix is None or matrix.ndim != 2:
        return None
    return {
        "network": "generator",
        **config,
        "channels": last[3],
        "latent_dim": matrix.shape[0],
        "width": last[4],
    }


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: latents to volumes, or volumes to logits [n, 1].

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    config = dict(config)
    network = config.pop("network")
    if network == "generator":
        model = voxel_generator(**config)
    elif network == "discriminator":
        model = voxel_discriminator(**config)
    else:
        raise ValueError(
            "`network` must be 'generator' or 'discriminator'. Received: "
            f"network={network!r}."
        )
    name_map = {"paper": _paper, "dense": _dense, "iwgan32": _iwgan}
    weights.assign(model, state, name_map[config["form"]](model))
    return model


def _blocks(model):
    """Pairs of a convolution and its batch norm, or None, in their order."""
    by_name = {layer.name: layer for layer in model.layers}
    ways = [n for n in by_name if n.startswith(("up_", "down_"))]
    return [
        (by_name[name], by_name.get(name.replace("up", "norm").replace("down", "norm")))
        for name in sorted(ways, key=_number)
    ]


def _paper(model):
    entries = []
    up = model.get_layer("volumes").output is model.output
    blocks = _blocks(model)
    number = 0
    if up:
        project = model.get_layer("project").kernel
        first = model.get_layer("norm_0")
        shape = tuple(first.input.shape[1:])
        entries.append(_of_one_voxel("main.0.weight", project, shape))
        entries += weights.batch_norm("main.1", first)
        number = 3
    for conv, norm in blocks:
        entries.append(weights.conv(f"main.{number}.weight", conv.kernel))
        if norm is not None:
            entries += weights.batch_norm(f"main.{number + 1}", norm)
        number += 3
    if not up:
        kernel = model.get_layer("output").kernel
        side = model.get_layer("features").input.shape[1:]
        name = f"main.{number}.weight"
        entries.append(_to_one_voxel(name, kernel, tuple(side)))
    return entries


def _of_one_voxel(name, kernel, shape):
    """A transposed convolution of one voxel, to a matrix."""
    *space, channels = shape
    wanted = (kernel.shape[0], channels, *space)

    def rows(weight):
        return np.moveaxis(weight, 1, -1).reshape(len(weight), -1)

    return weights.Entry(name, kernel, wanted, rows)


def _to_one_voxel(name, kernel, shape):
    """A convolution of a whole map, to a matrix."""
    *space, channels = shape
    wanted = (1, channels, *space)

    def column(weight):
        return np.moveaxis(weight, 1, -1).reshape(-1, 1)

    return weights.Entry(name, kernel, wanted, column)


def _dense(model):
    up = model.get_layer("volumes").output is model.output
    entries = []
    if up:
        project = model.get_layer("project")
        shape = tuple(model.get_layer("reshape").output.shape[1:])
        *space, channels = shape

        def rows(weight):  # of channels first
            return np.moveaxis(weight.reshape(channels, *space, -1), 0, 3)

        def matrix(weight):
            return rows(weight).reshape(-1, weight.shape[1]).T

        def vector(bias):
            return rows(bias[:, None]).ravel()

        wanted = tuple(project.kernel.shape[::-1])
        entries += [
            weights.Entry("linear.weight", project.kernel, wanted, matrix),
            weights.Entry("linear.bias", project.bias, wanted[:1], vector),
        ]
    for i, (conv, norm) in enumerate(_blocks(model), start=1):
        entries.append(weights.conv(f"conv{i}.0.weight", conv.kernel))
        if norm is not None:
            entries += weights.batch_norm(f"conv{i}.1", norm)
    if not up:
        output = model.get_layer("output")
        *space, channels = model.get_layer("features").input.shape[1:]

        def last_first(weight):
            return np.moveaxis(weight.reshape(channels, *space), 0, -1).reshape(-1, 1)

        wanted = tuple(output.kernel.shape[::-1])
        entries += [
            weights.Entry("out.0.weight", output.kernel, wanted, last_first),
            weights.vector("out.0.bias", output.bias),
        ]
    return entries


def _iwgan(model):
    up = model.get_layer("volumes").output is model.output
    entries = []
    blocks = _blocks(model)
    if up:
        project = model.get_layer("project")
        entries += _plain("gen/g/net_1/dense", project, "W", "b")
        entries += _norm("gen/g/net_1/batch_norm", model.get_layer("norm_0"))
        for i, (conv, norm) in enumerate(blocks, start=2):
            stem = f"gen/g/net_{i}"
            entries += _plain(f"{stem}/deconv", conv, "W_deconv3d", "b_deconv3d")
            if norm is not None:
                entries += _norm(f"{stem}/batch_norm", norm)
        return entries
    for i, (conv, _) in enumerate(blocks, start=1):
        entries += _plain(f"dis/d/net_{i}/conv", conv, "W_conv3d", "b_conv3d")
    output = model.get_layer("output")
    return entries + _plain(f"dis/d/net_{len(blocks) + 1}/dense", output, "W", "b")


def _plain(stem, layer, kernel, bias):
    return [
        weights.vector(f"{stem}/{kernel}", layer.kernel),
        weights.vector(f"{stem}/{bias}", layer.bias),
    ]


def _norm(stem, layer):
    return [
        weights.vector(f"{stem}/gamma", layer.gamma),
        weights.vector(f"{stem}/beta", layer.beta),
        weights.vector(f"{stem}/moving_mean", layer.moving_mean),
        weights.vector(f"{stem}/moving_variance", layer.moving_variance),
    ]
