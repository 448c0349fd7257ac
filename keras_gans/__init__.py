"""keras_gans: generative adversarial networks for Keras 3."""

import importlib

from keras_gans import applications
from keras_gans import callbacks
from keras_gans import checkpoints
from keras_gans import convert
from keras_gans import distribution
from keras_gans import images
from keras_gans import layers
from keras_gans import losses
from keras_gans import metrics
from keras_gans import models
from keras_gans import networks
from keras_gans import pool
from keras_gans import regularizers
from keras_gans.base import BaseGAN
from keras_gans.models.acgan import ACGAN
from keras_gans.models.conditional_gan import ConditionalGAN
from keras_gans.models.cyclegan import CycleGAN
from keras_gans.models.dcgan import DCGAN
from keras_gans.models.gan import GAN
from keras_gans.models.infogan import InfoGAN
from keras_gans.models.pix2pix import Pix2Pix
from keras_gans.models.wgan import WGAN
from keras_gans.models.wgan_gp import WGANGP
from keras_gans.optimizers import LinearDecay
from keras_gans.translation_files import translate_files

__all__ = [
    "ACGAN",
    "DCGAN",
    "GAN",
    "WGAN",
    "WGANGP",
    "BaseGAN",
    "ConditionalGAN",
    "CycleGAN",
    "InfoGAN",
    "LinearDecay",
    "Pix2Pix",
    "applications",
    "callbacks",
    "checkpoints",
    "convert",
    "data",
    "distribution",
    "images",
    "layers",
    "losses",
    "metrics",
    "models",
    "networks",
    "pool",
    "regularizers",
    "serving",
    "translate_files",
]

__version__ = "0.1.0"


def __getattr__(name):
    # Loaded when used: on the JAX backend TensorFlow need not be installed.
    if name in ("data", "serving"):
        return importlib.import_module(f"keras_gans.{name}")
    raise AttributeError(f"module 'keras_gans' has no attribute {name!r}")
