"""Checkpoint files: what PyTorch and safetensors write, and damage to it.

The files golden/read* were written by PyTorch 2.13 and safetensors from the
values that `expected` gives.
"""

import json
import pickle
import random
import struct
import zipfile

from checkpoints import check_refused, p_call, p_dict, p_storage, p_tensor, write_zip
import numpy as np
from paths import GOLDEN
import pytest

from keras_gans.convert import read

FILES = [
    "read_zip_2.pth",
    "read_zip_4.pth",
    "read_legacy_2.pth",
    "read_legacy_4.pth",
    "read.safetensors",
]


def expected(name):
    base = np.arange(24, dtype="float32")
    three = [-3, 0, 5]
    tensors = {
        "float32": base.reshape(2, 3, 4),
        "transposed": base.reshape(4, 6).T,
        "part": base[5:9],
        "scalar": np.array(3.5, "float32"),
        "empty": np.zeros((0, 3), "float32"),
        "parameter": np.ones(2, "float32"),
        "float64": np.array(three, "float64"),
        "float16": np.array(three, "float16"),
        "bfloat16": np.array(three, "float32"),
        "int64": np.array(three, "int64"),
        "int32": np.array(three, "int32"),
        "int16": np.array(three, "int16"),
        "int8": np.array(three, "int8"),
        "uint8": np.array([0, 7, 255], "uint8"),
        "bool": np.array([True, False, True]),
    }
    if name.endswith(".safetensors"):
        return tensors
    net = {
        "weight": np.ones(1, "float32"),
        "bias": np.zeros(1, "float32"),
        "running_mean": np.zeros(1, "float32"),
        "running_var": np.ones(1, "float32"),
        "num_batches_tracked": np.array(0, "int64"),
    }
    return tensors | {
        "size": (1, 2),
        "dtype": "torch.float32",
        "device": "cuda:0",
        "epoch": 7,
        "big": 2**40,
        "lr": 2e-4,
        "none": None,
        "name": "é",
        "list": [1, [2, (3, 4, 5, 6)], {}],
        5: True,
        "net": net,
    }


def check_same(got, want):
    assert type(got) is type(want)
    if isinstance(want, np.ndarray):
        assert got.dtype == want.dtype
        assert got.flags.writeable
        np.testing.assert_array_equal(got, want)
    elif isinstance(want, dict):
        assert set(got) == set(want)
        for key in want:
            check_same(got[key], want[key])
    else:
        assert got == want


@pytest.mark.parametrize("name", FILES)
def test_reads_every_type_of_tensor_and_container(name):
    got = read(GOLDEN / name)
    check_same(got, expected(name))
    if name.endswith(".pth"):
        assert list(got) == list(expected(name))


def test_format_is_told_from_the_content(tmp_path):
    for name in FILES:
        path = tmp_path / "weights.bin"
        path.write_bytes((GOLDEN / name).read_bytes())
        check_same(read(str(path)), expected(name))


def test_shared_storages_stay_shared():
    state = read(GOLDEN / "read_zip_2.pth")
    assert np.shares_memory(state["float32"], state["part"])


def test_reads_either_byte_order(tmp_path):
    body = p_dict(x=p_tensor())
    data = {"0": np.arange(4, dtype=">f4").tobytes()}
    path = write_zip(tmp_path / "a.pth", body, data, order=b"big")
    np.testing.assert_array_equal(read(path)["x"], np.arange(4.0))
    check_refused(write_zip(tmp_path / "b.pth", body, order=b"middle"), "byte order")


def test_reads_python_2_and_old_gpu_files(tmp_path):
    pair = b"](U\x01x" + p_tensor(storage=p_storage(kind="torch.cuda.FloatStorage"))
    body = p_call("collections.OrderedDict", b"](" + pair + b"ee")
    state = read(write_zip(tmp_path / "a.pth", body))
    np.testing.assert_array_equal(state["x"], np.arange(4.0))


def test_odd_zip_archives_are_refused(tmp_path):
    body = p_dict(x=p_tensor(storage=p_storage(count=2**22)))
    bomb = write_zip(
        tmp_path / "bomb.pth",
        body,
        {"0": bytes(2**24)},
        compression=zipfile.ZIP_DEFLATED,
    )
    check_refused(bomb, "compressed")
    raw = bytearray(write_zip(bomb, p_dict(x=p_tensor())).read_bytes())
    raw[raw.rindex(b"PK\x01\x02") + 10] = zipfile.ZIP_DEFLATED
    bomb.write_bytes(raw)
    check_refused(bomb, "compressed")
    other = tmp_path / "model.keras"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("config.json", "{}")
    check_refused(other, "without the data.pkl")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a/data.pkl", b"}.")
        archive.writestr("b/data.pkl", b"}.")
    check_refused(other, "without the data.pkl")
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a/data.pkl", b"}.")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a/data.pkl", b"}.")
    check_refused(other, "two entries")


def test_damaged_numbers_are_refused(tmp_path):
    raw = (GOLDEN / "read_zip_2.pth").read_bytes()
    where = raw.index(np.arange(24, dtype="<f4").tobytes())
    path = tmp_path / "a.pth"
    path.write_bytes(raw[: where + 9] + b"\x55" + raw[where + 10 :])
    check_refused(path, "check sum")
    # The check sum is 0 where PyTorch is told not to compute it.
    plain = write_zip(tmp_path / "b.pth", p_dict(x=p_tensor())).read_bytes()
    start = plain.rindex(b"PK\x01\x02")
    path.write_bytes(plain[: start + 16] + bytes(4) + plain[start + 20 :])
    np.testing.assert_array_equal(read(path)["x"], np.arange(4.0))


@pytest.mark.parametrize("name", FILES)
def test_truncated_files_are_refused(name, tmp_path):
    raw = (GOLDEN / name).read_bytes()
    path = tmp_path / name
    for tenth in range(10):
        path.write_bytes(raw[: len(raw) * tenth // 10])
        check_refused(path, "fetch it again|Expected a file")


def test_legacy_sizes_must_agree(tmp_path):
    raw = (GOLDEN / "read_legacy_2.pth").read_bytes()
    size = struct.pack("<q", 24)
    where = raw.index(size + np.arange(24, dtype="<f4").tobytes())
    path = tmp_path / "a.pth"
    for other in (-1, 0, 23, 25, 2**62):
        swapped = struct.pack("<q", other)
        path.write_bytes(raw[:where] + swapped + raw[where + 8 :])
        check_refused(path, "two sizes")
    where = raw.index(b"\x88", raw.index(b"little_endian"))
    path.write_bytes(raw[:where] + b"\x89" + raw[where + 1 :])
    check_refused(path, "big-endian")


def write_safetensors(path, header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    length = len(text) if length is None else length
    path.write_bytes(struct.pack("<Q", length) + text + data)
    return path


def entry(shape=(1,), offsets=(0, 4), dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


HEADERS = {
    "overlap": ({"a": entry(), "b": entry()}, 4, "overlap"),
    "hole": ({"a": entry(offsets=(4, 8))}, 8, "hole"),
    "spare bytes": ({"a": entry()}, 5, "should have"),
    "too few bytes": ({"a": entry()}, 3, "cut short"),
    "wrong size": ({"a": entry((2,))}, 4, "has 4 bytes"),
    "half a number": ({"a": entry((1,), (0, 3))}, 3, "has 3 bytes"),
    "reversed": ({"a": entry((1,), (4, 0))}, 4, "hole"),
    "huge shape": ({"a": entry((2**62, 2**62), (0, 4))}, 4, "has 4 bytes"),
    "huge and empty": ({"a": entry((0, 2**62, 2**62), (0, 0))}, 0, "damaged"),
    "huge offset": ({"a": entry((2**40,), (0, 2**42))}, 4, "cut short"),
    "negative shape": ({"a": entry((-1, -1))}, 4, "malformed"),
    "float offset": ({"a": entry(offsets=(0, 4.0))}, 4, "malformed"),
    "no offsets": ({"a": {"dtype": "F32", "shape": [1]}}, 4, "malformed"),
    "no entry": ({"a": 3}, 4, "malformed"),
    "strange type": ({"a": entry(dtype="F8_E4M3")}, 4, "F8_E4M3"),
    "type of a list": ({"a": entry(dtype=["F32"])}, 4, "type"),
    "no JSON": (b"{not json", 4, "damaged"),
    "nested JSON": (b'{"a":' + b"[" * 99999, 4, "damaged"),
}


@pytest.mark.parametrize("case", HEADERS)
def test_malformed_safetensors_are_refused(case, tmp_path):
    header, size, match = HEADERS[case]
    path = write_safetensors(tmp_path / "a.safetensors", header, bytes(size))
    check_refused(path, match)


@pytest.mark.parametrize("length", [3, 1000, 2**24 + 1, 2**63])
def test_safetensors_header_length_is_bounded(length, tmp_path):
    path = write_safetensors(
        tmp_path / "a.safetensors", {"a": entry()}, bytes(4), length
    )
    check_refused(path, "cut short|longer than|damaged")


def test_safetensors_header_is_bounded(tmp_path):
    header = b"{" + b" " * 2**24 + b"}"
    path = write_safetensors(tmp_path / "a.safetensors", header)
    check_refused(path, "longer than")


def test_other_files_are_named(tmp_path):
    others = {
        "empty": (b"", "empty"),
        "page": (b"\n<!DOCTYPE html><html>", "web page"),
        "pointer": (b"version https://git-lfs.github.com/spec/v1\n", "LFS"),
        "tar": (b"x".ljust(257, b"\0") + b"ustar\x0000", "tar archive"),
        "pickle": (pickle.dumps({"a": 1}), "file of torch.save"),
        "text": (b"hello", "starts with b'hello'"),
    }
    for name, (raw, match) in others.items():
        path = tmp_path / f"{name}.pth"
        path.write_bytes(raw)
        check_refused(path, match)
    check_refused(tmp_path / "missing.pth", "existing file")
    check_refused(tmp_path, "existing file")


def test_random_damage_gives_nothing_but_value_errors(tmp_path):
    rng = random.Random(0)
    files = [(GOLDEN / name).read_bytes() for name in FILES]
    path = tmp_path / "a.pth"
    refused = 0
    for i in range(300):
        raw = bytearray(files[i % len(files)])
        for _ in range(rng.choice((1, 2, 8))):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        start = raw.find(b"PK\x01\x02")
        while start >= 0:  # or the check sums find it all
            raw[start + 16 : start + 20] = bytes(4)
            start = raw.find(b"PK\x01\x02", start + 4)
        path.write_bytes(raw)
        try:
            read(path)
        except ValueError:
            refused += 1
    assert 50 < refused < 300
