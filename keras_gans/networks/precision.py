"""Which maps of a network are computed in half precision."""

import keras
from keras import ops

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_int, one_of, within


def precisions(
    count: int, half_blocks: int, half_dtype: str = "bfloat16"
) -> tuple[str | None, ...]:
    """The dtype policy of each map's layers, and at the end that of all others.

    Args:
        count: int, how many maps there are, the smallest first.
        half_blocks: int, how many of the largest are computed in half precision;
            0 leaves all to Keras's policy, which is `None`.
        half_dtype: "bfloat16" or "float16".

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.networks.precision import precisions

    precisions(3, 1)  # ("float32", "float32", "mixed_bfloat16", "float32")
    ```
    """
    ok = is_int(half_blocks) and 0 <= half_blocks <= count
    within("half_blocks", half_blocks, ok, f"0, 1, ..., {count}, the number of maps")
    one_of("half_dtype", half_dtype, ("bfloat16", "float16"))
    full = "float32" if half_blocks else None
    halves = [f"mixed_{half_dtype}"] * half_blocks
    return (*[full] * (count - half_blocks), *halves, full)


def cast_to(x: Tensor, policy: str | None) -> Tensor:
    """`x` as layers of a policy compute, where that is said."""
    if policy is None:
        return x
    return ops.cast(x, keras.dtype_policies.get(policy).compute_dtype)
