"""DFGAN and StackGAN: the references' numbers, sentences, stages, exports."""

import json

from checks import check_gan
from command_line import call
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

import keras_gans as kg
from keras_gans.convert import from_state, read
from keras_gans.convert.files import convert_file
from keras_gans.core.text_to_image import of_others
from keras_gans.training.runs import fine_tuned

# Sums in another order, of float32, reach 1e-6.
CLOSE = 1e-5
SMALL = {"latent_dim": 4, "width": 2}
STACKED = {"latent_dim": 4, "condition_dim": 3, "width": 4, "d_width": 2}
TEXTS = ["a red heart", "blue", "the cat", "two trees"]


def close(got, want):
    got, want = ops.convert_to_numpy(got), np.asarray(want)
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= CLOSE * max(1e-2, np.abs(want).max())


def recipe_states(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    return {
        part: {weight: fill(weight, shape) for weight, shape in held}
        for part, held in about["weights"].items()
    }


def of_reference(golden):
    """The batch of a fixture, as losses take it."""
    real = golden["real"].transpose(0, 2, 3, 1)
    held = {"real": real, "text": golden["text"]}
    return {name: ops.convert_to_tensor(x) for name, x in held.items()}


def drawing(gan, **draws):
    gan.rng.normal = lambda n, dim, purpose: ops.convert_to_tensor(draws[purpose])
    return gan


def gradient_norms(loss, variables):
    """The norms of the gradients of a loss, sorted."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            value = loss()
        gradients = tape.gradient(value, variables)
        return sorted(float(tf.norm(g)) for g in gradients)
    return None


@pytest.fixture(scope="module")
def dfgan():
    """DFGAN with the reference's weights, and its numbers."""
    golden = dict(np.load(GOLDEN / "dfgan_64.npz"))
    states = recipe_states("dfgan_64")
    gan = kg.DFGAN((64, 64, 3), 12, 10, 2)
    parts = {
        "G": gan.generator,
        "D": gan.discriminator.get_layer("trunk"),
        "C": gan.discriminator.get_layer("head"),
    }
    for name, part in parts.items():
        part.set_weights(from_state(states[name]).get_weights())
    return drawing(gan, latent=golden["z"]), of_reference(golden), golden


@pytest.mark.backends
@pytest.mark.full_on_jax
def test_dfgan_is_the_reference_s(dfgan):
    gan, batch, golden = dfgan
    fake = gan.generate(batch, True)
    close(fake, golden["fake"].transpose(0, 2, 3, 1))
    trunk = gan.discriminator.get_layer("trunk")
    close(trunk(batch["real"]), golden["real_features"].transpose(0, 2, 3, 1))
    logits = gan.discriminate(batch["real"], batch, False, "real")
    close(logits[:, 0], golden["pred_real"])
    loss, logs = gan.discriminator_loss(fake, batch, True)
    close(loss, golden["d_loss"])
    close(2 * logs["matching_penalty"], golden["ma_gp"])
    close(logs["d_mismatched"], golden["pred_mismatch"].mean())
    close(gan.generator_loss(fake, batch, True)[0], golden["g_loss"])


def test_dfgan_s_gradients_are_the_reference_s(dfgan):
    gan, batch, golden = dfgan
    fake = gan.generate(batch, True)
    norms = gradient_norms(
        lambda: gan.discriminator_loss(fake, batch, True)[0], gan.variables_of("d")
    )
    # Two weights of the reference are read by nothing.
    wanted = sorted(x for x in golden["d_grad_norms"] if x > 0)
    np.testing.assert_allclose(norms, wanted, rtol=1e-4, atol=1e-7)


@pytest.mark.backends
@pytest.mark.full_on_jax
def test_stackgan_is_the_reference_s():
    golden = dict(np.load(GOLDEN / "stackgan1.npz"))
    states = recipe_states("stackgan1")
    gan = kg.StackGAN((64, 64, 3), 48, 100, 16, 8, 8)
    for name, network in (("G", gan.generator), ("D", gan.discriminator)):
        network.set_weights(from_state(states[name]).get_weights())
    gan = drawing(gan, latent=golden["z"], augmentation=golden["eps"][0])
    batch = of_reference(golden)
    mean, spread = gan.conditions(batch["text"], True)
    close(mean, golden["mu"])
    close(spread, golden["logvar"])
    close(gan.generate(batch, False), golden["fake_eval"].transpose(0, 2, 3, 1))
    fake = gan.generate(batch, True)
    loss, _ = gan.discriminator_loss(fake, batch, True)
    close(loss, golden["d_loss"])
    loss, logs = gan.generator_loss(fake, batch, True)
    close(logs["kl_loss"], golden["kl"])
    close(loss - 2.0 * logs["kl_loss"], golden["g_loss"])


@pytest.mark.full
@pytest.mark.parametrize("key", ["netG", "netD", "netC"])
def test_a_published_file_of_dfgan_is_converted(key, tmp_path):
    path = GOLDEN / "dfgan_64.pth"
    target, told = convert_file(path, tmp_path, key=key)
    assert "DF-GAN" in told
    model = keras.models.load_model(target)
    held = recipe_states("dfgan_64")[key[-1]]
    again = from_state(held)
    for one, other in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(*map(ops.convert_to_numpy, (one, other)))
    assert set(held) == set(read(path)["model"][key])


@pytest.mark.full
@pytest.mark.backends
@pytest.mark.parametrize("pixel_weight", [0.0, 1.0])
def test_dfgan(pixel_weight):
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (16, 8, 8, 3)).astype("float32")
    vectors = rng.normal(size=(16, 5)).astype("float32")

    def started():
        gan = kg.DFGAN((8, 8, 3), 5, ema=0.9, pixel_weight=pixel_weight, **SMALL)
        for layer in gan.discriminator.get_layer("trunk").layers:
            if layer.name.endswith("gain"):  # of 0 it holds back what is before it
                layer.gain.assign([0.5])
        return gan

    check_gan(started, images, vectors, executions=False)


@pytest.mark.full
def test_dfgan_learns_pixels_before_its_discriminator_starts():
    images = np.zeros((4, 8, 8, 3), "float32")
    images[::2], images[1::2] = 0.8, -0.8
    vectors = np.eye(4, 5, dtype="float32")
    options = {"pixel_weight": 2.0, "pretrain_steps": 30, "pretrain_rate": 5e-2}
    gan = kg.DFGAN((8, 8, 3), 5, seed=0, latent_dim=4, width=4, **options)
    gan.compile()
    d = [v.numpy() for v in gan.discriminator.trainable_variables]
    fit = {"batch_size": 4, "verbose": 0}
    logs = gan.fit(images, vectors, epochs=30, **fit).history
    assert set(logs) == {"pretrain_loss", "pretrain_grad_norm"}
    first = logs["pretrain_loss"][0]  # about 0.65; 0.03 to 0.05 at the end
    assert logs["pretrain_loss"][-1] < 0.2 * first
    for before, now in zip(d, gan.discriminator.trainable_variables, strict=True):
        np.testing.assert_array_equal(before, now.numpy())

    logs = gan.fit(images, vectors, initial_epoch=30, epochs=31, **fit).history
    fake = gan.sample(4, seed=1, text=vectors)
    assert {"d_loss", "g_loss", "pixel_loss"} <= set(logs)
    # The samples are of other codes, and of a step later.
    near = np.mean(np.square(fake - images))
    assert max(near, logs["pixel_loss"][0]) < 0.2 * first
    counts = {n: int(o.iterations) for n, o in gan.optimizers.items()}
    assert counts == {"pretrain": 30, "d": 1, "g": 1}


@pytest.mark.parametrize(
    ("option", "named"),
    [
        ({"pixel_weight": -1.0}, "`pixel_weight`"),
        ({"pretrain_steps": 1.5}, "`pretrain_steps`"),
        ({"pretrain_rate": float("nan")}, "`pretrain_rate`"),
    ],
)
def test_dfgan_refuses_what_is_out_of_range(option, named):
    with pytest.raises(ValueError, match=named):
        kg.DFGAN((8, 8, 3), 5, **option, **SMALL)


@pytest.mark.full
@pytest.mark.backends
def test_stackgan():
    rng = np.random.default_rng(0)
    images = rng.uniform(-1, 1, (16, 8, 8, 3)).astype("float32")
    vectors = rng.normal(size=(16, 5)).astype("float32")

    def make():
        return kg.StackGAN((8, 8, 3), 5, ema=0.9, **STACKED)

    check_gan(make, images, vectors, executions=False)


def test_stage_two_keeps_stage_one():
    first = kg.StackGAN((8, 8, 3), encoder="words", ema=0.9, **STACKED)
    second = first.second_stage((16, 16, 3), blocks=1)
    part = second.generator.get_layer("first")
    held = [ops.convert_to_numpy(w) for w in part.trainable_weights]
    second.compile(run_eagerly=True)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 16, 16, 3))
    second.fit(images, TEXTS, batch_size=2, verbose=0)
    for before, after in zip(held, part.trainable_weights, strict=True):
        np.testing.assert_array_equal(before, ops.convert_to_numpy(after))
    assert second.sample(texts=TEXTS[:2]).shape == (2, 16, 16, 3)
    with pytest.raises(ValueError, match="stage=2"):
        second.second_stage()
    other = kg.StackGAN((16, 16, 3), 5, stage=2, **STACKED)
    with pytest.raises(ValueError, match="built for the stage 1"):
        other.start_from(first)


def test_stage_two_begins_from_a_preset_of_stage_one(tmp_path):
    first = kg.StackGAN((8, 8, 3), encoder="words", **STACKED)
    first.save_to_preset(tmp_path / "first")
    given = {"stage": 2, "image_shape": (16, 16, 3), "blocks": 1}
    arguments = fine_tuned("stackgan", tmp_path / "first", given)
    assert tuple(arguments["first_shape"]) == (8, 8, 3)
    second = kg.from_preset(tmp_path / "first", **given)
    part = second.generator.get_layer("first")
    for want, found in zip(first.generator.weights, part.weights, strict=True):
        np.testing.assert_array_equal(*map(ops.convert_to_numpy, (want, found)))
    assert kg.from_preset(tmp_path / "first").stage == 1


def test_evaluate_names_what_judges_sentences(tmp_path, capsys):
    kg.DFGAN((8, 8, 3), encoder="words", **SMALL).save_to_preset(tmp_path / "p")
    assert call("evaluate", str(tmp_path / "p"), "--data=emoji") == 1
    assert "--text and --each" in capsys.readouterr().err


def test_sentences_of_samples():
    gan = kg.DFGAN((8, 8, 3), encoder="words", **SMALL)
    dense = gan.generator.get_layer("block_0_fuse1_0_gamma2")
    dense.kernel.assign(np.ones(dense.kernel.shape))  # from 0, all texts are one
    samples = gan.sample(texts=TEXTS, seed=3)
    assert samples.shape == (4, 8, 8, 3)
    np.testing.assert_array_equal(samples, gan.sample(4, seed=3, text=TEXTS))
    vectors = gan.encode(TEXTS)
    np.testing.assert_array_equal(samples, gan.sample(4, seed=3, text=vectors))
    assert gan.sample(texts="a red heart").shape == (1, 8, 8, 3)
    same = gan.sample(4, seed=3, texts="a red heart")
    np.testing.assert_array_equal(same[0], samples[0])
    assert np.abs(same[1] - samples[1]).max() > 0
    for texts, told in (
        ([], "1, 2, ...|an empty list|positive int"),
        (["red", " "], "' ', sentence 2 of 2"),
        ([""], "''"),
        ([5], "are sentences, or vectors of 256 numbers"),
        ([None], "None, sentence 1 of 1"),
        ((text for text in TEXTS), "Received: a generator. Make a list"),
    ):
        with pytest.raises(ValueError, match=told):
            gan.sample(texts=texts)
    with pytest.raises(ValueError, match="2 sentences for 4"):
        gan.sample(4, texts=TEXTS[:2])
    with pytest.raises(ValueError, match="vectors of 256 numbers"):
        gan.sample(4, text=np.zeros((4, 5)))
    with pytest.raises(ValueError, match="both"):
        gan.sample(1, text="red", texts="red")
    with pytest.raises(ValueError, match="positive int"):
        gan.sample()


def test_captions_of_each_form_and_those_that_are_missing():
    pandas = pytest.importorskip("pandas")
    gan = kg.DFGAN((8, 8, 3), encoder="words", **SMALL)
    gan.compile(run_eagerly=True)
    images = np.random.default_rng(0).uniform(-1, 1, (4, 8, 8, 3))
    want = gan.evaluate(images, gan.encode(TEXTS), verbose=0)
    for texts in (TEXTS, tuple(TEXTS), np.array(TEXTS), pandas.Series(TEXTS)):
        assert gan.evaluate(images, texts, verbose=0) == want
    gap = float("nan")
    for texts, told in (
        (["red", gap, "a", "b"], "nan, sentence 2 of 4"),
        ([gap, "red", "a", "b"], "nan, sentence 1 of 4"),
        ([None, "red", "a", "b"], "None, sentence 1 of 4"),
        ([None] * 4, "None, sentence 1 of 4"),
        (pandas.Series(["red", "a", None, "b"]), "sentence 3 of 4"),
        ([["a", "b"], ["c"], ["d"], ["e"]], "sentence 1 of 4.*load_captions"),
        ([["a"], ["b"], ["c"], ["d"]], "sentence 1 of 4.*load_captions"),
        ((text for text in TEXTS), "Make a list"),
    ):
        with pytest.raises(ValueError, match=told):
            gan.fit(images, texts, verbose=0)


def test_encoders():
    def own(sentences):
        return np.array([[len(s), s.count("e"), 1.0] for s in sentences])

    gan = kg.DFGAN((8, 8, 1), encoder=own, **SMALL)
    assert gan.text.dim == 3
    gan.save("own.keras")
    loaded = keras.models.load_model("own.keras")
    with pytest.raises(ValueError, match="without"):
        loaded.sample(texts="red")
    loaded.use_encoder(own)
    np.testing.assert_array_equal(loaded.sample(texts="red"), gan.sample(texts="red"))
    with pytest.raises(ValueError, match="vectors of 256 numbers"):
        loaded.use_encoder("words")
    with pytest.raises(ValueError, match="mean words"):
        kg.DFGAN((8, 8, 1), encoder="word", **SMALL)
    with pytest.raises(ValueError, match="function from a list of str"):
        kg.DFGAN((8, 8, 1), encoder=3, **SMALL)
    with pytest.raises(ValueError, match="relativistic"):
        kg.DFGAN((8, 8, 1), 5, objective="relativistic", **SMALL)


@pytest.mark.full
def test_strings_are_exported_with_a_model_that_encodes_them(tmp_path):
    import tensorflow as tf

    words = keras.layers.TextVectorization(
        vocabulary=["red", "blue", "heart"], output_mode="multi_hot"
    )
    said = keras.Input((), dtype="string")
    encoder = keras.Model(said, keras.layers.Dense(4)(words(said)))
    gan = kg.DFGAN((8, 8, 3), encoder=encoder, **SMALL)
    gan.save("model.keras")
    again = keras.models.load_model("model.keras")
    texts = ["red heart", "blue heart"]
    np.testing.assert_array_equal(again.sample(texts=texts), gan.sample(texts=texts))
    gan.export(tmp_path / "1")
    served = tf.saved_model.load(tmp_path / "1")
    made = served.signatures["serving_default"](
        seed=tf.constant([0, 1], tf.int64), text=tf.constant(texts)
    )
    np.testing.assert_allclose(made["images"], gan.sample(texts=texts), atol=1e-5)


def test_mismatched_rows_are_those_of_the_next():
    text = ops.convert_to_tensor(np.arange(6.0).reshape(3, 2))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(of_others(text)), [[4, 5], [0, 1], [2, 3]]
    )


@pytest.mark.backends
@pytest.mark.full_on_jax
@pytest.mark.parametrize("name", ["StackGAN", "DFGAN"])
def test_one_picture_is_not_mismatched_with_its_own_sentence(name):
    sizes = {"StackGAN": STACKED, "DFGAN": SMALL}[name]
    gan = getattr(kg, name)((8, 8, 3), 5, seed=0, **sizes)
    rng = np.random.default_rng(0)
    real = rng.uniform(-1, 1, (1, 8, 8, 3)).astype("float32")
    batch = {"real": real, "text": rng.normal(size=(1, 5)).astype("float32")}
    batch = {part: ops.convert_to_tensor(x) for part, x in batch.items()}
    loss, logs = gan.discriminator_loss(-batch["real"], batch, False)
    logits = (
        gan.discriminate(x, batch, False, role)
        for x, role in ((batch["real"], "real"), (-batch["real"], "fake"))
    )
    want = gan.d_adversarial(*logits)[0] + 2.0 * logs.get("matching_penalty", 0.0)
    close(loss, want)
    assert float(logs["d_mismatched"]) == 0


@pytest.mark.full
@pytest.mark.backends
@pytest.mark.full_on_jax
def test_stackgan_learns_from_a_last_batch_of_one_picture():
    gan = kg.StackGAN((8, 8, 3), 5, **STACKED)
    gan.compile()
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 3))
    logs = gan.fit(images, np.eye(3, 5), batch_size=2, verbose=0).history
    assert np.isfinite([*logs.values()]).all()
    for network in (gan.generator, gan.discriminator):
        assert all(np.isfinite(w).all() for w in network.get_weights())
