"""Solids of files: found, brought to one grid of voxels, and turned."""

from collections import Counter
from collections.abc import Sequence
import os
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from keras_gans.data.broken import usable_of
from keras_gans.data.checks import check_length, check_on_error, check_options
from keras_gans.data.decoding import counted, list_files
from keras_gans.data.digests import digests
from keras_gans.data.furniture import furniture
from keras_gans.data.pipeline import batches_of_indices, example_seeds, seed_key
from keras_gans.data.places import find_place
from keras_gans.data.python_calls import python_call
from keras_gans.data.sources import Source, kind, missing_folder
from keras_gans.data.summary import Report
from keras_gans.modalities import meshes
from keras_gans.modalities.base import check_range
from keras_gans.modalities.binvox import decode_binvox
from keras_gans.modalities.untrusted import load_one_array
from keras_gans.modalities.volume import turntable
from keras_gans.utils.keywords import refuses_unknown
from keras_gans.utils.types import Path
from keras_gans.utils.validation import check_size, one_of

GRIDS = (".npz", ".npy", ".binvox")
EXTENSIONS = (*GRIDS, *meshes.EXTENSIONS)
EMBEDDED = ("furniture",)
ALLOWED = (
    '"furniture" (the embedded set), or the path of a folder or zip archive of '
    "volumes and meshes"
)
UP = ("y", "z")

_kept = {}  # of this process: what was made of the files looked at last


class Solid(NamedTuple):
    """A file's solid on the grid asked for.

    Attributes:
        bits: uint8 `[bytes]`, its voxels, 8 a byte.
        grid: tuple, the sides of what the file holds, or `None` of a mesh.
        closed: bool, whether a mesh is.
    """

    bits: np.ndarray
    grid: tuple | None
    closed: bool = True


@refuses_unknown
def load_volumes(
    source: Any,
    *,
    size: int = 32,
    range: tuple[float, float] = (0.0, 1.0),
    batch_size: int = 64,
    labels: bool = False,
    pictures: int | None = None,
    rotate: bool = False,
    flip: bool = False,
    up: str = "y",
    surfaces: bool = False,
    shuffle: bool = True,
    seed: int = 0,
    drop_remainder: bool = True,
    repeat: bool = False,
    start: int = 0,
    on_error: str = "raise",
) -> tf.data.Dataset:
    """Returns a `tf.data.Dataset` of batches of solids `[n, x, y, z, 1]`.

    All files are read beforehand, and kept as bits: 4 kB a solid of 32 voxels a
    side. Volumes of another grid are resampled: a voxel is solid where anything
    in it is. Meshes are scaled so that their longest side leaves one voxel free
    at each end. Order and turns are functions of the seed, the epoch and the
    example's index, as of `load`.

    Args:
        source: "furniture", 820 embedded solids; or the path of a folder of
            volumes (.npz of one array, or one named "volume", .npy, .binvox) and
            meshes (.obj, .stl, .ply, .off, .glb, .gltf), searched with its
            subfolders, or of a zip archive of them. Arrays are `[x, y, z]` or
            `[x, y, z, 1]`: 0 and 1, or floats, solid above 0.5, or above 0 where any
            is negative.
        size: int, voxels of a side.
        range: tuple (low, high), the values of empty and of solid voxels.
        batch_size: int.
        labels: whether to give `(volumes, labels)`: the first-level subfolders,
            sorted by name.
        pictures: int, to give `(pictures, volumes)` for `ImageToVolume`: a
            picture of each solid, of so many pixels a side, see `render_volumes`.
        rotate: whether to turn each solid by 0 to 3 quarters about the axis that
            points up, anew each epoch.
        flip: whether to mirror half of the solids, at random, along their first axis.
        up: "y" or "z", the axis of the files that points up; it becomes y.
        surfaces: whether to take meshes that are open: their surface, and what
            it encloses. Else they are refused.
        shuffle: whether each epoch has an order of its own.
        seed: a non-negative integer.
        drop_remainder: whether to leave out the last batch of an epoch if it is
            short.
        repeat: whether the dataset is endless.
        start: batches already consumed. With `repeat=False`, whole epochs.
        on_error: "raise", or "skip" to leave out files that cannot be used.

    Returns:
        A dataset of float32 `[batch_size, size, size, size, 1]`, or of tuples: of
        it and int32 `[batch_size]` with `labels=True`, of float32 `[batch_size,
        pictures, pictures, 1]` in [-1, 1] and it with `pictures`.

    Raises:
        ValueError: an argument is unusable, there are no solids, or files are
            damaged, empty or open: all of them are named.
        ImportError: there are meshes, and the extra "mesh" is not installed.

    Example:

    ```python
    from keras_gans.data import load_volumes

    dataset = load_volumes("furniture", size=16, batch_size=16)
    for volumes in dataset.take(1):
        print(volumes.shape)  # (16, 16, 16, 16, 1)
    ```
    """
    low, high = check_range(range)
    check_size("size", size)
    batching = check_options(batch_size, drop_remainder, repeat, start, seed, on_error)
    if pictures is not None:
        check_size("pictures", pictures)
        if labels:
            raise ValueError(
                "Pictures of solids have no labels beside them. Received: "
                f"pictures={pictures}, labels=True. Drop one."
            )
    solids = find_volumes(source, size, labels, up, surfaces, on_error)
    check_length(solids.source.name, len(solids.bits), batching, "solids")
    key = seed_key(seed)
    shape = (size, size, size, 1)

    def read(index):
        return np.unpackbits(solids.bits[int(index)], count=size**3).reshape(shape)

    def picture_of(solid):
        return render_volumes(solid[None], pictures)[0]

    def prepare(epoch, index):
        solid = tf.ensure_shape(python_call(read, [index], tf.uint8), shape)
        if rotate or flip:
            seeds = example_seeds(key, epoch, index, 2)
        if rotate:
            solid = _turned(
                solid, tf.random.stateless_uniform([], seeds[0], 0, 4, "int32")
            )
        if flip:
            mirrored = tf.random.stateless_uniform([], seeds[1]) < 0.5
            solid = tf.where(mirrored, solid[::-1], solid)
        volume = tf.cast(solid, "float32") * (high - low) + low
        if pictures is not None:
            picture = python_call(picture_of, [solid], tf.float32)
            return tf.ensure_shape(picture, (pictures, pictures, 1)), volume
        if not labels:
            return volume
        return volume, tf.gather(tf.constant(solids.labels, "int32"), index)

    return batches_of_indices(len(solids.bits), prepare, batching, key, shuffle)


@refuses_unknown
def render_volumes(volumes: np.ndarray, pixels: int = 32) -> np.ndarray:
    """Shaded pictures of solids, seen from the side and from above.

    Args:
        volumes: array `[n, x, y, z, 1]` in [0, 1], solid above 0.5.
        pixels: int, of a side.

    Returns:
        float32 `[n, pixels, pixels, 1]` in [-1, 1], grey on white.

    Raises:
        ValueError: an argument is something else.

    Example:

    ```python
    from keras_gans.data import furniture, render_volumes

    render_volumes(furniture().volumes[:4]).shape  # (4, 32, 32, 1)
    ```
    """
    check_size("pixels", pixels)
    if np.ndim(volumes) != 5 or np.shape(volumes)[-1] != 1:
        raise ValueError(
            "Pictures are made of volumes [n, x, y, z, 1]. Received: shape "
            f"{np.shape(volumes)}."
        )
    pictures = np.empty((len(volumes), pixels, pixels, 1), "float32")
    for picture, volume in zip(pictures, volumes, strict=True):
        density = np.asarray(volume[..., 0], "float32")
        # Networks have learned from these: thin walls stay as they were.
        picture[..., 0] = 2 * turntable(density, 1, pixels, thin=False)[0] - 1
    return pictures


def _turned(solid, quarters):
    """A cube turned about its second axis."""
    turned = tf.where(quarters % 2 == 1, tf.transpose(solid, (2, 1, 0, 3)), solid)
    turned = tf.where((quarters == 1) | (quarters == 2), turned[::-1], turned)
    return tf.where(quarters >= 2, turned[:, :, ::-1], turned)


class Solids(NamedTuple):
    """The solids of a source.

    Attributes:
        source: `sources.Source`.
        bits: list of uint8 arrays, the voxels of each, 8 a byte.
        labels: list of int, or `None`.
        kinds: list of `Solid`, of files.
    """

    source: Source
    bits: Sequence[np.ndarray]
    labels: Sequence[int] | None
    kinds: Sequence[Solid] = ()


def find_volumes(
    source: Any,
    size: int,
    labels: bool = False,
    up: str = "y",
    surfaces: bool = False,
    on_error: str = "raise",
) -> Solids:
    """Returns the `Solids` of a folder, an archive or the embedded set.

    Raises:
        ValueError: there are none, or files cannot be used.
    """
    one_of("up", up, UP)
    shape = (size, size, size, 1)
    if isinstance(source, str) and source in EMBEDDED:
        check_on_error(on_error)  # as of files, where they are read
        embedded = furniture()
        bits = [np.packbits(_fitted(v[..., 0] > 0, size)) for v in embedded.volumes]
        volumes = Source(source, len(bits), shape, None, None, embedded.label_names, [])
        return Solids(volumes, bits, embedded.labels)
    place = _place(source)
    listing = list_files(place, labels, EXTENSIONS, "volumes or meshes")
    new = {}

    def make(name):
        return _make(place, name, size, up, surfaces, new)

    try:
        usable = usable_of(listing, make, on_error, "volume and mesh")
    finally:
        _kept.clear()
        _kept.update(new)
    listing, solids = usable.listing, usable.heads
    name = f"folder {place.path!r}"
    volumes = Source(name, len(solids), shape, None, None, listing.classes, [usable])
    return Solids(volumes, [one.bits for one in solids], listing.labels, solids)


def volume_classes(source: Any) -> list[str]:
    """The names of the classes of solids: the subfolders of a source.

    Args:
        source: path of a folder or zip archive, as of `load_volumes`, or "furniture".

    Returns:
        List of str, sorted.

    Raises:
        ValueError: there are no solids, or some lie in no subfolder.

    Example:

    ```python
    import pathlib

    for name in ("chair", "table"):
        pathlib.Path("solids", name).mkdir(parents=True)
        np.save(f"solids/{name}/1.npy", np.ones((8, 8, 8), "uint8"))
    keras_gans.data.volume_classes("solids")  # ["chair", "table"]
    ```
    """
    if isinstance(source, str) and source in EMBEDDED:
        return furniture().label_names
    place = _place(source)
    return list_files(place, True, EXTENSIONS, "volumes or meshes").classes


@refuses_unknown
def describe_volumes(
    source: Any,
    size: int,
    labels: bool = False,
    up: str = "y",
    surfaces: bool = False,
    on_error: str = "raise",
) -> Report:
    """What a training reads from a source of solids.

    Args:
        source: see `load_volumes`.
        size: int, voxels of a side.
        labels: bool.
        up: see `load_volumes`.
        surfaces: see `load_volumes`.
        on_error: see `load_volumes`.

    Returns:
        `Report`.

    Raises:
        ValueError: the source cannot be used, or an argument is out of its range.

    Example:

    ```python
    report = keras_gans.data.describe_volumes("furniture", 32)
    ```
    """
    solids = find_volumes(source, size, labels, up, surfaces, on_error)
    rows = [("data", str(source))]
    files = solids.source.files
    if not files:
        rows.append(("used", f"{len(solids.bits)} embedded solids"))
    else:
        (usable,) = files
        rows.append(("used", f"{len(solids.bits)} of {usable.total} files"))
        rows += _told(solids, usable, size)
    names = solids.source.classes
    if labels and names:
        rows.append(("classes", f"{len(names)}: {', '.join(names)}"))
    filled = [int(np.unpackbits(one).sum()) / size**3 for one in solids.bits]
    rows.append(
        ("solid", f"{min(filled):.1%} to {max(filled):.1%} of the voxels of each")
    )
    rows.append(("made", f"volumes of {size} x {size} x {size} voxels"))
    if not files:
        return Report(rows, {})
    return Report(rows, usable.broken, files, digests(files))


def _told(solids, usable, size):
    """What is told of files alone."""
    left = [f"{path!r}: {why}" for path, why in usable.broken.items()]
    if usable.listing.others:
        left.append(f"of other kinds: {counted(usable.listing.others)}")
    if left:
        yield "left out", "\n".join(left)
    cube = (size,) * 3
    grids = Counter(s.grid for s in solids.kinds if s.grid not in (None, cube))
    if grids:
        sides = (f"{n} of {' x '.join(map(str, g))}" for g, n in grids.most_common(9))
        yield "resampled", f"{', '.join(sides)} voxels: solid where anything is"
    mesh_files = [s for s in solids.kinds if s.grid is None]
    if mesh_files:
        still = sum(not s.closed for s in mesh_files)
        told = f"{len(mesh_files)} meshes"
        if still:
            told += f", {still} of them open: their surface, and what it encloses"
        yield "voxelized", told


@refuses_unknown
def read_volume(
    path: Path, size: int, up: str = "y", surfaces: bool = False
) -> np.ndarray:
    """The solid of one file: bool `[size, size, size, 1]`; see `load_volumes`.

    Args:
        path: str or path of a mesh or of an array.
        size: int, voxels of a side.
        up: "y" or "z", the axis of the file that points up; it becomes y.
        surfaces: bool, as of `load_volumes`.

    Returns:
        bool array `[size, size, size, 1]`.

    Raises:
        ValueError: naming the file, where it cannot be used.

    Example:

    ```python
    np.save("solid.npy", np.ones((8, 8, 8), "uint8"))
    keras_gans.data.read_volume("solid.npy", 8).sum()  # 512
    ```
    """
    one_of("up", up, UP)
    check_size("size", size)
    extension = os.path.splitext(path)[1].lower()
    if extension not in EXTENSIONS:
        raise ValueError(
            f"Volumes and meshes end in {', '.join(EXTENSIONS)}. Received: "
            f"{os.fspath(path)!r}."
        )
    folder, name = os.path.split(os.path.abspath(path))
    solid = _make(find_place(folder), name, size, up, surfaces, {})
    if isinstance(solid, str):
        raise ValueError(f"Cannot read {os.fspath(path)!r}: {solid}")
    bits = np.unpackbits(solid.bits, count=size**3)
    return bits.reshape(size, size, size, 1).astype(bool)


def _place(source):
    if not isinstance(source, (str, os.PathLike)):
        raise ValueError(
            f"Volumes are loaded from {ALLOWED}. Received: {kind(source)}. Arrays "
            "are given to a GAN as they are."
        )
    place = find_place(os.fspath(source))
    if place is None:
        raise missing_folder(os.fspath(source), EMBEDDED, ALLOWED, "volumes")
    return place


def _make(place, name, size, up, surfaces, new):
    """`Solid` of a file, or why it cannot be used; `new` takes it for later."""
    try:
        key = (*place.version_of(name), name, size, up, surfaces)
        solid = _kept.get(key)
        if solid is None:
            extension = os.path.splitext(name)[1].lower()
            solid = _solid(place.read(name), extension, size, up, surfaces)
        new[key] = solid
        return solid
    except ImportError:
        raise
    except Exception as error:  # decoders raise every kind
        return str(error) or type(error).__name__


def _solid(data, extension, size, up, surfaces):
    closed, grid = True, None
    if extension in meshes.EXTENSIONS:
        mesh = meshes.decode_mesh(data, extension)
        solid = _upright(meshes.voxelize(mesh, size, surfaces), up)
        closed = mesh.closed
    else:
        binvox = extension == ".binvox"
        solid = decode_binvox(data) if binvox else _occupied(data)
        solid = _upright(solid, up)
        grid = solid.shape
        solid = _fitted(solid, size)
    if not solid.any():
        raise ValueError("it is empty: no voxel is solid.")
    return Solid(np.packbits(solid), grid, closed)


def _occupied(data):
    """Which voxels of the array of a file are solid."""
    volume = load_one_array(data, "volume")
    if volume.ndim == 4 and volume.shape[-1] == 1:
        volume = volume[..., 0]
    if volume.ndim != 3:
        raise ValueError(
            f"it has the shape {volume.shape}, and volumes are [x, y, z] or "
            "[x, y, z, 1]."
        )
    if not np.isfinite(volume).all():
        raise ValueError("it holds NaN or infinite values.")
    low, high = float(volume.min()), float(volume.max())
    if low < -1 or high > 1:
        raise ValueError(
            f"its values lie in [{low:g}, {high:g}], and those of volumes in [0, 1] "
            "or [-1, 1]."
        )
    return volume > (0 if low < 0 else 0.5)


def _upright(solid, up):
    """A solid whose axis y points up, of one whose axis z does: turned about x."""
    return solid if up == "y" else solid.transpose(0, 2, 1)[:, :, ::-1]


def _fitted(solid, size):
    """A solid on another grid: padded to a cube, resampled along each axis."""
    most = max(solid.shape)
    if solid.shape != (most,) * 3:
        gaps = [most - side for side in solid.shape]
        solid = np.pad(solid, [(gap // 2, gap - gap // 2) for gap in gaps])
    if most == size:
        return solid
    edges = np.arange(size + 1) * most // size
    for axis in range(3):
        if most > size:  # solid where any of the old voxels is
            solid = np.maximum.reduceat(solid, edges[:-1], axis=axis)
        else:
            middles = (2 * np.arange(size) + 1) * most // (2 * size)
            solid = solid.take(middles, axis=axis)
    return solid
