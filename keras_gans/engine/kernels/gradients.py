"""What is done with gradients: Adam's update, and their norms."""

import functools
from typing import Any

import keras
from keras import ops

from keras_gans.engine import keras_internals
from keras_gans.engine.kernels import choice

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf


def fuse_adam(optimizer: keras.optimizers.Optimizer) -> None:
    """Lets a Keras Adam update each variable by one kernel, where it can."""
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if type(inner) is not keras.optimizers.Adam or inner.amsgrad:
        return
    plain = functools.partial(keras.optimizers.Adam.update_step, inner)
    common = []  # what the variables of an update share, made by the first

    def apply(grads, trainable_variables=None):
        common.clear()
        type(inner).apply(inner, grads, trainable_variables)
        common.clear()

    def update_step(gradient, variable, learning_rate):
        sparse = isinstance(gradient, tf.IndexedSlices)
        wanted = choice.enabled("adam")
        if sparse or variable.dtype != tf.float32 or not wanted:
            plain(gradient, variable, learning_rate)
            return
        m, v = keras_internals.adam_moments(inner, variable)
        if not common:
            step = ops.cast(inner.iterations + 1, "float32")
            scalars = {
                "beta1_power": ops.power(inner.beta_1, step),
                "beta2_power": ops.power(inner.beta_2, step),
                "lr": ops.cast(learning_rate, "float32"),
                "beta1": inner.beta_1,
                "beta2": inner.beta_2,
                "epsilon": inner.epsilon,
            }
            common.append({k: tf.convert_to_tensor(x) for k, x in scalars.items()})
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=m.value.handle,
            v=v.value.handle,
            grad=ops.cast(gradient, "float32"),
            **common[0],
        )

    inner.apply = apply
    inner.update_step = update_step


def squared_norm(x: Any) -> Any:
    """The sum of squares of all numbers of `x`: float32."""
    if keras.backend.backend() == "tensorflow":
        # Those of embeddings come as rows, of which some stand twice.
        x = tf.convert_to_tensor(x)
    x = ops.cast(x, "float32")
    if not choice.enabled("norms"):
        return ops.sum(ops.square(x))
    return 2.0 * tf.nn.l2_loss(x)  # makes no array of squares
