"""Grids of images as PNG files."""

import math

import numpy as np
from PIL import Image

from keras_gans import files

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def make_grid(images, columns=None):
    """Tiles images, row by row, into one.

    Args:
        images: float array `[n, height, width, channels]` in [-1, 1]; values
            beyond are clipped. With more than 4 channels, each channel is a
            grey tile of its own, an image a row of tiles.
        columns: int, images a row of the grid; a square grid by default.

    Returns:
        uint8 array `[rows * height, columns * width, channels]`; free tiles
        are black.

    Raises:
        ValueError: `images` is no batch of images.

    Example:

    ```python
    grid = keras_gans.images.make_grid(np.zeros((6, 8, 8, 3)), columns=3)
    grid.shape  # (16, 24, 3)
    ```
    """
    images = np.asarray(images, dtype="float32")
    if images.ndim != 4 or images.size == 0:
        raise ValueError(
            "A grid needs images [n, height, width, channels]. Received: shape "
            f"{images.shape}."
        )
    n, height, width, channels = images.shape
    if channels not in MODES:
        images = images.transpose(0, 1, 3, 2)
        images = images.reshape(n, height, channels * width, 1)
        width, channels = channels * width, 1
    columns = columns or math.ceil(math.sqrt(n))
    rows = math.ceil(n / columns)
    grid = np.full((rows * columns, height, width, channels), -1.0, "float32")
    grid[:n] = images
    grid = grid.reshape(rows, columns, height, width, channels)
    grid = grid.transpose(0, 2, 1, 3, 4)
    grid = grid.reshape(rows * height, columns * width, channels)
    return np.rint((np.clip(grid, -1, 1) + 1) * 127.5).astype("uint8")


def save_grid(path, images, columns=None, overwrite=False):
    """Writes `make_grid(images, columns)` as a PNG.

    Args:
        path: str or path, ending in ".png".
        images: see `make_grid`.
        columns: see `make_grid`.
        overwrite: bool, whether to replace what stands there.

    Raises:
        ValueError: `path` exists or does not end in ".png".
    """
    path = files.check_free(path, overwrite)
    if path.suffix.lower() != ".png":
        raise ValueError(f"Grids are PNG files. Received: {path}.")
    grid = make_grid(images, columns)
    channels = grid.shape[-1]
    picture = Image.fromarray(grid[..., 0] if channels == 1 else grid)
    if picture.mode != MODES[channels]:
        raise ValueError(f"Pillow made {picture.mode} of {channels} channels.")
    with files.replacing(path) as temporary:
        picture.save(temporary, format="PNG")
