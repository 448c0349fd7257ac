"""What a Keras model says of itself."""

import keras
from keras import ops

OPEN_SIDE = 64  # of a sample of any size, which builds a network


def check_network(role: str, network: keras.Model) -> None:
    """Checks that a network is a `keras.Model`.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(network, keras.Model):
        raise ValueError(
            f"`{role}` must be a keras.Model. Received: {network!r} (of type "
            f"{type(network).__name__})."
        )


def check_built(role: str, network: keras.Model) -> None:
    """Checks that a network is a `keras.Model` with its variables made.

    Raises:
        ValueError: it is not.
    """
    check_network(role, network)
    if not network.built:
        raise ValueError(
            f"`{role}` is not built: begin a Sequential with keras.Input, or "
            f"call the model once. Received: {network.name}."
        )


def build(role: str, network: keras.Model, inputs: list[keras.KerasTensor]) -> None:
    """Makes the variables of a network that has none yet, by calling it.

    Args:
        role: str, what messages call it.
        network: `keras.Model`.
        inputs: list of the shape `(1, ...)` and dtype of each input.

    Raises:
        ValueError: it is no network, or cannot be called so.
    """
    check_network(role, network)
    if network.built:
        return
    zeros = [
        ops.zeros([side or OPEN_SIDE for side in x.shape], x.dtype) for x in inputs
    ]
    try:
        network(zeros if len(zeros) > 1 else zeros[0])
    except Exception as error:  # its own code may raise any
        shapes = ", ".join(str(tuple(x.shape)) for x in inputs)
        raise ValueError(
            f"`{role}` is not built, and cannot be called to build it. Received: "
            f"{network.name}, which failed on inputs of shape {shapes} "
            f"({type(error).__name__}: {error}). Mend it, or call it once."
        ) from error
    if not network.built:
        raise ValueError(
            f"`{role}` is not built, and has no layer to build. Received: "
            f"{network.name}. Give it layers."
        )


def input_shape_of(network: keras.Model) -> tuple | list | dict | None:
    """The input shape of a Functional or Sequential model, else `None`."""
    try:
        return network.input_shape
    except AttributeError:  # a subclassed model does not tell
        return None


def output_shape_of(network: keras.Model) -> tuple | list | dict | None:
    """The output shape of a Functional or Sequential model, else `None`."""
    try:
        return network.output_shape
    except AttributeError:  # a subclassed model does not tell
        return None
