"""From Keras's iterators to the batches of whole training steps."""

from collections.abc import Iterable, Iterator
import inspect
from typing import TYPE_CHECKING, Any

from keras.ops import is_tensor
from keras.utils import PyDataset
import numpy as np

from keras_gans.engine.keras_internals import DataAdapter, get_data_adapter
from keras_gans.utils import errors

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN


# Inputs of `fit` that Keras can shuffle, beside tensors.
SHUFFLED = (np.ndarray, tuple, list, PyDataset)


class StepIterator:
    """Takes whole steps from a Keras iterator, and counts them.

    The first batch of every `fit` and `evaluate` is checked where it is taken,
    before anything is trained on it: no element of a one-shot generator is
    spent on looking.

    Args:
        gan: `BaseGAN`.
        end_of_data: exceptions by which the backend's iterators end, beside
            `StopIteration`.

    Attributes:
        steps_done: int, steps trained since the model was made.
    """

    def __init__(self, gan: "BaseGAN", end_of_data: tuple[type[Exception], ...] = ()):
        self._gan = gan
        self._end_of_data = end_of_data
        self._check_next = True
        self._before_first_step = True
        self._before_epoch = True
        self._next_step = None
        self._steps_to_skip = 0
        self._skipped_logs = None
        self.steps_done = 0

    def start(self) -> None:
        """Makes the next batch taken be checked, and the step be looked up."""
        self._check_next = True
        self._before_first_step = True
        self._next_step = None

    def start_epoch(self) -> None:
        """Makes the next step check that what is trained is still the same.

        Callbacks may have frozen a layer, the last of them just before it.
        """
        self._before_epoch = True

    def take(self, iterator: Iterator, batches: int, trains: bool = False) -> tuple:
        """Returns the next `batches` batches as a tuple.

        Args:
            iterator: iterator of batches.
            batches: int, how many.
            trains: bool, whether they are trained on.

        Raises:
            StopIteration: the data ended (a part of a step is dropped).
            ValueError: the first batch is no fit input, or there is none; or
                a data pipeline met an image file that it cannot read.
        """
        taken = []
        try:
            for _ in range(batches):
                batch = next(iterator)
                if self._check_next:
                    local = self._gan.engine.local_batch(batch)
                    self._gan.check_batch(local)
                    self._check_next = False
                self._gan.check_every_batch(batch, trains)
                taken.append(batch)
        except (StopIteration, *self._end_of_data):
            if self._before_first_step:
                count = "1 batch" if len(taken) == 1 else f"{len(taken)} batches"
                raise ValueError(
                    f"The data set ended after {count}; one step takes {batches} "
                    "(`d_steps`). Give more data, smaller batches, or batches with "
                    "`drop_remainder=False`."
                ) from None
            raise StopIteration from None
        except Exception as error:
            if (known := errors.of_input(error)) is None:
                raise
            raise known from None
        self._before_first_step = False
        return tuple(taken)

    def take_step(self, iterator: Iterator) -> tuple[dict[str, None], tuple]:
        """Returns `(due, batches)` of the next training step.

        `due` names its phases, in a dict without values: as part of the data's
        structure it decides which graph is run, and no number is exchanged
        with the device for it.
        """
        if self._before_epoch:
            self._gan.check_trained()
            self._before_epoch = False
        batches = self.take(iterator, self._gan.batches_per_step, trains=True)
        for batch in batches:
            self._gan.engine.check_even(batch)
        phases = self._gan.phases()
        due = phases
        if not all(phase.always for phase in phases):
            if self._next_step is None:
                self._next_step = self._gan.engine.current_step()
            due = [p for p in phases if p.is_due(self._next_step)]
            self._next_step += 1
        self.steps_done += 1
        return {phase.name: None for phase in due}, batches

    def inputs(self, x: Any, y: Any, kwargs: dict) -> tuple:
        """The inputs `(x, y)` of `fit` in a form that Keras takes."""
        if x is None:
            raise ValueError("`fit` needs data. Received: x=None.")
        # Keras shuffles by default, and warns of data sets that it cannot.
        kwargs.setdefault("shuffle", isinstance(x, SHUFFLED) or is_tensor(x))
        if inspect.isgenerator(x):  # Keras wants tuples
            x = (tuple(b) if isinstance(b, list) else b for b in x)
            x = (b if isinstance(b, tuple) else (b,) for b in x)
        batches = self._gan.batches_per_step
        if batches == 1:
            return x, y
        if kwargs.get("validation_split"):
            raise ValueError(
                "`validation_split` does not go with d_steps > 1. Pass "
                "`validation_data` instead."
            )
        adapter = get_data_adapter(
            x=x, y=y, batch_size=kwargs.pop("batch_size"), shuffle=kwargs.pop("shuffle")
        )
        return StepsAdapter(adapter, batches), None

    def skip_steps(self, steps: int, logs: dict[str, float]) -> None:
        """Lets the next `steps` training steps pass without data or updates.

        A run resumed in mid-epoch counts the steps it has behind it this way,
        so that Keras's epochs, progress bar and callbacks stay in line.

        Args:
            steps: int, how many steps to pass over.
            logs: dict of name to float, what those steps report.
        """
        if steps % self._gan.steps_per_execution:
            raise ValueError(
                "A run is resumed between executions. Received: "
                f"{steps} steps behind it, and steps_per_execution="
                f"{self._gan.steps_per_execution}. Compile with 1."
            )
        self._steps_to_skip = steps
        self._skipped_logs = logs
        self._gan.note_reported(logs)

    def skipped(self) -> dict[str, float] | None:
        """The logs of an execution that is passed over, else `None`."""
        if self._steps_to_skip <= 0:
            return None
        self._steps_to_skip -= self._gan.steps_per_execution
        return self._skipped_logs


class StepsAdapter(DataAdapter):
    """A data adapter that counts steps of several batches.

    Keras counts one batch a step; with several, its epochs and progress bar
    must know how many whole steps the data holds.
    """

    def __init__(self, adapter: DataAdapter, batches_per_step: int):
        self._adapter = adapter
        self._batches_per_step = batches_per_step

    @property
    def num_batches(self) -> int | None:
        batches = self._adapter.num_batches
        return None if batches is None else batches // self._batches_per_step

    @property
    def batch_size(self) -> int | None:
        return self._adapter.batch_size

    @property
    def has_partial_batch(self) -> bool:
        return self._adapter.has_partial_batch

    @property
    def partial_batch_size(self) -> int | None:
        return self._adapter.partial_batch_size

    def get_numpy_iterator(self) -> Iterable:
        return self._adapter.get_numpy_iterator()

    def get_tf_dataset(self) -> Iterable:
        return self._adapter.get_tf_dataset()

    def get_jax_iterator(self) -> Iterable:
        return self._adapter.get_jax_iterator()

    def get_torch_dataloader(self) -> Iterable:
        return self._adapter.get_torch_dataloader()

    def on_epoch_begin(self) -> None:
        self._adapter.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self._adapter.on_epoch_end()
