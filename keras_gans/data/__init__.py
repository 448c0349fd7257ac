"""Data as `tf.data` pipelines of images or sounds, and toy sets of points."""

from keras_gans.data import toy
from keras_gans.data.crops import load_crops
from keras_gans.data.embedded import Emoji, emoji
from keras_gans.data.loading import load
from keras_gans.data.pairs import load_pairs, load_unpaired
from keras_gans.data.sounds import describe_sounds, load_sounds, sound_classes
from keras_gans.data.sources import class_names
from keras_gans.data.summary import check, describe

__all__ = [
    "Emoji",
    "check",
    "class_names",
    "describe",
    "describe_sounds",
    "emoji",
    "load",
    "load_crops",
    "load_pairs",
    "load_sounds",
    "load_unpaired",
    "sound_classes",
    "toy",
]
