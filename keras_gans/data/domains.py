"""Folders of two domains, A and B: where each lies, and which files match."""

import os

from keras_gans.data.decoding import EXTENSIONS, list_images
from keras_gans.modalities.image_files import read_size

PLAIN = ("A", "B")


def split_layouts(split):
    """The pairs of subfolders that may hold the domains of a split."""
    return (
        (f"{split}A", f"{split}B"),
        (f"{split}/A", f"{split}/B"),
        (f"A/{split}", f"B/{split}"),
    )


def domain_folders(folder, split):
    """Finds the subfolders of domains A and B, in upper or lower case.

    Args:
        folder: path of an existing folder.
        split: str, such as "train". Folders `A` and `B` without splits are
            those of "train".

    Returns:
        The paths of both, or `None` if there is neither.

    Raises:
        ValueError: one is missing, or several subfolders might be meant.
    """
    found = _present(folder, split_layouts(split))
    if not found and split == "train":
        found = _present(folder, [PLAIN])
    if len(found) > 1:
        names = "; ".join(" and ".join(layout) for layout in found)
        raise ValueError(
            f"Folder {folder!r} holds domains A and B in several places. Keep "
            f"one of them, or pass another folder. Received: {names}"
        )
    for layout, paths in found.items():
        for name, path in zip(layout, paths, strict=True):
            if path is None:
                (there,) = (p for p in paths if p is not None)
                raise ValueError(
                    f"A domain is missing. Received: folder {folder!r} with "
                    f"{os.path.relpath(there, folder)!r}, but without "
                    f"{name!r}."
                )
        return paths
    return None


def looked_for(split):
    """What `domain_folders` looks for, in words."""
    layouts = split_layouts(split)
    if split == "train":
        layouts += (PLAIN,)
    return ", or ".join(" and ".join(layout) for layout in layouts)


def subfolder(folder, path):
    """Returns the path of a subfolder, in upper or lower case, or `None`."""
    for name in path.split("/"):
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in entries
                if entry.name.lower() == name.lower() and entry.is_dir()
            ]
        if not names:
            return None
        # the very name, where both cases exist
        folder = os.path.join(folder, min(names, key=lambda n: n != name))
    return folder


def holds_images_alone(folder):
    """Whether a folder has images in it, and no subfolders."""
    with os.scandir(folder) as entries:
        visible = [entry for entry in entries if entry.name[0] != "."]
    endings = [os.path.splitext(entry.name)[1].lower() for entry in visible]
    alone = not any(entry.is_dir() for entry in visible)
    return alone and any(ending in EXTENSIONS for ending in endings)


def match_files(folder_a, folder_b):
    """Lists the image files of two folders that belong together.

    Those do that have one path below their folders but for the extension.

    Returns:
        Two lists of paths, matching.

    Raises:
        ValueError: naming the file: it has no partner, or several, or one of
            another size; or a folder holds no images.
    """
    files_a, files_b = _by_stem(folder_a), _by_stem(folder_b)
    for files, others, there in (
        (files_a, files_b, folder_b),
        (files_b, files_a, folder_a),
    ):
        alone = sorted(files.keys() - others.keys())
        if alone:
            raise ValueError(
                f"Pairs are files of one name in both folders. Received: "
                f"{len(alone)} files without a partner in {there!r}, the "
                f"first being {files[alone[0]]!r}. Add the partners, or "
                "remove these."
            )
    stems = sorted(files_a)
    for stem in stems:
        sizes = [read_size(files[stem]) for files in (files_a, files_b)]
        check_same_size((files_a[stem], files_b[stem]), sizes)
    return [files_a[s] for s in stems], [files_b[s] for s in stems]


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


def list_halves(folder):
    """Lists the files of a folder that hold A and B side by side.

    Raises:
        ValueError: naming the file, if one has no two equal halves; or there
            are no images.
    """
    paths, _ = list_images(folder, labels=False)
    for path in paths:
        height, width = read_size(path)
        if width % 2:
            raise ValueError(
                "A picture of A and B side by side has an even width. "
                f"Received: {path!r} of height {height} and width {width}"
            )
    return paths


def _present(folder, layouts):
    """{layout: paths of A and B} of those that are not wholly missing."""
    found = {layout: [subfolder(folder, path) for path in layout] for layout in layouts}
    return {k: paths for k, paths in found.items() if paths != [None, None]}


def _by_stem(folder):
    """{path below the folder without extension: path} of its images."""
    paths, _ = list_images(folder, labels=False)
    files = {}
    for path in paths:
        stem = os.path.splitext(os.path.relpath(path, folder))[0]
        if stem in files:
            raise ValueError(
                "Files match by their names without extension, and two have "
                f"one. Received: {files[stem]!r} and {path!r}. Remove one."
            )
        files[stem] = path
    return files
