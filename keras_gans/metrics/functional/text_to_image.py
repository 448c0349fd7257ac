"""Whether pictures show their sentences: R-precision beside its bounds, and edges."""

from typing import NamedTuple

import numpy as np

from keras_gans.utils.validation import check_size

RIDGE = 10.0
SIDE = 16  # pixels of a side that the regression sees
RANKS = (1, 10)
SHIFT = 1  # pixels that the regression's pictures are moved by


class Precision(NamedTuple):
    """Shares of pictures whose own sentence is found among others.

    Attributes:
        first: of which it is the nearest.
        ten: of which it is among the nearest ten.
    """

    first: float
    ten: float


class TextToImageScores(NamedTuple):
    """R-precision of samples, and what it is of pictures that are known.

    It says little by itself: a regression finds the sentence of a blur, which a
    regression made, more surely than that of a real picture. So the edges stand
    beside it.

    Attributes:
        fake: `Precision` of the samples.
        real: of the real pictures of the same sentences: what a true picture gets.
        nearest: of the training picture of the nearest sentence.
        blur: of a ridge regression from vectors to pictures.
        chance: of any picture.
        edges: edge energy of the samples, as a share of that of the real ones.
        blur_edges: likewise of the regression.
    """

    fake: Precision
    real: Precision
    nearest: Precision
    blur: Precision
    chance: Precision
    edges: float
    blur_edges: float

    def __str__(self) -> str:
        lines = [
            f"{name:8} R@1 {one.first:.2f}  R@10 {one.ten:.2f}"
            for name, one in self._asdict().items()
            if isinstance(one, Precision)
        ]
        edges = f"{self.edges:.2f} of real pictures', the blur {self.blur_edges:.2f}"
        lines.append(f"edges    {edges}")
        return "\n".join(lines)

    def rounded(self, digits: int = 3) -> dict:
        """All of it as a dict that JSON can hold."""
        return {
            name: [round(x, digits) for x in one]
            if isinstance(one, Precision)
            else round(one, digits)
            for name, one in self._asdict().items()
        }


def text_to_image_scores(
    fake: np.ndarray,
    vectors: np.ndarray,
    *,
    real: np.ndarray,
    train: np.ndarray,
    train_vectors: np.ndarray,
    candidates: int = 100,
    seed: int = 0,
) -> TextToImageScores:
    """R-precision of samples with its ceiling and floors, and their edge energy.

    A ridge regression from pictures to vectors is fitted on real training pictures,
    as they are, mirrored and moved by a pixel. A sample's own sentence competes with
    others of the samples', drawn for each.

    Args:
        fake: array `[n, height, width, channels]` in [-1, 1], samples.
        vectors: array `[n, dim]`, of the sentence of each.
        real: array like `fake`, real pictures of the same sentences, on which
            nothing was trained.
        train: array `[m, height, width, channels]`, real pictures of others.
        train_vectors: array `[m, dim]`, of their sentences.
        candidates: int, sentences that each competes in, its own among them.
        seed: int, of the draw of the others.

    Returns:
        `TextToImageScores`.

    Raises:
        ValueError: shapes do not fit, values are not finite, or there are fewer
            samples than candidates.

    Example:

    ```python
    rng = np.random.default_rng(0)
    images, vectors = rng.uniform(-1, 1, (60, 8, 8, 3)), rng.normal(size=(60, 5))
    scores = keras_gans.metrics.text_to_image_scores(
        images[:20], vectors[:20], real=images[:20], train=images[20:],
        train_vectors=vectors[20:], candidates=20,
    )
    scores.chance  # first 0.05, ten 0.5
    ```

    Reference:
        https://arxiv.org/abs/1711.10485, section 4.1 (R-precision)
    """
    check_size("candidates", candidates)
    fake, real, train = (
        _pictures(name, x)
        for name, x in (("fake", fake), ("real", real), ("train", train))
    )
    vectors = _vectors("vectors", vectors, len(fake))
    train_vectors = _vectors("train_vectors", train_vectors, len(train))
    if real.shape != fake.shape or train.shape[1:] != fake.shape[1:]:
        raise ValueError(
            "Samples and real pictures have one shape, and as many of both. Received: "
            f"fake {fake.shape}, real {real.shape}, train {train.shape}."
        )
    if train_vectors.shape[1] != vectors.shape[1]:
        raise ValueError(
            "Vectors have one length. Received: "
            f"{vectors.shape[1]} and {train_vectors.shape[1]} numbers."
        )
    if len(fake) < candidates:
        raise ValueError(
            "Each sample's sentence competes with those of others. Received: "
            f"{len(fake)} samples for candidates={candidates}. Make more samples, or "
            "lower `candidates`."
        )
    to_vectors = _ToVectors(train, train_vectors)
    painter = _Ridge(train_vectors, train.reshape(len(train), -1))
    blur = np.clip(painter(vectors).reshape(fake.shape), -1, 1)
    nearest = train[(_unit(vectors) @ _unit(train_vectors).T).argmax(axis=1)]
    rivals = _rivals(len(fake), candidates, np.random.default_rng(seed))

    def score(images):
        return _precision(to_vectors(images), vectors, rivals)

    return TextToImageScores(
        fake=score(fake),
        real=score(real),
        nearest=score(nearest),
        blur=score(blur),
        chance=Precision(*(min(1.0, k / candidates) for k in RANKS)),
        edges=edge_ratio(real, fake),
        blur_edges=edge_ratio(real, blur),
    )


def edge_ratio(real: np.ndarray, fake: np.ndarray) -> float:
    """The edge energy of samples as a share of that of real pictures.

    Edge energy is the mean absolute step between neighbouring pixels, down and
    across. A blur has less than 1, noise has more.

    Args:
        real: array `[n, height, width, channels]`.
        fake: array `[m, height, width, channels]`.

    Returns:
        float of 0 or more.

    Raises:
        ValueError: they are no pictures of one size, or the real ones are blank.

    Example:

    ```python
    stripes = np.tile([-1.0, 1.0], (2, 8, 4))[..., None]
    keras_gans.metrics.edge_ratio(stripes, stripes / 2)  # 0.5
    ```
    """
    real, fake = _pictures("real", real), _pictures("fake", fake)
    if real.shape[1:] != fake.shape[1:]:
        raise ValueError(
            "Real pictures and samples have one shape. Received: "
            f"{real.shape[1:]} and {fake.shape[1:]}."
        )
    whole = _energy(real)
    if whole == 0:
        raise ValueError(
            "Real pictures have edges. Received: pictures of one colour each."
        )
    return _energy(fake) / whole


def _energy(x):
    return float(np.abs(np.diff(x, axis=1)).mean() + np.abs(np.diff(x, axis=2)).mean())


def _pictures(name, x):
    x = np.asarray(x, "float32")
    if x.ndim != 4 or min(x.shape) < 1 or min(x.shape[1:3]) < 2:
        raise ValueError(
            f"`{name}` is [n, height, width, channels], of 2 pixels a side or more. "
            f"Received: shape {x.shape}."
        )
    if not np.isfinite(x).all():
        raise ValueError(f"`{name}` holds NaN or infinite values. Clean the data.")
    return x


def _vectors(name, x, n):
    x = np.asarray(x, "float32")
    if x.ndim != 2 or len(x) != n or not np.isfinite(x).all():
        raise ValueError(
            f"`{name}` is [{n}, dim], a finite vector for each picture. Received: "
            f"shape {x.shape}."
        )
    return x


class _Ridge:
    """A linear regression whose weights are kept small."""

    def __init__(self, x, y):
        x, y = x.astype("float64"), y.astype("float64")
        self.x_mean, self.y_mean = x.mean(axis=0), y.mean(axis=0)
        x, y = x - self.x_mean, y - self.y_mean
        scale = max(float(np.square(x).mean()), 1e-12) * len(x)
        if len(x) > x.shape[1]:
            gram = x.T @ x + RIDGE * scale / 100 * np.eye(x.shape[1])
            self.weights = np.linalg.solve(gram, x.T @ y)
        else:
            gram = x @ x.T + RIDGE * scale / 100 * np.eye(len(x))
            self.weights = x.T @ np.linalg.solve(gram, y)

    def __call__(self, x):
        return (x.astype("float64") - self.x_mean) @ self.weights + self.y_mean


class _ToVectors:
    """A regression from pictures to vectors of sentences."""

    def __init__(self, images, vectors):
        moved = [images, images[:, :, ::-1]]
        moved += [np.roll(images, k, axis=a) for k in (-SHIFT, SHIFT) for a in (1, 2)]
        seen = np.concatenate([_small(x) for x in moved])
        self.ridge = _Ridge(seen, np.tile(vectors, (len(moved), 1)))

    def __call__(self, images):
        return self.ridge(_small(images))


def _small(images):
    """Pictures as rows, of at most `SIDE` pixels a side."""
    for axis in (1, 2):
        many = images.shape[axis]
        if many > SIDE:
            places = np.arange(SIDE) * many // SIDE
            counts = np.diff([*places, many])
            shape = [1, 1, 1, 1]
            shape[axis] = SIDE
            images = np.add.reduceat(images, places, axis=axis) / counts.reshape(shape)
    return images.reshape(len(images), -1)


def _unit(x):
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def _rivals(n, candidates, rng):
    """Which others' sentences each row competes with: int `[n, candidates - 1]`."""
    rows = [rng.permutation(n - 1)[: candidates - 1] for _ in range(n)]
    return np.array([row + (row >= i) for i, row in enumerate(rows)]).reshape(n, -1)


def _precision(said, vectors, rivals):
    likeness = _unit(said) @ _unit(vectors).T
    own = np.diagonal(likeness)
    others = np.take_along_axis(likeness, rivals, axis=1)
    same = np.isclose(others, own[:, None], rtol=0, atol=1e-9).sum(axis=1)
    place = (others > own[:, None] + 1e-9).sum(axis=1) + same / 2
    return Precision(*(float((place < k).mean()) for k in RANKS))
