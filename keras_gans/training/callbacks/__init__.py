"""Callbacks for `fit`: what GANs need and Keras does not have."""

from keras_gans.training.callbacks.balance import Balance
from keras_gans.training.callbacks.evaluation import Evaluate
from keras_gans.training.callbacks.grids import SampleGrid
from keras_gans.training.callbacks.guard import NanGuard
from keras_gans.training.callbacks.kernels import KeepKernels
from keras_gans.training.callbacks.logs import JsonlLogger
from keras_gans.training.callbacks.page import ProgressPage
from keras_gans.training.callbacks.plot import LossPlot
from keras_gans.training.callbacks.progress import Progress
from keras_gans.training.callbacks.saving import Checkpoint
from keras_gans.training.callbacks.steps import StepCallback

__all__ = [
    "Balance",
    "Checkpoint",
    "Evaluate",
    "JsonlLogger",
    "KeepKernels",
    "LossPlot",
    "NanGuard",
    "Progress",
    "ProgressPage",
    "SampleGrid",
    "StepCallback",
]
