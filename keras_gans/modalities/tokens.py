"""Tokens: sentences of words, or of letters."""

from collections.abc import Sequence
import dataclasses
from typing import Any

import keras
from keras import ops
import numpy as np

from keras_gans.modalities import base, pictures, untrusted
from keras_gans.modalities.subwords import SPACE, subwords
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_int

UNKNOWN = ("\ufffd", "<unk>")  # of letters, of words


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Tokens(base.Modality):
    """Sentences of tokens, `[length, vocabulary]` as networks see them.

    Data are ints `[n, length]`, or the probabilities of each token, one-hot
    ones among them, float `[n, length, vocabulary]`. Files hold a sentence a
    line; they are read as ints.

    Args:
        length: int, tokens a sentence.
        vocabulary: list of str, of which the first fills sentences that are
            shorter; or the int number of tokens, which are then written as
            numbers.
        separator: str between tokens: " ", or "" where they are letters.
        tokenizer: str, from `keras_gans.data.read_tokenizer`, which splits lines
            into tokens of `vocabulary` and joins them in the place of `separator`.

    Raises:
        ValueError: an argument is something else.

    Example:

    ```python
    tokens = keras_gans.Tokens(4, ["", "red", "blue", "heart"])
    ids = tokens.decode(b"red heart")  # [[1, 3, 0, 0]]
    tokens.sentences(ids)  # ["red heart"]
    ```
    """

    length: int
    vocabulary: int | tuple
    separator: str = " "
    tokenizer: str | None = dataclasses.field(default=None, repr=False)

    kind = "tokens"
    tensor_name = "tokens"
    bytes_name = "sentences"
    bytes_extension = ".txt"
    range = (0.0, 1.0)
    previewed = 20
    extensions = (".txt",)
    read_extensions = (".txt",)

    def __post_init__(self):
        check_size("length", self.length)
        words = self.vocabulary
        if is_int(words):
            ok = words > 1
        else:
            ok = isinstance(words, (tuple, list)) and len(words) > 1
            ok = ok and all(isinstance(w, str) for w in words)
            ok = ok and len(set(words)) == len(words) and "" not in words[1:]
            words = tuple(words) if ok else words
        if not ok:
            raise ValueError(
                "A vocabulary is two or more different str, or their number. "
                f"Received: vocabulary={str(words)[:200]}."
            )
        if self.tokenizer is not None:
            self._check_tokenizer(words)
            return
        apart = "\n\r" + self.separator
        for word in () if is_int(words) else words[1:]:
            if any(c in word for c in apart) or (
                self.separator == "" and len(word) != 1
            ):
                raise ValueError(
                    f"The token {word!r} cannot be told from its neighbours "
                    f"in a line. Received: separator={self.separator!r}. Use "
                    "another separator, or take it out of the vocabulary."
                )
        self._set(vocabulary=words)

    def _check_tokenizer(self, words):
        try:
            known = self._subwords.known | {self.unknown}
        except (ValueError, TypeError) as error:
            raise ValueError(
                "`tokenizer` is a text from `read_tokenizer`. Received: "
                f"{str(self.tokenizer)[:80]!r}: {error}"
            ) from error
        strange = [] if is_int(words) else [w for w in words[1:] if w not in known]
        if is_int(words) or strange or self.separator not in (" ", ""):
            what = f"the token {strange[0]!r}" if strange else f"vocabulary={words!r}"
            if not strange and not is_int(words):
                what = f"separator={self.separator!r}"
            raise ValueError(
                "With `tokenizer`, a vocabulary is of its tokens, and `separator` is "
                f"left out. Received: {what[:200]}. `tokens_of` takes them from data."
            )
        self._set(vocabulary=words)
        try:
            self._pieces()
        except ValueError as error:
            raise ValueError(f"`tokenizer` cannot join lines: {error}") from error

    @property
    def _subwords(self):
        return subwords(self.tokenizer)

    @property
    def unknown(self) -> str:
        """The token that stands for what is not in a vocabulary that has it."""
        if self.tokenizer is not None:
            return self._subwords.unknown
        return UNKNOWN[self.separator != ""]

    @property
    def shape(self) -> tuple:
        """(length, tokens of the vocabulary)"""
        words = self.vocabulary
        return (self.length, words if is_int(words) else len(words))

    def check(self, batch: Any, what: str | None = None, doubt: bool = True) -> None:
        what = what or self.tensor_name
        batch = np.asarray(batch)
        if not base.agree(batch.shape[1:], self._shape_of(batch)) or len(batch) == 0:
            self._refuse_shape(batch, what)
        self.check_all(batch, what)

    def check_several(self, samples: Tensor, what: str | None = None) -> None:
        if base.agree(tuple(samples.shape), self._shape_of(np.asarray(samples[:1]))):
            self._refuse_shape(samples, what or self.tensor_name)

    def check_all(self, samples: Tensor, what: str | None = None) -> None:
        what, size = what or self.tensor_name, self.shape[1]
        few = np.asarray(samples[:1])
        if few.dtype.kind in "iu":
            ends = [(x.min(), x.max()) for _, x in base.blocks(samples)]
            low, high = int(np.min(ends)), int(np.max(ends))
            if low < 0 or high >= size:
                more = f", or build the GAN with {high + 1} tokens"
                raise ValueError(
                    f"Tokens ({what}) lie in [0, {size}). Received: tokens "
                    f"from {low} to {high}. Number them from 0"
                    f"{more if high >= size else ''}."
                )
            return
        if few.shape[1:] == (self.length,):
            self._refuse_shape(samples, what)
        self._check_dtype(few, what)
        remedy = "Take `keras.ops.softmax(logits)`."
        base.check_values(samples, what, self.range, remedy)
        sums = [x.sum(axis=-1) for _, x in base.blocks(samples)]
        low, high = min(x.min() for x in sums), max(x.max() for x in sums)
        if low < 1 - 1e-2 or high > 1 + 1e-2:
            raise ValueError(
                f"The probabilities of each place ({what}) sum to 1. "
                f"Received: sums from {low:.4g} to {high:.4g}. {remedy}"
            )

    def _shape_of(self, batch):
        """The shape of a row, by the type of a batch."""
        return (self.length,) if batch.dtype.kind in "iu" else self.shape

    def _refuse_shape(self, batch, what):
        few = np.asarray(batch[:1])
        remedy = "Pad or cut sentences, and batch them."
        if base.agree(tuple(batch.shape), self._shape_of(few)):
            remedy = "Make one sentence a batch by `x[None]`, and batch a data set."
        elif few.dtype.kind not in "iu" and few.shape[1:] == (self.length,):
            remedy = 'Convert tokens by `x.astype("int32")`.'
        raise ValueError(
            f"Sentences ({what}) are ints [n, {self.length}], or floats "
            f"[n, {', '.join(map(str, self.shape))}]. Received: {few.dtype} of shape "
            f"{tuple(batch.shape)}. {remedy}"
        )

    def as_seen(self, batch: Tensor) -> Tensor:
        if len(batch.shape) == 3:
            return batch
        return ops.one_hot(ops.cast(batch, "int32"), self.shape[1])

    def ids(self, samples: np.ndarray) -> np.ndarray:
        """The likeliest token of each place.

        Args:
            samples: ints `[n, length]`, or floats `[n, length, vocabulary]`.

        Returns:
            int32 array `[n, length]`.
        """
        samples = np.asarray(samples)
        floats = samples.dtype.kind not in "iu"
        if floats and base.agree(samples.shape[1:], self.shape):
            samples = np.nan_to_num(samples.astype("float32")).argmax(-1)
        self.check(samples)
        return samples.astype("int32")

    def one_hot(self, ids: np.ndarray) -> np.ndarray:
        """float32 `[n, length, vocabulary]` of ints `[n, length]`."""
        ids = self.ids(ids)[..., None]
        encoded = np.zeros((*ids.shape[:2], self.shape[1]), "float32")
        np.put_along_axis(encoded, ids, 1, axis=-1)
        return encoded

    def sentences(self, samples: np.ndarray) -> list[str]:
        """The sentences in words, without what fills them; see `ids`."""
        words, ids = self._words(), self.ids(samples)
        join = self.separator.join
        if self.tokenizer is not None:
            words, join = self._pieces(), self._subwords.join
        return [join([words[i] for i in row if words[i]]) for row in ids]

    def split(self, line: str) -> list[str]:
        """The tokens of a line of text.

        Args:
            line: str.

        Returns:
            List of str, whether or not they are in the vocabulary.

        Raises:
            ValueError: the tokenizer cannot split the line.
            ImportError: the extra "tokenizers" is not installed, of a tokenizer.

        Example:

        ```python
        tokens = keras_gans.Tokens(4, ["", "red", "heart"])
        tokens.split("a red heart")  # ["a", "red", "heart"]
        ```
        """
        if self.tokenizer is not None:
            return self._subwords.split(line)
        if self.separator == "":
            return list(line)
        return [part for part in line.split(self.separator) if part]

    def encode_in_graph(self, samples: Tensor) -> Tensor:
        import tensorflow as tf

        made_of_pieces = self.tokenizer is not None
        words = tf.constant(self._pieces() if made_of_pieces else self._words())
        ids = tf.argmax(samples, axis=-1)
        parts = tf.ragged.boolean_mask(
            tf.gather(words, ids), tf.gather(words, ids) != ""
        )
        if not made_of_pieces:
            return tf.strings.reduce_join(parts, axis=-1, separator=self.separator)
        lines = tf.strings.regex_replace(
            tf.strings.reduce_join(parts, axis=-1), SPACE, " "
        )
        lines = tf.strings.regex_replace(lines, "^ | $", "")
        return tf.strings.unicode_transcode(lines, "UTF-8", "UTF-8")

    def _words(self):
        """The tokens as text, "" for the one that fills sentences."""
        if is_int(self.vocabulary):
            return [str(i) for i in range(self.vocabulary)]
        return ["", *self.vocabulary[1:]]

    def _pieces(self):
        """What each token adds to a line, of a tokenizer: bytes."""
        return [b"", *self._subwords.pieces(self.vocabulary[1:])]

    def _encode(self, sample, extension):
        sample = np.asarray(sample)
        single = sample.ndim == (1 if sample.dtype.kind in "iu" else 2)
        sentences = self.sentences(sample[None] if single else sample)
        return "".join(f"{s}\n" for s in sentences).encode()

    def _decode(self, data, extension):
        try:
            return untrusted.collect(
                self._parsed(untrusted.lines_of(data)), self.length, "int32"
            )
        except UnicodeDecodeError as error:
            raise ValueError(f"it is no text in UTF-8 ({error}).") from error

    def _parsed(self, lines):
        known = {word: i for i, word in enumerate(self._words()) if word}
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\r\n")
            try:
                tokens = self.split(line)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from error
            if len(tokens) > self.length:
                raise ValueError(
                    f"line {number} has {len(tokens)} tokens, more than "
                    f"{self.length}. Cut it, or use a greater length."
                )
            for part in tokens:
                if part not in known:
                    near = hint(part, known) if len(known) < 10000 else ""
                    raise ValueError(
                        f"line {number} holds {part[:80]!r}, which is not in "
                        f"the vocabulary.{near}"
                    )
            filling = [0] * (self.length - len(tokens))
            yield [*(known[part] for part in tokens), *filling]

    def preview(
        self,
        samples: np.ndarray,
        columns: int | None = None,
        names: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> base.Preview:
        """The sentences, as text and as a picture of it, each with its name."""
        lines = self.sentences(samples)
        firsts = map(str, names or range(len(lines)))
        rows = [[name, line] for name, line in zip(firsts, lines, strict=True)]
        picture = pictures.add_caption(pictures.draw_table(rows), caption)
        return base.Preview(picture, text="\n".join(lines))
