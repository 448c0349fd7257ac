"""Every GAN of the library, of networks of a few units, to train for a step."""

import keras
from networks import tiny_critic, tiny_generator, tiny_judge, tiny_translator
import numpy as np

import keras_gans as kg
from keras_gans.networks.mlp import mlp_discriminator, mlp_generator

ZOO = {
    "gan": lambda: kg.GAN(
        generator=mlp_generator((8, 8, 1), 6, width=16),
        discriminator=mlp_discriminator((8, 8, 1), width=8, pieces=2),
        ema=0.9,
    ),
    "dcgan": lambda: kg.DCGAN(
        generator=tiny_generator(labelled=False), discriminator=tiny_critic(), r1=1.0
    ),
    "wgan": lambda: kg.WGAN(
        generator=tiny_generator(labelled=False), discriminator=tiny_critic(), d_steps=2
    ),
    "wgan_gp": lambda: kg.WGANGP(
        generator=tiny_generator(labelled=False), discriminator=tiny_critic(), d_steps=2
    ),
    "conditional_gan": lambda: kg.ConditionalGAN(
        num_classes=3,
        generator=tiny_generator(),
        discriminator=tiny_critic(labelled=True),
    ),
    "acgan": lambda: kg.ACGAN(
        num_classes=3, generator=tiny_generator(), discriminator=tiny_critic((1, 3))
    ),
    "infogan": lambda: kg.InfoGAN(
        num_categories=3,
        num_codes=2,
        generator=tiny_generator(codes=2),
        discriminator=tiny_critic((1, 3, 2)),
    ),
    "pix2pix": lambda: kg.Pix2Pix(
        generator=tiny_translator(dropout=0.5), discriminator=tiny_judge(2)
    ),
    "cyclegan": lambda: kg.CycleGAN(
        generator_ab=tiny_translator(),
        generator_ba=tiny_translator(),
        discriminator_a=tiny_judge(),
        discriminator_b=tiny_judge(),
        pool_size=4,
    ),
}


def train(name, images, rate=0.05, scale=None, **options):
    """One epoch of two steps under SGD; returns the GAN and its history.

    Args:
        name: str, of `ZOO`.
        images: function, the fixture.
        rate: float, learning rate of SGD.
        scale: `None`, or the initial scale of both losses.
        **options: arguments of `compile`.
    """
    keras.utils.set_random_seed(0)
    gan = ZOO[name]()
    optimizers = [keras.optimizers.SGD(rate) for _ in range(2)]
    if scale:
        optimizers = [
            keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=scale)
            for optimizer in optimizers
        ]
    gan.compile(*optimizers, **options)
    data = images(8 * gan.d_steps, 8, 8)
    y = np.arange(len(data)) % 3 if gan.labelled else None
    if not gan.samples_from_seed:
        y = 0.5 * data[::-1]
    fit = {"batch_size": 4, "shuffle": False, "verbose": 0}
    return gan, gan.fit(data, y, **fit).history
