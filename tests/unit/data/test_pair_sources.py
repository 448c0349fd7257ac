"""Data of two domains: folders and tensorflow-datasets."""

import os

from domains import BOTH, both, orders, unit
import numpy as np
from pictures import assert_same, noise, numbered, save, some
from PIL import Image
import pytest
import tensorflow as tf

from keras_gans import data
from keras_gans.data.domains import domain_folders
from keras_gans.data.places import Folder

# -- folders -----------------------------------------------------------------

LAYOUTS = [
    ("trainA", "trainB"),
    ("traina", "trainb"),
    ("train/A", "train/B"),
    ("A/train", "B/train"),
    ("A", "B"),
    ("a", "b"),
]


def make_folder(layout, n=4, size=(6, 10)):
    """Pairs of grey and of coloured PNG files; returns their pixels."""
    a, b = noise((n, *size)), noise((n, *size, 3), seed=1)
    for i in range(n):
        save("set", f"{layout[0]}/deep/{i}.png", a[i])
        # the last in another order of names with their extensions
        save("set", f"{layout[1]}/deep/{i}.{'bmp' if i else 'png'}", b[i])
    return unit(a)[..., None], unit(b)


@pytest.mark.parametrize("load", BOTH)
def test_folders_of_two_domains(load):
    expected = make_folder(("A", "B"))
    options = {"image_size": (6, 10), "shuffle": False, "batch_size": 4}
    assert_same([both(load("set", source_channels=1, **options))], [expected])


@pytest.mark.parametrize("layout", LAYOUTS)
def test_where_domains_may_lie(layout):
    make_folder(layout, n=3)
    found = domain_folders(Folder("set"), "train")
    assert [place.path for place in found] == [f"set/{name}" for name in layout]
    assert len(data.load_pairs("set", image_size=4)) == 3


@pytest.mark.parametrize("load", BOTH)
def test_splits_of_a_folder(load):
    make_folder(("trainA", "trainB"))
    make_folder(("valA", "valB"), n=3)
    assert len(load("set", image_size=4, split="val")) == 3
    with pytest.raises(ValueError, match=r"testA and testB.*Received: trainA"):
        load("set", image_size=4, split="test")


@pytest.mark.parametrize("folder", [".", "train", "Test"])
def test_pictures_side_by_side(folder):
    pixels = noise((3, 7, 14, 3))
    for i in range(3):
        save("set", f"{folder}/{i}.png", pixels[i])
    split = "test" if folder == "Test" else "train"
    options = {"image_size": 7, "shuffle": False, "batch_size": 3}
    a, b = both(data.load_pairs("set", split=split, **options))
    np.testing.assert_array_equal(a, unit(pixels[:, :, :7]))
    np.testing.assert_array_equal(b, unit(pixels[:, :, 7:]))
    options |= {"split": split, "source_channels": 1, "direction": "ba"}
    b, a = both(data.load_pairs("set", **options))
    np.testing.assert_array_equal(a, unit(pixels[:, :, :7]))
    # 8-bit rounding of the luma
    luma = unit(pixels[:, :, 7:]) @ np.float32([[0.299], [0.587], [0.114]])
    np.testing.assert_allclose(b, luma, atol=2 / 255)


@pytest.mark.parametrize("depth", [1, 4])
def test_sixteen_bit_files_keep_their_depth(depth):
    pixels = noise((2, 8, 6, depth), dtype="uint16")
    for i, name in enumerate("AB"):
        os.makedirs(f"set/{name}")
        encoded = tf.io.encode_png(pixels[i]).numpy()
        with open(f"set/{name}/x.png", "wb") as file:
            file.write(encoded)
    options = {"source_channels": depth, "channels": depth}
    a, b = both(data.load_pairs("set", image_size=(8, 6), **options))
    # one float32 step at 1 is 1.2e-7, a 16-bit level 3.1e-5
    np.testing.assert_allclose([a[0], b[0]], pixels / 32767.5 - 1, atol=3e-7)


def test_photos_are_upright_before_they_are_compared():
    exif = Image.Exif()
    exif[0x0112] = 6
    save("set", "A/x.jpg", noise((6, 8, 3)), exif=exif)
    save("set", "B/x.png", noise((8, 6, 3)))
    a, b = both(data.load_pairs("set", image_size=(8, 6)))
    assert a.shape == b.shape == (1, 8, 6, 3)


@pytest.mark.parametrize("load", BOTH)
def test_what_is_skipped_is_not_read(load):
    a, b = make_folder(("A", "B"))
    options = {"image_size": (6, 10), "shuffle": False, "source_channels": 1}
    resumed = load("set", start=1, repeat=True, **options)
    first = load("set", **options)
    size = os.path.getsize("set/A/deep/0.png")
    os.truncate("set/A/deep/0.png", size - 30)
    assert_same(some(resumed, 1), [(a[1:2], b[1:2])])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"A/deep/0\.png"):
        both(first)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"A/x.png": (4, 6), "B/y.png": (4, 6)}, r"partner.*A/x\.png"),
        (
            {"A/x.png": (4, 6), "A/y.png": (4, 6), "B/x.png": (4, 6)},
            r"1 files without a partner in 'set/B'.*'set/A/y\.png'",
        ),
        (
            {"A/x.png": (4, 6), "B/x.png": (4, 6), "B/z.png": (4, 6)},
            r"without a partner in 'set/A'.*'set/B/z\.png'",
        ),
        (
            {"A/x.png": (4, 6), "B/x.png": (6, 4)},
            r"A/x\.png' of height 4 and width 6, 'set/B/x\.png' of 6 and 4",
        ),
        (
            {"A/x.png": (4, 6), "A/x.bmp": (4, 6), "B/x.png": (4, 6)},
            r"without extension.*x\.bmp.*x\.png",
        ),
        ({"x.png": (4, 8), "y.png": (8, 15)}, r"even width.*'set/y\.png'.*15"),
        ({"x.png": (4, 8), "y.png": (4, 6)}, r"twice as wide.*'set/y\.png'.*6"),
        ({"A/x.png": (4, 6)}, r"domain is missing.*'A'.*without 'B'"),
        ({"trainB/x.png": (4, 6)}, r"'trainB'.*without 'trainA'"),
        (
            {
                f"{folder}/x.png": (4, 6)
                for folder in ("trainA", "trainB", "A/train", "B/train")
            },
            r"several places.*trainA and trainB; A/train and B/train",
        ),
        ({"A/x.png": (4, 6), "B/x.txt": None}, r"'set/B' holds no images"),
        ({"A/x.png": None, "B/x.png": (4, 6)}, r"(?s)A/x\.png': it is empty"),
        ({"notes.txt": None}, r"no pairs.*side by side.*notes\.txt"),
        (
            {"cats/x.png": (4, 6), "dogs/x.png": (4, 6)},
            r"trainA and trainB, or .*Received: cats, dogs",
        ),
        (
            {"x.png": (4, 6), "test/x.png": (4, 6)},
            r"in a subfolder train or in no subfolder.*test, x\.png",
        ),
    ],
)
def test_pairs_that_do_not_match_are_named(files, message):
    for name, size in files.items():
        os.makedirs(os.path.dirname(f"set/{name}"), exist_ok=True)
        if size is None:
            open(f"set/{name}", "wb").close()
        else:
            save("set", name, noise((*size, 3)))
    with pytest.raises(ValueError, match=message):
        data.load_pairs("set", image_size=4)
    assert all(os.path.exists(f"set/{name}") for name in files)


def test_bad_folders():
    make_folder(("A", "B"))
    with pytest.raises(ValueError, match="Did you mean set"):
        data.load_pairs("sett", image_size=4)
    with pytest.raises(ValueError, match=r"image_size=None.*'set'"):
        data.load_pairs("set")
    for channels in (None, 5):
        for load in BOTH:
            with pytest.raises(ValueError, match=r"1, 2, 3 or 4.*'set'"):
                load("set", image_size=4, channels=channels)
    with open("set/A/deep/0.png", "wb") as file:
        file.write(b"no picture")
    with pytest.raises(ValueError, match=r"(?s)cannot be read.*A/deep/0\.png"):
        data.load_pairs("set", image_size=4)
    os.makedirs("empty/trainA")
    with pytest.raises(ValueError, match=r"without 'trainB'"):
        data.load_unpaired("empty", image_size=4)
    os.makedirs("empty/trainB")
    with pytest.raises(ValueError, match=r"'empty/trainA' holds no images"):
        data.load_unpaired("empty", image_size=4)
    with pytest.raises(ValueError, match=r"trainA and trainB.*or A and B"):
        data.load_unpaired("set/A", image_size=4)


# -- tensorflow-datasets -----------------------------------------------------


@pytest.fixture(scope="module")
def tfds_dir(tmp_path_factory):
    tfds = pytest.importorskip("tensorflow_datasets")
    folder = str(tmp_path_factory.mktemp("tfds"))

    def prepare(name, config, features, splits):
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            config=config,
            version="1.0.0",
            features=tfds.features.FeaturesDict(features),
            split_datasets={
                split: tf.data.Dataset.from_tensor_slices(values)
                for split, values in splits.items()
            },
            data_dir=folder,
            disable_shuffling=True,
        )

    image = tfds.features.Image(shape=(None, None, 3))
    names = tfds.features.ClassLabel(names=["A", "B"])
    prepare(
        "cycles",
        "horse2zebra",
        {"image": image, "label": names},
        {
            split: {"image": numbered(n), "label": np.full(n, int(split[-1] == "B"))}
            for split, n in {"trainA": 7, "trainB": 4, "testA": 2, "testB": 3}.items()
        },
    )
    fixed = tfds.features.Image(shape=(4, 4, 3))
    pairs = {"B": numbered(5), "A": numbered(5)}
    prepare("pairs", "small", {"A": fixed, "B": fixed}, {"train": pairs})
    pairs["B"] = numbered(5, size=6)
    prepare("pairs", "unlike", {"A": image, "B": image}, {"train": pairs})
    return folder


@pytest.mark.full
def test_tfds_without_pairs(tfds_dir):
    options = {"data_dir": tfds_dir, "image_size": 4}
    name = "tfds:cycles/horse2zebra"
    dataset = data.load_unpaired(name, repeat=True, **options)
    a, b = orders(dataset, 14)
    assert sorted(a[:7]) == sorted(a[7:]) == list(range(7))
    assert sorted(b[:4]) == sorted(b[7:11]) == list(range(4))
    assert a[:7] != a[7:]
    resumed = data.load_unpaired(name, repeat=True, start=5, **options)
    assert orders(resumed, 9) == (a[5:], b[5:])
    assert len(data.load_unpaired(name, split="test", **options)) == 3
    part = data.load_unpaired(name, split="train[:3]", **options)
    assert len(part) == 3
    with pytest.raises(ValueError, match="valA"):
        data.load_unpaired(name, split="val", **options)
    with pytest.raises(ValueError, match=r"load_unpaired.*\['image', 'label'\]"):
        data.load_pairs(name, **options)


def test_tfds_pairs(tfds_dir):
    options = {"data_dir": tfds_dir, "repeat": True}
    a, b = orders(data.load_pairs("tfds:pairs/small", **options), 10)
    assert a == b and sorted(a[:5]) == list(range(5))
    resumed = data.load_pairs("tfds:pairs/small", start=3, **options)
    assert orders(resumed, 7) == (a[3:], b[3:])
    options["image_size"] = 4
    dataset = data.load_pairs("tfds:pairs/unlike", **options)
    with pytest.raises(tf.errors.InvalidArgumentError, match="have one size"):
        both(dataset)
