"""Scores of sounds: over log-mel summaries, and over spectrograms.

A summary is a sound's log-mel spectrogram, averaged over a few parts of its
length: what it sounds like, roughly, and when. It is no learned feature, and the
scores over it compare only with each other.
"""

from typing import NamedTuple

from keras import ops
import numpy as np

from keras_gans.layers.mel import MelSpectrogram, reflected, stft_magnitudes
from keras_gans.metrics.functional.distances import frechet_distance, kernel_distance
from keras_gans.metrics.functional.manifolds import density_coverage

BANDS = 24
TIMES = 10
COMPONENTS = 16
FLOOR = 1e-4
NEIGHBOURS = 1  # of the reals, which coverage goes by: these sets are small
BLOCK = 64  # sounds summarized at a time
# (n_fft, hop, window), as Parallel WaveGAN has them.
RESOLUTIONS = ((1024, 120, 600), (2048, 240, 1200), (512, 50, 240))


class SoundScores(NamedTuple):
    """How near sounds come to real ones; read them together.

    Attributes:
        frechet: Fréchet distance of whitened summaries; 0 is best. A copy wins
            it, and so does a disguised one.
        kernel: squared maximum mean discrepancy of whitened summaries, with a
            cubic kernel; about 0 is best, and a copy wins it, too. Unlike the
            Fréchet distance it is not larger for small sets.
        nearest_accuracy: share of all sounds whose nearest other one is of
            their own side; 0.5 is best, 1 is told apart at once.
        coverage: share of real sounds that have a fake nearer than any other
            real; 1 is best, and another half of the reals has about 0.5.
        correlation: the largest correlation of a fake with a real sound, each
            without its mean; 1 is a copy.
    """

    frechet: float
    kernel: float
    nearest_accuracy: float
    coverage: float
    correlation: float


def sound_scores(
    real: np.ndarray, fake: np.ndarray, rate: int, basis: np.ndarray | None = None
) -> SoundScores:
    """Scores sounds against real ones.

    Summaries are brought to the 16 principal components of the reals, each of
    variance 1. The Fréchet distance depends on these: to compare with what was
    scored against other reals, say a half of them, give the same `basis` to both.

    Args:
        real: float `[n, samples, channels]`, more than 16.
        fake: float `[m, samples, channels]`.
        rate: int, samples a second.
        basis: float `[k, samples, channels]`, more than 16, whose components and
            variances are taken; the reals' by default.

    Returns:
        `SoundScores`.

    Raises:
        ValueError: too few, of other shapes, or with NaN.

    Example:

    ```python
    sounds = np.random.uniform(-1, 1, (64, 4096, 1))
    keras_gans.metrics.sound_scores(sounds[:32], sounds[32:], rate=8000)
    ```

    Reference:
        Fréchet distance: https://arxiv.org/abs/1706.08500; kernel distance:
        https://arxiv.org/abs/1801.01401; accuracy:
        https://arxiv.org/abs/1610.06545; coverage: https://arxiv.org/abs/2002.09797
    """
    _check(real, fake)
    basis = real if basis is None else basis
    _check(basis, fake)
    if len(basis) <= COMPONENTS:
        raise ValueError(
            f"Scores are taken of more than {COMPONENTS} real sounds. Received: "
            f"{len(basis)}."
        )
    whiten = _whitening(log_mel_summaries(basis, rate))
    a, b = (whiten(log_mel_summaries(x, rate)) for x in (real, fake))
    return SoundScores(
        frechet_distance(a, b),
        kernel_distance(a, b),
        nearest_neighbour_accuracy(a, b),
        density_coverage(a, b, k=NEIGHBOURS).coverage,
        float(correlations(real, fake).max()),
    )


def log_mel_summaries(sounds: np.ndarray, rate: int) -> np.ndarray:
    """The log-mel spectrograms of sounds, averaged over 10 parts of their length.

    Args:
        sounds: float `[n, samples, channels]`, of which channels are mixed.
        rate: int, samples a second.

    Returns:
        float64 `[n, 240]`: 24 bands in each part.

    Raises:
        ValueError: they are too short.
    """
    sounds = np.asarray(sounds, "float32").mean(axis=-1)
    hop = 64
    if sounds.shape[1] < hop * TIMES:
        raise ValueError(
            f"A summary is taken of {hop * TIMES} samples or more. Received: "
            f"{sounds.shape[1]}."
        )
    mel = MelSpectrogram(rate, BANDS, 256, hop, 256, high=None, floor=FLOOR)
    blocks = np.array_split(sounds, -(-len(sounds) // BLOCK))
    parts = [ops.convert_to_numpy(mel(x)) for x in blocks]
    spectrograms = np.concatenate(parts).astype("float64")
    means = [x.mean(axis=1) for x in np.array_split(spectrograms, TIMES, axis=1)]
    return np.concatenate(means, axis=1)


def nearest_neighbour_accuracy(real: np.ndarray, fake: np.ndarray) -> float:
    """How often the nearest other row is of the same side.

    Args:
        real: float `[n, d]`, features.
        fake: float `[m, d]`; as many are best.

    Returns:
        float in [0, 1]: 0.5 of alike sets, 1 of sets apart, 0 of copies.

    Reference:
        https://arxiv.org/abs/1610.06545
    """
    rows = np.concatenate([real, fake])
    squares = np.square(rows).sum(axis=1)
    distances = squares[:, None] + squares - 2 * rows @ rows.T
    np.fill_diagonal(distances, np.inf)
    is_fake = np.arange(len(rows)) >= len(real)
    return float(np.mean(is_fake[distances.argmin(axis=1)] == is_fake))


def correlations(real: np.ndarray, fake: np.ndarray) -> np.ndarray:
    """The largest correlation of each fake with any real sound, at any shift.

    The mean of each channel is left out: a constant, which is not heard, correlates
    with no other.

    Args:
        real: float `[n, samples, channels]`.
        fake: float `[m, samples, channels]`.

    Returns:
        float64 `[m]` in [0, 1], whatever the sign and the loudness.

    Raises:
        ValueError: they have other shapes, or hold NaN.
    """
    _check(real, fake)
    size = 2 * real.shape[1]
    spectra = [np.fft.rfft(_unit(x), size, axis=1) for x in (real, fake)]
    largest = [
        np.abs(np.fft.irfft((spectra[0].conj() * one).sum(axis=2), size, axis=1)).max()
        for one in spectra[1]
    ]
    return np.minimum(largest, 1.0)


def stft_distance(real: np.ndarray, fake: np.ndarray) -> float:
    """Multi-resolution distance of the spectrograms of sounds, pair by pair.

    At each of three resolutions, the spectral convergence ||R - F|| / ||R|| and
    the mean of |log R - log F|, of magnitudes R and F; their sum, averaged.

    Args:
        real: float `[n, samples, channels]` of more than 924 samples.
        fake: float of the same shape.

    Returns:
        float of 0 or more; 0 is best.

    Raises:
        ValueError: they have other shapes, are too short, or hold NaN.

    Example:

    ```python
    sound = np.random.uniform(-1, 1, (1, 4096, 1))
    keras_gans.metrics.stft_distance(sound, 0.5 * sound)
    ```

    Reference:
        https://arxiv.org/abs/1910.11480, equations 4 to 6
    """
    _check(real, fake)
    if real.shape != fake.shape:
        raise ValueError(
            "Sounds are compared pair by pair. Received: shapes "
            f"{real.shape} and {fake.shape}."
        )
    total = 0.0
    for n_fft, hop, window in RESOLUTIONS:
        side = (n_fft - hop) // 2
        if real.shape[1] <= side:
            raise ValueError(
                f"Sounds have more than {side} samples. Received: {real.shape[1]}."
            )
        for r, f in zip(real, fake, strict=True):
            padded = (reflected(x.T.astype("float32"), side, side) for x in (r, f))
            r, f = (
                ops.convert_to_numpy(stft_magnitudes(x, n_fft, hop, window))
                for x in padded
            )
            total += np.linalg.norm(r - f) / np.linalg.norm(r)
            total += np.abs(np.log(r) - np.log(f)).mean()
    return float(total / len(real) / len(RESOLUTIONS))


def _check(real, fake):
    shapes = [np.shape(x) for x in (real, fake)]
    if any(len(shape) != 3 or 0 in shape for shape in shapes) or (
        shapes[0][1:] != shapes[1][1:]
    ):
        raise ValueError(
            "Sounds are [n, samples, channels], real and fake ones alike. Received: "
            f"shapes {shapes[0]} and {shapes[1]}."
        )
    for name, sounds in (("real", real), ("fake", fake)):
        broken = np.flatnonzero(~np.isfinite(sounds).all(axis=(1, 2)))
        if len(broken):
            raise ValueError(
                "Sounds are finite. Received: NaN or infinite values in "
                f"{len(broken)} of {len(sounds)} of `{name}`, first in sound "
                f"{broken[0]}. Leave it out, or look at how it was made."
            )


def _whitening(rows):
    """A function to the principal components of rows, of variance 1."""
    mean = rows.mean(axis=0)
    _, sizes, axes = np.linalg.svd(rows - mean, full_matrices=False)
    scale = sizes[:COMPONENTS] / np.sqrt(len(rows) - 1)
    return lambda x: (x - mean) @ (axes[:COMPONENTS].T / scale)


def _unit(sounds):
    """Sounds of mean 0 and norm 1; silence stays."""
    sounds = np.asarray(sounds, "float64")
    sounds = sounds - sounds.mean(axis=1, keepdims=True)
    norms = np.sqrt(np.square(sounds).sum(axis=(1, 2), keepdims=True))
    return sounds / np.maximum(norms, 1e-12)
