"""The features of a set of images, batch by batch."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from keras_gans.metrics.features.cache import FeatureCache
from keras_gans.metrics.functional.moments import Moments
from keras_gans.utils.progress import progress_bar
from keras_gans.utils.types import Path
from keras_gans.utils.validation import check_size

if TYPE_CHECKING:
    from keras_gans.metrics.features.network import FeatureNetwork
    from keras_gans.metrics.sets import ImageSet


class Features(NamedTuple):
    """What a set of images gave.

    Args:
        count: int, how many images.
        moments: `Moments` of the features; `None` where these are kept.
        features: float32 array `[n, d]`, or `None` where not asked.
        logits: float32 array `[n, classes]`, or `None` where not asked.
        labels: int array `[n]`, or `None` where there are none.
        size: `(height, width)` of the images; `None` where they differ.
    """

    count: int
    moments: Moments | None
    features: np.ndarray | None
    logits: np.ndarray | None
    labels: np.ndarray | None
    size: tuple | None


def extract(
    images: "ImageSet",
    network: "FeatureNetwork",
    keep: Iterable[str] = (),
    batch_size: int = 64,
    cache_dir: Path | None = None,
    verbose: int = 1,
) -> Features:
    """The features of a set of images, in one pass over it.

    Args:
        images: `sets.ImageSet`.
        network: `FeatureNetwork`.
        keep: which of "features" and "logits" to keep for all images; the
            moments take the same memory for any number of them.
        batch_size: int, images that the network sees at a time.
        cache_dir: str or path, a directory where the features of images are
            kept for the next time; of samples of a GAN they are not.
        verbose: 0 or 1, whether to show a progress bar.

    Returns:
        `Features`.

    Raises:
        ValueError: the images are unusable, or features are not finite.
    """
    check_size("batch_size", batch_size)
    cache = None
    if cache_dir is not None and not images.drawn:
        cache = FeatureCache(cache_dir, network.cache_key)
    bar = progress_bar(images.count, verbose, f"{images.role} image")
    moments = None if "features" in keep else Moments()
    kept, labels = {name: [] for name in keep}, []
    count, sizes = 0, set()
    for batch in _rebatched(images.batches(), batch_size):
        outputs = _outputs(batch, network, batch_size, cache, images.role)
        if moments is not None:
            moments.update(_of_network(outputs, "features", network))
        for name, rows in kept.items():
            rows.append(_of_network(outputs, name, network))
        sizes |= {image.shape[:2] for image in batch.images}
        labels += batch.labels
        count += len(batch.images)
        bar.update(count)
    if images.count is None and verbose:
        bar.update(count, finalize=True)
    return Features(
        count,
        moments,
        *(
            np.concatenate(kept[name]) if name in kept else None
            for name in ("features", "logits")
        ),
        np.asarray(labels) if labels and None not in labels else None,
        sizes.pop() if len(sizes) == 1 else None,
    )


class _Batch(NamedTuple):
    images: list
    labels: list
    places: list


def _rebatched(batches, batch_size):
    """Batches of `batch_size` images, but for the last."""
    queue = _Batch([], [], [])
    for images, labels, place in batches:
        queue.images.extend(images)
        some = [None] * len(images) if labels is None else list(labels)
        queue.labels.extend(some)
        queue.places.extend((place, i) for i in range(len(images)))
        while len(queue.images) >= batch_size:
            yield _Batch(*(part[:batch_size] for part in queue))
            queue = _Batch(*(part[batch_size:] for part in queue))
    if queue.images:
        yield queue


def _outputs(batch, network, batch_size, cache, role):
    cached = cache.get(batch.images) if cache else None
    if cached is not None:
        return cached
    images = batch.images
    # A short batch is filled up: another size would be compiled anew.
    filled = images + images[-1:] * (batch_size - len(images))
    outputs = network(filled)
    outputs = {name: y[: len(images)] for name, y in outputs.items()}
    for name, y in outputs.items():
        bad = ~np.isfinite(y).all(axis=1)
        if bad.any():
            place, i = batch.places[int(bad.argmax())]
            raise ValueError(
                f"The {name} of `{role}` must be finite. Received: NaN or "
                f"infinity from {network.name} for {place(i)}. Look at that "
                "image, and at the network's weights."
            )
    if cache:
        cache.put(images, outputs)
    return outputs


def _of_network(outputs, name, network):
    if name not in outputs:
        raise ValueError(
            f"The network has no {name}. Received: {network.name}, which gives "
            f"{', '.join(outputs)}. Let it return features, or a dict with "
            '"features" and, for the inception score, "logits".'
        )
    return outputs[name]
