"""Perceptual path length: how smoothly pictures change with their codes."""

from collections.abc import Callable

from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.inference.latent.features import box_reduced, distances, features_of
from keras_gans.inference.latent.interpolation import lerp, slerp, unit
from keras_gans.inference.latent.space import LatentSpace, in_batches
from keras_gans.utils.validation import (
    check_seed,
    check_size,
    is_number,
    one_of,
    within,
)

SIDE = 256  # pixels that larger images are reduced to
SAMPLINGS = ("full", "end")


def perceptual_path_length(
    gan: BaseGAN,
    n: int = 50000,
    *,
    space: str | None = None,
    sampling: str = "end",
    epsilon: float = 1e-4,
    features: str | Callable = "lite0",
    seed: int = 0,
    **given,
) -> float:
    """The mean perceptual distance of pictures a small step apart, over its square.

    Lower is smoother. Values of different features, spaces or samplings do not
    compare; published ones are those of VGG16's LPIPS, which you may pass.

    Args:
        gan: `BaseGAN` that samples images from latent codes.
        n: int, pairs of pictures.
        space: "w" or "z", what is interpolated; w where there is one.
        sampling: "end", steps from the codes themselves, or "full", from anywhere
            between two.
        epsilon: float above 0, the step.
        features: as of `project`.
        seed: int in [0, 2**31).
        **given: as of `gan.sample`, one for all: `labels`. By default classes come
            in turn.

    Returns:
        float: the mean of the distances between their 1st and 99th percentile.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    gan = keras_gans.DCGAN(image_shape=(16, 16, 1), width=8)
    keras_gans.latent.perceptual_path_length(gan, 8, features="pixels")
    ```

    Reference:
        https://arxiv.org/abs/1812.04948, section 4.1
    """
    one_of("sampling", sampling, SAMPLINGS)
    check_size("n", n)
    own = LatentSpace(gan)
    if "labels" not in given and gan.class_input is not None:
        given["labels"] = np.arange(n) % (gan.class_input.high + 1)
    numbers = np.random.default_rng(check_seed(seed))
    codes = [_codes(numbers, n, own) for _ in range(2)]
    t = numbers.uniform(size=n) if sampling == "full" else np.zeros(n)
    lengths = path_distances(
        gan, *codes, t, space=space, epsilon=epsilon, features=features, **given
    )
    return trimmed_mean(lengths)


def _codes(numbers, n, space):
    if space.latent.bounds is not None:
        return numbers.uniform(*space.latent.bounds, (n, space.dim))
    return numbers.normal(size=(n, space.dim))


def path_distances(
    gan: BaseGAN,
    first: np.ndarray,
    second: np.ndarray,
    t: np.ndarray,
    *,
    space: str | None = None,
    epsilon: float = 1e-4,
    features: str | Callable = "lite0",
    **given,
) -> np.ndarray:
    """Distances of pictures at t and t + epsilon between codes, over epsilon^2.

    Args:
        gan: `BaseGAN` that samples images from latent codes.
        first: array `[n, dim]` of codes z.
        second: array `[n, dim]`.
        t: array `[n]` in [0, 1].
        space: "w", lines between their w, or "z", arcs between their directions,
            of uniform z lines.
        epsilon: float above 0.
        features: as of `project`.
        **given: as of `gan.sample`, one for all or one for each pair.

    Returns:
        float64 array `[n]`.

    Raises:
        ValueError: an argument is out of range.

    Example:

    ```python
    a, b = np.random.normal(size=(2, 4, 100)).astype("float32")  # codes z
    t = np.linspace(0, 1, 4)
    keras_gans.latent.path_distances(gan, a, b, t, features="pixels").shape  # (4,)
    ```
    """
    own = LatentSpace(gan)
    space = own.check_space(space)
    ok = is_number(epsilon) and 0 < epsilon < 1
    within("epsilon", epsilon, ok, "(0, 1)")
    features = features_of(features)
    n = len(first)
    values = own.values([0] * n, **given)
    steps = [np.asarray(t)[:, None], np.asarray(t)[:, None] + epsilon]
    if space == "w":
        ws = [own.styles({**values, "z": np.float32(z)}) for z in (first, second)]
        ws = [w.astype("float64") for w in ws]
        pairs = [own.synthesize(lerp(*ws, x[..., None]), clip=False) for x in steps]
    else:
        way = _arc if own.latent.distribution == "normal" else lerp
        codes = [np.float32(way(first, second, x)) for x in steps]
        pairs = [own.samples({**values, "z": z}, clip=False) for z in codes]

    def compared(rows):
        vectors = [features(ops.convert_to_tensor(np.float32(x))) for x in rows]
        return distances(*vectors)

    pairs = [box_reduced(x, SIDE) for x in pairs]
    return in_batches(compared, pairs).astype("float64") / epsilon**2


def _arc(a, b, t):
    """Along the arc between directions; lengths go along a line."""
    lengths = [np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b)]
    return lerp(*lengths, t) * slerp(unit(a), unit(b), t)


def trimmed_mean(values: np.ndarray, share: float = 1.0) -> float:
    """The mean of values from a percentile to that as far from the end.

    Args:
        values: array `[n]`.
        share: float in [0, 50), percent.

    Returns:
        float.

    Example:

    ```python
    keras_gans.latent.trimmed_mean(np.arange(101.0))  # 50.0
    ```
    """
    values = np.asarray(values, "float64")
    low = np.percentile(values, share, method="lower")
    high = np.percentile(values, 100 - share, method="higher")
    return float(values[(values >= low) & (values <= high)].mean())
