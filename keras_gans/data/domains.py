"""Places of two domains, A and B: where each lies, and which files match."""

import os

from keras_gans.data.broken import Usable
from keras_gans.data.decoding import EXTENSIONS
from keras_gans.data.places import Folder

PLAIN = ("A", "B")
NEARLY_TWICE = (1.8, 2.2)  # width to height of two square pictures


def split_layouts(split):
    """The pairs of subfolders that may hold the domains of a split."""
    return (
        (f"{split}A", f"{split}B"),
        (f"{split}/A", f"{split}/B"),
        (f"A/{split}", f"B/{split}"),
    )


def domain_folders(place, split):
    """Finds the subfolders of domains A and B, in upper or lower case.

    Args:
        place: `places.Folder`.
        split: str, such as "train". Folders `A` and `B` without splits are
            those of "train".

    Returns:
        Both, or `None` if there is neither.

    Raises:
        ValueError: one is missing, or several subfolders might be meant.
    """
    by_layout = _present(place, split_layouts(split))
    if not by_layout and split == "train":
        by_layout = _present(place, [PLAIN])
    if len(by_layout) > 1:
        names = "; ".join(" and ".join(layout) for layout in by_layout)
        raise ValueError(
            f"Folder {place.path!r} holds domains A and B in several places. Keep "
            f"one of them, or pass another folder. Received: {names}"
        )
    for layout, folders in by_layout.items():
        for name, folder in zip(layout, folders, strict=True):
            if folder is None:
                (there,) = (f for f in folders if f is not None)
                raise ValueError(
                    f"A domain is missing. Received: folder {place.path!r} with "
                    f"{os.path.relpath(there.path, place.path)!r}, but without "
                    f"{name!r}."
                )
        return folders
    return None


def looked_for(split):
    """What `domain_folders` looks for, in words."""
    layouts = split_layouts(split)
    if split == "train":
        layouts += (PLAIN,)
    return ", or ".join(" and ".join(layout) for layout in layouts)


def subfolder(place, path):
    """Returns a subfolder, in upper or lower case, or `None`."""
    for name in path.split("/"):
        folders, _ = place.children()
        names = [folder for folder in folders if folder.lower() == name.lower()]
        if not names:
            return None
        # the very name, where both cases exist
        place = place.child(min(names, key=lambda n: n != name))
    return place


def holds_images_alone(place):
    """Whether a folder has images in it, and no subfolders."""
    folders, files = place.children()
    endings = [os.path.splitext(name)[1].lower() for name in files]
    return not folders and any(ending in EXTENSIONS for ending in endings)


def match_files(a: Usable, b: Usable, same_size: bool = True) -> tuple[Usable, Usable]:
    """Finds the image files of two folders that belong together.

    Those do that have one path below their folders but for the extension.

    Args:
        a: files of A. Where one is broken, its partner is left out, too.
        b: files of B.
        same_size: bool, whether the two of a pair must have one size.

    Returns:
        Both, in matching order.

    Raises:
        ValueError: naming the file: it has no partner, or several, or one of
            another size.
    """
    stems_a, stems_b = _by_stem(a), _by_stem(b)
    for one, stems, other, others in (
        (a, stems_a, b, stems_b),
        (b, stems_b, a, stems_a),
    ):
        broken = {_stem(other.listing.place, path) for path in other.broken}
        alone = sorted(stems.keys() - others.keys() - broken)
        if alone:
            where = other.listing.place.path
            first = one.listing.place.path_of(stems[alone[0]])
            raise ValueError(
                f"Pairs are files of one name in both folders. Received: "
                f"{len(alone)} files without a partner in {where!r}, the "
                f"first being {first!r}. Add the partners, or "
                "remove these."
            )
    a = a.without({stems_a[s] for s in stems_a.keys() - stems_b.keys()})
    b = b.without({stems_b[s] for s in stems_b.keys() - stems_a.keys()})
    a, b = _sorted_by_stem(a), _sorted_by_stem(b)
    for *names, head_a, head_b in zip(
        a.listing.paths, b.listing.paths, a.heads, b.heads, strict=True
    ):
        if same_size:
            check_same_size(names, (head_a.size, head_b.size))
    return a, b


def check_same_size(names, sizes):
    """Checks that the images of a pair have one height and width.

    Args:
        names: how an error message calls the two, paths for instance.
        sizes: their `(height, width)`.

    Raises:
        ValueError: they differ.
    """
    if tuple(sizes[0]) != tuple(sizes[1]):
        (ha, wa), (hb, wb) = sizes
        raise ValueError(
            "The images of a pair have one size. Resize them alike. Received: "
            f"{names[0]!r} of height {ha} and width {wa}, {names[1]!r} of "
            f"{hb} and {wb}"
        )


def check_halves(usable: Usable) -> None:
    """Checks that pictures may show A and B side by side.

    Raises:
        ValueError: naming the file, if one has no two equal halves, or is not
            nearly twice as wide as high.
    """
    for path, head in zip(usable.listing.paths, usable.heads, strict=True):
        height, width = head.size
        if not NEARLY_TWICE[0] <= width / height <= NEARLY_TWICE[1]:
            raise ValueError(
                "Pairs are pictures in two folders A and B, or pictures that "
                "show A and B side by side, which are about twice as wide as "
                f"high. Received: {path!r} of height {height} and width {width}. "
                "Put the pictures of A and of B into folders of these names. "
                "(For plain pictures without pairs there are the recipes dcgan, "
                "colorization and inpainting.)"
            )
        if width % 2:
            raise ValueError(
                "A picture of A and B side by side has an even width. "
                f"Received: {path!r} of height {height} and width {width}"
            )


def _present(place, layouts):
    """{layout: folders of A and B} of those that are not wholly missing."""
    by_layout = {
        layout: [subfolder(place, path) for path in layout] for layout in layouts
    }
    return {k: folders for k, folders in by_layout.items() if folders != [None, None]}


def _stem(place: Folder, path):
    return os.path.splitext(os.path.relpath(path, place.path))[0]


def _by_stem(usable):
    """{path below the folder without extension: that with it} of its files."""
    names = {}
    place = usable.listing.place
    for name in usable.listing.names:
        stem = os.path.splitext(name)[0]
        if stem in names:
            raise ValueError(
                "Files match by their names without extension, and two have "
                f"one. Received: {place.path_of(names[stem])!r} and "
                f"{place.path_of(name)!r}. Remove one."
            )
        names[stem] = name
    return names


def _sorted_by_stem(usable):
    names = usable.listing.names
    order = sorted(range(len(names)), key=lambda i: os.path.splitext(names[i])[0])
    listing = usable.listing._replace(names=[names[i] for i in order])
    return usable._replace(listing=listing, heads=[usable.heads[i] for i in order])
