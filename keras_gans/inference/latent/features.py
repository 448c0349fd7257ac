"""Features that tell how alike two pictures look."""

from collections.abc import Callable, Sequence
import math

import keras
from keras import ops
import numpy as np

from keras_gans import convert
from keras_gans.modalities import pictures
from keras_gans.networks.features.efficientnet_lite0 import weights_file
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor

NAMES = ("pixels", "lite0")
LEAST = 4  # pixels of the smallest side that is still halved
# Of each size of EfficientNet-Lite0's maps, the last that a block adds up.
LITE0_MAPS = ("block2", "block4", "block7", "block10", "block14")
LITE0_SIDE = 96


def features_of(name: str | Callable) -> Callable:
    """A function from images to their features.

    - "pixels": an image and its halvings, each weighed by its pixels, so that the
      distance is the sum of their mean squared differences. It needs no weights
      and favours no kind of picture.
    - "lite0": maps of EfficientNet-Lite0 at five sizes, each pixel's channels of
      length 1, as LPIPS has them but without weights that were learned from
      people. It needs the extra "metrics". Images are enlarged to 96 pixels.

    Args:
        name: "pixels", "lite0", or a function or `keras.Model` from float32 images
            `[n, height, width, channels]` in [-1, 1] to features `[n, ...]`, or to
            a list of such.

    Returns:
        A differentiable function from images to float32 `[n, d]`: the distance of
        two images is the sum of squares of the difference.

    Raises:
        ValueError: it is something else.

    Example:

    ```python
    from keras_gans.inference.latent.features import features_of

    features_of("pixels")(np.zeros((2, 16, 16, 3), "float32")).shape  # (2, 1008)
    ```

    Reference:
        https://arxiv.org/abs/1801.03924, section 3.1
    """
    if name == "pixels":
        return _pixels
    if name == "lite0":
        return _lite0()
    if isinstance(name, str) or not callable(name):
        raise ValueError(
            f"`features` are {' or '.join(map(repr, NAMES))}, a function or a Keras "
            f"model. Received: {name!r}.{hint(name, NAMES)}"
        )

    def features(images):
        outputs = name(images)
        return _joined(outputs if isinstance(outputs, (list, tuple)) else [outputs])

    return features


def distances(a: Tensor, b: Tensor) -> Tensor:
    """The sum of squared differences of each row: `[n]`."""
    return ops.sum(ops.square(a - b), axis=1)


def _joined(maps: Sequence[Tensor]) -> Tensor:
    flat = [
        ops.reshape(ops.cast(x, "float32"), (-1, math.prod(x.shape[1:]))) for x in maps
    ]
    return flat[0] if len(flat) == 1 else ops.concatenate(flat, axis=1)


def halved(x: Tensor) -> Tensor:
    """Means of 2 x 2 pixels."""
    return ops.average_pool(x, 2, 2, data_format="channels_last")


def _pixels(images):
    x, maps = images, []
    while True:
        maps.append(x * math.prod(x.shape[1:]) ** -0.5)
        if min(x.shape[1:3]) < 2 * LEAST:
            return _joined(maps)
        x = halved(x)


def _rgb(images):
    images = pictures.on_white(images)
    return ops.repeat(images, 3, axis=-1) if images.shape[-1] == 1 else images


def _lite0():
    whole = convert.from_state(convert.read(weights_file()), "efficientnet_lite0")
    maps = [whole.get_layer(name).output for name in LITE0_MAPS]
    network = keras.Model(whole.input, maps)

    def features(images):
        x = (_rgb(images) + 1) * 127.5
        sides = x.shape[1:3]
        if min(sides) < LITE0_SIDE:
            sides = [round(side * LITE0_SIDE / min(sides)) for side in sides]
            x = ops.image.resize(
                x, sides, interpolation="bilinear", data_format="channels_last"
            )
        normalized = []
        for y in network(x, training=False):
            y = y * ops.rsqrt(ops.sum(ops.square(y), axis=-1, keepdims=True) + 1e-8)
            normalized.append(y * math.prod(y.shape[1:3]) ** -0.5)
        return _joined(normalized)

    return features


def box_reduced(images: np.ndarray, side: int) -> np.ndarray:
    """Images whose shorter side is at most `side`, by means of whole boxes."""
    factor = min(images.shape[1:3]) // side
    if factor < 2:
        return images
    n, height, width, channels = images.shape
    height, width = height // factor, width // factor
    images = images[:, : height * factor, : width * factor]
    boxes = images.reshape(n, height, factor, width, factor, channels)
    return boxes.mean(axis=(2, 4))
