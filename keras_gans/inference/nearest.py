"""The training pictures that are most like samples: has a GAN learned by heart?"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.inference.latent.features import features_of
from keras_gans.inference.opening import recipe_of
from keras_gans.modalities import Image
from keras_gans.training import datasets, recipes, tasks
from keras_gans.utils.types import Path


class Nearest(NamedTuple):
    """What `nearest` found.

    Attributes:
        images: float32 array `[n, height, width, channels]`: of each sample, the
            picture that is nearest to it.
        distances: float array `[n]`, sums of squared differences of features.
        places: int array `[n]`, the numbers of these pictures, as they came.
        count: int, how many pictures there are.
        usual: float, the median distance of some of the pictures to the one among
            the others that is nearest; `None` where it was not asked for, or there
            is one picture.
        compared: int, how many that median is of.
    """

    images: np.ndarray
    distances: np.ndarray
    places: np.ndarray
    count: int
    usual: float | None = None
    compared: int = 0


def nearest(
    samples: np.ndarray,
    pictures: Iterable[np.ndarray],
    features: str | Callable = "pixels",
    compared: int = 0,
) -> Nearest:
    """Of each sample, the picture whose features are nearest to its own.

    Args:
        samples: float32 array `[n, height, width, channels]` in [-1, 1].
        pictures: iterable of batches of such, of the same size; one is held at a
            time.
        features: "pixels", "lite0", a function or a Keras model, as of
            `keras_gans.latent.project`.
        compared: int, of how many of the first batch to find the usual distance.

    Returns:
        `Nearest`.

    Raises:
        ValueError: there are no pictures, they have another shape, or `features`
            are unknown.

    Example:

    ```python
    from keras_gans.inference.nearest import nearest

    pictures = np.random.default_rng(0).uniform(-1, 1, (8, 16, 16, 3))
    nearest(pictures[5:6], [pictures[:4], pictures[4:]]).places  # [5]
    ```
    """
    extract = features_of(features)

    def described(images):
        vectors = extract(ops.convert_to_tensor(images, "float32"))
        return ops.convert_to_numpy(vectors).astype("float64")

    wanted = described(samples)
    n, count = len(samples), 0
    images = np.zeros(np.shape(samples), "float32")
    least, places = np.full(n, np.inf), np.zeros(n, int)
    others = None
    for batch in pictures:
        batch = np.asarray(batch, "float32")
        if batch.shape[1:] != images.shape[1:]:
            raise ValueError(
                "Samples are compared with pictures of their shape, "
                f"{images.shape[1:]}. Received: {batch.shape[1:]}. Resize them."
            )
        vectors = described(batch)
        if others is None:
            others = _Others(vectors[:compared])
        others.meet(vectors)
        for i, row in enumerate(wanted):
            distances = np.square(vectors - row).sum(axis=1)
            j = int(distances.argmin())
            if distances[j] < least[i]:
                least[i], places[i], images[i] = distances[j], count + j, batch[j]
        count += len(batch)
    if not count:
        raise ValueError("There is no picture to compare with. Received: none.")
    usual = others.usual() if compared and count > 1 else None
    asked = 0 if usual is None else len(others.rows)
    return Nearest(images, least, places, count, usual, asked)


class _Others:
    """How near the others are to some of the pictures.

    Args:
        rows: float array `[n, d]`, features of these pictures.
    """

    def __init__(self, rows):
        self.rows = rows
        self.two = np.full((len(rows), 2), np.inf)  # a picture meets itself, too

    def meet(self, vectors):
        """Compares them with features `[m, d]` of a batch."""
        squares = np.square(self.rows).sum(1)[:, None] + np.square(vectors).sum(1)
        distances = np.maximum(squares - 2 * self.rows @ vectors.T, 0)
        both = np.concatenate([self.two, distances], axis=1)
        self.two = np.sort(both, axis=1)[:, :2]

    def usual(self):
        """The median of the distances to the nearest other picture."""
        return float(np.median(self.two[:, 1]))


def training_pictures(
    path: Path, gan: BaseGAN, source: str | None = None
) -> Iterable[np.ndarray]:
    """The pictures that a run or preset was trained on, as its GAN sees them.

    Args:
        path: str or path of a run, a preset or a `.keras` file.
        gan: `BaseGAN` of it.
        source: str, other pictures to compare with, see `keras_gans.data.load`.

    Returns:
        An iterable of float32 batches, which can be gone through again.

    Raises:
        ValueError: the GAN makes no images of a seed; what it was trained on is not
            known, or not here.
    """
    if not gan.samples_from_seed or not isinstance(gan.modality, Image):
        raise ValueError(
            "Training pictures are sought of GANs that make images of a seed. "
            f"Received: {path}, a {type(gan).__name__}."
        )
    if source is not None:
        options = {"batch_size": 100, "drop_remainder": False}
        return _Images(tasks.load("images", gan, source, **options))
    config = recipe_of(path)
    if config is None:
        raise ValueError(
            "A file does not know what it was trained on. Received: "
            f"{path}. Name the pictures, data=... (--data)."
        )
    try:
        recipe = recipes.get(config["recipe"])
        return _Images(datasets.pictures_of(recipe, config, gan))
    except (ValueError, OSError) as error:
        raise ValueError(
            f"What {path} was trained on is not here: {error} Name the pictures, "
            "data=... (--data)."
        ) from error


class _Images:
    """The images of a data set of batches, or of tuples that begin with them."""

    def __init__(self, dataset):
        self.dataset = dataset

    def __iter__(self):
        for batch in self.dataset:
            yield np.asarray(batch[0] if isinstance(batch, tuple) else batch)
