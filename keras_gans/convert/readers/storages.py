"""Flat runs of numbers in a checkpoint file, and tensors as views of them."""

import math

import numpy as np

from keras_gans.utils.text import brief

MAX_DIMENSIONS = 32  # what every numpy allows
# A number may be in so many tensors: who looks at all tensors looks at it in
# each. Weights that networks share are in two or three. Few numbers may be in
# more.
MAX_SHARED = 64
FEW = 1000

# The name of a type in PyTorch: its bytes in the file, its type in numpy.
# numpy has no bfloat16: it is the upper half of a float32.
DTYPES = {
    "float64": ("f8", np.float64),
    "float32": ("f4", np.float32),
    "float16": ("f2", np.float16),
    "bfloat16": ("u2", np.float32),
    "int64": ("i8", np.int64),
    "int32": ("i4", np.int32),
    "int16": ("i2", np.int16),
    "int8": ("i1", np.int8),
    "uint64": ("u8", np.uint64),
    "uint32": ("u4", np.uint32),
    "uint16": ("u2", np.uint16),
    "uint8": ("u1", np.uint8),
    "bool": ("u1", np.bool_),
}


class Refused(ValueError):
    """What a file holds cannot be read; the message says why."""


def is_count(value):
    """Whether `value` is an integer of zero or more (and not a bool)."""
    return type(value) is int and value >= 0


def is_shape(value):
    """Whether `value` is a list or tuple of few enough counts."""
    return (
        type(value) in (list, tuple)
        and len(value) <= MAX_DIMENSIONS
        and all(map(is_count, value))
    )


def item_size(dtype):
    """Bytes that one number of `dtype` takes in the file."""
    return np.dtype(DTYPES[dtype][0]).itemsize


class Storage:
    """A flat array of a file, allocated first and filled later.

    Tensors are views of it, so a file in which many tensors share a storage
    takes the memory of that storage once.

    Args:
        dtype: A key of `DTYPES`.
        size: Count of numbers.
    """

    def __init__(self, dtype, size):
        self.dtype = dtype
        self.array = np.empty(size, DTYPES[dtype][1])
        self.viewed = 0

    @property
    def file_bytes(self):
        """Bytes that the storage takes in the file."""
        return self.array.size * item_size(self.dtype)

    def fill(self, raw, order="<"):
        """Copies the bytes `raw`, in byte order `order`, into the array."""
        if len(raw) != self.file_bytes:
            raise Refused(
                f"A storage of {self.array.size} {self.dtype} needs "
                f"{self.file_bytes} bytes. Received: {len(raw)} bytes. The "
                "file is damaged; fetch it again."
            )
        stored = np.frombuffer(raw, np.dtype(order + DTYPES[self.dtype][0]))
        if self.dtype == "bfloat16":
            stored = (stored.astype(np.uint32) << 16).view(np.float32)
        self.array[...] = stored  # also makes bool of any byte but 0 True

    def view(self, offset, shape, strides):
        """The tensor that starts at `offset`; all in numbers, not bytes."""
        self._check(offset, shape, strides)
        if 0 in shape:
            return np.zeros(shape, self.array.dtype)
        step = self.array.itemsize
        return np.ndarray(
            shape,
            self.array.dtype,
            buffer=self.array,
            offset=offset * step,
            # The stride along an axis of one is free: it may be any number.
            strides=[
                stride * step if size > 1 else 0
                for size, stride in zip(shape, strides, strict=True)
            ],
        )

    def _check(self, offset, shape, strides):
        if not (
            is_count(offset)
            and is_shape(shape)
            and is_shape(strides)
            and len(shape) == len(strides)
        ):
            raise Refused(
                "The offset, size and stride of a tensor must be counts. "
                f"Received: {brief((offset, shape, strides), 200)}."
            )
        last = offset + sum(
            (size - 1) * stride for size, stride in zip(shape, strides, strict=True)
        )
        count = math.prod(shape)
        if count and (last >= self.array.size or count > self.array.size):
            place = brief((offset, *shape, *strides), 200)
            raise Refused(
                f"A tensor of (offset, *size, *stride) {place} does not fit "
                f"in its storage of {self.array.size} numbers. Tensors made "
                "by `expand` must be saved as `tensor.contiguous()`."
            )
        self.viewed += count
        if self.viewed > MAX_SHARED * max(self.array.size, FEW):
            raise Refused(
                f"More than {MAX_SHARED} tensors share a storage of "
                f"{self.array.size} numbers. Save each as `tensor.clone()`."
            )
