"""Text made by TensorFlow operations alone, within an exported model."""

from keras_gans.utils.types import Tensor

DIGITS = 9  # with which a float32 is read back as it was


def number(values: Tensor) -> Tensor:
    """Each float32 as text that is read back exactly."""
    import tensorflow as tf

    return tf.strings.as_string(values, precision=DIGITS, shortest=True)


def csv(numbers: Tensor) -> Tensor:
    """Rows of numbers as the text of a CSV file without a head.

    Args:
        numbers: float32 tensor `[..., rows, columns]`.

    Returns:
        Strings `[...]`, of which each number is read back exactly.
    """
    import tensorflow as tf

    cells = number(tf.cast(numbers, tf.float32))
    rows = tf.strings.reduce_join(cells, axis=-1, separator=",")
    return tf.strings.reduce_join(tf.strings.join([rows, "\n"]), axis=-1)
