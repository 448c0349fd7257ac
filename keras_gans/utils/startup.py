"""What holds before the backend is imported: a quiet log, and oneDNN."""

import contextlib
import functools
import glob
import importlib
import os
import pathlib
import re
import signal
import sys

# Of TensorFlow's log: "I0000 00:00:17 port.cc:153] oneDNN ...". What is worse
# than an error is fatal (F), and stays.
LOG_LINE = re.compile(
    rb"([IWE])\d{4} |WARNING: All log messages before absl::InitializeLog\(\)"
    rb"|To enable the following instructions: "
)


def prepare(words: list) -> None:
    """Sets what TensorFlow reads when it is imported, and imports the backend.

    Does nothing where it is imported already. Variables that are set stay.

    Args:
        words: list of str, the command line: with "--verbose", TensorFlow logs
            as it does by itself.
    """
    if "keras" in sys.modules:
        return
    if "avx2" in instructions():
        # TensorFlow does so itself where there is AVX-512 VNNI.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if "--verbose" in words:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0")
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # The command that needs it meets the error again, and tells it.
    with filtered_stderr(), contextlib.suppress(ImportError):
        importlib.import_module("keras")
        # On JAX, too: Keras imports it once it makes a network.
        importlib.import_module("tensorflow")


def log_level() -> str:
    """What TensorFlow may log in a program that imports it by this package.

    Warnings stay where there is an accelerator, which may fail to be found; on
    other machines, even the search for one is logged as an error.
    """
    places = ("/dev/nvidia*", "/dev/kfd", "/dev/dxg")
    return "1" if any(map(glob.glob, places)) else "3"


@functools.cache
def instructions() -> frozenset:
    """Names of what this processor can do; none where it does not say."""
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return frozenset()
    flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(), re.MULTILINE)
    return frozenset(flags[1].split() if flags else ())


@contextlib.contextmanager
def quiet_import():
    """Within it, TensorFlow's log of its own loading does not reach the terminal.

    For a program that imports this package: without a process beside it, so that
    all else is held back until the end, and is lost in a crash. Lines are left out
    as `TF_CPP_MIN_LOG_LEVEL` says; at "0", where TensorFlow is imported already,
    and outside of Linux nothing is done.
    """
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "0")
    hidden = {"1": b"I", "2": b"IW"}.get(level, b"IWE")
    if level == "0" or "tensorflow" in sys.modules or not hasattr(os, "memfd_create"):
        yield
        return
    sys.stderr.flush()
    log, terminal = os.memfd_create("stderr"), os.dup(2)
    os.dup2(log, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
        os.lseek(log, 0, os.SEEK_SET)
        with os.fdopen(log, "rb") as lines:
            for line in lines:
                match = LOG_LINE.match(line)
                if not match or (match[1] and match[1] not in hidden):
                    os.write(2, line)


@contextlib.contextmanager
def filtered_stderr():
    """Within it, lines of TensorFlow's log do not reach the terminal.

    No setting holds back what TensorFlow writes while it is loaded. All else
    that is written passes, through a process that outlives a crash of this one.
    """
    if not hasattr(os, "fork"):
        yield
        return
    read_end, write_end = os.pipe()
    sys.stderr.flush()
    reader = os.fork()
    if not reader:
        os.close(write_end)
        _pass_on(read_end)
    os.close(read_end)
    terminal = os.dup(2)
    os.dup2(write_end, 2)
    os.close(write_end)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(terminal, 2)
        os.close(terminal)
        os.waitpid(reader, 0)


def _pass_on(read_end):
    """Copies lines to the terminal until the other end is closed."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with os.fdopen(read_end, "rb") as lines:
            for line in lines:
                if not LOG_LINE.match(line):
                    os.write(2, line)
    finally:
        os._exit(0)
