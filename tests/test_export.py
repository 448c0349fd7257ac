"""The exported SavedModel, loaded where keras_gans is not."""

import subprocess
import sys

from networks import tiny_judge
from networks import tiny_translator
import numpy as np
import pytest
from test_models import small_gan

import keras_gans as kg

READER = """
import sys
import numpy as np
import tensorflow as tf
served = tf.saved_model.load("gan/1")
assert not any(name.startswith("keras_gans") for name in sys.modules)
seeds = 3 * 2**32 + np.arange(8)
images = served.signatures["serving_default"](seed=tf.constant(seeds))
np.save("served.npy", images["images"])
one = [served.serving_default(seeds[i : i + 1])["images"] for i in range(8)]
np.save("one_by_one.npy", np.concatenate(one))
np.save("codes.npy", served.generate(np.ones((3, 6), "float32"))["images"])
empty = served.signatures["serving_default"](seed=tf.zeros([0], tf.int64))
assert empty["images"].shape == (0, 8, 8, 1), empty["images"].shape
"""


def test_served_images_are_the_samples(images):
    gan = small_gan(ema=0.9)
    gan.compile()
    gan.fit(images(8, 8, 8), batch_size=4, verbose=0)
    gan.export("gan/1")
    subprocess.run([sys.executable, "-c", READER], check=True, timeout=900)
    samples = gan.sample(8, seed=3)
    # The same operations in batches of another size: rounding apart.
    np.testing.assert_allclose(np.load("served.npy"), samples, atol=1e-6)
    np.testing.assert_allclose(np.load("one_by_one.npy"), samples, atol=1e-6)
    codes = gan.predict(np.ones((3, 6), "float32"), verbose=0)
    np.testing.assert_allclose(np.load("codes.npy"), codes, atol=1e-6)


def test_nothing_is_overwritten_unasked():
    gan = small_gan()
    gan.export("gan/1")
    with pytest.raises(ValueError, match="overwritten unasked"):
        gan.export("gan/1")
    gan.export("gan/1", overwrite=True)


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


def test_translators_are_exported(images):
    """In both modes, which differ by batch statistics and dropout."""
    import tensorflow as tf

    gan = kg.Pix2Pix(
        generator=tiny_translator(1, 2, dropout=0.5),
        discriminator=tiny_judge(3),
    )
    x = images(3, 8, 8)
    gan.export("gan/1")
    served = tf.saved_model.load("gan/1")
    # The same operations, compiled apart: rounding.
    for endpoint, evaluation in (
        ("serving_default", False),
        ("evaluate", True),
    ):
        made = served.signatures[endpoint](images=tf.constant(x))["images"]
        wanted = gan.translate(x, evaluation=evaluation)
        np.testing.assert_allclose(made, wanted, atol=1e-6)
    assert np.abs(wanted - gan.translate(x)).max() > 0.01
    with pytest.raises(ValueError, match="overwritten unasked"):
        gan.export("gan/1")
