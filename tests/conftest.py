"""Settings of every test: a backend, no GPU, no noise from TensorFlow."""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
import pytest


def pytest_collection_modifyitems(items):
    """Puts the JAX run and the docstrings, the longest of all, first."""
    longest = ("test_the_marked_tests_pass_on_jax", "docstring_examples_run")
    items.sort(key=lambda item: not item.name.endswith(longest))


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


@pytest.fixture
def plain(monkeypatch):
    """A function that turns the faster forms off."""
    return lambda: monkeypatch.setenv("KERAS_GANS_KERNELS", "0")


@pytest.fixture
def any_size(monkeypatch):
    """Lets small convolutions, too, take the form that a function names."""
    from keras_gans.engine import kernels

    def choose(form):
        monkeypatch.setattr(kernels, "LEAST_CHANNELS", 1)
        tiles = 10**9 if form == "halves" else 1
        monkeypatch.setattr(kernels, "LEAST_TILES", tiles)
        monkeypatch.setattr(kernels, "LEAST_ROWS", 1)
        monkeypatch.setattr(kernels, "_avx2_alone", lambda: True)
        few = {"float32": 10**6, "bfloat16": 10**6}
        monkeypatch.setattr(
            kernels, "MOST_PIXELS", few if form == "small_maps" else {}
        )

    return choose


@pytest.fixture(
    params=[
        "keras",
        *[
            pytest.param(name, marks=pytest.mark.full)
            for name in ("winograd", "small_maps")
        ],
    ]
)
def form(request, any_size, monkeypatch):
    """Runs a test with each form of convolutions, which must be taken."""
    if request.param == "keras":
        yield
        return
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Forms are TensorFlow's.")
    from keras_gans.engine import kernels

    any_size(request.param)
    choose, taken = kernels._form, set()

    def noted(*args):
        found = choose(*args)
        taken.add(found)
        return found

    monkeypatch.setattr(kernels, "_form", noted)
    with kernels.scope():
        yield
    assert getattr(kernels, request.param) in taken
