"""Rows of tables that were read last: a file is not parsed anew for each slice."""

from collections import OrderedDict
import os
import threading

import numpy as np

from keras_gans.data.places import Folder
from keras_gans.modalities.series import Series

ROOM = 2**28  # bytes that a process keeps
BESIDE = 2**10  # bytes that a table takes beside its rows, at most

_kept = OrderedDict()  # (version of a file, channels) to rows, the last read last
_used = 0  # bytes of them all
_lock = threading.Lock()


def rows_of(place: Folder, name: str, channels: int) -> np.ndarray:
    """The rows of a table, from memory where they are among those read last.

    Args:
        place: `places.Folder` or `places.Archive`.
        name: str, the path of the file there.
        channels: int, columns of the table.

    Returns:
        float32 `[samples, channels]`, which cannot be written to.

    Raises:
        OSError: there is no such file.
        ValueError: it is damaged, too large, or of other channels.
    """
    global _used
    key = (*place.version_of(name), channels)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
    ending = os.path.splitext(name)[1].lower()
    rows = Series(None, channels).rows_of(place.read(name), ending)
    rows.flags.writeable = False
    with _lock:
        if key not in _kept:  # of another thread, meanwhile
            _kept[key] = rows
            _used += rows.nbytes + BESIDE
        while _used > ROOM:
            _, oldest = _kept.popitem(last=False)
            _used -= oldest.nbytes + BESIDE
    return rows
