"""The command line, and runs killed and resumed."""

import json
import pathlib
import subprocess
import sys

from command_line import TINY, call, files
from grids import tiles
import numpy as np
from paths import ROOT
from PIL import Image
import pytest

from keras_gans.training import runs

sys.path.append(str(ROOT / "benchmarks" / "reliability"))

import kill_resume


def test_train_sample_export(trained_run, capsys):
    out = trained_run
    assert "d_loss" in out and "g_loss" in out
    for place in ("r/metrics.jsonl", "r/samples", "r/checkpoints", "r/export/1"):
        assert place in out
    config = json.loads(pathlib.Path("r/config.json").read_text())
    assert config["arguments"]["image_shape"] == [16, 16, 3]
    made = files("r")
    assert {"samples/step-00000004.png", "samples/step-00000008.png"} <= set(made)
    assert "export/1/saved_model.pb" in made and "losses.png" in made
    assert len(made["metrics.jsonl"].splitlines()) == 8 + 2

    assert call("sample", "r", "--n=6", "--seed=2", "--out=s.png") == 0
    gan, position = runs.open_run("r")
    assert position.step == 8
    with Image.open("s.png") as picture:
        pixels = np.asarray(picture)
    shown = np.rint((gan.sample(6, seed=2) + 1) * 127.5)
    np.testing.assert_array_equal(tiles(pixels, 6, 3, 16, 16), shown)
    assert call("sample", "r", "--out=s.png") == 1
    assert "overwritten unasked" in capsys.readouterr().err

    assert call("export", "r", "--to=served/1") == 0
    import tensorflow as tf

    served = tf.saved_model.load("served/1")
    seeds = 2 * 2**32 + np.arange(6)
    np.testing.assert_allclose(
        served.serving_default(seeds)["images"], gan.sample(6, seed=2), atol=1e-6
    )

    # Nothing of a run is lost unasked.
    assert call("train", "dcgan", "--run_dir=r", *TINY) == 1
    assert "--resume" in capsys.readouterr().err
    assert call("train", "dcgan", "--run_dir=r", "--resume", "--width=3") == 1
    assert "--width=3, where the run has --width=2" in capsys.readouterr().err
    assert call("train", "gan", "--run_dir=r", "--resume") == 1
    assert "a run of the recipe dcgan" in capsys.readouterr().err
    assert files("r") == made


@pytest.mark.full
def test_killed_runs_end_where_undisturbed_runs_end(tmp_path):
    unlike = kill_resume.main(
        kills=1,
        flags=["dcgan", *TINY, "--flip", "--deterministic"],
        seed=1,
        folder=tmp_path,
    )
    assert unlike == []


def test_flags_that_save_memory(monkeypatch):
    given = []
    monkeypatch.setattr(runs, "train", lambda _, config, *rest: given.append(config))
    flags = ["--accumulate=2", "--rematerialize", "--width=2"]
    assert call("train", "dcgan", *flags, "--image_shape=16,16,3") == 0
    gan = runs.build(given[0])
    assert (gan.accumulate, gan.rematerialize) == (2, True)


def test_help(capsys):
    for words in ([], ["train"], ["train", "gan"], ["sample"], ["export"]):
        with pytest.raises(SystemExit) as stop:
            call(*words, "--help")
        assert stop.value.code == 0
    out = capsys.readouterr().out
    for flag in ("--data", "--run_dir", "--resume", "--objective", "--n", "--to"):
        assert flag in out
    assert call("list") == 0
    assert "arXiv:1511.06434" in capsys.readouterr().out


def test_the_command_runs_as_a_process():
    run = subprocess.run(
        [sys.executable, "-m", "keras_gans_cli", "--help"],
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 0 and "keras-gans" in run.stdout, run.stderr
    assert not run.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "dcgn"], "Did you mean dcgan"),
        (["trian", "dcgan"], "Did you mean train"),
        (["train", "dcgan", "--epocs=3"], "Did you mean --epochs"),
        (["sample", "r", "--sed=1", "--out=x.png"], "Did you mean --seed"),
    ],
)
def test_unknown_words_name_the_nearest(words, message, capsys):
    with pytest.raises(SystemExit) as stop:
        call(*words)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "dcgan", "--data=no/such"], "no/such"),
        (["train", "dcgan", "--data=emojy"], "emoji"),
        (["train", "dcgan", "--image_shape=8,8,3"], "at least 16 x 16"),
        (["train", "dcgan", "--image_shape=64"], "three positive ints"),
        (["train", "dcgan", "--ema=abc"], "--ema must lie in"),
        (["train", "dcgan", "--linear_decay=5"], "(start, end)"),
        (["train", "dcgan", "--width=abc"], "--width must lie in"),
        (["train", "dcgan", "--image_shape=16,16,5"], "1 to 4 channels"),
        (["train", "dcgan", "--epochs=0"], "--epochs must be a positive"),
        (["train", "dcgan", "--objective=hing"], "Did you mean hinge"),
        (["train", "dcgan", "--batch_size=5000"], "1570"),
        (["sample", "nowhere", "--out=x.png"], "No run directory"),
        (["export", "nowhere", "--to=x"], "No run directory"),
    ],
)
def test_bad_input_is_told_in_a_line(words, message, capsys):
    extra = ["--run_dir=r"] if words[0] == "train" else []
    assert call(*words, *extra) == 1
    err = capsys.readouterr().err
    assert message in err and "Traceback" not in err
    assert not pathlib.Path("r").exists()  # free for the corrected command


@pytest.mark.full
def test_a_mistake_with_overwrite_costs_nothing(trained_run, capsys):
    made = files("r")
    again = ["--run_dir=r", "--overwrite", *TINY]
    assert call("train", "dcgan", *again, "--data=emojy") == 1
    assert files("r") == made
    assert call("train", "dcgan", *again, "--resume") == 1
    assert "exclude each other" in capsys.readouterr().err
    assert call("train", "dcgan", *again, "--objective=hinge") == 0
    config = json.loads(pathlib.Path("r/config.json").read_text())
    assert config["arguments"]["objective"] == "hinge"


@pytest.mark.full
def test_broken_pictures_end_the_command(tmp_path):
    """In a process of its own: it must come to its end."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), "uint8")
    for i in range(8):
        Image.fromarray(pixels).save(pictures / f"{i}.png")
    whole = (pictures / "3.png").read_bytes()
    (pictures / "3.png").write_bytes(whole[:300])
    command = [sys.executable, "-c", kill_resume.COMMAND, "train", "dcgan"]
    run = subprocess.run(
        [*command, "--data=pictures", "--run_dir=r", *TINY],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert run.returncode == 1 and "3.png" in run.stderr
    assert "Traceback" not in run.stderr


def test_foreign_files_are_left_alone(capsys):
    folder = pathlib.Path("photos")
    folder.mkdir()
    (folder / "dear.txt").write_text("keep me")
    for flag in ("--overwrite", "--resume"):
        assert call("train", "dcgan", "--run_dir=photos", flag, *TINY) == 1
        assert "left alone" in capsys.readouterr().err
    assert (folder / "dear.txt").read_text() == "keep me"
