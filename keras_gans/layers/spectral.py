"""Spectral normalization: kernels divided by their largest singular value."""

from collections.abc import Iterator
import contextlib

import keras
from keras import layers, ops
import numpy as np

from keras_gans.engine.keras_internals import (
    AutocastScope,
    get_stateless_scope,
    is_graph,
)
from keras_gans.layers.plain import Rebuilt
from keras_gans.layers.rewriting import carry_over, fresh, leaves_of, rewritten
from keras_gans.utils.networks import check_built
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_number, within

# The kernel's axis of outputs: the rows of the paper's matrix W.
_OUTPUT_AXES = {
    layers.Dense: -1,
    layers.Conv1D: -1,
    layers.Conv2D: -1,
    layers.Conv3D: -1,
    layers.Conv1DTranspose: -2,
    layers.Conv2DTranspose: -2,
    layers.Conv3DTranspose: -2,
    layers.Embedding: 0,  # (classes, dim): an embedding is a product W^T e
}


def _output_axis(layer):
    """The axis of outputs, or None if the layer has no matrix to normalize."""
    for kind, axis in _OUTPUT_AXES.items():
        if isinstance(layer, kind):
            return axis
    return None


@keras.saving.register_keras_serializable("keras_gans")
class SpectralNormalization(layers.Wrapper, Rebuilt):
    """Runs a layer with its kernel divided by the kernel's spectral norm.

    With W the kernel as a matrix whose rows are outputs, the layer uses
    W / sigma, sigma = u^T W v. The kernel itself is kept: an optimizer trains
    W, through sigma as well. The vectors u and v follow W's first singular
    vectors by power iteration, once a call in training, and are constants for
    the gradient. A kernel of zeros has no such norm: the output is NaN.

    `keras.layers.SpectralNormalization` instead overwrites the kernel and
    passes no gradient through sigma.

    Args:
        layer: `keras.layers.Dense`, `Embedding`, or a `Conv` or
            `ConvTranspose` of one to three axes.
        power_iterations: int, iterations a call in training.
        epsilon: float above 0, the smallest norm that u and v are divided by.
        iterate_in_inference: bool. Inference uses the stored u and v, as
            PyTorch's `spectral_norm`; with True it starts from the stored u,
            iterates as in training, and stores nothing.
        **kwargs: arguments of `keras.layers.Layer`. Name and dtype are the
            layer's own by default.

    Raises:
        ValueError: the layer is of another type, or an argument out of range.

    Example:

    ```python
    layer = keras_gans.layers.SpectralNormalization(keras.layers.Dense(4))
    y = layer(np.ones((2, 8), "float32"), training=True)  # [2, 4]
    ```

    Reference:
        https://arxiv.org/abs/1802.05957, algorithm 1
    """

    def __init__(
        self,
        layer: keras.layers.Layer,
        power_iterations: int = 1,
        epsilon: float = 1e-12,
        iterate_in_inference: bool = False,
        **kwargs,
    ):
        if _output_axis(layer) is None:
            names = ", ".join(kind.__name__ for kind in _OUTPUT_AXES)
            raise ValueError(
                f"`layer` must be one of {names}. Received: layer={layer!r}."
            )
        if layer.activity_regularizer is not None:
            raise ValueError(
                "Spectral normalization takes layers without activity "
                "regularizer; add keras.layers.ActivityRegularization after "
                f"it. Received: layer={layer!r}."
            )
        check_size("power_iterations", power_iterations)
        ok = is_number(epsilon) and 0 < epsilon < 1
        within("epsilon", epsilon, ok, "(0, 1)")
        kwargs = {"name": layer.name, "dtype": layer.dtype_policy, **kwargs}
        super().__init__(layer, **kwargs)
        self.power_iterations = power_iterations
        self.epsilon = epsilon
        self.iterate_in_inference = bool(iterate_in_inference)
        self.supports_masking = layer.supports_masking

    def build(self, input_shape: tuple | None = None) -> None:
        super().build(input_shape)
        rows = self._kernel_variable.shape[_output_axis(self.layer)]
        size = int(np.prod(self._kernel_variable.shape))
        # Any direction will do, and this one is the same in every run.
        start = np.random.default_rng(rows).standard_normal(rows)
        start = (start / np.linalg.norm(start)).astype("float32")
        # v of that u, so that inference before any training is sound.
        self.u = self._add_vector("u", (rows,), lambda: start)
        self.v = self._add_vector(
            "v", (size // rows,), lambda: self._iterate(self._matrix(), start)
        )

    def _add_vector(self, name, shape, value):
        return self.add_weight(
            name=name,
            shape=shape,
            dtype="float32",
            initializer=lambda shape, dtype: ops.cast(
                ops.reshape(value(), shape), dtype
            ),
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",
        )

    @property
    def _kernel_variable(self):
        if isinstance(self.layer, layers.Embedding):
            return self.layer.embeddings
        return self.layer.kernel

    def _matrix(self):
        """W transposed: float32 (inputs, outputs), whatever the policy."""
        with AutocastScope(None):
            kernel = ops.cast(self._kernel_variable, "float32")
            kernel = ops.moveaxis(kernel, _output_axis(self.layer), -1)
            return ops.reshape(kernel, (-1, kernel.shape[-1]))

    def _normalize(self, x):
        return x / ops.maximum(ops.norm(x), self.epsilon)

    def _iterate(self, transposed, u):
        """v = W^T u / |W^T u|."""
        return self._normalize(ops.matmul(transposed, u))

    def _singular_vectors(self, transposed, training):
        u, v = self.u.value, self.v.value
        if not training and not self.iterate_in_inference:
            return u, v
        constant = ops.stop_gradient(transposed)
        for _ in range(self.power_iterations):
            v = self._iterate(constant, u)
            u = self._normalize(ops.matmul(v, constant))
        if training:
            self.u.assign(u)
            self.v.assign(v)
        return u, v

    def _normalized_kernel(self, training=False):
        transposed = self._matrix()
        u, v = self._singular_vectors(transposed, training)
        sigma = ops.sum(v * ops.matmul(transposed, u))
        kernel = self._kernel_variable
        with AutocastScope(None):
            return kernel / ops.cast(sigma, kernel.dtype)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        with substituted(self._kernel_variable, self._normalized_kernel(training)):
            return self.layer(inputs)

    def plain(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        self._kernel_variable.assign(self._normalized_kernel())
        return self.layer(inputs)

    def compute_mask(self, inputs: Tensor, mask: Tensor | None = None) -> Tensor | None:
        return self.layer.compute_mask(inputs, mask)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "power_iterations": self.power_iterations,
            "epsilon": self.epsilon,
            "iterate_in_inference": self.iterate_in_inference,
        }


@contextlib.contextmanager
def substituted(variable: keras.Variable, value: Tensor) -> Iterator[None]:
    """`variable` has this value inside; all others keep theirs.

    Within training on JAX, variables have their values by such a scope too.
    """
    outer = get_stateless_scope()
    scope = keras.StatelessScope([(variable, value)], initialize_variables=False)
    if outer is not None:
        scope.state_mapping = {**outer.state_mapping, **scope.state_mapping}
    with scope:
        yield


def spectrally_normalized(model: keras.Model) -> keras.Model:
    """A copy of a model in which every layer with a kernel is normalized.

    Layers that `SpectralNormalization` takes are wrapped, in nested models
    too, and keep their names and weights. Others are copied.

    Args:
        model: Functional or Sequential `keras.Model`, built.

    Returns:
        `keras.Model` of the same inputs and outputs; `model` itself where
        nothing is left to wrap.

    Raises:
        ValueError: the model is subclassed or not built, or has a layer with
            a kernel that `SpectralNormalization` does not take.

    Example:

    ```python
    model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(1)])
    critic = keras_gans.layers.spectral.spectrally_normalized(model)
    ```

    Reference:
        https://arxiv.org/abs/1802.05957
    """
    check_built("model", model)
    if not is_graph(model):
        raise ValueError(
            "Only Functional and Sequential models are copied with other "
            "layers. Wrap the layers of a subclassed model yourself, with "
            f"SpectralNormalization. Received: {model.name} (of type "
            f"{type(model).__name__})."
        )
    leaves = list(leaves_of(model))
    for layer in leaves:
        _check_normalizable(layer)
    if not any(_output_axis(layer) is not None for layer in leaves):
        return model

    def replace(layer):
        if _output_axis(layer) is None:
            return None
        # Built and filled before it is wrapped: v follows from the kernel.
        inner = fresh(layer)
        inner.build_from_config(layer.get_build_config())
        carry_over(layer, inner)
        return [SpectralNormalization(inner)]

    return rewritten(model, replace)


def _check_normalizable(layer):
    known = _output_axis(layer) is not None
    if known or isinstance(layer, SpectralNormalization):
        return
    kernels = [w.name for w in layer.trainable_variables if len(w.shape) > 1]
    if kernels:
        raise ValueError(
            "Every layer with a kernel is to be normalized. Received: "
            f"{layer.name} (of type {type(layer).__name__}), which "
            "SpectralNormalization does not take. Use Dense, Conv or "
            "ConvTranspose layers, or wrap the layers that you want "
            "normalized yourself."
        )
