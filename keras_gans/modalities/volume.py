"""Volumes: solids on a grid of voxels."""

from collections.abc import Sequence
import dataclasses
import io
import math
from typing import Any

import keras
import numpy as np

from keras_gans.modalities import base, graph_meshes, meshes, pictures, untrusted
from keras_gans.modalities.binvox import decode_binvox
from keras_gans.utils.optional import require
from keras_gans.utils.types import Tensor
from keras_gans.utils.validation import check_size, is_int

ELEVATION = np.radians(25)
SMOOTHING = 4
# Of the range, where meshes are made: how far a voxel is from the surface at least, and
# what empty ones are farther, so that saddles are empty too.
LEAST, MORE = 1e-3, 1e-6
RESAMPLE = "Solids of other grids are resampled by `keras_gans.data.read_volume`."
THIN = 0.25  # the slope of a wall of two voxels: none is less steep but thinner ones
LIGHT = np.array([0.35, 0.75, 0.55]) / np.linalg.norm([0.35, 0.75, 0.55])


@keras.saving.register_keras_serializable("keras_gans")
@dataclasses.dataclass(frozen=True)
class Volume(base.Modality):
    """Volumes `[x, y, z, channels]`, whose axis y points up.

    What is above the middle of the range is solid. Meshes (OBJ, STL, GLB, PLY)
    are written as closed surfaces, and read where they are closed, of any size; they
    need the extra "mesh". Arrays are written and read, and `.binvox` files
    are read.

    Args:
        size: int, the voxels of each side, or a tuple of three.
        channels: int.
        range: tuple (low, high): empty and solid.

    Raises:
        ValueError: an argument is something else.

    Example:

    ```python
    volume = keras_gans.Volume(16)
    x, y, z = np.mgrid[-1:1:16j, -1:1:16j, -1:1:16j]
    ball = np.float32(x**2 + y**2 + z**2 < 0.5)[..., None]
    volume.check(ball[None])
    volume.write("ball.npz", ball, overwrite=True)
    ```
    """

    size: int | tuple
    channels: int = 1
    range: tuple = (0.0, 1.0)

    kind = "volume"
    tensor_name = "volumes"
    bytes_extension = ".glb"
    previewed = 16
    names_rows = True
    extensions = (".npz", ".npy", ".glb", ".obj", ".stl", ".ply")
    read_extensions = (".npz", ".npy", ".binvox", *meshes.EXTENSIONS)

    def __post_init__(self):
        size = (self.size,) * 3 if is_int(self.size) else self.size
        size = base.check_sides("size", size, 3)
        for side in (*size, self.channels):
            check_size("size, channels", side)
        self._set(size=size, range=base.check_range(self.range))

    @property
    def bytes_name(self) -> str | None:
        """ "mesh_bytes", where there is one channel."""
        return "mesh_bytes" if self.channels == 1 else None

    @property
    def shape(self) -> tuple:
        """(x, y, z, channels)"""
        return (*self.size, self.channels)

    def _reshape(self, shape):
        return (
            "Resample the volumes, or build the GAN with a Volume of their "
            "size and channels."
        )

    def _rescale(self, floats):
        if floats and self.range == (0, 1):
            return (
                "Scale values in [-1, 1] by `(x + 1) / 2`, those above 1 by "
                "`x / x.max()`."
            )
        low, high = self.range
        form = "x" if floats else 'x.astype("float32")'
        if (low, high) != (0, 1):
            form = f"{high - low:g} * {form} {'-+'[low >= 0]} {abs(low):g}"
        return f"Convert 0 and 1 by `{form}`."

    def mesh(self, sample: np.ndarray, smoothing: int = SMOOTHING) -> Any:
        """The surface of a solid, closed and with normals that point out.

        It is where values cross the middle of the range, by marching cubes. What
        reaches the sides of the grid is closed there.

        Args:
            sample: float array `[x, y, z, 1]`.
            smoothing: int, how often the steps of voxels are smoothed without
                shrinking the solid (Taubin); 0 leaves them.

        Returns:
            `trimesh.Trimesh`, in voxels.

        Raises:
            ValueError: the volume has several channels, nothing is solid, or the
                surface encloses nothing.
            ImportError: the extra "mesh" is not installed.
        """
        solid = self._one(sample)
        low, high = self.range
        middle = (low + high) / 2
        if self.channels != 1:
            raise ValueError(
                "A mesh is that of a volume of 1 channel. Received: volumes "
                f"of {self.channels}. Write them as .npz."
            )
        if not (solid > middle).any():
            raise ValueError(
                f"Nothing is solid: no voxel is above {middle:g}, so there "
                "is no surface. Write the volume as .npz."
            )
        measure = require("skimage.measure", "mesh", "Meshes")
        trimesh = require("trimesh", "mesh", "Meshes")
        field = (solid[..., 0] - middle) / (high - low)
        # Values on the surface would leave gaps, and saddles that lie on it seams.
        empty = np.minimum(field, -LEAST) - MORE
        field = np.where(field > 0, np.maximum(field, LEAST), empty)
        padded = np.pad(field, 1, constant_values=-0.5)
        # The other direction turns faces inside out.
        vertices, faces, _, _ = measure.marching_cubes(
            padded, 0.0, gradient_direction="ascent"
        )
        mesh = trimesh.Trimesh(vertices - 1, faces, process=False)
        if smoothing:
            trimesh.smoothing.filter_taubin(mesh, iterations=2 * smoothing)
        if not mesh.is_watertight or mesh.volume <= 0:
            raise ValueError(
                f"The surface encloses a volume of {mesh.volume:.2g} voxels, "
                f"{'closed' if mesh.is_watertight else 'with gaps'}: no solid. Give "
                "less `smoothing`, or write the volume as .npz."
            )
        return mesh

    def encode_in_graph(self, samples: Tensor) -> Tensor | None:
        """The surface of each solid as a GLB file, closed and looking out.

        It is where `mesh` has it before smoothing, in tetrahedra: about three times
        as many triangles. Where nothing is solid, the file is a scene without a
        mesh. NaN is empty.

        Args:
            samples: float32 tensor `[n, x, y, z, channels]`.

        Returns:
            String tensor `[n]`; `None` of several channels.
        """
        if self.bytes_name is None:
            return None
        import tensorflow as tf

        low, high = self.range

        def encode(sample):
            solid = tf.clip_by_value(sample[..., 0], low, high)
            solid = tf.where(tf.math.is_nan(solid), low, solid)
            padded = tf.pad(solid, [[1, 1]] * 3, constant_values=low)
            corners, faces = graph_meshes.surface(padded, (low + high) / 2)
            return graph_meshes.encode_glb(corners - 1, faces)

        samples = tf.ensure_shape(tf.cast(samples, tf.float32), (None, *self.shape))
        return tf.map_fn(encode, samples, fn_output_signature=tf.string)

    def _encode(self, sample, extension):
        if extension == ".npy":
            return untrusted.dump_array(self._one(sample))
        if extension == ".npz":
            stream = io.BytesIO()
            np.savez_compressed(stream, volume=self._one(sample))
            return stream.getvalue()
        data = self.mesh(sample).export(file_type=extension[1:])
        return data.encode() if isinstance(data, str) else data

    def _decode(self, data, extension):
        if extension in (".npz", ".npy"):
            volume = untrusted.load_one_array(data, "volume")
            self._fits(volume.shape, RESAMPLE)
            return volume.astype("float32")
        if extension == ".binvox":
            solid = decode_binvox(data)
        else:
            solid = meshes.voxelize(meshes.decode_mesh(data, extension), self.size)
        self._fits((*solid.shape, 1), RESAMPLE)
        low, high = self.range
        return np.where(solid[..., None], high, low).astype("float32")

    def preview(
        self,
        samples: np.ndarray,
        columns: int | None = None,
        names: Sequence[str] | None = None,
        caption: str | None = None,
        rows: Sequence[str] | None = None,
    ) -> base.Preview:
        """One view of each solid, and a GIF file of all as they turn.

        Of several channels, the first is shown.
        """
        density = self._unit(self._many(samples)[..., 0])
        # Drawn larger rather than enlarged, as far as it takes seconds.
        columns = columns or pictures.full_rows(len(density))
        wanted = math.ceil(pictures.SEEN / min(columns, len(density)))
        pixels = min(max(96, wanted), 192)
        turns = np.stack([turntable(d, pixels=pixels) for d in density], axis=1)
        grids = np.stack(
            [
                pictures.draw_grid(
                    2 * view[..., None] - 1, columns, names, caption, rows
                )
                for view in turns
            ]
        )
        gif = pictures.encode_gif(grids, rate=8)
        return base.Preview(grids[0], [base.Media("turntable.gif", "image/gif", gif)])


def turntable(
    density: np.ndarray, views: int = 16, pixels: int = 96, thin: bool = True
) -> np.ndarray:
    """Views of a solid that turns about its axis y, shaded by its slope.

    Args:
        density: float array `[x, y, z]` in [0, 1], solid above 1/2.
        views: int, of a full turn.
        pixels: int, of a side of a view.
        thin: bool, whether walls of one voxel, which are black by their slope, are
            shaded by the side that is seen.

    Returns:
        float array `[views, pixels, pixels]` in [0, 1], grey on white.
    """
    while max(density.shape) > 96:  # more would not be seen
        density = density[::2, ::2, ::2]
    density = np.pad(density, 2)
    smooth, solid = density, density > 0.5
    buried = solid.copy()
    for axis in range(3):
        ahead, behind = np.roll(smooth, 1, axis), np.roll(smooth, -1, axis)
        smooth = (ahead + 2 * smooth + behind) / 4
        for way in (1, -1):
            buried &= np.roll(solid, way, axis)
    places = np.argwhere(solid & ~buried)
    slope = np.stack(np.gradient(-smooth), axis=-1)[tuple(places.T)]
    steep = np.linalg.norm(slope, axis=-1, keepdims=True)
    # A thin wall falls off as much to either side, of which one is seen.
    falls = [
        np.stack([smooth - np.roll(smooth, way, i) for i in range(3)], axis=-1)
        for way in (1, -1)
    ]
    behind, ahead = (fall[tuple(places.T)] for fall in falls)
    flat = np.clip(1 - steep / THIN, 0, 1)
    places = places - (np.array(density.shape) - 1) / 2
    # Twice the pixels, averaged at the end, for smooth edges.
    side = 2 * pixels
    scale = side / (1.55 * (max(density.shape) - 4))
    radius = 0.8 * scale
    reach = int(np.ceil(radius))
    spots = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    spots = spots[:, None, np.hypot(*spots) <= radius]
    frames = np.ones((views, side, side))
    for i, turn in enumerate(np.radians(30) + 2 * np.pi * np.arange(views) / views):
        right = np.array([np.cos(turn), 0, -np.sin(turn)])
        level = np.array([np.sin(turn), 0, np.cos(turn)])
        sine, cosine = np.sin(ELEVATION), np.cos(ELEVATION)
        axes = np.stack(
            [
                right,
                cosine * np.array([0, 1, 0]) - sine * level,
                sine * np.array([0, 1, 0]) + cosine * level,
            ]
        )
        across, up, near = axes @ places.T
        normal = slope
        if thin:
            normal = slope + flat * np.where(axes[2] > 0, ahead, -behind)
        normal = normal / (np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-6)
        shade = 0.12 + 0.75 * np.clip(normal @ (LIGHT @ axes), 0, 1)
        order = np.argsort(near)  # the nearest is painted last
        at = side / 2 + scale * np.stack([-up, across])[:, order, None]
        row, column = np.rint(at + spots).astype(int).clip(0, side - 1)
        frames[i].flat[(row * side + column).ravel()] = np.repeat(
            shade[order], spots.shape[-1]
        )
    frames = frames.reshape(views, pixels, 2, pixels, 2)
    return frames.mean(axis=(2, 4))
