"""Checkpoint files as dicts of numpy arrays, without the code that wrote them.

Nothing in a file is run, no name in it is used as a path, and what is
allocated is bounded by the size of the file.
"""

import errno
import io
import json
import math
import os
import struct
from typing import Any
import zipfile
import zlib

from keras_gans.convert.readers import pickles, snapshots
from keras_gans.convert.readers.storages import (
    Refused,
    Storage,
    is_count,
    is_shape,
    item_size,
)
from keras_gans.convert.readers.tensorflow_checkpoints import read_index
from keras_gans.utils.text import brief
from keras_gans.utils.types import Path

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_LEGACY_PROTOCOL = 1001
_LEGACY_MARK = b"\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."  # the magic, as pickled
_MAX_HEADER = 16 * 2**20  # of safetensors: about 150,000 tensors
_SAFETENSORS_DTYPES = {
    "F64": "float64",
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "I64": "int64",
    "I32": "int32",
    "I16": "int16",
    "I8": "int8",
    "U64": "uint64",
    "U32": "uint32",
    "U16": "uint16",
    "U8": "uint8",
    "BOOL": "bool",
}
_DAMAGE = (
    ValueError,  # also of json, pickletools and text decoding
    DeprecationWarning,  # of pickletools, where warnings are errors
    EOFError,
    NotImplementedError,  # zip versions to come
    OverflowError,
    RecursionError,
    struct.error,
    zipfile.BadZipFile,
)


def read(path: Path) -> dict[str, Any]:
    """Reads a checkpoint file into plain containers and numpy arrays.

    PyTorch's `.pth` and `.pt` (zip archives, and the older run of pickles) and
    `.safetensors` are read, and the `.pkl` snapshots of StyleGAN2 (of PyTorch and
    TensorFlow), StyleGAN3 and R3GAN: their networks as state dicts by name, "G",
    "D" and "G_ema". They are told apart by content. Neither PyTorch nor
    TensorFlow is needed. A TensorFlow checkpoint is read by its ".index" file, and
    by TensorFlow.
    Tensors that share memory in the file share it in the result. bfloat16
    becomes float32.

    Args:
        path: Path of the file.

    Returns:
        Dict in the order of the file. Values are numpy arrays, numbers,
        strings, None, or dicts, lists and tuples of these.

    Raises:
        ValueError: If the file is missing, damaged or of another format, or
            if it holds anything but tensors and plain containers.

    Example:

    ```python
    import os
    import tempfile

    from keras_gans.convert import read

    path = os.path.join(tempfile.mkdtemp(), "one.safetensors")
    header = b'{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    with open(path, "wb") as file:
        file.write(len(header).to_bytes(8, "little") + header + bytes(4))
    state = read(path)  # {"x": array([0.], dtype=float32)}
    ```
    """
    path = os.fspath(path)
    if not os.path.isfile(path):
        raise ValueError(
            f"`path` must be that of an existing file. Received: path={path!r}."
        )
    if path.endswith(".index"):
        return read_index(path)
    try:
        with open(path, "rb") as file:
            return _read(_Source(file, os.path.getsize(path)))
    except Refused as error:
        raise ValueError(f"Cannot read {path!r}. {error}") from error
    except _DAMAGE as error:
        raise ValueError(
            f"Cannot read {path!r}. It is damaged or cut short; fetch it "
            f"again. {type(error).__name__}: {brief(str(error), 200)}"
        ) from error


class _Source:
    """A file that never allocates more than it holds, however much is asked."""

    def __init__(self, file, size):
        self.file = file
        self.size = size

    def read(self, count):
        return self.file.read(min(count, self.size - self.file.tell()))

    def readline(self):
        return self.file.readline(self.size)

    def seek(self, place):
        if not 0 <= place <= self.size:
            raise Refused("It points beyond its end; fetch it again.")
        self.file.seek(place)

    def exactly(self, count):
        raw = self.read(count)
        if len(raw) != count:
            raise Refused("It is cut short; fetch it again.")
        return raw


class _Storages(dict):
    """Storages by key, of no more bytes together than the file has."""

    def __init__(self, limit):
        super().__init__()
        self.left = limit

    def claim(self, dtype, key, size):
        if key not in self:
            self.left -= size * item_size(dtype)
            if self.left < 0:
                raise Refused(
                    "It is smaller than the tensors that it names: it is "
                    "damaged or cut short; fetch it again."
                )
            self[key] = Storage(dtype, size)
        storage = self[key]
        if (storage.dtype, storage.array.size) != (dtype, size):
            raise Refused(f"Storage {key[:80]!r} has two types or sizes.")
        return storage


def _read(source):
    head = source.read(512)
    source.file.seek(0)
    if head.startswith(b"PK\x03\x04"):
        state = _read_zip(source)
    elif head[:1] == b"\x80" and _LEGACY_MARK in head[:32]:
        state = _read_legacy(source)
    elif head[:1] == b"\x80":
        state = snapshots.load(source, _nested)
    elif head[8:9] == b"{":
        state = _read_safetensors(source)
    else:
        raise Refused(_what_else(head))
    if type(state) is not dict:
        raise Refused(
            f"It holds a {type(state).__name__}, not a dict of tensors. Save "
            "it with torch.save(model.state_dict(), path)."
        )
    return state


def _what_else(head):
    """Says what a file that is no checkpoint looks like."""
    text = head.lstrip().lower()
    if not head:
        guess = "It is empty; fetch it again."
    elif text.startswith(b"<"):
        guess = "It is a web page: the link it came from needs a browser."
    elif text.startswith(b"version https://git-lfs"):
        guess = "It is a Git LFS pointer: run `git lfs pull` where it lies."
    elif head[257:262] == b"ustar":
        guess = (
            "It is a tar archive, as PyTorch wrote before version 0.1.10: load "
            "and save it again with a newer PyTorch."
        )
    else:
        guess = f"It starts with {head[:16]!r}."
    return (
        f"{guess} Expected a file of torch.save (zip or legacy), safetensors, or a "
        "snapshot (.pkl)."
    )


def _read_zip(source):
    try:
        with zipfile.ZipFile(source.file) as archive:
            infos = archive.infolist()
    except OSError as error:
        if error.errno != errno.EINVAL:  # of a place that is in no file
            raise
        raise Refused("Its zip directory points astray; fetch it again.") from error
    entries = {info.filename: info for info in infos}
    if len(entries) != len(infos):
        raise Refused("It is a zip archive with two entries of one name.")
    tops = [
        name.removesuffix("/data.pkl")
        for name in entries
        if name.endswith("/data.pkl") and name.count("/") == 1
    ]
    if len(tops) != 1:
        raise Refused("It is a zip archive, but without the data.pkl of torch.save.")
    order = "<"
    if f"{tops[0]}/byteorder" in entries:
        order = _byte_order(_entry(source, entries[f"{tops[0]}/byteorder"]))
    pickle = io.BytesIO(_entry(source, entries[f"{tops[0]}/data.pkl"]))
    storages = _Storages(source.size)
    state = pickles.load(pickle, storages.claim)
    for key, storage in storages.items():
        name = f"{tops[0]}/data/{key}"
        if name not in entries:
            raise Refused(f"It lacks the data of storage {key[:80]!r}.")
        storage.fill(_entry(source, entries[name]), order)
    return state


def _entry(source, info):
    """The bytes of one entry, found by its place in the file."""
    if (
        info.compress_type != zipfile.ZIP_STORED
        or info.compress_size != info.file_size
        or info.flag_bits & 1
    ):
        raise Refused(
            "It is a zip archive with compressed or encrypted entries: "
            "torch.save writes neither."
        )
    source.seek(info.header_offset)
    header = source.exactly(30)
    if header[:4] != b"PK\x03\x04":
        raise Refused("Its zip directory points astray; fetch it again.")
    source.exactly(sum(struct.unpack("<HH", header[26:])))  # name, extra
    raw = source.exactly(info.file_size)
    # PyTorch leaves 0 where it is told not to compute the check sum.
    if info.CRC not in (0, zlib.crc32(raw)):
        raise Refused("A check sum in it does not hold; fetch it again.")
    return raw


def _byte_order(raw):
    if raw not in (b"little", b"big"):
        raise Refused(f"Its byte order is {raw[:16]!r}, not little or big.")
    return "<" if raw == b"little" else ">"


def _nested(raw):
    """The storage that a pickle of modules holds as bytes: a file in a file."""
    storage = _read_legacy(_Source(io.BytesIO(raw), len(raw)), plain=False)
    if type(storage) is not Storage:
        raise Refused("It holds bytes that are no storage of a tensor.")
    return storage


def _read_legacy(source, plain=True):
    """Five pickles, then (count, numbers) of each storage in turn."""
    storages = _Storages(source.size)
    magic, protocol, system, state, keys = (
        pickles.load(source, storages.claim, plain) for _ in range(5)
    )
    if (magic, protocol) != (_LEGACY_MAGIC, _LEGACY_PROTOCOL):
        raise Refused(f"Its protocol is {brief(protocol)}, not {_LEGACY_PROTOCOL}.")
    if type(system) is not dict or system.get("little_endian") is not True:
        raise Refused("It was written on a big-endian machine.")
    if (
        type(keys) is not list
        or len(keys) != len(storages)
        or not all(map(pickles.is_name, keys))
        or set(keys) != set(storages)
    ):
        raise Refused("Its list of storages is not that of its tensors.")
    for key in keys:
        storage = storages[key]
        (count,) = struct.unpack("<q", source.exactly(8))
        if count != storage.array.size:
            raise Refused(f"Storage {key[:80]!r} has two sizes.")
        storage.fill(source.exactly(storage.file_bytes))
    return state


def _read_safetensors(source):
    """The length of a JSON header, the header, then the numbers."""
    length = int.from_bytes(source.exactly(8), "little")
    if length > _MAX_HEADER:
        raise Refused(f"Its header of {length} bytes is longer than {_MAX_HEADER}.")
    header = json.loads(source.exactly(length))
    if type(header) is not dict:
        raise Refused("Its header is not a JSON object.")
    header.pop("__metadata__", None)
    start = 8 + length
    state = dict.fromkeys(header)
    end = 0
    for name, entry in sorted(header.items(), key=lambda item: _offsets(*item)):
        begin, stop = _offsets(name, entry)
        if begin != end:
            raise Refused(f"The data of {name[:80]!r} overlap or leave a hole.")
        end = stop
        state[name] = _safetensor(source, name, entry, start + begin)
    if start + end != source.size:
        raise Refused(
            f"It should have {start + end} bytes and has {source.size}; fetch it again."
        )
    return state


def _offsets(name, entry):
    """Where a tensor begins and ends in the data, checked with its entry."""
    if (
        type(entry) is not dict
        or type(entry.get("data_offsets")) is not list
        or len(entry["data_offsets"]) != 2
        or not all(map(is_count, entry["data_offsets"]))
        or not is_shape(entry.get("shape"))
    ):
        raise Refused(f"The entry of {name[:80]!r} in its header is malformed.")
    return tuple(entry["data_offsets"])


def _safetensor(source, name, entry, start):
    begin, stop = entry["data_offsets"]
    dtype = entry.get("dtype")
    if type(dtype) is not str or dtype not in _SAFETENSORS_DTYPES:
        raise Refused(
            f"Tensor {name[:80]!r} is of type {brief(dtype, 20)!r}. Expected "
            f"one of {', '.join(_SAFETENSORS_DTYPES)}."
        )
    dtype = _SAFETENSORS_DTYPES[dtype]
    size, odd = divmod(stop - begin, item_size(dtype))
    shape = entry["shape"]
    if odd or size != math.prod(shape):
        raise Refused(
            f"Tensor {name[:80]!r} of shape {brief(shape)} has {stop - begin} bytes."
        )
    source.seek(start)
    raw = source.exactly(stop - begin)
    storage = Storage(dtype, size)
    storage.fill(raw)
    return storage.array.reshape(shape)
