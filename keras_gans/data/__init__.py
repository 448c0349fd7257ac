"""Data as `tf.data` pipelines of images in [-1, 1], and toy sets of points."""

from keras_gans.data import toy
from keras_gans.data.embedded import Emoji, emoji
from keras_gans.data.loading import load
from keras_gans.data.pairs import load_pairs, load_unpaired

__all__ = ["Emoji", "emoji", "load", "load_pairs", "load_unpaired", "toy"]
