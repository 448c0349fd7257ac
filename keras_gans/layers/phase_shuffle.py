"""Phase shuffle: feature maps in time, shifted by a few samples."""

import keras
from keras import ops

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size


@keras.saving.register_keras_serializable("keras_gans")
class PhaseShuffle(keras.layers.Layer):
    """Shifts each row of a feature map in time, and reflects at the ends.

    A discriminator that sees all phases alike cannot tell fakes by the phase of
    the artefacts of transposed convolutions.

    Args:
        most: int, the largest shift, to either side.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: list of maps float `[n, length, channels]`, longer than `most`,
            and shifts int32 `[n]` in [-most, most]: positive ones shift later.

    Raises:
        ValueError: `most` is no positive int.

    Example:

    ```python
    x = np.arange(5.0).reshape(1, 5, 1)
    keras_gans.layers.PhaseShuffle(2)([x, np.array([1])])  # 1, 0, 1, 2, 3
    ```

    Reference:
        https://arxiv.org/abs/1802.04208, section 3.3
    """

    def __init__(self, most: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.most = check_size("most", most)

    def call(self, inputs: list[Tensor]) -> Tensor:
        x, shifts = inputs
        length = x.shape[1]
        times = ops.abs(
            ops.arange(length, dtype="int32") - ops.cast(shifts, "int32")[:, None]
        )
        times = ops.minimum(times, 2 * (length - 1) - times)
        # Of all rows at once, which is as quick in its second derivative.
        starts = length * ops.arange(ops.shape(x)[0], dtype="int32")
        rows = ops.reshape(x, (-1, x.shape[-1]))
        return ops.take(rows, times + starts[:, None], axis=0)

    def compute_output_spec(self, inputs: list[keras.KerasTensor]) -> keras.KerasTensor:
        return keras.KerasTensor(inputs[0].shape, self.compute_dtype)

    def get_config(self) -> dict:
        return {**super().get_config(), "most": self.most}
