"""Pictures with captions, as vectors: one of each picture's captions an epoch."""

from collections import Counter
from collections.abc import Callable, Sequence
import functools
import io
import json
import os
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans.data.broken import Usable
from keras_gans.data.checks import (
    CONVERTIBLE,
    check_channels,
    check_choice,
    check_image_size,
    check_length,
    check_options,
    own_size,
)
from keras_gans.data.decoding import Listing
from keras_gans.data.digests import digests
from keras_gans.data.embedded import emoji
from keras_gans.data.keeping import keeping
from keras_gans.data.pipeline import batches_of_source, example_seeds, seed_key
from keras_gans.data.sentence_cache import encoded
from keras_gans.data.sources import Source, array_source, find_source, kind
from keras_gans.data.summary import Report, describe
from keras_gans.data.transforms import convert, view
from keras_gans.modalities.csv_rows import MARKS, read_rows
from keras_gans.modalities.untrusted import MAX_BYTES, check_bytes
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.types import Path, Size

FILES = tuple(
    f"{name}.{ending}"
    for name in ("captions", "metadata")
    for ending in ("csv", "tsv", "jsonl")
)
FILE_COLUMNS = ("file_name", "file", "filename", "image", "picture")
TEXT_COLUMNS = ("caption", "captions", "text", "texts")
MOST_NAMED = 5
MOST_CAPTIONS = 2**22  # of a file
SHOWN = 3  # captions of a report


class Captioned(NamedTuple):
    """Pictures and their captions.

    Attributes:
        source: `Source` of the pictures.
        captions: list of list of str, those of each picture.
        files: list of `Usable`, of the files that hold captions.
    """

    source: Source
    captions: Sequence[Sequence[str]]
    files: Sequence[Usable] = ()


@refuses_unknown
def load_captions(
    source: Any,
    encode: Callable,
    *,
    image_size: Size | None = None,
    channels: int = 3,
    batch_size: int = 64,
    captions: Path | None = None,
    key: str | None = None,
    text_cache: Path | None = None,
    resize: str = "crop",
    interpolation: str = "bilinear",
    flip: bool = False,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of batches `(images, vectors)`.

    Captions are encoded once, before the first batch. Of a picture with several,
    each epoch draws one. Order, crops and draws are functions of the seed, the epoch
    and the example's index, as of `load`.

    Args:
        source: one of

            - "emoji", "emoji:flat" or "emoji:line", whose captions are their names
              and search words;
            - the path of a folder of pictures, or of a zip archive of them, with
              `captions.csv` (parted by commas, semicolons or tabs), `captions.tsv`,
              `captions.jsonl`, or such a file named `metadata`, in it: each row has
              the columns, or keys, `file_name` (or `file`, `filename`, `image`,
              `picture`), the path of a picture below the folder, and `caption` (or
              `captions`, `text`, `texts`). A picture may have
              several rows, a row of JSON also a list of captions. Without such a
              file, `heart.txt` beside `heart.png` has a caption in each line;
            - a tuple `(array, captions)`: pictures as of `load`, and a list of a str
              or a list of str for each.
        encode: function from a list of str to vectors `[n, dim]`.
        image_size: see `load`.
        channels: see `load`.
        batch_size: see `load`.
        captions: the path of a CSV, TSV or JSONL file that lies elsewhere.
        key: str, what the vectors depend on beside the sentence: with it they are
            kept on disk.
        text_cache: the directory for them; by default `keras_gans/text` in the
            user's cache.
        resize: see `load`.
        interpolation: see `load`.
        flip: see `load`. Captions that say left or right are not changed.
        shuffle: see `load`.
        seed: see `load`.
        drop_remainder: see `load`.
        repeat: see `load`.
        start: see `load`.
        on_error: see `load`.

    Returns:
        A dataset of float32 `[batch_size, height, width, channels]` and float32
        `[batch_size, dim]`.

    Raises:
        ValueError: an argument is unusable; a picture has no caption, a caption no
            picture, or one is empty: the message names the file and the row.

    Example:

    ```python
    from keras_gans.data import load_captions
    from keras_gans.modalities.text_encoders import words_encoder

    dataset = load_captions("emoji", words_encoder, image_size=16, batch_size=8)
    images, vectors = next(iter(dataset))
    print(images.shape, vectors.shape)  # (8, 16, 16, 3) (8, 256)
    ```
    """
    batching = check_options(
        batch_size, drop_remainder, repeat, start, seed, on_error, resize, interpolation
    )
    check_choice("channels", channels, CONVERTIBLE)
    image_size = check_image_size(image_size)
    captioned = find_captions(source, channels, captions, on_error)
    pictures = captioned.source
    size = image_size or own_size(pictures)
    check_channels("channels", channels, pictures.shape[2], pictures.name)
    check_length(pictures.name, pictures.size, batching)
    key_of_draws = seed_key(seed)
    vectors, first, count = _vectors(captioned, encode, key, text_cache)
    read = pictures.read
    if pictures.files and resize != "random_crop":
        read = keeping(pictures, channels, size, resize, interpolation)

    def prepare(epoch, example):
        index, item = example
        image, _ = read(item)
        *seeds, own = tf.unstack(example_seeds(key_of_draws, epoch, index, 3))
        image = view(
            convert(image, channels),
            size,
            tf.stack(seeds),
            resize=resize,
            interpolation=interpolation,
            flip=flip,
            margin=(0, 0),
        )
        most = tf.gather(count, index)
        # Of up to 2^31 numbers, whose remainder is as good as even.
        drawn = tf.random.stateless_uniform([], own, 0, 2**31 - 1, "int32")
        return image, tf.gather(vectors, tf.gather(first, index) + drawn % most)

    return batches_of_source(pictures, prepare, batching, key_of_draws, shuffle)


def _vectors(captioned, encode, key, text_cache):
    """All vectors, where those of each picture begin, and how many it has."""
    flat = [text for texts in captioned.captions for text in texts]
    distinct = {text: i for i, text in enumerate(dict.fromkeys(flat))}
    vectors = np.asarray(encoded(list(distinct), encode, key, text_cache), "float32")
    if vectors.ndim != 2 or len(vectors) != len(distinct):
        raise ValueError(
            "The encoder makes a vector of each sentence. Received: shape "
            f"{vectors.shape} of {len(distinct)} sentences."
        )
    if not np.isfinite(vectors).all():
        wrong = np.flatnonzero(~np.isfinite(vectors).all(axis=1))[0]
        raise ValueError(
            "The vectors of captions are finite. Received: NaN or infinite values "
            f"of {list(distinct)[wrong]!r}. Mend the encoder."
        )
    count = np.array([len(texts) for texts in captioned.captions], "int32")
    first = np.cumsum(count) - count
    with tf.device("CPU"):
        rows = tf.constant(vectors[[distinct[text] for text in flat]])
        return rows, tf.constant(first.astype("int32")), tf.constant(count)


def find_captions(
    source: Any,
    channels: int | None,
    captions: Path | None = None,
    on_error: str = "raise",
) -> Captioned:
    """Returns the `Captioned` that the argument of `load_captions` means.

    Raises:
        ValueError: there are no pictures, or captions and pictures do not fit.
    """
    if isinstance(source, tuple) and len(source) == 2:
        images, texts = source
        pictures = array_source("array", images, None)
        return Captioned(pictures, _of_arrays(texts, pictures.size))
    known = isinstance(source, (str, os.PathLike))
    if not known or str(source).startswith("tfds:"):
        raise ValueError(
            'Pictures with captions are "emoji", the path of a folder or zip archive '
            "with captions.csv (or a tuple of an array and a list of captions). "
            f"Received: {kind(source)}."
        )
    pictures = find_source(
        source,
        channels=channels,
        labels=False,
        split="train",
        data_dir=None,
        on_error=on_error,
    )
    if not pictures.files:
        if captions is not None:
            raise ValueError(
                "The embedded emoji have captions of their own. Received: captions="
                f"{str(captions)!r} with {source!r}. Drop it."
            )
        return Captioned(
            pictures, emoji_captions(str(source).partition(":")[2] or "3d")
        )
    return _of_folder(pictures, captions)


def emoji_captions(style: str = "3d") -> list[list[str]]:
    """The captions of each embedded emoji: its name, and that with search words."""
    embedded = emoji(style)
    texts = []
    for name, tags in zip(embedded.names, embedded.tags, strict=True):
        words = ", ".join(tag for tag in tags if tag.casefold() != name.casefold())
        texts.append([name, f"{name}, {words}"] if words else [name])
    return texts


def _of_arrays(texts, size):
    if isinstance(texts, (str, bytes)) or not hasattr(texts, "__len__"):
        raise ValueError(
            "Captions are a list: a str, or a list of str, for each picture. Received: "
            f"a {type(texts).__name__}. Make a list of it."
        )
    texts = list(texts)
    if len(texts) != size:
        raise ValueError(
            "Each picture has a caption, or a list of them. Received: "
            f"{len(texts)} captions for {size} pictures."
        )
    rows = [
        list(text) if isinstance(text, (list, tuple, np.ndarray)) else [text]
        for text in texts
    ]
    for i, row in enumerate(rows):
        if not row or not all(isinstance(t, str) and t.strip() for t in row):
            raise ValueError(
                f"Captions are sentences, not empty. Received: {texts[i]!r} of "
                f"picture {i + 1} of {size}. Leave the picture out, or write what it "
                "shows."
            )
    return rows


# --- Files ---


def _of_folder(pictures, captions):
    (usable,) = pictures.files
    listing = usable.listing
    place = listing.place
    if captions is not None:
        path = os.fspath(captions)
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
            check_bytes(len(data))
        except ValueError as error:
            raise ValueError(f"Cannot read {path!r}: {error} Cut it.") from error
        except OSError as error:
            raise ValueError(
                f"`captions` is a CSV, TSV or JSONL file. Received: {path!r} "
                f"({error.strerror}). Name one."
            ) from error
        rows = _rows(path, data)
        return Captioned(pictures, _matched(path, rows, usable))
    named = [name for name in FILES if name in set(place.walk())]
    if named:
        path = place.path_of(named[0])
        rows = _rows(path, place.read(named[0]))
        files = [_files_of(place, named[:1])]
        return Captioned(pictures, _matched(path, rows, usable), files)
    return _beside(pictures, usable)


def _files_of(place, names):
    listing = Listing(place, list(names), None, None, Counter())
    return Usable(listing, [None] * len(names), len(names), {})


def _beside(pictures, usable):
    """Captions of text files beside pictures, a line each."""
    place, names = usable.listing.place, usable.listing.names
    there = {name for name in place.walk() if name.endswith(".txt")}
    own = [os.path.splitext(name)[0] + ".txt" for name in names]
    if not there:
        raise ValueError(
            f"{place.path!r} holds no captions. Received: {len(names)} pictures. Put "
            "captions.csv beside them, with the columns file_name and caption, or a "
            "text file beside each: heart.txt to heart.png."
        )
    texts, empty = [], []
    missing = [n for n, text in zip(names, own, strict=True) if text not in there]
    _refuse_missing(place.path, missing, len(names))
    for name in own:
        path = place.path_of(name)
        lines = [s.strip() for s in _decoded(path, place.read(name)).splitlines()]
        texts.append([line for line in lines if line])
        if not texts[-1]:
            empty.append(path)
    if empty:
        raise ValueError(
            f"{len(empty)} files of captions are empty: {_named(empty)}. Write what "
            "their pictures show, or leave both out."
        )
    broken = {os.path.splitext(path)[0] + ".txt" for path in usable.broken}
    extra = sorted(there - set(own))
    extra = [n for n in extra if place.path_of(n) not in broken]
    if extra:
        raise ValueError(
            f"{len(extra)} captions of {place.path!r} have no picture: "
            f"{_named(extra)}. Remove them, or bring their pictures."
        )
    return Captioned(pictures, texts, [_files_of(place, own)])


def _decoded(path, data):
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is a text of UTF-8. Received: other bytes at {error.start}. Save "
            "it as UTF-8."
        ) from None


def _rows(path, data):
    """`(row, file, [captions])` of a file of captions."""
    text = _decoded(path, data)
    ending = os.path.splitext(path)[1].lower()
    if ending not in ENDINGS:
        raise ValueError(
            f"A file of captions ends in {', '.join(ENDINGS)}. Received: {path!r}."
        )
    parse, rows = ENDINGS[ending], []
    for row, file, texts in parse(path, text):
        for one in texts:
            if not isinstance(one, str) or not one.strip():
                raise ValueError(
                    f"{path}, row {row}: a caption is a sentence, not empty. "
                    f"Received: {one!r} for {file!r}. Leave the row out, or write what "
                    "its picture shows."
                )
        if not texts:
            raise ValueError(
                f"{path}, row {row}: a picture has a caption. Received: none for "
                f"{file!r}. Leave the row out, or write what it shows."
            )
        rows.append((row, file, texts))
        if len(rows) > MOST_CAPTIONS:
            raise ValueError(f"{path} has more than {MOST_CAPTIONS} rows.")
    if not rows:
        raise ValueError(f"{path} holds no captions. Received: a file without rows.")
    return rows


def _csv_rows(path, text, marks=MARKS):
    try:
        head, rows = read_rows(io.StringIO(text, newline=""), marks)
        if not any(head):
            return
        head = [name.lower() for name in head]
        file = _column(head, FILE_COLUMNS)
        said = _column(head, TEXT_COLUMNS)
        for row, cells in rows:
            if any(cells):
                yield row, cells[file].strip(), [cells[said].strip()]
    except ValueError as error:
        raise ValueError(f"Cannot read {path}: {error}") from error


def _column(head, names):
    for name in names:
        if name in head:
            return head.index(name)
    raise ValueError(
        f"its first row names a column {names[0]!r}, or one of "
        f"{', '.join(map(repr, names[1:]))}. Received: {', '.join(map(repr, head))}."
    )


def _json_rows(path, text):
    # Not `splitlines`: a sentence may hold U+2028 and the like.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{path}, row {number}: it is no JSON ({error})."
            ) from None
        if not isinstance(row, dict):
            raise ValueError(
                f"{path}, row {number}: a row is a JSON object. Received: "
                f"{type(row).__name__}."
            )
        file = next((row[n] for n in FILE_COLUMNS if n in row), None)
        said = next((row[n] for n in TEXT_COLUMNS if n in row), None)
        if not isinstance(file, str) or said is None:
            raise ValueError(
                f"{path}, row {number}: a row has 'file_name' and 'caption'. Received: "
                f"{', '.join(map(repr, row)) or 'nothing'}."
            )
        yield number, file, said if isinstance(said, list) else [said]


ENDINGS = {
    ".csv": _csv_rows,
    ".tsv": functools.partial(_csv_rows, marks="\t"),
    ".jsonl": _json_rows,
}


def _matched(path, rows, usable):
    """The captions of each picture, of rows that name files."""
    listing = usable.listing
    index = {_same(name): i for i, name in enumerate(listing.names)}
    broken = {_same(os.path.relpath(b, listing.place.path)) for b in usable.broken}
    texts = [[] for _ in listing.names]
    lost = []
    for row, file, said in rows:
        name = _same(file)
        if name in index:
            texts[index[name]] += said
        elif name not in broken:
            lost.append(f"row {row}, {file!r}")
    if lost:
        shown = "; ".join(lost[:MOST_NAMED]) + "; ..." * (len(lost) > MOST_NAMED)
        raise ValueError(
            f"{len(lost)} captions of {path} have no picture in "
            f"{listing.place.path!r}: {shown}. Paths are those below the folder. "
            "Remove the rows, or bring the pictures."
        )
    pairs = zip(listing.names, texts, strict=True)
    missing = [name for name, said in pairs if not said]
    _refuse_missing(path, missing, len(texts))
    return texts


def _same(name):
    return os.path.normpath(name.replace("\\", "/"))


def _refuse_missing(path, missing, count):
    if missing:
        raise ValueError(
            f"{len(missing)} of {count} pictures have no caption in {path!r}: "
            f"{_named(missing)}. Write one for each, or move them away."
        )


def _named(names):
    shown = ", ".join(map(repr, names[:MOST_NAMED]))
    return shown + ", ..." * (len(names) > MOST_NAMED)


# --- What a training reads ---


@refuses_unknown
def describe_captions(
    source: Any,
    image_size: tuple[int, int],
    channels: int,
    captions: Path | None = None,
    on_error: str = "raise",
) -> Report:
    """What a training reads from pictures with captions.

    Args:
        source: see `load_captions`.
        image_size: `(height, width)` that the pictures are brought to.
        channels: int.
        captions: see `load_captions`.
        on_error: see `load_captions`.

    Returns:
        `Report`.

    Raises:
        ValueError: as of `load_captions`.

    Example:

    ```python
    import pathlib

    import numpy as np

    from keras_gans.data import describe_captions
    from keras_gans.modalities.pictures import save_image

    save_image("captioned/heart.png", np.zeros((8, 8, 3)), overwrite=True)
    pathlib.Path("captioned/heart.txt").write_text("a red heart")
    print(describe_captions("captioned", (8, 8), 3))
    ```
    """
    captioned = find_captions(source, channels, captions, on_error)
    report = describe(source, "images", image_size, channels, on_error=on_error)
    counts = [len(texts) for texts in captioned.captions]
    least, most = min(counts), max(counts)
    some = str(least) if least == most else f"{least} to {most}"
    first = "; ".join(repr(texts[0]) for texts in captioned.captions[:SHOWN])
    rows = [row for row in report.rows if row[0] not in ("classes", "weights")]
    rows.append(("captions", f"{sum(counts)}, {some} a picture: {first}"))
    if not report.files:
        return report._replace(rows=rows)
    files = [*captioned.source.files, *captioned.files]
    return report._replace(rows=rows, files=files, digests=digests(files))
