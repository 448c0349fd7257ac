"""Strategies by name, and several processes on one machine."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import keras
import numpy as np
from paths import ROOT
import pytest

from keras_gans.training import checkpoints, distribution, runs
from keras_gans_cli import app

WRITER = """
import json, os, sys
task = json.loads(os.environ["TF_CONFIG"])["task"]
sys.exit(task["index"])
"""


def test_bad_strategies(monkeypatch):
    for strategy, message in (
        ("mirored", "`strategy` is one of"),
        ("data_parallel", "strategy of jax.*KERAS_BACKEND=jax"),
        ("multi_worker", "which hosts there are.*--workers=2"),
    ):
        with pytest.raises(ValueError, match=message):
            distribution.scope(strategy)
    for text in ("{", "[]", '{"cluster": 3}'):
        monkeypatch.setenv("TF_CONFIG", text)
        with pytest.raises(ValueError, match="TF_CONFIG is no JSON object"):
            distribution.scope("auto")
    with pytest.raises(ValueError, match="`workers` must lie in"):
        distribution.launch(0, ["true"])


@pytest.mark.backends
def test_hosts_that_are_gone_are_missed(monkeypatch):
    """JAX alone would wait for 100 s."""
    if keras.backend.backend() != "jax":
        pytest.skip("TensorFlow waits for 10 s.")
    import jax

    told = {}

    def connect(**given):
        told.update(given)

    monkeypatch.setattr(jax.distributed, "initialize", connect)
    for name, value in distribution.environments(2)[0].items():
        monkeypatch.setenv(name, value)
    distribution._initialize()
    assert told["heartbeat_timeout_seconds"] == 30
    assert told["num_processes"] == 2
    assert jax.distributed.initialize is connect


def test_one_of_them_writes(monkeypatch):
    hosts = ["a:1", "b:1"]
    for cluster, task, chief in (
        ({"worker": hosts}, ("worker", 0), True),
        ({"worker": hosts}, ("worker", 1), False),
        ({"chief": hosts[:1], "worker": hosts[1:]}, ("worker", 0), False),
        ({"chief": hosts[:1], "worker": hosts[1:]}, ("chief", 0), True),
    ):
        task = dict(zip(("type", "index"), task, strict=True))
        config = json.dumps({"cluster": cluster, "task": task})
        monkeypatch.setenv("TF_CONFIG", config)
        assert distribution.is_chief() == chief
    monkeypatch.delenv("TF_CONFIG")
    assert distribution.is_chief()


def test_a_worker_that_fails_ends_all(capsys):
    assert distribution.launch(2, [sys.executable, "-c", WRITER]) == 1
    assert "worker 1 (1)" in capsys.readouterr().err
    assert distribution.launch(1, [sys.executable, "-c", WRITER]) == 0


def test_a_lost_worker_is_told_in_a_line(capsys, monkeypatch):
    def train(*args):
        raise RuntimeError(
            "Graph execution error:\n\nDetected at node x\n"
            "Collective ops is aborted by: Connection reset by peer\nadvice"
        )

    monkeypatch.setattr(runs, "train", train)
    assert app.main(app.parse(["keras-gans", "train", "dcgan"])) == 1
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "another worker of this training is gone" in told
    assert "--resume. (Collective ops is aborted by: Connection" in told


@pytest.mark.full
@pytest.mark.parametrize(
    "name", [pytest.param("SIGHUP", marks=pytest.mark.full), "SIGKILL"]
)
def test_the_end_of_the_launcher_is_that_of_its_workers(name, tmp_path):
    """It passes signals on; where it cannot, its workers miss it."""
    number = getattr(signal, name)
    sleep = (
        "import os, time; from keras_gans.training import distribution;"
        "distribution._end_with_launcher();"
        f"open(r'{tmp_path}/' + str(os.getpid()), 'w').close(); time.sleep(100)"
    )
    launch = (
        "import sys; from keras_gans.training import distribution; sys.exit("
        f"distribution.launch(2, [sys.executable, '-c', {sleep!r}]))"
    )
    # They compute nothing, and are there the sooner without TensorFlow.
    env = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": "jax"}
    process = subprocess.Popen([sys.executable, "-c", launch], env=env)
    while len(list(tmp_path.iterdir())) < 2:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(number)
    assert process.wait(30) == (-9 if name == "SIGKILL" else 128 + number)
    gone = time.monotonic() + 10
    for path in tmp_path.iterdir():
        while is_alive(int(path.name)):
            assert time.monotonic() < gone
            time.sleep(0.1)


def is_alive(pid):
    """Whether a process runs, and is no zombie that nobody has waited for."""
    status = pathlib.Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.full
def test_workers_that_are_told_to_end_write_a_checkpoint(monkeypatch, capfd):
    """After the same step, and say how all of them go on."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    words = ["train", "dcgan", "--image_shape=16,16,3", "--width=2", "--batch_size=4"]
    words += ["--steps=5000", "--checkpoint_every=5000", "--log_every=1"]
    words += ["--run_dir=r", "--workers=2"]
    command = [sys.executable, "-m", "keras_gans", *words]
    process = subprocess.Popen(command)
    log = pathlib.Path("r/metrics.jsonl")
    while not (log.exists() and log.read_text().count("\n") > 2):
        assert process.poll() is None
        time.sleep(0.1)
    process.terminate()
    assert process.wait(60) == 143
    told = capfd.readouterr().out
    assert told.count("Ended by SIGTERM after step") == 1
    assert "keras-gans train dcgan --run_dir=r --resume --workers=2\n" in told
    assert len(checkpoints.all_in("r/checkpoints")) == 1


@pytest.mark.full
def test_two_workers_train_what_one_does(images, monkeypatch):
    """Through the command line: one run directory, the same weights."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    words = ["train", "dcgan", "--image_shape=16,16,3", "--width=2"]
    words += ["--latent_dim=4", "--epochs=1", "--batch_size=4"]
    words += ["--steps_per_epoch=3", "--checkpoint_every=2", "--log_every=1"]
    weights = []
    for name, workers in (("one", "1"), ("two", "2")):
        more = [f"--run_dir={name}", f"--workers={workers}"]
        assert app.main(app.parse(["keras-gans", *words, *more])) == 0
        gan, position = runs.open_run(name)
        assert position.step == 3
        weights.append(gan.get_weights())
        lines = pathlib.Path(name, "metrics.jsonl").read_text().splitlines()
        assert len(lines) == 4  # of three steps and an epoch, once
        assert pathlib.Path(name, "export", "1").is_dir()
    one, two = weights
    # Adam makes steps of the learning rate from gradients that are rounding:
    # each of 3 steps may differ by twice 2e-4 where there is no true gradient.
    apart = [np.abs(a - b).max() for a, b in zip(one, two, strict=True)]
    assert max(apart) < 1.3e-3
    assert np.median(apart) < 1e-6
    assert len(checkpoints.all_in("two/checkpoints")) == 2
