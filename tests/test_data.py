"""The data package: the embedded set, and `load` from any source."""

import io
import itertools
import os
import struct
import warnings
import zlib

import keras
import numpy as np
from PIL import Image
from PIL import ImageOps
import pytest
import tensorflow as tf

from keras_gans import data
from keras_gans.data.pipeline import epoch_order
from keras_gans.data.pipeline import seed_key
from keras_gans.data.pipeline import shuffled_range


def numbered(n=10, size=4, channels=3):
    """Image i is filled with the value i, so that a batch tells its order."""
    values = np.arange(n, dtype="uint8").reshape(-1, 1, 1, 1)
    return np.broadcast_to(values, (n, size, size, channels)).copy()


def order(batches):
    """The numbers of `numbered` images, flattened over batches."""
    means = np.concatenate([np.mean(b, axis=(1, 2, 3)) for b in batches])
    return np.rint((means + 1) * 127.5).astype(int).tolist()


def one_pass(dataset):
    return [batch.numpy() for batch in dataset]


def some(dataset, count):
    return [
        tuple(map(np.asarray, tf.nest.flatten(b)))
        for b in itertools.islice(dataset, count)
    ]


def assert_same(left, right):
    assert len(left) == len(right) > 0
    for a, b in zip(left, right, strict=True):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)


def noise(shape, seed=0, dtype="uint8"):
    top = np.iinfo(dtype).max
    values = np.random.default_rng(seed).integers(0, top + 1, shape)
    return values.astype(dtype)


def save(folder, name, pixels, mode=None, **options):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    image = Image.fromarray(pixels)
    image = image if mode is None else image.convert(mode)
    image.save(path, **options)
    return path


def read(folder, **options):
    """The only image of a folder, as a float32 array."""
    options = {"batch_size": 1, "image_size": 8, **options}
    (batch,) = one_pass(data.load(folder, **options))
    return batch[0]


# -- the embedded set --------------------------------------------------------


@pytest.mark.parametrize("style", ["3d", "flat", "line"])
def test_emoji(style):
    emoji = data.emoji(style)
    channels = 1 if style == "line" else 3
    assert emoji.images.shape == (1570, 64, 64, channels)
    assert emoji.images.dtype == np.uint8
    assert emoji.labels.dtype == np.int32
    assert len(emoji.names) == len(set(emoji.names)) == 1570
    assert len(emoji.tags) == 1570 and all(emoji.tags)
    counts = dict(
        zip(emoji.label_names, np.bincount(emoji.labels), strict=True)
    )
    assert counts["people & body"] == 324
    assert counts["flags"] == 8
    groups = [emoji.label_names[i] for i in emoji.labels]
    assert groups[emoji.names.index("hot dog")] == "food & drink"
    # pictures rarely touch the borders of their tiles, and fill the middle
    white = (emoji.images > 230).all(axis=-1)
    for border in (white[:, [0, -1]], white[:, :, [0, -1]]):
        assert border.mean() > 0.85
    assert white[:, 28:36, 28:36].mean() < 0.6


def test_emoji_styles_show_the_same_emoji():
    ink = {}
    sets = {style: data.emoji(style) for style in ("3d", "flat")}
    for style, emoji in sets.items():
        images = emoji.images[::4].mean(axis=-1, dtype="float32")
        images = images.reshape(len(images), -1)
        images = images - images.mean(axis=1, keepdims=True)
        norm = np.linalg.norm(images, axis=1, keepdims=True)
        ink[style] = images / np.maximum(norm, 1.0)
    same = np.sum(ink["3d"] * ink["flat"], axis=1)
    next_one = np.sum(ink["3d"] * np.roll(ink["flat"], 1, axis=0), axis=1)
    assert same.mean() > next_one.mean() + 0.2
    for emoji in sets.values():
        heart = emoji.names.index("red heart")
        red, green, blue = emoji.images[heart, 32, 32].astype(int)
        assert red > 200 and green < 120 and blue < 140


def test_emoji_rejects_unknown_style():
    with pytest.raises(ValueError, match=r"3d.*flat.*line.*style='round'"):
        data.emoji("round")


def test_load_emoji():
    images, labels = next(iter(data.load("emoji", labels=True)))
    assert images.shape == (64, 64, 64, 3) and images.dtype == tf.float32
    assert labels.shape == (64,) and labels.dtype == tf.int32
    dataset = data.load(
        "emoji:line", channels=None, shuffle=False, batch_size=8
    )
    expected = data.emoji("line").images[:8] / np.float32(127.5) - 1
    np.testing.assert_array_equal(next(iter(dataset)), expected)
    assert len(dataset) == 196


# -- orders and epochs -------------------------------------------------------


def test_one_pass_is_a_permutation_and_epochs_differ():
    dataset = data.load(numbered(10), batch_size=5)
    passes = [order(one_pass(dataset)) for _ in range(4)]
    assert len(dataset) == 2
    assert all(sorted(p) == list(range(10)) for p in passes)
    assert len(set(map(tuple, passes))) == 4
    again = data.load(numbered(10), batch_size=5)
    assert [order(one_pass(again)) for _ in range(4)] == passes
    other = data.load(numbered(10), batch_size=5, seed=1)
    assert order(one_pass(other)) != passes[0]


def test_repeat_chains_the_same_epochs():
    single = data.load(numbered(7), batch_size=3)
    endless = data.load(numbered(7), batch_size=3, repeat=True)
    passes = [one_pass(single) for _ in range(3)]
    assert_same(some(endless, 6), [(b,) for p in passes for b in p])
    assert endless.cardinality() == tf.data.INFINITE_CARDINALITY
    from_second = data.load(numbered(7), batch_size=3, start=2)
    np.testing.assert_array_equal(one_pass(from_second), passes[1])


@pytest.mark.parametrize("drop_remainder", [True, False])
def test_start_is_skip(drop_remainder):
    options = {
        "batch_size": 4,
        "labels": True,
        "flip": True,
        "image_size": (4, 5),
        "resize": "random_crop",
        "repeat": True,
        "drop_remainder": drop_remainder,
        "seed": 3,
    }
    source = (noise((11, 8, 12, 3)), np.arange(11))
    whole = some(data.load(source, **options), 10)
    for start in (1, 2, 7):
        resumed = data.load(source, start=start, **options)
        assert_same(some(resumed, 3), whole[start : start + 3])


def test_short_batches_end_epochs():
    dataset = data.load(
        numbered(7), batch_size=3, drop_remainder=False, repeat=True
    )
    batches = [b for (b,) in some(dataset, 6)]
    assert [len(b) for b in batches] == [3, 3, 1] * 2
    assert sorted(order(batches[:3])) == list(range(7))
    single = data.load(numbered(7), batch_size=3, drop_remainder=False)
    assert len(single) == 3
    assert [len(b) for b in one_pass(single)] == [3, 3, 1]


def test_batches_do_not_depend_on_tensorflow_global_seed():
    def draw():
        dataset = data.load(noise((9, 6, 6)), batch_size=9, flip=True)
        return one_pass(dataset)

    tf.random.set_seed(1)
    first = draw()
    tf.random.set_seed(2)
    np.testing.assert_array_equal(first, draw())


def test_without_shuffle_examples_come_in_order():
    dataset = data.load(numbered(6), batch_size=3, shuffle=False)
    assert order(one_pass(dataset)) == list(range(6))
    assert order(one_pass(dataset)) == list(range(6))


def test_order_is_as_good_as_a_true_shuffle():
    # Statistics of 12 orders of 20,000, each about a standard normal draw.
    size, key = 20_000, seed_key(0)
    firsts, neighbours = [], []
    for epoch in range(12):
        seed = epoch_order(key, tf.constant(epoch, "int64"))
        (indices,) = shuffled_range(size, seed, 0).batch(size)
        indices = indices.numpy()
        assert len(np.unique(indices)) == size
        firsts.append(indices[0])
        lag = np.corrcoef(indices[:-1], indices[1:])[0, 1]
        neighbours.append(abs(lag) * size**0.5)
    assert max(neighbours) < 4
    assert np.ptp(firsts) > size / 2


def test_labels_stay_with_their_images():
    labels = np.arange(10)[:, None] + 100
    dataset = data.load((numbered(10), labels), batch_size=5, labels=True)
    for images, numbers in dataset:
        assert order([images]) == (numbers.numpy() - 100).tolist()


def test_keras_fit_sees_a_new_order_each_epoch():
    seen = []

    class Model(keras.Model):
        def train_step(self, batch):
            seen.extend(order([batch.numpy()]))
            return {"loss": 0.0}

    model = Model()
    model.compile(run_eagerly=True)
    dataset = data.load(numbered(6), batch_size=2)
    # Keras warns that it does not shuffle a dataset, unless told not to
    model.fit(dataset, epochs=3, shuffle=False, verbose=0)
    epochs = [seen[i : i + 6] for i in range(0, len(seen), 6)]
    again = data.load(numbered(6), batch_size=2)
    assert epochs == [order(one_pass(again)) for _ in range(3)]
    assert len(set(map(tuple, epochs))) == 3


# -- arrays ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "black", "white"),
    [("uint8", 0, 255), ("uint16", 0, 65535), ("float64", -1.0, 1.0)],
)
def test_arrays_are_scaled(dtype, black, white):
    images = np.array([black, white], dtype).reshape(1, 1, 2)
    (batch,) = one_pass(data.load(images, batch_size=1, channels=None))
    assert batch.shape == (1, 1, 2, 1) and batch.dtype == np.float32
    np.testing.assert_array_equal(batch.ravel(), [-1, 1])


def test_zero_to_one_images_warn():
    images = np.linspace(0, 1, 64, dtype="float32").reshape(1, 8, 8)
    with pytest.warns(UserWarning, match=r"x\*2-1") as caught:
        data.load(images, batch_size=1)
    assert caught[0].filename == __file__


@pytest.mark.parametrize(
    ("given", "asked"),
    [(1, 3), (2, 1), (2, 2), (2, 4), (3, 1), (3, 4), (4, 2), (4, 3)],
)
def test_channels(given, asked):
    images = noise((1, 5, 4, given))
    (batch,) = one_pass(data.load(images, channels=asked, batch_size=1))
    x = images[0].astype("float64")
    if asked != given:
        alpha = x[..., -1:] / 255 if given in (2, 4) else np.ones((5, 4, 1))
        x = x[..., :-1] if given in (2, 4) else x
        if asked in (1, 3):
            x = alpha * x + (1 - alpha) * 255
        if asked > 2:
            x = x * np.ones(3)
        elif x.shape[-1] == 3:
            x = x @ [[0.299], [0.587], [0.114]]
        if asked in (2, 4):
            x = np.concatenate([x, alpha * 255], axis=-1)
    # float32 rounding of a few operations on values up to 1
    np.testing.assert_allclose(batch[0], x / 127.5 - 1, atol=1e-6)


def test_other_channels_are_kept_if_asked():
    images = noise((1, 5, 4, 7))
    with pytest.raises(ValueError, match="channels=None"):
        data.load(images, batch_size=1)
    (batch,) = one_pass(data.load(images, channels=None, batch_size=1))
    np.testing.assert_array_equal(batch, images / np.float32(127.5) - 1)


# -- sizes and flips ---------------------------------------------------------


def resized(pixels, size, **options):
    options = {"batch_size": 1, "channels": None, **options}
    (batch,) = one_pass(data.load(pixels[None], image_size=size, **options))
    return batch[0]


def halves(height, width):
    """Black left half, white right half, one channel."""
    image = np.zeros((height, width), "uint8")
    image[:, width // 2 :] = 255
    return image


def test_stretch_ignores_proportions():
    image = resized(halves(4, 16), 8, resize="stretch", interpolation="area")
    np.testing.assert_array_equal(image[..., 0], [[-1] * 4 + [1] * 4] * 8)


def test_crop_takes_the_centre():
    columns = np.arange(12, dtype="uint8") * 20
    image = np.broadcast_to(columns, (4, 12)).copy()
    cut = resized(image, 4)
    np.testing.assert_array_equal(
        cut[0, :, 0], columns[4:8] / np.float32(127.5) - 1
    )
    tall = resized(image.T.copy(), (2, 2), interpolation="area")
    means = np.array([columns[4:6].mean(), columns[6:8].mean()])
    np.testing.assert_allclose(tall[:, 0, 0], means / 127.5 - 1, atol=1e-6)


def test_pad_letterboxes_in_white():
    image = np.zeros((4, 8), "uint8")
    padded = resized(image, 8, resize="pad")[..., 0]
    np.testing.assert_array_equal(padded[[0, 1, 6, 7]], 1.0)
    np.testing.assert_array_equal(padded[2:6], -1.0)
    grown = resized(image.T.copy(), (16, 12), resize="pad")[..., 0]
    np.testing.assert_array_equal(grown[:, [0, 1, 10, 11]], 1.0)
    np.testing.assert_array_equal(grown[:, 2:10], -1.0)


def test_random_crop_moves_with_the_epoch():
    columns = np.arange(40, dtype="uint8") * 5
    image = np.broadcast_to(columns, (4, 40)).copy()
    dataset = data.load(
        np.stack([image, image]),
        image_size=4,
        resize="random_crop",
        batch_size=2,
        shuffle=False,
        channels=None,
    )
    lefts = []
    for _ in range(12):
        for crop in one_pass(dataset)[0][:, 0, :, 0]:
            values = np.rint((crop + 1) * 127.5).astype(int)
            assert np.all(np.diff(values) == 5)
            lefts.append(values[0] // 5)
    # 24 draws out of 37 places
    assert len(set(lefts)) > 10 and max(lefts) - min(lefts) > 18


@pytest.mark.parametrize(
    "interpolation", ["bilinear", "bicubic", "area", "lanczos3"]
)
def test_shrinking_is_antialiased_and_clipped(interpolation):
    # of 8 columns the middle 2 are white, which is what sparse samples see
    lines = np.tile(np.array([0, 0, 0, 255, 255, 0, 0, 0], "uint8"), (64, 8))
    inner = resized(lines, 8, interpolation=interpolation)[2:-2, 2:-2]
    np.testing.assert_allclose(inner, -0.5, atol=0.05)
    sharp = resized(halves(16, 16), 24, interpolation=interpolation)
    assert sharp.min() == -1 and sharp.max() == 1


@pytest.mark.parametrize("resize", ["crop", "random_crop", "pad", "stretch"])
def test_images_of_the_asked_size_stay_bit_for_bit(tmp_path, resize):
    pixels = noise((6, 8, 3))
    save(tmp_path, "a.png", pixels)
    image = read(
        tmp_path, image_size=(6, 8), resize=resize, interpolation="lanczos3"
    )
    np.testing.assert_array_equal(image, pixels / np.float32(127.5) - 1)


@pytest.mark.parametrize(
    ("resize", "shape"),
    [
        ("crop", (1, 3000)),
        ("random_crop", (3000, 1)),
        ("pad", (1, 3000)),
        ("pad", (3000, 1)),
        ("stretch", (1, 1)),
    ],
)
def test_extreme_proportions(resize, shape):
    image = resized(noise(shape), (8, 4), resize=resize)
    assert image.shape == (8, 4, 1)
    assert np.isfinite(image).all()


def test_flip_mirrors_half_of_the_images():
    images = np.broadcast_to(halves(1, 2), (200, 1, 2)).copy()
    dataset = data.load(images, batch_size=200, flip=True, shuffle=False)
    first, second = (one_pass(dataset)[0][:, 0, 0, 0] > 0 for _ in range(2))
    # 100 expected of 200, standard deviation 7
    assert 65 < first.sum() < 135
    assert 65 < np.sum(first != second) < 135
    unflipped = data.load(images, batch_size=200)
    assert (one_pass(unflipped)[0][:, 0, 0, 0] == -1).all()


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
    np.testing.assert_array_equal(
        found, np.stack(expected) / np.float32(127.5) - 1
    )


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
    (tmp_path / "0.png").write_bytes(b"broken")
    dataset = data.load(tmp_path, start=1, repeat=True, **plain)
    assert order([next(iter(dataset))]) == [2, 3]


def png_header(width, height, depth):
    head = struct.pack(">IIBBBBB", width, height, depth, 2, 0, 0, 0)
    chunk = b"IHDR" + head
    crc = struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + crc


def encoded(form, **options):
    file = io.BytesIO()
    Image.fromarray(noise((32, 32, 3))).save(file, form, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("garbage.png", b"this is no picture"),
        ("half.png", encoded("PNG")[:1500]),
        ("half.jpg", encoded("JPEG")[:700]),
        ("half.webp", encoded("WEBP")[:500]),
        ("half.bmp", encoded("BMP")[:1000]),
        (
            "deep.png",
            tf.io.encode_png(noise((9, 9, 3), 0, "uint16")).numpy()[:300],
        ),
        ("bomb.png", png_header(60_000, 60_000, 8)),
        ("other.png", encoded("GIF")),
    ],
)
def test_bad_images_are_named(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    dataset = data.load(tmp_path, image_size=8, batch_size=1)
    with pytest.raises(tf.errors.InvalidArgumentError, match=name) as caught:
        one_pass(dataset)
    assert "Remove it from the folder" in str(caught.value)


@pytest.mark.parametrize(("dtype", "side"), [("uint8", 12), ("uint16", 40)])
def test_images_above_the_pixel_limit_are_named(
    tmp_path, monkeypatch, dtype, side
):
    pixels = noise((side, side, 3), dtype=dtype)
    (tmp_path / "bomb.png").write_bytes(tf.io.encode_png(pixels).numpy())
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with (
        warnings.catch_warnings(),
        pytest.raises(
            tf.errors.InvalidArgumentError, match=r"(?s)bomb\.png.*pixels"
        ),
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
        ("tfds:fashion_mnits", {}, "Did you mean 'tfds:fashion_mnist'"),
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
        ("emojii", {}, r"Did you mean 'emoji'.*Received: 'emojii'"),
        ("emoji:flta", {}, r"Did you mean 'emoji:flat'"),
        ([1, 2], {}, r"numpy array.*Received: an object of type list"),
        (None, {}, r"numpy array.*NoneType"),
        (IMAGES[0, 0], {}, r"\[n, height, width\].*\(4, 3\)"),
        (IMAGES[:0], {}, r"\(0, 4, 4, 3\)"),
        (IMAGES.astype("int64"), {}, r"uint8.*int64"),
        (IMAGES.astype("float32"), {}, r"x/127.5-1.*\[0.0, 3.0\]"),
        (IMAGES * np.float32("nan"), {}, "NaN"),
        (IMAGES, {"labels": True}, r"\(array, labels\)"),
        ((IMAGES, np.arange(3)), {"labels": True}, r"4 images.*\(3,\)"),
        ((IMAGES, np.eye(4)), {"labels": True}, "argmax"),
        (IMAGES, {"batch_size": 5}, r"4 images.*drop_remainder.*size=5"),
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


def test_bad_folders(tmp_path):
    options = {"image_size": 8, "batch_size": 1}
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    with pytest.raises(ValueError, match=r"(?s)Did you mean '.*/pictures'"):
        data.load(tmp_path / "pictuers", **options)
    with pytest.raises(ValueError, match="no files at all"):
        data.load(pictures, **options)
    (pictures / "a.tiff").write_bytes(b"x")
    (pictures / "b.tiff").write_bytes(b"x")
    with pytest.raises(ValueError, match=r"\.png.*\.tiff x2"):
        data.load(str(pictures), **options)
    with pytest.raises(ValueError, match=r"the file '.*a\.tiff'"):
        data.load(pictures / "a.tiff", **options)
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
    with pytest.raises(ValueError, match=r"two\.png' is empty"):
        data.load(pictures, **options)
