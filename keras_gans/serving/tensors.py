"""Tensors of requests: from both protocols, checked against a signature."""

import base64
import binascii
from collections.abc import Mapping
import io
import itertools
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto

from keras_gans.modalities import image_files
from keras_gans.modalities.base import BINARY
from keras_gans.serving.status import ServingError, invalid, shown

MAX_VALUES = 2**24  # of one tensor
MAX_PIXELS = 2**24  # of the pictures of one request, decoded
IMAGE = "image_bytes"
IMAGE_FORMATS = ("PNG", "JPEG")


class Spec(NamedTuple):
    """A tensor of a signature.

    Attributes:
        name: str, what requests call it.
        dtype: `tf.DType`.
        shape: tuple of the sides, `None` where any does; or `None`.
        classes: tuple of str, the name of each number of a label.
    """

    name: str
    dtype: tf.DType
    shape: tuple | None
    classes: tuple[str, ...] = ()

    @property
    def batched(self) -> bool:
        """Whether its first axis counts rows."""
        return bool(self.shape) and self.shape[0] is None

    @property
    def binary(self) -> bool:
        """Whether its strings are bytes, not text."""
        return self.dtype == tf.string and self.name.endswith(BINARY)


def check_names(specs: Mapping[str, Spec], given: Mapping[str, Any]) -> None:
    """Refuses inputs that are missing or that the signature does not have."""
    if set(given) != set(specs):
        names = ", ".join(sorted(map(shown, given))[:20]) or "none"
        raise invalid(
            f"The signature takes the inputs {', '.join(sorted(specs))}. "
            f"Received: {names}."
        )


def check(spec: Spec, value: np.ndarray) -> None:
    """Refuses an array of another shape, with NaN, or of unsound pictures."""
    shape = spec.shape
    if shape is not None:
        fits = len(shape) == value.ndim and all(
            side in (None, length)
            for side, length in zip(shape, value.shape, strict=True)
        )
        if not fits:
            sides = ", ".join("any" if side is None else str(side) for side in shape)
            raise invalid(
                f"The input {spec.name} has the shape [{sides}]. Received: "
                f"{list(value.shape)}."
            )
    if spec.dtype.is_floating and not np.isfinite(value.sum(dtype="float64")):
        finite = np.isfinite(value)
        if not finite.all():
            where = np.argwhere(~finite)[0].tolist()
            raise invalid(
                f"The input {spec.name} holds {value[tuple(where)]} at {where}; "
                "its values are finite."
            )
    if spec.name == IMAGE and spec.dtype == tf.string:
        _check_images(value)


def _check_images(value):
    """Reads the heads of pictures, before the model decodes them."""
    pixels = 0
    for row, data in enumerate(value.ravel()):
        try:
            head = image_files.decode_head(io.BytesIO(data))
        except Exception as error:  # of every kind, where it is damaged
            why = shown(image_files.reason(error)).strip("'\"")
            raise invalid(f"{IMAGE}[{row}] cannot be decoded: {why}.") from None
        if head.format not in IMAGE_FORMATS:
            raise invalid(
                f"{IMAGE}[{row}] is {head.format}. Send {' or '.join(IMAGE_FORMATS)}."
            )
        pixels += head.size[0] * head.size[1]
        if pixels > MAX_PIXELS:
            raise invalid(
                f"The pictures of one request may have {MAX_PIXELS} pixels. "
                f"{IMAGE}[{row}] has {head.size[1]} x {head.size[0]}."
            )


# --- JSON ---


def from_json(spec: Spec, value: Any) -> np.ndarray:
    """The array of nested lists.

    Numbers, strings and truth values are not taken for one another. A binary
    string is `{"b64": text}`.

    Raises:
        ServingError: the lists are ragged, or hold something else.
    """
    shape, flat = [], [value]
    while type(flat[0]) is list:
        side = len(flat[0])
        if any(type(part) is not list or len(part) != side for part in flat):
            raise invalid(f"The input {spec.name} is ragged on level {len(shape)}.")
        shape.append(side)
        flat = list(itertools.chain.from_iterable(flat))
        if not flat:
            break
    if len(flat) > MAX_VALUES:
        raise invalid(f"The input {spec.name} has more than {MAX_VALUES} values.")
    if spec.shape is not None and not flat:
        # An empty list does not say the sides within.
        inner = [0 if side is None else side for side in spec.shape[len(shape) :]]
        shape += inner
    return _leaves(spec, flat).reshape(shape)


def _leaves(spec, flat):
    if spec.dtype == tf.string:
        return np.array([_string(spec, leaf) for leaf in flat], object)
    if spec.dtype.is_bool:
        allowed = {bool}
    elif spec.dtype.is_integer:
        allowed = {int}
    elif spec.dtype.is_floating:
        allowed = {int, float}
    else:
        raise ServingError(
            "UNIMPLEMENTED",
            f"The input {spec.name} is {spec.dtype.name}, which JSON cannot say.",
        )
    wrong = set(map(type, flat)) - allowed
    if wrong:
        leaf = next(leaf for leaf in flat if type(leaf) in wrong)
        raise invalid(
            f"The input {spec.name} is {spec.dtype.name}. Received: {shown(leaf)}."
            f"{_classes(spec)}"
        )
    return _numbers(spec, flat)


def _classes(spec):
    """ " Its classes: 0 is 'circle', 1 is 'square'.", or "" without names."""
    if not spec.classes:
        return ""
    named = [f"{i} is {shown(name)}" for i, name in enumerate(spec.classes[:20])]
    more = ", ..." if len(spec.classes) > len(named) else ""
    return f" Its classes: {', '.join(named)}{more}."


def _numbers(spec, flat):
    dtype = spec.dtype.as_numpy_dtype
    try:
        if spec.dtype.is_floating:
            values = np.array(flat, "float64")
            with np.errstate(over="ignore"):
                converted = values.astype(dtype)
            lost = np.isfinite(values) & ~np.isfinite(converted.astype("float64"))
            if lost.any():
                raise OverflowError
            return converted
        return np.array(flat, dtype)
    except OverflowError:
        raise invalid(
            f"The input {spec.name} holds a number that {spec.dtype.name} cannot hold."
        ) from None


def _string(spec, leaf):
    if type(leaf) is str:
        try:
            return leaf.encode()
        except UnicodeEncodeError:
            raise invalid(f"The input {spec.name} is no UTF-8.") from None
    if type(leaf) is dict and list(leaf) == ["b64"] and type(leaf["b64"]) is str:
        try:
            return base64.b64decode(leaf["b64"], validate=True)
        except (binascii.Error, ValueError):
            raise invalid(
                f"The input {spec.name} holds a b64 that is not base64."
            ) from None
    raise invalid(
        f"The input {spec.name} takes strings, and bytes as "
        f'{{"b64": "..."}}. Received: {shown(leaf)}.'
    )


def to_json(spec: Spec, value: np.ndarray) -> Any:
    """Nested lists of an output."""
    if spec.dtype != tf.string:
        return value.tolist()
    if spec.binary:
        flat = [{"b64": base64.b64encode(data).decode()} for data in value.ravel()]
    else:
        flat = [data.decode(errors="replace") for data in value.ravel()]
    array = np.empty(len(flat), object)
    array[:] = flat
    return array.reshape(value.shape).tolist()


# --- Protocol buffers ---


def from_proto(spec: Spec, proto: TensorProto) -> np.ndarray:
    """The array of a `TensorProto`, whose shape is not believed.

    Raises:
        ServingError: it is of another type, or its content is not its shape's.
    """
    if proto.dtype != spec.dtype.as_datatype_enum:
        try:
            received = tf.dtypes.as_dtype(proto.dtype).name
        except TypeError:
            received = f"the unknown type {proto.dtype}"
        raise invalid(
            f"The input {spec.name} is {spec.dtype.name}. Received: {received}."
        )
    sides = [dim.size for dim in proto.tensor_shape.dim]
    count = 1
    for side in sides:  # in Python's integers, which do not overflow
        count *= side
    unknown = proto.tensor_shape.unknown_rank or min(sides, default=0) < 0
    if unknown or count > MAX_VALUES:
        raise invalid(
            f"The input {spec.name} has a shape of known sides and at most "
            f"{MAX_VALUES} values. Received: {shown(sides)}."
        )
    try:
        array = tf.make_ndarray(proto)
    except Exception as error:  # its content is not of that shape
        raise invalid(
            f"The input {spec.name} does not hold the {count} values of its shape "
            f"{shown(sides)} ({shown(str(error))})."
        ) from None
    return array


def to_proto(value: np.ndarray, proto: TensorProto) -> None:
    """Writes an output into a `TensorProto`, without a copy more than it takes."""
    proto.tensor_shape.SetInParent()
    for side in value.shape:
        proto.tensor_shape.dim.add(size=side)
    if value.dtype == object:
        proto.dtype = tf.string.as_datatype_enum
        proto.string_val.extend(value.ravel().tolist())
    else:
        proto.dtype = tf.dtypes.as_dtype(value.dtype).as_datatype_enum
        proto.tensor_content = value.tobytes()
