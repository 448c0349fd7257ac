"""Writing files so that a kill at any moment loses nothing.

This file imports nothing of the package: the command line reads it without
importing a backend.
"""

from collections.abc import Callable, Iterator
import contextlib
import errno
import hashlib
import os
import pathlib
import re
import shutil
import tempfile
from typing import NamedTuple, TypeAlias

Path: TypeAlias = str | os.PathLike[str]

LONGEST = 200  # bytes of a name that has room for a prefix
# What h5py and TensorFlow tell of in errors of their own.
CAUSES = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EFBIG,
    errno.EROFS,
    errno.EIO,
    errno.EACCES,
    errno.ENOENT,
)


class NotWrittenError(OSError):
    """A file or directory that could not be written; the message names it.

    Args:
        message: str.
        safe: str, a sentence on what is left, or none.
    """

    def __init__(self, message: str, safe: str = ""):
        super().__init__(f"{message} {safe}".rstrip())
        self.safe = safe


class Kind(NamedTuple):
    """What is written to a path, and alone is replaced there.

    Attributes:
        name: str, such as "a file".
        is_at: function, whether one stands at a path.
    """

    name: str
    is_at: Callable[[pathlib.Path], bool]


def _is_file(path):
    return path.is_file() or (path.is_symlink() and not path.exists())


FILE = Kind("a file", _is_file)
FOLDER = Kind("a folder", pathlib.Path.is_dir)


def check_free(path: Path, overwrite: bool = False, kind: Kind = FILE) -> pathlib.Path:
    """Returns `path` as a `pathlib.Path`, free to be written.

    Args:
        path: str or path of a file or directory; an empty directory is free
            for another.
        overwrite: bool, whether one of the same kind may stand there already.
        kind: `Kind`, what is to be written.

    Raises:
        ValueError: something stands there, and `overwrite` is false or it is
            of another kind.
    """
    path = pathlib.Path(path)
    taken = os.path.lexists(path)
    if kind is not FILE and path.is_dir():
        taken = any(path.iterdir())
    if taken and not overwrite:
        raise ValueError(
            f"Nothing is overwritten unasked. Received: {path}, which exists. "
            "Choose another path, remove it, or ask for `overwrite`."
        )
    if taken and not kind.is_at(path):
        raise ValueError(
            f"Only {kind.name} is overwritten by {kind.name}. Received: {path}, "
            "which is something else, or holds other files too. Choose another "
            "path, or remove it yourself."
        )
    return path


def check_writable(path: Path) -> None:
    """Checks, by writing, that there may be a file or directory at a path.

    Nothing is left behind; missing directories above it are not made.

    Raises:
        NotWrittenError: an `OSError`: the disk is full or read-only, or the like.
    """
    above = pathlib.Path(path).absolute().parent
    while not above.exists() and above != above.parent:
        above = above.parent
    with naming(path), tempfile.TemporaryFile(dir=above) as file:
        file.write(b"x")
        file.flush()


def check_name(path: Path) -> None:
    """Checks that TensorFlow can write to a path.

    Raises:
        ValueError: it is no UTF-8.
    """
    try:
        os.fspath(path).encode()
    except UnicodeEncodeError:
        raise ValueError(
            "TensorFlow writes to paths of UTF-8 alone. Received: "
            f"{os.fsencode(path)!r}. Rename it, or choose another."
        ) from None


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Names the file that could not be written, and why, in one line.

    Raises:
        NotWrittenError: an `OSError` came from within, or another error that
            tells of one.
    """
    try:
        yield
    except NotWrittenError:
        raise
    except Exception as error:
        cause = _cause(error)
        if cause is None:
            raise
        raise NotWrittenError(f"{path} could not be written: {cause}.") from error


def _cause(error):
    """Why a file could not be written; `None` where the error is another."""
    if isinstance(error, ValueError):
        return None
    text = str(error)
    match = re.search(r"errno = (\d+)", text)  # of h5py
    number = int(match[1]) if match else getattr(error, "errno", None)
    if number:
        return os.strerror(number)
    for number in CAUSES:
        if os.strerror(number) in text:
            return os.strerror(number)
    return text.partition("\n")[0] if isinstance(error, OSError) else None


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[pathlib.Path]:
    """Gives a temporary path; what is written there then becomes `path`.

    The temporary file or directory lies beside `path` and keeps its suffixes.
    It takes the place of `path` in one step when the block ends, and is
    removed when the block raises. A file never replaces a directory, nor a
    directory a file. A directory that stands at `path` is first moved aside; a
    kill between the two steps leaves it as `.old.NAME`, where `standing` finds
    it, and from where the next writing to `path` and `sweep` bring it back.

    Raises:
        NotWrittenError: the disk is full, or the like.
    """
    path = pathlib.Path(os.path.abspath(path))
    with naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary, old = _beside(path, "tmp"), _beside(path, "old")
        if old.exists() and not path.exists():
            old.rename(path)
        remove(temporary)
        remove(old)
        try:
            yield temporary
            _sync(temporary)
            if path.is_dir() and temporary.is_dir():
                path.rename(old)
            temporary.replace(path)
            _sync_entry(path.parent)
        except BaseException:
            with contextlib.suppress(OSError):  # the first error is to be seen
                if old.exists() and not path.exists():
                    old.rename(path)
                remove(temporary)
            raise
        remove(old)


def standing(path: Path) -> pathlib.Path:
    """Where a directory is read: `path`, or where a kill has left it."""
    path = pathlib.Path(path)
    if path.exists():  # as "." does, which has no name
        return path
    old = _beside(path, "old")
    return old if old.exists() else path


def _beside(path, prefix):
    """The hidden path beside another, of a name that is not too long."""
    name = path.name
    if len(os.fsencode(name)) > LONGEST:
        name = hashlib.sha256(os.fsencode(name)).hexdigest() + path.suffix[-40:]
    return path.with_name(f".{prefix}.{name}")


def reserve(path: pathlib.Path, size: int) -> None:
    """Checks that there is room for a file, for writers that a full disk crashes.

    HDF5 ends the process where it cannot write what it holds when it is closed.

    Args:
        path: of the file, which is not there yet.
        size: int, its bytes, at least.

    Raises:
        OSError: there is no room, or a limit forbids it.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        with open(path, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
    finally:
        path.unlink(missing_ok=True)


def sync(path: Path) -> None:
    """Puts a file on the disk."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())


def _sync(path):
    """Puts a file, or all files of a directory, on the disk."""
    for file in [path, *path.rglob("*")]:
        if file.is_file():
            sync(file)


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
        hidden = _beside(path, "del")
        if hidden.exists() and hidden != path:
            shutil.rmtree(hidden)
        shutil.rmtree(path.rename(hidden))


def sweep(directory: Path, name: str = "*") -> None:
    """Mends what a kill while writing or removing left in a directory.

    Args:
        directory: str or path.
        name: str, a pattern of the names that are written there.
    """
    directory = pathlib.Path(directory)
    for prefix in ("tmp", "del"):
        for path in directory.glob(f".{prefix}.{name}"):
            remove(path)
    for old in directory.glob(f".old.{name}"):
        path = old.with_name(old.name.removeprefix(".old."))
        if path.exists():
            remove(old)
        else:
            old.rename(path)


def write_bytes(path, data):
    """Writes a file of these bytes, in place of what stands there."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)
