"""TextToSpeech: trained on phonemes; what it says, and from the command line."""

import json
import wave

from checks import check_gan
from command_line import call
import keras
from keras import ops
import numpy as np
import pytest
import soundfile

import keras_gans as kg
from keras_gans.data.speech import (
    align,
    describe_speech,
    describe_utterances,
    frames_of,
    load_speech,
    load_utterances,
    read_metadata,
)
from keras_gans.layers import InverseSTFT
from keras_gans.modalities import Waveform, phonemes
from keras_gans.modalities.phonemes import words_of

SYMBOLS = ("SIL", "S", "EH", "V", "AH", "N", "TH", "R", "IY")
SAID = {"seven": "S EH V AH N", "three": "TH R IY"}


def small(**kwargs):
    numbers = {"channels": 4, "rates": (4, 2), "kernels": (8, 4), "width": 4}
    others = {"rate": 8000, "segment": 256, "bands": 8, "symbols": SYMBOLS}
    judged = {"periods": (2,), "scales": 0, "d_width": 4}
    return kg.TextToSpeech(**{**numbers, **others, **judged, **kwargs})


def batch(n=8, frames=8, hop=32):
    """Frames of phonemes, waveforms, and sequences with their lengths."""
    rng = np.random.default_rng(0)
    sequences = np.stack([rng.integers(0, 9, (n, 4)), np.full((n, 4), 2)], -1)
    sequences[1, 3] = (-1, 0)
    phones = [frames_of(s[:, 0] % 9, s[:, 1]) for s in sequences]
    phones = [np.concatenate([p, p])[:frames] for p in phones]
    sound = rng.uniform(-1, 1, (n, frames * hop, 1)).astype("float32")
    return np.stack(phones), (sound, sequences.astype("int32"))


@pytest.mark.full
@pytest.mark.backends
def test_text_to_speech():
    check_gan(small, *batch(), batch_size=2, executions=False)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_phonemes_are_spoken():
    gan = small(ema=0.9)
    lengths = gan.lengths_of(["SIL", "S", "EH"])
    sound = gan.speak(["SIL", "S", "EH"])
    assert len(sound) == lengths.sum() * gan.hop and np.abs(sound).max() <= 1
    made = gan.sample(2, phones=frames_of(np.array([1, 0]), np.array([3, 5])))
    assert made.shape == (2, 8 * gan.hop, 1)


@pytest.mark.full
@pytest.mark.backends
def test_lengths_are_learned_where_they_differ():
    keras.utils.set_random_seed(1)
    gan = small(mel_weight=0.0, width=16)  # of 4 channels, all may be 0
    gan.compile(durations_optimizer=keras.optimizers.Adam(0.01))
    x, (sound, _) = batch(4)
    row = [(1, 2), (2, 9), (3, 4), (-1, 0)]  # S is short, EH long
    y = (sound, np.array([row] * 4, "int32"))
    gan.fit(x, y, batch_size=4, epochs=60, verbose=0)
    assert gan.lengths_of(["S", "EH", "V"]).tolist() == [2, 9, 4]
    assert gan.lengths_of(["S", "EH", "V"], speed=0.5).tolist() == [4, 18, 8]


def test_a_text_is_said(tmp_path):
    gan = small()
    words = {"pronunciations": SAID}
    sound = gan.say("seven, three", tmp_path / "a.wav", **words)
    with wave.open(str(tmp_path / "a.wav")) as file:
        assert (file.getframerate(), file.getnframes()) == (8000, len(sound))
    with pytest.raises(ValueError, match=r"a\.wav"):
        gan.say("seven", tmp_path / "a.wav", **words)
    joined = gan.say("seven three", **words)
    apart = gan.say("seven three", pause=0.1, **words)
    # 0.1 s is 25 frames, beside what phonemes beside a pause are foreseen to last.
    assert len(apart) > len(joined) + 15 * gan.hop
    phones, lengths = gan.plan("seven three", pause=0.1, **words)
    assert phones == [
        "SIL",
        *SAID["seven"].split(),
        "SIL",
        *SAID["three"].split(),
        "SIL",
    ]
    assert lengths[6] == 25 and lengths.sum() * gan.hop == len(apart)


def test_words_and_their_phonemes():
    found = words_of("Seven; three!", SAID)
    assert [word for word, _ in found] == ["seven", "", "three", ""]
    assert found[0][1] == ("S", "EH", "V", "AH", "N")
    with pytest.raises(ValueError, match=r"A pronunciation is phonemes"):
        words_of("a", {"a": "Q"})
    with pytest.raises(ValueError, match=r"a word or more"):
        words_of(" ", SAID)


def said(text, own=SAID):
    return [word or "," for word, _ in words_of(text, own)]


def test_marks_of_texts_make_pauses_or_none():
    assert said('"Seven, (three) seven - three\u2026" \u2014') == [
        *("seven", ",", "three", ",", "seven", ",", "three", ",")
    ]
    assert said("[Seven] \u201cthree\u201d--seven?!") == [
        *("seven", ",", "three", ",", "seven", ",")
    ]
    assert said("don\u2019t", {"don't": "D OW N T"}) == ["don't"]
    assert said("Sevén") == ["seven"]


def test_words_that_are_quoted_or_joined():
    pytest.importorskip("pocketsphinx")
    assert said("He said 'hello.'") == ["he", "said", "hello", ","]
    assert said("\u2018Hello\u2019 \u2018em") == ["hello", "'em"]
    assert said("state-of-the-keras", {"keras": "K"}) == ["state", "of", "the", "keras"]
    with pytest.raises(ValueError, match="dictionary: 'wurld'"):
        said("forty-wurld")


def test_the_dictionary_of_pocketsphinx():
    pytest.importorskip("pocketsphinx")
    assert words_of("Hello a.")[1] == ("a.", ("EY",))
    message = r"'wurld', '7'.*hello.*pronunciations"
    with pytest.raises(ValueError, match=message):
        words_of("hello wurld 7")


def test_inverse_transform_undoes_the_transform():
    rng = np.random.default_rng(0)
    sound = rng.normal(size=(2, 80))
    for n_fft, hop in ((16, 4), (12, 4), (8, 2)):
        side = n_fft // 2 // hop * hop
        padded = np.pad(sound, ((0, 0), (side, n_fft)))
        window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)
        starts = np.arange(80 // hop)[:, None] * hop + np.arange(n_fft)
        spectra = np.fft.rfft(padded[:, starts] * window)
        parts = [np.log(np.abs(spectra)), np.angle(spectra)]
        made = InverseSTFT(n_fft, hop)(np.concatenate(parts, -1).astype("float32"))
        inner = slice(n_fft, 80 - n_fft)  # ends lack frames around them
        made = ops.convert_to_numpy(made)[:, inner, 0]
        np.testing.assert_allclose(made, sound[:, inner], atol=1e-5)
    with pytest.raises(ValueError, match=r"n_fft=8, hop=3"):
        InverseSTFT(8, 3)


@pytest.fixture
def folder(tmp_path):
    """Two recordings as LJSpeech lays them out, and where their phonemes are."""
    lengths = {"one": 0.2, "two": 0.025}
    (tmp_path / "wavs").mkdir()
    for name, seconds in lengths.items():
        times = np.arange(round(seconds * 8000)) / 8000
        sound = 0.3 * np.sin(2 * np.pi * 300 * times)[:, None]
        Waveform(None, 1, 8000).write(tmp_path / "wavs" / f"{name}.wav", sound)
    (tmp_path / "metadata.csv").write_text("one|7|seven\ntwo|three\n")
    alignment = {
        "one": {"phones": SAID["seven"].split(), "seconds": [0.04] * 5},
        "two": {"phones": ["TH", "R", "IY"], "seconds": [0.005, 0.01, 0.01]},
    }
    (tmp_path / "alignment.json").write_text(json.dumps(alignment))
    return tmp_path


def loaded(folder, **kwargs):
    options = {"samples": 256, "hop": 32, "rate": 8000, "symbols": SYMBOLS}
    return load_speech(folder, **{**options, "batch_size": 2, **kwargs})


def test_segments_of_speech(folder):
    phones, sound, sequences = next(iter(loaded(folder, shuffle=False)))
    assert phones.shape == (2, 8, 3) and sound.shape == (2, 256, 1)
    again = next(iter(loaded(folder, shuffle=False)))[0]
    np.testing.assert_array_equal(phones, again)
    # 0.04 s are 10 frames; the whole sequence is there, whatever the segment.
    numbers = [SYMBOLS.index(p) for p in SAID["seven"].split()]
    assert sequences[0].numpy().tolist() == [[n, 10] for n in numbers]
    assert 0.9 < np.abs(sound).max() <= 0.95
    # The shorter one is followed by silence, and by its phoneme.
    everything = np.concatenate([b[0] for b in loaded(folder, batch_size=1)])
    (short,) = [row for row in everything if row[0, 0] in (6, 7)][:1]
    ended = short[:, 0] == 0
    assert ended.any() and short[ended, 1].tolist() == list(range(ended.sum()))
    sizes = short[~ended, 2]
    assert (short[~ended, 1] < sizes).all()


def test_whole_recordings_and_their_texts(folder):
    options = {"hop": 32, "rate": 8000, "symbols": ("_", *SYMBOLS), "batch_size": 2}
    own = {**options, "pronunciations": SAID, "shuffle": False}
    ids, sound, frames = next(iter(load_utterances(folder, **own)))
    assert ids.shape == (2, 11) and sound.shape == (2, 50 * 32, 1)
    assert frames.numpy().tolist() == [50, 7]
    assert ids[1].numpy().tolist() == [0, 7, 0, 8, 0, 9, 0] + 4 * [-1]
    with pytest.raises(ValueError, match=r"frames=5"):
        load_utterances(folder, **own, frames=5)


def test_what_is_changed_of_recordings_is_said(folder):
    own = {"symbols": SYMBOLS, "samples": 320, "hop": 40}
    assert "resampled" not in str(describe_speech(folder, **own, rate=8000))
    path = folder / "wavs" / "one.wav"
    sound, rate = soundfile.read(path)
    soundfile.write(path, np.stack([sound, sound], axis=-1), rate)
    report = str(describe_speech(folder, **own, rate=10000))
    assert "2 files of 8000 Hz, to 10000 Hz" in report
    assert "mixed      1 file of several channels, to one" in report


def test_phonemes_that_no_recording_has_are_named(folder):
    report = str(describe_speech(folder, (*SYMBOLS, "ZH", "OY"), 320, 40, 8000))
    assert "never said ZH, OY: words that have them" in report


def test_all_recordings_that_cannot_be_used_are_named(folder):
    """And left out, where that is asked for."""
    lines = ["one|seven", "two|three 7", "three|three", "four|seven"]
    (folder / "metadata.csv").write_text("\n".join(lines))
    whole = (folder / "wavs" / "one.wav").read_bytes()
    (folder / "wavs" / "four.wav").write_bytes(whole[:900])
    symbols = ("_", *SYMBOLS)
    own = {"hop": 32, "rate": 8000, "symbols": symbols, "pronunciations": SAID}
    with pytest.raises(ValueError) as caught:
        load_utterances(folder, **own, batch_size=1)
    for told in (
        "3 of 4 recordings of",
        "'two': there are no phonemes of '7' in three 7",
        "'three': wavs/three.wav is not there",
        "'four': it is cut off: its header announces 3,200 bytes",
        "Spell numbers and signs as words",
        '`on_error="skip"` (--skip_broken)',
    ):
        assert told in str(caught.value)
    data = load_utterances(folder, **own, batch_size=1, on_error="skip")
    assert [int(frames[0]) for _, _, frames in data] == [50]
    report = str(describe_utterances(folder, symbols, SAID, on_error="skip"))
    assert "1 of 4 recordings" in report and "'four': it is cut" in report
    assert "resampled  1 file of 8000 Hz, to 22050 Hz" in report
    report = describe_utterances(folder, symbols, SAID, on_error="skip", rate=8000)
    assert "resampled" not in str(report)
    (folder / "metadata.csv").write_text("one|seven\ntwo|three\n")
    (folder / "wavs" / "two.wav").unlink()
    with pytest.raises(ValueError, match=r"1 of 2 recordings.*\n.*'two'.*not there"):
        loaded(folder)
    assert len(list(loaded(folder, batch_size=1, on_error="skip"))) == 6


def test_metadata_as_others_write_it(folder):
    """Column names, endings in either case, folders, and signs within a text."""
    path = folder / "metadata.csv"
    (folder / "wavs" / "two.wav").rename(folder / "wavs" / "two.WAV")
    text = "id|text\r\nwavs/one.wav|seven\r\ntwo.WAV|three\u2028three"
    path.write_bytes(text.encode("utf-8-sig"))
    lines = read_metadata(folder)
    assert [line.name for line in lines] == ["one", "two"]
    assert lines[1].text == "three\u2028three"
    own = {"hop": 32, "rate": 8000, "symbols": ("_", *SYMBOLS), "pronunciations": SAID}
    with pytest.raises(ValueError, match="7 frames for 13 symbols"):
        load_utterances(folder, **own, batch_size=2)
    for encoding in ("latin-1", "utf-16", "utf-16-le"):
        path.write_bytes("one|séven".encode(encoding))
        with pytest.raises(ValueError, match=r"metadata\.csv is not in UTF-8.*Save it"):
            read_metadata(folder)


def test_damaged_folders_are_named(folder):
    def refused(message, **kwargs):
        with pytest.raises(ValueError, match=message):
            loaded(folder, **kwargs)

    refused("multiple of `hop`", samples=250)
    refused(r"does not know.*AH", symbols=("SIL", "S", "EH", "V"))
    path = folder / "alignment.json"
    whole = json.loads(path.read_text())
    path.write_text(json.dumps({**whole, "two": {**whole["two"], "seconds": [9] * 3}}))
    refused(r"'two': it has 0\.03 s of sound, and in .*phonemes of 27\.00 s.*\n.*skip")
    path.write_text('{"one": 3}')
    refused("is damaged")
    path.unlink()
    refused(r"keras-gans align")
    (folder / "metadata.csv").write_text("../../one|text\n")
    refused(r"line 1")
    (folder / "metadata.csv").unlink()
    refused(r"holds metadata\.csv")


def test_recordings_that_cannot_be_aligned_are_all_named(folder):
    """What is not there, what is not said, and words of one's own."""
    pytest.importorskip("pocketsphinx")
    lines = "one.wav|seven\ntwo|keeras three\nthree|nine\n"
    (folder / "metadata.csv").write_text(lines)
    (folder / "alignment.json").unlink()
    assert [line.name for line in read_metadata(folder)] == ["one", "two", "three"]
    with pytest.raises(ValueError) as told:
        align(folder, verbose=False)
    told = str(told.value)
    assert "'one': The recording does not say seven" in told
    assert "'two': These have no phonemes in the dictionary: 'keeras'" in told
    assert "'three': " in told and "three.wav" in told
    with pytest.raises(ValueError, match=r"'two': The recording does not say keeras"):
        align(folder, verbose=False, pronunciations={"Keeras": "K EH R AH S"})
    with pytest.raises(ValueError, match=r"phonemes of ARPAbet"):
        align(folder, verbose=False, pronunciations={"Keeras": "K3"})


def test_loud_recordings_are_aligned_scaled(folder, monkeypatch):
    """As training scales them; those that are not too loud are heard as they are."""
    soundfile = pytest.importorskip("soundfile")
    loud = 3 * np.sin(np.arange(1600) / 9)[:, None]
    soundfile.write(folder / "wavs" / "two.wav", loud, phonemes.RATE, "FLOAT")
    heard = []

    class Aligner:
        def __init__(self, pronunciations):
            pass

        def align(self, sound, text):
            heard.append(sound)
            return phonemes.Aligned(("T",), (0.1,), 0.0)

    monkeypatch.setattr(phonemes, "Aligner", Aligner)
    assert align(folder, overwrite=True, verbose=False) == {}
    assert 0.25 < np.abs(heard[0]).max() < 0.35
    np.testing.assert_allclose(heard[1], loud[:, 0] / np.abs(loud).max(), atol=1e-6)


def test_bad_input():
    gan = small()
    for bad, message in (
        (lambda: gan.speak(["S", "Q"]), "'Q'"),
        (lambda: gan.speak([]), "none"),
        (lambda: gan.speak(["S"], np.array([0])), "number of frames"),
        (lambda: gan.say("seven", pause=-1, pronunciations=SAID), "`pause`"),
        (lambda: gan.sample(1, phones=[[9, 0, 1]]), r"in \[0, 9\)"),
        (lambda: gan.sample(1, phones=[[1, 2, 2]]), "place"),
        (lambda: small(segment=250), "multiple of the hop, 32"),
        (lambda: small(symbols=("SIL", "SIL")), "'SIL' twice"),
        (lambda: small(head="other"), "spectrum"),
    ):
        with pytest.raises(ValueError, match=message):
            bad()


@pytest.mark.full
def test_command_line(folder, tmp_path, capsys):
    run, out = tmp_path / "run", tmp_path / "said.wav"
    flags = {
        "channels": 4,
        "rates": "4,2",
        "kernels": "8,4",
        "width": 4,
        "rate": 8000,
        "segment": 256,
        "periods": "2,",
        "scales": 0,
        "bands": 8,
        "batch_size": 2,
        "steps": 2,
    }
    words = [f"--{name}={value}" for name, value in flags.items()]
    data = [f"--data={folder}", f"--run_dir={run}"]
    assert not call("train", "text_to_speech", *data, *words)
    assert "say" in capsys.readouterr().out and (run / "reals-0.wav").is_file()
    say = ["say", run, "seven", f"--out={out}"]
    spoken = "--pronunciations=seven=S EH V AH N"
    assert not call(*say, spoken, "--pause=0.1")
    assert out.exists()
    assert call(*say, "--pronunciations=seven")
    assert "WORD=PHONEMES" in capsys.readouterr().err
