"""What the files of a data set hold, in short: to see later whether it changed."""

from collections.abc import Sequence
import os

from keras_gans.data.broken import Usable, mapped

# Sets of so many bytes in all are read once. Of larger ones, the size and the ends
# of each file are: what compresses pictures writes other ends for other pictures.
FEW_BYTES = 2**30
ENDS = 2**12
DOMAINS = "AB"
MOST_NAMED = 3


def digests(files: Sequence[Usable], whole: bool | None = None) -> dict:
    """A digest of each file that a source reads.

    Args:
        files: `Usable` of each domain, as of `sources.Source`.
        whole: bool, whether files are read to their ends; by default those of
            small sets are.

    Returns:
        dict that JSON can hold: `whole`, and `files`, of each file's path below
        its folder (with that of its domain before it, where there are two) to a
        str.
    """
    places = [one.listing.place for one in files]
    names = [
        (DOMAINS[i] * (len(files) > 1), place, name)
        for i, (one, place) in enumerate(zip(files, places, strict=True))
        for name in one.listing.names
    ]
    if whole is None:
        whole = sum(place.size_of(name) for _, place, name in names) <= FEW_BYTES
    hashes = mapped(
        lambda item: item[1].digest_of(item[2], None if whole else ENDS),
        names,
        os.cpu_count() or 1,
    )
    keys = [os.path.join(domain, name) for domain, _, name in names]
    return {"whole": whole, "files": dict(zip(keys, hashes, strict=True))}


def differences(before: dict[str, str], now: dict[str, str]) -> str:
    """What is other in one set of files than in another, in words; "" for nothing.

    Args:
        before: dict, the `files` of `digests`.
        now: dict, those of later.
    """
    both = before.keys() & now.keys()
    parts = (
        ("removed", before.keys() - now.keys()),
        ("added", now.keys() - before.keys()),
        ("changed", {name for name in both if before[name] != now[name]}),
    )
    return ", ".join(
        f"{len(names):,} {what} ({_listed(sorted(names))})"
        for what, names in parts
        if names
    )


def _listed(names):
    shown = ", ".join(map(repr, names[:MOST_NAMED]))
    return shown + ", ..." * (len(names) > MOST_NAMED)
