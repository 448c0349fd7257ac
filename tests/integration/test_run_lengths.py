"""Runs by steps, epochs, thousands of images and minutes; what they print."""

import dataclasses
import itertools
import json
import pathlib
import re
import sys
import time
import types

from command_line import TINY, call
import numpy as np
from PIL import Image
import pytest
from small import ready_gan

import keras_gans as kg
from keras_gans.training import callbacks, checkpoints, lengths, recipes, runs
from keras_gans.training.callbacks import progress
from keras_gans.utils.locks import locked

SMALL = [flag for flag in TINY if not flag.startswith("--epochs")]


def train(*words, run_dir="r"):
    return call("train", "dcgan", f"--run_dir={run_dir}", *SMALL, *words)


def config_of(run_dir="r"):
    return json.loads(pathlib.Path(run_dir, "config.json").read_text())


def step_of(run_dir="r"):
    return checkpoints.step_of(checkpoints.latest(pathlib.Path(run_dir, "checkpoints")))


def log(run_dir):
    lines = pathlib.Path(run_dir, "metrics.jsonl").read_text().splitlines()
    return [{**json.loads(line), "time": 0} for line in lines]


def pictures(folder, n):
    pathlib.Path(folder).mkdir()
    for i in range(n):
        pixels = np.full((16, 16, 3), 7 * i, "uint8")
        Image.fromarray(pixels).save(f"{folder}/{i}.png")


@pytest.mark.full
def test_runs_of_steps_and_kimg_go_on_exactly(capsys):
    assert train("--steps=6", run_dir="whole") == 0
    assert "Trained 6 steps." in capsys.readouterr().out
    assert train("--kimg=0.02") == 0  # 20 images, 4 a step
    assert step_of() == 5
    config = config_of()
    assert [config[name] for name in lengths.LENGTHS] == [None, None, 0.02, None]
    assert call("train", "dcgan", "--run_dir=r", "--resume", "--steps=6") == 0
    assert [config_of()[name] for name in lengths.LENGTHS] == [6, None, None, None]
    a, b = (runs.open_run(name)[0].get_weights() for name in ("whole", "r"))
    for x, y in zip(a, b, strict=True):
        np.testing.assert_array_equal(x, y)
    assert log("whole") == log("r")
    # It has come to its end: nothing is trained, and nothing is lost.
    assert call("train", "dcgan", "--run_dir=r", "--resume") == 0
    assert log("whole") == log("r") and step_of() == 6


@pytest.mark.full
def test_minutes_count_over_resumes(capsys):
    """Those that a checkpoint says are behind it."""
    assert train("--minutes=0.0001") == 0  # over in the first step
    assert step_of() == 1
    assert "Training for 0.0001 minutes" in capsys.readouterr().out
    path = pathlib.Path("r/checkpoints/step-00000001/position.json")
    position = json.loads(path.read_text())
    assert position["seconds"] > 0.006
    del position["sha256"], position["files"]  # as of a checkpoint without checksums
    position["seconds"] = 59.0
    path.write_text(json.dumps(position))
    start = time.monotonic()
    assert call("train", "dcgan", "--run_dir=r", "--resume", "--minutes=1") == 0
    assert 1 < time.monotonic() - start < 30
    assert step_of() > 1


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--steps=3", "--epochs=2"], "--steps=3 and --epochs=2. Keep one"),
        (["--steps=3", "--minutes=2"], "--steps=3 and --minutes=2. Keep one"),
        (["--epochs=-1"], "--epochs must be a positive int. Received: -1"),
        (["--steps=0"], "--steps must be a positive int"),
        (["--kimg=-1"], "--kimg must be a positive number"),
        (["--minutes=nan"], "--minutes must be a positive number"),
        (["--minutes=inf"], "--minutes must be a positive number"),
    ],
)
def test_lengths_are_checked(flags, message, trained_run, capsys):
    assert train(*flags, run_dir="new") == 1
    assert message in capsys.readouterr().err
    assert not pathlib.Path("new").exists()
    before = config_of()
    assert call("train", "dcgan", "--run_dir=r", "--resume", *flags) == 1
    assert message in capsys.readouterr().err
    assert config_of() == before


@pytest.mark.parametrize(
    ("recipe", "images", "batch", "epochs"),
    [
        ("dcgan", 35, 32, 2000),
        ("dcgan", 20, 16, 2000),
        ("gan", 640, 64, 200),
        ("dcgan", 640, 32, 300),
        ("dcgan", 60000, 32, 53),  # 100,000 steps at most
        ("dcgan", 10**7, 32, 1),
        ("wgan_gp", 35, 32, 2000),  # of five batches a step
    ],
)
def test_the_default_suits_the_set(recipe, images, batch, epochs):
    recipe = recipes.get(recipe)
    d_steps = 5 if recipe.name == "wgan_gp" else 1
    config = runs.new_config(recipe.name, data="mine")
    config = lengths.settled(config, recipe, images, d_steps)
    assert (config["batch_size"], config["epochs"]) == (batch, epochs)
    given = runs.new_config(recipe.name, data="mine", epochs=3)
    assert lengths.settled(given, recipe, images, d_steps)["epochs"] == 3
    own = lengths.settled(runs.new_config(recipe.name), recipe, 1570, d_steps)
    assert own["epochs"] == recipe.epochs


@pytest.mark.parametrize("steps", [1, 2800, 10**6])
def test_the_default_reaches_the_last_phase(steps):
    """Of few photos; a pre-training may be longer than the longest default."""
    recipe = recipes.get("srgan")
    config = runs.new_config("srgan", data="mine")
    config = lengths.settled(config, recipe, 3 * 64, 1, steps)
    epoch = 3 * 64 // config["batch_size"]
    trained = lengths.total_steps(config, epoch, 1)
    assert 1.25 * steps <= trained <= max(2000, 1.25 * steps) + epoch


@pytest.mark.full
def test_a_run_that_only_pre_trains_is_told(capsys):
    noise = np.random.default_rng(0).integers(0, 256, (20, 20, 3), "uint8")
    pathlib.Path("photos").mkdir()
    Image.fromarray(noise).save("photos/a.png")
    words = ["--run_dir=r", "--data=photos", "--image_shape=16,16,3", "--scale=2"]
    words += ["--blocks=1", "--width=2", "--d_width=1", "--dense=1"]
    words += ["--perceptual_weight=0", "--batch_size=1", "--steps=2"]
    assert call("train", "srgan", *words) == 0
    out = capsys.readouterr().out
    first = recipes.get("srgan").arguments["pretrain_steps"]
    told = f"d, g start after {first:,} steps. Give --steps={5 * first // 4} or so"
    assert out.index(told) < out.index("step 2 of 2")
    assert "smaller --pretrain_steps" in out
    words[-1:] = ["--minutes=0.0001", "--overwrite"]  # over in the first step
    assert call("train", "srgan", *words) == 0
    out = capsys.readouterr().out
    told = f"It has only pre-trained: d, g start after {first:,} steps. Go on with "
    assert out.index("Trained 1 step.") < out.index(told + "--resume --steps=")


@pytest.mark.full
def test_a_set_of_few_images(capsys):
    """Smaller than a batch, and five batches a step: it trains, and is told."""
    pictures("few", 6)
    words = ["--image_shape=16,16,3", "--width=2", "--d_steps=5", "--data=few"]
    assert call("train", "dcgan", "--run_dir=r", *words, "--steps=2") == 0
    out = capsys.readouterr().out
    told = "Training for 2 steps, which see 6 images 6.67 times, in batches of 4, the "
    assert told + "largest power of 2 that 6 images fill (the recipe has 32)." in out
    assert "2 steps are too few" in out
    assert "6 images are few" in out and "--flip" in out
    assert "keras-gans nearest shows" in out
    assert "--diff_augment=" not in out  # the recipe has it
    assert config_of()["batch_size"] == 4
    given = {**config_of(), "batch_size": 3}  # by a flag
    gan = types.SimpleNamespace(batches_per_step=1, samples_from_seed=False)
    gan.phases = lambda: [types.SimpleNamespace(name="d", start=0)]
    told = lengths.notes(given, recipes.get("dcgan"), gan, 6, 2)
    assert told[0].endswith("in batches of 3.")
    assert lengths.notes(given, recipes.get("dcgan"), gan, 6, 1)[0].startswith(
        "Training for 1 step, which sees 6 images 0.5 times, in"
    )
    gan.samples_from_seed = True
    told = lengths.notes({**given, "arguments": {}}, recipes.get("gan"), gan, 6, 2)
    assert "--diff_augment=color,translation,cutout" in told[-1]


def test_a_run_in_use_is_refused(trained_run, capsys):
    before = sorted(pathlib.Path("r").rglob("*"))
    with locked("r"):
        for flags in (["--resume"], ["--overwrite"], []):
            assert train(*flags, "--steps=2") == 1
            assert "r, in use by process" in capsys.readouterr().err
        # Those who read need no lock.
        assert call("sample", "r", "--out=s.png", "--n=2") == 0
    assert sorted(pathlib.Path("r").rglob("*")) == before


def test_two_trainings_do_not_share_checkpoints(images):
    gan = ready_gan()
    with locked("c"), pytest.raises(ValueError, match="in use by process"):
        saver = callbacks.Checkpoint("c", every=1)
        gan.fit(images(8, 8, 8), batch_size=4, verbose=0, callbacks=[saver])


def fit_with(callback, images, steps=6):
    ready_gan().fit(
        images(4 * steps, 8, 8), batch_size=4, verbose=0, callbacks=[callback]
    )


def test_progress_in_a_file(images, capsys, monkeypatch):
    now = iter(range(0, 1000, 7))  # seconds: each look at the clock takes 7
    clock = types.SimpleNamespace(monotonic=lambda: next(now))
    monkeypatch.setattr(progress, "time", clock)
    fit_with(callbacks.Progress(steps=6), images)
    out = capsys.readouterr().out
    assert not {"\b", "\r", "\x1b"} & set(out)
    lines = out.splitlines()
    assert len(lines) == 2 and lines[0].startswith("step 3 of 6, epoch 1, ")
    assert re.match(
        r"step 6 of 6, epoch 1, \S+ s a step, 0 s left: d_loss \d.*, g_loss", lines[1]
    )


def test_the_first_line_in_a_file_times_steps(images, capsys, monkeypatch):
    """However long the first step, which is compiled, takes: here a minute."""
    now = itertools.chain([0, 60], itertools.count(62, 2))
    clock = types.SimpleNamespace(monotonic=lambda: next(now))
    monkeypatch.setattr(progress, "time", clock)
    fit_with(callbacks.Progress(steps=9), images, steps=9)
    first, *_ = capsys.readouterr().out.splitlines()
    # Steps 2 to 6 took 10 seconds, and this look at the clock 2.
    assert first.startswith("step 6 of 9, epoch 1, 2.4 s a step, 7 s left: d_loss")


def test_progress_on_a_terminal(images, capsys, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setattr(progress, "SECONDS_REDRAWN", 0)
    monkeypatch.setenv("COLUMNS", "90")
    fit_with(callbacks.Progress(minutes=1.9), images)
    states = capsys.readouterr().out.rstrip("\n").split("\r")[1:]
    assert len(states) == 6
    assert all(len(state) == 89 for state in states)
    wanted = r"step 6, epoch 1, \S+ s a step, 1 min \d+ s left \(to step [\d,]+ or so\)"
    assert re.match(wanted, states[-1])


class StartsLate(kg.GAN):
    """A GAN whose generator starts after the first 12 steps."""

    def phases(self):
        d, g = super().phases()
        return [d, dataclasses.replace(g, start=12)]


@pytest.mark.daily(1)
@pytest.mark.parametrize(("minutes", "only"), [(1, True), (10, False)])
def test_too_few_minutes_for_the_last_phase_are_told(
    minutes, only, images, capsys, monkeypatch
):
    """Once the number of steps is known about: a step takes 16 to 24 seconds here."""
    now = iter(range(0, 1000, 8))  # seconds: each look at the clock takes 8
    clock = types.SimpleNamespace(monotonic=lambda: next(now))
    monkeypatch.setattr(progress, "time", clock)
    monkeypatch.setattr(progress, "SECONDS", 0)
    gan = StartsLate((8, 8, 1), latent_dim=6)
    gan.compile(run_eagerly=True)
    told = callbacks.Progress(minutes=minutes)
    gan.fit(images(12, 8, 8), batch_size=4, verbose=0, callbacks=[told])
    lines = capsys.readouterr().out.splitlines()
    found = [line for line in lines if "only pre-trains" in line]
    want = "At this rate, this run only pre-trains: g start after 12 steps. Give "
    assert found == ([f"{want}--steps=15 or so, or a smaller --pretrain_steps."] * only)


def test_durations():
    seconds = (0.4, 59.4, 60, 3599, 3600, 90000)
    assert [progress.duration(s) for s in seconds] == [
        "0 s",
        "59 s",
        "1 min 0 s",
        "59 min 59 s",
        "1 h 0 min",
        "25 h 0 min",
    ]


def test_plots_take_little_of_the_time(images, monkeypatch):
    """With the grids at most, and less often where drawing is slow."""
    drawn = []
    plot = callbacks.LossPlot("log.jsonl", "losses.png", every=2)
    monkeypatch.setattr(plot, "plot", lambda: drawn.append(plot.step))
    fit_with(plot, images)
    assert drawn[0] == 2 and set(drawn) <= {2, 4, 6} and drawn[-1] == 6

    drawn.clear()
    slow = callbacks.LossPlot("log.jsonl", "losses.png", every=1)

    def draw():
        drawn.append(slow.step)
        time.sleep(0.2)

    monkeypatch.setattr(slow, "plot", draw)
    fit_with(slow, images)
    assert drawn == [1, 6]  # 3.8 s later at the soonest, and at the end


def test_a_plot_is_drawn_again_for_a_new_line_alone(tmp_path):
    log, path = tmp_path / "log.jsonl", tmp_path / "losses.png"
    line = json.dumps({"kind": "step", "step": 1, "epoch": 0, "d_loss": 1.0})
    plot = callbacks.LossPlot(log, path)
    plot.set_model(ready_gan())
    log.write_text(line + "\n")
    plot.plot()
    first = path.stat()
    plot.plot()
    assert path.stat().st_ino == first.st_ino
    log.write_text(2 * (line + "\n"))
    plot.plot()
    assert path.stat().st_ino != first.st_ino
    path.unlink()
    plot.plot()
    assert path.exists()
