"""Frozen encoders: from sentences to vectors, by name, model or function."""

from collections.abc import Callable, Sequence
import functools
import hashlib
import math
import re
from typing import Any
import unicodedata

import keras
import numpy as np

from keras_gans.modalities.minilm import MiniLM
from keras_gans.utils.suggestions import hint

NAMES = ("words", "minilm")
WORDS_DIM = 256
WORD = re.compile(r"\w+")
SIZE = 3  # letters of a part of a word
OF_PARTS = 0.5  # how much the parts of a word count beside the word itself
# They say nothing of what a picture shows.
UNSAID = frozenset(
    (
        *("a", "an", "the", "of", "on", "in", "at", "with", "and", "or", "is", "are"),
        *("to", "for", "by", "this", "that", "its", "it", "as"),
    )
)


def words_encoder(sentences: Sequence[str]) -> np.ndarray:
    """Vectors of the words of sentences, without a model.

    Each word has a random direction of its own, a function of its letters, and
    leans towards those of other words with the same parts of three letters. A
    sentence is the sum of its words, scaled to a mean square of 1: order does not
    count, and words of one meaning have nothing to do with each other. Of `a`,
    `the`, `of` and the like nothing is taken, unless there is nothing else.

    Args:
        sentences: list of str, of any language.

    Returns:
        float32 `[n, 256]`.

    Example:

    ```python
    from keras_gans.modalities.text_encoders import words_encoder

    red, heart = words_encoder(["a red heart", "heart"])
    red @ heart / 256  # 0.7
    ```
    """
    return np.stack([_sum_of_words(sentence) for sentence in sentences])


def _sum_of_words(sentence):
    words = WORD.findall(unicodedata.normalize("NFKC", sentence).casefold())
    said = [word for word in words if word not in UNSAID] or words or [sentence]
    total = np.sum([_word(word) for word in said], axis=0)
    length = max(np.linalg.norm(total), 1e-6)
    return (total * (math.sqrt(WORDS_DIM) / length)).astype("float32")


@functools.lru_cache(maxsize=2**16)
def _word(word):
    own = _direction(word)
    marked = f"<{word}>"
    parts = {marked[i : i + SIZE] for i in range(len(marked) - SIZE + 1)}
    lean = np.sum([_direction(f"/{part}") for part in sorted(parts)], axis=0)
    if not parts:
        return own
    total = own + OF_PARTS * lean / np.sqrt(len(parts))
    return total / np.linalg.norm(total)


@functools.lru_cache(maxsize=2**16)
def _direction(text):
    """A direction that is a function of a text, the same on every machine."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    seed = int.from_bytes(digest[:8], "little")
    # Signs, not normals: no version of NumPy draws other ones.
    bits = np.random.Generator(np.random.PCG64(seed)).bytes(WORDS_DIM // 8)
    signs = 2.0 * np.unpackbits(np.frombuffer(bits, np.uint8)) - 1.0
    return signs / np.sqrt(WORDS_DIM)


class Encoder:
    """A frozen encoder, as `Text` takes it.

    Args:
        function: function from a list of str to vectors `[n, dim]`.
        dim: int, numbers of a vector.
        key: str, all that vectors depend on beside the sentence, for a cache; or
            `None` of one that is not known.
        model: `keras.Model` from strings to vectors, which can be exported, or
            `None`.
    """

    def __init__(
        self,
        function: Callable,
        dim: int | None,
        key: str | None = None,
        model: keras.Model | None = None,
    ):
        self.function, self.dim, self.key, self.model = function, dim, key, model

    def __call__(self, sentences: Sequence[str]) -> np.ndarray:
        return self.function(list(sentences))


def resolve(encoder: Any) -> Encoder | None:
    """The `Encoder` of an argument: a name, a Keras model, or a function.

    Args:
        encoder: "words", "minilm" (both scaled to a mean square of 1), a
            `keras.Model` from strings `[n]` or `[n, 1]` to vectors, a function from
            a list of str to vectors, or `None`.

    Raises:
        ValueError: it is something else.
    """
    if encoder is None or isinstance(encoder, Encoder):
        return encoder
    if isinstance(encoder, str):
        if encoder not in NAMES:
            raise ValueError(
                f"Sentences are encoded by {' or '.join(map(repr, NAMES))} (or a "
                f"function, or a Keras model). Received: encoder={encoder!r}."
                f"{hint(encoder, NAMES)}"
            )
        if encoder == "words":
            return Encoder(words_encoder, WORDS_DIM, "words 2")
        return Encoder(_scaled(MiniLM()), MiniLM.dim, f"{MiniLM.key}, scaled")
    if isinstance(encoder, keras.Model):
        return _of_model(encoder)
    if not callable(encoder):
        raise ValueError(
            "`encoder` is a name, a keras.Model from strings to vectors, or a "
            f"function from a list of str to vectors. Received: {encoder!r}."
        )
    return Encoder(encoder, None)


def _scaled(minilm):
    """Vectors whose numbers have a mean square of 1, as networks start best with."""
    return lambda sentences: minilm(sentences) * np.float32(math.sqrt(minilm.dim))


def _of_model(model):
    shape = model.output_shape
    if len(model.inputs) != 1 or not isinstance(shape, tuple) or len(shape) != 2:
        raise ValueError(
            "A Keras model that encodes takes strings and makes a vector of each. "
            f"Received: {model.name} with {len(model.inputs)} inputs and outputs of "
            f"shape {shape}."
        )
    if model.inputs[0].dtype != "string":
        raise ValueError(
            "A Keras model that encodes takes strings, dtype 'string': put a "
            "TextVectorization layer before it, or pass a function that makes its "
            f"numbers of sentences. Received: {model.name} of "
            f"{model.inputs[0].dtype}."
        )
    columns = len(model.inputs[0].shape) == 2

    def encode(sentences):
        import tensorflow as tf  # strings are its alone

        rows = tf.constant([[s] for s in sentences] if columns else sentences)
        return keras.ops.convert_to_numpy(model(rows, training=False))

    return Encoder(encode, shape[-1], None, model)
