"""The names nearest to a mistaken one."""

from collections.abc import Iterable, Sequence
import difflib

MAX_LETTERS = 255  # comparing takes time as the product of both lengths
FURTHER = 0.1  # similarity that a second suggestion may lack, of 1


def nearest(word: object, known: Iterable[str], most: int = 3) -> list[str]:
    """The names of `known` that are nearest to `word`, at most `most`.

    Longer texts than names are, as a damaged file may hold them, are near to none.
    """
    word = str(word)
    if len(word) > MAX_LETTERS:
        return []
    short = [name for name in known if len(name) <= MAX_LETTERS]
    near = difflib.get_close_matches(word, short, n=most)
    likeness = {name: difflib.SequenceMatcher(a=name, b=word).ratio() for name in near}
    return [name for name in near if likeness[name] >= likeness[near[0]] - FURTHER]


def did_you_mean(near: Sequence[str]) -> str:
    """ " Did you mean a or b?" for the names `near`, or "" for none."""
    return f" Did you mean {' or '.join(near)}?" if near else ""


def hint(word: object, known: Iterable[str]) -> str:
    """The sentence that names what `word` may have meant, or ""."""
    return did_you_mean(nearest(word, known))
