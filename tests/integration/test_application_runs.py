"""Colourisation and inpainting from the command line."""

import pathlib

from command_line import call
from grids import tiles
import numpy as np
from PIL import Image
import pytest

from keras_gans import applications, translate_files


def train(name, *words):
    shape = {"colorization": "16,16,2", "inpainting": "16,16,3"}[name]
    words = (f"--image_shape={shape}", "--width=2", "--depth=2", *words)
    words += ("--n_layers=1", "--epochs=1", "--steps_per_epoch=2")
    return call("train", name, "--run_dir=run", *words)


@pytest.fixture
def pictures():
    """Two pictures of unlike sizes, one in a subfolder."""
    rng = np.random.default_rng(0)
    made = {}
    for name, size in (("a.png", (20, 24)), ("sub/b.png", (33, 18))):
        path = pathlib.Path("in", name)
        path.parent.mkdir(parents=True, exist_ok=True)
        made[name] = rng.integers(0, 256, (*size, 3), dtype="uint8")
        Image.fromarray(made[name]).save(path)
    return made


def read(path):
    return np.asarray(Image.open(path)).astype("float32") / 127.5 - 1


def shown():
    """The sources, what is made of them and the targets of the last grid."""
    picture = np.asarray(Image.open("run/samples/step-00000002.png")).astype(int)
    found = np.array(tiles(picture, 4 * 3, 3, 16, 16, heads=1))
    return found.reshape(4, 3, 16, 16, 3).swapaxes(0, 1)


@pytest.mark.full
def test_colourisation(pictures, capsys):
    assert train("colorization") == 0
    # Grey beside what is made and the true colours, in RGB.
    grey, _, true = shown()
    assert np.ptp(grey, axis=-1).max() <= 1
    assert np.ptp(true, axis=-1).max() > 50
    assert call("translate", "run", "in", "--out=out", "--size=16") == 0
    for name, pixels in pictures.items():
        made = read(f"out/{name}")
        assert made.shape == pixels.shape
        lightness = [
            np.asarray(applications.lab.split(x[None])[0])
            for x in (made, pixels.astype("float32") / 127.5 - 1)
        ]
        # L of 100 is 2 here; files have 8 bits a channel.
        assert np.abs(lightness[0] - lightness[1]).max() < 0.02
    assert call("translate", "run", "in", "--out=o", "--masks=in") == 1
    assert "--masks is for runs of inpainting" in capsys.readouterr().err


@pytest.mark.full
def test_inpainting(pictures, capsys):
    assert train("inpainting", "--kind=rectangle", "--share=0.2,0.3", "--jitter=4") == 0
    _, made, true = shown()
    # A fifth of each at least is a hole, the rest stays.
    changed = (made != true).any(axis=-1).mean()
    assert 0.1 < changed < 0.31
    assert call("translate", "run", "in", "--out=out") == 1
    assert "folder of masks" in capsys.readouterr().err
    for name, pixels in pictures.items():
        mask = np.zeros(pixels.shape[:2], "uint8")
        mask[4:9, 5:12] = 255
        path = pathlib.Path("masks", name).with_suffix(".bmp")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(mask).save(path)
    assert call("translate", "run", "in", "--out=out", "--masks=masks") == 0
    # The network sees what it saw in training: 16 pixels, enlarged by 4.
    words = ("translate", "run", "in", "--masks=masks", "--size=20")
    assert call(*words, "--out=asked") == 0
    for name, pixels in pictures.items():
        made = np.asarray(Image.open(f"out/{name}"))
        assert (made == np.asarray(Image.open(f"asked/{name}"))).all()
        same = (made == pixels).all(axis=-1)
        assert same[:4].all() and same[9:].all()
        assert same[:, :5].all() and same[:, 12:].all()
        assert not same[4:9, 5:12].all()
    pathlib.Path("masks/a.bmp").unlink()
    report = translate_files("run", ["in"], "more", masks="masks", verbose=0)
    assert [pathlib.Path(p).name for p in report.written] == ["b.png"]
    assert "A picture has one mask" in report.failed["in/a.png"]


@pytest.mark.parametrize(
    ("recipe", "channels", "told"),
    [
        (
            "colorization",
            3,
            "a and b of CIE Lab, made of 1, the lightness L. Received: "
            "a GAN from 1 to 3 channels. Build it with --image_shape=16,16,2",
        ),
        ("inpainting", 4, "1 of their mask"),
    ],
)
def test_other_channels_are_refused_with_the_reason(recipe, channels, told, capsys):
    flags = [f"--image_shape=16,16,{channels}", "--width=2", "--depth=2"]
    assert call("train", recipe, "--run_dir=new", *flags, "--n_layers=1") == 1
    err = capsys.readouterr().err
    assert told in err and "--source_channels=" in err
    assert not pathlib.Path("new").exists()
