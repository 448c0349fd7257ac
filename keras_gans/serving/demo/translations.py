"""Translations of pictures: drawn, opened, or of a camera."""

import functools
import io
from typing import Any

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.core.translation import TranslatingGAN
from keras_gans.inference.latent.projection import fitted
from keras_gans.modalities import Image, image_files
from keras_gans.serving.demo.pictures import OPEN_SIDE, makes_pictures, sides
from keras_gans.serving.demo.views import ENCODING, LOCK, View, data_url, sides_in_words
from keras_gans.training import recipes, tasks
from keras_gans.utils.text import brief

MOST_PIXELS = 2**20  # of a picture that is translated
EXAMPLES = 8


class TranslationsView(View):
    """Pictures that are made of other pictures."""

    kind = "translator"

    @classmethod
    def fits(cls, gan: BaseGAN) -> bool:
        return makes_pictures(gan) and isinstance(gan, TranslatingGAN)

    def about(self) -> dict[str, Any]:
        height, width = self.given_size
        ways = self._ways()
        return super().about() | {
            "height": height,
            "width": width,
            "channels": self.gan.modality.shape[-1],
            "directions": list(self.gan.directions),
            "ways": dict(zip(("ab", "ba"), ways, strict=True)),
            "drawn": ways[0].startswith("line "),
            "scale": self.gan.scale,
        }

    @property
    def size(self) -> str:
        height, width = self.given_size
        return f"{sides_in_words(width, height)} pixels"

    @property
    def given_size(self) -> tuple[int, int]:
        """The height and width of the pictures that it is given.

        One that enlarges was trained on crops, and is shown at work on more than that.
        """
        if self.gan.scale > 1:
            return (2 * OPEN_SIDE // self.gan.scale,) * 2
        return sides(self.gan.image_shape)[:2]

    def _ways(self):
        """The directions in words: "flat → 3d" of the data "emoji:flat-3d"."""
        data = str((self.model.config or {}).get("data", "")).partition(":")[2]
        a, dash, b = data.partition("-")
        a, b = (a, b) if dash else ("A", "B")
        return f"{a} → {b}", f"{b} → {a}"

    def translate(self, data: bytes, direction: str = "ab") -> bytes:
        """A picture file translated, as PNG.

        Args:
            data: bytes of a file of any format that the library reads. It is cut and
                resized to what the model was trained on.
            direction: "ab", or "ba" of a CycleGAN.

        Raises:
            ValueError: it is no such picture.
        """
        gan = self.gan
        gan.check_direction(direction)
        channels = gan.source_shape[-1]
        if direction != "ab":
            channels = gan.image_shape[-1]
        image = read_picture(data, channels)
        if image.shape[:2] != self.given_size:
            image = fitted(image, self.given_size).clip(-1, 1)
        with LOCK:
            options = {} if direction == "ab" else {"direction": direction}
            translated = gan.translate(image[None].astype("float32"), **options)[0]
        with ENCODING:
            return Image(translated.shape).encode(translated)

    @functools.cached_property
    def examples(self) -> dict[str, list[str]] | None:
        """Some pictures to translate of each direction, as data URLs."""
        config = self.model.config
        if config is None:
            return None
        recipe = recipes.get(config["recipe"])
        if recipe.task not in ("pairs", "unpaired"):
            return None
        options = {"split": "test", "batch_size": 64, "shuffle": False}
        options |= {"drop_remainder": False}
        try:
            loaded = tasks.load(recipe.task, self.gan, config["data"], **options)
            shown = [np.asarray(side) for side in next(iter(loaded))]
        except (ValueError, OSError, StopIteration):
            return None
        chosen = np.linspace(0, len(shown[0]) - 1, EXAMPLES).astype(int)
        ways = dict(zip(("ab", "ba"), shown, strict=True))
        return {
            way: [data_url(Image(x.shape).encode(x)) for x in ways[way][chosen]]
            for way in self.gan.directions
        }


def read_picture(data: bytes, channels: int) -> np.ndarray:
    """The pixels `[height, width, channels]` in [-1, 1] of a picture file.

    Raises:
        ValueError: it is no picture, or one that is too large.
    """
    if not data:
        raise ValueError("There is no picture. Received: 0 bytes.")
    try:
        return _decoded(data, channels)
    except Exception as error:  # decoders raise every kind
        reason = brief(image_files.reason(error), 200)
        raise ValueError(f"The picture cannot be read: {reason}.") from error


def _decoded(data, channels):
    height, width = image_files.decode_head(io.BytesIO(data)).size
    if height * width > MOST_PIXELS:
        raise ValueError(
            f"it has {height * width:,} pixels, more than the {MOST_PIXELS:,} allowed"
        )
    return image_files.decode_image(data, channels)
