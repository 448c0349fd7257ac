"""Losses against numbers worked by hand."""

import keras
from keras import ops
import numpy as np
import pytest

from keras_gans import losses

# log(1 + e^x) at x = 0, 1, -1, 2, -2, 3: worked with a desk calculator.
SP = {0: 0.693147, 1: 1.313262, -1: 0.313262, 2: 2.126928, -2: 0.126928}
REAL = [[2.0], [0.0]]
FAKE = [[-1.0], [1.0]]

D = {
    # softplus(-2), softplus(0); softplus(-1), softplus(1)
    "minimax": (SP[-2] + SP[0]) / 2 + (SP[-1] + SP[1]) / 2,
    "non_saturating": (SP[-2] + SP[0]) / 2 + (SP[-1] + SP[1]) / 2,
    "least_squares": ((1 + 1) / 2 + (1 + 1) / 2) / 2,
    "hinge": (0 + 1) / 2 + (0 + 2) / 2,
    "wasserstein": 0.0 - 1.0,
    # softplus(-(2 + 1)), softplus(-(0 - 1))
    "relativistic": (0.048587 + SP[1]) / 2,
}
G = {
    "minimax": -(SP[-1] + SP[1]) / 2,
    "non_saturating": (SP[1] + SP[-1]) / 2,
    "least_squares": (4 + 0) / 2 / 2,
    "hinge": 0.0,
    "wasserstein": 0.0,
    "relativistic": (3.048587 + SP[-1]) / 2,
}


@pytest.mark.backends
@pytest.mark.parametrize("name", losses.OBJECTIVES)
@pytest.mark.parametrize("shape", [(2, 1), (2,), (1, 2, 1, 1)])
def test_by_hand(name, shape):
    objective = losses.get(name)
    real = ops.reshape(ops.convert_to_tensor(REAL), shape)
    fake = ops.reshape(ops.convert_to_tensor(FAKE), shape)
    # The table's six decimals bound the error.
    assert float(objective.d(real, fake)) == pytest.approx(D[name], abs=2e-6)
    args = (fake, real) if objective.relativistic else (fake,)
    assert float(objective.g(*args)) == pytest.approx(G[name], abs=2e-6)


def test_label_smoothing_by_hand():
    # BCE of logit c against 0.9 is softplus(c) - 0.9 c.
    real, fake = ops.convert_to_tensor(REAL), ops.convert_to_tensor(FAKE)
    bce = (SP[2] - 1.8 + SP[0]) / 2 + (SP[-1] + SP[1]) / 2
    assert float(losses.minimax_d(real, fake, 0.9)) == pytest.approx(bce, abs=2e-6)
    squares = ((1.1**2 + 0.9**2) / 2 + 1) / 2
    assert float(losses.least_squares_d(real, fake, 0.9)) == pytest.approx(
        squares, abs=2e-6
    )
    relativistic = ((3.048587 - 2.7) + (SP[-1] + 0.9)) / 2
    assert float(losses.relativistic_d(real, fake, 0.9)) == pytest.approx(
        relativistic, abs=2e-6
    )


@pytest.mark.parametrize("name", losses.OBJECTIVES)
def test_extreme_logits_stay_finite(name):
    objective = losses.get(name)
    big = ops.convert_to_tensor([[1e4], [-1e4]])
    assert np.isfinite(float(objective.d(big, -big)))
    args = (big, -big) if objective.relativistic else (big,)
    assert np.isfinite(float(objective.g(*args)))


def test_objectives_of_your_own_survive_saving():
    @keras.saving.register_keras_serializable("test")
    def d(real, fake):
        return ops.mean(fake - real)

    @keras.saving.register_keras_serializable("test")
    def g(fake):
        return -ops.mean(fake)

    own = losses.Objective(d, g, probability=False, smoothable=False)
    config = losses.serialize(own)
    assert keras.saving.deserialize_keras_object(config) == own


def test_unknown_objective():
    with pytest.raises(ValueError, match="Did you mean wasserstein"):
        losses.get("waserstein")
