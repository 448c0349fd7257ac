"""A relational memory, and a layer that writes sentences token by token with it."""

from typing import Any

import keras
from keras import ops

from keras_gans.layers.plain import Rebuilt
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_int, within

EPSILON = 1e-12  # of variances
FORGET_BIAS = 1.0


@keras.saving.register_keras_serializable("keras_gans")
class RelationalMemory(keras.layers.Layer):
    """One step of a relational memory core: `(x, memory)` to the next memory.

    Slots attend to each other and to the input, a perceptron of two layers
    follows, and gates of each unit decide what is forgotten and taken. Norms are
    over slots and features together, and queries are scaled by the root of a
    head's queries, keys and values, `3 head_size`, as RelGAN's authors have it.

    Args:
        slots: int, rows of the memory.
        heads: int, of attention.
        head_size: int; a slot has `heads * head_size` numbers.
        **kwargs: `name` and `dtype` of `keras.layers.Layer`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.layers import RelationalMemory

    memory = RelationalMemory(slots=2, heads=2, head_size=4)
    state = memory.first(3)  # (3, 2, 8)
    memory(np.zeros((3, 5), "float32"), state).shape  # (3, 2, 8)
    ```

    Reference:
        https://arxiv.org/abs/1806.01822
    """

    def __init__(self, slots: int = 1, heads: int = 2, head_size: int = 256, **kwargs):
        super().__init__(**kwargs)
        self.slots = check_size("slots", slots)
        self.heads = check_size("heads", heads)
        self.head_size = check_size("head_size", head_size)

    @property
    def size(self) -> int:
        """Numbers of a slot."""
        return self.heads * self.head_size

    def build(self, x_shape: tuple, memory_shape: tuple | None = None) -> None:
        size, width = self.size, 3 * self.size
        self.read = self._kernel("read_kernel", x_shape[-1], size)
        self.read_bias = self._vector("read_bias", size)
        self.attend = self._kernel("attend_kernel", size, width)
        self.mlp = [self._kernel(f"mlp_{i}_kernel", size, size) for i in range(2)]
        self.mlp_biases = [self._vector(f"mlp_{i}_bias", size) for i in range(2)]
        self.gate_of_input = self._kernel("gate_of_input_kernel", size, 2 * size)
        self.gate_of_memory = self._kernel("gate_of_memory_kernel", size, 2 * size)
        self.gains = [
            self._vector(f"norm_{i}_gain", n, "ones")
            for i, n in enumerate((width, size, size))
        ]
        self.offsets = [
            self._vector(f"norm_{i}_offset", n)
            for i, n in enumerate((width, size, size))
        ]

    def _kernel(self, name, inputs, outputs):
        start = keras.initializers.TruncatedNormal(stddev=inputs**-0.5)
        return self.add_weight(name=name, shape=(inputs, outputs), initializer=start)

    def _vector(self, name, size, start="zeros"):
        return self.add_weight(name=name, shape=(size,), initializer=start)

    def first(self, n: int | Tensor) -> Tensor:
        """The memory that `n` sentences begin with: unlike rows of an identity."""
        eye = ops.eye(self.slots, self.size, dtype=self.compute_dtype)
        return ops.broadcast_to(eye[None], (n, self.slots, self.size))

    def call(self, x: Tensor, memory: Tensor) -> Tensor:
        """The memory after an input.

        Args:
            x: float tensor `[n, features]`.
            memory: float tensor `[n, slots, size]`.
        """
        x = ops.matmul(x, self.read) + self.read_bias
        seen = ops.concatenate([memory, x[:, None]], axis=1)
        seen = self._norm(seen + self._attention(seen), 1)
        hidden = ops.relu(ops.matmul(seen, self.mlp[0]) + self.mlp_biases[0])
        hidden = ops.matmul(hidden, self.mlp[1]) + self.mlp_biases[1]
        seen = self._norm(seen + hidden, 2)[:, :-1]
        gates = ops.matmul(ops.tanh(memory), self.gate_of_memory)
        gates = gates + ops.matmul(x, self.gate_of_input)[:, None]
        taken, kept = ops.split(gates, 2, axis=-1)
        taken, kept = ops.sigmoid(taken), ops.sigmoid(kept + FORGET_BIAS)
        return taken * ops.tanh(seen) + kept * memory

    def _attention(self, seen):
        rows, heads, size = self.slots + 1, self.heads, self.head_size
        qkv = self._norm(ops.matmul(seen, self.attend), 0)
        qkv = ops.reshape(qkv, (-1, rows, heads, 3 * size))
        q, k, v = ops.split(qkv, 3, axis=-1)
        scores = ops.einsum("nihd,njhd->nhij", q * (3 * size) ** -0.5, k)
        context = ops.einsum("nhij,njhd->nihd", ops.softmax(scores), v)
        return ops.reshape(context, (-1, rows, heads * size))

    def _norm(self, x, i):
        x32 = ops.cast(x, "float32")
        mean = ops.mean(x32, axis=(1, 2), keepdims=True)
        gap = x32 - mean
        variance = ops.mean(ops.square(gap), axis=(1, 2), keepdims=True)
        x32 = gap * ops.rsqrt(variance + EPSILON)
        return ops.cast(x32, x.dtype) * self.gains[i] + self.offsets[i]

    def compute_output_shape(self, x_shape: tuple, memory_shape: tuple) -> tuple:
        return memory_shape

    def get_config(self) -> dict[str, Any]:
        own = {"slots": self.slots, "heads": self.heads, "head_size": self.head_size}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("keras_gans")
class TokenWriter(Rebuilt):
    """Writes sentences token by token: a recurrent model of the next token.

    Called on float noise `[n, length, vocabulary]`, each token is the largest of
    its logits plus the noise of its place, and is read to write the next; the
    result is these sums. Of standard Gumbel noise, tokens are drawn by the model's
    probabilities (arXiv:1611.01144, equation 1). Gradients flow through the sums
    and the memory, not through the choice of tokens. Called on int tokens
    `[n, length]`, the result is the logits of each, given those before it.

    Args:
        vocabulary: int, how many tokens there are.
        embedding_dim: int, numbers that a token is read as.
        slots: int, see `RelationalMemory`.
        heads: int, see `RelationalMemory`.
        head_size: int, see `RelationalMemory`.
        start_token: int, the token that is read before the first.
        **kwargs: `name` and `dtype` of `keras.layers.Layer`.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.layers import TokenWriter

    writer = TokenWriter(7, embedding_dim=4, head_size=3)
    writer(np.zeros((2, 5, 7), "float32")).shape  # (2, 5, 7)
    writer(np.zeros((2, 5), "int32")).shape  # (2, 5, 7)
    ```

    Reference:
        https://openreview.net/forum?id=rJedV3R5tm, section 2
    """

    def __init__(
        self,
        vocabulary: int,
        embedding_dim: int = 32,
        slots: int = 1,
        heads: int = 2,
        head_size: int = 256,
        start_token: int = 0,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.vocabulary = check_size("vocabulary", vocabulary)
        self.embedding_dim = check_size("embedding_dim", embedding_dim)
        ok = is_int(start_token) and 0 <= start_token < vocabulary
        allowed = f"[0, {vocabulary})"
        self.start_token = within("start_token", start_token, ok, allowed)
        self.memory = RelationalMemory(
            slots, heads, head_size, name="memory", dtype=self.dtype_policy
        )

    def build(self, shape: tuple) -> None:
        def normal(fan_in):
            return keras.initializers.TruncatedNormal(stddev=fan_in**-0.5)

        size = self.memory.slots * self.memory.size
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.vocabulary, self.embedding_dim),
            initializer=normal(self.vocabulary),
        )
        self.kernel = self.add_weight(
            name="kernel", shape=(size, self.vocabulary), initializer=normal(size)
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.vocabulary,), initializer="zeros"
        )
        self.memory.build((None, self.embedding_dim))

    def call(self, x: Tensor) -> Tensor:
        """See the class."""
        if len(x.shape) == 3:
            return _over_time(_Written(self), x)
        before = ops.concatenate(
            [ops.full_like(x[:, :1], self.start_token), x[:, :-1]], axis=1
        )
        embedded = ops.take(self.embeddings, before, axis=0)
        return self._logits(_over_time(_Read(self.memory), embedded))

    def plain(self, x: keras.KerasTensor) -> keras.KerasTensor:
        # Keras has no cell for its RNN to run: token by token.
        step, tokens = _Written(self), []
        rows = ops.zeros_like(x[:, 0, :1])
        states = [ops.add(rows, state) for state in step.get_initial_state(1)]
        for place in range(x.shape[1]):
            token, states = step.call(x[:, place], states)
            tokens.append(token)
        return ops.stack(tokens, axis=1)

    def _logits(self, memory):
        logits = ops.matmul(memory, self.kernel) + self.bias
        return ops.cast(logits, "float32")

    def compute_output_shape(self, shape: tuple) -> tuple:
        return (*shape[:2], self.vocabulary)

    def get_config(self) -> dict[str, Any]:
        own = {
            "vocabulary": self.vocabulary,
            "embedding_dim": self.embedding_dim,
            "slots": self.memory.slots,
            "heads": self.memory.heads,
            "head_size": self.memory.head_size,
            "start_token": self.start_token,
        }
        return {**super().get_config(), **own}


class _Read:
    """A step over embedded tokens, as `keras.layers.RNN` takes it."""

    compute_dtype = "float32"  # of its states

    def __init__(self, memory):
        self.memory = memory
        self.shape = (-1, memory.slots, memory.size)
        self.output_size = memory.slots * memory.size
        self.state_size = [self.output_size]

    def get_initial_state(self, batch_size):
        return [self._flat(self.memory.first(batch_size))]

    def _flat(self, memory):
        return ops.cast(ops.reshape(memory, (-1, self.output_size)), "float32")

    def _step(self, x, state):
        kind = self.memory.compute_dtype
        memory = ops.reshape(ops.cast(state, kind), self.shape)
        return self._flat(self.memory(ops.cast(x, kind), memory))

    def call(self, x, states):
        memory = self._step(x, states[0])
        return memory, [memory]

    __call__ = call


class _Written(_Read):
    """A step that chooses the token which the next one reads."""

    def __init__(self, writer):
        super().__init__(writer.memory)
        self.writer = writer
        self.state_size = [self.output_size, writer.embedding_dim]
        self.output_size, self._units = writer.vocabulary, self.output_size

    def get_initial_state(self, batch_size):
        first = self.writer.embeddings[self.writer.start_token]
        first = ops.cast(first[None], "float32")
        width = self.writer.embedding_dim
        memory = self.memory.first(batch_size)
        return [self._flat(memory), ops.broadcast_to(first, (batch_size, width))]

    def _flat(self, memory):
        return ops.cast(ops.reshape(memory, (-1, self._units)), "float32")

    def call(self, noise, states):
        memory = self._step(states[1], states[0])
        logits = self.writer._logits(ops.cast(memory, self.memory.compute_dtype))
        noisy_logits = logits + noise
        token = ops.argmax(ops.stop_gradient(noisy_logits), axis=-1)
        embedded = ops.take(self.writer.embeddings, token, axis=0)
        return noisy_logits, [memory, ops.cast(embedded, "float32")]

    __call__ = call


def _over_time(step, x):
    layer = keras.layers.RNN(step, return_sequences=True, dtype="float32")
    return layer(ops.cast(x, "float32"))
