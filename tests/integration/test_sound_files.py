"""The command line with sounds: train, sample, vocode."""

from command_line import call
import numpy as np
import pytest
import soundfile

import keras_gans as kg
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
    assert len((tmp_path / "scores.jsonl").read_text().splitlines()) == 4
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


@pytest.mark.full
def test_vocode_command(vocoder, tmp_path, capsys):
    vocoder.save(tmp_path / "vocoder.keras")
    times = np.arange(8000) / 16000
    soundfile.write(tmp_path / "a.wav", np.sin(2000 * times) / 2, 16000)
    np.save(tmp_path / "b.npy", np.zeros((10, 8), "float32"))
    out = tmp_path / "out"
    words = ["vocode", tmp_path / "vocoder.keras"]
    assert not call(*words, tmp_path / "a.wav", tmp_path / "b.npy", f"--out={out}")
    assert soundfile.read(out / "a.wav")[0].shape == (4000,)
    assert soundfile.read(out / "b.wav")[0].shape == (320,)
    (tmp_path / "c.wav").write_text("no sound")
    for name, told in (("c.wav", "c.wav"), ("d.wav", "does not exist")):
        assert call(*words, tmp_path / name, f"--out={out}")
        assert told in capsys.readouterr().err


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
