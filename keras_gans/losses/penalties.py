"""Penalties on the gradient norm of a critic: functions of (critic, x).

`critic` is a function from inputs `[n, ...]` to outputs of any shape whose
first axis is the batch; C(x) is the sum of a row's outputs. Where it sees
packs of m neighbouring rows, a pack is one x.
"""

from collections.abc import Callable

from keras import ops

from keras_gans.engine import input_gradient
from keras_gans.utils.types import Tensor


def squared_gradient_norms(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """||grad C(x)||^2 of each x: float32 `[rows of the output]`.

    Args:
        critic: function of inputs, see above.
        x: float tensor `[n, ...]`.

    Returns:
        float32 `[rows of the output]`, of 0 or more.

    Example:

    ```python
    x = keras.ops.ones((4, 9))
    keras_gans.losses.squared_gradient_norms(lambda x: 2 * x, x)  # 4 times 36
    ```

    Reference:
        https://arxiv.org/abs/1801.04406, the norm in equation 9
    """
    return outputs_and_squares(critic, x)[1]


def outputs_and_squares(
    critic: Callable[[Tensor], Tensor], x: Tensor
) -> tuple[Tensor, Tensor]:
    """What the critic says of x, and `squared_gradient_norms`."""
    outputs, gradient = input_gradient(critic, x)
    rows = ops.reshape(gradient, (ops.shape(outputs)[0], -1))
    return outputs, ops.sum(ops.square(ops.cast(rows, "float32")), axis=-1)


def gradient_penalty(
    critic: Callable[[Tensor], Tensor],
    x: Tensor,
    target: float = 1.0,
    axis: int | None = None,
) -> Tensor:
    """E[(||grad C(x)|| - target)^2].

    Its gradient is finite, and 0, where the gradient norm is 0.

    Args:
        critic: function of inputs, see above.
        x: float tensor `[n, ...]`, for WGAN-GP between reals and fakes.
        target: float, the gradient norm wanted.
        axis: int, of x, along which alone norms are taken, each then drawn to
            `target`: what some code does by mistake. `None`, as published, takes
            one norm over all of x.

    Returns:
        A float32 scalar of 0 or more.

    Example:

    ```python
    x = keras.ops.ones((4, 9))
    keras_gans.losses.gradient_penalty(lambda x: 2 * x, x)  # (6 - 1)^2
    ```

    Reference:
        https://arxiv.org/abs/1704.00028, equation 3.
    """
    if axis is None:
        squares = squared_gradient_norms(critic, x)
    else:
        _, gradient = input_gradient(critic, x)
        squares = ops.sum(ops.square(ops.cast(gradient, "float32")), axis=axis)
    # sqrt has no finite derivative at 0: it never sees one, even unchosen.
    positive = squares > 0
    safe = ops.where(positive, squares, 1.0)
    norms = ops.where(positive, ops.sqrt(safe), 0.0)
    return ops.mean(ops.square(norms - target))


def zero_centred_penalty(critic: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """E[||grad C(x)||^2] / 2: R1 for reals x, R2 for fakes x.

    Args:
        critic: function of inputs, see above.
        x: float tensor `[n, ...]`.

    Returns:
        A float32 scalar of 0 or more.

    Example:

    ```python
    x = keras.ops.ones((4, 9))
    keras_gans.losses.zero_centred_penalty(lambda x: 2 * x, x)  # 18
    ```

    Reference:
        https://arxiv.org/abs/1801.04406, equations 9 and 10, without gamma.
    """
    return ops.mean(squared_gradient_norms(critic, x)) / 2.0


def off_diagonal_products(kernel: Tensor) -> Tensor:
    """||W W^T * (1 - I)||^2, of a kernel as a matrix of a row for each output.

    Its norms are left free: only the angles between filters count.

    Args:
        kernel: float tensor `[..., outputs]`.

    Returns:
        A float32 scalar of 0 or more.

    Example:

    ```python
    keras_gans.losses.off_diagonal_products(keras.ops.eye(3))  # 0
    ```

    Reference:
        https://arxiv.org/abs/1809.11096, equation 3
    """
    outputs = kernel.shape[-1]
    columns = ops.reshape(ops.cast(kernel, "float32"), (-1, outputs))
    if columns.shape[0] < outputs:
        # ||W W^T|| = ||W^T W||, which is smaller: of BigGAN's first matrix at 128
        # pixels, 20 x 20 in place of 24,576 x 24,576.
        products = ops.matmul(columns, ops.transpose(columns))
        norms = ops.sum(ops.square(columns), axis=0)
        return ops.sum(ops.square(products)) - ops.sum(ops.square(norms))
    products = ops.matmul(ops.transpose(columns), columns)
    return ops.sum(ops.square(products * (1.0 - ops.eye(outputs))))
