"""`keras-gans serve`: what it says, and an exported GAN behind it."""

import contextlib
import io
import logging
import os
import pathlib
import re
import runpy
import signal
import socket
import sys
import threading
import time

from command_line import call
from networks import tiny_judge, tiny_translator
import numpy as np
from PIL import Image
import pytest
import served
from small import small_pix2pix

import keras_gans
from keras_gans.serving import deployment
from keras_gans.utils import optional

TOLERANCE = 1e-6  # batches of other sizes round otherwise


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A GAN, and the directory that it is exported into."""
    gan = keras_gans.DCGAN((16, 16, 1), width=2)
    folder = tmp_path_factory.mktemp("exported")
    gan.export(folder / "dcgan" / "1")
    return gan, folder


def test_an_exported_gan_is_served_until_a_signal(exported, capfd):
    """Each seed is `gan.sample`'s row; requests in flight are answered."""
    gan, folder = exported
    answers = []
    out = io.StringIO()  # read by another thread while it is written

    def visit():
        while not (found := re.search(r"REST: http://[\d.]+:(\d+)/", out.getvalue())):
            time.sleep(0.01)
        client = served.Client(int(found[1]))
        answers.append(client.predict({"inputs": [2**32, 2**32 + 1]}, "dcgan"))
        client.close()
        os.kill(os.getpid(), signal.SIGTERM)

    visitor = threading.Thread(target=visit)
    visitor.start()
    with contextlib.redirect_stdout(out):
        assert call("serve", folder, "--port=0") == 0
    visitor.join()
    [(status, told)] = answers
    assert status == 200
    np.testing.assert_allclose(
        told["outputs"]["images"], gan.sample(2, seed=1), atol=TOLERANCE
    )
    errors = capfd.readouterr().err
    assert "dcgan/1 is served" in errors
    assert re.search(r"127.0.0.1 POST /v1/models/dcgan:predict 200 \d+ bytes", errors)
    assert "Serving dcgan\n" in out.getvalue()
    port = re.search(r"REST: http://[\d.]+:(\d+)/", out.getvalue())[1]
    call_of_curl = (
        "  curl -d '{\"instances\": [0, 1]}' "
        f"http://127.0.0.1:{port}/v1/models/dcgan:predict\n"
    )
    assert call_of_curl in out.getvalue()
    assert not logging.getLogger("keras_gans").handlers  # as before
    # Beside a REST port that is free, gRPC takes one too.
    assert re.search(r"gRPC: 127.0.0.1:(?!8500)\d+\n", out.getvalue())


def test_bad_input_is_told_by_its_flags(exported, tmp_path, capsys):
    _, folder = exported
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert call("serve", folder, f"--port={port}", "--grpc_port=0") == 1
        assert f"port {port} of 127.0.0.1 is in use" in capsys.readouterr().err
        assert call("serve", folder, "--port=0", f"--grpc_port={port}") == 1
        told = f"port {port} of 127.0.0.1 is in use. Give another --grpc_port"
        assert told in capsys.readouterr().err
    assert call("serve", folder, "--port=8500") == 1
    assert "--port=8500, --grpc_port=8500. Change one" in capsys.readouterr().err
    assert call("serve", tmp_path, "--port=0") == 1
    assert "holds no model" in capsys.readouterr().err
    assert call("serve", folder / "dcgan" / "1", "--port=0") == 1
    assert "give the one above it" in capsys.readouterr().err
    assert call("serve", folder, "--max_batch_size=0", "--port=0") == 1
    assert "--max_batch_size must" in capsys.readouterr().err


def test_the_written_clients_ask_any_server(exported, tmp_path, monkeypatch):
    from keras_gans.serving.server import ModelServer

    gan, folder = exported
    deployment.write(gan, folder / "dcgan")
    monkeypatch.chdir(tmp_path)
    with ModelServer(folder, port=0) as server:
        for kind, port in (("rest", server.port), ("grpc", server.grpc_port)):
            client = str(folder / f"dcgan_{kind}_client.py")
            words = [client, "3", "8", f"--server=127.0.0.1:{port}"]
            monkeypatch.setattr(sys, "argv", words)
            runpy.run_path(client, run_name="__main__")
            pictures = [Image.open(f"{i}.png") for i in range(2)]
            wanted = [gan.sample(1, seed=seed)[0, :, :, 0] for seed in (3, 8)]
            for picture, right in zip(pictures, wanted, strict=True):
                levels = np.float32(picture) / 127.5 - 1
                # Half a level of rounding.
                np.testing.assert_allclose(levels, right, atol=0.51 / 127.5)
                picture.close()
                os.remove(picture.filename)


@pytest.mark.full
def test_the_written_clients_translate_pictures_of_any_size(tmp_path, monkeypatch):
    """What docs/exporting.md says of translators of any size."""
    from keras_gans.serving.server import ModelServer

    translator = tiny_translator(1, 1, side=None)
    gan = small_pix2pix(generator=translator, discriminator=tiny_judge(2))
    gan.export("models/lines/1")
    deployment.write(gan, pathlib.Path("models/lines"))
    names = []
    for i, size in enumerate(((8, 12), (20, 9))):
        names.append(f"{i}given.png")
        pixels = np.random.default_rng(i).integers(0, 256, size).astype("uint8")
        Image.fromarray(pixels).save(names[-1])
    with ModelServer("models", port=0) as server:
        for kind, port in (("rest", server.port), ("grpc", server.grpc_port)):
            client = f"models/lines_{kind}_client.py"
            words = [client, *names, f"--server=127.0.0.1:{port}"]
            monkeypatch.setattr(sys, "argv", words)
            runpy.run_path(client, run_name="__main__")
            for i, size in enumerate(((12, 8), (9, 20))):
                with Image.open(f"{i}.png") as picture:
                    assert picture.size == size
                os.remove(f"{i}.png")


def test_a_missing_extra_is_told(exported, capsys, monkeypatch):
    found = optional.importlib.import_module

    def missing(module):
        if module.startswith("tensorflow_serving"):
            raise ImportError(f"No module named {module!r}")
        return found(module)

    monkeypatch.setattr(optional.importlib, "import_module", missing)
    assert call("serve", exported[1]) == 1
    assert "install 'keras_gans[serve]'" in capsys.readouterr().err


def test_each_of_many_answers_is_that_of_its_seed(exported):
    """None lost, none mixed up, over both batches and clients."""
    from keras_gans.serving.server import ModelServer

    gan, folder = exported
    known = np.asarray(gan.sample(200, seed=0))
    wrong, right = [], []

    def ask(port, worker):
        client = served.Client(port)
        for turn in range(40):
            seeds = [(worker * 50 + turn) % 200, (turn * 7) % 200]
            _, told = client.predict({"inputs": seeds}, "dcgan")
            made = np.float32(told["outputs"]["images"])
            same = made.shape == known[seeds].shape and np.allclose(
                made, known[seeds], rtol=0, atol=TOLERANCE
            )
            (right if same else wrong).append(seeds)
        client.close()

    with ModelServer(folder, port=0, grpc_port=0, max_batch_size=16) as server:
        workers = [
            threading.Thread(target=ask, args=(server.port, i)) for i in range(8)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    assert (wrong, len(right)) == ([], 320)
    # Samples of two seeds differ by far more.
    apart = np.abs(known[:, None] - known[None]).max(axis=(2, 3, 4))
    assert apart[~np.eye(len(known), dtype=bool)].min() > 100 * TOLERANCE
