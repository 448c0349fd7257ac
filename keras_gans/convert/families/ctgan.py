"""CTGAN's networks in PyTorch, `seq.0.fc.weight` and so on.

From sdv-dev/CTGAN, ctgan/synthesizers/ctgan.py, up to 0.6.0. A generator's weights
do not tell which numbers of a row belong together: it ends in logits.
"""

import itertools
import re

from keras_gans.convert import weights
from keras_gans.networks.ctgan import ctgan_body, ctgan_discriminator

LAYERS_A_BLOCK = 3  # of the discriminator: dense, leaky ReLU, dropout


def detect(state):
    """Tells the configuration of a CTGAN's network from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    hidden, plain = {}, {}
    for name, weight in state.items():
        match = re.fullmatch(r"seq\.(\d\d?\d?)\.(fc\.)?weight", name)
        if match and weight.ndim == 2 and 0 not in weight.shape:
            (hidden if match[2] else plain)[int(match[1])] = weight.shape
    count = len(hidden) or len(plain) - 1
    if not 1 <= count <= weights.MAX_BLOCKS:
        return None
    if hidden:
        if sorted(hidden) != list(range(count)) or list(plain) != [count]:
            return None
        codes = hidden[0][1]
        widths = [shape[0] for _, shape in _sorted(hidden)]
        rest = itertools.accumulate(widths, initial=codes)
        wanted = [shape[1] for _, shape in _sorted(hidden)] + [plain[count][1]]
        if list(rest) != wanted:
            return None
        return {
            "network": "generator",
            "codes": codes,
            "width": plain[count][0],
            "widths": tuple(widths),
        }
    places = [LAYERS_A_BLOCK * i for i in range(count + 1)]
    shapes = [shape for _, shape in _sorted(plain)]
    if sorted(plain) != places or shapes[-1][0] != 1:
        return None
    if any(a[0] != b[1] for a, b in itertools.pairwise(shapes)):
        return None
    widths = tuple(shape[0] for shape in shapes[:-1])
    return {"network": "discriminator", "shape": (shapes[0][1],), "widths": widths}


def _sorted(shapes):
    return sorted(shapes.items())


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: codes and conditions `[n, codes]` to logits of rows, the layer
        "logits" of `ctgan_generator`; or packs of rows to logits `[n, 1]`.

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    config = dict(config)
    network = config.pop("network")
    if network not in ("generator", "discriminator"):
        raise ValueError(
            "`network` must be 'generator' or 'discriminator'. Received: "
            f"network={network!r}."
        )
    make = ctgan_body if network == "generator" else ctgan_discriminator
    model = make(**config)
    entries = []
    count = len(config["widths"])
    for i in range(count):
        dense = model.get_layer(f"hidden_{i}")
        if network == "generator":
            entries += _dense(f"seq.{i}.fc", dense)
            norm = model.get_layer(f"norm_{i}")
            entries += weights.batch_norm(f"seq.{i}.bn", norm)
        else:
            entries += _dense(f"seq.{LAYERS_A_BLOCK * i}", dense)
    last = count if network == "generator" else LAYERS_A_BLOCK * count
    entries += _dense(f"seq.{last}", model.get_layer("output"))
    weights.assign(model, state, entries)
    return model


def _dense(prefix, layer):
    return [
        weights.dense(f"{prefix}.weight", layer.kernel),
        weights.vector(f"{prefix}.bias", layer.bias),
    ]
