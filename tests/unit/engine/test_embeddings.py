"""Gradients of embeddings, which TensorFlow has as rows with repetitions."""

import keras
from keras import ops
import numpy as np
import pytest

import keras_gans as kg


@pytest.mark.daily(1)
@pytest.mark.parametrize("accumulate", [1, pytest.param(2, marks=pytest.mark.backends)])
def test_adam_squares_the_sum_of_a_class(images, accumulate):
    """The first step of Adam moves each weight by its learning rate."""
    gan = kg.ConditionalGAN((16, 16, 1), num_classes=3, width=4)
    rate = 1e-3
    gan.compile(
        *(keras.optimizers.Adam(rate, beta_1=0.0, epsilon=1e-12) for _ in "dg"),
        accumulate=accumulate,
    )
    tables = [
        v
        for network in gan.networks.values()
        for v in network.trainable_variables
        if "embedding" in v.path
    ]
    assert tables
    before = [np.array(ops.convert_to_numpy(v)) for v in tables]
    gan.fit(images(4), np.array([0, 0, 1, 0]), steps_per_epoch=1, verbose=0)
    for old, table in zip(before, tables, strict=True):
        moved = np.abs(ops.convert_to_numpy(table) - old)[:2]
        np.testing.assert_allclose(moved, rate, rtol=1e-2)
