"""`keras-gans translate` and `convert`: files in, files out, nothing lost."""

import json
import os
from pathlib import Path
import zipfile

from command_line import call
from golden.recipe import fill
import keras
from keras import layers
import numpy as np
from PIL import Image
import pytest
import tensorflow as tf
import translation_reference as reference

import keras_gans as kg
from keras_gans.convert import from_state
from keras_gans.inference.loading import load_model
from keras_gans.inference.translate import translate_files


def mirror(channels, **kwargs):
    """A network whose output is its input."""
    images = keras.Input((None, None, channels))
    return keras.Model(images, layers.Activation("linear")(images), **kwargs)


@pytest.fixture(scope="module")
def gans():
    """Translators that change nothing, by their channels."""
    return {c: kg.Pix2Pix(generator=mirror(c), width=1) for c in (1, 2, 3, 4)}


def noise(*shape, dtype="uint8"):
    top = np.iinfo(dtype).max + 1
    return np.random.default_rng(0).integers(0, top, shape).astype(dtype)


def save(path, pixels, mode=None, **options):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    picture = Image.fromarray(pixels)
    (picture if mode is None else picture.convert(mode)).save(path, **options)
    return path


def save_deep(path, pixels):
    Path(path).write_bytes(tf.io.encode_png(pixels).numpy())
    return path


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


def run(model, *inputs, out="out", **options):
    return translate_files(model, inputs, out, verbose=0, **options)


def names(folder="."):
    found = Path(folder).rglob("*")
    return sorted(str(p.relative_to(folder)) for p in found if p.is_file())


# --- Pixels ---


def test_a_model_of_grey_keeps_depth_and_takes_no_colours(gans):
    grey, deep = noise(5, 7), noise(5, 7, dtype="uint16")
    save("grey.png", grey)
    save("deep.png", deep)
    save("same.png", np.stack([grey] * 3, -1))  # grey, written as RGB
    save("palette.png", grey, "P")
    save_deep("deeprgb.png", np.repeat(deep[..., None], 3, -1))
    save("colour.png", noise(5, 7, 3))
    save("clear.png", np.stack([grey, 255 - grey], -1))
    report = run(gans[1], "*.png")
    assert list(report.failed) == ["colour.png"]
    assert "model takes 1 channels (grey)" in report.failed["colour.png"]
    assert "Convert it to grey" in report.failed["colour.png"]
    for name in ("grey", "same", "palette"):
        np.testing.assert_array_equal(pixels(f"out/{name}.png"), grey)
    for name in ("deep", "deeprgb"):
        np.testing.assert_array_equal(pixels(f"out/{name}.png"), deep)
        with Image.open(f"out/{name}.png") as picture:
            assert picture.mode == "I;16"
    assert report.notes == {"transparency laid on white": 1}
    a = (255 - grey) / 255
    expected = grey * a + 255 * (1 - a)
    assert np.abs(pixels("out/clear.png") - expected).max() <= 1


def test_a_model_of_colours_takes_everything(gans):
    colour, grey = noise(6, 4, 3), noise(6, 4)
    save("colour.png", colour)
    save("bitmap.bmp", colour)
    save("lossless.webp", colour, lossless=True)
    save("photo.jpg", np.full((6, 4, 3), (200, 30, 90), "uint8"), quality=100)
    save("grey.png", grey)
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    save("turned.png", colour, exif=exif)
    save("clear.png", np.concatenate([colour, np.zeros_like(colour[..., :1])], 2))
    save_deep("deep.png", noise(6, 4, 3, dtype="uint16"))
    report = run(gans[3], ".")
    assert not report.failed and len(report.written) == 8
    for name in ("colour", "bitmap", "lossless"):
        np.testing.assert_array_equal(pixels(f"out/{name}.png"), colour)
    np.testing.assert_array_equal(pixels("out/grey.png")[..., 1], grey)
    np.testing.assert_array_equal(pixels("out/turned.png"), np.rot90(colour, -1))
    assert (pixels("out/clear.png") == 255).all()
    photo = pixels("out/photo.png").astype(int)
    assert np.abs(photo - (200, 30, 90)).max() <= 4
    assert report.notes == {
        "transparency laid on white": 1,
        "16 bits a channel written as 8": 1,
    }


def test_models_of_two_and_four_channels(gans):
    grey, colour = noise(3, 4, 2), noise(3, 4, 4)
    save("two.png", grey)
    save("four.png", colour)
    assert list(run(gans[2], ".").failed) == ["./four.png"]
    np.testing.assert_array_equal(pixels("out/two.png"), grey)
    run(gans[4], "two.png", "four.png", out="out4")
    np.testing.assert_array_equal(pixels("out4/four.png"), colour)
    np.testing.assert_array_equal(pixels("out4/two.png")[..., 3], grey[..., 1])


def test_a_result_is_a_function_of_its_file_alone():
    images = keras.Input((None, None, 1))
    made = layers.Dropout(0.5)(images)
    gan = kg.Pix2Pix(generator=keras.Model(images, made), width=1)
    for name in "abc":
        save(f"{name}.png", np.full((9, 9), 200, "uint8"))
    run(gan, "a.png", "b.png", "c.png", seed=4)
    run(gan, "c.png", out="alone", seed=4)
    run(gan, "c.png", out="other", seed=5)
    first = pixels("out/a.png")
    assert len(np.unique(first)) == 2
    np.testing.assert_array_equal(pixels("out/c.png"), first)
    np.testing.assert_array_equal(pixels("alone/c.png"), first)
    assert (pixels("other/c.png") != first).any()
    run(gan, "c.png", out="plain", evaluation=True)
    assert (pixels("plain/c.png") == 200).all()


def test_directions():
    to_colour = layers.Concatenate()
    grey, colour = keras.Input((None, None, 1)), keras.Input((None, None, 3))
    gan = kg.CycleGAN(
        generator_ab=keras.Model(grey, to_colour([grey] * 3)),
        generator_ba=keras.Model(colour, colour[..., :1]),
        identity_weight=0,
        pool_size=0,
        width=1,
    )
    gan.save("cycle.keras")
    made = save("grey.png", noise(4, 6))
    assert call("translate", "cycle.keras", made, "--out=b") == 0
    assert pixels("b/grey.png").shape == (4, 6, 3)
    report = run("cycle.keras", "b/grey.png", direction="ba")
    assert not report.failed
    np.testing.assert_array_equal(pixels("out/grey.png"), pixels(made))


# --- Files ---


def test_folders_keep_their_order(gans):
    for name in ("a/x.png", "a/deep/y.jpg", "a/.hidden.png", "b/x.bmp"):
        save(name, noise(3, 3))
    Path("a/notes.txt").write_text("no picture")
    report = run(gans[1], "a")
    assert names("out") == ["deep/y.png", "x.png"] and not report.failed
    run(gans[1], "a/**/*", out="out2")
    assert names("out2") == ["deep/y.png", "x.png"]
    run(gans[1], "a", "a/x.png", out="out3")  # one of them twice
    assert names("out3") == ["deep/y.png", "x.png"]


def test_unlike_names_never_refuse_the_others(gans):
    """Of one name, with a pattern that climbs, too long, or not there."""
    dark, light = np.full((2, 3, 3), 9, "uint8"), np.full((3, 3), 200, "uint8")
    for name, shade in (("a/x.png", dark[0]), ("b/x.bmp", light), ("a/x.jpg", light)):
        save(name, shade)
    before = Path("a/x.png").read_bytes()
    report = run(gans[1], "a", "b", "nowhere")
    assert names("out") == ["x-2.png", "x-3.png", "x.png"]
    assert (pixels("out/x-3.png") == 200).all()
    assert report.notes == {"numbered, as another picture has the name": 2}
    assert "No such file" in report.failed["nowhere"]
    # Without care, "../a/x.png" below o is the source, and outside of it.
    Path("b/c").mkdir()
    run(gans[1], "b/c*/../../a/*.png", out="o")
    assert names("o") == ["a/x.png"] and Path("a/x.png").read_bytes() == before
    long = "n" * 250 + ".png"
    save(f"long/{long}", light)
    save("long/y.png", light)
    report = run(gans[1], "long", out="out2")
    assert names("out2") == sorted([long, "y.png"]) and not report.failed


def test_a_sequential_network_translates():
    grey = keras.Sequential([keras.Input((None, None, 1)), layers.Activation("linear")])
    grey.save("grey.keras")
    save("x.png", noise(3, 4))
    assert not run("grey.keras", "x.png").failed
    np.testing.assert_array_equal(pixels("out/x.png"), noise(3, 4))


@pytest.mark.full
def test_the_mode_is_named(capsys):
    """That of the training is saved with the model, and can be overruled."""
    images = keras.Input((None, None, 1))
    made = layers.Dropout(0.5)(layers.Conv2D(1, 1)(images))
    gan = kg.Pix2Pix((8, 8, 1), generator=keras.Model(images, made), n_layers=1)
    gan.compile()
    x = np.random.default_rng(0).uniform(-1, 1, (2, 8, 8, 1))
    gan.train_on_batch(x, x)
    gan.save("batches.keras")
    save("x.png", noise(9, 9))
    for flag, mode in (
        (None, "moving statistics, no dropout, as it was trained on batches of 2"),
        ("--no-evaluation", "each image's own statistics, dropout as in training"),
    ):
        words = ["translate", "batches.keras", "x.png", "--overwrite", "--out=out"]
        assert call(*words, *([flag] if flag else [])) == 0
        assert mode in capsys.readouterr().out
    same = run("batches.keras", "x.png", out="o", evaluation=True)
    run("batches.keras", "x.png", out="o2")
    assert same.mode.endswith("as asked for")
    np.testing.assert_array_equal(pixels("o/x.png"), pixels("o2/x.png"))


def test_nothing_is_lost(gans):
    save("in/x.png", noise(3, 3))
    Path("out").mkdir()
    Path("out/dear.txt").write_text("keep me")
    with pytest.raises(ValueError, match=r"overwritten unasked.*out"):
        run(gans[1], "in")
    run(gans[1], "in", overwrite=True)
    assert names("out") == ["dear.txt", "x.png"]
    for inputs in (["in"], ["in/x.png"], [os.path.abspath("in")]):
        with pytest.raises(ValueError, match="among the pictures"):
            run(gans[1], *inputs, out="in", overwrite=True)
    with pytest.raises(ValueError, match="is a folder"):
        run(gans[1], "in", out="in/x.png")
    for wrong, message in (
        ("nowhere", "No such file or folder"),
        ("no*thing", "No pictures there"),
        (".", "No pictures there"),
    ):
        Path("empty").mkdir(exist_ok=True)
        wrong = "empty" if wrong == "." else wrong
        with pytest.raises(ValueError, match=message):
            run(gans[1], wrong, out="new")
    assert not Path("new").exists()


def test_broken_files_are_named_and_the_others_done(capsys):
    kg.Pix2Pix(generator=mirror(3), width=1).save("model.keras")
    save("in/a.png", noise(40, 40, 3))
    save("in/z.png", noise(40, 40, 3))
    whole = Path("in/a.png").read_bytes()
    Path("in/cut.png").write_bytes(whole[:900])
    Path("in/empty.jpg").write_bytes(b"")
    Path("in/text.png").write_text("<svg onload=alert(1)>")
    Path("in/script.webp").write_text("%!PS /Helvetica findfont")
    # 60,000 x 60,000 pixels, it says.
    size = (60_000).to_bytes(4, "big")
    Path("in/bomb.png").write_bytes(whole[:16] + size + size + whole[24:])
    assert call("translate", "model.keras", "in", "--out=out") == 1
    out, err = capsys.readouterr()
    assert "2 of 7 pictures translated" in out and "7/7" in out
    assert "5 of 7 pictures were not translated" in err
    for name in ("cut.png", "empty.jpg", "text.png", "script.webp", "bomb.png"):
        assert f"in/{name}: " in err
    assert "Traceback" not in err
    assert names("out") == ["a.png", "z.png"]


def test_memory_is_bounded(gans):
    save("wide.png", noise(2, 300))
    report = run(gans[1], "wide.png", max_pixels=599)
    assert "300 x 2 pixels, more than the limit of 599" in str(report.failed)
    assert not run(gans[1], "wide.png", max_pixels=600, out="o").failed
    # A U-Net would pad it to 64 rows.
    gan = kg.Pix2Pix((64, 64, 1), width=1)
    report = run(gan, "wide.png", max_pixels=10_000, out="padded")
    assert "padded to 320 x 64" in str(report.failed)
    Path("long.png").write_bytes(Path("wide.png").read_bytes() + bytes(2**25))
    report = run(gans[1], "long.png", max_pixels=600, out="long")
    assert "more than a picture of 600 pixels" in str(report.failed)


# --- Models ---


def test_what_is_no_translator_is_named(tmp_path):
    save("x.png", noise(8, 8))
    images = keras.Input((None, None, 1))
    five = layers.Concatenate()([images] * 5)
    code = keras.Input((5,))
    dense = keras.Model(code, layers.Dense(2)(code), name="a_classifier")
    for model, message in (
        (kg.DCGAN((16, 16, 1), 4, width=2), "a DCGAN, which makes images of a"),
        (from_state({k: fill(k, s) for k, s in PATCHES.items()}), "'discrim"),
        (dense, r"'a_classifier', a Functional from \(None, 5\)"),
        (keras.Model(images, five), "makes 5"),
        ("x.png", r"\.keras file. Received: x\.png"),
        ("nowhere.keras", "which does not exist"),
        (tmp_path, "a directory of other files"),
    ):
        with pytest.raises(ValueError, match=message):
            run(model, "x.png")
    Path("x.pth").touch()
    with pytest.raises(ValueError, match=r"keras-gans convert x\.pth"):
        run("x.pth", "x.png")
    with pytest.raises(ValueError, match="directions ab"):
        run(mirror(1), "x.png", direction="ba")
    assert not Path("out").exists()


PATCHES = reference.patch_shapes("instance", 3, 1, 2)


@keras.saving.register_keras_serializable("test")
class Evil(layers.Layer):
    """Stands for a class that whoever loads the file does not have."""

    def call(self, x):
        return x


def changed(path, new, find, put):
    """A copy of a Keras file with another config."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "w") as made:
        for name in old.namelist():
            content = old.read(name)
            if name == "config.json":
                assert find in content
                content = content.replace(find, put)
            made.writestr(name, content)
    return new


def test_keras_files_from_elsewhere():
    images = keras.Input((None, None, 1))
    made = layers.Lambda(lambda x: __import__("os").mkdir("ran") or x)(images)
    os.rmdir("ran")  # made while the network was built
    keras.Model(images, made).save("code.keras")
    keras.Model(images, Evil()(images)).save("unknown.keras")
    code = json.dumps("test>Evil").encode()
    changed("unknown.keras", "other.keras", code, b'"gone>Evil"')
    conv = layers.Conv2D(3, 1, name="wide")(images)
    keras.Model(images, conv).save("conv.keras")
    find, put = b'"filters": 3', b'"filters": 3000000000'
    changed("conv.keras", "wide.keras", find, put)
    whole = Path("conv.keras").read_bytes()
    Path("cut.keras").write_bytes(whole[: len(whole) // 2])
    with zipfile.ZipFile("bomb.keras", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("model.weights.h5", bytes(2**24))
    Path("text.keras").write_text("hello")
    save("x.png", noise(4, 4))
    for name, message in (
        ("code", "Lambda layer or other code"),
        ("other", "It holds 'Evil', which is not known here"),
        ("wide", "weight 'wide.*shape .*too small to hold"),
        ("cut", "damaged"),
        ("bomb", "bytes once unpacked"),
        ("text", "Not a .keras file"),
    ):
        with pytest.raises(ValueError, match=f"(?s){message}") as caught:
            run(f"{name}.keras", "x.png")
        assert f"{name}.keras" in str(caught.value)
    assert not Path("ran").exists() and not Path("out").exists()
    assert load_model("conv.keras").count_params() == 6


def test_other_formats_are_translated(gans):
    """What training reads is translated too, a link to itself is reported."""
    frames = [Image.new("L", (16, 16), shade) for shade in (30, 90)]
    os.makedirs("in")
    for name in ("a.gif", "b.tif"):
        frames[0].save(f"in/{name}", save_all=True, append_images=frames[1:])
    os.symlink("c.png", "in/c.png")
    report = translate_files(gans[3], ["in"], "out", verbose=0)
    assert [os.path.basename(path) for path in report.written] == ["a.png", "b.png"]
    assert report.notes == {"the first picture of several taken": 2}
    assert list(report.failed) == ["in/c.png"]
