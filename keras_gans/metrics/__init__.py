"""Metrics: of images, and as short functions over features and scores."""

from keras_gans.metrics.distances import frechet_distance
from keras_gans.metrics.distances import kernel_distance
from keras_gans.metrics.evaluation import evaluate
from keras_gans.metrics.features import FeatureNetwork
from keras_gans.metrics.manifolds import density_coverage
from keras_gans.metrics.manifolds import precision_recall
from keras_gans.metrics.moments import Moments
from keras_gans.metrics.pixels import psnr
from keras_gans.metrics.pixels import ssim
from keras_gans.metrics.record import Record
from keras_gans.metrics.scores import classification_accuracy_score
from keras_gans.metrics.scores import inception_score

__all__ = [
    "FeatureNetwork",
    "Moments",
    "Record",
    "classification_accuracy_score",
    "density_coverage",
    "evaluate",
    "frechet_distance",
    "inception_score",
    "kernel_distance",
    "precision_recall",
    "psnr",
    "ssim",
]
