"""Pictures enlarged: the reference's results, tile by tile, of files of any kind."""

import io
import json
import pathlib
import subprocess

import command_line
from golden.recipe import fill
import keras
import numpy as np
from paths import GOLDEN
from pictures import noise, save
from PIL import Image
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.convert import from_state
from keras_gans.inference.tiles import Enlarger
from keras_gans.modalities.image_files import read_image
from keras_gans.modalities.png import PngWriter
from keras_gans.modalities.video_files import ffmpeg
from keras_gans.networks.rrdbnet import rrdbnet
from keras_gans.networks.srresnet import msrresnet, srresnet
from keras_gans.utils.resizing import bicubic

RECORD = "sr_enhance_x4"


@pytest.fixture(scope="module")
def golden():
    return np.load(GOLDEN / f"{RECORD}.npz")


@pytest.fixture(scope="module")
def network():
    """The record's, whose outputs are not all clipped."""
    about = json.loads((GOLDEN / f"{RECORD}.json").read_text())
    state = {name: fill(name, shape) for name, shape in about["weights"]}
    for leaf, more in (("weight", 0), ("bias", 0.45)):
        name = f"conv_last.{leaf}"
        state[name] = (state[name] * 0.7 + more).astype("float32")
    return from_state(state)


@pytest.fixture(scope="module")
def small():
    """Enlarges twice; weights that tell colours and places apart."""
    return random_weights(msrresnet(scale=2, blocks=1, width=4))


def random_weights(network, seed=0):
    rng = np.random.default_rng(seed)
    for v in network.weights:
        values = 0.7 * rng.normal(0, 1, v.shape) / np.sqrt(np.prod(v.shape[:-1]))
        v.assign(np.abs(values) + 0.5 if "variance" in v.path else values)
    return network


def up(model, images, **options):
    return kg.upscale(model, images, verbose=0, **options)


# --- The reference ---


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("kind", "options", "wanted"),
    [
        ("rgb", {}, "rgb"),
        ("gray", {}, "gray"),
        ("rgba", {}, "rgba"),
        ("rgb16", {}, "rgb16"),
        ("rgb", {"tile": 20, "overlap": 6}, "rgb_tiled"),
        ("rgb", {"padding": 10}, "rgb_prepad"),
        ("rgba", {"alpha": "bilinear"}, "rgba_linear_alpha"),
    ],
)
def test_the_reference_pictures_come_out(network, golden, kind, options, wanted):
    got = up(network, golden[f"in_{kind}"], **options)
    want = golden[f"out_{wanted}"]
    assert got.dtype == want.dtype and got.shape == want.shape
    # The record's own bounds; a rounding apart.
    differ = np.abs(got.astype(int) - want)
    assert differ.max() <= (16 if want.dtype == np.uint16 else 1)
    assert (differ > 0).mean() < 0.01


# --- Tiles ---


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    "make",
    [
        lambda: srresnet(scale=3, blocks=1, width=6),
        lambda: rrdbnet(scale=2, blocks=1, width=6, growth=3),
    ],
)
def test_tiles_make_the_whole(make):
    """Of a size that neither tiles nor the unshuffled blocks divide."""
    network = random_weights(make())
    image = np.random.default_rng(1).uniform(-1, 1, (57, 83, 3)).astype("float32")
    whole, tiled = Enlarger(network, tile=0), Enlarger(network, tile=48)
    want = whole(image)
    assert whole.count(image.shape[:2]) == 1 and tiled.count(image.shape[:2]) > 3
    assert np.abs(tiled(image) - want).max() <= 1e-5 * np.abs(want).max()
    tiled._overlap = 2  # less than that is seen
    narrow = tiled(image)
    assert np.abs(narrow - want).max() > 1e-3 * np.abs(want).max()


@pytest.mark.full
def test_tiles_make_the_whole_of_a_trained_network():
    """Of several dense blocks: the overlap is measured on noise, not on photos."""
    rng = np.random.default_rng(0)
    coarse = rng.uniform(-1, 1, (20, 20, 3))
    photo = bicubic(coarse, 16).clip(-1, 1) * 0.8 + rng.normal(0, 0.05, (320, 320, 3))
    photo = photo.clip(-1, 1).astype("float32")
    network = rrdbnet(scale=2, blocks=4, width=8, growth=4)
    network.compile(keras.optimizers.Adam(3e-3), "mae")
    places = rng.integers(0, 288, (256, 2))
    high = np.stack([photo[y : y + 32, x : x + 32] for y, x in places])
    before = network.evaluate(high[:, ::2, ::2], high, verbose=0)
    network.fit(high[:, ::2, ::2], high, batch_size=16, epochs=4, verbose=0)
    assert network.evaluate(high[:, ::2, ::2], high, verbose=0) < 0.3 * before
    whole, tiled = Enlarger(network, tile=0), Enlarger(network)
    tiled.tile, tiled._grows = 2 * tiled.overlap + 32, False
    want = whole(photo)
    assert tiled.count(photo.shape[:2]) > 9
    assert np.abs(tiled(photo) - want).max() <= 1e-5 * np.abs(want).max()
    tiled._overlap //= 2
    assert np.abs(tiled(photo) - want).max() > 1e-5 * np.abs(want).max()


@pytest.mark.full
def test_tiles_that_would_not_fit_are_refused(small):
    image = np.zeros((80, 80, 3), "uint8")
    with pytest.raises(ValueError, match=r"pixels around it.*`tile` of more than"):
        up(small, image, tile=8)
    source = keras.Input((None, None, 3))
    x = keras.layers.GroupNormalization(-1)(keras.layers.Conv2D(4, 3)(source))
    x = keras.layers.UpSampling2D(2)(keras.layers.Conv2D(3, 3, padding="same")(x))
    x = keras.layers.ZeroPadding2D(2)(x)
    with pytest.raises(ValueError, match="depends on the whole image"):
        up(keras.Model(source, x), image, tile=64)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_half_precision_is_close(small):
    image = noise((20, 16, 3))
    want = up(small, image).astype(int)
    # 8 bits of mantissa over seven layers: a level or two; 11 bits: less.
    for precision, bound in (("bfloat16", 2), ("float16", 0.5)):
        got = up(small, image, precision=precision)
        assert 0 < np.abs(got - want).mean() < bound
    assert {layer.compute_dtype for layer in small.layers} == {"float32"}


def test_a_network_that_was_trained_by_itself(small):
    """Compiled by Keras, with an optimizer that is of no use here."""
    network = keras.models.clone_model(small)
    network.set_weights(small.get_weights())
    network.compile("adam", "mae")
    image = noise((9, 7, 3))
    np.testing.assert_array_equal(up(network, image), up(small, image))


def test_arrays_keep_their_form(small):
    image = noise((9, 7, 3))
    (want,) = up(small, image[None])
    assert want.dtype == np.uint8 and want.shape == (18, 14, 3)
    np.testing.assert_array_equal(up(small, image), want)
    floats = up(small, (image / 127.5 - 1).astype("float32"))
    assert floats.dtype == np.float32
    np.testing.assert_allclose(floats, want / 127.5 - 1, atol=0.6 / 127.5)
    assert up(small, image[..., 0]).shape == (18, 14)
    one = random_weights(msrresnet((None, None, 1), 2, blocks=1, width=4))
    each = up(one, np.moveaxis(image, -1, 0)[..., None])  # three grey pictures
    np.testing.assert_array_equal(up(one, image), np.moveaxis(each[..., 0], 0, -1))


def test_the_smallest_pictures():
    network = random_weights(rrdbnet(scale=1, blocks=1, width=4, growth=2))
    # The network takes blocks of 4 pixels a side.
    assert up(network, noise((1, 5, 3))).shape == (1, 5, 3)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"scale": 4}, "enlarges 2 times"),
        ({"tile": -1}, "tile"),
        ({"precision": "half"}, "precision"),
        ({"alpha": "linear"}, "alpha"),
        ({"padding": 0.5}, "padding"),
        ({"out": "folder"}, "Arrays are enlarged into an array"),
        ({"inputs": np.full((4, 4, 3), 200.0)}, r"in \[-1, 1\]"),
        ({"inputs": np.zeros((4, 4, 5), "uint8")}, "1 to 4 channels"),
        ({"inputs": np.zeros((4, 4, 3), "int32")}, "dtype int32"),
        ({"inputs": "photo.png"}, "files into a folder"),
        ({"inputs": "photo.png", "out": "large.PNG"}, "Name a folder"),
        ({"inputs": "film.avi", "out": "large.avi"}, "ends in .mp4"),
    ],
)
def test_bad_arguments(small, given, message):
    given = {"inputs": np.zeros((4, 4, 3), "uint8"), **given}
    with pytest.raises(ValueError, match=message):
        up(small, given.pop("inputs"), **given)


def test_other_models_are_refused(small):
    image = np.zeros((4, 4, 3), "uint8")
    fixed = msrresnet((8, 8, 3), 2, blocks=1, width=4)
    with pytest.raises(ValueError, match=r"a network of any size.*width of None"):
        up(fixed, image)
    with pytest.raises(ValueError, match="makes samples of a seed"):
        up(kg.DCGAN((16, 16, 3), 4, width=2), image)
    four = msrresnet((None, None, 4), 2, blocks=1, width=4)
    with pytest.raises(ValueError, match="1 or 3 channels"):
        up(four, image)
    classifier = keras.Sequential([keras.Input((None, None, 3)), keras.layers.ReLU()])
    classifier.add(keras.layers.GlobalAveragePooling2D())
    with pytest.raises(ValueError, match="a whole number of times as large"):
        up(classifier, image)


# --- Files ---


@pytest.fixture
def photos(tmp_path, small):
    """A folder of pictures of every kind, some broken; and the network's file."""
    small.save(tmp_path / "small.keras")
    exif = Image.Exif()
    exif[0x010F], exif[0x0112] = "Kamera", 6
    exif.get_ifd(0x8769)[0xA002] = 11
    colour = noise((13, 11, 3))  # on its side
    folder = tmp_path / "photos"
    icc = {"icc_profile": b"profile" * 9}
    save(folder, "phone.jpg", colour, exif=exif, quality=95, **icc)
    save(folder, "deep/grey.png", noise((9, 8), dtype="uint16"))
    deep = tf.io.encode_png(noise((9, 8, 4), dtype="uint16")).numpy()
    (folder / "deep/colour.png").write_bytes(deep)
    save(folder, "clear.png", noise((9, 8, 4)))
    save(folder, "palette.gif", colour, "P")
    (folder / "text.png").write_text("no picture\n")
    whole = (folder / "clear.png").read_bytes()
    (folder / "cut.png").write_bytes(whole[: len(whole) // 2])
    return tmp_path


@pytest.mark.full
def test_files_of_every_kind(photos, small, capsys):
    out = photos / "large"
    words = ("upscale", photos / "small.keras", photos / "photos", f"--out={out}")
    assert command_line.call(*words, "--tile=32") == 1  # of the broken ones
    told = capsys.readouterr()
    assert "5 of 7 pictures enlarged" in told.out
    for name in ("text.png", "cut.png"):
        assert name in told.err
    made = sorted(str(p.relative_to(out)) for p in out.rglob("*.png"))
    assert made == [
        *("clear.png", "deep/colour.png", "deep/grey.png"),
        *("palette.png", "phone.png"),
    ]
    with Image.open(out / "phone.png") as phone:  # turned upright
        assert phone.size == (26, 22) and phone.info["icc_profile"] == b"profile" * 9
        exif = phone.getexif()
        assert exif[0x010F] == "Kamera" and exif[0x0112] == 1
        assert exif.get_ifd(0x8769)[0xA002] == 26
    upright = read_image(photos / "photos/phone.jpg", 3)
    check_close(out / "phone.png", up(small, upright), 255)
    for name, channels, top in (
        *(("clear", 4, 255), ("deep/grey", 1, 65535), ("deep/colour", 4, 65535)),
    ):
        given = read_image(photos / f"photos/{name}.png", channels)
        check_close(out / f"{name}.png", up(small, given), top)
    before = command_line.files(out)
    assert command_line.call(*words) == 1
    assert "Nothing is overwritten unasked" in capsys.readouterr().err
    assert command_line.files(out) == before
    assert command_line.call(*words, "--overwrite") == 1
    assert command_line.files(out).keys() == before.keys()


def check_close(path, want, top):
    got = read_image(path, want.shape[-1])
    assert got.shape == want.shape
    np.testing.assert_allclose(got, np.clip(want, -1, 1), atol=1.01 / top)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_files_hold_every_bit(dtype, channels):
    pixels = noise((37, 23, channels), 1, dtype)
    pixels[10:20] //= 200  # smooth, for the other filters
    pixels[20:30] = np.arange(23)[:, None]
    file = io.BytesIO()
    writer = PngWriter(file, pixels.shape, dtype)
    for top in range(0, 37, 7):
        writer.write(pixels[top : top + 7])
    writer.close()
    read = tf.io.decode_png(file.getvalue(), 0, dtype).numpy()
    np.testing.assert_array_equal(read, pixels)
    short = PngWriter(io.BytesIO(), pixels.shape, dtype)
    with pytest.raises(ValueError, match="37 rows are missing"):
        short.close()


# --- Videos ---


def test_videos(tmp_path, small, capsys):
    frames = noise((1, 8, 12, 3)).repeat(3, 0)
    for i, frame in enumerate(frames):
        save(tmp_path / "frames", f"{i}.png", frame)
    save(tmp_path / "frames", "3.png", noise((5, 5, 3)))
    small.save(tmp_path / "small.keras")
    film = tmp_path / "film.mp4"
    words = ("upscale", tmp_path / "small.keras", tmp_path / "frames")
    assert command_line.call(*words, f"--out={film}", "--rate=30") == 1
    assert "Frames have one size" in capsys.readouterr().err
    sound = ["-f", "lavfi", "-i", "sine=duration=0.1", "-c:v", "copy"]
    heard = str(tmp_path / "heard.mp4")
    subprocess.run([*ffmpeg(), "-i", str(film), *sound, heard], check=True)
    film = heard
    large = tmp_path / "large.mp4"
    report = up(tmp_path / "small.keras", film, out=large)
    assert report.written == [str(large)] and not report.failed
    video = kg.Video(3, (32, 48, 3), 30).read(large)
    assert video.shape == (3, 32, 48, 3)
    told = subprocess.run(
        [ffmpeg()[0], "-i", str(large)], capture_output=True, text=True
    ).stderr
    assert "30 fps" in told and "Audio: aac" in told
    with pytest.raises(ValueError, match="exists"):
        up(small, film, out=large)
    with pytest.raises(ValueError, match="not written over itself"):
        up(small, film, out=film, overwrite=True)
    (why,) = up(small, film, out=tmp_path / "folder").failed.values()
    assert "out=NAME.mp4" in why
    (tmp_path / "bad.mp4").write_bytes(b"0" * 99)
    with pytest.raises(ValueError, match=r"Cannot read the video .*none.mp4"):
        up(small, tmp_path / "none.mp4", out=large, overwrite=True)
    with pytest.raises(ValueError, match=r"Cannot read the video .*bad.mp4"):
        up(small, tmp_path / "bad.mp4", out=tmp_path / "x.mp4")
    assert not pathlib.Path(tmp_path / "x.mp4").exists()
