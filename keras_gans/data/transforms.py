"""Pixels of one image: range, channels, size."""

import tensorflow as tf

RESIZES = ("crop", "random_crop", "pad", "stretch")
INTERPOLATIONS = ("bilinear", "bicubic", "area", "lanczos3", "nearest")

# ITU-R BT.601 luma
LUMA = (0.299, 0.587, 0.114)


def to_unit(image):
    """Returns an image as float32 in [-1, 1], whatever its integer depth."""
    if image.dtype.is_floating:
        return tf.cast(image, "float32")
    return tf.cast(image, "float32") / (image.dtype.max / 2) - 1.0


def convert_channels(image, channels):
    """Converts between grey, colour and alpha; alpha is laid on white.

    Args:
        image: float32 `[height, width, c]` in [-1, 1], `c` known and the same
            as `channels` or in 1..4.
        channels: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA).

    Returns:
        float32 `[height, width, channels]`.
    """
    own_channels = image.shape[-1]
    if own_channels == channels:
        return image
    colour, alpha = image, None
    if own_channels in (2, 4):
        colour, alpha = image[..., :-1], image[..., -1:]
    if alpha is not None and channels in (1, 3):
        # white is 1, so only the distance to it is weighted
        colour = 1.0 + (colour - 1.0) * (alpha + 1.0) / 2.0
    if channels >= 3 and colour.shape[-1] == 1:
        colour = tf.repeat(colour, 3, axis=-1)
    if channels <= 2 and colour.shape[-1] == 3:
        colour = tf.reduce_sum(colour * LUMA, axis=-1, keepdims=True)
    if channels in (1, 3):
        return colour
    opaque = tf.ones_like(colour[..., :1])
    return tf.concat([colour, opaque if alpha is None else alpha], axis=-1)


def convert(image, channels):
    """Returns an image in [-1, 1] with `channels`, `None`: those it has."""
    image = to_unit(image)
    return image if channels is None else convert_channels(image, channels)


def view(image, size, seeds, *, resize, interpolation, flip, margin=(0, 0)):
    """Returns an image as a batch holds it: resized, cropped, mirrored.

    Args:
        image: float32 `[height, width, channels]` in [-1, 1].
        size: `(height, width)` in pixels.
        seeds: int32 `[2, 2]`: of crops and of the flip.
        resize: one of `RESIZES`.
        interpolation: one of `INTERPOLATIONS`.
        flip: whether to mirror half of the images, left to right.
        margin: pixels `(height, width)` by which the image is larger than
            `size` before it is cropped anywhere.

    Returns:
        float32 `[*size, channels]` in [-1, 1].
    """
    crop_seed, flip_seed = tf.unstack(seeds)
    larger = (size[0] + margin[0], size[1] + margin[1])
    image = fit(image, larger, resize, interpolation, crop_seed)
    if larger != tuple(size):
        shape = (*size, image.shape[-1])
        # not the seed by which `fit` may have cropped
        seed = tf.random.fold_in(crop_seed, 1)
        image = tf.image.stateless_random_crop(image, shape, seed)
    if flip:
        image = tf.image.stateless_random_flip_left_right(image, flip_seed)
    return tf.clip_by_value(image, -1.0, 1.0)


def fit(image, size, mode, method, seed):
    """Brings an image to `size`; one of that size already stays bit for bit.

    Args:
        image: float32 `[height, width, channels]` in [-1, 1].
        size: `(height, width)` in pixels.
        mode: one of `RESIZES`.
        method: one of `INTERPOLATIONS`; always antialiased.
        seed: int32 `[2]`, used by `"random_crop"`.

    Returns:
        float32 `[*size, channels]`; not clipped: sharp kernels overshoot.
    """
    if image.shape[:2] == tuple(size):
        return image
    done = tf.reduce_all(tf.shape(image)[:2] == size)
    resized = tf.cond(
        done, lambda: image, lambda: _RESIZERS[mode](image, size, method, seed)
    )
    return tf.ensure_shape(resized, (*size, image.shape[-1]))


def _stretch(image, size, method, seed):
    return tf.image.resize(image, size, method, antialias=True)


def _crop(image, size, method, seed):
    # Cropping before resizing gives the same picture, and a very long image
    # never becomes a huge one on the way.
    box = _cover(tf.shape(image)[:2], size)
    top, left = tf.unstack((tf.shape(image)[:2] - box) // 2)
    image = image[top : top + box[0], left : left + box[1]]
    return _stretch(image, size, method, seed)


def _random_crop(image, size, method, seed):
    box = _cover(tf.shape(image)[:2], size)
    shape = tf.concat([box, tf.shape(image)[2:]], axis=0)
    image = tf.image.stateless_random_crop(image, shape, seed)
    return _stretch(image, size, method, seed)


def _pad(image, size, method, seed):
    inner = _contain(tf.shape(image)[:2], size)
    before = (size - inner) // 2
    after = size - inner - before
    paddings = tf.stack([before, after], axis=1)
    paddings = tf.concat([paddings, [[0, 0]]], axis=0)
    image = _stretch(image, inner, method, seed)
    return tf.pad(image, paddings, constant_values=1.0)


_RESIZERS = {
    "crop": _crop,
    "random_crop": _random_crop,
    "pad": _pad,
    "stretch": _stretch,
}


def _cover(shape, size):
    """The largest box inside `shape` with the proportions of `size`."""
    return tf.minimum(shape, _proportional(shape, size))


def _contain(shape, size):
    """The largest box inside `size` with the proportions of `shape`."""
    return tf.minimum(size, _proportional(size, shape))


def _proportional(outer, inner):
    """The sides of boxes like `inner` whose other side is `outer`'s."""
    outer, inner = tf.cast(outer, "int64"), tf.cast(inner, "int64")
    # round(other side of outer * side / other side), in integers, at least 1
    sides = (2 * outer[::-1] * inner + inner[::-1]) // (2 * inner[::-1])
    return tf.cast(tf.maximum(sides, 1), "int32")
