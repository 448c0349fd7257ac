"""BigVGAN's generator and discriminators: HiFi-GAN's names, and a few of its own.

From NVIDIA/BigVGAN, bigvgan.py and discriminators.py. Rates and dilations have no
weights: kernels are twice the rates and dilations the paper's, unless told
otherwise.
"""

import re

import numpy as np

from keras_gans.convert import weights
from keras_gans.convert.families import hifigan
from keras_gans.layers.snake import TAPS, kaiser_sinc
from keras_gans.networks.bigvgan import bigvgan_generator
from keras_gans.networks.hifigan import Configuration

UP = re.compile(r"ups\.(\d+)\.0\.(?=weight|bias)")
SNAKE = re.compile(r"resblocks\.\d+\.activations\.\d+\.act\.alpha")
FILTER = re.compile(r".*\.(upsample|downsample\.lowpass)\.filter")


def detect(state):
    """Tells the configuration of a generator from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    if not any(SNAKE.fullmatch(name) for name in state):
        return None
    config = hifigan.detect(as_hifigan(state))
    if config is None:
        return None
    beta = any(name.endswith(".act.beta") for name in state)
    return {
        **config,
        "activation": "snakebeta" if beta else "snake",
        "ending": "tanh" if "conv_post.bias" in state else "clip",
    }


def build(state, config):
    """Makes the generator that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array. Filters of resampling
            are compared with ours.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: spectrograms [n, frames, bands] to waveforms.

    Raises:
        ValueError: If the weights or filters do not fit the configuration.
    """
    config = dict(config)
    names = ("bands", "activation", "ending", "weight_norm")
    own = {name: config.pop(name) for name in names}
    model = bigvgan_generator(Configuration(**config), **own)
    weights.assign(model, as_hifigan(state), hifigan.entries(model))
    return model


def as_hifigan(state):
    """A generator's weights by HiFi-GAN's names, without filters.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict of HiFi-GAN's name to numpy array, which `hifigan.entries` names of our
        generator: "ups.0.0.weight_v" is "ups.0.weight_v".

    Raises:
        ValueError: If a filter is another than ours.
    """
    kept, wanted = {}, kaiser_sinc()
    for name, value in state.items():
        if not FILTER.fullmatch(name):
            kept[UP.sub(r"ups.\1.", name)] = value
        elif value.size != TAPS or np.abs(value.ravel() - wanted).max() > 1e-6:
            raise ValueError(
                f"{name[: weights.MAX_LETTERS]} is a low-pass filter of {TAPS} taps "
                f"for a rate of two. Received: another one, of shape {value.shape}."
            )
    return kept
