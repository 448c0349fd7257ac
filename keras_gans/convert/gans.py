"""Whole GANs of reference snapshots: generator, its average, discriminator."""

from typing import Any

from keras import ops

from keras_gans.convert import states
from keras_gans.core.gan import BaseGAN
from keras_gans.models.r3gan import R3GAN
from keras_gans.models.stylegan2 import StyleGAN2
from keras_gans.models.stylegan3 import StyleGAN3

NETWORKS = ("G", "D", "G_ema")  # of a snapshot that holds a whole GAN


def is_gan(snapshot: dict) -> bool:
    """Whether what `read` returns holds all networks of a GAN."""
    return all(isinstance(snapshot.get(name), dict) for name in NETWORKS)


def gan_of(snapshot: dict) -> BaseGAN:
    """Makes the GAN of a snapshot, with the weights of all its networks.

    Args:
        snapshot: dict, as `read` returns it of a `.pkl` file.

    Returns:
        `StyleGAN2`, `StyleGAN3` or `R3GAN`; its settings of training are those by
        default.

    Raises:
        ValueError: the networks are of no family of which GANs are made, or do
            not belong together.
    """
    detections = {
        name: states.detect(states.tensors_of(snapshot[name]), states.FAMILIES)
        for name in NETWORKS
    }
    families = {name: family for name, (family, _) in detections.items()}
    family = families["G"]
    belong = {"G": family, "D": _OF_D.get(family, family), "G_ema": family}
    if family not in _ARGUMENTS or families != belong:
        received = ", ".join(sorted(set(families.values())))
        raise ValueError(
            f"GANs are made of {', '.join(_ARGUMENTS)}. Received: networks of "
            f"{received}. Take one of them by `key`."
        )
    models = {
        name: states.from_state(snapshot[name], families[name]) for name in NETWORKS
    }
    of_g, of_d = (detections[name][1] for name in ("G", "D"))
    cls, arguments = _ARGUMENTS[family](of_g, of_d)
    own = {"generator": models["G"], "discriminator": models["D"]}
    gan = None
    if arguments is not None:
        gan = cls(**arguments)
    if gan is None or not all(_alike(gan.networks[n], own[n]) for n in own):
        # No arguments of the class make these networks: it is given them.
        kept = {name: arguments[name] for name in _ALWAYS if name in (arguments or ())}
        gan = cls(num_classes=of_g["num_classes"], **kept, **own)
    else:
        for name, network in own.items():
            gan.networks[name].set_weights(network.get_weights())
    if not _alike(gan.ema_generator, models["G_ema"]):
        raise ValueError("G and G_ema of the snapshot are networks of other shapes.")
    gan.ema_generator.set_weights(models["G_ema"].get_weights())
    count = snapshot.get("cur_nimg")
    if isinstance(count, int) and 0 <= count < 2**31:
        gan.controllers["images"].value.assign(ops.cast(count, "int32"))
    return gan


def _alike(one, other):
    shapes = [[tuple(v.shape) for v in network.weights] for network in (one, other)]
    return shapes[0] == shapes[1]


def _stylegan2(of_g: dict, of_d: dict) -> tuple[type, dict[str, Any]]:
    widths, named = of_g["widths"], ("image_shape", "num_classes", "latent_dim")
    arguments = {name: of_g[name] for name in (*named, "w_dim", "mapping_layers")}
    # Channels times the side of a map, of which the smallest counts as 4.
    arguments["channel_base"] = widths[-1] * (4 << len(widths) - 1)
    arguments["channel_max"] = max(widths)
    arguments |= {name: of_d[name] for name in ("residual", "group_size")}
    return StyleGAN2, {**arguments, **_TRAINED}


def _stylegan3(of_g: dict, of_d: dict) -> tuple[type, dict[str, Any]]:
    named = ("image_shape", "num_classes", "latent_dim", "w_dim", "mapping_layers")
    arguments = {name: of_g[name] for name in (*named, "layers")}
    arguments["configuration"] = "r" if of_g["kernel_size"] == 1 else "t"
    arguments["channel_max"] = max(of_d["widths"])
    arguments["group_size"] = of_d["group_size"]
    return StyleGAN3, {**arguments, **_TRAINED}


def _r3gan(of_g: dict, of_d: dict) -> tuple[type, dict[str, Any] | None]:
    blocks, groups = set(of_g["blocks"]), set(of_g["group_size"])
    if len(blocks) > 1 or len(groups) > 1:  # no one number for each map
        return R3GAN, None
    named = ("image_shape", "num_classes", "latent_dim", "widths")
    arguments = {name: of_g[name] for name in named}
    return R3GAN, {**arguments, "blocks": blocks.pop(), "group_size": groups.pop()}


_ARGUMENTS = {
    "stylegan2": _stylegan2,
    "stylegan2_tf": _stylegan2,
    "stylegan3": _stylegan3,
    "r3gan": _r3gan,
}
_OF_D = {"stylegan3": "stylegan2"}  # of which family D is, where it is another
_ALWAYS = ("configuration", "ema_rampup")  # what networks that are given do not tell
# The average is one already: no ramp holds it back until it is.
_TRAINED = {"ema_rampup": 0.0}
