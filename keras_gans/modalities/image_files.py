"""The pixels of one image file, whoever wrote it."""

from collections.abc import Iterator
import functools
import io
import os
import struct
from typing import IO, NamedTuple
import zlib

import numpy as np
from PIL import Image

from keras_gans.modalities.untrusted import check_bytes
from keras_gans.utils.types import Path

# HEIF is read where Pillow has been taught it (`pip install pillow-heif`).
FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "PNG", "TIFF", "WEBP")
HEIF_EXTENSIONS = (".heic", ".heif")
EXTENSIONS = (
    *(".avif", ".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif"),
    *(".tiff", ".webp", *HEIF_EXTENSIONS),
)
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PILLOW_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
DEEP_MODES = ("I;16", "I;16L", "I;16B", "I;16N")
EXIF_ORIENTATION = 0x0112
# Tags of TIFF files
BITS, PHOTOMETRIC, TILE_SIDES = 258, 262, (322, 323)
PLACES = ((273, 279), (324, 325))  # of strips and of tiles: offsets, sizes
# What orientation may be told in; the pixels lie in others.
PNG_METADATA = (b"IHDR", b"eXIf", b"iTXt", b"tEXt", b"zTXt", b"IEND")
# Phones store further pictures beside the one that they show as the file's.
ONE_PICTURE = ("MPO",)

# Bytes of memory that one picture may take to decode: 76 million pixels in
# colour. Of each pixel, a decoder holds so many at most.
MAX_MEMORY = 2**31
DECODER_BYTES = 16
DEEP_DECODER_BYTES = 24
STRIP = 2**20  # pixels converted at a time

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
BACK = {6: 8, 8: 6}  # what undoes an orientation, where it is not itself
SIDEWAYS = (5, 6, 7, 8)


class Head(NamedTuple):
    """What an image file says of its picture before any pixel is decoded.

    Attributes:
        size: tuple (height, width) of the picture, upright.
        mode: str, Pillow's name of its kind of pixels: "RGB", "L", "P".
        format: str: "PNG", "JPEG".
        orientation: int, 1 to 8, see EXIF.
        alpha: bool, whether some of it may be transparent.
        deep: bool, whether it has 16 bits a channel.
        animated: bool, whether it holds several pictures, of which the first
            is read.
        brightest: int, of a deep one whose pixels were looked at: its largest value
            of 65535; `None` where it is not known.
    """

    size: tuple[int, int]
    mode: str
    format: str
    orientation: int
    alpha: bool
    deep: bool
    animated: bool
    brightest: int | None = None

    @property
    def grey(self) -> bool:
        """Whether it can hold no colours."""
        return self.mode[0] in "1LI"

    def memory(self, channels: int) -> int:
        """Bytes that it takes to decode the picture, at most."""
        decoder = DEEP_DECODER_BYTES if self.deep else DECODER_BYTES
        return self.size[0] * self.size[1] * (decoder + 4 * channels)


def read_image(path: Path, channels: int) -> np.ndarray:
    """Reads one image file, upright, with the asked number of channels.

    Args:
        path: path of a PNG, JPEG, WebP, GIF, TIFF, BMP, AVIF or HEIC file. Of
            an animation the first picture is read.
        channels: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA). Transparent
            pictures are laid on white for 1 and 3.

    Returns:
        A float32 array `[height, width, channels]` in [-1, 1].

    Raises:
        ValueError: naming the file, if it cannot be decoded.
    """
    # Decoders meet damaged bytes with exceptions of every kind.
    try:
        check_bytes(os.path.getsize(path))
        with open(path, "rb") as file:
            return decode_image(file.read(), channels)
    except Exception as error:
        raise unreadable(path, error) from error


def read_head(path: Path) -> Head:
    """Reads the head of one image file.

    Raises:
        ValueError: naming the file, if its head cannot be read.
    """
    try:
        with open(path, "rb") as file:
            return decode_head(file)
    except Exception as error:
        raise unreadable(path, error) from error


def decode_image(data: bytes, channels: int) -> np.ndarray:
    """Decodes the bytes of an image file, see `read_image`.

    Raises:
        Exception: of any kind, where the bytes are damaged.
    """
    file = io.BytesIO(data)
    with _open(file) as image:
        head = _head(image, file)
        _check_memory(head, channels)
        pixels = np.empty((*head.size, channels), "float32")
        # The array as the file lies, so that nothing is turned by copying it.
        turned = UPRIGHT.get(BACK.get(head.orientation, head.orientation))
        lying = pixels if turned is None else turned(pixels)
        strips = _deep_png_strips if _is_deep_png(data) else _strips
        for rows, strip in strips(image, head, data, channels):
            lying[rows] = strip
    return pixels


def decode_head(file: IO[bytes]) -> Head:
    """Reads the head of an open image file, see `read_head`.

    Raises:
        Exception: of any kind, where it is damaged.
    """
    with _open(file) as image:
        return _head(image, file)


def decode_head_and_end(file: IO[bytes]) -> tuple[Head, bool]:
    """Reads the head of an open image file, and looks at its end.

    Returns:
        `(head, cut)`: whether the file may be shorter than it was written. Where
        it does not tell, or ends unusually, decoding it decides.

    Raises:
        Exception: of any kind, where the head is damaged.
    """
    with _open(file) as image:
        return _head(image, file), _seems_cut(image, file)


def unreadable(path: Path, error: Exception | str) -> ValueError:
    """The error of an image file that cannot be read, and why."""
    return ValueError(
        f"Cannot read image file {path!r}: {reason(error)}. Leave it out, or "
        "replace it by a good copy."
    )


def reason(error: Exception | str) -> str:
    """Why an image file cannot be read, in one line without a full stop."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
    elif not isinstance(error, (str, OSError, ValueError)) or not text:
        text = f"{type(error).__name__}: {text}"
    return " ".join(text.split()).rstrip(".: ")


# --- Heads ---


def _open(file):
    """Opens a picture of a known format, of a bounded number of pixels."""
    _learn_heif()
    Image.init()
    file.seek(0)
    start = file.read(32)
    file.seek(0)
    known = [name for name in FORMATS if name in Image.OPEN]
    if not start:
        raise ValueError("it is empty (0 bytes)")
    try:
        image = Image.open(file, formats=known)
    except Image.UnidentifiedImageError:
        raise ValueError(_unidentified(start)) from None
    width, height = image.size
    limit = Image.MAX_IMAGE_PIXELS
    if limit is not None and width * height > limit:
        raise ValueError(
            f"it would decode to {width} x {height} pixels, more than the "
            f"limit of {limit} (if you trust it, raise "
            "PIL.Image.MAX_IMAGE_PIXELS)"
        )
    return image


@functools.cache
def _learn_heif():
    """Lets Pillow read HEIC files, where its plugin is installed."""
    if "HEIF" in Image.OPEN:
        return
    try:
        import pillow_heif
    except ImportError:
        return
    pillow_heif.register_heif_opener()


def _unidentified(start):
    """What is wrong with a file that starts like this."""
    brand = start[8:12] if start[4:8] == b"ftyp" else b""
    if brand in (b"heic", b"heix", b"mif1", b"msf1", b"heim", b"heis", b"hevc"):
        return "it is a HEIC picture, which needs `pip install pillow-heif`"
    if brand in (b"avif", b"avis"):
        return "it is an AVIF picture, which needs a newer Pillow"
    return "it is damaged, or no picture of a known format"


def _head(image, file):
    height, width = image.size[::-1]
    place = file.tell()  # from where Pillow goes on
    orientation = _orientation(image, file)
    if orientation in SIDEWAYS:
        height, width = width, height
    deep = image.mode in DEEP_MODES
    if image.format == "PNG":
        file.seek(0)
        deep = _is_deep_png(file.read(32))
    if image.mode in ("I", "F"):
        raise ValueError(
            "it has 32 bits a pixel, whose white is not known: convert it to 8 "
            "or 16 bits"
        )
    if image.format == "TIFF":
        tile = [image.tag_v2.get(tag, 1) for tag in TILE_SIDES]
        if tile[0] * tile[1] * DECODER_BYTES > MAX_MEMORY:
            raise ValueError(f"it is stored in tiles of {tile[0]} x {tile[1]} pixels")
    file.seek(place)
    animated = getattr(image, "is_animated", False)
    return Head(
        (height, width),
        image.mode,
        image.format,
        orientation,
        bool(image.has_transparency_data),
        deep,
        bool(animated) and image.format not in ONE_PICTURE,
    )


def _orientation(image, file):
    """The orientation that remains to be undone, wherever it is told."""
    if image.format == "TIFF":
        return 1  # Pillow turns it, and gives the upright size
    if image.format == "PNG":
        # It may be told after the pixels, which Pillow would decode first.
        with Image.open(io.BytesIO(_png_metadata(file)), formats=["PNG"]) as bare:
            orientation = Image.Image.getexif(bare).get(EXIF_ORIENTATION, 1)
    else:
        orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    return orientation if orientation in UPRIGHT else 1


def _png_metadata(file):
    """A PNG file without what does not tell its orientation."""
    bare = [PNG_SIGNATURE]
    chunks = [chunk for chunk in png_chunks(file) if chunk[0] != b"IEND"]
    for name, start, length in [*chunks, (b"IEND", 0, 0)]:
        if name in PNG_METADATA:
            file.seek(start)
            data = file.read(length)
            crc = struct.pack(">I", zlib.crc32(name + data))
            bare += [struct.pack(">I", length), name, data, crc]
    return b"".join(bare)


def png_chunks(file: IO[bytes]) -> Iterator[tuple[bytes, int, int]]:
    """Name, place of the data and its length of each chunk of a PNG file.

    Ends with the chunk `IEND`, or before a chunk that is not whole.
    """
    size = file.seek(0, os.SEEK_END)
    place = len(PNG_SIGNATURE)
    while place + 12 <= size:
        file.seek(place)
        length, name = struct.unpack(">I4s", file.read(8))
        if place + 12 + length > size:
            return
        yield name, place + 8, length
        if name == b"IEND":
            return
        place += 12 + length


def _check_memory(head, channels):
    """Refuses pictures that would take gigabytes, before decoding them."""
    needed = head.memory(channels)
    if needed > MAX_MEMORY:
        height, width = head.size
        raise ValueError(
            f"it would take {needed} bytes of memory to decode its {width} x "
            f"{height} pixels{' of 16 bits' if head.deep else ''}, more than the "
            f"limit of {MAX_MEMORY}: make it smaller"
        )


def _seems_cut(image, file):
    size = file.seek(0, os.SEEK_END)
    if image.format == "TIFF":
        tags = [[image.tag_v2.get(tag, ()) for tag in two] for two in PLACES]
        ends = [sum(piece) for two in tags for piece in zip(*two, strict=False)]
        return max(ends, default=size + 1) > size
    if image.format == "PNG":
        return [name for name, *_ in png_chunks(file)][-1:] != [b"IEND"]
    if image.format in ("JPEG", "MPO", "GIF"):
        file.seek(-2, os.SEEK_END)
        end = b";" if image.format == "GIF" else b"\xff\xd9"
        return not file.read().endswith(end)
    file.seek(0)
    start = file.read(8)
    if image.format == "WEBP":
        return struct.unpack("<I", start[4:8])[0] + 8 > size
    if image.format == "BMP":
        return struct.unpack("<I", start[2:6])[0] != size
    return True


# --- Pixels, in strips: each rows and float32 [rows, width, channels] ---


def _strips(image, head, data, channels):
    """Decodes 8 bits a channel, or grey of 16; pillow works in C."""
    image.load()
    width, height = image.size
    step = max(1, STRIP // width)
    for top in range(0, height, step):
        rows = slice(top, min(top + step, height))
        strip = image
        if step < height:
            strip = image.crop((0, rows.start, width, rows.stop))
        if head.deep:
            yield rows, _convert(_deep_tiff_grey(strip, image.tag_v2), channels)
        else:
            yield rows, _to_floats(strip, channels)


def _to_floats(image, channels):
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


def _deep_tiff_grey(image, tags):
    """Pillow keeps the integers of grey TIFF files as they are."""
    white = 2 ** tags.get(BITS, (16,))[0] - 1
    pixels = np.asarray(image).astype("float32") / np.float32(white / 2)
    pixels = pixels[..., None] - np.float32(1)
    return -pixels if tags.get(PHOTOMETRIC) == 0 else pixels


def _is_deep_png(data):
    return data.startswith(PNG_SIGNATURE) and data[24] == 16


def _deep_png_strips(image, head, data, channels):
    """Decodes 16 bits a channel, which pillow cuts to 8 for colour."""
    import tensorflow as tf

    with tf.device("CPU"):
        deep = tf.io.decode_png(data, channels=0, dtype=tf.uint16).numpy()
    step = max(1, STRIP // deep.shape[1])
    for top in range(0, len(deep), step):
        rows = slice(top, top + step)
        pixels = deep[rows].astype("float32") / np.float32(32767.5) - np.float32(1)
        yield rows, _convert(pixels, channels)


def _convert(pixels, channels):
    """Converts float pixels between grey, colour and alpha, on white."""
    source_channels = pixels.shape[-1]
    if source_channels == channels:
        return pixels
    colour, alpha = pixels, np.ones_like(pixels[..., :1])
    if source_channels in (2, 4):
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
