"""Whole GANs of sounds from files of their references, to use and to train on."""

from collections.abc import Mapping
import json
import math
import pathlib
from typing import Any

import numpy as np

from keras_gans.convert import states, weights
from keras_gans.convert.families import bigvgan, hifigan, wavegan
from keras_gans.convert.readers.reading import read
from keras_gans.core.gan import BaseGAN
from keras_gans.layers.mel import MelSpectrogram
from keras_gans.modalities.untrusted import check_bytes
from keras_gans.models.bigvgan import BigVGAN
from keras_gans.models.hifigan import HiFiGAN
from keras_gans.models.wavegan import WaveGAN
from keras_gans.networks.hifigan import Configuration, check_configuration
from keras_gans.utils.text import brief
from keras_gans.utils.validation import check_size, is_int

VOCODERS = {"hifigan": HiFiGAN, "bigvgan": BigVGAN}
JUDGED = {  # arguments of discriminators
    "hifigan": ("periods", "scales", "d_width"),
    "bigvgan": ("periods", "resolutions", "d_width"),
}
NUMBERS = "config.json"  # beside a vocoder's weights, as its reference leaves it
MOST_BYTES = 2**20  # of that file, which has about a thousand
# Far beyond any vocoder: numbers of a file that would exhaust memory, or take hours.
MOST = {
    "sampling_rate": 2**20,
    "segment_size": 2**22,
    "n_fft": 2**16,
    "win_size": 2**16,
}
MOST_RATE = 2**12  # of an upsampling, or a dilation
OF_NUMBERS = {
    "sampling_rate": "rate",
    "segment_size": "segment",
    "upsample_rates": "rates",
    "resblock_dilation_sizes": "dilations",
}
OF_WEIGHTS = {  # what weights tell too
    "num_mels": "bands",
    "upsample_initial_channel": "channels",
    "upsample_kernel_sizes": "kernels",
    "resblock_kernel_sizes": "block_kernels",
}
OF_MEL = {"n_fft": "n_fft", "win_size": "window", "fmin": "low", "fmax": "high"}


def gan_of(
    path: pathlib.Path, state: dict, given: Mapping[str, Any]
) -> tuple[BaseGAN, str] | None:
    """Makes the GAN of a file of a vocoder's generator, or of a WaveGAN.

    Of a vocoder, the numbers that weights do not tell are those of config.json in
    the same folder, where it is that of the reference; of `g_00000005` the
    discriminators and the step are those of `do_00000005` there, as far as it has
    them.

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
    numbers = _numbers(path.parent / NUMBERS)
    others = path.parent / path.name.replace("g_", "do_", 1)
    judges = {}
    if family == "hifigan" and path.name.startswith("g_") and others.is_file():
        judges = _judges(others)
    gan = _vocoder(family, found, numbers, given)
    if family == "bigvgan":
        tensors = bigvgan.as_hifigan(tensors)
    hifigan.restore(gan, with_lengths(tensors), judges)
    told = f"rate {gan.mel.rate}, hop {gan.hop}, {gan.mel.bands} bands"
    told += f", by {NUMBERS}" if numbers else ""
    return gan, told + _told_of(gan, judges, others.name)


def _judges(path):
    """The weights of discriminators, and the step, of a file of the reference."""
    state = read(path)
    if not isinstance(state, dict) or not {"mpd", "msd", "steps"} & set(state):
        raise ValueError(
            f"{path} holds the discriminators of the generator beside it, 'mpd' and "
            f"'msd'. Received: {brief(state, 200)}. Move it away to begin anew."
        )
    try:
        return hifigan.judges_of(state)
    except ValueError as error:
        raise ValueError(f"{path}, {error}") from error


def _told_of(gan, judges, name):
    """What is of a file of discriminators, and what begins anew."""
    kinds = {"mpd": ("period_", "periods"), "msd": ("scale_", "scales")}
    taken = [what for part, (_, what) in kinds.items() if judges.get(part)]
    anew = [
        what
        for part, (kind, what) in kinds.items()
        if not judges.get(part) and any(n.startswith(kind) for n in gan.networks)
    ]
    told = f"; discriminators of {' and '.join(taken)} of {name}" if taken else ""
    if not taken:
        told += "; discriminators begin anew"
    elif anew:
        told += f", those of {anew[0]} begin anew"
    return told + (f"; step {judges['steps']} of {name}" if "steps" in judges else "")


def _vocoder(family, found, numbers, given):
    cls = VOCODERS[family]
    known = {*found, *OF_NUMBERS.values(), *JUDGED[family]}
    if unknown := sorted(set(given) - known):
        raise ValueError(
            f"A {cls.__name__} is made of weights and {', '.join(sorted(known))}. "
            f"Received others: {', '.join(unknown)}."
        )
    beside = {OF_NUMBERS[k]: numbers[k] for k in OF_NUMBERS if k in numbers}
    arguments = {**found, **beside, **given}
    c = {name: arguments[name] for name in Configuration._fields}
    c = check_configuration(Configuration(**c))
    arguments |= c._asdict()
    if "rate" in arguments:
        check_size("rate", arguments["rate"])
    if numbers:
        hop = math.prod(c.rates)
        told = {**{k: found[v] for k, v in OF_WEIGHTS.items()}, "hop_size": hop}
        if family == "bigvgan":
            names = ("use_tanh_at_final", "use_bias_at_final")
            told |= dict.fromkeys(names, found["ending"] == "tanh")
            _check_logarithms(numbers)
        _check_same(numbers, told)
        mel = {OF_MEL[k]: numbers[k] for k in OF_MEL if k in numbers}
        mel |= {"rate": arguments["rate"], "bands": found["bands"], "hop": hop}
        arguments["mel"] = MelSpectrogram(**mel)
    return cls(**arguments)


def _check_logarithms(numbers):
    if not numbers.get("snake_logscale", True):
        raise ValueError(
            "The slopes of BigVGAN's activations are kept as logarithms, as NVIDIA's "
            f"are. Received: 'snake_logscale' false in {NUMBERS}: these weights are of "
            "another network, which is not converted."
        )


def _check_same(numbers, told):
    """Refuses numbers that are those of other weights."""
    for name, value in told.items():
        value = list(value) if isinstance(value, tuple) else value
        if name in numbers and numbers[name] != value:
            raise ValueError(
                f"{NUMBERS} has the numbers of the weights beside it, of which "
                f"{name!r} would be {value}. Received: {brief(numbers[name])}. "
                "Take the file that belongs to them, or move it away."
            )


def _numbers(path):
    """The numbers that a reference's file has; {} where it is another's, or none."""
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        check_bytes(len(data), MOST_BYTES)
        numbers = json.loads(data)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} has the numbers of the weights beside it, as JSON. Received: "
            f"{brief(str(error), 200)}. Mend it, or move it away."
        ) from error
    if not isinstance(numbers, dict) or not {"sampling_rate", "n_fft"} <= set(numbers):
        return {}  # of something else
    rates, dilations = "upsample_rates", "resblock_dilation_sizes"
    allowed = f"list of ints in [1, {MOST_RATE}], at most {weights.MAX_BLOCKS}"
    if rates in numbers and not _are_sizes(numbers[rates]):
        _refuse(path, rates, f"a {allowed}", numbers[rates])
    given = numbers.get(dilations, [[1]])
    listed = isinstance(given, list) and len(given) <= weights.MAX_BLOCKS
    if not listed or not all(map(_are_sizes, given)):
        _refuse(path, dilations, f"a list of lists, each a {allowed}", given)
    for name, most in MOST.items():
        value = numbers.get(name, 1)
        if not is_int(value) or not 1 <= value <= most:
            _refuse(path, name, f"an int in [1, {most}]", value)
    return numbers


def _are_sizes(value):
    ok = isinstance(value, list) and len(value) <= weights.MAX_BLOCKS
    return ok and all(is_int(n) and 1 <= n <= MOST_RATE for n in value)


def _refuse(path, name, wanted, value):
    raise ValueError(
        f"{name!r} of {path} is {wanted}. Received: {brief(value)}. Mend it, or move "
        "the file away."
    )


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
