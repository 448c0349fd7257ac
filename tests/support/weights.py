"""Weights of references as their other files have them."""

import numpy as np


def folded(state):
    """A state without weight norm: `weight_v` and `weight_g` as one `weight`."""
    made = {}
    for name, value in state.items():
        stem, _, leaf = name.rpartition(".")
        if leaf == "weight_v":
            norms = np.sqrt(np.square(value).sum(axis=(1, 2), keepdims=True))
            made[f"{stem}.weight"] = value / norms * state[f"{stem}.weight_g"]
        elif leaf != "weight_g":
            made[name] = value
    return made
