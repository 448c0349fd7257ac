"""One process at a time in a directory."""

import errno
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys

import pytest

from keras_gans.utils.locks import NAME, locked

HOLD = f"""
import fcntl, sys, time
file = open(sys.argv[1] + "/{NAME}", "w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write("process 1 on mars since 2026-01-01 00:00:00")
file.flush()
print("held", flush=True)
time.sleep(100)
"""


def test_a_second_is_refused_and_told_of_the_first(tmp_path):
    with locked("a"):
        holder = f"process {os.getpid()} on {socket.gethostname()} since 20"
        message = f"Received: {tmp_path}/a, in use by {holder}"
        with pytest.raises(ValueError, match=re.escape(message)), locked("a"):
            pass
        with locked("b"):  # others are free
            pass
        pathlib.Path("a/file").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["a", "file"]
    with locked("a"), pytest.raises(RuntimeError), locked("c/d"):
        raise RuntimeError
    assert not pathlib.Path("c").exists()  # made for nothing, and removed


def test_a_lock_ends_with_its_holder(tmp_path):
    """Also by `kill -9`, which leaves the file behind."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ValueError, match="process 1 on mars"), locked(tmp_path):
            pass
        process.send_signal(signal.SIGKILL)
    assert (tmp_path / NAME).exists()
    with locked(tmp_path):
        assert f"process {os.getpid()} on" in (tmp_path / NAME).read_text()
    assert not (tmp_path / NAME).exists()


def test_files_are_no_directories():
    pathlib.Path("file").touch()
    for path in ("file", "file/below"):
        with pytest.raises(ValueError, match="A directory is expected"), locked(path):
            pass


def test_file_systems_without_locks(tmp_path, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOTSUP, "not supported")

    monkeypatch.setattr("fcntl.flock", flock)
    with pytest.warns(UserWarning, match="knows no locks"), locked(tmp_path / "a"):
        pass


def test_a_directory_that_cannot_be_made():
    """Some file systems say that the one above is missing: no endless waiting."""
    with pytest.raises(OSError, match="could not be written"), locked("/proc/x"):
        pass
