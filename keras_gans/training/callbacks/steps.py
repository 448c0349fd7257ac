"""What callbacks of GANs share: they count steps."""

import keras
from keras import ops

from keras_gans.training import checkpoints

ENDLESS = 10**9  # epochs of a `fit` that a callback ends


def idle_names(model: keras.Model, first: int, last: int) -> set[str]:
    """What the phases report that are part of no step from `first` to before `last`.

    Logs hold older values of these, or 0 where there is none yet.
    """
    return {
        name
        for phase in model.phases()
        if not phase.is_due_within(first, last)
        for name in (f"{phase.name}_loss", f"{phase.name}_grad_norm", *phase.logs)
    }


class StepCallback(keras.callbacks.Callback):
    """Counts the steps of a GAN, over epochs and resumed runs.

    A subclass implements `after_step(logs)`, which is called after each step
    that was trained (not after those a resumed run passes over), and reads
    `self.step` (steps trained in all), `self.epoch` and `self.epoch_step`.

    Args:
        every: int, call `after_step` each time that many more steps are done.

    Raises:
        ValueError: `every` is no positive int.

    Example:

    ```python
    class Heights(keras_gans.callbacks.StepCallback):
        def after_step(self, logs):
            print(self.step, logs["d_loss"])

    Heights(every=100)
    ```
    """

    def __init__(self, every: int = 1):
        super().__init__()
        if not isinstance(every, int) or every < 1:
            raise ValueError(
                f"`every` must be a positive number of steps. Received: {every!r}."
            )
        self.every = every

    def on_train_begin(self, logs: dict | None = None) -> None:
        self.step = int(ops.convert_to_numpy(self.model.step))
        self.epoch = self.epoch_step = 0
        self._behind = self.step - self.model.step_iterator.steps_done

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self.epoch = epoch
        self.epoch_step = 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        # An execution of several steps may end early, with the epoch: `batch`
        # would count steps that were never taken.
        before = self.step
        self.step = self._behind + self.model.step_iterator.steps_done
        if self.step == before:  # passed over by a resumed run
            self.epoch_step = batch + 1
            return
        self.epoch_step += self.step - before
        if self.step // self.every > before // self.every:
            self.after_step(logs)

    def after_step(self, logs: dict) -> None:
        pass

    def position(self, logs: dict, log_size: int) -> checkpoints.Position:
        """Where training stands, for a checkpoint.

        Args:
            logs: dict, what the step reported.
            log_size: int, bytes of the log that belong to the steps so far.
        """
        return checkpoints.Position(
            model=type(self.model).__name__,
            step=self.step,
            epoch=self.epoch,
            epoch_step=self.epoch_step,
            steps_per_epoch=self.params.get("steps"),
            logs={name: float(value) for name, value in (logs or {}).items()},
            means=checkpoints.means(self.model),
            log_size=log_size,
        )
