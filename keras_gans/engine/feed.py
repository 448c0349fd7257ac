"""What both backends do with the iterator that Keras hands to a step."""

import inspect

from keras.ops import is_tensor
from keras.src.trainers import data_adapters
from keras.src.trainers.data_adapters.data_adapter import DataAdapter
from keras.utils import PyDataset
import numpy as np

# Inputs of `fit` that Keras can shuffle, beside tensors.
SHUFFLED = (np.ndarray, tuple, list, PyDataset)


class Feed:
    """Takes whole steps from a Keras iterator; mixed into each engine.

    The first batch of every `fit` and `evaluate` is checked where it is taken,
    before anything is trained on it: no element of a one-shot generator is
    spent on looking. `steps_done` counts the steps trained, in Python.
    """

    labelled = False  # whether `check_every_batch` is due
    _check_next = True
    _before_first_step = True
    steps_to_skip = 0
    steps_done = 0
    _skipped_logs = None

    def take(self, iterator, batches, training):
        """Returns the next `batches` batches as a tuple.

        Raises:
            StopIteration: the data ended (a part of a step is dropped).
            ValueError: the first batch is no fit input, or there is none.
        """
        taken = []
        try:
            for _ in range(batches):
                batch = next(iterator)
                if self._check_next:
                    self.check_batch(self.local_batch(batch))
                    self._check_next = False
                if self.labelled:
                    self.check_every_batch(batch)
                taken.append(batch)
        except (StopIteration, *self.end_of_data):
            if self._before_first_step:
                raise ValueError(
                    f"The data set ended after {len(taken)} batches; one step "
                    f"takes {batches} (`d_steps`). Give more data, smaller "
                    "batches, or batches with `drop_remainder=False`."
                ) from None
            raise StopIteration from None
        self._before_first_step = False
        self.steps_done += training
        return tuple(taken)

    def start_feed(self):
        """Makes the next batch taken be checked."""
        self._check_next = True
        self._before_first_step = True

    def feed_inputs(self, x, y, kwargs):
        """The inputs `(x, y)` of `fit` in a form that Keras takes."""
        if x is None:
            raise ValueError("`fit` needs data. Received: x=None.")
        # Keras shuffles by default, and warns of data sets that it cannot.
        kwargs.setdefault("shuffle", isinstance(x, SHUFFLED) or is_tensor(x))
        if inspect.isgenerator(x):  # Keras wants tuples
            x = (tuple(b) if isinstance(b, list) else b for b in x)
            x = (b if isinstance(b, tuple) else (b,) for b in x)
        if self.d_steps == 1:
            return x, y
        if kwargs.get("validation_split"):
            raise ValueError(
                "`validation_split` does not go with d_steps > 1. Pass "
                "`validation_data` instead."
            )
        adapter = data_adapters.get_data_adapter(
            x=x,
            y=y,
            batch_size=kwargs.pop("batch_size"),
            sample_weight=kwargs.pop("sample_weight", None),
            class_weight=kwargs.pop("class_weight", None),
            shuffle=kwargs.pop("shuffle"),
        )
        return StepsAdapter(adapter, self.d_steps), None

    def skip_steps(self, steps, logs):
        """Lets the next `steps` training steps pass without data or updates.

        A run resumed in mid-epoch counts the steps it has behind it this way,
        so that Keras's epochs, progress bar and callbacks stay in line.

        Args:
            steps: int, how many steps to pass over.
            logs: dict of name to float, what those steps report.
        """
        self.steps_to_skip = steps
        self._skipped_logs = logs

    def skipping(self):
        """Whether the execution that is due is passed over; counts it."""
        if self.steps_to_skip <= 0:
            return False
        self.steps_to_skip -= self.steps_per_execution
        return True


class StepsAdapter(DataAdapter):
    """A data adapter that counts steps of several batches.

    Keras counts one batch a step; with `d_steps` batches a step, its epochs
    and progress bar must know how many whole steps the data holds.
    """

    def __init__(self, adapter, batches_per_step):
        self._adapter = adapter
        self._batches_per_step = batches_per_step

    @property
    def num_batches(self):
        batches = self._adapter.num_batches
        return None if batches is None else batches // self._batches_per_step

    @property
    def batch_size(self):
        return self._adapter.batch_size

    @property
    def has_partial_batch(self):
        return self._adapter.has_partial_batch

    @property
    def partial_batch_size(self):
        return self._adapter.partial_batch_size

    def get_numpy_iterator(self):
        return self._adapter.get_numpy_iterator()

    def get_tf_dataset(self):
        return self._adapter.get_tf_dataset()

    def get_jax_iterator(self):
        return self._adapter.get_jax_iterator()

    def get_torch_dataloader(self):
        return self._adapter.get_torch_dataloader()

    def on_epoch_begin(self):
        self._adapter.on_epoch_begin()

    def on_epoch_end(self):
        self._adapter.on_epoch_end()
