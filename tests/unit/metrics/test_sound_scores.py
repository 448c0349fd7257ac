"""Scores of sounds: what a copy, noise and another half of the reals get."""

import warnings

import numpy as np
import pytest

import keras_gans as kg
from keras_gans.metrics import evaluate_sounds, sound_scores, stft_distance
from keras_gans.metrics.functional.sounds import (
    correlations,
    log_mel_summaries,
    nearest_neighbour_accuracy,
)


def tones(n, seed):
    """Decaying tones of any pitch, 2,048 samples at 8 kHz."""
    rng = np.random.default_rng(seed)
    times = np.arange(2048) / 8000
    pitch, decay = rng.uniform(100, 3000, (n, 1)), rng.uniform(5, 60, (n, 1))
    return (np.sin(2 * np.pi * pitch * times) * np.exp(-decay * times))[..., None]


def scores(real, fake):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few of them
        return sound_scores(real, fake, rate=8000)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_scores_tell_copies_noise_and_others_apart():
    real = tones(60, 0)
    copy, other = scores(real, 0.5 * real), scores(real, tones(60, 1))
    noise = scores(real, np.random.default_rng(2).uniform(-1, 1, real.shape))
    assert copy.correlation > 0.999  # whatever its loudness
    assert other.frechet < 0.5 * noise.frechet
    assert abs(other.kernel) < 0.05 * noise.kernel
    assert 0.3 < other.nearest_accuracy < 0.7 < noise.nearest_accuracy
    assert noise.coverage < 0.1 < other.coverage
    assert noise.correlation < 0.3


def test_accuracy_by_hand():
    real, fake = np.array([[0.0], [1.0]]), np.array([[1.1], [5.0]])
    # 0 is nearest to 1 (real, right), 1 to 1.1 (wrong), 1.1 to 1 (wrong), 5 to 1.1
    assert nearest_neighbour_accuracy(real, fake) == 0.5
    assert nearest_neighbour_accuracy(real, real + 10) == 1.0


def test_correlations_find_shifted_copies():
    real = tones(3, 0)
    shifted = np.roll(-0.3 * real[1:2], 5, axis=1)
    shifted[:, :5] = 0
    assert correlations(real, shifted)[0] > 0.99
    assert correlations(real, np.zeros_like(shifted))[0] == 0
    rng = np.random.default_rng(0)
    quiet = [0.01 * rng.normal(size=(1, 2048, 1)) + 0.3 for _ in range(2)]
    assert correlations(*quiet)[0] < 0.2  # a constant is no sound


def test_summaries_are_of_bands_and_times():
    assert log_mel_summaries(tones(2, 0), 8000).shape == (2, 240)
    with pytest.raises(ValueError, match="640 samples or more"):
        log_mel_summaries(tones(2, 0)[:, :500], 8000)


def test_stft_distance():
    real = tones(4, 0)
    assert stft_distance(real, real) == 0
    # ||R - R/2|| / ||R|| = 1/2, |log R - log R/2| = log 2 where R is not tiny
    louder = np.random.default_rng(0).normal(size=(2, 4096, 1))
    assert abs(stft_distance(louder, louder / 2) - 0.5 - np.log(2)) < 1e-3
    with pytest.raises(ValueError, match="pair by pair"):
        stft_distance(real, real[:2])
    with pytest.raises(ValueError, match="more than 904 samples"):
        stft_distance(real[:, :900], real[:, :900])


def test_halves_are_scored_on_the_scale_of_all():
    real = tones(60, 0)
    a, b = real[:30], real[30:]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own, all_ = (sound_scores(a, b, 8000, basis) for basis in (a, real))
        assert own == sound_scores(a, b, 8000)
    # Features of a half are fitted to it: they vary less in the other half.
    assert own.frechet != all_.frechet and own.correlation == all_.correlation


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_records_of_a_gan_of_sounds():
    real = tones(20, 0).astype("float32")
    gan = kg.WaveGAN(2048, rate=8000, dim=1, latent_dim=4)
    records = {record.metric: record for record in evaluate_sounds(gan, real)}
    made = gan.sample(20, seed=0)
    for metric, wanted in scores(real, made)._asdict().items():
        assert records[metric].value == pytest.approx(wanted, rel=1e-6)
    assert "20 fakes (WaveGAN, step 0) to 20 reals (array)" in str(records["frechet"])
    again = kg.metrics.Record.from_json(records["coverage"].to_json())
    assert again == records["coverage"]
    with pytest.raises(ValueError, match="waveforms"):
        evaluate_sounds(kg.SensorGAN(32, 1, dim=1), real)


def test_record_of_a_vocoder():
    numbers = {"channels": 4, "rates": (32,), "kernels": (64,), "periods": (2,)}
    blocks = {"block_kernels": (3,), "dilations": ((1,),)}
    options = {"rate": 8000, "segment": 2048, "bands": 8, "d_width": 4, "scales": 0}
    gan = kg.HiFiGAN("v3", **numbers, **blocks, **options)
    real = tones(3, 0).astype("float32")
    [record] = evaluate_sounds(gan, real, n=2)
    wanted = stft_distance(real[:2], gan.sample(2, mel=np.asarray(gan.mel(real[:2]))))
    assert record.metric == "stft" and record.reals == record.fakes == 2
    assert record.value == pytest.approx(wanted, rel=1e-5)


def test_what_speaks_is_no_gan_of_sounds_from_a_seed():
    gan = kg.TextToSpeech(
        rate=8000,
        segment=640,
        channels=8,
        rates=(5, 2),
        kernels=(11, 4),
        width=8,
        periods=(2,),
        scales=0,
        d_width=4,
    )
    with pytest.raises(ValueError, match="a TextToSpeech, which speaks texts"):
        evaluate_sounds(gan, np.zeros((20, 640, 1), "float32"))


def test_broken_sounds_are_named():
    real, fake = tones(20, 0), tones(20, 1)
    fake[3, 5] = np.nan
    for score in (scores, stft_distance, correlations):
        with pytest.raises(ValueError, match="in 1 of 20 of `fake`, first in sound 3"):
            score(real, fake)


def test_refusals():
    with pytest.raises(ValueError, match="more than 16 real sounds"):
        scores(tones(16, 0), tones(16, 1))
    with pytest.raises(ValueError, match="real and fake ones alike"):
        scores(tones(20, 0), tones(20, 1)[..., 0])
