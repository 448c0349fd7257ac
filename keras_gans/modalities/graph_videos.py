"""Videos made by TensorFlow operations alone, within an exported model.

TensorFlow writes no videos, but it writes PNG files, and an animated PNG holds what
these do: the compressed rows of each frame, in chunks of other names. Browsers play
such files, and nothing is lost in them.

Reference:
    W3C, Portable Network Graphics (Third Edition), 11.3.6: animation.
"""

import struct

from keras_gans.modalities.graph_bytes import big_endian, crc32
from keras_gans.modalities.image_files import PNG_SIGNATURE
from keras_gans.utils.types import Tensor

CHUNKS = len(PNG_SIGNATURE)  # where the chunks of a PNG file begin, IHDR first
HEAD = 4 + 4 + 13 + 4  # bytes of IHDR: its length, name, content and checksum
LARGEST_RATE = 2**16 - 1


def encode_apng(pixels: Tensor, rate: int) -> Tensor:
    """Encodes videos that play for ever.

    Args:
        pixels: uint8 tensor `[n, frames, height, width, channels]`.
        rate: int, frames a second.

    Returns:
        Strings `[n]`, an animated PNG each.
    """
    import tensorflow as tf

    count, frames = tf.shape(pixels)[0], tf.shape(pixels)[1]
    pictures = tf.reshape(tf.io.encode_png(pixels), [-1])
    numbers = tf.tile(tf.range(frames), [count])
    size = tf.strings.substr(pictures, CHUNKS + 8, 8)  # width and height, of IHDR
    # At the upper left corner, for 1 / rate seconds, in the place of the last.
    how = struct.pack(">IIHHBB", 0, 0, 1, min(rate, LARGEST_RATE), 0, 0)
    control = tf.strings.join([big_endian(tf.maximum(2 * numbers - 1, 0)), size, how])
    rows = _compressed_rows(pictures)
    # The first frame is the picture itself; each chunk of the others is numbered.
    each = tf.where(
        numbers == 0,
        _chunk(b"IDAT", rows),
        _chunk(b"fdAT", tf.strings.join([big_endian(2 * numbers), rows])),
    )
    parts = tf.strings.join([_chunk(b"fcTL", control), each])
    parts = tf.strings.reduce_join(tf.reshape(parts, [count, frames]), axis=1)
    heads = tf.strings.substr(pictures, CHUNKS, HEAD)
    heads = tf.reshape(heads, [count, frames])[:, 0]
    for_ever = tf.strings.join([big_endian(frames[None]), bytes(4)])
    begin, end = _chunk(b"acTL", for_ever)[0], _chunk(b"IEND", tf.constant([""]))[0]
    return tf.strings.join([PNG_SIGNATURE, heads, begin, parts, end])


def _compressed_rows(pictures):
    """What the chunks IDAT of PNG files hold, in one piece.

    Args:
        pictures: strings `[m]`.

    Returns:
        Strings `[m]`.
    """
    import tensorflow as tf

    def length_at(places):
        four = tf.strings.substr(pictures, places, 4 * tf.ones_like(places))
        return tf.bitcast(
            tf.io.decode_raw(four, tf.uint8, fixed_length=4)[:, ::-1], tf.int32
        )

    def named(places, name):
        return tf.strings.substr(pictures, places + 4, 4 * tf.ones_like(places)) == name

    def unfinished(places, rows):
        return tf.reduce_any(~named(places, b"IEND"))

    def take(places, rows):
        lengths = length_at(places)
        data_lengths = tf.where(named(places, b"IDAT"), lengths, 0)
        rows = tf.strings.join(
            [rows, tf.strings.substr(pictures, places + 8, data_lengths)]
        )
        after = places + 4 + 4 + lengths + 4
        return tf.where(named(places, b"IEND"), places, after), rows

    nothing = tf.zeros_like(pictures)
    _, rows = tf.while_loop(
        unfinished, take, (tf.fill(tf.shape(pictures), CHUNKS), nothing)
    )
    return rows


def _chunk(name, contents):
    """A chunk of each content: its length, name, content and checksum."""
    import tensorflow as tf

    # A register that begins with ones is one of 0 whose first 32 bits are inverted.
    inverted = bytes(255 - byte for byte in name)
    remainders = crc32(tf.strings.join([inverted, contents]))
    sums = big_endian(tf.bitwise.invert(remainders))
    lengths = big_endian(tf.strings.length(contents))
    return tf.strings.join([lengths, name, contents, sums])
