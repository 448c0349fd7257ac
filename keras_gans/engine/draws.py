"""Random numbers that are functions of (seed, step, global row) alone.

A counter hash: each word of the counter is folded into two 32-bit lanes by a
bijective mixer (xor-shift-multiply with the constants of Chris Wellons'
public-domain "lowbias32"), so rows of one draw never share a lane. There is no
state: two replicas draw what one would, a resumed run draws what it would have
drawn, and TensorFlow and JAX agree to the rounding of log, sin and cos.
"""

import contextlib
import math

from keras import ops
import numpy as np

from keras_gans.checks import is_int

# One stream per purpose, so that no two purposes ever share numbers.
TRAIN = 0
EVALUATE = 1
SAMPLE = 2
DROPOUT = 3
TRANSLATE = 4
MASKS = 5

# Purposes of the draws of one step; 0 is the latent code.
ALPHA = 1
CODES = 2  # and 3
POOL = 4  # and 5
NOISE = 16  # + role
AUGMENT = 32  # + ROLE * role + which draw of the augmentation
ROLE = 16

# What is judged: the reals, the fakes that D learns from, those that G learns
# through, and the points between reals and fakes.
REAL, FAKE, GENERATED, MIXED = range(4)

_LANES = (0x243F6A88, 0x85A308D3)  # digits of pi
_ODD = np.uint32(0x9E3779B9)  # 2**32 / golden ratio
# Of the mixer: two shifts and two factors.
_MIXER = tuple(map(np.uint32, (16, 15, 0x7FEB352D, 0x846CA68B)))


def _word(x):
    """An int as an array of NumPy, whose hash is no part of the graph."""
    if isinstance(x, int):
        return np.array([x & 0xFFFFFFFF], "uint32")
    return ops.cast(x, "uint32")


def _mix(x, mixer):
    # Operators, for they take arrays of NumPy as they take tensors.
    shift = np.right_shift if isinstance(x, np.ndarray) else ops.right_shift
    x = (x ^ shift(x, mixer[0])) * mixer[2]
    x = (x ^ shift(x, mixer[1])) * mixer[3]
    return x ^ shift(x, mixer[0])


def bits(words, rows, columns):
    """Hashes a counter to uniform 32-bit integers.

    Args:
        words: the leading words of the counter: ints, or integer tensors that
            broadcast with `rows` (taken modulo 2**32).
        rows: integer tensor `[n]`, the last word, one a row.
        columns: int or int32 scalar tensor, how many numbers a row.

    Returns:
        uint32 tensor `[n, columns]`.
    """
    a, b = map(_word, _LANES)
    mixer, odd = _MIXER, _ODD
    for word in map(_word, (*words, rows)):
        if mixer is _MIXER and not isinstance(word, np.ndarray):
            # Once: a graph takes as long to build as it has operations.
            *mixer, odd = map(ops.convert_to_tensor, (*_MIXER, _ODD))
        a, b = _mix(word ^ a, mixer), _mix(word * odd + b, mixer)
    a = _mix(a[:, None] + _spread(columns)[None], mixer)
    return _mix(a ^ b[:, None], mixer)


def _spread(columns):
    """The odd number times 0, 1, ..., `columns - 1`."""
    if is_int(columns):
        return np.arange(columns, dtype="uint32") * _ODD
    column = ops.cast(ops.arange(columns, dtype="int32"), "uint32")
    return column * _ODD


def uniform(words, rows, columns):
    """Draws from U(0, 1), ends excluded: float32 `[n, columns]`.

    See `bits` for the arguments.
    """
    top = ops.right_shift(bits(words, rows, columns), np.uint32(8))
    return ops.cast(top, "float32") * 2.0**-24 + 2.0**-25


def normal(words, rows, columns):
    """Draws from N(0, 1) by Box-Muller: float32 `[n, columns]`.

    See `bits` for the arguments. |z| is at most 5.9.
    """
    half = -(-columns // 2)
    u = uniform(words, rows, 2 * half)
    radius = ops.sqrt(-2.0 * ops.log(u[:, :half]))
    angle = (2.0 * math.pi) * u[:, half:]
    z = ops.concatenate(
        [radius * ops.cos(angle), radius * ops.sin(angle)], axis=1
    )
    return z[:, :columns]


def latents(high, low, latent_dim):
    """The latent codes of `sample` and of the exported model.

    Row i is a function of the 64-bit number `high[i] * 2**32 + low[i]` alone.

    Args:
        high: integer tensor `[n]` or int, the upper 32 bits: the seed.
        low: integer tensor `[n]`, the lower 32 bits: the row.
        latent_dim: int.

    Returns:
        float32 tensor `[n, latent_dim]`, N(0, 1).
    """
    return normal((SAMPLE, high), low, latent_dim)


class Draws:
    """Where in the counter a training or evaluation step stands.

    Args:
        seed: int in [0, 2**31).
        rows: function from a number of rows to their global indices, so that
            each replica draws its own part of one global draw.
    """

    def __init__(self, seed, rows):
        self._seed = seed
        self._all_rows = rows
        self._place = None
        self._part = (0, 1)

    @contextlib.contextmanager
    def at(self, *place, part=(0, 1)):
        """Sets the words (stream, step, ...) of the draws made inside.

        Args:
            *place: the words.
            part: tuple (i, n): they are for every n-th row, from row i on.
        """
        self._place, self._part = place, part
        try:
            yield
        finally:
            self._place, self._part = None, (0, 1)

    def _rows(self, rows):
        i, n = self._part
        return self._all_rows(rows * n)[i::n] if n > 1 else self._all_rows(rows)

    def normal(self, n, columns, purpose=0):
        """N(0, 1) for `n` rows; give each draw of a step its own `purpose`."""
        return normal(self._words(purpose), self._rows(n), columns)

    def uniform(self, n, columns, purpose=0):
        """U(0, 1) for `n` rows; give each draw of a step its own `purpose`."""
        return uniform(self._words(purpose), self._rows(n), columns)

    def integers(self, n, columns, high, purpose):
        """Integers of [0, high), each as likely: int32 `[n, columns]`."""
        u = self.uniform(n, columns, purpose)
        # u may round to 1
        return ops.minimum(ops.cast(ops.floor(u * high), "int32"), high - 1)

    def _words(self, purpose):
        if self._place is None:
            raise RuntimeError("A draw was made outside of `Draws.at`.")
        return (self._seed, *self._place, purpose)
