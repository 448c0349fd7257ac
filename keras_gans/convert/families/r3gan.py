"""R3GAN's networks, `Model.MainLayers.N.Layers.M` and so on.

From brownvc/R3GAN, training/networks.py. A stage of the generator begins with
its first map or an upsampling, one of the discriminator ends in a downsampling
or its last map; the others are residual blocks.
"""

import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.networks.r3gan import plan, r3gan_discriminator, r3gan_generator

_NAME = re.compile(r"Model\.MainLayers\.(\d{1,2})\.Layers\.(\d{1,2})\.(.*)", re.DOTALL)
_MIX = "LinearLayer2.Layer.weight"


def detect(state):
    """Tells the configuration of an R3GAN's network from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    places = {}  # of a stage: its residual blocks' second kernels
    for name, weight in state.items():
        match = _NAME.fullmatch(name)
        if match and match[3] == _MIX and weight.ndim == 4 and 0 not in weight.shape:
            places.setdefault(int(match[1]), []).append(weight.shape)
    first = state.get("Model.AggregationLayer.Layer.weight")
    last = state.get("Model.ExtractionLayer.Layer.weight")
    edge = last if first is None else first
    if edge is None or edge.ndim != 4 or sorted(places) != [*range(len(places))]:
        return None
    stages = [places[i] for i in range(len(places))]
    if first is not None:
        return _generator_config(state, stages, first.shape[0])
    return _discriminator_config(state, stages[::-1], last.shape[1])


def _common(stages, base, channels):
    factor = 2 ** (len(stages) - 1)
    return {
        "image_shape": (base[0] * factor, base[1] * factor, channels),
        "widths": tuple(shapes[0][0] // 2 for shapes in stages),
        "blocks": tuple(len(shapes) for shapes in stages),
        "group_size": tuple(shapes[0][1] for shapes in stages),
    }


def _generator_config(state, stages, channels):
    basis = state.get("Model.MainLayers.0.Layers.0.Basis")
    project = state.get("Model.MainLayers.0.Layers.0.LinearLayer.weight")
    if basis is None or basis.ndim != 3 or project is None or project.ndim != 2:
        return None
    table = state.get("Model.EmbeddingLayer.weight")
    labelled = table is not None and table.ndim == 2
    size = len(table) if labelled else 0
    return {
        "network": "generator",
        **_common(stages, basis.shape[1:], channels),
        "latent_dim": project.shape[1] - size,
        "num_classes": table.shape[1] if labelled else None,
        "embedding_dim": size or None,
    }


def _discriminator_config(state, stages, channels):
    last = f"Model.MainLayers.{len(stages) - 1}.Layers.{len(stages[0])}"
    basis = state.get(f"{last}.Basis.weight")
    if basis is None or basis.ndim != 4:
        return None
    table = state.get("Model.EmbeddingLayer.weight")
    labelled = table is not None and table.ndim == 2
    return {
        "network": "discriminator",
        **_common(stages, basis.shape[2:], channels),
        "num_classes": table.shape[1] if labelled else None,
        "embedding_dim": len(table) if labelled else None,
    }


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: latents [n, latent_dim] (and labels [n]) to images, or
        images (and labels) to logits [n, 1].

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    builders = {"generator": r3gan_generator, "discriminator": r3gan_discriminator}
    config = dict(config)
    network = config.pop("network")
    if network not in builders:
        raise ValueError(
            f"`network` must be one of {sorted(builders)}. Received: "
            f"network={network!r}."
        )
    state = weights.without_filters(state, ".Resampler.Kernel")
    # Before anything is made: a file may name sizes that it does not have.
    base, stages = plan(*(config[k] for k in _PLANNED))
    names = _names(network == "generator", stages, config["num_classes"])
    shapes = _shapes(names, network == "generator", base, stages, config)
    weights.check(network, state, shapes)
    model = builders[network](**config)
    entries = [
        entry
        for ours, theirs in names.items()
        for entry in _entries(model.get_layer(ours), theirs)
    ]
    weights.assign(model, state, entries)
    return model


_PLANNED = ("image_shape", "widths", "blocks", "group_size")


def _names(generates, stages, num_classes):
    """Our name of each layer, and the reference's."""
    main = "Model.MainLayers"
    names = {
        "images" if generates else "from_images": (
            f"Model.{'Aggregation' if generates else 'Extraction'}Layer.Layer"
        )
    }
    for i, stage in enumerate(stages):
        place = f"{main}.{i if generates else len(stages) - 1 - i}.Layers"
        start = 1 if generates else 0
        for j in range(stage.blocks):
            block = f"{place}.{start + j}"
            for k, ours in enumerate(("expand", "mix", "reduce"), start=1):
                names[f"stage{i}_block{j}_{ours}"] = f"{block}.LinearLayer{k}.Layer"
        end = 0 if generates else stage.blocks
        if i == 0:
            names["basis"] = f"{place}.{end}.Basis"
            labelled = num_classes is not None
            score = "project" if generates or labelled else "logits"
            names[score] = f"{place}.{end}.LinearLayer"
        elif stage.width != stages[i - 1].width:
            names[f"stage{i}_widen"] = f"{place}.{end}.LinearLayer.Layer"
    if num_classes is not None:
        names["class_embedding"] = "Model.EmbeddingLayer"
    return names


def _shapes(names, generates, base, stages, config):
    """The reference's name and shape of every tensor."""
    channels, classes = config["image_shape"][-1], config["num_classes"]
    least, most = stages[0].width, stages[-1].width
    size = config["embedding_dim"]
    shapes = {}
    if generates:
        shapes[f"{names['images']}.weight"] = (channels, most, 1, 1)
        shapes[names["basis"]] = (least, *base)
        code = config["latent_dim"] + (0 if classes is None else size)
        shapes[f"{names['project']}.weight"] = (least, code)
    else:
        shapes[f"{names['from_images']}.weight"] = (most, channels, 1, 1)
        shapes[f"{names['basis']}.weight"] = (least, 1, *base)
        if classes is None:
            shapes[f"{names['logits']}.weight"] = (1, least)
        else:
            shapes[f"{names['project']}.weight"] = (size, least)
    if classes is not None:
        shapes["Model.EmbeddingLayer.weight"] = (size, classes)
    for i, stage in enumerate(stages):
        width, hidden = stage.width, 2 * stage.width
        for j in range(stage.blocks):
            ours = f"stage{i}_block{j}"
            kernels = {
                "expand": (hidden, width, 1, 1),
                "mix": (hidden, hidden // stage.groups, 3, 3),
                "reduce": (width, hidden, 1, 1),
            }
            for name, shape in kernels.items():
                theirs = names[f"{ours}_{name}"]
                shapes[f"{theirs}.weight"] = shape
                if name != "reduce":
                    shapes[_bias(theirs)] = (hidden,)
        if f"stage{i}_widen" in names:
            ends = (width, stages[i - 1].width)
            ends = ends if generates else ends[::-1]
            shapes[f"{names[f'stage{i}_widen']}.weight"] = (*ends, 1, 1)
    return shapes


def _bias(name):
    """Biases are part of the activation after a layer."""
    return re.sub(r"LinearLayer(\d)\.Layer$", r"NonLinearity\1.Bias", name)


def _entries(layer, name):
    if layer.name == "class_embedding":  # a linear layer of one-hot labels
        table = layer.embeddings
        shape = tuple(table.shape[::-1])
        return [weights.Entry(f"{name}.weight", table, shape, np.transpose)]
    if layer.name == "basis":
        kernel = layer.kernel
        if len(kernel.shape) == 3:
            return [weights.vector(name, kernel)]
        height, width, channels, _ = kernel.shape
        shape = (channels, 1, height, width)
        name = f"{name}.weight"
        return [weights.Entry(name, kernel, shape, lambda w: w.transpose(2, 3, 0, 1))]
    # Groups are in PyTorch's order in Keras's kernels too.
    entries = weights.plain(name, layer)
    return [
        e._replace(name=_bias(name)) if e.name.endswith(".bias") else e for e in entries
    ]
