"""Rectifiers that gradient penalties pass through once, on TensorFlow."""

from typing import Any

import keras
import tensorflow as tf

from keras_gans.engine.kernels import choice


def call_relu(layer: keras.layers.ReLU, inputs: Any) -> Any:
    """`keras.layers.ReLU`, `rectified` in the steps of a GAN."""
    plain = layer.max_value is not None or layer.threshold != 0
    if plain or not choice.rectifies():
        return type(layer).call(layer, inputs)
    return rectified(inputs, float(layer.negative_slope))


def call_leaky_relu(layer: keras.layers.LeakyReLU, inputs: Any) -> Any:
    """`keras.layers.LeakyReLU`, the same."""
    if not choice.rectifies():
        return type(layer).call(layer, inputs)
    return rectified(inputs, float(layer.negative_slope))


def rectified(x: Any, slope: float = 0.0) -> tf.Tensor:
    """`leaky_relu(x, slope)` whose derivative does not depend on `x`.

    It is constant but where x is 0. TensorFlow says so by a map of zeros, which
    a penalty sends back through all layers before; here the two are not
    connected: where nothing else connects them, `tape.gradient` of a gradient
    gives `None`.
    """

    @tf.custom_gradient
    def rectify(x):
        y = tf.nn.leaky_relu(x, slope) if slope else tf.nn.relu(x)

        def gradient(dy):
            signs = tf.stop_gradient(y)
            if slope:
                return tf.raw_ops.LeakyReluGrad(
                    gradients=dy, features=signs, alpha=slope
                )
            return tf.raw_ops.ReluGrad(gradients=dy, features=signs)

        return y, gradient

    return rectify(tf.convert_to_tensor(x))
