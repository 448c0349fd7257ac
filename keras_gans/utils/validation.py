"""Bad input met at the door: arguments, networks and images."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor


def is_int(x: object) -> bool:
    """Whether `x` is a whole number, of Python or NumPy."""
    return isinstance(x, (int, np.integer)) and not isinstance(x, bool)


def is_number(x: object) -> bool:
    """Whether `x` is a real number, of Python or NumPy."""
    return is_int(x) or isinstance(x, (float, np.floating))


def check_labels(labels: Tensor, num_classes: int, n: int | None = None) -> np.ndarray:
    """Returns class labels as an int32 array `[n]`.

    Args:
        labels: array `[n]` or `[n, 1]` of ints, one-hot rows
            `[n, num_classes]`, or one int for all `n`.
        num_classes: int.
        n: int, how many are needed; `None` takes any number.

    Raises:
        ValueError: another type or shape, or a label out of range.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == num_classes > 1:
        ones = (labels == 1).sum(axis=1)
        zeros = (labels == 0).sum(axis=1)
        if not ((ones == 1) & (zeros == num_classes - 1)).all():
            raise ValueError(
                "One-hot labels have a single 1 in each row, and zeros. "
                f"Received: shape {labels.shape} with other rows. Number the "
                "classes instead: ints [n]."
            )
        labels = labels.argmax(axis=1)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 0 and n is not None:
        labels = np.full(n, labels)
    if labels.ndim != 1 or (n is not None and len(labels) != n):
        wanted = "[n]" if n is None else f"({n},)"
        remedy = ""
        if n is None and labels.ndim == 2:
            remedy = (
                f" Build the GAN with num_classes={labels.shape[1]}, or number the "
                "classes."
            )
        raise ValueError(
            f"Labels have the shape {wanted}, one int a row, or one-hot rows "
            f"of {num_classes}. Received: shape {labels.shape}.{remedy}"
        )
    if labels.dtype.kind not in "iu":
        whole = labels.dtype.kind == "f" and (labels == np.floor(labels)).all()
        remedy = 'Convert them by `labels.astype("int32")`.'
        raise ValueError(
            f"Labels are ints in [0, {num_classes}), or one-hot rows. Received: "
            f"dtype {labels.dtype}. {remedy if whole else 'Number the classes.'}"
        )
    if len(labels) and not 0 <= labels.min() <= labels.max() < num_classes:
        raise ValueError(
            f"Labels must lie in [0, {num_classes}). Received: labels from "
            f"{labels.min()} to {labels.max()}. Number the classes from 0; "
            f"the GAN has {num_classes} of them."
        )
    return labels.astype("int32")


def check_shape(image_shape: Sequence[int]) -> tuple[int, int, int]:
    """Returns `image_shape` as a tuple (height, width, channels).

    Raises:
        ValueError: it is something else.
    """
    ok = (
        isinstance(image_shape, (tuple, list))
        and len(image_shape) == 3
        and all(is_int(n) and n > 0 for n in image_shape)
    )
    if not ok:
        raise ValueError(
            "`image_shape` is (height, width, channels), three positive ints. "
            f"Received: image_shape={image_shape!r}."
        )
    return tuple(image_shape)


def check_row_shape(shape: Sequence[int]) -> tuple[int, ...]:
    """Returns a shape of images, (height, width, channels), or vectors, (d,).

    Raises:
        ValueError: it is something else.
    """
    if isinstance(shape, (tuple, list)) and len(shape) == 1:
        check_size("image_shape[0]", shape[0])
        return tuple(shape)
    return check_shape(shape)


def check_size(name: str, value: int) -> int:
    """Returns `value`, a positive int.

    Raises:
        ValueError: it is something else.
    """
    return within(name, value, is_int(value) and value > 0, "1, 2, ...")


def check_decay(linear_decay: Sequence[int] | None) -> tuple[int, int] | None:
    """Returns `linear_decay` as `None` or a tuple (start, end) of ints.

    Raises:
        ValueError: it is something else, or not `0 <= start < end`.
    """
    if linear_decay is None:
        return None
    ok = (
        isinstance(linear_decay, (tuple, list))
        and len(linear_decay) == 2
        and all(map(is_int, linear_decay))
        and 0 <= linear_decay[0] < linear_decay[1]
    )
    if not ok:
        raise ValueError(
            "`linear_decay` is (start, end) in steps, 0 <= start < end. "
            f"Received: linear_decay={linear_decay!r}."
        )
    return tuple(linear_decay)


def within(name: str, value: Any, ok: bool, allowed: str) -> Any:
    """Returns `value` where `ok`.

    Raises:
        ValueError: it is not; the message names it and what is `allowed`.
    """
    if not ok:
        raise ValueError(f"`{name}` must lie in {allowed}. Received: {value!r}.")
    return value


def one_of(name: str, value: Any, choices: Sequence) -> Any:
    """Returns `value`, one of a few.

    Raises:
        ValueError: it is something else.
    """
    if any(type(value) is type(c) and value == c for c in choices):
        return value
    words = ", ".join(map(repr, choices))
    near = hint(value, [c for c in choices if isinstance(c, str)])
    raise ValueError(f"`{name}` is one of {words}. Received: {value!r}.{near}")


def agree(shape: tuple, other: tuple) -> bool:
    """Whether two shapes may be one; `None` is any side."""
    return len(shape) == len(other) and all(
        a is None or b is None or a == b for a, b in zip(shape, other, strict=True)
    )


def check_seed(seed: int) -> int:
    """Returns `seed`, an int in [0, 2**31).

    Raises:
        ValueError: it is something else.
    """
    ok = is_int(seed) and 0 <= seed < 2**31
    return within("seed", seed, ok, "[0, 2**31), an int")


def check_count(n):
    """Checks a number of samples.

    Raises:
        ValueError: it is no positive int.
    """
    if not is_int(n) or n < 1:
        raise ValueError(f"`n` must be a positive int. Received: n={n!r}.")


def check_classes(num_classes):
    """Returns `num_classes`, an int of 2 or more.

    Raises:
        ValueError: it is something else, or was not given.
    """
    if num_classes is None:
        raise ValueError(
            "How many classes are there? Pass num_classes, e.g. "
            "num_classes=10. Received: num_classes=None."
        )
    check_size("num_classes", num_classes)
    if num_classes < 2:
        raise ValueError(
            "Labels need 2 classes or more. Received: num_classes="
            f"{num_classes}. Without labels, leave it "
            "out, or use a GAN that takes none."
        )
    return int(num_classes)


def packed(shape, packing):
    """The shape of `packing` samples joined along the last axis.

    Raises:
        ValueError: `packing` is no positive int.
    """
    check_size("packing", packing)
    return (*shape[:-1], shape[-1] * packing)


def batch_of_few(images: int) -> int:
    """The batch size of a set that is smaller than usual: a power of 2."""
    return 1 << int(images).bit_length() - 1
