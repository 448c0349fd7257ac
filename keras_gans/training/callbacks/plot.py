"""A plot of the log of a run."""

import pathlib
import time

from keras_gans.training.callbacks.logs import read_rows
from keras_gans.training.callbacks.steps import StepCallback
from keras_gans.utils import files
from keras_gans.utils.types import Path
from keras_gans.utils.validation import is_number


class LossPlot(StepCallback):
    """Plots what a `JsonlLogger` wrote: every so many steps, and in the end.

    Losses, scores and gradient norms, and each metric that `Evaluate` measured.
    A plot takes longer the longer the log is: it is left out where drawing would
    take more than a twentieth of the time.

    Args:
        log: str or path of the JSONL file.
        path: str or path of the PNG.
        every: int, steps between two plots.

    Raises:
        ValueError: `every` is no positive int.

    Example:

    ```python
    log = keras_gans.callbacks.JsonlLogger("metrics.jsonl")
    plot = keras_gans.callbacks.LossPlot("metrics.jsonl", "losses.png")
    gan.fit(dataset, epochs=1, callbacks=[log, plot])
    ```
    """

    def __init__(self, log: Path, path: Path, every: int = 100):
        super().__init__(every)
        self.log = pathlib.Path(log)
        self.path = pathlib.Path(path)
        self._next = 0.0
        self._drawn = None  # the size of the log that the plot shows

    def after_step(self, logs: dict) -> None:
        began = time.monotonic()
        if began >= self._next:
            self.plot()
            ended = time.monotonic()
            self._next = ended + 19 * (ended - began)

    def on_train_end(self, logs: dict | None = None) -> None:
        self.plot()

    def plot(self) -> None:
        """Writes the plot; without a new line in the log it stays as it is."""
        if not self.model.engine.is_chief:
            return
        size = self.log.stat().st_size
        if size == self._drawn and self.path.exists():
            return
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        rows = read_rows(self.log)
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
        self._drawn = size

    def _panels(self, rows):
        """Title to {name: [(step, value), ...]}, of panels that have some."""
        steps = [row for row in rows if row["kind"] == "step"]
        panels = {
            title: {n: curve for n in names if (curve := _curve(n, steps))}
            for title, names in {
                "loss": (*self.model.loss_names, *self.model.penalty_names),
                "mean output of D": self.model.score_names,
                "gradient norm": self.model.norm_names,
            }.items()
        }
        for row in rows:
            for record in row.get("records", ()):
                curves = panels.setdefault(record["name"], {})
                curve = curves.setdefault(record["metric"], [])
                curve.append((row["step"], record["value"]))
        return {title: curves for title, curves in panels.items() if curves}


def _curve(name, rows):
    """Steps and values of the lines that have one."""
    return [(row["step"], row[name]) for row in rows if is_number(row.get(name))]
