"""Runs and `.keras` files, opened in Python and by every command."""

import json
from pathlib import Path

from command_line import call
import keras
import numpy as np
from paths import GOLDEN
import pytest
from test_convert_files import write_safetensors

import keras_gans as kg
from keras_gans.convert import convert_file, read
from keras_gans.inference.opening import open_gan
from keras_gans.metrics import evaluate


@pytest.mark.full
def test_a_run_and_its_file_are_opened(trained_run, capsys):
    gan = kg.load("r")
    assert isinstance(gan, kg.DCGAN) and gan.compiled
    gan.save("gan.keras")
    other = kg.load(Path("gan.keras"))
    np.testing.assert_array_equal(gan.sample(3, seed=1), other.sample(3, seed=1))
    assert call("sample", "r", "--n=4", "--seed=1", "--out=a.png") == 0
    assert call("sample", "gan.keras", "--n=4", "--seed=1", "--out=b.png") == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
    assert call("export", "gan.keras", "--to=served/1") == 0
    out = capsys.readouterr().out
    assert out.count("of step 8") == 3
    assert "keras-gans evaluate gan.keras --data=PICTURES" in out
    score = ["--metrics=kid", "--n=8", "--reals=9", "--input_size=32", "--cache_dir="]
    assert call("evaluate", "gan.keras", "--data=emoji", *score) == 0
    assert "8 fakes (DCGAN, step 8) to 9 reals" in capsys.readouterr().out


@pytest.mark.backends
def test_a_file_gives_the_same_samples():
    gan = kg.DCGAN((16, 16, 1), 4, width=2)
    gan.save("gan.keras")
    gan.networks["generator"].save("generator.keras")
    samples = gan.sample(3, seed=1)
    np.testing.assert_array_equal(kg.load("gan.keras").sample(3, seed=1), samples)
    alone, step = open_gan("generator.keras")
    np.testing.assert_array_equal(alone.sample(3, seed=1), samples)
    assert step == 0 and isinstance(kg.load("generator.keras"), keras.Model)


def test_a_converted_generator_is_sampled(capsys):
    path = GOLDEN / "dcgan64_G.pth"
    assert call("convert", path, "--to=made") == 0
    assert "keras-gans sample made/dcgan64_G.keras" in capsys.readouterr().out
    network = kg.load("made/dcgan64_G.keras")
    assert isinstance(network, keras.Model)
    assert call("sample", "made/dcgan64_G.keras", "--n=2", "--out=s.png") == 0
    assert Path("s.png").is_file()
    convert_file(GOLDEN / "patchgan70.pth", "made")
    assert call("sample", "made/patchgan70.keras", "--out=t.png") == 1
    err = capsys.readouterr().err
    assert "no generator of latent codes" in err and "Traceback" not in err


def test_what_cannot_be_opened_is_told(trained_run):
    Path("empty").mkdir()
    Path("notes.txt").write_text("x")
    for path, match in (
        ("nowhere", "which does not exist"),
        ("empty", "a directory of other files"),
        ("notes.txt", "is a .keras file"),
    ):
        with pytest.raises(ValueError, match=match):
            kg.load(path)
    kg.load("r").save("g.keras")
    with pytest.raises(ValueError, match="Runs alone have a best"):
        kg.load("g.keras", best=True)
    with pytest.raises(ValueError, match="no best checkpoint"):
        kg.load("r", best=True)


def test_a_file_of_several_networks_is_taken_by_key(tmp_path, capsys, monkeypatch):
    from keras_gans.convert import files

    generator = read(GOLDEN / "dcgan64_G.pth")
    several = {"netG": generator, "netD": read(GOLDEN / "dcgan64_D.pth"), "epoch": 3}
    monkeypatch.setattr(files, "read", lambda path: several)
    assert call("convert", "both.pth", "--to=made") == 1
    err = capsys.readouterr().err
    assert "netG" in err and "netD" in err and "--key" in err
    assert call("convert", "both.pth", "--to=made", "--key=netg") == 1
    assert "Did you mean netG" in capsys.readouterr().err
    assert call("convert", "both.pth", "--to=made", "--key=epoch") == 1
    assert "It holds netG, netD" in capsys.readouterr().err
    assert call("convert", "both.pth", "--to=made", "--key=netG") == 0
    assert "generator, 64 x 64 pixels" in capsys.readouterr().out
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    one = write_safetensors("one.safetensors", {"x": np.zeros(1, "float32")})
    with pytest.raises(ValueError, match="one network: leave `key` out"):
        convert_file(one, "made", key="netG")


@pytest.mark.full
@pytest.mark.parametrize(
    "kind", ["array", "batches", pytest.param("name", marks=pytest.mark.full)]
)
def test_reals_are_bounded(kind, capsys):
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (12, 16, 16, 3), "uint8")
    real = {"array": pixels, "batches": [pixels[:6], pixels[6:]], "name": "emoji"}[kind]
    given = {"n": 4, "input_size": 32, "image_size": 16, "batch_size": 4}
    (record,) = evaluate(pixels, real, ["kid"], reals=5, **given)
    assert (record.reals, record.fakes) == (5, 4)
    assert "5/5" in capsys.readouterr().out  # the bar knows its end
    json.loads(record.to_json())
    with pytest.raises(ValueError, match="reals"):
        evaluate(pixels, real, ["kid"], reals=0, **given)
    if kind == "array":
        with pytest.raises(ValueError, match=r"holds 12 images.*Lower `reals`"):
            evaluate(pixels, real, ["kid"], reals=13, **given)
