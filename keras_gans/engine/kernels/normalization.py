"""Batch norm in one pass, and over the whole batch of several replicas."""

from typing import Any

import keras
from keras import ops
import tensorflow as tf

from keras_gans.engine import keras_internals
from keras_gans.engine.kernels import choice
from keras_gans.engine.replicas import gathered


def synchronize(layer: keras.layers.BatchNormalization) -> None:
    """Lets a batch norm take the statistics of all replicas.

    Under a `tf.distribute` strategy each replica sees a part of the batch, and
    Keras's layer normalizes each part by itself: N replicas then train another
    model than one, and their moving statistics drift apart. On one replica it
    computes what it did. It costs one exchange of `2 * channels * replicas`
    numbers a call, and one of gradients.

    Keras's own `synchronized=True` takes the variance from E[x^2] - E[x]^2,
    which cancels where the mean is large.
    """
    keras_internals.bind_moments(layer, _of_whole_batch, moments)


def moments(x: Any, axes: tuple[int, ...]) -> tuple[Any, Any]:
    """The mean and the variance of a batch, axis after axis.

    TensorFlow adds up the pixels of all maps one after another: of two maps of
    512 x 512 its variance is off by a thousandth. Sums of sums are not.

    Args:
        x: `[n, ..., channels]`.
        axes: tuple of int, those that statistics are taken over.

    Returns:
        `(mean, variance)`, `[channels]`, of x's type.
    """
    kind = keras.backend.standardize_dtype(x.dtype)
    if kind != "float32":
        return ops.moments(x, axes=axes)
    mean = _mean(x, axes)
    spread = [1 if axis in axes else -1 for axis in range(len(x.shape))]
    centred = x - ops.reshape(mean, spread)
    return mean, _mean(ops.square(centred), axes)


def _mean(x, axes):
    for axis in sorted(axes, reverse=True):
        x = ops.mean(x, axis=axis)
    return x


def _of_whole_batch(mean, variance):
    parts = gathered(ops.stack([mean, variance]))
    if parts.shape[0] == 1:
        return mean, variance
    means, variances = parts[:, 0], parts[:, 1]
    mean = ops.mean(means, axis=0)
    # Of parts of one size: their variances and that of their means.
    variance = ops.mean(variances + ops.square(means - mean), axis=0)
    return mean, variance


def call(
    layer: keras.layers.BatchNormalization,
    inputs: Any,
    training: bool | None = None,
    mask: Any = None,
) -> Any:
    """`keras.layers.BatchNormalization`, fused where `choice` says so."""
    trains = training and layer.trainable
    fused = (
        (trains or choice.infers_batch_norm(inputs))
        and mask is None
        and layer.axis in (-1, 3)
        and layer.center
        and layer.scale
        and not layer.renorm
        and choice.fuses_batch_norm(inputs, trains)
    )
    if not fused:
        return type(layer).call(layer, inputs, training=training, mask=mask)
    if not trains:
        variables = (layer.gamma, layer.beta, layer.moving_mean, layer.moving_variance)
        return ops.cast(
            _by_moving(inputs, *variables, layer.epsilon), layer.compute_dtype
        )
    y, mean, variance = batch_norm(inputs, layer.gamma, layer.beta, layer.epsilon)
    for moving, new in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
        kept = ops.cast(moving, "float32") * layer.momentum
        moving.assign(kept + new * (1.0 - layer.momentum))
    return ops.cast(y, layer.compute_dtype)


def batch_norm(x: Any, gamma: Any, beta: Any, epsilon: float) -> tuple[Any, Any, Any]:
    """Normalizes images by their own statistics, in one pass.

    Args:
        x: `[n, height, width, channels]`, of `choice.FUSED_TYPES`.
        gamma: float32 `[channels]`.
        beta: float32 `[channels]`.
        epsilon: float.

    Returns:
        `(y, mean, variance)`: y like x, and the float32 moments of x.
    """
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=ops.cast(gamma, "float32"),
        offset=ops.cast(beta, "float32"),
        mean=tf.zeros((0,)),
        variance=tf.zeros((0,)),
        epsilon=epsilon,
    )
    # The kernel gives the unbiased one.
    n = ops.cast(ops.size(x) // x.shape[-1], "float32")
    return y, mean, variance * (n - 1) / n


def _by_moving(x, gamma, beta, mean, variance, epsilon):
    """Normalizes images by given statistics, in one pass and without casts."""
    gamma, beta, mean, variance = (
        ops.cast(v, "float32") for v in (gamma, beta, mean, variance)
    )
    return tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=gamma,
        offset=beta,
        mean=mean,
        variance=variance,
        epsilon=epsilon,
        is_training=False,
    )[0]
