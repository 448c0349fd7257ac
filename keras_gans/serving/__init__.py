"""Export and serving, by TensorFlow."""

from keras_gans.serving.export import export
from keras_gans.serving.translators import export_translator

__all__ = ["export", "export_translator"]
