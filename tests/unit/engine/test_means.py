"""Means of logs are over rows, however these are cut into batches."""

import keras
from keras import ops
from networks import tiny_critic, tiny_generator
import numpy as np
import pytest

import keras_gans as kg

OPTIONS = {"shuffle": False, "verbose": 0}


@pytest.fixture
def rows(images):
    """Eleven images, the last of them unlike the others."""
    x = images(11, 8, 8)
    x[10] = 1.0
    return x


def still(**kwargs):
    """A GAN without batch norm that hardly learns: rows score as they did."""
    gan = kg.BaseGAN(
        tiny_generator(labelled=False), tiny_critic(), objective="wasserstein", **kwargs
    )
    gan.compile(keras.optimizers.SGD(1e-9), keras.optimizers.SGD(1e-9))
    return gan


def score(gan, x):
    """The critic's mean over all rows."""
    return float(np.mean(ops.convert_to_numpy(gan.discriminator(x)), dtype="float64"))


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_evaluation_does_not_depend_on_the_batch_size(rows):
    gan = still()
    gan.fit(rows, batch_size=11, **OPTIONS)
    exact = score(gan, rows)
    assert abs(exact - score(gan, rows[:10])) > 1e-3
    for batch in (1, 4, 10):
        logs = gan.evaluate(rows, batch_size=batch, verbose=0, return_dict=True)
        assert logs["d_real"] == pytest.approx(exact, abs=1e-6)


@pytest.mark.full_on_jax
@pytest.mark.daily(1)
@pytest.mark.backends
@pytest.mark.parametrize("executions", [1, 2])
def test_epochs_and_validation_count_rows(rows, executions):
    gan = still()
    gan.compile(
        keras.optimizers.SGD(1e-9),
        keras.optimizers.SGD(1e-9),
        steps_per_execution=executions,
    )
    logs = gan.fit(
        rows,
        batch_size=4,
        epochs=2,
        validation_data=(rows, None),
        validation_batch_size=3,
        **OPTIONS,
    ).history
    exact = score(gan, rows)
    assert logs["d_real"] == pytest.approx([exact, exact], abs=1e-6)
    assert logs["val_d_real"] == pytest.approx([exact, exact], abs=1e-6)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_a_step_of_several_batches_counts_rows(rows):
    gan = still(d_steps=2)
    logs = gan.fit(rows, batch_size=6, **OPTIONS).history  # of 6 and of 5
    assert logs["d_real"] == pytest.approx([score(gan, rows)], abs=1e-6)
