"""How long steps take, and training for a time instead of a number of them."""

import statistics
import sys
import time

import keras
from keras import ops


def _wait(logs):
    """For the end of the step: one of its values is read, whatever its phase has."""
    float(logs.get("d_loss", next(iter(logs.values()))))


class Clock(keras.callbacks.Callback):
    """Collects the seconds between the ends of steps."""

    def __init__(self):
        super().__init__()
        self.seconds = []
        self._last = None

    def on_train_batch_end(self, batch, logs=None):
        _wait(logs)
        now = time.perf_counter()
        if self._last is not None:  # the first waits for the data set
            self.seconds.append(now - self._last)
        self._last = now


# Seconds of the wall, or of this process: the latter say what one core can do on
# a machine that others use as well.
CLOCKS = {"wall": time.perf_counter, "cpu": time.process_time}


class Budget(keras.callbacks.Callback):
    """Ends `fit` some seconds after its first step, which includes tracing."""

    def __init__(self, seconds, clock="wall"):
        super().__init__()
        self.budget = seconds
        self.now = CLOCKS[clock]
        self.steps = 0

    def on_train_begin(self, logs=None):
        self._start = self.now()

    def on_train_batch_end(self, batch, logs=None):
        _wait(logs)
        now = self.now()
        if self.steps == 0:
            self.first_step_seconds, self._start = now - self._start, now
        self.steps += 1
        self.seconds = now - self._start
        if self.seconds >= self.budget:
            self.model.stop_training = True

    def on_epoch_end(self, epoch, logs=None):
        losses = ", ".join(f"{k} {float(v):.3f}" for k, v in logs.items())
        print(f"{self.steps} steps, {self.seconds:.0f} s: {losses}", flush=True)


def product_gflops(n=2048, turns=7):
    """How fast the machine is now: GFLOP/s of n x n matrix products."""
    a = keras.random.normal((n, n), seed=0)
    seconds = []
    for _ in range(turns):
        start = time.perf_counter()
        ops.convert_to_numpy(ops.matmul(a, a))
        seconds.append(time.perf_counter() - start)
    return round(2e-9 * n**3 / statistics.median(seconds), 1)


def train(model, dataset, minutes, images_a_step, watch=(), clock="wall"):
    """Trains for some minutes on an endless data set; returns what it took.

    Args:
        model: a GAN whose logs have "d_loss".
        dataset: `tf.data.Dataset`.
        minutes: float.
        images_a_step: int.
        watch: more callbacks.
        clock: str, of `CLOCKS`: what the minutes are of.
    """
    budget = Budget(60 * minutes, clock)
    epochs = {"epochs": sys.maxsize, "steps_per_epoch": 500}
    model.fit(dataset, verbose=0, shuffle=False, callbacks=[*watch, budget], **epochs)
    timed = (budget.steps - 1) * images_a_step
    return {
        "steps": budget.steps,
        "train_seconds": round(budget.seconds, 1),
        "first_step_seconds": round(budget.first_step_seconds, 1),
        "images_per_second": round(timed / budget.seconds, 1),
    }
