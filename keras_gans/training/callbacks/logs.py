"""The log of a run and its plot."""

import json
import pathlib
import time

import keras

from keras_gans.training.callbacks.steps import StepCallback
from keras_gans.utils import files
from keras_gans.utils.types import Path


class JsonlLogger(StepCallback):
    """Writes a line of JSON every so many steps and at the end of each epoch.

    Lines with `"kind": "step"` hold what that step reported, those with
    `"kind": "epoch"` the means over the epoch, those with `"kind":
    "evaluation"` what `Evaluate` measured; all have `step`, `epoch` (from 0)
    and `time` (seconds since 1970).

    Args:
        path: str or path of the file; lines are added to it.
        every: int, steps between two lines.
    """

    def __init__(self, path: Path, every: int = 10):
        super().__init__(every)
        self.path = pathlib.Path(path)

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        if self.model.engine.is_chief:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.touch()

    def after_step(self, logs: dict) -> None:
        self._write("step", logs)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._write("epoch", logs)

    def _write(self, kind, logs):
        logs = {name: float(value) for name, value in (logs or {}).items()}
        self.add(kind, self.step, logs)

    def add(self, kind: str, step: int, values: dict) -> None:
        """Adds a line.

        Args:
            kind: str.
            step: int.
            values: dict that JSON can hold.
        """
        if not self.model.engine.is_chief:
            return
        row = {
            "kind": kind,
            "step": step,
            "epoch": self.epoch,
            **values,
            "time": round(time.time(), 3),
        }
        with open(self.path, "a") as f:
            f.write(json.dumps(row) + "\n")

    def size(self) -> int:
        """Bytes written so far, by the process that writes."""
        return self.path.stat().st_size if self.model.engine.is_chief else 0

    def cut(self, size: int) -> None:
        """Drops all after the first `size` bytes."""
        if not self.path.exists():
            return
        content = self.path.read_bytes()
        if len(content) > size:
            with files.replacing(self.path) as temporary:
                temporary.write_bytes(content[:size])


class LossPlot(keras.callbacks.Callback):
    """Plots what a `JsonlLogger` wrote, at the end of each epoch.

    Losses, scores and gradient norms, and each metric that `Evaluate` measured.

    Args:
        log: str or path of the JSONL file.
        path: str or path of the PNG.
    """

    def __init__(self, log: Path, path: Path):
        super().__init__()
        self.log = pathlib.Path(log)
        self.path = pathlib.Path(path)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self.plot()

    def plot(self) -> None:
        """Writes the plot; without a line in the log there is none."""
        if not self.model.engine.is_chief:
            return
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        rows = [json.loads(line) for line in self.log.read_text().splitlines()]
        panels = self._panels(rows)
        if not panels:
            return
        figure = Figure(figsize=(8, 3 * len(panels)), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
        for ax, (title, curves) in zip(axes[:, 0], panels.items(), strict=True):
            for name, points in curves.items():
                # Evaluations are few: each is a point to be seen.
                marker = None if len(points) > 50 else "."
                ax.plot(
                    *zip(*points, strict=True), label=name, linewidth=0.8, marker=marker
                )
            ax.set_ylabel(title)
            ax.grid(alpha=0.3)
            ax.legend()
            if title == "gradient norm":
                ax.set_yscale("log")
        axes[-1, 0].set_xlabel("step")
        with files.replacing(self.path) as temporary:
            figure.savefig(temporary, format="png", dpi=100)

    def _panels(self, rows):
        """Title to {name: [(step, value), ...]}, of panels that have some."""
        steps = [row for row in rows if row["kind"] == "step"]
        panels = {
            title: {name: [(r["step"], r[name]) for r in steps] for name in names}
            for title, names in {
                "loss": (*self.model.loss_names, *self.model.penalty_names),
                "mean output of D": self.model.score_names,
                "gradient norm": self.model.norm_names,
            }.items()
            if steps
        }
        for row in rows:
            for record in row.get("records", ()):
                curves = panels.setdefault(record["name"], {})
                curve = curves.setdefault(record["metric"], [])
                curve.append((row["step"], record["value"]))
        return panels
