"""Presets that come with the package, by their names."""

import json
import pathlib

from command_line import call
import numpy as np
import pytest
from safetensors.numpy import load_file

import keras_gans as kg
from keras_gans.core.presets import CARD, PRETRAINED, WEIGHTS
from keras_gans.modalities import pictures

NAMES = ["emoji", "flat_to_3d", "lines_to_3d"]


def test_they_are_small_and_say_how_they_were_made():
    assert kg.pretrained() == NAMES
    assert sum(p.stat().st_size for p in PRETRAINED.rglob("*")) <= 10**7
    for name in NAMES:
        card = (PRETRAINED / name / CARD).read_text()
        assert f'from_preset("{name}")' in card
        for row in ("recipe", "seed", "training", "machine", "licence of the data"):
            assert f"\n| {row} | " in card
        assert json.loads((PRETRAINED / name / "metrics.json").read_text())["scores"]
        weights = load_file(PRETRAINED / name / WEIGHTS)
        floats = {str(x.dtype) for x in weights.values() if x.dtype.kind == "f"}
        assert floats == {"float16"}


@pytest.mark.full
@pytest.mark.backends
def test_they_make_pictures():
    images = kg.from_preset("emoji").sample(32, seed=0)
    # Of trained weights: on white, in colours, each another.
    border = np.concatenate([images[:, 0], images[:, -1]], axis=1)
    assert np.median(border) > 0.9
    assert images.std(axis=0).mean() > 0.2
    lines = kg.data.emoji("line").images[9::10][:16] / np.float32(127.5) - 1
    wanted = kg.data.emoji("3d").images[9::10][:16] / np.float32(127.5) - 1
    made = kg.load("lines_to_3d").translate(lines.repeat(3, axis=-1))
    apart = np.abs(made - wanted).mean()
    other = np.abs(made - np.roll(wanted, 1, axis=0)).mean()
    assert apart < 0.75 * other


@pytest.mark.full
def test_commands_take_their_names(capsys, tmp_path):
    assert call("sample", "emoji", "--n=4", "--out=emoji.png") == 0
    pictures.save_image("in.png", np.ones((30, 20, 3)))
    assert call("translate", "flat_to_3d", "in.png", "--out=out") == 0
    assert (tmp_path / "out" / "in.png").is_file()
    capsys.readouterr()
    assert call("sample", "emojy", "--out=o.png") == 1
    told = capsys.readouterr().err
    assert "Did you mean emoji?" in told and ", ".join(NAMES) in told
    with pytest.raises(ValueError, match=r"Did you mean emoji\?.*lines_to_3d"):
        kg.from_preset("emojy")
    # What lies here goes first.
    kg.DCGAN((16, 16, 1), width=2).save_to_preset("emoji")
    assert kg.from_preset("emoji").modality.shape == (16, 16, 1)
    assert call("train", "dcgan", "--from_preset=flat_to_3d", "--run_dir=r") == 1
    assert "keras-gans train cyclegan" in capsys.readouterr().err


def test_half_the_bytes():
    gan = kg.DCGAN((16, 16, 1), width=2, ema=0.9)
    gan.save_to_preset("whole")
    gan.save_to_preset("half", dtype="float16", facts={"licence": "a|b"})
    sizes = [
        len(pathlib.Path(f"{n}/{WEIGHTS}").read_bytes()) for n in ("whole", "half")
    ]
    assert sizes[1] < 0.75 * sizes[0]
    a, b = (kg.from_preset(name).sample(4) for name in ("whole", "half"))
    assert a.dtype == b.dtype == "float32"
    assert 0 < np.abs(a - b).max() < 2**-10 * 8  # 10 bits of a weight, some layers
    assert r"| licence | a\|b |" in pathlib.Path("half/README.md").read_text()
    with pytest.raises(ValueError, match="`dtype` is one of"):
        gan.save_to_preset("other", dtype="int8")
    gan.generator.weights[0].assign(gan.generator.weights[0] + 1e5)
    with pytest.raises(ValueError, match=r"beyond 65504.*generator"):
        gan.save_to_preset("other", dtype="float16")
