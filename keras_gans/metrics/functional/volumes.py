"""Scores of solids: by how much of their voxels they share with real ones."""

from typing import NamedTuple

import numpy as np

BLOCK = 256  # solids compared at a time


class VolumeScores(NamedTuple):
    """How near solids come to real ones; read them together.

    Attributes:
        nearest_accuracy: share of all solids whose nearest other one is of
            their own side; 0.5 is best, 1 is told apart at once. Read the two
            shares that it is the mean of: noise around a mean has 1 and 0.
        real_accuracy: the share of the real solids; far above 0.5, fakes miss
            much of what there is.
        fake_accuracy: the share of the fakes; far above 0.5, fakes are alike,
            far below, each is nearer to real solids than to any other fake.
        coverage: share of real solids that are some fake's nearest real one;
            1 is best. As many fakes as reals make it comparable.
        mmd_iou: mean IoU of each real solid with its nearest fake (minimum
            matching distance); 1 is best. More fakes raise it.
        pair_iou: mean IoU of two different fakes; far above that of the reals,
            the generator has collapsed.
    """

    nearest_accuracy: float
    real_accuracy: float
    fake_accuracy: float
    coverage: float
    mmd_iou: float
    pair_iou: float


def volume_iou(
    first: np.ndarray, second: np.ndarray, threshold: float = 0.5
) -> np.ndarray:
    """Intersection over union of each solid with each.

    Args:
        first: array `[n, ...]` of voxels, solid above `threshold`.
        second: array `[m, ...]` of the same shape.
        threshold: float, 0 of volumes in [-1, 1].

    Returns:
        float32 `[n, m]` in [0, 1]; 0 of two empty ones.

    Raises:
        ValueError: they have other shapes, or hold NaN.

    Example:

    ```python
    halves = np.zeros((2, 4, 4, 4, 1))
    halves[0, :2] = halves[1, 1:3] = 1
    keras_gans.metrics.volume_iou(halves, halves)  # 1 and 1/3
    ```

    Reference:
        Jaccard, "The distribution of the flora in the alpine zone", 1912
    """
    shapes = np.shape(first), np.shape(second)
    if 0 in shapes[0] + shapes[1] or shapes[0][1:] != shapes[1][1:]:
        raise ValueError(
            "Solids are compared voxel by voxel, [n, x, y, z, channels] alike. "
            f"Received: shapes {shapes[0]} and {shapes[1]}."
        )
    bad = [int(np.isnan(x).sum()) for x in (first, second)]
    if any(bad):
        raise ValueError(
            f"Solids are compared without NaN. Received: {bad[0]} and {bad[1]} voxels "
            "that are NaN. Clean the data."
        )
    first, second = ((np.reshape(x, (len(x), -1)) > threshold) for x in (first, second))
    sizes = [x.sum(axis=1, dtype="float32") for x in (first, second)]
    second = second.astype("float32").T
    rows = [
        first[i : i + BLOCK].astype("float32") @ second
        for i in range(0, len(first), BLOCK)
    ]
    shared = np.concatenate(rows)
    union = sizes[0][:, None] + sizes[1] - shared
    return shared / np.maximum(union, 1)


def volume_scores(
    real: np.ndarray, fake: np.ndarray, threshold: float = 0.5
) -> VolumeScores:
    """Scores solids against real ones, best those held out of training.

    Args:
        real: array `[n, x, y, z, channels]` of voxels, 2 or more.
        fake: array `[m, ...]` of the same shape; as many are best.
        threshold: float, above which a voxel is solid: 0 of volumes in [-1, 1].

    Returns:
        `VolumeScores`.

    Raises:
        ValueError: too few, of other shapes, or with NaN.

    Example:

    ```python
    solids = np.random.rand(8, 4, 4, 4, 1)
    keras_gans.metrics.volume_scores(solids[:4], solids[4:])
    ```

    Reference:
        Coverage and minimum matching distance: https://arxiv.org/abs/1707.02392,
        section 4; accuracy: https://arxiv.org/abs/1610.06545
    """
    if min(len(real), len(fake)) < 2:
        raise ValueError(
            "Scores are taken of 2 solids or more on each side. Received: "
            f"{len(real)} real and {len(fake)} fake ones."
        )
    across = volume_iou(real, fake, threshold)
    of_real, of_fake = (volume_iou(x, x, threshold) for x in (real, fake))
    n, m = across.shape
    pair_iou = (of_fake.sum() - np.trace(of_fake)) / (m * (m - 1))
    for own in (of_real, of_fake):
        np.fill_diagonal(own, -1)
    own = of_real.max(axis=1) > across.max(axis=1)
    own_fake = of_fake.max(axis=1) > across.max(axis=0)
    return VolumeScores(
        float(np.concatenate([own, own_fake]).mean()),
        float(own.mean()),
        float(own_fake.mean()),
        len(np.unique(across.argmax(axis=0))) / n,
        float(across.max(axis=1).mean()),
        float(pair_iou),
    )
