"""Pix2Pix: the reference's losses and step, translation, bad input."""

from checks import check_gan
import keras
from keras import layers, ops
from networks import tiny_judge, tiny_translator
import numpy as np
import pytest
from small import small_pix2pix as small

import keras_gans as kg
from keras_gans.engine import kernels


@pytest.fixture
def pairs(images):
    """A function that makes n pairs (sources, targets)."""
    return lambda n: (images(n, 8, 8), images(n, 8, 8, 2))


def array(x):
    return np.array(ops.convert_to_numpy(x))


def softplus(x):
    return np.mean(np.log1p(np.exp(array(x))))


@pytest.mark.parametrize(
    "executions", [False, pytest.param(True, marks=pytest.mark.full)]
)
def test_pix2pix(executions, pairs):
    sources, targets = pairs(8)
    check_gan(
        lambda: small(ema=0.9), sources, targets, batch_size=2, executions=executions
    )


@pytest.mark.full
def test_the_mode_is_that_of_the_training(pairs, tmp_path):
    """Of batches above 1 moving statistics; it is saved with the model."""
    x, y = pairs(4)

    def mode(gan):
        made = gan.translate(x)
        found = {
            evaluation: np.array_equal(made, gan.translate(x, evaluation=evaluation))
            for evaluation in (False, True)
        }
        assert sum(found.values()) == 1
        return found[True]

    gan = small()
    assert not mode(gan)
    gan.compile(run_eagerly=True)
    gan.fit(x, y, batch_size=1, verbose=0)
    assert not mode(gan) and gan.trained_batch == 1
    # Batch norm sees the halves apart.
    gan.compile(accumulate=2, run_eagerly=True)
    gan.train_on_batch(x[:2], y[:2])
    assert not mode(gan) and "batches of 1" in gan.preview_legend
    gan.fit(x, y, batch_size=4, verbose=0)
    assert mode(gan) and gan.trained_batch == 2
    gan.save(tmp_path / "x.keras")
    again = keras.saving.load_model(tmp_path / "x.keras")
    assert mode(again) and "batches of 2" in again.mode()
    with pytest.raises(ValueError, match="`evaluation` must"):
        gan.translate(x, evaluation=1)


def test_weights_without_the_size_of_batches_are_read(pairs, tmp_path):
    """Of a version that did not know how a GAN was trained."""
    import h5py

    gan = small()
    gan.save_weights(tmp_path / "x.weights.h5")
    with h5py.File(tmp_path / "x.weights.h5", "r+") as file:
        places = []
        file.visit(places.append)
        (place,) = (p for p in places if p.endswith("largest_batch"))
        del file[place]
    gan.load_weights(tmp_path / "x.weights.h5")
    assert gan.trained_batch == 0


@pytest.mark.backends
def test_losses_are_the_references(pairs):
    """By hand, from what the networks say in inference mode."""
    sources, targets = pairs(4)
    gan = small()
    gan.compile()
    logs = gan.evaluate(sources, targets, verbose=0, return_dict=True)
    fake = gan.generator(sources, training=False)
    real = gan.discriminator(np.concatenate([sources, targets], -1))
    judged = gan.discriminator(np.concatenate([sources, array(fake)], -1))
    wanted = {
        "d_loss": 0.5 * (softplus(-array(real)) + softplus(judged)),
        "g_loss": softplus(-array(judged)),
        "l1_loss": np.abs(array(fake) - targets).mean(),
    }
    for name, value in wanted.items():
        assert logs[name] == pytest.approx(value, rel=1e-5), name
    squares = small(objective="least_squares")
    squares.generator.set_weights(gan.generator.get_weights())
    squares.discriminator.set_weights(gan.discriminator.get_weights())
    squares.compile()
    logs = squares.evaluate(sources, targets, verbose=0, return_dict=True)
    real, judged = array(real), array(judged)
    d_loss = 0.5 * (np.mean((real - 1) ** 2) + np.mean(judged**2))
    assert logs["d_loss"] == pytest.approx(d_loss, rel=1e-5)
    g_loss = np.mean((judged - 1) ** 2)
    assert logs["g_loss"] == pytest.approx(g_loss, rel=1e-5)


def test_the_step_is_the_references(pairs):
    import tensorflow as tf

    sources, targets = map(tf.constant, pairs(2))
    gan = small()
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.01))
    g, d = tiny_translator(1, 2, dropout=0.5), tiny_judge(3)
    g.set_weights(gan.generator.get_weights())
    d.set_weights(gan.discriminator.get_weights())
    kernels.accelerate(g)  # the same masks
    bce = keras.losses.BinaryCrossentropy(from_logits=True)

    def judged(images):
        logits = d(tf.concat([sources, images], -1), training=True)
        return bce(tf.ones_like(logits), logits), bce(tf.zeros_like(logits), logits)

    with tf.GradientTape(persistent=True) as tape:
        fake = g(sources, training=True)
        d_loss = judged(tf.stop_gradient(fake))[1] + judged(targets)[0]
        d_loss = 0.5 * d_loss
        variables = [v.value for v in d.trainable_variables]
        for v, gradient in zip(
            variables, tape.gradient(d_loss, variables), strict=True
        ):
            v.assign_sub(0.1 * gradient)
        # The generator meets the updated discriminator, on the same fakes.
        l1 = tf.reduce_mean(tf.abs(targets - fake))
        g_loss = judged(fake)[0] + 100.0 * l1
    variables = [v.value for v in g.trainable_variables]
    for v, gradient in zip(variables, tape.gradient(g_loss, variables), strict=True):
        v.assign_sub(0.01 * gradient)
    logs = gan.train_on_batch(sources, targets, return_dict=True)
    assert logs["d_loss"] == pytest.approx(float(d_loss), rel=1e-5)
    assert logs["l1_loss"] == pytest.approx(float(l1), rel=1e-5)
    for ours, theirs in ((gan.generator, g), (gan.discriminator, d)):
        for a, b in zip(ours.weights, theirs.weights, strict=True):
            # Rounding of sums in another order, on weights of about 1.
            np.testing.assert_allclose(a, b, atol=5e-6, err_msg=a.path)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_translate_is_the_references_test_mode(pairs):
    sources, targets = pairs(4)
    gan = small(dropout=0.0, ema=0.5)
    gan.compile()
    gan.fit(sources, targets, batch_size=2, verbose=0)
    # Each image by its own statistics, with the averaged weights.
    network = tiny_translator(1, 2)
    network.set_weights(gan.ema_generator.get_weights())
    alone = [array(network(x[None], training=True))[0] for x in sources]
    made = gan.translate(sources, evaluation=False)
    np.testing.assert_allclose(made, alone, atol=1e-5)
    inferred = gan.translate(sources, evaluation=True)
    expected = array(gan.ema_generator(sources, training=False))
    np.testing.assert_allclose(inferred, expected, atol=1e-5)
    assert np.abs(made - inferred).max() > 1e-3


@keras.saving.register_keras_serializable("test")
class TwoDropouts(keras.layers.Layer):
    """What is left of the input by each of two layers."""

    def __init__(self, seed, **kwargs):
        super().__init__(**kwargs)
        self.first = layers.Dropout(0.5, seed=seed)
        self.second = layers.Dropout(0.5, seed=seed)

    def call(self, x, training=False):
        a = self.first(x, training=training)
        return ops.concatenate([a, self.second(x, training=training)], -1)


@pytest.mark.backends
@pytest.mark.parametrize("seed", [0, None])
def test_dropout_is_drawn_by_seed_and_row(seed):
    images = keras.Input((None, None, 1))
    generator = keras.Model(images, TwoDropouts(seed)(images))
    gan = small(generator=generator, image_shape=(8, 8, 2), discriminator=tiny_judge(3))
    x = np.full((3, 8, 8, 1), 0.25, "float32")
    made = gan.translate(x, seed=5)
    assert set(np.unique(made)) == {0.0, 0.5}
    assert (made[0] != made[1]).any()
    assert (made[..., 0] != made[..., 1]).any()
    np.testing.assert_array_equal(made[:1], gan.translate(x[:1], seed=5))
    assert (made != gan.translate(x, seed=6)).any()
    assert (gan.translate(x, evaluation=True) == 0.25).all()


@pytest.mark.full
def test_any_size_is_translated():
    gan = kg.Pix2Pix((64, 48, 2), source_channels=1, width=2, n_layers=2)
    assert gan.source_shape == (64, 48, 1) and gan.image_shape == (64, 48, 2)
    for shape in ((64, 48), (50, 71), (1, 3)):
        x = np.random.default_rng(0).uniform(-1, 1, (1, *shape, 1))
        assert gan.translate(x).shape == (1, *shape, 2)
    rates = [float(o.learning_rate) for o in gan.default_optimizers()]
    assert rates == pytest.approx([2e-4, 2e-4])


@pytest.mark.full
def test_batches_of_any_size_are_trained_on(images):
    gan = kg.Pix2Pix((None, None, 1), depth=6, width=1, n_layers=1)
    gan.compile(run_eagerly=True)
    for shape in ((24, 20), (16, 30)):
        x = images(1, *shape)
        assert np.isfinite(gan.train_on_batch(x, x)).all()


def test_dropout_of_unknown_sizes_is_the_same():
    import tensorflow as tf

    spec = tf.TensorSpec([None, None, None, 2])

    def masks(signature):
        dropout = layers.Dropout(0.5, seed=3)
        kernels.accelerate(dropout)
        fn = tf.function(lambda x: dropout(x, training=True), input_signature=signature)
        return array(fn(tf.ones((3, 5, 4, 2))))

    np.testing.assert_array_equal(masks([spec]), masks(None))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda x, y: (x, None), r"pairs \(source, target\).*one batch"),
        (lambda x, y: (x, y[:, :4]), "another target"),
        (lambda x, y: (y, y), "another source.*Expected: .batch, 8, 8, 1"),
        (lambda x, y: (x, x), "another target"),
        (lambda x, y: (np.uint8(x > 0), y), "In source: Images must be floats"),
        (lambda x, y: (x, 2 * y), r"In target: .* \[-1, 1\]"),
    ],
)
def test_bad_pairs_stop_before_training(data, message, pairs):
    gan = small()
    gan.compile()
    with pytest.raises(ValueError, match=message):
        gan.fit(*data(*pairs(2)), batch_size=2, verbose=0)


def test_sizes_that_differ_within_a_pair(images):
    gan = kg.Pix2Pix((None, None, 1), depth=6, width=1, n_layers=1)
    gan.compile()
    with pytest.raises(ValueError, match=r"one size.*source.*Resize"):
        gan.fit(images(2, 24, 24), images(2, 16, 24), verbose=0)
    for wrong in ({"a": images(1)}, images(2)):
        with pytest.raises(ValueError, match="trains on pairs"):
            gan.check_batch(wrong)
    good = images(1, 24, 24)
    with pytest.raises(ValueError, match=r"\(any, any, 1\)"):
        gan.translate(images(1, 24, 24, 3))
    with pytest.raises(ValueError, match=r"by `x\[None\]`"):
        gan.translate(good[0])
    with pytest.raises(ValueError, match="must be floats"):
        gan.translate(np.uint8(good > 0))
    with pytest.raises(ValueError, match=r"not from a seed.*translate"):
        gan.sample(2)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"packing": 2}, "does not take `packing`"),
        ({"diff_augment": "color"}, "does not take `diff_augment`"),
        ({"l1_weight": -1}, "`l1_weight` must lie in"),
        ({"image_shape": (8, 8, 3)}, "`image_shape` does not fit"),
        ({"source_channels": 3}, "`source_channels` does not fit"),
        ({"generator": lambda x: x}, "must be a keras.Model"),
        ({"image_shape": (9, 9)}, "three positive ints"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        small(**kwargs)


def test_the_discriminator_judges_both():
    with pytest.raises(ValueError, match="sees source and image"):
        small(discriminator=tiny_judge(2))


@pytest.mark.full
def test_the_references_parameter_counts():
    gan = kg.Pix2Pix()

    def count(network):
        return sum(int(np.prod(v.shape)) for v in network.trainable_variables)

    assert count(gan.generator) == 54_413_955
    assert count(gan.discriminator) == 2_768_705
