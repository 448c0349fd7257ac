"""Features on disk, found again by the content of their images."""

from collections.abc import Mapping
import hashlib
import pathlib
import warnings

import numpy as np

from keras_gans.utils import files
from keras_gans.utils.types import Path

CHECKSUM = "sha256"  # of all arrays of a file, beside them
FORMAT = 2  # a new number forgets all that older versions wrote


class FeatureCache:
    """Outputs of a feature network in a directory, batch by batch.

    A batch is known by its pixels, and the directory's part by the network,
    its weights, the size and the resize mode; so nothing stale is ever found.
    A file that is damaged counts as missing.

    Args:
        directory: str or path.
        key: str, all that features depend on beside the images.
    """

    def __init__(self, directory: Path, key: str) -> None:
        digest = hashlib.sha256(f"{FORMAT} {key}".encode()).hexdigest()
        self.directory = pathlib.Path(directory).expanduser() / digest[:16]
        self._writable = True

    def get(self, images: np.ndarray) -> dict[str, np.ndarray] | None:
        """The features of a batch, a dict of arrays, or `None`."""
        path = self._path(images)
        # Damaged bytes meet zipfile and NumPy with errors of many kinds.
        try:
            with (
                open(path, "rb") as file,  # np.load leaves a damaged one open
                np.load(file, allow_pickle=False) as archive,
            ):
                features = {name: archive[name] for name in archive}
            written = str(features.pop(CHECKSUM))
            return features if written == _checksum(features) else None
        except Exception:
            return None

    def put(self, images: np.ndarray, features: Mapping[str, np.ndarray]) -> None:
        """Keeps the features of a batch."""
        if not self._writable:
            return
        try:
            with files.replacing(self._path(images)) as temporary:
                checksum = np.array(_checksum(features))
                np.savez(temporary, **features, **{CHECKSUM: checksum})
        except OSError as error:  # a full disk is no reason to lose a score
            self._writable = False
            warnings.warn(
                f"Features cannot be kept in {self.directory}: "
                f"{str(error).rstrip('.')}. They are computed again next time.",
                UserWarning,
                stacklevel=2,
            )

    def _path(self, images):
        content = hashlib.sha256()
        for image in images:
            content.update(str(image.shape).encode())
            content.update(np.ascontiguousarray(image))
        return self.directory / f"{content.hexdigest()}.npz"


def _checksum(features):
    """The SHA-256 of arrays, by name."""
    digest = hashlib.sha256()
    for name, values in sorted(features.items()):
        digest.update(f"{name} {values.dtype} {values.shape}".encode())
        digest.update(np.ascontiguousarray(values))
    return digest.hexdigest()
