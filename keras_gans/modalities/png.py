"""PNG files written row by row, of 8 and 16 bits, with the metadata of a source."""

import struct
from typing import IO, NamedTuple
import zlib

import numpy as np
from PIL import Image

from keras_gans.modalities.image_files import EXIF_ORIENTATION, FORMATS, PNG_SIGNATURE
from keras_gans.utils.types import Path

COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
EXIF_IFD, EXIF_SIDES = 0x8769, (0xA002, 0xA003)  # width, height
CHUNK = 2**22  # bytes of filtered rows at a time
LEVEL = 4  # of zlib: above it, minutes buy a few per cent
PROFILED = ("L", "LA", "P", "RGB", "RGBA", "I;16")


class Metadata(NamedTuple):
    """What a picture file tells beside its pixels.

    Attributes:
        exif: bytes of a TIFF structure without its "Exif" head, or b"".
        profile: bytes of an ICC profile, or b"".
    """

    exif: bytes = b""
    profile: bytes = b""


def read_metadata(path: Path, size: tuple[int, int]) -> Metadata:
    """What a picture file tells, for a copy of its picture of another size.

    The copy is upright, so its orientation is said to be. Metadata that are
    damaged are left out: the pixels do not depend on them.

    Args:
        path: path of an image file.
        size: `(height, width)` of the copy.
    """
    with Image.open(path, formats=[f for f in FORMATS if f in Image.OPEN]) as image:
        profile = b""
        if image.mode in PROFILED:  # others are converted, their profile is not
            profile = image.info.get("icc_profile") or b""
        try:
            exif = image.getexif()
            if not len(exif):
                return Metadata(b"", profile)
            exif[EXIF_ORIENTATION] = 1
            sides = exif.get_ifd(EXIF_IFD)
            for tag, side in zip(EXIF_SIDES, size[::-1], strict=True):
                if tag in sides:
                    sides[tag] = side
            return Metadata(exif.tobytes().removeprefix(b"Exif\0\0"), profile)
        except Exception:  # of any kind, in what a camera or an editor wrote
            return Metadata(b"", profile)


NOTHING = Metadata()


class PngWriter:
    """Writes a PNG file from the top down, of which it holds a few rows.

    Args:
        file: binary file, open for writing.
        shape: tuple (height, width, channels), of 1 to 4 channels.
        dtype: "uint8" or "uint16".
        metadata: `Metadata`.

    Example:

    ```python
    import io

    from keras_gans.modalities.png import PngWriter

    file = io.BytesIO()
    writer = PngWriter(file, (4, 6, 3), "uint16")
    for rows in np.zeros((2, 2, 6, 3), "uint16"):
        writer.write(rows)
    writer.close()
    ```

    Reference:
        https://www.w3.org/TR/png-3/
    """

    def __init__(
        self,
        file: IO[bytes],
        shape: tuple[int, int, int],
        dtype: str,
        metadata: Metadata = NOTHING,
    ):
        height, width, channels = shape
        self.file, self.left = file, height
        self.dtype = np.dtype(dtype)
        self.pixel = channels * self.dtype.itemsize  # bytes
        self.above = np.zeros(width * self.pixel, "uint8")
        self.zlib = zlib.compressobj(LEVEL)
        file.write(PNG_SIGNATURE)
        depth = 8 * self.dtype.itemsize
        head = (width, height, depth, COLOUR_TYPES[channels], 0, 0, 0)
        self._chunk(b"IHDR", struct.pack(">2I5B", *head))
        if metadata.profile:
            packed = zlib.compress(metadata.profile)
            self._chunk(b"iCCP", b"ICC profile\0\0" + packed)
        if metadata.exif:
            self._chunk(b"eXIf", metadata.exif)

    def _chunk(self, name, data):
        crc = zlib.crc32(name + data)
        self.file.write(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)
        )

    def write(self, rows: np.ndarray) -> None:
        """Writes the next rows, `[rows, width, channels]` of the dtype."""
        step = max(1, CHUNK // len(self.above))
        for top in range(0, len(rows), step):
            part = np.ascontiguousarray(rows[top : top + step])
            part = part.astype(self.dtype.newbyteorder(">")).view("uint8")
            part = part.reshape(len(part), -1)
            data = self.zlib.compress(self._filtered(part))
            if data:
                self._chunk(b"IDAT", data)
            self.above = part[-1].copy()
        self.left -= len(rows)

    def close(self) -> None:
        """Ends the file, which needs all rows; the file object stays open.

        Raises:
            ValueError: rows are missing, or there were too many.
        """
        if self.left:
            raise ValueError(f"{self.left} rows are missing of a PNG file.")
        self._chunk(b"IDAT", self.zlib.flush())
        self._chunk(b"IEND", b"")

    def _filtered(self, rows):
        """The bytes of rows, each by the filter that leaves the least of it."""
        rows = rows.astype("int16")
        above = np.concatenate([self.above[None].astype("int16"), rows[:-1]])
        left, corner = (np.pad(x, ((0, 0), (self.pixel, 0))) for x in (rows, above))
        left, corner = left[:, : rows.shape[1]], corner[:, : rows.shape[1]]
        estimate = left + above - corner
        a, b, c = (np.abs(estimate - x) for x in (left, above, corner))
        paeth = np.where(b <= c, above, corner)
        paeth = np.where((a <= b) & (a <= c), left, paeth)
        kinds = (1, 2, 4)  # left, above, Paeth's
        filtered = [(rows - x).astype("uint8") for x in (left, above, paeth)]
        sums = [np.abs(x.view("int8").astype("int16")).sum(axis=1) for x in filtered]
        best = np.argmin(sums, axis=0)
        out = np.empty((len(rows), rows.shape[1] + 1), "uint8")
        for i, kind in enumerate(kinds):
            chosen = best == i
            out[chosen, 0], out[chosen, 1:] = kind, filtered[i][chosen]
        return out.tobytes()
