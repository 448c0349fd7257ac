"""Export and serving, by TensorFlow."""

from keras_gans.serving.export import export

__all__ = ["export"]
