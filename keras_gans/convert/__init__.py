"""Weights of reference implementations: files to arrays to Keras models."""

from keras_gans.convert.files import convert_file
from keras_gans.convert.readers.reading import read
from keras_gans.convert.states import from_state

__all__ = ["convert_file", "from_state", "read"]
