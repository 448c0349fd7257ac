"""Lines of text: read, numbered by a vocabulary, and batched."""

from collections import Counter
import importlib.util
import io
import json
import os
import pathlib
from typing import Any, NamedTuple
import unicodedata
import warnings

import numpy as np
import tensorflow as tf

from keras_gans.data.broken import Usable
from keras_gans.data.checks import check_length, check_on_error, check_options
from keras_gans.data.decoding import Listing
from keras_gans.data.digests import digests
from keras_gans.data.pipeline import batches_of_indices, seed_key
from keras_gans.data.places import Folder
from keras_gans.data.sources import kind
from keras_gans.data.summary import Report
from keras_gans.modalities import Tokens
from keras_gans.modalities.csv_rows import MARKS, read_rows
from keras_gans.modalities.subwords import read_tokenizer, subwords
from keras_gans.modalities.untrusted import MAX_LINE, MAX_TEXT, check_bytes
from keras_gans.utils.errors import outside
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.suggestions import hint
from keras_gans.utils.validation import check_size

SURNAMES = "surnames"
EMBEDDED = (SURNAMES,)
LONGEST_SURNAME = 12
TABLES = (".csv", ".tsv", ".jsonl")
EXTENSIONS = (".txt", *TABLES)
ALLOWED = (
    '"surnames" (of the package names), or the path of a .txt file of a sample a '
    "line, or of a .csv, .tsv or .jsonl file with `column`"
)
LEAST = 5  # tokens that a sentence is filled up to, unless told otherwise
MOST_LENGTH = 512  # tokens of a sentence, unless told otherwise
MOST_TOKENS = 20000
MOST_NAMED = 5

_kept = {}  # of this process: the lines of the source that was read last


class Lines(NamedTuple):
    """The samples of a source.

    Attributes:
        name: str, how messages call it.
        texts: list of str, without ends of lines.
        numbers: list of int, the line of each in its file, from 1.
        place: pathlib.Path of the file, or `None`.
    """

    name: str
    texts: list[str]
    numbers: list[int]
    place: pathlib.Path | None = None


class Encoded(NamedTuple):
    """Samples as numbers of tokens.

    Attributes:
        ids: int32 `[n, length]`.
        broken: dict of int, the line of what cannot be used, to why.
        unknown: int, how many tokens were not in the vocabulary and are its
            unknown one.
    """

    ids: np.ndarray
    broken: dict[int, str]
    unknown: int


@refuses_unknown
def load_lines(
    source: Any,
    tokens: Tokens,
    *,
    column: str | None = None,
    batch_size: int = 64,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    r"""Returns a `tf.data.Dataset` of batches of sentences, int32 `[n, length]`.

    Lines that hold nothing are left out, and white space is one space. Order is a
    function of the seed and the epoch, as of `load`.

    Args:
        source: "surnames", 88,549 of a census, from the package names; the path of
            a .txt file of a sample a line, in UTF-8; or of a .csv file, with commas,
            semicolons or tabs, a .tsv or a .jsonl file.
        tokens: `Tokens` of the sentences, such as `tokens_of` makes. A word that is
            not in its vocabulary is an error, or "<unk>" where that is in it (of
            letters "\ufffd").
        column: str, the column of a table, or the key of each line of a .jsonl
            file, that holds the text.
        batch_size: int.
        shuffle: bool, whether each epoch has an order of its own.
        seed: a non-negative integer.
        drop_remainder: bool, whether to leave out the last batch of an epoch if it
            is short.
        repeat: bool, whether the dataset is endless.
        start: int, batches already consumed. With `repeat=False`, whole epochs.
        on_error: "raise", or "skip" to leave out lines that are too long or hold
            unknown tokens.

    Returns:
        A dataset of int32 `[batch_size, length]`.

    Raises:
        ValueError: an argument is unusable, there are no lines, or some cannot be
            used: they are named by their numbers.
        ImportError: the extra "surnames" is not installed, of "surnames".

    Example:

    ```python
    import pathlib

    import keras_gans
    from keras_gans.data import load_lines, tokens_of

    pathlib.Path("lines.txt").write_text("a red heart\na blue star\n")
    tokens = tokens_of("lines.txt")
    for batch in load_lines("lines.txt", tokens, batch_size=2, shuffle=False):
        tokens.sentences(batch)  # ["a red heart", "a blue star"]
    ```
    """
    batching = check_options(batch_size, drop_remainder, repeat, start, seed, on_error)
    lines = read_lines(source, column)
    encoded = encode(lines, tokens, on_error)
    if encoded.broken:
        warnings.warn(
            f"Left out {len(encoded.broken)} of {len(lines.texts)} lines of "
            f"{lines.name}: {_listed(encoded.broken)}.",
            stacklevel=outside(),
        )
    size = len(encoded.ids)
    check_length(f"source {lines.name}", size, batching, "lines")
    key, ids = seed_key(seed), tf.constant(encoded.ids)

    def prepare(epoch, index):
        return tf.gather(ids, index)

    return batches_of_indices(size, prepare, batching, key, shuffle)


@refuses_unknown
def tokens_of(
    source: Any,
    separator: str = " ",
    *,
    length: int | None = None,
    vocabulary: tuple[str, ...] | None = None,
    most_tokens: int | None = None,
    column: str | None = None,
    tokenizer_file: str | os.PathLike | None = None,
) -> Tokens:
    r"""The `Tokens` that the lines of a source are made of.

    Args:
        source: see `load_lines`.
        separator: str between tokens: " ", or "" for letters.
        length: int, tokens a sentence; the longest line's by default, at least 5.
        vocabulary: tuple of str, of which the first fills shorter sentences; all
            tokens of the source by default, sorted.
        most_tokens: int, how many of the most frequent tokens to take; others are
            then one unknown token.
        column: see `load_lines`.
        tokenizer_file: path of a tokenizer.json of the package tokenizers, which
            splits lines in the place of `separator`. Its tokens that the source
            has are the vocabulary.

    Returns:
        `Tokens`.

    Raises:
        ValueError: as of `load_lines` and `read_tokenizer`; or there are more than
            20,000 tokens, or a line of more than 512, and nothing is said of it.
        ImportError: the extra "tokenizers" is not installed, of `tokenizer_file`.

    Example:

    ```python
    import pathlib

    from keras_gans.data import tokens_of

    pathlib.Path("lines.txt").write_text("a red heart\na blue star\n")
    tokens_of("lines.txt", "").vocabulary[:4]  # ("", " ", "a", "b")
    ```
    """
    lines = read_lines(source, column)
    if tokenizer_file is None:
        splits = {"separator": separator}
        splitter = Tokens(1, 2, **splits)
    else:
        text = read_tokenizer(tokenizer_file)
        splits = {"separator": separator, "tokenizer": text}
        splitter = Tokens(1, ("", subwords(text).unknown), **splits)
    counts: Counter = Counter()
    longest, number = 0, 1
    for text, at in zip(lines.texts, lines.numbers, strict=True):
        try:
            parts = splitter.split(text)
        except ValueError as error:
            raise ValueError(f"Line {at} of {lines.name}: {error}") from error
        counts.update(parts)
        if len(parts) > longest:
            longest, number = len(parts), at
    if length is None:
        if longest > MOST_LENGTH:
            raise ValueError(
                f"Line {number} of {lines.name} has {longest} tokens, more than "
                f"{MOST_LENGTH}. Give `length`, and leave longer lines out with "
                '`on_error="skip"` (--skip_broken); or cut them.'
            )
        length = max(longest, LEAST)
    if vocabulary is None:
        vocabulary = _vocabulary(counts, splitter.unknown, most_tokens, lines.name)
    return Tokens(check_size("length", length), tuple(vocabulary), **splits)


def _vocabulary(counts, unknown, most, name):
    if most is not None:
        check_size("most_tokens", most)
        ranked = sorted(counts, key=lambda token: (-counts[token], token))
        if len(ranked) > most:
            return ["", unknown, *sorted(set(ranked[:most]) - {unknown})]
    if len(counts) > MOST_TOKENS:
        raise ValueError(
            f"{name} has {len(counts)} different tokens, more than {MOST_TOKENS}. "
            "Give `most_tokens=5000`, the most frequent ones; or take letters, "
            '`separator=""`.'
        )
    vocabulary = ["", *sorted(counts)]
    return vocabulary if len(vocabulary) > 1 else [*vocabulary, unknown]


def encode(lines: Lines, tokens: Tokens, on_error: str = "raise") -> Encoded:
    """Lines as numbers of tokens.

    Args:
        lines: `Lines`.
        tokens: `Tokens`.
        on_error: see `load_lines`.

    Raises:
        ValueError: lines cannot be used, or none can.
    """
    check_on_error(on_error)
    words = tokens.vocabulary
    words = words if isinstance(words, tuple) else tuple(map(str, range(words)))
    known = {word: i for i, word in enumerate(words) if word}
    other = known.get(tokens.unknown)
    rows, broken, unknown = [], {}, 0
    for text, number in zip(lines.texts, lines.numbers, strict=True):
        try:
            parts = tokens.split(text)
        except ValueError as error:
            broken[number] = str(error).rstrip(".")
            continue
        if not parts:
            broken[number] = "the tokenizer finds no tokens"
            continue
        if len(parts) > tokens.length:
            broken[number] = f"{len(parts)} tokens, more than length={tokens.length}"
            continue
        ids = [known.get(part, other) for part in parts]
        if None in ids:
            part = parts[ids.index(None)]
            near = hint(part, known) if not broken and len(known) < 10000 else ""
            broken[number] = f"{part[:80]!r} is not in the vocabulary{near}"
            continue
        if other is not None:
            unknown += ids.count(other)
        rows.append(ids + [0] * (tokens.length - len(ids)))
    if broken and (on_error == "raise" or not rows):
        raise ValueError(
            f"{len(broken)} of {len(lines.texts)} lines of {lines.name} cannot be "
            f"used: {_listed(broken)}. Use a greater length, a vocabulary that holds "
            "all tokens or an unknown one (`tokens_of`), or leave such lines out "
            'with `on_error="skip"` (--skip_broken).'
        )
    return Encoded(np.array(rows, "int32"), broken, unknown)


def _listed(broken):
    named = [f"line {n}: {why}" for n, why in list(broken.items())[:MOST_NAMED]]
    return "; ".join(named) + "; ..." * (len(broken) > MOST_NAMED)


# --- Sources ---


@refuses_unknown
def read_lines(source: Any, column: str | None = None) -> Lines:
    r"""The lines of a source, see `load_lines`.

    Args:
        source: see `load_lines`.
        column: see `load_lines`.

    Returns:
        `Lines`: their `texts`, and the `numbers` that they have in the file.

    Raises:
        ValueError: it cannot be read, or holds no lines; the message names the
            line that is at fault.
        ImportError: the extra "surnames" is not installed, of "surnames".

    Example:

    ```python
    import pathlib

    from keras_gans.data import read_lines

    pathlib.Path("lines.txt").write_text("a red heart\n\na blue star\n")
    read_lines("lines.txt").numbers  # [1, 3]
    ```
    """
    if isinstance(source, str) and source in EMBEDDED:
        if column is not None:
            raise ValueError(
                f'"{SURNAMES}" has no columns. Received: column={column!r}. Drop it.'
            )
        key = (source,)
        if key not in _kept:
            _keep(key, Lines(source, *_surnames()))
        return _kept[key]
    if not isinstance(source, (str, os.PathLike)):
        raise ValueError(
            f"Lines are loaded from {ALLOWED}. Received: {kind(source)}. Arrays of "
            "numbers of tokens are given to a GAN as they are."
        )
    path = pathlib.Path(source)
    extension = path.suffix.lower()
    if not path.is_file() or extension not in EXTENSIONS:
        what = "is no file" if not path.is_file() else "has another ending"
        raise ValueError(
            f"Lines are loaded from {ALLOWED}. Received: {os.fspath(path)!r}, which "
            f"{what}."
        )
    if extension in TABLES and column is None:
        raise ValueError(
            "Which column has the text? Pass its name as `column`. Received: "
            f"{os.fspath(path)!r} and no `column`."
        )
    if extension not in TABLES and column is not None:
        raise ValueError(
            "`column` names the text of a .csv, .tsv or .jsonl file, and of no other. "
            f"Received: column={column!r} for {os.fspath(path)!r}."
        )
    status = path.stat()
    key = (str(path.resolve()), status.st_size, status.st_mtime_ns, column)
    if key in _kept:
        return _kept[key]
    name = repr(os.fspath(path))
    try:
        check_bytes(status.st_size, MAX_TEXT)
        rows = _decoded(path.read_bytes())
        if extension == ".jsonl":
            rows = _of_json(rows, column)
        elif extension in TABLES:
            rows = _of_table(rows, column, "\t" if extension == ".tsv" else MARKS)
        texts, numbers = [], []
        for number, text in rows:
            text = " ".join(text.split())
            if any(unicodedata.category(c) in ("Cc", "Cs") for c in text):
                raise ValueError(f"line {number} holds control characters.")
            if text:
                texts.append(text)
                numbers.append(number)
        if not texts:
            raise ValueError("it holds no lines with text.")
    except ValueError as error:
        raise ValueError(f"Cannot read {name}: {error}") from error
    _keep(key, Lines(name, texts, numbers, path))
    return _kept[key]


def _keep(key, lines):
    _kept.clear()
    _kept[key] = lines


def _decoded(data):
    """Pairs of the number and the text of each line."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("it is in UTF-16. Save it in UTF-8.")
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n")
    for number, line in enumerate(data.replace(b"\r", b"\n").split(b"\n"), 1):
        if len(line) > MAX_LINE:
            raise ValueError(f"line {number} has more than {MAX_LINE} bytes.")
        try:
            yield number, line.decode()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"line {number} is not in UTF-8 (byte {error.object[error.start]:#x} "
                f"at place {error.start}). Save the file in UTF-8."
            ) from error


def _of_json(rows, column):
    for number, line in rows:
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number} is no JSON ({error}).") from error
        text = row.get(column) if isinstance(row, dict) else None
        if not isinstance(text, str):
            has = ", ".join(list(row)[:9]) if isinstance(row, dict) else "no keys"
            if isinstance(row, dict) and column in row:
                has = f"{json.dumps(text)[:80]} there"
            raise ValueError(
                f"line {number} has no text under column={column!r}; it has {has}."
            )
        yield number, text


def _of_table(rows, column, marks):
    head, rows = read_rows((f"{line}\n" for _, line in rows), marks)
    if (count := head.count(column)) != 1:
        raise ValueError(
            f"it has {f'{count} columns' if count else 'no column'} {column!r}; its "
            f"first line names {', '.join(head[:20])}."
            f"{'' if count else hint(column, head)}"
        )
    place = head.index(column)
    for number, row in rows:
        yield number, row[place]


def _surnames():
    # Found, not imported: its data alone is wanted.
    spec = importlib.util.find_spec("names")
    if spec is None:
        raise ImportError(
            "The surnames need the package 'names', which is not installed. Install "
            "it: `pip install 'keras_gans[surnames]'`."
        )
    path = pathlib.Path(spec.origin).parent / "dist.all.last"
    surnames = [
        line.split()[0].lower() for line in io.StringIO(path.read_text("ascii"))
    ]
    names = [name for name in surnames if len(name) <= LONGEST_SURNAME]
    return names, list(range(1, len(names) + 1))


# --- What is told ---


@refuses_unknown
def describe_lines(
    source: Any, tokens: Tokens, column: str | None = None, on_error: str = "raise"
) -> Report:
    r"""What a training reads from a source of lines.

    Args:
        source: see `load_lines`.
        tokens: see `load_lines`.
        column: see `load_lines`.
        on_error: see `load_lines`.

    Returns:
        `Report`.

    Raises:
        ValueError: as of `read_lines`; or lines cannot be used.
        ImportError: the extra "surnames" is not installed, of "surnames".

    Example:

    ```python
    import pathlib

    from keras_gans.data import describe_lines, tokens_of

    pathlib.Path("lines.txt").write_text("a red heart\na blue star\n")
    print(describe_lines("lines.txt", tokens_of("lines.txt")))
    ```
    """
    lines = read_lines(source, column)
    encoded = encode(lines, tokens, on_error)
    count, all_lines = len(encoded.ids), len(lines.texts)
    rows = [("data", str(source)), ("used", f"{count} of {all_lines} lines")]
    if encoded.broken:
        told = f"{len(encoded.broken)} lines: {_listed(encoded.broken)}"
        rows.append(("left out", told))
    filled = (encoded.ids != 0).sum(axis=1)
    size = tokens.shape[1]
    rows.append(("made", f"{tokens.length} tokens a line, of {size} different ones"))
    rows.append(("length", f"{filled.min()} to {filled.max()} tokens"))
    if encoded.unknown:
        share = encoded.unknown / max(1, int(filled.sum()))
        rows.append(("unknown", f"{encoded.unknown} tokens ({share:.1%})"))
    copies = all_lines - len(set(lines.texts))
    if copies:
        rows.append(("twice", f"{copies} lines are there already"))
    if lines.place is None:
        return Report(rows, {})
    place = Folder(str(lines.place.resolve().parent))
    listing = Listing(place, [lines.place.name], None, None, Counter())
    files = [Usable(listing, [], 1, {})]
    return Report(rows, {}, files, digests(files))
