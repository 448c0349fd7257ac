"""Random numbers that are functions of (seed, step, global row) alone.

A counter hash: each word of the counter is folded into two 32-bit lanes by a
bijective mixer (xor-shift-multiply with the constants of Chris Wellons'
public-domain "lowbias32"), so rows of one draw never share a lane. There is no
state: two replicas draw what one would, a resumed run draws what it would have
drawn, and TensorFlow and JAX agree to the rounding of log, sin and cos.
"""

from collections.abc import Callable, Iterator
import contextlib
import functools
import math
import threading
import zlib

import keras
from keras import ops
import numpy as np

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_int

if keras.backend.backend() == "tensorflow":
    import tensorflow as tf
else:
    import jax

# What a draw is for is a string. The first of them keep the small numbers that
# they have always had, so that seeds draw today what they drew; any other is
# the CRC-32 of its name.
_STREAMS = ("train", "evaluate", "sample", "dropout", "translate", "masks")
_PURPOSES = ("latent", "interpolation", "category", "codes", "pool/a", "pool/b")
_ROLES = ("real", "fake", "generated", "mixed")
_ROLES += tuple(f"{role}_b" for role in _ROLES)
_FIXED = {
    **{name: i for i, name in enumerate(_STREAMS)},
    **{name: i for i, name in enumerate(_PURPOSES)},
    "codes/sample": 2,
    **{f"noise/{role}": 16 + i for i, role in enumerate(_ROLES)},
    **{
        f"augment/{role}/{k}": 32 + 16 * i + k
        for i, role in enumerate(_ROLES)
        for k in range(16)
    },
}

_LANES = (0x243F6A88, 0x85A308D3)  # digits of pi
_ODD = np.uint32(0x9E3779B9)  # 2**32 / golden ratio
# Of the mixer: two shifts and two factors.
_MIXER = tuple(map(np.uint32, (16, 15, 0x7FEB352D, 0x846CA68B)))


def purpose_word(purpose: str) -> int:
    """The 32-bit word of the counter that a purpose stands for."""
    if purpose in _FIXED:
        return _FIXED[purpose]
    return zlib.crc32(purpose.encode()) | 2**31  # above all fixed ones


def _word(x):
    """A word as an array of NumPy, whose hash is no part of the graph."""
    if isinstance(x, str):
        x = purpose_word(x)
    if isinstance(x, int):
        return np.array([x & 0xFFFFFFFF], "uint32")
    return ops.cast(x, "uint32")


def _mix(x, mixer):
    # Operators, for they take arrays of NumPy as they take tensors.
    shift = np.right_shift if isinstance(x, np.ndarray) else ops.right_shift
    x = (x ^ shift(x, mixer[0])) * mixer[2]
    x = (x ^ shift(x, mixer[1])) * mixer[3]
    return x ^ shift(x, mixer[0])


def bits(words: tuple, rows: Tensor, columns: int | Tensor) -> Tensor:
    """Hashes a counter to uniform 32-bit integers.

    Args:
        words: the leading words of the counter: strings (what the draw is
            for), ints, or integer tensors that broadcast with `rows` (taken
            modulo 2**32).
        rows: integer tensor `[n]`, the last word, one a row.
        columns: int or int32 scalar tensor, how many numbers a row.

    Returns:
        uint32 tensor `[n, columns]`.
    """
    return _draw(_bits, words, rows, columns)


def uniform(words: tuple, rows: Tensor, columns: int | Tensor) -> Tensor:
    """Draws from U(0, 1), ends excluded: float32 `[n, columns]`.

    See `bits` for the arguments.
    """
    return _draw(_uniform, words, rows, columns)


def normal(words: tuple, rows: Tensor, columns: int | Tensor) -> Tensor:
    """Draws from N(0, 1) by Box-Muller: float32 `[n, columns]`.

    See `bits` for the arguments. |z| is at most 5.9.
    """
    half = -(-columns // 2)
    z = _draw(_normal, words, rows, 2 * half)
    return z if is_int(columns) and columns % 2 == 0 else z[:, :columns]


def _draw(fn, words, rows, columns):
    """Calls `fn(a, b, *words, spread)`: lanes, what is left to fold, columns."""
    a, b = map(_word, _LANES)
    words = [*map(_word, (*words, rows))]
    while words and isinstance(words[0], np.ndarray):
        a, b = _fold(a, b, words.pop(0), _MIXER, _ODD)
    spread = _spread(columns)
    one_each = all(tuple(word.shape) in ((), (1,)) for word in words[:-1])
    if not words or not one_each:
        return fn(a, b, *words, spread)
    *leading, last = words
    leading = [ops.reshape(word, (1,)) for word in leading]
    drawn = _compiled(fn, len(words))(a, b, *leading, last, spread)
    if keras.backend.backend() == "tensorflow":
        drawn.set_shape((last.shape[0], spread.shape[0]))
    return drawn


@functools.cache
def _compiled(fn, count):
    """A function of `count` words that graphs call, built for them once.

    A graph takes as long to build as it has operations, and a step has many
    draws of a hundred.
    """
    if keras.backend.backend() != "tensorflow":
        return jax.jit(fn)
    one, several = (tf.TensorSpec([n], "uint32") for n in (1, None))
    signature = [one, one, *(count - 1) * [one], several, several]
    return tf.function(fn, signature, autograph=False)


def _fold(a, b, word, mixer, odd):
    return _mix(word ^ a, mixer), _mix(word * odd + b, mixer)


def _bits(a, b, *words_and_spread):
    *words, spread = words_and_spread
    mixer, odd = _MIXER, _ODD
    if words:
        *mixer, odd = map(ops.convert_to_tensor, (*_MIXER, _ODD))
    for word in words:
        a, b = _fold(a, b, word, mixer, odd)
    a = _mix(a[:, None] + spread[None], mixer)
    return _mix(a ^ b[:, None], mixer)


def _uniform(*counter):
    top = ops.right_shift(_bits(*counter), np.uint32(8))
    return ops.cast(top, "float32") * 2.0**-24 + 2.0**-25


def _normal(*counter):
    u = _uniform(*counter)
    half = ops.shape(u)[1] // 2
    radius = ops.sqrt(-2.0 * ops.log(u[:, :half]))
    angle = (2.0 * math.pi) * u[:, half:]
    return ops.concatenate([radius * ops.cos(angle), radius * ops.sin(angle)], axis=1)


def _spread(columns):
    """The odd number times 0, 1, ..., `columns - 1`."""
    if is_int(columns):
        return np.arange(columns, dtype="uint32") * _ODD
    column = ops.cast(ops.arange(columns, dtype="int32"), "uint32")
    return column * _ODD


def latents(high: int | Tensor, low: Tensor, latent_dim: int) -> Tensor:
    """The latent codes of `sample` and of the exported model.

    Row i is a function of the 64-bit number `high[i] * 2**32 + low[i]` alone.

    Args:
        high: integer tensor `[n]` or int, the upper 32 bits: the seed.
        low: integer tensor `[n]`, the lower 32 bits: the row.
        latent_dim: int.

    Returns:
        float32 tensor `[n, latent_dim]`, N(0, 1).
    """
    return normal(("sample", high), low, latent_dim)


class RNG:
    """The random numbers of a training or evaluation step.

    Each is a function of (seed, step, place in the step, purpose, global row).

    Args:
        seed: int in [0, 2**31).
        rows: function from a number of rows to their global indices, so that
            each replica draws its own part of one global draw.
    """

    def __init__(self, seed: int, rows: Callable):
        self._seed = seed
        self._all_rows = rows
        # Replicas are traced in threads that take turns within a step.
        self._where = threading.local()

    @contextlib.contextmanager
    def at(
        self, *place, part: tuple[int, int] = (0, 1), first: int | Tensor | None = None
    ) -> Iterator[None]:
        """Sets the words (stream, step, ...) of the draws made inside.

        Args:
            *place: the words.
            part: tuple (i, n): they are for every n-th row, from row i on.
            first: int or scalar tensor, the global index of the first row;
                `None` where each replica has as many rows as the others.
        """
        where = self._where
        where.place, where.part, where.first = place, part, first
        try:
            yield
        finally:
            del where.place, where.part, where.first

    def _rows(self, rows):
        if self._where.first is not None:
            return self._where.first + ops.arange(rows, dtype="int32")
        i, n = self._where.part
        return self._all_rows(rows * n)[i::n] if n > 1 else self._all_rows(rows)

    def normal(self, n: int | Tensor, columns: int, purpose: str) -> Tensor:
        """N(0, 1) for `n` rows; give each draw of a step its own `purpose`."""
        return normal(self._words(purpose), self._rows(n), columns)

    def uniform(self, n: int | Tensor, columns: int, purpose: str) -> Tensor:
        """U(0, 1) for `n` rows; give each draw of a step its own `purpose`."""
        return uniform(self._words(purpose), self._rows(n), columns)

    def integers(
        self, n: int | Tensor, columns: int, high: int, purpose: str
    ) -> Tensor:
        """Integers of [0, high), each as likely: int32 `[n, columns]`."""
        return below(self.uniform(n, columns, purpose), high)

    def _words(self, purpose):
        place = getattr(self._where, "place", None)
        if place is None:
            raise RuntimeError(
                "Random numbers of a GAN belong to a step. Received: a draw "
                f"for {purpose!r} outside of one. Draw in a loss or in "
                "`generate`, or use the functions of keras_gans.engine.rng."
            )
        return (self._seed, *place, purpose)


def below(u: Tensor, high: int | Tensor) -> Tensor:
    """Integers of [0, high) from `u` of U(0, 1): int32."""
    # u may round to 1
    return ops.minimum(ops.cast(ops.floor(u * high), "int32"), high - 1)
