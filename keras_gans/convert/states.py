"""State dicts of reference implementations as Keras models."""

from collections.abc import Collection, Mapping
from typing import Any

import keras
import numpy as np

from keras_gans.convert.families import (
    biggan,
    biggan_deep,
    bigvgan,
    ctgan,
    dcgan,
    dfgan,
    efficientnet_lite0,
    hifigan,
    inception_fid,
    language,
    mimicry,
    r3gan,
    relgan,
    stackgan,
    stylegan2,
    stylegan2_tf,
    stylegan3,
    superresolution,
    translation,
    vits,
    voxels,
    wavegan,
)
from keras_gans.utils.text import brief

# One module a family: `detect(state)` gives its configuration or None, and
# `build(state, config)` the model.
FAMILIES = {
    "dcgan": dcgan,
    "mimicry": mimicry,
    "biggan": biggan,
    "biggan_deep": biggan_deep,
    "inception_fid": inception_fid,
    "efficientnet_lite0": efficientnet_lite0,
    # An old ESRGAN has "model.0" and "model.2", as pix2pix's discriminators.
    "superresolution": superresolution,
    "pix2pix": translation,
    "r3gan": r3gan,
    "stylegan2": stylegan2,
    "stylegan3": stylegan3,
    "stylegan2_tf": stylegan2_tf,
    "wavegan": wavegan,
    "hifigan": hifigan,
    "voxels": voxels,
    "bigvgan": bigvgan,
    "vits": vits,
    "ctgan": ctgan,
    "dfgan": dfgan,
    "stackgan": stackgan,
    "relgan": relgan,
    "language": language,
}


def from_state(
    state: Mapping[str, Any], family: str | None = None, **config: Any
) -> keras.Model:
    """Makes a Keras model of a reference's weights.

    Family and configuration are told from the names and shapes. The result
    gives the reference's outputs: `training=False` is its `eval()`. Images are
    channels last, latents are [n, latent_dim], and discriminators give logits.
    Feature networks take images in 0..255 and are not trainable.

    Args:
        state: Dict of the reference's names to arrays, as `read` returns it.
            It may lie in another dict (`{"state_dict": ...}`) and its names
            may all start with "module.".
        family: Optional string. The name of the family, if it should not be
            told from the names: "dcgan", "mimicry" (its residual networks of
            WGAN-GP, SNGAN, SAGAN and the projection cGAN), "biggan" (ajbrock's,
            also of BigGANdeep.py),
            "biggan_deep" (the generator of pytorch-pretrained-BigGAN),
            "inception_fid" (of pytorch-fid and torch-fidelity), "efficientnet_lite0",
            "r3gan", "stylegan2" (ADA's), "stylegan2_tf" (of TensorFlow),
            "stylegan3", "superresolution" (ESRGAN, Real-ESRGAN, BasicSR's SRResNet
            and their discriminators; the average where a file holds `params` and
            `params_ema`), "wavegan" (of TensorFlow), "hifigan", "bigvgan", "vits" (a
            whole `VITS` of one speaker), "ctgan" (of a generator, its logits),
            "dfgan", "stackgan", "relgan", "language" (WGAN-GP's language model), both
            of TensorFlow, or "pix2pix" (its networks and CycleGAN's; images of any
            size, unless `image_shape` says which).
        **config: What is known better than told: `network`, `image_shape`,
            `latent_dim`, `width`; for mimicry also `num_classes`,
            `spectral_norm`, `pooling`, `attention`; for BigGAN `num_classes`,
            `shared_dim`, `hierarchical`, `attention`, `depth`, and of
            "biggan_deep" `truncation`, whose statistics its batch norms take, in
            [0, 1]; for R3GAN
            `widths`, `blocks`, `group_size`, `num_classes`, `embedding_dim`; for
            StyleGAN2 `widths`, `w_dim`,
            `num_classes`, `mapping_layers`, `residual`, `group_size`; for StyleGAN3
            these but for the last two, `layers`, `kernel_size`, `radial`; for
            super-resolution `scale`, `activation` of SRVGGNetCompact without learned
            slopes ("relu", "leaky_relu"), and what `networks` has as arguments;
            for WaveGAN `samples`, `channels`, `dim`, `latent_dim`; for RelGAN
            `length` and `heads`, which weights do not tell; for HiFi-GAN `rates`,
            `dilations` and the others of its `Configuration`; for the feature
            networks only `taps`, see `networks.inception_fid` and
            `networks.efficientnet_lite0`.

    Returns:
        `keras.Model` with these weights.

    Raises:
        ValueError: If the family is unknown, names are missing or left over,
            or a tensor has another shape or values that are not finite.

    Example:

    ```python
    import numpy as np

    from keras_gans.convert import from_state

    state = {
        "main.0.weight": np.zeros((8, 3, 4, 4)),
        "main.2.weight": np.zeros((16, 8, 4, 4)),
        "main.3.weight": np.ones(16),
        "main.3.bias": np.zeros(16),
        "main.3.running_mean": np.zeros(16),
        "main.3.running_var": np.ones(16),
        "main.5.weight": np.zeros((1, 16, 4, 4)),
    }
    discriminator = from_state(state)  # of 16 x 16 images
    logits = discriminator(np.zeros((2, 16, 16, 3)))  # [2, 1]
    ```
    """
    tensors = tensors_of(state)
    if family is not None and family not in FAMILIES:
        raise ValueError(
            f"`family` must be one of {sorted(FAMILIES)}. Received: family={family!r}."
        )
    family, detected_config = detect(tensors, [family] if family else FAMILIES)
    unknown = sorted(set(config) - set(detected_config))
    if unknown:
        raise ValueError(
            f"The configuration of this {family} is {detected_config}. Received "
            f"others: {unknown}."
        )
    return FAMILIES[family].build(tensors, {**detected_config, **config})


def tensors_of(state: Mapping[str, Any]) -> dict[str, Any]:
    """The weights of a checkpoint: name to finite float32 array.

    Raises:
        ValueError: it holds no weights of one network.
    """
    return _tensors(_without_prefix(_unwrapped(state)))


def detect(tensors: dict, names: Collection[str]) -> tuple[str, dict]:
    """The first of the families `names` that weights are of.

    Returns:
        `(name, config)`, with what the weights tell of the network.

    Raises:
        ValueError: they are of none.
    """
    for name in names:
        config = FAMILIES[name].detect(tensors)
        if config is not None:
            return name, config
    raise ValueError(
        f"These weights are of no family known: {', '.join(names)}. Received "
        f"the names {brief(list(tensors), 300)}."
    )


def _is_tensor(value):
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _unwrapped(state):
    """The dict of tensors itself, from a checkpoint around one."""
    if not isinstance(state, dict) or not state:
        raise ValueError(
            "`state` must be a dict of names to arrays. Received: "
            f"{brief(state)} (of type {type(state).__name__})."
        )
    if any(_is_tensor(value) for value in state.values()):
        return state
    inner = {
        key: value
        for key, value in state.items()
        if isinstance(value, dict) and any(map(_is_tensor, value.values()))
    }
    if set(inner) == {"params", "params_ema"}:
        return inner["params_ema"]  # the average, which BasicSR tests
    if len(inner) != 1:
        raise ValueError(
            "`state` must hold the weights of one network. Received a dict "
            f"with keys {brief(list(state), 300)}, of which "
            f"{brief(list(inner), 300)} hold weights. Pass one of these; to "
            "convert a file, by `key`."
        )
    return next(iter(inner.values()))


def _without_prefix(state):
    """Drops the "module." that PyTorch's DataParallel puts before names."""
    names = list(map(str, state))
    if all(name.startswith("module.") for name in names):
        names = [name.removeprefix("module.") for name in names]
    return dict(zip(names, state.values(), strict=True))


def _tensors(state):
    """All but the counters of batches, as finite float32 arrays."""
    return {
        name: _finite(name, value)
        for name, value in state.items()
        if name.rpartition(".")[2] != "num_batches_tracked"
    }


def _finite(name, value):
    if not _is_tensor(value):
        raise ValueError(
            f"{brief(name)!r} must be an array. Received: {brief(value)} (of "
            f"type {type(value).__name__})."
        )
    value = np.asarray(value)
    if value.dtype.kind not in "fiub":
        raise ValueError(
            f"{brief(name)!r} must be an array of real numbers. Received: dtype "
            f"{value.dtype}."
        )
    with np.errstate(over="ignore"):  # of float64: infinite, so met below
        value = value.astype(np.float32, copy=False)
    if not np.isfinite(value).all():
        raise ValueError(
            f"{brief(name)!r} has values that are not finite: its training diverged "
            "or its file is damaged. Use an earlier checkpoint."
        )
    return value
