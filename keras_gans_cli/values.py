"""The values of flags: from text, and to it."""

import argparse
import ast
import textwrap
from typing import Any

from keras_gans_cli import recipes


def value(text: str) -> Any:
    """A flag's text as a number, tuple, bool, None, or else a string."""
    known = {"true": True, "on": True, "false": False, "off": False, "none": None}
    if text.lower() in known:
        return known[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def word(text: str) -> str | None:
    """A flag's text as it is, or None: of arguments such as `block="1"`."""
    return None if text.lower() == "none" else text


def text(value: Any) -> str:
    """A value as one types it: "32,32,3" of a tuple."""
    if isinstance(value, (tuple, list)) and len(value) > 1:
        return ",".join(map(repr, value))
    return str(value)


def table(rows: list) -> str:
    """Pairs of texts as lines of two columns.

    Args:
        rows: list of (first, second); a second of several lines is indented.
    """
    width = max(len(first) for first, _ in rows) + 2
    return "\n".join(
        f"{first:{width}}" + second.replace("\n", "\n" + " " * width)
        for first, second in rows
    )


def indented(rows: list) -> str:
    """`table`, for a list within help."""
    return textwrap.indent(table(rows), "  ")


def size(text: str) -> int | tuple:
    """Pixels: an int, or a tuple (height, width)."""
    pixels = value(text)
    sides = pixels if isinstance(pixels, tuple) else (pixels,)
    if len(sides) > 2 or not all(isinstance(side, int) for side in sides):
        raise argparse.ArgumentTypeError(
            f"a size is 96, or 96,128 for height and width, not {text!r}"
        )
    return pixels


def is_set(text: str) -> bool:
    """Whether a text names a data set, and no folder: emoji, emoji:flat, tfds:x."""
    return text.partition(":")[0] in ("emoji", "tfds")


def setting(text: str) -> tuple[str, Any]:
    """The name and value of `--set NAME=VALUE`."""
    name, equals, literal = text.partition("=")
    if not equals or not name.isidentifier():
        raise ValueError(f"--set takes NAME=VALUE. Received: --set={text}.")
    return name, value(literal)


def check_ending(path: str, endings: tuple, what: str) -> None:
    """Refuses a file of another kind before anything is computed.

    Raises:
        ValueError: `path` has another ending.
    """
    if not path.lower().endswith(endings):
        raise ValueError(
            f"{what} is a file that ends in {' or '.join(endings)}. Received: "
            f"--out={path}. Name such a file."
        )


def pronunciations(texts: list[str]) -> dict[str, str]:
    """The phonemes of words, of flags WORD=PHONEMES.

    Raises:
        ValueError: one is something else.
    """
    pairs = [text.partition("=") for text in texts]
    if wrong := [
        text
        for text, (word, _, p) in zip(texts, pairs, strict=True)
        if not (word and p)
    ]:
        raise ValueError(
            "--pronunciations are WORD=PHONEMES, such as keras='K EH R AH S'. "
            f"Received: {wrong[0]!r}."
        )
    return {word: phones for word, _, phones in pairs}


def check_free(path: str, overwrite: bool, folder: bool = False) -> None:
    """Refuses an --out that stands there already, or cannot be written.

    Raises:
        ValueError: something stands there.
        OSError: it cannot be written.
    """
    files = recipes.load_file("utils/files.py")
    files.check_free(path, overwrite, files.FOLDER if folder else files.FILE)
    files.check_writable(path)
