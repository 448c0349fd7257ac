"""How far a training is and how long it still takes, on terminals and in files."""

import shutil
import sys
import time

from keras_gans.training import pretraining
from keras_gans.training.callbacks.saving import Checkpoint
from keras_gans.training.callbacks.steps import StepCallback, idle_names

SECONDS_REDRAWN = 0.5  # on a terminal, between two states of the line
SECONDS_FIRST = 10  # of steps that are timed before it tells a file, or warns
SECONDS = 60  # and between two lines after it


class Progress(StepCallback):
    """Prints the step, the time left of the whole training, and losses.

    On a terminal it is a line that changes in place. Elsewhere, such as in a
    log file, it is a line a minute, and one at the end, of plain text.

    Pass `verbose=0` to `fit`, which leaves out Keras's bar of each epoch.

    Args:
        steps: int, steps of the whole training, where their number is known.
        minutes: float, the time that it takes, where that is.
        checkpoint: `Checkpoint` of the same training, which knows what it has
            taken before it was resumed.

    Example:

    ```python
    progress = keras_gans.callbacks.Progress(steps=len(dataset))
    gan.fit(dataset, epochs=1, verbose=0, callbacks=[progress])
    ```
    """

    def __init__(
        self,
        steps: int | None = None,
        minutes: float | None = None,
        checkpoint: Checkpoint | None = None,
    ):
        super().__init__()
        self.steps = steps
        self.minutes = minutes
        self.checkpoint = checkpoint

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        self._began = time.monotonic()
        self._first = None  # when the first step was done, and which it was
        self._shown = self._logs = None
        self._expected = None  # the last step, where no number of steps is given
        self._warned = False  # that these only pre-train
        self._redrawn = sys.stdout is not None and sys.stdout.isatty()

    def after_step(self, logs: dict) -> None:
        now = time.monotonic()
        self._logs = logs
        if self._first is None:  # it took longer: it was compiled
            self._first = now, self.step
            self._due = now if self._redrawn else now + SECONDS_FIRST
        if now >= self._due:
            self._due = now + (SECONDS_REDRAWN if self._redrawn else SECONDS)
            self._show()
            if now >= self._first[0] + SECONDS_FIRST:
                self._warn()

    def on_train_end(self, logs: dict | None = None) -> None:
        if self._logs is not None and self._shown != self.step:
            self._show()
        if self._redrawn:
            print(flush=True)

    def _show(self):
        if not self.model.engine.is_chief:
            return
        self._shown = self.step
        line = self._line()
        if self._redrawn:
            width = shutil.get_terminal_size().columns - 1
            print(f"\r{line[:width]:{width}}", end="", flush=True)
        else:
            print(line, flush=True)

    def _warn(self):
        """Tells once that the time left is too short for the last phases."""
        if self._warned or self._expected is None or not self.model.engine.is_chief:
            return
        told = pretraining.before(self.model, self._expected, "At this rate, this")
        if told:
            print(f"\n{told}" if self._redrawn else told, flush=True)
            self._warned = True

    def _line(self):
        done = f"step {self.step:,}"
        if self.steps is not None:
            done += f" of {self.steps:,}"
        parts = [f"{done}, epoch {self.epoch + 1}"]
        since, first = self._first
        if self.step > first:
            a_step = (time.monotonic() - since) / (self.step - first)
            parts.append(f"{a_step:.3g} s a step")
            left = self._seconds_left(a_step)
            if left is not None:
                about = ""
                if self.steps is None:
                    self._expected = self.step + round(left / a_step)
                    about = f" (to step {self._expected:,} or so)"
                parts.append(f"{duration(left)} left{about}")
        idle = idle_names(self.model, 0, self.step)
        values = [
            f"{name} {float(self._logs[name]):.3f}"
            for name in (*self.model.loss_names, *self.model.score_names)
            if name in self._logs and name not in idle
        ]
        return ", ".join(parts) + ": " + ", ".join(values)

    def _seconds_left(self, a_step):
        if self.minutes is not None:
            done = time.monotonic() - self._began
            if self.checkpoint is not None:
                done = self.checkpoint.seconds
            return max(0.0, 60 * self.minutes - done)
        if self.steps is not None:
            return max(0, self.steps - self.step) * a_step
        return None


def duration(seconds: float) -> str:
    """Seconds as text: "2 h 5 min", "2 min 5 s", "5 s"."""
    seconds = round(seconds)
    minutes, hours = seconds // 60, seconds // 3600
    if hours:
        return f"{hours} h {minutes % 60} min"
    return f"{minutes} min {seconds % 60} s" if minutes else f"{seconds} s"
