"""Runs that are resumed: which, with what flags, on which data, and where none is."""

import json
import pathlib
import shutil
import types
import zipfile

from command_line import TINY, call, files, in_full
import numpy as np
from pictures import noise, save
from PIL import Image
import pytest

from keras_gans.data import places
from keras_gans.data.broken import check_files
from keras_gans.data.decoding import list_images
from keras_gans.data.digests import differences, digests
from keras_gans.training import directories, lengths, runs

TWO_STEPS = [flag for flag in TINY if "epoch" not in flag] + ["--steps=2"]


def train(*words, recipe="dcgan", command=call):
    return command("train", recipe, *words)


def rows():
    lines = pathlib.Path("r/metrics.jsonl").read_text().splitlines()
    return [{**json.loads(line), "time": 0} for line in lines]


def last_line(capsys):
    err = capsys.readouterr().err
    assert "Traceback" not in err
    return err


def test_a_mistyped_run_is_not_started_anew(first_run, capsys):
    shutil.copytree(first_run[0], "runs/cats")
    shutil.copytree(first_run[0], "runs/dogs")
    made = files(".")
    for wrong, told in (
        ("runs/cast", "does not exist. Did you mean runs/cats?"),
        ("cats", "Did you mean runs/cats?"),
        ("runs/x", "There are runs/"),
        ("runs", "There are runs/"),
        ("runs/cats/checkpoints", "Did you mean runs/cats?"),
    ):
        assert train(f"--run_dir={wrong}", "--resume", *TINY) == 1
        err = last_line(capsys)
        assert told in err, err
        assert files(".") == made
    assert train("--run_dir=runs/cast", "--resume", recipe="conditional_gan") == 1
    assert "--resume=auto" in last_line(capsys)
    assert not pathlib.Path("runs/cast").exists()
    # The same names where a run is looked for to be used.
    for words in (
        ["sample", "runs/cast", "--out=x.png"],
        ["sample", "runs/cast", "--out=x.png", "--best"],
        ["export", "runs/cast", "--to=x"],
        ["evaluate", "runs/cast"],
        ["translate", "runs/cast", "runs/cats/reals.png", "--out=x"],
        ["sample", "runs/cats/export", "--out=x.png"],
    ):
        assert call(*words) == 1
        assert "Did you mean runs/cats?" in last_line(capsys)
    assert call("sample", "runs/cats", "--out=x.png", "--best") == 1
    err = last_line(capsys)
    assert "keras-gans train dcgan --run_dir=runs/cats --resume --evaluate_every" in err
    assert "--best" in err and "best=" not in err


@pytest.mark.full
def test_jobs_that_a_scheduler_restarts(capsys):
    """One command starts a run, goes on with it, and finds it finished."""
    job = ["--run_dir=r", "--resume=auto", *TWO_STEPS]
    assert train(*job, command=in_full) == 0
    told = "No run in r yet: training starts from the beginning."
    assert capsys.readouterr().out.count(told) == 1
    made = files("r")
    assert train(*job, command=in_full) == 0
    out = capsys.readouterr().out
    assert told not in out
    assert "finished: it has trained 2 steps. Train on with --steps=4," in out
    assert "Trained" not in out and "Training for" not in out
    assert files("r") == made
    # A length that it has long reached is not noted, and one beyond is told.
    assert train("--run_dir=r", "--resume", "--steps=1", command=in_full) == 0
    assert "trained 2 steps. Train on with --steps=4," in capsys.readouterr().out
    assert files("r") == made
    # Killed after its last checkpoint: what follows it is made up for.
    before, log = rows(), pathlib.Path("r/metrics.jsonl")
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    shutil.rmtree("r/export/1")
    assert train(*job, command=in_full) == 0
    assert "All steps are trained" in capsys.readouterr().out
    assert rows() == before and sorted(files("r")) == sorted(made)
    with pytest.raises(SystemExit):
        train("--run_dir=r", "--resume=yes")
    with pytest.raises(ValueError, match="`resume` is true, false or 'auto'"):
        runs.train("r", runs.read_config("r"), resume="yes")


def test_runs_of_minutes_are_over_too():
    config = {"steps": None, "epochs": None, "kimg": None, "minutes": 1.5}
    for seconds, over in ((89.0, False), (90.0, True)):
        position = types.SimpleNamespace(seconds=seconds, step=3)
        assert (lengths.share(config, None, position) >= 1) == over
    assert lengths.share(config, None, None) == 0
    assert lengths.share(config, 3, position) == 1
    assert lengths.share(config, 4, position) == 0.75
    assert lengths.longer(config) == lengths.longer(config, 1.9) == "--minutes=3"
    assert lengths.longer(config, 2.0) == "--minutes=6"
    assert lengths.typed(config) == "--minutes=1.5"
    assert lengths.longer(dict.fromkeys(config)) == ""


@pytest.mark.full
def test_a_finished_run_of_minutes_trains_no_step_more(trained_run, capsys):
    path = pathlib.Path("r/checkpoints/step-00000008/position.json")
    position = json.loads(path.read_text())
    del position["sha256"], position["files"]  # as of a checkpoint without checksums
    path.write_text(json.dumps({**position, "seconds": 70.0}))
    assert train("--run_dir=r", "--resume", "--minutes=1") == 0
    out = capsys.readouterr().out
    assert "finished: it has trained 8 steps. Train on with --minutes=2," in out
    assert runs.open_run("r")[1].step == 8


def test_a_length_that_is_used_up_is_refused(trained_run, capsys):
    """A run that stands before its end is not told to be finished."""
    path = pathlib.Path("r/config.json")
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "epochs": 500}))  # as if it was stopped
    made = files("r")
    for given, more in (
        ("--minutes=0.0001", "--minutes="),
        ("--steps=5", "--steps=10"),
    ):
        assert train("--run_dir=r", "--resume", given) == 1
        out, err = capsys.readouterr()
        assert f"Received: {given}, which is used up: the run stands at step 8" in err
        assert f"Give more, such as {more}" in err
        assert err.endswith("leave it out to go on to --epochs=500.\n")
        assert err.startswith(f"keras-gans: {given.partition('=')[0]} counts over all")
        assert "All steps" not in out and "Next:" not in out
        assert files("r") == made


def test_flags_that_differ_are_told_one_a_line(trained_run, capsys):
    made = files("r")
    flags = ["--image_shape=32,32,3", "--batch_size=8", "--flip", "--spectral_norm"]
    assert train("--run_dir=r", "--resume", "--epochs=3", *flags) == 1
    err = last_line(capsys)
    assert [line.strip() for line in err.splitlines()[1:-1]] == [
        "--batch_size=8, where the run has --batch_size=4",
        "--flip, where the run has --no-flip",
        "--image_shape=32,32,3, where the run has --image_shape=16,16,3",
        "--spectral_norm=on, where the run has --spectral_norm=none",
    ]
    assert "{" not in err and files("r") == made


def make_set(folder="set", n=6):
    for i in range(n):
        save(folder, f"{i}.png", noise((16, 16, 3), seed=i))


@pytest.mark.full
def test_data_that_has_changed_is_refused(capsys):
    make_set()
    flags = ["--run_dir=r", "--data=set", *TWO_STEPS]
    assert train(*flags) == 0
    made = files("r")
    noted = json.loads(made["data.json"])
    assert noted["whole"] and sorted(noted["files"]) == [f"{i}.png" for i in range(6)]
    resume = ["--run_dir=r", "--resume"]  # it is over: nothing is trained
    whole = pathlib.Path("set/3.png").read_bytes()
    pathlib.Path("set/2.png").rename("set/7.png")
    save("set", "3.png", noise((16, 16, 3), seed=9))  # of as many bytes
    assert len(whole) == len(pathlib.Path("set/3.png").read_bytes())
    assert train(*resume) == 1
    err = last_line(capsys)
    told = "set with 1 removed ('2.png'), 1 added ('7.png'), 1 changed ('3.png')."
    assert told in err and len(err.splitlines()) == 1
    assert files("r") == made
    # Too few for a batch: still, it is named what is missing.
    for i in (0, 1, 3, 4):
        pathlib.Path(f"set/{i}.png").unlink()
    assert train(*resume) == 1
    assert "5 removed ('0.png', '1.png', '2.png', ...)" in last_line(capsys)
    # Brought back, with other times of change.
    shutil.rmtree("set")
    make_set()
    assert digests_of("set") == noted
    # A run of a version that noted nothing.
    pathlib.Path("r/data.json").write_text("{")
    assert train(*resume) == 1
    assert "r/data.json is damaged" in last_line(capsys)
    pathlib.Path("r/data.json").unlink()
    assert train(*resume, "--steps=3") == 0
    assert "r/data.json is new" in capsys.readouterr().out
    assert pathlib.Path("r/data.json").read_bytes() == made["data.json"]


def digests_of(*folders, whole=None):
    found = [check_files(list_images(f, False), 3) for f in folders]
    return digests(found, whole)


@pytest.mark.parametrize("whole", [None, False])
def test_digests_tell_files_apart(whole):
    make_set("a/A", 2)
    make_set("a/B", 2)
    with zipfile.ZipFile("a.zip", "w") as archive:
        for name in ("A/0.png", "A/1.png"):
            archive.write(f"a/{name}", name)
    before = digests_of("a/A", "a/B", whole=whole)
    assert list(before["files"]) == ["A/0.png", "A/1.png", "B/0.png", "B/1.png"]
    zipped = digests_of("a.zip", whole=whole)
    pixels = noise((64, 64, 3), seed=1)
    large = np.tile(pixels, (4, 4, 1))
    Image.fromarray(large).save("a/B/1.png", compress_level=0)
    now = digests_of("a/A", "a/B", whole=whole)
    assert differences(before["files"], now["files"]) == "1 changed ('B/1.png')"
    large[128, 128] ^= 1  # in the middle of a file that is not compressed
    Image.fromarray(large).save("a/B/1.png", compress_level=0)
    again = digests_of("a/A", "a/B", whole=whole)
    assert differences(now["files"], again["files"]) == "1 changed ('B/1.png')"
    with zipfile.ZipFile("a.zip", "w") as archive:
        archive.write("a/A/1.png", "A/1.png")
        archive.write("a/A/1.png", "A/0.png")
    told = differences(zipped["files"], digests_of("a.zip", whole=whole)["files"])
    assert told == "1 changed ('0.png')"


def test_large_sets_are_not_read_to_their_ends(monkeypatch):
    make_set("a", 1)
    assert digests_of("a")["whole"]
    monkeypatch.setattr("keras_gans.data.digests.FEW_BYTES", 10)
    assert not digests_of("a")["whole"]
    place = places.Folder("a")
    size = place.size_of("0.png")
    assert place.digest_of("0.png", size) == place.digest_of("0.png")
    assert place.digest_of("0.png", 9) != place.digest_of("0.png", 10)


def test_nearest_runs_are_of_paths_of_any_kind():
    assert directories.near("nowhere/at/all") == ""
    pathlib.Path("model.keras").touch()
    assert directories.near("modell", (".keras",)) == " Did you mean model.keras?"
    assert directories.near("modell") == ""
