"""ADA as the `diff_augment` of any GAN: p, its state, what is refused."""

import json

from checks import assert_same, weights
import keras
from keras import ops
from networks import tiny_critic, tiny_generator
import numpy as np
import pytest

import keras_gans as kg

SHAPE = (16, 16, 1)


def tiny(**kwargs):
    return kg.GAN(
        generator=tiny_generator(labelled=False), discriminator=tiny_critic(), **kwargs
    )


def p_of(gan):
    return float(ops.convert_to_numpy(gan.controllers["ada"].p))


@pytest.mark.full
@pytest.mark.backends
def test_adaptive_training_resumes_exactly(images, tmp_path):
    """From a file, within an interval."""
    x = images(16, 8, 8)
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    ada = kg.ADA("noise,brightness", target=0.0, interval=3, kimg=0.1)
    keras.utils.set_random_seed(0)
    gan = tiny(diff_augment=ada)
    gan.compile()
    gan.controllers["ada"].value.assign(0.5)
    gan.fit(x, **options)
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    for one in (gan, again):
        one.fit(x, epochs=2, initial_epoch=1, **options)
    assert abs(p_of(gan) - 0.5) > 0.1
    assert_same(weights(gan), weights(again))


@pytest.mark.full
@pytest.mark.backends
def test_p_and_the_sign_of_reals_are_logged(images):
    x = images(8, 8, 8)
    gan = tiny(diff_augment=kg.ADA("brightness", interval=1, kimg=0.08))
    gan.compile()
    gan.controllers["ada"].value.assign(0.5)
    logs = gan.fit(x, batch_size=8, verbose=0).history
    assert logs["ada_p"] == [0.5] and -1 <= logs["d_sign"][0] <= 1
    # By 8 of 80 images, up or down.
    assert abs(p_of(gan) - 0.5) == pytest.approx(0.1, abs=1e-6)
    logits = ops.convert_to_numpy(gan.discriminator(x))
    signs = gan.evaluate(x, batch_size=8, verbose=0, return_dict=True)["d_sign"]
    assert signs == pytest.approx(np.sign(logits).mean(), abs=1e-6)


@pytest.mark.full
def test_a_schedule_of_images(images):
    gan = tiny(diff_augment=kg.ADA("brightness", (0.0, 0.4), kimg=0.032))
    gan.compile()
    seen = [p_of(gan)]
    for _ in range(3):
        gan.fit(images(16, 8, 8), batch_size=8, verbose=0)
        seen.append(p_of(gan))
    np.testing.assert_allclose(seen, [0.0, 0.2, 0.4, 0.4], atol=1e-6)


def test_pictures_are_of_their_rows(images):
    """A batch's first rows are what they are in a smaller one; roles differ."""
    gan = tiny(diff_augment="ada:0.9")
    x = images(8, 8, 8)

    def shown(x, role="real", training=True):
        with gan.rng.at("train", 0, 0):
            y = gan.regularization.augmented(gan, x, training, role)
        return ops.convert_to_numpy(y)

    np.testing.assert_allclose(shown(x)[:4], shown(x[:4]), atol=1e-5)
    assert np.abs(shown(x) - shown(x, "fake")).max() > 0.1
    np.testing.assert_array_equal(shown(x, training=False), x)


@pytest.mark.parametrize("given", ["ada", "ada:0.5", kg.ADA("blit", (0.0, 0.1))])
def test_a_gan_is_made_of_its_config(given):
    gan = kg.DCGAN(SHAPE, 4, 2, diff_augment=given)
    again = kg.DCGAN.from_config(json.loads(json.dumps(gan.get_config())))
    for made in (gan, again):
        ada = made.regularization.ada
        wanted = given if isinstance(given, kg.ADA) else kg.ADA()
        assert ada.multipliers == wanted.multipliers
        assert ("ada" in made.controllers) == (given != "ada:0.5")


@pytest.mark.full
def test_r3gan_has_the_published_augmentation():
    small = {"image_shape": (16, 16, 3), "widths": (16,) * 3, "blocks": 1}
    for given, last in (
        ({}, None),
        ({"configuration": "cifar10"}, 0.55),
        ({"configuration": "ffhq64", "decay_kimg": 5}, 0.3),
        ({"diff_augment": "ada"}, 0.3),
        ({"configuration": "cifar10", "diff_augment": None}, None),
    ):
        gan = kg.R3GAN(**{**small, **given}, group_size=16)
        ada = gan.regularization.ada
        if last is None:
            assert ada is None
            continue
        assert ada.p == (0.0, last)
        assert ada.kimg == given.get("decay_kimg", 20_000)
        assert ada.multipliers["hue"] == 0.5 and ada.multipliers["cutout"] == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kg.WGANGP(SHAPE, 4, 4, 4, diff_augment="ada"), "'ada:0.2'"),
        (lambda: tiny(diff_augment="ada", objective="relativistic"), "Set p"),
        (lambda: tiny(diff_augment="ada", objective="least_squares"), "sign"),
        (lambda: kg.R3GAN(width=8, diff_augment=kg.ADA()), "relativistic"),
        (lambda: kg.GAN((2,), diff_augment="ada"), "images of a fixed shape"),
        (lambda: tiny(diff_augment="adda"), "Did you mean ada"),
        (lambda: tiny(diff_augment="ada,color"), "stands alone"),
        (lambda: kg.Pix2Pix((32, 32, 3), diff_augment="ada"), "`diff_augment`"),
        (lambda: kg.DCGAN(SHAPE, 4, 2, diff_augment=kg.ADA("filter")), "22 pixels"),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.full
def test_critics_take_a_constant_p(images):
    gan = kg.WGANGP(SHAPE, 4, 4, 4, diff_augment="ada:0.5", d_steps=1)
    gan.compile(run_eagerly=True)
    logs = gan.fit(images(4), batch_size=4, verbose=0).history
    assert np.isfinite([values[0] for values in logs.values()]).all()
    assert "ada_p" not in logs and "d_sign" not in logs
