"""Self-attention: its equation, at sizes that pooling does not divide."""

import keras
from keras import ops
import numpy as np
import pytest

from keras_gans.layers import SelfAttention


def pooled(x):
    n, height, width, channels = x.shape
    x = x[:, : height // 2 * 2, : width // 2 * 2]
    x = x.reshape(n, height // 2, 2, width // 2, 2, channels).max((2, 4))
    return x.reshape(n, -1, channels)


@pytest.mark.full_on_jax
@pytest.mark.backends
@pytest.mark.parametrize("shape", [(7, 5, 12), (2, 4, 3)])
def test_it_is_its_equation(shape):
    x = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    layer = SelfAttention(spectral_norm=False)
    np.testing.assert_array_equal(layer(x), x)  # gamma starts from 0
    layer.gamma.assign(0.5)
    theta, phi, g, o = (
        ops.convert_to_numpy(conv.kernel)[0, 0]
        for conv in (layer.theta, layer.phi, layer.g, layer.o)
    )
    queries = (x @ theta).reshape(2, -1, theta.shape[1])
    scores = np.exp(queries @ pooled(x @ phi).transpose(0, 2, 1))
    beta = scores / scores.sum(-1, keepdims=True)
    y = (beta @ pooled(x @ g)).reshape(*x.shape[:3], -1) @ o
    np.testing.assert_allclose(layer(x), x + 0.5 * y, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 4, 8), (3, 3, 8), (None, None, 8), (4, 8)])
def test_maps_that_it_cannot_take_are_refused(shape):
    with pytest.raises(ValueError, match=r"2 x 4 pixels or more.*Put it where"):
        SelfAttention()(keras.Input(shape))
