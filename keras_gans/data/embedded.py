"""The embedded emoji set: small, real, labelled, aligned in three styles."""

import functools
import importlib.resources
import io
import json
from typing import NamedTuple

import numpy as np
from PIL import Image

# style: (atlas file, pillow mode)
STYLES = {
    "3d": ("emoji_3d.webp", "RGB"),
    "flat": ("emoji_flat.webp", "RGB"),
    "line": ("emoji_line.webp", "L"),
}
TILE = 64


class Emoji(NamedTuple):
    """One style of the embedded set; row `i` is the same emoji in all styles.

    Args:
        images: uint8 `[1570, 64, 64, 3]`, or `[1570, 64, 64, 1]` for line art.
        labels: int32 `[1570]`, the group of each emoji.
        names: one name for each emoji.
        tags: a list of search words for each emoji.
        label_names: the name of each group.
    """

    images: np.ndarray
    labels: np.ndarray
    names: list[str]
    tags: list[list[str]]
    label_names: list[str]


def emoji(style: str = "3d") -> Emoji:
    """Returns the 1,570 embedded Fluent emoji of one style.

    The pictures are 64 x 64 pixels on white. The styles are aligned: picture
    `i` shows the same emoji in each, so two styles make paired data.

    Args:
        style: `"3d"` (rendered, colour), `"flat"` (drawn, colour) or `"line"`
            (line art, one grey channel).

    Returns:
        An `Emoji` tuple `(images, labels, names, tags, label_names)`, with
        `images` uint8 in 0..255 and `labels` int32 in 0..8.

    Raises:
        ValueError: if `style` is not one of the three.

    Example:

    ```python
    from keras_gans.data import emoji

    drawn = emoji("flat")
    print(drawn.images.shape, drawn.names[0], drawn.tags[0])
    ```

    Source: Microsoft's Fluent Emoji and emojibase, both under the MIT licence.
    """
    if style not in STYLES:
        raise ValueError(
            f"Unknown emoji style. Expected one of {sorted(STYLES)}. "
            f"Received: style={style!r}"
        )
    about = json.loads(_asset("emoji.json").decode("utf-8"))
    return Emoji(
        images=_tiles(style)[: len(about["names"])].copy(),
        labels=np.asarray(about["groups"], "int32"),
        names=about["names"],
        tags=about["tags"],
        label_names=about["group_names"],
    )


@functools.lru_cache(maxsize=2)  # a run looks at its data more than once
def _tiles(style):
    """The decoded `[n, 64, 64, c]` of a style."""
    file, mode = STYLES[style]
    with Image.open(io.BytesIO(_asset(file)), formats=["WEBP"]) as atlas:
        return _cut(np.asarray(atlas.convert(mode)))


def _asset(name):
    folder = importlib.resources.files("keras_gans.data") / "assets"
    return (folder / name).read_bytes()


def _cut(atlas):
    """Cuts `[rows * 64, columns * 64(, c)]` into `[n, 64, 64, c]`."""
    rows, columns = atlas.shape[0] // TILE, atlas.shape[1] // TILE
    grid = atlas.reshape(rows, TILE, columns, TILE, -1)
    return grid.swapaxes(1, 2).reshape(rows * columns, TILE, TILE, -1)
