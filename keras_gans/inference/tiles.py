"""Networks that enlarge, over images of any size, tile by tile."""

from collections.abc import Iterator
import itertools
import math
from typing import Any

import keras
import numpy as np

from keras_gans.engine import compiled
from keras_gans.engine.keras_internals import flatten_layers, is_graph, without_values
from keras_gans.layers.rewriting import rewritten
from keras_gans.networks.padding import reflected
from keras_gans.utils.networks import input_shape_of
from keras_gans.utils.validation import is_int, one_of, within

MAX_SCALE = 16
MULTIPLES = (1, 2, 4, 8, 16)
MOST = 512  # pixels a side of a tile, unless asked for
# Bytes of what goes into the largest layer and comes out, of one tile: with what
# TensorFlow takes beside it, a photo stays within 2 GiB.
BUDGET = 2**28
# A tile may differ by so much, of the largest value, where its overlap ends; at a
# corner two sides add up.
TOLERANCE = 2e-6
FIRST, FARTHEST = 32, 512  # pixels at which the overlap is looked for
BAND = 48  # pixels across
LEAST = 2  # pixels a side of what a network sees
PRECISIONS = ("float32", "bfloat16", "float16")


class Enlarger:
    """A network from images to images of `scale` times their size.

    Args:
        network: `keras.Model`, see `check_enlarges`.
        tile: int, pixels a side that the network sees at once, the overlap
            included; `None` for what 2 GiB of memory hold, at most 512, but 3.5
            times the overlap at least; 0 for whole images.
        overlap: int, pixels that neighbouring tiles share at either side; `None`
            for as many as the result depends on.
        precision: "float32", or "bfloat16" or "float16", in which the network's
            layers compute then.

    Attributes:
        scale: int.
        takes, makes: int, channels of what goes in and comes out.
        multiple: int, what height and width are padded to a multiple of, by
            reflection to the right and below.

    Raises:
        ValueError: the network is of another kind, or an argument out of range.

    Example:

    ```python
    from keras_gans.inference.tiles import Enlarger
    from keras_gans.networks.srresnet import msrresnet

    enlarger = Enlarger(msrresnet(scale=2, blocks=1, width=8), tile=32)
    enlarger(np.zeros((40, 50, 3), "float32")).shape  # (80, 100, 3)
    ```
    """

    def __init__(
        self,
        network: keras.Model,
        tile: int | None = None,
        overlap: int | None = None,
        precision: str = "float32",
    ):
        one_of("precision", precision, PRECISIONS)
        self.scale, self.multiple, self.takes, self.makes = check_enlarges(network)
        for name, value in (("tile", tile), ("overlap", overlap)):
            ok = value is None or (is_int(value) and value >= 0)
            within(name, value, ok, "0, 1, 2, ...")
        if precision != "float32":
            network = _computing_in(network, precision)
        self.network = network
        self._run = compiled(lambda x: network(x, training=False))
        self.tile, self._grows = tile, tile is None
        if tile is None:
            self.tile = self._affordable()
        self._overlap = overlap

    @property
    def overlap(self) -> int:
        """Pixels that tiles share at either side; measured where it was not given."""
        if self._overlap is None:
            self._overlap = self._measured()
        return -(-self._overlap // self.multiple) * self.multiple

    def run(self, images: np.ndarray) -> np.ndarray:
        """The network's output of whole images, float32."""
        outputs = self._run(np.ascontiguousarray(images, "float32"))
        return np.asarray(keras.ops.convert_to_numpy(outputs), "float32")

    def __call__(self, image: np.ndarray, padding: int = 0) -> np.ndarray:
        """The enlarged image `[scale height, scale width, makes]`, see `rows`."""
        height, width = image.shape[:2]
        shape = (self.scale * height, self.scale * width, self.makes)
        enlarged = np.empty(shape, "float32")
        for top, left, part in self.parts(image, padding):
            enlarged[top : top + part.shape[0], left : left + part.shape[1]] = part
        return enlarged

    def count(self, size: tuple[int, int], padding: int = 0) -> int:
        """How many tiles there are of an image of `(height, width)`."""
        return len(list(self._tiles(size, padding)))

    def _padded(self, size, padding):
        # A single row or column has no mirror image for what interpolates.
        sides = [max(side + padding, LEAST) for side in size]
        return [-(-side // self.multiple) * self.multiple for side in sides]

    def parts(
        self, image: np.ndarray, padding: int = 0
    ) -> Iterator[tuple[int, int, np.ndarray]]:
        """The parts of the enlarged image, row by row from the left.

        Args:
            image: float32 `[height, width, takes]` in [-1, 1].
            padding: int, pixels of its mirror image that are put to its right and
                below before, and cut away after: what a network makes of an edge
                differs from what it makes of the inside.

        Yields:
            `(top, left, part)`: float32 `[rows, columns, makes]`, and its place.
        """
        size = image.shape[:2]
        sides = self._padded(size, padding)
        extra = tuple((0, p - s) for p, s in zip(sides, size, strict=True))
        if any(after for _, after in extra):
            image = np.asarray(reflected(image[None], extra))[0]
        s = self.scale
        for (rows, seen_rows), (columns, seen_columns) in self._tiles(size, padding):
            (tile,) = self.run(image[seen_rows, seen_columns][None])
            part = tuple(
                slice(s * (place.start - seen.start), s * (place.stop - seen.start))
                for place, seen in ((rows, seen_rows), (columns, seen_columns))
            )
            yield s * rows.start, s * columns.start, tile[part]

    def places(
        self, size: tuple[int, int], padding: int = 0
    ) -> Iterator[tuple[int, int, int, int]]:
        """Where `parts` of an image of `size` lie: `(top, left, height, width)`."""
        for (rows, _), (columns, _) in self._tiles(size, padding):
            top, left = rows.start, columns.start
            yield tuple(
                self.scale * n
                for n in (top, left, rows.stop - top, columns.stop - left)
            )

    def _tiles(self, size, padding):
        """What each tile gives and sees, along both axes, without the padding."""
        along = []
        for side, padded in zip(size, self._padded(size, padding), strict=True):
            along.append(
                [
                    (slice(span.start, min(span.stop, side)), seen)
                    for span, seen in self._spans(padded)
                    if span.start < side
                ]
            )
        return itertools.product(*along)

    def _spans(self, side):
        """Slices of what each tile gives, and of what it sees, along one axis.

        All see as many pixels, so that one program computes them: the last ones
        are moved inwards.
        """
        if not self.tile or side <= self.tile:
            yield slice(0, side), slice(0, side)
            return
        overlap = self.overlap
        tile = max(self.tile, 7 * overlap // 2) if self._grows else self.tile
        tile = min(tile - tile % self.multiple, side)
        inner = tile - 2 * overlap
        if inner < max(self.multiple, 1):
            raise ValueError(
                f"What this network makes of a pixel depends on {overlap} pixels "
                f"around it. Received: tile={self.tile}. Take a `tile` of more than "
                f"{2 * overlap + self.multiple}, or a smaller `overlap`, with which "
                "seams may show."
            )
        for start in range(0, side, inner):
            first = min(max(start - overlap, 0), side - tile)
            yield slice(start, min(start + inner, side)), slice(first, first + tile)

    def _affordable(self):
        """The largest tile of which memory holds the largest maps."""
        if not is_graph(self.network):
            return MOST
        side = 16 * self.multiple
        source = keras.Input((side, side, self.takes))
        # A compiled network would be copied with its optimizer.
        plain = keras.Model(self.network.input, self.network.output)
        with without_values(lambda variable: None):
            copy = keras.models.clone_model(plain, input_tensors=source)
        most = max(
            sum(
                math.prod(x.shape[1:])
                for x in keras.tree.flatten([layer.input, layer.output])
            )
            for layer in flatten_layers(copy)
            if not isinstance(layer, (keras.Model, keras.layers.InputLayer))
        )
        return max(64, min(MOST, int(side * math.sqrt(BUDGET / (4 * most)))))

    def _measured(self):
        """The pixels around a place on which what is made of it depends.

        An image of noise is cut in two: the overlap ends where the halves by
        themselves become what they are in the whole.
        """
        reach = FIRST
        while reach <= FARTHEST:
            noise = np.random.default_rng(0).uniform(-1, 1, (2, BAND, 2 * reach, 1))
            noise = noise.astype("float32").repeat(self.takes, -1)
            noise[..., 1:] *= -0.5  # no grey
            noise[1] *= 0.1  # strong contrasts may saturate what follows
            whole = self.run(noise)
            middle = reach * self.scale
            halves = [self.run(half) for half in np.split(noise, 2, axis=2)]
            differ = np.abs(whole - np.concatenate(halves, axis=2)).max((0, 1, 3))
            beyond = np.flatnonzero(differ > TOLERANCE * np.abs(whole).max())
            farthest = 0
            if beyond.size:
                farthest = max(middle - beyond[0], beyond[-1] - middle + 1)
            farthest = -(-farthest // self.scale)
            if farthest <= 0.75 * reach:
                return int(farthest)
            reach *= 2
        raise ValueError(
            "What this network makes of a pixel depends on the whole image, as with "
            "a norm of each image: tiles would not fit together. Take tile=0 (whole "
            "images), or give an `overlap`, with which seams may show."
        )


def check_enlarges(network: keras.Model) -> tuple[int, int, int, int]:
    """What a network enlarges, and how.

    Returns:
        `(scale, multiple, takes, makes)`, see `Enlarger`.

    Raises:
        ValueError: it is no network from images of any size to images of a whole
            number of times their size.
    """
    shape = input_shape_of(network)
    if shape is not None and len(shape) == 4 and None not in shape[1:3]:
        raise ValueError(
            "Pictures of any size need a network of any size. Received: "
            f"{network.name}, which takes {tuple(shape[1:])}. Build it for a height "
            "and width of None: the same weights fit."
        )
    for multiple in MULTIPLES if shape is not None and len(shape) == 4 else ():
        # A side that is a multiple of this one, and of none of the later ones.
        side = 33 * multiple
        output_shape = _infer_shape(network, (side, side, shape[-1]))
        if (
            output_shape is None
            or len(output_shape) != 4
            or output_shape[1] != output_shape[2]
            or output_shape[1] % side
        ):
            continue
        if output_shape[1] // side <= MAX_SCALE and "logits" not in _names(network):
            return output_shape[1] // side, multiple, shape[-1], output_shape[-1]
    raise ValueError(
        "Upscaling takes a network from images [n, height, width, channels] to images "
        f"a whole number of times as large. Received: {network.name}, from {shape} to "
        f"{getattr(network, 'output_shape', 'unknown')}."
    )


def _names(network):
    return getattr(network, "output_names", ())  # a Sequential has none


def _infer_shape(network, shape):
    """The shape that a network makes of an image, or `None` if it makes none."""
    try:
        spec: Any = network.compute_output_spec(keras.KerasTensor((1, *shape)))
    except Exception:  # whatever its layers raise on a size that they do not take
        return None
    return getattr(spec, "shape", None)


def _computing_in(network, precision):
    """A copy of a network whose layers, but for the last, compute in a precision."""
    copy = rewritten(network, lambda layer: None)
    for layer in flatten_layers(copy):
        last = layer.name in _names(copy)
        if not isinstance(layer, (keras.Model, keras.layers.InputLayer)):
            layer.dtype_policy = "float32" if last else f"mixed_{precision}"
    return copy
