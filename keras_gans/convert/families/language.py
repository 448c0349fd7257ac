"""WGAN-GP's language model in TensorFlow, `1.2.Filters` and so on.

From igul222/improved_wgan_training, gan_language.py, whose maps have their channels
first.
"""

import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.networks.language import (
    KERNEL,
    language_discriminator,
    language_generator,
)

BLOCK = re.compile(r"(\d\d?)\.[12]\.Filters")


def detect(state):
    """Tells the configuration of a language model's network from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    filters = {n: x for n, x in state.items() if BLOCK.fullmatch(n)}
    count = len(filters) // 2
    if not 1 <= count <= weights.MAX_BLOCKS:
        return None
    if any(np.ndim(x) != 3 or x.shape[0] != KERNEL for x in filters.values()):
        return None
    dim = next(iter(filters.values())).shape[1]
    side = "generator" if np.ndim(state.get("Input.W")) == 2 else "discriminator"
    matrix = state.get("Input.W" if side == "generator" else "Output.W")
    map_ = state.get("Output.Filters" if side == "generator" else "Input.Filters")
    if np.ndim(matrix) != 2 or np.ndim(map_) != 3 or not dim:
        return None
    config = {"network": side, "dim": dim, "blocks": count}
    if side == "discriminator":
        length, vocabulary = matrix.shape[0] // dim, map_.shape[1]
        return {**config, "length": length, "vocabulary": vocabulary}
    latent, total = matrix.shape
    length, vocabulary = total // dim, map_.shape[2]
    config |= {"length": length, "vocabulary": vocabulary, "latent_dim": latent}
    return config


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: of `language_generator` or `language_discriminator`.

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
    first = network == "generator"
    make = language_generator if first else language_discriminator
    model = make(**config)
    sides = (config["dim"], config["length"])

    def letters_first(x):
        """The last axis, of channels by letters, as letters by channels."""
        return x.reshape(*x.shape[:-1], *sides).swapaxes(-1, -2).reshape(x.shape)

    entries = []
    for layer in model.layers:
        if not layer.weights:
            continue
        name = {"input": "Input", "output": "Output"}.get(layer.name)
        if name is None:
            _, block, _, k = layer.name.split("_")
            name = f"{int(block) + 1}.{int(k) + 1}"
        own = [f"{name}.Filters", f"{name}.Biases"]
        convert = np.asarray
        if len(layer.kernel.shape) == 2:
            own = [f"{name}.W", f"{name}.b"]
            convert = letters_first if first else lambda x: letters_first(x.T).T
        shape = tuple(layer.kernel.shape)
        entries.append(weights.Entry(own[0], layer.kernel, shape, convert))
        bias = weights.vector(own[1], layer.bias)
        if first and layer.name == "input":
            bias = bias._replace(convert=letters_first)
        entries.append(bias)
    weights.assign(model, state, entries)
    return model
