"""Image folders: which files they hold, and the pixels of one file."""

from collections import Counter
import io
import os

import numpy as np
from PIL import Image
import tensorflow as tf

from keras_gans.data.transforms import convert_channels
from keras_gans.data.transforms import to_unit

EXTENSIONS = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
FORMATS = ("BMP", "JPEG", "PNG", "WEBP")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
PILLOW_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
EXIF_ORIENTATION = 0x0112

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


def list_images(folder, labels):
    """Lists the image files of a folder and its subfolders, sorted by path.

    Hidden files and folders, and files that are not images, are left out.

    Args:
        folder: path of an existing folder.
        labels: whether to label each file by its first-level subfolder.

    Returns:
        `(paths, labels)`: a list of `str` and a list of `int`, or `None` in
        place of the labels.

    Raises:
        ValueError: if the folder holds no images, an image file is empty, or
            labels are asked of files that lie in no subfolder.
    """
    paths, others = [], Counter()
    for entry in _walk(folder, set()):
        extension = os.path.splitext(entry.name)[1].lower()
        if extension not in EXTENSIONS:
            others[extension or "(none)"] += 1
            continue
        if entry.stat().st_size == 0:
            raise ValueError(
                f"Image file {entry.path!r} is empty (0 bytes). Remove it or "
                "copy it again."
            )
        paths.append(entry.path)
    if not paths:
        found = ", ".join(f"{k} x{n}" for k, n in sorted(others.items()))
        raise ValueError(
            f"Folder {folder!r} holds no images. Expected files ending in "
            f"{', '.join(EXTENSIONS)}, in it or in its subfolders. Received: "
            f"{found or 'no files at all'}."
        )
    paths.sort()
    return paths, _folder_labels(folder, paths) if labels else None


def read_image(path, channels):
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
            data = file.read()
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_pixels(image)
            if data.startswith(PNG_SIGNATURE) and data[24] == 16:
                pixels = _decode_deep_png(data, channels)
            else:
                pixels = _decode(image, channels)
            orientation = image.getexif().get(EXIF_ORIENTATION, 1)
    except Exception as error:
        raise _unreadable(path, error) from error
    if orientation in UPRIGHT:
        pixels = np.ascontiguousarray(UPRIGHT[orientation](pixels))
    return pixels


def read_size(path):
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


def _walk(folder, seen):
    """Yields the visible files below a folder; follows links, but once."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    with os.scandir(folder) as entries:
        visible = [e for e in entries if not e.name.startswith(".")]
    for entry in sorted(visible, key=lambda e: e.name):
        if entry.is_dir():
            yield from _walk(entry.path, seen)
        elif entry.is_file():
            yield entry


def _folder_labels(folder, paths):
    with os.scandir(folder) as entries:
        names = sorted(
            e.name for e in entries if e.is_dir() and e.name[0] != "."
        )
    if not names:
        raise ValueError(
            f"labels=True labels images by subfolder, but folder {folder!r} "
            "has no subfolders. Put the images of each class in a subfolder "
            "of its own, or pass labels=False."
        )
    index = {name: i for i, name in enumerate(names)}
    parts = [os.path.relpath(path, folder).split(os.sep) for path in paths]
    loose = [path for path, p in zip(paths, parts, strict=True) if len(p) == 1]
    if loose:
        raise ValueError(
            f"labels=True labels images by subfolder, but {len(loose)} of the "
            f"images of folder {folder!r} lie in none, the first being "
            f"{loose[0]!r}. Move them, or pass labels=False."
        )
    return [index[p[0]] for p in parts]


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
    pixels = tf.io.decode_png(data, channels=0, dtype=tf.uint16)
    return convert_channels(to_unit(pixels), channels).numpy()
