"""BigGAN's networks, `blocks.0.0.conv1.weight` and so on.

From ajbrock/BigGAN-PyTorch. BigGAN.py: a generator of a hierarchical latent code
and a shared embedding, of the latter alone or of neither, and its discriminator.
BigGANdeep.py: both of BigGAN-deep. Norms may be synchronized ones, whose statistics
have names of their own.
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
_ATTENTION = re.compile(r"blocks\.(\d{1,2})\.\d\.theta\.weight")
_STATISTICS = re.compile(r"(.*)\.bn\.(stored|running)_(mean|var)", re.DOTALL)
_LINEAR = "linear.weight"
_TABLE = "blocks.0.0.bn1.gain.weight"
_LEFT_OUT = (".sv0", ".accumulation_counter")
_BOTTLENECK = 4  # of BigGAN-deep
_DEEP_OUTPUTS = 128  # of its last convolution, of which images take three
_DEEP = "blocks.0.0.conv4.weight"


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
    last = state.get("output_layer.2.weight")
    deep = _DEEP in state
    if last is None or last.ndim != 4 or (deep and "shared.weight" not in state):
        return None
    inputs = [kernels[i][1] for i in range(len(kernels))]
    count, depth = _deep_sizes(inputs) if deep else (len(kernels), 1)
    if count not in G_WIDTHS:
        return None
    hierarchical = True
    if "shared.weight" in state:
        classes, shared = state["shared.weight"].shape
        gain = state.get(_TABLE)
        # Norms that learn from nothing else leave z to the first map.
        hierarchical = deep or gain is None or gain.shape[1:] != (shared,)
    else:  # a gain for each class in every norm
        classes, shared = len(state[_TABLE]), 0
    if not shared or not hierarchical:
        latent_dim = linear[1]
    elif deep:  # all of z, after the embedding, for the first map and each block
        latent_dim = linear[1] - shared
    else:
        latent_dim = linear[1] * (count + 1)
    width = max(1, inputs[0] // G_WIDTHS[count][0])
    side = 4 << count
    config = {
        "network": "generator",
        # The last convolution of BigGAN-deep has more channels than images have.
        "image_shape": (side, side, 3 if deep else last.shape[0]),
        "num_classes": classes,
        "latent_dim": latent_dim,
        "width": width,
        "shared_dim": shared,
        "hierarchical": hierarchical,
        "attention": tuple(
            8 << i // depth for i in sorted(attended) if i < len(inputs)
        ),
    }
    return {**config, "depth": depth, "bottleneck": _BOTTLENECK} if deep else config


def _deep_sizes(inputs):
    """How often the size doubles, and the blocks of each size, or (0, 0)."""
    for count in range(SMALL, max(G_WIDTHS) + 1):
        depth = len(inputs) // count
        factors = [f for f in G_WIDTHS[count][:-1] for _ in range(depth)]
        if depth and _fits(inputs, factors):
            return count, depth
    return 0, 0


def _discriminator_config(state, kernels, attended):
    deep = _DEEP in state
    leaf = "conv4" if deep else "conv1"
    outputs = [state.get(f"blocks.{i}.0.{leaf}.weight") for i in range(len(kernels))]
    stem = state.get("input_conv.weight")
    first = stem if deep else state.get("blocks.0.0.conv1.weight")
    if first is None or any(x is None or x.ndim != 4 for x in [first, *outputs]):
        return None
    widths = [len(x) for x in ([stem, *outputs] if deep else outputs)]
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
    config = {
        "network": "discriminator",
        "image_shape": (side, side, first.shape[1]),
        "num_classes": len(state["embed.weight"]),
        "width": widths[0] // D_WIDTHS[count][0],
        "attention": tuple(sorted(sizes)),
    }
    if not deep:
        return config
    depth = sum(
        f"blocks.0.{i}.conv1.weight" in state for i in range(weights.MAX_BLOCKS)
    )
    return {**config, "depth": depth, "bottleneck": _BOTTLENECK}


def _fits(widths, table):
    """Whether channels are the table's, times one number."""
    width = widths[0] // table[0] if widths else 0
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
    if network == "generator" and "depth" in config:
        return _deep_generator(_in_one_form(state), **config)
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
    code = shared
    if shared and config["hierarchical"]:
        chunk //= len(blocks) + 1
        code += chunk
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
                    shapes |= _normalized(name, (channels, code))
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


def _deep_generator(state, **config):
    depth = config["depth"]
    base, blocks = generator_plan(
        config["image_shape"], config["width"], config["attention"], depth
    )
    shared = config["shared_dim"]
    code = shared + config["latent_dim"]
    first, last = base[0] * base[1] * blocks[0].inputs, blocks[-1].outputs
    shapes = {
        "shared.weight": (config["num_classes"], shared),
        **_normalized("linear", (first, code)),
        "linear.bias": (first,),
        **_statistics("output_layer.0", last),
        "output_layer.0.gain": (last,),
        "output_layer.0.bias": (last,),
        **_conv("output_layer.2", _DEEP_OUTPUTS, last, 3),
    }
    for i, block in enumerate(blocks):
        for j, (inputs, outputs, size) in enumerate(_deep_convs(block), start=1):
            norm = f"blocks.{i}.0.bn{j}"
            shapes |= _conv(f"blocks.{i}.0.conv{j}", outputs, inputs, size)
            shapes |= _statistics(norm, inputs)
            for leaf in ("gain", "bias"):
                shapes |= _normalized(f"{norm}.{leaf}", (inputs, code))
        if block.attention:
            shapes |= _attention(f"blocks.{i}.1", block.outputs)
    weights.check("generator", state, shapes)
    # Its last kernel is normalized with channels that no image has, so that the
    # norms are made part of the kernels: they are those of its evaluation.
    state = _divided(state)
    for leaf in ("weight", "bias"):
        name = f"output_layer.2.{leaf}"
        state[name] = state[name][: config["image_shape"][-1]]
    for name in state:
        if name.endswith((".gain.weight", ".bias.weight")) or name == _LINEAR:
            state[name] = np.roll(state[name], shared, axis=1)  # there z comes first
    model = biggan_generator(**config, spectral_norm=False)
    get = model.get_layer
    norm = get("norm")
    entries = [
        *projection(get("project"), "linear", (blocks[0].inputs, *base)),
        *_statistic_entries(norm, "output_layer.0"),
        weights.vector("output_layer.0.gain", norm.gamma),
        weights.vector("output_layer.0.bias", norm.beta),
    ]
    pairs = [(get("to_images"), "output_layer.2"), (get("shared"), "shared")]
    for i, block in enumerate(blocks):
        for j in range(1, 5):
            name, prefix = f"block{i}_norm{j}", f"blocks.{i}.0.bn{j}"
            pairs.append((get(f"block{i}_conv{j}"), f"blocks.{i}.0.conv{j}"))
            entries += _statistic_entries(get(name), prefix)
            pairs += [
                (get(f"{name}_{leaf}"), f"{prefix}.{leaf}") for leaf in ("gain", "bias")
            ]
        if block.attention:
            entries += attention(get(f"block{i}_attention"), f"blocks.{i}.1")
    weights.assign(model, state, [*entries, *weights.of_pairs(pairs)])
    return model


def _deep_convs(block):
    """The inputs, outputs and sizes of a generator's block of four convolutions."""
    hidden = block.inputs // _BOTTLENECK
    middle = [(hidden, hidden, 3)] * 2
    return [(block.inputs, hidden, 1), *middle, (hidden, block.outputs, 1)]


def _divided(state):
    """Kernels over their spectral norms, each after one iteration, by plain names."""
    arrays = {}
    for name, value in state.items():
        if name.endswith((".weight_u", ".weight_v")):
            continue
        if name.endswith(".weight_orig"):
            prefix = name.removesuffix("_orig")
            rows = value.reshape(len(value), -1)
            name, value = prefix, value / np.linalg.norm(rows @ state[f"{prefix}_v"])
        arrays[name] = value
    return arrays


def _discriminator(state, **config):
    depth, deep = config.get("depth", 1), "bottleneck" in config
    blocks = discriminator_plan(
        config["image_shape"], config["width"], config["attention"], depth, deep
    )
    last = blocks[-1].outputs
    names = {"score": "linear", "class_embedding": "embed"}
    shapes = {
        **_normalized("linear", (1, last)),
        "linear.bias": (1,),
        **_normalized("embed", (config["num_classes"], last)),
    }
    if deep:
        names["from_images"] = "input_conv"
        shapes |= _conv("input_conv", blocks[0].inputs, config["image_shape"][-1], 3)
    attended = {}
    for i, block in enumerate(blocks):
        place = f"blocks.{i // depth}"
        kernels = _kernels_of_d(block, deep)
        for leaf, (ours, outputs, inputs, size) in kernels.items():
            prefix = f"{place}.{i % depth}.{leaf}"
            names[f"block{i}_{ours}"] = prefix
            shapes |= _conv(prefix, outputs, inputs, size)
        if block.attention:
            attended[f"block{i}_attention"] = f"{place}.{depth}"
            shapes |= _attention(f"{place}.{depth}", block.outputs)
    weights.check("discriminator", state, shapes)
    model = biggan_discriminator(**config)
    entries = weights.of_pairs((model.get_layer(a), b) for a, b in names.items())
    for ours, theirs in attended.items():
        entries += attention(model.get_layer(ours), theirs)
    weights.assign(model, state, entries)
    return model


def _kernels_of_d(block, deep):
    """By its name there: our name, outputs, inputs and size of each kernel."""
    inputs, outputs = block.inputs, block.outputs
    if not deep:
        kernels = {
            "conv1": ("conv1", outputs, inputs, 3),
            "conv2": ("conv2", outputs, outputs, 3),
        }
        if block.resizes or inputs != outputs:
            kernels["conv_sc"] = ("shortcut", outputs, inputs, 1)
        return kernels
    hidden = outputs // _BOTTLENECK
    kernels = {
        "conv1": ("conv1", hidden, inputs, 1),
        "conv2": ("conv2", hidden, hidden, 3),
        "conv3": ("conv3", hidden, hidden, 3),
        "conv4": ("conv4", outputs, hidden, 1),
    }
    if inputs != outputs:
        kernels["conv_sc"] = ("shortcut", outputs - inputs, inputs, 1)
    return kernels
