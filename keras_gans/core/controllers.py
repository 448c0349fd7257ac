"""What runs after each step with its logs: moving averages, schedules, pools.

A controller is a layer, so that its state is in variables and checkpoints hold
it. A GAN sets its own at the end of its constructor,
`self.controllers["name"] = controller`, and its losses reach them there.
"""

import math
from typing import TYPE_CHECKING

import keras
from keras import ops

from keras_gans.augment import ADA
from keras_gans.utils.serialization import Configured
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_int, is_number, one_of, within

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN


class Controller(keras.layers.Layer):
    """The base of controllers: override `update`.

    State that must survive a restart is made by `add_state`. An update is part
    of the step: it is written in `keras.ops`, and every replica must come to
    the same: `gan.engine.mean_over_replicas(logs["d_loss"])` is that of all.

    Args:
        name: str, by which the state is saved; by default that of the class.

    Example:

    ```python
    class Steps(keras_gans.Controller):
        def __init__(self):
            super().__init__()
            self.done = self.add_state("done", 0.0)

        def update(self, gan, logs, rows):
            self.done.assign(self.done + 1.0)

    steps = Steps()
    steps.update(None, {}, 32)  # as a GAN does, of itself
    float(steps.done)  # 1.0
    ```
    """

    def __init__(self, name: str | None = None):
        super().__init__(name=name, dtype="float32")
        self.built = True

    def add_state(
        self,
        name: str,
        value: float = 0.0,
        shape: tuple[int, ...] = (),
        dtype: str = "float32",
    ) -> keras.Variable:
        """Makes a variable of state."""
        return self.add_weight(
            name=name,
            shape=shape,
            dtype=dtype,
            initializer=keras.initializers.Constant(value),
            trainable=False,
            aggregation="only_first_replica",
        )

    def update(self, gan: "BaseGAN", logs: dict, rows: Tensor) -> None:
        """Called after the phases of a step.

        Args:
            gan: `BaseGAN`; `gan.step` is still the number of this step, from 0.
            logs: dict of name to scalar tensor, of this replica.
            rows: int or scalar tensor, rows of a batch over all replicas.
        """
        raise NotImplementedError


@keras.saving.register_keras_serializable("keras_gans")
class EMA(Configured):
    """How the moving average of the generator is taken.

    At step t each weight becomes `decay(t) * average + (1 - decay(t)) * w`.

    Args:
        decay: float in (0, 1).
        rampup: "steps", `decay(t) = min(decay, (1 + t) / (10 + t))`; a float
            r above 0, `decay(t) = decay ** max(1, half / (r t))`, half the
            step after which a weight counts half: the average is then never
            longer than the share r of the training (arXiv:2006.06676); or
            `None`, `decay(t) = decay`.
        start: int, the step from which weights are averaged; before, they are
            copied.
        buffers: "averaged" or "copied", what happens to float variables that
            are not trained, such as the moving statistics of batch norm.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    gan = keras_gans.DCGAN((16, 16, 1), width=4, ema=keras_gans.EMA(
        0.999, rampup=None, start=1000, buffers="copied"
    ))
    ```
    """

    def __init__(
        self,
        decay: float,
        rampup: str | float | None = "steps",
        start: int = 0,
        buffers: str = "averaged",
    ):
        ok = is_number(decay) and 0 < decay < 1
        self.decay = within("ema", decay, ok, "(0, 1), or be None")
        ok = rampup in ("steps", None) or (is_number(rampup) and rampup > 0)
        self.rampup = within("rampup", rampup, ok, "(0, inf), or be 'steps' or None")
        ok = is_int(start) and start >= 0
        self.start = within("start", start, ok, "0, 1, ...")
        self.buffers = one_of("buffers", buffers, ("averaged", "copied"))

    def at(self, step: Tensor) -> Tensor:
        """The decay at a step: float32 scalar tensor."""
        t = ops.cast(step, "float32")
        if self.rampup == "steps":
            decay = ops.minimum(self.decay, (1.0 + t) / (10.0 + t))
        elif self.rampup is None:
            decay = ops.cast(self.decay, "float32")
        else:
            half = math.log(0.5) / math.log(self.decay)
            share = ops.maximum(half / (self.rampup * ops.maximum(t, 1e-8)), 1)
            decay = ops.exp(math.log(self.decay) * share)
        if self.start:
            decay = ops.where(t < self.start, 0.0, decay)
        return decay


def as_ema(ema: float | EMA | None) -> EMA | None:
    """Returns `ema` as `None` or an `EMA`; a float is its decay.

    Raises:
        ValueError: it is something else.
    """
    return ema if ema is None or isinstance(ema, EMA) else EMA(ema)


class MovingAverage(Controller):
    """The moving average of some networks.

    Args:
        settings: `EMA`.
        networks: dict of name to `keras.Model`, copies of those averaged, of
            which `gan.networks` has one of each name.
    """

    def __init__(self, settings: EMA, networks: dict[str, keras.Model]):
        super().__init__(name="ema")
        self.settings = settings
        self.networks = networks
        for network in networks.values():
            network.trainable = False

    def decay(self, gan: "BaseGAN", rows: Tensor) -> Tensor:
        """The decay of this step: scalar tensor; see `update`."""
        return self.settings.at(gan.step)

    def update(self, gan: "BaseGAN", logs: dict, rows: Tensor) -> None:
        decay = self.decay(gan, rows)
        shares = {}  # of the new weight, by dtype: made once for all weights
        copied = self.settings.buffers == "copied"
        for name, network in self.networks.items():
            own = gan.networks[name]
            trained = {id(v) for v in own.trainable_variables}
            for average, weight in zip(network.weights, own.weights, strict=True):
                averaged = keras.backend.is_float_dtype(weight.dtype)
                if copied and id(weight) not in trained:
                    averaged = False
                if averaged:
                    kind = weight.dtype
                    if kind not in shares:
                        shares[kind] = 1.0 - ops.cast(decay, kind)
                    average.assign_add(shares[kind] * (weight - average))
                else:
                    average.assign(weight)


class ImageAverage(MovingAverage):
    """A moving average whose half-life is counted in images: override it.

    Variables that are not trained are copied.

    Args:
        networks: dict of name to `keras.Model`, as of `MovingAverage`.
    """

    def __init__(self, networks: dict[str, keras.Model]):
        # Of its settings, buffers alone count.
        super().__init__(EMA(0.5, buffers="copied"), networks)

    def half_life(self, gan: "BaseGAN") -> Tensor:
        """How many images later a weight counts half: scalar tensor."""
        raise NotImplementedError

    def decay(self, gan: "BaseGAN", rows: Tensor) -> Tensor:
        half_life = ops.maximum(self.half_life(gan), 1e-8)
        return ops.power(0.5, ops.cast(rows, "float32") / half_life)


class RampedAverage(ImageAverage):
    """A moving average that is at first no longer than a share of the training.

    The GAN has an `ImageCount` among its controllers, as "images".

    Args:
        images: float above 0, the half-life.
        rampup: float of 0 or more, the largest share of the images so far that
            the half-life may be; 0 lifts that limit.
        networks: dict of name to `keras.Model`, as of `MovingAverage`.

    Reference:
        https://arxiv.org/abs/2006.06676
    """

    def __init__(self, images: float, rampup: float, networks: dict[str, keras.Model]):
        super().__init__(networks)
        self.images, self.rampup = images, rampup

    def half_life(self, gan: "BaseGAN") -> Tensor:
        if not self.rampup:
            return ops.convert_to_tensor(self.images, "float32")
        seen = ops.cast(gan.controllers["images"].value.value, "float32")
        return ops.minimum(seen * self.rampup, self.images)


class Schedule(Controller):
    """A number that changes with the step: a temperature, a weight, a gamma.

    In a loss it is `gan.controllers[name].value`.

    Args:
        start: float, the value at step 0.
        end: float, the value from step `steps` on.
        steps: int, how long it takes.
        kind: "linear", "exponential" (both values above 0) or "cosine".

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    temperature = keras_gans.core.controllers.Schedule(
        1.0, 0.01, steps=1000, kind="exponential"
    )
    float(temperature.at(500))  # 0.1
    ```
    """

    def __init__(
        self,
        start: float,
        end: float,
        steps: int,
        kind: str = "linear",
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.kind = one_of("kind", kind, ("linear", "exponential", "cosine"))
        for key, value in (("start", start), ("end", end)):
            ok = is_number(value) and math.isfinite(value)
            ok = ok and (kind != "exponential" or value > 0)
            within(key, value, ok, "(-inf, inf), above 0 where exponential")
        self.start, self.end = start, end
        self.steps = check_size("steps", steps)
        self.value = self.add_state("value", start)

    def at(self, step: Tensor) -> Tensor:
        """The value at a step: float32 scalar tensor."""
        done = ops.minimum(ops.cast(step, "float32") / self.steps, 1.0)
        if self.kind == "exponential":
            low, high = math.log(self.start), math.log(self.end)
            return ops.exp(low + (high - low) * done)
        if self.kind == "cosine":
            return cosine(self.start, self.end, done)
        return self.start + (self.end - self.start) * done

    def update(self, gan: "BaseGAN", logs: dict, rows: Tensor) -> None:
        self.value.assign(self.at(gan.step + 1))


class ImageCount(Controller):
    """Counts the samples that a GAN has learned from, over all replicas.

    What is scheduled by images, not by steps, is a function of `value`.
    """

    def __init__(self, name: str | None = None):
        super().__init__(name=name)
        self.value = self.add_state("value", 0, dtype="int32")

    def update(self, gan: "BaseGAN", logs: dict, rows: Tensor) -> None:
        self.value.assign_add(ops.cast(rows, "int32"))


def cosine(start: float, end: float, done: Tensor) -> Tensor:
    """From `start` to `end` along half a cosine, then constant.

    Args:
        start: float.
        end: float.
        done: scalar tensor of 0 or more, what is over; 1 is the end.
    """
    share = 0.5 - 0.5 * ops.cos(math.pi * ops.minimum(done, 1.0))
    return start + (end - start) * share


class RunningAverage(Controller):
    """The running mean of a log: `value += rate * (log - value)`.

    Path length regularisation compares with one (arXiv:1912.04958, equation 4).

    Args:
        log: str, which log; steps without it change nothing.
        rate: float in (0, 1].
        value: float, what it starts from.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    average = keras_gans.RunningAverage("d_loss", rate=0.1)
    average.value  # 0.0
    ```
    """

    def __init__(
        self, log: str, rate: float = 0.01, value: float = 0.0, name: str | None = None
    ):
        super().__init__(name=name)
        self.log = log
        ok = is_number(rate) and 0 < rate <= 1
        self.rate = within("rate", rate, ok, "(0, 1]")
        self.value = self.add_state("value", value)

    def update(self, gan: "BaseGAN", logs: dict, rows: Tensor) -> None:
        if self.log in logs:
            new = gan.engine.mean_over_replicas(logs[self.log])
            self.value.assign_add(self.rate * (new - self.value.value))


class AdaptiveP(Controller):
    """The p of an adaptive `ADA`, moved so that D does not overfit.

    Every `interval` steps `value` moves by as much as makes 1 in `kimg` thousands
    of samples: up where the mean sign of the logits of reals has been above
    `target` since, else down. It never is below 0.

    Args:
        ada: `ADA`.

    Reference:
        https://arxiv.org/abs/2006.06676, section 3.1
    """

    # Each as often as reals were seen: of D's loss, of a penalty apart.
    signs = ("d_sign", "d_reg_sign")

    def __init__(self, ada: ADA, name: str | None = None):
        super().__init__(name=name)
        self.ada = ada
        self.value = self.add_state("value")
        self.total = self.add_state("total")
        self.count = self.add_state("count")
        self.steps = self.add_state("steps", dtype="int32")

    @property
    def p(self) -> Tensor:
        """p of this step: float32 scalar tensor."""
        return 1.0 * self.value.value  # TensorFlow reads it here, not later

    def update(self, gan: "BaseGAN", logs: dict, rows: Tensor) -> None:
        means = [logs[name] for name in self.signs if name in logs]
        mean = gan.engine.mean_over_replicas(sum(means) / len(means))
        total = self.total.value + len(means) * mean
        count = self.count.value + len(means)
        steps = self.steps.value + 1
        p = self.value.value
        amount = ops.cast(rows, "float32") * self.ada.interval / (1000 * self.ada.kimg)
        moved = p + amount * ops.sign(total / count - self.ada.target)
        due = steps >= self.ada.interval
        self.value.assign(ops.where(due, ops.maximum(moved, 0.0), p))
        for state, new in ((self.total, total), (self.count, count)):
            state.assign(ops.where(due, 0.0, new))
        self.steps.assign(ops.where(due, 0, steps))


class ScheduledP(ImageCount):
    """The p of an `ADA` that goes along half a cosine; it counts images.

    Args:
        ada: `ADA` with p = (first, last).
    """

    def __init__(self, ada: ADA, name: str | None = None):
        super().__init__(name=name)
        self.ada = ada

    @property
    def p(self) -> Tensor:
        """p of this step: float32 scalar tensor."""
        done = ops.cast(self.value.value, "float32") / (1000 * self.ada.kimg)
        return cosine(*self.ada.p, done)
