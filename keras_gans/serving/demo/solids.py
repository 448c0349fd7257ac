"""Solids, of a seed or of a picture: shaded previews, and meshes that are turned."""

import functools
import math
from typing import Any

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.core.inputs import Source
from keras_gans.inference.latent.projection import fitted
from keras_gans.modalities import Image, Volume, pictures
from keras_gans.modalities.volume import turntable
from keras_gans.serving.demo.translations import read_picture
from keras_gans.serving.demo.views import (
    ENCODING,
    LOCK,
    SeededView,
    View,
    check_format,
    data_url,
    sides_in_words,
)
from keras_gans.training import recipes, tasks
from keras_gans.utils.validation import check_seed

MOST_VOXELS = 2**21  # of a solid: 128 cubed
# Sides of voxels on the surface of what the page turns: some 300,000 triangles.
MOST_SIDES = 2**17
PIXELS = 128  # of a preview
EXAMPLES = 8
FORMATS = {
    "glb": "model/gltf-binary",
    "obj": "model/obj",
    "stl": "model/stl",
    "npz": "application/zip",
}


class SolidsView(SeededView):
    """Volumes of one channel that are made of a seed."""

    kind = "solids"
    count = 12
    most = 24
    formats = FORMATS

    @classmethod
    def fits(cls, gan: BaseGAN) -> bool:
        return makes_solids(gan) and gan.samples_from_seed

    @property
    def size(self) -> str:
        return grid_in_words(self.gan)

    def shown(self, samples: np.ndarray, scores: list | None) -> dict[str, list]:
        """One shaded view of each solid."""
        low, high = self.gan.modality.range
        density = np.clip((samples[..., 0] - low) / (high - low), 0, 1)
        density = np.nan_to_num(density)
        views = [turntable(one, views=1, pixels=PIXELS)[0] for one in density]
        pixels = np.rint(255 * np.stack(views)[..., None]).astype("uint8")
        return {"images": [data_url(pictures.encode_png(one)) for one in pixels]}

    def mesh(self, seed: int, **given: Any) -> tuple[bytes, int]:
        """The solid of a seed as the page turns it, see `drawable`.

        Args:
            seed: int in [0, 2**31).
            **given: `label`, `truncation` and `text`, as of `samples`.

        Raises:
            ValueError: nothing is solid, or as of `samples`.
            ImportError: the extra "mesh" is not installed.
        """
        check_seed(seed)
        with LOCK:
            (sample,) = self.of_seeds([seed], **given)
        with ENCODING:
            return drawable(self.gan.modality, sample)


class PicturedSolidsView(View):
    """Volumes of one channel that are made of a picture."""

    kind = "pictured"
    formats = FORMATS

    @classmethod
    def fits(cls, gan: BaseGAN) -> bool:
        if not makes_solids(gan) or len(gan.inputs) != 1:
            return False
        (given,) = gan.inputs
        return (
            isinstance(given, Source)
            and isinstance(given.modality, Image)
            and given.modality.bytes_name is not None
            and None not in given.modality.shape
        )

    @property
    def size(self) -> str:
        return grid_in_words(self.gan)

    @property
    def picture(self) -> Image:
        """What it is given."""
        return self.gan.inputs[0].modality

    def about(self) -> dict[str, Any]:
        height, width, _ = self.picture.shape
        own = {"height": height, "width": width, "formats": list(self.formats)}
        return super().about() | own

    def mesh_of(self, data: bytes) -> tuple[bytes, int]:
        """The solid of a picture file as the page turns it, see `drawable`.

        Raises:
            ValueError: it is no such picture, or nothing is solid.
            ImportError: the extra "mesh" is not installed.
        """
        solid = self._solid_of(data)
        with ENCODING:
            return drawable(self.gan.modality, solid)

    def file_of(self, format: str, data: bytes) -> tuple[bytes, str]:
        """The solid of a picture file as a file, and its MIME type.

        Raises:
            ValueError: there is no such format, or as of `mesh_of`.
            ImportError: the extra "mesh" is not installed.
        """
        check_format(f"Solids of {self.name}", format, self.formats)
        solid = self._solid_of(data)
        with ENCODING:
            made = self.gan.modality.encode(solid, f".{format}")
        return made, self.formats[format]

    def _solid_of(self, data):
        height, width, channels = self.picture.shape
        image = read_picture(data, channels)
        if image.shape[:2] != (height, width):
            image = fitted(image, (height, width)).clip(-1, 1)
        low, high = self.picture.range
        image = low + (image + 1) / 2 * (high - low)
        with LOCK:
            return self.gan.sample(1, source=image[None].astype("float32"))[0]

    @functools.cached_property
    def examples(self) -> dict[str, list[str]] | None:
        """Some pictures of what a run was trained on, as data URLs."""
        config = self.model.config
        if config is None or recipes.get(config["recipe"]).task != "views":
            return None
        options = {name: config[name] for name in ("up", "surfaces")}
        options |= {"batch_size": EXAMPLES, "drop_remainder": False}
        options["on_error"] = "skip" if config["skip_broken"] else "raise"
        try:
            loaded = tasks.load("views", self.gan, config["data"], **options)
            shown, _ = next(iter(loaded))
        except (ValueError, OSError, ImportError, StopIteration):
            return None
        return {"pictures": [data_url(self.picture.encode(x)) for x in shown.numpy()]}


def makes_solids(gan: BaseGAN) -> bool:
    """Whether the page turns the samples."""
    volume = gan.modality
    return (
        isinstance(volume, Volume)
        and volume.channels == 1
        and math.prod(volume.size) <= MOST_VOXELS
    )


def grid_in_words(gan: BaseGAN) -> str:
    """The voxels of a sample: "32 × 32 × 32 voxels"."""  # noqa: RUF002
    return f"{sides_in_words(*gan.modality.size)} voxels"


def drawable(volume: Volume, sample: np.ndarray) -> tuple[bytes, int]:
    """The surface of a solid, of no more triangles than a page turns.

    Those of noise are millions. Of such a solid, the means of voxels are drawn, two
    by two along each axis, until there are few enough; where nothing of it would be
    left, what is solid anywhere.

    Args:
        volume: `Volume`, of one channel.
        sample: float array `[x, y, z, 1]`.

    Returns:
        `(data, times)`: a GLB file, and how many voxels along an axis became one.

    Raises:
        ValueError: nothing is solid.
        ImportError: the extra "mesh" is not installed.
    """
    low, high = volume.range
    middle, times = (low + high) / 2, 1
    while _sides(sample[..., 0] > middle) > MOST_SIDES:
        odd = [(0, side % 2) for side in sample.shape[:3]]
        sample = np.pad(sample, [*odd, (0, 0)], constant_values=low)
        x, y, z = (side // 2 for side in sample.shape[:3])
        blocks = sample.reshape(x, 2, y, 2, z, 2, 1)
        sample = blocks.mean(axis=(1, 3, 5))
        if not (sample > middle).any():
            sample = blocks.max(axis=(1, 3, 5))
        times *= 2
    coarse = Volume(sample.shape[:3], 1, volume.range)
    return coarse.encode(sample, ".glb"), times


def _sides(solid):
    """The sides of voxels between what is solid and what is empty."""
    padded = np.pad(solid, 1)
    return sum(np.count_nonzero(np.diff(padded, axis=axis)) for axis in range(3))
