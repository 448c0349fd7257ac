"""Differentiable augmentation of what the discriminator sees."""

from keras_gans.augment.diff_augment import POLICIES
from keras_gans.augment.diff_augment import check_policy
from keras_gans.augment.diff_augment import diff_augment

__all__ = ["POLICIES", "check_policy", "diff_augment"]
