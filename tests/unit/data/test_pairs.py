"""Data of two domains: the embedded set, orders, crops, arrays, runs."""

import types

from domains import BOTH, both, orders, unit
import numpy as np
from pictures import assert_same, noise, numbered, save, some
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans import data
from keras_gans.data.pair_sources import EMOJI
from keras_gans.modalities.image import jitter_margin
from keras_gans.training import datasets, recipes, runs, tasks
from keras_gans_cli import app

# -- the embedded set --------------------------------------------------------


@pytest.mark.full
def test_emoji_of_two_styles():
    options = {"shuffle": False, "source_channels": 1, "batch_size": 20}
    line, flat = (unit(data.emoji(style).images) for style in ("line", "flat"))
    test = data.load_unpaired("emoji:line-flat", split="test", **options)
    assert_same([both(test)], [(line[9::10][:20], flat[9::10][:20])])
    trained = data.load_pairs("emoji:line-flat", **options)
    rows = [i for i in range(23) if i % 10 != 9][:20]
    assert_same([both(trained)], [(line[rows], flat[rows])])
    assert (len(test), len(trained)) == (157 // 20, 1413 // 20)


# -- orders, crops and flips -------------------------------------------------


def test_direction_turns_pairs_round():
    source = (noise((6, 8, 8, 1)), noise((6, 8, 8, 3), seed=1))
    options = {"batch_size": 3, "jitter": 2, "flip": True}
    ab = data.load_pairs(source, source_channels=1, **options)
    ba = data.load_pairs(source, channels=1, direction="ba", **options)
    assert_same([both(ab)], [both(ba)[::-1]])


@pytest.mark.parametrize("resize", ["crop", "random_crop"])
def test_pairs_are_cropped_and_mirrored_alike(resize):
    pixels = noise((6, 12, 20, 1))
    source = (pixels, 255 - pixels.repeat(3, axis=-1))
    dataset = data.load_pairs(
        source,
        image_size=(10, 12),
        source_channels=None,
        batch_size=6,
        jitter=4,
        flip=True,
        resize=resize,
        shuffle=False,
    )
    epochs = [both(dataset) for _ in range(3)]
    for a, b in epochs:
        assert a.shape == (6, 10, 12, 1) and b.shape == (6, 10, 12, 3)
        # float32 rounding of a resize of values up to 1
        np.testing.assert_allclose(a + b, 0, atol=1e-6)
    assert np.abs(epochs[0][0] - epochs[1][0]).mean() > 0.1
    assert np.abs(epochs[1][0] - epochs[2][0]).mean() > 0.1


def test_unpaired_images_have_crops_and_flips_of_their_own():
    pixels = np.repeat(noise((1, 8, 8, 3)), 40, axis=0)
    options = {"batch_size": 40, "shuffle": False}
    a, b = both(data.load_unpaired((pixels, pixels), jitter=4, **options))
    assert len(np.unique(a, axis=0)) > 12  # of 25 places
    # one in 25 has the place of the other
    assert sum(np.array_equal(x, y) for x, y in zip(a, b, strict=True)) < 10
    a, b = both(data.load_unpaired((pixels, pixels), flip=True, **options))
    a, b = ((x == unit(pixels)).all((1, 2, 3)) for x in (a, b))
    assert 8 < a.sum() < 32 and 8 < b.sum() < 32  # 20, deviation 3.2
    assert 8 < (a == b).sum() < 32
    # Each pass of the smaller domain crops anew.
    _, b = both(data.load_unpaired((pixels, pixels[:10]), jitter=4, **options))
    assert len(np.unique(b, axis=0)) > 12


@pytest.mark.parametrize(
    ("jitter", "margin"), [(3, (3, 3)), (0.5, (4, 6)), (0, (0, 0)), (0.0, (0, 0))]
)
def test_jitter_is_pixels_or_a_ratio(jitter, margin):
    # Where a crop lies tells its first column of a ramp, likewise its row.
    y, x = np.mgrid[0:8, 0:12]
    ramp = np.stack([y * 20, x * 20], axis=-1).astype("uint8")
    pixels = np.repeat(ramp[None], 300, axis=0)
    options = {"batch_size": 300, "source_channels": None, "channels": None}
    a, _ = both(data.load_pairs((pixels, pixels), jitter=jitter, **options))
    assert a.shape == pixels.shape
    if not jitter:
        np.testing.assert_array_equal(a, unit(pixels))
    middle = np.round(a[:, 4, 6], 3)  # of a linear part of the ramp
    for axis in (0, 1):
        places = len(np.unique(middle[:, axis]))
        assert places == margin[axis] + 1


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("load", "drop_remainder"), [(data.load_pairs, True), (data.load_unpaired, False)]
)
def test_start_is_skip(load, drop_remainder):
    options = {
        "batch_size": 3,
        "image_size": (4, 5),
        "resize": "random_crop",
        "jitter": 0.3,
        "flip": True,
        "drop_remainder": drop_remainder,
        "seed": 3,
    }
    n = 11 if load is data.load_pairs else 4
    source = (noise((11, 8, 12, 3)), noise((n, 8, 12, 3), seed=1))
    whole = some(load(source, repeat=True, **options), 9)
    tf.random.set_seed(5)
    for start in (1, 6):
        resumed = load(source, start=start, repeat=True, **options)
        assert_same(some(resumed, 3), whole[start : start + 3])
    once = load(source, **options)
    epochs = [batch for _ in range(2) for batch in some(once, 9)]
    assert len(epochs) == 2 * len(once) == (6 if drop_remainder else 8)
    assert_same(epochs, whole[: len(epochs)])
    other = load(source, **{**options, "seed": 4})
    assert not np.array_equal(both(other)[0], whole[0][0])


@pytest.mark.parametrize("larger", [0, 1])
def test_unpaired_epochs_follow_the_larger_domain(larger):
    sets = [numbered(4), numbered(4)]
    sets[larger] = numbered(10)
    dataset = data.load_unpaired(tuple(sets), batch_size=5)
    assert len(dataset) == 2
    epochs = [orders(dataset, 2) for _ in range(3)]
    found = [[n for epoch in epochs for n in epoch[d]] for d in (0, 1)]
    passes = []
    for start in range(0, 30, 10):
        assert sorted(found[larger][start : start + 10]) == list(range(10))
        small = found[1 - larger][start : start + 10]
        passes += [small[:4], small[4:8]]
        assert len(set(small[8:])) == 2
    assert all(sorted(p) == list(range(4)) for p in passes)
    assert len(set(map(tuple, passes))) > 3  # of 24 orders
    again = data.load_unpaired(tuple(sets), batch_size=5)
    assert orders(again, 2) == epochs[0]


def test_orders_of_the_domains_differ_and_pairs_stay_pairs():
    source = (numbered(20), numbered(20))
    a, b = orders(data.load_unpaired(source, batch_size=5), 4)
    assert sorted(a) == sorted(b) and a != b
    a, b = orders(data.load_pairs(source, batch_size=5), 4)
    assert a == b != sorted(a)
    a, b = orders(data.load_unpaired(source, shuffle=False), 20)
    assert a == b == list(range(20))


# -- arrays ------------------------------------------------------------------


@pytest.mark.parametrize("load", BOTH)
def test_arrays_of_any_depth_and_channels(load):
    a, b = noise((2, 5, 9, 7)), noise((2, 5, 9, 2), dtype="uint16")
    options = {"batch_size": 2, "shuffle": False}
    made = both(load((a, b), source_channels=7, channels=None, **options))
    assert_same([made], [(unit(a), unit(b))])
    made = both(load((a[..., :4], unit(b)), channels=2, **options))
    assert made[0].shape == (2, 5, 9, 3)
    np.testing.assert_array_equal(made[1], unit(b))


def test_domains_of_different_sizes():
    source = (noise((2, 5, 9)), noise((3, 8, 8)))
    with pytest.raises(ValueError, match=r"differ in size.*image_size=\(5, 9\)"):
        data.load_unpaired(source)
    a, b = both(data.load_unpaired(source, image_size=(6, 4)))
    assert a.shape == b.shape == (1, 6, 4, 3)


# -- bad arguments -----------------------------------------------------------

IMAGES = numbered(4)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("emoji", {}, "emoji:3d-flat.*Received: 'emoji'"),
        ("emoji:lin-3d", {}, "Did you mean emoji:line-3d"),
        ("emoji:3d-3d", {}, "Received: 'emoji:3d-3d'"),
        ("emoji:line-3d", {"split": "val"}, r"'train', 'test'.*split='val'"),
        ("emoji:line-3d", {"data_dir": "x"}, "tfds:.*data_dir='x'"),
        ("tfds:", {}, "tfds:NAME"),
        (IMAGES, {}, "`tuple` of two numpy arrays.*type ndarray"),
        ((IMAGES,), {}, "a tuple of ndarray"),
        ((IMAGES, [1, 2]), {}, "a tuple of ndarray, list"),
        ((IMAGES, IMAGES), {"split": "test"}, "no splits.*split='test'"),
        ((IMAGES, IMAGES[:0]), {}, r"array of B of shape \(0, 4, 4, 3\)"),
        ((IMAGES, IMAGES.astype("float32")), {}, "array of B with values"),
        ((IMAGES, IMAGES), {"batch_size": 5}, "4 images.*batch_size=5"),
        ((IMAGES, IMAGES), {"start": 1, "batch_size": 2}, "multiple of the 2"),
        ((IMAGES, IMAGES), {"channels": 0}, "channels=0"),
        ((IMAGES, IMAGES), {"source_channels": 5}, "source_channels=5"),
        ((IMAGES, noise((4, 4, 4, 7))), {}, "7 channels.*channels=None"),
        ((IMAGES, IMAGES), {"jitter": -1}, "jitter=-1"),
        ((IMAGES, IMAGES), {"jitter": 30.0}, r"\[0, 1\].*jitter=30.0"),
        ((IMAGES, IMAGES), {"jitter": True}, "jitter=True"),
        ((IMAGES, IMAGES), {"jitter": "8"}, "jitter='8'"),
        ((IMAGES, IMAGES), {"split": 1}, "split=1"),
        ((IMAGES, IMAGES), {"resize": "fit"}, "resize='fit'"),
        ((IMAGES, IMAGES), {"image_size": 0}, "image_size=0"),
    ],
)
@pytest.mark.parametrize("load", BOTH)
def test_bad_arguments(load, source, options, message):
    with pytest.raises(ValueError, match=message):
        load(source, **options)


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ((IMAGES, IMAGES), {"direction": "ac"}, "direction='ac'"),
        ((IMAGES, IMAGES[:3]), {}, "4 in the array of A, 3 in the array of B"),
        ((IMAGES, numbered(4, 5)), {}, "'array of B' of 5 and 5"),
    ],
)
def test_arrays_that_do_not_match(source, options, message):
    with pytest.raises(ValueError, match=message):
        data.load_pairs(source, **options)


@pytest.mark.parametrize("load", BOTH)
def test_zero_to_one_images_warn(load):
    images = np.linspace(0, 1, 192, dtype="float32").reshape(1, 8, 8, 3)
    with pytest.warns(UserWarning, match=r"x\*2-1") as caught:
        load((images, images * 2 - 1))
    [warning] = [w for w in caught if w.category is UserWarning]
    assert warning.filename == __file__


# -- runs --------------------------------------------------------------------

TINY = {
    "pix2pix": {"image_shape": (16, 16, 3), "width": 2, "depth": 2},
    "cyclegan": {"image_shape": (16, 16, 3), "width": 2, "blocks": 1, "pool_size": 2},
}


@pytest.mark.full
@pytest.mark.parametrize("name", TINY)
def test_runs_of_translators(name):
    for folder in "AB":
        for i in range(5):
            save("set", f"{folder}/{i}.png", noise((20, 18, 3), seed=i))
    recipe = recipes.get(name)
    arguments = {**TINY[name], "n_layers": 1}
    config = runs.new_config(name, arguments, jitter=2, data="set", batch_size=1)
    gan = runs.build(config)
    dataset, steps = datasets.training(recipe, config, gan, None)
    assert steps == 5
    whole = some(dataset, 5)
    assert [x.shape for x in whole[0]] == [(1, 16, 16, 3)] * 2
    position = types.SimpleNamespace(step=3, steps_per_epoch=5)
    resumed, _ = datasets.training(recipe, config, gan, position)
    assert_same(some(resumed, 2), whole[3:])
    gan.check_batch(whole[0])
    # Grids show the same images, neither enlarged nor mirrored.
    shown = some(datasets.shown(recipe, config, gan), 5)
    assert_same(shown, some(tasks.load(recipe.task, gan, "set"), 5))

    position.steps_per_epoch = 6
    with pytest.raises(ValueError, match="data has changed"):
        datasets.training(recipe, config, gan, position)
    config["evaluate_every"] = 5
    with pytest.raises(ValueError, match="evaluate_every=5"):
        datasets.training(recipe, config, gan, None)
    gan.modality = kg.Image((None, None, 3))
    with pytest.raises(ValueError, match="--image_shape=64,64,3"):
        datasets.training(recipe, config, gan, None)


@pytest.mark.parametrize("name", TINY)
def test_recipes_enlarge_and_mirror_as_the_papers(name):
    config = runs.new_config(name)
    assert jitter_margin(config["jitter"], (256, 256)) == (30, 30)
    assert config["flip"] and config["data"] in EMOJI


def test_flags_of_the_data(capsys):
    words = ["keras-gans", "train", "pix2pix", "--jitter=4", "--no-flip"]
    args = app.parse([*words, "--direction=ba"])
    assert (args.jitter, args.flip, args.direction) == (4, False, "ba")
    assert app.parse(["keras-gans", "train", "cyclegan"]).flip is None
    for words in (["dcgan", "--jitter=4"], ["cyclegan", "--direction=ba"]):
        with pytest.raises(SystemExit):
            app.parse(["keras-gans", "train", *words])
        assert "unknown flag" in capsys.readouterr().err
