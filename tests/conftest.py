"""Settings of every test: a backend, no GPU, no noise from TensorFlow."""

import os
import pathlib
import subprocess
import sys
import tempfile

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import pytest

JAX_RUN = pytest.StashKey()


def pytest_collection_modifyitems(items):
    """Puts the JAX run, which goes on beside the others, last."""
    items.sort(
        key=lambda item: item.name == "test_the_marked_tests_pass_on_jax"
    )


def pytest_collection_finish(session):
    """Starts the JAX run where it is asked for: it takes minutes."""
    on_tensorflow = keras.backend.backend() == "tensorflow"
    names = [item.name for item in session.items]
    if not on_tensorflow or "test_the_marked_tests_pass_on_jax" not in names:
        return
    folder = pathlib.Path(__file__).parent
    command = [sys.executable, "-m", "pytest", "-m", "backends", "-p"]
    command += ["no:cacheprovider", str(folder)]
    output = tempfile.TemporaryFile("w+")  # noqa: SIM115
    process = subprocess.Popen(
        command,
        cwd=folder.parent,
        env={**os.environ, "KERAS_BACKEND": "jax", "PYTHONSAFEPATH": "1"},
        stdout=output,
        stderr=output,
    )
    session.config.stash[JAX_RUN] = (process, output)


def pytest_sessionfinish(session):
    """Leaves no JAX run behind."""
    if JAX_RUN in session.config.stash:
        process, output = session.config.stash[JAX_RUN]
        process.kill()
        process.wait()
        output.close()


@pytest.fixture
def jax_run(request):
    """The JAX run, ended: its exit status and output."""
    process, output = request.config.stash[JAX_RUN]
    status = process.wait()
    output.seek(0)
    return status, output.read()


@pytest.fixture(autouse=True)
def seeded():
    """Each test starts from the same state of Keras's generators."""
    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    """Each test writes into a directory of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def images():
    """A function that makes smooth images in [-1, 1], as data sets hold."""

    def make(n, height=16, width=16, channels=1):
        rng = np.random.default_rng(0)
        y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
        phase = rng.uniform(0, 6, (n, 1, 1, channels))
        waves = np.sin(6 * (x + y)[None, :, :, None] + phase)
        return waves.astype("float32")

    return make
