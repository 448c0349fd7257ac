"""BigGAN's networks, `blocks.0.0.conv1.weight` and so on.

From ajbrock/BigGAN-PyTorch, BigGAN.py: a generator of a hierarchical latent code
and a shared embedding or of neither, and its discriminator. Norms may be
synchronized ones, whose statistics have names of their own.
"""

import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.convert.families.mimicry import attention, projection
from keras_gans.networks.biggan import (
    D_WIDTHS,
    G_WIDTHS,
    SMALL,
    biggan_discriminator,
    biggan_generator,
    discriminator_plan,
    generator_plan,
)

_BLOCK = re.compile(r"blocks\.(\d{1,2})\.0\.conv1\.weight")
_ATTENTION = re.compile(r"blocks\.(\d{1,2})\.1\.theta\.weight")
_STATISTICS = re.compile(r"(.*)\.bn\.(stored|running)_(mean|var)", re.DOTALL)
_TABLE = "blocks.0.0.bn1.gain.weight"
_LEFT_OUT = (".sv0", ".accumulation_counter")


def detect(state):
    """Tells the configuration of a BigGAN's network from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    kernels = {
        int(match[1]): state[name].shape
        for name in state
        if (match := _BLOCK.fullmatch(name)) and state[name].ndim == 4
    }
    linear = state.get("linear.weight")
    if linear is None or linear.ndim != 2 or sorted(kernels) != [*range(len(kernels))]:
        return None
    attended = [int(match[1]) for n in state if (match := _ATTENTION.fullmatch(n))]
    shared = state.get("shared.weight", state.get(_TABLE))
    if shared is not None and shared.ndim == 2:
        return _generator_config(state, kernels, linear.shape, attended)
    if "embed.weight" in state and state["embed.weight"].ndim == 2:
        return _discriminator_config(state, kernels, attended)
    return None


def _generator_config(state, kernels, linear, attended):
    count = len(kernels)
    last = state.get("output_layer.2.weight")
    if count not in G_WIDTHS or last is None or last.ndim != 4:
        return None
    if "shared.weight" in state:
        classes, shared = state["shared.weight"].shape
        latent_dim = linear[1] * (count + 1)
    else:  # a gain for each class in every norm, and z for the first map
        classes, shared, latent_dim = len(state[_TABLE]), 0, linear[1]
    width = max(1, kernels[0][1] // G_WIDTHS[count][0])
    side = 4 << count
    return {
        "network": "generator",
        "image_shape": (side, side, last.shape[0]),
        "num_classes": classes,
        "latent_dim": latent_dim,
        "width": width,
        "shared_dim": shared,
        "attention": tuple(8 << i for i in sorted(attended) if i < count),
    }


def _discriminator_config(state, kernels, attended):
    widths = [kernels[i][0] for i in range(len(kernels))]
    counts = [
        count
        for count, table in D_WIDTHS.items()
        if count >= SMALL and _fits(widths, table)
    ]
    if not counts:
        return None
    count = counts[0]
    side = 4 << count
    small = count <= SMALL
    sizes = {side // 2 if small else max(4, side >> i + 1) for i in attended}
    return {
        "network": "discriminator",
        "image_shape": (side, side, kernels[0][1]),
        "num_classes": len(state["embed.weight"]),
        "width": widths[0] // D_WIDTHS[count][0],
        "attention": tuple(sorted(sizes)),
    }


def _fits(widths, table):
    """Whether channels are the table's, times one number."""
    width = widths[0] // table[0]
    return width > 0 and widths == [width * factor for factor in table]


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: [z, label] to images in [-1, 1], or [images, label] to
        logits [n, 1].

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    builders = {"generator": _generator, "discriminator": _discriminator}
    config = dict(config)
    network = config.pop("network")
    if network not in builders:
        raise ValueError(
            f"`network` must be one of {sorted(builders)}. Received: "
            f"network={network!r}."
        )
    return builders[network](_in_one_form(state), **config)


def _in_one_form(state):
    """The names of PyTorch's spectral norm, and of norms that are no others'."""
    tensors = {}
    for name, value in state.items():
        if name.endswith(_LEFT_OUT):
            continue
        statistic = _STATISTICS.fullmatch(name)
        if statistic:
            name = f"{statistic[1]}.stored_{statistic[3]}"
        tensors[name] = value
    for name in [name for name in tensors if name.endswith(".u0")]:
        prefix = name.removesuffix(".u0")
        u, weight = tensors.pop(name), tensors.get(f"{prefix}.weight")
        if weight is None or weight.ndim < 2 or u.shape != (1, len(weight)):
            raise ValueError(
                f"{prefix[:80]}.u0 must have one number for each row of the matrix "
                f"{prefix[:80]}.weight. Received: shape {u.shape}, and "
                f"{'no weight' if weight is None else weight.shape}."
            )
        del tensors[f"{prefix}.weight"]
        v = u[0] @ weight.reshape(len(weight), -1)
        tensors |= {
            f"{prefix}.weight_orig": weight,
            f"{prefix}.weight_u": u[0],
            f"{prefix}.weight_v": v / max(np.linalg.norm(v), 1e-12),
        }
    return tensors


def _normalized(prefix, shape):
    """The names and shapes of a kernel under spectral norm."""
    return {
        f"{prefix}.weight_orig": shape,
        f"{prefix}.weight_u": shape[:1],
        f"{prefix}.weight_v": (int(np.prod(shape[1:])),),
    }


def _conv(prefix, outputs, inputs, size, bias=True):
    shapes = _normalized(prefix, (outputs, inputs, size, size))
    return {**shapes, f"{prefix}.bias": (outputs,)} if bias else shapes


def _attention(prefix, channels):
    few, half = max(1, channels // 8), max(1, channels // 2)
    kernels = {"theta": (few, channels), "phi": (few, channels), "g": (half, channels)}
    shapes = {f"{prefix}.gamma": ()}
    for leaf, (outputs, inputs) in {**kernels, "o": (channels, half)}.items():
        shapes |= _conv(f"{prefix}.{leaf}", outputs, inputs, 1, bias=False)
    return shapes


def _statistics(prefix, channels):
    return {f"{prefix}.stored_{leaf}": (channels,) for leaf in ("mean", "var")}


def _statistic_entries(norm, prefix):
    return [
        weights.vector(f"{prefix}.stored_mean", norm.moving_mean),
        weights.vector(f"{prefix}.stored_var", norm.moving_variance),
    ]


def _generator(state, **config):
    base, blocks = generator_plan(
        config["image_shape"], config["width"], config["attention"]
    )
    classes, shared, chunk = (
        config[name] for name in ("num_classes", "shared_dim", "latent_dim")
    )
    if shared:
        chunk //= len(blocks) + 1
    first, last = base[0] * base[1] * blocks[0].inputs, blocks[-1].outputs
    shapes = {
        **({"shared.weight": (classes, shared)} if shared else {}),
        **_normalized("linear", (first, chunk)),
        "linear.bias": (first,),
        **_statistics("output_layer.0", last),
        "output_layer.0.gain": (last,),
        "output_layer.0.bias": (last,),
        **_conv("output_layer.2", config["image_shape"][-1], last, 3),
    }
    for i, block in enumerate(blocks):
        prefix = f"blocks.{i}.0"
        for norm, channels in (("bn1", block.inputs), ("bn2", block.outputs)):
            shapes |= _statistics(f"{prefix}.{norm}", channels)
            for leaf in ("gain", "bias"):
                name = f"{prefix}.{norm}.{leaf}"
                if shared:
                    shapes |= _normalized(name, (channels, shared + chunk))
                else:
                    shapes[f"{name}.weight"] = (classes, channels)
        shapes |= _conv(f"{prefix}.conv1", block.outputs, block.inputs, 3)
        shapes |= _conv(f"{prefix}.conv2", block.outputs, block.outputs, 3)
        shapes |= _conv(f"{prefix}.conv_sc", block.outputs, block.inputs, 1)
        if block.attention:
            shapes |= _attention(f"blocks.{i}.1", block.outputs)
    # Before anything is made: a file may name sizes that it does not have.
    weights.check("generator", state, shapes)
    model = biggan_generator(**config)
    get = model.get_layer
    norm = get("norm")
    entries = [
        *projection(get("project"), "linear", (blocks[0].inputs, *base)),
        *_statistic_entries(norm, "output_layer.0"),
        weights.vector("output_layer.0.gain", norm.gamma),
        weights.vector("output_layer.0.bias", norm.beta),
    ]
    pairs = [(get("to_images"), "output_layer.2")]
    if shared:
        pairs.append((get("shared"), "shared"))
    for i, block in enumerate(blocks):
        ours, theirs = f"block{i}", f"blocks.{i}.0"
        pairs += [
            (get(f"{ours}_conv1"), f"{theirs}.conv1"),
            (get(f"{ours}_conv2"), f"{theirs}.conv2"),
            (get(f"{ours}_shortcut"), f"{theirs}.conv_sc"),
        ]
        for j in (1, 2):
            name, prefix = f"{ours}_norm{j}", f"{theirs}.bn{j}"
            entries += _statistic_entries(get(name), prefix)
            pairs += [
                (get(f"{name}_{leaf}"), f"{prefix}.{leaf}") for leaf in ("gain", "bias")
            ]
        if block.attention:
            entries += attention(get(f"{ours}_attention"), f"blocks.{i}.1")
    weights.assign(model, state, [*entries, *weights.of_pairs(pairs)])
    return model


def _discriminator(state, **config):
    blocks = discriminator_plan(
        config["image_shape"], config["width"], config["attention"]
    )
    last = blocks[-1].outputs
    names = {"score": "linear", "class_embedding": "embed"}
    shapes = {
        **_normalized("linear", (1, last)),
        "linear.bias": (1,),
        **_normalized("embed", (config["num_classes"], last)),
    }
    for i, block in enumerate(blocks):
        kernels = {
            "conv1": ("conv1", block.inputs, 3),
            "conv2": ("conv2", block.outputs, 3),
        }
        if block.resizes or block.inputs != block.outputs:
            kernels["conv_sc"] = ("shortcut", block.inputs, 1)
        for leaf, (ours, inputs, size) in kernels.items():
            prefix = f"blocks.{i}.0.{leaf}"
            names[f"block{i}_{ours}"] = prefix
            shapes |= _conv(prefix, block.outputs, inputs, size)
        if block.attention:
            shapes |= _attention(f"blocks.{i}.1", block.outputs)
    weights.check("discriminator", state, shapes)
    model = biggan_discriminator(**config)
    entries = weights.of_pairs((model.get_layer(a), b) for a, b in names.items())
    for i, block in enumerate(blocks):
        if block.attention:
            layer = model.get_layer(f"block{i}_attention")
            entries += attention(layer, f"blocks.{i}.1")
    weights.assign(model, state, entries)
    return model
