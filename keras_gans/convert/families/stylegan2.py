"""StyleGAN2's networks, `synthesis.b4.conv1.weight` and so on.

From NVlabs/stylegan2-ada-pytorch: names of its state dicts.
"""

import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.networks.stylegan2 import stylegan2_discriminator, stylegan2_generator

_MAPPING = re.compile(r"mapping\.fc(\d{1,2})\.weight")
GROUP = "b4.mbstd.group_size"  # which snapshots tell, and no weights


def detect(state):
    """Tells the configuration of a StyleGAN2's network from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    embed = state.get("mapping.embed.weight")
    labelled = embed is not None and embed.ndim == 2
    common = {
        "num_classes": embed.shape[1] if labelled else None,
        "mapping_layers": mapping_layers(state),
    }
    first = state.get("synthesis.b4.const")
    if first is not None and first.ndim == 3:
        return _generator_config(state, first, common)
    last = state.get("b4.conv.weight")
    if last is not None and last.ndim == 4:
        return _discriminator_config(state, last, common)
    return None


def mapping_layers(state):
    """How many layers the mapping has."""
    return sum(bool(_MAPPING.fullmatch(name)) for name in state)


def _sizes(state, pattern):
    """The kernels of blocks of 4, 8, 16 ... pixels, as far as they go."""
    shapes, size = [], 4
    while (kernel := state.get(pattern.format(size))) is not None and kernel.ndim == 4:
        shapes.append(kernel.shape)
        size *= 2
    return shapes


def _generator_config(state, first, common):
    images = _sizes(state, "synthesis.b{}.torgb.weight")
    style = state.get("synthesis.b4.torgb.affine.weight")
    project = state.get("mapping.fc0.weight")
    if not images or style is None or style.ndim != 2:
        return None
    if project is None or project.ndim != 2:
        return None
    factor, w_dim = 2 ** (len(images) - 1), style.shape[1]
    labelled = common["num_classes"] is not None
    return {
        "network": "generator",
        "image_shape": (*(side * factor for side in first.shape[1:]), images[0][0]),
        "latent_dim": project.shape[1] - (w_dim if labelled else 0),
        "w_dim": w_dim,
        "widths": tuple(shape[1] for shape in images),
        **common,
    }


def _discriminator_config(state, last, common):
    sizes = [last.shape[0]]
    size = 8
    while (kernel := state.get(f"b{size}.conv0.weight")) is not None:
        if kernel.ndim != 4:
            return None
        sizes.append(kernel.shape[0])
        size *= 2
    entry = state.get(f"b{size // 2}.fromrgb.weight")
    features = state.get("b4.fc.weight")
    if entry is None or entry.ndim != 4 or features is None or features.ndim != 2:
        return None
    side = round((features.shape[1] / sizes[0]) ** 0.5)
    if common["num_classes"] is None:
        common = {**common, "mapping_layers": 8}
    return {
        "network": "discriminator",
        "image_shape": (*2 * (side * size // 8,), entry.shape[1]),
        "widths": tuple(sizes),
        "residual": "b8.skip.weight" in state,
        "group_size": int(state.get(GROUP, 4)),
        **common,
    }


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model` of `[z, truncation]` or `[z, label, truncation]` to images;
        or of images (and labels) to logits [n, 1].

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    builders = {
        "generator": stylegan2_generator,
        "discriminator": stylegan2_discriminator,
    }
    config = dict(config)
    network = config.pop("network")
    if network not in builders:
        raise ValueError(
            f"`network` must be one of {sorted(builders)}. Received: "
            f"network={network!r}."
        )
    state = weights.without_filters(state, ".resample_filter")
    state.pop(GROUP, None)
    # Before anything is made: a file may name sizes that it does not have.
    shapes = _shapes(network == "generator", config)
    weights.check(network, state, shapes)
    model = builders[network](**config)
    of = _generator if network == "generator" else _discriminator
    weights.assign(model, state, of(model, config))
    return model


# --- Names and shapes ---


def dense_shapes(name, inputs, outputs):
    """Name and shape of a dense layer's tensors."""
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def conv_shapes(name, inputs, outputs, size, bias=True):
    """Name and shape of a convolution's tensors."""
    shapes = {f"{name}.weight": (outputs, inputs, size, size)}
    return shapes | ({f"{name}.bias": (outputs,)} if bias else {})


def mapping_shapes(config, inputs, width):
    """Name and shape of the tensors of a mapping of z, or of the class alone."""
    classes = config["num_classes"]
    shapes = {}
    if classes is not None:
        shapes |= dense_shapes("mapping.embed", classes, width)
        inputs += width
    for i in range(config["mapping_layers"]):
        shapes |= dense_shapes(f"mapping.fc{i}", inputs if i == 0 else width, width)
    return shapes


def _shapes(generates, config):
    """The reference's name and shape of every tensor."""
    *sides, channels = config["image_shape"]
    widths = config["widths"]
    base = tuple(side >> len(widths) - 1 for side in sides)
    least = widths[0]
    if not generates:
        return _discriminator_shapes(config, widths, base, channels)
    w_dim = config["w_dim"]
    shapes = mapping_shapes(config, config["latent_dim"], w_dim)
    shapes |= {"mapping.w_avg": (w_dim,), "synthesis.b4.const": (least, *base)}
    for name, i, kind in _synthesis_names(len(widths)):
        inputs = widths[i - 1] if kind == "up" else widths[i]
        shapes |= dense_shapes(f"{name}.affine", w_dim, inputs)
        if kind == "images":
            shapes |= conv_shapes(name, inputs, channels, 1)
            continue
        shapes |= conv_shapes(name, inputs, widths[i], 3)
        shapes |= {
            f"{name}.noise_strength": (),
            f"{name}.noise_const": tuple(side << i for side in base),
        }
    return shapes


def _synthesis_names(count):
    """(the reference's name, map, our kind) of each modulated layer."""
    kinds = (("conv0", "up"), ("conv1", "conv"), ("torgb", "images"))
    return [
        (f"synthesis.b{4 << i}.{theirs}", i, ours)
        for i in range(count)
        for theirs, ours in kinds
        if i or ours != "up"
    ]


def _discriminator_shapes(config, widths, base, channels):
    least = widths[0]
    last = 4 << len(widths) - 1
    shapes = conv_shapes(f"b{last}.fromrgb", channels, widths[-1], 1)
    for i in range(1, len(widths)):
        block, inputs, outputs = f"b{4 << i}", widths[i], widths[i - 1]
        shapes |= conv_shapes(f"{block}.conv0", inputs, inputs, 3)
        shapes |= conv_shapes(f"{block}.conv1", inputs, outputs, 3)
        if config["residual"]:
            shapes |= conv_shapes(f"{block}.skip", inputs, outputs, 1, bias=False)
    shapes |= conv_shapes("b4.conv", least + 1, least, 3)
    shapes |= dense_shapes("b4.fc", least * base[0] * base[1], least)
    labelled = config["num_classes"] is not None
    shapes |= dense_shapes("b4.out", least, least if labelled else 1)
    return shapes | (mapping_shapes(config, 0, least) if labelled else {})


# --- Weights ---


def layer_entries(layer, name):
    """The kernel and bias of a layer with an equalized learning rate."""
    of_kind = weights.dense if len(layer.kernel.shape) == 2 else weights.conv
    entries = [of_kind(f"{name}.weight", layer.kernel)]
    if layer.bias is not None:
        entries.append(weights.vector(f"{name}.bias", layer.bias))
    return entries


def mapping_entries(model, config):
    """The weights of a mapping."""
    names = [f"fc{i}" for i in range(config["mapping_layers"])]
    names += ["embed"] * (config["num_classes"] is not None)
    return [
        entry
        for name in names
        for entry in layer_entries(model.get_layer(name), f"mapping.{name}")
    ]


def _generator(model, config):
    synthesis = model.get_layer("synthesis")
    get = synthesis.get_layer
    first = get("map0").map
    mean = model.get_layer("truncation_of_w").mean
    entries = [
        *mapping_entries(model.get_layer("mapping"), config),
        weights.vector("mapping.w_avg", mean),
        weights.Entry(
            "synthesis.b4.const",
            first,
            (first.shape[-1], *first.shape[:-1]),
            lambda x: np.moveaxis(x, 0, -1),
        ),
    ]
    for name, i, kind in _synthesis_names(len(config["widths"])):
        ours = f"map{i}_{kind}"
        kernel = get(ours).kernel
        if kind == "up":  # (out, in) of Keras's transposed convolution
            *size, outputs, inputs = kernel.shape
            entries.append(
                weights.Entry(
                    f"{name}.weight",
                    kernel,
                    (outputs, inputs, *size),
                    lambda x: np.moveaxis(x, (0, 1), (2, 3)),
                )
            )
        else:
            entries.append(weights.conv(f"{name}.weight", kernel))
        entries += layer_entries(get(f"{ours}_style"), f"{name}.affine")
        entries.append(weights.vector(f"{name}.bias", get(f"{ours}_bias").bias))
        if kind != "images":
            noise = get(f"{ours}_noise")
            entries += [
                weights.vector(f"{name}.noise_const", noise.noise),
                weights.vector(f"{name}.noise_strength", noise.strength),
            ]
    return entries


def _discriminator(model, config):
    count = len(config["widths"])
    names = {"from_images": f"b{4 << count - 1}.fromrgb", "map0_conv": "b4.conv"}
    names |= {"fc": "b4.fc", "logits": "b4.out"}
    for i in range(1, count):
        names |= {
            f"map{i}_{ours}": f"b{4 << i}.{theirs}"
            for ours, theirs in (("conv", "conv0"), ("down", "conv1"))
        }
        if config["residual"]:
            names[f"map{i}_skip"] = f"b{4 << i}.skip"
    entries = [
        entry
        for a, b in names.items()
        for entry in layer_entries(model.get_layer(a), b)
    ]
    if config["num_classes"] is not None:
        entries += mapping_entries(model, config)
    return entries
