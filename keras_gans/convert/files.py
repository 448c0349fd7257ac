"""A checkpoint file of a reference, as a Keras file of the same network."""

import pathlib
import re
from typing import Any

from keras_gans.convert import gans, sound_gans, states
from keras_gans.convert.readers.reading import read
from keras_gans.utils import files
from keras_gans.utils.suggestions import hint
from keras_gans.utils.text import brief
from keras_gans.utils.types import Path

KNOWN = {
    "dcgan": "the DCGAN of PyTorch's examples",
    "mimicry": "mimicry's residual networks (WGAN-GP, SNGAN, SAGAN, cGAN-PD)",
    "pix2pix": "the networks of pix2pix and CycleGAN",
    "biggan": "BigGAN's networks",
    "biggan_deep": "BigGAN-deep's generator",
    "r3gan": "R3GAN's networks",
    "stylegan2": "StyleGAN2-ADA's networks",
    "stylegan3": "StyleGAN3's generator",
    "stylegan2_tf": "StyleGAN2's networks in TensorFlow",
    "wavegan": "WaveGAN's networks",
    "hifigan": "HiFi-GAN's generator",
    "bigvgan": "BigVGAN's generator",
    "vits": "VITS of one speaker",
    "dfgan": "DF-GAN's networks",
    "stackgan": "StackGAN's networks",
    "inception_fid": "Inception of pytorch-fid",
    "efficientnet_lite0": "EfficientNet-Lite0",
    "superresolution": "the networks of ESRGAN and Real-ESRGAN",
}

# Names that tell architectures which are not converted. Each pattern takes time
# linear in the name: no two repetitions in it can match the same letters.
OTHERS = {
    r"model\.diffusion_model\.": "a latent diffusion model",
    r"(.*\.)?synthesis\.|(convs|conv1)\..*modulation": "a StyleGAN",
    r"b\d+\.fromrgb\.": "the discriminator of a StyleGAN",
    r"blocks\.\d+\.\d+\.conv1\.": "a BigGAN of another configuration",
    r"conv_first\.": "another network of super-resolution",
    r"layer1\.0\.conv1\.": "a ResNet for classification (torchvision)",
    r"features\.\d+\.": "a VGG, AlexNet or MobileNet (torchvision)",
    r"(.*\.)?(attn|attention|self_attn)\.": "a transformer",
    r"(inc|down1|outc)\.": "a U-Net for segmentation",
}


def convert_file(
    path: Path,
    directory: Path,
    overwrite: bool = False,
    key: str | None = None,
    **config: Any,
) -> tuple[pathlib.Path, str]:
    """Writes the network of a checkpoint as a `.keras` file, or its GAN as a preset.

    Args:
        path: str or path of a file, one of these:

            - `.pth`, `.pt` or `.safetensors` of one network of `from_state`;
            - a `.pkl` snapshot of a GAN;
            - HiFi-GAN's generator, `g_02500000`; the `do_02500000` and config.json in
              the same folder are read too, where they are there;
            - BigVGAN's generator, and the config.json beside it;
            - the `.index` of a checkpoint of WaveGAN.
        directory: str or path of the folder to write to; the file has the name
            of `path`, and ends in ".keras". Of a snapshot, a vocoder or a
            WaveGAN without `key`, the preset itself, see
            `keras_gans.from_preset`.
        overwrite: bool, whether to replace a file of that name.
        key: str, where the network stands in a file of several: "netG"; or
            `None`, where the file holds one.
        **config: what is known better than told from the weights, see
            `from_state`; of a vocoder or a WaveGAN also `rate`, of a vocoder
            `segment`, and `d_width` and the like of discriminators.

    Returns:
        `(target, text)`: the path written, and a sentence of what it is.

    Raises:
        ValueError: the file cannot be read, its network is not known or does
            not fit, or the target exists.

    Example:

    ```python
    from keras_gans.convert import convert_file

    try:
        convert_file("latest_net_G.pth", "converted")
    except ValueError as error:
        print(error)  # where there is no such file
    ```
    """
    path = pathlib.Path(path)
    target = pathlib.Path(directory) / f"{path.stem}.keras"
    files.check_free(target, overwrite)
    state = read(path)
    if key is None and gans.is_gan(state):
        return _convert_gan(path, state, directory, overwrite, config)
    if key is None and isinstance(state, dict):
        try:
            found = sound_gans.gan_of(path, state, config)
        except ValueError as error:
            raise ValueError(f"Cannot convert {path}. {error}") from error
        if found is not None:
            return _written(*found, directory, overwrite)
    if key is not None:
        state = _part(state, key, path)
    try:
        family, detected_config = detect(state)
    except ValueError as error:
        raise ValueError(f"Cannot convert {path}. {error}") from error
    try:
        model = states.from_state(state, family, **config)
    except ValueError as error:
        raise ValueError(
            f"Cannot convert {path}. It looks like {_known(family)}, "
            f"{_listed(detected_config)}, but: {error}"
        ) from error
    with files.replacing(target) as temporary:
        model.save(temporary)
    count = f"{model.count_params():,} parameters"
    about = _listed({**detected_config, **config})
    return target, f"{_known(family)}: {about}; {count}"


def _convert_gan(path, state, directory, overwrite, config):
    """Writes the GAN of a snapshot as a preset."""
    if config:
        raise ValueError(
            f"{path} holds a whole GAN, and tells all of it. Received: "
            f"{', '.join(config)}. Leave it out, or take one network by `key`."
        )
    try:
        gan = gans.gan_of(state)
    except ValueError as error:
        raise ValueError(f"Cannot convert {path}. {error}") from error
    about = {"image_shape": gan.modality.shape, "latent_dim": gan.inputs[0].dim}
    return _written(gan, _listed(about), directory, overwrite)


def _written(gan, about, directory, overwrite):
    """A GAN as a preset, and a sentence of what it is."""
    gan.save_to_preset(directory, overwrite)
    count = sum(network.count_params() for network in gan.networks.values())
    text = f"{type(gan).__name__}: {about}; {count:,} parameters"
    return pathlib.Path(directory), text


def _part(state, key, path):
    """The network of a name in a file of several, or in a dict that is in it."""
    inner = [v for v in state.values() if type(v) is dict and type(v.get(key)) is dict]
    if len(inner) == 1 and not isinstance(state.get(key), dict):
        (state,) = inner
    if not isinstance(state.get(key), dict):
        names = [k for k, v in state.items() if isinstance(k, str) and type(v) is dict]
        raise ValueError(
            f"{path} holds no network `key={brief(key)}`. It holds "
            f"{brief(', '.join(names), 300) or 'one network: leave `key` out'}."
            f"{hint(key, names)}"
        )
    return state[key]


def detect(state: dict) -> tuple[str, dict]:
    """Tells what the weights of a checkpoint are of.

    Args:
        state: dict, as `read` returns it.

    Returns:
        `(family, config)` as `from_state` takes them.

    Raises:
        ValueError: they are of no family known; it says what they seem to be.
    """
    tensors = states.tensors_of(state)
    try:
        return states.detect(tensors, states.FAMILIES)
    except ValueError:
        count = sum(tensor.size for tensor in tensors.values())
        raise ValueError(
            f"It seems to be {_guess(tensors)}: {len(tensors)} tensors of "
            f"{count:,} numbers, named {brief(', '.join(list(tensors)[:4]), 200)}. "
            f"Known are {', '.join(map(_known, states.FAMILIES))}."
        ) from None


def _known(family):
    return KNOWN.get(family, family)


def _guess(names):
    for pattern, what in OTHERS.items():
        if any(re.match(pattern, name) for name in names):
            return what
    return "a network of another kind"


def _listed(config):
    """A configuration in words."""
    words = []
    for name, value in config.items():
        if name == "network":
            words.append(str(value))
        elif name == "image_shape":
            *sides, channels = value
            size = " x ".join(map(str, sides))
            size = "any size" if None in sides else f"{size} pixels"
            words.append(f"{size}, {channels} channels")
        else:
            words.append(f"{name} {value}")
    return ", ".join(words)
