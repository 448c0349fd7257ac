"""RelGAN: the reference's networks and losses, its two trainings, its sentences."""

import json

from checks import check_gan
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

import keras_gans as kg
from keras_gans.convert import from_state
from keras_gans.losses.adversarial import relativistic_d, relativistic_g
from keras_gans.losses.penalties import gradient_penalty
from keras_gans.metrics import text_nll
from keras_gans.networks.relgan import relgan_discriminator

LETTERS = ("", "a", "b", "c")
SMALL = {"head_size": 2, "embedding_dim": 3, "d_embedding_dim": 4}
SMALL |= {"representations": 2, "filters": 2}


def small(length=5, vocabulary=LETTERS, separator="", **kwargs):
    own = {"d_steps": 1, "pretrain_steps": 3, "beta": 10.0, "beta_steps": 4}
    return kg.RelGAN(length, vocabulary, separator, **{**SMALL, **own, **kwargs})


def ids(n, length=5, seed=0):
    return np.random.default_rng(seed).integers(0, 4, (n, length)).astype("int32")


def close(got, want, bound=1e-5):
    got = ops.convert_to_numpy(got)
    assert np.abs(got - want).max() <= bound * max(1e-2, np.abs(want).max())


def value(name, shape):
    return fill(name, shape) + (1 if name.endswith("gamma") else 0)


@pytest.fixture(scope="module")
def reference():
    about = json.loads((GOLDEN / "relgan.json").read_text())
    states = {"generator": {}, "discriminator": {}}
    for name, shape in about["weights"]:
        side, _, rest = name.partition("/")
        states[side][rest] = value(name, shape)
    length, heads = about["call"]["seq_len"], about["call"]["num_heads"]
    generator = from_state(states["generator"], length=length, heads=heads)
    discriminator = from_state(states["discriminator"], length=length)
    return states, generator, discriminator, np.load(GOLDEN / "relgan.npz")


@pytest.mark.backends
@pytest.mark.full_on_jax
def test_networks_and_losses_are_the_reference_s(reference):
    _, generator, discriminator, wanted = reference
    noise = np.moveaxis(wanted["uniform"], 0, 1).reshape(3, -1)
    made = generator([noise, np.ones(3, "float32")])
    np.testing.assert_array_equal(np.argmax(made, axis=-1), wanted["tokens"])
    soft = ops.softmax(2.5 * made)
    close(soft, wanted["soft"])
    real = np.eye(12, dtype="float32")[wanted["x_real"]]
    d_real, d_fake = discriminator(real), discriminator(soft)
    close(ops.reshape(d_real, (-1,)), wanted["d_real"])
    close(ops.reshape(d_fake, (-1,)), wanted["d_fake"])
    close(relativistic_d(d_real, d_fake), wanted["d_loss"])
    close(relativistic_g(d_fake, d_real), wanted["g_loss"])
    alpha = wanted["alpha"]
    between = alpha * real + (1 - alpha) * ops.convert_to_numpy(soft)
    penalty = gradient_penalty(lambda x: discriminator(x), between)
    close(penalty, wanted["gradient_penalty"])


def test_gradients_are_the_reference_s(reference):
    states, generator, discriminator, wanted = reference
    names = {side: list(state) for side, state in states.items()}
    gan = kg.RelGAN(
        6, 12, generator=generator, discriminator=discriminator, pretrain_steps=1
    )
    real = np.eye(12, dtype="float32")[wanted["x_real"]]
    noise = np.moveaxis(wanted["uniform"], 0, 1).reshape(3, -1)

    def soft():
        return ops.softmax(2.5 * generator([noise, np.ones(3, "float32")]))

    def g_loss():
        return relativistic_g(discriminator(soft()), discriminator(real)), None

    def d_loss():
        return relativistic_d(discriminator(real), discriminator(soft())), None

    def mle_loss():
        loss, logs = gan.mle_loss(None, {"real": real}, True)
        close(loss, wanted["pretrain_loss"])
        return loss, logs

    for loss, network, side, key in (
        (g_loss, generator, "generator", "g_grad_norms"),
        (mle_loss, generator, "generator", "pretrain_grad_norms"),
        (d_loss, discriminator, "discriminator", "d_grad_norms"),
    ):
        total, _, pullback = gan.engine.differentiate(loss, network.trainable_variables)
        norms = [
            float(np.linalg.norm(ops.convert_to_numpy(gan.engine.dense(g))))
            for g in pullback(ops.ones_like(total))[0]
        ]
        # Each variable is one of the reference's: of the same values.
        found = {}
        for variable, norm in zip(network.trainable_variables, norms, strict=True):
            held = np.sort(np.ravel(ops.convert_to_numpy(variable)))
            (name,) = (
                n
                for n in names[side]
                if states[side][n].size == held.size
                and np.array_equal(np.sort(np.ravel(states[side][n])), held)
            )
            found[name] = norm
        got = np.array([found[name] for name in names[side]])
        np.testing.assert_allclose(got, wanted[key], rtol=1e-4, atol=1e-6)


@pytest.mark.full
@pytest.mark.backends
def test_relgan():
    # Of a relativistic loss, what both logits are raised by cancels.
    still = ("fc/bias", "logits/bias")
    check_gan(lambda: small(ema=0.9), ids(16), still=still, executions=False)


@pytest.mark.full
def test_relgan_of_several_batches_and_steps():
    check_gan(
        lambda: small(8, d_steps=2, slots=2, pretrain_steps=2),
        ids(64, 8),
        still=("fc/bias", "logits/bias"),
        atol=1e-5,
    )


@pytest.mark.full
def test_likelihood_first_then_against_d():
    gan = small(pretrain_steps=4, d_steps=2)
    gan.compile(run_eagerly=True)
    logs = gan.fit(ids(16), batch_size=2, epochs=1, shuffle=False, verbose=0).history
    assert set(logs) == {"mle_loss", "mle_grad_norm"}
    assert float(gan.controllers["beta"].value.value) == 1.0
    logs = gan.fit(ids(16), batch_size=2, epochs=1, verbose=0).history
    assert set(logs) > {"d_loss", "g_loss", "g_grad_norm"}
    # beta^(i/N), of the steps since.
    np.testing.assert_allclose(gan.controllers["beta"].value.value, 10.0, rtol=1e-5)


@pytest.mark.full
def test_likelihood_learns_what_lines_hold():
    gan = small(pretrain_steps=100, pretrain_rate=0.05, head_size=4)
    gan.compile()
    rows = np.tile([[1, 2, 3, 0, 0], [1, 3, 1, 2, 0]], (16, 1)).astype("int32")
    gan.fit(rows, batch_size=8, epochs=25, verbose=0)
    # Two lines as likely: log 2 over five tokens.
    assert np.log(2) / 5 - 1e-3 < text_nll(gan, rows) < 0.2
    made = gan.sample(40, seed=1)
    assert 5 < made.count("abc") < 35
    assert made.count("abc") + made.count("acab") > 36


def test_samples_are_drawn_by_the_model_s_probabilities():
    gan = small(vocabulary=LETTERS[:3])
    first = np.array(ops.softmax(gan.logits_of(np.zeros((1, 5), "int32"))))[0, 0]
    made = gan.sample_ids(2000, seed=5)[:, 0]
    shares = np.bincount(made, minlength=3) / 2000
    assert np.abs(shares - first).max() < 0.045  # four deviations of a share
    cold = gan.sample_ids(64, seed=5, temperature=0.001)
    assert (cold == cold[0]).all()
    mixed = gan.sample_ids(64, seed=5, temperature=[0.001] * 32 + [1.0] * 32)
    np.testing.assert_array_equal(mixed[:32], cold[:32])
    np.testing.assert_array_equal(mixed[32:], gan.sample_ids(64, seed=5)[32:])


def test_sentences():
    gan = small(vocabulary=("", "red", "blue", "heart"), separator=" ")
    made = gan.sample(3, seed=2)
    assert made == gan.modality.sentences(gan.sample_ids(3, seed=2))
    assert all(set(x.split()) <= {"red", "blue", "heart"} for x in made)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"length": 4}, "1 to the length of sentences.*length=4"),
        ({"vocabulary": ("", "")}, "two or more different"),
        ({"representations": 3}, "embedding_dim=4, representations=3"),
        ({"beta": 0.5}, r"beta.*\[1, inf\)"),
        ({"pretrain_steps": -1}, "pretrain_steps"),
        ({"head_size": 0}, "head_size"),
        ({"packing": 2}, "one by one"),
        ({"diff_augment": "color"}, "pictures"),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        small(**kwargs)


def test_bad_tokens_are_refused():
    gan = small()
    gan.compile(run_eagerly=True)
    with pytest.raises(ValueError, match=r"\[0, 4\).*from 0 to 4"):
        gan.fit(np.full((4, 5), 4) * (np.arange(4) > 0)[:, None], verbose=0)
    with pytest.raises(ValueError, match=r"as numbers.*tokens_of.*load_lines"):
        gan.fit(["ab", "ba"], verbose=0)
    with pytest.raises(ValueError, match="has a layer `writer`"):
        z, temperature = keras.Input((20,)), keras.Input(())
        made = keras.layers.Reshape((5, 4))(z) / ops.reshape(temperature, (-1, 1, 1))
        kg.RelGAN(
            5,
            4,
            generator=keras.Model([z, temperature], made),
            discriminator=relgan_discriminator(5, 4, 2, 2, 2),
        )
    with pytest.raises(ValueError, match="temperature"):
        gan.sample(2, temperature=0.0)


@pytest.mark.full
def test_exported_with_sentences(tmp_path):
    import tensorflow as tf

    gan = small(vocabulary=("", "red", "blue", "heart"), separator=" ")
    gan.export(tmp_path / "1")
    served = tf.saved_model.load(tmp_path / "1").signatures["serving_default"]
    made = served(seed=tf.range(4, dtype="int64"), temperature=tf.ones(4))
    sentences = [x.decode() for x in made["sentences"].numpy()]
    assert sentences == gan.sample(4, seed=0)
    np.testing.assert_array_equal(
        made["tokens"].numpy().argmax(-1), gan.sample_ids(4, seed=0)
    )
