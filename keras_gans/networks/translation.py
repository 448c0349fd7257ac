"""What the networks of Pix2Pix and CycleGAN share."""

from keras import layers

from keras_gans.networks.normal import batch_norm
from keras_gans.utils.types import Shape, Tensor
from keras_gans.utils.validation import check_shape


def _instance_norm(name):
    # A group a channel, and nothing to learn.
    return layers.GroupNormalization(
        groups=-1, epsilon=1e-5, center=False, scale=False, name=name
    )


NORMS = {"batch": batch_norm, "instance": _instance_norm, None: None}


def check_norm(norm: str | None) -> str | None:
    """Returns `norm`, one of `NORMS`.

    Raises:
        ValueError: it is something else.
    """
    if norm not in NORMS:
        raise ValueError(
            f"`norm` is 'batch', 'instance' or None. Received: norm={norm!r}."
        )
    return norm


def normalized(x: Tensor, norm: str | None, name: str) -> Tensor:
    """`x` under the norm of that kind; `None` leaves it as it is."""
    return x if norm is None else NORMS[norm](name)(x)


def has_bias(norm: str | None) -> bool:
    """Whether a convolution before a norm has a bias.

    The reference leaves it out unless the norm is of instances; there it is
    without effect, but its checkpoints hold it.
    """
    return norm == "instance"


def check_open_shape(image_shape: Shape) -> Shape:
    """Returns `image_shape` as a tuple (height, width, channels).

    Height and width may be `None`, for images of any size.

    Raises:
        ValueError: it is something else.
    """
    ok = isinstance(image_shape, (tuple, list)) and len(image_shape) == 3
    if not ok:
        return check_shape(image_shape)  # says what is wrong
    *sides, channels = image_shape
    check_shape((*[1 if side is None else side for side in sides], channels))
    return tuple(image_shape)
