"""Layers that Keras lacks."""

from keras_gans.layers.minibatch_stddev import MinibatchStdDev, with_minibatch_stddev
from keras_gans.layers.spectral import SpectralNormalization

__all__ = ["MinibatchStdDev", "SpectralNormalization", "with_minibatch_stddev"]
