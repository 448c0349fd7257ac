"""StyleGAN3's generators, `synthesis.L5_52_512.weight` and so on.

From NVlabs/stylegan3: names of its state dicts. Discriminators are StyleGAN2's.
"""

import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.convert.families import stylegan2
from keras_gans.networks.stylegan3 import bands, stylegan3_generator

_LAYER = re.compile(r"synthesis\.(L(\d{1,2})_(\d{1,5})_(\d{1,5}))\.weight")
_FILTERS = (".up_filter", ".down_filter")


def detect(state):
    """Tells the configuration of a StyleGAN3's generator from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    layers = _layers(state)
    project = state.get("mapping.fc0.weight")
    style = state.get("synthesis.input.affine.weight")
    if len(layers) < 2 or any(x is None or x.ndim != 2 for x in (project, style)):
        return None
    kernels = [state[f"{name}.weight"] for name in layers]
    if any(kernel.ndim != 4 for kernel in kernels):
        return None
    side = int(_LAYER.fullmatch(f"{next(reversed(layers))}.weight")[3])
    embed = state.get("mapping.embed.weight")
    labelled = embed is not None and embed.ndim == 2
    w_dim = style.shape[1]
    first = state.get(f"{next(iter(layers))}.down_filter")
    radial = first is not None and first.ndim == 2
    if first is None:  # a file without filters: those of the published networks
        radial = kernels[0].shape[2] == 1
    return {
        "network": "generator",
        "image_shape": (side, side, kernels[-1].shape[0]),
        "latent_dim": project.shape[1] - (w_dim if labelled else 0),
        "w_dim": w_dim,
        "num_classes": embed.shape[1] if labelled else None,
        "mapping_layers": stylegan2.mapping_layers(state),
        "layers": len(layers) - 1,
        "kernel_size": kernels[0].shape[2],
        "radial": radial,
        "widths": tuple(kernel.shape[0] for kernel in kernels[:-1]),
    }


def _layers(state):
    """The reference's names of layers, in their order, from 0 on."""
    names = {int(m[2]): m[1] for m in map(_LAYER.fullmatch, state) if m}
    if sorted(names) != [*range(len(names))]:
        return ()
    return {f"synthesis.{names[i]}": i for i in range(len(names))}


def build(state, config):
    """Makes the generator that `config` describes, with the weights of `state`.

    Filters in `state` are compared with those that are designed, and left out.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model` of `[z, truncation]` or `[z, label, truncation]` to images.

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    config = dict(config)
    if config.pop("network") != "generator":
        raise ValueError(
            "StyleGAN3 has a generator of its own alone. Its discriminator is "
            "StyleGAN2's: give family='stylegan2'."
        )
    stored = {name: x for name, x in state.items() if name.endswith(_FILTERS)}
    state = {name: x for name, x in state.items() if name not in stored}
    names = _names(config)
    # Before anything is made: a file may name sizes that it does not have.
    weights.check("generator", state, _shapes(config, names))
    model = stylegan3_generator(**config)
    synthesis = model.get_layer("synthesis")
    _check_filters(synthesis, names, stored)
    weights.assign(model, state, _entries(model, synthesis, names, config))
    return model


def _names(config):
    """The reference's names of the layers; the last makes colours."""
    side, _, channels = config["image_shape"]
    layer_bands = bands(side, config["layers"])
    widths = (*config["widths"], channels)
    return [
        f"synthesis.L{i}_{band.size}_{width}"
        for i, (band, width) in enumerate(zip(layer_bands, widths, strict=True))
    ]


def _check_filters(synthesis, names, stored):
    for i, name in enumerate(names[:-1]):
        designed = synthesis.get_layer(f"layer{i}_filtered").filters
        for ending, filter in zip(_FILTERS, designed, strict=True):
            taps = stored.pop(name + ending, filter)
            same = taps.shape == filter.shape
            if not same or np.abs(taps - filter).max() > 1e-5 * filter.max():
                raise ValueError(
                    f"{name}{ending} is the filter that StyleGAN3 designs for its "
                    f"layer, of shape {filter.shape}. Received: another one, of "
                    f"shape {taps.shape}: networks of other cutoffs, stopbands or "
                    "margins are not built."
                )
    if stored:
        raise ValueError(
            f"These filters are of no layer: {', '.join(list(stored)[:4])[:300]}."
        )


# --- Names, shapes and weights ---


def _shapes(config, names):
    w_dim, size = config["w_dim"], config["kernel_size"]
    inputs = config["widths"][0]
    shapes = stylegan2.mapping_shapes(config, config["latent_dim"], w_dim)
    shapes |= {
        "mapping.w_avg": (w_dim,),
        "synthesis.input.weight": (inputs, inputs),
        "synthesis.input.freqs": (inputs, 2),
        "synthesis.input.phases": (inputs,),
        "synthesis.input.transform": (3, 3),
        **stylegan2.dense_shapes("synthesis.input.affine", w_dim, 4),
    }
    widths = (*config["widths"], config["image_shape"][2])
    for name, width in zip(names, widths, strict=True):
        size = 1 if name is names[-1] else size
        shapes |= stylegan2.dense_shapes(f"{name}.affine", w_dim, inputs)
        shapes |= stylegan2.conv_shapes(name, inputs, width, size)
        shapes[f"{name}.magnitude_ema"] = ()
        inputs = width
    return shapes


def _entries(model, synthesis, names, config):
    get = synthesis.get_layer
    waves, mixed = get("waves"), get("mixed_waves")
    entries = [
        *stylegan2.mapping_entries(model.get_layer("mapping"), config),
        weights.vector("mapping.w_avg", model.get_layer("truncation_of_w").mean),
        weights.dense("synthesis.input.weight", mixed.kernel),
        weights.vector("synthesis.input.freqs", waves.frequencies),
        weights.vector("synthesis.input.phases", waves.phases),
        weights.vector("synthesis.input.transform", waves.transform),
        weights.dense("synthesis.input.affine.weight", waves.kernel),
        weights.vector("synthesis.input.affine.bias", waves.bias),
    ]
    for i, name in enumerate(names):
        ours = f"layer{i}"
        entries += [
            weights.conv(f"{name}.weight", get(ours).kernel),
            weights.vector(f"{name}.bias", get(f"{ours}_bias").bias),
            weights.vector(f"{name}.magnitude_ema", get(f"{ours}_norm").mean_square),
            *stylegan2.layer_entries(get(f"{ours}_style"), f"{name}.affine"),
        ]
    return entries
