"""Pickles that attack their reader: none may run, hang or fill memory."""

import os
import pickle
import struct
import tracemalloc

from checkpoints import (
    check_refused,
    p_call,
    p_dict,
    p_global,
    p_int,
    p_storage,
    p_str,
    p_tensor,
    p_tuple,
    write_zip,
)
from paths import GOLDEN
import pytest

from keras_gans.convert import read


def test_huge_memo_index_takes_no_memory(tmp_path):
    path = write_zip(tmp_path / "a.pth", p_dict(x=b"Nr\xff\xff\xff\xff"))
    tracemalloc.start()
    try:
        assert read(path) == {"x": None}
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("writer", ["zip", "legacy"])
def test_no_code_of_the_file_runs(tmp_path, writer):
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {marker}",)

    body = pickle.dumps({"x": Evil()}, protocol=2)
    path = tmp_path / "evil.pth"
    if writer == "zip":
        write_zip(path, body[2:-1])
    else:
        legacy = (GOLDEN / "read_legacy_2.pth").read_bytes()
        start = legacy.index(b"\x80\x02ccollections")
        path.write_bytes(legacy[:start] + body + legacy[start:])
    check_refused(path, r"system.*torch\.save\(model\.state_dict\(\)")
    assert not marker.exists()


HOSTILE = {
    "stride bomb": (p_tensor((2**20, 2**20), (0, 0)), "does not fit"),
    "repeated rows": (p_tensor((2, 4), (0, 1)), "does not fit"),
    "past the end": (p_tensor((4,), (1,), offset=1), "does not fit"),
    "negative stride": (p_tensor((2,), (-1,), offset=3), "must be counts"),
    "negative size": (p_tensor((-1,), (1,)), "must be counts"),
    "negative offset": (p_tensor(offset=-1), "must be counts"),
    "too many axes": (p_tensor((1,) * 33, (1,) * 33), "must be counts"),
    "axes differ": (p_tensor((1, 1), (1,)), "must be counts"),
    "huge storage": (p_tensor(storage=p_storage(count=2**40)), "smaller than"),
    "longer storage": (p_tensor(storage=p_storage(count=5)), "needs 20 bytes"),
    "absent storage": (p_tensor(storage=p_storage("9")), "lacks the data"),
    "path as key": (p_tensor(storage=p_storage("../../x")), "lacks the data"),
    "two types": (p_tuple(p_tensor(), p_storage(kind="torch.IntStorage")), "two types"),
    "bare storage": (p_storage(), "keeps a Storage"),
    "bare global": (p_global("torch.Size"), "keeps a 'torch.Size'"),
    "tensor of an array": (p_tensor(storage=p_tensor()), "no view"),
    "complex bits": (p_tensor()[:-2] + p_dict(conj=b"\x88") + b"tR", "no view"),
    "other id": (p_str("x") + b"Q", "outside of it"),
    "text id": (b"Pmodule\n", "instruction PERSID"),
    "module": (p_global("my.model.Generator"), "my.model.Generator"),
    "stack global": (p_str("os") + p_str("system") + b"\x93", "os.system"),
    "sneaky name": (p_str("torch") + p_str("Size.x") + b"\x93", "Size.x"),
    "call of a value": (p_tuple() + p_tuple() + b"R", "calls a tuple"),
    "call of a dtype": (p_call("torch.float32"), "calls a str"),
    "call of a storage": (p_call("torch.FloatStorage"), "FloatStorage"),
    "too few arguments": (p_call("torch.device"), "0 arguments"),
    "object": (p_global("torch.Size") + p_tuple() + b"\x81", "NEWOBJ"),
    "attributes": (b"}" + p_dict(evil=b"N") + b"b", "sets attributes"),
    "attributes of a list": (b"]" + b"}b", "sets attributes"),
    "long integer": (b"\x8b" + struct.pack("<i", 4) + b"abcd", "LONG4"),
    "set": (b"\x8f", "EMPTY_SET"),
    "extension": (b"\x82\x01", "EXT1"),
    "tuple as key": (b"}" + p_tuple() + b"Ns", "tuple as a key"),
    "array as key": (b"}" + p_tensor() + b"Ns", "ndarray as a key"),
    "nested tuple key": (b"}" + b")" + b"\x85" * 9999 + b"Ns", "as a key"),
    "colliding keys": (
        b"}(" + b"".join(p_int(i * (2**61 - 1)) + b"N" for i in range(9)) + b"u",
        "int as a key",
    ),
    "list in itself": (b"]q\x00h\x00a", "nests deeper"),
    "dict in itself": (b"}q\x00" + p_str("x") + b"h\x00s", "nests deeper"),
    "deep": (b"]" * 5000 + b"a" * 4999, "nests deeper"),
    "doubling": (
        b")" + b"".join(b"q%ch%c\x86" % (i, i) for i in range(1, 60)),
        "too often",
    ),
    "copied items": (
        b"]("
        + b"N" * 2000
        + b"eq\x00"
        + p_tuple(p_call("collections.OrderedDict", b"](" + b"h\x00" * 2000 + b"e")),
        "other than pairs",
    ),
    "odd items": (b"}(N", "never gave|without a value|does not end"),
    "odd pair": (b"}(Nu", "without a value"),
    "empty stack": (b"0", "instruction POP"),
    "too early": (b"\x86", "never gave"),
    "no mark": (b"t", "never set"),
    "unknown memo": (b"h\x07", "never kept"),
    "list as dict": (b"]NNs", "adds items to a list"),
    "dict as list": (b"}Na", "adds items to a dict"),
    "unknown letter": (b"\xff", "opcode"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_pickles_are_refused(case, tmp_path):
    value, match = HOSTILE[case]
    body = b"}" + p_str("x") + value + b"s"
    check_refused(write_zip(tmp_path / "a.pth", body), match)


def test_long_pickles_are_refused(tmp_path):
    pairs = b"](" + b"](NNe" * 3000 + b"eq\x00"
    calls = (p_global("collections.OrderedDict") + b"(h\x00tR") * 2000
    path = write_zip(tmp_path / "a.pth", b"](" + pairs + calls + b"e")
    check_refused(path, "steps", memory=2**24)


def test_pickle_must_hold_a_dict(tmp_path):
    check_refused(write_zip(tmp_path / "a.pth", b"}}"), "not end in one value")
    check_refused(write_zip(tmp_path / "a.pth", p_tensor()), "not a dict")
