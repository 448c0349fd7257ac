"""WGAN-GP's language model: the reference's networks, checkpoint and losses."""

import json

from checks import check_gan
from golden.recipe import fill
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

import keras_gans as kg
from keras_gans.convert import from_state, read
from keras_gans.engine import input_gradient
from keras_gans.metrics import ngram_js
from keras_gans.networks.language import language_discriminator, language_generator


def small(**kwargs):
    options = {"latent_dim": 4, "dim": 3, "d_steps": 1}
    return kg.LanguageWGANGP(4, ("", "a", "b"), **{**options, **kwargs})


def ids(n):
    return np.random.default_rng(0).integers(0, 3, (n, 4)).astype("int32")


def close(got, want, bound=1e-5):
    got = ops.convert_to_numpy(got)
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


@pytest.mark.backends
@pytest.mark.full_on_jax
def test_networks_and_losses_are_the_reference_s():
    about = json.loads((GOLDEN / "wgan_language.json").read_text())
    wanted = np.load(GOLDEN / "wgan_language.npz")
    states = {"Generator": {}, "Discriminator": {}}
    for name, shape in about["weights"]:
        side, _, rest = name.partition(".")
        states[side][rest] = fill(name, shape)
    generator, critic = map(from_state, states.values())
    fake = generator(wanted["z"])
    close(fake, wanted["fake"])
    real = np.eye(9, dtype="float32")[wanted["x"]]
    close(critic(real), wanted["d_real"])
    close(critic(fake), wanted["d_fake"])
    between = real + wanted["alpha"] * (ops.convert_to_numpy(fake) - real)
    _, gradient = input_gradient(lambda x: critic(x), between)
    slopes = np.linalg.norm(ops.convert_to_numpy(gradient), axis=(1, 2))
    close(slopes, wanted["slopes"])
    d_loss = np.mean(wanted["d_fake"]) - np.mean(wanted["d_real"])
    d_loss += 10 * np.mean((slopes - 1) ** 2)
    close(d_loss, wanted["d_loss"])
    js = [ngram_js(wanted["js_a"], wanted["js_b"], n) for n in range(1, 5)]
    close(js, wanted["js"])


def test_checkpoint_of_tensorflow_is_read():
    state = read(GOLDEN / "wgan_language.ckpt.index")
    assert set(state) == {"Generator", "Discriminator"}
    wanted = np.load(GOLDEN / "wgan_language.npz")
    close(from_state(state["Generator"])(wanted["z"]), wanted["fake"])
    del state["Generator"]["3.2.Biases"]
    with pytest.raises(ValueError, match=r"Missing: 3\.2\.Biases"):
        from_state(state["Generator"])


@pytest.mark.parametrize(("length", "vocabulary", "dim"), [(32, 100, 8), (7, 2, 3)])
def test_sizes(length, vocabulary, dim):
    made = language_generator(length, vocabulary, 5, dim, blocks=1)
    assert made.output_shape == (None, length, vocabulary)
    seen = language_discriminator(length, vocabulary, dim, blocks=1)
    assert seen.output_shape == (None, 1)


@pytest.mark.full
@pytest.mark.backends
def test_language_wgan_gp():
    # What a Wasserstein critic is raised by cancels.
    still = ("block_4_conv_1/bias", "output/bias")
    check_gan(lambda: small(dim=6), ids(16), still=still, executions=False)


def test_sentences_and_refusals():
    gan = small()
    made = gan.sample(3, seed=1)
    assert all(set(x) <= {"a", "b"} for x in made)
    assert made == gan.modality.sentences(gan.sample_ids(3, seed=1))
    with pytest.raises(ValueError, match="likelihood of sentences"):
        kg.metrics.text_nll(gan, ids(2))
    with pytest.raises(ValueError, match="one by one"):
        small(packing=2)
