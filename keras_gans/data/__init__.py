"""Data as `tf.data` pipelines of images in [-1, 1], and toy sets of points."""

from keras_gans.data import toy
from keras_gans.data.embedded import Emoji
from keras_gans.data.embedded import emoji
from keras_gans.data.loading import load

__all__ = ["Emoji", "emoji", "load", "toy"]
