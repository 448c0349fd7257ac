"""One process at a time in a directory."""

from collections.abc import Iterator
import contextlib
import errno
import os
import pathlib
import socket
import time
import warnings

from keras_gans.utils import files
from keras_gans.utils.types import Path

NAME = ".keras-gans.lock"
RETRIES = 100  # where a directory that was just made is gone
UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP)


@contextlib.contextmanager
def locked(directory: Path, wait: bool = False) -> Iterator[None]:
    """Holds a directory for this process, and makes it where there is none.

    The system releases the lock when its holder ends, however that ends: also
    by `kill -9`. It is advice to those who write; readers need none. What was
    made for it alone is removed with it.

    Args:
        directory: str or path.
        wait: bool, whether to wait for another holder's end.

    Raises:
        ValueError: another process, or another part of this one, holds it: the
            message names it; or `directory` is a file.
        NotWrittenError: an `OSError`: the disk is full or read-only, or the like.
    """
    directory = pathlib.Path(directory).absolute()
    missing = [p for p in (directory, *directory.parents) if not p.exists()]
    with contextlib.ExitStack() as stack:
        path = directory / NAME
        stack.callback(_remove_empty, missing)
        with files.naming(path):
            descriptor = _take(path, wait)
        stack.callback(os.close, descriptor)
        # While it is held, so that nobody waits for a file without a name.
        stack.callback(path.unlink, missing_ok=True)
        yield


def _take(path, wait):
    """The descriptor of a locked file, which says who holds it."""
    import fcntl  # of POSIX

    vanished = 0
    while True:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            # Another process has just removed the directory, or none can be made.
            vanished += 1
            if vanished > RETRIES:
                raise
            continue
        except (FileExistsError, NotADirectoryError) as error:
            raise ValueError(
                f"A directory is expected. Received: {path.parent}, which is "
                "or lies in a file."
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            holder = os.pread(descriptor, 1000, 0).decode("utf-8", "replace")
            os.close(descriptor)
            raise ValueError(
                "Two trainings do not write into one directory. Received: "
                f"{path.parent}, in use by {holder or 'a process that starts'}. "
                "Wait for its end, end it, or choose another directory "
                "(--run_dir)."
            ) from None
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                os.close(descriptor)
                raise
            warnings.warn(
                f"The file system of {path.parent} knows no locks ({error}): "
                "nothing keeps a second training out of it.",
                stacklevel=4,
            )
        if _is_at(descriptor, path):
            try:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, _holder().encode(), 0)
            except OSError:
                path.unlink(missing_ok=True)
                os.close(descriptor)
                raise
            return descriptor
        os.close(descriptor)  # of a holder that has just ended


def _is_at(descriptor, path):
    try:
        return os.path.samestat(os.fstat(descriptor), os.stat(path))
    except FileNotFoundError:
        return False


def _holder():
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    return f"process {os.getpid()} on {socket.gethostname()} since {since}"


def _remove_empty(directories):
    for directory in directories:
        try:
            directory.rmdir()
        except OSError:  # something is in it
            return
