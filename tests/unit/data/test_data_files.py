"""The data package: folders, tensorflow-datasets and bad arguments."""

import io
import os
import struct
import subprocess
import sys
import warnings
import zlib

import numpy as np
from pictures import assert_same, noise, numbered, one_pass, order, read, save, some
from PIL import Image, ImageOps
import pytest
import tensorflow as tf

from keras_gans import data
from keras_gans.data import decoding, keeping

# -- folders -----------------------------------------------------------------


def test_folder_with_labels(tmp_path):
    for number, (name, ending) in enumerate(
        [("a", "png"), ("b/deep", "BMP"), ("b", "webp"), ("c", "PNG")]
    ):
        pixels = np.full((5, 7, 3), 40 * number, "uint8")
        options = {"lossless": True} if ending == "webp" else {}
        save(tmp_path, f"{name}/{number}.{ending}", pixels, **options)
    (tmp_path / "a" / "notes.txt").write_text("not an image")
    save(tmp_path, ".cache/x.png", pixels)
    save(tmp_path, "a/.hidden.png", pixels)
    dataset = data.load(
        tmp_path, labels=True, image_size=4, batch_size=4, shuffle=False
    )
    ((images, labels),) = some(dataset, 2)
    assert labels.tolist() == [0, 1, 1, 2]
    # a/0, b/2, b/deep/1, c/3 in the order of their paths
    assert order([images]) == [0, 80, 40, 120]


@pytest.mark.full
@pytest.mark.parametrize("times", [1, pytest.param(3, marks=pytest.mark.full)])
def test_python_ends_while_pictures_are_read(tmp_path, times):
    """Input threads want Python until their buffers are full."""
    for i, pixels in enumerate(noise((200, 64, 64, 3))):
        save(tmp_path, f"{i}.png", pixels)
    script = (
        "from keras_gans import data\n"
        f"dataset = data.load({str(tmp_path)!r}, image_size=64, batch_size=8)\n"
        "iterator = iter(dataset)\n"
        "next(iterator)\n"
    )
    for _ in range(times):
        subprocess.run([sys.executable, "-c", script], check=True, timeout=600)


def test_linked_folder_is_followed_once(tmp_path):
    save(tmp_path, "real/0.png", noise((4, 4, 3)))
    folder = tmp_path / "set"
    folder.mkdir()
    os.symlink(tmp_path / "real", folder / "link")
    os.symlink(folder, tmp_path / "real" / "loop")
    dataset = data.load(folder, image_size=4, batch_size=1)
    assert len(dataset) == 1


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_modes(tmp_path, channels):
    expected = []
    for mode in ("1", "CMYK", "L", "LA", "P", "RGB", "RGBA"):
        path = tmp_path / (mode + (".jpg" if mode == "CMYK" else ".png"))
        Image.fromarray(noise((8, 8, 4))).convert(mode).save(path)
        with Image.open(path) as saved:
            assert saved.mode == mode
            rgba = np.asarray(saved.convert("RGBA"), "float64")
        alpha, x = rgba[..., 3:] / 255, rgba[..., :3]
        if channels in (1, 3):
            x = x * alpha + 255 * (1 - alpha)
        if channels < 3:
            x = x @ [[0.299], [0.587], [0.114]]
        if channels in (2, 4):
            x = np.concatenate([x, alpha * 255], axis=-1)
        expected.append(x)
    options = {"image_size": 8, "batch_size": 7, "shuffle": False}
    (found,) = one_pass(data.load(tmp_path, channels=channels, **options))
    # 8-bit rounding of laying on white, then of the luma: 2 levels
    np.testing.assert_allclose((found + 1) * 127.5, expected, atol=2)


def test_transparent_palette_lies_on_white(tmp_path):
    image = Image.new("P", (2, 2))
    image.putpalette([255, 0, 0, 0, 0, 255])
    image.putpixel((1, 0), 1)
    image.putpixel((1, 1), 1)
    image.save(tmp_path / "a.png", transparency=0)
    found = read(tmp_path, image_size=2)
    np.testing.assert_array_equal(found[:, 0], 1.0)
    np.testing.assert_array_equal(found[:, 1], [[-1, -1, 1]] * 2)
    assert read(tmp_path, image_size=2, channels=4)[0, :, 3].tolist() == [-1, 1]


@pytest.mark.parametrize("depth", [1, 3, 4])
def test_sixteen_bit_png_keeps_its_depth(tmp_path, depth):
    pixels = noise((8, 8, depth), dtype="uint16")
    (tmp_path / "a.png").write_bytes(tf.io.encode_png(pixels).numpy())
    found = read(tmp_path, channels=depth)
    # one float32 step at 1 is 1.2e-7, a 16-bit level 3.1e-5
    np.testing.assert_allclose(found, pixels / 32767.5 - 1, atol=3e-7)


def test_exif_orientation(tmp_path):
    expected = []
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        path = tmp_path / f"{orientation}.png"
        Image.fromarray(noise((8, 8, 3))).save(path, exif=exif)
        with Image.open(path) as saved:
            expected.append(np.asarray(ImageOps.exif_transpose(saved)))
    dataset = data.load(tmp_path, image_size=8, batch_size=8, shuffle=False)
    (found,) = one_pass(dataset)
    np.testing.assert_array_equal(found, np.stack(expected) / np.float32(127.5) - 1)


def test_exif_orientation_swaps_sides(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    save(tmp_path, "a.jpg", noise((4, 9, 3)), exif=exif)
    with Image.open(tmp_path / "a.jpg") as saved:
        upright = np.asarray(ImageOps.exif_transpose(saved))
    found = read(tmp_path, image_size=(9, 4))
    np.testing.assert_array_equal(found, upright / np.float32(127.5) - 1)


def test_folder_start_is_skip_and_reads_nothing_skipped(tmp_path):
    for i in range(6):
        save(tmp_path, f"{i}.png", np.full((4, 4, 3), i, "uint8"))
    options = {"image_size": 4, "batch_size": 2, "repeat": True}
    whole = some(data.load(tmp_path, **options), 8)
    assert_same(some(data.load(tmp_path, start=4, **options), 4), whole[4:])
    # broken images of a skipped batch do not hurt
    plain = {"image_size": 4, "batch_size": 2, "shuffle": False}
    dataset = data.load(tmp_path, start=1, repeat=True, **plain)
    (tmp_path / "0.png").write_bytes(b"broken")
    assert order([next(iter(dataset))]) == [2, 3]


@pytest.mark.daily(1)
@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("resize", ["crop", "pad", "stretch"])
def test_photos_are_brought_to_size_once(tmp_path, monkeypatch, resize, labels):
    """Reading them takes longer than a step, and each epoch crops them anew."""
    photos = noise((3, 30, 47, 3))
    for name, pixels in zip(("a/0.png", "a/1.png", "b/2.png"), photos, strict=True):
        save(tmp_path, name, pixels)
    options = {"image_size": (10, 12), "resize": resize, "jitter": 4, "flip": True}
    options |= {"batch_size": 3, "seed": 2, "labels": labels}
    monkeypatch.setattr(keeping, "ROOM", 2 * 14 * 16 * 3 * 4)
    dataset = data.load(tmp_path, **options)
    source = (photos, np.array([0, 0, 1])) if labels else photos
    expected = data.load(source, **options)
    first = some(dataset, 1)
    assert_same(first, some(expected, 1))
    reads, read_one = [], decoding.Listing.read
    monkeypatch.setattr(
        decoding.Listing,
        "read",
        lambda listing, *args: reads.append(args) or read_one(listing, *args),
    )
    second = some(dataset, 1)
    assert len(reads) == 1  # there is room for two
    assert_same(second, some(expected, 1))
    assert np.abs(first[0][0] - second[0][0]).mean() > 0.05


def png_header(width, height, depth):
    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    crc = struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + crc


def encoded(form, mode="RGB", **options):
    file = io.BytesIO()
    Image.fromarray(noise((32, 32, 3))).convert(mode).save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("garbage.png", b"this is no picture"),
        ("half.png", encoded("PNG")[:1500]),
        ("half.jpg", encoded("JPEG")[:700]),
        ("half.webp", encoded("WEBP")[:500]),
        ("half.bmp", encoded("BMP")[:1000]),
        ("deep.png", tf.io.encode_png(noise((9, 9, 3), 0, "uint16")).numpy()[:300]),
        ("bomb.png", png_header(60_000, 60_000, 8)),
        ("half.gif", encoded("GIF")[:500]),
        ("half.tif", encoded("TIFF")[:1000]),
        ("half.avif", encoded("AVIF")[:300]),
        ("other.png", encoded("PPM")),
        ("empty.png", b""),
        ("deep.tif", encoded("TIFF", mode="F")),
    ],
)
def test_bad_images_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=name) as caught:
        data.load(tmp_path, image_size=8, batch_size=1)
    assert 'on_error="skip"' in str(caught.value)


def test_images_that_break_later_are_named(tmp_path):
    (tmp_path / "a.png").write_bytes(encoded("PNG"))
    dataset = data.load(tmp_path, image_size=8, batch_size=1)
    (tmp_path / "a.png").write_bytes(encoded("PNG")[:1500])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"a\.png") as caught:
        one_pass(dataset)
    assert "Leave it out, or replace it by a good copy" in str(caught.value)


@pytest.mark.parametrize(("dtype", "side"), [("uint8", 12), ("uint16", 40)])
def test_images_above_the_pixel_limit_are_named(tmp_path, monkeypatch, dtype, side):
    pixels = noise((side, side, 3), dtype=dtype)
    (tmp_path / "bomb.png").write_bytes(tf.io.encode_png(pixels).numpy())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with (
        warnings.catch_warnings(),
        pytest.raises(ValueError, match=r"(?s)bomb\.png.*pixels"),
    ):
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        read(tmp_path)


# -- tensorflow-datasets -----------------------------------------------------


@pytest.fixture(scope="module")
def tfds_dir(tmp_path_factory):
    tfds = pytest.importorskip("tensorflow_datasets")
    folder = str(tmp_path_factory.mktemp("tfds"))

    def prepare(name, features, **splits):
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version="1.0.0",
            features=tfds.features.FeaturesDict(features),
            split_datasets={
                split: tf.data.Dataset.from_tensor_slices(values)
                for split, values in splits.items()
            },
            data_dir=folder,
            disable_shuffling=True,
        )

    prepare(
        "numbered",
        {
            "image": tfds.features.Image(shape=(4, 4, 3)),
            "label": tfds.features.ClassLabel(num_classes=20),
        },
        train={"image": numbered(20), "label": np.arange(20)},
        test={"image": numbered(5), "label": np.arange(5)},
    )
    prepare(
        "unlabelled",
        {"image": tfds.features.Image(shape=(None, None, 1))},
        train={"image": numbered(4, channels=1)},
    )
    prepare("texts", {"text": tfds.features.Text()}, train={"text": ["a", "b"]})
    return folder


def test_tfds(tfds_dir):
    options = {"data_dir": tfds_dir, "batch_size": 5}
    dataset = data.load("tfds:numbered", labels=True, **options)
    assert len(dataset) == 4
    passes = []
    for _ in range(3):
        batches = some(dataset, 9)
        images = [x for x, _ in batches]
        labels = np.concatenate([y for _, y in batches]).tolist()
        assert order(images) == labels and batches[0][1].dtype == np.int32
        assert sorted(labels) == list(range(20)) != labels
        passes.append(tuple(labels))
    assert len(set(passes)) == 3
    tf.random.set_seed(12345)
    endless = data.load("tfds:numbered", repeat=True, **options)
    assert order([x for (x,) in some(endless, 12)]) == list(sum(passes, ()))
    resumed = data.load("tfds:numbered", repeat=True, start=6, **options)
    assert_same(some(resumed, 6), some(endless, 12)[6:])
    part = data.load("tfds:numbered", split="test", shuffle=False, **options)
    assert order(one_pass(part)) == list(range(5))
    (half,) = one_pass(
        data.load(
            "tfds:numbered",
            split="train[:50%]",
            data_dir=tfds_dir,
            batch_size=10,
            channels=1,
            image_size=8,
        )
    )
    assert half.shape == (10, 8, 8, 1)


def test_tfds_is_described(tfds_dir):
    options = {"data_dir": tfds_dir}
    text = str(data.describe("tfds:numbered", "labelled images", (8, 8), 1, **options))
    for part in ("20 pictures", "all 4 x 4 pixels, colour", "20: 0, 1", "8 x 8"):
        assert part in text, text
    assert data.class_names("tfds:numbered", **options) == list(map(str, range(20)))
    assert "4 pictures" in str(
        data.describe("tfds:unlabelled", "images", (8, 8), 3, **options)
    )


def test_tfds_of_unknown_sizes(tfds_dir):
    options = {"data_dir": tfds_dir, "batch_size": 2}
    with pytest.raises(ValueError, match="image_size"):
        data.load("tfds:unlabelled", **options)
    dataset = data.load("tfds:unlabelled", image_size=6, **options)
    assert next(iter(dataset)).shape == (2, 6, 6, 3)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("tfds:texts", {}, r"no image feature.*\['text'\]"),
        ("tfds:unlabelled", {"labels": True}, "labels=False"),
        ("tfds:fashion_mnits", {}, "Did you mean tfds:fashion_mnist"),
        ("tfds:numbered", {"split": "tset"}, "tset"),
        ("tfds:", {}, "tfds:NAME"),
    ],
)
def test_tfds_errors(tfds_dir, source, options, message):
    with pytest.raises(ValueError, match=message):
        data.load(source, data_dir=tfds_dir, batch_size=1, **options)


# -- bad arguments -----------------------------------------------------------

IMAGES = numbered(4)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("emojii", {}, r"Did you mean emoji.*Received: 'emojii'"),
        ("emoji:flta", {}, r"Did you mean emoji:flat"),
        ([1, 2], {}, r"numpy.ndarray.*Received: an object of type list"),
        (None, {}, r"numpy.ndarray.*NoneType"),
        (IMAGES[0, 0], {}, r"\[n, height, width\].*\(4, 3\)"),
        (IMAGES[:0], {}, r"\(0, 4, 4, 3\)"),
        (IMAGES.astype("int64"), {}, r"uint8.*int64"),
        (IMAGES.astype("float32"), {}, r"x/127.5-1.*\[0.0, 3.0\]"),
        (IMAGES * np.float32("nan"), {}, "NaN"),
        (IMAGES, {"labels": True}, r"\(array, labels\)"),
        ((IMAGES, np.arange(3)), {"labels": True}, r"4 images.*\(3,\)"),
        ((IMAGES, np.eye(4)), {"labels": True}, "argmax"),
        (IMAGES, {"batch_size": 5}, r"4 images.*Lower `batch_size` to 4 or .*size=5"),
        (IMAGES, {"batch_size": 0}, "at least 1.*batch_size=0"),
        (IMAGES, {"seed": -1}, "seed=-1"),
        (IMAGES, {"start": 1.5}, "start=1.5"),
        (IMAGES, {"start": 1}, r"multiple of the 2.*repeat=True.*start=1"),
        (IMAGES, {"image_size": 0}, "image_size=0"),
        (IMAGES, {"image_size": (4, -1)}, r"\(4, -1\)"),
        (IMAGES, {"image_size": (4, 4, 3)}, r"\(4, 4, 3\)"),
        (IMAGES, {"image_size": True}, "True"),
        (IMAGES, {"channels": 5}, "channels=5"),
        (IMAGES, {"resize": "fit"}, r"random_crop.*resize='fit'"),
        (IMAGES, {"interpolation": "cubic"}, "bicubic.*'cubic'"),
        (IMAGES, {"split": "test"}, "tfds:"),
        ("emoji", {"data_dir": "x"}, "tfds:.*data_dir='x'"),
    ],
)
def test_bad_arguments(source, options, message):
    with pytest.raises(ValueError, match=message):
        data.load(source, **{"batch_size": 2, **options})


@pytest.mark.parametrize(
    ("n", "options", "batch", "batches"),
    [
        (31, {}, 16, 1),
        (64, {}, 64, 1),
        (31, {"drop_remainder": False}, 31, 1),
        (31, {"batch_size": 31}, 31, 1),
    ],
)
def test_batches_are_no_larger_than_the_set(n, options, batch, batches):
    dataset = data.load(np.zeros((n, 4, 4, 3), "uint8"), **options)
    assert len(dataset) == batches
    assert next(iter(dataset)).shape[0] == batch


def test_bad_folders(tmp_path):
    options = {"image_size": 8, "batch_size": 1}
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    with pytest.raises(ValueError, match=r"(?s)Did you mean .*/pictures"):
        data.load(tmp_path / "pictuers", **options)
    with pytest.raises(ValueError, match="no files at all"):
        data.load(pictures, **options)
    (pictures / "a.svg").write_bytes(b"x")
    (pictures / "b.svg").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"\.png.*\.svg x2"):
        data.load(str(pictures), **options)
    with pytest.raises(ValueError, match=r"the file '.*a\.svg'"):
        data.load(pictures / "a.svg", **options)
    save(pictures, "one.png", noise((8, 8, 3)))
    with pytest.raises(ValueError, match="no subfolders"):
        data.load(pictures, labels=True, **options)
    with pytest.raises(ValueError, match="image_size"):
        data.load(pictures, batch_size=1)
    with pytest.raises(ValueError, match="channels=None"):
        data.load(pictures, channels=None, **options)
    with pytest.raises(ValueError, match=r"holds 1 images.*batch_size=2"):
        data.load(pictures, image_size=8, batch_size=2)
    save(pictures, "class/two.png", noise((8, 8, 3)))
    with pytest.raises(ValueError, match=r"lie in none.*one\.png"):
        data.load(pictures, labels=True, **options)
    (pictures / "class" / "two.png").write_bytes(b"")
    with pytest.raises(ValueError, match=r"(?s)two\.png': it is empty"):
        data.load(pictures, **options)
