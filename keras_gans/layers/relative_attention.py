"""Self-attention over a sequence, with what is learned of near distances."""

import keras
from keras import layers, ops

from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size


@keras.saving.register_keras_serializable("keras_gans")
class RelativeAttention(layers.Layer):
    """Attention that knows how far away near places are.

    Keys and values of places up to `window` away have a learned vector added, the
    same of all heads; further away there is none.

    Args:
        heads: int, which divides the channels.
        window: int, the largest distance with a vector of its own.
        dropout: float in [0, 1), of attention weights.
        **kwargs: arguments of `keras.layers.Layer`.

    Example:

    ```python
    from keras_gans.layers.relative_attention import RelativeAttention

    x, mask = np.zeros((2, 5, 8), "float32"), np.ones((2, 5, 1), "float32")
    RelativeAttention(2)([x, mask]).shape  # (2, 5, 8)
    ```

    Reference:
        https://arxiv.org/abs/1803.02155, section 3.2
    """

    def __init__(self, heads: int, window: int = 4, dropout: float = 0.0, **kwargs):
        super().__init__(**kwargs)
        self.heads = check_size("heads", heads)
        self.window = check_size("window", window)
        self.dropout = dropout

    def build(self, input_shape: list) -> None:
        channels = input_shape[0][-1]
        if channels % self.heads:
            raise ValueError(
                f"Heads divide the channels. Received: {self.heads} heads of "
                f"{channels} channels."
            )
        for name in ("query", "key", "value", "output"):
            init = "he_uniform" if name == "output" else "glorot_uniform"
            conv = layers.Conv1D(channels, 1, kernel_initializer=init, name=name)
            conv.build(tuple(input_shape[0]))
            setattr(self, f"{name}_conv", conv)
        each = channels // self.heads
        normal = keras.initializers.RandomNormal(stddev=each**-0.5)
        for name in ("near_keys", "near_values"):
            shape = (2 * self.window + 1, each)
            weight = self.add_weight(name=name, shape=shape, initializer=normal)
            setattr(self, name, weight)
        self.drop = layers.Dropout(self.dropout)

    def call(self, inputs: list, training: bool = False) -> Tensor:
        x, mask = inputs
        n, time, channels = ops.shape(x)[0], ops.shape(x)[1], x.shape[-1]
        each = channels // self.heads

        def split(y):
            y = ops.reshape(y, (n, time, self.heads, each))
            return ops.transpose(y, (0, 2, 1, 3))

        query = split(self.query_conv(x)) / each**0.5
        key, value = split(self.key_conv(x)), split(self.value_conv(x))
        # [i, j, r]: whether place j lies r - window after place i.
        places = ops.arange(time)
        away = places[None, :] - places[:, None] + self.window
        near = ops.one_hot(away, 2 * self.window + 1, dtype=query.dtype)
        scores = ops.matmul(query, ops.transpose(key, (0, 1, 3, 2)))
        near_keys = ops.cast(self.near_keys, query.dtype)
        of_near = ops.matmul(query, ops.transpose(near_keys))
        scores = scores + ops.einsum("nhir,ijr->nhij", of_near, near)
        flat = ops.transpose(mask, (0, 2, 1))
        both = (mask * flat)[:, None]
        scores = ops.where(both == 0, ops.cast(-1e4, scores.dtype), scores)
        weights = self.drop(ops.softmax(scores, axis=-1), training=training)
        context = ops.matmul(weights, value)
        to_near = ops.einsum("nhij,ijr->nhir", weights, near)
        context = context + ops.matmul(
            to_near, ops.cast(self.near_values, context.dtype)
        )
        context = ops.reshape(ops.transpose(context, (0, 2, 1, 3)), (n, time, channels))
        return self.output_conv(context)

    def compute_output_shape(self, input_shape: list) -> tuple:
        return tuple(input_shape[0])

    def get_config(self) -> dict:
        own = {"heads": self.heads, "window": self.window, "dropout": self.dropout}
        return {**super().get_config(), **own}
