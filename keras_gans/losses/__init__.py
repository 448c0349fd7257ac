"""Losses and penalties: pure functions, one equation each."""

from keras_gans.engine import input_gradient
from keras_gans.losses.adversarial import OBJECTIVES
from keras_gans.losses.adversarial import Objective
from keras_gans.losses.adversarial import get
from keras_gans.losses.adversarial import hinge_d
from keras_gans.losses.adversarial import least_squares_d
from keras_gans.losses.adversarial import least_squares_g
from keras_gans.losses.adversarial import minimax_d
from keras_gans.losses.adversarial import minimax_g
from keras_gans.losses.adversarial import non_saturating_g
from keras_gans.losses.adversarial import relativistic_d
from keras_gans.losses.adversarial import relativistic_g
from keras_gans.losses.adversarial import serialize
from keras_gans.losses.adversarial import wasserstein_d
from keras_gans.losses.adversarial import wasserstein_g
from keras_gans.losses.penalties import gradient_penalty
from keras_gans.losses.penalties import squared_gradient_norms
from keras_gans.losses.penalties import zero_centred_penalty

__all__ = [
    "OBJECTIVES",
    "Objective",
    "get",
    "gradient_penalty",
    "hinge_d",
    "input_gradient",
    "least_squares_d",
    "least_squares_g",
    "minimax_d",
    "minimax_g",
    "non_saturating_g",
    "relativistic_d",
    "relativistic_g",
    "serialize",
    "squared_gradient_norms",
    "wasserstein_d",
    "wasserstein_g",
    "zero_centred_penalty",
]
