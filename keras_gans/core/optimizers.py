"""The optimizers of a GAN as Keras's trainer and callbacks see them."""

from collections.abc import Collection
import math
import types
from typing import Any, Self

import keras
from keras import ops

from keras_gans.core.controllers import cosine
from keras_gans.engine.keras_internals import (
    adam_moments,
    flatten_layers,
    learning_rate_of,
)
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import (
    check_decay,
    check_size,
    is_number,
    one_of,
    within,
)

COMPILE_OPTIONS = (
    "auto_scale_loss",
    "jit_compile",
    "run_eagerly",
    "steps_per_execution",
)


def adam() -> keras.optimizers.Adam:
    """DCGAN's Adam: learning rate 2e-4, beta_1 0.5."""
    return keras.optimizers.Adam(2e-4, beta_1=0.5, epsilon=1e-8)


def rise_and_fall(
    learning_rate: float, steps: int
) -> keras.optimizers.schedules.LearningRateSchedule:
    """The schedule of a pretraining: up for a twentieth, then down to 0 by a cosine.

    Args:
        learning_rate: float, the highest.
        steps: int of 1 or more, of all of it.
    """
    rises = steps // 20
    return keras.optimizers.schedules.CosineDecay(
        learning_rate / (rises + 1),
        steps - rises,
        warmup_target=learning_rate if rises else None,
        warmup_steps=rises,
    )


def lazily_regularized(
    optimizer: keras.optimizers.Optimizer, every: int
) -> keras.optimizers.Optimizer:
    """Adam for a network that is also regularized in every n-th step.

    Where a lazy phase drives the same optimizer, it makes n + 1 updates in n
    steps. With c = n / (n + 1), the learning rate is multiplied by c and the
    betas are raised to its power, so that as much is learned in n steps.

    Args:
        optimizer: `keras.optimizers.Adam` or one of its kind, with a constant
            learning rate.
        every: int, n: the interval of the lazy phase.

    Returns:
        Another optimizer of its kind.

    Raises:
        ValueError: the optimizer is of another kind or has a schedule.

    Example:

    ```python
    from keras_gans.core.optimizers import lazily_regularized

    adam = keras.optimizers.Adam(2e-3, beta_1=0.0, beta_2=0.99)
    optimizer = lazily_regularized(adam, every=16)
    float(optimizer.learning_rate)  # 2e-3 * 16 / 17
    ```

    Reference:
        https://arxiv.org/abs/1912.04958, appendix B
    """
    check_size("every", every)
    config = optimizer.get_config()
    names = {"learning_rate", "beta_1", "beta_2"}
    if not names <= set(config) or isinstance(config["learning_rate"], dict):
        raise ValueError(
            "The correction for lazy regularization is that of Adam with a "
            f"constant learning rate. Received: {type(optimizer).__name__}."
        )
    c = every / (every + 1)
    config["learning_rate"] *= c
    config |= {beta: config[beta] ** c for beta in ("beta_1", "beta_2")}
    return type(optimizer).from_config(config)


@keras.saving.register_keras_serializable("keras_gans")
class TorchAdam(keras.optimizers.Adam):
    """Adam with epsilon beside the corrected root, as PyTorch has it.

    Keras adds epsilon before it corrects the bias of the root. Where gradients
    cancel but for rounding, the first steps are others: a step of the reference
    comes out with this one.

    Example:

    ```python
    from keras_gans.core.optimizers import TorchAdam

    TorchAdam(2e-3, beta_1=0.0, beta_2=0.99, epsilon=1e-8)
    ```

    Reference:
        https://arxiv.org/abs/1412.6980, algorithm 1
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._common = types.SimpleNamespace(by_dtype={})

    def apply(self, grads: list, trainable_variables: list | None = None) -> None:
        self._common.by_dtype = {}
        super().apply(grads, trainable_variables)
        self._common.by_dtype = {}

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        m, v = adam_moments(self, variable)
        kind = variable.dtype
        common = self._common.by_dtype  # made by the first of an update's variables
        if kind not in common:
            common[kind] = self._scalars(learning_rate, kind)
        rate, gain_1, gain_2, correction = common[kind]
        gradient = ops.cast(gradient, kind)
        self.assign_add(m, (gradient - m) * gain_1)
        self.assign_add(v, (ops.square(gradient) - v) * gain_2)
        root = ops.sqrt(v / correction)
        self.assign_sub(variable, rate * m / (root + self.epsilon))

    def _scalars(self, learning_rate, kind):
        step = ops.cast(self.iterations + 1, kind)
        beta_1, beta_2 = (ops.cast(b, kind) for b in (self.beta_1, self.beta_2))
        rate = ops.cast(learning_rate, kind) / (1.0 - ops.power(beta_1, step))
        return rate, 1.0 - beta_1, 1.0 - beta_2, 1.0 - ops.power(beta_2, step)


@keras.saving.register_keras_serializable("keras_gans")
class L2Adam(TorchAdam):
    """PyTorch's Adam with its `weight_decay`: l2 times a weight joins its gradient.

    Keras's `weight_decay` is another, decoupled from the gradient's moments.

    Args:
        *args: those of `TorchAdam`.
        l2: float of 0 or more.
        **kwargs: the other arguments of `TorchAdam`.

    Raises:
        ValueError: `l2` is out of its range.

    Example:

    ```python
    from keras_gans.core.optimizers import L2Adam

    L2Adam(2e-4, beta_1=0.5, beta_2=0.9, epsilon=1e-8, l2=1e-6)
    ```

    Reference:
        https://arxiv.org/abs/1711.05101, algorithm 2, with L2 regularization
    """

    def __init__(self, *args, l2: float = 0.0, **kwargs):
        super().__init__(*args, **kwargs)
        self.l2 = within("l2", l2, is_number(l2) and 0 <= l2 < math.inf, "[0, inf)")

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        decayed = ops.cast(gradient, variable.dtype) + self.l2 * variable
        super().update_step(decayed, variable, learning_rate)

    def get_config(self) -> dict:
        return {**super().get_config(), "l2": self.l2}


@keras.saving.register_keras_serializable("keras_gans")
class CosineAdam(TorchAdam):
    """Adam whose learning rate and beta_2 move along half a cosine.

    A GAN that counts images calls `follow`. Bias is corrected with the beta_2 of
    the day.

    Args:
        learning_rate: float above 0, what it starts from.
        beta_1: float in [0, 1).
        beta_2: float in [0, 1), what it starts from.
        epsilon: float of 0 or more.
        final_learning_rate: float above 0; `learning_rate` by default.
        final_beta_2: float in [0, 1); `beta_2` by default.
        **kwargs: the other arguments of `TorchAdam`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.core.optimizers import CosineAdam

    adam = CosineAdam(2e-4, final_learning_rate=5e-5, final_beta_2=0.99)
    adam.build([keras.Variable([1.0])])
    adam.follow(0.5)
    float(adam.learning_rate)  # 1.25e-4
    ```

    Reference:
        https://arxiv.org/abs/2501.05441, appendix
    """

    def __init__(
        self,
        learning_rate: float = 2e-4,
        beta_1: float = 0.0,
        beta_2: float = 0.9,
        epsilon: float = 1e-8,
        *,
        final_learning_rate: float | None = None,
        final_beta_2: float | None = None,
        **kwargs,
    ):
        if final_learning_rate is None:
            final_learning_rate = learning_rate
        final_beta_2 = beta_2 if final_beta_2 is None else final_beta_2
        for name, rate in (
            ("learning_rate", learning_rate),
            ("final_learning_rate", final_learning_rate),
        ):
            within(name, rate, is_number(rate) and 0 < rate < math.inf, "(0, inf)")
        for name, beta in (
            ("beta_1", beta_1),
            ("beta_2", beta_2),
            ("final_beta_2", final_beta_2),
        ):
            within(name, beta, is_number(beta) and 0 <= beta < 1, "[0, 1)")
        super().__init__(learning_rate, beta_1, beta_2, epsilon, **kwargs)
        self.learning_rates = (learning_rate, final_learning_rate)
        self.beta_2s = (beta_2, final_beta_2)

    def build(self, variables: list) -> None:
        super().build(variables)
        self.beta_2 = self.add_variable(
            (), initializer=keras.initializers.Constant(self.beta_2s[0]), name="beta_2"
        )

    def follow(self, done: Tensor) -> None:
        """Sets the learning rate and beta_2 of the next update.

        Args:
            done: float or scalar tensor of 0 or more; from 1 on nothing moves.
        """
        self.learning_rate.assign(cosine(*self.learning_rates, done))
        self.beta_2.assign(cosine(*self.beta_2s, done))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "learning_rate": self.learning_rates[0],
            "beta_2": self.beta_2s[0],
            "final_learning_rate": self.learning_rates[1],
            "final_beta_2": self.beta_2s[1],
        }


class Optimizers:
    """Several optimizers behind one face.

    Keras's trainer threads `variables` through a JAX step; its callbacks read
    and set the learning rate of each of `optimizers`.

    Args:
        optimizers: list of Keras optimizers, built.
    """

    built = True

    def __init__(self, optimizers: list[keras.optimizers.Optimizer]):
        self.optimizers = optimizers

    @property
    def variables(self) -> list[keras.Variable]:
        return [v for o in self.optimizers for v in o.variables]


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

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        start: int,
        end: int,
    ):
        start, end = check_decay((start, end))
        self.learning_rate = learning_rate
        self.start = start
        self.end = end

    def __call__(self, step):
        rate = self.learning_rate
        rate = rate(step) if callable(rate) else rate
        left = (self.end - ops.cast(step, "float32")) / (self.end - self.start)
        return rate * ops.clip(left, 0.0, 1.0)

    def get_config(self) -> dict:
        rate = self.learning_rate
        if callable(rate):
            rate = keras.saving.serialize_keras_object(rate)
        return {"learning_rate": rate, "start": self.start, "end": self.end}

    @classmethod
    def from_config(cls, config: dict) -> Self:
        if isinstance(config["learning_rate"], dict):
            config["learning_rate"] = keras.saving.deserialize_keras_object(
                config["learning_rate"]
            )
        return cls(**config)


def decay_linearly(optimizer: keras.optimizers.Optimizer, start: int, end: int) -> None:
    """Lets the learning rate of `optimizer`, or its schedule, fall to zero.

    Raises:
        ValueError: the optimizer has another `LinearDecay` already.
    """
    inner = getattr(optimizer, "inner_optimizer", optimizer)
    rate = learning_rate_of(optimizer)
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


def scale_losses(
    optimizer: keras.optimizers.Optimizer, networks: list[keras.Model]
) -> keras.optimizers.Optimizer:
    """Wraps `optimizer` for loss scaling where a network computes in float16.

    Small gradients would vanish in float16. An optimizer that is wrapped
    already is returned as it is.
    """
    wrapped = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    half = any(
        layer.dtype_policy.compute_dtype == "float16"
        for network in networks
        for layer in flatten_layers(network)
    )
    if wrapped or not half:
        return optimizer
    return keras.optimizers.LossScaleOptimizer(optimizer)


def check_rate(name: str, optimizer: keras.optimizers.Optimizer) -> None:
    """Refuses a learning rate that trains uphill or to NaN.

    Of a schedule it is the rate of its first step.

    Raises:
        ValueError: the rate is negative, infinite or NaN.
    """
    rate = learning_rate_of(optimizer)
    schedule = isinstance(rate, keras.optimizers.schedules.LearningRateSchedule)
    rate = float(ops.convert_to_numpy(rate(0) if schedule else rate))
    if not math.isfinite(rate) or rate < 0:
        raise ValueError(
            f"The rate of `{name}_optimizer` (--{name}_learning_rate) is a positive "
            "number, or 0, which leaves the weights of its networks as they are. "
            f"Received: {rate:g}."
        )


class RatesByName(keras.callbacks.Callback):
    """Puts learning rates into logs by the name of their optimizer.

    Keras's callbacks name them by the class, which several optimizers share:
    "learning_rate_adam" becomes "d_learning_rate" and "g_learning_rate".
    """

    def on_epoch_end(self, epoch: int, logs: dict) -> None:
        for name, optimizer in self.model.optimizers.items():
            logs.pop(f"learning_rate_{optimizer.name}", None)
            rate = ops.convert_to_numpy(optimizer.learning_rate)
            logs[f"{name}_learning_rate"] = float(rate)


def with_rates_by_name(callbacks: Any) -> Any:
    """Callbacks of `fit`, each that logs rates followed by `RatesByName`."""
    if callbacks is None or isinstance(callbacks, keras.callbacks.CallbackList):
        return callbacks
    logging = (keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau)
    return [
        one
        for callback in keras.tree.flatten(callbacks)
        for one in (
            [callback, RatesByName()] if isinstance(callback, logging) else [callback]
        )
    ]


def _of_keras(unknown, known):
    """What a GAN has in place of arguments of `keras.Model.compile`."""
    told = ""
    if "optimizer" in unknown:
        told = f" Give each side its own by {', '.join(known[:-1])} and {known[-1]}."
    if "loss" in unknown:
        told += " Drop `loss`: the losses are part of the GAN."
    if {"metrics", "weighted_metrics"} & set(unknown):
        told += (
            " Drop them: a GAN logs its losses and D's scores, and callbacks such as "
            "`keras_gans.callbacks.Evaluate` score samples."
        )
    return told


def check_compile(
    names: Collection[str], optimizers: dict, options: dict, own: dict, replicas: int
) -> None:
    """Checks the arguments of `BaseGAN.compile`.

    Args:
        names: names of the GAN's optimizers.
        optimizers: dict of an optimizer's name to what was given for it.
        options: dict, the arguments left for Keras.
        own: dict, `accumulate` and `rematerialize`.
        replicas: int.

    Raises:
        ValueError: an unknown option, one optimizer for several networks, or
            XLA on several replicas.
    """
    check_size("accumulate", own["accumulate"])
    one_of("rematerialize", own["rematerialize"], (True, False))
    given = [f"{name}_optimizer" for name in names]
    known = [*given, *own, *COMPILE_OPTIONS]
    missing = [n for n, o in optimizers.items() if o is not None and n not in names]
    unknown = sorted({*options, *(f"{n}_optimizer" for n in missing)})
    if unknown := [name for name in unknown if name not in known]:
        raise ValueError(
            f"`compile` of a GAN takes {', '.join(known)}. Received: "
            f"{', '.join(unknown)}.{hint(unknown[0], known)}{_of_keras(unknown, given)}"
        )
    objects = [
        o for o in optimizers.values() if isinstance(o, keras.optimizers.Optimizer)
    ]
    if len({id(o) for o in objects}) < len(objects):
        which = " and ".join(f"{name}_optimizer" for name in optimizers)
        raise ValueError(
            f"{which} are the same object. Make two: each "
            "keeps the moments of its own network."
        )
    if options.get("jit_compile") is True and replicas > 1:
        raise ValueError(
            "jit_compile=True does not work under a distribution strategy: XLA "
            "cannot reach the variables of another device. Drop it."
        )
