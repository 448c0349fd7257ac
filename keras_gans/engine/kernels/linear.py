"""Linear functions of maps, and their transposes, on TensorFlow."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf


def zero_padded(
    x: Any, taps: int, stride: int, before: int, size: tuple[int, int]
) -> Any:
    """What `size` outputs of a convolution see of `x`, zeros included."""
    spans = [stride * (side - 1) + taps for side in size]
    x = x[:, : spans[0] - before, : spans[1] - before]
    below, right = (
        span - before - side for span, side in zip(spans, x.shape[1:3], strict=True)
    )
    return tf.pad(x, ((0, 0), (before, below), (before, right), (0, 0)))


def compiled(fn: Callable) -> Callable:
    """By XLA, for each shape: one pass, where TensorFlow makes one of every sum.

    That takes some hundredths of a second for each array that `fn` returns, unless
    it stacks them.
    """
    return tf.function(fn, jit_compile=True, autograph=False)


def linear_pair(forward: Callable, backward: Callable) -> tuple[Callable, Callable]:
    """A linear function and its transpose, each the other's gradient."""

    @tf.custom_gradient
    def there(*inputs):
        return forward(*inputs), lambda *cotangents: back(*cotangents)

    @tf.custom_gradient
    def back(*cotangents):
        return backward(*cotangents), lambda *inputs: there(*inputs)

    return there, back
