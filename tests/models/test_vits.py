"""VITS: the reference's networks, alignment, losses and files; its training."""

import json

from checks import assert_same, check_gan, kept
from command_line import call
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest
from weights import folded

import keras_gans as kg
from keras_gans.convert import from_state
from keras_gans.convert.families import vits as family
from keras_gans.models.vits import divergence, path_of
from keras_gans.networks import vits as networks
from keras_gans.networks.hifigan import Configuration


def small(**kwargs):
    numbers = {"channels": 4, "rates": (8, 4), "kernels": (16, 8)}
    blocks = {"block_kernels": (3,), "dilations": ((1,),), "block": "2"}
    sizes = {"latent": 4, "hidden": 4, "filters": 4, "depth": 1, "n_fft": 64}
    others = {"rate": 8000, "segment": 128, "bands": 8, "periods": (2,), "d_width": 8}
    return kg.VITS(**{**numbers, **blocks, **sizes, **others, **kwargs})


def close(got, want, bound=1e-5):
    got = np.asarray(ops.convert_to_numpy(got), "float64")
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


def last(x):
    """Channels last."""
    return ops.convert_to_tensor(np.moveaxis(x, 1, 2))


def reference_of(name):
    """The fixture's networks with its weights, and its arrays."""
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    state = {n: fill(n, shape) for n, shape in about["weights"]}
    for n in state:
        small = ".post." in n or n.endswith(("proj.weight", "proj.bias"))
        if small and not n.startswith("dp.proj"):
            state[n] = state[n] * np.float32(0.1)
    config = family.detect(state)
    # The fixture's spectrograms are shorter than its hop, which no recording has.
    sizes = networks.Sizes(20, 65, 16, 16, 32, config["heads"], config["depth"])
    assert (config["n_fft"], config["latent"], config["filters"]) == (128, 16, 32)
    numbers = Configuration(*(config[k] for k in Configuration._fields))
    lengths = networks.plain_durations
    if config["stochastic"]:
        lengths = networks.stochastic_durations
    gan = kg.VITS(
        config["symbols"],
        segment=1024,
        n_fft=512,
        stochastic=config["stochastic"],
        periods=(2,),
        d_width=8,
        generator={
            "text": networks.text_encoder(sizes),
            "posterior": networks.posterior_encoder(sizes),
            "flow": networks.flow(sizes),
            "decoder": networks.decoder(sizes, numbers),
            "durations": lengths(sizes),
        },
    )
    family.restore(gan, state)
    return gan, dict(np.load(GOLDEN / f"{name}.npz"))


@pytest.mark.full_on_jax
@pytest.mark.daily(1)
@pytest.mark.backends
@pytest.mark.parametrize("kind", ["plain", "stochastic"])
def test_networks_are_the_reference_s(kind):
    gan, g = reference_of(f"vits_{kind}_durations")
    nets = gan.networks
    places = np.arange(g["text"].shape[1])
    ids = np.where(places < g["text_lengths"][:, None], g["text"], -1)
    hidden, mean, log_deviation = nets["text"](ids)
    close(hidden, last(g["enc_h"]))
    close(mean, last(g["enc_m"]))
    close(log_deviation, last(g["enc_logs"]))
    seen = ops.convert_to_tensor((ids >= 0).astype("float32")[..., None])
    # Speaking, with the noises and scales of the fixture.
    noises = [last(g[n]) for n in sorted(g) if n.startswith("infer_noise")]
    logarithms = gan.lengths_of(hidden, seen, noises[0] * 0.8)
    frames = np.exp(ops.convert_to_numpy(logarithms)) * ops.convert_to_numpy(seen)
    frames = np.ceil(frames * 1.1)[..., 0]
    path = path_of(frames)
    close(path, g["infer_attn"])
    made = gan.from_prior(path, mean, log_deviation, noises[-1] * 0.667)
    for got, name in zip(made, ("z_p", "z", "wav"), strict=True):
        close(got, last(g[f"infer_{name}"]))
    # Training.
    times = np.arange(g["spec"].shape[2])
    heard = (times < g["spec_lengths"][:, None]).astype("float32")[..., None]
    heard = ops.convert_to_tensor(heard)
    mean_q, log_q = nets["posterior"]([last(g["spec"]), heard])
    close(mean_q, last(g["train_m_q"]))
    close(log_q, last(g["train_logs_q"]))
    z = (mean_q + last(g["train_noise_0"]) * ops.exp(log_q)) * heard
    moved = nets["flow"]([z, heard])
    close(moved, last(g["train_z_p"]))
    close(networks.inverted(nets["flow"], moved, heard), last(g["train_z"]))
    likelihood = networks.log_likelihood(moved, mean, log_deviation)
    path = networks.best_path(likelihood, g["text_lengths"], g["spec_lengths"])
    np.testing.assert_array_equal(path, g["train_attn"])
    prior = ops.matmul(path, mean), ops.matmul(path, log_deviation)
    close(prior[0], last(g["train_m_p"]))
    close(divergence(moved, log_q, *prior, heard), g["kl"])
    lasted, total = ops.sum(path, axis=1)[..., None], float(ops.sum(seen))
    if kind == "stochastic":
        noise = last(g["train_noise_1"])
        loss = nets["durations"]([hidden, seen, lasted, noise])
    else:
        said = nets["durations"]([hidden, seen])
        loss = ops.square(said - ops.log(lasted + networks.TINY) * seen)
        loss = ops.sum(loss, axis=(1, 2))
    close(loss / total, g["train_length_loss"])
    cut = np.stack([z[i, s : s + 4] for i, s in enumerate(g["train_starts"])])
    close(nets["decoder"](cut), last(g["train_wav"]))


@pytest.mark.full
@pytest.mark.backends
def test_discriminators_are_the_reference_s():
    g = dict(np.load(GOLDEN / "vits_D.npz"))
    nets = networks.vits_discriminators(1024)
    own = family.discriminator_entries(nets, list(nets))
    assert len(own) == len(json.loads((GOLDEN / "vits_D.json").read_text())["weights"])
    for entry in own:
        entry.variable.assign(entry.convert(fill(entry.name, entry.shape)))
    of = {
        side: [network(np.moveaxis(g[side], 1, 2)) for network in nets.values()]
        for side in ("real", "fake")
    }
    for side, outputs in of.items():
        for i, (logits, *_) in enumerate(outputs):
            close(ops.reshape(logits, (2, -1)), g[f"{side}_{i}"])
    pairs = [
        (a, b)
        for r, f in zip(of["real"], of["fake"], strict=True)
        for a, b in zip((*r[1:], r[0]), (*f[1:], f[0]), strict=True)
    ]
    means = [float(ops.mean(ops.abs(a))) for a, _ in pairs]
    close(np.array(means), g["feature_means"])
    features = sum(float(ops.mean(ops.abs(a - b))) for a, b in pairs)
    close(2 * features, g["feature_loss"])
    d = sum(float(ops.mean((1 - r[0]) ** 2)) for r in of["real"])
    d += sum(float(ops.mean(f[0] ** 2)) for f in of["fake"])
    close(d, g["d_loss"])
    generated = sum(float(ops.mean((1 - f[0]) ** 2)) for f in of["fake"])
    close(generated, g["g_loss"])


@pytest.mark.full
def test_published_files_are_read_kept_and_folded():
    gan = small(symbols=("_", *"abc"), block="1", dilations=((1, 3, 5),))
    rng = np.random.default_rng(0)
    state = {
        e.name: rng.normal(size=e.shape).astype("float32") for e in family.entries(gan)
    }
    config = {"rate": 8000, "segment": 128, "d_width": 8}
    kept = from_state({"model": state, "iteration": 3}, **config)
    assert isinstance(kept, kg.VITS) and kept.stochastic
    assert kept.symbols == ("_", "1", "2", "3")
    whole = folded(state)
    plain = from_state(whole, **config)
    z = rng.normal(size=(1, 5, 4)).astype("float32")
    a, b = (x.networks["decoder"](z) for x in (kept, plain))
    close(a, ops.convert_to_numpy(b), 1e-5)
    del whole["enc_p.proj.bias"]
    with pytest.raises(ValueError, match=r"Missing: enc_p\.proj\.bias"):
        from_state(whole, **config)


def test_symbols_of_the_published_weights():
    symbols = family.symbols_of(178)
    assert len(set(symbols)) == 178
    assert symbols[:5] == ("_", ";", ":", ",", ".") and symbols[16] == " "
    assert symbols[17] == "A" and symbols[-2:] == ("'", "ᵻ")


@pytest.mark.full
def test_parameters_are_the_paper_s():
    gan = kg.VITS(family.symbols_of(178), segment=8192)
    of_g = sum(gan.networks[n].count_params() for n in gan.generator_names)
    assert of_g - _seeds(gan) == 36_321_072
    of_d = sum(gan.networks[n].count_params() for n in gan.discriminator_names)
    assert of_d == 46_747_132


def _seeds(gan):
    """Numbers of the states of dropout, which are no parameters."""
    every = [v for n in gan.generator_names for v in gan.networks[n].weights]
    return sum(int(np.prod(v.shape)) for v in every if "seed" in v.path)


def data(n=4, frames=12):
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 5, (n, 7)).astype("int32")
    ids[1, 5:] = -1
    heard = np.full(n, frames, "int32")
    heard[1] = frames - 3
    return ids, rng.uniform(-1, 1, (n, frames * 32, 1)).astype("float32"), heard


def started(**kwargs):
    keras.utils.set_random_seed(1)
    gan = small(symbols=tuple("_abcd"), **kwargs)
    gan.compile()
    return gan


@pytest.mark.full
@pytest.mark.backends
def test_training_resumes_exactly(tmp_path):
    gan = started(ema=0.9)
    logs = [gan.train_on_batch(*split(data()), return_dict=True) for _ in range(2)][-1]
    assert all(np.isfinite(v) for v in logs.values())
    assert logs["kl_loss"] and logs["duration_loss"] and logs["mel_loss"]
    gan.save(tmp_path / "vits.keras")
    other = keras.saving.load_model(tmp_path / "vits.keras")
    for one in (gan, other):
        one.train_on_batch(*split(data()))
    assert_same(kept(gan), kept(other))
    sound = gan.speak("abca", tmp_path / "a.wav", seed=3)
    assert sound.shape[1] == 1 and len(sound) % gan.hop == 0
    np.testing.assert_array_equal(sound, other.speak("abca", seed=3))
    assert (tmp_path / "a.wav").exists()
    made = gan.sample(2, seed=3, ids=gan.ids_of("abca"))
    np.testing.assert_allclose(made[0, : len(sound)], sound, atol=1e-5)


def split(parts):
    return parts[0], parts[1:]


@pytest.mark.full
@pytest.mark.backends
def test_predictions_end_in_silence_where_others_are_longer():
    gan = started(dropout=0.0)
    ids = np.full((5, 9), -1, "int32")
    for row, count in zip(ids, (9, 3, 5, 5, 1), strict=True):
        row[:count] = np.arange(count) % 5
    seen = []
    keep = keras.callbacks.LambdaCallback(
        on_predict_batch_end=lambda batch, logs: seen.append(logs["outputs"])
    )
    made = gan.predict(ids, batch_size=2, verbose=0, callbacks=[keep])
    assert not gan.run_eagerly
    lengths = [x.shape[1] for x in seen]
    assert [len(x) for x in seen] == [2, 2, 1] and len(set(lengths)) > 1
    assert made.shape == (5, max(lengths), 1) and max(lengths) % gan.hop == 0
    for i, (x, length) in enumerate(zip(seen, lengths, strict=True)):
        part = made[2 * i : 2 * i + 2]
        assert x.any() and not part[:, length:].any()
        np.testing.assert_array_equal(part[:, :length], x)
    batches = ((ids[i : i + 2],) for i in range(0, 5, 2))
    few = gan.predict(batches, verbose=0, steps=2)
    np.testing.assert_allclose(few, made[:4, : few.shape[1]], atol=1e-5)
    with pytest.raises(ValueError, match="batches of ids"):
        gan.predict(ids[:0], verbose=0)


@pytest.mark.full
def test_odd_hops_have_a_frame_each():
    gan = small(rates=(7, 3), kernels=(13, 5), segment=21 * 4)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 21 * 6, 1)).astype("float32")
    assert gan.spectrogram(x).shape == (1, 6, 33) and gan.mel(x).shape == (1, 6, 8)


@pytest.mark.full
@pytest.mark.backends
def test_recordings_shorter_than_a_segment_are_followed_by_silence():
    """A segment is 4 frames of 32 samples."""
    ids, sound, heard = data(4, frames=3)
    heard[1] = 2
    gan = small(symbols=tuple("_abcd"), stochastic=False)
    read = ops.convert_to_numpy(gan.read_batch((ids, sound, heard))["real"])
    np.testing.assert_array_equal(read[:, :96], sound)
    assert read.shape == (4, 128, 1) and not read[:, 96:].any()
    gan.compile(run_eagerly=keras.backend.backend() == "tensorflow")
    logs = gan.train_on_batch(*split((ids, sound, heard)), return_dict=True)
    assert all(np.isfinite(value) for value in logs.values())


@pytest.mark.full
def test_command_line(tmp_path, capsys):
    """What cannot be used is named, or left out; words may be one's own."""
    # Nothing is trained: that takes a minute.
    (tmp_path / "wavs").mkdir()
    for name in ("a", "b"):
        sound = 0.3 * np.sin(np.arange(900) / 5)[:, None]
        kg.Waveform(None, 1, 8000).write(tmp_path / "wavs" / f"{name}.wav", sound)
    (tmp_path / "metadata.csv").write_text("a|keras\nb|keras!\nc|keras\n")
    flags = {"channels": 4, "rates": "8,4", "kernels": "16,8"}
    flags |= {"block_kernels": "3,", "dilations": "((1,),)", "latent": 4, "hidden": 4}
    flags |= {"filters": 4, "depth": 1, "n_fft": 64, "rate": 8000, "segment": 128}
    flags |= {"bands": 8, "d_width": 8, "batch_size": 1, "steps": 1}
    flags |= {"pronunciations": "keras=K EH R AH S", "data": tmp_path}
    words = ["train", "vits", *(f"--{name}={value}" for name, value in flags.items())]
    assert call(*words, "--periods=2", f"--run_dir={tmp_path / 'x'}")
    told = capsys.readouterr().err
    assert "`periods`" not in told and "--periods" in told and "'--" not in told
    words.append("--periods=2,")
    assert call(*words, f"--run_dir={tmp_path / 'x'}")
    told = capsys.readouterr().err
    assert "'c': wavs/c.wav is not there" in told and "--skip_broken" in told
    words += [f"--run_dir={tmp_path / 'run'}", "--skip_broken"]
    assert call(*words, "--batch_size=3")
    assert "2 recordings" in capsys.readouterr().err
    assert call(*words, "--pronunciations=keras")
    assert "keras=K EH R AH S, relu=" in capsys.readouterr().err


@pytest.mark.full
@pytest.mark.backends
def test_vits():
    """With lengths that are predicted: samples of a seed are then of one length."""
    parts = split(data(8))
    options = {"symbols": tuple("_abcd"), "stochastic": False, "dropout": 0.0}
    make = lambda: small(**options)  # noqa: E731
    # No loss moves a key's bias, which softmax does not see.
    check_gan(make, *parts, batch_size=2, still="key/bias", executions=False)


@pytest.mark.full
def test_refusals(tmp_path):
    gan = small(symbols=tuple("_abcd"), stochastic=False)
    with pytest.raises(ValueError, match=r"'x', 'y'"):
        gan.speak("axby")
    with pytest.raises(ValueError, match=r"symbols are others"):
        gan.say("hello")
    with pytest.raises(ValueError, match=r"-1 only after"):
        gan.sample(1, ids=np.array([[1, -1, 2]]))
    for kwargs, message in (
        ({"segment": 100}, "multiple of the hop, 32"),
        ({"latent": 3}, "`latent`"),
        ({"symbols": ("_", "a", "a")}, "'a' twice"),
        ({"heads": 3}, "multiples of heads=3"),
        ({"periods": 3}, "`periods` is a tuple of ints"),
    ):
        with pytest.raises(ValueError, match=message):
            small(**kwargs)
