"""`check_gan`: puts any GAN through what every GAN must do."""

import keras
from keras import ops
import numpy as np

from keras_gans.translating import Translating

OTHERS = {"d_real", "d_fake", "d_grad_norm", "g_grad_norm"}


def weights(gan):
    """Copies of all that training changes: networks and both optimizers."""
    variables = [*gan.variables, *gan.optimizer.variables]
    return [np.array(ops.convert_to_numpy(v)) for v in variables]


def assert_same(a, b):
    """Bitwise equality of two lists of arrays."""
    for i, (x, y) in enumerate(zip(a, b, strict=True)):
        np.testing.assert_array_equal(x, y, err_msg=f"array {i}")


def check_gan(make, data, labels=None, batch_size=4, still=None):
    """Checks a GAN on either backend.

    Args:
        make: function that returns a new GAN, not compiled; called after the
            seed is set, so that each has the same weights.
        data: array of images in [-1, 1], at least 4 batches of them.
        labels: int array, where the GAN needs them; of a GAN that translates,
            the other images.
        batch_size: int.
        still: str, the end of the path of a variable that no loss can move.
    """

    def start(**kwargs):
        keras.utils.set_random_seed(1)
        gan = make()
        gan.compile(**kwargs)
        return gan

    options = {"batch_size": batch_size, "shuffle": False, "verbose": 0}
    _check_training(start, data, labels, still, options)
    options["y"] = labels
    gan = start()
    if isinstance(gan, Translating):
        _check_translating(gan, data)
    else:
        _check_sampling(gan)
    trained = _check_saving(start, data, options)
    several = start(steps_per_execution=2)
    several.fit(data, **options)
    assert_same(trained, weights(several))


def _check_training(start, data, labels, still, options):
    gan = start()
    before = weights(gan)
    if labels is None:  # a data set may have some, for other uses
        labels = np.arange(len(data))
    history = gan.fit(
        data,
        labels,
        validation_data=(data, labels),
        epochs=2,
        **options,
    ).history
    names = {*gan.loss_names, *gan.penalty_names, *OTHERS}
    assert set(history) >= names | {f"val_{n}" for n in gan.loss_names}
    for name, values in history.items():
        assert len(values) == 2 and np.isfinite(values).all(), name
    steps = 2 * (len(data) // (options["batch_size"] * gan.d_steps))
    assert int(ops.convert_to_numpy(gan.step)) == steps
    for network in (gan.generator, gan.discriminator):
        own = {
            id(v)
            for v in network.trainable_variables
            if still is None or not v.path.endswith(still)
        }
        index = [i for i, v in enumerate(gan.variables) if id(v) in own]
        after = weights(gan)
        moved = [np.abs(before[i] - after[i]).max() for i in index]
        assert min(moved) > 0, f"a variable of {network.name} stands still"
    trained = weights(gan)
    batch = options["batch_size"]
    logs = gan.evaluate(data, labels, batch, verbose=0, return_dict=True)
    assert set(logs) >= set(gan.loss_names)
    again = gan.evaluate(data, labels, batch, verbose=0, return_dict=True)
    assert logs == again
    assert_same(trained[: len(gan.weights)], weights(gan)[: len(gan.weights)])


def _check_sampling(gan):
    samples = gan.sample(8, seed=3)
    assert samples.shape == (8, *gan.image_shape)
    assert samples.dtype == np.float32
    assert np.abs(samples).max() <= 1
    np.testing.assert_array_equal(samples[:4], gan.sample(4, seed=3))
    np.testing.assert_array_equal(gan.sample(40, seed=3)[:8], samples)
    assert np.abs(samples - gan.sample(8, seed=4)).max() > 0
    assert np.abs(samples[0] - samples[1]).max() > 0
    z = np.random.default_rng(0).normal(size=(3, gan.latent_dim))
    conditions = [np.ones((3, *c.shape), c.dtype) for c in gan.conditions]
    inputs = [z.astype("float32"), *conditions]
    inputs = inputs if conditions else inputs[0]
    called = ops.convert_to_numpy(gan(inputs))
    # One matrix product of 3 rows or of a padded batch: rounding apart.
    made = gan.predict(inputs, verbose=0)
    np.testing.assert_allclose(made, called, atol=1e-5)
    if gan.conditions:
        _check_labels(gan)


def _check_labels(gan):
    ones = gan.sample(4, seed=3, labels=1)
    assert np.abs(ones - gan.sample(4, seed=3, labels=0)).max() > 0
    mixed = gan.sample(4, seed=3, labels=[0, 1, 1, 0])
    np.testing.assert_array_equal(mixed[1:3], ones[1:3])


def _check_translating(gan, data):
    before = weights(gan)
    made = gan.translate(data[:3], seed=3)
    assert made.shape == (3, *gan.image_shape)
    assert made.dtype == np.float32
    assert np.abs(made).max() <= 1
    np.testing.assert_array_equal(made[:2], gan.translate(data[:2], seed=3))
    assert np.abs(made[0] - made[1]).max() > 0
    assert_same(before, weights(gan))
    inferred = gan.translate(data[:3], evaluation=True)
    # Convolutions of one image or of three: rounding apart.
    called = ops.convert_to_numpy(gan(data[:3]))
    np.testing.assert_allclose(called, inferred, atol=1e-5)
    predicted = gan.predict(data[:3], verbose=0)
    np.testing.assert_allclose(predicted, inferred, atol=1e-5)


def _made(gan, data):
    if isinstance(gan, Translating):
        return gan.translate(data[:2])
    return gan.sample(2)


def _check_saving(start, data, options):
    """Saved, loaded and resumed. Returns the weights after an epoch."""
    straight = start()
    straight.fit(data, epochs=3, **options)
    gan = start()
    gan.fit(data, epochs=1, **options)
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    assert type(loaded) is type(gan)
    trained = weights(gan)
    assert_same(trained, weights(loaded))
    np.testing.assert_array_equal(_made(gan, data), _made(loaded, data))
    loaded.fit(data, epochs=3, initial_epoch=1, **options)
    assert_same(weights(straight), weights(loaded))
    return trained
