"""Image files of a folder or an archive: which there are, and of what class."""

from collections import Counter
from collections.abc import Collection
import os
from typing import NamedTuple

import numpy as np

from keras_gans.data.places import Folder, find_place
from keras_gans.modalities.image_files import EXTENSIONS, decode_image, unreadable
from keras_gans.modalities.waveform import EXTENSIONS as SOUNDS


class UnlabelledError(ValueError):
    """Classes are asked for where there are none.

    Args:
        why: str, sentences on what there is instead.
        remedy: str, what to do about it: "Move them".
    """

    def __init__(self, why: str, remedy: str):
        super().__init__(
            f"{why} {remedy}, or load all without labels (`labels=False`)."
        )
        self.why, self.remedy = why, remedy


class Listing(NamedTuple):
    """The image files of a place.

    Attributes:
        place: `places.Folder`, where they lie.
        names: list of str, their paths from there, sorted.
        labels: list of int, the class of each, or `None`.
        classes: list of str, the names of the classes, or `None`.
        others: `Counter` of the endings of files that are no images.
    """

    place: Folder
    names: list[str]
    labels: list[int] | None
    classes: list[str] | None
    others: Counter

    @property
    def paths(self) -> list[str]:
        """How messages call the files."""
        return list(map(self.place.path_of, self.names))

    def path_of(self, number: int) -> str:
        """How messages call one of the files."""
        return self.place.path_of(self.names[number])

    def without(self, names: set) -> "Listing":
        """All but some files; classes keep their numbers."""
        keep = [i for i, name in enumerate(self.names) if name not in names]
        labels = self.labels and [self.labels[i] for i in keep]
        return self._replace(names=[self.names[i] for i in keep], labels=labels)

    def read(self, number: int, channels: int) -> np.ndarray:
        """Reads one of the files, see `image_files.read_image`."""
        try:
            return decode_image(self.place.read(self.names[number]), channels)
        except Exception as error:  # decoders raise every kind
            raise unreadable(self.path_of(number), error) from error


def list_images(place: Folder | str, labels: bool) -> Listing:
    """Lists the image files of a place and its subfolders, sorted by path.

    Hidden files and folders, and files that are not images, are left out.

    Args:
        place: `places.Folder`, or the path of a folder or zip archive.
        labels: whether to label each file by its first-level subfolder.

    Returns:
        `Listing`. Its classes are the subfolders that hold images.

    Raises:
        ValueError: the place holds no images, or labels are asked of files
            that lie in no subfolder.
    """
    place = find_place(place) if isinstance(place, str) else place
    return list_files(place, labels, EXTENSIONS, "images")


def list_files(
    place: Folder, labels: bool, extensions: Collection[str], kind: str
) -> Listing:
    """Lists the files of a kind, as `list_images` does.

    Args:
        place: `places.Folder`.
        labels: whether to label each file by its first-level subfolder.
        extensions: the endings of such files.
        kind: str, what messages call them: "images".
    """
    names, others = [], Counter()
    for name in place.walk():
        extension = os.path.splitext(name)[1].lower()
        if extension in extensions:
            names.append(name)
        else:
            others[extension or "no ending"] += 1
    if not names:
        sounds = kind == "images" and not set(SOUNDS).isdisjoint(others)
        raise ValueError(
            f"Folder {place.path!r} holds no {kind}. Expected files ending in "
            f"{', '.join(extensions)}, in it or in its subfolders. Received: "
            f"{counted(others) or 'no files at all'}."
            f"{' Sounds are for `keras-gans train wavegan`.' if sounds else ''}"
        )
    names.sort()
    numbers, classes = _classes(place.path, names, kind) if labels else (None, None)
    return Listing(place, names, numbers, classes, others)


def counted(kinds: Counter) -> str:
    """ ".gif x2, .txt x1" of a counter."""
    return ", ".join(f"{kind} x{count}" for kind, count in sorted(kinds.items()))


def _classes(folder, names, kind):
    """The class of each file, and their names."""
    tops = [name.split(os.sep, 1) for name in names]
    loose = [parts[0] for parts in tops if len(parts) == 1]
    if len(loose) == len(names):
        raise UnlabelledError(
            f"Classes are subfolders of {kind}, but folder {folder!r} has no "
            f"subfolders of {kind}.",
            f"Put the {kind} of each class into a subfolder of its own",
        )
    if loose:
        raise UnlabelledError(
            f"Classes are subfolders of {kind}, but {len(loose)} of the {kind} of "
            f"folder {folder!r} lie in none, the first being "
            f"{os.path.join(folder, loose[0])!r}.",
            "Move them",
        )
    classes = sorted({parts[0] for parts in tops})
    index = {name: number for number, name in enumerate(classes)}
    return [index[parts[0]] for parts in tops], classes
