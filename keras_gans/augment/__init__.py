"""Differentiable augmentation of what the discriminator sees."""

from keras_gans.augment.ada import ADA
from keras_gans.augment.diff_augment import POLICIES, check_policy, diff_augment

__all__ = ["ADA", "POLICIES", "check_policy", "diff_augment"]
