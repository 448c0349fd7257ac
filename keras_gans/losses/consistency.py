"""Regularizers of logits: what keeps a discriminator from learning by heart."""

from keras import ops

from keras_gans.utils.types import Tensor


def consistency(logits: Tensor, moved: Tensor) -> Tensor:
    """E[||D(x) - D(T(x))||^2], of images x and of the same ones augmented.

    Args:
        logits: float tensor `[n, ...]`, D(x).
        moved: float tensor of the same shape, D(T(x)).

    Returns:
        A scalar of 0 or more.

    Example:

    ```python
    keras_gans.losses.consistency(keras.ops.ones((4, 1)), keras.ops.zeros((4, 1)))
    ```

    Reference:
        https://arxiv.org/abs/1910.12027, equation 4; of fakes as well
        https://arxiv.org/abs/2002.04724, algorithm 1
    """
    return ops.mean(ops.square(logits - moved))


def lecam(real: Tensor, fake: Tensor, mean_real: Tensor, mean_fake: Tensor) -> Tensor:
    """E[||D(x) - a_F||^2] + E[||D(G(z)) - a_R||^2].

    Args:
        real: logits of reals.
        fake: logits of fakes.
        mean_real: scalar, a_R, the running mean of logits of reals.
        mean_fake: scalar, a_F, that of fakes.

    Returns:
        A scalar of 0 or more.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.lecam(x, -x, 1.0, -1.0)  # 8.0
    ```

    Reference:
        https://arxiv.org/abs/2104.03310, equation 6
    """
    return ops.mean(ops.square(real - mean_fake)) + ops.mean(
        ops.square(fake - mean_real)
    )


def top_k_g(logits: Tensor, share: float | Tensor) -> Tensor:
    """-E[D(G(z))] of the fakes of the highest logits.

    Args:
        logits: `[n, ...]`; a row counts by its mean.
        share: scalar in (0, 1], how much of the n; rounded up.

    Returns:
        A scalar.

    Example:

    ```python
    keras_gans.losses.top_k_g(keras.ops.array([[1.0], [3.0]]), 0.5)  # -3.0
    ```

    Reference:
        https://arxiv.org/abs/2002.06224, algorithm 1
    """
    rows = ops.mean(ops.reshape(logits, (ops.shape(logits)[0], -1)), axis=-1)
    n = ops.cast(ops.shape(rows)[0], "float32")
    # Not above by rounding: 0.5 of 8 is 4.
    k = ops.ceil(share * n - 1e-4)
    places = ops.argsort(ops.argsort(-ops.stop_gradient(rows)))
    chosen = ops.cast(ops.cast(places, "float32") < k, rows.dtype)
    return -ops.sum(chosen * rows) / ops.sum(chosen)
