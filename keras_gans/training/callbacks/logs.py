"""The log of a run."""

import json
import pathlib
import time
import warnings

from keras_gans.training.callbacks.steps import StepCallback, idle_names
from keras_gans.utils import files
from keras_gans.utils.types import Path
from keras_gans.utils.validation import is_int, is_number


class JsonlLogger(StepCallback):
    """Writes a line of JSON every so many steps and at the end of each epoch.

    Lines with `"kind": "step"` hold what that step reported, those with
    `"kind": "epoch"` the means over the epoch, those with `"kind":
    "evaluation"` what `Evaluate` measured; all have `step`, `epoch` (from 0)
    and `time` (seconds since 1970).

    Args:
        path: str or path of the file; lines are added to it.
        every: int, steps between two lines.

    Raises:
        ValueError: `every` is no positive int.

    Example:

    ```python
    log = keras_gans.callbacks.JsonlLogger("metrics.jsonl", every=100)
    ```
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
        self._write("step", logs, 1)

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._write("epoch", logs or {}, self.epoch_step)

    def _write(self, kind, logs, steps):
        """Adds a line of the last so many steps, without what they left out."""
        idle = idle_names(self.model, self.step - steps, self.step)
        logs = {n: float(value) for n, value in logs.items() if n not in idle}
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
        with files.naming(self.path):
            self._append(json.dumps(row) + "\n")

    def _append(self, line):
        with open(self.path, "a") as f:
            f.write(line)

    def size(self) -> int:
        """Bytes written so far, by the process that writes."""
        if not self.model.engine.is_chief:
            return 0
        with files.naming(self.path):
            return self.path.stat().st_size

    def cut(self, size: int) -> None:
        """Drops all after the first `size` bytes, and lines that are damaged.

        Where lines are damaged or missing, a warning names them.

        Args:
            size: int, `log_size` of the position that training goes on from.
        """
        content = self.path.read_bytes() if self.path.exists() else b""
        # Of a line that has lost its end, what is left is damaged.
        lines = content[:size].splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n") and _row(line)]
        if len(content) < size or len(whole) < len(lines):
            warnings.warn(
                f"{self.path} is damaged: of {size:,} bytes that belong to the "
                f"steps before, {sum(map(len, whole)):,} are whole lines and are "
                "kept; plots lack the others.",
                stacklevel=2,
            )
        kept = b"".join(whole)
        if kept != content:
            files.write_bytes(self.path, kept)


def read_rows(path: Path) -> list[dict]:
    """The lines of a log as dicts; of damaged ones a warning tells."""
    lines = pathlib.Path(path).read_bytes().splitlines()
    rows = [_row(line) for line in lines]
    if None in rows:
        warnings.warn(
            f"{path}, line {rows.index(None) + 1} is damaged: it is no line that "
            f"training has written. {rows.count(None)} such lines are left out.",
            stacklevel=2,
        )
    return [row for row in rows if row is not None]


def _row(line):
    """A line as a dict; `None` where it is damaged."""
    try:
        row = json.loads(line)
        records = row.get("records", [])
        sound = (
            isinstance(row["kind"], str)
            and is_int(row["step"])
            and all(isinstance(r["name"], str) for r in records)
            and all(isinstance(r["metric"], str) for r in records)
            and all(is_number(r["value"]) for r in records)
        )
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    return row if sound else None
