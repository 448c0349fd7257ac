"""What all kinds of samples have in common."""

from collections.abc import Iterator, Sequence
import dataclasses
import math
import os
import pathlib
from typing import Any, ClassVar, Self
import warnings

import keras
from keras import ops
import numpy as np

from keras_gans.modalities import pictures
from keras_gans.modalities.untrusted import check_bytes, check_extension
from keras_gans.utils import files
from keras_gans.utils.errors import outside
from keras_gans.utils.types import Path, Tensor
from keras_gans.utils.validation import agree, is_int, is_number

BLOCK = 2**22  # numbers of an array that are looked at together
# Ends the names of tensors of binary strings, in TensorFlow Serving too.
BINARY = "_bytes"


@dataclasses.dataclass(frozen=True)
class Media:
    """A file that shows a sample: a sound, an animation.

    Args:
        name: str, name of the file with its ending: "0.wav".
        mime: str: "audio/wav", "image/gif".
        data: bytes of the file.
    """

    name: str
    mime: str
    data: bytes


@dataclasses.dataclass(frozen=True)
class Preview:
    """Samples made visible, and audible.

    Args:
        picture: uint8 array `[height, width, channels]`.
        media: list of `Media`.
        text: str, or `None`.
    """

    picture: np.ndarray
    media: list = dataclasses.field(default_factory=list)
    text: str | None = None

    def save(self, path: Path, overwrite: bool = False) -> list[pathlib.Path]:
        """Writes the picture, and the other files beside it.

        Args:
            path: str or path of the picture, ending in ".png". A medium
                "0.wav" of "grid.png" becomes "grid-0.wav", the text
                "grid.txt".
            overwrite: bool, whether to replace what stands there.

        Returns:
            List of the paths written.

        Raises:
            ValueError: one of the files exists, or `path` is no ".png".
        """
        path = pathlib.Path(path)
        check_extension(path, (".png",), "Previews")
        contents = {path: pictures.encode_png(self.picture)}
        for medium in self.media:
            beside = path.with_name(f"{path.stem}-{medium.name}")
            contents[beside] = medium.data
        if self.text is not None:
            contents[path.with_suffix(".txt")] = self.text.encode()
        for target in contents:
            files.check_free(target, overwrite)
        for target, data in contents.items():
            files.write_bytes(target, data)
        return list(contents)


class Modality:
    """What a sample is: its shape and range, its files, its previews.

    A modality is a frozen dataclass whose fields are the arguments of its
    constructor: equal where they are, hashable, and saved with a GAN.

    Attributes:
        kind: str, its name: "image".
        shape: tuple, the shape of one sample; `None` for any length.
        dtype: str, the type that networks take and make.
        range: tuple (low, high) of the values, or `None` for any.
        tensor_name: str, what a batch is called in messages and signatures.
        bytes_name: str, what encoded samples are called in signatures, `None`
            where `encode_in_graph` cannot encode them. What ends in `BINARY`
            crosses REST as base64, anything else as text.
        bytes_extension: str, ending of a file that holds one of them.
        metrics: tuple, names of the default metrics.
        features: str, name of the default feature network, or `None`.
        augmentations: tuple, names of the augmentations that fit.
        previewed: int, samples of a preview, unless told otherwise.
        holds_pixels: bool, whether a batch of 8 bits, 0 to 255, is scaled to
            `range`.
        names_rows: bool, whether `preview` takes names of its rows.
        extensions: tuple, endings of files that `write` takes; the first is
            that of `encode`.
        read_extensions: tuple, endings of files that `read` takes.
    """

    kind: ClassVar[str]
    tensor_name: ClassVar[str]
    bytes_name: ClassVar[str | None] = None
    bytes_extension: ClassVar[str | None] = None
    dtype: ClassVar[str] = "float32"
    range = None
    metrics: ClassVar[tuple] = ()
    features: ClassVar[str | None] = None
    augmentations: ClassVar[tuple] = ()
    previewed: ClassVar[int] = 64
    holds_pixels: ClassVar[bool] = False
    names_rows: ClassVar[bool] = False
    extensions: ClassVar[tuple]
    read_extensions: ClassVar[tuple]

    # --- Configuration ---

    def get_config(self) -> dict[str, Any]:
        """The arguments of the constructor."""
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds a modality from `get_config()`."""
        return cls(**config)

    def _set(self, **values):
        """Sets checked fields of the frozen dataclass while it is built."""
        for name, value in values.items():
            object.__setattr__(self, name, value)

    # --- Batches ---

    def check(self, batch: Any, what: str | None = None, doubt: bool = True) -> None:
        """Checks a batch of real samples before it is trained on.

        Pixels of 8 bits are allowed; a warning says how `as_seen` scales them.

        Args:
            batch: array `[n, *shape]`.
            what: str, what messages call it; `tensor_name` by default.
            doubt: bool, whether to warn of values that are allowed but look
                unscaled.

        Raises:
            ValueError: another shape or type, no samples, NaN, or values out
                of range.
        """
        what = what or self.tensor_name
        batch = np.asarray(batch)
        self._check_shape(batch, what)
        if self._is_bytes(batch) and batch.max() != 1:  # else a mask, of 0 and 1
            warnings.warn(
                f"{what[0].upper()}{what[1:]} of 8 bits are scaled from [0, 255] to "
                f"[{_numbers(self.range)}].",
                stacklevel=outside(),
            )
            return
        self._check_dtype(batch, what)
        check_values(batch, what, self.range, self._rescale(batch.dtype.kind == "f"))

    def check_all(self, samples: Tensor, what: str | None = None) -> None:
        """Checks the type and the values of all rows of an array.

        Args:
            samples: array `[n, *shape]`, of any size: no copy is made. Pixels of
                8 bits are all allowed.
            what: str, as of `check`.

        Raises:
            ValueError: another type, NaN, or values out of range.
        """
        few = np.asarray(samples[:1])
        if few.size and not self._is_bytes(few):
            what = what or self.tensor_name
            self._check_dtype(few, what)
            check_values(
                samples, what, self.range, self._rescale(few.dtype.kind == "f")
            )

    def clip(self, samples: Tensor) -> Tensor:
        """Samples cut to `range`: not every generator ends in a tanh."""
        return samples if self.range is None else ops.clip(samples, *self.range)

    def as_seen(self, batch: Tensor) -> Tensor:
        """A batch of data as networks see it, on either backend.

        Args:
            batch: tensor of what `check` allows.

        Returns:
            Tensor `[n, *shape]`, of pixels of 8 bits scaled to `range`.
        """
        if not self._is_bytes(batch):
            return batch
        low, high = self.range
        return ops.cast(batch, "float32") / (255 / (high - low)) + low

    def _is_bytes(self, batch):
        if isinstance(batch, np.ndarray):  # which may hold what Keras has no type for
            return self.holds_pixels and batch.dtype == "uint8"
        dtype = keras.backend.standardize_dtype(batch.dtype)
        return self.holds_pixels and dtype == "uint8"

    def _check_shape(self, batch, what):
        shape, name = self.shape, f"{what[0].upper()}{what[1:]}"
        if agree(batch.shape[1:], shape):
            if len(batch) == 0:
                raise ValueError(
                    f"The batch holds no {what}. Received: shape "
                    f"{batch.shape}. Expected: {self._wanted()}."
                )
            return
        remedy = self.remedy_of_axes(batch.shape) or self._reshape(batch.shape)
        start = f"{name} do not have the generator's shape. Received: a batch of shape"
        if agree(batch.shape, shape):
            start = f"These are single {what}, not batches. Received: shape"
        raise ValueError(f"{start} {batch.shape}. Expected: {self._wanted()}. {remedy}")

    def check_several(self, samples: Tensor, what: str | None = None) -> None:
        """Refuses an array that is one sample: Keras would cut it into rows.

        Args:
            samples: array of any size; no copy is made.
            what: str, as of `check`.

        Raises:
            ValueError: it is one, with its axis of channels or without.
        """
        shape = tuple(samples.shape)
        if agree(shape, self.shape) or agree((*shape, 1), self.shape):
            self._check_shape(samples, what or self.tensor_name)

    def remedy_of_axes(self, shape: tuple[int, ...]) -> str | None:
        """How to mend a batch that lacks an axis, or has them in another order.

        Args:
            shape: tuple, of the batch.

        Returns:
            A sentence; `None` where the batch has the axes `[n, *self.shape]`.
        """
        wanted, rank = self.shape, len(self.shape)
        # Keras cuts an array that is one sample into rows.
        rows = rank > 1 and len(shape) == rank and agree(shape[1:], wanted[1:])
        if agree(shape, wanted) or rows:
            return (
                "Make one sample a batch by `x[None]`; batch a data set by "
                "`dataset.batch(64)`."
            )
        if rank > 1 and agree((*shape, 1), wanted):
            return "Add the axes of samples and of channels: `x[None, ..., None]`."
        if agree((*shape[1:], 1), wanted):
            axis = "channels" if rank > 1 else "numbers"
            return f"Add the axis of {axis}: `x[..., None]`."
        if rank > 2 and wanted[-1] == 3 and agree((*shape[1:], 3), wanted):
            return "Repeat grey in an axis of channels: `np.stack([x] * 3, axis=-1)`."
        for axis in range(1, min(rank, len(shape) - 1)):
            others = (*shape[1:axis], *shape[axis + 1 :])
            if agree((*others, shape[axis]), wanted):
                return f"Put the channels last: `np.moveaxis(x, {axis}, -1)`."
        return None if len(shape) == rank + 1 else f"Bring them to {self._wanted()}."

    def _check_dtype(self, batch, what):
        if "float" in batch.dtype.name:  # bfloat16 is no kind "f" of NumPy's
            return
        if batch.dtype.kind in "biu":
            remedy = self._rescale(False)
        else:
            remedy = 'Convert them, e.g. by `x.astype("float32")`.'
        within = f" in [{_numbers(self.range)}]" if self.range else ""
        raise ValueError(
            f"{what[0].upper()}{what[1:]} must be floats{within}. Received: "
            f"{batch.dtype}. {remedy}"
        )

    def _wanted(self):
        sides = ("any" if side is None else str(side) for side in self.shape)
        return f"(batch, {', '.join(sides)})"

    def _reshape(self, shape):
        """How to mend a batch of another shape, where it is no matter of axes."""
        return f"Bring them to it, or build the GAN for {shape[1:]}."

    def _rescale(self, floats):
        """How to mend floats out of range, or integers."""
        return 'Convert them by `x.astype("float32")`.'

    def _rescale_bytes(self, floats):
        """How to mend 8-bit pixels."""
        low, high = self.range
        form = f"x * {(high - low):g} / 255 + {low:g}"
        form = {(-1, 1): "x / 127.5 - 1", (0, 1): "x / 255"}.get(self.range, form)
        start = "Scale them, e.g." if floats else "Scale"
        return f"{start} 8-bit pixels by `{form}`."

    def _unit(self, x):
        """Values in [0, 1] of values in `range`."""
        low, high = self.range
        return (x - low) / (high - low)

    # --- Files ---

    def read(self, path: Path) -> np.ndarray:
        """Reads a file without executing anything that it holds.

        Args:
            path: str or path, ending in one of `read_extensions`.

        Returns:
            Array of the shape `shape`, or `[rows, *shape]` where files hold
            many rows (tokens, tables, points).

        Raises:
            ValueError: naming the file, if it is damaged, too large, holds
                NaN or something else.
            ImportError: a package for this kind of file is not installed.
        """
        path = pathlib.Path(path)
        check_extension(path, self.read_extensions, "Files that are read")
        try:
            check_bytes(os.path.getsize(path))
            return finite(self._decode(path.read_bytes(), path.suffix.lower()))
        except ValueError as error:
            raise ValueError(f"Cannot read {path}: {error}") from error

    def write(self, path: Path, sample: np.ndarray, overwrite: bool = False) -> None:
        """Writes a sample; a kill while writing leaves no half of a file.

        Args:
            path: str or path, ending in one of `extensions`.
            sample: array of one sample, as `read` returns it.
            overwrite: bool, whether to replace what stands there.

        Raises:
            ValueError: `path` exists, its ending is unknown, or the sample
                does not fit such a file.
            ImportError: a package for this kind of file is not installed.
        """
        path = files.check_free(path, overwrite)
        check_extension(path, self.extensions, "Files that are written")
        files.write_bytes(path, self._encode(sample, path.suffix.lower()))

    def encode(self, sample: np.ndarray, extension: str | None = None) -> bytes:
        """The bytes of the file that `write` makes.

        Args:
            sample: array `[*shape]`.
            extension: str, one of `extensions`; the first of them by default.

        Raises:
            ValueError: the sample does not fit, or no such file holds it.
            ImportError: the format's package is not installed.
        """
        extension = extension or self.extensions[0]
        check_extension(pathlib.Path(f"x{extension}"), self.extensions, "Samples")
        return self._encode(sample, extension)

    def decode(self, data: bytes) -> np.ndarray:
        """The sample that `encode` made bytes of.

        Raises:
            ValueError: the bytes are damaged, too many, NaN or something else.
        """
        check_bytes(len(data))
        return finite(self._decode(data, self.extensions[0]))

    def encode_in_graph(self, samples: Tensor) -> Tensor | None:
        """Encodes samples by TensorFlow operations, for serving.

        Args:
            samples: float32 tensor `[n, *shape]`.

        Returns:
            String tensor `[n]`; `None` where no such file holds the samples.
        """
        return None

    def decode_in_graph(self, data: Tensor) -> Tensor:
        """Decodes one file by TensorFlow operations, for serving.

        Args:
            data: string scalar, the bytes of a file.

        Returns:
            float32 tensor of the shape `shape`.
        """
        raise NotImplementedError(f"TensorFlow decodes no files of {self!r}.")

    def preview(
        self,
        samples: np.ndarray,
        columns: int | None = None,
        names: Sequence[str] | None = None,
        caption: str | None = None,
    ) -> Preview:
        """Makes samples visible.

        Args:
            samples: array `[n, *shape]`.
            columns: int, samples a row; by default as near to a square as
                leaves the fewest places free.
            names: list of str, one for each sample, such as its class.
            caption: str, what the picture shows.

        Those of `names_rows` also take `rows`, a list of str, one for each row.

        Returns:
            `Preview`.
        """
        raise NotImplementedError

    def _one(self, sample):
        """One sample as a float32 array of `shape`, for a file."""
        sample = np.asarray(sample)
        self._fits(sample.shape)
        self._check_dtype(sample, self.tensor_name)
        sample = finite(sample.astype("float32"), f"one of the {self.tensor_name}")
        return sample if self.range is None else np.clip(sample, *self.range)

    def _many(self, samples):
        """Samples as a float32 array for a preview; NaN becomes the least."""
        samples = np.asarray(samples).astype("float32")
        if len(samples) == 0 or not agree(samples.shape[1:], self.shape):
            raise ValueError(
                f"A preview needs {self.tensor_name} {self._wanted()}. "
                f"Received: shape {samples.shape}."
            )
        if self.range is None:
            return np.nan_to_num(samples)
        low, high = self.range
        return np.clip(np.nan_to_num(samples, nan=low), low, high)

    def _fits(self, shape, remedy=""):
        """Refuses what a file holds, or is to hold, of another shape."""
        if not agree(shape, self.shape):
            raise ValueError(
                f"It has the shape {tuple(shape)}, and {self!r} has "
                f"{self.shape}. {remedy}".rstrip()
            )


# --- Checks ---


def finite(values: np.ndarray, what: str = "it") -> np.ndarray:
    """Returns the values of a file, of which none is NaN."""
    bad = ~np.isfinite(values)
    if bad.any():
        raise ValueError(
            f"{what} holds NaN or infinite values, {int(bad.sum())} of {bad.size}. "
            "Clean the data, or leave it out."
        )
    return values


def blocks(array: Tensor) -> Iterator[tuple[int, np.ndarray]]:
    """Rows of an array of any size, some at a time: no copy of all is made.

    Yields:
        `(start, rows)`: the place of the first, and a few as float32.
    """
    step = max(1, BLOCK // max(1, math.prod(array.shape[1:])))
    for start in range(0, len(array), step):
        rows = np.asarray(array[start : start + step])
        yield start, rows.astype("float32", copy=False)


def check_values(
    batch: np.ndarray, what: str, bounds: tuple[float, float] | None, remedy: str
) -> None:
    """Refuses NaN, infinite values and values out of range."""
    ends = np.array([(block.min(), block.max()) for _, block in blocks(batch)])
    name, bad = "NaN", np.isnan
    if bounds is None and not np.isnan(ends).any():
        name, bad = "infinite", np.isinf
    if bad(ends).any():
        rows = _rows_where(bad, batch)
        raise ValueError(
            f"No value may be {name}. Received: {name} in {len(rows)} of "
            f"{len(batch)} {what}, the first at row {rows[0]}. Clean the data."
        )
    if bounds is None:
        return
    low, high = float(ends.min()), float(ends.max())
    margin = (bounds[1] - bounds[0]) / 2000  # resizing rounds past the ends
    least, most = bounds[0] - margin, bounds[1] + margin
    if low < least or high > most:
        rows = _rows_where(lambda x: (x < least) | (x > most), batch)
        raise ValueError(
            f"{what[0].upper()}{what[1:]} must lie in [{_numbers(bounds)}], "
            f"the range of the generator. Received: values from {low:.4g} to "
            f"{high:.4g}, {len(rows)} of {len(batch)} out of range, the first at row "
            f"{rows[0]}. {remedy}"
        )


def _rows_where(bad, batch):
    """The places of rows with a bad value."""
    places = [start + np.unique(np.nonzero(bad(x))[0]) for start, x in blocks(batch)]
    return np.concatenate(places)


def check_range(bounds: tuple[float, float]) -> tuple:
    """Returns `range` as a tuple (low, high) of floats, low < high."""
    ok = (
        isinstance(bounds, (tuple, list))
        and len(bounds) == 2
        and all(is_number(x) and np.isfinite(x) for x in bounds)
        and bounds[0] < bounds[1]
    )
    if not ok:
        raise ValueError(
            "`range` is (low, high), two numbers with low < high. Received: "
            f"range={bounds!r}."
        )
    return float(bounds[0]), float(bounds[1])


def check_sides(name: str, sides: tuple[int | None, ...], count: int) -> tuple:
    """Returns sides as a tuple of `count` positive ints or `None`."""
    ok = (
        isinstance(sides, (tuple, list))
        and len(sides) == count
        and all(s is None or (is_int(s) and s > 0) for s in sides)
    )
    if not ok:
        raise ValueError(
            f"`{name}` holds {count} positive ints, or None for any length. "
            f"Received: {name}={sides!r}."
        )
    return tuple(s if s is None else int(s) for s in sides)


def _numbers(bounds):
    return ", ".join(f"{x:g}" for x in bounds)
