"""Meshes made by TensorFlow operations alone, within an exported model.

Each cube between eight voxels is cut into the six tetrahedra around its diagonal, and
each tetrahedron that the level crosses gives one triangle or two. Unlike cubes,
tetrahedra leave no choice of how to join them, so the surface is always closed.

Reference:
    Doi and Koide, An Efficient Method of Triangulating Equi-Valued Surfaces by Using
    Tetrahedral Cells, IEICE Transactions, 1991; Khronos, glTF 2.0.
"""

import itertools

import numpy as np

from keras_gans.modalities.graph_bytes import raw
from keras_gans.modalities.graph_text import number
from keras_gans.utils.types import Tensor

# Of an edge, what is left free at each end: corners of triangles never meet there.
MARGIN = 0.01
AXES = np.eye(3, dtype="int32")
# The four corners of each tetrahedron, in the order in which an edge is walked.
TETRAHEDRA = np.array(
    [
        np.cumsum([0 * AXES[0], *AXES[list(o)]], 0)
        for o in itertools.permutations([*range(3)])
    ]
)
DIRECTIONS = np.array([*itertools.product((0, 1), repeat=3)], "int32")  # of edges
EDGES = np.array([*itertools.combinations(range(4), 2)])

NOTHING = '{"asset":{"version":"2.0"},"scene":0,"scenes":[{}]}'
# Where @ stands: the bytes of the buffer; of the corners, twice; of the faces; how
# many corners, their least and their largest place; how many corners of faces.
SOMETHING = (
    '{"asset":{"version":"2.0"},"scene":0,"scenes":[{"nodes":[0]}],'
    '"nodes":[{"mesh":0}],"meshes":[{"primitives":[{"attributes":{"POSITION":0},'
    '"indices":1}]}],"buffers":[{"byteLength":@}],"bufferViews":[{"buffer":0,'
    '"byteLength":@,"target":34962},{"buffer":0,"byteOffset":@,"byteLength":@,'
    '"target":34963}],"accessors":[{"bufferView":0,"componentType":5126,"count":@,'
    '"type":"VEC3","min":[@],"max":[@]},{"bufferView":1,"componentType":5125,'
    '"count":@,"type":"SCALAR"}]}'
)


def surface(values: Tensor, level: float) -> tuple[Tensor, Tensor]:
    """The closed surface where values cross a level, with faces that look out.

    Args:
        values: float32 tensor `[x, y, z]` of known sides. Those at the sides of the
            grid are not above the level.
        level: float; what is above it is within the surface.

    Returns:
        Corners, float32 `[v, 3]`, in steps of the grid, and faces, int32 `[t, 3]`,
        of the places of their corners.
    """
    import tensorflow as tf

    sides = np.array(values.shape)
    strides = np.array([sides[1] * sides[2], sides[2], 1])
    inside = tf.cast(values > level, tf.int32)

    def of_corner(corner):
        """Whether it is inside, of all cubes."""
        return tf.slice(inside, corner, sides - 1)

    cases = tf.stack(
        [
            tf.add_n([of_corner(c) * 2**i for i, c in enumerate(corners)])
            for corners in TETRAHEDRA
        ]
    )
    crossed = tf.where((cases > 0) & (cases < 15))  # tetrahedra: kind, x, y, z
    own = tf.cast(tf.gather_nd(cases, crossed), tf.int64)
    triangles = tf.gather_nd(
        _triangles(strides), tf.stack([crossed[:, 0], own], axis=1)
    )
    cubes = tf.reduce_sum(crossed[:, 1:] * strides, axis=1)
    faces = tf.boolean_mask(
        8 * cubes[:, None, None] + triangles, triangles[:, :, 0] >= 0
    )
    # A corner lies on an edge, which begins at a voxel and has a direction.
    edges, places = tf.unique(tf.reshape(faces, [-1]))
    start, steps = edges // 8, tf.gather(DIRECTIONS, edges % 8)
    end = start + tf.reduce_sum(tf.cast(steps, tf.int64) * strides, axis=1)
    a, b = (tf.gather(tf.reshape(values, [-1]), x) for x in (start, end))
    share = tf.clip_by_value((level - a) / (b - a), MARGIN, 1 - MARGIN)
    at = tf.stack([start // strides[0], start // strides[1] % sides[1]], axis=1)
    at = tf.concat([at, start[:, None] % sides[2]], axis=1)
    corners = tf.cast(at, tf.float32) + share[:, None] * tf.cast(steps, tf.float32)
    return corners, tf.reshape(places, [-1, 3])


def encode_glb(corners: Tensor, faces: Tensor) -> Tensor:
    """Encodes a mesh; of no faces it is a scene that holds nothing.

    Args:
        corners: float32 tensor `[v, 3]`.
        faces: int32 tensor `[t, 3]`.

    Returns:
        String scalar, a GLB file.
    """
    import tensorflow as tf

    def chunk(name, data):
        return tf.strings.join([_little_endian(tf.strings.length(data)), name, data])

    def ends(find):
        return tf.strings.reduce_join(number(find(corners, axis=0)), separator=",")

    data = tf.strings.join([raw(corners), raw(faces)])
    corner_bytes, face_bytes = 4 * tf.size(corners), 4 * tf.size(faces)
    counts = [corner_bytes + face_bytes, corner_bytes, corner_bytes, face_bytes]
    counts = [*counts, tf.shape(corners)[0], tf.size(faces)]
    told = [tf.strings.as_string(x) for x in counts]
    told[5:5] = [ends(tf.reduce_min), ends(tf.reduce_max)]
    first, *texts = SOMETHING.split("@")
    head = [first, *itertools.chain(*zip(told, texts, strict=True))]
    some = tf.size(faces) > 0
    head = tf.where(some, tf.strings.join(head), NOTHING)
    spaces = tf.strings.substr("   ", 0, -tf.strings.length(head) % 4)
    body = chunk(b"JSON", tf.strings.join([head, spaces]))
    body = tf.strings.join([body, tf.where(some, chunk(b"BIN\0", data), "")])
    length = _little_endian(12 + tf.strings.length(body))
    return tf.strings.join([b"glTF", _little_endian(2), length, body])


def _little_endian(number):
    import tensorflow as tf

    return raw(tf.cast(number, tf.int32))


def _triangles(strides):
    """The triangles of each kind of tetrahedron in each case.

    Args:
        strides: int array `[3]`, from a voxel to the next of each axis.

    Returns:
        int64 array `[6, 16, 2, 3]`: 8 times the place of the voxel where the edge of
        a corner begins, counted from the first of the cube, and its direction; -1
        for a triangle that there is not.
    """
    table = np.full((6, 16, 2, 3), -1)
    for kind, corners in enumerate(TETRAHEDRA):
        places = 8 * corners[EDGES[:, 0]] @ strides
        places += (corners[EDGES[:, 1]] - corners[EDGES[:, 0]]) @ [4, 2, 1]
        middles = corners[EDGES].mean(axis=1)
        for case in range(1, 15):
            inside = case >> np.arange(4) & 1
            out = corners[inside == 0].mean(0) - corners[inside == 1].mean(0)
            ring = _ring(
                [i for i, (a, b) in enumerate(EDGES) if inside[a] != inside[b]]
            )
            for i, face in enumerate([ring[:3], [ring[0], *ring[2:]]][: len(ring) - 2]):
                a, b, c = middles[face]
                looks_out = np.cross(b - a, c - a) @ out > 0
                table[kind, case, i] = places[face if looks_out else face[::-1]]
    return table


def _ring(crossed):
    """Edges in an order in which neighbours share a corner of the tetrahedron."""
    if len(crossed) == 4:  # opposite edges have the numbers i and 5 - i
        a, b = [i for i in crossed if i < 3]
        return [a, b, 5 - a, 5 - b]
    return crossed
