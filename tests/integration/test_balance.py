"""The warning that the discriminator has won."""

import warnings

import keras
import numpy as np
import pytest
from small import small_gan

from keras_gans.losses import adversarial
from keras_gans.training import callbacks


def fit(gan, images, d_rate, g_rate):
    """Trains 60 steps on four pictures; returns what was warned of."""
    gan.optimizers["d"].learning_rate = d_rate
    gan.optimizers["g"].learning_rate = g_rate
    data = np.repeat(images(4, 8, 8), 60, axis=0)
    used = [callbacks.Balance(steps=20)]
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        gan.fit(data, batch_size=4, verbose=0, callbacks=used)
    texts = [str(one.message) for one in told]
    return [text for text in texts if "discriminator" in text], used[0]


@pytest.mark.full
@pytest.mark.backends
def test_a_discriminator_that_has_won_is_told_once(images):
    keras.utils.set_random_seed(0)
    gan = small_gan()
    gan.compile(keras.optimizers.Adam(1e-3), keras.optimizers.Adam(1e-3))
    told, balance = fit(gan, images, 1e-8, 1e-2)
    assert told == [] and not balance.has_won()
    [told], balance = fit(gan, images, 5e-2, 1e-8)
    assert "The discriminator has won by step " in told
    assert "`diff_augment='color,translation,cutout'`" in told
    assert balance.has_won()
    gan.objective = adversarial.get("hinge")  # its logits are no probabilities
    assert not balance.has_won()
    with pytest.raises(ValueError, match="`steps`"):
        callbacks.Balance(steps=0)
