"""Drawing: grids, PNG and GIF files, text, plots."""

from collections.abc import Callable, Iterable
import io
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gans.utils import files
from keras_gans.utils.types import Path

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}


def make_grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
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
    images = np.zeros((6, 8, 8, 3))
    grid = keras_gans.modalities.pictures.make_grid(images, columns=3)
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


def side_by_side(*batches) -> tuple[np.ndarray, int]:
    """Batches of any channels as tiles for a grid, a row for each place.

    Where they differ in channels, transparency is laid on white and grey
    becomes RGB if another batch has colours. Images of more than 4 channels
    are a grey tile for each channel.

    Args:
        *batches: float arrays `[n, height, width, channels]` in [-1, 1], that
            differ in channels alone; 2 channels are grey and alpha.

    Returns:
        `(tiles, columns)`: a float32 array `[n * columns, height, width,
        channels]` for `make_grid(tiles, columns)`, and how many tiles are a
        row.

    Raises:
        ValueError: the batches differ in more than channels.

    Example:

    ```python
    grey, colour = np.zeros((5, 8, 8, 1)), np.zeros((5, 8, 8, 3))
    pictures = keras_gans.modalities.pictures
    tiles, columns = pictures.side_by_side(grey, colour)
    pictures.make_grid(tiles, columns).shape  # (40, 16, 3)
    ```
    """
    batches = [np.asarray(batch, dtype="float32") for batch in batches]
    if any(b.ndim != 4 for b in batches) or len({b.shape[:3] for b in batches}) != 1:
        raise ValueError(
            "Batches side by side are as many images of one size. Received: "
            f"shapes {', '.join(str(batch.shape) for batch in batches)}."
        )
    counts = {batch.shape[-1] for batch in batches}
    if len(counts) > 1 or not counts <= set(MODES):
        batches = [part for batch in batches for part in _opaque(batch)]
        if any(part.shape[-1] == 3 for part in batches):
            batches = [np.repeat(part, 3 // part.shape[-1], -1) for part in batches]
    tiles = np.stack(batches, axis=1)
    return tiles.reshape(-1, *tiles.shape[2:]), len(batches)


def _opaque(batch):
    """Batches of 1 or 3 channels that show one of any channels."""
    channels = batch.shape[-1]
    if channels not in MODES:
        return np.split(batch, channels, axis=-1)
    if channels in (1, 3):
        return [batch]
    colour, alpha = batch[..., :-1], batch[..., -1:]
    # White is 1, so only the distance to it is weighted.
    return [1 + (colour - 1) * (alpha + 1) / 2]


def save_grid(
    path: Path, images: np.ndarray, columns: int | None = None, overwrite: bool = False
) -> None:
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
    _write(path, make_grid(images, columns))


def save_image(
    path: Path, image: np.ndarray, deep: bool = False, overwrite: bool = False
) -> None:
    """Writes one image as a PNG.

    Args:
        path: str or path, ending in ".png".
        image: float array `[height, width, channels]` in [-1, 1], of 1 (grey),
            2 (grey, alpha), 3 (RGB) or 4 (RGBA) channels; values beyond are
            clipped.
        deep: bool, whether to write 16 bits a pixel, of grey images only.
        overwrite: bool, whether to replace what stands there.

    Raises:
        ValueError: `path` exists or does not end in ".png", or there is no
            such PNG.

    Example:

    ```python
    image = np.linspace(-1, 1, 64).reshape(8, 8, 1)
    save = keras_gans.modalities.pictures.save_image
    save("ramp.png", image, deep=True, overwrite=True)
    ```
    """
    image = np.asarray(image, dtype="float64")
    known = (1,) if deep else tuple(MODES)
    if image.ndim != 3 or image.size == 0 or image.shape[-1] not in known:
        raise ValueError(
            f"A PNG of {16 if deep else 8} bits holds [height, width, channels]"
            f" with channels {', '.join(map(str, known))}. Received: shape "
            f"{image.shape}."
        )
    path = files.check_free(path, overwrite)
    if path.suffix.lower() != ".png":
        raise ValueError(f"Images are PNG files. Received: {path}.")
    top = 65535 if deep else 255
    pixels = np.rint((np.clip(image, -1, 1) + 1) * (top / 2))
    _write(path, pixels.astype("uint16" if deep else "uint8"))


def _write(path, pixels):
    files.write_bytes(path, encode_png(pixels))


def encode_png(pixels: np.ndarray) -> bytes:
    """The bytes of a PNG of uint8 `[height, width, 1 to 4]`, or grey uint16."""
    channels = pixels.shape[-1]
    picture = Image.fromarray(pixels[..., 0] if channels == 1 else pixels)
    mode = MODES[channels] if pixels.dtype == np.uint8 else "I;16"
    if picture.mode != mode:
        raise ValueError(f"Pillow made {picture.mode} of {channels} channels.")
    stream = io.BytesIO()
    picture.save(stream, format="PNG")
    return stream.getvalue()


def encode_gif(frames: Iterable[np.ndarray], rate: float = 10) -> bytes:
    """The bytes of a GIF that plays for ever, `rate` frames a second.

    Frames are uint8 `[frames, height, width, channels]`. Those of 1 channel
    are kept exactly, those of 3 are reduced to 256 colours each.
    """
    first, *others = (
        Image.fromarray(f[..., 0] if f.shape[-1] == 1 else f) for f in frames
    )
    stream = io.BytesIO()
    first.save(
        stream,
        format="GIF",
        save_all=True,
        append_images=others,
        duration=gif_duration(rate),
        loop=0,
    )
    return stream.getvalue()


def gif_duration(rate: float) -> int:
    """How long GIF shows a frame, in ms: a multiple of 10, at least 20."""
    return max(20, 10 * round(100 / rate))


def draw_table(rows: list[list[str]], size: int = 14) -> np.ndarray:
    """Draws rows of cells of text, as uint8 `[height, width, 1]`.

    The first 64 rows are drawn, of each cell the first 100 letters.
    """
    from matplotlib import get_data_path

    # Pillow's own font has no letters but English ones.
    path = f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf"
    font = ImageFont.truetype(path, size)
    rows = [[" ".join(c[:100].split("\n")) for c in row] for row in rows[:64]]
    widths = [
        max(math.ceil(font.getlength(cell)) for cell in column)
        for column in zip(*rows, strict=True)
    ]
    lefts = np.cumsum([size // 2, *(width + size for width in widths)])
    line = math.ceil(1.4 * size)
    picture = Image.new("L", (int(lefts[-1]), line * len(rows) + size), 255)
    draw = ImageDraw.Draw(picture)
    for i, row in enumerate(rows):
        for left, cell in zip(lefts, row, strict=False):
            draw.text((int(left), i * line + size // 2), cell, 0, font)
    return np.asarray(picture)[..., None]


def draw_plot(
    rows: int, columns: int, size: tuple[float, float], draw: Callable
) -> np.ndarray:
    """Draws plots in a grid, as uint8 `[height, width, 3]`.

    Each is of `size` (width, height) in 100 pixels; `draw` is given the list
    of matplotlib's axes, row by row.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure((columns * size[0], rows * size[1]), 100, layout="tight")
    canvas = FigureCanvasAgg(figure)
    draw(list(figure.subplots(rows, columns, squeeze=False).flat))
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()
