"""RelGAN's networks: a relational memory that writes, and readers of many views."""

from collections.abc import Sequence

import keras
from keras import layers, ops

from keras_gans.layers import TokenWriter
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_int, is_number, within

EPSILON = 1e-10  # within both logarithms of Gumbel noise
WIDTHS = (2, 3, 4, 5)  # tokens that a convolution sees
HIDDEN = 100


def gumbel(u: Tensor) -> Tensor:
    """Standard Gumbel noise of uniform noise in (0, 1).

    Reference:
        https://arxiv.org/abs/1611.01144
    """
    return -ops.log(-ops.log(u + EPSILON) + EPSILON)


def relgan_generator(
    length: int = 20,
    vocabulary: int = 5000,
    embedding_dim: int = 32,
    slots: int = 1,
    heads: int = 2,
    head_size: int = 256,
    *,
    start_token: int = 0,
    name: str = "generator",
) -> keras.Model:
    """RelGAN's generator.

    Args:
        length: int, tokens a sentence.
        vocabulary: int, how many tokens there are.
        embedding_dim: int, numbers that a token is read as.
        slots: int, rows of the memory.
        heads: int, of attention.
        head_size: int, numbers of a head.
        start_token: int, the token that is read before the first.
        name: str.

    Returns:
        `keras.Model` from `[noise, temperature]`, noise of U(0, 1)
        `[n, length * vocabulary]` and temperatures `[n]`, to logits divided by the
        temperature plus Gumbel noise, `[n, length, vocabulary]`. Its layer "writer"
        is a `layers.TokenWriter`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.relgan import relgan_generator

    generator = relgan_generator(4, 6, head_size=3)
    generator([np.full((2, 24), 0.5), np.ones(2)]).shape  # (2, 4, 6)
    ```

    Reference:
        https://openreview.net/forum?id=rJedV3R5tm, section 2
    """
    check_size("length", length)
    writer = TokenWriter(
        vocabulary, embedding_dim, slots, heads, head_size, start_token, name="writer"
    )
    # A half's logarithms would be too coarse.
    noise = keras.Input((length * vocabulary,), dtype="float32", name="z")
    temperature = keras.Input((), dtype="float32", name="temperature")
    drawn = layers.Reshape((length, vocabulary), dtype="float32")(noise)
    drawn = gumbel(drawn)
    # The largest of l / T + g is that of l + T g, of which the writer needs no T.
    times = layers.Reshape((1, 1), dtype="float32")(temperature)
    logits = writer(drawn * times)
    return keras.Model([noise, temperature], logits / times, name=name)


def relgan_discriminator(
    length: int = 20,
    vocabulary: int = 5000,
    embedding_dim: int = 64,
    representations: int = 64,
    filters: int = 300,
    *,
    widths: Sequence[int] = WIDTHS,
    dropout: float = 0.25,
    name: str = "discriminator",
) -> keras.Model:
    """RelGAN's discriminator, which reads a sentence in many ways.

    Args:
        length: int, tokens a sentence, at least the widest of `widths`.
        vocabulary: int, how many tokens there are.
        embedding_dim: int, numbers that a token is read as, shared out among the
            representations, which divide it.
        representations: int, ways that a sentence is read in.
        filters: int, of each width.
        widths: tuple of int, tokens that the convolutions see.
        dropout: float in [0, 1), the share of features left out in training.
        name: str.

    Returns:
        `keras.Model` from one-hot tokens or probabilities `[n, length,
        vocabulary]` to logits `[n, representations]`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.relgan import relgan_discriminator

    discriminator = relgan_discriminator(5, 6, 4, 2, filters=3)
    discriminator(np.zeros((2, 5, 6))).shape  # (2, 2)
    ```

    Reference:
        https://openreview.net/forum?id=rJedV3R5tm, section 2.3
    """
    for key, value in {
        "length": length,
        "vocabulary": vocabulary,
        "embedding_dim": embedding_dim,
        "representations": representations,
        "filters": filters,
    }.items():
        check_size(key, value)
    ok = is_number(dropout) and 0 <= dropout < 1
    within("dropout", dropout, ok, "[0, 1)")
    ok = isinstance(widths, (tuple, list)) and widths
    if not ok or not all(is_int(k) and 0 < k <= length for k in widths):
        raise ValueError(
            "`widths` is a tuple of ints of 1 to the length of sentences. Received: "
            f"widths={widths!r}, length={length}. Use longer sentences, or narrower "
            "convolutions."
        )
    if embedding_dim % representations:
        raise ValueError(
            "The numbers of a token are shared out among the representations. "
            f"Received: embedding_dim={embedding_dim}, representations="
            f"{representations}. Choose a multiple."
        )
    each = embedding_dim // representations
    tokens = keras.Input((length, vocabulary), name="tokens")
    start = _normal(vocabulary)
    x = layers.Dense(
        embedding_dim, use_bias=False, kernel_initializer=start, name="embed"
    )(tokens)
    x = layers.Reshape((length, embedding_dim, 1))(x)
    pooled = []
    for k in widths:
        conv = layers.Conv2D(
            filters,
            (k, each),
            strides=(1, each),
            activation="relu",
            kernel_initializer=_normal(k * each),
            name=f"conv_{k}",
        )
        pooled.append(ops.max(conv(x), axis=1))
    x = layers.Concatenate()(pooled) if len(pooled) > 1 else pooled[0]
    total = filters * len(widths)

    def dense(size, name, **kwargs):
        start = _normal(HIDDEN if name == "logits" else total)
        return layers.Dense(size, kernel_initializer=start, name=name, **kwargs)

    new = dense(total, "highway", activation="relu", use_bias=False)(x)
    gate = dense(total, "highway_gate", activation="sigmoid", use_bias=False)(x)
    x = gate * new + (1.0 - gate) * x
    if dropout:
        x = layers.Dropout(dropout, seed=0, name="dropout")(x)
    x = dense(HIDDEN, "fc")(x)
    x = dense(1, "logits", dtype="float32")(x)
    logits = layers.Reshape((representations,), dtype="float32")(x)
    return keras.Model(tokens, logits, name=name)


def _normal(fan_in):
    """Of variance 1 / fan in, cut at two deviations."""
    return keras.initializers.TruncatedNormal(stddev=fan_in**-0.5)
