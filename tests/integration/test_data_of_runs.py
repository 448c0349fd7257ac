"""What a run tells of its data, refuses of it, and keeps of it."""

import json
import pathlib
import shutil
import types

from command_line import TINY, call, in_full
import keras
from mixed import BROKEN, make_mixed
import numpy as np
from pictures import noise, save
from PIL import Image
import pytest

import keras_gans
from keras_gans import data
from keras_gans.data import broken
from keras_gans.modalities import pictures
from keras_gans.training import datasets, recipes, runs

SHORT = [*TINY, "--epochs=1", "--steps_per_epoch=2"]


def test_broken_files_leave_no_run_behind(monkeypatch, capsys):
    make_mixed("set")
    assert call("train", "dcgan", "--data=set", "--run_dir=r", *SHORT) == 1
    err = capsys.readouterr().err
    assert "8 of 35" in err and all(name in err for name in BROKEN)
    # What only decoding finds, and in sets too large for it: of a first batch.
    monkeypatch.setattr(broken, "FEW_PIXELS", 0)
    monkeypatch.setattr(broken, "_checked", {})
    pathlib.Path("few").mkdir()
    for i in range(4):
        shutil.copy("set/flipped.png", f"few/{i}.png")
    assert call("train", "dcgan", "--data=few", "--run_dir=r", *SHORT) == 1
    assert "Cannot read image file 'few/" in capsys.readouterr().err
    assert not pathlib.Path("r").exists()


def test_a_run_without_its_broken_files(capsys):
    make_mixed("set")
    flags = ["--data=set", "--run_dir=r", "--skip_broken", *SHORT]
    assert call("train", "dcgan", *flags) == 0
    out, err = capsys.readouterr()
    for text in ("27 pictures", "8 that cannot be read", *BROKEN, "grey", "16 x 16"):
        assert text in out
    assert "'set/named wrongly.png' = 'set/photo0.jpg'" in out
    assert out.index("27 pictures") < out.index("d_loss")
    assert "UserWarning" not in err
    with Image.open("r/reals.png") as picture:
        assert min(picture.size) >= 5 * 16  # 27 of them
    assert runs.read_config("r")["skip_broken"] is True


@pytest.mark.full
def test_sets_to_score_without_their_broken_files(capsys):
    """All are named at once, before the network sees the first."""
    make_mixed("set")
    words = ["evaluate", "set", "--data=set", "--metrics=kid", "--cache_dir="]
    assert call(*words, "--input_size=32") == 1
    err = capsys.readouterr().err
    assert "8 of 35" in err and all(name in err for name in BROKEN)
    with pytest.warns(UserWarning, match="Left out 8 of 35"):
        assert call(*words, "--input_size=32", "--skip_broken") == 0
    assert "27 reals" in capsys.readouterr().out


def two_classes(folder="set", names=("cats", "dogs")):
    for i, name in enumerate(names):
        for j in range(4):
            pixels = np.full((16, 16, 3), 50 + 150 * i + j, "uint8")
            save(folder, f"{name}/{j}.png", pixels)


@pytest.mark.full
def test_classes_are_those_of_the_folder(capsys):
    two_classes()
    flags = ["--data=set", "--run_dir=r", *SHORT]
    assert in_full("train", "conditional_gan", *flags) == 0
    assert "2: cats (4), dogs (4)" in capsys.readouterr().out
    config = runs.read_config("r")
    assert config["class_names"] == ["cats", "dogs"]
    assert config["arguments"]["num_classes"] == 2
    names = pathlib.Path("r/export/1/assets.extra/class_names.json")
    assert json.loads(names.read_text()) == ["cats", "dogs"]

    again = ["train", "conditional_gan", "--run_dir=r", "--resume"]
    save("set", "birds/0.png", noise((16, 16, 3)))
    assert call(*again) == 1
    assert "data has changed" in capsys.readouterr().err


@pytest.mark.parametrize("recipe", ["conditional_gan", "acgan"])
@pytest.mark.parametrize(
    ("names", "flags", "message"),
    [
        (("cats", "dogs"), ["--num_classes=9"], "2 classes ('cats', 'dogs')"),
        (("cats", "dogs"), ["--num_classes=1"], "2 classes"),
        (("cats",), [], "2 classes or more"),
        (("cats", "."), [], "lie in none"),
        ((".",), [], "has no subfolders"),
    ],
)
def test_classes_that_do_not_fit_are_refused(recipe, names, flags, message, capsys):
    two_classes(names=names)
    assert call("train", recipe, "--data=set", "--run_dir=r", *flags, *SHORT) == 1
    told = capsys.readouterr().err
    assert message in told and "load" not in told
    if not flags:
        assert "or train without labels by `keras-gans train dcgan --data=set`." in told
    assert not pathlib.Path("r").exists()


@pytest.mark.parametrize("recipe", ["stylegan2", "stylegan3", "r3gan"])
def test_classes_are_not_given_where_none_are_read(recipe, capsys):
    assert call("train", recipe, "--num_classes=6", "--run_dir=r") == 1
    told = capsys.readouterr().err
    assert f"recipe {recipe} reads no labels. Received: --num_classes=6" in told
    assert "in Python" in told and not pathlib.Path("r").exists()
    with pytest.raises(SystemExit):
        call("train", recipe, "--help")
    assert "--num_classes" not in capsys.readouterr().out


@pytest.mark.parametrize("source", ["emoji", "emoji:flat"])
def test_classes_of_the_embedded_set(source):
    recipe = recipes.get("acgan")
    config = datasets.with_classes(recipe, runs.new_config("acgan", data=source))
    assert config["arguments"]["num_classes"] == len(config["class_names"]) == 9
    assert config["class_names"] == data.emoji().label_names


@pytest.mark.full
def test_pictures_without_pairs_are_not_cut_into_halves(capsys):
    save("set", "a.png", noise((16, 24, 3)))
    for folder in ("set", "train"):
        assert call("train", "pix2pix", f"--data={folder}", "--run_dir=r") == 1
        assert "about twice as wide as high" in capsys.readouterr().err
        shutil.copytree("set", "train/train", dirs_exist_ok=True)
    assert not pathlib.Path("r").exists()


@pytest.mark.parametrize(
    ("task", "names", "said"),
    [
        (
            "pairs",
            ["0.png", "1.png"],
            ["2 pairs", "A is left, B is right", "16 x 16 pixels: all have that size"],
        ),
        ("pairs", ["A/0.png", "B/0.png"], ["1 pair", "1 of 1 image files of set/B"]),
        ("unpaired", ["A/0.png", "A/1.png", "B/0.png"], ["2 pictures of A", "1 p"]),
    ],
)
def test_what_pairs_are_is_said(task, names, said):
    for name in names:
        save("set", name, noise((16, 32, 3)))
    text = str(data.describe("set", task, (16, 16), 3, 1))
    assert all(part in text for part in said), text
    assert "crops" not in text
    text = str(data.describe("set", task, (16, 16), 3, 1, jitter=4))
    assert "20 x 20 pixels" in text and "crops      16 x 16 pixels of that" in text


@pytest.mark.daily(1)
@pytest.mark.parametrize("recipe", ["pix2pix", "cyclegan", "colorization"])
def test_pictures_of_pairs(recipe, monkeypatch):
    """A source is shown beside its target, or a picture of A beside one of B."""
    told, add = [], pictures.add_caption
    monkeypatch.setattr(
        pictures, "add_caption", lambda *args: told.append(args[1]) or add(*args)
    )
    config = runs.new_config(recipe, {"image_shape": (32, 32, 3), "width": 2})
    if recipe == "colorization":
        config["arguments"] |= {"image_shape": (32, 32, 2)}
    made, gan = recipes.get(recipe), runs.build(config)
    datasets.write_reals("reals.png", made, config, gan)
    sides = "a left, b right" if recipe == "cyclegan" else "source left, target right"
    assert sides in told[0] and "as the GAN sees them" in told[0]
    with Image.open("reals.png") as picture:
        assert picture.size[0] >= 4 * 32 and picture.mode == "RGB"
    assert "pixels" in str(datasets.describe(made, config, gan))


@pytest.mark.parametrize("recipe", ["wavegan", "voxel_gan"])
def test_scores_are_of_the_data_as_it_is(recipe):
    """Neither sped up nor turned or mirrored, though what is trained on is."""
    pathlib.Path("set").mkdir()
    given = {"batch_size": 100, "drop_remainder": False, "seed": 3}
    if recipe == "wavegan":
        modality, trained = keras_gans.Waveform(256, rate=8000), {"speed": 0.2}
        for i in range(4):
            sound = np.random.default_rng(i).uniform(-1, 1, (500, 1))
            modality.write_parts(f"set/{i}.wav", [sound])
        own = {"samples": 256, "rate": 8000, "segments": "first", "speed": 0}
        wanted = data.load_sounds("set", **own, **given)
    else:
        modality, trained = keras_gans.Volume(8), {"rotate": True, "flip": True}
        for i in range(8):
            np.save(f"set/{i}.npy", np.random.default_rng(i).random((8, 8, 8)) > 0.5)
        wanted = data.load_volumes("set", size=8, range=modality.range, **given)
    config = runs.new_config(recipe, data="set", batch_size=2, seed=3, **trained)
    gan = types.SimpleNamespace(modality=modality, labelled=False)
    (reals,) = datasets.pictures_of(recipes.get(recipe), config, gan)
    np.testing.assert_array_equal(reals, next(iter(wanted)))


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_fit_names_the_file_in_its_last_line():
    """Not in TensorFlow's error, of a hundred lines."""
    for i in range(4):
        save("set", f"{i}.png", noise((16, 16, 3), seed=i))
    dataset = data.load("set", image_size=16, batch_size=2, shuffle=False)
    pathlib.Path("set/3.png").write_bytes(b"broken since")
    keras.utils.set_random_seed(0)
    gan = keras_gans.DCGAN((16, 16, 3), width=2)
    gan.compile()
    with pytest.raises(ValueError) as caught:
        gan.fit(dataset, verbose=0)
    assert type(caught.value) is ValueError
    assert "Cannot read image file 'set/3.png'" in str(caught.value).splitlines()[-1]
    assert len(str(caught.value).splitlines()) == 1


def test_check_command(capsys):
    make_mixed("set")
    assert call("check", "set", "--image_size=8,12", "--channels=1") == 1
    out = capsys.readouterr().out
    assert "8 that cannot be read" in out and "12 x 8 pixels, grey" in out
    flags = "--data=set --image_shape=8,12,1 --skip_broken"
    assert f"train dcgan {flags}  # train on the pictures without them" in out
    assert call("check", "set", "--skip_broken") == 0
    for name in BROKEN:
        pathlib.Path("set", name).unlink()
    capsys.readouterr()
    assert call("check", "set") == 0
    out = capsys.readouterr().out
    assert "train dcgan --data=set  # train on the pictures\n" in out
    assert "made       32 x 32 pixels" in out
    assert "32 x 32 pixels are what train dcgan makes unless told otherwise" in out
    assert call("check", "emoji") == 1
    assert "keras-gans train dcgan --data=emoji" in capsys.readouterr().err
    assert call("check", "nowhere") == 1
    assert call("check", "set", "--channels=5") == 1
    err = capsys.readouterr().err
    assert "No such folder" in err and "Unknown channels" in err
