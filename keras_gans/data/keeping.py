"""Files decoded and brought to size once: photos take longer than a step."""

from collections.abc import Callable
import threading

import tensorflow as tf

from keras_gans.data.python_calls import python_call
from keras_gans.data.sources import Source
from keras_gans.data.transforms import fit
from keras_gans.utils.types import Size

ROOM = 2**29  # bytes of pictures that a data set keeps


def keeping(
    source: Source, channels: int, size: Size, resize: str, interpolation: str
) -> Callable:
    """The `read` of a folder's source, of pictures that have a size already.

    Those that came first are kept, as many as there is room for.

    Args:
        source: `Source` of files.
        channels: int, that they are read with.
        size: `(height, width)` that `fit` is to bring them to.
        resize: see `fit`; nothing random.
        interpolation: see `fit`.

    Returns:
        function of an item, as `source.read`; images are what `fit` makes of
        its images, bit for bit.
    """
    listing = source.files[0].listing
    most = ROOM // (4 * size[0] * size[1] * channels)
    kept, lock = {}, threading.Lock()
    with tf.device("CPU"):
        labels = listing.labels and tf.constant(listing.labels, "int32")

    def fitted(index):
        image = kept.get(int(index))
        if image is None:
            image = listing.read(index, channels)
            with tf.device("CPU"):
                image = fit(tf.constant(image), size, resize, interpolation, None)
            image = image.numpy()
            with lock:
                if len(kept) < most:
                    kept[int(index)] = image
        return image

    def read(index):
        image = python_call(fitted, [index], tf.float32)
        image.set_shape((*size, channels))
        return image, None if labels is None else tf.gather(labels, index)

    return read
