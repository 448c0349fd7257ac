"""Implementations are chosen by timing, kept, and taken again."""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys

from command_line import call
import keras
import numpy as np
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.engine import kernels
from keras_gans.engine.kernels import choice, measured
from keras_gans.training import presets, runs

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="kernels of TensorFlow"
)
if keras.backend.backend() == "tensorflow":
    from keras_gans.engine.kernels import candidates
    from keras_gans.engine.kernels.candidates import Convolution

    STRIDED = Convolution("float32", 2, (8, 8), (4, 4), 3, 5, 4, 2, 1)
    GEOMETRIES = {
        "strided": STRIDED,
        "whole": Convolution("float32", 2, (4, 4), (1, 1), 3, 5, 4, 1, 0),
        "point": Convolution("float32", 2, (5, 4), (5, 4), 3, 5, 1, 1, 0),
        "one image": Convolution("float32", 1, (9, 6), (9, 6), 3, 5, 3, 1, 1),
        "valid": Convolution("float32", 2, (9, 10), (3, 4), 3, 5, 4, 2, 0),
        "half": Convolution("bfloat16", 2, (8, 8), (4, 4), 3, 5, 4, 2, 1),
        "wide": Convolution("float32", 1, (6, 6), (6, 6), 17, 18, 3, 1, 1),
        "thick": Convolution("float32", 2, (8, 8), (4, 4), 17, 20, 4, 2, 1),
    }

# A run of few layers, which sees each batch size once.
TINY = [
    "--image_shape=16,16,3",
    "--width=2",
    "--diff_augment=none",
    "--batch_size=4",
    "--steps_per_epoch=4",
    "--checkpoint_every=3",
    "--sample_every=4",
    "--log_every=1",
]


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    """A cache on disk of the test alone, and a process that knows nothing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(measured, "_processes", {})
    monkeypatch.setattr(measured, "_unwritten", set())
    monkeypatch.setenv("KERAS_GANS_KERNELS", "measure")
    monkeypatch.setattr(choice, "LEAST_WORK", 1)


@pytest.fixture
def winner(monkeypatch):
    """A function that says what the clock will find fastest; lists what was timed."""
    timed = []

    def choose(*wanted):
        def measure(g, direction, names):
            timed.append(f"{direction} {g}")
            best = next((name for name in wanted if name in names), "keras")
            return {name: 1.0 - 0.5 * (name == best) for name in names}

        monkeypatch.setattr(measured, "measure", measure)
        return timed

    return choose


def forget():
    """What a new process knows."""
    measured._processes.clear()


@pytest.mark.daily(4)
@pytest.mark.parametrize("which", ["strided", "whole", "point", "one image", "half"])
def test_each_candidate_computes_what_keras_does(which):
    g = GEOMETRIES[which]
    for direction in candidates.DIRECTIONS:
        given = measured.operands(g, direction)
        wanted = getattr(candidates.PLAIN, direction)(g, *given)
        names = candidates.fitting(g, direction)
        assert (names[0] == "keras" and len(names) > 1) or which == "one image"
        # Sums of some hundred products, in another order; bfloat16 has 8 bits.
        bound = 1e-5 if g.kind == "float32" else 2**-7
        bound *= np.abs(np.asarray(wanted, "float32")).max()
        for name in names[1:]:
            found = getattr(candidates.CANDIDATES[name], direction)(g, *given)
            assert found.dtype == wanted.dtype, name
            a, b = (np.asarray(v, "float32") for v in (found, wanted))
            np.testing.assert_allclose(a, b, rtol=0, atol=bound, err_msg=name)


@pytest.mark.full
@pytest.mark.parametrize("which", ["valid", "thick", "wide"])
def test_more_shapes(which):
    test_each_candidate_computes_what_keras_does(which)


@pytest.mark.parametrize("transposed", [False, True])
def test_gradients_of_gradients(transposed):
    """Each direction computed in another way, differentiated twice."""
    g = STRIDED
    ways = {"forward": "phases", "input_gradient": "im2col"}
    ours = candidates.Directions(g, lambda d: ways.get(d, "phases"))
    plain = candidates.PLAIN
    x, kernel = measured.operands(g, "input_gradient" if transposed else "forward")

    def run(fn):
        with tf.GradientTape() as outer:
            outer.watch([x, kernel])
            with tf.GradientTape() as tape:
                tape.watch([x, kernel])
                y = fn(x, kernel)
                loss = tf.reduce_sum(tf.sin(y))
            slopes = tape.gradient(loss, [x, kernel])
            penalty = sum(tf.reduce_sum(s**2) for s in slopes)
        return [y, *slopes, *outer.gradient(penalty, [x, kernel])]

    if transposed:
        pair = ours.input_gradient, lambda *a: plain.input_gradient(g, *a)
    else:
        pair = ours.forward, lambda *a: plain.forward(g, *a)
    for a, b in zip(run(pair[0]), run(pair[1]), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5 * np.abs(b).max())


def test_noise_does_not_choose():
    assert measured.fastest({"keras": 1.0, "im2col": 0.95, "phases": 1.2}) == "keras"
    assert measured.fastest({"keras": 1.0, "im2col": 0.95, "phases": 0.9}) == "phases"


def test_what_is_timed_is_timed_once(winner):
    """In turns, and again neither here nor in the next process."""
    times = measured.measure(STRIDED, "forward", ["keras", "im2col"])
    assert set(times) == {"keras", "im2col"} and min(times.values()) > 0
    timed, names = winner("phases"), ["keras", "im2col", "phases"]
    assert kernels.Choices().of(STRIDED, "forward", names, 1.0) == "phases"
    measured.write()
    forget()
    winner("im2col")
    again = kernels.Choices()
    assert again.of(STRIDED, "forward", names, 1.0) == "phases"
    assert again.names == {f"forward {STRIDED}": "phases"} and len(timed) == 1
    # One that is switched off is chosen anew, of the others.
    assert kernels.Choices().of(STRIDED, "forward", names[:2], 1.0) == "im2col"
    # Nothing is timed where it may not be, or no time is left.
    assert again.of(STRIDED, "filter_gradient", names, 0.0) == ""
    again.seconds = 1.0
    assert again.of(STRIDED, "filter_gradient", names, 1.0) == ""


@pytest.mark.parametrize(
    "content",
    [
        b"\x00\xff",
        b"[" * 10_000,
        b"{}",
        b'{"environment": {"processor": "another"}, "choices": {}}',
        "a list",
        "a number",
        "large",
    ],
    ids=["bytes", "deep", "empty", "foreign", "list", "number", "large"],
)
def test_damaged_files_are_not_used(content, winner):
    path = measured.cache_path()
    path.parent.mkdir(parents=True)
    whole = {"environment": measured.environment(), "choices": {}}
    if content == "a list":
        content = json.dumps(whole | {"choices": ["im2col"]}).encode()
    elif content == "a number":
        content = json.dumps(whole | {"choices": {"forward": {"name": 3}}}).encode()
    elif content == "large":
        content = b" " * (measured.LARGEST_FILE + 1)
    path.write_bytes(content)
    timed = winner("im2col")
    with pytest.warns(UserWarning, match=r"kernels-\w+\.json is not used .*again"):
        kernels.Choices().of(STRIDED, "forward", ["keras", "im2col"], 1.0)
    assert len(timed) == 1
    measured.write()
    forget()
    assert list(measured.read(path)) == [f"forward {STRIDED}"]


def test_a_cache_that_cannot_be_written_is_done_without(monkeypatch, tmp_path, winner):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    winner("im2col")
    with pytest.warns(UserWarning, match="Not a directory"):
        kernels.Choices().of(STRIDED, "forward", ["keras", "im2col"], 1.0)
    measured.write()
    assert kernels.Choices().of(STRIDED, "forward", ["keras", "im2col"], 0.0)


@pytest.mark.parametrize("found", [None, ["im2col"], {"forward": 3}, {1: "keras"}])
def test_choices_of_another_kind_are_refused(found):
    with pytest.raises(ValueError, match=r"`kernels` holds.*Received: .*Put it back"):
        kernels.Choices().restore(found)


def test_the_switch(monkeypatch):
    fitting = candidates.fitting(GEOMETRIES["thick"], "forward")

    def taken(switch):
        monkeypatch.setenv("KERAS_GANS_KERNELS", switch)
        mode, names = choice._switch()
        return mode, [name for name in fitting if choice._is_on(name, names)]

    everything = ["keras", "im2col", "phases", "winograd"]
    assert taken("") == taken("measure") == ("measure", everything)
    assert taken("cached, winograd") == ("cached", ["keras", "winograd"])
    assert taken("1") == ("", everything) and taken("0") == ("", ["keras"])
    with pytest.raises(ValueError, match="0, 1, measure, cached or names"):
        taken("winograd,measure")
    with pytest.raises(ValueError, match="Received: 'measure,', of which '' is none"):
        taken("measure,")


def dcgan():
    keras.utils.set_random_seed(0)
    gan = kg.DCGAN((16, 16, 3), 8, width=4)
    gan.compile(*(keras.optimizers.SGD(0.01) for _ in range(2)))
    return gan


@pytest.mark.full
def test_a_gan_takes_what_it_has_taken(images, winner, monkeypatch):
    """Also where another would win; and no other GAN's steps are traced."""
    x = images(4, channels=3)
    timed = winner("phases")
    gan = dcgan()
    start = gan.get_weights()
    gan.train_on_batch(x)
    first, found = gan.get_weights(), dict(gan.engine.choices.names)
    assert "phases" in found.values() and timed
    samples = gan.sample(3)  # of another batch
    assert len(gan.engine.choices.names) > len(found)
    assert gan.get_compile_config()["kernels"] == gan.engine.choices.names
    # Saved and loaded on a machine on which another is fastest.
    measured.cache_path().unlink()
    forget()
    timed.clear()
    winner("im2col")
    gan.set_weights(start)
    gan.save("gan.keras")
    again = keras.saving.load_model("gan.keras")
    assert again.engine.choices.names == gan.engine.choices.names
    again.train_on_batch(x)
    again.sample(3)
    assert not timed
    for a, b in zip(first, again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert samples.shape == (3, 16, 16, 3)
    # That the choice was taken shows in the last bits: another's differ.
    other = dcgan()
    other.train_on_batch(x)
    assert timed and "im2col" in other.engine.choices.names.values()
    pairs = zip(first, other.get_weights(), strict=True)
    assert any((a != b).any() for a, b in pairs)
    monkeypatch.setenv("KERAS_GANS_KERNELS", "0")
    plain = dcgan()
    plain.train_on_batch(x)
    assert set(plain.engine.choices.names.values()) <= {"keras"}
    for a, b, c in zip(first, other.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, c, atol=1e-6, rtol=1e-5)
        np.testing.assert_allclose(b, c, atol=1e-6, rtol=1e-5)


@pytest.mark.daily(1)
@pytest.mark.parametrize("budget", [0.0, 1e-9])
def test_what_time_was_left_for_is_taken_again(budget, images, winner, monkeypatch):
    """A resumed run has its time again; what was not measured then is not now."""
    monkeypatch.setattr(measured, "BUDGET", budget)  # for none, and for one
    x = images(4, channels=3)
    timed = winner("phases")
    gan = dcgan()
    start = gan.get_weights()
    gan.train_on_batch(x)
    assert len(timed) == (budget > 0)
    first, names = gan.get_weights(), dict(gan.engine.choices.names)
    gan.set_weights(start)
    gan.save("gan.keras")
    monkeypatch.setattr(measured, "BUDGET", 25.0)
    timed.clear()
    again = keras.saving.load_model("gan.keras")
    again.train_on_batch(x)
    assert not timed and again.engine.choices.names == names
    for a, b in zip(first, again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.full
def test_rules_do_not_change_what_was_taken(images, winner, monkeypatch):
    x = images(4, channels=3)
    winner("phases")
    gan = dcgan()
    start = gan.get_weights()
    gan.train_on_batch(x)
    first, names = gan.get_weights(), dict(gan.engine.choices.names)
    gan.set_weights(start)
    gan.save("gan.keras")
    monkeypatch.setenv("KERAS_GANS_KERNELS", "1")
    again = keras.saving.load_model("gan.keras")
    again.train_on_batch(x)
    assert again.engine.choices.names == names
    for a, b in zip(first, again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_sampling_is_keras_where_that_is_fastest(winner):
    """Its layers are called as they are, bias and activation included."""
    winner("keras")
    layer = keras.layers.Conv2D(5, 4, 2, padding="same", activation="relu")
    kernels.accelerate(layer)
    x = tf.ones((2, 8, 8, 3))
    layer.build(x.shape)
    for trains in (False, True):
        with kernels.scope(True, kernels.Choices(), trains):
            taken = choice.implementation(
                layer, x, layer.kernel.value, (8, 8), (4, 4), 1
            )
        assert (taken is not None) == trains


@pytest.mark.full
def test_a_resumed_run_computes_as_it_began(winner, monkeypatch):
    """To the bit, on a machine on which another is fastest."""

    def weights(steps, folder, *more):
        words = [*TINY, f"--steps={steps}", *more]
        assert call("train", "dcgan", f"--run_dir={folder}", *words) == 0
        return runs.open_run(folder)[0].get_weights()

    def kept(folder):
        return runs.read_config(folder)["kernels"]

    winner("phases")
    wanted = weights(6, "whole")
    weights(3, "parts")
    assert "phases" in kept("parts").values()
    measured.cache_path().unlink()
    forget()
    winner("im2col")
    found = weights(6, "parts", "--resume")
    # Those of other batches, which the first steps had not met, may be new.
    assert (
        kept("parts").items()
        >= {k: v for k, v in kept("whole").items() if "float32 4x" in k}.items()
    )
    for a, b in zip(wanted, found, strict=True):
        np.testing.assert_array_equal(a, b)
    pairs = zip(wanted, weights(6, "other"), strict=True)
    assert any((a != b).any() for a, b in pairs)
    assert "kernels" not in presets.shareable(runs.read_config("parts"))
    # What no run has written is refused in words.
    config = json.loads(pathlib.Path("parts/config.json").read_text())
    config["kernels"] = ["im2col"]
    pathlib.Path("parts/config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=r"config.json does not fit. `kernels`"):
        runs.open_run("parts")


COMPILING = """
import tensorflow as tf
import keras
from keras_gans.engine import kernels
from keras_gans.engine.kernels import candidates, choice

choice.LEAST_WORK = 1
pairs = []
choices = kernels.Choices()
for padding, side, before in (("same", 8, 1), ("valid", 10, 0)):
    layer = keras.layers.Conv2D(20, 4, 2, padding=padding)
    kernels.accelerate(layer)
    x = tf.ones((2, side, side, 17))
    layer.build(x.shape)
    pairs.append((layer, x))
    g = candidates.Convolution(
        "float32", 2, (side, side), (4, 4), 17, 20, 4, 2, before
    )
    choices.names |= {f"{d} {g}": "winograd" for d in candidates.DIRECTIONS}

@tf.function
def step():
    with kernels.scope(True, choices), tf.GradientTape() as tape:
        tape.watch([x for _, x in pairs])
        loss = sum(tf.reduce_sum(layer(x)) for layer, x in pairs)
    return tape.gradient(loss, [t for layer, x in pairs for t in (layer.kernel, x)])

step()
"""


@pytest.mark.full
def test_each_transform_is_compiled_once(tmp_path):
    """Early, as the step finds it, and for all paddings that give as many tiles."""
    flags = f"--xla_dump_to={tmp_path / 'dump'} --xla_dump_hlo_as_text"
    env = os.environ | {"XLA_FLAGS": flags, "KERAS_GANS_KERNELS": "cached"}
    subprocess.run([sys.executable, "-c", COMPILING], env=env, check=True)
    paths = (tmp_path / "dump").glob("*.before_optimizations.txt")
    found = [re.search("inference_+([a-z_]+?)_[0-9]", p.name)[1] for p in paths]
    assert collections.Counter(found) == {
        "inputs": 1,
        "inputs_of": 2,  # of images of two sizes
        "kernels": 1,
        "kernels_of": 1,
        "outputs": 1,
        "outputs_of": 1,
    }
