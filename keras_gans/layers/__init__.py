"""Layers that Keras lacks."""

from keras_gans.layers.attention import SelfAttention
from keras_gans.layers.equalized import EqualizedConv2D, EqualizedDense
from keras_gans.layers.filtered import FilteredLeakyReLU, FourierFeatures, MagnitudeNorm
from keras_gans.layers.inverse_stft import InverseSTFT
from keras_gans.layers.mel import MelSpectrogram
from keras_gans.layers.minibatch_stddev import MinibatchStdDev, with_minibatch_stddev
from keras_gans.layers.modulated import (
    Bias,
    LearnedMap,
    ModulatedConv2D,
    NoiseMap,
    Truncation,
)
from keras_gans.layers.phase_shuffle import PhaseShuffle
from keras_gans.layers.plain import plain_keras
from keras_gans.layers.relational_memory import RelationalMemory, TokenWriter
from keras_gans.layers.snake import AntiAliasedSnake
from keras_gans.layers.spans import SpanActivation
from keras_gans.layers.spectral import SpectralNormalization
from keras_gans.layers.truncated import TruncatedNormal

__all__ = [
    "AntiAliasedSnake",
    "Bias",
    "EqualizedConv2D",
    "EqualizedDense",
    "FilteredLeakyReLU",
    "FourierFeatures",
    "InverseSTFT",
    "LearnedMap",
    "MagnitudeNorm",
    "MelSpectrogram",
    "MinibatchStdDev",
    "ModulatedConv2D",
    "NoiseMap",
    "PhaseShuffle",
    "RelationalMemory",
    "SelfAttention",
    "SpanActivation",
    "SpectralNormalization",
    "TokenWriter",
    "TruncatedNormal",
    "Truncation",
    "plain_keras",
    "with_minibatch_stddev",
]
