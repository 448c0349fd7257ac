"""The data that a GAN is given: made readable, and checked batch by batch."""

from collections.abc import Iterator
import inspect
import os
from typing import TYPE_CHECKING, Any
import warnings

import keras
import numpy as np

from keras_gans.core.inputs import Input, Label, Text, strings_in
from keras_gans.modalities import Modality, Tokens
from keras_gans.utils.errors import outside
from keras_gans.utils.validation import agree

if TYPE_CHECKING:
    from keras_gans.core.gan import BaseGAN

ROWS_PER_CLASS = 100  # of rows without one class, before a warning


# --- Before Keras reads it ---


def refuse_weights(arguments: dict) -> None:
    """Takes the weights of rows out of arguments of Keras.

    Raises:
        ValueError: some are given.
    """
    for name in ("sample_weight", "class_weight"):
        if arguments.pop(name, None) is not None:
            raise ValueError(
                f"A GAN does not take `{name}`: its losses count all rows "
                f"alike. Received: {name}. Repeat or leave out rows of the "
                "data instead."
            )


def readable(gan: "BaseGAN", x: Any, y: Any = None) -> tuple[Any, Any]:
    """Data as Keras takes it: sentences become vectors, on every way in.

    Args:
        gan: `BaseGAN`.
        x: what `fit` takes.
        y: what `fit` takes.

    Raises:
        ValueError: arrays of unlike lengths, or strings that nothing encodes.
    """
    if isinstance(x, dict) or x is None:
        return x, y
    if isinstance(x, (str, bytes, os.PathLike)):
        raise ValueError(
            f"{type(gan).__name__} trains on arrays and data sets. Received: the path "
            f"{os.fspath(x)!r}. Load it by a loader of `keras_gans.data`, such as "
            "`load(path, image_size=64)`."
        )
    several = isinstance(x, (list, tuple)) and any(map(_is_array, x))
    if several and gan.fields[0] == "real" and _is_array(x[0]):
        shape = tuple(x[0].shape)
        alike = all(_is_array(part) and tuple(part.shape) == shape for part in x)
        if alike and agree(shape, gan.modality.shape):
            raise ValueError(
                f"{type(gan).__name__} trains on one array of "
                f"{gan.modality.tensor_name}. Received: {len(x)} arrays of shape "
                f"{shape} in a {type(x).__name__}. Stack them by `np.stack(x)`."
            )
    if several or _is_array(x) or strings_in(x) is not None:
        parts = [*x] if several else [x]
        one = not isinstance(y, tuple) or strings_in(y) is not None
        parts += [] if y is None else [y] if one else [*y]
        parts = _encoded(gan, parts)
        _check_lengths(gan, parts)
        return parts[0], (tuple(parts[1:]) if len(parts) > 2 else (*parts, None)[1])
    if not any(isinstance(i, Text) and i.encoder for i in gan.inputs):
        return x, y
    if inspect.isgenerator(x):
        return (tuple(_encoded(gan, gan.parts(batch))) for batch in x), y
    if isinstance(x, keras.utils.PyDataset):
        return _EncodedDataset(gan, x), y
    if hasattr(x, "element_spec"):
        return _encoded_pipeline(gan, x), y
    return x, y


def check_arrays(gan: "BaseGAN", x: Any, y: Any) -> None:
    """Checks the values of all rows, where `fit` is given arrays.

    Shapes, and labels, are checked as batches come, but for one sample that is
    given as if it were many: its rows come then.

    Args:
        gan: `BaseGAN`.
        x: what `readable` returned.
        y: what `readable` returned.

    Raises:
        ValueError: NaN, a value out of range, or another type.
    """
    if not _is_array(x):
        return
    inputs = {i.name: i for i in gan.inputs}
    parts = gan.given_parts((x, *(y if isinstance(y, tuple) else (y,))))
    told = dict(zip(gan.fields, gan.pair_names or gan.fields, strict=False))
    for name, part in parts.items():
        one = inputs.get(name, gan.modality)
        if (
            _is_array(part)
            and len(part)
            and name not in gan.further_fields
            and not getattr(one, "checks_every_batch", False)
        ):
            try:
                if isinstance(modality := getattr(one, "modality", one), Modality):
                    modality.check_several(part)
                one.check_all(part)
            except ValueError as error:
                if gan.pair_names is None:
                    raise
                raise ValueError(f"In {told[name]}: {error}") from None


def _is_array(x):
    return hasattr(x, "shape") and not isinstance(x, keras.KerasTensor)


def _encoded(gan, parts):
    """The parts of a batch, or of all data, with strings read by their input."""
    inputs = {i.name: i for i in gan.inputs if not i.drawn}
    encoded = []
    for k, part in enumerate(parts):
        name = gan.fields[k] if k < len(gan.fields) else None
        strings = strings_in(part) is not None
        if strings and name not in inputs:
            remedy = "Number classes, or pass sentences to a GAN with a `Text` input."
            if isinstance(gan.modality, Tokens):
                remedy = (
                    "Write sentences into a file, a line each: `data.tokens_of` finds "
                    "its tokens, and `data.load_lines` reads it as their numbers."
                )
            raise ValueError(
                f"{type(gan).__name__} trains on ({', '.join(gan.fields)}), as "
                f"numbers. Received: strings as part {k + 1}. {remedy}"
            )
        if strings or (isinstance(inputs.get(name), Text) and not _is_array(part)):
            part = inputs[name].check(part)
        # Keras takes a list for parts of a batch, not for rows.
        encoded.append(np.asarray(part) if isinstance(part, list) else part)
    return encoded


def _check_lengths(gan, parts):
    sizes = [len(part) for part in parts if np.ndim(part)]
    if len(set(sizes)) > 1:
        raise ValueError(
            f"{type(gan).__name__} takes as many rows of each of "
            f"({', '.join(gan.fields)}), row by row. Received: "
            f"{' and '.join(map(str, sizes))} rows. Leave some out; domains of "
            "unlike sizes are shuffled apart by `keras_gans.data.load_unpaired`."
        )


class _EncodedDataset(keras.utils.PyDataset):
    """Batches of another data set, their sentences as vectors."""

    def __init__(self, gan, dataset):
        super().__init__(
            dataset.workers, dataset.use_multiprocessing, dataset.max_queue_size
        )
        self._gan, self._dataset = gan, dataset

    @property
    def num_batches(self):
        return self._dataset.num_batches

    def __getitem__(self, index):
        return tuple(_encoded(self._gan, self._gan.parts(self._dataset[index])))

    def on_epoch_begin(self):
        self._dataset.on_epoch_begin()

    def on_epoch_end(self):
        self._dataset.on_epoch_end()


def _encoded_pipeline(gan, dataset):
    """A `tf.data.Dataset` whose sentences become vectors."""
    import tensorflow as tf

    from keras_gans.data.python_calls import python_call

    texts = {gan.fields.index(i.name): i for i in gan.inputs if isinstance(i, Text)}

    def encode(*parts):
        encoded = list(gan.parts(parts))
        for k, text in texts.items():
            if k < len(encoded) and encoded[k].dtype == tf.string:
                encoded[k] = python_call(text.check, [encoded[k]], tf.float32)
                encoded[k].set_shape((None, text.dim))
        return tuple(encoded)

    return dataset.map(encode)


# --- As it comes ---


def check_first(gan: "BaseGAN", batch: Any) -> dict[str, np.ndarray]:
    """Checks the first batch of a `fit`, as NumPy arrays.

    Returns:
        Its parts by name, but for labels, which `check_each` checks.

    Raises:
        ValueError: the samples are not what the generator makes, or the inputs
            not what it takes.
    """
    parts, fields = gan.parts(batch), gan.fields
    if isinstance(parts[0], dict):
        raise ValueError(
            "Data sets yield samples or tuples of them. Received: a dict "
            f"with keys {', '.join(map(str, parts[0]))}. Map it first, e.g. "
            "`ds.map(lambda row: row['image'])`."
        )
    _check_count(gan, parts)
    if len(parts) > max(2, len(fields)):
        refuse_weights({"sample_weight": parts[-1]})
    read = dict(zip(fields, parts, strict=False))
    gan.modality.check(read["real"])
    for part in parts[len(fields) :]:
        _refuse_samples(gan, np.asarray(part))
    if len(parts) > len(fields):
        _warn_of_labels(gan, len(parts))
    for i in gan.inputs:
        if not i.drawn and not i.checks_every_batch:
            i.check(read[i.name])
    sizes = {name: len(part) for name, part in read.items()}
    if len(set(sizes.values())) > 1:
        raise ValueError(
            "The parts of a batch have one number of rows. Received: "
            f"{', '.join(f'{n} of {name}' for name, n in sizes.items())}."
        )
    return read


def check_each(gan: "BaseGAN", batch: Any) -> Iterator[tuple[Input, np.ndarray]]:
    """Checks what may differ from batch to batch, such as labels.

    Yields:
        `(input, its values)`, of all rows of this process.

    Raises:
        ValueError: they are missing, or do not fit.
    """
    for i in gan.inputs:
        if i.checks_every_batch:
            parts = gan.parts(batch)
            _check_count(gan, parts)
            place = gan.fields.index(i.name)
            yield i, i.check(gan.engine.all_rows(parts[place]))


class ClassesSeen:
    """The classes of the rows that a GAN was trained on, as labels pass by.

    It warns once of those that had no row: where the data ends, or after
    `ROWS_PER_CLASS` times as many rows as there are classes.
    """

    def __init__(self):
        self._seen, self._rows = {}, {}  # by label
        self._has_warned = False

    def note(self, label: Label, values: np.ndarray) -> None:
        """Notes the classes of a batch, ints on the host."""
        if label.name not in self._seen:
            self._seen[label.name] = np.zeros(label.num_classes, bool)
            self._rows[label.name] = 0
        seen = self._seen[label.name]
        seen[values] = True
        self._rows[label.name] += len(values)
        if self._rows[label.name] >= ROWS_PER_CLASS * label.num_classes:
            some = f"In the first {self._rows[label.name]} rows the data"
            self._warn(seen, some, "Shuffle the data, or build")

    def warn_of_missing(self) -> None:
        """Warns of classes that all of the data had no row of."""
        for seen in self._seen.values():
            self._warn(seen, "The data", "Build")

    def _warn(self, seen, start, remedy):
        if self._has_warned or seen.all():
            return
        self._has_warned = True
        missing = np.flatnonzero(~seen).tolist()
        few = ", ".join(map(str, missing[:5]))
        warnings.warn(
            f"{start} held {seen.sum()} of {len(seen)} classes; samples of the "
            f"others were never learned: {few}{', ...' * (len(missing) > 5)}. "
            f"{remedy} the GAN with the num_classes of the data.",
            stacklevel=outside(),
        )


def _check_count(gan, parts):
    fields = gan.fields
    if len(parts) >= len(fields):
        return
    fields = [gan.modality.tensor_name if f == "real" else f for f in fields]
    remedy = f"Pass a data set of tuples, or arrays: `fit({', '.join(fields)})`."
    if "label" in fields:
        remedy += " `keras_gans.data.load(..., labels=True)` reads labels."
    raise ValueError(
        f"{type(gan).__name__} trains on ({', '.join(fields)}). Received: "
        f"{len(parts)} of {len(fields)} parts. {remedy}"
    )


def _refuse_samples(gan, part):
    """Refuses a part that is not trained on, and yet is no label."""
    numbers = part.ndim == 2 and np.isin(part, (0, 1)).all()  # one-hot
    if numbers or not agree(part.shape[1:], gan.modality.shape):
        return
    raise ValueError(
        f"{type(gan).__name__} trains on one array or data set of "
        f"{gan.modality.tensor_name}. Received: a second part of shape {part.shape}. "
        "Join several by `np.concatenate([x1, x2])`, or `dataset.concatenate`."
    )


def _warn_of_labels(gan, count):
    """Warns of parts of a batch that nothing is learned from."""
    names = [gan.modality.tensor_name if f == "real" else f for f in gan.fields]
    warnings.warn(
        f"{type(gan).__name__} trains on ({', '.join(names)}). Received: {count} parts "
        "a batch, of which the others are left out. `keras_gans.ConditionalGAN` and "
        "GANs of `num_classes` learn labels; `dataset.map(lambda x, y: x)` drops them.",
        stacklevel=outside(),
    )
