"""Small GANs that several test files train, or show."""

import functools

from checks import rewinding
import keras
from networks import tiny_judge, tiny_translator

import keras_gans as kg
from keras_gans.networks.mlp import mlp_discriminator, mlp_generator

# Phonemes of "seven three", and sizes of voices.
SYMBOLS = ("SIL", "S", "EH", "V", "AH", "N", "TH", "R", "IY")
VOICE = {"channels": 4, "rates": (4, 2), "kernels": (8, 4), "rate": 8000, "bands": 8}
VOICE |= {"periods": (2,), "d_width": 8}


def small_gan(**kwargs):
    return kg.GAN(
        generator=mlp_generator((8, 8, 1), 6, width=16),
        discriminator=mlp_discriminator((8, 8, 1), width=8, pieces=2),
        **kwargs,
    )


@functools.cache
def _compiled():
    keras.utils.set_random_seed(0)
    gan = small_gan(ema=0.9)
    gan.compile(keras.optimizers.Adam(2e-4), keras.optimizers.Adam(2e-4))
    return rewinding(gan)


def ready_gan():
    """A compiled `small_gan`, as new: the same object each time.

    Its steps are compiled once in a process. A test that holds two at a time
    makes the others itself.
    """
    return _compiled()()


def small_cyclegan(channels=(1, 1), **kwargs):
    """8 x 8 images; networks of one name on each side."""
    a, b = channels
    kwargs.setdefault("pool_size", 3)
    return kg.CycleGAN(
        generator_ab=tiny_translator(a, b, name="generator"),
        generator_ba=tiny_translator(b, a, name="generator"),
        discriminator_a=tiny_judge(a, name="discriminator"),
        discriminator_b=tiny_judge(b, name="discriminator"),
        **kwargs,
    )


def small_pix2pix(dropout=0.5, generator=None, discriminator=None, **kwargs):
    """8 x 8 images of two channels from grey ones."""
    return kg.Pix2Pix(
        generator=generator or tiny_translator(1, 2, dropout=dropout),
        discriminator=discriminator or tiny_judge(3),
        **kwargs,
    )


def small_wavegan(**kwargs):
    sizes = {"rate": 8000, "dim": 1, "latent_dim": 4}
    return kg.WaveGAN(256, **{**sizes, **kwargs})


def small_voxel_gan(**kwargs):
    return kg.VoxelGAN(size=8, latent_dim=4, width=2, **kwargs)


def small_image_to_volume(**kwargs):
    sizes = {"size": 8, "latent_dim": 4, "width": 2, "encoder_width": 2}
    return kg.ImageToVolume(image_shape=(8, 8, 1), **{**sizes, **kwargs})


def small_tts(**kwargs):
    sizes = {"segment": 256, "width": 4, "symbols": SYMBOLS, "scales": 0}
    return kg.TextToSpeech(**{**VOICE, **sizes, **kwargs})


def small_vits(**kwargs):
    sizes = {"latent": 4, "hidden": 4, "filters": 4, "depth": 1, "n_fft": 64}
    blocks = {"block_kernels": (3,), "dilations": ((1,),), "block": "2"}
    return kg.VITS(**{**VOICE, **sizes, **blocks, "segment": 128, **kwargs})


def small_mocogan():
    return kg.MoCoGAN(10, (16, 16, 3), content_dim=4, motion_dim=2, width=2)
