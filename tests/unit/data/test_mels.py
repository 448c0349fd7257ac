"""Spectrograms beside recordings: in time with them, either way round, refused."""

import shutil

import numpy as np
import pytest
import soundfile

from keras_gans.data import describe_mels, load_mels
from keras_gans.layers import MelSpectrogram
from keras_gans.modalities import Waveform

MEL = MelSpectrogram(8000, 4, 64, 32, 64, high=None)
LENGTHS = {"a": 40, "sub/b": 23, "c": 3}  # frames


@pytest.fixture
def folder(tmp_path):
    """The k-th frame of a file is k / 100 in its sound, and k in its spectrogram."""
    for name, frames in LENGTHS.items():
        for kind in ("wavs", "mels"):
            (tmp_path / kind / name).parent.mkdir(parents=True, exist_ok=True)
        sound = np.repeat(np.arange(1, frames + 1) / 100, 32)
        soundfile.write(tmp_path / f"wavs/{name}.wav", sound, 8000, "FLOAT")
        mel = np.repeat(np.arange(1, frames + 1)[:, None], 4, axis=1)
        np.save(tmp_path / f"mels/{name}.npy", mel.astype("float32"))
    return tmp_path


def batches_of(folder, mels="mels", **options):
    given = {"samples": 256, "batch_size": 1, "shuffle": False, "mel": MEL, **options}
    found = load_mels(folder / "wavs", folder / mels, **given)
    return [(m[0], s[0]) for m, s in found.as_numpy_iterator()]


def check_in_time(pairs):
    for mel, sound in pairs:
        assert mel.shape == (8, 4) and sound.shape == (256, 1)
        told = np.where(mel[:, 0] > 0, mel[:, 0], 0)  # after the end, of silence
        wanted = np.repeat(told / 100, 32)
        np.testing.assert_allclose(sound[:, 0], wanted, atol=1e-6)


def test_segments_are_in_time(folder):
    pairs = batches_of(folder)
    assert len(pairs) == 5 + 1 + 2
    check_in_time(pairs)
    short, _ = pairs[5]
    np.testing.assert_allclose(short[3:], np.log(1e-5), atol=1e-5)
    firsts = [mel[0, 0] for mel, _ in batches_of(folder, segments="first")]
    assert firsts == [1, 1, 1]
    again, other = (batches_of(folder, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal([m for m, _ in pairs], [m for m, _ in again])
    assert any((m != n).any() for (m, _), (n, _) in zip(pairs, other, strict=True))
    rest = load_mels(
        folder / "wavs",
        folder / "mels",
        mel=MEL,
        samples=256,
        batch_size=2,
        start=9,
        repeat=True,
    )
    whole = load_mels(
        folder / "wavs",
        folder / "mels",
        mel=MEL,
        samples=256,
        batch_size=2,
        repeat=True,
    )
    for x, y in zip(next(iter(rest)), next(iter(whole.skip(9))), strict=True):
        np.testing.assert_array_equal(x, y)


def test_spectrograms_of_the_reference_s_layout(folder):
    """[bands, frames], also where there are as many of both, and in an archive."""
    sound = np.repeat(np.arange(1, 5) / 100, 32)
    soundfile.write(folder / "wavs" / "d.wav", sound, 8000, "FLOAT")
    square = np.repeat(np.arange(1, 5)[:, None], 4, axis=1)
    np.save(folder / "mels" / "d.npy", square.astype("float32"))
    check_in_time(batches_of(folder))
    for path in (folder / "mels").rglob("*.npy"):
        np.save(path, np.load(path).T[None])
    check_in_time(batches_of(folder))
    shutil.make_archive(folder / "all", "zip", folder / "mels")
    check_in_time(batches_of(folder, "all.zip"))


def test_what_does_not_fit_is_named(folder):
    mels = folder / "mels"
    good = np.load(mels / "a.npy")
    np.save(mels / "a.npy", good[:37])
    np.save(mels / "c.npy", np.zeros((3, 5), "float32"))
    (mels / "sub" / "b.npy").unlink()
    with pytest.raises(ValueError, match="3 of 3 spectrogram files") as caught:
        batches_of(folder)
    for told in (
        "a.npy': it has 37 frames, and its recording 40.0",
        "c.npy': it has the shape (3, 5), and spectrograms [frames, 4]",
        "b.npy': it is not there, and '",
    ):
        assert told in str(caught.value)
    np.save(mels / "a.npy", good[:39])  # a frame that a model leaves out
    pairs = batches_of(folder, on_error="skip")
    assert len(pairs) == 4
    check_in_time(pairs)
    for array, told in (
        (np.full_like(good, np.nan), "NaN or infinite"),
        (good.astype("int32"), "int32, and spectrograms floats"),
    ):
        np.save(mels / "a.npy", array)
        with pytest.raises(ValueError, match=told):
            batches_of(folder)
    (mels / "a.npy").write_bytes(b"none")
    with pytest.raises(ValueError, match=r"no \.npy file"):
        batches_of(folder)
    for options, told in (
        ({"samples": 100}, "multiple of the hop"),
        ({"mels": "none"}, "none"),
        ({"segments": "last"}, "`segments`"),
    ):
        with pytest.raises(ValueError, match=told):
            batches_of(folder, **options)


def test_what_is_found_is_said(folder):
    wave = Waveform(256, rate=8000)
    (folder / "mels" / "c.npy").unlink()
    places = folder / "wavs", folder / "mels"
    report = describe_mels(*places, wave, MEL, on_error="skip")
    for part in (
        "2 of 3 sound files, with spectrograms",
        "63 frames of 4 bands",
        "7 segments of 8 frames, anywhere in the files",
        "c.npy': it is not there",
    ):
        assert part in str(report)
    names = sorted(report.digests["files"])
    assert names == ["A/a.wav", "A/sub/b.wav", "B/a.npy", "B/sub/b.npy"]
