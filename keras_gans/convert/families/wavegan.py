"""WaveGAN's networks in TensorFlow, `upconv_0/conv2d_transpose/kernel` and so on.

From chrisdonahue/wavegan, wavegan.py. Strides have no weights: of six layers a
sound has 65,536 samples unless `samples` says 32,768.
"""

import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.networks.wavegan import (
    KERNEL,
    START,
    wavegan_discriminator,
    wavegan_generator,
)

LAYER = re.compile(r"(up|down)conv_(\d\d?)/(conv1d|conv2d_transpose)/kernel")


def detect(state):
    """Tells the configuration of a WaveGAN's network from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    kernels = {}
    for name, weight in state.items():
        if match := LAYER.fullmatch(name):
            kernels[match[1], int(match[2])] = (match[3], weight.shape)
    count = len(kernels)
    sides = {side for side, _ in kernels}
    if len(sides) != 1 or not 1 <= count <= weights.MAX_BLOCKS:
        return None
    (side,) = sides
    if set(kernels) != {(side, i) for i in range(count)}:
        return None
    if any(KERNEL not in shape[:2] for _, shape in kernels.values()):
        return None
    samples = START * 4**count
    if side == "down":
        _, channels, dim = kernels[side, 0][1]
        network = {"network": "discriminator", "samples": samples}
        return {**network, "channels": channels, "dim": dim}
    project = state.get("z_project/dense/kernel")
    if project is None or project.ndim != 2:
        return None
    kind, last = kernels[side, count - 1]
    zeros = kind == "conv2d_transpose"
    channels, dim = last[-2:] if zeros else last[:-3:-1]
    if count == 1:
        dim = project.shape[1] // START
    return {
        "network": "generator",
        "samples": samples,
        "channels": channels,
        "latent_dim": project.shape[0],
        "dim": dim,
        "upsampling": "zeros" if zeros else "nearest",
    }


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: latents to sounds, or sounds to logits [n, 1], without
        phase shuffle.

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    config = dict(config)
    network = config.pop("network")
    if network == "generator":
        model = wavegan_generator(**config)
    elif network == "discriminator":
        model = wavegan_discriminator(**config, phase_shuffle=0)
    else:
        raise ValueError(
            "`network` must be 'generator' or 'discriminator'. Received: "
            f"network={network!r}."
        )
    weights.assign(model, state, entries(model, config.get("upsampling", "zeros")))
    return model


def entries(model, upsampling="zeros"):
    """The reference's tensors of one of the networks.

    Args:
        model: `keras.Model`, of `networks.wavegan`.
        upsampling: String, see `wavegan_generator`.

    Returns:
        List of `weights.Entry`.
    """
    named = {"project": "z_project/dense", "output": "output/dense"}
    up = "conv1d" if upsampling == "nearest" else "conv2d_transpose"
    kinds = {"upconv": up, "downconv": "conv1d"}
    tensors = []
    for layer in model.layers:
        if not layer.weights:
            continue
        stem = layer.name.rpartition("_")[0]
        prefix = named.get(layer.name) or f"{layer.name}/{kinds[stem]}"
        shape, read = tuple(layer.kernel.shape), np.asarray
        if prefix.endswith("conv2d_transpose"):
            shape, read = (1, *shape), _without_height
        tensors.append(weights.Entry(f"{prefix}/kernel", layer.kernel, shape, read))
        tensors.append(weights.vector(f"{prefix}/bias", layer.bias))
    return tensors


def _without_height(kernel):
    return kernel[0]
