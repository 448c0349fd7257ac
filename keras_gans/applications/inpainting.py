"""Inpainting: holes in images filled, by Pix2Pix from image and mask."""

import dataclasses
import os
import pathlib
from typing import TYPE_CHECKING, Any

from keras import ops
import numpy as np

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
from keras_gans.applications.masks import check_kind, check_share, random_masks
from keras_gans.core.recipe import Recipe
from keras_gans.models.pix2pix import Pix2Pix
from keras_gans.networks.translation import check_open_shape
from keras_gans.utils.types import Path, Shape, Size

if TYPE_CHECKING:
    import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Inpainting:
    """Fills holes: `Pix2Pix` from an image with a hole to the whole image.

    Any set of images, of any number of channels, is its own training set. The
    source is the image with 0, mid-grey, in the hole, and the mask as one more
    channel: 1 in the hole, -1 elsewhere. The target is the image.

    Args:
        kind: "rectangle", "free_form" or "mixed", of the holes in training;
            see `masks.random_masks`.
        share: tuple (low, high), 0 < low <= high < 1, of the image that is a
            hole in training.

    Raises:
        ValueError: an argument is out of its range.

    Example:

    ```python
    inpainting = keras_gans.applications.Inpainting(share=(0.1, 0.3))
    gan = inpainting.gan((16, 16, 3), width=4, n_layers=1)
    gan.compile()
    gan.fit(inpainting.pairs(dataset), verbose=0)
    images = np.random.uniform(-1, 1, (2, 60, 80, 3))
    masks = inpainting.masks(2, 60, 80)
    filled = inpainting.apply(gan, images, masks)  # (2, 60, 80, 3)
    ```

    Reference:
        https://arxiv.org/abs/1611.07004; https://arxiv.org/abs/1604.07379
    """

    kind: str = "mixed"
    share: tuple = (0.1, 0.4)

    file_options = ("masks", "size")  # arguments of `on_files`

    def __post_init__(self):
        check_kind(self.kind)
        # (frozen; JSON has lists)
        object.__setattr__(self, "share", check_share(self.share))

    def gan(self, image_shape: Shape = (256, 256, 3), **kwargs) -> Pix2Pix:
        """A `Pix2Pix` from image and mask to image.

        Args:
            image_shape: tuple (height, width, channels) of the images; height
                and width may be `None`.
            **kwargs: arguments of `Pix2Pix`.

        Returns:
            `Pix2Pix` from channels + 1 to channels, not compiled.

        Raises:
            ValueError: an argument is out of its range.

        Example:

        ```python
        gan = keras_gans.applications.Inpainting().gan((32, 32, 1), width=4)
        gan.source_shape  # (32, 32, 2)
        ```
        """
        shape = check_open_shape(image_shape)
        return Pix2Pix(shape, source_channels=shape[-1] + 1, **kwargs)

    def check(self, gan: Pix2Pix) -> None:
        """Checks that a GAN goes from images and their masks to images.

        Raises:
            ValueError: it has other channels.
        """
        channels = gan.image_shape[-1]
        what = f"Images of {channels} channels are made of as many, and 1 of their mask"
        check_translator(gan, channels + 1, channels, what)

    def pairs(
        self, dataset: "tf.data.Dataset", seed: int = 0, start: int = 0
    ) -> "tf.data.Dataset":
        """Maps images to pairs for `Pix2Pix.fit`, each with a hole.

        The hole of row r of batch s is a function of `(seed, s, r)` alone. An
        endless data set always gets new ones, and goes on as it would have
        with the `start` of `keras_gans.data.load`. One that ends gets the same
        ones in each pass, as validation needs.

        Args:
            dataset: `tf.data.Dataset` of float batches
                `[n, height, width, channels]` in [-1, 1], as of
                `keras_gans.data.load`.
            seed: int in [0, 2**31), of the holes.
            start: int, batches already consumed, as of `load`.

        Returns:
            `tf.data.Dataset` of (source `[n, height, width, channels + 1]`,
            target `[n, height, width, channels]`), float32 in [-1, 1].

        Raises:
            ValueError: the data set yields something else, or an argument is
                out of its range.

        Example:

        ```python
        pairs = keras_gans.applications.Inpainting().pairs(dataset, seed=1)
        source, target = next(iter(pairs))
        ```
        """

        def pair(seed, step, images):
            n, height, width = ops.shape(images)[:3]
            masks = random_masks(n, height, width, self.kind, self.share, seed, step)
            images = ops.cast(images, "float32")
            return _source(images, masks), images

        return paired(dataset, pair, None, seed, start)

    def load(
        self, gan: Pix2Pix, source: Any, *, seed: int = 0, start: int = 0, **options
    ) -> "tf.data.Dataset":
        """The pairs that a run trains on.

        Args:
            gan: `Pix2Pix`, as `gan` builds.
            source: see `keras_gans.data.load`.
            seed: int, of `load`, and of the holes.
            start: int, of `load`, and of the holes.
            **options: other arguments of `load`.
        """
        channels = self.file_channels(gan)
        return load_paired(self, gan, source, channels, seed, start, **options)

    @staticmethod
    def file_channels(gan: Pix2Pix) -> int:
        """How many channels the pictures are read with that a run trains on."""
        return gan.image_shape[-1]

    def pair(
        self, images: np.ndarray, masks: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """The pair of one batch of images and masks.

        Args:
            images: float array `[n, height, width, channels]` in [-1, 1].
            masks: array `[n, height, width, 1]`, 1 or true in the hole, 0 or
                false elsewhere.

        Returns:
            (source `[n, height, width, channels + 1]`, target
            `[n, height, width, channels]`), float32 arrays in [-1, 1].

        Raises:
            ValueError: the images or masks are something else.

        Example:

        ```python
        inpainting = keras_gans.applications.Inpainting()
        images = np.random.uniform(-1, 1, (4, 16, 24, 2))
        pair = inpainting.pair(images, inpainting.masks(4, 16, 24))
        ```
        """
        images = check_pictures(images)
        masks = check_masks(masks, images.shape).astype("float32")
        images = images.astype("float32")
        return as_array(_source(images, masks)), images

    def masks(
        self, n: int, height: int, width: int, seed: int = 0, step: int = 0
    ) -> np.ndarray:
        """Masks as they are drawn in training.

        Args:
            n: int, how many.
            height: int, pixels.
            width: int, pixels.
            seed: int in [0, 2**31).
            step: int of 0 or more; with `seed` that of `pairs`, those of this
                batch.

        Returns:
            bool array `[n, height, width, 1]`, true in the hole.

        Raises:
            ValueError: an argument is out of its range.

        Example:

        ```python
        masks = keras_gans.applications.Inpainting().masks(4, 32, 32)
        masks.mean(axis=(1, 2, 3))  # each in [0.1, 0.4]
        ```
        """
        masks = random_masks(n, height, width, self.kind, self.share, seed, step)
        return as_array(masks) > 0

    def apply(
        self,
        gan: Pix2Pix,
        images: np.ndarray,
        masks: np.ndarray,
        *,
        size: Size | None = None,
        evaluation: bool | None = None,
        seed: int = 0,
    ) -> np.ndarray:
        """Fills the holes of images; all else stays bit for bit.

        What stands in a hole is never looked at, and may be NaN. Where the
        network works at another size, what it makes is scaled up to that of
        the images and put into their holes.

        Args:
            gan: `Pix2Pix` from channels + 1 to channels, as `gan` builds.
            images: float array `[n, height, width, channels]`, in [-1, 1]
                outside of the holes.
            masks: array `[n, height, width, 1]`, 1 or true in the hole, 0 or
                false elsewhere.
            size: what the network sees: `None`, the images as they are; an
                int, the pixels of the shorter side; or (height, width). The
                size that it was trained on does best: it has not seen a hole
                wider than those of training.
            evaluation: bool or `None`, of `Pix2Pix.translate`.
            seed: int, of `Pix2Pix.translate`.

        Returns:
            array of the images' shape and dtype.

        Raises:
            ValueError: the images, masks or the GAN are something else; a mask
                has no hole, or is all hole.

        Example:

        ```python
        inpainting = keras_gans.applications.Inpainting()
        gan = inpainting.gan((16, 16, 3), width=4, n_layers=1)
        images = np.random.uniform(-1, 1, (1, 50, 41, 3))
        masks = np.zeros((1, 50, 41, 1), bool)
        masks[:, 10:20, 5:30] = True
        filled = inpainting.apply(gan, images, masks)
        ```
        """
        images = np.asarray(images)
        channels = gan.image_shape[-1]
        self.check(gan)
        masks = check_masks(masks, images.shape)
        seen = check_pictures(np.where(masks, 0, images), (channels,))
        seen, holes = seen.astype("float32"), masks.astype("float32")
        seen, holes = _at_size(seen, holes, working_size(size, images.shape[1:3]))
        sources = as_array(_source(seen, holes))
        filled = translated(gan, sources, seed, evaluation)
        # What is known stays, also beside the holes' edges, where it is scaled.
        filled = resized(np.where(holes > 0, filled, seen), images.shape[1:3])
        return np.where(masks, filled.astype(images.dtype), images)

    def on_files(
        self,
        gan: Pix2Pix,
        evaluation: bool | None,
        seed: int,
        size: Size | None = None,
        masks: Path | None = None,
    ) -> Work:
        """How picture files are filled: a `Work`; see `apply`.

        Args:
            gan: `Pix2Pix`, as `gan` builds.
            evaluation: bool or `None`.
            seed: int.
            size: see `apply`.
            masks: path of a folder of masks, of the names of the pictures.

        Raises:
            ValueError: there is no such folder.
        """
        if masks is None or not os.path.isdir(masks):
            raise ValueError(
                "Inpainting takes a folder of masks by `masks`, "
                "pictures that are white in the hole and black elsewhere, of "
                f"the names of the pictures. Received: masks={masks!r}."
            )
        channels = gan.image_shape[-1]

        def make(pixels, place):
            mask = _read_mask(pathlib.Path(masks) / place)[None]
            return self.apply(
                gan, pixels[None], mask, size=size, evaluation=evaluation, seed=seed
            )[0]

        return Work(channels, channels, make)

    def picture(
        self, source: np.ndarray, images: np.ndarray | None = None
    ) -> np.ndarray:
        """What a source, or what is made of it, looks like.

        Args:
            source: image and mask `[n, height, width, channels + 1]`.
            images: array `[n, height, width, channels]`, or `None`.

        Returns:
            array `[n, height, width, channels]`: `images` in the hole, and what
            is seen elsewhere.
        """
        seen, mask = source[..., :-1], source[..., -1:]
        return seen if images is None else np.where(mask > 0, images, seen)


def check_masks(masks: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Returns masks as a bool array `[n, height, width, 1]`.

    Args:
        masks: array, 0 or 1.
        shape: tuple, of the images.

    Raises:
        ValueError: another shape, other values, or a mask without a hole or
            without anything else.
    """
    masks = np.asarray(masks)
    if len(shape) != 4 or masks.shape != (*shape[:3], 1):
        raise ValueError(
            "Masks have the shape [n, height, width, 1], images that of [n, "
            f"height, width, channels]. Received: masks of {masks.shape}, "
            f"images of {tuple(shape)}. Add an axis by `masks[..., None]`."
        )
    if not np.isin(masks, (0, 1)).all():
        raise ValueError(
            "Masks are 1 in the hole and 0 elsewhere. Received: values from "
            f"{masks.min()} to {masks.max()}, {masks.dtype}. Compare them with "
            "a threshold, as in `masks > 0.5`."
        )
    masks = masks.astype(bool)
    holes = masks.mean(axis=(1, 2, 3))
    for share, what in ((0, "no hole"), (1, "nothing but a hole")):
        rows = np.flatnonzero(holes == share)
        if len(rows):
            raise ValueError(
                f"Each mask has a hole and something around it. Received: "
                f"{what} in {len(rows)} of {len(masks)} masks, the first at "
                f"row {rows[0]}. Leave these images out; 1 is the hole."
            )
    return masks


def _at_size(images, holes, size):
    """Images and holes at (height, width); no pixel of a hole is mixed in."""
    if images.shape[1:3] == tuple(size):
        return images, holes
    known = resized(1 - holes, size)
    images = resized(images * (1 - holes), size) / np.maximum(known, 1e-6)
    # A hole stays one, be it less than a pixel.
    least = known.min(axis=(1, 2, 3), keepdims=True)
    holes = (known <= np.maximum(least, 0.5)).astype("float32")
    return np.clip(images, -1, 1), holes


def _source(images, masks):
    """Images with 0 in the hole, and the mask as -1 and 1."""
    seen = ops.where(masks > 0, 0.0, images)
    return ops.concatenate([seen, 2.0 * masks - 1.0], axis=-1)


def _read_mask(place):
    """The mask at a picture's place: bool `[height, width, 1]`."""
    from keras_gans.modalities.image_files import EXTENSIONS, read_image

    paths = [
        path
        for extension in EXTENSIONS
        if (path := place.with_name(place.name + extension)).is_file()
    ]
    if len(paths) != 1:
        raise ValueError(
            f"A picture has one mask. Received: {len(paths)} files "
            f"{place}.*; expected one ending in {', '.join(EXTENSIONS)}."
        )
    return np.asarray(read_image(str(paths[0]), 1)) > 0


RECIPE = Recipe(
    name="inpainting",
    model="Pix2Pix",
    summary="Holes filled, by Pix2Pix from image and mask",
    task="inpainting",
    epochs=20,
    batch_size=16,
    arguments={
        "image_shape": (64, 64, 3),
        "source_channels": 4,
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
    data_options={"kind": "mixed", "share": (0.1, 0.4), "jitter": 0, "flip": True},
    paper={
        "epochs": 200,
        "batch_size": 1,
        "image_shape": (256, 256, 3),
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
