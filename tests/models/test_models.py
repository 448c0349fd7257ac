"""Every model through `check_gan`, and what is particular to each."""

import inspect
import math

from checks import check_gan
import keras
from keras import ops
from networks import tiny_critic, tiny_generator
import numpy as np
import pytest
from small import small_gan

import keras_gans as kg
from keras_gans.networks.dcgan import dcgan_discriminator, dcgan_generator
from keras_gans.networks.mlp import mlp_discriminator, mlp_generator
from keras_gans.networks.resnet import resnet_critic, resnet_generator


@pytest.mark.full
def test_gan(images):
    check_gan(lambda: small_gan(ema=0.9), images(16, 8, 8))


@pytest.mark.backends
def test_dcgan(images):
    check_gan(
        lambda: kg.DCGAN((16, 16, 3), 8, width=4, d_steps=2, ema=0.9),
        images(16, channels=3),
        executions=False,  # smaller GANs below have them
    )


SWITCHES = {
    "packing": 2,
    "instance_noise": (0.1, 4),
    "diff_augment": "color,translation,cutout",
    "spectral_norm": True,
    "minibatch_stddev": 2,
}


@pytest.mark.full
def test_switches(images):
    def make():
        return kg.GAN(
            generator=mlp_generator((8, 8, 1), 6, width=16),
            discriminator=mlp_discriminator((8, 8, 2), width=8, pieces=2),
            r1=1.0,
            penalty_interval=2,
            **{**SWITCHES, "spectral_norm": False, "diff_augment": "cutout"},
        )

    check_gan(make, images(16, 8, 8))


LABELS = np.arange(16) % 3
BIAS = "score_1/bias"  # it cancels in E[C(G(z))] - E[C(x)]


@pytest.mark.full
def test_wgan(images):
    check_gan(
        lambda: kg.WGAN(
            generator=tiny_generator(labelled=False),
            discriminator=tiny_critic(),
            d_steps=2,
        ),
        images(16, 8, 8),
        still=BIAS,
    )


@pytest.mark.full
@pytest.mark.backends
def test_wgan_gp(images):
    check_gan(
        lambda: kg.WGANGP(
            generator=tiny_generator(labelled=False),
            discriminator=tiny_critic(),
            d_steps=2,
        ),
        images(16, 8, 8),
        still=BIAS,
        executions=False,  # `test_full` has them
    )


@pytest.mark.backends
def test_conditional_gan(images):
    check_gan(
        lambda: kg.ConditionalGAN(
            num_classes=3,
            generator=tiny_generator(),
            discriminator=tiny_critic(labelled=True),
            ema=0.9,
        ),
        images(16, 8, 8),
        labels=LABELS,
        executions=False,  # `test_full` has them
    )


@pytest.mark.full
def test_acgan(images):
    check_gan(
        lambda: kg.ACGAN(
            num_classes=3, generator=tiny_generator(), discriminator=tiny_critic((1, 3))
        ),
        images(16, 8, 8),
        labels=LABELS,
    )


@pytest.mark.full
def test_infogan(images):
    check_gan(
        lambda: kg.InfoGAN(
            num_categories=3,
            num_codes=2,
            generator=tiny_generator(codes=2),
            discriminator=tiny_critic((1, 3, 2)),
        ),
        images(16, 8, 8),
    )


FULL = {
    "wgan": lambda: kg.WGAN((16, 16, 3), 8, width=4, d_steps=2),
    "wgan_gp": lambda: kg.WGANGP((16, 16, 3), 8, 4, 4, d_steps=2),
    **{
        conditioning: lambda c=conditioning, p=packing: kg.ConditionalGAN(
            (16, 16, 3), 3, 8, width=4, conditioning=c, packing=p
        )
        for conditioning, packing in (
            ("embedding", 1),
            ("one_hot", 2),
            ("projection", 1),
        )
    },
    "residual": lambda: kg.ConditionalGAN(
        num_classes=3,
        generator=resnet_generator((16, 16, 3), 8, 4, num_classes=3),
        discriminator=resnet_critic(
            (16, 16, 3), 4, num_classes=3, spectral_norm=True, pooling="sum"
        ),
        objective="hinge",
    ),
    "acgan": lambda: kg.ACGAN((16, 16, 3), 3, 8, width=4),
    "infogan": lambda: kg.InfoGAN((16, 16, 3), 3, 2, 8, width=4),
    "pix2pix": lambda: kg.Pix2Pix((16, 16, 3), depth=3, width=4, n_layers=1, ema=0.9),
    "cyclegan": lambda: kg.CycleGAN(
        (16, 16, 3), blocks=1, width=4, n_layers=1, identity_weight=0.0
    ),
    "switches": lambda: kg.DCGAN(
        (16, 16, 3),
        8,
        width=4,
        discriminator=dcgan_discriminator((16, 16, 6), 4, norm=None),
        r1=1.0,
        r2=0.5,
        penalty_interval=2,
        **SWITCHES,
    ),
}


@pytest.mark.full
@pytest.mark.parametrize("name", FULL)
def test_full(name, images):
    """Each GAN with its own networks; minutes each, on either backend."""
    gan = FULL[name]()
    still = {"wgan_gp": "score/bias"}.get(name)
    data = images(16, channels=3)
    labels = LABELS if gan.labelled else None
    if not gan.samples_from_seed:
        labels = 0.5 * data[::-1]
    check_gan(FULL[name], data, labels, still=still)


@pytest.mark.daily(3)
@pytest.mark.parametrize(
    "objective",
    [
        name
        if name != "relativistic"  # which needs both logits at once
        else pytest.param(name, marks=pytest.mark.backends)
        for name in kg.losses.OBJECTIVES
    ],
)
def test_objectives_train(objective, images):
    gan = small_gan(objective=objective)
    gan.compile(run_eagerly=objective != "relativistic")
    history = gan.fit(images(8, 8, 8), batch_size=4, verbose=0).history
    assert all(np.isfinite(v).all() for v in history.values())
    reported = gan.objective.probability
    assert not reported or 0 < history["d_real"][0] < 1


@pytest.mark.parametrize(
    "shape", [(16, 16, 1), (28, 28, 1), (33, 47, 2), (96, 40, 3), (64, 64, 5)]
)
def test_dcgan_makes_any_size(shape):
    gan = kg.DCGAN(shape, 8, width=2)
    assert gan.sample(2).shape == (2, *shape)
    logits = gan.discriminator(ops.zeros((2, *shape)))
    assert tuple(logits.shape) == (2, 1)


def test_dcgan_has_the_reference_parameter_counts():
    # Of the PyTorch example at its default width, 64.
    assert _trainable(dcgan_generator()) == 3_576_704
    assert _trainable(dcgan_discriminator()) == 2_765_568


def _trainable(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


def test_gan_has_the_networks_of_2014():
    gan = kg.GAN()
    g = 100 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 784 + 784
    d = 784 * 1200 + 1200 + 240 * 1200 + 1200 + 240 + 1
    assert _trainable(gan.generator) == g
    assert _trainable(gan.discriminator) == d
    d_optimizer, g_optimizer = gan.default_optimizers()
    assert d_optimizer.momentum == g_optimizer.momentum == 0.5
    # The rate falls by a factor of 1.000004 a batch: to 1/e in 250,000.
    schedule = g_optimizer.get_config()["learning_rate"]["config"]
    rate = keras.optimizers.schedules.ExponentialDecay(**schedule)
    assert float(rate(250_000)) == pytest.approx(0.1 / math.e, rel=1e-4)


def test_networks_are_arguments(images):
    gan = kg.DCGAN(generator=mlp_generator((16, 16, 1), 7, width=4), width=2)
    assert gan.inputs == (kg.Latent(7),)
    assert gan.modality == kg.Image((16, 16, 1))
    gan.compile()
    gan.fit(images(8), batch_size=4, verbose=0)


@keras.saving.register_keras_serializable("test")
class Subclassed(keras.Model):
    """A generator that is neither Functional nor Sequential."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(64, activation="tanh")
        self.reshape = keras.layers.Reshape((8, 8, 1))

    def call(self, z, training=False):
        return self.reshape(self.dense(z))


@pytest.mark.full
@pytest.mark.backends
def test_subclassed_generators(images):
    generator = Subclassed()
    generator(ops.zeros((1, 5)))
    with pytest.raises(ValueError, match="pass `latent_dim`"):
        kg.GAN(generator=generator)
    gan = kg.GAN(
        generator=generator,
        latent_dim=5,
        discriminator=mlp_discriminator((8, 8, 1), width=8, pieces=2),
        ema=0.9,
    )
    gan.compile()
    gan.fit(images(8, 8, 8), batch_size=4, verbose=0)
    assert gan.sample(2).shape == (2, 8, 8, 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kg.DCGAN((8, 8, 3)), "at least 16 x 16"),
        (
            lambda: kg.GAN((28, 28, 1), generator=mlp_generator((8, 8, 1))),
            "does not fit the generator",
        ),
        (
            lambda: kg.GAN(latent_dim=3, generator=mlp_generator((8, 8, 1))),
            "`latent_dim` does not fit",
        ),
        (
            lambda: kg.GAN(
                generator=mlp_generator((8, 8, 1)),
                discriminator=mlp_discriminator((8, 8, 3)),
            ),
            "do not fit the discriminator",
        ),
        (lambda: kg.GAN(generator=keras.Sequential()), "not built"),
        (lambda: kg.GAN(generator=lambda z: z), "must be a keras.Model"),
        (lambda: kg.GAN(objective="hing"), "Did you mean hinge"),
        (lambda: kg.GAN(ema=1.5), "`ema` must lie in"),
        (lambda: kg.GAN(label_smoothing=0.6), "`label_smoothing` must lie in"),
        (
            lambda: kg.GAN(label_smoothing=0.1, objective="hinge"),
            "needs an objective with a target",
        ),
        (lambda: kg.GAN(d_steps=0), "`d_steps` must lie in"),
        (lambda: kg.GAN(seed=-1), "`seed` must lie in"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_config_holds_every_argument():
    gan = small_gan(ema=0.5, d_steps=2, linear_decay=(2, 4), seed=7)
    config = gan.get_config()
    names = {*inspect.signature(kg.GAN).parameters} - {"kwargs"}
    assert names | {"ema", "d_steps", "linear_decay", "seed"} <= set(config)
    copy = kg.GAN.from_config(config)
    for name, value in copy.get_config().items():
        if name not in ("generator", "discriminator"):
            assert value == config[name], name
    for a, b in zip(gan.weights, copy.weights, strict=True):
        assert a.shape == b.shape and a.path == b.path
