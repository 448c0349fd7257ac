"""Checkpoints of a run in progress."""

import contextlib
import dataclasses
import pathlib
import signal
import time

from keras_gans.training import checkpoints
from keras_gans.training.callbacks.logs import JsonlLogger
from keras_gans.training.callbacks.steps import StepCallback
from keras_gans.training.signals import StopSignals
from keras_gans.utils import files
from keras_gans.utils.locks import locked
from keras_gans.utils.types import Path


class Checkpoint(StepCallback):
    """Writes a checkpoint every so many steps, for `checkpoints.restore`.

    It also writes one where Ctrl-C, SIGTERM or SIGHUP asks the training to end:
    the step is finished, and validation is broken off; the checkpoint is
    written; a line says where it is and how to go on; and the program ends
    with the status 130, 143 or 129. A second Ctrl-C ends it at once. If a
    handler of your own was set before `fit`, it is called instead once the
    checkpoint is written, and training goes on where it returns. Former
    handlers come back when `fit` ends, however it ends. Signals reach the main
    thread alone, so a `fit` in another one does not see them. Of several
    processes that train together, all stop after the same step if one is told.

    Put it after the callbacks whose work belongs to a step, such as the logger.

    Args:
        directory: str or path, where checkpoints are collected.
        every: int, steps between two checkpoints.
        keep: int, how many of the newest to keep.
        logger: `JsonlLogger` of the same run: the checkpoint knows how much
            of its file belongs to it. Put it before this callback.
        resumed: `checkpoints.Position` that the run goes on from.
        resume: str, how to go on, for the line that a signal prints; by
            default the call that restores the checkpoint.

    Attributes:
        last_saved: int, the step of the newest checkpoint, or `None`.

    Raises:
        ValueError: from `fit`: the directory holds checkpoints of later steps,
            or another training writes into it.
        NotWrittenError: from `fit`, an `OSError`: the disk is full, or the
            like. The message says which checkpoint is safe.
        Interrupted: from `fit`, a `KeyboardInterrupt`: it was ended by Ctrl-C.
        SystemExit: from `fit`: it was ended by SIGTERM or SIGHUP.

    Example:

    ```python
    saver = keras_gans.callbacks.Checkpoint("checkpoints", every=100)
    gan.fit(dataset, epochs=1, callbacks=[saver])
    ```
    """

    def __init__(
        self,
        directory: Path,
        every: int,
        keep: int = 2,
        logger: JsonlLogger | None = None,
        resumed: checkpoints.Position | None = None,
        resume: str | None = None,
    ):
        super().__init__(every)
        self.directory = pathlib.Path(directory)
        self.keep = keep
        self.logger = logger
        self.resumed = resumed
        self.resume = resume
        self.last_saved = resumed.step if resumed else None
        self.last_logs = resumed.logs if resumed else None
        self._log_size = resumed.log_size if resumed else 0
        self._means = None
        self._began = None

    @property
    def seconds(self) -> float:
        """How long training has taken so far, over all resumes."""
        before = self.resumed.seconds if self.resumed else 0.0
        return before + (time.monotonic() - self._began if self._began else 0.0)

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        if self.model.engine.is_chief:
            self.model.during_fit.enter_context(locked(self.directory))
            files.sweep(self.directory, "step-*")
        latest = checkpoints.latest(self.directory)
        if latest and checkpoints.step_of(latest) > self.step:
            raise ValueError(
                f"{self.directory} holds {latest.name}, of a later step than "
                f"this training begins at. Received: step {self.step}. "
                "Restore that checkpoint, or choose another directory."
            )
        self._began = time.monotonic()
        self._stop = self.model.during_fit.enter_context(StopSignals())

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        super().on_epoch_begin(epoch, logs)
        self._means = None
        if self.resumed is not None and epoch == self.resumed.epoch:
            # Keras has just reset the means of the epoch in progress.
            checkpoints.set_means(self.model, self.resumed.means)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self.last_logs = logs
        # Before the line of the epoch, which a resumed run writes itself.
        self._log_size = self.logger.size() if self.logger else 0
        before = self.step
        super().on_train_batch_end(batch, logs)
        if self.step > before:
            self._obey_signals()

    def on_test_begin(self, logs: dict | None = None) -> None:
        # Validation has means of its own in the same place.
        self._means = checkpoints.means(self.model)

    def on_test_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._obey_signals()

    def on_train_end(self, logs: dict | None = None) -> None:
        self._obey_signals()

    def after_step(self, logs: dict) -> None:
        self.model.engine.sync_state()
        # All processes read the means, which are of all; one writes.
        position = self.position(logs, self._log_size)
        position = dataclasses.replace(
            position, means=self._means or position.means, seconds=self.seconds
        )
        if self.model.engine.is_chief:
            self._save(position)
        self.last_saved = self.step

    def _obey_signals(self):
        number = self.model.engine.largest(self._stop.received)
        if not number:
            return
        if self.last_saved != self.step:
            self.after_step(self.last_logs)
        if self.model.engine.is_chief:
            path = self.directory / f"step-{self.step:08d}"
            resume = self.resume or (
                f"keras_gans.training.checkpoints.restore(gan, {str(path)!r})"
            )
            name = signal.Signals(number).name
            with contextlib.suppress(OSError):  # the terminal may be gone
                print(
                    f"\nEnded by {name} after step {self.step}, which {path} "
                    f"holds. Go on with:\n  {resume}",
                    flush=True,
                )
        self.model.engine.barrier()  # nobody leaves while one still writes
        if self._stop.obey(number):
            self.model.stop_training = True

    def _save(self, position):
        with checkpoints.telling_what_is_safe(self.directory):
            if self.logger:  # the checkpoint counts on its lines
                with files.naming(self.logger.path):
                    files.sync(self.logger.path)
            checkpoints.save(self.model, self.directory, position, self.keep)
