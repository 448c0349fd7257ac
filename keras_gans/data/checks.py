"""What the arguments of every loader must be."""

import numpy as np

from keras_gans.data.pipeline import Batching
from keras_gans.data.transforms import INTERPOLATIONS, RESIZES
from keras_gans.utils.suggestions import hint
from keras_gans.utils.validation import is_int

ON_ERROR = ("raise", "skip")
CONVERTIBLE = (1, 2, 3, 4)  # channels: grey, grey and alpha, RGB, RGBA


def check_choice(name, value, allowed):
    """Checks that a value is one of those allowed.

    Raises:
        ValueError: it is not.
    """
    if value not in allowed:
        raise ValueError(
            f"Unknown {name}. Expected one of {list(allowed)}. Received: "
            f"{name}={value!r}.{hint(value, map(str, allowed))}"
        )


def check_options(
    batch_size,
    drop_remainder,
    repeat,
    start,
    seed,
    on_error="raise",
    resize="crop",
    interpolation="bilinear",
):
    """Checks the arguments that loaders share, and returns their `Batching`.

    Raises:
        ValueError: one of them is unusable.
    """
    check_choice("resize", resize, RESIZES)
    check_choice("interpolation", interpolation, INTERPOLATIONS)
    check_on_error(on_error)
    check_integer("batch_size", batch_size, 1)
    check_integer("start", start, 0)
    check_integer("seed", seed, 0)
    return Batching(batch_size, drop_remainder, repeat, start)


def check_on_error(on_error):
    """Checks what is done about files that cannot be used.

    Raises:
        ValueError: it is unknown.
    """
    check_choice("on_error", on_error, ON_ERROR)


def check_integer(name, value, least):
    """Checks that a value is an integer of at least `least`.

    Raises:
        ValueError: it is not.
    """
    if not is_integer(value, least):
        raise ValueError(
            f"`{name}` must be an integer of at least {least}. Received: "
            f"{name}={value!r}."
        )


def is_integer(value, least):
    """Whether a value is an integer of at least `least`."""
    return is_int(value) and value >= least


def check_image_size(image_size):
    """Returns `(height, width)` of an argument `image_size`, or `None`.

    Raises:
        ValueError: it is neither a size nor `None`.
    """
    if image_size is None:
        return None
    sides = image_size
    if not isinstance(sides, (tuple, list)):
        sides = (sides, sides)
    if len(sides) != 2 or not all(is_integer(side, 1) for side in sides):
        raise ValueError(
            "image_size must be a positive integer or a pair (height, width) "
            f"of them. Received: image_size={image_size!r}"
        )
    return tuple(map(int, sides))


def own_size(source):
    """Returns the size of all images of a `Source`.

    Raises:
        ValueError: they have no one size.
    """
    if None in source.shape[:2]:
        raise ValueError(
            "The images of this source may differ in size. Pass image_size, "
            f"for instance image_size=64. Received: image_size=None for the "
            f"{source.name}"
        )
    return source.shape[:2]


def check_count(name, channels):
    """Checks a number of channels that need not be convertible.

    Raises:
        ValueError: it is neither a positive integer nor `None`.
    """
    if channels is not None and not is_integer(channels, 1):
        raise ValueError(
            f"{name} must be a positive integer or None. Received: {name}={channels!r}"
        )


def check_channels(name, channels, own_channels, source_name):
    """Checks that the images of a source can have as many channels as asked.

    Args:
        name: str, the argument.
        channels: its value.
        own_channels: int, channels of the images.
        source_name: how error messages call their source.

    Raises:
        ValueError: the images cannot be converted.
    """
    if channels in (None, own_channels):
        return
    if own_channels not in CONVERTIBLE or channels not in CONVERTIBLE:
        raise ValueError(
            f"Images of {own_channels} channels cannot be converted. Pass "
            f"{name}=None to keep them as they are. Received: "
            f"{name}={channels} for the {source_name}"
        )


def check_length(name, size, batching, what="images"):
    """Checks that a source has whole batches, and one to start at.

    Args:
        name: str, how the message calls the source.
        size: int, examples of an epoch.
        batching: `Batching`.
        what: str, how the message calls the examples.

    Raises:
        ValueError: it has not.
    """
    length = len(batching.sizes(size))
    if not length:
        raise ValueError(
            f"The {name} holds {size} {what}, too few for a batch. Lower "
            f"`batch_size` to {size} or less. Received: "
            f"batch_size={batching.batch_size}"
        )
    if not batching.repeat and batching.start % length:
        raise ValueError(
            "With repeat=False, start must be a multiple of the "
            f"{length} batches of an epoch. Pass repeat=True to start within "
            f"an epoch. Received: start={batching.start}"
        )


def check_split(split):
    """Checks that a split has a name.

    Raises:
        ValueError: it has none.
    """
    if not isinstance(split, str) or not split:
        raise ValueError(
            f'split is a name, such as "train" or "test". Received: split={split!r}'
        )


def check_jitter(jitter):
    """Checks an argument `jitter`.

    Raises:
        ValueError: it is neither pixels nor a ratio.
    """
    if is_integer(jitter, 0):
        return
    if not isinstance(jitter, (float, np.floating)) or not 0 <= jitter <= 1:
        raise ValueError(
            "jitter must be pixels, an integer of at least 0 (30 enlarges "
            "256 to 286 before the crop), or a ratio, a float in [0, 1]. "
            f"Received: jitter={jitter!r}"
        )


def check_balance(labels: bool, shuffle: bool) -> None:
    """Checks that classes can be balanced.

    Raises:
        ValueError: without labels or an order of each epoch's own they cannot.
    """
    if not labels or not shuffle:
        raise ValueError(
            "`class_balanced` shows labelled images in an order of its own. "
            f"Received: labels={labels}, shuffle={shuffle}. Set both to True."
        )
