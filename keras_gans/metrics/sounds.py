"""`evaluate_sounds`: scores of a GAN of sounds, with all that they depend on."""

import warnings

from keras import ops
import numpy as np

from keras_gans.core.gan import BaseGAN
from keras_gans.metrics.functional.sounds import (
    BANDS,
    COMPONENTS,
    RESOLUTIONS,
    TIMES,
    sound_scores,
    stft_distance,
)
from keras_gans.metrics.record import Record
from keras_gans.utils.validation import check_count, check_seed
from keras_gans.version import __version__

NAMES = {
    "frechet": "Fréchet distance of log-mel summaries",
    "kernel": "kernel distance of log-mel summaries",
    "nearest_accuracy": "1-NN accuracy of log-mel summaries (0.5 is best)",
    "coverage": "coverage of log-mel summaries",
    "correlation": "largest correlation with a real sound (1 is a copy)",
}
STFT = "multi-resolution STFT distance"


def evaluate_sounds(
    gan: BaseGAN,
    real: np.ndarray,
    n: int | None = None,
    seed: int = 0,
    name: str = "array",
) -> list[Record]:
    """Scores a GAN of sounds against real ones.

    Of a GAN that makes sounds from a seed, these are `sound_scores`: read them
    together, since a copy wins all of them except the correlation. The labels of a
    conditional one are class i % number of classes. Of a vocoder, it is
    `stft_distance` of the reals to what their spectrograms become again.

    Args:
        gan: `BaseGAN` whose modality is a `Waveform`.
        real: float `[n, samples, channels]` in [-1, 1].
        n: int, how many samples; as many as the reals by default. A vocoder takes
            the first n reals.
        seed: int, of the samples.
        name: str, where the reals are from, for the record.

    Returns:
        A list of `Record`.

    Raises:
        ValueError: sounds are too few or too short, or the GAN makes others.

    Example:

    ```python
    gan = keras_gans.WaveGAN(1024, rate=8000, dim=2)
    real = np.random.uniform(-1, 1, (20, 1024, 1)).astype("float32")
    print(keras_gans.metrics.evaluate_sounds(gan, real)[0])
    ```
    """
    check_seed(seed)
    if n is not None:
        check_count(n)
    if gan.modality.kind != "waveform":
        raise ValueError(
            "Scores of sounds are of a GAN of waveforms. Received: a "
            f"{type(gan).__name__}, whose samples are of another kind: "
            f"{gan.modality.kind}. Judge series by a classifier of yours that is "
            "trained on samples and tested on real ones."
        )
    vocoder = any(i.name == "mel" for i in gan.inputs)
    if not vocoder and not gan.samples_from_seed:
        raise ValueError(
            "Scores of sounds are of a GAN that makes them from a seed, or of a "
            f"vocoder. Received: a {type(gan).__name__}, which speaks texts. Hear it "
            "by `gan.say(text, out)` (keras-gans say)."
        )
    gan.modality.check(real, "real")
    n = len(real) if n is None else n
    if vocoder:
        real = np.asarray(real[:n], "float32")
        fake = gan.sample(len(real), mel=ops.convert_to_numpy(gan.mel(real)))
        values, names = {"stft": stft_distance(real, fake)}, {"stft": STFT}
        windows = ", ".join(str(window) for _, _, window in RESOLUTIONS)
        seen, settings, fakes = "magnitudes", {"windows": windows}, len(real)
    else:
        fake = np.concatenate(list(gan.sample_batches(n, seed=seed)))
        with warnings.catch_warnings():  # sets of sounds are small, which is told
            warnings.simplefilter("ignore", UserWarning)
            values = sound_scores(real, fake, gan.modality.rate)._asdict()
        names, seen, fakes = NAMES, f"{BANDS} bands in {TIMES} parts", n
        settings = {"components": COMPONENTS}
    step = int(ops.convert_to_numpy(gan.step))
    return [
        Record(
            metric=metric,
            name=names[metric],
            value=float(value),
            std=None,
            reals=len(real),
            fakes=fakes,
            real=name,
            fake=f"{type(gan).__name__}, step {step}",
            split=None,
            network=seen,
            weights=None,
            resize=f"{gan.modality.rate} Hz",
            input_size=tuple(real.shape[1:]),
            seed=int(seed),
            settings=settings,
            version=__version__,
        )
        for metric, value in values.items()
    ]
