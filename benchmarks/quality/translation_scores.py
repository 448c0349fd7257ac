"""Scores of translated pictures."""

import numpy as np

from keras_gans import metrics

TRUTH = "true picture"
SOURCE = "source"


def of(pictures):
    """{method: {score: value}} of a dict of pictures by method."""
    network = metrics.FeatureNetwork("lite0")

    def features(x):
        return network(eight_bits(x))["features"]

    truth = pictures[TRUTH]
    holes = pictures.get("holes", np.ones((*truth.shape[:3], 1), bool))
    wanted = features(truth)
    found = {}
    for method, made in pictures.items():
        if method in (SOURCE, TRUTH, "holes"):
            continue
        gaps = np.abs(made - truth).mean(axis=-1, keepdims=True)
        l1 = (gaps * holes).sum(axis=(1, 2)) / holes.sum(axis=(1, 2))
        given = features(made)
        found[method] = {
            "L1": float(l1.mean()),
            "feature distance": float(np.linalg.norm(given - wanted, axis=1).mean()),
            "kernel distance": metrics.kernel_distance(wanted, given),
        }
    return found


def eight_bits(x):
    return np.rint((np.clip(x, -1, 1) + 1) * 127.5).astype("uint8")
