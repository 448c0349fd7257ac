"""Other implementations of Keras's layers, bound to them from outside.

A network is made of plain Keras layers, so that it loads with Keras alone.
`accelerate` gives those layers what they need in a GAN:

- On TensorFlow, convolutions, batch norm and rectifiers that are faster on CPUs
  in the steps of a GAN (`choice` says when), and batch norm over the whole
  batch where several replicas share it.
- On every backend, dropout masks that follow from the global row.

Each computes what Keras's layer does, to rounding, but for dropout's draws.
Optimizers get theirs from `fuse_adam`. The environment variable
KERAS_GANS_KERNELS is 0 for what is Keras's, or names what of `KERNELS` to take;
without it, convolutions take what was measured to be fastest (`measured`).
"""

import types

import keras

from keras_gans.engine import keras_internals
from keras_gans.engine.convolutions import Convolving
from keras_gans.engine.kernels import dropout
from keras_gans.engine.kernels.choice import KERNELS, enabled, scope
from keras_gans.engine.kernels.gradients import fuse_adam, squared_norm
from keras_gans.engine.kernels.measured import Choices
from keras_gans.engine.kernels.unbiased import unbias_moving_variance

__all__ = [
    "KERNELS",
    "Choices",
    "accelerate",
    "enabled",
    "fuse_adam",
    "scope",
    "squared_norm",
    "unbias_moving_variance",
]

# What a layer of exactly this type does when it is called.
_CALLS = {keras.layers.Dropout: dropout.call}
if keras.backend.backend() == "tensorflow":
    from keras_gans.engine.kernels import (
        convolution,
        normalization,
        rectifiers,
        sequences,
    )

    _CALLS |= {
        keras.layers.BatchNormalization: normalization.call,
        keras.layers.Conv1D: sequences.call,
        keras.layers.Conv2D: convolution.call,
        keras.layers.Conv2DTranspose: convolution.call_transposed,
        keras.layers.LeakyReLU: rectifiers.call_leaky_relu,
        keras.layers.ReLU: rectifiers.call_relu,
    }


def accelerate(network: keras.Layer) -> None:
    """Binds to each layer of a network the implementation that it needs.

    Layers in other layers are found too. Config, weights, names and files stay
    those of Keras: copies and loaded networks are plain. Subclasses of Keras's
    layers are left alone, as are layers that are bound already. Of layers that are
    `Convolving`, the convolution alone is bound.

    Args:
        network: `keras.Model` or any other layer.

    Example:

    ```python
    from keras_gans.engine import kernels

    network = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.ReLU()])
    kernels.accelerate(network)
    ```
    """
    for layer in keras_internals.flatten_layers(network):
        if isinstance(layer, Convolving) and keras.backend.backend() == "tensorflow":
            layer.convolve = types.MethodType(convolution.convolve_maps, layer)
            continue
        call = _CALLS.get(type(layer))
        if call is None or "call" in vars(layer):
            continue
        # As Keras does with `build`: an attribute of the instance is found
        # before the method of its class.
        layer.call = types.MethodType(call, layer)
        if type(layer) is keras.layers.BatchNormalization:
            normalization.synchronize(layer)
