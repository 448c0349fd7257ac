"""Callbacks for `fit`: what GANs need and Keras does not have."""

from keras_gans.callbacks.evaluation import Evaluate
from keras_gans.callbacks.grids import SampleGrid
from keras_gans.callbacks.guard import NanGuard
from keras_gans.callbacks.logs import JsonlLogger
from keras_gans.callbacks.logs import LossPlot
from keras_gans.callbacks.page import ProgressPage
from keras_gans.callbacks.saving import Checkpoint
from keras_gans.callbacks.steps import StepCallback

__all__ = [
    "Checkpoint",
    "Evaluate",
    "JsonlLogger",
    "LossPlot",
    "NanGuard",
    "ProgressPage",
    "SampleGrid",
    "StepCallback",
]
