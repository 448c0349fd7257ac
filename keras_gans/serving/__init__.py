"""Export and serving, by TensorFlow."""

from keras_gans.core.export import export
from keras_gans.core.export import export_translator

__all__ = ["export", "export_translator"]
