"""Files from strangers: read in bounded memory, and never executed."""

from collections.abc import Iterable, Iterator
import io
import itertools
import pathlib
import zipfile

import numpy as np

# What is larger is refused before it is read.
MAX_BYTES = 2**28
MAX_TEXT = 2**26
MAX_LINE = 2**20
MAX_VALUES = 2**26
# Others may need gigabytes of memory to unpack a few bytes.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MOST_NAMED = 10


def check_bytes(count: int, most: int | None = None) -> None:
    """Refuses a file of more bytes than `MAX_BYTES`, or than `most`."""
    most = most or MAX_BYTES
    if count > most:
        raise ValueError(f"it has {count} bytes, more than the {most} allowed.")


def check_extension(path: pathlib.Path, extensions: tuple, what: str) -> None:
    """Refuses a path of another ending."""
    if path.suffix.lower() not in extensions:
        raise ValueError(f"{what} end in {' or '.join(extensions)}. Received: {path}.")


def check_count(shape: tuple) -> None:
    """Refuses an array that a file announces, before it is made."""
    count = 1
    for side in shape:  # in Python's integers, which do not overflow
        if isinstance(side, bool) or int(side) < 0:
            raise ValueError(f"the shape {tuple(shape)} is none.")
        count *= int(side)
    if not 0 < count <= MAX_VALUES:
        raise ValueError(
            f"the shape {tuple(shape)} that it announces has {count} values; "
            f"1 to {MAX_VALUES} are allowed."
        )


def lines_of(data: bytes) -> Iterator[str]:
    """The lines of a text file in UTF-8, with their ends."""
    check_bytes(len(data), MAX_TEXT)
    raw = io.BytesIO(data)
    text = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
    while line := text.readline(MAX_LINE + 1):
        if len(line) > MAX_LINE:
            raise ValueError(f"it has a line of more than {MAX_LINE} letters.")
        yield line


def collect(rows: Iterable, width: int, dtype: str) -> np.ndarray:
    """An array `[n, width]` of an iterator of rows, in bounded memory."""
    rows, chunks, count = iter(rows), [], 0
    while chunk := list(itertools.islice(rows, max(1, 2**16 // width))):
        count += len(chunk)
        check_count((count, width))
        chunks.append(np.asarray(chunk, dtype))
    if not chunks:
        raise ValueError("it holds no rows.")
    return np.concatenate(chunks)


def load_array(data: bytes) -> np.ndarray:
    """The array of a `.npy` file, whose header is not believed."""
    stream = io.BytesIO(data)
    try:
        if np.lib.format.read_magic(stream) == (1, 0):
            header = np.lib.format.read_array_header_1_0(stream)
        else:
            header = np.lib.format.read_array_header_2_0(stream)
    except Exception as error:  # of its parser, of every kind
        raise ValueError(f"it is no .npy file ({error}).") from error
    shape, _, dtype = header
    check_count(shape)
    if dtype.kind not in "fbiu":
        raise ValueError(
            f"it holds values of {dtype}, which are no numbers. Save an array of "
            "floats."
        )
    needed = int(np.prod(shape, dtype="int64")) * dtype.itemsize
    size = len(data) - stream.tell()
    if size != needed:
        raise ValueError(
            f"it announces {shape} values of {dtype}, {needed} bytes, and "
            f"holds {size} bytes."
        )
    return np.load(io.BytesIO(data), allow_pickle=False)


def load_one_array(data: bytes, name: str) -> np.ndarray:
    """The array of a `.npy` file, or one of a `.npz` file.

    Args:
        data: bytes of the file.
        name: str, which array it is of a `.npz` file that holds several.

    Raises:
        ValueError: it is damaged or too large, or holds several of other names.
    """
    return load_array(_member(data, name) if data.startswith(b"PK") else data)


def _member(data, name):
    """The bytes of one array of a `.npz` file."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            names = [member.filename.removesuffix(".npy") for member in members]
            if len(names) > 1 and names.count(name) == 1:
                members = [members[names.index(name)]]
            if len(members) != 1:
                some = ", ".join(map(repr, names[:MOST_NAMED]))
                some += ", ..." * (len(names) > MOST_NAMED)
                raise ValueError(
                    f"{len(names)} arrays, one is expected, or one of them named "
                    f"{name!r}: {some or 'none'}"
                )
            check_bytes(members[0].file_size)
            check_method(members[0])
            with archive.open(members[0]) as file:
                return file.read(MAX_BYTES + 1)
    except Exception as error:  # of damaged archives, of every kind
        why = str(error).rstrip(".")
        raise ValueError(f"it is no .npz file that can be read ({why}).") from error


def check_method(member: zipfile.ZipInfo) -> None:
    """Refuses a file of an archive that is compressed in an uncommon way."""
    if member.compress_type not in METHODS:
        raise ValueError(
            "it is compressed in a way that is not read: only stored and deflated "
            "files are"
        )


def dump_array(array: np.ndarray) -> bytes:
    """The bytes of a `.npy` file."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return stream.getvalue()
