"""One version of a model: a SavedModel whose signatures are run."""

from collections.abc import Mapping, Sequence
import contextlib
import json
import logging
import pathlib
import re
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans.serving import tensors
from keras_gans.serving.status import ServingError, invalid, shown
from keras_gans.serving.tensors import Spec

DEFAULT = "serving_default"
INIT = "__saved_model_init_op"  # TensorFlow's own, of a SavedModel's start
WARM_UP = pathlib.Path("assets.extra", "tf_serving_warmup_requests")
MOST_WARM_UPS = 1000
CLASS_NAMES = pathlib.Path("assets.extra", "class_names.json")
LABEL = "label"
# Of an exported model's own check of a value, see `core.signatures`.
OUT_OF_RANGE = re.compile(
    r"assertion failed: \[(?P<range>\w+ lies in \[[^\]]*\])\]"
    r".*?\[x \([^)]*\) = \] (?P<values>\[[^\]]*\])"
)
ABOUT_THE_GRAPH = ("Graph execution error:", "Detected at node")
REQUEST_ERRORS = (
    tf.errors.InvalidArgumentError,
    tf.errors.OutOfRangeError,
    tf.errors.FailedPreconditionError,
)


class Signature(NamedTuple):
    """A function of a SavedModel.

    Attributes:
        name: str.
        inputs: dict of a name to its `Spec`.
        outputs: dict of a name to its `Spec`.
        batched: bool, whether rows of several requests may be joined: the first
            axis of all inputs and outputs counts rows.
    """

    name: str
    inputs: dict[str, Spec]
    outputs: dict[str, Spec]
    batched: bool

    def wanted(self, names: Sequence[str]) -> tuple[str, ...]:
        """The outputs of these names; all where there are none.

        Raises:
            ServingError: the signature does not have one of them.
        """
        for name in names:
            if name not in self.outputs:
                raise invalid(
                    f"The signature {self.name} has the outputs "
                    f"{', '.join(sorted(self.outputs))}. Received: {shown(name)}."
                )
        return tuple(sorted(set(names) or self.outputs))

    def check(self, inputs: Mapping[str, np.ndarray]) -> int:
        """Refuses unsound inputs.

        Returns:
            The number of rows; 0 where the signature does not count them.

        Raises:
            ServingError: names, shapes or values are wrong.
        """
        tensors.check_names(self.inputs, inputs)
        for name, value in inputs.items():
            tensors.check(self.inputs[name], value)
        rows = {name: len(inputs[name]) for name, s in self.inputs.items() if s.batched}
        if len(set(rows.values())) > 1:
            raise invalid(f"All inputs have as many rows. Received: {rows}.")
        return max(rows.values(), default=0) if self.batched else 0


class Servable:
    """A loaded SavedModel.

    It is loaded as TensorFlow Serving loads it, by the loader of TensorFlow 1,
    and needs no Python code of the model's. Threads may `run` it at once.

    Args:
        directory: path of the SavedModel.

    Attributes:
        signatures: dict of a name to a `Signature`.
        definitions: dict of a name to the `SignatureDef` of the file.

    Raises:
        ValueError: it is damaged, or has no signature.
    """

    def __init__(self, directory: pathlib.Path):
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        try:
            with _without_deprecations():
                meta_graph = tf.compat.v1.saved_model.loader.load(
                    self._session, ["serve"], str(directory)
                )
        except Exception as error:  # of every kind, where it is damaged
            self._session.close()
            raise ValueError(f"{directory} cannot be loaded: {_first(error)}") from None
        self.definitions = {
            name: definition
            for name, definition in meta_graph.signature_def.items()
            if name != INIT
        }
        classes = _class_names(directory)
        self.signatures = {
            name: _signature(name, definition, classes)
            for name, definition in self.definitions.items()
        }
        if not self.signatures:
            self._session.close()
            raise ValueError(f"{directory} has no signature that could be served.")
        self._calls = {}

    def signature(self, name: str) -> Signature:
        """The signature of a name, "" being the default.

        Raises:
            ServingError: there is none.
        """
        key = name or DEFAULT
        if key not in self.signatures:
            raise invalid(
                f"The model has the signatures {', '.join(sorted(self.signatures))}. "
                f"Received: {shown(key)}."
            )
        return self.signatures[key]

    def run(
        self, name: str, inputs: Mapping[str, np.ndarray], outputs: Sequence[str]
    ) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            name: str, of the signature.
            inputs: dict of arrays that `Signature.check` has passed.
            outputs: names of the outputs to compute.

        Raises:
            ServingError: the model refuses the values, or fails.
        """
        call = self._calls.get((name, outputs)) or self._make_call(name, outputs)
        try:
            values = call(*(inputs[key] for key in sorted(inputs)))
        except REQUEST_ERRORS as error:
            raise invalid(_first(error)) from None
        except tf.errors.ResourceExhaustedError:
            raise ServingError(
                "RESOURCE_EXHAUSTED", "The model ran out of memory."
            ) from None
        except Exception as error:
            raise ServingError("INTERNAL", _first(error)) from None
        return dict(zip(outputs, values, strict=True))

    def _make_call(self, name, outputs):
        definition = self.definitions[name]
        feeds = [definition.inputs[key].name for key in sorted(definition.inputs)]
        fetches = [definition.outputs[key].name for key in outputs]
        graph = self._session.graph
        call = self._session.make_callable(
            [graph.get_tensor_by_name(name) for name in fetches],
            [graph.get_tensor_by_name(name) for name in feeds],
        )
        return self._calls.setdefault((name, outputs), call)

    def close(self) -> None:
        """Frees its memory."""
        self._calls.clear()
        self._session.close()


def warm_up(servable: Servable, directory: pathlib.Path) -> int:
    """Sends a model the requests that its exporter put beside it.

    Args:
        servable: the model.
        directory: path of its SavedModel.

    Returns:
        How many there were.

    Raises:
        ValueError: the file is damaged, or the model refuses one.
    """
    from tensorflow_serving.apis import prediction_log_pb2

    path = directory / WARM_UP
    if not path.is_file():
        return 0
    done = 0
    try:
        for record in tf.data.TFRecordDataset(str(path)).take(MOST_WARM_UPS):
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
            request = log.predict_log.request
            signature = servable.signature(request.model_spec.signature_name)
            tensors.check_names(signature.inputs, request.inputs)
            inputs = {
                name: tensors.from_proto(signature.inputs[name], proto)
                for name, proto in request.inputs.items()
            }
            signature.check(inputs)
            wanted = signature.wanted(request.output_filter)
            servable.run(signature.name, inputs, wanted)
            done += 1
    except Exception as error:  # of every kind, where it is damaged
        raise ValueError(
            f"{path}: request {done + 1} cannot be answered: {_first(error)} "
            "Remove the file, or write it anew."
        ) from None
    return done


@contextlib.contextmanager
def _without_deprecations():
    """TensorFlow calls its own loader, which TensorFlow Serving uses, deprecated."""
    log = tf.get_logger()
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        log.setLevel(level)


def _class_names(directory):
    """The names that the exporter put beside a model; none where they are damaged."""
    try:
        names = json.loads((directory / CLASS_NAMES).read_bytes())
    except (OSError, ValueError):
        return ()
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _signature(name, definition, classes):
    inputs = {key: _spec(key, info) for key, info in definition.inputs.items()}
    if LABEL in inputs:
        inputs[LABEL] = inputs[LABEL]._replace(classes=classes)
    outputs = {key: _spec(key, info) for key, info in definition.outputs.items()}
    specs = [*inputs.values(), *outputs.values()]
    batched = bool(inputs) and all(spec.batched for spec in specs)
    return Signature(name, inputs, outputs, batched)


def _spec(name, info):
    shape = info.tensor_shape
    sides = None
    if not shape.unknown_rank:
        sides = tuple(None if dim.size < 0 else dim.size for dim in shape.dim)
    return Spec(name, tf.dtypes.as_dtype(info.dtype), sides)


def _first(error):
    """The line that says what is wrong; TensorFlow adds others of the graph."""
    text = str(getattr(error, "message", error)).strip() or type(error).__name__
    lines = [line for line in text.splitlines() if line.strip()]
    while len(lines) > 1 and lines[0].startswith(ABOUT_THE_GRAPH):
        lines.pop(0)
    text = lines[0]
    found = OUT_OF_RANGE.search(text)
    if found:
        text = f"The input {found['range']}. Received: {found['values']}."
    return text if len(text) <= 300 else f"{text[:300]}..."
