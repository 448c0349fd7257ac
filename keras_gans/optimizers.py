"""The two optimizers of a GAN as Keras's trainer and callbacks see them."""

import keras
from keras import ops

from keras_gans.checks import check_decay


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
        learning_rate: float or `LearningRateSchedule`, the rate up to `start`,
            and what falls from there.
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
        start, end = check_decay((start, end))
        self.learning_rate = learning_rate
        self.start = start
        self.end = end

    def __call__(self, step):
        rate = self.learning_rate
        rate = rate(step) if callable(rate) else rate
        left = (self.end - ops.cast(step, "float32")) / (self.end - self.start)
        return rate * ops.clip(left, 0.0, 1.0)

    def get_config(self):
        rate = self.learning_rate
        if callable(rate):
            rate = keras.saving.serialize_keras_object(rate)
        return {"learning_rate": rate, "start": self.start, "end": self.end}

    @classmethod
    def from_config(cls, config):
        if isinstance(config["learning_rate"], dict):
            config["learning_rate"] = keras.saving.deserialize_keras_object(
                config["learning_rate"]
            )
        return cls(**config)


def decay_linearly(optimizer, start, end):
    """Lets the learning rate of `optimizer`, or its schedule, fall to zero.

    Raises:
        ValueError: the optimizer has another `LinearDecay` already.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rate = inner._learning_rate
    if isinstance(rate, LinearDecay):  # compiled before, or loaded with it
        if (rate.start, rate.end) != (start, end):
            raise ValueError(
                "The optimizer decays already. Received: a LinearDecay from "
                f"{rate.start} to {rate.end}, and linear_decay for {start} to "
                f"{end}. Drop one of the two."
            )
        return
    if not isinstance(rate, keras.optimizers.schedules.LearningRateSchedule):
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
