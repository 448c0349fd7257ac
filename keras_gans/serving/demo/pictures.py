"""Pictures of a seed: samples with their scores, nearest pictures, walks."""

import functools
import pathlib
import tempfile
from typing import Any

from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.core.regularization import logits_of
from keras_gans.inference import nearest
from keras_gans.inference.latent import films, walk
from keras_gans.modalities import Image
from keras_gans.serving.demo.views import (
    ENCODING,
    LOCK,
    SeededView,
    check_format,
    data_url,
    sides_in_words,
)
from keras_gans.utils.validation import check_seed, is_int, within

MOST_FRAMES = 120
MOST_COMPARED = 50  # batches of 100 training pictures
OPEN_SIDE = 256  # of models that make any size
FILMS = {"gif": "image/gif", "mp4": "video/mp4"}


class PicturesView(SeededView):
    """Pictures of 1 to 4 channels that are made of a seed."""

    kind = "noise"
    formats = {"png": "image/png"}

    @classmethod
    def fits(cls, gan: BaseGAN) -> bool:
        return makes_pictures(gan) and gan.samples_from_seed

    def about(self) -> dict[str, Any]:
        height, width, channels = sides(self.gan.modality.shape)
        return super().about() | {
            "height": height,
            "width": width,
            "channels": channels,
            "score": self.has_score,
            "nearest": self.model.config is not None,
        }

    @property
    def size(self) -> str:
        height, width, _ = sides(self.gan.modality.shape)
        return f"{sides_in_words(width, height)} pixels"

    @property
    def has_score(self) -> bool:
        """Whether its discriminator scores samples one by one."""
        gan, known = self.gan, {"z", "label", "truncation"}
        return (
            self.model.has_discriminator
            and "discriminator" in gan.networks
            and gan.packing == 1
            and {i.name for i in gan.inputs} <= known
        )

    def scores(self, samples: np.ndarray, label: int | None) -> list | None:
        """What the discriminator says: a probability, where it is one."""
        if not self.has_score:
            return None
        labels = np.full(len(samples), label or 0, "int32")
        x = ops.convert_to_tensor(samples)
        batch = {"label": ops.convert_to_tensor(labels)}
        logits = logits_of(self.gan.call_discriminator(x, batch, training=False))
        logits = ops.reshape(ops.cast(logits, "float32"), (len(samples), -1))
        if self.gan.objective.probability:
            logits = ops.sigmoid(logits)
        scores = ops.convert_to_numpy(ops.mean(logits, axis=1))
        return [round(float(x), 4) if np.isfinite(x) else None for x in scores]

    def shown(self, samples: np.ndarray, scores: list | None) -> dict[str, Any]:
        """PNGs, and the scores where there are any."""
        return {"images": self.urls(samples), "scores": scores}

    def urls(self, images: np.ndarray) -> list[str]:
        """Samples as PNGs in data URLs."""
        return [data_url(self.gan.modality.encode(image)) for image in images]

    def nearest(self, seed: int, **given: Any) -> dict[str, Any]:
        """The training picture that is nearest to a sample, by pixels.

        Args:
            seed: int in [0, 2**31).
            **given: `label`, `truncation` and `text`, as of `samples`.

        Raises:
            ValueError: the training pictures are not at hand, or as of `samples`.
        """
        check_seed(seed)
        if self.training_pictures is None:
            raise ValueError(f"The training pictures of {self.name} are not here.")
        with LOCK:
            images = self.of_seeds([seed], **given)
            closest = nearest.nearest(images, self.training_pictures)
        with ENCODING:
            image = self.urls(closest.images)[0]
        return {
            "image": image,
            "distance": float(closest.distances[0]),
            "count": closest.count,
        }

    def walk(self, seeds: list[int], frames: int, **given: Any) -> dict[str, list]:
        """A walk from seed to seed and back, as PNGs."""
        walked = self.frames(seeds, frames, **given)
        with ENCODING:
            return {"images": self.urls(walked)}

    def frames(self, seeds: list[int], frames: int, **given: Any) -> np.ndarray:
        """A walk from seed to seed and back.

        Args:
            seeds: list of 2 to 8 ints in [0, 2**31).
            frames: int in [2, 120].
            **given: `label`, `truncation` and `text`, as of `samples`.

        Raises:
            ValueError: a number is out of range, or the model takes none.
        """
        ok = is_int(frames) and 2 <= frames <= MOST_FRAMES
        within("frames", frames, ok, f"[2, {MOST_FRAMES}]")
        within("seeds", seeds, 2 <= len(seeds) <= 8, "2 to 8 of them")
        films.check_images(self.gan)
        given = self.check_given(**given)
        with LOCK:
            return walk(self.gan, seeds, frames, **given)

    def film(
        self, format: str, seeds: list[int], frames: int, **given: Any
    ) -> tuple[bytes, str]:
        """A walk as a file, and its MIME type.

        Raises:
            ValueError: there is no such format, or as of `frames`.
            ImportError: MP4 is asked for, and its package is not installed.
        """
        check_format("Films", format, FILMS)
        walked = self.frames(seeds, frames, **given)
        with ENCODING, tempfile.TemporaryDirectory() as folder:
            video, walked = films.film(self.gan, walked, even=format == "mp4")
            path = pathlib.Path(folder, f"walk.{format}")
            video.write(path, walked)
            return path.read_bytes(), FILMS[format]

    @functools.cached_property
    def training_pictures(self) -> list[np.ndarray] | None:
        """The first batches of what it was trained on, where that is at hand."""
        if self.model.config is None or not self.gan.samples_from_seed:
            return None
        try:
            batches = nearest.training_pictures(self.model.path, self.gan)
            kept = [x for x, _ in zip(batches, range(MOST_COMPARED), strict=False)]
        except (ValueError, OSError):
            return None
        return kept or None


def makes_pictures(gan: BaseGAN) -> bool:
    """Whether a browser shows the samples as pictures."""
    return isinstance(gan.modality, Image) and gan.modality.bytes_name is not None


def sides(shape: tuple) -> tuple[int, int, int]:
    """The height, width and channels of pictures, of which sides may be any."""
    height, width, channels = shape
    return height or OPEN_SIDE, width or OPEN_SIDE, channels
