"""CycleGAN: the reference's losses, step and pool, and bad input."""

from checks import check_gan
import keras
from keras import ops
from networks import tiny_judge, tiny_translator
import numpy as np
import pytest
from small import small_cyclegan as small

import keras_gans as kg


@pytest.fixture
def domains(images):
    """A function that makes n images of each domain."""
    return lambda n: (images(n, 8, 8), images(n, 8, 8)[::-1] * 0.5)


def array(x):
    return np.array(ops.convert_to_numpy(x))


@pytest.mark.backends
@pytest.mark.parametrize(
    "executions", [False, pytest.param(True, marks=pytest.mark.full)]
)
def test_cyclegan(executions, domains):
    a, b = domains(8)
    check_gan(
        lambda: small(ema=0.9, identity_weight=0.0),
        a,
        b,
        batch_size=2,
        executions=executions,
    )


@pytest.mark.full
@pytest.mark.backends
def test_losses_are_the_references(domains):
    """By hand, from what the networks say in inference mode."""
    a, b = domains(4)
    gan = small(cycle_weight_a=7.0)
    gan.compile()
    logs = gan.evaluate(a, b, verbose=0, return_dict=True)

    def to_a(x):
        return array(gan.networks["generator_ba"](x))

    def to_b(x):
        return array(gan.networks["generator_ab"](x))

    def squares(judge, x, target):
        return np.mean((array(judge(x)) - target) ** 2)

    def l1(x, y):
        return np.abs(x - y).mean()

    d_a, d_b = gan.networks["discriminator_a"], gan.networks["discriminator_b"]
    wanted = {
        "d_a_loss": 0.5 * (squares(d_a, a, 1) + squares(d_a, to_a(b), 0)),
        "d_b_loss": 0.5 * (squares(d_b, b, 1) + squares(d_b, to_b(a), 0)),
        "g_ab_loss": squares(d_b, to_b(a), 1),
        "g_ba_loss": squares(d_a, to_a(b), 1),
        "cycle_a_loss": l1(to_a(to_b(a)), a),
        "cycle_b_loss": l1(to_b(to_a(b)), b),
        "identity_a_loss": l1(to_a(a), a),
        "identity_b_loss": l1(to_b(b), b),
    }
    wanted["d_loss"] = wanted["d_a_loss"] + wanted["d_b_loss"]
    wanted["g_loss"] = wanted["g_ab_loss"] + wanted["g_ba_loss"]
    assert set(wanted) == set(gan.loss_names)
    for name, value in wanted.items():
        assert logs[name] == pytest.approx(value, rel=1e-5), name
    for forward, back in (("ab", "ba"), ("ba", "ab")):
        there = gan.translate(a, forward, evaluation=True)
        network = (
            gan.networks["generator_ab"]
            if forward == "ab"
            else gan.networks["generator_ba"]
        )
        np.testing.assert_allclose(there, array(network(a)), atol=1e-6)
        assert np.abs(there - gan.translate(a, back)).max() > 0


def test_the_step_is_the_references(domains):
    """Two steps with a full pool, by a tape and a pool of Python lists."""
    import tensorflow as tf

    gan = small(pool_size=2, cycle_weight_a=7.0)
    gan.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.01))
    copy = kg.CycleGAN.from_config(gan.get_config())
    copy.set_weights(gan.get_weights())
    g_ab, g_ba = copy.networks["generator_ab"], copy.networks["generator_ba"]
    d_a, d_b = (copy.networks["discriminator_a"], copy.networks["discriminator_b"])
    kept = ([], [])

    def train(loss, networks, tape, rate):
        variables = [
            v.value for network in networks for v in network.trainable_variables
        ]
        gradients = tape.gradient(loss, variables)
        for v, gradient in zip(variables, gradients, strict=True):
            v.assign_sub(rate * gradient)

    def mse(judge, x, target):
        return tf.reduce_mean((judge(x, training=True) - target) ** 2)

    def l1(x, y):
        return tf.reduce_mean(tf.abs(x - y))

    data = domains(6)
    for step in range(3):
        a, b = (tf.constant(x[2 * step : 2 * step + 2]) for x in data)
        with tf.GradientTape() as tape:
            fake_a, fake_b = g_ba(b, training=True), g_ab(a, training=True)
            cycle_a = l1(g_ba(fake_b, training=True), a)
            cycle_b = l1(g_ab(fake_a, training=True), b)
            g_loss = mse(d_b, fake_b, 1) + mse(d_a, fake_a, 1)
            g_loss += 7.0 * cycle_a + 10.0 * cycle_b
            g_loss += 0.5 * 7.0 * l1(g_ba(a, training=True), a)
            g_loss += 0.5 * 10.0 * l1(g_ab(b, training=True), b)
        train(g_loss, (g_ab, g_ba), tape, 0.01)
        shown = []
        with gan.rng.at("train", step, 0):
            for i, fake in enumerate((fake_a, fake_b)):
                u = array(gan.rng.uniform(2, 2, f"pool/{'ab'[i]}"))
                shown.append(query(kept[i], 2, array(fake), u))
        with tf.GradientTape() as tape:
            d_loss = mse(d_a, a, 1) + mse(d_a, shown[0], 0)
            d_loss += mse(d_b, b, 1) + mse(d_b, shown[1], 0)
            d_loss *= 0.5
        train(d_loss, (d_a, d_b), tape, 0.1)
        logs = gan.train_on_batch(
            data[0][2 * step : 2 * step + 2],
            data[1][2 * step : 2 * step + 2],
            return_dict=True,
        )
    assert logs["cycle_a_loss"] > 0
    for name, network in gan.networks.items():
        theirs = copy.networks[name].weights
        for v, w in zip(network.weights, theirs, strict=True):
            # Rounding of sums in another order, on weights of about 1.
            np.testing.assert_allclose(v, w, atol=1e-5, err_msg=v.path)
    np.testing.assert_allclose(pools(gan)[0].images, kept[0], atol=1e-5)


# --- The pool ---


def pools(gan):
    return [gan.controllers[f"pool_{domain}"] for domain in "ab"]


def query(kept, size, images, u):
    """The reference's pool, image by image."""
    given = []
    for image, (chance, place) in zip(images, u, strict=True):
        if len(kept) < size:
            kept.append(image)
            given.append(image)
        elif chance < 0.5:
            place = min(int(place * size), size - 1)
            given.append(kept[place])
            kept[place] = image
        else:
            given.append(image)
    return np.array(given)


def test_the_pool_is_the_references():
    rng = np.random.default_rng(0)
    size, kept = 5, []
    pool = kg.core.pool.ImagePool(size, (2, 3, 1))
    for n in (1, 3, 4, 7, 1, 12):  # within a batch some places come twice
        images = rng.normal(size=(n, 2, 3, 1)).astype("float32")
        u = rng.uniform(size=(n, 2)).astype("float32")
        wanted = query(kept, size, images, u)
        np.testing.assert_array_equal(array(pool(images, u)), wanted)
        held = min(len(kept), size)
        np.testing.assert_array_equal(array(pool.images)[:held], kept)
    assert int(array(pool.filled)) == size


@pytest.mark.full
@pytest.mark.backends
def test_the_pool_is_resumed(domains):
    a, b = domains(8)
    gan = small(pool_size=3)
    gan.compile()
    gan.fit(a, b, batch_size=2, verbose=0)
    held = [array(pool.images) for pool in pools(gan)]
    assert all(np.abs(images).min(axis=0).max() > 0 for images in held)
    gan.save_weights("gan.weights.h5")
    other = small(pool_size=3)
    other.load_weights("gan.weights.h5")
    for images, pool in zip(held, pools(other), strict=True):
        np.testing.assert_array_equal(images, array(pool.images))
        assert int(array(pool.filled)) == 3


@pytest.mark.full
def test_without_a_pool(domains):
    a, b = domains(2)
    gan = small(pool_size=0)
    gan.compile()
    assert np.isfinite(gan.train_on_batch(a, b)).all()
    assert list(gan.controllers) == ["largest_batch"]


# --- Shapes and bad input ---


@pytest.mark.full
def test_domains_of_other_channels(images):
    with pytest.raises(ValueError, match="identity_weight=0"):
        small((1, 2))
    gan = small((1, 2), identity_weight=0.0)
    gan.compile()
    a, b = images(2, 8, 8), images(2, 8, 8, 2)
    logs = gan.train_on_batch(a, b, return_dict=True)
    assert "identity_a_loss" not in logs
    assert gan.translate(a).shape == b.shape
    assert gan.translate(b, "ba").shape == a.shape
    with pytest.raises(ValueError, match="another shape"):
        gan.translate(a, "ba")
    with pytest.raises(ValueError, match="another a"):
        gan.fit(b, a, verbose=0)


@pytest.mark.full
def test_any_size_is_translated():
    gan = kg.CycleGAN((24, 32, 1), blocks=0, width=1, n_layers=2, pool_size=1)
    assert gan.source_shape == gan.image_shape == (24, 32, 1)
    x = np.zeros((1, 11, 7, 1), "float32")
    assert gan.translate(x, "ba").shape == x.shape
    open_gan = {"image_shape": (None, None, 1), "blocks": 0, "width": 1}
    with pytest.raises(ValueError, match="or pool_size=0"):
        kg.CycleGAN(**open_gan)
    assert kg.CycleGAN(**open_gan, pool_size=0).image_shape[0] is None


@pytest.mark.full
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (lambda a, b: (a, None), r"pairs \(a, b\)"),
        (lambda a, b: (a, b[:, :4]), "another b"),
        (lambda a, b: (np.repeat(a, 3, -1), b), "another a"),
        (lambda a, b: (a, np.uint8(b > 0)), "In b: Images must be floats"),
    ],
)
def test_bad_batches_stop_before_training(data, message, domains):
    gan = small()
    gan.compile()
    with pytest.raises(ValueError, match=message):
        gan.fit(*data(*domains(2)), batch_size=2, verbose=0)
    a, b = domains(2)
    with pytest.raises(ValueError, match="one number of images"):
        gan.check_batch((a, b[:1]))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"d_steps": 2}, "does not take `d_steps`"),
        ({"r1": 1.0}, "does not take `r1`"),
        ({"pool_size": -1}, "`pool_size` must lie in"),
        ({"cycle_weight_a": "x"}, "`cycle_weight_a` must lie in"),
        ({"image_shape": (8, 9, 1)}, "`image_shape` does not fit"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        small(**kwargs)


def test_networks_that_do_not_lead_back():
    there, back = tiny_translator(1, 1), tiny_translator(2, 1)
    with pytest.raises(ValueError, match="leads back from B to A"):
        kg.CycleGAN(generator_ab=there, generator_ba=back, n_layers=1)
    with pytest.raises(ValueError, match="sees domain A"):
        small_a = tiny_judge(2)
        kg.CycleGAN(
            generator_ab=there,
            generator_ba=tiny_translator(1, 1),
            discriminator_a=small_a,
            discriminator_b=tiny_judge(1),
        )
    with pytest.raises(ValueError, match="under two names"):
        kg.CycleGAN(generator_ab=there, generator_ba=there, n_layers=1)


def test_directions(images):
    with pytest.raises(ValueError, match="directions ab, ba"):
        small().translate(images(1, 8, 8), "AtoB")


@pytest.mark.full
def test_the_references_parameter_counts():
    gan = kg.CycleGAN(pool_size=0)

    def count(network):
        return sum(int(np.prod(v.shape)) for v in network.trainable_variables)

    assert (
        count(gan.networks["generator_ab"])
        == count(gan.networks["generator_ba"])
        == 11_378_179
    )
    assert count(gan.networks["discriminator_a"]) == 2_764_737


@pytest.mark.full
def test_residual_generators_begin_with_the_image():
    """A zero output layer then gives the image as it is."""
    gan = kg.CycleGAN((8, 8, 3), width=2, blocks=0, n_layers=1, residual=True)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 9, 8, 3)).astype("float32")
    for weight in gan.networks["generator_ab"].weights:
        weight.assign(0 * weight)
    np.testing.assert_allclose(gan.translate(x), x, atol=1e-6)
    with pytest.raises(ValueError, match="from 1 to 3 channels"):
        kg.CycleGAN((8, 8, 3), 1, residual=True, identity_weight=0)
