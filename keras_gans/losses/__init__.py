"""Losses and penalties: pure functions, one equation each."""

from keras_gans.engine import input_gradient
from keras_gans.losses.adversarial import (
    OBJECTIVES,
    Objective,
    get,
    hinge_d,
    least_squares_d,
    least_squares_g,
    minimax_d,
    minimax_g,
    non_saturating_g,
    relativistic_d,
    relativistic_g,
    serialize,
    wasserstein_d,
    wasserstein_g,
)
from keras_gans.losses.consistency import consistency, lecam, top_k_g
from keras_gans.losses.frames import frame_distance, gradient_difference
from keras_gans.losses.penalties import (
    gradient_penalty,
    off_diagonal_products,
    squared_gradient_norms,
    zero_centred_penalty,
)
from keras_gans.losses.perceptual import distance, perceptual

__all__ = [
    "OBJECTIVES",
    "Objective",
    "consistency",
    "distance",
    "frame_distance",
    "get",
    "gradient_difference",
    "gradient_penalty",
    "hinge_d",
    "input_gradient",
    "least_squares_d",
    "least_squares_g",
    "lecam",
    "minimax_d",
    "minimax_g",
    "non_saturating_g",
    "off_diagonal_products",
    "perceptual",
    "relativistic_d",
    "relativistic_g",
    "serialize",
    "squared_gradient_norms",
    "top_k_g",
    "wasserstein_d",
    "wasserstein_g",
    "zero_centred_penalty",
]
