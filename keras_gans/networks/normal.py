"""How DCGAN's networks start, and those after it: normal weights, batch norm.

As https://arxiv.org/abs/1511.06434, section 4, has it, with PyTorch's norm.
"""

import keras
from keras import layers

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size


def conv_init() -> keras.initializers.Initializer:
    """N(0, 0.02), of every kernel."""
    return keras.initializers.RandomNormal(0.0, 0.02)


def batch_norm(name: str) -> keras.layers.Layer:
    """Batch norm whose gains start from N(1, 0.02)."""
    # PyTorch's momentum 0.1 is Keras's 0.9.
    return layers.BatchNormalization(
        momentum=0.9,
        epsilon=1e-5,
        gamma_initializer=keras.initializers.RandomNormal(1.0, 0.02),
        name=name,
    )


def conditional_batch_norm(
    x: Tensor,
    label: Tensor,
    num_classes: int,
    name: str,
    momentum: float = 0.9,
    epsilon: float = 1e-5,
) -> Tensor:
    """Batch norm with a scale gamma and a shift beta for each class.

    Gamma starts from N(1, 0.02), beta from 0.

    Args:
        x: Keras tensor `[n, ..., channels]`.
        label: Keras tensor, int `[n]` in [0, num_classes).
        num_classes: int.
        name: str, of the batch norm; those of the tables of gamma and beta
            begin with it.
        momentum: float in [0, 1), of the moving mean and variance.
        epsilon: float above 0, added to the variance.

    Raises:
        ValueError: `num_classes` is no positive int, or `label` has not one
            class a row.

    Reference:
        https://arxiv.org/abs/1610.07629, equation 5;
        https://arxiv.org/abs/1802.05637
    """
    check_size("num_classes", num_classes)
    if len(label.shape) != 1:
        raise ValueError(
            "Conditional batch norm takes x [n, ..., channels] and labels [n]. "
            f"Received: shapes {tuple(x.shape)} and {tuple(label.shape)}."
        )
    norm = layers.BatchNormalization(
        momentum=momentum, epsilon=epsilon, center=False, scale=False, name=name
    )
    channels = x.shape[-1]

    def of_class(initializer, suffix):
        table = layers.Embedding(
            num_classes,
            channels,
            embeddings_initializer=initializer,
            name=f"{name}_{suffix}",
        )
        spread = (*[1] * (len(x.shape) - 2), channels)
        map_name = f"{name}_{suffix}_map"
        return layers.Reshape(spread, name=map_name)(table(label))

    gamma = of_class(keras.initializers.RandomNormal(1.0, 0.02), "gamma")
    beta = of_class("zeros", "beta")
    x = layers.Multiply(name=f"{name}_scaled")([gamma, norm(x)])
    return layers.Add(name=f"{name}_shifted")([x, beta])
