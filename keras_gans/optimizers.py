"""The two optimizers of a GAN as Keras's trainer and callbacks see them."""

import keras
from keras import ops


def adam():
    """DCGAN's Adam: learning rate 2e-4, beta_1 0.5."""
    return keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8)


class Optimizers:
    """A discriminator's and a generator's optimizer behind one face.

    Keras's trainer threads `variables` through a JAX step; its callbacks read
    and set the learning rate of each of `optimizers`.

    Args:
        d: the discriminator's optimizer, built.
        g: the generator's optimizer, built.
    """

    built = True

    def __init__(self, d, g):
        self.optimizers = [d, g]

    @property
    def variables(self):
        d, g = self.optimizers
        return [*d.variables, *g.variables]


@keras.saving.register_keras_serializable("keras_gans")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A constant learning rate that then falls linearly to zero.

    Args:
        learning_rate: float, the rate up to `start`.
        start: int, the last step at the full rate.
        end: int, the step from which the rate is 0.

    Raises:
        ValueError: not `0 <= start < end`.

    Example:

    ```python
    rate = keras_gans.LinearDecay(2e-4, start=1000, end=2000)
    float(rate(1500))  # 1e-4
    ```
    """

    def __init__(self, learning_rate, start, end):
        if not 0 <= start < end:
            raise ValueError(
                "A linear decay needs 0 <= start < end, in steps. "
                f"Received: start={start}, end={end}."
            )
        self.learning_rate = learning_rate
        self.start = start
        self.end = end

    def __call__(self, step):
        step = ops.cast(step, "float32")
        left = (self.end - step) / (self.end - self.start)
        return self.learning_rate * ops.clip(left, 0.0, 1.0)

    def get_config(self):
        return {
            "learning_rate": self.learning_rate,
            "start": self.start,
            "end": self.end,
        }


def decay_linearly(optimizer, start, end):
    """Gives `optimizer` a `LinearDecay` from its present learning rate.

    Raises:
        ValueError: the optimizer has a schedule already.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    if isinstance(
        inner._learning_rate, keras.optimizers.schedules.LearningRateSchedule
    ):
        if isinstance(inner._learning_rate, LinearDecay):
            return  # compiled before, or loaded with its decay
        raise ValueError(
            "`linear_decay` was asked of an optimizer that has a learning rate "
            f"schedule already. Received: {inner._learning_rate}. Drop one of "
            "the two."
        )
    rate = float(ops.convert_to_numpy(inner.learning_rate))
    inner.learning_rate = LinearDecay(rate, start, end)


def scale_losses(optimizer, network):
    """Wraps `optimizer` for loss scaling where `network` computes in float16.

    Small gradients would vanish in float16. An optimizer that is wrapped
    already is returned as it is.
    """
    wrapped = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    half = any(
        layer.dtype_policy.compute_dtype == "float16"
        for layer in network._flatten_layers()
    )
    if wrapped or not half:
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer)
