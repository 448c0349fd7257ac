"""The DCGAN of PyTorch's examples, `main.N.weight` and so on.

Both networks are one sequence: the number of a layer in it is its name. From
pytorch/examples, dcgan/main.py.
"""

import itertools
import re

from keras import layers

from keras_gans.convert import weights
from keras_gans.networks.dcgan import dcgan_discriminator, dcgan_generator, stages


def detect(state):
    """Tells the configuration of a DCGAN's network from names and shapes.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    kernels = {
        int(match[1]): weight.shape
        for name, weight in state.items()
        if (match := re.fullmatch(r"main\.(\d\d?)\.weight", name))
        and weight.ndim == 4
        and 0 not in weight.shape
    }
    if not all(name.startswith("main.") for name in state) or 0 not in kernels:
        return None
    first, (place, last) = kernels[0], max(kernels.items())
    if all(key % 3 == 0 for key in kernels):
        return {
            "network": "generator",
            "image_shape": _image(first, place // 3, last[1]),
            "latent_dim": first[0],
            "width": last[0],
        }
    if all(key % 3 == 2 for key in kernels if key):
        return {
            "network": "discriminator",
            "image_shape": _image(last, (place + 1) // 3, first[1]),
            "width": first[0],
        }
    return None


def _image(kernel, halvings, channels):
    """The shape of images, from the kernel between a pixel and a map."""
    height, width = kernel[2:]
    return (height * 2**halvings, width * 2**halvings, channels)


def build(state, config):
    """Makes the network that `config` describes, with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: latents [n, latent_dim] to images in [-1, 1], or images
        to logits [n, 1] (the reference's output before its sigmoid).

    Raises:
        ValueError: If the weights do not fit the configuration.
    """
    builders = {"generator": _generator, "discriminator": _discriminator}
    config = dict(config)
    network = config.pop("network")
    if network not in builders:
        raise ValueError(
            f"`network` must be one of {sorted(builders)}. Received: "
            f"network={network!r}."
        )
    # Before anything is made: a file may name sizes that it does not have.
    shapes = _kernels(network, **config)
    kernels = {
        name: weight
        for name, weight in state.items()
        if name in shapes or weight.ndim == 4
    }
    weights.check(network, kernels, shapes)
    model, entries = builders[network](**config)
    weights.assign(model, state, entries)
    return model


def _kernels(network, image_shape, width, latent_dim=1):
    """The reference's name and shape of every convolution kernel."""
    base, channels = stages(image_shape, width)
    count = len(channels)
    if network == "generator":
        end, places = latent_dim, [3 * i for i in range(count + 1)]
    else:
        end, places = 1, [*range(3 * count - 1, 0, -3), 0]
    # From one pixel to the image: in, out of the one, out, in of the other.
    pairs = itertools.pairwise([end, *channels[::-1], image_shape[-1]])
    sizes = [base] + [(4, 4)] * count
    return {
        f"main.{place}.weight": (*pair, *size)
        for place, pair, size in zip(places, pairs, sizes, strict=True)
    }


def _generator(**config):
    model = dcgan_generator(**config)
    (project,) = _of_type(model, layers.Dense)
    (reshape,) = _of_type(model, layers.Reshape)
    norms = _of_type(model, layers.BatchNormalization)
    convs = _of_type(model, layers.Conv2DTranspose)
    pairs = [(norm, f"main.{3 * i + 1}") for i, norm in enumerate(norms)]
    pairs += [(conv, f"main.{3 * i + 3}") for i, conv in enumerate(convs)]
    first = weights.projection(
        "main.0.weight", project.kernel, reshape.target_shape[:2]
    )
    return model, [first, *weights.of_pairs(pairs)]


def _discriminator(**config):
    model = dcgan_discriminator(**config)
    norms = _of_type(model, layers.BatchNormalization)
    first, *convs = _of_type(model, layers.Conv2D)
    pairs = [(first, "main.0")]
    pairs += [(conv, f"main.{3 * i + 2}") for i, conv in enumerate(convs)]
    pairs += [(norm, f"main.{3 * i + 3}") for i, norm in enumerate(norms)]
    return model, weights.of_pairs(pairs)


def _of_type(model, kind):
    return [layer for layer in model.layers if isinstance(layer, kind)]
