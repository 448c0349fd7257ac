"""Padding by reflection, and cropping, of any size, by operations of Keras.

All of them take Keras tensors, so that a network is saved as Keras's own
operations, and arrays as well.
"""

from typing import Any

from keras import layers, ops
import numpy as np

from keras_gans.engine.keras_internals import flatten_layers
from keras_gans.networks.sizes import cut
from keras_gans.utils.validation import check_size, is_int

AXES = (1, 2)  # height and width of [n, height, width, channels]
PADDED = "pad_to_multiple_of_"  # of the name of a layer


def reflected(x: Any, padding: int | tuple) -> Any:
    """`x` padded by its mirror image, in which the edge is not repeated.

    Padding that reaches the other edge turns there again: [a, b, c] goes on as
    b, a, b, c, b, a. A single pixel is repeated.

    Args:
        x: `[n, height, width, channels]`. Where height or width is unknown,
            both must turn out to be larger than their padding.
        padding: int, pixels on each side; or
            `((top, bottom), (left, right))`, ints.

    Raises:
        ValueError: `padding` is something else, or negative.

    Example:

    ```python
    from keras_gans.networks.padding import reflected

    x = np.arange(3.0).reshape(1, 3, 1, 1)
    np.ravel(reflected(x, ((1, 4), (0, 0))))  # 1, 0, 1, 2, 1, 0, 1, 2
    ```
    """
    pairs = _pairs(padding)
    sides = x.shape[1:3]
    if None in sides or all(
        max(pair) < side for side, pair in zip(sides, pairs, strict=True)
    ):
        return ops.pad(x, [(0, 0), *pairs, (0, 0)], mode="reflect")
    for axis, side, (before, after) in zip(AXES, sides, pairs, strict=True):
        places = np.arange(-before, side + after, dtype="int32")
        # There and back is one period; of one pixel it is that pixel.
        period = max(2 * (side - 1), 1)
        places = (side - 1) - np.abs(np.mod(places, period) - (side - 1))
        x = ops.take(x, places, axis=axis)
    return x


def padded(images: Any, multiple: int, blocks: int = 1) -> Any:
    """`images` reflected to a multiple of so many pixels, where they are not.

    Half of the padding goes to either side; `cropped` takes it away.

    Args:
        images: Keras tensor `[n, height, width, channels]`; height and width
            may be unknown.
        multiple: int.
        blocks: int, so many times `multiple` pixels at least.

    Raises:
        ValueError: `multiple` is no positive int.
    """
    check_size("multiple", multiple)
    sides = images.shape[1:3]
    least = multiple * blocks
    if all(s and s >= least and s % multiple == 0 for s in sides):
        return images
    # It casts to the type of the policy, and its name tells `multiple_of`.
    x = layers.Identity(name=f"{PADDED}{multiple}")(images)
    if None not in sides:
        extra = [max(-(-s // multiple) * multiple, least) - s for s in sides]
        return reflected(x, tuple((e // 2, e - e // 2) for e in extra))
    first = np.arange(blocks, dtype="int32")
    within = np.arange(multiple, dtype="int32")
    for axis in AXES:
        # As many blocks as begin within the image.
        block = ops.cumsum(_ones(x, axis, multiple)) - 1
        block = ops.concatenate([first, block[(slice(blocks, None),)]])
        places = ops.reshape(block[:, None] * multiple + within, (-1,))
        side = ops.sum(_ones(x, axis))
        before = (ops.sum(ops.ones_like(places)) - side) // 2
        # As in `reflected`.
        period = ops.maximum(2 * (side - 1), 1)
        places = ops.abs(ops.mod(places - before, period) - (side - 1))
        x = ops.take(x, (side - 1) - places, axis=axis)
    return x


def multiple_of(network: Any) -> int:
    """What a network has its images `padded` to a multiple of."""
    names = [layer.name for layer in flatten_layers(network)]
    multiples = [n.removeprefix(PADDED) for n in names if n.startswith(PADDED)]
    return max((int(multiple) for multiple in multiples), default=1)


def cropped(x: Any, images: Any) -> Any:
    """`x` without what `padded` had added to `images`."""
    if None not in (*x.shape[1:3], *images.shape[1:3]):
        return cut(x, images.shape[1:])
    for axis in AXES:
        ones = _ones(images, axis)
        before = (ops.sum(_ones(x, axis)) - ops.sum(ones)) // 2
        x = ops.take(x, ops.cumsum(ones) - 1 + before, axis=axis)
    return x


def _ones(x, axis, step=1):
    """int32 ones, one for every so many pixels along an axis.

    Sizes that are unknown have no place in a graph of Keras; lengths have.
    """
    line = x[:1, ::step, 0, 0] if axis == 1 else x[:1, 0, ::step, 0]
    # A sum of zeros also where there is no image at all.
    return ops.cast(ops.sum(ops.zeros_like(line), axis=0), "int32") + 1


def _pairs(padding):
    """`padding` as ((top, bottom), (left, right))."""
    pairs = ((padding, padding),) * 2 if is_int(padding) else padding
    ok = (
        isinstance(pairs, (tuple, list))
        and len(pairs) == 2
        and all(isinstance(pair, (tuple, list)) for pair in pairs)
        and all(len(pair) == 2 for pair in pairs)
        and all(is_int(n) and n >= 0 for pair in pairs for n in pair)
    )
    if not ok:
        raise ValueError(
            "`padding` is an int or ((top, bottom), (left, right)), ints from "
            f"0 up. Received: padding={padding!r}."
        )
    return tuple(tuple(pair) for pair in pairs)
