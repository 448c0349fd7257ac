"""HiFi-GAN: the reference's networks, steps and files; its training."""

import json

from checks import check_gan, rewinding
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest
from weights import folded

import keras_gans as kg
from keras_gans.convert import from_state, read
from keras_gans.convert.families import hifigan as family
from keras_gans.convert.weights import assign
from keras_gans.inference.vocoding import spectrogram_of
from keras_gans.layers import MelSpectrogram
from keras_gans.networks.hifigan import (
    Configuration,
    hifigan_generator,
    period_discriminator,
    scale_discriminator,
)


def small(**kwargs):
    numbers = {"channels": 4, "rates": (32,), "kernels": (64,), "periods": (2,)}
    options = {"rate": 8000, "segment": 256, "bands": 8, "d_width": 4, "scales": 0}
    blocks = {"block_kernels": (3,), "dilations": ((1,),)}
    return kg.HiFiGAN("v3", **{**numbers, **options, **blocks, **kwargs})


def sounds(n, samples=256):
    times = np.arange(samples) / 8000
    pitches = np.linspace(200, 2000, n)[:, None]
    return (0.5 * np.sin(2 * np.pi * pitches * times))[..., None].astype("float32")


def close(got, want, bound=1e-5):
    got = np.asarray(ops.convert_to_numpy(got), "float64")
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


def golden(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    return about, np.load(GOLDEN / f"{name}.npz")


def filled(network):
    """A network with the recipe's weights."""
    own = family.entries(network)
    assign(network, {e.name: fill(e.name, e.shape) for e in own}, own)
    return network


@pytest.mark.backends
def test_spectrograms_are_the_reference_s():
    _, wanted = golden("hifigan_mel")
    close(MelSpectrogram()(wanted["wav"]), np.moveaxis(wanted["mel"], 1, 2))
    _, wanted = golden("hifigan_resume")
    mel = MelSpectrogram(16000, 80, 512, 32, 128)
    close(mel(wanted["wav"][:, 0]), np.moveaxis(wanted["mel"], 1, 2))


def test_generator_is_the_reference_s():
    _, wanted = golden("hifigan_v3_G")
    generator = from_state(read(GOLDEN / "hifigan_v3_G.pth"))
    made = generator.predict_on_batch(np.moveaxis(wanted["mel"], 1, 2))
    close(made[..., 0], wanted["wav"][:, 0])


def test_discriminators_are_the_reference_s():
    for name, network in (
        ("hifigan_period3_D", period_discriminator(4096, 3)),
        ("hifigan_scale_D", scale_discriminator(4096)),
    ):
        _, wanted = golden(name)
        score = next(key for key in wanted if "score" in key)
        logits, *maps = filled(network)(np.moveaxis(wanted["y"], 1, 2))
        close(ops.reshape(logits, (1, -1)), wanted[score])
        assert len(maps) == len(network.outputs) - 1


@pytest.mark.full
def test_parameters_are_the_paper_s():
    for name, millions in (("v1", 13.926), ("v2", 0.926), ("v3", 1.462)):
        count = hifigan_generator(name, weight_norm=False).count_params()
        assert round(count / 1e6, 3) == millions


@pytest.mark.full
def test_folded_weights_sound_the_same():
    state = read(GOLDEN / "hifigan_v3_G.pth")["generator"]
    whole = folded(state)
    mel = np.moveaxis(golden("hifigan_v3_G")[1]["mel"], 1, 2)
    plain = from_state(whole)
    assert all(type(x).__module__.startswith("keras.src") for x in plain.layers)
    close(plain(mel), ops.convert_to_numpy(from_state(state)(mel)), 1e-6)


class OfSpectrograms(kg.HiFiGAN):
    """The fixture's step: the distance of spectrograms alone."""

    def phases(self):
        return [kg.Phase("g", self.distance)]

    def distance(self, fake, batch, training):
        loss = 45.0 * ops.mean(ops.abs(self.mel(batch["real"]) - self.mel(fake)))
        return loss, {"g_loss": loss}


def resumable(**kwargs):
    about, wanted = golden("hifigan_resume")
    c = about["call"]
    gan = OfSpectrograms(
        "v3",
        c["sampling_rate"],
        2048,
        c["upsample_initial_channel"],
        c["upsample_rates"],
        c["upsample_kernel_sizes"],
        mel=MelSpectrogram(c["sampling_rate"], 80, 512, 32, 128),
        periods=(2,),
        scales=0,
        d_width=4,
    )
    gan.compile()
    return gan, wanted


def waves(wanted, name):
    return np.moveaxis(wanted[name], 1, 2)


@pytest.mark.full
def test_files_and_steps_are_the_reference_s():
    gan, wanted = resumable()
    rewind = rewinding(gan)
    # Training goes on from its files.
    state = read(GOLDEN / "hifigan_resume.pth")
    family.restore(gan, state, {k: v for k, v in state.items() if k != "generator"})
    assert int(gan.step.value) == 2
    mels = np.moveaxis(wanted["mel"], 1, 2)
    close(gan.generator(mels), waves(wanted, "generated"))
    logs = gan.train_on_batch(waves(wanted, "wav"), return_dict=True)
    assert abs(logs["g_loss"] - wanted["loss"]) <= 1e-5 * wanted["loss"]
    close(gan.generator(mels), waves(wanted, "after_wav"), 1e-4)
    bias = gan.generator.get_layer("conv_pre").layer.bias
    close(bias, wanted["after_first_bias"], 1e-4)
    with pytest.raises(ValueError, match=r"48 variables"):
        short = {"state": {0: state["optim_g"]["state"][0]}}
        family.restore(gan, state, {"optim_g": short})
    moments = state["optim_g"]["state"]
    for kept, message in (
        ({}, "has exp_avg, exp_avg_sq, step of each"),
        ({**moments[0], "step": -1}, "'step' of 'optim_g' is an int"),
        ({**moments[0], "exp_avg": np.float32("nan")}, "not finite"),
        ({**moments[0], "exp_avg": np.zeros(3)}, "moments of shape"),
    ):
        with pytest.raises(ValueError, match=message):
            family.restore(gan, state, {"optim_g": {"state": {**moments, 0: kept}}})
    with pytest.raises(ValueError, match="'optim_g' is a dict"):
        family.restore(gan, state, {"optim_g": 3})
    # Its two steps before, which made the files.
    filled(rewind().generator)
    for i in range(2):
        gan.train_on_batch(waves(wanted, f"wav_{i}"))
    for entry in family.entries(gan.generator):
        want = entry.convert(state["generator"][entry.name])
        close(entry.variable, want, 1e-4)


@pytest.mark.full
@pytest.mark.backends
def test_hifigan():
    data = sounds(8)
    mels = np.random.default_rng(0).normal(size=(8, 8, 8)).astype("float32")
    check_gan(small, mels, data, batch_size=2, executions=False)


@pytest.mark.full
def test_hifigan_with_scales():
    data = sounds(8)
    mels = ops.convert_to_numpy(small().mel(data))
    check_gan(
        lambda: small(scales=2, periods=(3,)), mels, data, batch_size=2, atol=1e-6
    )


@pytest.mark.full
def test_waveforms_alone_and_any_length():
    gan = small()
    gan.compile(run_eagerly=True)
    logs = gan.fit(sounds(2), batch_size=2, verbose=0).history
    assert np.isfinite(logs["mel_loss"]).all() and logs["feature_loss"][0] > 0
    assert gan.sample(1, mel=np.zeros((1, 5, 8))).shape == (1, 160, 1)
    with pytest.raises(ValueError, match=r"`mel`"):
        gan.sample(1, mel=np.zeros((1, 5, 9)))
    with pytest.raises(ValueError, match=r"256, 1"):
        gan.fit(sounds(4, 288), verbose=0)


def test_data_are_refused_as_waveforms():
    """Also those that spectrograms are made of first."""
    gan, x, mels = small(), sounds(4), np.zeros((4, 9, 8), "float32")
    gan.compile(run_eagerly=True)
    broken = x.copy()
    broken[1, 3] = np.nan
    for data, told in (
        (
            (np.repeat(x, 2, axis=2),),
            r"Waveforms do not .*\(4, 256, 2\).*\(batch, 256, 1",
        ),
        ((x[..., 0],), r"Waveforms do not have .*\(4, 256\).*`x\[\.\.\., None\]`"),
        ((broken,), "No value may be NaN.*in 1 of 4 waveforms"),
        (((x * 9).astype("int16"),), "Waveforms must be floats.*int16.*32768"),
        ((mels, x), "9 frames with waveforms of 256 samples, 8 hops of 32"),
        ((mels[:, :8],), "1 of 2 parts"),
    ):
        with pytest.raises(ValueError, match=told):
            gan.fit(*data, batch_size=2, verbose=0)


@pytest.mark.full
def test_spectrograms_of_one_batch_are_made_at_a_time():
    """Those of an array of hours would not fit into memory."""
    made = []

    @keras.saving.register_keras_serializable("test_hifigan")
    class Counting(MelSpectrogram):
        def __call__(self, waveforms):
            made.append(waveforms.shape[0])
            return super().__call__(waveforms)

    gan = small(mel=Counting(8000, 8, 128, 32, 128, high=None))
    gan.compile(run_eagerly=True)
    gan.fit(sounds(6), batch_size=2, verbose=0)
    assert made and max(made) == 2


def by_definition(sound, mel):
    """A log-mel spectrogram in NumPy's float64, filter by filter."""
    hertz = lambda m: m * 200 / 3 if m < 15 else 1000 * 6.4 ** ((m - 15) / 27)  # noqa: E731
    end = mel.rate / 2 if mel.high is None else mel.high
    most = end * 3 / 200 if end < 1000 else 15 + 27 * np.log(end / 1000) / np.log(6.4)
    corners = [hertz(m) for m in np.linspace(0, most, mel.bands + 2)]
    bins = np.arange(mel.n_fft // 2 + 1) * mel.rate / mel.n_fft
    filters = []
    for low, top, high in zip(corners, corners[1:], corners[2:], strict=False):
        height = np.interp(bins, [low, top, high], [0, 1, 0])
        filters.append(height * 2 / (high - low))
    before = (mel.n_fft - mel.hop) // 2
    sound = np.pad(sound, (before, mel.n_fft - mel.hop - before), mode="reflect")
    window = np.hanning(mel.window + 1)[:-1]
    at, rows = (mel.n_fft - mel.window) // 2, []
    for start in range(0, len(sound) - mel.n_fft + 1, mel.hop):
        part = sound[start + at : start + at + mel.window] * window
        power = (
            np.abs(np.fft.rfft(np.pad(part, (at, mel.n_fft - mel.window - at)))) ** 2
        )
        rows.append(np.array(filters) @ np.sqrt(power + 1e-9))
    return np.log(np.maximum(rows, 1e-5))


@pytest.mark.full_on_jax
@pytest.mark.backends
@pytest.mark.parametrize(
    ("rate", "hop", "bands"),
    [(24000, 256, 100), (44100, 441, 80), (44100, 512, 128), (48000, 256, 80)],
)
def test_default_spectrograms_at_other_rates(rate, hop, bands):
    """k hops have k frames, also where a window is longer by an odd number."""
    mel = kg.models.hifigan.default_mel(rate, hop, bands)
    sound = np.random.default_rng(0).uniform(-0.5, 0.5, 6 * hop)
    made = mel(sound[None].astype("float32"))
    assert made.shape == (1, 6, bands)
    close(made, by_definition(sound, mel)[None])


def test_odd_hops_have_a_frame_each():
    gan, x = small(rates=(21,), kernels=(41,), segment=168), sounds(2, 168)
    assert (gan.mel.n_fft - gan.hop) % 2 and gan.mel(x).shape == (2, 8, 8)
    sound = np.random.default_rng(0).uniform(-1, 1, (21 * 20, 1)).astype("float32")
    made = spectrogram_of(gan, sound, chunk=3)
    np.testing.assert_allclose(made, gan.mel(sound[None])[0], atol=1e-5)


def test_what_has_no_spectrogram_is_refused():
    x, mel = np.zeros((2, 3000, 1), "float32"), MelSpectrogram()
    for bad, told in (
        (np.repeat(x, 2, axis=2), r"3000, 2\)\. Mix channels by `x\.mean\(axis=-1\)`"),
        (x[0, :, 0], r"\(3000,\)\. Make one waveform a batch by `x\[None\]`"),
        (x.astype("int16"), "int16.*32768"),
        (x[:, :300], "385 samples or more. Received: 300. Fill it up"),
    ):
        with pytest.raises(ValueError, match=told):
            mel(bad)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"segment": 250}, "multiple of the hop, 32, .* such as 224 or 256"),
        ({"segment": 20}, "longer than .* 128, such as 160 or 192"),
        ({"kernels": (63,)}, "larger by an even one"),
        ({"block_kernels": (4,)}, "are odd"),
        ({"channels": 3}, "halved 1 times, .*multiple of 2"),
        ({"mel": MelSpectrogram(8000, 8, 128, 16, 64, high=None)}, "hop=32"),
        ({"d_width": 2, "scales": 1}, "divisible by 16"),
        ({"dilations": 3}, "each of `dilations` are tuples"),
        ({"periods": 3}, "`periods` is a tuple of ints"),
        ({"scales": "x"}, "`scales` must lie in 0, 1"),
    ],
)
def test_refusals(kwargs, message):
    with pytest.raises(ValueError, match=message):
        small(**kwargs)


def test_numbers_fit_each_other():
    numbers = Configuration(8, (8, 4), (16, 8), "2", (3,), ((1, 2),))
    made = hifigan_generator(numbers, bands=8, weight_norm=False)
    assert made.output_shape == (None, None, 1)
    assert isinstance(made, keras.Model)
