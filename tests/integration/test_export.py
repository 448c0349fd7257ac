"""The exported SavedModel (without the package: test_saved_networks.py)."""

import json

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


def answer(gan, n):
    """The first rows of seed 5, as the exported GAN answers them."""
    import tensorflow as tf

    gan.export("gan/1", overwrite=True)
    served = tf.saved_model.load("gan/1").signatures["serving_default"]
    return served(seed=tf.constant((5 << 32) + np.arange(n)))


@pytest.mark.full
def test_series_and_points_are_answered_as_tables():
    series = kg.SensorGAN(samples=32, channels=3, dim=4, latent_dim=4, d_steps=1)
    points = kg.GAN(image_shape=(2,), latent_dim=4)
    for gan, name in ((series, "series"), (points, "points")):
        made = answer(gan, 3)
        assert set(made) == {name, f"{name}_bytes"}
        for data, row, wanted in zip(
            made[f"{name}_bytes"].numpy(),
            made[name],
            gan.sample(3, seed=5),
            strict=True,
        ):
            read = gan.modality.decode(data)
            np.testing.assert_array_equal(read, np.reshape(row, read.shape))
            np.testing.assert_allclose(row, wanted, rtol=0, atol=1e-6)


@pytest.mark.full
def test_rows_of_tables_are_answered_as_json():
    columns = {
        "age": [(40.0, 10.0), (60.0, 5.0)],
        "weight": [(70.0, 9.0), None],
        "sex": ["f", 'm "ü"'],
        "born": [(9000.0, 1000.0)],
    }
    rules = {
        "age": {"kind": "int", "decimals": 0, "low": 18},
        "weight": {"kind": "float", "decimals": 1},
        "born": {"kind": "day", "decimals": 0},
    }
    table = kg.Table(columns, rules)
    gan = kg.CTGAN(table, latent_dim=4, g_widths=(8,), d_widths=(8,))
    made = answer(gan, 8)
    assert set(made) == {"rows", "json"}
    rows = [json.loads(text) for text in made["json"].numpy()]
    assert rows == table.decode_rows(made["rows"].numpy())


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
