"""Whole GANs of sounds from files of their references, to use and to train on."""

from collections.abc import Mapping
import json
import pathlib
from typing import Any

import numpy as np

from keras_gans.convert import states, weights
from keras_gans.convert.families import bigvgan, hifigan, wavegan
from keras_gans.convert.readers.reading import read
from keras_gans.core.gan import BaseGAN
from keras_gans.layers.mel import MelSpectrogram
from keras_gans.models.bigvgan import BigVGAN
from keras_gans.models.hifigan import HiFiGAN
from keras_gans.models.wavegan import WaveGAN
from keras_gans.utils.text import brief

VOCODERS = {"hifigan": HiFiGAN, "bigvgan": BigVGAN}
JUDGED = {  # arguments of discriminators
    "hifigan": ("periods", "scales", "d_width"),
    "bigvgan": ("periods", "resolutions", "d_width"),
}
NUMBERS = "config.json"  # beside a vocoder's weights, as its reference leaves it
OF_NUMBERS = {
    "sampling_rate": "rate",
    "segment_size": "segment",
    "upsample_rates": "rates",
    "upsample_kernel_sizes": "kernels",
    "resblock_dilation_sizes": "dilations",
}
OF_MEL = {"n_fft": "n_fft", "win_size": "window", "fmin": "low", "fmax": "high"}


def gan_of(
    path: pathlib.Path, state: dict, given: Mapping[str, Any]
) -> tuple[BaseGAN, str] | None:
    """Makes the GAN of a file of a vocoder's generator, or of a WaveGAN.

    Of a vocoder, the numbers that weights do not tell are those of config.json in
    the same folder, where it is that of the reference; of `g_00000005` the
    discriminators are those of `do_00000005` there.

    Args:
        path: path of the file.
        state: dict, as `read` returns it of the file.
        given: dict of arguments of the GAN that are known better: `rate`, `segment`,
            `rates`, `dilations`, and those of discriminators; of WaveGAN `rate`,
            `samples`, `strides`.

    Returns:
        `(gan, text)`: not compiled, and a sentence of what it is; or `None` where
        the file holds something else.

    Raises:
        ValueError: weights, or files beside them, do not fit each other.
    """
    if isinstance(state.get("G"), dict):
        return _wavegan_of(state, given)
    try:
        tensors = states.tensors_of(state)
        family, found = states.detect(tensors, states.FAMILIES)
    except ValueError:
        return None
    if family not in VOCODERS:
        return None
    found.pop("weight_norm")
    beside, mel = _beside(path.parent / NUMBERS)
    gan = _vocoder(family, found, beside, mel, given)
    if family == "bigvgan":
        tensors = bigvgan.as_hifigan(tensors)
    others = path.parent / path.name.replace("g_", "do_", 1)
    judges = None
    if family == "hifigan" and path.name.startswith("g_") and others.is_file():
        judges = {k: v for k, v in read(others).items() if not k.startswith("optim_")}
    hifigan.restore(gan, with_lengths(tensors), judges)
    told = f"rate {gan.mel.rate}, hop {gan.hop}, {gan.mel.bands} bands"
    told += f", by {NUMBERS}" if beside else ""
    told += "; discriminators " + (f"of {others.name}" if judges else "begin anew")
    return gan, told


def _vocoder(family, found, beside, mel, given):
    cls, known = VOCODERS[family], {*found, *OF_NUMBERS.values(), *JUDGED[family]}
    if unknown := sorted(set(given) - known):
        raise ValueError(
            f"A {cls.__name__} is made of weights and {', '.join(sorted(known))}. "
            f"Received others: {', '.join(unknown)}."
        )
    arguments = {**found, **beside, **given}
    if mel:
        hop = int(np.prod(arguments["rates"]))
        numbers = {"rate": arguments["rate"], "bands": found["bands"], "hop": hop}
        arguments["mel"] = MelSpectrogram(**{**mel, **numbers})
    return cls(**arguments)


def _beside(path):
    """Arguments and numbers of the spectrogram, as a reference's file has them."""
    try:
        numbers = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}, {}
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} has the numbers of the weights beside it, as JSON. Received: "
            f"{brief(str(error), 200)}. Mend it, or move it away."
        ) from error
    if not isinstance(numbers, dict) or not {"sampling_rate", "n_fft"} <= set(numbers):
        return {}, {}  # of something else
    arguments = {OF_NUMBERS[k]: numbers[k] for k in OF_NUMBERS if k in numbers}
    for name in ("rates", "kernels"):
        if name in arguments:
            arguments[name] = _tuple(arguments[name])
    if "dilations" in arguments:
        arguments["dilations"] = tuple(map(_tuple, _tuple(arguments["dilations"])))
    return arguments, {OF_MEL[k]: numbers[k] for k in OF_MEL if k in numbers}


def _tuple(value):
    return tuple(value) if isinstance(value, list) else value


def with_lengths(state: dict) -> dict:
    """A folded generator's weights, as directions and lengths: exactly the same.

    Args:
        state: dict of a reference's name to array, by HiFi-GAN's names.

    Returns:
        dict of the same kind, each `NAME.weight` as `NAME.weight_v` and `weight_g`;
        `state` itself where it has them.
    """
    if any(name.endswith(".weight_g") for name in state):
        return state
    found = {}
    for name, value in state.items():
        stem, _, leaf = name.rpartition(".")
        if leaf != "weight":
            found[name] = value
            continue
        axes = tuple(range(1, value.ndim))
        lengths = np.sqrt(np.square(value).sum(axis=axes, keepdims=True))
        found[f"{stem}.weight_v"], found[f"{stem}.weight_g"] = value, lengths
    return found


def _wavegan_of(state, given):
    try:
        of_g = states.tensors_of(state["G"])
    except ValueError:
        return None
    found = wavegan.detect(of_g)
    if found is None or found.pop("network") != "generator":
        return None
    known = {*found, "rate", "strides"}
    if unknown := sorted(set(given) - known):
        raise ValueError(
            f"A WaveGAN is made of weights and {', '.join(sorted(known))}. Received "
            f"others: {', '.join(unknown)}."
        )
    gan = WaveGAN(**{**found, **given})
    networks = {"generator": of_g}
    if isinstance(state.get("D"), dict):
        networks["discriminator"] = states.tensors_of(state["D"])
    for name, tensors in networks.items():
        network = gan.networks[name]
        own = wavegan.entries(network, found["upsampling"])
        weights.assign(network, tensors, own)
    samples, channels = gan.modality.shape
    told = f"{samples} samples, {channels} channels, rate {gan.modality.rate}"
    return gan, told + ("" if len(networks) == 2 else "; its discriminator begins anew")
