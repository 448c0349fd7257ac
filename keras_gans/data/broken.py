"""Which image files cannot be read, found before any is trained on."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
import os
import sys
from typing import Any, NamedTuple
import warnings

from keras.utils import Progbar

from keras_gans.data.checks import check_on_error
from keras_gans.data.decoding import Listing
from keras_gans.modalities.image_files import (
    MAX_MEMORY,
    Head,
    decode_head_and_end,
    decode_image,
    reason,
)
from keras_gans.utils.errors import outside

# Sets of so many pixels in all are decoded once: it takes some seconds. Of
# larger ones the heads and the ends are looked at.
FEW_PIXELS = 2**28
SHOW_BAR_FROM = 1000  # files
BLOCK = 16
MOST_DEEP = 16  # pictures of 16 bits that are decoded, where others are not
MOST_WARNED = 20

_checked = {}  # of this process: (version of a file, channels) to `_Checked`


class _Checked(NamedTuple):
    """What is known of a file.

    Attributes:
        head: `Head`, or `None` where it cannot be read.
        error: str, why it cannot be read, or `None`.
        cut: bool, whether it may be shorter than it was written.
        decoded: bool, whether its pixels were looked at.
    """

    head: Head | None
    error: str | None
    cut: bool = False
    decoded: bool = False


class Usable(NamedTuple):
    """The image files of a place that can be read.

    Attributes:
        listing: `Listing` of them.
        heads: list of `Head`, of each.
        total: int, image files there are.
        broken: dict of the path of each other to why.
    """

    listing: Listing
    heads: list[Head]
    total: int
    broken: dict[str, str]

    def memory(self, channels: int) -> int:
        """Bytes that it takes to decode the largest, at most."""
        return max((head.memory(channels) for head in self.heads), default=0)

    def without(self, names: set) -> "Usable":
        """All but some files."""
        keep = [name not in names for name in self.listing.names]
        heads = [h for h, kept in zip(self.heads, keep, strict=True) if kept]
        return self._replace(listing=self.listing.without(names), heads=heads)


def check_files(
    listing: Listing, channels: int, on_error: str = "raise", warn: bool = True
) -> Usable:
    """Finds the broken files of a listing.

    All heads are read, in parallel; the pixels too of files that may be cut
    short, of small sets, of all files where broken ones are skipped, and of some
    of 16 bits.

    Args:
        listing: `Listing`.
        channels: int, those that the files are read with.
        on_error: str, "raise" or "skip".
        warn: bool, whether to warn of files that are skipped.

    Returns:
        `Usable`.

    Raises:
        ValueError: naming all broken files, unless they are to be skipped; or
            none is left.
    """
    check_on_error(on_error)
    checked = _check(listing, channels, everything=on_error == "skip")
    broken = {
        listing.place.path_of(name): one.error
        for name, one in zip(listing.names, checked, strict=True)
        if one.error is not None
    }
    broken |= {
        path: f"the folder cannot be searched: {why}"
        for path, why in listing.place.closed.items()
    }
    total = len(listing.names)
    if broken and (on_error == "raise" or not _any_good(checked)):
        raise ValueError(describe_broken(broken, total, listing.place.path))
    if broken and warn:
        some = [repr(path) for path in list(broken)[:MOST_WARNED]]
        some += [f"{len(broken) - len(some)} more"] * (len(broken) > len(some))
        warnings.warn(
            f"Left out {len(broken)} of {total} image files of "
            f"{listing.place.path!r}, which cannot be read: {', '.join(some)}.",
            UserWarning,
            stacklevel=outside(),
        )
    pairs = zip(listing.names, checked, strict=True)
    bad = {name for name, one in pairs if one.error is not None}
    heads = [one.head for one in checked if one.error is None]
    return Usable(listing.without(bad), heads, total, broken)


def _any_good(checked):
    return any(one.error is None for one in checked)


def describe_broken(broken: dict, total: int, place: str, kind: str = "image") -> str:
    """The message that names all broken files of a place."""
    lines = "\n".join(f"  {path!r}: {why}" for path, why in broken.items())
    return (
        f"{len(broken)} of {total} {kind} files of {place!r} cannot be read:\n"
        f"{lines}\nRemove or replace them, or leave them out by "
        '`on_error="skip"` (--skip_broken).'
    )


def parallel_reads(memory: int) -> int | None:
    """How many pictures may be read at once, of so many bytes each.

    They take a quarter of the machine's memory at most, or a single one does.

    Returns:
        int, or `None` where there is room for one on each processor.
    """
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    most = max(1, max(pages // 4, MAX_MEMORY) // max(memory, 1))
    return most if most < (os.cpu_count() or 1) else None


def _check(listing, channels, everything):
    """What is known of each file, `_Checked`."""
    names = listing.names
    keys = [_key(listing, name, channels) for name in names]
    checked = mapped(
        lambda i: _checked.get(keys[i]) or _check_head(listing, names[i]),
        range(len(names)),
        os.cpu_count() or 1,
    )
    pixels = sum(c.head.size[0] * c.head.size[1] for c in checked if c.head)
    everything = everything or pixels <= FEW_PIXELS
    left = [
        i
        for i, one in enumerate(checked)
        if one.error is None and not one.decoded and (one.cut or everything)
    ]
    # Some of 16 bits, to see whether their white is.
    deep = [i for i, one in enumerate(checked) if one.head and one.head.deep]
    deep = [i for i in deep[:: -(-len(deep) // MOST_DEEP) or 1] if i not in set(left)]
    left += [i for i in deep if not checked[i].decoded]
    largest = max((checked[i].head.memory(channels) for i in left), default=0)
    decoded = mapped(
        lambda i: _check_pixels(listing, names[i], channels, checked[i].head),
        left,
        parallel_reads(largest) or os.cpu_count() or 1,
    )
    for i, one in zip(left, decoded, strict=True):
        checked[i] = one
    known = zip(keys, checked, strict=True)
    _checked.update((key, one) for key, one in known if key is not None)
    return checked


def _key(listing, name, channels):
    try:
        return *listing.place.version_of(name), channels
    except OSError:  # as reading the head will tell
        return None


def _check_head(listing, name):
    try:
        listing.place.version_of(name)
        with listing.place.open(name) as file:
            head, cut = decode_head_and_end(file)
            return _Checked(head, None, cut)
    except Exception as error:  # decoders raise every kind
        return _Checked(None, reason(error))


def _check_pixels(listing, name, channels, head):
    try:
        pixels = decode_image(listing.place.read(name), channels)
    except Exception as error:
        return _Checked(None, reason(error))
    # What is converted otherwise has other values than the file.
    if head.deep and not head.alpha and (head.grey or channels >= 3):
        head = head._replace(brightest=round((float(pixels.max()) + 1) * 32767.5))
    return _Checked(head, None, decoded=True)


def usable_of(
    listing: Listing,
    look: Callable[[str], Any],
    on_error: str,
    kind: str,
    describe: Callable[[dict, int, str, str], str] = describe_broken,
    called: Callable[[str], str] | None = None,
) -> Usable:
    """The files of a listing that can be used, each looked at in parallel.

    Args:
        listing: `Listing`.
        look: function of a name that returns what is known of the file, or a str,
            why it cannot be used.
        on_error: str, "raise" or "skip".
        kind: str, what messages call the files: "sound".
        describe: function of what `describe_broken` takes that returns the message.
        called: function of a name that returns what messages call the file; its path
            by default.

    Returns:
        `Usable`, whose heads are what `look` returned.

    Raises:
        ValueError: naming all files that cannot be used, unless they are to be
            skipped; or none is left.
    """
    check_on_error(on_error)
    place, total = listing.place, len(listing.names)
    called = called or place.path_of
    looked_at = mapped(look, listing.names, os.cpu_count() or 1)
    pairs = list(zip(listing.names, looked_at, strict=True))
    why = {name: one for name, one in pairs if isinstance(one, str)}
    heads = [one for _, one in pairs if not isinstance(one, str)]
    broken = {called(name): one for name, one in why.items()}
    broken |= {
        path: f"the folder cannot be searched: {one}"
        for path, one in place.closed.items()
    }
    if broken and (on_error == "raise" or not heads):
        raise ValueError(describe(broken, total, place.path, kind))
    return Usable(listing.without(set(why)), heads, total, broken)


def mapped(function: Callable, items: Sequence, threads: int) -> list[Any]:
    """Calls a function of each item in threads, with a bar if they are many."""
    # One task for several items: there may be millions.
    blocks = [items[i : i + BLOCK] for i in range(0, len(items), BLOCK)]
    shown = len(items) >= SHOW_BAR_FROM and sys.stdout.isatty()
    bar = Progbar(len(items), unit_name="file", verbose=int(shown))
    results = []
    with ThreadPoolExecutor(threads) as pool:
        for block in pool.map(lambda block: list(map(function, block)), blocks):
            results += block
            bar.update(len(results))
    return results
