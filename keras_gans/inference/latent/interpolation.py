"""Between codes: lines, arcs, and walks along them."""

from collections.abc import Sequence

import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.inference.latent.space import LatentSpace, in_batches
from keras_gans.utils.validation import check_size

PARALLEL = 1e-6  # sines of angles that count as none


def lerp(a: np.ndarray, b: np.ndarray, t: np.ndarray | float) -> np.ndarray:
    """Linear interpolation: (1 - t) a + t b.

    Args:
        a: array `[..., d]`.
        b: array of the same shape.
        t: float, or array that broadcasts with them: 0 gives a, 1 gives b.

    Returns:
        float64 array of the shape of `a`, or of what `t` makes of it.

    Example:

    ```python
    keras_gans.latent.lerp(np.zeros(2), np.ones(2), 0.25)  # [0.25, 0.25]
    ```
    """
    return a + t * (b - a)


def slerp(a: np.ndarray, b: np.ndarray, t: np.ndarray | float) -> np.ndarray:
    """Spherical interpolation along the last axis.

    (sin((1 - t) θ) a + sin(t θ) b) / sin θ, with θ the angle between a and b.
    Between codes of N(0, I), whose lengths are nearly sqrt(d), it keeps such a
    length, which a line does not. Of codes of length 1 it gives codes of length
    1. Codes in one line are interpolated linearly.

    Args:
        a: array `[..., d]`.
        b: array of the same shape.
        t: float, or array that broadcasts with `[..., 1]`.

    Returns:
        float64 array of the shape of `a`, or of what `t` makes of it.

    Example:

    ```python
    keras_gans.latent.slerp(np.array([1.0, 0.0]), np.array([0.0, 1.0]), 0.5)
    ```

    Reference:
        https://arxiv.org/abs/1609.04468, section 2.1
    """
    a, b = (np.asarray(x, "float64") for x in (a, b))
    cosine = np.sum(unit(a) * unit(b), axis=-1, keepdims=True).clip(-1, 1)
    angle = np.arccos(cosine)
    sine = np.sin(angle)
    flat = sine < PARALLEL
    sine = np.where(flat, 1.0, sine)
    arc = (np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / sine
    return np.where(flat, lerp(a, b, t), arc)


def unit(x: np.ndarray) -> np.ndarray:
    """Vectors of length 1 along the last axis; of 0, 0."""
    length = np.linalg.norm(x, axis=-1, keepdims=True)
    return x / np.where(length > 0, length, 1.0)


def walk(
    gan: BaseGAN,
    seeds: Sequence[int],
    frames: int = 60,
    *,
    loop: bool = True,
    space: str | None = None,
    draws: str = "keras_gans",
    cutoff: int | None = None,
    **given,
) -> np.ndarray:
    """Samples on the way from seed to seed.

    Between intermediate codes w along lines, between normal z along arcs, between
    uniform z along lines. Noise maps stay the same. Where `labels` names a class
    for each seed, classes are interpolated too: w's are those of their classes,
    and without w the vectors that the generator's first layers make of them are
    interpolated.

    Args:
        gan: `BaseGAN` that samples from latent codes.
        seeds: list of 2 or more ints.
        frames: int, of the whole walk.
        loop: bool, whether it goes back to the first seed, so that it can play
            for ever.
        space: "w", or "z"; w where there is one.
        draws: as of `generate`.
        cutoff: as of `generate`.
        **given: as of `gan.sample`, one for all or one for each seed.

    Returns:
        float32 array `[frames, *modality.shape]`.

    Raises:
        ValueError: there are fewer than two seeds or frames, or as of `generate`.

    Example:

    ```python
    gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8)
    keras_gans.latent.walk(gan, [3, 8, 12], frames=6).shape  # (6, 16, 16, 1)
    ```
    """
    own = LatentSpace(gan)
    space = own.check_space(space)
    if cutoff is not None and space == "z":
        own.check_w(f"cutoff={cutoff}")
        raise ValueError(
            f"Codes w are cut off. Received: cutoff={cutoff} with space='z'. Leave "
            "one out."
        )
    seeds = list(seeds)
    if len(seeds) < 2:
        raise ValueError(
            "A walk goes from seed to seed: two or more. Received: "
            f"seeds={seeds}. Add another."
        )
    if check_size("frames", frames) < 2:
        raise ValueError("A walk has 2 frames or more. Received: frames=1.")
    values = own.values(seeds, draws, **given)
    legs = len(seeds) if loop else len(seeds) - 1
    places = np.arange(frames) * (legs / (frames if loop else frames - 1))
    first = np.minimum(places.astype(int), legs - 1)
    second = (first + 1) % len(seeds)
    t = (places - first)[:, None]
    if space == "w":
        ws = own.styles(values, cutoff)
        return own.synthesize(lerp(ws[first], ws[second], t[..., None]))

    def between(name, x):
        if x.dtype.kind in "iu":
            return x[first]
        normal = name == "z" and own.latent.distribution == "normal"
        way = slerp if normal else lerp
        share = t.reshape(-1, *[1] * (x.ndim - 1))
        return way(x[first], x[second], share).astype("float32")

    label = values.get("label")
    moved = {name: between(name, x) for name, x in values.items()}
    if label is None or (label == label[0]).all():
        return own.samples(moved)
    parts = own.of_classes()
    if parts is None:
        raise ValueError(
            f"{type(gan).__name__}'s generator does not make vectors of its classes, "
            f"which could be interpolated. Received: labels={label.tolist()}. Give "
            "all seeds one class, or take space='w' where there is one."
        )
    vectors, network = parts
    class_vectors = vectors.predict_on_batch(label)
    class_vectors = [
        np.asarray(x)
        for x in (class_vectors if isinstance(class_vectors, list) else [class_vectors])
    ]
    rows = [moved[i.name] for i in gan.inputs if i.name != "label"]
    rows += [between("class", x.astype("float32")) for x in class_vectors]
    samples = in_batches(network.predict_on_batch, rows)
    return np.asarray(gan.modality.clip(samples.astype("float32")))
