"""Batch normalization over the whole batch, whatever its replicas."""

import keras
from keras import ops

from keras_gans.engine import gathered
from keras_gans.engine import kernels


@keras.saving.register_keras_serializable("keras_gans")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with the statistics of all replicas.

    Under a `tf.distribute` strategy each replica sees a part of the batch, and
    Keras's layer normalizes each part by itself: N replicas then train
    another model than one, and their moving statistics drift apart. Here mean
    and variance are those of the whole batch. On one replica, and on JAX,
    where arrays are whole, it computes what Keras's does, to rounding. It costs
    one exchange of `2 * channels * replicas` numbers a call, and one of
    gradients.

    Keras's own `synchronized=True` takes the variance from E[x^2] - E[x]^2,
    which cancels where the mean is large, and does not run on JAX.

    Args:
        **kwargs: arguments of `keras.layers.BatchNormalization`.

    Example:

    ```python
    norm = keras_gans.layers.BatchNormalization(momentum=0.9)
    y = norm(np.random.normal(size=(4, 8, 8, 3)), training=True)
    ```

    Reference:
        https://arxiv.org/abs/1502.03167, algorithm 1
    """

    def call(self, inputs, training=None, mask=None):
        fused = (
            training
            and self.trainable
            and mask is None
            and self.axis in (-1, 3)
            and self.center
            and self.scale
            and not self.renorm
            and kernels.fuses_batch_norm(inputs)
        )
        if not fused:
            return super().call(inputs, training=training, mask=mask)
        y, mean, variance = kernels.batch_norm(
            inputs, self.gamma, self.beta, self.epsilon
        )
        for moving, new in (
            (self.moving_mean, mean),
            (self.moving_variance, variance),
        ):
            kept = ops.cast(moving, "float32") * self.momentum
            moving.assign(kept + new * (1.0 - self.momentum))
        return ops.cast(y, self.compute_dtype)

    def _moments(self, inputs, mask):
        mean, variance = super()._moments(inputs, mask)
        parts = gathered(ops.stack([mean, variance]))
        if parts.shape[0] == 1:
            return mean, variance
        means, variances = parts[:, 0], parts[:, 1]
        mean = ops.mean(means, axis=0)
        # Of parts of one size: their variances and that of their means.
        variance = ops.mean(variances + ops.square(means - mean), axis=0)
        return mean, variance
