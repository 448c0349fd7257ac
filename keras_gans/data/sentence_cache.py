"""Vectors of sentences on disk: large encoders take longer than training begins."""

from collections.abc import Callable, Sequence
import hashlib
import json
import os
import pathlib
import warnings

import numpy as np

from keras_gans.utils import files
from keras_gans.utils.errors import outside
from keras_gans.utils.types import Path

FORMAT = 1  # a new number forgets all that older versions wrote
CHECKSUM = "sha256"  # of the vectors of a file, beside them

_kept = {}  # of this process: what was encoded last


def default_directory() -> pathlib.Path:
    """Where vectors are kept: `keras_gans/text` in the user's cache."""
    root = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return pathlib.Path(root).expanduser() / "keras_gans" / "text"


def encoded(
    sentences: Sequence[str],
    encode: Callable,
    key: str | None = None,
    directory: Path | None = None,
) -> np.ndarray:
    """Vectors of sentences, computed once.

    Args:
        sentences: list of str.
        encode: function of it to vectors `[n, dim]`.
        key: str, all that a vector depends on beside its sentence: then vectors
            are kept on disk. `None` keeps nothing.
        directory: str or path; by default `default_directory()`.

    Returns:
        float32 `[n, dim]`. A damaged file counts as missing.
    """
    if key is None:
        return encode(sentences)
    text = json.dumps([FORMAT, key, list(sentences)])
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    if digest in _kept:
        return _kept[digest]
    directory = default_directory() if directory is None else directory
    path = pathlib.Path(directory).expanduser() / f"{digest}.npz"
    vectors = _read(path, len(sentences))
    if vectors is None:
        vectors = encode(sentences)
        _write(path, vectors)
    _kept.clear()
    _kept[digest] = vectors
    return vectors


def _read(path, rows):
    # Damaged bytes meet zipfile and NumPy with errors of many kinds.
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            vectors = np.asarray(archive["vectors"])
            whole = str(archive[CHECKSUM]) == _checksum(vectors)
        return vectors if whole and len(vectors) == rows else None
    except Exception:
        return None


def _write(path, vectors):
    try:
        with files.replacing(path) as temporary:
            checksum = {CHECKSUM: np.array(_checksum(vectors))}
            np.savez(temporary, vectors=vectors, **checksum)
    except OSError as error:  # a full disk is no reason not to train
        warnings.warn(
            f"Vectors of sentences cannot be kept in {path.parent}: "
            f"{str(error).rstrip('.')}. They are computed again next time.",
            UserWarning,
            stacklevel=outside(),
        )


def _checksum(vectors):
    content = f"{vectors.dtype} {vectors.shape}".encode()
    return hashlib.sha256(content + np.ascontiguousarray(vectors).tobytes()).hexdigest()
