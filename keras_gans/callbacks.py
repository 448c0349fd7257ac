"""Callbacks for `fit`: what GANs need and Keras does not have."""

import json
import math
import pathlib
import time

import keras
from keras import ops

from keras_gans import checkpoints
from keras_gans import files
from keras_gans import images


class StepCallback(keras.callbacks.Callback):
    """Counts the steps of a GAN, over epochs and resumed runs.

    A subclass implements `after_step(logs)`, which is called after each step
    that was trained (not after those a resumed run passes over), and reads
    `self.step` (steps trained in all), `self.epoch` and `self.epoch_step`.

    Args:
        every: int, call `after_step` each time that many more steps are done.

    Raises:
        ValueError: `every` is no positive int.
    """

    def __init__(self, every=1):
        super().__init__()
        if not isinstance(every, int) or every < 1:
            raise ValueError(
                f"`every` must be a positive number of steps. Received: "
                f"{every!r}."
            )
        self.every = every

    def on_train_begin(self, logs=None):
        self.step = int(ops.convert_to_numpy(self.model.step))
        self._behind = self.step - self.model.steps_done

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
        self.epoch_step = 0

    def on_train_batch_end(self, batch, logs=None):
        # An execution of several steps may end early, with the epoch: `batch`
        # would count steps that were never taken.
        before = self.step
        self.step = self._behind + self.model.steps_done
        if self.step == before:  # passed over by a resumed run
            self.epoch_step = batch + 1
            return
        self.epoch_step += self.step - before
        if self.step // self.every > before // self.every:
            self.after_step(logs)

    def after_step(self, logs):
        pass


class SampleGrid(StepCallback):
    """Writes a grid of samples of one fixed set of latent codes.

    Args:
        directory: str or path; files are named `step-00000100.png`.
        every: int, steps between two grids.
        n: int, images a grid.
        seed: int, which latent codes.
        columns: int, images a row; by default a column for each class of a
            conditional GAN, and else a square grid.
        tensorboard_dir: str or path; also writes the grid as a TensorBoard
            summary there (needs TensorFlow).

    Example:

    ```python
    grids = keras_gans.callbacks.SampleGrid("samples", every=100)
    gan.fit(dataset, epochs=50, callbacks=[grids])
    ```
    """

    def __init__(
        self,
        directory,
        every=100,
        n=64,
        seed=0,
        columns=None,
        tensorboard_dir=None,
    ):
        super().__init__(every)
        self.directory = pathlib.Path(directory)
        self.n = n
        self.seed = seed
        self.columns = columns
        self._writer = None
        if tensorboard_dir is not None:
            import tensorflow as tf

            self._writer = tf.summary.create_file_writer(str(tensorboard_dir))

    def after_step(self, logs):
        self.write()

    def write(self):
        """Writes the grid of this step."""
        self.model.sync_state()
        samples = self.model.sample(self.n, seed=self.seed)
        path = self.directory / f"step-{self.step:08d}.png"
        columns = self.columns or self.model.grid_columns
        # A resumed run draws the same grid again.
        images.save_grid(path, samples, columns, overwrite=True)
        if self._writer is not None:
            import tensorflow as tf

            grid = images.make_grid(samples, columns)
            with self._writer.as_default():
                tf.summary.image("samples", grid[None], step=self.step)
            self._writer.flush()


class NanGuard(StepCallback):
    """Stops a training that has diverged, before it spoils a checkpoint.

    Put it before the callbacks that save.

    Raises:
        FloatingPointError: from `fit`, at the first loss, score or gradient
            norm that is NaN or infinite. Under loss scaling only losses and
            scores count: there, a step with infinite gradients is skipped.

    Example:

    ```python
    gan.fit(dataset, callbacks=[keras_gans.callbacks.NanGuard()])
    ```
    """

    def after_step(self, logs):
        for name, value in (logs or {}).items():
            if name in self._expected_infinite() or math.isfinite(value):
                continue
            values = ", ".join(f"{k}={float(v):.4g}" for k, v in logs.items())
            raise FloatingPointError(
                f"Training diverged at step {self.step}: {name} is "
                f"{float(value)} ({values}). Checkpoints written before stay. "
                "Try a lower learning rate, `clipnorm=1.0` in the optimizer, "
                "label smoothing, or float32 instead of mixed precision."
            )

    def _expected_infinite(self):
        scaled = isinstance(
            self.model.d_optimizer, keras.optimizers.LossScaleOptimizer
        )
        return self.model.norm_names if scaled else ()


class JsonlLogger(StepCallback):
    """Writes a line of JSON every so many steps and at the end of each epoch.

    Lines with `"kind": "step"` hold what that step reported, those with
    `"kind": "epoch"` the means over the epoch; both have `step`, `epoch` (from
    0) and `time` (seconds since 1970).

    Args:
        path: str or path of the file; lines are added to it.
        every: int, steps between two lines.
    """

    def __init__(self, path, every=10):
        super().__init__(every)
        self.path = pathlib.Path(path)

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.touch()

    def after_step(self, logs):
        self._write("step", logs)

    def on_epoch_end(self, epoch, logs=None):
        self._write("epoch", logs)

    def _write(self, kind, logs):
        row = {
            "kind": kind,
            "step": self.step,
            "epoch": self.epoch,
            **{name: float(value) for name, value in (logs or {}).items()},
            "time": round(time.time(), 3),
        }
        with open(self.path, "a") as f:
            f.write(json.dumps(row) + "\n")

    def size(self):
        """Bytes written so far."""
        return self.path.stat().st_size

    def cut(self, size):
        """Drops all after the first `size` bytes."""
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        if len(content) > size:
            with files.replacing(self.path) as temporary:
                temporary.write_bytes(content[:size])


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

    def __init__(self, directory, every, keep=2, logger=None, resumed=None):
        super().__init__(every)
        self.directory = pathlib.Path(directory)
        self.keep = keep
        self.logger = logger
        self.resumed = resumed
        self.last_saved = resumed.step if resumed else None
        self.last_logs = resumed.logs if resumed else None
        self._log_size = resumed.log_size if resumed else 0

    def on_train_batch_end(self, batch, logs=None):
        self.last_logs = logs
        # Before the line of the epoch, which a resumed run writes itself.
        self._log_size = self.logger.size() if self.logger else 0
        super().on_train_batch_end(batch, logs)

    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        latest = checkpoints.latest(self.directory)
        if latest and checkpoints.step_of(latest) > self.step:
            raise ValueError(
                f"{self.directory} holds {latest.name}, of a later step than "
                f"this training begins at. Received: step {self.step}. "
                "Restore that checkpoint, or choose another directory."
            )

    def on_epoch_begin(self, epoch, logs=None):
        super().on_epoch_begin(epoch, logs)
        if self.resumed is not None and epoch == self.resumed.epoch:
            # Keras has just reset the means of the epoch in progress.
            checkpoints.set_means(self.model, self.resumed.means)

    def after_step(self, logs):
        self.model.sync_state()
        position = checkpoints.Position(
            model=type(self.model).__name__,
            step=self.step,
            epoch=self.epoch,
            epoch_step=self.epoch_step,
            steps_per_epoch=self.params.get("steps"),
            logs={name: float(value) for name, value in (logs or {}).items()},
            means=checkpoints.means(self.model),
            log_size=self._log_size,
        )
        checkpoints.save(self.model, self.directory, position, self.keep)
        self.last_saved = self.step


class LossPlot(keras.callbacks.Callback):
    """Plots a `JsonlLogger`'s losses and scores at the end of each epoch.

    Args:
        log: str or path of the JSONL file.
        path: str or path of the PNG.
    """

    def __init__(self, log, path):
        super().__init__()
        self.log = pathlib.Path(log)
        self.path = pathlib.Path(path)

    def on_epoch_end(self, epoch, logs=None):
        self.plot()

    def plot(self):
        """Writes the plot; without a line in the log there is none."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        rows = [row for row in rows if row["kind"] == "step"]
        if not rows:
            return
        panels = {
            "loss": (*self.model.loss_names, *self.model.penalty_names),
            "mean output of D": self.model.score_names,
            "gradient norm": self.model.norm_names,
        }
        figure = Figure(figsize=(8, 9), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(panels), 1, sharex=True)
        for ax, (title, names) in zip(axes, panels.items(), strict=True):
            for name in names:
                ax.plot(
                    [row["step"] for row in rows],
                    [row[name] for row in rows],
                    label=name,
                    linewidth=0.8,
                )
            ax.set_ylabel(title)
            ax.grid(alpha=0.3)
            ax.legend()
        axes[-1].set_yscale("log")
        axes[-1].set_xlabel("step")
        with files.replacing(self.path) as temporary:
            figure.savefig(temporary, format="png", dpi=100)
