"""`keras-gans sample`: grids, single files, lists of seeds, names of classes."""

import json
import os
import pathlib
import shutil
from unittest import mock

from command_line import call
from grids import row_names, tiles
import numpy as np
from PIL import Image
import pytest

import keras_gans as kg
from keras_gans.modalities import pictures
from keras_gans.training import runs

NAMES = ["cats", "dogs, big", "2", "猫", "a" * 300, "حيوانات", "x/y", "..", "owls"]
CLASSES = len(NAMES)
NAMED = {0: "cats", 8: "owls"}  # of which files have the names


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def levels(samples):
    return np.rint((samples + 1) * 127.5)


@pytest.fixture(scope="module")
def run_of_classes(tmp_path_factory):
    """A run of nine classes; its config names them."""
    folder = tmp_path_factory.mktemp("runs")
    flags = ["--image_shape=16,16,3", "--width=2", "--latent_dim=4"]
    flags += ["--steps_per_epoch=2", "--epochs=1", "--batch_size=8"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert call("train", "acgan", *flags, "--run_dir=r") == 0
    path = folder / "r" / runs.CONFIG
    config = {**json.loads(path.read_text()), "class_names": NAMES}
    path.write_text(json.dumps(config))
    return folder / "r"


@pytest.fixture
def run(run_of_classes):
    shutil.copytree(run_of_classes, "r")
    gan, _ = runs.open_run("r")
    return gan


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--labels=99"], "numbers from 0 to 8, or names: cats, dogs, big,"),
        (["--labels=-1"], "Received: '-1'"),
        (["--labels=1,2", "--n=3"], "Received: 2 classes for 3 samples"),
        (["--labels=1,2", "--seeds=0-2"], "Received: 2 classes for 3 samples"),
    ],
)
def test_labels_that_do_not_fit(flags, message, run, capsys):
    assert call("sample", "r", "--out=a.png", *flags) == 1
    err = capsys.readouterr().err
    assert "--labels" in err and message in err and "one-hot" not in err


def test_a_grid_has_whole_rows_of_classes(run):
    assert call("sample", "r", "--out=a.png") == 0
    found = tiles(pixels("a.png"), 63, CLASSES, 16, 16, heads=3)
    np.testing.assert_array_equal(found, levels(run.sample(63)))


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("labels", "numbers"),
    [
        ("3,3,5", [3, 3, 5]),
        ("cats,owls,3", [0, 8, 3]),
        ("2,2,0", [2, 2, 0]),
        ("dogs, big", 1),
        ("8", 8),
        ("猫,..,x/y", [3, 7, 6]),
    ],
)
def test_labels_are_numbers_or_names(run, labels, numbers):
    assert (
        call("sample", "r", "--each", f"--labels={labels}", "--out=a", "--seed=1") == 0
    )
    paths = sorted(pathlib.Path("a").iterdir())
    n = len(numbers) if isinstance(numbers, list) else 63
    assert len(paths) == n
    wanted = np.broadcast_to(numbers, n)
    expected = levels(run.sample(n, 1, labels=wanted))
    for i, (path, image) in enumerate(zip(paths, expected, strict=True)):
        name = NAMED.get(wanted[i], f"class{wanted[i]}")
        assert path.name == f"seed0001-{i:04d}-{name}.png"
        np.testing.assert_array_equal(pixels(path), image)


@pytest.mark.full
def test_unknown_names_have_a_nearest_one(run, capsys):
    assert call("sample", "r", "--labels=owl,cats", "--out=a.png") == 1
    assert "'owl'" in (message := capsys.readouterr().err)
    assert "Did you mean owls?" in message
    assert call("sample", "r", "--labels=9", "--out=a.png") == 1
    assert "numbers from 0 to 8" in capsys.readouterr().err


@pytest.mark.full
def test_a_list_of_seeds(run):
    flags = ["--seeds=0-2,77", "--labels=owls"]
    assert call("sample", "r", *flags, "--out=a.png") == 0
    expected = [run.sample(1, seed, labels=8)[0] for seed in (0, 1, 2, 77)]
    found = tiles(pixels("a.png"), 4, 2, 16, 16, feet=1)
    np.testing.assert_array_equal(found, levels(np.array(expected)))
    assert call("sample", "r", *flags, "--each", "--out=a") == 0
    names = sorted(os.listdir("a"))
    assert names[0] == "seed0000-owls.png" and names[-1] == "seed0077-owls.png"
    np.testing.assert_array_equal(
        [pixels(f"a/{name}") for name in names], levels(np.array(expected))
    )


def test_seeds_have_a_row_each_and_classes_a_column(run, monkeypatch):
    shown = []
    monkeypatch.setattr(
        pictures, "_written", lambda *args: shown.append(args[1]) or args[0]
    )
    assert call("sample", "r", "--seeds=5,6", "--out=a.png") == 0
    grid, left = pixels("a.png"), row_names("seed 5")
    found = tiles(grid, 2 * CLASSES, CLASSES, 16, 16, heads=3, left=left)
    one = run.sample(1, 6, labels=2)[0]
    np.testing.assert_array_equal(found[CLASSES + 2], levels(one))
    heads, beside, caption = shown
    assert len(heads) == CLASSES and heads[0][2] == ["0 cats"]
    assert [lines for _, _, lines in beside] == [["seed 5"], ["seed 6"]]
    assert 0 < beside[0][0] < beside[1][0] < grid.shape[0] / 2 + beside[0][0]
    told = " ".join(caption[0][2])
    assert "seeds 5,6: a row for each, a column for each class." in told


def test_rows_of_many_classes_are_named_one_by_one():
    gan = kg.ACGAN((16, 16, 1), num_classes=20, width=2, latent_dim=2)
    batch = np.zeros((40, *gan.modality.shape))
    shown = []
    with mock.patch.object(kg.Image, "preview", lambda _, *args: shown.append(args)):
        gan.show(batch, "", [*range(20)] * 2, rows=["seed 3", "seed 9"])
    _, columns, names, _ = shown[0]
    assert columns is None
    assert names[19:21] == ["seed 3, class 19", "seed 9, class 0"]


@pytest.mark.full
def test_seeds_show_every_class_unless_told_otherwise(run, capsys):
    for words in (["sample", "--each"], ["generate"]):
        assert call(*words, "r", "--seeds=1-3", "--labels=1,2", "--out=b") == 1
        told = "2 classes for 3 samples. Leave it out for every class of each seed."
        assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--seeds=3-1"], "Received: '3-1' in --seeds=3-1"),
        (["--seeds=0-2147483648"], "[0, 2**31)"),
        (["--seeds=0-2147483647"], "up to 1,000,000"),
        (["--seeds=1,,2"], "0-35,77"),
        (["--seeds=-1"], "0-35,77"),
        (["--seeds=1", "--n=3"], "with --n or --seed"),
        (["--each", "--out=a.png"], "Name a folder"),
        (["--out=a.jpg"], "by --each"),
    ],
)
def test_what_does_not_fit_is_said_first(flags, message, capsys):
    words = flags if "--out" in flags[-1] else [*flags, "--out=b.png"]
    assert call("sample", "nowhere", *words) == 1
    assert message in capsys.readouterr().err


def test_one_bad_sample_does_not_refuse_the_others(run, capsys, monkeypatch):
    sample = type(run).sample_batches

    def broken(self, n, seed=0, **given):
        for made in map(np.array, sample(self, n, seed, **given)):
            made[1] = np.nan
            yield made

    monkeypatch.setattr(type(run), "sample_batches", broken)
    assert call("sample", "r", "--each", "--n=4", "--out=a") == 1
    assert len(os.listdir("a")) == 3
    message = capsys.readouterr().err
    assert "1 of 4" in message and "seed0000-0001" in message and "NaN" in message


def test_single_files_are_replaced_only_where_asked(trained_run):
    words = ("sample", "r", "--each", "--seeds=1,1,2", "--out=a")
    assert call(*words) == 0
    assert sorted(os.listdir("a")) == ["seed0001.png", "seed0002.png"]
    assert call(*words) == 1
    pathlib.Path("a/mine.txt").write_text("mine")
    assert call(*words, "--overwrite") == 0
    assert pathlib.Path("a/mine.txt").read_text() == "mine"
