"""ADA's draws as its reference fixes them in a record."""

from keras import ops
import numpy as np
from scipy.special import erfinv, ndtr


def at_percentile(q):
    """Draws at a percentile, where normal numbers are erfinv(2 q - 1).

    Args:
        q: float in (0, 1).

    Returns:
        function `(n, columns, kind)`, as ADA asks for uniform numbers of a kind
        of 0 to 3: everything happens to each picture, and the second rotation is
        by 0.
    """

    def uniform(n, columns, kind):
        row = np.full(columns, (0.0, q, ndtr(erfinv(2 * q - 1)), 0.5)[kind], "float32")
        if kind == 1:
            row[5] = 0.5
        return ops.tile(ops.convert_to_tensor(row)[None], (n, 1))

    return uniform


class Augmented:
    """Random numbers of a GAN whose augmentation is at a percentile.

    Args:
        rng: the others.
        q: float in (0, 1); `None` for pictures that nothing happens to.
    """

    def __init__(self, rng, q):
        self.rng, self.at, self.normal = rng, rng.at, rng.normal
        self.fixed = at_percentile(q or 0.5)
        self.happens = q is not None

    def uniform(self, n, columns, purpose):
        if not purpose.startswith("augment/"):
            return self.rng.uniform(n, columns, purpose)
        kind = int(purpose[-1])
        if kind == 0 and not self.happens:
            return ops.ones((n, columns))
        return self.fixed(n, columns, kind)
