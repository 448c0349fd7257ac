"""Checkpoints of a run in progress."""

import pathlib

from keras_gans.training import checkpoints
from keras_gans.training.callbacks.logs import JsonlLogger
from keras_gans.training.callbacks.steps import StepCallback
from keras_gans.utils.types import Path


class Checkpoint(StepCallback):
    """Writes a checkpoint every so many steps, for `checkpoints.restore`.

    Args:
        directory: str or path, where checkpoints are collected.
        every: int, steps between two checkpoints.
        keep: int, how many of the newest to keep.
        logger: `JsonlLogger` of the same run: the checkpoint knows how much
            of its file belongs to it. Put it before this callback.
        resumed: `checkpoints.Position` that the run goes on from.
    """

    def __init__(
        self,
        directory: Path,
        every: int,
        keep: int = 2,
        logger: JsonlLogger | None = None,
        resumed: checkpoints.Position | None = None,
    ):
        super().__init__(every)
        self.directory = pathlib.Path(directory)
        self.keep = keep
        self.logger = logger
        self.resumed = resumed
        self.last_saved = resumed.step if resumed else None
        self.last_logs = resumed.logs if resumed else None
        self._log_size = resumed.log_size if resumed else 0

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.last_logs = logs
        # Before the line of the epoch, which a resumed run writes itself.
        self._log_size = self.logger.size() if self.logger else 0
        super().on_train_batch_end(batch, logs)

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        latest = checkpoints.latest(self.directory)
        if latest and checkpoints.step_of(latest) > self.step:
            raise ValueError(
                f"{self.directory} holds {latest.name}, of a later step than "
                f"this training begins at. Received: step {self.step}. "
                "Restore that checkpoint, or choose another directory."
            )

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        if self.resumed is not None and epoch == self.resumed.epoch:
            # Keras has just reset the means of the epoch in progress.
            checkpoints.set_means(self.model, self.resumed.means)

    def after_step(self, logs: dict) -> None:
        self.model.engine.sync_state()
        # All processes read the means, which are of all; one writes.
        position = self.position(logs, self._log_size)
        if self.model.engine.is_chief:
            checkpoints.save(self.model, self.directory, position, self.keep)
        self.last_saved = self.step
