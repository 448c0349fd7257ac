"""The commands of a latent space: generate, walk, mix, directions, project."""

import os
import pathlib
import shutil

from command_line import call
from grids import row_names, tiles
import keras
import numpy as np
from paths import GOLDEN
from PIL import Image
import pytest

import keras_gans as kg
from keras_gans.inference import opening


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def levels(samples):
    return np.rint((samples + 1) * 127.5)


@pytest.fixture(scope="module")
def files_of_models(tmp_path_factory):
    """A StyleGAN2 with classes, whole and its generator alone, and a DCGAN."""
    folder = tmp_path_factory.mktemp("models")
    keras.utils.set_random_seed(1)
    small = {"latent_dim": 6, "w_dim": 6, "channel_base": 64}
    gan = kg.StyleGAN2((12, 12, 3), 3, **small)
    gan.save(folder / "s.keras")
    gan.generator.save(folder / "g.keras")
    kg.DCGAN((16, 17, 1), 4, width=2).save(folder / "d.keras")
    noise = np.random.default_rng(0).integers(0, 255, (40, 30, 4))
    Image.fromarray(noise.astype("uint8")).save(folder / "photo.png")
    return folder


@pytest.fixture(scope="module")
def opened(files_of_models):
    """What is in them, loaded once."""
    paths = files_of_models.glob("?.keras")
    return {path.name: opening.open_gan(path) for path in paths}


@pytest.fixture
def models(files_of_models, opened, monkeypatch):
    """Copies of the files in the test's own folder; gives the StyleGAN2."""
    shutil.copytree(files_of_models, ".", dirs_exist_ok=True)
    load = opening.open_gan
    monkeypatch.setattr(
        opening, "open_gan", lambda path, best: opened.get(path) or load(path, best)
    )
    return opened["s.keras"][0]


@pytest.mark.full
def test_a_picture_of_each_seed(models, capsys):
    flags = ["--seeds=0-1,77", "--labels=2", "--truncation=0.7"]
    assert call("generate", "s.keras", *flags, "--out=a") == 0
    told = "keras-gans walk s.keras --labels=2 --truncation=0.7 --seeds=0,1,2"
    assert told in capsys.readouterr().out
    names = [f"seed{seed:04d}-class2.png" for seed in (0, 1, 77)]
    assert sorted(os.listdir("a")) == names
    given = {"labels": 2, "truncation": 0.7}
    wanted = levels(kg.latent.generate(models, [0, 1, 77], **given))
    for name, image in zip(names, wanted, strict=True):
        np.testing.assert_array_equal(pixels(f"a/{name}"), image)
    # Also of a generator without its GAN, and by the name of `sample`.
    assert call("generate", "g.keras", *flags, "--out=b") == 0
    assert call("sample", "s.keras", *flags, "--each", "--out=c") == 0
    for name in names:
        data = pathlib.Path("a", name).read_bytes()
        for folder in "bc":
            assert pathlib.Path(folder, name).read_bytes() == data
    numpy = [*flags[1:], "--draws=numpy", "--cutoff=2", "--seeds=0-33"]
    assert call("generate", "s.keras", *numpy, "--out=d") == 0
    given |= {"draws": "numpy", "cutoff": 2}
    wanted = levels(kg.latent.generate(models, [33], **given))[0]
    assert np.abs(pixels("d/seed0033-class2.png") - wanted).max() <= 1


def test_files_are_named_after_the_model(models, capsys):
    """Without --out, as people know these commands."""
    assert call("generate", "d.keras", "--seeds=0-1") == 0
    assert sorted(os.listdir("d-generated")) == ["seed0000.png", "seed0001.png"]
    assert "2 samples, seeds 0-1: d-generated" in capsys.readouterr().out
    assert call("generate", "d.keras", "--seeds=2") == 1
    assert "--overwrite" in capsys.readouterr().err
    assert call("walk", "./d.keras", "--seeds=0,1", "--frames=2", "--size=1") == 0
    assert os.path.isfile("d-walk.gif")


@pytest.mark.full
def test_published_weights_make_their_pictures(capsys):
    """From the reference's file to its pictures, by two commands."""
    path = GOLDEN / "stylegan2_pkl.pkl"
    assert call("convert", path, "--key=G_ema", "--to=made") == 0
    made = "made/stylegan2_pkl.keras"
    assert f"keras-gans generate {made} --seeds=" in capsys.readouterr().out
    flags = ["--seeds=0,1", "--labels=1", "--draws=numpy", "--truncation=0.7"]
    assert call("generate", made, *flags, "--out=a") == 0
    network = kg.load(made)
    z = np.stack([np.random.RandomState(seed).randn(16) for seed in (0, 1)])
    images = network([z.astype("float32"), np.ones(2, int), np.full(2, 0.7)])
    wanted = levels(np.clip(images, -1, 1))
    for i, image in enumerate(wanted):
        found = pixels(f"a/seed{i:04d}-class1.png")
        np.testing.assert_allclose(found, image, atol=1)


def test_walks_are_written_in_three_formats(models, capsys):
    flags = ["--seeds=1,2", "--frames=4", "--labels=0,2", "--size=32"]
    assert call("walk", "s.keras", *flags, "--rate=10", "--out=w.webp") == 0
    assert "4 frames, seeds 1,2" in capsys.readouterr().out
    frames = kg.Video(None, (36, 36, 3)).read("w.webp")
    wanted = kg.latent.walk(models, [1, 2], 4, labels=[0, 2])
    found = levels(frames[:, ::3, ::3])
    np.testing.assert_array_equal(found, levels(wanted))
    np.testing.assert_array_equal(frames[:, ::3], frames[:, 1::3])
    data = pathlib.Path("w.webp").read_bytes()
    assert call("walk", "s.keras", *flags, "--out=w.webp") == 1
    assert pathlib.Path("w.webp").read_bytes() == data
    assert call("walk", "d.keras", *flags[:2], "--size=1", "--out=w.gif") == 0
    assert pixels("w.gif").shape[:2] == (16, 17)
    assert call("walk", "d.keras", *flags[:2], "--size=1", "--out=w.mp4") == 0
    assert kg.Video(4, (16, 18, 1)).read("w.mp4").shape == (4, 16, 18, 1)


def test_a_table_of_styles(models):
    flags = ["--rows=0,5", "--cols=3,2", "--styles=1-2"]
    assert call("mix", "s.keras", *flags, "--labels=1", "--out=m.png") == 0
    rows, columns, mixed = kg.latent.mix(models, [0, 5], [3, 2], [1, 2], labels=1)
    found = np.array(tiles(pixels("m.png"), 9, 3, 12, 12, feet=1))
    np.testing.assert_array_equal(found[1:3], levels(columns))
    np.testing.assert_array_equal(found[[3, 6]], levels(rows))
    np.testing.assert_array_equal(
        found[[4, 5, 7, 8]], levels(mixed.reshape(4, 12, 12, 3))
    )


def test_directions_and_projections_of_a_style_gan(models, capsys, recwarn):
    words = ("project", "s.keras", "photo.png", "--labels=1")
    assert call(*words, "--steps=3", "--space=w+") == 0
    notes = " ".join(str(w.message) for w in recwarn)
    assert "30 x 40 pixels, and the samples have 12 x 12" in notes
    assert "transparency" in notes
    out = capsys.readouterr().out
    assert "SSIM" in out and "--codes_file=photo-projected/projected_w.npz" in out
    held = sorted(os.listdir("photo-projected"))
    assert held == ["comparison.png", "proj.png", "projected_w.npz"]
    codes = "--codes_file=photo-projected/projected_w.npz"
    assert call("generate", "s.keras", codes, "--out=a") == 0
    image = pixels("a/code0000.png").astype(int)
    assert np.abs(pixels("photo-projected/proj.png") - image).max() <= 1
    strip = ["--number=1", "--columns=3", "--strength=2", "--layers=0-1"]
    assert call("directions", "s.keras", *strip, codes, "--out=b") == 0
    found = kg.latent.Directions.load("b/directions.npz")
    left = row_names("code 0")
    shown = tiles(pixels("b/sefa00.png"), 3, 3, 12, 12, heads=1, left=left)
    np.testing.assert_allclose(shown[1], pixels("a/code0000.png"), atol=1)
    w = kg.latent.load_codes(models, "photo-projected/projected_w.npz")
    amount = 2 * found.deviations[0]
    moved = kg.latent.edit(w, found.vectors[0], [amount], [0, 1])[0]
    wanted = kg.latent.LatentSpace(models).synthesize(moved)
    np.testing.assert_allclose(shown[2], levels(wanted)[0], atol=1)


@pytest.mark.full
def test_those_of_a_run_without_w(trained_run, capsys):
    Image.new("L", (16, 16), 128).save("grey.png")
    assert call("project", "r", "grey.png", "--steps=2") == 0
    assert "projected_z.npz" in capsys.readouterr().out
    flags = ["--method=pca", "--number=2", "--seeds=1,2", "--out=a"]
    assert call("directions", "r", *flags) == 0
    assert sorted(os.listdir("a")) == ["directions.npz", "pca00.png", "pca01.png"]
    left = row_names("seed 1")
    shown = np.array(tiles(pixels("a/pca01.png"), 14, 7, 16, 16, heads=1, left=left))
    met = levels(kg.latent.generate(kg.load("r"), [1, 2]))
    np.testing.assert_allclose(shown[[3, 10]], met, atol=1)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("generate d.keras --seeds=1 --truncation=.7 --out=x", "no input --truncation"),
        ("generate d.keras --seeds=1 --cutoff=1 --out=x", "Received: --cutoff=1"),
        ("generate s.keras --seeds=0-a --out=x", "'0-a' in --seeds=0-a"),
        ("generate s.keras --out=x", "--seeds or of a --codes_file"),
        ("generate s.keras --seeds=1 --out=x.png", "Name a folder"),
        ("generate s.keras --codes_file=photo.png --out=x", "A .npz file with w"),
        ("generate d.keras --seeds=1 --labels=1 --out=x", "no classes"),
        ("walk d.keras --seeds=1 --out=x.gif", "two or more"),
        ("walk d.keras --seeds=1,2 --out=x.avi", ".gif or .webp or .mp4"),
        ("walk d.keras --seeds=1,2 --frames=0 --out=x.gif", "--frames must lie"),
        ("mix d.keras --rows=1 --columns=2 --out=x.png", "no intermediate codes"),
        ("mix s.keras --rows=1 --columns=2 --layers=9 --out=x.png", "[0, 4)"),
        ("mix s.keras --rows=1 --columns=a --out=x.png", "--columns are ints"),
        ("mix s.keras --rows=1 --columns=2 --layers=3-1 --out=x.png", "Give 1-3."),
        ("directions s.keras --number=7 --out=x", "[1, 6]"),
        ("directions d.keras --codes_file=none --out=x", "no intermediate codes"),
        ("project d.keras photo.png --space=w --out=x", "--space=w"),
        ("project d.keras none.png --out=x", "No such file"),
        ("project d.keras s.keras --out=x", "Cannot read image file"),
    ],
)
def test_what_does_not_fit_is_told(words, message, models, capsys):
    assert call(*words.split()) == 1
    assert message in " ".join(capsys.readouterr().err.split())
    assert not os.path.exists("x") and not os.path.exists("x.png")


def test_sample_writes_walks_and_cut_off_samples(models):
    """Of `sample`, the walk is that of `walk`, and pictures those of `generate`."""
    same = ["--frames=4", "--truncation=0.5", "--cutoff=1"]
    assert call("sample", "s.keras", "--interpolate=3,8", *same, "--out=w.gif") == 0
    wanted = kg.latent.walk(models, [3, 8], 4, truncation=0.5, cutoff=1)
    with Image.open("w.gif") as film:
        assert film.n_frames == 4
        film.seek(2)
        side = film.size[0] // wanted.shape[2]
        frame = np.asarray(film.convert("RGB"))[side // 2 :: side, side // 2 :: side]
    assert np.abs(frame / 127.5 - 1 - wanted[2]).mean() < 0.05  # 256 colours
    assert call("walk", "s.keras", "--seeds=3,8", *same, "--out=v.gif") == 0
    contents = [pathlib.Path(f"{name}.gif").read_bytes() for name in "vw"]
    assert contents[0] == contents[1]
    seeds = ["s.keras", "--seeds=0-1", "--truncation=0.5", "--labels=1"]
    assert call("sample", *seeds, "--cutoff=1", "--each", "--out=a") == 0
    assert call("generate", *seeds, "--cutoff=1", "--out=b") == 0
    one, other = (sorted(pathlib.Path(name).iterdir()) for name in "ab")
    assert [p.name for p in one] == [p.name for p in other] and len(one) == 2
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in other]
    assert call("sample", *seeds, "--each", "--out=c") == 0
    whole = sorted(pathlib.Path("c").iterdir())
    assert [p.read_bytes() for p in one] != [p.read_bytes() for p in whole]
