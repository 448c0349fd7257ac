"""Use of a latent space: truncation, mixing, walks, directions, projection."""

from keras_gans.inference.latent.directions import Directions, directions, edit
from keras_gans.inference.latent.interpolation import lerp, slerp, walk
from keras_gans.inference.latent.path_length import (
    path_distances,
    perceptual_path_length,
    trimmed_mean,
)
from keras_gans.inference.latent.projection import (
    Projection,
    load_codes,
    project,
    read_target,
)
from keras_gans.inference.latent.sampling import generate, mix
from keras_gans.inference.latent.space import LatentSpace

__all__ = [
    "Directions",
    "LatentSpace",
    "Projection",
    "directions",
    "edit",
    "generate",
    "lerp",
    "load_codes",
    "mix",
    "path_distances",
    "perceptual_path_length",
    "project",
    "read_target",
    "slerp",
    "trimmed_mean",
    "walk",
]
