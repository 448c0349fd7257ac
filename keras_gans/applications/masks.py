"""Masks of holes in images: rectangles and free-form strokes.

Each is a function of (seed, step, row) alone. There is no state: the masks of
batch 1000 are known without those before.
"""

import math

from keras import ops

from keras_gans.engine import rng
from keras_gans.utils.suggestions import hint
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import (
    check_seed,
    check_size,
    is_int,
    is_number,
    within,
)

KINDS = ("mixed", "rectangle", "free_form")

# Purposes of the draws of one step.
_COIN, _RECTANGLE, _STROKES = range(3)

STROKES = 3
SEGMENTS = 4  # of a stroke
_TURN = 2 * math.pi / 5  # most, between two segments
_LENGTHS = (0.1, 0.4)  # of a segment, over the square root of the area
_BRUSHES = (0.5, 1.5)  # widths of the strokes of one mask, to each other


def random_masks(
    n: int | Tensor,
    height: int | Tensor,
    width: int | Tensor,
    kind: str = "mixed",
    share: tuple[float, float] = (0.1, 0.4),
    seed: int = 0,
    step: int | Tensor = 0,
) -> Tensor:
    """Draws masks; each a function of `(seed, step)` and its row alone.

    The share of the hole is drawn from U(low, high). "rectangle" is one, up to
    twice as long as wide where it fits. "free_form" are the pixels nearest to
    a few random strokes, as many as the share asks for: their width follows.
    "mixed" takes either for each mask, as likely.

    Args:
        n: int or int32 scalar tensor, how many.
        height: int or int32 scalar tensor, pixels.
        width: int or int32 scalar tensor, pixels.
        kind: one of "mixed", "rectangle" and "free_form".
        share: tuple (low, high), 0 < low <= high < 1: pixels of the hole over
            those of the image. Kept where a whole number of pixels allows it;
            by rectangles, where a whole number of columns does, as it always
            is with high - low >= 1 / width.
        seed: int in [0, 2**31).
        step: int of 0 or more, or integer scalar tensor.

    Returns:
        float32 tensor `[n, height, width, 1]`, 1 in the hole and 0 elsewhere.
        Some pixel is in the hole and some is not, in images of two or more.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    from keras_gans.applications.masks import random_masks

    masks = random_masks(4, 48, 32, share=(0.2, 0.3))
    masks.shape  # (4, 48, 32, 1)
    ```

    Reference:
        The idea of strokes: https://arxiv.org/abs/1806.03589, section 3.4
    """
    check_kind(kind)
    share = check_share(share)
    check_seed(seed)
    for name, value in (("n", n), ("height", height), ("width", width)):
        if not ops.is_tensor(value):
            check_size(name, value)
    if not ops.is_tensor(step):
        within("step", step, is_int(step) and step >= 0, "0, 1, ...")
    place = _Place(seed, step, n, height, width)
    if kind == "rectangle":
        masks = _rectangles(place, share)
    elif kind == "free_form":
        masks = _free_forms(place, share)
    else:
        coin = place.uniform(1, _COIN)[:, :, None] < 0.5
        masks = ops.where(coin, _rectangles(place, share), _free_forms(place, share))
    return ops.cast(masks, "float32")[..., None]


def check_kind(kind: str) -> str:
    """Returns `kind`, one of `KINDS`.

    Raises:
        ValueError: it is something else.
    """
    if kind not in KINDS:
        raise ValueError(
            f"Unknown kind of masks. Received: kind={kind!r}. Expected one of "
            f"{', '.join(KINDS)}.{hint(kind, KINDS)}"
        )
    return kind


def check_share(share: tuple[float, float]) -> tuple[float, float]:
    """Returns `share`, the range of the hole's share, as a tuple.

    Raises:
        ValueError: it is no pair (low, high) with 0 < low <= high < 1.
    """
    ok = (
        isinstance(share, (tuple, list))
        and len(share) == 2
        and all(map(is_number, share))
        and 0 < share[0] <= share[1] < 1
    )
    if not ok:
        raise ValueError(
            "`share` is (low, high), the hole over the image, 0 < low <= high "
            f"< 1. Received: share={share!r}."
        )
    return float(share[0]), float(share[1])


class _Place:
    """What is drawn, and where in the counter: numbers are float32 `[n, 1]`."""

    def __init__(self, seed, step, n, height, width):
        self._words = (seed, "masks", step)
        self._rows = ops.arange(n, dtype="int32")
        self.height = ops.cast(height, "float32")
        self.width = ops.cast(width, "float32")
        self.area = self.height * self.width
        # Of the pixels' centres: [height, 1] and [1, width].
        self.y = ops.cast(ops.arange(height, dtype="int32"), "float32")[:, None]
        self.x = ops.cast(ops.arange(width, dtype="int32"), "float32")[None]

    def uniform(self, columns, purpose):
        return rng.uniform((*self._words, purpose), self._rows, columns)


def _rectangles(place, share):
    """Bool `[n, height, width]`."""
    u = place.uniform(4, _RECTANGLE)
    area = _between(share, u[:, :1]) * place.area
    side_ratio = 2.0 ** _between((-1.0, 1.0), u[:, 1:2])
    lowest = ops.ceil(area / place.width)  # else it would be too wide
    height = ops.maximum(ops.round(ops.sqrt(area * side_ratio)), lowest)
    # One column of a higher one would be more than the share.
    highest = ops.minimum(ops.floor(share[1] * place.area), place.height)
    height = ops.maximum(ops.minimum(height, highest), 1.0)
    least, most = (s * place.area / height for s in share)
    width = ops.maximum(ops.round(area / height), ops.ceil(least))
    width = ops.minimum(width, ops.floor(most))
    width = ops.clip(width, 1.0, place.width)
    top = ops.floor(u[:, 2:3] * (place.height - height + 1.0))
    left = ops.floor(u[:, 3:] * (place.width - width + 1.0))
    # u may round to 1
    top = ops.minimum(top, place.height - height)
    left = ops.minimum(left, place.width - width)
    top, left, height, width = (v[:, :, None] for v in (top, left, height, width))
    y, x = place.y[None], place.x[None]
    rows = (y >= top) & (y < top + height)
    return rows & (x >= left) & (x < left + width)


def _free_forms(place, share):
    """Bool `[n, height, width]`: the pixels nearest to strokes."""
    u = place.uniform(1 + STROKES * (4 + 2 * SEGMENTS), _STROKES)
    least, most = (s * place.area for s in share)
    pixels = ops.round(_between(share, u[:, :1]) * place.area)
    pixels = ops.minimum(ops.maximum(pixels, ops.ceil(least)), ops.floor(most))
    pixels = ops.clip(pixels, 1.0, ops.maximum(place.area - 1.0, 1.0))
    distance = _distance_to_strokes(place, u[:, 1:])
    flat = ops.reshape(distance, (ops.shape(distance)[0], -1))
    # Ranks, as pixels at one distance must not all come in at once.
    rank = ops.argsort(ops.argsort(flat, axis=-1), axis=-1)
    hole = ops.cast(rank, "float32") < pixels
    return ops.reshape(hole, ops.shape(distance))


def _distance_to_strokes(place, u):
    """float32 `[n, height, width]`, in widths of the brush of each stroke."""
    u = ops.reshape(u, (-1, STROKES, 4 + 2 * SEGMENTS))
    turns, lengths = u[..., 4 : 4 + SEGMENTS], u[..., 4 + SEGMENTS :]
    angle = _between((-_TURN, _TURN), turns)
    angle = 2 * math.pi * u[..., :1] + ops.cumsum(angle, axis=-1)
    length = _between(_LENGTHS, lengths) * ops.sqrt(place.area)
    y = _path(u[..., 1:2], length * ops.sin(angle), place.height)
    x = _path(u[..., 2:3], length * ops.cos(angle), place.width)
    brush = _between(_BRUSHES, u[..., 3:4])[..., None]
    nearest = None
    for i in range(STROKES):
        distance = _distance_to_path(place, y[:, i], x[:, i]) / brush[:, i]
        if nearest is not None:
            distance = ops.minimum(nearest, distance)
        nearest = distance
    return nearest


def _path(start, steps, side):
    """The points of paths in [0, side], reflected at its ends.

    Args:
        start: float32 `[n, strokes, 1]` in [0, 1].
        steps: float32 `[n, strokes, segments]`.
        side: float32 scalar.
    """
    start = start * side
    points = [start, start + ops.cumsum(steps, axis=-1)]
    points = ops.concatenate(points, axis=-1)
    return side - ops.abs(ops.mod(points, 2.0 * side) - side)


def _distance_to_path(place, y, x):
    """float32 `[n, height, width]`, in pixels, from points `[n, points]`."""
    y, x = y[:, :, None, None], x[:, :, None, None]
    dy, dx = y[:, 1:] - y[:, :-1], x[:, 1:] - x[:, :-1]
    # From each segment's start to the pixels' centres.
    y, x = place.y + 0.5 - y[:, :-1], place.x + 0.5 - x[:, :-1]
    # Where the pixel's foot lies on the segment; it may be no longer than 0.
    at = (y * dy + x * dx) / ops.maximum(dy * dy + dx * dx, 1e-6)
    at = ops.clip(at, 0.0, 1.0)
    squares = (y - at * dy) ** 2 + (x - at * dx) ** 2
    return ops.sqrt(ops.min(squares, axis=1))


def _between(ends, u):
    return ends[0] + (ends[1] - ends[0]) * u
