"""Export and serving, by TensorFlow."""

from keras_gans.core.export import export, export_translator

__all__ = ["export", "export_translator"]
