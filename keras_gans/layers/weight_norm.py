"""Weight normalization: a kernel as directions and lengths."""

import keras
from keras import layers, ops

from keras_gans.engine.keras_internals import AutocastScope
from keras_gans.layers.plain import Rebuilt
from keras_gans.layers.spectral import substituted
from keras_gans.utils.types import Tensor

KINDS = (layers.Conv1D, layers.Conv2D, layers.Conv1DTranspose, layers.Conv2DTranspose)


@keras.saving.register_keras_serializable("keras_gans")
class WeightNormalization(layers.Wrapper, Rebuilt):
    """Runs a layer with the kernel g v / ||v||, whose parts are both trained.

    There is a length g for each place of the kernel's last axis: of outputs of
    convolutions, of inputs of transposed ones, as PyTorch's `weight_norm` has it.
    At first g = ||v||, so that the layer does what it did.

    Args:
        layer: `Conv1D`, `Conv2D`, or the transposed of these.
        **kwargs: arguments of `keras.layers.Layer`. Name and dtype are the
            layer's own by default.

    Raises:
        ValueError: the layer is of another type.

    Example:

    ```python
    from keras_gans.layers.weight_norm import WeightNormalization

    layer = WeightNormalization(keras.layers.Conv1D(4, 3))
    layer(np.ones((2, 8, 1), "float32")).shape  # (2, 6, 4)
    ```

    Reference:
        https://arxiv.org/abs/1602.07868, equation 2
    """

    def __init__(self, layer: keras.layers.Layer, **kwargs):
        if not isinstance(layer, KINDS):
            names = ", ".join(kind.__name__ for kind in KINDS)
            raise ValueError(f"`layer` must be one of {names}. Received: {layer!r}.")
        kwargs = {"name": layer.name, "dtype": layer.dtype_policy, **kwargs}
        super().__init__(layer, **kwargs)

    def build(self, input_shape: tuple | None = None) -> None:
        super().build(input_shape)
        self.g = self.add_weight(
            name="g",
            shape=(self.layer.kernel.shape[-1],),
            initializer=lambda shape, dtype: ops.cast(
                ops.reshape(self._norms(), shape), dtype
            ),
        )

    def _norms(self):
        """||v|| of each place of the last axis: float32, of the kernel's rank."""
        with AutocastScope(None):
            v = ops.cast(self.layer.kernel, "float32")
        axes = tuple(range(len(v.shape) - 1))
        return ops.sqrt(ops.sum(ops.square(v), axis=axes, keepdims=True))

    def folded_kernel(self) -> Tensor:
        """g v / ||v||, of the kernel's dtype."""
        kernel = self.layer.kernel
        with AutocastScope(None):
            scale = ops.cast(self.g, "float32") / self._norms()
            return kernel * ops.cast(scale, kernel.dtype)

    def call(self, inputs: Tensor) -> Tensor:
        with substituted(self.layer.kernel, self.folded_kernel()):
            return self.layer(inputs)

    def plain(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        self.layer.kernel.assign(self.folded_kernel())
        return self.layer(inputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return self.layer.compute_output_shape(input_shape)
