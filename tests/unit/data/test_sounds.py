"""Sounds of files: read by segments, resampled, mixed, and refused."""

import numpy as np
import pytest
import soundfile

from keras_gans.data import describe_sounds, load_sounds, sound_classes
from keras_gans.data import sounds as reading
from keras_gans.modalities import Waveform, untrusted


def sine(seconds, rate, hertz=440.0, channels=1):
    times = np.arange(int(seconds * rate)) / rate
    one = 0.5 * np.sin(2 * np.pi * hertz * times)
    return np.repeat(one[:, None], channels, axis=1)


@pytest.fixture
def folder(tmp_path):
    """Three classes of sounds, of several formats and rates."""
    for name, rate, channels, seconds in (
        ("low/a.wav", 8000, 1, 1.0),
        ("low/b.flac", 16000, 2, 0.5),
        ("mid/c.ogg", 22050, 1, 0.5),
        ("top/d.mp3", 44100, 1, 0.5),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        soundfile.write(path, sine(seconds, rate, channels=channels), rate)
    (tmp_path / "notes.txt").write_text("none")
    return tmp_path


def batch_of(*args, **kwargs):
    given = {"samples": 2048, "rate": 8000, "batch_size": 2, "shuffle": False, **kwargs}
    return list(load_sounds(*args, **given).as_numpy_iterator())


def test_formats_rates_and_channels(folder):
    batches = batch_of(folder, drop_remainder=False, labels=True)
    sounds = np.concatenate([x for x, _ in batches])
    labels = np.concatenate([y for _, y in batches])
    assert sounds.shape == (6, 2048, 1)
    np.testing.assert_array_equal(labels, [0, 0, 0, 0, 1, 2])
    assert sound_classes(folder) == ["low", "mid", "top"]
    for sound in sounds:  # the same tone, as loud, whatever it was read from
        spectrum = np.abs(np.fft.rfft(sound[:, 0]))
        assert abs(spectrum.argmax() * 8000 / 2048 - 440) < 4
        assert 0.97 < np.abs(sound).max() <= 1


def test_what_is_found_is_said(folder):
    text = str(describe_sounds(folder, Waveform(2048, rate=8000), labels=True))
    for part in (
        "4 of 4 sound files",
        "2.5 s in all, from 0.50 to 1.00 s",
        ".txt x1",
        "3: low, mid, top",
        "3 files of 16000, 22050, 44100 Hz, to 8000 Hz",
        "1 file of several channels, to one",
        "6 segments of 2048 samples (0.26 s), anywhere in the files",
    ):
        assert part in text
    stereo = str(describe_sounds(folder, Waveform(2048, channels=2, rate=8000)))
    assert "repeated   3 files of one channel, as 2" in stereo


def test_segments_depend_on_seed_epoch_and_place(folder):
    options = {"samples": 512, "rate": 8000, "batch_size": 4, "repeat": True}

    def some(**kwargs):
        return next(load_sounds(folder, **options, **kwargs).as_numpy_iterator())

    first = some(seed=1)
    np.testing.assert_array_equal(first, some(seed=1))
    assert (first != some(seed=2)).any()
    assert (first != some(seed=1, start=7)).any()
    *_, eighth = load_sounds(folder, **options, seed=1).take(8).as_numpy_iterator()
    np.testing.assert_array_equal(eighth, some(seed=1, start=7))


def test_speed_changes_pitch_and_length_by_its_share_alone(tmp_path):
    soundfile.write(tmp_path / "a.wav", sine(0.2, 8000), 8000)
    options = {"segments": "first", "batch_size": 1, "repeat": True}
    options |= {"samples": 2048, "rate": 8000, "shuffle": False}
    as_is = next(load_sounds(tmp_path, **options).as_numpy_iterator())[0, :, 0]
    data = load_sounds(tmp_path, **options, speed=0.2).take(30)
    pitches, lengths = [], []
    for (sound,) in data.as_numpy_iterator():
        spectrum = np.abs(np.fft.rfft(sound[:, 0], 2**15))
        pitches.append(spectrum.argmax() * 8000 / 2**15 / 440)
        lengths.append(np.flatnonzero(sound[:, 0])[-1] / np.flatnonzero(as_is)[-1])
    # 30 of U(0.8, 1.2): that none is beyond these has a chance below 1e-3.
    assert 0.79 < min(pitches) < 0.88 and 1.12 < max(pitches) < 1.21
    np.testing.assert_allclose(np.multiply(pitches, lengths), 1, atol=0.02)
    again = load_sounds(tmp_path, **options, speed=0.2, start=3).as_numpy_iterator()
    *_, fourth = data.take(4).as_numpy_iterator()
    np.testing.assert_array_equal(next(again), fourth)
    with pytest.raises(ValueError, match=r"speed.*\[0, 0.5\]"):
        load_sounds(tmp_path, **options, speed=0.6)


def test_speed_reads_the_same_place_of_long_files(tmp_path):
    """Of a rising tone, which tells where a segment begins and how fast it is."""
    slots, low, rise = 8, 300.0, 1500.0  # rise: Hz a second
    times = np.arange(slots * 1024) / 8000
    tone = 0.5 * np.sin(2 * np.pi * (low + rise * times / 2) * times)
    soundfile.write(tmp_path / "a.wav", tone, 8000)
    options = {"trim": False, "peak": None, "batch_size": slots, "repeat": True}
    options |= {"samples": 1024, "rate": 8000, "shuffle": False, "speed": 0.2}
    data = load_sounds(tmp_path, segments="random", **options).take(3)
    paces, middle = [], slice(100, -100)
    for sounds in data.as_numpy_iterator():
        for slot, sound in enumerate(sounds[:, :, 0]):
            spectrum = np.fft.fft(sound)
            spectrum[512:] = 0  # leaves the analytic signal
            angles = np.unwrap(np.angle(np.fft.ifft(spectrum)))[middle]
            square, once, _ = np.polyfit(times[:1024][middle], angles, 2)
            paces.append(np.sqrt(square / (np.pi * rise)))
            begin = (once / (2 * np.pi * paces[-1]) - low) / rise
            place = begin * 8000 / 1024 - slot
            last = slots - slot - paces[-1]  # where a whole segment is left
            assert min(0, last) - 0.05 < place < min(1, last) + 0.05
    assert 0.79 < min(paces) < 0.9 and 1.1 < max(paces) < 1.21


def test_ends_are_trimmed_and_short_sounds_padded(tmp_path):
    loud = sine(0.2, 8000)
    quiet = np.zeros((800, 1))
    soundfile.write(tmp_path / "a.wav", np.concatenate([quiet, loud, quiet]), 8000)
    (whole,) = batch_of(tmp_path, batch_size=1, segments="first", trim=False)
    (cut,) = batch_of(tmp_path, batch_size=1, segments="first")
    assert np.abs(whole[0, :700]).max() == 0
    assert np.abs(cut[0, :300]).max() > 0.9
    assert (cut[0, 2047] == 0).all()
    (as_is,) = batch_of(tmp_path, batch_size=1, segments="first", peak=None)
    assert 0.49 < np.abs(as_is).max() < 0.51


def test_long_files_are_read_in_parts(tmp_path, monkeypatch):
    soundfile.write(tmp_path / "long.wav", sine(60, 8000), 8000)
    counts = []

    class Counting(soundfile.SoundFile):
        def read(self, frames=-1, *args, **kwargs):
            counts.append(frames)
            return super().read(frames, *args, **kwargs)

    monkeypatch.setattr(soundfile, "SoundFile", Counting)
    monkeypatch.setattr(reading, "READ", 2**12)
    batches = batch_of(tmp_path, batch_size=64)
    assert len(batches) == 60 * 8000 // 2048 // 64
    assert max(counts) <= 2**12


def test_files_of_hours_are_data_of_a_training(tmp_path, monkeypatch):
    """They have more bytes than a file that is read at once may have."""
    soundfile.write(tmp_path / "a.wav", sine(1, 8000), 8000)
    monkeypatch.setattr(untrusted, "MAX_BYTES", 1000)
    options = {"samples": 1000, "rate": 8000, "batch_size": 8}
    assert next(iter(load_sounds(tmp_path, **options))).shape == (8, 1000, 1)
    report = describe_sounds(str(tmp_path), Waveform(1000, rate=8000))
    assert list(report.digests["files"]) == ["a.wav"]


def test_unusable_files_are_named(folder):
    soundfile.write(folder / "low" / "nan.wav", np.full((99, 1), np.nan), 8000, "FLOAT")
    soundfile.write(folder / "low" / "silent.wav", np.zeros((99, 1)), 8000)
    soundfile.write(folder / "low" / "six.wav", np.ones((99, 6)) / 2, 8000)
    (folder / "low" / "text.wav").write_text("no sound")
    whole = (folder / "low" / "b.flac").read_bytes()
    (folder / "low" / "half.flac").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ValueError, match="5 of 9 sound files") as error:
        batch_of(folder, channels=2)
    for part in (
        "nan.wav': it holds NaN",
        "silent.wav': it is silent",
        "text.wav'",
        "six.wav': it has 6 channels",
        "half.flac'",
        "--skip_broken",
    ):
        assert part in str(error.value), part
    assert batch_of(folder, on_error="skip")[0].shape == (2, 2048, 1)


def test_numbers_beyond_one_are_never_clipped_unsaid(tmp_path):
    """Of a file of floats, which may hold any."""
    loud = 6 * sine(0.5, 8000)
    soundfile.write(tmp_path / "a.wav", loud, 8000, "FLOAT")
    with pytest.raises(ValueError, match=r"a\.wav', whose largest sample is 3"):
        batch_of(tmp_path, batch_size=1, peak=None)
    with pytest.raises(ValueError, match=r"Received: .*a\.wav', whose largest"):
        reading.read_sound(tmp_path / "a.wav", 8000)
    scaled = reading.read_sound(tmp_path / "a.wav", 8000, peak=0.6)
    np.testing.assert_allclose(scaled, loud / 5, atol=1e-6)
    [sound] = batch_of(tmp_path, batch_size=1, segments="first", trim=False)
    np.testing.assert_allclose(sound[0], loud[:2048] / 3, atol=1e-6)


def test_lossy_files_far_beyond_one_are_refused_too(tmp_path):
    """Their decoders go beyond it by a little, which is clipped."""
    soundfile.write(tmp_path / "a.ogg", 2 * sine(0.5, 8000), 8000)  # about 1
    soundfile.write(tmp_path / "b.ogg", 6 * sine(0.5, 8000), 8000)
    assert reading.read_sound(tmp_path / "a.ogg", 8000).max() <= 1
    for call in (
        lambda: reading.read_sound(tmp_path / "b.ogg", 8000),
        lambda: batch_of(tmp_path, batch_size=1, peak=None),
    ):
        with pytest.raises(ValueError, match=r"b\.ogg', whose largest sample is [23]"):
            call()
    assert reading.read_sound(tmp_path / "b.ogg", 8000, peak=1.0).max() <= 1


def test_what_is_changed_of_a_file_is_said(tmp_path):
    soundfile.write(tmp_path / "one.wav", sine(0.1, 8000), 8000)
    soundfile.write(tmp_path / "two.wav", sine(0.1, 8000, channels=2), 8000)
    assert reading.changes_of(tmp_path / "one.wav", 8000) == ""
    told = reading.changes_of(tmp_path / "two.wav", 16000)
    assert told == "resampled from 8000 to 16000 Hz, 2 channels mixed to one"
    assert reading.changes_of(tmp_path / "two.wav", 8000, channels=2) == ""
    told = reading.changes_of(tmp_path / "one.wav", 8000, channels=2)
    assert told == "one channel repeated as 2"
    (tmp_path / "none.wav").write_text("no sound")
    for name in ("none.wav", "absent.wav"):
        with pytest.raises(ValueError, match=rf"Cannot read '.*{name}'"):
            reading.changes_of(tmp_path / name, 8000)


def test_the_peak_is_that_of_the_mix(tmp_path):
    """Of what is heard, not of a channel that is mixed with others."""
    tone = sine(0.5, 8000)
    soundfile.write(tmp_path / "half.wav", np.hstack([tone, 0 * tone]), 8000)
    [sound] = batch_of(tmp_path, batch_size=1, segments="first")
    assert np.abs(sound).max() == pytest.approx(1, abs=1e-3)
    sound = reading.read_sound(tmp_path / "half.wav", 8000, peak=0.95)
    assert np.abs(sound).max() == pytest.approx(0.95, abs=1e-3)
    both = reading.read_sound(tmp_path / "half.wav", 8000, channels=2, peak=0.5)
    np.testing.assert_allclose(both, np.hstack([tone, 0 * tone]), atol=1e-4)
    loud = np.hstack([3 * tone, 0 * tone])  # up to 1.5, mixed to 0.75
    soundfile.write(tmp_path / "half.wav", loud, 8000, "FLOAT")
    sound = reading.read_sound(tmp_path / "half.wav", 8000)
    np.testing.assert_allclose(sound, 1.5 * tone, atol=1e-6)
    soundfile.write(tmp_path / "none.wav", np.hstack([tone, -tone]), 8000)
    told = r"none\.wav': it is, mixed to one channel, silent"
    with pytest.raises(ValueError, match=told):
        batch_of(tmp_path, batch_size=1)
    with pytest.raises(ValueError, match=told):
        reading.read_sound(tmp_path / "none.wav", 8000)
    assert len(reading.read_sound(tmp_path / "none.wav", 8000, channels=2)) == 4000


@pytest.mark.parametrize("form", ["WAV", "WAVEX", "RF64"])
def test_files_that_are_cut_off_are_named(tmp_path, form):
    """libsndfile reads what is left, and says nothing."""
    path = tmp_path / "a.wav"
    options = {"subtype": "FLOAT" if form == "WAVEX" else "PCM_16", "format": form}
    soundfile.write(path, sine(0.5, 8000), 8000, **options)
    whole = path.read_bytes()
    assert len(reading.read_sound(path, 8000)) == 4000
    path.write_bytes(whole[:3000])
    told = r"a\.wav'?: .*it is cut off: its header announces [81]6?,000 bytes of sound"
    for call in (
        lambda: reading.read_sound(path, 8000),
        lambda: batch_of(tmp_path, batch_size=1),
    ):
        with pytest.raises(ValueError, match=told):
            call()
    if form == "WAVEX":
        with pytest.raises(ValueError, match="it is cut off"):
            Waveform(None, 1, 8000).read(path)


@pytest.mark.parametrize("length", [0x7FFFF000, 0xFFFFFFFF])
def test_streams_of_unsaid_length_are_read(tmp_path, length):
    soundfile.write(tmp_path / "a.wav", sine(0.5, 8000), 8000)
    data = bytearray((tmp_path / "a.wav").read_bytes())
    at = data.index(b"data") + 4
    data[at : at + 4] = length.to_bytes(4, "little")
    (tmp_path / "a.wav").write_bytes(data)
    assert len(reading.read_sound(tmp_path / "a.wav", 8000)) == 4000


def test_drums_are_embedded():
    (sounds,) = batch_of("drums", samples=4096, segments="first", batch_size=98)
    assert sounds.shape == (98, 4096, 1)
    assert np.abs(sounds).max(axis=(1, 2)).min() > 0.1
    assert sound_classes("drums") == ["bd", "drum", "elec", "perc", "sn", "tabla"]


@pytest.mark.parametrize(
    ("source", "kwargs", "message"),
    [
        ("drum", {}, "no such folder|does not exist|Unknown|drums"),
        (np.zeros((4, 8, 1)), {}, "Arrays are given to a GAN"),
        ("drums", {"segments": "any"}, "'random', 'first'"),
        ("drums", {"peak": 2.0}, "peak"),
        ("drums", {"samples": 0}, "samples"),
        ("drums", {"batch_size": 1000}, "too few for a batch"),
    ],
)
def test_refusals(source, kwargs, message):
    with pytest.raises(ValueError, match=message):
        batch_of(source, **kwargs)
