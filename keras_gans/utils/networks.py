"""What a Keras model says of itself."""

import keras


def check_built(role: str, network: keras.Model) -> None:
    """Checks that a network is a `keras.Model` with its variables made.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(network, keras.Model):
        raise ValueError(
            f"`{role}` must be a keras.Model. Received: {network!r} (of type "
            f"{type(network).__name__})."
        )
    if not network.built:
        raise ValueError(
            f"`{role}` is not built: begin a Sequential with keras.Input, or "
            f"call the model once. Received: {network.name}."
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
