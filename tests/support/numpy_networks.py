"""Layers of reference networks in numpy, channels first, by their names."""

import numpy as np


def conv(x, state, prefix):
    weight = kernel(state, prefix)
    pad = weight.shape[-1] // 2
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], axis=(2, 3))
    y = np.tensordot(windows, weight, ((1, 4, 5), (1, 2, 3)))
    y = np.moveaxis(y, -1, 1)
    bias = state.get(f"{prefix}.bias")
    return y if bias is None else y + bias[:, None, None]


def kernel(state, prefix):
    """The weight, divided by u^T W v under PyTorch's spectral norm."""
    if f"{prefix}.weight_orig" not in state:
        weight = state[f"{prefix}.weight"]
        if f"{prefix}.u0" in state:  # BigGAN's: one iteration
            rows = weight.reshape(len(weight), -1)
            v = state[f"{prefix}.u0"] @ rows
            v /= np.linalg.norm(v)
            return weight / np.linalg.norm(v @ rows.T)
        if f"{prefix}.sn_u" not in state:
            return weight
        v = state[f"{prefix}.sn_u"] @ weight  # mimicry's: one iteration
        v /= np.linalg.norm(v)
        return weight / np.linalg.norm(v @ weight.T)
    weight, u, v = (state[f"{prefix}.weight_{leaf}"] for leaf in ("orig", "u", "v"))
    return weight / (u @ weight.reshape(len(weight), -1) @ v)


def relu(x):
    return np.maximum(x, 0)


def halved(x):
    n, c, h, w = x.shape
    return x.reshape(n, c, h // 2, 2, w // 2, 2).mean((3, 5))
