"""The command line with sounds: train, sample, vocode."""

import json
import shutil

from command_line import call
from golden.recipe import fill
import numpy as np
from paths import GOLDEN
import pytest
import soundfile
from weights import folded

import keras_gans as kg
from keras_gans.convert import convert_file, from_state, read, sound_gans
from keras_gans.convert.families import hifigan
from keras_gans.data import sounds as reading
from keras_gans.inference import vocoding
from keras_gans.inference.vocoding import context, spectrogram_of, vocode

TINY = ["--samples=256", "--dim=2", "--batch_size=4", "--steps=2", "--latent_dim=4"]
TINY += ["--d_steps=1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of WaveGAN on classes of sounds."""
    folder = tmp_path_factory.mktemp("sounds")
    for i in range(8):
        path = folder / "data" / ("low" if i % 2 else "high") / f"{i}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        times = np.arange(1600) / 8000
        soundfile.write(path, np.sin(2 * np.pi * 300 * (i + 1) * times) / 2, 8000)
    words = ["--num_classes=2", f"--data={folder / 'data'}", *TINY]
    assert not call("train", "wavegan", f"--run_dir={folder / 'run'}", *words)
    return folder / "run"


@pytest.mark.full
def test_run_has_sounds_beside_pictures(run):
    assert (run / "reals.png").is_file() and (run / "reals-0.wav").is_file()
    assert (run / "samples" / "step-00000002-0.wav").is_file()
    page = (run / "index.html").read_text()
    assert '<audio controls preload="none" src="samples/step-00000002-0.wav"' in page
    assert "media-src 'self' file:" in page


def test_samples_are_written_as_files(run, tmp_path, capsys):
    assert not call("sample", run, f"--out={tmp_path / 'out'}", "--n=4")
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names[:2] == ["seed0000-0000-high.wav", "seed0000-0001-low.wav"]
    sound, rate = soundfile.read(tmp_path / "out" / names[0])
    assert sound.shape == (256,) and rate == 8000
    assert not call("sample", run, f"--out={tmp_path / 'grid.png'}", "--n=2")
    assert (tmp_path / "grid-1.wav").is_file()


def test_scores_of_pictures_are_refused(run, tmp_path, capsys):
    words = [f"--run_dir={tmp_path / 'x'}", "--evaluate_every=2", *TINY]
    assert call("train", "wavegan", *words)
    assert "--evaluate_every scores images" in capsys.readouterr().err


def test_scores_of_sounds_are_printed(tmp_path, capsys):
    gan = kg.WaveGAN(1024, rate=8000, dim=1, latent_dim=4)
    gan.save(tmp_path / "gan.keras")
    words = ["evaluate", tmp_path / "gan.keras", "--data=drums", "--reals=20"]
    assert not call(*words, f"--out={tmp_path / 'scores.jsonl'}")
    told = capsys.readouterr().out
    assert "Fréchet distance of log-mel summaries" in told and "20 reals" in told
    assert len((tmp_path / "scores.jsonl").read_text().splitlines()) == 5
    assert call(*words, "--metrics=fid")
    assert "--metrics=fid for images" in capsys.readouterr().err


@pytest.fixture(scope="module")
def vocoder():
    return kg.HiFiGAN(
        "v3",
        rate=8000,
        segment=256,
        channels=8,
        rates=(8, 4),
        kernels=(16, 8),
        bands=8,
        d_width=4,
        periods=(2,),
        scales=0,
    )


@pytest.mark.full
def test_parts_are_the_whole(vocoder):
    mel = np.random.default_rng(0).normal(size=(300, 8)).astype("float32")
    whole = vocode(vocoder, mel, chunk=300)
    around = context(vocoder.generator)
    assert 10 < around < 60
    for chunk in (32, 77):
        np.testing.assert_allclose(vocode(vocoder, mel, chunk), whole, atol=1e-6)
    sound = np.random.default_rng(1).uniform(-1, 1, (3200, 1))
    made = spectrogram_of(vocoder, sound, chunk=17)
    wanted = np.asarray(vocoder.mel(sound[None].astype("float32")))[0]
    np.testing.assert_allclose(made, wanted, atol=1e-5)


def test_recordings_are_vocoded_in_parts(vocoder, tmp_path, monkeypatch):
    """Of another rate, and stereo: in small blocks, what the whole becomes."""
    rng = np.random.default_rng(0)
    stereo = 0.3 * np.cumsum(rng.normal(size=(9000, 2)), axis=0) / 100
    soundfile.write(tmp_path / "a.flac", stereo, 16000)
    whole = reading.read_sound(tmp_path / "a.flac", 8000)
    assert abs(len(whole) - 4500) < 2
    wanted = vocode(vocoder, spectrogram_of(vocoder, whole), chunk=999)
    monkeypatch.setattr(reading, "READ", 700)
    blocks = list(reading.sound_blocks(tmp_path / "a.flac", 8000))
    assert max(map(len, blocks)) < 1000
    np.testing.assert_allclose(np.concatenate(blocks), whole, atol=1e-6)
    seen, parts = [], vocoding._parts

    def counted(*args):
        for part in parts(*args):
            seen.append(len(part))
            yield part

    monkeypatch.setattr(vocoding, "_parts", counted)
    [path] = vocoding.vocode_files(vocoder, [tmp_path / "a.flac"], tmp_path / "out", 16)
    assert max(seen) == 16 * vocoder.hop
    made, rate = soundfile.read(path)
    assert rate == 8000 and made.shape == (len(wanted),)
    np.testing.assert_allclose(made, wanted[:, 0], atol=1 / 32768)


def test_what_is_changed_is_told_before_it_is_written(vocoder, tmp_path):
    """Also of files before a broken one, and of those that are written over."""
    soundfile.write(tmp_path / "a.wav", np.full((800, 2), 0.3), 16000)
    (tmp_path / "b.wav").write_text("no sound")
    told, paths = [], [tmp_path / "a.wav", tmp_path / "b.wav"]
    with pytest.raises(ValueError, match=r"b\.wav"):
        vocoding.vocode_files(vocoder, paths, tmp_path, 16, True, told.append)
    assert soundfile.info(paths[0]).samplerate == 8000
    changes = "resampled from 16000 to 8000 Hz, 2 channels mixed to one"
    assert told == [f"{paths[0]}: {changes}"]


@pytest.mark.full
def test_vocode_command(vocoder, tmp_path, capsys):
    vocoder.save(tmp_path / "vocoder.keras")
    times = np.arange(8000) / 16000
    soundfile.write(tmp_path / "a.wav", np.sin(2000 * times) / 2, 16000)
    np.save(tmp_path / "b.npy", np.zeros((10, 8), "float32"))
    out = tmp_path / "out"
    words = ["vocode", tmp_path / "vocoder.keras"]
    assert not call(*words, tmp_path / "a.wav", tmp_path / "b.npy", f"--out={out}")
    assert "a.wav: resampled from 16000 to 8000 Hz\n" in capsys.readouterr().out
    assert soundfile.read(out / "a.wav")[0].shape == (4000,)
    assert soundfile.read(out / "b.wav")[0].shape == (320,)
    (tmp_path / "c.wav").write_text("no sound")
    for name, told in (("c.wav", "c.wav"), ("d.wav", "does not exist")):
        assert call(*words, tmp_path / name, f"--out={out}")
        assert told in capsys.readouterr().err
    np.save(tmp_path / "a.npy", np.zeros((10, 8), "float32"))
    both = tmp_path / "both"
    assert call(*words, tmp_path / "a.wav", tmp_path / "a.npy", f"--out={both}")
    assert "both become a.wav" in capsys.readouterr().err and not both.exists()
    soundfile.write(tmp_path / "silent.wav", np.zeros(4000), 8000)
    assert call(*words, tmp_path / "silent.wav", f"--out={both}")
    assert "it is silent" in capsys.readouterr().err and not list(both.glob("*"))
    assert call("sample", words[1], "--n=1", f"--out={both}")
    assert "Use `keras-gans vocode MODEL FILE" in capsys.readouterr().err


def test_spectrograms_of_files_are_checked_as_those_of_load_mels(vocoder, tmp_path):
    mel = np.random.default_rng(0).normal(size=(10, 8)).astype("float32")
    made = []
    for name, array in (("a", mel), ("b", mel.T), ("c", mel[None])):
        np.save(tmp_path / f"{name}.npy", array)
        path = tmp_path / f"{name}.npy"
        [path] = vocoding.vocode_files(vocoder, [path], tmp_path / "out")
        made.append(path.read_bytes())
    assert made[0] == made[1] == made[2]
    for array, told in (
        (mel[:0], r"the shape \(0, 8\)"),
        (mel[:, :7], r"the shape \(10, 7\), and spectrograms \[frames, 8\]"),
        (mel.astype("int32"), "int32, and spectrograms floats"),
        (mel * np.nan, "NaN"),
        (mel[0], r"the shape \(8,\)"),
    ):
        np.save(tmp_path / "d.npy", array)
        with pytest.raises(ValueError, match=rf"Cannot read '.*d\.npy': .*{told}"):
            vocoding.vocode_files(vocoder, [tmp_path / "d.npy"], tmp_path / "out")
    assert not (tmp_path / "out" / "d.wav").exists()


NUMBERS = {"sampling_rate": 16000, "segment_size": 2048, "num_mels": 80}
NUMBERS |= {"n_fft": 512, "hop_size": 32, "win_size": 128, "fmin": 0, "fmax": 7000}
JUDGED = ["--set=d_width=4", "--set=scales=0", "--set=periods=2,3"]


@pytest.fixture
def official(tmp_path):
    """A folder as HiFi-GAN leaves it."""
    folder = tmp_path / "official"
    folder.mkdir()
    shutil.copy(GOLDEN / "hifigan_resume.pth", folder / "g_00000002")
    (folder / "config.json").write_text(json.dumps(NUMBERS))
    return folder


@pytest.mark.full
def test_files_of_a_vocoder_become_a_preset(official, tmp_path, capsys):
    """With the numbers that lie beside the generator."""
    target = tmp_path / "preset"
    assert not call("convert", official / "g_00000002", f"--to={target}", *JUDGED)
    told = capsys.readouterr().out
    assert "HiFiGAN: rate 16000, hop 32, 80 bands, by config.json" in told
    assert "discriminators begin anew" in told and "keras-gans vocode" in told
    gan = kg.from_preset(target)
    assert (gan.mel.high, gan.mel.window, gan.modality.samples) == (7000, 128, 2048)
    state = read(GOLDEN / "hifigan_resume.pth")["generator"]
    mel = np.random.default_rng(0).normal(size=(1, 12, 80)).astype("float32")
    wanted = from_state(state)(mel)
    np.testing.assert_allclose(gan.sample(1, mel=mel), wanted, atol=1e-6)


@pytest.mark.full
def test_a_vocoder_s_discriminators_are_those_beside(official, monkeypatch):
    given = {"d_width": 4, "scales": 0, "periods": (2,)}
    state = read(official / "g_00000002")
    gan, _ = sound_gans.gan_of(official / "g", state, given)
    own = hifigan.entries(gan.networks["period_2"], "discriminators.0.")
    judges = {e.name: fill(e.name, e.shape) for e in own}
    monkeypatch.setattr(
        sound_gans, "read", lambda path: {"mpd": judges, "steps": 7, "optim_d": None}
    )
    (official / "do_00000002").touch()
    gan, told = sound_gans.gan_of(official / "g_00000002", state, given)
    assert "; discriminators of periods of do_00000002; step 7 of do_0" in told
    assert int(gan.step.value) == 7
    for entry in hifigan.entries(gan.networks["period_2"], "discriminators.0."):
        np.testing.assert_array_equal(entry.variable, entry.convert(judges[entry.name]))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (3, "holds the discriminators"),
        ({"optim_d": {}}, "holds the discriminators"),
        ({"mpd": 3}, r"do_00000002, 'mpd': `state` must be a dict"),
        ({"mpd": {"discriminators.0.a": "x"}}, "'mpd': `state` must hold the weights"),
        ({"msd": {"discriminators.0.a": np.full(3, np.nan)}}, "'msd': .* not finite"),
        ({"steps": "7"}, "'steps' is an int"),
    ],
)
def test_damaged_discriminators_of_a_vocoder(official, monkeypatch, state, message):
    generator = read(official / "g_00000002")
    monkeypatch.setattr(sound_gans, "read", lambda path: state)
    (official / "do_00000002").touch()
    with pytest.raises(ValueError, match=message):
        sound_gans.gan_of(official / "g_00000002", generator, {})


def test_discriminators_without_a_network_are_refused(vocoder):
    some = {"discriminators.0.a": np.zeros(3), "discriminators.1.a": np.zeros(3)}
    for part, told in (("msd", "has 0 .* of scales"), ("mpd", "has 1 .* of periods")):
        with pytest.raises(ValueError, match=f"{told}. Received in '{part}': 2"):
            hifigan.restore(vocoder, {}, {part: some})


def test_damaged_values_are_named_where_training_goes_on(vocoder):
    """Called from Python, and nothing is assigned."""
    before = [np.array(v) for v in vocoder.generator.weights]
    state = read(GOLDEN / "hifigan_resume.pth")
    good = {e.name: np.ones(e.shape) for e in hifigan.entries(vocoder.generator)}
    moments = {"state": {0: {"step": 2, "exp_avg": 3}}}
    for generator, judges, message in (
        (None, None, "`generator` is a dict"),
        ({"conv_pre.bias": [1.0]}, None, "hold the weights"),
        ({"conv_pre.bias": np.full(8, np.nan)}, None, "'conv_pre.bias' .* not finite"),
        (state, {"mpd": None}, "'mpd': `state` must be a dict"),
        (state, {"steps": "7"}, r"'steps' is an int in .* Received: 7"),
        (state, {"steps": float("inf")}, r"'steps' is an int in .* Received: inf"),
        (state, 7, "Discriminators are in a dict"),
        (good, {"optim_g": moments}, r"a GAN whose optimizer is none"),
    ):
        with pytest.raises(ValueError, match=message):
            hifigan.restore(vocoder, generator, judges)
    for a, b in zip(before, vocoder.generator.weights, strict=True):
        np.testing.assert_array_equal(a, b)


HIFIGAN, BIGVGAN = "hifigan_resume.pth", "bigvgan_v2.pth"


@pytest.mark.parametrize(
    ("file", "numbers", "message"),
    [
        (HIFIGAN, {"upsample_rates": None}, "'upsample_rates' of .* is a list"),
        (HIFIGAN, {"upsample_rates": [8, "x"]}, "'upsample_rates' of .* is a list"),
        (HIFIGAN, {"resblock_dilation_sizes": 3}, "is a list of lists"),
        (HIFIGAN, {"resblock_dilation_sizes": [[1], 3]}, "is a list of lists"),
        (HIFIGAN, {"upsample_kernel_sizes": [10**8, 8]}, "'upsample_kernel_sizes' wo"),
        (HIFIGAN, {"upsample_rates": [10**12, 8]}, r"in \[1, 4096\]"),
        (HIFIGAN, {"resblock_dilation_sizes": [[1] * 65]}, "at most 64"),
        (HIFIGAN, {"resblock_dilation_sizes": [[1]] * 65}, "at most 64"),
        (HIFIGAN, {"sampling_rate": "16000"}, "'sampling_rate' of .* is an int"),
        (HIFIGAN, {"sampling_rate": 10**12}, r"in \[1, 1048576\]"),
        (HIFIGAN, {"segment_size": 10**12}, "'segment_size' of .* is an int"),
        (HIFIGAN, {"segment_size": 0}, "'segment_size' of .* is an int"),
        (HIFIGAN, {"n_fft": 10**12}, r"in \[1, 65536\]. Received: 10+. Mend it"),
        (HIFIGAN, {"win_size": 2.5}, "'win_size' of .* is an int"),
        (HIFIGAN, {"hop_size": 64}, "'hop_size' would be 32. Received: 64"),
        (HIFIGAN, {"num_mels": 100}, "'num_mels' would be 80. Received: 100"),
        (HIFIGAN, {"more": "x" * 2**20}, "more than the 1048576 allowed"),
        (BIGVGAN, {"snake_logscale": False}, "'snake_logscale' false"),
        (BIGVGAN, {"use_tanh_at_final": True}, "'use_tanh_at_final' would be False"),
    ],
)
def test_numbers_beside_a_vocoder_are_checked(tmp_path, file, numbers, message):
    """Before a network is built."""
    state = read(GOLDEN / file)
    (tmp_path / "config.json").write_text(json.dumps({**NUMBERS, **numbers}))
    with pytest.raises(ValueError, match=message):
        sound_gans.gan_of(tmp_path / file, state, {})


def test_numbers_given_of_a_vocoder_are_checked(tmp_path):
    state = read(GOLDEN / HIFIGAN)
    (tmp_path / "config.json").write_text(json.dumps(NUMBERS))
    for given in ({"rates": "abc"}, {"dilations": 3}, {"rates": (8, "x")}):
        with pytest.raises(ValueError, match=r"`rates`, .* tuples of positive ints"):
            sound_gans.gan_of(tmp_path / HIFIGAN, state, given)
    (tmp_path / "config.json").unlink()
    (tmp_path / "config.json").mkdir()
    with pytest.raises(ValueError, match=r"config\.json has the numbers"):
        sound_gans.gan_of(tmp_path / HIFIGAN, state, {})


@pytest.mark.full
def test_a_vocoder_s_files_that_do_not_fit(official, tmp_path, capsys):
    words = ["convert", official / "g_00000002", f"--to={tmp_path}", "--key=generator"]
    assert not call(*words)
    # The network alone says nothing of its spectrograms.
    words = ["vocode", tmp_path / "g_00000002.keras", "a.wav", f"--out={tmp_path}"]
    assert call(*words) and "without --key" in capsys.readouterr().err
    (official / "config.json").write_text("{")
    with pytest.raises(ValueError, match=r"config\.json has the numbers"):
        convert_file(official / "g_00000002", tmp_path / "other")
    with pytest.raises(ValueError, match=r"Received others: dim"):
        convert_file(GOLDEN / "hifigan_v3_G.pth", tmp_path / "other", dim=3)


@pytest.mark.full
def test_folded_weights_are_trained_on_by_the_command(run, official):
    state = read(official / "g_00000002")["generator"]
    whole = folded(state)
    given = {"d_width": 4, "scales": 0, "periods": (2,)}
    gan, _ = sound_gans.gan_of(official / "g", whole, given)
    mel = np.random.default_rng(0).normal(size=(1, 12, 80)).astype("float32")
    wanted = from_state(state)(mel)
    np.testing.assert_allclose(gan.sample(1, mel=mel), wanted, atol=1e-6)
    gan.save_to_preset("preset")
    words = ["--from_preset=preset", f"--data={run.parent / 'data'}", "--steps=1"]
    words += ["--batch_size=2", "--run_dir=tuned"]
    assert not call("train", "hifigan", *words)
    tuned = kg.load("tuned")
    assert tuned.mel == gan.mel
    moved = np.abs(tuned.sample(1, mel=mel) - wanted).max()
    assert 0 < moved < 0.3 * np.abs(wanted).max()


@pytest.mark.full
def test_a_vocoder_is_fine_tuned_on_spectrograms(run, tmp_path, capsys):
    """Of another model, beside the recordings; an exact resume sees changes."""
    data, mels = run.parent / "data", tmp_path / "mels"
    sizes = ["--segment=1280", "--channels=16", "--d_width=4", "--periods=2,3"]
    words = [f"--data={data}", f"--mels={mels}", "--rate=8000", *sizes]
    words += ["--batch_size=2", f"--run_dir={tmp_path / 'run'}"]
    rng = np.random.default_rng(0)
    for path in data.rglob("*.wav"):
        own = mels / path.relative_to(data).with_suffix(".npy")
        own.parent.mkdir(parents=True, exist_ok=True)
        np.save(own, rng.normal(size=(80, 6)).astype("float32"))
    assert not call("train", "hifigan", *words, "--steps=1")
    told = capsys.readouterr().out
    assert "8 of 8 sound files, with spectrograms" in told
    assert "8 segments of 5 frames" in told
    assert (tmp_path / "run" / "reals-0.wav").is_file()
    assert not call("train", "hifigan", *words, "--steps=2", "--resume")
    np.save(own, np.zeros((80, 6), "float32"))
    assert call("train", "hifigan", *words, "--steps=3", "--resume")
    assert "1 changed" in capsys.readouterr().err
    own.unlink()
    assert call("train", "hifigan", *words[:-1], f"--run_dir={tmp_path / 'other'}")
    assert f"{own}': it is not there" in capsys.readouterr().err.replace('"', "'")


def test_checkpoint_of_wavegan_becomes_a_preset(tmp_path, capsys):
    file = GOLDEN / "wavegan_16384.ckpt.index"
    target = tmp_path / "preset"
    assert not call("convert", file, f"--to={target}", "--set=rate=8000")
    assert "WaveGAN: 16384 samples, 1 channels, rate 8000" in capsys.readouterr().out
    wanted = np.load(GOLDEN / "wavegan_16384.npz")
    gan = kg.from_preset(target)
    np.testing.assert_allclose(gan.generator(wanted["z"]), wanted["G"], atol=1e-6)
    logits = gan.discriminator([wanted["x"], np.zeros((len(wanted["x"]), 4), "int32")])
    np.testing.assert_allclose(logits[:, 0], wanted["D"], rtol=1e-4, atol=1e-6)
    assert gan.modality.rate == 8000


@pytest.mark.full
def test_vocoders_are_trained_by_the_command(run, tmp_path):
    """Without a compiled step: what a run asks of its data and its previews."""
    from keras_gans.training import datasets, recipes, runs

    data = str(run.parent / "data")
    numbers = {"segment": 256, "rate": 8000, "channels": 8, "rates": [8, 4]}
    numbers |= {"kernels": [16, 8], "bands": 8, "scales": 0, "periods": [2]}
    config = runs.new_config("hifigan", numbers, data=data, batch_size=2)
    recipe, gan = recipes.get("hifigan"), runs.build(config)
    report = datasets.describe(recipe, config, gan)
    assert "segments of 256 samples" in str(report)
    dataset, _ = datasets.training(recipe, config, gan, None)
    batch = next(iter(dataset))
    gan.check_batch(batch)
    assert gan.preview().picture.ndim == 3
    assert len(gan.preview().media) == 16
