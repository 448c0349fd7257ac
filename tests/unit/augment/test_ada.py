"""ADA's augmentations against the reference's, draws fixed at a percentile."""

import json

import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest
from scipy.special import erfinv, ndtr

from keras_gans.augment import ADA, as_ada
from keras_gans.augment.ada import GROUPS, TRANSFORMS
from keras_gans.engine import input_gradient

ALL = ",".join(GROUPS)


def at_percentile(n, q):
    """Draws of the reference's debug mode: normal numbers are erfinv(2 q - 1)."""

    def uniform(columns, purpose):
        value = (0.0, q, ndtr(erfinv(2 * q - 1)), 0.5)[purpose]
        u = np.full((n, columns), value, "float32")
        if purpose == 1:
            u[:, 5] = 0.5  # its second rotation is by 0
        return u

    return uniform


def drawn(n, seed):
    def uniform(columns, purpose):
        rng = np.random.default_rng((seed, purpose))
        return rng.uniform(1e-7, 1 - 1e-7, (n, columns)).astype("float32")

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


def statistics(name, p, count):
    """How far draws are from the record: in standard errors, at most."""
    about = json.loads((GOLDEN / "ada_statistics.json").read_text())
    record = np.load(GOLDEN / "ada_statistics.npz")
    key = f"{name}_p{round(100 * p):03d}"
    x = np.moveaxis(record["x"], 1, -1)
    ada = ADA(about["groups"][name])
    parts = []
    for seed in range(0, count, 1000):
        n = min(1000, count - seed)
        y = ada(np.repeat(x, n, axis=0), p, drawn(n, seed))
        parts.append(np.moveaxis(ops.convert_to_numpy(y), -1, 1))
    y = np.concatenate(parts).astype("float64")
    mean, std = (record[f"{key}_{k}"].astype("float64") for k in ("mean", "std"))
    share = np.sqrt(1 / about["N"] + 1 / count)
    # Of a standard deviation the error depends on the fourth moment.
    centred = y - y.mean(axis=0)
    fourth = np.mean(centred**4, axis=0)
    variance = np.mean(centred**2, axis=0)
    spread = np.sqrt(np.maximum(fourth - variance**2, 1e-12)) / (2 * np.sqrt(variance))
    unchanged = record[f"{key}_unchanged"]
    ours = np.mean(np.abs(y - record["x"]).max(axis=(1, 2, 3)) < 1e-3)
    error = np.sqrt(max(unchanged * (1 - unchanged), 1e-4)) * share
    rms = np.sqrt(np.mean(y**2, axis=(1, 2, 3)))
    levels = np.array([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    wanted = record[f"{key}_rms_quantiles"]
    # A quantile lies between those of levels five standard errors off.
    margin = 5 * np.sqrt(levels * (1 - levels)) * share
    low, high = (np.quantile(rms, np.clip(levels + s * margin, 0, 1)) for s in (-1, 1))
    within = (wanted >= low - 1e-5) & (wanted <= high + 1e-5)
    return {
        "mean": np.abs((y.mean(axis=0) - mean) / (std * share)).max(),
        "std": np.abs((y.std(axis=0) - std) / (spread * share)).max(),
        "unchanged": np.abs(ours - unchanged) / error,
        "quantiles": 0 if within.all() else np.inf,
    }
