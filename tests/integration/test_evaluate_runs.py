"""Scores while a GAN trains, and of the command line."""

import dataclasses
import json
import pathlib

from command_line import call
import keras
import numpy as np
from PIL import Image
import pytest
from scoring import new_gan, pictures, small_gan, tiny

import keras_gans as kg
from keras_gans.metrics import FeatureNetwork, Record, evaluate
from keras_gans.metrics.features import network
from keras_gans.training import callbacks, checkpoints, runs


def evaluation(**options):
    options = {
        "every": 2,
        "metrics": ["kid", "recall"],
        "n": 30,
        "network": tiny(),
        "batch_size": 16,
        "verbose": 0,
        **options,
    }
    return callbacks.Evaluate(pictures(size=8), **options)


def train(gan, images, *more, **options):
    options = {"epochs": 3, "shuffle": False, "verbose": 0, **options}
    # 5 steps an epoch
    data = images(20, 8, 8)
    gan.fit(data, batch_size=4, callbacks=list(more), **options)
    return gan.get_weights()


def read_rows(path="log.jsonl"):
    lines = pathlib.Path(path).read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["kind"] == "evaluation"]


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_scores_while_training(images):
    log = callbacks.JsonlLogger("log.jsonl", every=1)
    scores = evaluation(log=log, directory="best", every=4)
    gan = small_gan()
    weights = train(gan, images, log, scores)
    # Scoring changes nothing in training.
    for a, b in zip(weights, train(small_gan(), images), strict=True):
        np.testing.assert_array_equal(a, b)
    rows = read_rows()
    assert [(row["step"], row["epoch"]) for row in rows] == [(4, 0), (8, 1), (12, 2)]
    assert [step for step, _ in scores.records] == [4, 8, 12]
    for row, (_, records) in zip(rows, scores.records, strict=True):
        kept = [Record.from_json(json.dumps(r)) for r in row["records"]]
        assert kept == records
        assert row["kid"] == records[0].value
        assert row["recall"] == records[1].value
    # The last is of step 12; what training left is of 15.
    step, best = min(
        ((step, records[0]) for step, records in scores.records),
        key=lambda pair: pair[1].value,
    )
    assert scores.best == (step, best)
    again = small_gan()
    assert checkpoints.restore(again, "best").step == step
    [record] = evaluate(
        again, pictures(size=8), "kid", tiny(), n=30, batch_size=16, verbose=0
    )
    assert record.value == pytest.approx(best.value, rel=1e-5)
    assert record.fake == f"GAN, step {step}"


def test_the_plot_shows_scores(images):
    log = callbacks.JsonlLogger("log.jsonl", every=1)
    plot = callbacks.LossPlot("log.jsonl", "losses.png")
    sizes = []
    for scores in ([], [evaluation(log=log)]):
        train(small_gan(), images, log, *scores, plot, epochs=1)
        with Image.open("losses.png") as picture:
            sizes.append(picture.size)
    # Two more panels, of the kernel distance and of recall.
    assert sizes == [(800, 900), (800, 1500)]


def test_higher_is_better_where_it_is(images):
    scores = evaluation(metrics=["coverage", "kid"], every=1)
    train(small_gan(), images, scores)
    values = [records[0].value for _, records in scores.records]
    assert scores.best[1].value == max(values)
    assert scores.best[0] == 1 + int(np.argmax(values))


@pytest.mark.full
def test_the_best_survives_a_kill(images, monkeypatch):
    """The same best as of an undisturbed training, whenever it is killed."""

    def whole(directory, killed_at=None):
        gan = small_gan()
        scores = evaluation(directory=directory, every=1)
        saver = callbacks.Checkpoint(f"{directory}-c", every=5)
        if killed_at is None:
            train(gan, images, scores, saver)
            return scores.best

        def kill(epoch, logs):
            if epoch == killed_at:
                raise KeyboardInterrupt

        stop = keras.callbacks.LambdaCallback(on_epoch_begin=kill)
        with pytest.raises(KeyboardInterrupt):
            train(gan, images, scores, saver, stop)
        gan = small_gan()
        done = checkpoints.restore(gan, checkpoints.latest(f"{directory}-c"))
        assert done.step == 5 * killed_at
        scores = evaluation(directory=directory, every=1)
        train(gan, images, scores, initial_epoch=killed_at)
        return scores.best

    straight = whole("a")
    assert whole("b", killed_at=2) == straight
    assert checkpoints.read_position("b").step == straight[0]
    # A kill between the two steps of replacing leaves the former aside.
    pathlib.Path("a").rename(".old.a")
    gan = small_gan()
    checkpoints.restore(gan, checkpoints.latest("a-c"))
    again = evaluation(directory="a")
    train(gan, images, again, initial_epoch=2, epochs=3)
    assert again.best[1].value <= straight[1].value


def test_the_best_of_others_is_left_alone(images):
    gan = small_gan()
    train(gan, images, evaluation(directory="best"), epochs=1)
    with pytest.raises(ValueError, match="best of another training"):
        train(new_gan(), images, evaluation(directory="best"))
    with pytest.raises(ValueError, match="was measured otherwise"):
        train(gan, images, evaluation(directory="best", n=20))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "`every`"),
        ({"metrics": ["fdi"]}, "Did you mean fid"),
        ({"n": 0}, "`n` must be"),
        ({"seed": -1}, "`seed`"),
        ({"slpit": "test"}, "Unknown argument of Evaluate.*Did you mean split"),
        ({"settings": {"is": {}}}, "`settings` are of"),
    ],
)
def test_bad_arguments_are_met_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        evaluation(**options)


# --- The command line ---


@pytest.fixture
def small_lite0(monkeypatch):
    """Lite0's place is taken by a network of a few numbers."""

    # A SavedModel takes longer than all the rest.
    monkeypatch.setattr(kg.DCGAN, "export", lambda *args, **kwargs: None)
    monkeypatch.setattr(network, "_lite0", tiny)
    monkeypatch.setattr(network, "LITE0_SIZE", 8)


def save(folder, images):
    folder = pathlib.Path(folder)
    folder.mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{i}.png")


def test_folders_against_folders(small_lite0, capsys):
    real, fake = pictures(), pictures(30, seed=1)
    save("real", real)
    save("fake", fake)
    words = ["evaluate", "fake", "--cache_dir=kept", "--out=s.jsonl"]
    assert call(*words, "--data=real", "--metrics=kid,coverage") == 0
    assert call(*words, "--data=real", "--n=20") == 0
    lines = pathlib.Path("s.jsonl").read_text().splitlines()
    records = [Record.from_json(line) for line in lines]
    assert [r.metric for r in records] == ["kid", "coverage", "fid", "kid"]
    assert [r.fakes for r in records] == [30, 30, 20, 20]
    assert records[0].name == "Lite0 kernel distance"
    assert (records[0].fake, records[0].real) == ("folder fake", "folder real")
    [wanted] = evaluate(fake, real, "kid", FeatureNetwork(tiny()), verbose=0)
    assert records[0].value == pytest.approx(wanted.value, rel=1e-5)
    assert str(records[0]) in capsys.readouterr().out
    assert list(pathlib.Path("kept").rglob("*.npz"))
    pathlib.Path("real/broken.png").touch()
    needed = ["--data=real", "--n=20", "--skip_broken", "--cache_dir=kept"]
    with pytest.warns(UserWarning, match="Left out 1"):
        assert call("evaluate", "fake", *needed, "--metrics=kid") == 0
    hint = capsys.readouterr().out.partition("Next:\n  keras-gans ")[2]
    hint = hint.partition(" # ")[0].split()
    assert hint == ["evaluate", "fake", *needed, "--metrics=precision,recall"]
    with pytest.warns(UserWarning, match="Left out 1"):
        assert call(*hint) == 0
    assert "Next:" not in capsys.readouterr().out
    for words, message in (
        (["fake"], "Pass --data=FOLDER"),
        (["fake", "--data=nowhere"], "nowhere"),
        (["fake", "--data=real", "--metrics=fif"], "Did you mean fid"),
        (["fake", "--data=real", "--out=s.txt"], ".jsonl file"),
        (["fake", "--data=real", "--network=inception"], "--weights"),
    ):
        assert call("evaluate", *words, "--cache_dir=") == 1
        assert message in capsys.readouterr().err


def train_run(run_dir, *words):
    return call(
        "train",
        "dcgan",
        f"--run_dir={run_dir}",
        "--data=real",
        "--image_shape=16,16,3",
        "--width=2",
        "--batch_size=4",
        "--evaluate_every=2",
        "--checkpoint_every=2",
        *words,
    )


@pytest.mark.full
def test_runs_are_scored(small_lite0, capsys):
    save("real", pictures(16, 16))
    assert train_run("a", "--epochs=2") == 0
    assert "Lite0 kernel distance" in capsys.readouterr().out
    rows = read_rows("a/metrics.jsonl")
    assert [row["step"] for row in rows] == [2, 4, 6, 8]
    assert rows[0]["records"][0]["reals"] == 16
    best = checkpoints.read_position("a/best")
    assert best.step == min(rows, key=lambda row: row["kid"])["step"]

    options = ["--n=12", "--seed=4", "--cache_dir=", "--out=s.jsonl"]
    assert call("evaluate", "a", "--metrics=kid", *options) == 0
    [line] = pathlib.Path("s.jsonl").read_text().splitlines()
    record = Record.from_json(line)
    assert (record.fake, record.fakes, record.seed) == ("DCGAN, step 8", 12, 4)
    gan, _ = runs.open_run("a")
    [wanted] = kg.metrics.evaluate(
        gan.sample(12, seed=4), pictures(16, 16), "kid", tiny(), verbose=0
    )
    assert record.value == pytest.approx(wanted.value, rel=1e-5)

    best_only = ["--n=4", "--cache_dir=", "--out=best.jsonl", "--best"]
    assert call("evaluate", "a", "--metrics=kid", *best_only) == 0
    record = Record.from_json(pathlib.Path("best.jsonl").read_text())
    assert record.fake == f"DCGAN, step {best.step}"

    # A preset knows what it was trained on, too.
    few = ["--n=4", "--reals=4", "--cache_dir=", "--out=preset.jsonl"]
    assert call("evaluate", "emoji", "--metrics=kid", *few) == 0
    record = Record.from_json(pathlib.Path("preset.jsonl").read_text())
    assert record.real == "emoji" and record.fake.startswith("DCGAN, step ")

    # A run that stopped and went on evaluates as the undisturbed one.
    assert train_run("b", "--epochs=1") == 0
    assert train_run("b", "--epochs=2", "--resume") == 0
    again = read_rows("b/metrics.jsonl")
    assert [{**r, "time": 0} for r in rows] == [{**r, "time": 0} for r in again]
    # Their times of day may be written in other numbers of digits.
    again = checkpoints.read_position("b/best")
    assert dataclasses.replace(again, log_size=0) == (
        dataclasses.replace(best, log_size=0)
    )
