"""A callback that keeps what a run's convolutions are computed by."""

from collections.abc import Callable

from keras_gans.training.callbacks.steps import StepCallback


class KeepKernels(StepCallback):
    """Hands over what is chosen while a run trains, before its next checkpoint.

    Args:
        keep: function of a dict, `gan.engine.choices.names`; called when there is
            more in it.

    Example:

    ```python
    kept = {}
    keep = keras_gans.callbacks.KeepKernels(kept.update)
    gan.fit(dataset, epochs=1, verbose=0, callbacks=[keep])
    ```
    """

    def __init__(self, keep: Callable[[dict], None]):
        super().__init__()
        self.keep = keep
        self._kept = 0

    def on_train_begin(self, logs: dict | None = None) -> None:
        super().on_train_begin(logs)
        self._kept = len(self._read_names())

    def _read_names(self):
        choices = self.model.engine.choices
        return {} if choices is None else choices.names

    def after_step(self, logs: dict | None) -> None:
        names = self._read_names()
        if len(names) > self._kept:
            self.keep(dict(names))
            self._kept = len(names)
