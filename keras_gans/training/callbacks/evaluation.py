"""Scores of a GAN while it trains."""

from collections.abc import Sequence
import dataclasses
import inspect
import pathlib
from typing import Any

from keras_gans.training import checkpoints
from keras_gans.training.callbacks.logs import JsonlLogger
from keras_gans.training.callbacks.steps import StepCallback
from keras_gans.utils import files
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Path

RECORD = "record.json"


class Evaluate(StepCallback):
    """Scores the samples of a GAN every so many steps, and keeps its best.

    Samples come from `gan.sample`, so from the moving average where there is
    one. Reals are read once, when training begins. Scoring changes nothing in
    training: with it and without, the same weights come out.

    At the end of each epoch the latest scores are in its logs by the name of
    their metric, for `EarlyStopping(monitor="kid", mode="min")`,
    `ModelCheckpoint` and others that come after it.

    Put it after the logger and before `Checkpoint`, so that a run that goes on
    from a checkpoint has every evaluation once. A directory of the best
    survives a killed run, together with its value.

    Args:
        real: real images, as `metrics.evaluate` takes them. Not the very
            data set that `fit` gets: reading one of `data.load` is an epoch.
        every: int, steps between two evaluations.
        metrics: names, see `metrics.evaluate`. The first decides which
            checkpoint is best: the lowest "fid" or "kid", the highest of
            others.
        n: int, samples of an evaluation. The Fréchet distance is biased by
            their number: compare values of one number only.
        network: see `metrics.evaluate`.
        seed: int, of the samples.
        log: `JsonlLogger` of the same run, which gets a line each time.
        directory: str or path where the best checkpoint is kept, for
            `checkpoints.restore(gan, directory)`; by default it is not kept.
        verbose: 0 or 1, whether to print each record.
        **options: other arguments of `metrics.evaluate`: `weights`,
            `input_size`, `resize`, `value_range`, `image_size`, `split`,
            `data_dir`, `settings`, `batch_size`, `cache_dir`.

    Attributes:
        records: list of `(step, records)`, what `fit` has measured.
        best: `(step, record)`, or `None` before the first evaluation.

    Raises:
        ValueError: an argument is unusable; `directory` holds the best of
            another training, or of another measure.

    Example:

    ```python
    reals = keras_gans.data.load("emoji:flat", image_size=16).take(1)
    scores = keras_gans.callbacks.Evaluate(
        reals, every=1000, metrics=["kid"], input_size=32, directory="best"
    )
    gan.fit(dataset, epochs=1, callbacks=[scores])
    ```
    """

    def __init__(
        self,
        real: Any,
        every: int = 1000,
        metrics: Sequence[str] = ("fid", "kid"),
        n: int = 1000,
        network: Any = "lite0",
        seed: int = 0,
        log: JsonlLogger | None = None,
        directory: Path | None = None,
        verbose: int = 1,
        **options,
    ):
        super().__init__(every)
        from keras_gans.metrics.table import METRICS, check_metrics, check_settings
        from keras_gans.utils.validation import check_count, check_seed

        self.metrics = check_metrics(metrics)
        check_settings(options.get("settings"), self.metrics)
        check_count(n)
        check_seed(seed)
        _check_options(options)
        self._lower = METRICS[self.metrics[0]].lower
        self.real = real
        self.n = n
        self.network = network
        self.seed = seed
        self.log = log
        self.directory = None if directory is None else pathlib.Path(directory)
        self.verbose = verbose
        self.options = options
        self.records = []
        self.best = None
        self._evaluator = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        self._find_best()
        if self._evaluator is None:  # another `fit` has the same reals
            self._evaluator = self._make_evaluator()

    def _make_evaluator(self):
        from keras_gans.metrics import sets
        from keras_gans.metrics.evaluation import Evaluator
        from keras_gans.metrics.features.network import FeatureNetwork

        sets.check_gan(self.model)
        options = dict(self.options)
        network = self.network
        if not isinstance(network, FeatureNetwork):
            names = ("weights", "input_size", "resize")
            own = {k: options.pop(k) for k in names if k in options}
            with self.model.engine.scope():
                network = FeatureNetwork(network, **own)
        return Evaluator(
            self.real, self.metrics, network, gan=self.model, verbose=0, **options
        )

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        if self.records and logs is not None:
            _, records = self.records[-1]
            logs |= {record.metric: record.value for record in records}

    def after_step(self, logs: dict) -> None:
        self.model.engine.sync_state()
        records = self._evaluator.score(self.model, self.n, self.seed)
        self.records.append((self.step, records))
        if self.verbose and self.model.engine.is_chief:
            print("", *records, sep="\n")
        if self.log is not None:
            values = {record.metric: record.value for record in records}
            rows = [dataclasses.asdict(record) for record in records]
            self.log.add("evaluation", self.step, {**values, "records": rows})
        if self._is_best(records[0]):
            self._keep(records[0], logs)

    def _is_best(self, record):
        if self.best is None:
            return True
        best = self.best[1]
        if _measure(best) != _measure(record):
            raise ValueError(
                "The best so far was measured otherwise. Received: "
                f"{record}, while {self.directory} holds {best}. Evaluate as "
                "before, or choose another directory."
            )
        if self._lower:
            return record.value < best.value
        return record.value > best.value

    def _keep(self, record, logs):
        self.best = (self.step, record)
        if self.directory is None:
            return
        position = self.position(logs, self.log.size() if self.log else 0)
        if self.model.engine.is_chief:
            notes = {RECORD: record.to_json()}
            checkpoints.write(self.model, self.directory, position, notes)

    def _find_best(self):
        """Takes up the best of a training that goes on."""
        if self.directory is None or self.best is not None:
            return
        checkpoints.check_target(self.directory, [RECORD])
        path = files.standing(self.directory)
        if (path / RECORD).is_file():
            self.best = _read_best(path)
        if self.best is not None and self.step == 0:
            raise ValueError(
                f"{self.directory} holds the best of another training, from "
                f"its step {self.best[0]}, while this one begins at 0. "
                "Restore a checkpoint of that one, or choose another "
                "directory."
            )


def _read_best(path):
    from keras_gans.metrics.record import Record

    position = checkpoints.read_position(path)
    return position.step, Record.from_json((path / RECORD).read_text())


def _measure(record):
    """All of a record that must agree for values to compare."""
    return dataclasses.replace(
        record, value=0.0, std=None, fake="", version=""
    ).to_json()


def _check_options(options):
    from keras_gans.metrics import evaluate

    parameters = inspect.signature(evaluate).parameters
    known = set(parameters) - {"fake"}
    for name in options:
        if name not in known:
            raise ValueError(
                f"Unknown argument of Evaluate. Received: {name!r}.{hint(name, known)}"
            )
