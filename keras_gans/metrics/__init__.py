"""Metrics: short functions over features, scores and images."""

from keras_gans.metrics.distances import frechet_distance
from keras_gans.metrics.distances import kernel_distance
from keras_gans.metrics.manifolds import density_coverage
from keras_gans.metrics.manifolds import precision_recall
from keras_gans.metrics.moments import Moments
from keras_gans.metrics.pixels import psnr
from keras_gans.metrics.pixels import ssim
from keras_gans.metrics.scores import classification_accuracy_score
from keras_gans.metrics.scores import inception_score

__all__ = [
    "Moments",
    "classification_accuracy_score",
    "density_coverage",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "precision_recall",
    "psnr",
    "ssim",
]
