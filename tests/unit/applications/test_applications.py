"""Colourisation and inpainting: pairs, training, what is left alone."""

import dataclasses
import functools
import json

import keras
from keras import ops
from networks import tiny_judge, tiny_translator
import numpy as np
import pytest

import keras_gans as kg
from keras_gans import applications
from keras_gans.applications import Colorization, Inpainting, lab


def array(x):
    return np.array(ops.convert_to_numpy(x))


class Stub:
    """A GAN for `apply` that makes `made` everywhere and notes its sources."""

    name = "stub"

    def __init__(self, source_channels, made):
        self.made = np.array(made, "float32")
        self.source_shape = (None, None, source_channels)
        self.image_shape = (None, None, len(made))

    def translate(self, images, *, evaluation, seed):
        self.sources, self.options = images, (evaluation, seed)
        shape = (*images.shape[:3], len(self.made))
        return np.broadcast_to(self.made, shape).copy()


# --- Pairs ---


def first(dataset, n):
    batches = []
    for batch in dataset.take(n):
        batches.append([np.asarray(x) for x in batch])
    return batches


@functools.cache
def emoji():
    return kg.data.emoji().images[:40]


def load(**kwargs):
    return kg.data.load(emoji(), image_size=(12, 16), batch_size=4, **kwargs)


@pytest.mark.full
def test_pairs_of_inpainting():
    inpainting = Inpainting(share=(0.2, 0.3))
    dataset = load(repeat=True)
    straight = first(inpainting.pairs(dataset, seed=5), 4)
    for step, images in enumerate(dataset.take(4)):
        source, target = straight[step]
        np.testing.assert_array_equal(target, images)
        masks = inpainting.masks(4, 12, 16, seed=5, step=step)
        np.testing.assert_array_equal(source[..., 3:], 2.0 * masks - 1)
        np.testing.assert_array_equal(source[..., :3], np.where(masks, 0, images))
        alone = inpainting.pair(images, masks)
        np.testing.assert_array_equal(alone[0], source)
        np.testing.assert_array_equal(alone[1], images)
    resumed = inpainting.pairs(load(repeat=True, start=2), seed=5, start=2)
    for a, b in zip(straight[2:], first(resumed, 2), strict=True):
        np.testing.assert_array_equal(a[0], b[0])
    other = inpainting.masks(4, 12, 16, seed=6)
    assert (2 * other - 1 != straight[0][0][..., 3:]).any()


@pytest.mark.full
def test_a_data_set_that_ends_has_the_same_holes_each_pass():
    import tensorflow as tf

    images = np.zeros((5, 8, 8, 1), "float32")
    dataset = tf.data.Dataset.from_tensor_slices(images).batch(2)
    pairs = Inpainting().pairs(dataset)
    one, two = first(pairs, 3), first(pairs, 3)
    assert [len(target) for _, target in one] == [2, 2, 1]
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a[0], b[0])
    passed = first(Inpainting().pairs(dataset, start=6), 1)
    np.testing.assert_array_equal(passed[0][0], one[0][0])
    with pytest.raises(ValueError, match=r"ends starts at a pass of its 3"):
        Inpainting().pairs(dataset, start=4)
    # Sizes that are known only when a batch is there.
    ragged = tf.data.Dataset.from_generator(
        lambda: (np.zeros((1, side, 9, 2), "float32") for side in (4, 7)),
        output_signature=tf.TensorSpec((None, None, None, 2)),
    )
    shapes = [s.shape for s, _ in first(Inpainting().pairs(ragged), 2)]
    assert shapes == [(1, 4, 9, 3), (1, 7, 9, 3)]


@pytest.mark.full
def test_pairs_of_colorization():
    dataset = load(shuffle=False)
    ((lightness, ab),) = first(Colorization().pairs(dataset), 1)
    images = next(iter(dataset))
    assert lightness.shape == (4, 12, 16, 1) and ab.shape == (4, 12, 16, 2)
    np.testing.assert_allclose(lab.join(lightness, ab), images, atol=3e-5)
    for a, b in zip(Colorization().pair(images), (lightness, ab), strict=True):
        # In a graph or not: rounding, divided by 110.
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_bad_data_sets():
    import tensorflow as tf

    def of(shape, dtype="float32"):
        return tf.data.Dataset.from_tensors(np.zeros(shape, dtype))

    for dataset, message in (
        (np.zeros((4, 8, 8, 3)), "tf.data.Dataset.*Received: ndarray"),
        (of((2, 8, 8, 3)).map(lambda x: (x, 1)), "more than images.*labels"),
        (of((8, 8, 3)), "must yield float batches"),
        (of((4, 8, 8, 3), "uint8"), "must yield float batches.*uint8"),
    ):
        for application in (Colorization(), Inpainting()):
            with pytest.raises(ValueError, match=message):
                application.pairs(dataset)
    with pytest.raises(ValueError, match=r"channels \(3\).*8, 8, 1"):
        Colorization().pairs(of((4, 8, 8, 1)))


# --- Training ---


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    "application", [Colorization(), Inpainting()], ids=["colour", "hole"]
)
def test_a_few_steps(application):
    gan = application.gan((12, 16, 3), depth=2, width=2, n_layers=1)
    gan.compile()
    before = [array(v) for v in gan.trainable_variables]
    pairs = application.pairs(load(repeat=True))
    history = gan.fit(pairs, steps_per_epoch=3, verbose=0).history
    assert all(np.isfinite(v).all() for v in history.values())
    moved = [
        np.abs(a - array(b)).max()
        for a, b in zip(before, gan.trainable_variables, strict=True)
    ]
    assert min(moved) > 0
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    source, target = first(pairs, 1)[0]
    made = gan.translate(source)
    assert made.shape == target.shape
    np.testing.assert_array_equal(made, loaded.translate(source))


def test_a_generator_of_ones_own():
    gan = Inpainting().gan(
        (8, 8, 1), generator=tiny_translator(2), discriminator=tiny_judge(3)
    )
    assert gan.source_shape == (8, 8, 2)
    with pytest.raises(ValueError, match=r"\(height, width, 3\).*8, 8, 1"):
        Colorization().gan((8, 8, 1))


# --- Photos ---


def test_colours_are_joined_with_the_sources_lightness():
    rng = np.random.default_rng(0)
    photo = rng.uniform(-0.6, 0.2, (2, 30, 44, 3)).astype("float32")
    gan = Stub(1, (0.05, -0.1))
    for size, seen in (
        (None, (30, 44)),
        (15, (15, 22)),
        ((8, 9), (8, 9)),
        (60, (60, 88)),
    ):
        made = Colorization().apply(gan, photo, size=size, evaluation=True, seed=4)
        assert made.shape == photo.shape and made.dtype == np.float32
        assert gan.sources.shape == (2, *seen, 1)
        assert gan.options == (True, 4)
        before, after = (array(lab.rgb_to_lab(x)) for x in (photo, made))
        # Noise keeps each pixel's L: nothing was scaled but the colours.
        np.testing.assert_allclose(after[..., 0], before[..., 0], atol=0.01)
        ab = np.broadcast_to([5.5, -11], after[..., 1:].shape)
        np.testing.assert_allclose(after[..., 1:], ab, atol=0.01)
    grey = photo[..., :1]
    np.testing.assert_array_equal(
        Colorization().apply(gan, grey),
        Colorization().apply(gan, np.repeat(grey, 3, -1)),
    )


def test_colorization_of_a_photo_by_a_network():
    gan = Colorization().gan((8, 8, 3), depth=2, width=2, n_layers=1)
    white = np.ones((1, 21, 34, 1))  # that L is in [0, 1] is no mistake
    made = Colorization().apply(gan, np.r_[white, -white], size=8)
    assert made.shape == (2, 21, 34, 3)
    np.testing.assert_allclose(made[0], 1, atol=1e-4)
    # An eighth of a step of 8 bits: rounding, where the curve is steep.
    np.testing.assert_allclose(made[1], -1, atol=1e-3)


@pytest.mark.backends
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5])
def test_only_the_hole_is_replaced(channels):
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (2, 13, 18, channels))
    masks = rng.random((2, 13, 18, 1)) < 0.3
    gan = Stub(channels + 1, [0.5] * channels)
    made = Inpainting().apply(gan, images, masks.astype(int))
    assert made.dtype == images.dtype
    np.testing.assert_array_equal(made, np.where(masks, 0.5, images))
    sources = gan.sources
    np.testing.assert_array_equal(sources[..., -1:], 2.0 * masks - 1)
    # What stands in the hole is never seen.
    Inpainting().apply(gan, np.where(masks, np.nan, images), masks)
    np.testing.assert_array_equal(gan.sources, sources)


def test_inpainting_by_a_network():
    gan = Inpainting().gan((8, 8, 3), depth=2, width=2, n_layers=1)
    images = np.random.default_rng(0).uniform(-1, 1, (1, 21, 34, 3))
    masks = Inpainting("rectangle").masks(1, 21, 34)
    made = Inpainting().apply(gan, images, masks)
    hole = np.broadcast_to(masks, images.shape)
    np.testing.assert_array_equal(made[~hole], images[~hole])
    assert (made[hole] != images[hole]).all()


@pytest.mark.parametrize(
    ("images", "masks", "message"),
    [
        ((2, 8, 8, 3), np.zeros((2, 8, 8)), r"masks\[\.\.\., None\]"),
        ((8, 8, 3), np.zeros((8, 8, 1)), "Masks have the shape"),
        ((1, 8, 8, 3), np.zeros((1, 8, 8, 1)), "no hole in 1 of 1"),
        ((1, 8, 8, 3), np.ones((1, 8, 8, 1)), "nothing but a hole"),
        ((1, 8, 8, 3), np.full((1, 8, 8, 1), 0.5), "values from 0.5"),
        ((1, 8, 8, 1), np.eye(8)[None, ..., None], "must have 3 channels"),
    ],
)
def test_bad_masks_of_images(images, masks, message):
    with pytest.raises(ValueError, match=message):
        Inpainting().apply(Stub(4, [0, 0, 0]), np.zeros(images), masks)


def test_bad_photos():
    grey = np.zeros((1, 8, 8, 1))
    gan = Stub(1, (0, 0))
    for images, message in (
        (grey[0], r"by `x\[None\]`"),
        (grey[..., 0], r"`x\[\.\.\., None\]`"),
        (np.zeros((1, 8, 8, 4)), "must have 1 or 3 channels"),
        (grey + 2, r"lie in \[-1, 1\]"),
        (grey * np.nan, "NaN"),
    ):
        with pytest.raises(ValueError, match=message):
            Colorization().apply(gan, images)
    for size in (0, (8,), (8, 0), 1.5):
        with pytest.raises(ValueError, match="size"):
            Colorization().apply(gan, grey, size=size)
    with pytest.raises(ValueError, match=r"from 3 to 2 channels.*source_channels=1"):
        Colorization().apply(Stub(3, (0, 0)), grey)
    with pytest.raises(ValueError, match=r"from 1 to 2 channels.*source_channels=3"):
        Inpainting().apply(gan, grey, grey)


# --- Names ---


@pytest.mark.parametrize("name", applications.APPLICATIONS)
def test_an_application_is_its_name_and_arguments(name):
    made = applications.get(name)
    arguments = json.loads(json.dumps(dataclasses.asdict(made)))
    assert applications.get(name, **arguments) == made
    with pytest.raises(ValueError, match=r"takes .*Received: colour"):
        applications.get(name, colour=True)


def test_unknown_names():
    with pytest.raises(ValueError, match="Did you mean inpainting"):
        applications.get("inpaint")
    with pytest.raises(ValueError, match="Unknown kind"):
        applications.get("inpainting", kind="lines")


def test_holes_are_filled_at_the_size_of_training():
    """Scaled down, no pixel of a hole is mixed in; the rest stays bit for bit."""
    inpainting = Inpainting()

    class Seeing:
        name, source_shape, image_shape = "seeing", (8, 8, 4), (8, 8, 3)

        def translate(self, sources, **options):
            self.sources = sources
            return np.full((*sources.shape[:3], 3), 0.5, "float32")

    gan = Seeing()
    images = np.full((1, 32, 48, 3), -0.25)
    masks = np.zeros((1, 32, 48, 1), bool)
    masks[:, 9:22, 11:30] = True
    filled = inpainting.apply(gan, np.where(masks, np.nan, images), masks, size=8)
    assert gan.sources.shape == (1, 8, 12, 4)
    seen, hole = gan.sources[..., :3], gan.sources[..., 3:] > 0
    np.testing.assert_allclose(seen[~hole[..., 0]], -0.25, atol=1e-6)
    assert 0.1 < hole.mean() < 0.25
    assert (filled[~masks[..., 0]] == -0.25).all()
    np.testing.assert_allclose(filled[:, 14:18, 18:24], 0.5, atol=1e-6)
    masks[:] = False
    masks[:, 3, 3] = True  # less than a pixel of what is seen
    inpainting.apply(gan, images, masks, size=8)
    assert (gan.sources[..., 3] > 0).any()
