"""Checkpoint files by hand, byte by byte."""

import re
import struct
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from keras_gans.convert import from_state, read

SECONDS = 10  # a slow machine takes a tenth of it; a hang takes for ever
LETTERS = 1500

# Pickles by hand, in the letters of the pickle protocol.


def p_str(text):
    return b"X" + struct.pack("<I", len(text)) + text.encode()


def p_int(value):
    raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
    return b"\x8a" + bytes([len(raw)]) + raw


def p_tuple(*items):
    return b"(" + b"".join(items) + b"t"


def p_ints(values):
    return p_tuple(*map(p_int, values))


def p_global(name):
    module, _, attribute = name.rpartition(".")
    return f"c{module}\n{attribute}\n".encode()


def p_call(name, *arguments):
    return p_global(name) + p_tuple(*arguments) + b"R"


def p_dict(**items):
    pairs = b"".join(p_str(key) + value for key, value in items.items())
    return b"}(" + pairs + b"u"


def p_storage(key="0", count=4, kind="torch.FloatStorage"):
    tag = p_tuple(
        p_str("storage"), p_global(kind), p_str(key), p_str("cpu"), p_int(count)
    )
    return tag + b"Q"


def p_tensor(size=(4,), stride=(1,), offset=0, storage=None):
    return p_call(
        "torch._utils._rebuild_tensor_v2",
        storage or p_storage(),
        p_int(offset),
        p_ints(size),
        p_ints(stride),
        b"\x89",
        p_call("collections.OrderedDict"),
    )


def write_zip(path, body, data=None, order=None, **kwargs):
    """A file of torch.save around the pickle `body`."""
    entries = {"a/data.pkl": b"\x80\x02" + body + b"."}
    if order:
        entries["a/byteorder"] = order
    if data is None:
        data = {"0": np.arange(4, dtype="<f4").tobytes()}
    entries |= {f"a/data/{key}": raw for key, raw in data.items()}
    with zipfile.ZipFile(path, "w", **kwargs) as archive:
        for name, raw in entries.items():
            archive.writestr(name, raw)
    return path


def check_refused(path, match, memory=2**20):
    """Refused with the path, in little time and memory."""
    tracemalloc.start()
    start = time.perf_counter()
    try:
        with pytest.raises(ValueError, match=match) as caught:
            read(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    # A slow machine takes seconds; what is guarded against takes hours.
    assert time.perf_counter() - start < 20
    assert peak < memory


def check_bounded(path):
    """It is read, or refused in a few lines, soon; `True` where it is read."""
    begun = time.process_time()
    try:
        from_state(read(path))
    except ValueError as error:
        message = str(error).replace(str(path), "")
        assert len(message) < LETTERS, message[:300]
    else:
        message = ""
    assert time.process_time() - begun < SECONDS, path
    return re.sub(r".*Cannot read '[^']*'|[\d'\"].*", "", message)
