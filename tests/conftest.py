"""Settings of every test: a backend, no GPU, no noise from TensorFlow."""

import collections
import gc
import os
import random
import shutil
import tempfile

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = ""
# Rules, which are the same on each machine: nothing is timed.
os.environ.setdefault("KERAS_GANS_KERNELS", "1")

# Small models spend their time in the compiler.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
)
COMPILED = None  # the folder of the run's compiled functions
if os.environ["KERAS_BACKEND"] == "jax":
    # Tests make the same GAN several times: compiled once. The first process
    # makes the folder; the workers inherit its environment.
    if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
        COMPILED = tempfile.mkdtemp(prefix="compiled-")
        os.environ["JAX_COMPILATION_CACHE_DIR"] = COMPILED
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

gc.disable()  # what is imported and collected stays


def pytest_configure(config):
    """Removes at the end what this process made; spares graphs and data their tuning.

    `-m full` has it, as have the processes that tests start.
    """
    if COMPILED is not None:
        config.add_cleanup(lambda: shutil.rmtree(COMPILED, ignore_errors=True))
    if config.getoption("numprocesses", None):
        return  # workers run the tests, and start the sooner without a backend here
    import keras

    if keras.backend.backend() == "tensorflow" and config.option.markexpr != "full":
        import tensorflow as tf

        # It takes a fifth of a short training, which gains nothing by it.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        # It empties TensorFlow's cache of kernels, too, which each test would fill
        # anew. In it, `tf.random` alone has seeds, which nobody calls outside graphs.
        tf.random.set_seed = _seed_tensorflow
        # The end of `fit` waits for the thread that tunes buffers, which may sleep
        # for as long again as `fit` took.
        untuned = tf.data.Options()
        untuned.autotune.enabled = False
        iterate = tf.data.Dataset.__iter__
        tf.data.Dataset.__iter__ = lambda data: iterate(data.with_options(untuned))


def _seed_tensorflow(seed):
    """`tf.random.set_seed` but for the cache of kernels."""
    from tensorflow.python.eager import context

    context.context()._seed = seed
    context.context()._rng = random.Random(seed)


@pytest.hookimpl(tryfirst=True)  # before `-m` chooses
def pytest_collection_modifyitems(items):
    """Leaves to the full lane what goes beyond the first cases of `daily`."""
    on_jax = os.environ["KERAS_BACKEND"] == "jax"
    cases = collections.Counter()
    for item in items:
        if on_jax and item.get_closest_marker("full_on_jax"):
            item.add_marker(pytest.mark.full)
        if daily := item.get_closest_marker("daily"):
            cases[item.location[0], item.originalname] += 1
            if cases[item.location[0], item.originalname] > daily.args[0]:
                item.add_marker(pytest.mark.full)


def pytest_addoption(parser):
    parser.addoption(
        "--cpu_seconds",
        action="store_true",
        help="tell the CPU seconds of files and of the dearest tests",
    )


_spent = [0.0]  # up to the last report of this process


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Notes the CPU seconds of a test, those of processes that it ended too."""
    report = yield
    before, _spent[0] = _spent[0], sum(os.times()[:4])
    report.cpu_seconds = _spent[0] - before if before else 0.0
    return report


def pytest_terminal_summary(terminalreporter, config):
    if not config.option.cpu_seconds:
        return
    tests, files = collections.Counter(), collections.Counter()
    for reports in terminalreporter.stats.values():
        for report in reports:
            seconds = getattr(report, "cpu_seconds", 0.0)
            if seconds:
                tests[report.nodeid] += seconds
                files[report.nodeid.split("::")[0]] += seconds
    terminalreporter.section(f"{tests.total():.0f} CPU seconds")
    for counter, most in ((files, None), (tests, 20)):
        for name, seconds in counter.most_common(most):
            if seconds >= 1:
                terminalreporter.write_line(f"{seconds:8.1f}  {name}")


def pytest_collection_finish(session):
    """Looks for garbage among what tests make alone, and less often."""
    gc.freeze()
    gc.set_threshold(20_000, 20, 10)
    gc.enable()
    _spent[0] = sum(os.times()[:4])


@pytest.fixture(autouse=True)
def seeded():
    """Each test starts from the same state of Keras's generators."""
    import keras

    keras.utils.set_random_seed(0)


@pytest.fixture(autouse=True)
def in_tmp_path(tmp_path, monkeypatch):
    """Each test writes into a directory of its own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def images():
    """A function that makes smooth images in [-1, 1], as data sets hold."""

    def make(n, height=16, width=16, channels=1):
        rng = np.random.default_rng(0)
        y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
        phase = rng.uniform(0, 6, (n, 1, 1, channels))
        waves = np.sin(6 * (x + y)[None, :, :, None] + phase)
        return waves.astype("float32")

    return make


@pytest.fixture(scope="session")
def trained_gan(images):
    """A GAN of 8 x 8 grey images after two steps, which nobody changes."""
    import keras
    from small import small_gan

    keras.utils.set_random_seed(0)
    gan = small_gan(ema=0.9)
    gan.compile()
    gan.fit(images(8, 8, 8), batch_size=4, verbose=0)
    before = gan.get_weights()
    yield gan
    for a, b in zip(before, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.fixture(scope="session")
def first_run(tmp_path_factory):
    """A run of the command line and what it printed: read only."""
    from command_line import train_tiny
    import keras

    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("runs") / "r"
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder.parent)
        printed = train_tiny("r")
    return folder, printed


@pytest.fixture
def trained_run(first_run):
    """A copy of that run at `r`; gives what it printed."""
    folder, printed = first_run
    shutil.copytree(folder, "r")
    return printed


@pytest.fixture
def plain(monkeypatch):
    """A function that turns the faster implementations off."""
    return lambda: monkeypatch.setenv("KERAS_GANS_KERNELS", "0")


@pytest.fixture
def any_size(monkeypatch):
    """Lets small convolutions, too, take the implementation of a name."""
    from keras_gans.engine.kernels import choice

    def choose(name):
        monkeypatch.setattr(choice, "LEAST_CHANNELS", 1)
        tiles = 10**9 if name == "tiling" else 1
        monkeypatch.setattr(choice, "LEAST_TILES", tiles)
        monkeypatch.setattr(choice, "LEAST_ROWS", 1)
        monkeypatch.setattr(choice, "_avx2_alone", lambda: True)
        few = {"float32": 10**6, "bfloat16": 10**6}
        monkeypatch.setattr(choice, "MOST_PIXELS", few if name == "im2col" else {})

    return choose


@pytest.fixture(
    params=[
        "keras",
        *[
            pytest.param(name, marks=pytest.mark.full)
            for name in ("winograd", "im2col")
        ],
    ]
)
def implementation(request, any_size, monkeypatch):
    """Runs a test with each implementation of convolutions, which it must take.

    Gives a function that a network is passed through.
    """
    if request.param == "keras":
        yield lambda network: network
        return
    import keras

    if keras.backend.backend() != "tensorflow":
        pytest.skip("They are TensorFlow's.")
    from keras_gans.engine import kernels
    from keras_gans.engine.kernels import choice

    any_size(request.param)
    choose, taken = choice.implementation, set()

    def noted(*args):
        found = choose(*args)
        taken.add(found)
        return found

    def accelerated(network):
        kernels.accelerate(network)
        return network

    monkeypatch.setattr(choice, "implementation", noted)
    with kernels.scope():
        yield accelerated
    assert getattr(choice, request.param) in taken
