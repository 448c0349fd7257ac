"""How DCGAN's networks start, and those after it: normal weights, batch norm.

As https://arxiv.org/abs/1511.06434, section 4, has it, with PyTorch's norm.
"""

import keras

from keras_gans.layers.batch_norm import BatchNormalization


def conv_init():
    """N(0, 0.02), of every kernel."""
    return keras.initializers.RandomNormal(0.0, 0.02)


def batch_norm(name):
    """Batch norm whose gains start from N(1, 0.02)."""
    # PyTorch's momentum 0.1 is Keras's 0.9.
    return BatchNormalization(
        momentum=0.9,
        epsilon=1e-5,
        gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02),
        name=name,
    )
