"""Small files of much structure: shared nodes, long names, deep nesting.

Whatever a file holds, it is read or refused in time that grows as the file, and
with a message that fits on a screen.
"""

import itertools
import json
import pickle
import random
import struct
import time
import zipfile

from checkpoints import (
    LETTERS,
    SECONDS,
    check_bounded,
    check_refused,
    p_call,
    p_dict,
    p_int,
    p_ints,
    p_storage,
    p_str,
    p_tuple,
    write_zip,
)
from paths import GOLDEN
import pytest

from keras_gans.convert import convert_file, from_state, read
from keras_gans.convert.readers.pickles import MAX_NAME
from keras_gans.utils.suggestions import hint

LONG = p_str("a" * 2**20) + b"q\x00"  # and once more for each `h\x00`


def p_shared(levels, width=10):
    """Lists of the same ten lists, of few bytes and `width ** levels` leaves."""
    out = b"]q\x01"
    for i in range(1, levels + 1):
        more = (b"h" + bytes([i])) * (width - 1)
        out = b"](" + out + more + b"eq" + bytes([i + 1])
    return out


def p_rebuilt(offset=b"K\x00", size=b"(K\x04t", stride=b"(K\x01t", storage=None):
    hooks = p_call("collections.OrderedDict")
    arguments = (storage or p_storage(), offset, size, stride, b"\x89", hooks)
    return p_call("torch._utils._rebuild_tensor_v2", *arguments)


def write_legacy(path, protocol, state=b"}.", keys=b"]."):
    magic = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
    system = pickle.dumps({"little_endian": True}, 2)
    parts = magic, b"\x80\x02" + protocol, system, b"\x80\x02" + state
    path.write_bytes(b"".join(parts) + b"\x80\x02" + keys)
    return path


def write_safetensors(path, header):
    """A file of one byte of data behind a header."""
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"x")
    return path


REPEATED = b"(" + LONG + b"h\x00" * 3000 + b"t"


@pytest.mark.parametrize(
    "value",
    [
        p_rebuilt(size=p_shared(12)),
        p_rebuilt(offset=p_shared(12)),
        p_rebuilt(stride=p_shared(12)),
        p_rebuilt(size=REPEATED),
        # A device of 1 MB in each of 3,000 items.
        b"](" + LONG + p_call("torch.device", b"h\x00", b"K\x01") * 3000 + b"e",
        p_call("torch.Size", p_shared(12)),
        b"}(" + LONG + b"N" + b"h\x00N" * 3000 + b"ub",
    ],
)
def test_nested_values_are_refused_at_once(value, tmp_path):
    body = b"}(" + p_str("x") + value + b"u"
    check_refused(write_zip(tmp_path / "a.pth", body), "pickle|counts", memory=2**25)


def test_a_nested_protocol_is_refused_at_once(tmp_path):
    for value in (p_shared(12), b"](" + LONG + b"h\x00" * 4000 + b"e"):
        path = write_legacy(tmp_path / "a.pth", value + b".")
        check_refused(path, "Its protocol is|too often", memory=2**25)


def test_a_value_beside_tensors_is_told_in_short(tmp_path):
    for value in (p_shared(4), b"](" + LONG + b"h\x00" * 4000 + b"e"):
        body = b"}(" + p_str("a") + p_rebuilt() + p_str("b") + value + b"u"
        state = read(write_zip(tmp_path / "a.pth", body))
        with pytest.raises(ValueError, match="'b' must be an array") as caught:
            from_state(state)
        assert len(str(caught.value)) < LETTERS


def test_long_keys_are_compared_never(tmp_path):
    """Two equal texts that are not one object: each comparison reads both."""
    long = p_str("a" * 2**20)
    twice = b"(" + long + b"q\x00" + long + b"q\x01" + b"0" * 2
    path = write_zip(tmp_path / "a.pth", b"}" + twice + b"h\x00Nsh\x01Ns")
    check_refused(path, "pickle", memory=2**25)
    body = b"}(" + long + b"Nu"
    check_refused(write_zip(tmp_path / "b.pth", body), f"than {MAX_NAME}", memory=2**25)
    keys = b"](" + long + b"q\x00" + b"h\x00" * 10**5 + b"e."
    path = write_legacy(tmp_path / "c.pth", pickle.dumps(1001, 2)[2:], keys=keys)
    check_refused(path, "list of storages", memory=2**25)


def test_many_views_of_one_storage_are_refused(tmp_path):
    """Each must be looked at for values that are not finite."""
    count, size = 2**18, 100
    storage = p_storage(count=count) + b"q\x01"
    shape = p_ints((count,)) + b"q\x02"
    items = p_str("0") + p_rebuilt(b"K\x00", shape, b"(K\x01t", storage)
    for i in range(1, size):
        items += p_str(str(i)) + p_rebuilt(b"K\x00", b"h\x02", b"(K\x01t", b"h\x01")
    data = {"0": bytes(4 * count)}
    path = write_zip(tmp_path / "a.pth", b"}(" + items + b"u", data)
    check_refused(path, "More than 64 tensors share", memory=2**24)


@pytest.mark.parametrize("place", [2**40, 2**63 - 1, 2**63, 2**64 - 1])
def test_places_beyond_the_end_are_refused(place, tmp_path):
    """Of an entry, in the directory of a zip archive of 64 bits."""
    path = write_zip(tmp_path / "a.pth", b"}")
    raw = bytearray(path.read_bytes())
    start = raw.index(b"PK\x01\x02")
    assert raw[start + 30 : start + 32] == b"\0\0"  # no extra field
    struct.pack_into("<H", raw, start + 30, 12)
    struct.pack_into("<L", raw, start + 42, 0xFFFFFFFF)
    name = start + 46 + struct.unpack_from("<H", raw, start + 28)[0]
    raw[name:name] = struct.pack("<HHQ", 1, 8, place)
    end = raw.index(b"PK\x05\x06")
    (length,) = struct.unpack_from("<L", raw, end + 12)
    struct.pack_into("<L", raw, end + 12, length + 12)
    path.write_bytes(raw)
    check_refused(path, "points|damaged")


@pytest.mark.parametrize("start", ["conv1.", "convs.", "model.", "ups.", "features."])
def test_long_names_take_linear_time(start, tmp_path):
    entry = {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]}
    for tail in ("1", ".", "attn", "1."):
        name = start + tail * (2**20 // len(tail))
        path = write_safetensors(tmp_path / "a.safetensors", {name: entry})
        begun = time.process_time()
        with pytest.raises(ValueError, match="It seems to be") as caught:
            convert_file(path, tmp_path / "made")
        assert time.process_time() - begun < SECONDS
        assert len(str(caught.value)) < LETTERS


def test_long_words_have_no_nearest():
    begun = time.process_time()
    assert hint("ab" * 10**6, ["ab" * 10**6, "abc"]) == ""
    assert hint("abd", ["ab" * 10**6, "abc"]) == " Did you mean abc?"
    assert time.process_time() - begun < SECONDS


def test_networks_of_thousands_of_blocks_are_refused(tmp_path):
    one = {"dtype": "U8", "shape": [1, 1, 1, 1]}
    deep = [f"model.model{'.1.model' + '.3.model' * i}.1.weight" for i in range(200)]
    names = {
        "unet": ["model.model.0.weight", "model.model.3.weight", *deep],
        "resnet": [f"model.{n}.weight" for n in (1, 4, 7, 999)],
        "patches": [f"model.{n}.weight" for n in (0, 2, 999)],
        "mimicry": [f"block{i % 9 + 1}.{i}.c1.weight" for i in range(2000)],
        "critic": ["block1.c1.weight", *(f"block1.{i}.c1.weight" for i in range(2000))],
    }
    for kind in names:
        header = {n: {**one, "data_offsets": [0, 0]} for n in names[kind]}
        for i, entry in enumerate(header.values()):
            entry["data_offsets"] = [i, i + 1]
        path = write_safetensors(tmp_path / f"{kind}.safetensors", header)
        with path.open("ab") as file:
            file.write(bytes(len(header) - 1))
        begun = time.process_time()
        with pytest.raises(ValueError):
            from_state(read(path))
        assert time.process_time() - begun < SECONDS, kind


# --- Structure at random ---


class Pickles:
    """Pickles of random structure, most of them as `torch.save` might write."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.memo = 0
        self.left = 500  # values

    def value(self, depth=0):
        """A value, one that was kept, or one that holds others."""
        choose = self.random.random()
        if self.memo and choose < 0.25:
            return b"j" + struct.pack("<I", self.random.randrange(self.memo))
        self.left -= 1
        if self.left < 0 or depth > self.random.choice((2, 5, 80)) or choose < 0.4:
            return self.leaf()
        many = self.random.choice((0, 1, 2, 3, 20))
        items = [self.value(depth + 1) for _ in range(many)]
        kind = self.random.choice("ldtTosd")
        if kind == "l":
            made = b"](" + b"".join(items) + b"e"
        elif kind == "d":
            made = b"}(" + b"".join(self.key() + item for item in items) + b"u"
        elif kind == "t":
            made = b"(" + b"".join(items) + b"t"
        elif kind == "o":
            pairs = b"](" + b"".join(p_tuple(self.key(), i) for i in items) + b"e"
            made = p_call("collections.OrderedDict", pairs)
        elif kind == "s":
            made = p_call("torch.device", *items[:2])
        else:
            made = self.tensor(depth)
        return self.kept(made)

    def kept(self, made):
        self.memo += 1
        return made + b"r" + struct.pack("<I", self.memo - 1)

    def leaf(self):
        leaves = (
            lambda: p_int(self.random.choice((0, 1, 4, -1, 2**31, 2**2000))),
            lambda: self.kept(p_str("é" * self.random.choice((0, 9, 10**5)))),
            lambda: self.random.choice((b"N", b"\x88", b"\x89", b")", b"]", b"}")),
            lambda: b"G" + struct.pack(">d", self.random.choice((0.5, float("nan")))),
            p_rebuilt,
        )
        return self.random.choice(leaves)()

    def key(self):
        names = (
            "main.0.weight",
            "model.1.weight",
            "state_dict",
            "x." * 1500,
            "y" * 9999,
        )
        usual = p_str(self.random.choice(names[:3]) + str(self.random.randrange(9)))
        odd = (lambda: p_str(self.random.choice(names)), self.leaf)
        return usual if self.random.random() < 0.9 else self.random.choice(odd)()

    def tensor(self, depth):
        """A tensor of which one argument in four is anything."""

        def or_any(usual):
            return self.value(depth + 1) if self.random.random() < 0.25 else usual

        sizes = self.random.choice(((4,), (2, 2), (1,) * 31, (0, 2**70), ()))
        return p_rebuilt(
            or_any(p_int(self.random.choice((0, 0, 1, 2**64)))),
            or_any(p_ints(sizes)),
            or_any(p_ints([1] * len(sizes))),
            or_any(p_storage(self.random.choice(("0", "0", "1", "k" * 5000)))),
        )


def random_header(seed):
    """A header of safetensors in which much is right."""
    chosen = random.Random(seed)
    nested = [0]
    for _ in range(chosen.choice((1, 50, 900))):
        nested = [nested, chosen.random()]
    odd = (nested, "x" * 10**5, 2**3000, -1, None, {"a": nested}, 1.5, True)

    def or_odd(usual):
        return chosen.choice(odd) if chosen.random() < 0.1 else usual

    header, end = {}, 0
    for i in range(chosen.choice((1, 3, 200))):
        name = chosen.choice(("main.%d.weight", "model.%d.bias", "z" * 10**4 + "%d"))
        sizes = chosen.choice(([1], [1, 1, 1, 1], [0, 5]))
        stop = end + (0 if 0 in sizes else 1)
        header[name % i] = or_odd(
            {
                "dtype": or_odd("U8"),
                "shape": or_odd(sizes),
                "data_offsets": or_odd([end, or_odd(stop)]),
            }
        )
        end = stop
    return header


def files_at_random(folder, seeds):
    """Files of every format, with a name that tells the seed."""
    for seed in seeds:
        made = Pickles(seed)
        body = b"}(" + b"".join(made.key() + made.value() for _ in range(3)) + b"u"
        data = {"0": bytes(16)}
        yield write_zip(folder / f"{seed}.zip.pth", body, data)
        keys = pickle.dumps(["0"], 2)[2:]
        protocol = pickle.dumps(1001, 2)[2:]
        path = folder / f"{seed}.legacy.pth"
        yield write_legacy(path, protocol, body + b".", keys)
        path = folder / f"{seed}.safetensors"
        yield write_safetensors(path, random_header(seed))


def check_at_random(folder, seeds):
    met = set()
    for path in files_at_random(folder, seeds):
        met.add(check_bounded(path))
        path.unlink()
    return met


@pytest.mark.full
def test_structure_at_random(tmp_path):
    met = check_at_random(tmp_path, range(150))
    assert len(met) > 15  # many kinds of message: the fuzzing reaches the depths


@pytest.mark.full
def test_more_structure_at_random(tmp_path):
    check_at_random(tmp_path, range(1000, 11_000))


@pytest.mark.full
def test_golden_files_with_bytes_of_others(tmp_path):
    """Parts of real files in each other's place, directory entries among them."""
    names = ("read_zip_2.pth", "read_legacy_2.pth", "read.safetensors")
    raws = [(GOLDEN / name).read_bytes() for name in names]
    for seed, raw in itertools.product(range(1500), raws):
        chosen = random.Random(f"{seed}{len(raw)}")
        made = bytearray(raw)
        for _ in range(chosen.randrange(1, 5)):
            other = chosen.choice(raws)
            start, place = chosen.randrange(len(other)), chosen.randrange(len(made))
            count = chosen.choice((1, 4, 8, 60))
            made[place : place + chosen.choice((0, count))] = other[
                start : start + count
            ]
        path = tmp_path / "a.pth"
        path.write_bytes(made)
        check_bounded(path)


def test_zip_files_are_still_read(tmp_path):
    """What PyTorch writes of the widest kind: shared, nested, of long names."""
    items = {f"net.{'a' * 2000}{i}": p_rebuilt() for i in range(50)}
    path = write_zip(tmp_path / "a.pth", p_dict(**items))
    assert zipfile.is_zipfile(path) and len(read(path)) == 50
