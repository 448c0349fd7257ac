"""Layers that Keras lacks."""

from keras_gans.layers.dropout import Dropout

__all__ = ["Dropout"]
