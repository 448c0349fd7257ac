"""The switches of every GAN: where they apply, what they refuse."""

import inspect

import keras
from keras import ops
from networks import tiny_critic, tiny_generator
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.layers import MinibatchStdDev, SpectralNormalization
from keras_gans_cli import app

SHAPE = (16, 16, 1)
MAKE = {
    "gan": lambda **k: kg.GAN(SHAPE, 4, **k),
    "dcgan": lambda **k: kg.DCGAN(SHAPE, 4, 2, **k),
    "wgan": lambda **k: kg.WGAN(SHAPE, 4, 2, **k),
    "wgan_gp": lambda **k: kg.WGANGP(SHAPE, 4, 4, 4, **k),
    "embedding": lambda **k: kg.ConditionalGAN(SHAPE, 3, 4, 2, **k),
    "projection": lambda **k: kg.ConditionalGAN(
        SHAPE, 3, 4, 2, conditioning="projection", **k
    ),
    "acgan": lambda **k: kg.ACGAN(SHAPE, 3, 4, 2, **k),
    "infogan": lambda **k: kg.InfoGAN(SHAPE, 3, 2, 4, 2, **k),
}


@pytest.mark.daily(1)
@pytest.mark.parametrize("name", MAKE)
def test_layers_of_the_discriminator(name):
    """Asked for, they are there once, also in one made of its config."""
    gan = MAKE[name](spectral_norm=True, minibatch_stddev=2)
    for made in (gan, type(gan).from_config(gan.get_config())):
        found = list(made.discriminator._flatten_layers())
        stddev = [x for x in found if isinstance(x, MinibatchStdDev)]
        assert len(stddev) == 1
        wrapped = [x for x in found if isinstance(x, SpectralNormalization)]
        kernels = [v for v in made.variables_of("d") if len(v.shape) > 1]
        assert len(wrapped) == len(kernels) > 0


def tiny(**kwargs):
    gan = kg.GAN(
        generator=tiny_generator(labelled=False), discriminator=tiny_critic(), **kwargs
    )
    gan.compile()
    return gan


@pytest.mark.daily(1)
@pytest.mark.backends
@pytest.mark.parametrize(
    "switch",
    [
        {"r1": 100.0},
        {"r2": 100.0},
        {"instance_noise": 0.5},
        {"diff_augment": ("translation",)},
        {"spectral_norm": True},
    ],
    ids=lambda switch: next(iter(switch)),
)
def test_a_switch_changes_training(images, switch):
    def trained(**kwargs):
        keras.utils.set_random_seed(0)
        gan = tiny(**kwargs)
        gan.fit(images(8, 8, 8), batch_size=4, verbose=0, shuffle=False)
        return ops.convert_to_numpy(gan.variables_of("d")[0])

    assert np.abs(trained() - trained(**switch)).max() > 1e-5


@pytest.mark.backends
def test_noise_and_augmentation_are_for_training_alone(images):
    x = images(4, 8, 8)
    gan = tiny(instance_noise=0.5, diff_augment="color")
    plain = ops.convert_to_numpy(gan.discriminator(x))
    with gan.rng.at(0, 0, 0):
        shown = ops.convert_to_numpy(gan.discriminate(x, {}, False, "real"))
        noisy = ops.convert_to_numpy(gan.discriminate(x, {}, True, "real"))
        fake = ops.convert_to_numpy(gan.discriminate(x, {}, True, "fake"))
    np.testing.assert_allclose(shown, plain, atol=1e-6)
    assert np.abs(noisy - plain).min() > 0
    assert np.abs(noisy - fake).min() > 0  # draws of its own


@pytest.mark.backends
def test_instance_noise_falls_to_zero(images):
    x = images(4, 8, 8)
    gan = tiny(instance_noise=(0.5, 4))
    plain = ops.convert_to_numpy(gan.discriminator(x))
    distances = []
    for step in (0, 2, 4, 6):
        gan.step.assign(step)
        with gan.rng.at(0, 0, 0):
            noisy = ops.convert_to_numpy(gan.discriminate(x, {}, True, "real"))
        distances.append(np.abs(noisy - plain).max())
    assert distances[0] > distances[1] > 1e-3
    np.testing.assert_allclose(distances[2:], 0, atol=1e-6)


def test_packs_are_neighbours():
    gan = kg.GAN(SHAPE, 4, packing=3)
    x = np.random.default_rng(0).normal(size=(6, *SHAPE)).astype("float32")
    packs = gan.regularization.augmented(gan, x, False, "real")
    packs = ops.convert_to_numpy(packs)
    assert packs.shape == (2, 16, 16, 3)
    for i in range(6):
        np.testing.assert_array_equal(packs[i // 3, ..., i % 3], x[i, ..., 0])


def test_only_a_bool_switches_spectral_norm():
    with pytest.raises(ValueError, match="`spectral_norm` is one of True"):
        kg.GAN(SHAPE, spectral_norm="false")


def test_a_layer_that_cannot_be_normalized():
    critic = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.SeparableConv2D(2, 3),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    with pytest.raises(ValueError, match=r"separable_conv2d.*does not take"):
        kg.GAN((8, 8, 1), 4, discriminator=critic, spectral_norm=True)


@keras.saving.register_keras_serializable("test")
class Louder(kg.WGAN):
    """A subclass with an argument of its own, as a user writes one."""

    def __init__(self, volume=1.0, **kwargs):
        super().__init__(**kwargs)
        self.volume = volume


def test_the_config_of_a_subclass_holds_its_parents_arguments():
    gan = Louder(2.0, clip=0.5, image_shape=SHAPE, width=2, d_steps=3)
    copy = Louder.from_config(gan.get_config())
    assert (copy.volume, copy.clip, copy.d_steps) == (2, 0.5, 3)
    names = {*inspect.signature(Louder).parameters} - {"kwargs"}
    given = {"volume", "clip", "image_shape", "width", "d_steps"}
    assert names | given <= set(gan.get_config()) == set(copy.get_config())


@pytest.mark.full
@pytest.mark.backends
def test_validation_is_not_counted_as_training(images):
    steps = []

    class Steps(kg.callbacks.StepCallback):
        def after_step(self, logs):
            steps.append((self.step, self.model.step_iterator.steps_done))

    x = images(8, 8, 8)
    gan = tiny()
    gan.fit(
        x,
        batch_size=4,
        epochs=2,
        validation_data=(x, None),
        callbacks=[Steps()],
        verbose=0,
    )
    assert steps == [(1, 1), (2, 2), (3, 3), (4, 4)]


def test_none_is_a_value_on_the_command_line():
    words = ["keras-gans", "train", "dcgan", "--ema=None"]
    assert vars(app.parse(words))["ema"] is None
    assert "ema" not in vars(app.parse(words[:-1]))
