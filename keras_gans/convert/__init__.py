"""Weights of reference implementations: files to arrays to Keras models."""

from keras_gans.convert.reading import read
from keras_gans.convert.states import from_state

__all__ = ["from_state", "read"]
