"""Normal numbers brought into an interval about 0."""

import math

import keras
from keras import layers, ops

from keras_gans.utils.types import Tensor

NONE = 10.0  # from here on nothing is cut: no float32 of N(0, 1) is larger


@keras.saving.register_keras_serializable("keras_gans")
class TruncatedNormal(layers.Layer):
    """N(0, 1) made N(0, 1) within [-t, t]: `[z, t]` to a code like z.

    Each number keeps its place in the distribution,
    `sqrt(2) erfinv(erf(z / sqrt(2)) erf(t / sqrt(2)))`, so that one seed gives
    akin samples whatever t, and walks stay smooth. From t = 10 on z is left as
    it is.

    Args:
        **kwargs: arguments of `keras.layers.Layer`.

    Example:

    ```python
    layer = keras_gans.layers.TruncatedNormal()
    z = np.random.normal(size=(4, 8)).astype("float32")
    y = layer([z, np.full(4, 0.5, "float32")])  # within [-0.5, 0.5]
    ```

    Reference:
        https://arxiv.org/abs/1809.11096, section 3.1
    """

    def call(self, inputs: list[Tensor]) -> Tensor:
        z, t = (ops.cast(x, "float32") for x in inputs)
        t = ops.expand_dims(t, -1)
        root = math.sqrt(2)
        # Where erf is 1 in float32, erfinv is infinite: cut to t.
        y = root * ops.erfinv(ops.erf(z / root) * ops.erf(t / root))
        y = ops.maximum(ops.minimum(y, t), -t)
        return ops.where(t >= NONE, z, y)

    def compute_output_shape(self, input_shape: list) -> tuple:
        return tuple(input_shape[0])
