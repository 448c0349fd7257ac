"""Differentiable augmentation of what the discriminator sees."""

from keras_gans.augment.ada import ADA, as_ada
from keras_gans.augment.diff_augment import POLICIES, check_policy, diff_augment

__all__ = ["ADA", "POLICIES", "as_ada", "check_policy", "diff_augment"]
