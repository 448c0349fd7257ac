"""Rows of tables as a generator ends: each span of a row by a softmax of its own."""

from collections.abc import Sequence

import keras
from keras import ops
import numpy as np

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import is_int, is_number, within

NEVER = -1e9  # logits of places that are none


class Spans:
    """Parts of a row that each add up to 1, taken at once.

    Args:
        spans: list of (start, width), apart from each other.
    """

    def __init__(self, spans: Sequence[tuple[int, int]]):
        groups = {}
        for start, width in spans:  # of about one width, to fill up little
            groups.setdefault((width - 1).bit_length(), []).append((start, width))
        self.groups, places = [], []
        for members in groups.values():
            widest = max(width for _, width in members)
            taken = np.zeros((len(members), widest), "int32")
            real = np.zeros((len(members), widest), bool)
            for i, (start, width) in enumerate(members):
                taken[i, :width] = start + np.arange(width)
                real[i, :width] = True
            self.groups.append((taken.ravel(), real, taken.shape))
            places += np.where(real, taken, -1).ravel().tolist()
        places = np.array(places, "int32")
        wanted = [start + i for start, width in spans for i in range(width)]
        where = {int(p): i for i, p in enumerate(places) if p >= 0}
        self.order = np.array([where[p] for p in wanted], "int32")

    def softmax(self, x: Tensor, log: bool = False) -> Tensor:
        """The softmax of each span, or its logarithm, span by span side by side.

        Args:
            x: logits `[n, width]`.
            log: bool.

        Returns:
            Tensor `[n, places]`, of the places in spans alone.
        """
        function = ops.log_softmax if log else ops.softmax
        parts = []
        for taken, real, shape in self.groups:
            if shape[1] == 1:  # of one place, which Keras's softmax warns of
                alone = ops.take(x, taken, axis=1)
                parts.append(ops.zeros_like(alone) if log else ops.ones_like(alone))
                continue
            part = ops.reshape(ops.take(x, taken, axis=1), (-1, *shape))
            if not real.all():
                part = ops.where(real, part, NEVER)
            parts.append(ops.reshape(function(part, axis=-1), (-1, taken.size)))
        joined = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=1)
        return ops.take(joined, self.order, axis=1)


@keras.saving.register_keras_serializable("keras_gans")
class SpanActivation(keras.layers.Layer):
    """A tanh of each scalar of a row, a Gumbel-softmax of each of its spans.

    Args:
        width: int, of a row.
        spans: list of (start, width): the one-hot parts; the rest are scalars.
        temperature: float above 0, tau: the smaller, the nearer to one-hot.
        **kwargs: arguments of `keras.layers.Layer`.

    Call arguments:
        inputs: logits `[n, width]`; or a list of them and of draws of Gumbel's
            distribution `[n, places in spans]`, where there are spans.

    Raises:
        ValueError: an argument is out of its range, or spans overlap.

    Example:

    ```python
    layer = keras_gans.layers.SpanActivation(3, [(1, 2)], temperature=1.0)
    layer([np.zeros((1, 3)), np.zeros((1, 2))])  # 0, 0.5, 0.5
    ```

    Reference:
        https://arxiv.org/abs/1907.00503, section 4.3; https://arxiv.org/abs/1611.01144
    """

    def __init__(
        self,
        width: int,
        spans: Sequence[tuple[int, int]],
        temperature: float = 0.2,
        **kwargs,
    ):
        super().__init__(**kwargs)
        ok = is_int(width) and width > 0
        self.width = within("width", width, ok, "1, 2, ...")
        ok = is_number(temperature) and 0 < temperature < float("inf")
        self.temperature = within("temperature", temperature, ok, "(0, inf)")
        self.spans = [(int(start), int(size)) for start, size in spans]
        hot = [start + i for start, size in self.spans for i in range(size)]
        ok = len(set(hot)) == len(hot) and all(0 <= p < width for p in hot)
        if not ok or any(size < 1 for _, size in self.spans):
            raise ValueError(
                f"`spans` are apart and within the row of {width}. Received: "
                f"{self.spans}."
            )
        scalars = [i for i in range(width) if i not in set(hot)]
        self._hot, self._scalars = np.array(hot, "int32"), np.array(scalars, "int32")
        sizes = [size for _, size in self.spans]
        starts = np.cumsum([0, *sizes[:-1]]).tolist() if sizes else []
        self._parts = Spans([*zip(starts, sizes, strict=True)]) if sizes else None
        self._back = np.argsort(np.concatenate([scalars, hot])).astype("int32")

    def call(self, inputs: Tensor) -> Tensor:
        if self._parts is None:
            return ops.tanh(inputs)
        logits, gumbel = inputs
        hot = ops.take(logits, self._hot, axis=1)
        hot = self._parts.softmax((hot + gumbel) / self.temperature)
        if not len(self._scalars):
            return ops.take(hot, self._back, axis=1)
        scalars = ops.tanh(ops.take(logits, self._scalars, axis=1))
        return ops.take(ops.concatenate([scalars, hot], axis=1), self._back, axis=1)

    def compute_output_spec(
        self, inputs: keras.KerasTensor | list[keras.KerasTensor]
    ) -> keras.KerasTensor:
        first = inputs[0] if isinstance(inputs, (list, tuple)) else inputs
        return keras.KerasTensor(first.shape, self.compute_dtype)

    def get_config(self) -> dict:
        own = {"width": self.width, "spans": self.spans}
        return {**super().get_config(), **own, "temperature": self.temperature}
