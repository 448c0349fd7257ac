"""Clips of a seed: videos that play in a grid."""

import math

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.modalities import Image, Video
from keras_gans.serving.demo.views import SeededView, data_url, sides_in_words
from keras_gans.utils.text import count_of

MOST_VALUES = 2**22  # of a clip


class ClipsView(SeededView):
    """Videos that are made of a seed."""

    kind = "clips"
    count = 12
    most = 12
    formats = {"gif": "image/gif", "webp": "image/webp", "mp4": "video/mp4"}

    @classmethod
    def fits(cls, gan: BaseGAN) -> bool:
        video = gan.modality
        return (
            isinstance(video, Video)
            and gan.samples_from_seed
            and None not in video.shape
            and math.prod(video.shape) <= MOST_VALUES
        )

    @property
    def size(self) -> str:
        video = self.gan.modality
        height, width, _ = video.frame_shape
        frames = count_of(video.frames, "frame")
        return f"{frames} of {sides_in_words(width, height)} pixels"

    def shown(self, samples: np.ndarray, scores: list | None) -> dict[str, list]:
        """Animated WebP files, which lose nothing, and their first frames."""
        video = self.gan.modality
        still = Image(video.frame_shape, video.range)
        samples = np.nan_to_num(samples, nan=video.range[0])
        return {
            "images": [data_url(still.encode(one[0])) for one in samples],
            "clips": [
                data_url(video.encode(one, ".webp"), "image/webp") for one in samples
            ],
        }
