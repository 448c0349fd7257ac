"""Requests that wait, joined into batches."""

from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
import threading
import time
from typing import NamedTuple

import numpy as np

from keras_gans.serving.servable import Servable, Signature
from keras_gans.serving.status import ServingError, invalid
from keras_gans.utils import validation


class Options(NamedTuple):
    """How requests are joined.

    Attributes:
        max_batch_size: int, the most rows that the model is run on at once.
        batch_timeout: float, the seconds that rows wait for more of them.
        max_queue: int, the most rows that wait; further ones are refused.
        max_rows: int, the most rows of one request.
        num_batch_threads: int, the most batches that the model runs at once.
    """

    max_batch_size: int = 32
    batch_timeout: float = 0.002
    max_queue: int = 256
    max_rows: int = 256
    num_batch_threads: int = 2

    def check(self) -> "Options":
        """Returns itself.

        Raises:
            ValueError: one of them cannot be.
        """
        for name in ("max_batch_size", "max_queue", "max_rows", "num_batch_threads"):
            validation.check_size(name, getattr(self, name))
        ok = validation.is_number(self.batch_timeout) and 0 <= self.batch_timeout <= 10
        validation.within("batch_timeout", self.batch_timeout, ok, "[0, 10] seconds")
        return self


class Retired(Exception):
    """The version is about to go: ask for the model's present one."""


class _Task(NamedTuple):
    key: tuple  # tasks of one key can be joined
    signature: Signature
    inputs: dict
    outputs: tuple
    rows: int  # 0: not to be joined
    future: Future


class Batcher:
    """Runs a servable on as many waiting rows as there are.

    While the model runs, requests wait; then those that fit together are
    joined, up to `max_batch_size` rows, and padded to the next power of two, so
    that the model meets few sizes. Rows of a request beyond the size go through
    in parts. Where a joined batch fails, each request is run by itself.

    A batch that is full does not wait for the one that runs, up to
    `num_batch_threads` of them: cores that one leaves idle at its beginning and
    end work on the other.

    Args:
        servable: the model.
        options: `Options`.
        observe: function of the rows of each batch that was run.
    """

    def __init__(
        self,
        servable: Servable,
        options: Options,
        observe: Callable[[int], None] = lambda rows: None,
    ):
        self.servable = servable
        self.options = options
        self._observe = observe
        self._tasks = deque()
        self._waiting = 0  # rows
        self._running = 0  # batches
        self._changed = threading.Condition()
        self._retired = False
        self._threads = [
            threading.Thread(target=self._work, daemon=True)
            for _ in range(options.num_batch_threads)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """The rows that wait."""
        return self._waiting

    def submit(
        self, signature: Signature, inputs: Mapping[str, np.ndarray], outputs: tuple
    ) -> Future:
        """Takes a request.

        Args:
            signature: of the servable.
            inputs: dict of arrays by name.
            outputs: names of the outputs, from `Signature.wanted`.

        Returns:
            `Future` of a dict of arrays. Cancelled before its turn, it is not
            run.

        Raises:
            ServingError: the inputs are unsound, or too much waits already.
            Retired: the version takes no more requests.
        """
        rows = signature.check(inputs)
        if rows > self.options.max_rows:
            raise invalid(
                f"A request may have {self.options.max_rows} rows. Received: {rows}."
            )
        shapes = tuple((name, inputs[name].shape[1:]) for name in sorted(inputs))
        task = _Task(
            (signature.name, outputs, shapes),
            signature,
            dict(inputs),
            outputs,
            rows,
            Future(),
        )
        with self._changed:
            if self._retired:
                raise Retired
            if self._waiting and self._waiting + max(1, rows) > self.options.max_queue:
                raise ServingError(
                    "RESOURCE_EXHAUSTED",
                    f"{self._waiting} rows wait already, of {self.options.max_queue} "
                    "that may. Try again later.",
                )
            self._tasks.append(task)
            self._waiting += max(1, rows)
            self._changed.notify_all()
        task.future.add_done_callback(self._left)
        return task.future

    def _left(self, future):
        """Makes room where a request is cancelled before its turn."""
        if future.cancelled():
            with self._changed:
                for task in self._tasks:
                    if task.future is future:
                        self._tasks = deque(t for t in self._tasks if t is not task)
                        self._waiting -= max(1, task.rows)
                        self._changed.notify_all()
                        break

    def retire(self) -> None:
        """Answers what waits, then frees the servable. Returns when it is done."""
        with self._changed:
            self._retired = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self.servable.close()

    def _work(self):
        while tasks := self._next():
            self._run(tasks)
            tasks = None
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    def _next(self):
        """Waits for tasks that can be run together; none when all is done."""
        with self._changed:
            while True:
                while not self._tasks:
                    if self._retired:
                        return []
                    self._changed.wait()
                first = self._tasks[0]
                self._wait_for_more(first)
                if self._tasks and self._tasks[0] is first:  # else it has left
                    self._running += 1
                    return self._take(first)

    def _wait_for_more(self, first):
        deadline = time.monotonic() + self.options.batch_timeout
        while self._tasks and self._tasks[0] is first and not self._full(first.key):
            if self._running:
                self._changed.wait()
                continue
            left = deadline - time.monotonic()
            if left <= 0 or self._retired or not first.rows:
                break
            self._changed.wait(left)

    def _full(self, key):
        rows = 0
        for task in self._tasks:
            if task.key == key:
                rows += task.rows
                if rows >= self.options.max_batch_size:
                    return True
        return False

    def _take(self, first):
        """Takes the first task and those that can be joined to it."""
        taken, left, rows = [], deque(), 0
        for task in self._tasks:
            joins = task.rows and task.key == first.key
            fits = rows + task.rows <= self.options.max_batch_size
            if task is first or (first.rows and joins and fits):
                taken.append(task)
                rows += task.rows
            else:
                left.append(task)
        self._tasks = left
        self._waiting -= sum(max(1, task.rows) for task in taken)
        return taken

    def _run(self, tasks):
        # A client that has left is not worked for.
        live = [task for task in tasks if task.future.set_running_or_notify_cancel()]
        if not live:
            return
        try:
            answers = self._answers(live)
        except Exception as error:
            if len(live) == 1:
                live[0].future.set_exception(error)
                return
            answers = [self._alone(task) for task in live]
        for task, answer in zip(live, answers, strict=True):
            if isinstance(answer, Exception):
                task.future.set_exception(answer)
            else:
                task.future.set_result(answer)

    def _alone(self, task):
        try:
            return self._answers([task])[0]
        except Exception as error:
            return error

    def _answers(self, tasks):
        first = tasks[0]
        if not first.rows:
            self._observe(1)
            return [
                self.servable.run(first.signature.name, task.inputs, task.outputs)
                for task in tasks
            ]
        inputs = {
            name: np.concatenate([task.inputs[name] for task in tasks])
            for name in first.inputs
        }
        arrays = self._in_parts(first, inputs, sum(task.rows for task in tasks))
        ends = np.cumsum([task.rows for task in tasks])[:-1]
        parts = {name: np.split(value, ends) for name, value in arrays.items()}
        return [
            {name: parts[name][i] for name in first.outputs} for i in range(len(tasks))
        ]

    def _in_parts(self, task, inputs, rows):
        parts = []
        for start in range(0, rows, self.options.max_batch_size):
            stop = min(rows, start + self.options.max_batch_size)
            size = bucket(stop - start, self.options.max_batch_size)
            part = {
                name: _padded(value[start:stop], size) for name, value in inputs.items()
            }
            run = self.servable.run(task.signature.name, part, task.outputs)
            self._observe(stop - start)
            for name, value in run.items():
                if value.shape[:1] != (size,):
                    raise ServingError(
                        "INTERNAL", f"{name} does not have a row for each input's."
                    )
            parts.append({name: value[: stop - start] for name, value in run.items()})
        if len(parts) == 1:
            return parts[0]
        return {
            name: np.concatenate([part[name] for part in parts])
            for name in task.outputs
        }


def bucket(rows: int, most: int) -> int:
    """The size that `rows` rows are padded to: the next power of two, or `most`."""
    return min(most, 1 << (rows - 1).bit_length())


def _padded(value, size):
    """`value` with its last row repeated up to `size` rows."""
    missing = size - len(value)
    if not missing:
        return value
    return np.concatenate([value, np.repeat(value[-1:], missing, axis=0)])
