"""Losses between predicted frames and those that came."""

from keras import ops

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_number, within


def frame_distance(real: Tensor, fake: Tensor, p: float = 2) -> Tensor:
    """E over rows of the sum of |real - fake|^p over pixels and channels.

    Args:
        real: frames `[n, height, width, channels]`.
        fake: frames of the same shape.
        p: float of 1 or more; 2 in the paper's predictions of real videos.

    Returns:
        A scalar of 0 or more.

    Raises:
        ValueError: `p` is out of its range.

    Example:

    ```python
    x = keras.ops.ones((2, 4, 4, 3))
    keras_gans.losses.frame_distance(x, -x)  # 2^2 * 4 * 4 * 3 = 192
    ```

    Reference:
        https://arxiv.org/abs/1511.05440, equation 5
    """
    within("p", p, is_number(p) and 1 <= p < float("inf"), "[1, inf)")
    return _summed(ops.abs(real - fake), p)


def gradient_difference(real: Tensor, fake: Tensor, alpha: float = 1) -> Tensor:
    """E over rows of how far the steps between neighbouring pixels differ.

    The sum of ||real[i+1] - real[i]| - |fake[i+1] - fake[i]||^alpha down the
    height and across the width, over all pixels and channels. It keeps edges
    sharp, which `frame_distance` alone blurs. Beyond the last row and column
    lies black, 0, as in the code that is compared with.

    Args:
        real: frames `[n, height, width, channels]`.
        fake: frames of the same shape.
        alpha: float of 1 or more.

    Returns:
        A scalar of 0 or more.

    Raises:
        ValueError: `alpha` is out of its range.

    Example:

    ```python
    x = keras.ops.ones((2, 4, 4, 3))
    keras_gans.losses.gradient_difference(x, 0 * x)  # of the borders: 24
    ```

    Reference:
        https://arxiv.org/abs/1511.05440, equation 6
    """
    ok = is_number(alpha) and 1 <= alpha < float("inf")
    within("alpha", alpha, ok, "[1, inf)")
    return sum(
        _summed(ops.abs(_steps(real, axis) - _steps(fake, axis)), alpha)
        for axis in (1, 2)
    )


def _steps(frames, axis):
    """|next - this| along an axis, with zeros after the last."""
    after = [(0, 0)] * 4
    after[axis] = (0, 1)
    _, following = ops.split(ops.pad(frames, after), [1], axis)
    return ops.abs(following - frames)


def _summed(gaps, power):
    if power != 1:
        gaps = ops.square(gaps) if power == 2 else ops.power(gaps, power)
    return ops.mean(ops.sum(gaps, axis=(1, 2, 3)))
