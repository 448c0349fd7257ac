"""Sizes that doubling does not reach."""

from keras import layers

from keras_gans.utils.types import Tensor


def cut(x: Tensor, image_shape: tuple[int, ...]) -> Tensor:
    """Crops maps that doubling made too large to (height, width, ...)."""
    extra = [x.shape[i + 1] - image_shape[i] for i in (0, 1)]
    if not any(extra):
        return x
    cropping = tuple((e // 2, e - e // 2) for e in extra)
    return layers.Cropping2D(cropping, name="cut")(x)
