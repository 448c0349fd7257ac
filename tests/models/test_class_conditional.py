"""SNGAN, SAGAN, BigGAN: networks and whole steps as the references'."""

import contextlib
import json
import re

from checks import check_gan, rewinding
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest
import tensorflow as tf

from keras_gans import losses
from keras_gans.convert import from_state, read
from keras_gans.core.class_conditional import standing_statistics
from keras_gans.core.controllers import EMA
from keras_gans.layers import SpectralNormalization
from keras_gans.modalities import Image
from keras_gans.models.biggan import BigGAN
from keras_gans.models.sagan import SAGAN
from keras_gans.models.sngan import SNGAN


def golden(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    with np.load(GOLDEN / f"{name}.npz") as arrays:
        return about, dict(arrays)


def channels_last(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def close(got, want, bound=1e-5):
    """Within a share of the largest value wanted."""
    got = np.asarray(ops.convert_to_numpy(got), "float64")
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


@pytest.mark.daily(1)
@pytest.mark.parametrize("name", ["biggan32", "mimicry_sagan_32"])
def test_networks_are_the_reference_s(name):
    _, wanted = golden(f"{name}_G")
    label = wanted["y"].astype("int32")
    generator = from_state(read(GOLDEN / f"{name}_G.pth"))
    close(generator([wanted["z"], label]), channels_last(wanted["img"]))
    _, wanted = golden(f"{name}_D")
    discriminator = from_state(read(GOLDEN / f"{name}_D.pth"))
    x = channels_last(wanted["x"])
    close(discriminator([x, wanted["y"].astype("int32")]), wanted["logits"])


class Told:
    """Gives the latent codes and classes of a record, in its order."""

    def __init__(self, wanted):
        self.wanted, self.z, self.y = wanted, 0, 0

    def at(self, *place, part=None):
        return contextlib.nullcontext()

    def normal(self, n, columns, purpose):
        z = self.wanted[f"z{self.z}"]
        self.z += 1
        assert z.shape == (int(n), columns)
        return ops.convert_to_tensor(z)

    def integers(self, n, columns, high, purpose):
        y = self.wanted[f"y{self.y}"]
        self.y += 1
        return ops.convert_to_tensor(y[:, None].astype("int32"))


def state_of(about, side, wanted):
    """What the recipe fills, and the first singular vectors."""
    key = f"{side}_weights"
    state = {name: fill(name, shape) for name, shape in about[key]}
    own = {k.split(":")[1] for k in wanted if k.startswith("override:")}
    for name in own:
        if name.startswith(f"{side}."):
            state[name[2:]] = wanted[f"override:{name}"]
    left = about["not_filled"]
    for name in list(state):
        prefix = name.removesuffix("_orig").removesuffix(".weight")
        if name.endswith(".weight_orig"):
            u, _, vh = np.linalg.svd(state[name].reshape(len(state[name]), -1))
            state |= {f"{prefix}.weight_u": u[:, 0], f"{prefix}.weight_v": vh[0]}
        elif f"{prefix}.u0" in left and name.endswith(".weight"):
            u, _, _ = np.linalg.svd(state[name].reshape(len(state[name]), -1))
            state[f"{prefix}.u0"] = u[:, 0][None]
    return state


def run(gan, wanted, i, d_steps, batch):
    """A step on the record's reals; its logs."""
    gan.rng = told = getattr(gan, "told_rng", None) or Told(wanted)
    object.__setattr__(gan, "told_rng", told)
    parts = []
    for j in range(d_steps):
        if f"x{i}" in wanted:
            rows = slice(j * batch, (j + 1) * batch)
            part = [wanted[f"x{i}"][rows], wanted[f"yreal{i}"][rows]]
        else:
            part = [wanted[f"x{i}_{j}"]]
            if f"yreal{i}_{j}" in wanted:
                part.append(wanted[f"yreal{i}_{j}"])
        parts.append(part)
    x = channels_last(np.concatenate([p[0] for p in parts]))
    gan.modality = Image(x.shape[1:], range=(-5, 5))  # the record's are normal
    y = None
    if len(parts[0]) > 1:
        y = np.concatenate([p[1] for p in parts]).astype("int32")
    options = {"batch_size": batch, "shuffle": False, "verbose": 0}
    logs = gan.fit(x, y, steps_per_epoch=1, **options).history
    return {name: values[0] for name, values in logs.items()}


@pytest.mark.daily(1)
@pytest.mark.parametrize("name", ["sngan", "sagan"])
def test_whole_steps_are_mimicry_s(name):
    about, wanted = golden(f"mimicry_{name}_step")
    classes = about["call"].get("num_classes")
    networks = [from_state(state_of(about, side, wanted)) for side in "GD"]
    cls = {"sngan": SNGAN, "sagan": SAGAN}[name]
    gan = cls(
        num_classes=classes,
        generator=networks[0],
        discriminator=networks[1],
        d_steps=about["n_dis"],
    )
    optimizers = SNGAN.default_optimizers(gan)
    gan.compile(*optimizers, run_eagerly=True)
    logs = run(gan, wanted, 0, about["n_dis"], about["batch"])
    step = about["steps"][0]
    d_loss = np.mean([d["errD"] for d in step["D"]])
    np.testing.assert_allclose(logs["d_loss"], d_loss, rtol=1e-5)
    np.testing.assert_allclose(logs["g_loss"], step["G"]["errG"], rtol=1e-5)
    norm = np.mean(
        [np.linalg.norm(wanted[f"D0_{j}_gradnorm"]) for j in range(about["n_dis"])]
    )
    np.testing.assert_allclose(logs["d_grad_norm"], norm, rtol=1e-5)
    norm = np.linalg.norm(wanted["G0_gradnorm"])
    np.testing.assert_allclose(logs["g_grad_norm"], norm, rtol=1e-5)
    norm = gan.generator.get_layer("norm")
    close(norm.moving_variance, wanted["G_b5.running_var"])
    # What is left of cancelling gradients, of biases before a norm, is rounding,
    # which Adam makes steps of 2e-4 of: images differ as if these were random. With
    # signs drawn 40 times, pairs differ by up to 4.4e-3 (SNGAN) and 6.2e-3 (SAGAN).
    given = [wanted["test_z"], *([np.array([0, 4], "int32")] if classes else [])]
    given = given if classes else given[0]
    images = channels_last(wanted["test_img"])
    close(gan.generator(given), images, {"sngan": 5e-3, "sagan": 7e-3}[name])
    seen = [images, given[1]] if classes else images
    close(gan.discriminator(seen), wanted["test_logits"])


@pytest.mark.full
def test_whole_steps_are_biggan_s():
    about, wanted = golden("biggan_step")
    networks = [from_state(state_of(about, side, wanted)) for side in "GD"]
    config = about["config"]
    gan = BigGAN(
        num_classes=10,
        generator=networks[0],
        discriminator=networks[1],
        d_steps=config["num_D_steps"],
        ema=EMA(config["ema_decay"], rampup=None, start=config["ema_start"] - 1),
    )
    gan.compile(run_eagerly=True)
    for i, step in enumerate(about["steps"]):
        logs = run(gan, wanted, i, config["num_D_steps"], config["batch_size"])
        # Rounding grows as in mimicry's steps, by an epsilon of 1e-6 less.
        np.testing.assert_allclose(logs["g_loss"], step["G_loss"], rtol=5e-5)
        norm = np.linalg.norm(wanted[f"G{i}_gradnorm"])
        # A unit of the third lies within rounding of 0: reals and latents that are
        # moved by a unit in the last place move this norm by 2.4e-3, or not at all.
        bound = 3e-4 if i < 2 else 3e-3
        np.testing.assert_allclose(logs["g_grad_norm"], norm, rtol=bound)
    _check_sigmas(gan.discriminator, about["sv0_after"])
    mean = gan.ema_generator.get_layer("block0_norm1").moving_mean
    close(mean, wanted["G_ema_blocks.0.0.bn1.stored_mean"])
    given = [wanted["test_z"], wanted["test_y"].astype("int32")]
    images = channels_last(wanted["test_img_ema"])
    close(gan.ema_generator(given), images, 3e-4)
    close(gan.discriminator([images, given[1]]), wanted["test_logits"], 3e-4)
    inputs = [[wanted[f"standing_z{i}"], np.arange(4)] for i in range(3)]
    standing_statistics(gan.ema_generator, inputs, momentum=0.9)
    images = channels_last(wanted["test_img_standing"])
    close(gan.ema_generator(given), images, 3e-4)


def _check_sigmas(discriminator, recorded):
    """As the last iteration left them: D has not learned since."""
    ours = {"linear": "score", "embed": "class_embedding"}
    checked = 0
    for name, want in recorded.items():
        side, _, path = name.removesuffix(".sv0").partition(".")
        place = re.fullmatch(r"blocks\.(\d)\.0\.(conv1|conv2|conv_sc)", path)
        if place:
            ours[path] = f"block{place[1]}_{place[2].replace('conv_sc', 'shortcut')}"
        if side == "D" and path in ours:
            layer = discriminator.get_layer(ours[path])
            kernel = np.array(layer.layer.weights[0])
            # Of an embedding, classes are the rows.
            matrix = kernel.T if path == "embed" else kernel
            matrix = matrix.reshape(-1, matrix.shape[-1])
            sigma = np.array(layer.v) @ matrix @ np.array(layer.u)
            assert sigma == pytest.approx(want, rel=1e-4), name
            checked += 1
    assert checked == 12


def small_biggan(**kwargs):
    return BigGAN((8, 8, 1), 3, 8, width=2, shared_dim=4, attention=(8,), **kwargs)


@pytest.mark.full
def test_gradients_accumulate_as_the_reference_s(images):
    """The mean over parts of a batch, each normalized by itself; D, then G."""
    rng = np.random.default_rng(0)
    told = {}
    for i in range(4):
        told[f"z{i}"] = rng.normal(size=(2, 8)).astype("float32")
        told[f"y{i}"] = rng.integers(0, 3, 2)
    gan = small_biggan(d_steps=1, ema=None)
    rates = [keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1)]
    gan.compile(*rates, accumulate=2, run_eagerly=True)
    again = rewinding(gan)
    x, y = images(4, 8, 8), np.array([0, 1, 2, 0], "int32")
    gan.rng = Told(told)
    gan.fit(x, y, batch_size=4, shuffle=False, verbose=0)
    got = [np.array(v) for network in gan.networks.values() for v in network.variables]
    again()
    gan.rng = Told(told)
    for name, loss_of in (("d", gan.discriminator_loss), ("g", gan.generator_loss)):
        variables = [v.value for v in gan.variables_of(name)]
        parts = []
        for i in range(2):
            batch = {"real": x[i::2], "label": y[i::2]}
            with tf.GradientTape() as tape:
                loss, _ = loss_of(gan.generate(batch, True), batch, True)
            found = tape.gradient(loss, variables)
            parts.append([np.array(tf.convert_to_tensor(g)) for g in found])
        for v, one, two in zip(variables, *parts, strict=True):
            v.assign_sub(0.05 * (one + two))
    want = [np.array(v) for network in gan.networks.values() for v in network.variables]
    for a, b in zip(got, want, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-6)


@pytest.mark.full
@pytest.mark.backends
@pytest.mark.parametrize("name", ["biggan", "sngan", "sagan"])
def test_check_gan(name, images):
    n = 16
    side = 8 if name == "biggan" else 16
    sizes, own = ((16, 16, 1), 3, 8, 8, 8), {"d_steps": 1, "ema": 0.9}
    makers = {
        "sngan": lambda: SNGAN(*sizes, **own),
        "sagan": lambda: SAGAN(*sizes, **own),
        "biggan": lambda: BigGAN(
            (8, 8, 1), 3, 8, 2, shared_dim=4, attention=(8,), d_steps=1, orthogonal=1e-4
        ),
    }
    check_gan(
        makers[name],
        images(n, side, side),
        np.arange(n) % 3,
        batch_size=2,
        # While no logit is beyond its margin, the hinge loss moves none of them.
        still="score/bias",
        executions=False,
    )


@pytest.mark.full
def test_samples_are_truncated_and_exported(images):
    gan = small_biggan(consistency=(1.0, 1.0), lecam=0.1, top_k=(0.5, 2))
    gan.compile(run_eagerly=True)
    x, y = images(8, 8, 8), np.arange(8) % 3
    logs = gan.fit(x, y, batch_size=2, verbose=0).history
    assert logs["consistency"][0] > 0 and logs["lecam"][0] > 0
    z = np.random.default_rng(0).normal(size=(1000, 8)).astype("float32")
    layer = gan.sampling_network().get_layer("truncated")
    cut = np.asarray(layer([z, np.full(1000, 0.5, "float32")]))
    assert np.abs(cut).max() <= 0.5
    # Of N(0, 1) within [-t, t]: 1 - 2 t phi(t) / (2 Phi(t) - 1).
    assert abs(cut.var() - 0.0805) < 0.003
    np.testing.assert_array_equal(np.argsort(cut[:, 0]), np.argsort(z[:, 0]))
    np.testing.assert_array_equal(layer([z, np.full(1000, 10.0, "float32")]), z)
    gan.export("served")
    loaded = tf.saved_model.load("served")
    label, t = np.array([1, 2, 0], "int32"), np.full(3, 0.5, "float32")
    got = loaded.serving_default(5 * 2**32 + np.arange(3), label, t)["images"]
    want = gan.sample(3, seed=5, labels=label, truncation=0.5)
    np.testing.assert_allclose(got, want, atol=1e-6)
    assert np.abs(want - gan.sample(3, seed=5, labels=label)).max() > 1e-3
    with pytest.raises(ValueError, match="truncation"):
        gan.sample(1, truncation=0)
    before = [np.asarray(v) for v in gan.ema_generator.trainable_weights]
    gan.standing_statistics(batches=2, batch_size=4)
    for a, b in zip(before, gan.ema_generator.trainable_weights, strict=True):
        np.testing.assert_array_equal(a, b)
    x = gan.ema_generator.get_layer("reshape")
    part = keras.Model(gan.ema_generator.inputs, x.output)
    rows = np.arange(8)
    given = [i.default_rows(0, rows) for i in gan.inputs_of_generator]
    first = gan.ema_generator.get_layer("block0_norm1")
    mean = np.asarray(part([np.asarray(v) for v in given])).mean((0, 1, 2))
    close(first.moving_mean, mean, 1e-5)


def test_plain_networks_of_sngan():
    """DCGAN's, with every layer of the discriminator normalized, of any size."""
    for classes in (None, 3):
        gan = SNGAN((20, 28, 3), classes, g_width=4, d_width=4, configuration="dcgan")
        assert gan.sample(2).shape == (2, 20, 28, 3)
        names = {layer.name for layer in gan.discriminator.layers}
        kinds = [
            isinstance(gan.discriminator.get_layer(name), SpectralNormalization)
            for name in ({"down_0", "down_1", "score", "embed"} & names)
        ]
        assert all(kinds) and len(kinds) == (3 if classes is None else 4)
    with pytest.raises(ValueError, match="residual networks"):
        SAGAN((20, 28, 3), configuration="dcgan")
    with pytest.raises(ValueError, match="'resnet', 'dcgan'"):
        SNGAN((20, 28, 3), configuration="plain")


@pytest.mark.daily(3)
@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"r2": 1.0}, "classes of their own"),
        ({"packing": 2}, "with its label"),
        ({"consistency": -1}, "consistency"),
        ({"top_k": 0.5}, "share in"),
        ({"top_k": (0.5, 10), "objective": "least_squares"}, "mean logit"),
        ({"orthogonal": -1.0}, "orthogonal"),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        small_biggan(**kwargs)


@pytest.mark.full
def test_consistency_is_between_images_augmented_alike(images, monkeypatch):
    """Where T moves nothing, D sees the same images twice."""
    augment = {"diff_augment": "color,translation,cutout", "instance_noise": 0.1}
    gan = small_biggan(consistency=(1.0, 1.0), d_steps=1, **augment)
    monkeypatch.setattr(gan, "_moved", lambda x, role: x)
    gan.compile(run_eagerly=True)
    x, y = images(4, 8, 8), np.arange(4) % 3
    logs = gan.fit(x, y, batch_size=4, verbose=0).history
    assert abs(logs["consistency"][0]) < 1e-9


def test_top_k_and_consistency_are_their_equations():
    logits = ops.convert_to_tensor([[1.0], [4.0], [2.0], [3.0]])
    assert float(losses.top_k_g(logits, 0.5)) == -3.5
    assert float(losses.top_k_g(logits, 1.0)) == -2.5
    assert float(losses.consistency(logits, logits - 2.0)) == 4.0
    assert float(losses.lecam(logits, -logits, 2.0, -2.0)) == pytest.approx(
        2 * np.mean([9, 36, 16, 25])
    )
    kernel = np.array([[1.0, 1.0], [0.0, 2.0]], "float32")
    assert float(losses.off_diagonal_products(kernel)) == 2.0
    wide = np.random.default_rng(0).normal(size=(3, 2, 11)).astype("float32")
    products = wide.reshape(6, 11).T @ wide.reshape(6, 11)
    want = np.square(products - np.diag(np.diag(products))).sum()
    assert float(losses.off_diagonal_products(wide)) == pytest.approx(want, rel=1e-5)


@pytest.mark.full
@pytest.mark.backends
def test_orthogonal_regularization_is_the_reference_s():
    """Of all kernels but the shared embedding; a table's rows are classes."""
    for shared_dim in (4, 0):
        gan = BigGAN((8, 8, 1), 3, 8, 1, shared_dim=shared_dim, orthogonal=0.01)
        z, label = np.ones((2, 8), "float32"), np.array([0, 2])
        batch = {"real": np.zeros((2, 8, 8, 1), "float32"), "label": label}
        fake = {"images": gan.generator([z, label]), "label": label}
        loss, _ = gan.generator_loss(fake, batch, False)
        gan.orthogonal = 0.0
        plain, _ = gan.generator_loss(fake, batch, False)
        total = 0.0
        for v in gan.generator.trainable_variables:
            if len(v.shape) < 2 or "shared" in v.path:
                continue
            w = ops.convert_to_numpy(v)
            rows = w if v.name == "embeddings" else w.reshape(-1, w.shape[-1]).T
            products = rows @ rows.T
            total += np.square(products - np.diag(np.diag(products))).sum()
        # Of kernels that start orthogonal there is little to sum.
        assert float(loss) - float(plain) == pytest.approx(0.005 * total, abs=2e-6)
        assert 0.005 * total > 1e-4
