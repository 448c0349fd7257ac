"""The data package: the embedded set, orders, arrays and sizes."""

import keras
import numpy as np
from pictures import assert_same, noise, numbered, one_pass, order, read, save, some
import pytest
import tensorflow as tf

from keras_gans import data
from keras_gans.data.pipeline import epoch_order, seed_key, shuffled_range

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
    counts = dict(zip(emoji.label_names, np.bincount(emoji.labels), strict=True))
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
    dataset = data.load("emoji:line", channels=None, shuffle=False, batch_size=8)
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


@pytest.mark.daily(1)
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
    dataset = data.load(numbered(7), batch_size=3, drop_remainder=False, repeat=True)
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
    [warning] = [w for w in caught if w.category is UserWarning]
    assert warning.filename == __file__


@pytest.mark.parametrize(
    ("given", "asked"), [(1, 3), (2, 1), (2, 2), (2, 4), (3, 1), (3, 4), (4, 2), (4, 3)]
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
    np.testing.assert_array_equal(cut[0, :, 0], columns[4:8] / np.float32(127.5) - 1)
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


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "area", "lanczos3"])
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
    image = read(tmp_path, image_size=(6, 8), resize=resize, interpolation="lanczos3")
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
