"""Python functions in `tf.data`, such that the interpreter can end.

An input thread that asks for Python while the interpreter goes down never gets
it, and the interpreter waits for that thread for ever. So before it goes down,
the threads are given time to fill their buffers, after which they rest.
"""

import atexit
import functools
import threading
import time

import tensorflow as tf

QUIET = 0.1  # seconds without a call that count as rest
PATIENCE = 2.0  # seconds until calls fail, which fills any buffer soon
LIMIT = 10.0  # seconds at most

_lock = threading.Lock()
_running = 0
_last_call = 0.0
_leaving = False


def python_call(function, inputs, dtype, stateful=False):
    """`tf.numpy_function` that does not hold up the end of the process."""

    @functools.wraps(function)
    def call(*args):
        _count(1)
        try:
            if _leaving:
                raise RuntimeError("The Python interpreter is about to end.")
            return function(*args)
        finally:
            _count(-1)

    return tf.numpy_function(call, inputs, dtype, stateful=stateful)


def _count(change):
    global _running, _last_call
    with _lock:
        _running += change
        _last_call = time.monotonic()


@atexit.register
def _let_input_threads_rest():
    global _leaving
    start = now = time.monotonic()
    while now - start < LIMIT and (_running or now - _last_call < QUIET):
        _leaving = now - start > PATIENCE
        time.sleep(QUIET / 10)
        now = time.monotonic()
