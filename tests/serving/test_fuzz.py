"""Requests of nonsense: each is answered, by a 4xx that names the fault."""

import json
import os
import pathlib
import re
import socket
import subprocess
import sys
import threading

import grpc
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
import numpy as np
from paths import ROOT
import pytest
import served
from test_served_grpc import PREDICT, asking
from test_served_rest import b64, bomb, png

FEW, MANY = 100, 5000  # of each protocol
NAMES = st.sampled_from(["seed", "z", "label", "image_bytes", "t", "name", "", "b64"])
SIGNATURES = st.sampled_from(
    ["serving_default", "generate", "brighten", "alone", "", "none", 3, None]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.integers(0, 9)
    | st.floats(allow_nan=True, allow_infinity=True)
    | st.text(max_size=9)
    | st.binary(max_size=9).map(b64)
    | st.sampled_from([b64(bomb(40000, 40000)), b64(png(2, 2)), b64(png(9, 9)[:50])])
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=3)
    ),
    max_leaves=12,
)
BODIES = st.fixed_dictionaries(
    {}, optional={"signature_name": SIGNATURES, "instances": VALUES, "inputs": VALUES}
) | st.fixed_dictionaries(
    {"signature_name": SIGNATURES, "inputs": st.dictionaries(NAMES, VALUES)}
)
# The right names with values that may be right.
RIGHT = {
    "serving_default": ("seed",),
    "generate": ("z", "label"),
    "brighten": ("image_bytes",),
    "alone": ("t", "name"),
}
NUMBERS = st.integers(-3, 12) | st.floats(width=32) | LEAVES
ROWS = {
    "seed": st.integers(-(2**63), 2**63 - 1) | LEAVES,
    "z": st.lists(NUMBERS, min_size=1, max_size=3) | LEAVES,
    "label": st.integers(-3, 12) | LEAVES,
    "image_bytes": st.sampled_from([b64(png(3, 2)), b64(png(4, 4)[:70])]) | LEAVES,
    "t": NUMBERS,
    "name": st.text(max_size=5) | LEAVES,
}


def near(signature):
    """Bodies that ask for a signature by the names that it has."""
    names = RIGHT[signature]
    row = st.fixed_dictionaries({name: ROWS[name] for name in names})
    columns = {name: st.lists(ROWS[name], max_size=3) | ROWS[name] for name in names}
    said = st.just(signature)
    return st.fixed_dictionaries(
        {"signature_name": said, "instances": st.lists(row, max_size=3)}
    ) | st.fixed_dictionaries(
        {"signature_name": said, "inputs": st.fixed_dictionaries(columns)}
    )


TEXTS = (
    st.sampled_from(sorted(RIGHT)).flatmap(near).map(lambda b: json.dumps(b).encode())
    | BODIES.map(lambda body: json.dumps(body).encode())
    | VALUES.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=200)
    | st.tuples(BODIES, st.integers(1, 30)).map(
        lambda pair: json.dumps(pair[0]).encode()[: -pair[1]]
    )
    | st.integers(1, 20000).map(lambda n: b'{"inputs": ' + b"[" * n)
)
PREDICTS = ("pictures", "none", "pictures/versions/9", "other/labels/x", "a:b")
PATHS = st.sampled_from([f"/v1/models/{name}:predict" for name in PREDICTS]) | st.text(
    st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=30
).map(lambda text: "/" + text.replace("?", "").replace("#", ""))
ARRAYS = st.sampled_from(
    [np.arange(3), np.arange(300), np.float32([np.nan]), np.zeros((0, 2), "int32")]
    + [np.array([b"x", png(2, 2)]), np.float32(3), np.zeros((2, 2), "float16")]
    + [np.array([bomb(50000, 9000)]), np.array(["a"]), np.array([True])]
)
NEAR_ARRAYS = {
    "seed": st.sampled_from([np.arange(3), np.arange(300), np.int64(3), np.zeros(0)]),
    "z": st.sampled_from(
        [np.float32([[1, 2]]), np.float32([[np.inf, 1]]), np.zeros((0, 2), "float32")]
    ),
    "label": st.sampled_from([np.int32([3]), np.int32([30]), np.int32([1, 2])]),
    "image_bytes": st.sampled_from(
        [np.array([png(2, 2)]), np.array([png(9, 9)[:70], b""]), np.array(["é"])]
    ),
    "t": st.sampled_from([np.float32(1), np.float32([1]), np.float32(np.nan)]),
    "name": st.sampled_from([np.array([b"a", b"\xff"]), np.array([], "object")]),
}
NEAR_MESSAGES = (
    st.sampled_from(sorted(RIGHT))
    .flatmap(
        lambda signature: st.builds(
            lambda inputs: asking(signature, **inputs),
            st.fixed_dictionaries({n: NEAR_ARRAYS[n] for n in RIGHT[signature]}),
        )
    )
    .map(lambda message: message.SerializeToString())
)
MESSAGES = st.builds(
    lambda signature, inputs, model: asking(signature, model, **inputs),
    SIGNATURES.filter(lambda name: isinstance(name, str)),
    st.dictionaries(NAMES.filter(bool), ARRAYS, max_size=3),
    st.sampled_from(["pictures", "other", "none", ""]),
).map(lambda message: message.SerializeToString())
MESSAGES = NEAR_MESSAGES | MESSAGES
DATA = (
    MESSAGES
    | st.binary(max_size=200)
    | st.tuples(MESSAGES, st.integers(1, 50)).map(lambda pair: pair[0][: -pair[1]])
    | st.tuples(MESSAGES, st.integers(0, 400), st.binary(min_size=1, max_size=4)).map(
        lambda three: three[0][: three[1]] + three[2] + three[0][three[1] + 1 :]
    )
)
ALLOWED = ("OK", "INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED")


def fuzz(strategy, count, check):
    """Calls a check with so many values of a strategy, the same ones each time."""

    @seed(0)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(value):
        check(value)

    run()


class Neighbour(threading.Thread):
    """Another client, who is to be served all the while, and slow ones."""

    def __init__(self, port):
        super().__init__()
        self.port, self.done, self.answers = port, threading.Event(), []

    def run(self):
        client = served.Client(self.port)
        slow = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(9)]
        for one in slow:
            one.sendall(b"POST /v1/models/pictures:predict HTTP/1.1\r\nHost: l")
        while not self.done.wait(0.02):
            self.answers.append(client.predict({"inputs": [3]})[0])
        for one in slow:
            one.close()
        client.close()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.join()
        assert self.answers and set(self.answers) == {200}


def fuzz_rest(server, count):
    client = served.Client(server.port)
    codes = []

    def check(pair):
        path, text = pair
        status, told = client.ask("POST", path, text)
        codes.append(status)
        assert status in (200, 400, 404, 413, 501), (status, told, path, text[:99])
        assert status == 200 or (list(told) == ["error"] and len(told["error"]) > 5)

    with Neighbour(server.port):
        fuzz(st.tuples(PATHS, TEXTS), count, check)
    client.close()
    return codes


def fuzz_grpc(server, count):
    codes = []
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        send = channel.unary_unary(PREDICT)

        def check(data):
            call = send.future(data, timeout=30)
            code, details = call.code().name, call.details()
            codes.append(code)
            assert code in ALLOWED, (code, details, data[:99])
            assert code == "OK" or len(details) > 5

        with Neighbour(server.port):
            fuzz(DATA, count, check)
    return codes


def test_some_nonsense_over_rest(server):
    codes = fuzz_rest(server, FEW)
    assert len(codes) >= FEW and 400 in codes and 404 in codes


def test_some_nonsense_over_grpc(server):
    codes = fuzz_grpc(server, FEW)
    assert len(codes) >= FEW and "INVALID_ARGUMENT" in codes


class Process:
    """`keras-gans serve` in a process of its own, whose memory is its own."""

    def __init__(self, folder):
        words = ["serve", str(folder), "--port=0", "--grpc_port=0", "--quiet"]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "keras_gans_cli", *words],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        lines = [self._process.stdout.readline() for _ in range(3)]
        self.port = int(re.search(r":(\d+)/", lines[1])[1])
        self.grpc_port = int(lines[2].rpartition(":")[2])

    def memory(self):
        """Its resident MiB."""
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        with self._process:
            assert self._process.wait(60) == 0


@pytest.mark.full
def test_much_nonsense_in_bounded_memory(saved, tmp_path):
    """10,000 requests."""
    for name in ("pictures", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1").symlink_to(saved)
    with Process(tmp_path) as server:
        fuzz_rest(server, FEW)
        fuzz_grpc(server, FEW)
        before = server.memory()
        codes = fuzz_rest(server, MANY), fuzz_grpc(server, MANY)
        grown = server.memory() - before
    assert min(map(len, codes)) >= MANY
    print({code: found.count(code) for found in codes for code in set(found)})
    print(f"{before:.0f} MiB, grew by {grown:.0f} MiB")
    assert grown < 64
