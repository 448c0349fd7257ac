"""Rows of CSV files, the same for tables, captions and lines of text."""

from collections.abc import Iterable, Iterator
import csv
import itertools
import re

MARKS = ",;\t"


def read_rows(
    lines: Iterable[str], marks: str = MARKS
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    r"""The head of a CSV file, and its rows with the lines that they begin in.

    Args:
        lines: the lines of the file, with their ends.
        marks: characters of which the head's most frequent one parts cells.

    Returns:
        `(head, rows)`: a list of str, empty of an empty file, and an iterator of
        pairs of an int and a list of as many str. Empty lines are left out.

    Raises:
        ValueError: naming the line.

    Example:

    ```python
    from keras_gans.modalities.csv_rows import read_rows

    head, rows = read_rows(["name;size\n", "heart;3\n"])
    head, list(rows)  # (["name", "size"], [(2, ["heart", "3"])])
    ```
    """
    lines = iter(lines)
    first = next(lines, "")
    if "\0" in first:
        raise ValueError("its head holds zero bytes. Save it as CSV in UTF-8.")
    mark = max(marks, key=re.sub('"[^"]*"', "", first).count)
    lines = itertools.chain([first] * bool(first), lines)
    rows = _parsed(csv.reader(lines, delimiter=mark, strict=True))
    _, head = next(rows, (1, []))
    return [name.strip() for name in head], _checked(rows, len(head), mark)


def _parsed(reader):
    start = 1
    try:
        for row in reader:
            yield start, row
            start = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(
            f"the row that begins in line {start} cannot be parsed ({error}). Close "
            "what is quoted, and double quotation marks within."
        ) from error


def _checked(rows, width, mark):
    for start, row in rows:
        if row and len(row) != width:
            raise ValueError(
                f"line {start} has {len(row)} cells, and the head {width}. Quote "
                f"cells that hold {mark!r}."
            )
        if row:
            yield start, row
