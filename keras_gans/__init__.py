"""keras_gans: generative adversarial networks for Keras 3."""

from keras_gans import layers
from keras_gans import losses
from keras_gans import models
from keras_gans.base import BaseGAN
from keras_gans.models.dcgan import DCGAN
from keras_gans.models.gan import GAN
from keras_gans.optimizers import LinearDecay

__all__ = [
    "DCGAN",
    "GAN",
    "BaseGAN",
    "LinearDecay",
    "layers",
    "losses",
    "models",
]

__version__ = "0.1.0"
