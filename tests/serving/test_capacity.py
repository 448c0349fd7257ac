"""A server beyond its capacity, without models, and at its end."""

import shutil
import threading
import time

import grpc
import numpy as np
import pytest
import served
from test_served_grpc import PREDICT, asking

from keras_gans.serving.server import ModelServer
from keras_gans.serving.versions import Place


@pytest.fixture
def busy(saved, tmp_path, monkeypatch):
    """A server whose model waits for `go` in each run."""
    shutil.copytree(saved, tmp_path / "pictures" / "1")
    server = ModelServer(
        tmp_path, port=0, grpc_port=0, max_queue=2, batch_timeout=0, poll=0.02
    ).start()
    servable = server.models.find(Place("pictures"))[1].servable
    run, server.go, server.begun = servable.run, threading.Event(), threading.Event()

    def waiting(*args):
        server.begun.set()
        assert server.go.wait(20)
        return run(*args)

    monkeypatch.setattr(servable, "run", waiting)
    yield server
    server.go.set()
    server.stop()


class Asking(threading.Thread):
    """A request in a thread of its own."""

    def __init__(self, port, seeds):
        super().__init__()
        self.port, self.seeds, self.answer = port, seeds, None
        self.start()

    def run(self):
        client = served.Client(self.port)
        self.answer = client.predict({"inputs": self.seeds})
        client.close()

    def check(self):
        self.join()
        status, told = self.answer
        assert status == 200
        made = np.float32(told["outputs"]["images"])
        np.testing.assert_array_equal(made, served.images_of(self.seeds))


def fill(busy):
    """Has one request run, and as much wait as may."""
    runs = Asking(busy.port, [1])
    assert busy.begun.wait(20)
    waits = Asking(busy.port, [2, 3])
    deadline = time.monotonic() + 20
    while busy.models.waiting("pictures") < 2:
        assert time.monotonic() < deadline
    return runs, waits


def test_beyond_its_capacity_it_refuses_at_once(busy):
    runs, waits = fill(busy)
    client = served.Client(busy.port)
    begun = time.monotonic()
    status, told = client.predict({"inputs": [4]})
    assert status == 503
    assert "2 rows wait already, of 2 that may. Try again later" in told["error"]
    with grpc.insecure_channel(f"127.0.0.1:{busy.grpc_port}") as channel:
        call = channel.unary_unary(PREDICT).future(
            asking(seed=np.array([4])).SerializeToString(), timeout=20
        )
        assert call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert time.monotonic() - begun < 5
    # What does not wait for the model is answered.
    assert client.ask("GET", "/readyz")[0] == 200
    text = client.ask("GET", "/monitoring/prometheus/metrics")[1].decode()
    assert 'keras_gans_waiting_rows{model="pictures"} 2.0' in text
    refused = 'code="RESOURCE_EXHAUSTED",model="pictures",protocol='
    assert refused + '"rest"} 1.0' in text and refused + '"grpc"} 1.0' in text
    busy.go.set()
    runs.check()
    waits.check()
    client.close()


def test_a_client_that_leaves_makes_room(busy):
    runs = Asking(busy.port, [1])
    assert busy.begun.wait(20)
    with grpc.insecure_channel(f"127.0.0.1:{busy.grpc_port}") as channel:
        call = channel.unary_unary(PREDICT).future(
            asking(seed=np.array([4])).SerializeToString(), timeout=0.2
        )
        assert call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    deadline = time.monotonic() + 20
    while busy.models.waiting("pictures"):
        assert time.monotonic() < deadline
    waits = Asking(busy.port, [5, 6])
    busy.go.set()
    runs.check()
    waits.check()


def test_requests_in_flight_are_answered_at_the_end(busy):
    runs, waits = fill(busy)
    ending = threading.Thread(target=busy.stop)
    ending.start()
    time.sleep(0.2)
    busy.go.set()
    ending.join()
    runs.check()
    waits.check()
    with pytest.raises(OSError):
        served.Client(busy.port).predict({"inputs": [1]})


def test_without_models_it_is_not_ready(busy):
    directory = busy.models.directory
    shutil.rmtree(directory / "pictures")
    client = served.Client(busy.port)
    deadline = time.monotonic() + 20
    while client.ask("GET", "/readyz")[0] == 200:
        assert time.monotonic() < deadline
    assert client.ask("GET", "/healthz")[0] == 200
    assert client.predict({"inputs": [1]})[0] == 404
    client.close()
