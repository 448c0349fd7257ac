"""Solids of a seed: shaded previews, and meshes that the page turns."""

import math

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.modalities import Volume, pictures
from keras_gans.modalities.volume import turntable
from keras_gans.serving.demo.views import SeededView, data_url, sides_in_words

MOST_VOXELS = 2**21  # of a solid: 128 cubed
PIXELS = 128  # of a preview


class SolidsView(SeededView):
    """Volumes of one channel that are made of a seed."""

    kind = "solids"
    count = 12
    most = 24
    formats = {
        "glb": "model/gltf-binary",
        "obj": "model/obj",
        "stl": "model/stl",
        "npz": "application/zip",
    }

    @classmethod
    def fits(cls, gan: BaseGAN) -> bool:
        volume = gan.modality
        return (
            isinstance(volume, Volume)
            and gan.samples_from_seed
            and volume.channels == 1
            and math.prod(volume.size) <= MOST_VOXELS
        )

    @property
    def size(self) -> str:
        return f"{sides_in_words(*self.gan.modality.size)} voxels"

    def shown(self, samples: np.ndarray, label: int | None) -> dict[str, list]:
        """One shaded view of each solid."""
        low, high = self.gan.modality.range
        density = np.clip((samples[..., 0] - low) / (high - low), 0, 1)
        density = np.nan_to_num(density)
        views = [turntable(one, views=1, pixels=PIXELS)[0] for one in density]
        pixels = np.rint(255 * np.stack(views)[..., None]).astype("uint8")
        return {"images": [data_url(pictures.encode_png(one)) for one in pixels]}
