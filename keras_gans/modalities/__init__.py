"""What a sample is: pictures, sounds, volumes, videos, text, tables, points."""

from keras_gans.modalities import pictures
from keras_gans.modalities.base import Media, Modality, Preview
from keras_gans.modalities.image import Image
from keras_gans.modalities.points import Points
from keras_gans.modalities.series import Series
from keras_gans.modalities.table import Table
from keras_gans.modalities.tokens import Tokens
from keras_gans.modalities.video import Video
from keras_gans.modalities.volume import Volume
from keras_gans.modalities.waveform import Waveform

__all__ = [
    "Image",
    "Media",
    "Modality",
    "Points",
    "Preview",
    "Series",
    "Table",
    "Tokens",
    "Video",
    "Volume",
    "Waveform",
    "pictures",
]
