"""Colourisation: the colours of grey photos, by Pix2Pix from L to ab."""

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_gans.applications import lab
from keras_gans.applications.batches import (
    Work,
    as_array,
    check_pictures,
    check_translator,
    load_paired,
    paired,
    resized,
    translated,
    working_size,
)
from keras_gans.core.recipe import Recipe
from keras_gans.models.pix2pix import Pix2Pix
from keras_gans.networks.translation import check_open_shape
from keras_gans.utils.types import Shape, Size

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Colorization:
    """Colours from lightness: `Pix2Pix` from L to (a, b) of CIE Lab.

    Any set of colour images is its own training set: each is split into
    lightness, the source, and colour, the target; see `lab.split`.

    Example:

    ```python
    colorization = keras_gans.applications.Colorization()
    gan = colorization.gan((16, 16, 3), width=4, n_layers=1)
    gan.compile()
    gan.fit(colorization.pairs(dataset), verbose=0)
    photo = np.random.uniform(-1, 1, (1, 60, 80, 1))
    images = colorization.apply(gan, photo, size=16)  # (1, 60, 80, 3)
    ```

    Reference:
        https://arxiv.org/abs/1611.07004, section 6.2
    """

    file_options = ("size",)  # arguments of `on_files`

    def gan(self, image_shape: Shape = (256, 256, 3), **kwargs) -> Pix2Pix:
        """A `Pix2Pix` from lightness to colour.

        Args:
            image_shape: tuple (height, width, 3) of the colour images; height
                and width may be `None`.
            **kwargs: arguments of `Pix2Pix`.

        Returns:
            `Pix2Pix` from 1 to 2 channels, not compiled.

        Raises:
            ValueError: `image_shape` has not 3 channels, or an argument is
                out of its range.

        Example:

        ```python
        keras_gans.applications.Colorization().gan((32, 32, 3), width=4)
        ```
        """
        height, width, channels = check_open_shape(image_shape)
        if channels != 3:
            raise ValueError(
                "`image_shape` is that of colour images, (height, width, 3). "
                f"Received: image_shape={image_shape!r}."
            )
        return Pix2Pix((height, width, 2), source_channels=1, **kwargs)

    def check(self, gan: Pix2Pix) -> None:
        """Checks that a GAN goes from lightness to colour.

        Raises:
            ValueError: it has other channels.
        """
        what = "Colours are 2 channels, a and b of CIE Lab, made of 1, the lightness L"
        check_translator(gan, 1, 2, what)

    def pairs(
        self, dataset: "tf.data.Dataset", seed: int = 0, start: int = 0
    ) -> "tf.data.Dataset":
        """Maps images to pairs for `Pix2Pix.fit`.

        Args:
            dataset: `tf.data.Dataset` of float batches `[n, height, width, 3]`
                in [-1, 1], as of `keras_gans.data.load`.
            seed: int, not used: nothing is drawn.
            start: int, not used likewise, but checked; both are arguments of
                every application.

        Returns:
            `tf.data.Dataset` of (lightness `[n, height, width, 1]`, colour
            `[n, height, width, 2]`), float32 in [-1, 1].

        Raises:
            ValueError: the data set yields something else.

        Example:

        ```python
        pairs = keras_gans.applications.Colorization().pairs(dataset)
        lightness, ab = next(iter(pairs))
        ```
        """
        return paired(dataset, _pair, 3, seed, start)

    def load(
        self, gan: Pix2Pix, source: Any, *, seed: int = 0, start: int = 0, **options
    ) -> "tf.data.Dataset":
        """The pairs that a run trains on.

        Args:
            gan: `Pix2Pix`, as `gan` builds.
            source: see `keras_gans.data.load`.
            seed: int, of `load`.
            start: int, of `load`.
            **options: other arguments of `load`.
        """
        channels = self.file_channels(gan)
        return load_paired(self, gan, source, channels, seed, start, **options)

    @staticmethod
    def file_channels(gan: Pix2Pix) -> int:
        """How many channels the pictures are read with that a run trains on."""
        return 3

    def pair(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The pair of one batch of images.

        Args:
            images: float array `[n, height, width, 3]` in [-1, 1].

        Returns:
            (lightness `[n, height, width, 1]`, colour
            `[n, height, width, 2]`), float32 arrays in [-1, 1].

        Raises:
            ValueError: the images are something else.

        Example:

        ```python
        images = np.random.uniform(-1, 1, (4, 16, 16, 3))
        lightness, ab = keras_gans.applications.Colorization().pair(images)
        ```
        """
        images = check_pictures(images, (3,))
        return tuple(map(as_array, lab.split(images)))

    def apply(
        self,
        gan: Pix2Pix,
        images: np.ndarray,
        *,
        size: Size | None = None,
        evaluation: bool | None = None,
        seed: int = 0,
    ) -> np.ndarray:
        """Colours images; their own lightness stays as it is.

        The network gives the colours alone. Where it works at another size,
        they are scaled up to that of the source and joined with its lightness:
        nothing of the sharpness is lost. Colours that sRGB cannot show at
        their lightness are made paler, so that lightness stays.

        Args:
            gan: `Pix2Pix` from 1 to 2 channels, as `gan` builds.
            images: float array `[n, height, width, 1 or 3]` in [-1, 1]: grey,
                or in colours that are not looked at.
            size: what the network sees: `None`, the images as they are; an
                int, the pixels of the shorter side; or (height, width). The
                size that it was trained on does best.
            evaluation: bool or `None`, of `Pix2Pix.translate`.
            seed: int, of `Pix2Pix.translate`.

        Returns:
            float32 array `[n, height, width, 3]` in [-1, 1].

        Raises:
            ValueError: the images or the GAN are something else, or an
                argument is out of its range.

        Example:

        ```python
        colorization = keras_gans.applications.Colorization()
        gan = colorization.gan((16, 16, 3), width=4, n_layers=1)
        photo = np.random.uniform(-1, 1, (1, 60, 80, 1))
        colorization.apply(gan, photo, size=(16, 20)).shape  # (1, 60, 80, 3)
        ```
        """
        self.check(gan)
        images = check_pictures(images, (1, 3)).astype("float32")
        size = working_size(size, images.shape[1:3])
        # (of grey, the three channels are alike)
        images = np.broadcast_to(images, (*images.shape[:-1], 3))
        lightness = as_array(lab.split(images)[0])
        ab = translated(gan, resized(lightness, size), seed, evaluation)
        coloured = np.empty(images.shape, "float32")
        # One by one: photos may be large.
        for i in range(len(images)):
            colour = resized(ab[i : i + 1], images.shape[1:3])
            coloured[i] = as_array(lab.join(lightness[i : i + 1], colour))[0]
        return coloured

    def on_files(
        self, gan: Pix2Pix, evaluation: bool | None, seed: int, size: Size | None = None
    ) -> Work:
        """How picture files are coloured: a `Work`; see `apply`."""

        def make(pixels, place):
            return self.apply(
                gan, pixels[None], size=size, evaluation=evaluation, seed=seed
            )[0]

        return Work(3, 3, make)

    def picture(
        self, source: np.ndarray, colours: np.ndarray | None = None
    ) -> np.ndarray:
        """What a source, or the colours made of it, looks like.

        Args:
            source: lightness `[n, height, width, 1]` in [-1, 1].
            colours: array `[n, height, width, 2]`, or `None` for none.

        Returns:
            float32 array `[n, height, width, 3]` in [-1, 1].
        """
        if colours is None:
            colours = np.zeros((*source.shape[:-1], 2), "float32")
        return as_array(lab.join(source, colours))


def _pair(seed, step, images):
    return lab.split(images)


RECIPE = Recipe(
    name="colorization",
    model="Pix2Pix",
    summary="Colours of grey images, by Pix2Pix from L to ab of CIE Lab",
    task="colorization",
    epochs=20,
    batch_size=16,
    arguments={
        "image_shape": (64, 64, 2),
        "source_channels": 1,
        "depth": 6,
        "width": 16,
        "n_layers": 2,
        "dropout": 0.0,
        "objective": "least_squares",
        "ema": 0.995,
    },
    optimizers={
        "d": ("adam", {"learning_rate": 1e-3, "beta_1": 0.5}),
        "g": ("adam", {"learning_rate": 1e-3, "beta_1": 0.5}),
    },
    data_options={"jitter": 0, "flip": True},
    paper={
        "epochs": 200,
        "batch_size": 1,
        "image_shape": (256, 256, 2),
        "depth": 8,
        "width": 64,
        "n_layers": 3,
        "dropout": 0.5,
        "objective": "non_saturating",
        "ema": None,
        "d_learning_rate": 2e-4,
        "g_learning_rate": 2e-4,
    },
    without=("packing", "diff_augment", "evaluate_every"),
)
