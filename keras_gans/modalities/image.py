"""Images."""

from collections.abc import Sequence
import dataclasses
from typing import Any
import warnings

import keras
import numpy as np

from keras_gans.modalities import base, graph_images, image_files, pictures
from keras_gans.utils.errors import outside
from keras_gans.utils.types import Size, Tensor
from keras_gans.utils.validation import is_int


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Image(base.Modality):
    """Images `[height, width, channels]`.

    Args:
        shape: tuple (height, width, channels); `None` for any height or width.
        range: tuple (low, high): black and white.

    Raises:
        ValueError: an argument is something else.

    Example:

    ```python
    image = keras_gans.Image((32, 32, 3))
    image.check(np.zeros((4, 32, 32, 3)))
    image.write("grey.png", np.zeros((32, 32, 3)), overwrite=True)
    image.read("grey.png").shape  # (32, 32, 3)
    ```
    """

    shape: tuple
    range: tuple = (-1.0, 1.0)

    kind = "image"
    tensor_name = "images"
    bytes_extension = ".png"
    holds_pixels = True
    names_rows = True
    metrics = ("fid", "kid")
    features = "lite0"
    augmentations = ("color", "translation", "cutout")
    extensions = (".png",)
    read_extensions = image_files.EXTENSIONS

    def __post_init__(self):
        shape = base.check_sides("shape", self.shape, 3)
        if shape[-1] is None:
            raise ValueError(
                "The channels of images are a positive int. Received: "
                f"shape={self.shape!r}."
            )
        self._set(shape=shape, range=base.check_range(self.range))

    @property
    def bytes_name(self) -> str | None:
        """ "image_bytes", where a PNG can hold the channels."""
        return "image_bytes" if self.shape[-1] in pictures.MODES else None

    def check(self, batch: Any, what: str | None = None, doubt: bool = True) -> None:
        super().check(batch, what, doubt)
        if self._is_bytes(np.asarray(batch)):
            return
        low, high = float(np.min(batch)), float(np.max(batch))
        if doubt and self.range == (-1, 1) and low >= 0 and high > low:
            warnings.warn(
                f"All {what or self.tensor_name} of the first batch lie in "
                f"[0, 1] ({low:.4g} to {high:.4g}). If black is 0 in your "
                "data, scale it to [-1, 1] by `2 * x - 1`.",
                stacklevel=outside(),
            )

    @classmethod
    def remedy_of_rank(cls, shape: tuple[int, ...]) -> str:
        """How to bring an array that is no `[n, height, width, channels]` to it."""
        channels = shape[-1] if len(shape) == 3 and shape[-1] in pictures.MODES else 1
        return cls((None, None, channels)).remedy_of_axes(shape) or "Pass some images."

    def _reshape(self, shape):
        return (
            "Resize the images, e.g. by `keras_gans.data.load(..., "
            f"image_size={self.shape[:2]}, channels={self.shape[-1]})`, or "
            f"build the GAN with image_shape={shape[1:]}."
        )

    def _rescale(self, floats):
        return self._rescale_bytes(floats)

    def _encode(self, sample, extension):
        self._check_channels()
        pixels = np.rint(self._unit(self._one(sample)) * 255)
        return pictures.encode_png(pixels.astype("uint8"))

    def _decode(self, data, extension):
        self._check_channels()
        try:
            pixels = image_files.decode_image(data, self.shape[-1])
        except Exception as error:  # decoders raise every kind
            raise ValueError(
                f"it is no image that can be read ({type(error).__name__}: {error})."
            ) from error
        self._fits(pixels.shape, "Resize it, or use `keras_gans.data.load`.")
        low, high = self.range
        if (low, high) == (-1, 1):
            return pixels
        return (low + (pixels + 1) / 2 * (high - low)).astype("float32")

    def _check_channels(self):
        if self.bytes_name is None:
            raise ValueError(
                "Files of images hold 1 to 4 channels. Received: images of "
                f"{self.shape[-1]}. Split their channels."
            )

    def encode_in_graph(self, samples: Tensor) -> Tensor | None:
        if self.bytes_name is None:
            return None
        import tensorflow as tf

        samples = tf.clip_by_value(tf.cast(samples, "float32"), *self.range)
        pixels = tf.round(self._unit(samples) * 255)
        return tf.io.encode_png(tf.cast(pixels, tf.uint8))

    def decode_in_graph(self, data: Tensor) -> Tensor:
        """Decodes one PNG or JPEG file by TensorFlow operations, for serving.

        As of `read`, transparent pictures are laid on white for 1 and 3 channels.
        One of another size than `shape` is resized and cropped around its middle.
        How a camera was held (EXIF) is not looked at.

        Args:
            data: string scalar, the bytes of a file.

        Returns:
            float32 tensor of the shape `shape`, in `range`. Bytes of something
            else, or of more than `graph_images.MAX_PIXELS`, fail.
        """
        self._check_channels()
        unit = graph_images.decode(data, self.shape[-1])
        if None not in self.shape:
            unit = graph_images.fit(unit, self.shape[:2])
        low, high = self.range
        return unit * (high - low) + low

    def preview(
        self,
        samples: np.ndarray,
        columns: int | None = None,
        names: Sequence[str] | None = None,
        caption: str | None = None,
        rows: Sequence[str] | None = None,
    ) -> base.Preview:
        """A grid of images, see `pictures.draw_grid`."""
        seen = 2 * self._unit(self._many(samples)) - 1
        return base.Preview(pictures.draw_grid(seen, columns, names, caption, rows))


def check_images(
    images: np.ndarray, image_shape: tuple[int | None, ...], doubt: bool = True
) -> np.ndarray:
    """Returns images in [-1, 1], checked, see `Image.check`."""
    modality = Image(image_shape)
    modality.check(images, doubt=doubt)
    return keras.ops.convert_to_numpy(modality.as_seen(images))


def jitter_margin(jitter: float, size: Size) -> Size:
    """Returns the pixels `(height, width)` by which a jitter enlarges.

    Args:
        jitter: pixels of each side, an integer; or their ratio to `size`, a
            float.
        size: `(height, width)` in pixels.
    """
    if is_int(jitter):
        return int(jitter), int(jitter)
    return tuple(round(float(jitter) * side) for side in size)
