"""Writing files so that a kill at any moment loses nothing."""

from collections.abc import Iterator
import contextlib
import os
import pathlib
import shutil

from keras_gans.utils.types import Path


def check_free(path: Path, overwrite: bool = False) -> pathlib.Path:
    """Returns `path` as a `pathlib.Path`, free to be written.

    Args:
        path: str or path of a file or directory.
        overwrite: bool, whether something may stand there already.

    Raises:
        ValueError: something stands there, and `overwrite` is false.
    """
    path = pathlib.Path(path)
    taken = any(path.iterdir()) if path.is_dir() else path.exists()
    if taken and not overwrite:
        raise ValueError(
            f"Nothing is overwritten unasked. Received: {path}, which exists. "
            "Choose another path, remove it, or ask for overwriting "
            "(`overwrite=True`, `--overwrite`)."
        )
    return path


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[pathlib.Path]:
    """Gives a temporary path; what is written there then becomes `path`.

    The temporary file or directory lies beside `path` and keeps its suffixes.
    It takes the place of `path` in one step when the block ends, and is
    removed when the block raises. A directory that stands at `path` is first
    moved aside; a kill between the two steps leaves it as `.old.NAME`, from
    where the next writing to `path` brings it back.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".tmp.{path.name}")
    old = path.with_name(f".old.{path.name}")
    if old.exists() and not path.exists():
        old.rename(path)
    remove(temporary)
    remove(old)
    try:
        yield temporary
        _sync(temporary)
        if path.is_dir():
            path.rename(old)
        temporary.replace(path)
        _sync_entry(path.parent)
    finally:
        remove(temporary)
        if path.exists():
            remove(old)


def _sync(path):
    """Puts a file, or all files of a directory, on the disk."""
    for file in [path, *path.rglob("*")]:
        if file.is_file():
            with open(file, "rb") as f:
                os.fsync(f.fileno())


def _sync_entry(directory):
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: pathlib.Path) -> None:
    """Removes a file, link or directory, if there is one.

    A directory is hidden first, so that a kill leaves no half of it in sight.
    """
    if path.is_symlink() or path.is_file():
        path.unlink()
    elif path.is_dir():
        hidden = path.with_name(f".del.{path.name}")
        if hidden.exists() and hidden != path:
            shutil.rmtree(hidden)
        shutil.rmtree(path.rename(hidden))


def sweep(directory: pathlib.Path) -> None:
    """Removes what a kill while writing or removing left in a directory."""
    for prefix in ("tmp", "del"):
        for path in directory.glob(f".{prefix}.*"):
            remove(path)


def write_bytes(path, data):
    """Writes a file of these bytes, in place of what stands there."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)
