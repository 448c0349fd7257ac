"""What a generator takes: how each input is drawn, read, checked and named."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops
import numpy as np

from keras_gans.engine import rng
from keras_gans.layers.truncated import NONE
from keras_gans.modalities import Modality
from keras_gans.modalities.base import blocks, check_range
from keras_gans.utils.serialization import Configured
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import (
    agree,
    check_classes,
    check_labels,
    check_size,
    is_int,
    one_of,
)


class Input(Configured):
    """An input of a generator.

    An input is drawn at random (`drawn`), or read from the batch: before the
    real samples, as what they are made of (`leads`), or after them, as what
    they are labelled with.

    Attributes:
        name: str, of the batch's part and of the exported model's tensor.
        given: str, the argument of `sample` and the flag of the command line.
        also: str, another name of the argument, or `None`.
        help: str, one line on it.
        shape: tuple, of one row.
        dtype: str.
        low: the least value allowed, or `None`.
        high: the largest value allowed, or `None`.
        needed: bool, whether `sample` cannot do without a value of it.
    """

    name = "input"
    given = None
    also = None
    help = ""
    shape = ()
    dtype = "float32"
    low = None
    high = None
    drawn = False
    leads = False
    needed = False
    checks_every_batch = False

    def draw(self, generator: rng.RNG, n: int | Tensor) -> Tensor:
        """The values of `n` rows of a training step: `[n, *shape]`.

        Args:
            generator: `engine.rng.RNG`.
            n: int or scalar tensor.
        """
        raise NotImplementedError(f"{type(self).__name__} is not drawn.")

    def read(self, values: Tensor) -> Tensor:
        """The part of a batch as the generator takes it."""
        return ops.cast(values, self.dtype)

    def check(self, values: Any, n: int | None = None) -> np.ndarray:
        """Values as a NumPy array of rows.

        Args:
            values: array-like.
            n: int, how many rows are needed; one row then serves all.

        Raises:
            ValueError: another shape, NaN, or a value out of range.
        """
        name = self.given or self.name
        try:
            values = np.asarray(values, self.dtype)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"`{name}` is an array of {self.dtype}. Received: a "
                f"{type(values).__name__} ({error})."
            ) from None
        if n is not None and agree(values.shape, self.shape):
            values = np.broadcast_to(values, (n, *values.shape))
        fits = agree(values.shape[1:], self.shape) and values.ndim > 0
        if not fits or (n is not None and len(values) != n):
            wanted = ", ".join("any" if s is None else str(s) for s in self.shape)
            raise ValueError(
                f"`{self.given or self.name}` has the shape "
                f"({'n' if n is None else n}, {wanted}), or ({wanted}) for "
                f"all. Received: shape {values.shape}."
            )
        if not np.isfinite(values).all():
            raise ValueError(
                f"`{name}` holds NaN or infinite values. Received: "
                f"{int((~np.isfinite(values)).sum())} of {values.size}. Clean "
                "the data."
            )
        inside = True
        if self.low is not None and values.size:
            inside = self.low <= values.min() and values.max() <= self.high
        if not inside:
            raise ValueError(
                f"`{self.given or self.name}` lies in [{self.low}, "
                f"{self.high}]. Received: values from {values.min()} to "
                f"{values.max()}."
            )
        return values

    def check_all(self, values: Tensor) -> None:
        """Checks all rows of an array of any size, without a copy of it.

        Raises:
            ValueError: as of `check`.
        """
        for _, rows in blocks(values):
            self.check(rows)

    def rows(self, seed: int, rows: np.ndarray, values: np.ndarray | None) -> Tensor:
        """The values of rows of `sample`, as an array.

        Args:
            seed: int.
            rows: int array, indices of rows.
            values: what `check` returned, or `None` where nothing was given.
        """
        if values is not None:
            return values[rows % len(values)]
        return self.default_rows(seed, rows)

    def default_rows(self, seed: int, rows: np.ndarray) -> Tensor:
        """The values of rows that nothing was given for.

        Raises:
            ValueError: there is no default.
        """
        raise ValueError(
            f"The generator needs `{self.given or self.name}`. Received: none. "
            f"Pass `{self.given or self.name}=...`, {self.help}."
        )

    def served(self, high: Tensor, low: Tensor) -> Tensor | None:
        """The same in an exported model, of 64-bit seeds; `None`: an argument.

        Args:
            high: uint32 tensor `[n]`, the upper words.
            low: uint32 tensor `[n]`, the lower words.
        """
        return None

    @property
    def of_seeds(self) -> bool:
        """Whether exported models draw it of their seeds."""
        return type(self).served is not Input.served

    @property
    def in_graph(self) -> keras.Model | None:
        """A model that makes rows of strings in an exported model, or `None`."""
        return None

    def parse(self, text: str) -> Any:
        """What the text of a command-line flag stands for."""
        return np.array(_numbers(text, self.given), self.dtype)


@keras.saving.register_keras_serializable("keras_gans")
class Latent(Input):
    """A latent code z, drawn anew for each row.

    Args:
        dim: int, numbers a code.
        distribution: "normal", N(0, 1), "uniform", U(-1, 1), or "unit",
            U(0, 1).

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    keras_gans.Latent(100)
    ```
    """

    name = "z"
    help = "latent codes"
    drawn = True

    def __init__(self, dim: int, distribution: str = "normal"):
        self.dim = check_size("dim", dim)
        known = ("normal", "uniform", "unit")
        self.distribution = one_of("distribution", distribution, known)
        self.shape = (dim,)

    def draw(self, generator: rng.RNG, n: int | Tensor) -> Tensor:
        if self.distribution == "normal":
            return generator.normal(n, self.dim, "latent")
        return self._scaled(generator.uniform(n, self.dim, "latent"))

    def default_rows(self, seed: int, rows: np.ndarray) -> Tensor:
        return self.served(int(seed), rows.astype("uint32"))

    def served(self, high: Tensor, low: Tensor) -> Tensor | None:
        if self.distribution == "normal":
            return rng.latents(high, low, self.dim)
        return self._scaled(rng.uniform(("sample", high), low, self.dim))

    @property
    def bounds(self) -> tuple[float, float] | None:
        """The least and the largest number of a code; `None` of normal ones."""
        known = {"normal": None, "uniform": (-1.0, 1.0), "unit": (0.0, 1.0)}
        return known[self.distribution]

    def _scaled(self, u):
        return 2.0 * u - 1.0 if self.distribution == "uniform" else u


# A layer has its plain name.
@keras.saving.register_keras_serializable("keras_gans", "TruncationInput")
class Truncation(Input):
    """How far intermediate codes keep from their mean: psi, 1 in training.

    `sample(n, truncation=0.7)` gives up some variety for better samples.

    Example:

    ```python
    from keras_gans.core.inputs import Truncation

    Truncation()
    ```

    Reference:
        https://arxiv.org/abs/1812.04948, appendix B
    """

    name = "truncation"
    given = "truncation"
    help = "psi of all rows, or of each: 1 is none, 0 the mean: 0.7"
    drawn = True
    low = -2.0
    high = 2.0

    def draw(self, generator: rng.RNG, n: int | Tensor) -> Tensor:
        return ops.ones((n,))

    def default_rows(self, seed: int, rows: np.ndarray) -> Tensor:
        return np.ones(len(rows), "float32")

    def parse(self, text: str) -> Any:
        numbers = super().parse(text)
        return numbers[0] if numbers.size == 1 and numbers.ndim else numbers


@keras.saving.register_keras_serializable("keras_gans")
class Threshold(Truncation):
    """The largest number of a latent code: 10, or no cut, in training.

    `sample(n, truncation=0.5)` gives up variety for better samples.

    Example:

    ```python
    from keras_gans.core.inputs import Threshold

    Threshold()
    ```

    Reference:
        https://arxiv.org/abs/1809.11096, section 3.1
    """

    help = "the largest |z| of all rows, or of each, from 0.01 on; 10 is no cut: 0.5"
    low = 0.01
    high = NONE

    def default_rows(self, seed: int, rows: np.ndarray) -> Tensor:
        return np.full(len(rows), NONE, "float32")


@keras.saving.register_keras_serializable("keras_gans")
class Label(Input):
    """A class label, read from the batch: `fit` on (samples, labels).

    Labels are ints, `[n]` or `[n, 1]`, or one-hot rows `[n, num_classes]`.
    `sample` gives row i the class `i % num_classes` unless told otherwise.

    Args:
        num_classes: int of 2 or more.

    Raises:
        ValueError: `num_classes` is something else.

    Example:

    ```python
    keras_gans.Label(10)
    ```
    """

    name = "label"
    given = "labels"
    help = "the class of all rows, or of each: 3 or 0,0,1,1"
    dtype = "int32"
    low = 0
    checks_every_batch = True
    class_names = None  # of a run or preset, which `sample` takes for numbers

    def __init__(self, num_classes: int):
        self.num_classes = check_classes(num_classes)
        self.high = num_classes - 1

    def read(self, values: Tensor) -> Tensor:
        if len(values.shape) == 2 and values.shape[1] == self.num_classes:
            return ops.cast(ops.argmax(values, axis=-1), "int32")
        return ops.cast(ops.reshape(values, (-1,)), "int32")

    def check(self, values: Any, n: int | None = None) -> np.ndarray:
        if self.class_names is not None and np.asarray(values).dtype.kind == "U":
            values = np.vectorize(self._number, otypes=["int32"])(values)
        return check_labels(values, self.num_classes, n)

    def _number(self, name):
        if name not in self.class_names:
            raise ValueError(
                f"There is no such class. Received: {str(name)!r}. Expected one of "
                f"{', '.join(map(repr, self.class_names))}, or a number from 0."
                f"{hint(str(name), self.class_names)}"
            )
        return self.class_names.index(name)

    def default_rows(self, seed: int, rows: np.ndarray) -> Tensor:
        return (rows % self.num_classes).astype("int32")

    def parse(self, text: str) -> Any:
        return np.array(_numbers(text, self.given, int))


@keras.saving.register_keras_serializable("keras_gans")
class Attributes(Input):
    """Attributes of a sample, read from the batch.

    `fit` takes (samples, attributes), float `[n, count]`. Several may hold at
    once (multi-hot), and each may be any number in its range. `sample` draws
    each as low or high unless told otherwise.

    Args:
        count: int, how many there are.
        range: tuple (low, high) that they lie in.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    keras_gans.Attributes(40)
    ```
    """

    name = "attributes"
    given = "attributes"
    help = "the attributes of all rows, numbers with commas: 1,0,0.5"

    def __init__(self, count: int, range: tuple = (0.0, 1.0)):
        self.count = check_size("count", count)
        self.range = check_range(range)
        self.low, self.high = self.range
        self.shape = (count,)

    def default_rows(self, seed: int, rows: np.ndarray) -> Tensor:
        words = ("sample", int(seed), "attributes")
        u = rng.uniform(words, rows.astype("uint32"), self.count)
        chosen = ops.convert_to_numpy(u) < 0.5
        return np.where(chosen, self.low, self.high).astype("float32")


@keras.saving.register_keras_serializable("keras_gans")
class Code(Input):
    """A code that is drawn, and that a loss may find again (InfoGAN).

    Args:
        size: int: of "uniform", numbers a code; of "categorical", categories.
        kind: "uniform", U(-1, 1), or "categorical", an int of [0, size).

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    inputs = (
        keras_gans.Latent(62),
        keras_gans.Code(10, "categorical"),
        keras_gans.Code(2, "uniform"),
    )
    ```

    Reference:
        https://arxiv.org/abs/1606.03657, section 5
    """

    drawn = True

    def __init__(self, size: int, kind: str = "uniform"):
        self.size = check_size("size", size)
        self.kind = one_of("kind", kind, ("uniform", "categorical"))
        if kind == "categorical":
            self.name, self.given, self.dtype = "label", "labels", "int32"
            self.help = "the category of all rows, or of each: 3 or 0,0,1,1"
            self.low, self.high = 0, size - 1
        else:
            self.name = self.given = "codes"
            self.help = "the codes of all rows, numbers in [-1, 1]: 0.5,-1"
            self.low, self.high = -1.0, 1.0
            self.shape = (size,)

    def draw(self, generator: rng.RNG, n: int | Tensor) -> Tensor:
        if self.kind == "categorical":
            return generator.integers(n, 1, self.size, "category")[:, 0]
        return 2.0 * generator.uniform(n, self.size, "codes") - 1.0

    def check(self, values: Any, n: int | None = None) -> np.ndarray:
        if self.kind == "categorical":
            return check_labels(values, self.size, n)
        return super().check(values, n)

    def default_rows(self, seed: int, rows: np.ndarray) -> Tensor:
        if self.kind == "categorical":
            return (rows % self.size).astype("int32")
        words = ("sample", int(seed), "codes/sample")
        u = rng.uniform(words, rows.astype("uint32"), self.size)
        return 2.0 * ops.convert_to_numpy(u) - 1.0

    def parse(self, text: str) -> Any:
        kind = int if self.kind == "categorical" else float
        return np.array(_numbers(text, self.given, kind), self.dtype)


class _Leading(Input):
    """An input that comes before the real samples: `fit(input, samples)`."""

    leads = True
    needed = True

    def parse(self, text):
        """The array of a .npy file, one row or several."""
        try:
            return np.load(text, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise ValueError(
                f"--{self.given} is a .npy file of {self.help}. Received: "
                f"{text} ({error}). Write one by `np.save(path, array)`."
            ) from error


@keras.saving.register_keras_serializable("keras_gans")
class Source(_Leading):
    """What is translated: samples of another kind, read from the batch.

    Args:
        modality: `Modality` of the sources.
        name: str.

    Raises:
        ValueError: `modality` is none.

    Example:

    ```python
    keras_gans.Source(keras_gans.Image((256, 256, 1)))
    ```
    """

    help = "what is translated"

    def __init__(self, modality: Modality, name: str = "source"):
        self.modality = _check_modality("modality", modality)
        self.name = self.given = name
        self.shape = modality.shape

    def parse(self, text: str) -> Any:
        """What a file of the modality holds, or a .npy file of several."""
        if str(text).endswith(".npy"):
            return super().parse(text)
        return self.modality.read(text)

    def read(self, values: Tensor) -> Tensor:
        return super().read(self.modality.as_seen(values))

    def check(self, values: Any, n: int | None = None) -> np.ndarray:
        rows = np.asarray(values)
        if n is not None and agree(rows.shape, self.modality.shape):
            rows = rows[None]  # one for all
        self.modality.check(rows, self.name, doubt=n is None)
        rows = ops.convert_to_numpy(self.modality.as_seen(rows))
        one = n is not None and len(rows) == 1
        return super().check(rows[0] if one else rows, n)

    def check_all(self, values: Tensor) -> None:
        self.modality.check_all(values, self.name)


@keras.saving.register_keras_serializable("keras_gans")
class Mel(_Leading):
    """A log-mel spectrogram, read from the batch: `fit(mels, waveforms)`.

    Args:
        bands: int, mel bands.
        frames: int, frames of a training sample; `None` for any number.

    Raises:
        ValueError: a number is no positive int.

    Example:

    ```python
    keras_gans.Mel(80)
    ```
    """

    name = "mel"
    given = "mel"
    help = "log-mel spectrograms [n, frames, bands]"

    def __init__(self, bands: int, frames: int | None = None):
        self.bands = check_size("bands", bands)
        self.frames = frames if frames is None else check_size("frames", frames)
        self.shape = (self.frames, bands)


@keras.saving.register_keras_serializable("keras_gans")
class Phones(_Leading):
    """Phonemes frame by frame, read from the batch: `fit(phones, waveforms)`.

    A frame is (number of its phoneme, its place in it from 0, frames that the
    phoneme has).

    Args:
        symbols: int, how many phonemes there are.

    Example:

    ```python
    from keras_gans.core.inputs import Phones

    Phones(40)
    ```
    """

    name = "phones"
    given = "phones"
    help = "phonemes [n, frames, 3]: number, place, length"
    dtype = "int32"
    shape = (None, 3)

    def __init__(self, symbols: int):
        self.symbols = check_size("symbols", symbols)

    def check(self, values: Any, n: int | None = None) -> np.ndarray:
        values = super().check(values, n)
        ids, places, lengths = np.moveaxis(values, -1, 0)
        wrong = (ids < 0) | (ids >= self.symbols)
        wrong |= (places < 0) | (places >= lengths)
        if wrong.any():
            first = values[tuple(np.argwhere(wrong)[0])].tolist()
            raise ValueError(
                f"A frame of `phones` is a phoneme in [0, {self.symbols}), its place "
                "in it from 0, and its length in frames, which is more. Received: "
                f"{first}."
            )
        return values


@keras.saving.register_keras_serializable("keras_gans")
class Symbols(_Leading):
    """A text as numbers of symbols, read from the batch: `fit(ids, ...)`.

    Rows are of one length; -1 stands after the end of shorter texts.

    Args:
        count: int, how many symbols there are.

    Example:

    ```python
    from keras_gans.core.inputs import Symbols

    Symbols(178)
    ```
    """

    name = "ids"
    given = "ids"
    help = "symbols of texts [n, symbols], -1 after the end"
    dtype = "int32"
    shape = (None,)
    low = -1

    def __init__(self, count: int):
        self.count = check_size("count", count)
        self.high = count - 1

    def check(self, values: Any, n: int | None = None) -> np.ndarray:
        values = super().check(values, n)
        ended = values < 0
        back = np.diff(ended.astype(int), axis=1).min(initial=0) < 0
        if values.size == 0 or ended.all(axis=1).any() or back:
            raise ValueError(
                "Each row of `ids` holds a symbol or more, and -1 only after its "
                f"last one. Received: {int(ended.sum())} of {values.size} are -1."
            )
        return values


@keras.saving.register_keras_serializable("keras_gans")
class Past(_Leading):
    """The frames before those to be made: `fit(past, future)`.

    Args:
        frames: int, how many.
        frame: `Modality` of one frame.

    Raises:
        ValueError: `frames` is no positive int, or `frame` no modality.

    Example:

    ```python
    keras_gans.Past(4, keras_gans.Image((32, 32, 3)))
    ```
    """

    name = "past"
    given = "past"
    help = "frames [n, frames, height, width, channels]"

    def __init__(self, frames: int, frame: Modality):
        self.frames = check_size("frames", frames)
        self.frame = _check_modality("frame", frame)
        self.shape = (frames, *frame.shape)

    def read(self, values: Tensor) -> Tensor:
        return super().read(self.frame.as_seen(values))

    def check(self, values: Any, n: int | None = None) -> np.ndarray:
        rows = np.asarray(values)
        if agree(rows.shape[-len(self.shape) :], self.shape):
            frames = rows.reshape(-1, *rows.shape[-len(self.frame.shape) :])
            self.frame.check(frames, self.name, doubt=n is None)
            rows = ops.convert_to_numpy(self.frame.as_seen(rows))
        return super().check(rows, n)

    def check_all(self, values: Tensor) -> None:
        self.frame.check_all(values, self.name)


@keras.saving.register_keras_serializable("keras_gans")
class Text(Input):
    """A sentence as a vector, read from the batch: `fit(samples, vectors)`.

    Args:
        dim: int, numbers a vector.
        encoder: function from a list of str to float vectors `[n, dim]`, or
            `None`. With it, `sample(texts=["a red heart"])` takes strings; it is
            not trained, and not saved with the model.

    Raises:
        ValueError: `dim` is no positive int.

    Example:

    ```python
    keras_gans.Text(384)
    ```
    """

    name = "text"
    given = "text"
    also = "texts"  # what `sample` takes as well: it then needs no number
    help = "a sentence for all rows, or one for each"
    needed = True

    def __init__(self, dim: int, encoder: Callable | None = None):
        self.dim = check_size("dim", dim)
        self.encoder = encoder
        self.shape = (dim,)

    def get_config(self) -> dict:
        return {"dim": self.dim}

    def check(self, values: Any, n: int | None = None) -> np.ndarray:
        if isinstance(values, (str, bytes)):
            values = [values]
        if not hasattr(values, "__len__") and not hasattr(values, "shape"):
            raise ValueError(
                f"`{self.also}` are a sentence or a list of them. Received: a "
                f"{type(values).__name__}. Make a list of it."
            )
        if isinstance(values, (list, tuple)) and not values:
            raise ValueError(
                f"`{self.also}` are sentences, one or more. Received: an empty list."
            )
        sentences = strings_in(values)
        if sentences is None:
            values = np.asarray(values)
            sentences = list(values) if values.dtype.kind == "O" else None
        if sentences is not None:
            if n is not None and len(sentences) not in (1, n):
                raise ValueError(
                    f"`{self.also}` is one sentence for all samples, or one for "
                    f"each. Received: {len(sentences)} sentences for {n} samples."
                )
            values = self.encode(sentences)
            if n is not None and len(values) == 1:
                values = values[0]
        elif values.ndim and values.shape[-1] != self.dim:
            raise ValueError(
                f"`{self.also}` are sentences, or vectors of {self.dim} numbers. "
                f"Received: numbers of shape {values.shape}. Pass sentences as str, or "
                "encode them as those of training were."
            )
        return super().check(values, n)

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """The vectors of sentences: float32 `[n, dim]`.

        Raises:
            ValueError: there is no encoder, or it gives something else.
        """
        if self.encoder is None:
            raise ValueError(
                "Sentences are encoded by a function of yours. Received: "
                f"{len(sentences)} sentences and Text({self.dim}) without "
                "`encoder`. Pass vectors, or Text(dim, encoder=...)."
            )
        sentences = [
            s.decode() if isinstance(s, bytes) else str(s) if isinstance(s, str) else s
            for s in sentences
        ]
        check_sentences(sentences)
        vectors = np.asarray(self.encoder(sentences))
        if vectors.shape != (len(sentences), self.dim):
            raise ValueError(
                f"The encoder makes {self.dim} numbers of each sentence. "
                f"Received: shape {vectors.shape} of {len(sentences)}."
            )
        return vectors.astype("float32")

    @property
    def in_graph(self) -> keras.Model | None:
        return getattr(self.encoder, "model", None)

    def parse(self, text: str | list[str]) -> str | list[str]:
        return text


def strings_in(values: Any) -> list | None:
    """Rows as a list where strings are among them, or lists of strings; else `None`.

    What is missing stays as it is: an array of a list would say "nan".

    Args:
        values: list, tuple, array, tensor or pandas `Series`; of others, `None`.
    """
    if not isinstance(values, (list, tuple)):
        dtype = getattr(values, "dtype", None)
        kind = getattr(dtype, "kind", None) or getattr(dtype, "name", None)
        if kind not in ("S", "U", "O", "string") or not len(values.shape):
            return None
        values = np.asarray(values)
    firsts = (v[0] if isinstance(v, (list, tuple)) and v else v for v in values)
    return list(values) if any(isinstance(v, (str, bytes)) for v in firsts) else None


def check_sentences(sentences: Sequence[str]) -> None:
    """Checks that each of some sentences says something.

    Raises:
        ValueError: one is empty, or no string: the message gives its number.
    """
    for i, sentence in enumerate(sentences, 1):
        if isinstance(sentence, (list, tuple, np.ndarray)):
            raise ValueError(
                f"A sentence is a str. Received: {sentence!r}, sentence {i} of "
                f"{len(sentences)}. Pass one of them; of several to a picture, "
                "data.load_captions draws one an epoch."
            )
        if not isinstance(sentence, str) or not sentence.strip():
            raise ValueError(
                f"A sentence says something. Received: {sentence!r}, sentence {i} of "
                f"{len(sentences)}. Leave it out, or write what is to be seen."
            )


def _check_modality(name, modality):
    if not isinstance(modality, Modality):
        raise ValueError(
            f"`{name}` is a modality, such as keras_gans.Image((32, 32, 3)). "
            f"Received: {modality!r}."
        )
    return modality


def check_inputs(inputs: tuple[Input, ...] | None) -> tuple[Input, ...]:
    """Returns what a generator takes, as a tuple of inputs.

    Raises:
        ValueError: it is no tuple of inputs, or two have one name.
    """
    if inputs is None:
        return ()
    ok = isinstance(inputs, (tuple, list))
    if not ok or not all(isinstance(i, Input) for i in inputs):
        raise ValueError(
            "`inputs` is a tuple of inputs, such as (Latent(100), Label(10)). "
            f"Received: {inputs!r}."
        )
    names = [i.name for i in inputs]
    if len(set(names)) < len(names):
        raise ValueError(
            f"Each input has a name of its own. Received: {', '.join(names)}. "
            "Join them into one, or give them other names."
        )
    return tuple(inputs)


def check_given(inputs: tuple[Input, ...], given: dict, n: int | None) -> dict:
    """Checks the arguments of `sample` by name; returns their arrays.

    Raises:
        ValueError: one is unknown, or its values do not fit.
    """
    known = {i.given: i for i in inputs if i.given is not None}
    given = renamed(inputs, given)
    if unknown := sorted(set(given) - set(known)):
        raise ValueError(
            f"The generator takes {', '.join(known) or 'a seed alone'}. "
            f"Received: {', '.join(unknown)}."
            f"{hint(unknown[0], known) or ' Leave it out.'}"
        )
    return {
        known[name].name: known[name].check(values, n)
        for name, values in given.items()
        if values is not None
    }


def renamed(inputs: tuple[Input, ...], given: dict) -> dict:
    """The arguments of `sample`, each by the name that its input has for it.

    Raises:
        ValueError: one is given under both of its names.
    """
    given = dict(given)
    for i in inputs:
        if i.also is None or given.get(i.also) is None:
            continue
        if given.get(i.given) is not None:
            raise ValueError(
                f"`{i.also}` is another name of `{i.given}`. Received: both. Drop one."
            )
        given[i.given] = given.pop(i.also)
    return given


def name_classes(inputs: tuple[Input, ...], names: list[str] | None) -> None:
    """Lets `sample` take the names of classes, where there are as many as classes."""
    for i in inputs:
        if isinstance(i, Label) and names is not None and len(names) == i.num_classes:
            i.class_names = names


def class_titles(
    labels: np.ndarray, classes: int, names: Sequence[str] | None = None
) -> list[str]:
    """What stands beside samples of classes: "3 cats", or "3" without names.

    Raises:
        ValueError: there is another number of names than of classes.
    """
    if names is not None and len(names) != classes:
        raise ValueError(
            f"`class_names` names each of the {classes} classes. Received: "
            f"{len(names)} names."
        )
    return [f"{i} {names[i]}" if names else f"class {i}" for i in labels.tolist()]


def _numbers(text, name, kind=float):
    try:
        numbers = [kind(part) for part in str(text).split(",")]
    except ValueError:
        raise ValueError(
            f"--{name} takes numbers with commas, such as 0,1,1. Received: {text!r}."
        ) from None
    return numbers if len(numbers) > 1 or not is_int(numbers[0]) else numbers[0]
