"""Pictures decoded by TensorFlow operations alone, within an exported model."""

from keras_gans.modalities.image_files import LUMA, PNG_SIGNATURE
from keras_gans.utils.types import Size, Tensor

MAX_PIXELS = 2**25  # of one picture, so that a small file takes bounded memory


def decode(data: Tensor, channels: int) -> Tensor:
    """Decodes a PNG or JPEG file.

    Args:
        data: string scalar.
        channels: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).

    Returns:
        float32 tensor `[height, width, channels]` in [0, 1].
    """
    import tensorflow as tf

    is_png = tf.strings.substr(data, 0, len(PNG_SIGNATURE)) == PNG_SIGNATURE
    with tf.control_dependencies([_check_size(data, is_png)]):
        pixels = tf.cond(
            is_png,
            lambda: tf.io.decode_png(data, channels=0),
            # as other decoders do, not the faster one
            lambda: tf.io.decode_jpeg(data, channels=0, dct_method="INTEGER_ACCURATE"),
        )
    pixels.set_shape([None, None, None])
    pixels = tf.cast(pixels, tf.float32) / 255
    source_channels = tf.shape(pixels)[-1]
    has_alpha = source_channels % 2 == 0
    alpha = tf.cond(
        has_alpha, lambda: pixels[..., -1:], lambda: tf.ones_like(pixels[..., :1])
    )
    color = tf.cond(has_alpha, lambda: pixels[..., :-1], lambda: pixels)
    color = tf.cond(
        source_channels <= 2, lambda: tf.repeat(color, 3, axis=-1), lambda: color
    )
    color.set_shape([None, None, 3])
    if channels in (1, 3):
        color = color * alpha + (1 - alpha)  # on white
    if channels in (1, 2):
        # A grey picture stays as it is, to the last bit.
        grey = color[..., :1]
        luma = tf.reduce_sum(color * LUMA, axis=-1, keepdims=True)
        color = tf.cond(source_channels <= 2, lambda: grey, lambda: luma)
    return color if channels in (1, 3) else tf.concat([color, alpha], axis=-1)


def fit(image: Tensor, size: Size) -> Tensor:
    """Resizes a picture so that it covers `size`, and crops it around its middle.

    Args:
        image: float32 tensor `[height, width, channels]`.
        size: tuple (height, width).

    Returns:
        float32 tensor `[*size, channels]`; the same values if it has that size.
    """
    import tensorflow as tf

    sides = tf.shape(image)[:2]
    scale = tf.reduce_max(tf.constant(size, tf.float32) / tf.cast(sides, tf.float32))
    covering = tf.cast(tf.round(tf.cast(sides, tf.float32) * scale), tf.int32)
    resized = tf.image.resize(image, tf.maximum(covering, size), antialias=True)
    return tf.image.resize_with_crop_or_pad(resized, *size)


def _check_size(data, is_png):
    """An operation that fails on what is no PNG or JPEG, or too large."""
    import tensorflow as tf

    def of_png():
        sides = tf.io.decode_raw(
            tf.strings.substr(data, 16, 8), tf.int32, little_endian=False
        )
        return sides[::-1]  # its width comes first

    sides = tf.cond(is_png, of_png, lambda: tf.image.extract_jpeg_shape(data)[:2])
    pixels = tf.reduce_prod(tf.cast(sides, tf.int64))
    allowed = f"a picture has at most {MAX_PIXELS} pixels"
    return tf.debugging.assert_less_equal(
        pixels, tf.constant(MAX_PIXELS, tf.int64), message=allowed
    )
