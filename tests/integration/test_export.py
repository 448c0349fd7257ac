"""The exported SavedModel (without the package: test_saved_networks.py)."""

from networks import tiny_judge, tiny_translator
import numpy as np
import pytest

import keras_gans as kg


@pytest.mark.full
def test_convolutional_generators_are_exported():
    gan = kg.DCGAN((16, 16, 2), 6, width=2)
    gan.export("gan/1")
    import tensorflow as tf

    served = tf.saved_model.load("gan/1")
    np.testing.assert_allclose(
        served.generate(tf.ones((2, 6)))["images"],
        gan.predict(np.ones((2, 6)), verbose=0),
        atol=1e-6,
    )


@pytest.mark.full
def test_translators_are_exported(images):
    """In both modes, which differ by batch statistics and dropout."""
    import tensorflow as tf

    gan = kg.Pix2Pix(
        generator=tiny_translator(1, 2, dropout=0.5), discriminator=tiny_judge(3)
    )
    x = images(3, 8, 8)
    gan.export("gan/1")
    served = tf.saved_model.load("gan/1")
    # The same operations, compiled apart: rounding.
    for endpoint, evaluation in (("translate", False), ("evaluate", True)):
        # (before a training; after one on a batch of 3: below)
        made = served.signatures[endpoint](images=tf.constant(x))["images"]
        wanted = gan.translate(x, evaluation=evaluation)
        np.testing.assert_allclose(made, wanted, atol=1e-6)
    assert np.abs(wanted - gan.translate(x)).max() > 0.01
    with pytest.raises(ValueError, match="overwritten unasked"):
        gan.export("gan/1")
    gan.compile()
    gan.train_on_batch(x, images(3, 8, 8, 2))
    gan.export("gan/2")
    served = tf.saved_model.load("gan/2")
    for endpoint, evaluation in (("translate", True), ("test", False)):
        made = served.signatures[endpoint](images=tf.constant(x))["images"]
        wanted = gan.translate(x, evaluation=evaluation)
        np.testing.assert_allclose(made, wanted, atol=1e-5)
