"""CTGAN's networks: a residual generator of rows, a critic of packs of them."""

from collections.abc import Sequence

import keras
from keras import layers

from keras_gans.layers.spans import SpanActivation
from keras_gans.utils.validation import check_size, is_int

BODY = "logits"  # the part of a generator before its activation


def check_widths(name: str, widths: Sequence[int] | int) -> tuple[int, ...]:
    """Returns the widths of hidden layers as a tuple of positive ints.

    Raises:
        ValueError: they are something else.
    """
    units = (widths,) if is_int(widths) else widths
    ok = isinstance(units, (tuple, list)) and len(units) > 0
    if not ok or not all(is_int(w) and w > 0 for w in units):
        raise ValueError(
            f"`{name}` are positive ints, one for each hidden layer. Received: "
            f"{name}={widths!r}."
        )
    return tuple(int(w) for w in units)


def _dense(units, fan_in, name):
    """A dense layer that starts as PyTorch's."""
    bound = fan_in**-0.5
    return layers.Dense(
        units,
        kernel_initializer=keras.initializers.RandomUniform(-bound, bound),
        bias_initializer=keras.initializers.RandomUniform(-bound, bound),
        name=name,
    )


def ctgan_body(
    codes: int, width: int, widths: Sequence[int] = (256, 256)
) -> keras.Model:
    """The generator without its activation: codes and conditions to logits.

    Each hidden layer's output is joined to its input.

    Args:
        codes: int, numbers of a latent code and its condition.
        width: int, of a row.
        widths: ints, of the hidden layers.

    Returns:
        `keras.Model` from `[n, codes]` to `[n, width]`.

    Example:

    ```python
    keras_gans.networks.ctgan.ctgan_body(10, 5, (8,)).output_shape  # (None, 5)
    ```

    Reference:
        https://arxiv.org/abs/1907.00503, section 4.4
    """
    x = inputs = keras.Input((check_size("codes", codes),), name="codes")
    for i, units in enumerate(check_widths("widths", widths)):
        hidden = _dense(units, x.shape[-1], f"hidden_{i}")(x)
        # PyTorch's momentum 0.1 is Keras's 0.9.
        norm = layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"norm_{i}")
        hidden = layers.ReLU(name=f"relu_{i}")(norm(hidden))
        x = layers.Concatenate(name=f"joined_{i}")([hidden, x])
    logits = _dense(check_size("width", width), x.shape[-1], "output")(x)
    logits = layers.Activation("linear", dtype="float32", name="float32")(logits)
    return keras.Model(inputs, logits, name=BODY)


def ctgan_generator(
    width: int,
    spans: Sequence[tuple[int, int]],
    conditions: int = 0,
    latent_dim: int = 128,
    widths: Sequence[int] = (256, 256),
    temperature: float = 0.2,
    *,
    name: str = "generator",
) -> keras.Model:
    """A generator of the rows of a table.

    Args:
        width: int, of a row.
        spans: list of (start, width) of the row's one-hot parts.
        conditions: int, numbers of the condition; 0 takes none.
        latent_dim: int.
        widths: ints, of the hidden layers.
        temperature: float above 0, of the Gumbel-softmax.
        name: str.

    Returns:
        `keras.Model` from `[z, condition, gumbel]`, the last two where there are
        conditions and spans, to rows `[n, width]` in [-1, 1].

    Example:

    ```python
    from keras_gans.networks.ctgan import ctgan_generator

    ctgan_generator(3, [(1, 2)], 2, 4, (8,)).output_shape  # (None, 3)
    ```

    Reference:
        https://arxiv.org/abs/1907.00503, section 4.4
    """
    z = keras.Input((check_size("latent_dim", latent_dim),), name="z")
    inputs, codes = [z], z
    if conditions:
        condition = keras.Input((conditions,), name="condition")
        inputs.append(condition)
        codes = layers.Concatenate(name="codes")([z, condition])
    logits = ctgan_body(codes.shape[-1], width, widths)(codes)
    activate = SpanActivation(width, spans, temperature, dtype="float32", name="rows")
    if spans:
        hot = sum(size for _, size in spans)
        gumbel = keras.Input((hot,), name="gumbel")
        inputs.append(gumbel)
        rows = activate([logits, gumbel])
    else:
        rows = activate(logits)
    return keras.Model(inputs, rows, name=name)


def ctgan_discriminator(
    shape: tuple[int],
    widths: Sequence[int] = (256, 256),
    dropout: float = 0.5,
    *,
    name: str = "discriminator",
) -> keras.Model:
    """A critic of packs of rows, each with its condition.

    Args:
        shape: tuple (numbers of a pack,).
        widths: ints, of the hidden layers.
        dropout: float in [0, 1), after each of them.
        name: str.

    Returns:
        `keras.Model` from `[n, *shape]` to logits `[n, 1]`.

    Example:

    ```python
    from keras_gans.networks.ctgan import ctgan_discriminator

    ctgan_discriminator((50,), (8,)).output_shape  # (None, 1)
    ```

    Reference:
        https://arxiv.org/abs/1907.00503, section 4.4
    """
    x = inputs = keras.Input(shape, name="packs")
    for i, units in enumerate(check_widths("widths", widths)):
        x = _dense(units, x.shape[-1], f"hidden_{i}")(x)
        x = layers.LeakyReLU(0.2, name=f"relu_{i}")(x)
        x = layers.Dropout(dropout, name=f"dropout_{i}")(x)
    x = _dense(1, x.shape[-1], "output")(x)
    logits = layers.Activation("linear", dtype="float32", name="logits")(x)
    return keras.Model(inputs, logits, name=name)
