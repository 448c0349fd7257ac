"""The names nearest to a mistaken one."""

from collections.abc import Iterable, Sequence
import difflib


def nearest(word: object, known: Iterable[str], most: int = 3) -> list[str]:
    """The names of `known` that are nearest to `word`, at most `most`."""
    return difflib.get_close_matches(str(word), list(known), n=most)


def did_you_mean(near: Sequence[str]) -> str:
    """ " Did you mean a or b?" for the names `near`, or "" for none."""
    return f" Did you mean {' or '.join(near)}?" if near else ""


def hint(word: object, known: Iterable[str]) -> str:
    """The sentence that names what `word` may have meant, or ""."""
    return did_you_mean(nearest(word, known))
