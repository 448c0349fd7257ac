"""Losses between images and their targets: of pixels and of features."""

from collections.abc import Sequence

import keras
from keras import ops

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import one_of

DISTANCES = ("l1", "l2")


def distance(a: Tensor, b: Tensor, kind: str = "l1") -> Tensor:
    """E[|a - b|], or E[(a - b)^2], over all elements.

    Args:
        a: tensor.
        b: tensor of the same shape.
        kind: "l1" or "l2".

    Returns:
        A float32 scalar of 0 or more.

    Raises:
        ValueError: `kind` is neither.

    Example:

    ```python
    x = keras.ops.ones((2, 4, 4, 3))
    keras_gans.losses.distance(x, -x, "l2")  # 4.0
    ```
    """
    gaps = ops.cast(a, "float32") - ops.cast(b, "float32")
    one_of("kind", kind, DISTANCES)
    return ops.mean(ops.abs(gaps) if kind == "l1" else ops.square(gaps))


def perceptual(
    features: Tensor | Sequence[Tensor] | dict[str, Tensor],
    targets: Tensor | Sequence[Tensor] | dict[str, Tensor],
    kind: str = "l2",
) -> Tensor:
    """The distance of feature maps, added over the layers they are taken from.

    Args:
        features: maps `[n, height, width, channels]` of images, one tensor or
            those of several layers.
        targets: those of the targets, in the same structure.
        kind: "l1" (ESRGAN) or "l2" (SRGAN).

    Returns:
        A float32 scalar of 0 or more.

    Raises:
        ValueError: `kind` is neither, or one side has more maps.

    Example:

    ```python
    x = keras.ops.ones((2, 4, 4, 8))
    keras_gans.losses.perceptual([x, x], [x, -x])  # 4.0
    ```

    Reference:
        https://arxiv.org/abs/1609.04802, equation 5;
        https://arxiv.org/abs/1809.00219, section 3.3
    """
    pairs = zip(keras.tree.flatten(features), keras.tree.flatten(targets), strict=True)
    return sum(distance(a, b, kind) for a, b in pairs)
