"""The pixels of one image file, whoever wrote it."""

import io

import numpy as np
from PIL import Image

from keras_gans.utils.types import Path

FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
EXTENSIONS = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PILLOW_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
EXIF_ORIENTATION = 0x0112

# ITU-R BT.601 luma
LUMA = np.array([0.299, 0.587, 0.114], "float32")

# EXIF orientation: how to turn [height, width, channels] upright
UPRIGHT = {
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x.swapaxes(0, 1)[:, ::-1],
    7: lambda x: x.swapaxes(0, 1)[::-1, ::-1],
    8: lambda x: x.swapaxes(0, 1)[::-1],
}
SIDEWAYS = (5, 6, 7, 8)


def read_image(path: Path, channels: int) -> np.ndarray:
    """Reads one image file, upright, with the asked number of channels.

    Args:
        path: path of a PNG, JPEG, WebP or BMP file.
        channels: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA). Transparent
            pictures are laid on white for 1 and 3.

    Returns:
        A float32 array `[height, width, channels]` in [-1, 1].

    Raises:
        ValueError: naming the file, if it cannot be decoded.
    """
    # Decoders meet damaged bytes with exceptions of every kind.
    try:
        with open(path, "rb") as file:
            return decode_image(file.read(), channels)
    except Exception as error:
        raise _unreadable(path, error) from error


def decode_image(data: bytes, channels: int) -> np.ndarray:
    """Decodes the bytes of an image file, see `read_image`.

    Raises:
        Exception: of any kind, where the bytes are damaged.
    """
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        _check_pixels(image)
        if data.startswith(PNG_SIGNATURE) and data[24] == 16:
            pixels = _decode_deep_png(data, channels)
        else:
            pixels = _decode(image, channels)
        orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    if orientation in UPRIGHT:
        pixels = np.ascontiguousarray(UPRIGHT[orientation](pixels))
    return pixels


def read_size(path: Path) -> tuple[int, int]:
    """Reads `(height, width)` of one image file, upright, from its head.

    Raises:
        ValueError: naming the file, if its head cannot be read.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_pixels(image)
            # that of PNG files would decode them
            exif = Image.Image.getexif(image)
            width, height = image.size
    except Exception as error:
        raise _unreadable(path, error) from error
    if exif.get(EXIF_ORIENTATION, 1) in SIDEWAYS:
        return width, height
    return height, width


def _unreadable(path, error):
    return ValueError(
        f"Cannot read image file {path!r}: {type(error).__name__}: {error}"
        ". Remove it from the folder, or replace it by a good copy."
    )


def _check_pixels(image):
    """Refuses pictures that would take gigabytes, before decoding them."""
    width, height = image.size
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise ValueError(
            f"it would decode to {width} x {height} pixels, more than the "
            f"limit of {limit} (if you trust it, raise "
            "PIL.Image.MAX_IMAGE_PIXELS)"
        )


def _decode(image, channels):
    """Decodes 8 bits a channel; pillow works outside Python's global lock."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if channels in (1, 3):
            white = Image.new("RGBA", image.size, "white")
            # one hop would keep the hidden colours of transparent pixels
            image = Image.alpha_composite(white, image).convert("RGB")
    elif image.mode != "L":
        image = image.convert("RGB")
    pixels = np.asarray(image.convert(PILLOW_MODES[channels]))
    pixels = pixels.reshape(*pixels.shape[:2], channels)
    return pixels.astype("float32") / np.float32(127.5) - np.float32(1)


def _decode_deep_png(data, channels):
    """Decodes 16 bits a channel, which pillow cuts to 8 for colour."""
    import tensorflow as tf

    pixels = tf.io.decode_png(data, channels=0, dtype=tf.uint16).numpy()
    pixels = pixels.astype("float32") / np.float32(32767.5) - np.float32(1)
    given = pixels.shape[-1]
    if given == channels:
        return pixels
    colour, alpha = pixels, np.ones_like(pixels[..., :1])
    if given in (2, 4):
        colour, alpha = pixels[..., :-1], pixels[..., -1:]
        if channels in (1, 3):  # on white, which is 1
            colour = 1 + (colour - 1) * (alpha + 1) / 2
    if channels >= 3 and colour.shape[-1] == 1:
        colour = np.repeat(colour, 3, axis=-1)
    if channels <= 2 and colour.shape[-1] == 3:
        colour = (colour * LUMA).sum(axis=-1, keepdims=True)
    if channels in (1, 3):
        return colour
    return np.concatenate([colour, alpha], axis=-1)
