"""Sizes that doubling reaches, and those that it does not."""

import math

from keras import layers

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_shape

LEAST_SIDE, MOST_SIDE = 4, 7  # of the smallest map


def cut(x: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Crops maps that doubling made too large to (height, width, ...)."""
    extra = [x.shape[i + 1] - image_shape[i] for i in (0, 1)]
    if not any(extra):
        return x
    cropping = tuple((e // 2, e - e // 2) for e in extra)
    return layers.Cropping2D(cropping, name="cut")(x)


def doublings(image_shape: tuple[int, int, int]) -> int:
    """How often the smallest map is doubled: it has 4 to 7 pixels a side, or
    more along the longer one.

    Raises:
        ValueError: no doublings of such a map make `image_shape`.
    """
    sides = check_shape(image_shape)[:2]
    count = max(0, int(math.log2(min(sides) / LEAST_SIDE)))
    step = 2**count
    if min(sides) < LEAST_SIDE or any(side % step for side in sides):
        nearest = [
            sorted({max(LEAST_SIDE, n // step * step) for n in (side, side + step - 1)})
            for side in sides
        ]
        nearest = [" or ".join(map(str, sides)) for sides in nearest]
        raise ValueError(
            f"The size doubles from a shorter side of {LEAST_SIDE} to {MOST_SIDE} "
            f"pixels. Received: {sides[0]} x {sides[1]} pixels. Near it: a height "
            f"of {nearest[0]}, a width of {nearest[1]}."
        )
    return count
