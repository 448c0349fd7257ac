"""The residual networks of mimicry: WGAN-GP, SNGAN, SAGAN, projection cGAN.

From kwotsin/mimicry, torch_mimicry/nets. A generator has `l1`, blocks from
`block2` on, then a norm `b5` and a convolution `c5` (at 32 pixels); a
discriminator has blocks from `block1` on, then `l5`, and `l_y` for classes. Both
of SAGAN have `attn_block`.
"""

import itertools
import math
import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.layers.spectral import SpectralNormalization
from keras_gans.networks.resnet import (
    critic_maps,
    critic_plan,
    generator_maps,
    generator_plan,
    resnet_critic,
    resnet_generator,
)

_ROOTS = re.compile(r"l_y|attn_block|block[1-9]|[lbc]\d")
_NORM = ("weight", "bias", "running_mean", "running_var")


def detect(state):
    """Tells the configuration of a residual network from names and shapes.

    A discriminator does not tell its image size where several have the same
    weights: it is taken for one of the reference's, 32, 48, 64 or 128 pixels.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    if not all(_ROOTS.fullmatch(name.split(".")[0]) for name in state):
        return None
    convs = {
        name.removesuffix("_orig").removesuffix(".weight"): weight.shape
        for name, weight in state.items()
        if re.fullmatch(r".*\.(c1|c2|c_sc)\.weight(_orig)?|c\d\.weight", name)
        and weight.ndim == 4
        and 0 not in weight.shape
    }
    if "block1.c1" in convs:
        return _detect_critic(state, convs)
    first = state.get("l1.weight", state.get("l1.weight_orig"))
    if "block2.c1" in convs and first is not None and first.ndim == 2:
        return _detect_generator(state, convs, first.shape)
    return None


def _detect_generator(state, convs, first):
    doublings = sum(name.endswith(".c1") for name in convs)
    if doublings > weights.MAX_BLOCKS:
        return None
    width = convs["block2.c1"][1]
    side = math.isqrt(first[0] // width) * 2**doublings
    last = convs.get(f"c{doublings + 2}", (3,))
    sizes = {
        side >> i: convs.get(f"block{doublings + 1 - i}.c2", (0,))[0]
        for i in range(doublings)
    }
    return {
        "network": "generator",
        "image_shape": (side, side, last[0]),
        "latent_dim": first[1],
        "width": width,
        "num_classes": _rows(state, "block2.b1.embed.weight"),
        "spectral_norm": "l1.weight_orig" in state,
        "attention": _attended(state, side // 2, sizes),
    }


def _detect_critic(state, convs):
    count = sum(name.endswith(".c1") for name in convs)
    if count > weights.MAX_BLOCKS:
        return None
    width = convs.get(f"block{count}.c2", (1,))[0]
    spectral = any(name.endswith((".weight_orig", ".sn_u")) for name in state)
    if convs["block1.c1"][0] == width:
        side = 32
    elif count == 5 and _score(state, count) == "l5":
        side = 48
    else:
        side = 2 ** (count + 1)
    classes = ("l_y.weight", "l_y.weight_orig")
    return {
        "network": "discriminator",
        "image_shape": (side, side, convs["block1.c1"][1]),
        "width": width,
        "num_classes": _rows(state, *classes),
        "spectral_norm": spectral,
        "pooling": "sum" if spectral else "mean",
        "attention": _attended(
            state,
            side // 4,
            {side >> i: convs.get(f"block{i}.c2", (0,))[0] for i in range(1, count)},
        ),
    }


def _attended(state, usual, sizes):
    """The map that attention follows, told from its channels.

    Where several have as many it is that of the reference's 32 pixels: the last
    but one of a generator, the second of a discriminator.

    Args:
        state: Dict of the reference's name to numpy array.
        usual: Int, the side of that map.
        sizes: Dict of the side of each map to its channels.
    """
    value = state.get("attn_block.o.weight_orig", state.get("attn_block.o.weight"))
    if value is None or value.ndim != 4:
        return None
    fits = [size for size, channels in sizes.items() if channels == value.shape[0]]
    return usual if usual in fits or not fits else fits[0]


def _rows(state, *names):
    """The rows of the one of these weights that is there, or None."""
    for name in names:
        if name in state and state[name].ndim:
            return state[name].shape[0]
    return None


def _score(state, count):
    """The name of the last layer: of a number one too low for some sizes."""
    names = {name.split(".")[0] for name in state}
    return f"l{count}" if f"l{count}" in names else f"l{count + 1}"


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: latents [n, latent_dim] (and labels [n]) to images in
        [-1, 1], or images (and labels) to logits [n, 1].

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
    return builders[network](state, **config)


# --- Generator ---


def _generator(state, **config):
    base, widths = generator_plan(config["image_shape"], config["width"])
    last = len(widths) + 1
    shapes = {
        "l1.weight": (math.prod(base) * widths[0], config["latent_dim"]),
        "l1.bias": (math.prod(base) * widths[0],),
        **_norm_shapes(f"b{last}", widths[-1]),
        **_conv_shapes(f"c{last}", widths[-1], config["image_shape"][-1], 3),
    }
    for i, (a, b) in enumerate(itertools.pairwise(widths), start=2):
        for norm, channels in (("b1", a), ("b2", b)):
            name = f"block{i}.{norm}"
            shapes |= _norm_shapes(name, channels, config["num_classes"])
        shapes |= _conv_shapes(f"block{i}.c1", a, b, 3)
        shapes |= _conv_shapes(f"block{i}.c2", b, b, 3)
        shapes |= _conv_shapes(f"block{i}.c_sc", a, b, 1)
    if config["attention"] is not None:
        sizes = generator_maps(config["image_shape"], config["width"])
        shapes |= _attention_shapes(sizes.get(config["attention"], 0))
    if config["spectral_norm"]:
        shapes = _normalized(shapes)
    # Before anything is made: a file may name sizes that it does not have.
    weights.check("generator", state, shapes)
    state = dict(state)
    model = resnet_generator(**config)
    get = model.get_layer
    entries = projection(get("project"), "l1", (widths[0], *base))
    if config["attention"] is not None:
        entries += attention(get("attention"), "attn_block")
    pairs = [(get("norm"), f"b{last}"), (get("to_images"), f"c{last}")]
    for i in range(1, len(widths)):
        ours, theirs = f"block{i}", f"block{i + 1}"
        pairs += [
            (get(f"{ours}_conv1"), f"{theirs}.c1"),
            (get(f"{ours}_conv2"), f"{theirs}.c2"),
            (get(f"{ours}_shortcut"), f"{theirs}.c_sc"),
        ]
        for j in (1, 2):
            norm, prefix = f"{ours}_norm{j}", f"{theirs}.b{j}"
            if config["num_classes"] is None:
                pairs.append((get(norm), prefix))
                continue
            entries += _conditional_norm(model, norm, prefix)
            # One table of both in the reference.
            table = state.pop(f"{prefix}.embed.weight")
            halves = np.split(table, 2, axis=1)
            state[f"{prefix}.gamma"], state[f"{prefix}.beta"] = halves
    weights.assign(model, state, [*entries, *weights.of_pairs(pairs)])
    return model


def _norm_shapes(prefix, channels, num_classes=None):
    if num_classes is None:
        return {f"{prefix}.{leaf}": (channels,) for leaf in _NORM}
    return {
        f"{prefix}.embed.weight": (num_classes, 2 * channels),
        f"{prefix}.bn.running_mean": (channels,),
        f"{prefix}.bn.running_var": (channels,),
    }


def _conv_shapes(prefix, inputs, outputs, size):
    return {
        f"{prefix}.weight": (outputs, inputs, size, size),
        f"{prefix}.bias": (outputs,),
    }


def projection(layer, prefix, channels_first):
    """The entries of the matrix from z to the first map, whose channels come first.

    Args:
        layer: Dense layer, perhaps in `SpectralNormalization`.
        prefix: String, its name in the reference.
        channels_first: Tuple (channels, height, width) of the map.
    """

    def rows(x):
        x = x.reshape(*channels_first, -1)
        return np.moveaxis(x, 0, 2).reshape(-1, x.shape[-1])

    weight, *of_rows = weights.of_pairs([(layer, prefix)])
    return [
        weight._replace(convert=lambda x: rows(x).T),
        *(
            # But for v, one number for each input.
            e
            if e.name.endswith("_v")
            else e._replace(convert=lambda x: rows(x).ravel())
            for e in of_rows
        ),
    ]


def attention(layer, prefix):
    """The entries of a `SelfAttention`."""
    convs = [(getattr(layer, n), f"{prefix}.{n}") for n in ("theta", "phi", "g", "o")]
    return [weights.vector(f"{prefix}.gamma", layer.gamma), *weights.of_pairs(convs)]


def _attention_shapes(channels):
    few, half = max(1, channels // 8), max(1, channels // 2)
    kernels = {
        "theta": (few, channels),
        "phi": (few, channels),
        "g": (half, channels),
        "o": (channels, half),
    }
    return {
        "attn_block.gamma": (),
        **{f"attn_block.{n}.weight": (*s, 1, 1) for n, s in kernels.items()},
    }


def _conditional_norm(model, name, prefix):
    norm = model.get_layer(name)
    return [
        *(
            weights.vector(
                f"{prefix}.{leaf}", model.get_layer(f"{name}_{leaf}").embeddings
            )
            for leaf in ("gamma", "beta")
        ),
        weights.vector(f"{prefix}.bn.running_mean", norm.moving_mean),
        weights.vector(f"{prefix}.bn.running_var", norm.moving_variance),
    ]


# --- Discriminator ---


def _discriminator(state, **config):
    state, iterating = _in_one_form(state)
    blocks = critic_plan(config["image_shape"], config["width"])
    score = _score(state, len(blocks))
    names = {"score": score}
    shapes = {f"{score}.weight": (1, config["width"]), f"{score}.bias": (1,)}
    for i, block in enumerate(blocks, start=1):
        # The first block widens at once, the others in their second step.
        hidden = block.outputs if i == 1 else block.inputs
        kernels = {"c1": (block.inputs, hidden, 3), "c2": (hidden, block.outputs, 3)}
        if block.halves or block.inputs != block.outputs:
            kernels["c_sc"] = (block.inputs, block.outputs, 1)
        for leaf, sizes in kernels.items():
            ours = {"c1": "conv1", "c2": "conv2", "c_sc": "shortcut"}[leaf]
            names[f"block{i}_{ours}"] = f"block{i}.{leaf}"
            shapes |= _conv_shapes(f"block{i}.{leaf}", *sizes)
    if config["num_classes"] is not None:
        names["class_embedding"] = "l_y"
        shapes["l_y.weight"] = (config["num_classes"], config["width"])
    if config["attention"] is not None:
        sizes = critic_maps(config["image_shape"], config["width"])
        shapes |= _attention_shapes(sizes.get(config["attention"], 0))
    if config["spectral_norm"]:
        shapes = _normalized(shapes)
    weights.check("discriminator", state, shapes)
    model = resnet_critic(**config)
    pairs = [(model.get_layer(a), b) for a, b in names.items()]
    entries = []
    if config["attention"] is not None:
        entries = attention(model.get_layer("attention"), "attn_block")
    for layer, prefix in pairs:
        if isinstance(layer, SpectralNormalization):
            layer.iterate_in_inference = prefix in iterating
    weights.assign(model, state, [*entries, *weights.of_pairs(pairs)])
    return model


def _normalized(shapes):
    """The names and shapes of the same layers under spectral norm."""
    normed = {}
    for name, shape in shapes.items():
        # Norms and tables of classes are left as they are.
        if not name.endswith(".weight") or len(shape) < 2 or ".embed" in name:
            normed[name] = shape
            continue
        normed |= {
            f"{name}_orig": shape,
            f"{name}_u": shape[:1],
            f"{name}_v": (math.prod(shape[1:]),),
        }
    return normed


def _in_one_form(state):
    """Renames mimicry's own spectral norm to PyTorch's, `weight_orig` etc.

    Mimicry's keeps u alone and iterates in evaluation, too.

    Returns:
        `(state, prefixes)`: of the layers that were renamed.
    """
    state = {k: v for k, v in state.items() if not k.endswith(".sn_sigma")}
    prefixes = {name.removesuffix(".sn_u") for name in state if name.endswith(".sn_u")}
    for prefix in sorted(prefixes):
        u, weight = state.pop(f"{prefix}.sn_u"), state.get(f"{prefix}.weight")
        if weight is None or weight.ndim != 2 or u.shape != (1, len(weight)):
            raise ValueError(
                f"{prefix[:80]}.sn_u must have one number for each row of the "
                f"matrix {prefix}.weight. Received: shape {u.shape}, and "
                f"{'no weight' if weight is None else weight.shape}."
            )
        v = u[0] @ weight
        del state[f"{prefix}.weight"]
        state[f"{prefix}.weight_orig"] = weight
        state[f"{prefix}.weight_u"] = u[0]
        state[f"{prefix}.weight_v"] = v / max(np.linalg.norm(v), 1e-12)
    return state, prefixes
