"""What a source holds, what of it is used, and what is done with it, in words."""

from collections import Counter
from collections.abc import Sequence
import os
from statistics import median
from typing import Any, NamedTuple

from keras_gans.data.balancing import weights
from keras_gans.data.broken import Usable, check_files
from keras_gans.data.checks import CONVERTIBLE, check_choice, check_image_size
from keras_gans.data.decoding import counted, list_images
from keras_gans.data.digests import digests
from keras_gans.data.domains import domain_folders, match_files
from keras_gans.data.pair_sources import find_domains, find_pairs
from keras_gans.data.places import find_place
from keras_gans.data.sources import Source, find_source, missing_folder
from keras_gans.data.transforms import RESIZES
from keras_gans.modalities.image import jitter_margin
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.text import count_of
from keras_gans.utils.types import Path, Size

ALLOWED = "these: the path of a folder of images, or of a zip archive of them"
NAMES = {1: "grey", 2: "grey with transparency", 3: "colour", 4: "RGBA"}
MOST_CLASSES = 20
MOST_BROKEN = 10
MUCH = 0.25  # of a picture, cut off
NEARLY_BLACK = 2**13  # of 16 bits: what 13 or fewer hold


class Report(NamedTuple):
    """What was found in a source.

    Attributes:
        rows: list of (what, text); `str` of the report shows them.
        broken: dict of the path of each file that cannot be read to why.
        files: list of the `Usable` files of each domain.
        digests: dict, see `digests.digests`; `None` without files.
    """

    rows: list[tuple[str, str]]
    broken: dict[str, str]
    files: Sequence[Usable] = ()
    digests: dict | None = None

    def __str__(self) -> str:
        return "\n".join(
            f"{what:11}" + _printable(text).replace("\n", "\n" + 11 * " ")
            for what, text in self.rows
        )


def _printable(text):
    """Text without what a terminal would obey, or could not show."""
    return "".join(
        letter if letter.isprintable() or letter == "\n" else ascii(letter)[1:-1]
        for letter in text
    )


@refuses_unknown
def check(
    folder: Path,
    image_size: Size | None = None,
    channels: int = 3,
    resize: str = "crop",
) -> Report:
    """Reads all image files of a folder, and reports what is in it.

    Args:
        folder: path of a folder or a zip archive.
        image_size: what the pictures would be brought to, see `load`. `None`:
            sizes are reported alone.
        channels: 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGBA), see `load`.
        resize: see `load`.

    Returns:
        `Report`: sizes, kinds of pixels, classes, pairs, duplicates and broken
        files.

    Raises:
        ValueError: an argument is unusable, or there are no images that can be
            read.

    Example:

    ```python
    import numpy as np
    from keras_gans.data import check
    from keras_gans.modalities.pictures import save_image

    save_image("pictures/grey.png", np.zeros((40, 60, 1)), overwrite=True)
    print(check("pictures", image_size=32))
    ```
    """
    check_choice("channels", channels, CONVERTIBLE)
    check_choice("resize", resize, RESIZES)
    size = check_image_size(image_size)
    place = find_place(os.fspath(folder))
    if place is None:
        raise missing_folder(os.fspath(folder), (), ALLOWED)
    usable = check_files(list_images(place, False), channels, "skip", warn=False)
    rows = _files_rows(usable, channels, MOST_BROKEN * 10)
    rows += [*_class_rows(place, usable), *_pair_rows(place, channels)]
    file_digests = digests([usable], whole=True)
    rows += _duplicate_rows([usable], file_digests)
    if size is not None:
        rows += _made_rows([usable], size, channels, resize)
    return Report(rows, usable.broken, [usable], file_digests)


@refuses_unknown
def describe(
    source: Any,
    task: str,
    image_size: tuple[int, int],
    channels: int,
    source_channels: int | None = None,
    *,
    split: str = "train",
    data_dir: Path | None = None,
    on_error: str = "raise",
    jitter: int | float = 0,
) -> Report:
    """What a training reads from a source.

    Args:
        source: see `load`, `load_pairs` and `load_unpaired`.
        task: "images", "labelled images", "pairs", "unpaired" or "photos".
        image_size: `(height, width)` that the pictures are brought to.
        channels: of the images, or of B.
        source_channels: of A.
        split: see `load`.
        data_dir: see `load`.
        on_error: see `load`.
        jitter: see `load`.

    Returns:
        `Report`.

    Raises:
        ValueError: the source cannot be used, or an argument is out of its range.

    Example:

    ```python
    report = keras_gans.data.describe("emoji", "images", (16, 16), 3)
    print(report)
    ```
    """
    margin = jitter_margin(jitter, image_size)
    larger = (image_size[0] + margin[0], image_size[1] + margin[1])
    options = {"split": split, "data_dir": data_dir, "on_error": on_error}
    counts = (source_channels, channels)
    if task == "pairs":
        sources = [find_pairs(source, counts, **options)]
    elif task == "unpaired":
        sources = find_domains(source, counts, **options)
    else:
        labels = task == "labelled images"
        sources = [find_source(source, channels=channels, labels=labels, **options)]
        counts = (channels,)
    rows, broken, files = [("data", _shown_name(source))], {}, []
    for one, domain in zip(
        sources, ("A", "B") if len(sources) == 2 else ("",), strict=True
    ):
        rows += _source_rows(one, task, domain, counts, larger)
        for usable in one.files:
            broken |= usable.broken
        files += one.files
    if any(margin):
        height, width = image_size
        rows.append(("crops", f"{width} x {height} pixels of that, anywhere"))
    file_digests = digests(files) if files else None
    if file_digests:
        rows += _duplicate_rows(files, file_digests)
    return Report(rows, broken, files, file_digests)


def _shown_name(source):
    if isinstance(source, (str, os.PathLike)):
        return str(source)
    return "arrays"


def _source_rows(source: Source, task, domain, counts, size):
    """What there is to say of one source."""
    what = "pair" if task == "pairs" else "picture"
    of = f" of {domain}" if domain else ""
    rows = [("used", f"{source.size} {what}{'' if source.size == 1 else 's'}{of}")]
    if not source.files and None not in source.shape:
        height, width, *channels = source.shape
        kinds = " to ".join(NAMES.get(c, f"{c} channels") for c in channels)
        rows.append(("sizes", f"all {width} x {height} pixels, {kinds}"))
    halves = len(source.files) == 1 and task == "pairs"
    if halves:
        rows.append(("pairs", "each picture is cut into halves: A is left, B is right"))
    counts = counts if domain != "B" else counts[1:]
    for usable, count in zip(source.files, counts, strict=False):
        rows += _files_rows(usable, count, MOST_BROKEN)[0 if task == "pairs" else 1 :]
    if source.classes is not None:
        rows.append(("classes", _classes(source.classes, source.labels)))
        rows += _weight_rows(source)
    if task == "photos":
        return [*rows, ("crops", f"{size[1]} x {size[0]} pixels, anywhere")]
    if source.files:
        return rows + _made_rows(source.files, size, counts[0], "crop", halves)
    return [*rows, ("made", f"{size[1]} x {size[0]} pixels, {_kinds(counts)}")]


def _kinds(counts):
    return " to ".join(NAMES.get(count, f"{count} channels") for count in counts)


def _files_rows(usable: Usable, channels, most):
    """Files found and left out, sizes and kinds of pixels."""
    listing, heads = usable.listing, usable.heads
    rows = [
        ("used", f"{len(heads)} of {usable.total} image files of {listing.place.path}")
    ]
    left = [f"{len(usable.broken)} that cannot be read:"] if usable.broken else []
    broken = list(usable.broken.items())
    left += [f"  {path!r}: {why}" for path, why in broken[:most]]
    left += [f"  and {len(broken) - most} more"] if len(broken) > most else []
    if listing.others:
        left.append(
            f"{listing.others.total()} of other kinds: {counted(listing.others)}"
        )
    if left:
        rows.append(("not used", "\n".join(left)))
    rows.append(("sizes", _sizes([head.size for head in heads])))
    return [*rows, ("pixels", _pixels(heads, channels))]


def _sizes(sizes):
    """The smallest and the largest of sizes, and the medians of both sides."""
    ordered = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    middle = [median(sides) for sides in zip(*sizes, strict=True)]
    least, middle, most = (
        f"{width:g} x {height:g}" for height, width in (ordered[0], middle, ordered[-1])
    )
    if least == most:
        return f"all {least} pixels"
    return f"{least} to {most} pixels (width x height), median {middle}"


def _pixels(heads, channels):
    """Which kinds of pixels there are, and what becomes of them."""
    grey = sum(head.grey for head in heads)
    kinds = [
        (len(heads) - grey, "in colour", " (made grey)" if channels < 3 else ""),
        (grey, "grey", " (made colour)" if channels >= 3 else ""),
        (
            sum(head.alpha for head in heads),
            "transparent",
            " (laid on white)" if channels in (1, 3) else "",
        ),
        (sum(head.deep for head in heads), "of 16 bits", ""),
        (
            sum(head.animated for head in heads),
            "animated or of several pages",
            " (the first picture is used)",
        ),
        (sum(head.orientation != 1 for head in heads), "turned upright", ""),
    ]
    text = ", ".join(f"{count} {kind}{note}" for count, kind, note in kinds if count)
    return "\n".join([text, *_dark(heads)])


def _dark(heads):
    """A line on pictures of 16 bits that hold fewer, as those of scanners may."""
    values = [head.brightest for head in heads if head.brightest is not None]
    dark = [value for value in values if value <= NEARLY_BLACK]
    if not dark:
        return []
    one = len(dark) == 1
    deep = sum(head.deep for head in heads)
    of = "" if len(values) == deep else f", of {len(values)} that were looked at,"
    return [
        f"{len(dark)} of 16 bits{of} {'is' if one else 'are'} nearly black: "
        f"{'its' if one else 'their'} largest value is {max(dark)} of 65535. Scale "
        "them first if that is meant to be white"
    ]


def _classes(names, labels):
    """The names of classes, and how many pictures each has."""
    counts = Counter(() if labels is None else labels)
    shown = [
        name if labels is None else f"{name} ({counts[i]})"
        for i, name in enumerate(names[:MOST_CLASSES])
    ]
    more = len(names) - len(shown)
    shown += [f"and {more} more"] if more else []
    return f"{len(names)}: {', '.join(shown)}"


def _weight_rows(source):
    """How much more often classes are shown where they are balanced."""
    if source.labels is None:
        return []
    ratios = weights(source.labels)
    low, high = (f(ratios, key=ratios.get) for f in (min, max))
    if ratios[high] == ratios[low]:
        return []
    return [
        (
            "weights",
            f"balanced, an image of {source.classes[low]!r} is shown {ratios[low]:.2f} "
            f"times as often, of {source.classes[high]!r} {ratios[high]:.2f} times",
        )
    ]


def _made_rows(files, size, channels, resize, halves=False):
    """How pictures, or their left and right halves, are brought to a size."""
    height, width = size
    sizes = [head.size for usable in files for head in usable.heads]
    if halves:
        sizes = [(h, w // 2) for h, w in sizes]
    if len(files) == 1 and len(set(sizes)) == 1 and sizes[0] == tuple(size):
        return [("made", f"{width} x {height} pixels: all have that size")]
    measure = min if resize == "pad" else max
    scales = [measure(height / h, width / w) for h, w in sizes]
    done = [
        (sum(scale < 1 for scale in scales), "made smaller"),
        (sum(scale > 1 for scale in scales), "made larger"),
    ]
    text = ", ".join(f"{count} {what}" for count, what in done if count)
    if resize in ("crop", "random_crop"):
        cut = [
            1 - (height / h / scale) * (width / w / scale)
            for (h, w), scale in zip(sizes, scales, strict=True)
        ]
        some = sum(share > 0.01 for share in cut)
        much = sum(share > MUCH for share in cut)
        if some:
            text += "; " if text else ""
            verb = "loses" if some == 1 else "lose"
            text += f"{some} {verb} what lies beyond the middle, "
            most = f"{100 * max(cut):.3g}%"
            if much:
                text += f"{much} of them more than {MUCH:.0%} (most: {most})"
            else:
                text += f"at most {most} of a picture"
    elif resize == "pad":
        text += "; filled up with white"
    elif resize == "stretch":
        text += "; proportions are not kept"
    text = f": {text}" if text else ""
    return [("made", f"{width} x {height} pixels, {NAMES[channels]}{text}")]


def _class_rows(place, usable):
    """The classes that subfolders would be, where all pictures lie in some."""
    try:
        labelled = list_images(place, labels=True)
    except ValueError:
        return []
    bad = set(labelled.names) - set(usable.listing.names)
    return [("classes", _classes(labelled.classes, labelled.without(bad).labels))]


def _pair_rows(place, channels):
    """Whether the pictures are those of two domains."""
    try:
        folders = domain_folders(place, "train")
        if folders is None:
            return []
        files = [
            check_files(list_images(f, False), channels, "skip", warn=False)
            for f in folders
        ]
    except ValueError as error:
        return [("domains", str(error))]
    sizes = " and ".join(str(len(one.heads)) for one in files)
    rows = [("domains", f"A and B of {sizes} pictures")]
    try:
        pairs = len(match_files(*files)[0].heads)
    except ValueError as error:
        return [*rows, ("pairs", f"none (cyclegan needs none): {error}")]
    return [*rows, ("pairs", str(pairs))]


def _duplicate_rows(files, file_digests):
    """Files of the same bytes within a domain, as their digests tell."""
    digest, groups = iter(file_digests["files"].values()), []
    for usable in files:  # in the order of `digests`
        same = {}
        for name in usable.listing.names:
            path = usable.listing.place.path_of(name)
            same.setdefault(next(digest), []).append(path)
        groups += [paths for paths in same.values() if len(paths) > 1]
    if not groups:
        return []
    extra = sum(map(len, groups)) - len(groups)
    if file_digests["whole"]:
        alike = "is a copy" if extra == 1 else "are copies"
    else:
        alike = f"{'has' if extra == 1 else 'have'} the size and the ends of others"
    lines = [" = ".join(map(repr, paths)) for paths in groups[:MOST_BROKEN]]
    more = (
        [f"and {len(groups) - MOST_BROKEN} more"] if len(groups) > MOST_BROKEN else []
    )
    told = f"{count_of(extra, 'file')} {alike}:"
    return [("duplicates", "\n".join([told, *lines, *more]))]
