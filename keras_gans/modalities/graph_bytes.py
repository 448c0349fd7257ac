"""Bytes of files, made by TensorFlow operations alone, within an exported model."""

import functools

import numpy as np

from keras_gans.utils.types import Tensor

POLYNOMIAL = 0xEDB88320  # of PNG's checksum, its lowest bit first
LEVELS = 28  # a checksum is of at most 2**28 bytes


def raw(values: Tensor) -> Tensor:
    """The bytes of a tensor in the order of its values, the lowest byte first.

    TensorFlow writes them at the end of a serialized tensor.

    Args:
        values: tensor of numbers.

    Returns:
        String scalar.
    """
    import tensorflow as tf

    serialized = tf.io.serialize_tensor(values)
    count = tf.size(values) * values.dtype.size
    return tf.strings.substr(serialized, tf.strings.length(serialized) - count, count)


def big_endian(numbers: Tensor) -> Tensor:
    """Each number as four bytes, the highest first.

    Args:
        numbers: int32 or uint32 tensor `[n]`.

    Returns:
        Strings `[n]`.
    """
    import tensorflow as tf

    data = raw(tf.bitcast(numbers, tf.uint8)[:, ::-1])
    starts = 4 * tf.range(tf.shape(numbers)[0])
    return tf.strings.substr(data, starts, 4 * tf.ones_like(starts))


def crc32(data: Tensor) -> Tensor:
    """The remainders that CRC-32 begins with: from a register of 0, not inverted.

    The register after two parts is that of the first, moved past as many zeros as
    the second has bytes, XOR that of the second. So neighbours are joined, then
    their neighbours: a few operations, however long the data are.

    Args:
        data: strings `[n]`.

    Returns:
        uint32 tensor `[n]`.

    Reference:
        ISO 3309; W3C, Portable Network Graphics, annex D.
    """
    import tensorflow as tf

    lengths = tf.strings.length(data)
    longest = tf.reduce_max(tf.concat([lengths, [4]], axis=0))
    bits = tf.math.ceil(tf.math.log(tf.cast(longest, tf.float64)) / np.log(2))
    total = tf.bitwise.left_shift(1, tf.cast(bits, tf.int32))
    # Zeros in front leave a register of 0 as it is.
    zeros, missing = raw(tf.zeros([total], tf.uint8)), total - lengths
    front = tf.strings.substr(zeros, tf.zeros_like(missing), missing)
    words = tf.io.decode_raw(
        tf.strings.join([front, data]), tf.int32, fixed_length=total
    )
    tables = tf.constant(_tables())

    def unjoined(level, registers):
        return tf.shape(registers)[1] > 1

    def join(level, registers):
        moved = _moved(tables[level], registers[:, ::2])
        return level + 1, tf.bitwise.bitwise_xor(moved, registers[:, 1::2])

    # Four bytes are 2**2 zeros away from a register that begins with them.
    registers = _moved(tables[2], tf.bitcast(words, tf.uint32))
    sides = tf.TensorShape([]), tf.TensorShape([None, None])
    return tf.while_loop(unjoined, join, (2, registers), shape_invariants=sides)[1][
        :, 0
    ]


def _moved(table, registers):
    """Registers moved past zeros, by a table `[4, 256]` of their four bytes."""
    import tensorflow as tf

    each = tf.cast(tf.bitcast(registers, tf.uint8), tf.int32)  # the lowest first
    parts = [tf.gather(table[i], each[..., i]) for i in range(4)]
    return functools.reduce(tf.bitwise.bitwise_xor, parts)


def _tables():
    """Of each level, where 2**level zeros move the bytes of a register.

    Returns:
        uint32 array `[levels, 4, 256]`.
    """
    past = np.arange(256, dtype="uint32") << (8 * np.arange(4, dtype="uint32"))[:, None]
    for _ in range(8):  # bits of one byte of zeros
        past = np.where(past & 1, past >> 1 ^ np.uint32(POLYNOMIAL), past >> 1)
    tables = [past]
    while len(tables) < LEVELS:
        last = tables[-1]
        moved = [last[i][last >> np.uint32(8 * i) & 255] for i in range(4)]
        tables.append(np.bitwise_xor.reduce(moved))
    return np.stack(tables)
