"""BigGAN-deep's generator in the layout of `pytorch-pretrained-BigGAN`.

`embeddings.weight` and `generator.layers.N`: blocks of four convolutions, two for
each size, with the attention among them. Its batch norms keep statistics for 51
truncations, of which one is taken, and its spectral norm is constant, so that
kernels are divided by it.
"""

import math
import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.convert.families.mimicry import attention
from keras_gans.networks.biggan import G_WIDTHS, biggan_generator, generator_plan

_LAYER = re.compile(r"generator\.layers\.(\d{1,2})\.conv_0\.weight_orig")
_THETA = re.compile(r"generator\.layers\.(\d{1,2})\.snconv1x1_theta\.weight_orig")
_BOTTLENECK, _DEPTH, _EPSILON = 4, 2, 1e-4
_ATTENTION = {"theta": "theta", "phi": "phi", "g": "g", "o_conv": "o"}


def detect(state):
    """Tells the configuration of BigGAN-deep's generator from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    table = state.get("embeddings.weight")
    first = state.get("generator.gen_z.weight_orig")
    rgb = state.get("generator.conv_to_rgb.weight_orig")
    blocks = sorted(int(match[1]) for n in state if (match := _LAYER.fullmatch(n)))
    if table is None or table.ndim != 2 or first is None or first.ndim != 2:
        return None
    if rgb is None or rgb.ndim != 4 or len(blocks) % _DEPTH:
        return None
    count = len(blocks) // _DEPTH
    if count not in G_WIDTHS:
        return None
    places = [int(match[1]) for n in state if (match := _THETA.fullmatch(n))]
    # After so many blocks, each second one doubles the map.
    sizes = tuple(4 << place // _DEPTH for place in sorted(places))
    return {
        "image_shape": (4 << count, 4 << count, 3),
        "num_classes": table.shape[1],
        "latent_dim": first.shape[1] - table.shape[0],
        "width": max(1, rgb.shape[1] // G_WIDTHS[count][-1]),
        "shared_dim": table.shape[0],
        "attention": sizes,
        "truncation": 1.0,
    }


def build(state, config):
    """Makes the generator that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it. `truncation` in [0, 1] says which
            statistics of batch norms are taken; the reference draws codes of
            `truncation * N(0, 1)`, cut at 2.

    Returns:
        `keras.Model`: [z, label] to images in [-1, 1].

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    config = dict(config)
    truncation = config.pop("truncation")
    if not 0 <= truncation <= 1:
        raise ValueError(
            f"`truncation` lies in [0, 1]. Received: truncation={truncation!r}."
        )
    base, blocks = generator_plan(
        config["image_shape"], config["width"], config["attention"], _DEPTH
    )
    state = _plain(state, truncation)
    code = config["latent_dim"] + config["shared_dim"]
    total = base[0] * base[1] * blocks[0].inputs
    last = blocks[-1].outputs
    shapes = {
        "embeddings.weight": (config["shared_dim"], config["num_classes"]),
        "generator.gen_z.weight": (total, code),
        "generator.gen_z.bias": (total,),
        "generator.conv_to_rgb.weight": (last, last, 3, 3),
        "generator.conv_to_rgb.bias": (last,),
        **_norm_shapes("generator.bn", last),
    }
    names, attended, place = {}, [], 0
    for i, block in enumerate(blocks):
        prefix = f"generator.layers.{place}"
        names[f"block{i}"] = prefix
        hidden = block.inputs // _BOTTLENECK
        for j, (inputs, outputs, size) in enumerate(
            (
                (block.inputs, hidden, 1),
                (hidden, hidden, 3),
                (hidden, hidden, 3),
                (hidden, block.outputs, 1),
            )
        ):
            shapes |= _norm_shapes(f"{prefix}.bn_{j}", inputs, code)
            shapes[f"{prefix}.conv_{j}.weight"] = (outputs, inputs, size, size)
            shapes[f"{prefix}.conv_{j}.bias"] = (outputs,)
        place += 1
        if block.attention:
            prefix = f"generator.layers.{place}"
            attended.append((f"block{i}_attention", prefix))
            shapes |= _attention_shapes(prefix, block.outputs)
            place += 1
    weights.check("generator", state, shapes)
    # Of its many channels, the reference takes the first for red, green, blue.
    for leaf in ("weight", "bias"):
        name = f"generator.conv_to_rgb.{leaf}"
        state[name] = state[name][: config["image_shape"][-1]]
    model = biggan_generator(
        **config,
        depth=_DEPTH,
        bottleneck=_BOTTLENECK,
        spectral_norm=False,
        epsilon=_EPSILON,
    )
    get = model.get_layer
    shared, norm, project = get("shared").embeddings, get("norm"), get("project")
    entries = [
        weights.Entry(
            "embeddings.weight", shared, tuple(shared.shape[::-1]), np.transpose
        ),
        weights.Entry(
            "generator.gen_z.weight",
            project.kernel,
            tuple(project.kernel.shape[::-1]),
            # Here the class comes first in a code, there z does.
            lambda x: np.roll(x, config["shared_dim"], axis=1).T,
        ),
        weights.vector("generator.gen_z.bias", project.bias),
        *weights.plain("generator.conv_to_rgb", get("to_images")),
        *weights.batch_norm("generator.bn", norm),
    ]
    for ours, theirs in names.items():
        for j in range(4):
            name, prefix = f"{ours}_norm{j + 1}", f"{theirs}.bn_{j}"
            entries += weights.plain(f"{theirs}.conv_{j}", get(f"{ours}_conv{j + 1}"))
            entries += [
                weights.vector(f"{prefix}.running_mean", get(name).moving_mean),
                weights.vector(f"{prefix}.running_var", get(name).moving_variance),
            ]
            for leaf, own in (("scale", "gain"), ("offset", "bias")):
                kernel = get(f"{name}_{own}").kernel
                entries.append(
                    weights.Entry(
                        f"{prefix}.{leaf}.weight",
                        kernel,
                        tuple(kernel.shape[::-1]),
                        lambda x: np.roll(x, config["shared_dim"], axis=1).T,
                    )
                )
    for ours, theirs in attended:
        entries += attention(get(ours), theirs)
    weights.assign(model, state, entries)
    return model


def _norm_shapes(prefix, channels, code=None):
    shapes = {f"{prefix}.running_{leaf}": (channels,) for leaf in ("mean", "var")}
    if code is None:
        return shapes | {f"{prefix}.{leaf}": (channels,) for leaf in ("weight", "bias")}
    return shapes | {
        f"{prefix}.{leaf}.weight": (channels, code) for leaf in ("scale", "offset")
    }


def _attention_shapes(prefix, channels):
    few, half = max(1, channels // 8), max(1, channels // 2)
    kernels = {"theta": (few, channels), "phi": (few, channels), "g": (half, channels)}
    kernels["o"] = (channels, half)
    shapes = {f"{prefix}.{n}.weight": (*s, 1, 1) for n, s in kernels.items()}
    return {f"{prefix}.gamma": (), **shapes}


def _plain(state, truncation):
    """Kernels without their norm, statistics of one truncation, plain names."""
    tensors = {}
    for name, value in state.items():
        if name.endswith(("weight_u", "weight_v")):
            continue
        if name.endswith(".weight_orig"):
            prefix = name.removesuffix("_orig")
            u, v = (state.get(f"{prefix}_{leaf}") for leaf in "uv")
            rows = value.reshape(len(value), -1) if value.ndim > 1 else value
            if u is None or v is None or (*u.shape, *v.shape) != rows.shape:
                raise ValueError(
                    f"{prefix[:80]}_u and _v must have one number for each row and "
                    f"column of {name[:80]}. Received: {value.shape} with "
                    f"{None if u is None else u.shape} and "
                    f"{None if v is None else v.shape}."
                )
            name, value = prefix, value / (u @ rows @ v)
        elif name.endswith((".running_means", ".running_vars")):
            if value.ndim == 2 and len(value) > 1:
                name, value = name[:-1], _between(value, truncation)
        elif name.endswith(".gamma") and value.size == 1:
            value = value.reshape(())
        for theirs, ours in _ATTENTION.items():
            name = name.replace(f".snconv1x1_{theirs}.", f".{ours}.")
        tensors[name] = value
    return tensors


def _between(rows, truncation):
    """Statistics at a truncation: of the two nearest, weighted as the reference does.

    It gives the lower one the upper one's weight, and the other way round. At a
    multiple of 0.01 that changes nothing, but for rounding: of 0.14, 0.28, 0.56,
    0.58 and 0.94 it takes the other of two neighbours.
    """
    last = len(rows) - 1
    share, low = math.modf(truncation / (1.0 / last))
    low = min(int(low), last)
    if not share:
        return rows[low]
    return share * rows[low] + (1 - share) * rows[min(low + 1, last)]
