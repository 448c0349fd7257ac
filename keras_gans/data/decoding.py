"""Image folders: which files they hold."""

from collections import Counter
import os

from keras_gans.modalities.image_files import EXTENSIONS


def list_images(folder, labels):
    """Lists the image files of a folder and its subfolders, sorted by path.

    Hidden files and folders, and files that are not images, are left out.

    Args:
        folder: path of an existing folder.
        labels: whether to label each file by its first-level subfolder.

    Returns:
        `(paths, labels)`: a list of `str` and a list of `int`, or `None` in
        place of the labels.

    Raises:
        ValueError: if the folder holds no images, an image file is empty, or
            labels are asked of files that lie in no subfolder.
    """
    paths, others = [], Counter()
    for entry in _walk(folder, set()):
        extension = os.path.splitext(entry.name)[1].lower()
        if extension not in EXTENSIONS:
            others[extension or "(none)"] += 1
            continue
        if entry.stat().st_size == 0:
            raise ValueError(
                f"Image file {entry.path!r} is empty (0 bytes). Remove it or "
                "copy it again."
            )
        paths.append(entry.path)
    if not paths:
        found = ", ".join(f"{k} x{n}" for k, n in sorted(others.items()))
        raise ValueError(
            f"Folder {folder!r} holds no images. Expected files ending in "
            f"{', '.join(EXTENSIONS)}, in it or in its subfolders. Received: "
            f"{found or 'no files at all'}."
        )
    paths.sort()
    return paths, _folder_labels(folder, paths) if labels else None


def _walk(folder, seen):
    """Yields the visible files below a folder; follows links, but once."""
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    with os.scandir(folder) as entries:
        visible = [e for e in entries if not e.name.startswith(".")]
    for entry in sorted(visible, key=lambda e: e.name):
        if entry.is_dir():
            yield from _walk(entry.path, seen)
        elif entry.is_file():
            yield entry


def _folder_labels(folder, paths):
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.is_dir() and e.name[0] != ".")
    if not names:
        raise ValueError(
            f"labels=True labels images by subfolder, but folder {folder!r} "
            "has no subfolders. Put the images of each class in a subfolder "
            "of its own, or pass labels=False."
        )
    index = {name: i for i, name in enumerate(names)}
    parts = [os.path.relpath(path, folder).split(os.sep) for path in paths]
    loose = [path for path, p in zip(paths, parts, strict=True) if len(p) == 1]
    if loose:
        raise ValueError(
            f"labels=True labels images by subfolder, but {len(loose)} of the "
            f"images of folder {folder!r} lie in none, the first being "
            f"{loose[0]!r}. Move them, or pass labels=False."
        )
    return [index[p[0]] for p in parts]
