"""Adversarial objectives: pairs of pure functions of the critic's outputs.

Each pair is written in logits C(x), of any shape: every element counts alike.
With D(x) = sigmoid(C(x)), -log D = softplus(-C) and -log(1 - D) = softplus(C).
"""

from collections.abc import Callable
import dataclasses
from typing import Any

import keras
from keras import ops

from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor


def _bce(logits, label):
    """Mean binary cross-entropy of logits against one label in [0, 1]."""
    return ops.mean(ops.softplus(logits) - label * logits)


def minimax_d(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """-E[log D(x)] - E[log(1 - D(G(z)))].

    With `real_label` below 1, the one-sided smoothed target of
    https://arxiv.org/abs/1606.03498, section 3.4.

    Args:
        real: float tensor of any shape, logits C(x) of reals.
        fake: float tensor, logits C(G(z)) of fakes.
        real_label: float in (0.5, 1], the target of reals.

    Returns:
        A scalar.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.minimax_d(x, -x)  # 2 log(1 + 1/e) = 0.627
    ```

    Reference:
        https://arxiv.org/abs/1406.2661, equation 1.
    """
    return _bce(real, real_label) + _bce(fake, 0.0)


def minimax_g(fake: Tensor) -> Tensor:
    """E[log(1 - D(G(z)))], saturating where D wins.

    Args:
        fake: float tensor, logits C(G(z)) of fakes.

    Returns:
        A scalar.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.minimax_g(x)  # -log(1 + e) = -1.313
    ```

    Reference:
        https://arxiv.org/abs/1406.2661, equation 1.
    """
    return -ops.mean(ops.softplus(fake))


def non_saturating_g(fake: Tensor) -> Tensor:
    """-E[log D(G(z))].

    Args:
        fake: float tensor, logits C(G(z)) of fakes.

    Returns:
        A scalar.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.non_saturating_g(x)  # log(1 + 1/e) = 0.313
    ```

    Reference:
        https://arxiv.org/abs/1406.2661, section 3.
    """
    return ops.mean(ops.softplus(-fake))


def least_squares_d(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """E[(C(x) - b)^2] / 2 + E[C(G(z))^2] / 2 with b = `real_label`.

    Args:
        real: float tensor of any shape, logits C(x) of reals.
        fake: float tensor, logits C(G(z)) of fakes.
        real_label: float in (0.5, 1], the target of reals.

    Returns:
        A scalar.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.least_squares_d(x, 0 * x)  # 0.0
    ```

    Reference:
        https://arxiv.org/abs/1611.04076, equation 9.
    """
    real_part = ops.mean(ops.square(real - real_label))
    return (real_part + ops.mean(ops.square(fake))) / 2.0


def least_squares_g(fake: Tensor) -> Tensor:
    """E[(C(G(z)) - 1)^2] / 2.

    Args:
        fake: float tensor, logits C(G(z)) of fakes.

    Returns:
        A scalar.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.least_squares_g(0 * x)  # 0.5
    ```

    Reference:
        https://arxiv.org/abs/1611.04076, equation 9.
    """
    return ops.mean(ops.square(fake - 1.0)) / 2.0


def hinge_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - C(x))] + E[max(0, 1 + C(G(z)))].

    Args:
        real: float tensor of any shape, logits C(x) of reals.
        fake: float tensor, logits C(G(z)) of fakes.

    Returns:
        A scalar.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.hinge_d(x, -x)  # 0.0
    ```

    Reference:
        https://arxiv.org/abs/1802.05957, equation 16.
    """
    return ops.mean(ops.relu(1.0 - real)) + ops.mean(ops.relu(1.0 + fake))


def wasserstein_d(real: Tensor, fake: Tensor) -> Tensor:
    """E[C(G(z))] - E[C(x)].

    Args:
        real: float tensor of any shape, logits C(x) of reals.
        fake: float tensor, logits C(G(z)) of fakes.

    Returns:
        A scalar.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.wasserstein_d(x, -x)  # -2.0
    ```

    Reference:
        https://arxiv.org/abs/1701.07875, equation 2.
    """
    return ops.mean(fake) - ops.mean(real)


def wasserstein_g(fake: Tensor) -> Tensor:
    """-E[C(G(z))], also the generator's side of the hinge loss.

    Args:
        fake: float tensor, logits C(G(z)) of fakes.

    Returns:
        A scalar.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.wasserstein_g(x)  # -1.0
    ```

    Reference:
        https://arxiv.org/abs/1701.07875, equation 2;
        https://arxiv.org/abs/1802.05957, equation 17.
    """
    return -ops.mean(fake)


def relativistic_d(real: Tensor, fake: Tensor, real_label: float = 1.0) -> Tensor:
    """-E[log sigmoid(C(x) - C(G(z)))], reals and fakes paired by row.

    Args:
        real: float tensor of any shape, logits C(x) of reals.
        fake: float tensor of the shape of `real`, logits C(G(z)) of fakes.
        real_label: float in (0.5, 1], the target of reals.

    Returns:
        A scalar.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.relativistic_d(x, x)  # log 2 = 0.693
    ```

    Reference:
        https://arxiv.org/abs/1807.00734, equation 5.
    """
    return _bce(real - fake, real_label)


def relativistic_g(fake: Tensor, real: Tensor) -> Tensor:
    """-E[log sigmoid(C(G(z)) - C(x))], reals and fakes paired by row.

    Args:
        fake: float tensor, logits C(G(z)) of fakes.
        real: float tensor of the shape of `fake`, logits C(x) of reals.

    Returns:
        A scalar.

    Example:

    ```python
    x = keras.ops.ones((4, 1))
    keras_gans.losses.relativistic_g(x, x)  # log 2 = 0.693
    ```

    Reference:
        https://arxiv.org/abs/1807.00734, equation 6.
    """
    return _bce(fake - real, 1.0)


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Objective:
    """What a discriminator and a generator minimize.

    Args:
        d: function `(real, fake)` or `(real, fake, real_label)` of the
            critic's outputs, returns a scalar.
        g: function `(fake)`, or `(fake, real)` where `relativistic`.
        probability: whether sigmoid(C) is the probability of being real, so
            that logs report it; otherwise they report C itself.
        smoothable: whether `d` takes `real_label`.
        relativistic: whether `g` compares fakes with reals.

    Example:

    ```python
    from keras_gans.losses import Objective, hinge_d, non_saturating_g

    mixed = Objective(hinge_d, non_saturating_g, probability=False, smoothable=False)
    keras_gans.DCGAN((16, 16, 1), width=2, objective=mixed)
    ```
    """

    d: Callable
    g: Callable
    probability: bool = True
    smoothable: bool = True
    relativistic: bool = False

    def get_config(self) -> dict[str, Any]:
        """Serializes; functions of your own must be registered with Keras."""
        return {
            **dataclasses.asdict(self),
            "d": keras.saving.serialize_keras_object(self.d),
            "g": keras.saving.serialize_keras_object(self.g),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Objective":
        for side in ("d", "g"):
            config[side] = keras.saving.deserialize_keras_object(config[side])
        return cls(**config)


OBJECTIVES = {
    "minimax": Objective(minimax_d, minimax_g),
    "non_saturating": Objective(minimax_d, non_saturating_g),
    "least_squares": Objective(least_squares_d, least_squares_g, probability=False),
    "hinge": Objective(hinge_d, wasserstein_g, probability=False, smoothable=False),
    "wasserstein": Objective(
        wasserstein_d, wasserstein_g, probability=False, smoothable=False
    ),
    "relativistic": Objective(relativistic_d, relativistic_g, relativistic=True),
}


def get(objective: str | Objective) -> Objective:
    """Returns the objective of a name, or the `Objective` given.

    Args:
        objective: one of "minimax", "non_saturating", "least_squares",
            "hinge", "wasserstein", "relativistic", or an `Objective`.

    Returns:
        `Objective`.

    Raises:
        ValueError: the name is unknown.

    Example:

    ```python
    hinge = keras_gans.losses.get("hinge")
    hinge.d(keras.ops.ones((4, 1)), -keras.ops.ones((4, 1)))  # 0.0
    ```
    """
    if isinstance(objective, Objective):
        return objective
    if not isinstance(objective, str) or objective not in OBJECTIVES:
        raise ValueError(
            f"Unknown objective. Received: objective={objective!r}. Expected "
            f"one of {', '.join(OBJECTIVES)} (or a `keras_gans.losses.Objective`)."
            f"{hint(objective, OBJECTIVES)}"
        )
    return OBJECTIVES[objective]


def serialize(objective: Objective) -> str | dict[str, Any]:
    """The name of a built-in objective, or the config of another.

    Args:
        objective: `Objective`.

    Returns:
        str, or the dict that Keras makes of an object.

    Example:

    ```python
    hinge = keras_gans.losses.get("hinge")
    keras_gans.losses.serialize(hinge)  # "hinge"
    ```
    """
    for name, known in OBJECTIVES.items():
        if objective is known:
            return name
    return keras.saving.serialize_keras_object(objective)
