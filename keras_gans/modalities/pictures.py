"""Drawing: grids, PNG and GIF files, text, plots."""

from collections.abc import Callable, Iterable, Sequence
import functools
import io
import math
import re

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from keras_gans.utils import files
from keras_gans.utils.types import Path

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}

# Of grids that are drawn for people, in pixels of the picture.
SEEN = 512  # least width
NAMED = 96  # least width of a tile that has a name
ENOUGH = 256  # sides from which on nothing is enlarged
MOST = 4096  # a side that is not enlarged beyond
GAP = 4  # between tiles, and around them
PAPER, INK = 232, 24  # grey levels of the gaps and of text
FONT = 13
LINES = 3  # of a name


def make_grid(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Tiles images, row by row, into one, each pixel as it is.

    Args:
        images: float array `[n, height, width, channels]` in [-1, 1]; values
            beyond are clipped. With more than 4 channels, each channel is a
            grey tile of its own, an image a row of tiles.
        columns: int, images a row of the grid; by default as near to a square
            as leaves the fewest tiles free.

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
    images = _one_picture_each(images)
    n, height, width, channels = images.shape
    columns = columns or full_rows(n)
    rows = math.ceil(n / columns)
    grid = np.full((rows * columns, height, width, channels), -1.0, "float32")
    grid[:n] = images
    grid = grid.reshape(rows, columns, height, width, channels)
    grid = grid.transpose(0, 2, 1, 3, 4)
    return _levels(grid.reshape(rows * height, columns * width, channels))


def draw_grid(
    images: np.ndarray,
    columns: int | None = None,
    names: Sequence[str] | None = None,
    caption: str | None = None,
    rows: Sequence[str] | None = None,
) -> np.ndarray:
    """Draws images to be looked at: apart, large enough, and with names.

    Small images are enlarged by a whole factor, each pixel a square, so that
    the picture is 512 pixels wide or more. Transparency is laid on white.

    Args:
        images: see `make_grid`.
        columns: int, images a row; by default as near to a square as leaves
            the fewest places free.
        names: list of str, one for each image: above the columns where all of
            a column have the same, else below each image. What the font cannot
            draw is left out; long names are wrapped, then cut.
        caption: str, stands below.
        rows: list of str, one for each row, left of it.

    Returns:
        uint8 array `[height, width, 1 or 3]`.

    Raises:
        ValueError: `images` is no batch of images, or there is another number of
            names than of images, or of rows.

    Example:

    ```python
    images = np.zeros((6, 8, 8, 3))
    names = ["cats", "dogs", "owls"] * 2
    draw = keras_gans.modalities.pictures.draw_grid
    draw(images, 3, names, "A column a class.").shape[2]  # 3
    ```
    """
    images = _one_picture_each(images)
    if images.shape[-1] in (2, 4):
        (images,) = _opaque(images)
    n, height, width, channels = images.shape
    columns = min(columns or full_rows(n), n)
    down = math.ceil(n / columns)
    heading = _row_lines(rows, down)
    left = max((_length(line) for lines in heading for line in lines), default=0)
    left += 2 * GAP if left else 0
    scale = 1
    if min(height, width) < ENOUGH:
        wide = NAMED if names else 1
        wanted = max(math.ceil(SEEN / (columns * width)), math.ceil(wide / width))
        bound = min(MOST // (columns * width), MOST // (down * height))
        scale = max(1, min(wanted, bound))
    height, width = height * scale, width * scale
    heads, below = _name_lines(names, n, columns, width)
    line = round(1.3 * FONT)
    top, foot = (line * max(map(len, labels), default=0) for labels in (heads, below))
    picture = np.full(
        (
            top + GAP + down * (height + foot + GAP),
            left + GAP + columns * (width + GAP),
            channels,
        ),
        PAPER,
        "uint8",
    )
    corners = [
        (GAP + top + row * (height + foot + GAP), left + GAP + column * (width + GAP))
        for row in range(down)
        for column in range(columns)
    ][:n]
    for (y, x), tile in zip(corners, _levels(images), strict=True):
        tile = tile.repeat(scale, axis=0).repeat(scale, axis=1)
        picture[y : y + height, x : x + width] = tile
    texts = [(0, x, lines) for (_, x), lines in zip(corners, heads, strict=False)]
    texts += [
        (y + height, x, lines) for (y, x), lines in zip(corners, below, strict=False)
    ]
    picture = _written(picture, texts, width)
    beside = [
        (y + max(0, (height - line * len(lines)) // 2), GAP, lines)
        for (y, _), lines in zip(corners[::columns], heading, strict=False)
    ]
    return add_caption(_written(picture, beside, 0), caption)


def add_caption(picture: np.ndarray, caption: str | None) -> np.ndarray:
    """A uint8 picture `[height, width, 1 or 3]` with a line of text below."""
    if not caption:
        return picture
    narrow = max(0, ENOUGH - picture.shape[1])
    picture = np.pad(picture, ((0, 0), (0, narrow), (0, 0)), "edge")
    width, channels = picture.shape[1:]
    lines = _wrapped(caption, width - 2 * GAP, 2 * LINES)
    line = round(1.3 * FONT)
    shape = (line * len(lines) + GAP, width, channels)
    paper = np.full(shape, PAPER, "uint8")
    paper = _written(paper, [(0, GAP, lines)], 0)
    return np.concatenate([picture, paper])


def full_rows(n: int) -> int:
    """The columns of a grid of n, nearly square with the fewest places free."""
    root = math.ceil(math.sqrt(n))
    return min(range(root, 2 * root + 2), key=lambda columns: (-n % columns, columns))


def _one_picture_each(images):
    """Images of 1 to 4 channels; the channels of others beside each other."""
    images = np.asarray(images, dtype="float32")
    if images.ndim != 4 or images.size == 0:
        raise ValueError(
            "A grid needs images [n, height, width, channels]. Received: shape "
            f"{images.shape}."
        )
    n, height, width, channels = images.shape
    if channels in MODES:
        return images
    images = images.transpose(0, 1, 3, 2)
    return images.reshape(n, height, channels * width, 1)


def _levels(values):
    """Values in [-1, 1] as 8-bit levels."""
    return np.rint((np.clip(values, -1, 1) + 1) * 127.5).astype("uint8")


def _name_lines(names, n, columns, width):
    """Lines above each column, and lines below each tile: one is empty."""
    if names is None:
        return [], []
    if len(names) != n:
        raise ValueError(
            f"Each image of a grid has one name. Received: {len(names)} names of "
            f"{n} images."
        )
    wrapped = functools.cache(lambda name: _wrapped(name, width, LINES))
    lines = [wrapped(str(name)) for name in names]
    if all(names[i] == names[i % columns] for i in range(n)):
        return lines[:columns], []
    return [], lines


def _row_lines(names, rows):
    """Lines left of each row."""
    if names is None:
        return []
    if len(names) != rows:
        raise ValueError(
            f"Each row of a grid has one name. Received: {len(names)} names of {rows} "
            "rows."
        )
    return [_wrapped(str(name), NAMED, LINES) for name in names]


@functools.cache
def _font(size):
    """The font of all pictures, and the letters that it has."""
    from matplotlib import get_data_path
    from matplotlib.ft2font import FT2Font

    # Pillow's own font has no letters but English ones.
    path = f"{get_data_path()}/fonts/ttf/DejaVuSans.ttf"
    return ImageFont.truetype(path, size), frozenset(FT2Font(path).get_charmap())


def drawable(text: str, most: int = 300) -> str:
    """One line of at most so many letters, those that the font can draw."""
    known = _font(FONT)[1]
    text = text if len(text) <= most else f"{text[: most - 1]}…"
    letters = (c if ord(c) in known else " " for c in text)
    return " ".join("".join(letters).split())


def _length(text):
    """The pixels that a line of text takes."""
    return math.ceil(_font(FONT)[0].getlength(text))


def _wrapped(text, width, most):
    """Lines of text that fit into a width, `most` of them."""
    font, _ = _font(FONT)
    lines, rest = [], drawable(text)
    while rest and len(lines) <= most:
        count = min(len(rest), max(1, width // 2))
        while count > 1 and font.getlength(rest[:count]) > width:
            count -= 1
        if count < len(rest):  # break at the end of a word, if there is one
            ends = re.finditer(r"(?<=[-_/ ])|(?= )", rest[: count + 1])
            count = max([m.start() for m in ends if 0 < m.start() <= count] or [count])
        lines.append(rest[:count].rstrip())
        rest = rest[count:].lstrip()
    if len(lines) > most:
        lines = lines[:most]
        while lines[-1] and font.getlength(lines[-1] + "…") > width:
            lines[-1] = lines[-1][:-1]
        lines[-1] += "…"
    return lines


def _written(picture, texts, width):
    """A picture with lines of text, each in the middle of a width.

    Args:
        picture: uint8 array `[height, width, 1 or 3]`.
        texts: list of (top, left, lines).
        width: int, of each text.
    """
    grey = picture.shape[-1] == 1
    paper = Image.fromarray(picture[..., 0] if grey else picture)
    draw, (font, _) = ImageDraw.Draw(paper), _font(FONT)
    ink = INK if grey else (INK,) * 3
    for top, left, lines in texts:
        for i, line in enumerate(lines):
            x = left + max(0, (width - font.getlength(line)) // 2)
            draw.text((x, top + round(1.3 * FONT) * i), line, ink, font)
    return np.array(paper).reshape(picture.shape)


def side_by_side(*batches) -> tuple[np.ndarray, int]:
    """Batches of any channels as tiles for a grid, a row for each place.

    Where they differ in channels, transparency is laid on white and grey
    becomes RGB if another batch has colours. Images of more than 4 channels
    are a grey tile for each channel. Images a whole number of times smaller than
    the largest are enlarged, pixel by pixel.

    Args:
        *batches: float arrays `[n, height, width, channels]` in [-1, 1], that
            differ in channels and scale alone; 2 channels are grey and alpha.

    Returns:
        `(tiles, columns)`: a float32 array `[n * columns, height, width,
        channels]` for `make_grid(tiles, columns)`, and how many tiles are a
        row.

    Raises:
        ValueError: the batches differ in more than channels and scale.

    Example:

    ```python
    grey, colour = np.zeros((5, 8, 8, 1)), np.zeros((5, 8, 8, 3))
    pictures = keras_gans.modalities.pictures
    tiles, columns = pictures.side_by_side(grey, colour)
    pictures.make_grid(tiles, columns).shape  # (40, 16, 3)
    ```
    """
    batches = [np.asarray(batch, dtype="float32") for batch in batches]
    if all(b.ndim == 4 and 0 not in b.shape for b in batches):
        side = max(b.shape[1] for b in batches)
        batches = [b.repeat(side // b.shape[1], 1) for b in batches]
        side = max(b.shape[2] for b in batches)
        batches = [b.repeat(side // b.shape[2], 2) for b in batches]
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
    return [on_white(batch)]


def on_white(images: np.ndarray) -> np.ndarray:
    """Images in [-1, 1] of 1 to 4 channels without transparency: of 1 or 3."""
    if images.shape[-1] in (1, 3):
        return images
    colour, alpha = images[..., :-1], images[..., -1:]
    # White is 1, so only the distance to it is weighted.
    return 1 + (colour - 1) * (alpha + 1) / 2


def enlarged(images: np.ndarray, side: int = ENOUGH) -> np.ndarray:
    """Images `[n, height, width, channels]`, small ones by a whole factor.

    Each pixel becomes a square, so that the shorter side has `side` pixels or
    more, but no side more than 4096.
    """
    height, width = images.shape[1:3]
    factor = min(math.ceil(side / min(height, width)), MOST // max(height, width))
    return images if factor < 2 else images.repeat(factor, 1).repeat(factor, 2)


def save_grid(
    path: Path,
    images: np.ndarray,
    columns: int | None = None,
    overwrite: bool = False,
    names: Sequence[str] | None = None,
    caption: str | None = None,
) -> None:
    """Writes what `draw_grid` draws as a PNG.

    Args:
        path: str or path, ending in ".png".
        images: see `make_grid`.
        columns: see `draw_grid`.
        overwrite: bool, whether to replace what stands there.
        names: see `draw_grid`.
        caption: see `draw_grid`.

    Raises:
        ValueError: `path` exists or does not end in ".png".
    """
    path = files.check_free(path, overwrite)
    if path.suffix.lower() != ".png":
        raise ValueError(f"Grids are PNG files. Received: {path}.")
    _write(path, draw_grid(images, columns, names, caption))


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
    return _encode_animation(frames, format="GIF", duration=gif_duration(rate))


def encode_webp(frames: Iterable[np.ndarray], rate: float = 10) -> bytes:
    """The bytes of a lossless WebP that plays for ever, as `encode_gif`."""
    duration = max(1, round(1000 / rate))
    return _encode_animation(frames, format="WEBP", duration=duration, lossless=True)


def _encode_animation(frames, **options):
    first, *others = (
        Image.fromarray(f[..., 0] if f.shape[-1] == 1 else f) for f in frames
    )
    stream = io.BytesIO()
    first.save(stream, save_all=True, append_images=others, loop=0, **options)
    return stream.getvalue()


def gif_duration(rate: float) -> int:
    """How long GIF shows a frame, in ms: a multiple of 10, at least 20."""
    return max(20, 10 * round(100 / rate))


def draw_table(rows: list[list[str]], size: int = 14) -> np.ndarray:
    """Draws rows of cells of text, as uint8 `[height, width, 1]`.

    The first 64 rows are drawn, of each cell the first 100 letters.
    """
    font, _ = _font(size)
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
