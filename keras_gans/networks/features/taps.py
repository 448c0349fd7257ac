"""What feature networks share: they are frozen, and stay in float32."""

import keras
from keras import layers, ops
import numpy as np

from keras_gans.engine.keras_internals import producer
from keras_gans.layers.rewriting import rewritten
from keras_gans.utils.suggestions import hint

# Of every layer: a score must not depend on the policy that a GAN trains with.
FLOAT32 = {"dtype": "float32"}


@keras.saving.register_keras_serializable("keras_gans")
class NumpyNormal(keras.initializers.Initializer):
    """Normal draws of NumPy's global generator.

    Weights from a file replace them. Keras's own draws compile a program for
    each shape on JAX: a minute for a network of a hundred layers.

    Args:
        stddev: float.
    """

    def __init__(self, stddev):
        self.stddev = stddev

    def __call__(self, shape, dtype=None):
        draws = np.random.normal(0, self.stddev, shape)
        return ops.convert_to_tensor(draws.astype("float32"), dtype)

    def get_config(self):
        return {"stddev": self.stddev}


def he_normal(fan_in):
    """Keeps the scale of a layer of `fan_in` inputs, before ReLU.

    Reference:
        https://arxiv.org/abs/1502.01852, equation 10
    """
    return NumpyNormal(float(np.sqrt(2 / fan_in)))


def check_taps(name, taps, known):
    """Returns `taps`, a name or a sequence of different names of `known`.

    Args:
        name: str, the network's.
        taps: str or sequence of str.
        known: tuple of str.

    Raises:
        ValueError: a name is unknown or comes twice, or there is none.
    """
    names = [taps] if isinstance(taps, str) else list(taps)
    for tap in names:
        if tap not in known:
            raise ValueError(
                f"`taps` of {name} may be {', '.join(map(repr, known))}. "
                f"Received: {tap!r}.{hint(tap, known)}"
            )
    if not names or len(set(names)) < len(names):
        raise ValueError(
            f"`taps` of {name} must be a name, or several different ones. "
            f"Received: taps={taps!r}."
        )
    return taps


def tapped(inputs, outputs, taps, name):
    """A frozen model of some outputs of a functional graph.

    Args:
        inputs: Keras tensor.
        outputs: dict of name to Keras tensor.
        taps: str or sequence of str, names of `outputs`.
        name: str, the model's name.

    Returns:
        `keras.Model`, not trainable, that gives one tensor for one name, or a
        dict of name to tensor for a sequence. It has the layers that these
        outputs need, and no others.

    Raises:
        ValueError: a name is unknown or comes twice, or there is none.
    """
    check_taps(name, taps, tuple(outputs))
    one = isinstance(taps, str)
    chosen = outputs[taps] if one else {tap: outputs[tap] for tap in taps}
    model = keras.Model(inputs, chosen, name=name)
    model.trainable = False  # also keeps batch norms in inference mode
    return model


def folded(model):
    """The same function with each batch norm in the convolution before it.

    gamma (W * x - mean) / sqrt(var + epsilon) + beta is a convolution by W
    gamma / sqrt(var + epsilon), with a bias: a pass over the maps less.

    Args:
        model: functional `keras.Model` in inference mode, with its final
            weights. Each of its batch norms follows a convolution of its own,
            without bias and activation.

    Returns:
        `keras.Model` of the same inputs and outputs, not trainable. Layers
        without a norm are those of `model`.
    """
    norms = {}  # the convolution before each norm
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            norms[producer(layer.input)[0].name] = layer
    folds = {}

    def replace(layer):
        if isinstance(layer, layers.BatchNormalization):
            return []
        if layer.name not in norms:
            return [layer]
        config = {**layer.get_config(), "use_bias": True}
        folds[layer] = type(layer).from_config(config)
        return [folds[layer]]

    folded_model = rewritten(model, replace)
    for conv, fold in folds.items():
        fold.set_weights(_folded_weights(conv, norms[conv.name]))
    folded_model.trainable = False
    return folded_model


def _folded_weights(conv, norm):
    """Kernel and bias of a convolution and its norm, in one."""
    kernel, gamma, beta, mean, variance = (
        ops.convert_to_numpy(v).astype("float64")
        for v in (
            conv.kernel,
            norm.gamma,
            norm.beta,
            norm.moving_mean,
            norm.moving_variance,
        )
    )
    scale = gamma / np.sqrt(variance + norm.epsilon)
    bias = beta - mean * scale
    if isinstance(conv, layers.DepthwiseConv2D):
        scale = scale[:, None]  # its last axis is filters a channel
    return [kernel * scale, bias]
