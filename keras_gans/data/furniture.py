"""The embedded furniture: small, real, labelled solids."""

import functools
import importlib.resources
import io
from typing import NamedTuple

import numpy as np

SIDE = 32


class Furniture(NamedTuple):
    """The embedded set of solids.

    Args:
        volumes: uint8 `[820, 32, 32, 32, 1]`, 1 where it is solid; the second
            axis of a volume points up.
        labels: int32 `[820]`, the class of each.
        names: what each is called.
        creators: who made the model of each.
        label_names: the name of each class.
    """

    volumes: np.ndarray
    labels: np.ndarray
    names: list[str]
    creators: list[str]
    label_names: list[str]


def furniture() -> Furniture:
    """Returns the 820 embedded solids: furniture, plants, vehicles, people.

    Their longest side is 30 voxels, centred. 571 of them are of the class
    "other".

    Returns:
        A `Furniture` tuple `(volumes, labels, names, creators, label_names)`.

    Example:

    ```python
    from keras_gans.data import furniture

    solids = furniture()
    print(solids.volumes.shape, solids.names[0], solids.creators[0])
    ```

    Source: the furniture library of Sweet Home 3D, under CC BY 3.0 and CC0 1.0;
    see `LICENSE.furniture` beside the file.
    """
    packed = _arrays()
    volumes = np.unpackbits(packed["volumes"], axis=1)
    return Furniture(
        volumes=volumes.reshape(-1, SIDE, SIDE, SIDE, 1),
        labels=packed["labels"].astype("int32"),
        names=packed["names"].tolist(),
        creators=packed["creators"].tolist(),
        label_names=packed["classes"].tolist(),
    )


@functools.lru_cache(maxsize=1)
def _arrays():
    path = importlib.resources.files("keras_gans.data") / "assets" / "furniture.npz"
    with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
        return dict(file)
