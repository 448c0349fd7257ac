"""The networks of WGAN-GP's language model: residual convolutions in time."""

import keras
from keras import layers

from keras_gans.utils.validation import check_size

KERNEL, BLOCKS, SHARE = 5, 5, 0.3


def language_generator(
    length: int = 32,
    vocabulary: int = 100,
    latent_dim: int = 128,
    dim: int = 512,
    *,
    blocks: int = BLOCKS,
    name: str = "generator",
) -> keras.Model:
    """The generator: all letters of a sentence at once.

    Args:
        length: int, tokens a sentence.
        vocabulary: int, how many tokens there are.
        latent_dim: int.
        dim: int, channels of the hidden maps.
        blocks: int, residual blocks.
        name: str.

    Returns:
        `keras.Model` from `[n, latent_dim]` to probabilities `[n, length,
        vocabulary]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.language import language_generator

    language_generator(8, 6, 4, 3)(np.zeros((2, 4))).shape  # (2, 8, 6)
    ```

    Reference:
        https://arxiv.org/abs/1704.00028, section 5.4
    """
    _check(length, vocabulary, dim, blocks)
    check_size("latent_dim", latent_dim)
    z = keras.Input((latent_dim,), name="z")
    x = layers.Dense(length * dim, name="input")(z)
    x = layers.Reshape((length, dim))(x)
    x = _residuals(x, dim, blocks)
    x = layers.Conv1D(vocabulary, 1, kernel_initializer=_he(), name="output")(x)
    tokens = layers.Softmax(dtype="float32", name="tokens")(x)
    return keras.Model(z, tokens, name=name)


def language_discriminator(
    length: int = 32,
    vocabulary: int = 100,
    dim: int = 512,
    *,
    blocks: int = BLOCKS,
    name: str = "discriminator",
) -> keras.Model:
    """The critic of sentences, the generator's mirror image.

    Args:
        length: int, tokens a sentence.
        vocabulary: int, how many tokens there are.
        dim: int, channels of the hidden maps.
        blocks: int, residual blocks.
        name: str.

    Returns:
        `keras.Model` from one-hot tokens or probabilities `[n, length,
        vocabulary]` to logits `[n, 1]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.language import language_discriminator

    language_discriminator(8, 6, 3)(np.zeros((2, 8, 6))).shape  # (2, 1)
    ```

    Reference:
        https://arxiv.org/abs/1704.00028, section 5.4
    """
    _check(length, vocabulary, dim, blocks)
    tokens = keras.Input((length, vocabulary), name="tokens")
    x = layers.Conv1D(dim, 1, kernel_initializer=_he(), name="input")(tokens)
    x = _residuals(x, dim, blocks)
    x = layers.Flatten()(x)
    logits = layers.Dense(1, dtype="float32", name="output")(x)
    return keras.Model(tokens, logits, name=name)


def _check(length, vocabulary, dim, blocks):
    for key, value in {
        "length": length,
        "vocabulary": vocabulary,
        "dim": dim,
        "blocks": blocks,
    }.items():
        check_size(key, value)


def _residuals(x, dim, blocks):
    """x + 0.3 of two convolutions of its positive part."""
    for i in range(blocks):
        h = x
        for k in range(2):
            conv = layers.Conv1D(
                dim,
                KERNEL,
                padding="same",
                kernel_initializer=_he(),
                name=f"block_{i}_conv_{k}",
            )
            h = conv(layers.ReLU()(h))
        x = x + SHARE * h
    return x


def _he():
    """The variance 4 / (fan in + fan out), uniform."""
    return keras.initializers.VarianceScaling(2.0, "fan_avg", "uniform")
