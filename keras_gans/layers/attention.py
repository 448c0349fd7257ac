"""Self-attention over the pixels of a map."""

import keras
from keras import layers, ops

from keras_gans.layers.spectral import SpectralNormalization
from keras_gans.utils.types import Tensor


@keras.saving.register_keras_serializable("keras_gans")
class SelfAttention(layers.Layer):
    """A map plus gamma times what each pixel attends to; gamma starts from 0.

    With keys of an eighth and values of half of the channels, both of a map of
    half the size: `beta = softmax(theta(x) phi(x)^T)`, `x + gamma o(beta g(x))`.
    All four are 1 x 1 convolutions without bias.

    Args:
        spectral_norm: bool, whether they are normalized spectrally.
        iterate_in_inference: bool, as of `SpectralNormalization`.
        initializer: str or Keras initializer, of their kernels.
        **kwargs: arguments of `keras.layers.Layer`.

    Raises:
        ValueError: what it is called on is no map, or smaller than 2 x 4 pixels.

    Example:

    ```python
    layer = keras_gans.layers.SelfAttention()
    y = layer(np.ones((2, 8, 8, 16), "float32"))  # [2, 8, 8, 16]
    ```

    Reference:
        https://arxiv.org/abs/1805.08318, section 3, with the smaller keys of
        https://arxiv.org/abs/1809.11096
    """

    def __init__(
        self,
        spectral_norm: bool = True,
        iterate_in_inference: bool = False,
        initializer: str | keras.initializers.Initializer = "glorot_uniform",
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.spectral_norm = bool(spectral_norm)
        self.iterate_in_inference = bool(iterate_in_inference)
        self.initializer = keras.initializers.get(initializer)

    def build(self, input_shape: tuple) -> None:
        if (
            len(input_shape) != 4
            or None in input_shape[1:]
            # Of one key, all attend to that.
            or (input_shape[1] // 2) * (input_shape[2] // 2) < 2
        ):
            raise ValueError(
                "Self-attention takes maps [n, height, width, channels] of a known "
                "size, of 2 x 4 pixels or more. Received: shape "
                f"{tuple(input_shape)}. Put it where maps are larger, and give "
                "`keras.Input` its height and width."
            )
        channels = input_shape[-1]
        few, half = max(1, channels // 8), max(1, channels // 2)
        self.theta = self._conv(few, "theta")
        self.phi = self._conv(few, "phi")
        self.g = self._conv(half, "g")
        self.o = self._conv(channels, "o")
        for conv in (self.theta, self.phi, self.g):
            conv.build(input_shape)
        self.o.build((*input_shape[:-1], half))
        self.gamma = self.add_weight(name="gamma", shape=(), initializer="zeros")

    def _conv(self, filters, name):
        # Of a copy each: one initializer would start all from the same numbers.
        start = self.initializer
        start = type(start).from_config(start.get_config())
        conv = layers.Conv2D(
            filters,
            1,
            use_bias=False,
            kernel_initializer=start,
            dtype=self.dtype_policy,
            name=name,
        )
        if not self.spectral_norm:
            return conv
        return SpectralNormalization(
            conv, iterate_in_inference=self.iterate_in_inference
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        _, height, width, _ = inputs.shape

        def project(conv, pooled):
            kwargs = {"training": training} if self.spectral_norm else {}
            y = conv(inputs, **kwargs)
            if pooled:
                y = ops.max_pool(y, 2, 2, "valid")
            return ops.reshape(y, (-1, y.shape[1] * y.shape[2], y.shape[3]))

        theta, phi = project(self.theta, False), project(self.phi, True)
        scores = ops.matmul(theta, ops.transpose(phi, (0, 2, 1)))
        beta = ops.softmax(ops.cast(scores, "float32"), axis=-1)
        y = ops.matmul(ops.cast(beta, theta.dtype), project(self.g, True))
        y = ops.reshape(y, (-1, height, width, y.shape[-1]))
        y = self.o(y, training=training) if self.spectral_norm else self.o(y)
        return inputs + y * ops.cast(self.gamma, y.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return tuple(input_shape)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "spectral_norm": self.spectral_norm,
            "iterate_in_inference": self.iterate_in_inference,
            "initializer": keras.initializers.serialize(self.initializer),
        }
