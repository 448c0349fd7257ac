"""BigVGAN: the reference's networks and files; its training."""

import json

from checks import check_gan
from golden.recipe import fill
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

import keras_gans as kg
from keras_gans.convert import from_state, read
from keras_gans.convert.families import hifigan as family
from keras_gans.convert.weights import assign
from keras_gans.inference.vocoding import vocode
from keras_gans.layers.snake import kaiser_sinc
from keras_gans.networks.bigvgan import bigvgan_discriminators, bigvgan_generator
from keras_gans.networks.hifigan import Configuration
from keras_gans.training import recipes


def small(**kwargs):
    numbers = {"channels": 4, "rates": (32,), "kernels": (64,), "periods": (2,)}
    options = {"rate": 8000, "segment": 256, "bands": 8, "d_width": 4}
    blocks = {"block": "2", "block_kernels": (3,), "dilations": ((1,),)}
    heard = {"mel_windows": (32, 64), "resolutions": ((64, 16, 48),)}
    return kg.BigVGAN(**{**numbers, **options, **blocks, **heard, **kwargs})


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


@pytest.mark.full
@pytest.mark.backends
def test_generators_are_the_reference_s():
    _, wanted = golden("bigvgan_v2")
    close(kaiser_sinc(), wanted["lowpass_filter"].ravel(), 1e-6)
    generator = from_state(read(GOLDEN / "bigvgan_v2.pth"))
    made = generator.predict_on_batch(np.moveaxis(wanted["mel"], 1, 2))
    close(made[..., 0], wanted["wav"][:, 0])
    about, wanted = golden("bigvgan_snake")
    state = {
        name: fill(name, shape) * (0.02 if name == "conv_post.weight_g" else 1)
        for name, shape in about["weights"]
    }
    generator = from_state(state, dilations=((1, 3),) * 3)
    made = generator.predict_on_batch(np.moveaxis(wanted["mel"], 1, 2))
    close(made[..., 0], wanted["wav"][:, 0])
    state["activation_post.upsample.filter"] = np.ones((1, 1, 12), "float32")
    with pytest.raises(ValueError, match=r"activation_post\.upsample\.filter is a low"):
        from_state(state)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_discriminators_are_the_reference_s():
    _, wanted = golden("bigvgan_resolution_D")
    means = []
    networks = bigvgan_discriminators(2048, periods=())
    for i, network in enumerate(networks.values()):
        own = family.entries(network, f"discriminators.{i}.")
        assign(network, {e.name: fill(e.name, e.shape) for e in own}, own)
        for what in ("fake", "real"):
            logits, *maps = network(np.moveaxis(wanted[what], 1, 2))
            close(ops.reshape(logits, (2, -1)), wanted[f"{what}_{i}"])
        means += [float(ops.mean(ops.abs(x))) for x in (*maps, logits)]
    close(means, wanted["feature_means"])


@pytest.mark.full
def test_parameters_are_the_paper_s():
    for name, millions in (("base", 14.01), ("256x", 112.4)):
        shape = bigvgan_generator(name, ending="tanh", weight_norm=False)
        assert shape.count_params() / 1e6 == pytest.approx(millions, rel=1e-3)


@pytest.mark.full
@pytest.mark.backends
def test_bigvgan():
    data = sounds(8)
    mels = np.random.default_rng(0).normal(size=(8, 8, 8)).astype("float32")
    check_gan(small, mels, data, batch_size=2, executions=False)


@pytest.mark.full
def test_the_paper_s_version():
    data = sounds(8)
    mels = ops.convert_to_numpy(small().mel(data))
    version = {"ending": "tanh", "mel_windows": (), "activation": "snake"}
    check_gan(lambda: small(**version), mels, data, batch_size=2, atol=1e-6)


def test_the_command_line_keeps_its_clipping():
    """A flag that is not given leaves an optimizer as the model makes it."""
    gan, recipe = small(), recipes.get("bigvgan")
    recipes.compile(recipe, gan)
    assert {o.global_clipnorm for o in gan.optimizers.values()} == {500.0}
    recipes.compile(recipe, gan, global_clipnorm=1.0)
    assert {o.global_clipnorm for o in gan.optimizers.values()} == {1.0}


def test_the_distance_of_spectrograms_is_the_sum_of_windows():
    gan, x, y = small(), sounds(2), 0.5 * sounds(2)[::-1]
    total = 0.0
    for window in gan.mel_windows:
        bands, hop = 5 * window // 32, window // 4
        mel = kg.layers.MelSpectrogram(8000, bands, window, hop, window, high=None)
        total += np.abs(ops.convert_to_numpy(mel(x) - mel(y))).mean() / np.log(10)
    assert float(gan.mel_distance(x, y)) == pytest.approx(total, rel=1e-5)


@pytest.mark.full
def test_parts_are_the_whole_also_of_filters():
    """Of activations far from linear, whose filters reach beyond convolutions."""
    numbers = Configuration(4, (2,), (4,), "1", (1,), ((1, 1, 1),))
    generator = bigvgan_generator(numbers, bands=8)
    gan = small(generator=generator, rates=(2,), kernels=(4,))
    for variable in gan.generator.trainable_variables:
        if "alpha" in variable.path:
            variable.assign(np.full(variable.shape, 1.5, "float32"))
    mel = np.random.default_rng(0).normal(size=(60, 8)).astype("float32")
    whole = vocode(gan, mel, chunk=60)
    np.testing.assert_allclose(vocode(gan, mel, chunk=8), whole, atol=1e-6)
    assert np.abs(whole).max() > 0.01


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"mel_windows": (48,)}, "multiples of 32"),
        ({"mel_windows": (256,)}, "`segment` is longer than each"),
        ({"ending": "sigmoid"}, "ending"),
        ({"activation": "relu"}, "activation"),
        ({"resolutions": ((64, 16),)}, r"\(n_fft, hop, window\)"),
        ({"resolutions": ((64, 16, 128),)}, "window"),
        ({"configuration": "v1"}, "256x"),
    ],
)
def test_refusals(kwargs, message):
    with pytest.raises(ValueError, match=message):
        small(**kwargs)
