"""The beginning of a run in its directory: what stood there goes once it trains."""

from collections.abc import Sequence
import contextlib
import pathlib
from typing import Self

import keras

from keras_gans.training.nearby import ASIDE
from keras_gans.utils import files


class Beginning(keras.callbacks.Callback):
    """Keeps the run that a directory holds until a new one has trained a step.

    A context manager, around `fit`, and a callback of it. The old run lies aside
    meanwhile. If the block raises before a step is trained, what the new run has
    written is removed and the old one is back; after a kill, `recover` does so.

    Args:
        run_dir: path of the directory.
        contents: names of what a run writes there, its config last.
    """

    def __init__(self, run_dir: pathlib.Path, contents: Sequence[str]):
        super().__init__()
        self.run_dir = run_dir
        self.contents = contents
        self._begun = False

    def __enter__(self) -> Self:
        aside = self.run_dir / ASIDE
        aside.mkdir(parents=True)
        # The config last: with it, all of the old run lies aside.
        for name in self.contents:
            if (self.run_dir / name).exists():
                (self.run_dir / name).rename(aside / name)
        return self

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if not self._begun:
            files.remove(self.run_dir / ASIDE)
            self._begun = True

    def __exit__(self, kind, error, traceback) -> None:
        if self._begun:
            return
        if error is None:  # no step was left to train
            files.remove(self.run_dir / ASIDE)
            return
        with contextlib.suppress(OSError):  # the first error is to be seen
            self._give_back()

    def _give_back(self):
        aside = self.run_dir / ASIDE
        if not (aside / self.contents[-1]).exists():  # there was no run
            for name in self.contents:
                files.remove(self.run_dir / name)
        recover(self.run_dir, self.contents)
        self.run_dir.rmdir()  # fails where it is not empty


def recover(run_dir: pathlib.Path, contents: Sequence[str]) -> None:
    """Brings an old run back whose successor was killed before its first step.

    Args:
        run_dir: path of the directory.
        contents: as of `Beginning`.
    """
    aside = run_dir / ASIDE
    if not aside.exists():
        return
    *others, config = contents
    if (aside / config).exists():
        for name in contents:  # those of the new run
            files.remove(run_dir / name)
        (aside / config).rename(run_dir / config)
    # Without a config, the old run was on its way from or to its place.
    for name in others:
        if (aside / name).exists():
            (aside / name).rename(run_dir / name)
    files.remove(aside)
