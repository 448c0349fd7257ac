"""Only a thing of the kind that is written is ever replaced."""

import json
import pathlib

from command_line import TINY, call, files
import keras
import numpy as np
import pytest
from scoring import pictures, small_gan
from small import small_gan as untrained

from keras_gans.training import beginning, callbacks, checkpoints, runs

AGAIN = ["train", "dcgan", "--run_dir=r", *TINY, "--overwrite"]


def precious(folder):
    path = pathlib.Path(folder)
    path.mkdir()
    (path / "thesis.txt").write_text("precious")
    return path


def test_exports_replace_saved_models_alone(trained_run, capsys):
    precious("docs")
    precious("docs/1")
    precious("grid.png")
    kept = files(".")
    for target, why in (
        ("docs/1", "Only a SavedModel is overwritten"),
        ("r", "names none"),
    ):
        assert call("export", "r", f"--to={target}", "--overwrite") == 1
        assert why in capsys.readouterr().err
    for target in ("r", "r/checkpoints", "r/config.json"):
        assert call("export", "r", f"--to={target}") == 1
        assert "versions lie in a folder" in capsys.readouterr().err
    for words in (["sample", "r", "--n=4"], ["sample", "r", "--n=4", "--overwrite"]):
        assert call(*words, "--out=grid.png") == 1
        assert "overwritten" in capsys.readouterr().err
    with pytest.raises(ValueError, match="Only a SavedModel"):
        untrained().export("docs", overwrite=True)
    assert files(".") == kept
    # A SavedModel is replaced, unless somebody keeps files of his own in it.
    extra = pathlib.Path("r/export/1/assets.extra/extra")
    extra.write_text("")
    assert call("export", "r", "--to=r/export/1", "--overwrite") == 0
    assert not extra.exists()
    pathlib.Path("r/export/1/notes.txt").write_text("precious")
    assert call("export", "r", "--to=r/export/1", "--overwrite") == 1
    assert pathlib.Path("r/export/1/notes.txt").exists()


def test_the_best_replaces_a_checkpoint_alone(images):
    precious("docs")
    gan = small_gan()
    scores = callbacks.Evaluate(
        pictures(),
        every=1,
        metrics=["kid"],
        n=8,
        network=lambda x: np.asarray(x).reshape(len(x), -1)[:, :4],
        input_size=8,
        directory="docs",
        verbose=0,
    )
    with pytest.raises(ValueError, match="Only a checkpoint is overwritten"):
        gan.fit(pictures(), batch_size=4, verbose=0, callbacks=[scores])
    assert list(files("docs")) == ["thesis.txt"]


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--accumulate=3", "accumulated over 3 parts"),
        ("--packing=3", "pack"),
        ("--d_learning_rate=1e30", "diverged"),
    ],
)
def test_an_old_run_stays_until_the_new_one_trains(flag, message, trained_run, capsys):
    made = files("r")
    assert call(*AGAIN, flag) == 1
    assert message in capsys.readouterr().err
    assert files("r") == made
    assert call("train", "dcgan", "--run_dir=new", *TINY, flag) == 1
    assert not pathlib.Path("new").exists()


def test_a_kill_before_the_first_step_gives_the_old_run_back(trained_run):
    made = files("r")
    contents = runs.CONTENTS
    run_dir = pathlib.Path("r")
    for moved in range(len(contents) + 2):
        # A kill after so many steps of the beginning.
        aside = run_dir / beginning.ASIDE
        aside.mkdir()
        for name in contents[:moved]:
            if (run_dir / name).exists():
                (run_dir / name).rename(aside / name)
        if moved > len(contents):
            (run_dir / runs.CONFIG).write_text("{}")
            (run_dir / runs.METRICS).write_text("of the new run")
        beginning.recover(run_dir, contents)
        assert files("r") == made


@pytest.mark.full
def test_own_files_in_a_run_stay_and_lock_nothing(trained_run):
    own = pathlib.Path("r/notes.txt")
    own.write_text("mine")
    assert call(*AGAIN) == 0
    assert call("train", "dcgan", "--run_dir=r", "--resume", "--epochs=3") == 0
    assert own.read_text() == "mine"
    assert runs.open_run("r")[1].step == 12


def test_a_config_of_another_program_makes_no_run(capsys):
    folder = precious("model")
    (folder / "config.json").write_text(json.dumps({"hidden_size": 768}))
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints/mine").write_text("precious")
    made = files("model")
    for flag in ("--overwrite", "--resume"):
        assert call("train", "dcgan", "--run_dir=model", *TINY, flag) == 1
        assert "is of no run" in capsys.readouterr().err
    assert files("model") == made


@pytest.mark.full
def test_the_best_is_found_after_a_kill_between_two_renames(trained_run):
    latest = checkpoints.latest("r/checkpoints")
    latest.rename("r/.old.best")
    gan, position = runs.open_run("r", best=True)
    assert position.step == 8 and isinstance(gan, keras.Model)
    assert call("train", "dcgan", "--run_dir=r", "--resume", "--epochs=2") == 0
    assert pathlib.Path("r/best").is_dir()
    assert not pathlib.Path("r/.old.best").exists()
