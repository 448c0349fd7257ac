"""Where image files lie: in a folder, or in a zip archive."""

from collections.abc import Iterator
import hashlib
import os
import stat
from typing import IO
import zipfile

from keras_gans.modalities.untrusted import check_bytes, check_method

ARCHIVES = (".zip",)
HIDDEN = (".", "__MACOSX")
BLOCK = 2**20  # bytes read at a time


class Folder:
    """A folder that may hold image files.

    Args:
        path: str, path of an existing folder.

    Attributes:
        path: str, how messages call it.
        closed: dict of the path of each subfolder that could not be searched
            to why.
    """

    def __init__(self, path: str):
        self.path = path
        self.closed = {}

    def children(self) -> tuple[list[str], list[str]]:
        """The names of the visible folders and of the files in it, sorted."""
        with os.scandir(self.path) as entries:
            visible = [e for e in entries if not e.name.startswith(HIDDEN)]
        folders = sorted(e.name for e in visible if _is_folder(e))
        return folders, sorted({e.name for e in visible} - set(folders))

    def child(self, name: str) -> "Folder":
        """A folder in it."""
        return Folder(os.path.join(self.path, name))

    def walk(self) -> Iterator[str]:
        """The visible files below it, by their paths from here."""
        start = len(os.path.join(self.path, ""))
        for entry in walk(self.path, self.closed):
            yield entry.path[start:]

    def path_of(self, name: str) -> str:
        """How messages call a file that `walk` gave."""
        return os.path.join(self.path, name)

    def version_of(self, name: str) -> tuple:
        """What changes when a file does.

        Raises:
            OSError: there is no such file.
        """
        status = os.stat(self.path_of(name))
        if not stat.S_ISREG(status.st_mode):  # reading a pipe waits for ever
            raise OSError("it is no regular file")
        return os.path.abspath(self.path_of(name)), status.st_size, status.st_mtime_ns

    def size_of(self, name: str) -> int:
        """The bytes of a file."""
        return os.path.getsize(self.path_of(name))

    def digest_of(self, name: str, ends: int | None = None) -> str:
        """What differs between files of other bytes.

        Args:
            name: str, that `walk` gave.
            ends: int, bytes at both ends that are looked at, or `None` for all.
        """
        size = self.size_of(name)
        digest = hashlib.blake2b(str(size).encode(), digest_size=8)
        with open(self.path_of(name), "rb") as file:  # of any size: in blocks
            if ends is None or size <= 2 * ends:
                while block := file.read(BLOCK):
                    digest.update(block)
            else:
                digest.update(file.read(ends))
                file.seek(size - ends)
                digest.update(file.read())
        return digest.hexdigest()

    def open(self, name: str) -> IO[bytes]:
        """Opens a file for reading, if it is not too large.

        Raises:
            ValueError: it is.
        """
        check_bytes(self.size_of(name))
        return open(self.path_of(name), "rb")

    def read(self, name: str) -> bytes:
        """The bytes of a file, see `open`."""
        with self.open(name) as file:
            return file.read()


class Archive(Folder):
    """A zip archive of image files, or a folder in one.

    Nothing is unpacked to the disk. Where all lies in one folder, that is
    taken for the archive's root.

    Args:
        path: str, path of a zip file.

    Raises:
        ValueError: it is none, or a damaged one.
    """

    def __init__(self, path: str, members: dict | None = None, file=None):
        super().__init__(path)
        self._file, self._members = file, members
        if members is None:
            self._file, self._members = _open_archive(path)

    def children(self) -> tuple[list[str], list[str]]:
        parts = [name.split("/", 1) for name in self._members]
        folders = {p[0] for p in parts if len(p) == 2}
        return sorted(folders), sorted({p[0] for p in parts if len(p) == 1} - folders)

    def child(self, name: str) -> Folder:
        below = {
            path.removeprefix(f"{name}/"): member
            for path, member in self._members.items()
            if path.startswith(f"{name}/")
        }
        return Archive(self.path_of(name), below, self._file)

    def walk(self) -> Iterator[str]:
        yield from self._members

    def version_of(self, name: str) -> tuple:
        member = self._members[name]
        status = os.stat(self._file.filename)
        archive = os.path.abspath(self._file.filename)
        return archive, member.header_offset, status.st_size, status.st_mtime_ns

    def size_of(self, name: str) -> int:
        return self._members[name].file_size

    def digest_of(self, name: str, ends: int | None = None) -> str:
        member = self._members[name]  # which has a checksum of all its bytes
        return f"{member.file_size}-{member.CRC:08x}"

    def open(self, name: str) -> IO[bytes]:
        member = self._members[name]
        # What it announces is all that is ever unpacked.
        check_bytes(member.file_size)
        check_method(member)
        return self._file.open(member)


def find_place(path: str) -> Folder | None:
    """The folder or zip archive at a path; `None` if there is none.

    Raises:
        ValueError: a damaged archive.
    """
    if os.path.isdir(path):
        return Folder(path)
    if os.path.isfile(path) and path.lower().endswith(ARCHIVES):
        return Archive(path)
    return None


def walk(folder: str, closed: dict | None = None) -> Iterator[os.DirEntry]:
    """Yields the visible files below a folder; follows links, but once.

    Links that lead nowhere, or to themselves, are files that cannot be read;
    pipes, sockets and devices are left out.

    Args:
        folder: str, path of an existing folder.
        closed: dict, takes subfolders that cannot be searched, and why;
            `None`: they raise.
    """
    yield from _walk(folder, set(), closed)


def _walk(folder, seen, closed):
    real = os.path.realpath(folder)
    if real in seen:
        return
    seen.add(real)
    try:
        with os.scandir(folder) as entries:
            visible = [e for e in entries if not e.name.startswith(".")]
    except OSError as error:
        if closed is None or len(seen) == 1:
            raise
        closed[folder] = str(error.strerror)
        return
    for entry in sorted(visible, key=lambda e: e.name):
        if _is_folder(entry):
            yield from _walk(entry.path, seen, closed)
        elif _is_file(entry):
            yield entry


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _is_file(entry):
    try:
        return entry.is_file() or not os.path.exists(entry.path)
    except OSError:
        return True


def _open_archive(path):
    """A zip file and its members by name, but for what is hidden."""
    try:
        file = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as error:
        raise ValueError(
            f"Cannot read the archive {path!r}: {error}. Make it anew, or pass "
            "the folder that it was made of."
        ) from error
    members = {}
    for member in file.infolist():
        name = member.filename.replace("\\", "/").lstrip("/")
        # (parent folders "..", too, start with a dot)
        hidden = any(part.startswith(HIDDEN) for part in name.split("/"))
        if name and not member.is_dir() and not hidden:
            members[name] = member
    tops = {name.split("/", 1)[0] if "/" in name else None for name in members}
    while len(tops) == 1 and None not in tops:
        (top,) = tops
        members = {name.removeprefix(f"{top}/"): m for name, m in members.items()}
        tops = {name.split("/", 1)[0] if "/" in name else None for name in members}
    return file, members
