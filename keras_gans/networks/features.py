"""What feature networks share: they are frozen, and stay in float32."""

import keras
from keras import ops
import numpy as np

from keras_gans.names import hint

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
