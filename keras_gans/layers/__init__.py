"""Layers that Keras lacks, or has for one replica alone."""

from keras_gans.layers.activation import LeakyReLU
from keras_gans.layers.activation import ReLU
from keras_gans.layers.batch_norm import BatchNormalization
from keras_gans.layers.conditional_norm import ConditionalBatchNormalization
from keras_gans.layers.convolution import Conv2D
from keras_gans.layers.convolution import Conv2DTranspose
from keras_gans.layers.dropout import Dropout
from keras_gans.layers.minibatch_stddev import MinibatchStdDev
from keras_gans.layers.minibatch_stddev import with_minibatch_stddev
from keras_gans.layers.padding import CropToSize
from keras_gans.layers.padding import ReflectionPadding2D
from keras_gans.layers.padding import ReflectToMultiple
from keras_gans.layers.spectral import SpectralNormalization

__all__ = [
    "BatchNormalization",
    "ConditionalBatchNormalization",
    "Conv2D",
    "Conv2DTranspose",
    "CropToSize",
    "Dropout",
    "LeakyReLU",
    "MinibatchStdDev",
    "ReLU",
    "ReflectToMultiple",
    "ReflectionPadding2D",
    "SpectralNormalization",
    "with_minibatch_stddev",
]
