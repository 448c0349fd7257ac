"""Batch normalization whose scale and shift depend on a class."""

import keras
from keras import layers
from keras import ops

from keras_gans.checks import check_size
from keras_gans.layers.batch_norm import BatchNormalization


@keras.saving.register_keras_serializable("keras_gans")
class ConditionalBatchNormalization(layers.Layer):
    """Batch normalization with a scale gamma and a shift beta for each class.

    Called on `[x, label]`: x float `[n, ..., channels]`, label int `[n]` in
    [0, num_classes).

    Args:
        num_classes: int.
        momentum: float in [0, 1), of the moving mean and variance.
        epsilon: float above 0, added to the variance.
        **kwargs: arguments of `keras.layers.Layer`.

    Raises:
        ValueError: `num_classes` is no positive int, or the layer is called on
            anything but `[x, label]`.

    Example:

    ```python
    norm = keras_gans.layers.ConditionalBatchNormalization(num_classes=10)
    x = np.random.normal(size=(4, 8, 8, 3)).astype("float32")
    y = norm([x, np.array([0, 1, 2, 9])], training=True)
    ```

    Reference:
        https://arxiv.org/abs/1610.07629, equation 5;
        https://arxiv.org/abs/1802.05637
    """

    def __init__(self, num_classes, momentum=0.9, epsilon=1e-5, **kwargs):
        check_size("num_classes", num_classes)
        super().__init__(**kwargs)
        self.num_classes = num_classes
        self.momentum = momentum
        self.epsilon = epsilon
        self.norm = BatchNormalization(
            momentum=momentum,
            epsilon=epsilon,
            center=False,
            scale=False,
            dtype=self.dtype_policy,
            name="norm",
        )

    def build(self, input_shape):
        if len(input_shape) != 2 or len(input_shape[1]) != 1:
            raise ValueError(
                "Conditional batch normalization is called on [x, label], of "
                "shapes [n, ..., channels] and [n]. Received: shapes "
                f"{input_shape}."
            )
        x_shape, _ = input_shape
        self.norm.build(x_shape)
        # One row a class: gamma, then beta.
        self.gamma_beta = self.add_weight(
            name="gamma_beta",
            shape=(self.num_classes, 2 * x_shape[-1]),
            initializer=_gamma_beta,
        )

    def call(self, inputs, training=False):
        x, label = inputs
        rows = ops.take(self.gamma_beta, ops.cast(label, "int32"), axis=0)
        spread = (-1, *[1] * (len(x.shape) - 2), x.shape[-1])
        gamma, beta = (
            ops.reshape(part, spread) for part in ops.split(rows, 2, axis=-1)
        )
        return gamma * self.norm(x, training=training) + beta

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
        }


def _gamma_beta(shape, dtype):
    """Gamma of N(1, 0.02), beta of 0."""
    half = (shape[0], shape[1] // 2)
    gamma = keras.initializers.RandomNormal(1.0, 0.02)(half, dtype=dtype)
    return ops.concatenate([gamma, ops.zeros(half, dtype=dtype)], axis=-1)
