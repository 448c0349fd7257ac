"""ADA's augmentations against the reference's, draws fixed at a percentile."""

import json

from keras import ops
import numpy as np
from paths import GOLDEN
import pytest
from scipy.special import erfinv, ndtr

from keras_gans.augment import ADA


def at_percentile(n, q):
    """Draws of the reference's debug mode: normal numbers are erfinv(2 q - 1)."""

    def uniform(columns, purpose):
        value = (0.0, q, ndtr(erfinv(2 * q - 1)), 0.5)[purpose]
        u = np.full((n, columns), value, "float32")
        if purpose == 1:
            u[:, 5] = 0.5  # its second rotation is by 0
        return u

    return uniform


@pytest.mark.backends
@pytest.mark.parametrize("percentile", [30, 60, 90])
@pytest.mark.parametrize("group", ["bgc", "filter", "noise_cutout"])
def test_pictures_are_the_reference_s(group, percentile):
    name = f"ada_{group}_{percentile}"
    call = json.loads((GOLDEN / f"{name}.json").read_text())["call"]
    x, want = (np.moveaxis(np.load(GOLDEN / f"{name}.npz")[k], 1, -1) for k in "xy")
    got = ADA(call)(x, 1.0, at_percentile(len(x), percentile / 100))
    got = ops.convert_to_numpy(got)
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()
