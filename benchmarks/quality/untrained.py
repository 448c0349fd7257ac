"""What translating emoji is compared with, and needs no training."""

import keras
import numpy as np

from keras_gans import applications
from keras_gans.applications import lab


def colour_map(source, target):
    """The linear map of colours that matches mean and covariance.

    Of all such maps it is the one that moves colours least.
    """
    (m_s, s), (m_t, t) = (
        (x.mean(axis=0), np.cov(x, rowvar=False))
        for x in (source.reshape(-1, 3), target.reshape(-1, 3))
    )
    root = _power(s, 0.5)
    inverse = _power(s, -0.5)
    matrix = inverse @ _power(root @ t @ root, 0.5) @ inverse
    return lambda x: np.clip((x - m_s) @ matrix + m_t, -1, 1)


def grey(pictures):
    """The lightness of pictures alone."""
    lightness, ab = applications.Colorization().pair(pictures)
    return keras.ops.convert_to_numpy(lab.join(lightness, 0 * ab))


def border_means(pictures, masks):
    """Holes filled with the mean of the pixels that touch them."""
    padded = np.pad(masks, ((0, 0), (1, 1), (1, 1), (0, 0)))
    touched = padded[:, 2:, 1:-1] | padded[:, :-2, 1:-1]
    touched |= padded[:, 1:-1, 2:] | padded[:, 1:-1, :-2]
    border = touched & ~masks
    counts = border.sum(axis=(1, 2, 3)).reshape(-1, 1, 1, 1)
    means = (pictures * border).sum(axis=(1, 2), keepdims=True) / counts
    return np.where(masks, means, pictures)


def _power(matrix, exponent):
    values, vectors = np.linalg.eigh(matrix)
    return (vectors * values**exponent) @ vectors.T
