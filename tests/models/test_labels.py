"""Class labels and codes: bad input, samples, exported models."""

from command_line import call
from grids import tiles
import keras
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.core import previews
from keras_gans.modalities import pictures
from keras_gans.networks.acgan import acgan_discriminator
from keras_gans.networks.conditional_dcgan import (
    CONDITIONINGS,
    conditional_discriminator,
    conditional_generator,
)
from keras_gans.networks.dcgan import dcgan_discriminator, dcgan_generator
from keras_gans.networks.resnet import resnet_critic, resnet_generator

SHAPE = (16, 16, 1)


def small(**kwargs):
    gan = kg.ConditionalGAN(SHAPE, 3, 4, width=2, **kwargs)
    gan.compile()
    return gan


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.arange(8), "labels from 0 to 3.*the GAN has 3"),
        (np.arange(8) - 1, "labels from -1 to 2"),
        (np.ones(8, "float32"), "Received: dtype float32"),
        (np.ones((8, 3), "int32"), "a single 1 in each row"),
    ],
)
def test_bad_labels_of_a_batch(images, labels, message):
    gan = small()
    data = images(8)
    with pytest.raises(ValueError, match=message):
        gan.fit(data, labels, batch_size=4, verbose=0, shuffle=False)


@pytest.mark.full
def test_a_bad_label_of_a_later_batch(images):
    gan = small()
    labels = np.array([0, 1, 2, 0, 1, 2, 0, 9])
    with pytest.raises(ValueError, match="labels from 0 to 9"):
        gan.fit(images(8), labels, batch_size=4, verbose=0, shuffle=False)
    assert all(np.isfinite(w).all() for w in gan.get_weights())


def test_images_without_labels(images):
    gan = small()
    batches = kg.data.load(images(8), image_size=16, channels=1, batch_size=4)
    with pytest.raises(ValueError, match="labels=True"):
        gan.fit(batches, verbose=0)
    with pytest.raises(
        ValueError, match=r"trains on \(images, label\). Received: 1 of 2"
    ):
        gan.evaluate(images(8), batch_size=4, verbose=0)


def test_points_without_labels_are_called_points():
    z, label = keras.Input((4,)), keras.Input((), dtype="int32")
    seen = [z, keras.layers.Embedding(3, 4)(label)]
    generator = keras.Model([z, label], keras.layers.Dense(2)(keras.ops.add(*seen)))
    x = keras.Input((2,))
    logits = keras.layers.Dense(1)(x)
    gan = kg.BaseGAN(
        generator,
        keras.Model(x, logits),
        inputs=(kg.Latent(4), kg.Label(3)),
        modality=kg.Points(2),
    )
    gan.compile()
    message = r"on \(points, label\). Received: 1 of 2 parts.*fit\(points, label\)"
    with pytest.raises(ValueError, match=message):
        gan.fit(np.zeros((4, 2), "float32"), verbose=0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda g: g.sample(4, labels=3), r"must lie in \[0, 3\)"),
        (lambda g: g.sample(4, labels=[0, 1]), r"have the shape \(4,\)"),
        (lambda g: g.sample(4, labels=[0.5] * 4), "dtype float64"),
        (lambda g: g.sample(0, labels=[]), "`n` must be"),
    ],
)
def test_bad_labels_of_a_sample(call, message):
    with pytest.raises(ValueError, match=message):
        call(small())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kg.ConditionalGAN(SHAPE), "How many classes"),
        (lambda: kg.ConditionalGAN(SHAPE, 1), "2 classes or more"),
        (
            lambda: kg.ConditionalGAN(SHAPE, 3, conditioning="onehot"),
            "Did you mean one_hot",
        ),
        (
            lambda: kg.ConditionalGAN(
                num_classes=3, generator=dcgan_generator(SHAPE, 4, 2)
            ),
            r"takes \[z, label\]",
        ),
        (
            lambda: kg.ConditionalGAN(
                SHAPE, 3, width=2, discriminator=dcgan_discriminator(SHAPE, 2)
            ),
            r"takes \[images, label\]",
        ),
        (
            lambda: kg.DCGAN(generator=conditional_generator(SHAPE, 3, 4, 2)),
            r"takes \[z\]",
        ),
        (
            lambda: kg.ACGAN(
                SHAPE, 3, width=2, discriminator=dcgan_discriminator(SHAPE, 2)
            ),
            "two outputs",
        ),
        (
            lambda: kg.ACGAN(
                SHAPE, 3, width=2, discriminator=acgan_discriminator(SHAPE, 4, 2)
            ),
            r"class logits of shape \(None, 3\)",
        ),
        (
            lambda: kg.InfoGAN(
                SHAPE, 3, width=2, discriminator=dcgan_discriminator(SHAPE, 2)
            ),
            "three outputs",
        ),
        (lambda: kg.InfoGAN(SHAPE, 1), "`num_categories` must lie in"),
        (lambda: kg.InfoGAN(SHAPE, 3, -1), "`num_codes` must lie in"),
        (lambda: kg.ACGAN(SHAPE, 3, class_weight=-1), "`class_weight` must"),
        (lambda: kg.InfoGAN(SHAPE, info_weight=-1), "`info_weight` must"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.full_on_jax
@pytest.mark.backends
@pytest.mark.parametrize("packing", [1, 2])
@pytest.mark.parametrize("conditioning", CONDITIONINGS)
def test_every_conditioning_sees_its_labels(conditioning, packing):
    generator = conditional_generator(SHAPE, 3, 4, 2, conditioning)
    critic = conditional_discriminator(SHAPE, 3, 4, conditioning, packing=packing)
    # At their start the gains of conditional norms are nearly alike.
    for w in [*generator.trainable_weights, *critic.trainable_weights]:
        values = np.random.default_rng(0).normal(size=w.shape)
        w.assign(values.astype("float32"))
    gan = kg.ConditionalGAN(
        num_classes=3, generator=generator, discriminator=critic, packing=packing
    )
    z = np.ones((2, 4), "float32")
    a, b = np.asarray(gan([z, np.array([0, 1], "int32")]))
    assert np.abs(a - b).max() > 1e-3
    x = np.ones((4, *SHAPE), "float32")

    def judged(labels):
        batch = gan.read_batch((x, np.array(labels)))
        logits = gan.discriminate(x, batch, False, "real")
        assert logits.shape == (4 // packing, 1)
        return np.asarray(logits)

    base = judged([0, 0, 0, 0])
    for row in range(4):  # each label counts, for its own pack
        labels = [0, 0, 0, 0]
        labels[row] = 2
        moved = np.abs(judged(labels) - base)[:, 0] > 1e-4
        assert moved.tolist() == [i == row // packing for i in range(4 // packing)]


@pytest.mark.full
def test_the_residual_networks_of_the_docs(images):
    gan = kg.ConditionalGAN(
        num_classes=3,
        generator=resnet_generator(SHAPE, 8, width=4, num_classes=3),
        discriminator=resnet_critic(
            SHAPE, 4, num_classes=3, spectral_norm=True, pooling="sum"
        ),
        objective="hinge",
    )
    gan.compile(run_eagerly=True)
    logs = gan.fit(images(8), np.arange(8) % 3, batch_size=4, verbose=0)
    assert np.isfinite(logs.history["d_loss"][0])


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_samples_follow_their_labels():
    gan = small()
    samples = gan.sample(5, seed=2)
    again = gan.sample(5, seed=2, labels=[0, 1, 2, 0, 1])
    np.testing.assert_array_equal(samples, again)
    only = gan.sample(5, seed=2, labels=2)
    np.testing.assert_array_equal(only[2], samples[2])
    assert np.abs(only[0] - samples[0]).max() > 0
    assert previews.class_columns(gan) == 6
    assert previews.class_columns(kg.ConditionalGAN(SHAPE, 2, 4, width=2)) == 8


@pytest.mark.backends
def test_seeds_have_a_sample_each():
    gan = small()
    seeds = [7, 0, 7, *range(100, 140)]
    batches = list(gan.seed_batches(seeds, labels=np.arange(43) % 3))
    assert [len(batch) for batch in batches] == [32, 11]
    made = np.concatenate(batches)
    for i in (0, 1, 2, 42):
        alone = gan.sample(1, seeds[i], labels=i % 3)[0]
        np.testing.assert_allclose(made[i], alone, atol=1e-6)
    first = next(gan.seed_batches([5, 6]))  # row 0 is of class 0
    np.testing.assert_allclose(first[1], gan.sample(1, 6)[0], atol=1e-6)
    for wrong, message in (([], "`n` must be"), ([1, -1], "`seed` must")):
        with pytest.raises(ValueError, match=message):
            gan.seed_batches(wrong)


def test_previews_name_classes():
    gan = small()
    assert previews.count(gan) == 60 and previews.count(gan, 8) == 64
    line = round(1.3 * pictures.FONT)
    names = ["cats", "dogs", "owls"]
    preview = gan.preview(class_names=names).picture
    found = tiles(preview, 60, 6, 16, 16, heads=1)
    expected = np.rint((gan.sample(60) + 1) * 127.5)
    np.testing.assert_array_equal(found, expected)
    assert (gan.preview().picture[:line] != preview[:line]).any()
    # All of one class: its name is in the caption.
    one = gan.preview(4, given={"labels": 2}, class_names=names).picture
    assert len(tiles(one, 4, 2, 16, 16)) == 4
    # Of several, in no order: below each.
    mixed = gan.preview(4, given={"labels": [0, 2, 1, 1]}, class_names=names)
    assert len(tiles(mixed.picture, 4, 2, 16, 16, feet=1)) == 4
    with pytest.raises(ValueError, match=r"each of the 3 classes.*2 names"):
        gan.preview(class_names=["cats", "dogs"])


def test_many_classes_are_named_below_their_samples():
    gan = kg.ConditionalGAN(SHAPE, 40, 4, width=2)
    assert previews.class_columns(gan) is None and previews.count(gan) == 64
    picture = gan.preview(class_names=[f"kind {i}" for i in range(40)]).picture
    assert len(tiles(picture, 64, 8, 16, 16, feet=1)) == 64


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_infogan_samples_by_codes():
    gan = kg.InfoGAN(SHAPE, 3, 2, 4, width=2)
    drawn = gan.sample(40, seed=1)
    np.testing.assert_array_equal(gan.sample(3, seed=1), drawn[:3])
    one = gan.sample(3, seed=1, labels=0, codes=[0.5, -1.0])
    codes = np.array([[0.5, -1.0]] * 3)
    np.testing.assert_array_equal(one, gan.sample(3, 1, labels=0, codes=codes))
    assert np.abs(one[0] - drawn[0]).max() > 0
    with pytest.raises(ValueError, match=r"values from -1\.0 to 2\.0"):
        gan.sample(3, codes=[2.0, -1.0])
    with pytest.raises(ValueError, match=r"has the shape \(3, 2\)"):
        gan.sample(3, codes=np.zeros((2, 2)))


def served(path):
    import tensorflow as tf

    return tf.saved_model.load(path)


@pytest.mark.full
def test_the_exported_model_takes_labels():
    import tensorflow as tf

    gan = small(ema=0.9)
    gan.export("served/1")
    model = served("served/1")
    seeds = 3 * 2**32 + np.arange(4)
    labels = np.array([2, 1, 0, 2], "int32")
    got = model.signatures["serving_default"](
        seed=tf.constant(seeds), label=tf.constant(labels)
    )["images"]
    np.testing.assert_allclose(got, gan.sample(4, seed=3, labels=labels), atol=1e-6)
    z = tf.zeros((1, 4))
    made = model.signatures["generate"](z=z, label=tf.constant([1]))
    assert made["images"].shape == (1, *SHAPE)
    for wrong in (-1, 3):
        with pytest.raises(tf.errors.InvalidArgumentError, match="label lies"):
            model.signatures["generate"](z=z, label=tf.constant([wrong]))


@pytest.mark.full
def test_the_exported_infogan_takes_codes():
    import tensorflow as tf

    gan = kg.InfoGAN(SHAPE, 3, 2, 4, width=2)
    gan.export("served/1")
    codes = np.array([[0.5, -0.5]] * 2, "float32")
    got = served("served/1").signatures["serving_default"](
        seed=tf.constant(3 * 2**32 + np.arange(2)),
        label=tf.constant([1, 1]),
        codes=tf.constant(codes),
    )["images"]
    expected = gan.sample(2, seed=3, labels=1, codes=codes)
    np.testing.assert_allclose(got, expected, atol=1e-6)


@pytest.mark.full
def test_a_run_of_classes():
    """Train and sample by the command, with the labels of the data."""
    flags = ["--image_shape=16,16,3", "--width=2", "--latent_dim=4"]
    flags += ["--steps_per_epoch=2", "--epochs=1", "--batch_size=8"]
    assert call("train", "acgan", *flags, "--run_dir=r") == 0
    out = "--out=a.png"
    assert call("sample", "r", "--n=9", "--labels=8", out) == 0
    food = kg.load("r").sample(1, labels="food & drink")
    assert food.shape == (1, 16, 16, 3)
    assert call("sample", "r", "--n=9", "--labels=9", "--out=b.png") == 1
