"""The Inception network of FID, from its published PyTorch weights.

As pytorch-fid and torch-fidelity name them, `Mixed_5b.branch1x1.conv.weight`;
our layers have the same names.
"""

from keras_gans.convert import weights
from keras_gans.networks.features.inception_fid import TAPS, inception_fid
from keras_gans.networks.features.taps import check_taps, tapped

_FIRST = "Conv2d_1a_3x3.conv.weight"
_LAST = "Mixed_7c.branch_pool.conv.weight"


def detect(state):
    """Tells an Inception network by the names of its ends.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    return {"taps": "2048"} if {_FIRST, _LAST} <= set(state) else None


def build(state, config):
    """Makes the network with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: images [n, height, width, 3] in 0..255 to what `taps`
        names, see `networks.inception_fid`.

    Raises:
        ValueError: If a tap is unknown, or the weights are of another
            Inception network.
    """
    if any(name.startswith("AuxLogits.") for name in state):
        raise ValueError(
            "These are the weights of torchvision's InceptionV3, which FID is "
            "not defined with (they have AuxLogits). Use those of pytorch-fid, "
            "pt_inception-2015-12-05-6726825d.pth."
        )
    taps = check_taps("inception_fid", config["taps"], TAPS)
    model = inception_fid(TAPS)
    pairs = [
        (layer, layer.name)
        for layer in model.layers
        if layer.weights and layer.name != "fc_bias"
    ]
    bias = weights.vector("fc.bias", model.get_layer("fc_bias").bias)
    weights.assign(model, state, [*weights.of_pairs(pairs), bias])
    return tapped(model.input, model.output, taps, model.name)
