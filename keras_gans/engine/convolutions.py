"""What layers of this package that convolve have in common."""

from typing import Any

import keras
from keras import ops


class Convolving(keras.layers.Layer):
    """A layer that calls `convolve`, which `kernels.accelerate` may bind anew."""

    def convolve(
        self, x: Any, kernel: Any, strides: int = 1, padding: str = "same"
    ) -> Any:
        """Maps of images.

        Args:
            x: float `[n, height, width, channels]`.
            kernel: `[k, k, channels, filters]`.
            strides: int.
            padding: "same" or "valid".

        Returns:
            `[n, height, width, filters]`
        """
        return ops.conv(
            x, kernel, strides=strides, padding=padding, data_format="channels_last"
        )
