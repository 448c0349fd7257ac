"""HiFi-GAN's networks, `ups.0.weight_g` and so on, and what it trains on from.

From jik876/hifi-gan, models.py and train.py. Rates and dilations have no weights:
kernels are twice the rates and dilations the paper's, unless told otherwise.
"""

import re

import keras
from keras import ops
import numpy as np

from keras_gans.convert import weights
from keras_gans.engine.keras_internals import adam_moments
from keras_gans.layers.snake import AntiAliasedSnake
from keras_gans.layers.spectral import SpectralNormalization
from keras_gans.layers.weight_norm import WeightNormalization
from keras_gans.networks.hifigan import Configuration, hifigan_generator
from keras_gans.utils.text import brief
from keras_gans.utils.validation import is_number

KERNEL = re.compile(r"(conv_pre|ups\.\d+|resblocks\.\d+\.convs[12]?\.\d+)\.weight(_v)?")
MODULES = ("conv_pre", "ups", "resblocks", "conv_post")
# Names of discriminators here, in the order of the reference's optimizer.
KINDS = {"msd": "scale_", "mpd": "period_"}
MOMENTS = ("exp_avg", "exp_avg_sq")  # of AdamW's state of a parameter
DILATIONS = {"1": ((1, 3, 5),), "2": ((1, 2), (2, 6), (3, 12))}


def detect(state):
    """Tells the configuration of a generator from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    kernels = {
        match[1]: weight.shape
        for name, weight in state.items()
        if (match := KERNEL.fullmatch(name)) and weight.ndim == 3
    }
    ups = [shape for name, shape in kernels.items() if name.startswith("ups.")]
    blocks = {name.split(".")[1]: s for name, s in kernels.items() if "resb" in name}
    known = 1 <= len(ups) <= weights.MAX_BLOCKS and blocks and "conv_pre" in kernels
    each = len(blocks) // len(ups) if known else 0
    if not each or len(kernels) > 4 * weights.MAX_BLOCKS:
        return None
    block = "1" if any("convs1" in name for name in kernels) else "2"
    order = sorted(blocks, key=int)[:each]
    paper = DILATIONS[block]
    return {
        "bands": kernels["conv_pre"][1],
        "channels": kernels["conv_pre"][0],
        "rates": tuple(shape[2] // 2 for shape in ups),
        "kernels": tuple(shape[2] for shape in ups),
        "block": block,
        "block_kernels": tuple(blocks[number][2] for number in order),
        "dilations": tuple(paper[i % len(paper)] for i in range(each)),
        "weight_norm": any(name.endswith(".weight_g") for name in state),
    }


def build(state, config):
    """Makes the generator that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: spectrograms [n, frames, bands] to waveforms.

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    config = dict(config)
    bands, weight_norm = config.pop("bands"), config.pop("weight_norm")
    model = hifigan_generator(Configuration(**config), bands, weight_norm)
    weights.assign(model, state, entries(model))
    return model


def entries(model, prefix=""):
    """The reference's tensors of one of the networks.

    Args:
        model: `keras.Model`, of `networks.hifigan`.
        prefix: String. What their names begin with.

    Returns:
        List of `weights.Entry`; a layer's are in the reference's order.
    """
    tensors = []
    for layer in model.layers:
        if not layer.weights:
            continue
        stem = re.sub(r"_(\d+)(?=_|$)", r".\1", layer.name)
        stem = prefix + re.sub(r"(\d)_(convs|activations)", r"\1.\2", stem)
        if isinstance(layer, AntiAliasedSnake):
            for variable in layer.weights:
                tensors.append(weights.vector(f"{stem}.act.{variable.name}", variable))
            continue
        inner, leaf = layer, "weight"
        normed = isinstance(layer, (WeightNormalization, SpectralNormalization))
        if normed:
            inner = layer.layer
            leaf = "weight_v" if isinstance(layer, WeightNormalization) else leaf
        kernel = weights.conv(f"{stem}.{leaf}", inner.kernel)
        if ".scale" in f".{model.name}":  # convolutions of one axis there
            kernel = kernel._replace(shape=kernel.shape[:-1], convert=_of_one_axis)
        if isinstance(layer, SpectralNormalization):
            own = weights.spectral_norm(stem, layer)
            columns = (*kernel.shape[1:],)
            tensors += [
                own[1],
                kernel._replace(name=f"{stem}.weight_orig"),
                own[2],
                own[3]._replace(convert=lambda v, c=columns: v.reshape(c).T.ravel()),
            ]
            continue
        if inner.use_bias:
            tensors.append(weights.vector(f"{stem}.bias", inner.bias))
        if isinstance(layer, WeightNormalization):
            ones = (1,) * (len(kernel.shape) - 1)
            shape = (layer.g.shape[0], *ones)
            g = weights.Entry(f"{stem}.weight_g", layer.g, shape, np.ravel)
            tensors.append(g)
        tensors.append(kernel)
    return tensors


def _of_one_axis(weight):
    return np.moveaxis(weight[..., None], (0, 1), (-1, -2))


def restore(gan, generator, discriminators=None):
    """Takes over what the reference has trained, to train on from it.

    Args:
        gan: `HiFiGAN` of the same networks, compiled where optimizers are there.
        generator: Dict, as `read` returns it of a `g_...` file.
        discriminators: Dict, as `read` returns it of the `do_...` file beside; it
            may lack the discriminators, or the optimizers.

    Raises:
        ValueError: If values are damaged, weights do not fit the networks, or are of
            discriminators that the GAN has not.
    """
    judges = {} if discriminators is None else judges_of(discriminators)
    networks = {}
    for part, kind in KINDS.items():
        names = [name for name in gan.discriminator_names if name.startswith(kind)]
        networks[part] = names
        _check_counts(part, judges.get(part, {}), len(names))
    if not isinstance(generator, dict):
        raise ValueError(
            "`generator` is a dict, as `read` returns it of a g_... file. Received: "
            f"{brief(generator)}."
        )
    state = _tensors_of(generator.get("generator", generator))
    of_g = entries(gan.networks["generator"])
    of_d = {
        name: entries(gan.networks[name], f"discriminators.{i}.")
        for names in networks.values()
        for i, name in enumerate(names)
    }
    own = {"g": of_g, "d": [entry for each in of_d.values() for entry in each]}
    moments = {
        name: _moments_of(gan, name, discriminators[f"optim_{name}"], own[name])
        for name in own
        if f"optim_{name}" in (discriminators or {})
    }
    found = [("generator", state, of_g)]
    for part, names in networks.items():
        for i, name in enumerate(names):
            if part in judges:
                stem = f"discriminators.{i}."
                some = {k: v for k, v in judges[part].items() if k.startswith(stem)}
                found.append((name, some, of_d[name]))
    for name, some, entered in found:  # all, before any is assigned
        weights.check(name, some, {entry.name: entry.shape for entry in entered})
    for name, some, entered in found:
        weights.assign(gan.networks[name], some, entered)
    for name, (pairs, steps) in moments.items():
        for variable, value in pairs:
            variable.assign(value)
        counted = gan.optimizers[name].iterations
        counted.assign(ops.cast(steps, counted.dtype))
    if "steps" in judges:
        gan.step.assign(judges["steps"])


def judges_of(state):
    """Checks a `do_...` file's weights and step; optimizers are left aside.

    Args:
        state: Dict, as `read` returns it of the file.

    Returns:
        Dict of those of "mpd", "msd" and "steps" that are there: dicts of a name to
        a finite float32 array, and an int.

    Raises:
        ValueError: naming what is damaged.
    """
    if not isinstance(state, dict):
        raise ValueError(
            "Discriminators are in a dict, as `read` returns it of a do_... file. "
            f"Received: {brief(state)}."
        )
    found = {}
    for part in KINDS:
        if part in state:
            try:
                found[part] = _tensors_of(state[part])
            except ValueError as error:
                raise ValueError(f"{part!r}: {error}") from error
    if "steps" in state:
        found["steps"] = _count("'steps'", state["steps"])
    return found


def _tensors_of(state):
    from keras_gans.convert import states  # it imports the families

    return states.tensors_of(state)


def _count(name, value):
    """An int of a file, which may be kept as a tensor of one."""
    if getattr(value, "shape", None) == ():
        value = np.asarray(value).item()
    whole = is_number(value) and value == value // 1
    if not whole or not 0 <= value < 2**31:
        raise ValueError(f"{name} is an int in [0, 2^31). Received: {brief(value)}.")
    return int(value)


def _check_counts(part, state, count):
    """Refuses weights of discriminators that a GAN has not."""
    names = {name.split(".")[1] for name in state if name.startswith("discriminators.")}
    known = set(map(str, range(count)))
    others = [n for n in state if n.split(".")[0] != "discriminators"]
    if others or not names <= known:
        what = {"msd": "scales", "mpd": "periods"}[part]
        raise ValueError(
            f"The GAN has {count} discriminators of {what}. Received in {part!r}: "
            f"{len(names)}{', and names of others' if others else ''}. Give `{what}` "
            "as they were trained, or no discriminators."
        )


def _place(entry):
    """Where a layer stands in the reference: by kind, then by its numbers."""
    *parts, _ = entry.name.split(".")
    if parts[0] == "discriminators":
        return 0, []  # in order already
    return MODULES.index(parts[0]), [p.zfill(6) for p in parts[1:]]


def _moments_of(gan, name, state, own):
    """The moments of AdamW, in the order of parameters.

    Returns:
        Tuple of a list of (variable, value), and how many steps they are of.
    """
    optimizer = getattr(gan, "optimizers", {}).get(name)
    if not isinstance(optimizer, keras.optimizers.Adam):
        what = "none" if optimizer is None else type(optimizer).__name__
        raise ValueError(
            f"'optim_{name}' has the moments of AdamW, which a compiled GAN takes. "
            f"Received: a GAN whose optimizer is {what}. Call `gan.compile()` first, "
            "or leave the optimizers out."
        )
    trained = [entry for entry in own if entry.variable.trainable]
    trained.sort(key=_place)
    moments = state.get("state") if isinstance(state, dict) else None
    if not isinstance(moments, dict):
        raise ValueError(
            f"'optim_{name}' is a dict with the moments of parameters, 'state'. "
            f"Received: {brief(state)}. Leave it out to begin with new moments."
        )
    if len(moments) != len(trained):
        raise ValueError(
            f"The optimizer has {len(trained)} variables. Received: the moments of "
            f"{len(moments)}. Build the GAN with the networks that they are of."
        )
    pairs, steps = [], 0
    for i, entry in enumerate(trained):
        kept = moments.get(i, moments.get(str(i)))
        if not isinstance(kept, dict) or not {*MOMENTS, "step"} <= set(kept):
            raise ValueError(
                f"'optim_{name}' has {', '.join(MOMENTS)}, step of each parameter. "
                f"Received of {entry.name}: {brief(kept)}."
            )
        try:
            values = _tensors_of({key: kept[key] for key in MOMENTS})
        except ValueError as error:
            raise ValueError(
                f"'optim_{name}', the moments of {entry.name}: {error}"
            ) from error
        steps = _count(f"'step' of 'optim_{name}'", kept["step"])
        moved = adam_moments(optimizer, entry.variable)
        for variable, value in zip(moved, values.values(), strict=True):
            if value.shape != entry.shape:
                raise ValueError(
                    f"{entry.name} has moments of shape {value.shape}, expected "
                    f"{entry.shape}."
                )
            pairs.append((variable, np.array(entry.convert(value))))
    return pairs, steps
