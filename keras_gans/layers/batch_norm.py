"""Batch normalization over the whole batch, whatever its replicas."""

import keras
from keras import ops

from keras_gans.engine import gathered


@keras.saving.register_keras_serializable("keras_gans")
class BatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization` with the statistics of all replicas.

    Under a `tf.distribute` strategy each replica sees a part of the batch, and
    Keras's layer normalizes each part by itself: N replicas then train
    another model than one, and their moving statistics drift apart. Here mean
    and variance are those of the whole batch. On one replica, and on JAX,
    where arrays are whole, nothing differs. It costs one exchange of
    `2 * channels` numbers a call, and one of gradients.

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
