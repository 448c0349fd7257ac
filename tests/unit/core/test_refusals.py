"""What passes silently elsewhere: a GAN refuses it, or warns."""

from checks import assert_same, weights
import keras
from keras import layers, ops
from networks import tiny_critic, tiny_generator
import numpy as np
import pytest
from small import small_gan

import keras_gans as kg

OPTIONS = {"batch_size": 4, "shuffle": False, "verbose": 0}
LABELS = np.arange(8) % 3


def compiled(**kwargs):
    gan = small_gan(**kwargs)
    gan.compile()
    return gan


def conditional(**options):
    keras.utils.set_random_seed(1)
    gan = kg.ConditionalGAN(
        num_classes=3,
        generator=tiny_generator(),
        discriminator=tiny_critic(labelled=True),
    )
    gan.compile(**options)
    return gan


@pytest.mark.backends
def test_a_network_frozen_after_compile(images):
    gan = compiled()
    gan.discriminator.layers[-1].trainable = False
    message = r"(?s)changed since `compile`.*discriminator with \d+ trained"
    with pytest.raises(ValueError, match=message):
        gan.fit(images(8, 8, 8), **OPTIONS)
    with pytest.raises(ValueError, match=message):
        gan.train_on_batch(images(4, 8, 8))
    gan.compile()
    gan.fit(images(8, 8, 8), **OPTIONS)


@pytest.mark.parametrize("side", ["generator", "discriminator"])
def test_a_side_frozen_before_compile(images, side):
    """Optimizers say what to do; nothing is trained before."""
    gan = small_gan()
    gan.networks[side].trainable = False
    gan.compile(run_eagerly=True)
    before = weights(gan)
    message = rf"`{side[0]}_optimizer` trains.*Received: {side} without.*rate of 0"
    with pytest.raises(ValueError, match=message):
        gan.fit(images(8, 8, 8), **OPTIONS)
    assert_same(before, weights(gan))
    gan.networks[side].trainable = True
    kept = gan.networks[side].get_weights()
    sgd = {f"{side[0]}_optimizer": keras.optimizers.Adam(0.0)}
    gan.compile(**sgd, run_eagerly=True)
    gan.fit(images(8, 8, 8), **OPTIONS)
    assert_same(kept, gan.networks[side].get_weights())


class Freezes(keras.callbacks.Callback):
    """Freezes the discriminator's last layer where an epoch begins."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch, self.done = epoch, []

    def on_epoch_begin(self, epoch, logs=None):
        layer = self.model.discriminator.layers[-1]
        layer.trainable = epoch != self.epoch

    def on_epoch_end(self, epoch, logs=None):
        self.done.append(epoch)


@pytest.mark.backends
@pytest.mark.parametrize("epoch", [pytest.param(0, marks=pytest.mark.full_on_jax), 1])
def test_a_layer_frozen_by_a_callback(images, epoch):
    gan, freezes = small_gan(), Freezes(epoch)
    gan.compile(run_eagerly=keras.backend.backend() == "tensorflow")
    message = r"(?s)changed since `compile`.*discriminator with \d+ trained"
    with pytest.raises(ValueError, match=message):
        gan.fit(images(4, 8, 8), **OPTIONS, epochs=3, callbacks=[freezes])
    assert freezes.done == list(range(epoch))
    assert np.isfinite(gan.sample(1)).all()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (
            lambda: kg.DCGAN(image_shap=(16, 16, 1), width=2),
            r"DCGAN\(\).*'image_shap'.*image_shape",
        ),
        # An argument of a class in between.
        (
            lambda: kg.WGANGP((16, 16, 1), g_width=2, gp_weigth=1.0),
            r"WGANGP\(\).*gp_weight\?",
        ),
        (lambda: kg.DCGAN((16, 16, 1), 4, width=2, xyz=1), r"DCGAN\(\).*'xyz'\.$"),
    ],
)
def test_unknown_arguments_name_the_class_and_the_nearest(make, told):
    with pytest.raises(TypeError, match=told):
        make()


@pytest.mark.parametrize("name", ["sample_weight", "class_weight"])
def test_weights_of_rows(images, name):
    gan, x = compiled(), images(4, 8, 8)
    value = np.ones(4) if name == "sample_weight" else {0: 1.0}
    message = f"does not take `{name}`"
    with pytest.raises(ValueError, match=message):
        gan.fit(x, **OPTIONS, **{name: value})
    with pytest.raises(ValueError, match=message):
        gan.train_on_batch(x, **{name: value})
    with pytest.raises(ValueError, match=message):
        gan.evaluate(x, verbose=0, **{name: value})


@pytest.mark.backends
def test_weights_in_a_data_set(images):
    batch = (images(4, 8, 8), LABELS[:4], np.ones(4))
    with pytest.raises(ValueError, match="does not take `sample_weight`"):
        compiled().fit((b for b in [batch]), verbose=0)


def end(units=1, activation="sigmoid"):
    return layers.Dense(units, activation=activation, name="end")


def on(*steps):
    """Layers and functions one after another, as a function of images."""

    def ended(x):
        for step in steps:
            x = step(x)
        return x

    return ended


class Twice(layers.Wrapper):
    """A wrapper as users write them."""

    def call(self, x):
        return self.layer(2.0 * x)


FLAT, LINES = layers.Flatten, lambda: layers.Reshape((8, 8))
SCORE = lambda *a, **k: on(FLAT(), end(*a, **k))  # noqa: E731
MAP = lambda: layers.Conv2D(1, 3, activation="sigmoid", name="end")  # noqa: E731
BOTH = [layers.Dropout(0.5), layers.Flatten()]
ENDS = {
    "dropout": on(SCORE(), layers.Dropout(0.5)),
    "pooled": on(MAP(), layers.GlobalAveragePooling2D()),
    "selected": on(SCORE(3), lambda x: x[:, 0]),
    "mixed": on(SCORE(), layers.Activation("linear", dtype="float32")),
    "cast": on(SCORE(), lambda x: ops.cast(x, "float32")),
    "each": on(LINES(), layers.TimeDistributed(end()), layers.Permute((2, 1))),
    "own_wrapper": on(FLAT(), lambda x: Twice(end())(x)),
    "logarithm": SCORE(1, "log_sigmoid"),
    "first": on(FLAT(), lambda x: [end()(x), layers.Dense(5)(x)]),
    "activation": on(
        FLAT(), layers.Dense(1), layers.Activation("hard_sigmoid", name="end")
    ),
    "softmax": on(FLAT(), layers.Dense(2), layers.Softmax(name="end")),
    "nested": on(FLAT(), keras.Sequential([end(1, "softmax")])),
    "passed": on(SCORE(), keras.Sequential(BOTH)),
    # of the same kinds
    "dense": SCORE(),
    "flat": on(SCORE(), FLAT()),
    "sparse": SCORE(1, "sparse_sigmoid"),
    "logarithms": SCORE(2, "log_softmax"),
    "layer": SCORE(2, layers.Softmax()),
    "window": on(MAP(), layers.MaxPooling2D(2), FLAT()),
    "mean": on(MAP(), lambda x: ops.mean(x, axis=(1, 2))),
    "each_model": on(
        LINES(), layers.TimeDistributed(keras.Sequential([end(), layers.Dropout(0.5)]))
    ),
    "passed_each": on(
        LINES(), end(), layers.TimeDistributed(keras.Sequential([layers.Flatten()]))
    ),
    "spectral": on(FLAT(), layers.SpectralNormalization(end())),
    "joined": on(
        lambda x: [SCORE()(x), layers.Dense(1, "softmax")(FLAT()(x))],
        layers.Concatenate(),
    ),
}


def network(ended):
    x = keras.Input((8, 8, 1))
    return keras.Model(x, ended(x))


@pytest.mark.daily(13)
@pytest.mark.parametrize("name", ENDS)
def test_probabilities_for_logits(name):
    with pytest.raises(ValueError, match="whose layer 'end' ends in a"):
        kg.GAN((8, 8, 1), 4, discriminator=network(ENDS[name]))


def test_probabilities_of_operations_and_rows():
    ended = on(FLAT(), layers.Dense(1), ops.log_sigmoid)
    with pytest.raises(ValueError, match=r"layer 'log_sigmoid.*' ends in a"):
        kg.GAN((8, 8, 1), 4, discriminator=network(ended))
    rows = keras.Sequential([keras.Input((8, 8, 1)), FLAT(), end(), BOTH[0]])
    with pytest.raises(ValueError, match="layer 'end' ends in a sigmoid"):
        kg.GAN((8, 8, 1), 4, discriminator=rows)


class Scored(layers.Layer):
    """A layer whose activation is in its own `call`."""

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.inner, self.function = layers.Dense(1), activation

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x):
        return self.function(self.inner(x))


class Judging(keras.Model):
    """A model whose activation is in its own `call`."""

    def __init__(self, activation):
        super().__init__()
        self.flat, self.score = layers.Flatten(), layers.Dense(1)
        self.function = activation

    def build(self, shape):
        self.score.build((None, 64))

    def call(self, x):
        return self.function(self.score(self.flat(x)))


OWN = {
    "model": lambda f: Judging(f),
    "in a graph": lambda f: network(on(Judging(f))),
    "layer": lambda f: network(on(FLAT(), Scored(f))),
    "lambda": lambda f: network(on(FLAT(), layers.Dense(1), layers.Lambda(f))),
}


@pytest.mark.backends
@pytest.mark.parametrize("kind", OWN)
def test_probabilities_of_a_call(kind):
    with pytest.raises(ValueError, match="ends in a sigmoid"):
        kg.GAN((8, 8, 1), 4, discriminator=OWN[kind](ops.sigmoid))
    twice = lambda x: 2 * ops.sigmoid(x)  # noqa: E731
    kg.GAN((8, 8, 1), 4, discriminator=OWN[kind](twice))


class Classifying(Judging):
    """A model of two outputs, the second of classes."""

    def build(self, shape):
        super().build(shape)
        self.classes = layers.Dense(3)
        self.classes.build((None, 64))

    def call(self, x):
        x = self.flat(x)
        return self.score(x), self.function(self.classes(x))


def test_classes_of_a_call():
    with pytest.raises(ValueError, match=r"output 1, of classes.*a softmax"):
        kg.ACGAN(
            num_classes=3,
            generator=tiny_generator(),
            discriminator=Classifying(ops.softmax),
        )


@pytest.mark.parametrize("kind", OWN)
def test_calls_of_tensorflow_pass(kind):
    import tensorflow as tf

    kg.GAN((8, 8, 1), 4, discriminator=OWN[kind](tf.tanh))


@pytest.mark.parametrize(
    "ended",
    [
        lambda x: layers.Multiply()([SCORE()(x), on(FLAT(), layers.Dense(1))(x)]),
        on(SCORE(), layers.Dense(1), layers.Dropout(0.5)),
        on(LINES(), layers.TimeDistributed(layers.Dense(1)), FLAT()),
        lambda x: layers.Concatenate()([SCORE()(x), on(FLAT(), layers.Dense(1))(x)]),
        lambda x: [on(FLAT(), layers.Dense(1))(x), SCORE()(x)],
        on(MAP(), lambda x: ops.sum(x, axis=(1, 2))),
    ],
)
def test_other_ends_pass(ended):
    kg.GAN((8, 8, 1), 4, discriminator=network(ended))


def heads(*activations):
    def ended(x):
        x = FLAT()(x)
        sizes = zip((1, 3, 2), activations, strict=False)
        return [layers.Dense(n, a, name=f"head_{n}")(x) for n, a in sizes]

    return network(ended)


@pytest.mark.parametrize(
    ("activations", "message"),
    [
        (("sigmoid", None, None), "applies the sigmoid itself.*'head_1' ends in a sig"),
        ((None, "softmax", None), "applies the softmax itself.*'head_3' ends in a sof"),
        ((None, None, "tanh"), None),
    ],
)
def test_each_head_that_is_logits(activations, message):
    def build():
        kg.ACGAN(
            num_classes=3,
            generator=tiny_generator(),
            discriminator=heads(*activations[:2]),
        )

    def build_codes():
        kg.InfoGAN(
            num_categories=3,
            num_codes=2,
            generator=tiny_generator(codes=2),
            discriminator=heads(*activations),
        )

    for make in (build, build_codes):
        if message is None:  # Q's mean of codes may end as it likes
            make()
            continue
        with pytest.raises(ValueError, match=message):
            make()


@pytest.mark.full
def test_one_hot_labels_are_ints(images):
    made = []
    for labels in (LABELS, np.eye(3, dtype="float32")[LABELS]):
        gan = conditional()
        gan.fit(images(8, 8, 8), labels, **OPTIONS)
        made.append(weights(gan))
    assert_same(*made)
    ints, one_hot = (
        gan.sample(3, labels=labels) for labels in ([0, 2, 1], np.eye(3)[[0, 2, 1]])
    )
    np.testing.assert_array_equal(ints, one_hot)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_fewer_classes_than_the_gan_has(images):
    with pytest.warns(UserWarning, match="held 2 of 3 classes.*: 2. Build") as caught:
        conditional().fit(images(8, 8, 8), LABELS % 2, **OPTIONS)
    [warning] = [one for one in caught if one.category is UserWarning]
    assert warning.filename == __file__


def test_fewer_classes_where_data_never_ends(images):
    """After 100 rows a class, once, and not of what is evaluated.

    Another warning would be an error.
    """
    gan = conditional(run_eagerly=True)
    data = (images(150, 8, 8), np.arange(150) % 2)
    gan.evaluate(*data, batch_size=150, verbose=0)
    gan.test_on_batch(*data)
    gan.train_on_batch(*data)
    message = "In the first 300 rows the data held 2 of 3 classes.*: 2. Shuffle"
    with pytest.warns(UserWarning, match=message):
        gan.train_on_batch(*data)
    gan.train_on_batch(*data)
    gan.fit(*data, batch_size=150, verbose=0)


def test_labels_that_nothing_learns(images):
    """They are left out, which is told of arrays and data sets."""
    import tensorflow as tf

    def fresh():
        keras.utils.set_random_seed(1)
        gan = small_gan()
        gan.compile(run_eagerly=True)
        return gan

    x = images(8, 8, 8)
    data = tf.data.Dataset.from_tensor_slices((x, LABELS)).batch(4)
    message = r"GAN trains on \(images\)\. Received: 2 parts"
    histories = [fresh().fit(x, **OPTIONS).history]
    for given in ((x, LABELS), (data,)):
        with pytest.warns(UserWarning, match=message) as caught:
            histories.append(fresh().fit(*given, **OPTIONS).history)
        assert [one.filename for one in caught] == [__file__]
    assert histories[0] == histories[1] == histories[2]


@pytest.mark.full
def test_fewer_classes_in_a_repeated_data_set(images):
    import tensorflow as tf

    data = tf.data.Dataset.from_tensor_slices((images(8, 8, 8), LABELS % 2))
    data = data.repeat().batch(150)
    with pytest.warns(UserWarning, match="In the first 300 rows") as found:
        conditional().fit(data, steps_per_epoch=2, epochs=2, verbose=0)
    assert sum("classes" in str(w.message) for w in found) == 1


def test_a_discriminator_through_a_subclass(images):
    """Given as a function through `**kwargs`, it is saved as the network."""
    gan = PassesOn(discriminator=lambda shape: tiny_critic(), latent_dim=6)
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    assert_same(gan.get_weights(), loaded.get_weights())


@keras.saving.register_keras_serializable("tests")
class PassesOn(kg.GAN):
    """A subclass as a user writes one."""

    def __init__(self, **kwargs):
        super().__init__((8, 8, 1), **kwargs)
