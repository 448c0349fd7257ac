"""Text made by TensorFlow operations alone, within an exported model."""

from keras_gans.utils.types import Tensor

DIGITS = 9  # with which a float32 is read back as it was
DAY = 86400  # seconds
# The calendar repeats after 400 years. They are counted from a first of March, so
# that a leap day is the last of its year.
ERA, FOUR_YEARS, CENTURY, YEAR = 146097, 1461, 36524, 365
FIRST_OF_MARCH_0000 = -719468  # in days since 1970
FIVE_MONTHS = 153  # days of five months, from March or August on


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


def day(days: Tensor) -> Tensor:
    """The dates of days since 1970, as ISO 8601 has them: "2019-07-01".

    Args:
        days: int64 tensor.
    """
    import tensorflow as tf

    days = days - FIRST_OF_MARCH_0000
    era, of_era = days // ERA, days % ERA
    # Without the leap days before it, an era has years of one length.
    leap_days = of_era // (FOUR_YEARS - 1) - of_era // CENTURY + of_era // (ERA - 1)
    year = (of_era - leap_days) // YEAR
    of_year = of_era - (YEAR * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // FIVE_MONTHS
    of_month = of_year - (FIVE_MONTHS * month + 2) // 5
    year += 400 * era + tf.cast(month >= 10, tf.int64)  # January and February
    parts = [_padded(year, 4), _padded((month + 2) % 12 + 1), _padded(of_month + 1)]
    return tf.strings.join(parts, separator="-")


def time(seconds: Tensor) -> Tensor:
    """The moments of seconds since 1970: "2019-07-01 13:00:05".

    Args:
        seconds: int64 tensor.
    """
    import tensorflow as tf

    of_day = seconds % DAY
    parts = [_padded(x) for x in (of_day // 3600, of_day // 60 % 60, of_day % 60)]
    clock = tf.strings.join(parts, separator=":")
    return tf.strings.join([day(seconds // DAY), clock], separator=" ")


def _padded(numbers, width=2):
    import tensorflow as tf

    return tf.strings.as_string(numbers, width=width, fill="0")
