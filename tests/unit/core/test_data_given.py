"""Every way to give data: pixels of 8 bits, sentences, lists, weights."""

import inspect
import math
import pathlib

from checks import rewinding
import keras
from keras import layers
from networks import tiny_critic, tiny_generator
import numpy as np
import pytest
from small import small_cyclegan, small_gan, small_pix2pix
import tensorflow as tf

import keras_gans as kg

OPTIONS = {"batch_size": 4, "shuffle": False, "verbose": 0}
NOTE = r"of 8 bits are scaled from \[0, 255\] to \[-1, 1\]"
ROWS = np.random.default_rng(0).integers(0, 256, (8, 8, 8, 1), "uint8")


class Batches(keras.utils.PyDataset):
    """Batches of four rows of some arrays."""

    def __init__(self, *parts):
        super().__init__()
        self.parts = parts

    def __len__(self):
        return 2

    def __getitem__(self, i):
        rows = tuple(part[4 * i : 4 * i + 4] for part in self.parts)
        return rows if len(rows) > 1 else rows[0]


def as_dataset(*parts):
    parts = parts if len(parts) > 1 else parts[0]
    return tf.data.Dataset.from_tensor_slices(parts).batch(4)


def as_generator(*parts):
    batches = Batches(*parts)
    return (batches[i] for i in range(2))


def fitted(gan, *given, **kwargs):
    steps = 2 if inspect.isgenerator(given[0]) else None
    gan.fit(*given, shuffle=False, verbose=0, steps_per_epoch=steps, **kwargs)
    return gan.get_weights()


def started(make, **kwargs):
    keras.utils.set_random_seed(0)
    gan = make(**kwargs)
    gan.compile()
    return gan


def conditional():
    keras.utils.set_random_seed(0)
    return kg.ConditionalGAN(
        num_classes=3,
        generator=tiny_generator(),
        discriminator=tiny_critic(labelled=True),
    )


def assert_near(a, b):
    for x, y in zip(a, b, strict=True):
        np.testing.assert_allclose(x, y, atol=1e-6)


@pytest.mark.full
@pytest.mark.backends
@pytest.mark.filterwarnings(f"ignore:.*{NOTE}")
def test_pixels_of_8_bits_are_scaled():
    floats = (ROWS / 127.5 - 1).astype("float32")
    gan = started(small_gan)
    again = rewinding(gan)
    wanted = fitted(gan, floats, batch_size=4)
    for given in (ROWS, as_dataset(ROWS), Batches(ROWS), as_generator(ROWS)):
        options = {"batch_size": 4} if given is ROWS else {}
        assert_near(wanted, fitted(again(), given, **options))
    a, b = (gan.evaluate(rows, verbose=0, return_dict=True) for rows in (ROWS, floats))
    assert a == pytest.approx(b, rel=1e-5)
    a, b = (gan.test_on_batch(rows, return_dict=True) for rows in (ROWS, ROWS))
    ends = []
    for rows in (ROWS, floats):
        again().train_on_batch(rows[:4])
        ends.append(gan.get_weights())
    assert_near(*ends)


@pytest.mark.full
def test_the_scaling_is_said():
    with pytest.warns(UserWarning, match=f"^Images {NOTE}"):
        fitted(started(small_gan), ROWS, batch_size=4)
    with pytest.raises(ValueError, match="must be floats"):
        fitted(started(small_gan), ROWS.astype("int32"), batch_size=4)


@pytest.mark.full
@pytest.mark.filterwarnings(f"ignore:.*{NOTE}", "ignore:All images of the first")
def test_translators_scale_sources_and_targets():
    targets = np.concatenate([ROWS, 255 - ROWS], axis=-1)
    gan = started(small_pix2pix)
    again = rewinding(gan)
    wanted = fitted(gan, ROWS / 127.5 - 1, targets / 127.5 - 1, batch_size=4)
    gan._first_images = None
    assert_near(wanted, fitted(again(), ROWS, targets, batch_size=4))
    np.testing.assert_allclose(
        gan.translate(ROWS[:1]), gan.translate(ROWS[:1] / 127.5 - 1), atol=1e-5
    )
    seen = gan._first_images.parts[0]
    np.testing.assert_allclose(seen, ROWS[:4] / 127.5 - 1, atol=1e-6)


def encode(sentences):
    return np.array([[len(s), s.count("a"), 1.0] for s in sentences]) / 10


def text_to_image():
    z, text = keras.Input((6,)), keras.Input((3,))
    x = layers.Dense(16, "relu")(layers.Concatenate()([z, text]))
    x = layers.Reshape((8, 8, 1))(layers.Dense(64, "tanh")(x))
    inputs = (kg.Latent(6), kg.Text(3, encode))
    return kg.BaseGAN(keras.Model([z, text], x), tiny_critic(), inputs=inputs)


@pytest.mark.full
def test_sentences_on_every_way_in(images):
    x = images(8, 8, 8)
    words = np.array(["a", "banana", "b", "aha", "cat", "bab", "dog", "aa"])
    gan = started(text_to_image)
    again = rewinding(gan)
    wanted = fitted(gan, x, encode(words), batch_size=4)
    for given in (
        (x, words),
        (x, list(words)),
        (as_dataset(x, words),),
        (Batches(x, words),),
        (as_generator(x, words),),
    ):
        options = {"batch_size": 4} if len(given) > 1 else {}
        assert_near(wanted, fitted(again(), *given, **options))
    logs = gan.fit(x, words, validation_data=(x, words), **OPTIONS).history
    again = gan.fit(x, words, validation_data=as_dataset(x, words), **OPTIONS).history
    assert np.isfinite([logs["val_g_loss"], again["val_g_loss"]]).all()
    vectors = encode(words)
    a, b = (gan.evaluate(x, y, verbose=0, return_dict=True) for y in (words, vectors))
    assert a == b
    gan.train_on_batch(x, words)
    gan.test_on_batch(x, words)


@pytest.mark.backends
def test_strings_that_nothing_encodes(images):
    x, names = images(8, 8, 8), np.array(["cat", "dog"] * 4)
    gan = started(small_gan)
    for call in (gan.fit, gan.evaluate):
        with pytest.raises(ValueError, match=r"Received: strings as part 1\."):
            call(names, verbose=0)
    with pytest.raises(ValueError, match="Number the classes"):
        started(conditional).fit(x, names, **OPTIONS)


def test_a_list_of_labels(images):
    """Keras takes a list for several targets: there it is an IndexError."""
    histories = []
    for labels in (np.arange(8) % 3, (np.arange(8) % 3).tolist()):
        gan = conditional()
        gan.compile(run_eagerly=True)
        histories.append(gan.fit(images(8, 8, 8), labels, **OPTIONS).history)
    assert histories[0] == histories[1]


def test_a_list_of_images_is_to_be_stacked(images):
    gan = small_gan()
    gan.compile()
    for given in (list(images(8, 8, 8)), tuple(images(2, 8, 8))):
        with pytest.raises(ValueError, match=r"arrays of shape .*`np\.stack\(x\)`"):
            gan.fit(given, **OPTIONS)
    one = images(1, 8, 8)[0]
    for given in ((one, np.array([3])), [one, one[:4]]):  # which cannot be
        with pytest.raises(ValueError, match=r"^(?!.*np\.stack)"):
            gan.fit(given, **OPTIONS)


def test_a_path_is_no_data():
    gan = small_gan()
    gan.compile()
    for path in ("photos", pathlib.Path("photos")):
        with pytest.raises(ValueError, match=r"'photos'\. Load it by a loader"):
            gan.fit(path)


@pytest.mark.full
def test_several_arrays_of_samples_are_refused(images):
    x = images(8, 8, 8)
    gan = started(small_gan)
    for given in ([x, x], (x, x), as_dataset(x, x)):
        with pytest.raises(ValueError, match="a second part of shape"):
            gan.fit(given, verbose=0)
    gan = started(small_cyclegan)
    gan.fit([x, x], **OPTIONS)
    with pytest.raises(ValueError, match=r"(?s)8 and 6 rows.*load_unpaired"):
        gan.fit(x, x[:6], **OPTIONS)


@pytest.mark.backends
def test_weights_of_rows_everywhere(images):
    gan, x, ones = started(small_gan), images(4, 8, 8), np.ones(4)
    for call in (
        lambda: gan.evaluate(x, None, 4, 0, ones),
        lambda: gan.test_on_batch(x, None, ones),
        lambda: gan.train_on_batch(x, None, None, {0: 1.0}),
        lambda: gan.fit(x, validation_data=(x, None, ones), **OPTIONS),
    ):
        with pytest.raises(ValueError, match=r"does not take `(sample|class)_weight`"):
            call()


AXIS = r"`x\[\.\.\., None\]`"
ONE = r"by `x\[None\]`"


def test_images_without_their_axes(images):
    """The remedy is the modality's, wherever the images go."""
    x = images(40, 8, 8)
    given = [
        (x[..., 0], AXIS),
        (x[0], ONE),
        (x[0, ..., 0], r"`x\[None, \.\.\., None\]`"),
    ]
    gans = [(small_gan, False), (small_cyclegan, True)]
    for make, translates in gans:
        gan = make()
        gan.compile(run_eagerly=True)
        for bad, remedy in given:
            pair = (bad, bad) if translates else (bad,)
            with pytest.raises(ValueError, match=remedy):
                gan.fit(*pair, **OPTIONS)
            if translates:
                with pytest.raises(ValueError, match=remedy):
                    gan.translate(bad)
        with pytest.raises(ValueError, match=AXIS):
            gan.fit(as_dataset(*((x[..., 0],) * (1 + translates))), verbose=0)


def test_other_samples_without_their_axes():
    """What Keras would cut into rows, and types that hold other values."""
    z, gans = keras.Input((6,)), {}
    for name, modality in {
        "volume": kg.Volume(4),
        "video": kg.Video(2, (4, 4, 3)),
        "points": kg.Points(2),
        "tokens": kg.Tokens(5, 4),
    }.items():
        shape = modality.shape
        x = layers.Reshape(shape)(layers.Dense(math.prod(shape))(z))
        seen = keras.Input(shape)
        critic = keras.Model(seen, layers.Dense(1)(layers.Flatten()(seen)))
        gan = kg.BaseGAN(keras.Model(z, x), critic, modality=modality)
        gan.compile(run_eagerly=True)
        gans[name] = gan
    ids = np.arange(10).reshape(2, 5) % 4
    for name, bad, remedy in [
        ("volume", np.zeros((4, 4, 4, 1), "float32"), ONE),
        ("volume", np.zeros((8, 4, 4, 4), "float32"), AXIS),
        (
            "volume",
            np.full((8, 4, 4, 4, 1), 255.0, "f4"),
            r"above 1 by `x / x\.max\(\)`",
        ),
        ("video", np.zeros((8, 2, 3, 4, 4), "float32"), r"moveaxis\(x, 2, -1\)"),
        ("video", np.zeros((8, 3, 2, 4, 4), "float32"), r"moveaxis\(x, 1, -1\)"),
        ("points", np.zeros(8, "float32"), r"stack\(\[x, y\], axis=-1\)"),
        ("points", np.zeros(2, "float32"), ONE),
        ("tokens", ids.astype("float32"), r'astype\("int32"\)'),
        ("tokens", ids - 1, r"from -1 to 2\. Number them from 0\.$"),
        ("tokens", ids + 1, r"Number them from 0, or build.* 5 tokens\.$"),
        ("tokens", ids[0], ONE),
    ]:
        with pytest.raises(ValueError, match=remedy):
            gans[name].fit(bad, **OPTIONS)


def test_labels_as_whole_floats(images):
    gan = conditional()
    gan.compile(run_eagerly=True)
    for labels, remedy in (
        (np.arange(8.0) % 3, r'labels\.astype\("int32"\)'),
        (np.full(8, 0.5), "Number the classes"),
        (np.eye(4)[np.arange(8) % 4], r"shape \(4, 4\)\. .*num_classes=4, or number"),
    ):
        with pytest.raises(ValueError, match=remedy):
            gan.fit(images(8, 8, 8), labels, **OPTIONS)
