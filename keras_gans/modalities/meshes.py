"""Meshes from strangers: their triangles, and the voxels that these enclose."""

import io
import json
import struct
from typing import NamedTuple

import numpy as np

from keras_gans.modalities import untrusted
from keras_gans.utils.optional import require

EXTENSIONS = (".obj", ".stl", ".ply", ".off", ".glb", ".gltf")
MAX_FACES = 2**22
MAX_POINTS = 2**28  # at which surfaces are looked at, in all
POINTS = 2**20  # of them at a time
# Of a glTF file, what is geometry. Pictures and materials are not even decoded.
PARTS = ("asset", "scene", "scenes", "nodes", "meshes", "accessors", "bufferViews")
GLB = b"glTF"


class Mesh(NamedTuple):
    """The triangles of a mesh.

    Attributes:
        triangles: float64 `[n, 3, 3]`, the corners of each, in any unit.
        closed: bool, whether they enclose a solid without a gap.
    """

    triangles: np.ndarray
    closed: bool


def decode_mesh(data: bytes, extension: str) -> Mesh:
    """The mesh of a file; of a scene, all meshes where they stand.

    Nothing beside the file is read: no materials, pictures or buffers.

    Args:
        data: bytes of the file.
        extension: str, one of `EXTENSIONS`.

    Raises:
        ValueError: it is damaged, too large, or holds no triangles.
        ImportError: the extra "mesh" is not installed.
    """
    trimesh = require("trimesh", "mesh", "Meshes")
    untrusted.check_bytes(len(data))
    try:
        if extension in (".glb", ".gltf"):
            data = _geometry_alone(data, extension)
        options = {"skip_materials": True} if extension == ".obj" else {}
        loaded = trimesh.load(
            io.BytesIO(data),
            file_type=extension[1:],
            resolver=None,
            process=False,  # which would make one of all corners of a small mesh
            **options,
        )
        parts = list(_parts(loaded, trimesh))
        if not parts:
            raise ValueError("it holds no triangles")
        mesh = trimesh.util.concatenate(parts)
        mesh.remove_unreferenced_vertices()
        mesh.vertices = _in_unit(np.asarray(mesh.vertices, "float64"))
        # Corners that only pictures and normals set apart are one.
        mesh.merge_vertices(merge_tex=True, merge_norm=True)
        triangles = np.asarray(mesh.triangles, "float64")
        closed = _is_closed(np.asarray(mesh.faces), trimesh)
    except Exception as error:  # of its readers, of every kind
        told = str(error) or type(error).__name__
        raise ValueError(f"it is no mesh that can be read ({told}).") from error
    return Mesh(triangles, closed)


def voxelize(
    mesh: Mesh, size: int | tuple[int, int, int], surfaces: bool = False
) -> np.ndarray:
    """The voxels of a mesh, as large as leaves one free at each end of its sides.

    What the surface touches is solid, and what it encloses.

    Args:
        mesh: `Mesh`.
        size: int, voxels of a side, or a tuple of three.
        surfaces: bool, whether to take a mesh that is open: its surface, and
            what that encloses at this size.

    Returns:
        bool `[x, y, z]`, centred.

    Raises:
        ValueError: it is open, flat to a point, or has too many large triangles.
    """
    if not mesh.closed and not surfaces:
        raise ValueError(
            "it is open: its surface has gaps or loose parts, and encloses no solid. "
            "Close it in a program for meshes, or take surfaces as they are by "
            "`surfaces=True` (--surfaces) of `load_volumes` and `read_volume`."
        )
    corners = mesh.triangles.reshape(-1, 3)
    low, high = corners.min(axis=0), corners.max(axis=0)
    if not (high > low).any():
        raise ValueError("it is empty: all of its corners are one.")
    sides = np.broadcast_to(size, 3)
    # A hair less: what ends between two voxels touches the one within alone.
    scale = (1 - 1e-6) / ((high - low) / np.maximum(sides - 2, 1)).max()
    triangles = (mesh.triangles - (low + high) / 2) * scale + sides / 2
    solid = np.zeros(sides, bool)
    for points in _on(triangles):
        solid[tuple(np.floor(points).astype(int).clip(0, sides - 1).T)] = True
    ndimage = require("scipy.ndimage", "mesh", "Meshes")
    return ndimage.binary_fill_holes(solid)


def _in_unit(points):
    """Points whose longest side is 1, as what is one corner is told by distances."""
    if not np.isfinite(points).all():
        raise ValueError("it has corners that are NaN or infinite")
    low, high = points.min(axis=0) / 2, points.max(axis=0) / 2
    return (points / 2 - low) / ((high - low).max() or 1)


def _is_closed(faces, trimesh):
    """Whether each edge is one of an even number of faces: then they enclose a solid.

    Parts may touch, along edges too. A face that is there twice is either drawn from
    both sides or the wall between two parts.
    """
    faces = np.sort(faces, axis=1)
    faces = faces[(faces[:, 1:] != faces[:, :-1]).all(axis=1)]
    if not len(faces):
        return False
    first, number = trimesh.grouping.unique_rows(faces)
    once, odd = faces[first], np.bincount(number) % 2 == 1
    return any(_is_even(kept, trimesh) for kept in (once, once[odd]) if len(kept))


def _is_even(faces, trimesh):
    edges = faces[:, [0, 1, 1, 2, 0, 2]].reshape(-1, 2)
    _, number = trimesh.grouping.unique_rows(edges)
    return not (np.bincount(number) % 2).any()


def _on(triangles):
    """Points on triangles, at most half a voxel apart, some at a time."""
    edges = triangles - np.roll(triangles, 1, axis=1)
    longest = np.sqrt(np.square(edges).sum(axis=2).max(axis=1))
    steps = np.ceil(2 * longest).astype(int).clip(1)
    steps = 1 << np.ceil(np.log2(steps)).astype(int)  # few kinds of triangles
    kinds, counts = np.unique(steps, return_counts=True)
    of_each = (kinds + 1) * (kinds + 2) // 2
    if (of_each * counts).sum() > MAX_POINTS:
        raise ValueError(
            f"it has too many large triangles: {len(triangles)}, which would be "
            f"looked at in more than {MAX_POINTS} points. Simplify it."
        )
    for kind, points in zip(kinds, of_each, strict=True):
        i, j = np.mgrid[: kind + 1, : kind + 1].reshape(2, -1)
        i, j = (x[i + j <= kind] / kind for x in (i, j))
        shares = np.stack([i, j, 1 - i - j], axis=1)
        chosen = triangles[steps == kind]
        count = max(1, POINTS // points)
        for start in range(0, len(chosen), count):
            yield (shares @ chosen[start : start + count]).reshape(-1, 3)


def _parts(loaded, trimesh):
    """The meshes of what was read, as they stand; their faces are bounded."""
    if not isinstance(loaded, trimesh.Scene):
        if isinstance(loaded, trimesh.Trimesh) and len(loaded.faces):
            _check_faces(len(loaded.faces))
            yield loaded
        return
    names = [loaded.graph[node] for node in loaded.graph.nodes_geometry]
    placed = [(m, loaded.geometry[name]) for m, name in names]
    placed = [(m, g) for m, g in placed if isinstance(g, trimesh.Trimesh)]
    _check_faces(sum(len(g.faces) for _, g in placed))
    for matrix, geometry in placed:
        if len(geometry.faces):
            yield geometry.copy().apply_transform(matrix)


def _check_faces(count):
    if count > MAX_FACES:
        raise ValueError(f"it has {count} triangles, more than {MAX_FACES}")


def _geometry_alone(data, extension):
    """A glTF file without its pictures and materials, nor what lies elsewhere."""
    rest = b""
    if extension == ".glb":
        if data[:4] != GLB or len(data) < 20:
            raise ValueError("it is no .glb file")
        (length,) = struct.unpack("<I", data[12:16])
        head, rest = data[20 : 20 + length], data[20 + length :]
    else:
        head = data
    tree = json.loads(head)
    kept = {name: tree[name] for name in PARTS if name in tree}
    for accessor in kept.get("accessors", ()):
        untrusted.check_count((accessor["count"],))
        if "bufferView" not in accessor or "sparse" in accessor:
            raise ValueError("it is stored in a way that is not read (sparse)")
    for buffer in (buffers := tree.get("buffers", [])):
        if not buffer.get("uri", "data:").startswith("data:"):
            raise ValueError(
                "its buffers lie in other files. Export it as .glb, which is whole"
            )
    for mesh in kept.get("meshes", ()):
        mesh["primitives"] = [
            {
                **{k: v for k, v in one.items() if k in ("indices", "mode")},
                "attributes": {"POSITION": one["attributes"]["POSITION"]},
            }
            for one in mesh["primitives"]
        ]
    kept["buffers"] = buffers
    head = json.dumps(kept).encode()
    if extension == ".gltf":
        return head
    head += b" " * (-len(head) % 4)
    length = 20 + len(head) + len(rest)
    start = GLB + struct.pack("<III", 2, length, len(head)) + b"JSON"
    return start + head + rest
