"""StyleGAN2: networks and whole steps as the reference's."""

import contextlib
import dataclasses
import json

from checks import check_gan, rewinding
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
from percentiles import Augmented
import pytest
import tensorflow as tf

from keras_gans.augment import ADA
from keras_gans.convert import from_state, read
from keras_gans.layers import NoiseMap
from keras_gans.models.stylegan2 import CONFIGURATIONS, StyleGAN2
from keras_gans.networks.stylegan2 import stylegan2_discriminator, stylegan2_generator


def golden(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    return about, np.load(GOLDEN / f"{name}.npz")


def filled(weights):
    return {name: fill(name, shape, "unit") for name, shape in weights}


def channels_last(x):
    return np.ascontiguousarray(np.moveaxis(x, 1, -1))


def close(got, want, bound):
    """Within a share of the largest value wanted."""
    got = np.asarray(ops.convert_to_numpy(got), "float64")
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


def ones(n, value=1.0):
    return np.full(n, value, "float32")


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_the_generator_is_the_reference_s():
    about, wanted = golden("stylegan2_32_cond_G")
    generator = from_state(filled(about["weights"]))
    z, label = wanted["z"], wanted["c"].argmax(axis=1).astype("int32")
    close(generator([z, label, ones(4)]), channels_last(wanted["img"]), 1e-5)
    half = generator([z, label, ones(4, 0.5)])
    close(half, channels_last(wanted["img_psi05"]), 1e-5)
    w = generator.get_layer("mapping")([z, label])
    close(w, wanted["w"], 1e-5)
    synthesis = generator.get_layer("synthesis")
    count = synthesis.input.shape[1]
    mean = ops.convert_to_numpy(generator.get_layer("truncation_of_w").mean)
    ws = np.tile(np.asarray(ops.convert_to_numpy(w))[:, None], (1, count, 1))
    cut = ws.copy()
    cut[:, :4] = mean + 0.5 * (cut[:, :4] - mean)
    close(synthesis(cut), channels_last(wanted["img_psi05_cut4"]), 1e-5)
    mixed = ws.copy()
    mixed[:, 4:] = ws[::-1, 4:]
    close(synthesis(mixed), channels_last(wanted["img_mixed"]), 1e-5)
    for layer in synthesis.layers:
        if isinstance(layer, NoiseMap):
            layer.strength.assign(0.0)
    close(synthesis(ws), channels_last(wanted["img_nonoise"]), 1e-5)


def test_the_discriminator_is_the_reference_s():
    about, wanted = golden("stylegan2_32_cond_D")
    discriminator = from_state(filled(about["weights"]))
    label = wanted["c"].argmax(axis=1).astype("int32")
    close(discriminator([channels_last(wanted["x"]), label]), wanted["logits"], 1e-5)


@pytest.mark.parametrize("side", ["G", "D"])
def test_files_of_the_reference_are_read(side):
    name = f"stylegan2_32_cond_{side}"
    state = filled(golden(name)[0]["weights"])
    for one, other in zip(
        from_state(read(GOLDEN / f"{name}.pth")).weights,
        from_state(state).weights,
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)


class Told:
    """Gives the numbers of a record in the order that a step draws them in."""

    def __init__(self, wanted, about):
        self.wanted, self.about = wanted, about
        q = about["augment"] and about["augment"]["debug_percentile"]
        self.augment = Augmented(self, q)

    def start(self, i):
        phases = self.about["steps"][i]["phases"]
        of_g = [p for p in phases if p["phase"] != "Dreg"]
        self.normals, self.uniforms = [], []
        for phase in of_g:
            prefix = f"s{i}_{phase['phase']}"
            self.normals += [
                self.wanted[f"{prefix}_{key}"]
                for key in ("z", "draw2", "draw3")
                if f"{prefix}_{key}" in self.wanted
            ]
            draws = dict(phase["draws"])
            # Of all layers but the first, as `below` takes it apart.
            place = (draws["cutoff"] - 0.5) / (self.about["layers"] - 1)
            self.uniforms.append([draws["mix_u"], place])

    def at(self, *place, part=None):
        return contextlib.nullcontext()

    def normal(self, n, columns, purpose):
        x = self.normals.pop(0)
        if x.ndim == 4:
            x = channels_last(x)
        x = x[: int(n)].reshape(int(n), -1)
        assert x.shape[1] == columns
        return ops.convert_to_tensor(x)

    def uniform(self, n, columns, purpose):
        if purpose.startswith("augment/"):
            return self.augment.uniform(n, columns, purpose)
        x = np.tile(self.uniforms.pop(0), (int(n), 1))
        return ops.convert_to_tensor(x.astype("float32"))


@pytest.mark.full
@pytest.mark.parametrize("name", ["stylegan2_step", "stylegan2_step_aug"])
def test_whole_steps_are_the_reference_s(name):
    """With ADA at a fixed percentile, or its p that adapts while u is 1."""
    about, wanted = golden(name)
    classes = about["G_call"]["c_dim"] or None
    generator = from_state(filled(about["G_weights"]))
    for layer in generator.get_layer("synthesis").layers:
        if isinstance(layer, NoiseMap):
            layer.random = False  # as in the record
    gan = StyleGAN2(
        num_classes=classes,
        diff_augment=ADA(p=1.0) if about["augment"] else "ada",
        generator=generator,
        discriminator=from_state(filled(about["D_weights"])),
        gamma=about["r1_gamma"],
        ema_kimg=about["ema_kimg"],
    )
    layers = generator.get_layer("synthesis").input.shape[1]
    gan.rng = Told(wanted, {**about, "layers": layers})
    # Its reals are normal numbers.
    gan.modality = dataclasses.replace(gan.modality, range=(-9.0, 9.0))
    gan.compile(run_eagerly=True)
    gan.controllers["images"].value.assign(about["steps"][0]["cur_nimg"])
    adaptive = gan.controllers.get("ada")
    if adaptive is not None:
        adaptive.value.assign(about["ada"]["p0"])
    label = []
    if classes:
        label = [wanted["c"].argmax(axis=1).astype("int32")]
    for i, step in enumerate(about["steps"]):
        gan.rng.start(i)
        data = tf.data.Dataset.from_tensors(
            (channels_last(wanted[f"s{i}_real"]), *label)
        )
        logs = gan.fit(data, steps_per_epoch=1, verbose=0).history
        assert not gan.rng.normals and not gan.rng.uniforms
        record = {
            "g_loss": wanted[f"s{i}_Gmain_G_loss"].mean(),
            "d_loss": wanted[f"s{i}_Dmain_D_loss"].mean(),
        }
        for phase in step["phases"]:
            theirs = phase["phase"]
            ours = {"Gmain": "g", "Greg": "g_reg", "Dmain": "d", "Dreg": "d_reg"}
            norm = np.linalg.norm(wanted[f"s{i}_{theirs}_gradnorm"])
            record[f"{ours[theirs]}_grad_norm"] = norm
            if theirs == "Greg":
                record["g_reg_loss"] = 4 * wanted[f"s{i}_Greg_G_reg"].mean()
                mean = gan.controllers["path_length"].value
                np.testing.assert_allclose(mean, wanted[f"s{i}_pl_mean"], rtol=1e-5)
            if theirs == "Dreg":
                record["d_reg_loss"] = 16 * wanted[f"s{i}_Dreg_D_reg"].mean()
        for name, value in record.items():
            np.testing.assert_allclose(
                logs[name][0], value, rtol=1e-5, err_msg=f"{name}, step {i}"
            )
        mean = np.linalg.norm(generator.get_layer("truncation_of_w").mean)
        np.testing.assert_allclose(mean, step["w_avg_norm"], rtol=1e-5)
        if adaptive is not None:
            signs = wanted[f"s{i}_Dmain_signs_real"]
            np.testing.assert_allclose(logs["d_sign"][0], signs.mean())
            if "ada_p" in step:
                np.testing.assert_allclose(adaptive.value, step["ada_p"], rtol=1e-6)
    z = wanted["test_z"]
    label = [x[: len(z)] for x in label]
    psi = ones(len(z))
    close(generator([z, *label, psi]), channels_last(wanted["test_img"]), 1e-5)
    average = gan.ema_generator
    close(average([z, *label, psi]), channels_last(wanted["test_img_ema"]), 1e-5)
    images = channels_last(wanted["test_img_ema_psi07"])
    close(average([z, *label, 0.7 * psi]), images, 1e-5)
    images = channels_last(wanted["test_img_ema"])
    logits = gan.discriminator([images, *label] if label else images)
    close(logits, wanted["test_logits"], 1e-5)


def test_a_step_with_frozen_layers_is_the_reference_s():
    about, wanted = golden("stylegan2_step_freezed")
    generator = from_state(filled(about["G_weights"]))
    for layer in generator.get_layer("synthesis").layers:
        if isinstance(layer, NoiseMap):
            layer.random = False  # as in the record
    gan = StyleGAN2(
        generator=generator,
        discriminator=from_state(filled(about["D_weights"])),
        gamma=about["r1_gamma"],
        ema_kimg=about["ema_kimg"],
        ema_rampup=0.0,
        freeze_d=3,
    )
    before = [np.array(ops.convert_to_numpy(v)) for v in gan.discriminator.weights]
    layers = generator.get_layer("synthesis").input.shape[1]
    gan.rng = Told(wanted, {**about, "layers": layers})
    gan.modality = dataclasses.replace(gan.modality, range=(-9.0, 9.0))
    gan.compile(run_eagerly=True)
    gan.step.assign(1)  # of neither penalty
    gan.rng.start(0)
    real = channels_last(wanted["s0_real"])
    logs = gan.fit(real, batch_size=4, verbose=0).history
    record = {
        "g_loss": wanted["s0_Gmain_G_loss"].mean(),
        "d_loss": wanted["s0_Dmain_D_loss"].mean(),
        "g_grad_norm": np.linalg.norm(wanted["s0_Gmain_gradnorm"]),
        "d_grad_norm": np.linalg.norm(wanted["s0_Dmain_gradnorm"]),
    }
    for name, value in record.items():
        np.testing.assert_allclose(logs[name][0], value, rtol=1e-4, err_msg=name)
    assert len(gan.variables_of("d")) == len(about["D_params"])
    moved = [
        float(np.abs(ops.convert_to_numpy(v) - old).max())
        for v, old in zip(gan.discriminator.weights, before, strict=True)
    ]
    frozen = ("from_images", "map2_conv", "map2_down")
    for v, distance in zip(gan.discriminator.weights, moved, strict=True):
        assert (distance == 0) == v.path.split("/")[-2].endswith(frozen), v.path
    mean = generator.get_layer("truncation_of_w").mean
    close(mean, wanted["w_avg"], 1e-4)
    z, psi = wanted["test_z"], ones(len(wanted["test_z"]))
    close(generator([z, psi]), channels_last(wanted["test_img"]), 1e-4)
    average = gan.ema_generator
    close(average([z, psi]), channels_last(wanted["test_img_ema"]), 1e-4)
    images = channels_last(wanted["test_img_ema_psi07"])
    close(average([z, 0.7 * psi]), images, 1e-4)
    images = channels_last(wanted["test_img_ema"])
    close(gan.discriminator(images), wanted["test_logits"], 1e-4)


SMALL = {
    "latent_dim": 4,
    "w_dim": 4,
    "channel_base": 32,
    "channel_max": 4,
    "mapping_layers": 1,
}


def check(images, shape, **kwargs):
    check_gan(
        lambda: StyleGAN2(shape, **{**SMALL, **kwargs}, ema_kimg=0.01),
        images(16, *shape[:2], channels=shape[2]),
        np.arange(16) % 3 if kwargs.get("num_classes") else None,
        # beta_1 of 0 makes steps of a learning rate of the least gradients.
        atol=1e-5,
    )


@pytest.mark.full
@pytest.mark.backends
def test_a_resumed_stylegan2_ends_with_the_same_weights(images):
    x = images(8, 8, 8)
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    ends = []
    gan = StyleGAN2((8, 8, 1), **SMALL, path_length=0.0, diff_augment=None)
    gan.compile()
    again = rewinding(gan)
    for epochs in ((1, 2), (2,)):
        again()
        for i, epoch in enumerate(epochs):
            gan.fit(x, epochs=epoch, initial_epoch=i, **options)
        ends.append([np.array(ops.convert_to_numpy(v)) for v in gan.weights])
    for one, two in zip(*ends, strict=True):
        np.testing.assert_allclose(one, two, rtol=0, atol=1e-5)


def test_a_saved_stylegan2_keeps_its_state():
    """All that training goes on from, beside weights: nothing starts over."""

    def state_of(gan):
        ada = gan.controllers["ada"]
        return {
            "p": ada.value,
            "signs since": ada.total,
            "steps since": ada.steps,
            "mean path length": gan.controllers["path_length"].value,
            "images of the ramp": gan.controllers["images"].value,
            "mean of w": gan.generator.get_layer("truncation_of_w").mean,
            "average of it": gan.ema_generator.get_layer("truncation_of_w").mean,
        }

    gan = StyleGAN2((8, 8, 1), **SMALL)
    gan.compile()
    for i, v in enumerate(state_of(gan).values(), start=3):
        v.assign(ops.cast(ops.full(v.shape, i), v.dtype))
    gan.save("gan.keras")
    loaded = state_of(keras.models.load_model("gan.keras"))
    for i, (name, v) in enumerate(loaded.items(), start=3):
        assert (ops.convert_to_numpy(v) == i).all(), name


@pytest.mark.full
@pytest.mark.backends
@pytest.mark.parametrize("classes", [None, 3])
def test_all_of_stylegan2(images, classes):
    check(images, (16, 24, 3), num_classes=classes)


@pytest.mark.full
def test_stylegan2_without_path_lengths(images):
    check(images, (8, 8, 1), path_length=0.0)


@pytest.mark.full
def test_samples_and_truncation(images):
    gan = StyleGAN2((8, 12, 4), 3, **SMALL, path_length=0.0, diff_augment=None)
    gan.compile(run_eagerly=True)  # one step, no longer than its graph takes
    labels = np.array([0, 1, 2, 0])
    gan.fit(images(4, 8, 12, channels=4), labels, batch_size=4, verbose=0)
    mean = ops.convert_to_numpy(gan.generator.get_layer("truncation_of_w").mean)
    assert np.abs(mean).max() > 0
    with_all = gan.sample(4, seed=1, labels=labels)
    np.testing.assert_array_equal(
        gan.sample(4, seed=1, labels=labels, truncation=1.0), with_all
    )
    # The mean of w makes one picture of all.
    one = gan.sample(4, seed=1, labels=labels, truncation=0.0)
    np.testing.assert_allclose(one, one[:1].repeat(4, axis=0), atol=1e-5)
    with pytest.raises(ValueError, match=r"truncation.*\[-2"):
        gan.sample(4, labels=labels, truncation=3.0)


def test_noise_is_of_each_row_and_call():
    layer = NoiseMap()
    x = np.zeros((2, 4, 4, 3), "float32")
    layer.build(x.shape)
    layer.strength.assign(1.0)
    one, two = (np.asarray(layer(x, training=True)) for _ in range(2))
    assert np.abs(one[0] - one[1]).max() > 0.1 and np.abs(one - two).max() > 0.1
    np.testing.assert_array_equal(one[..., 0], one[..., 2])
    still = np.asarray(layer(x))
    np.testing.assert_array_equal(still[0], still[1])


def copy_by_name(source, target):
    """Casts between layers change the order of a graph's weights."""
    held = {tuple(v.path.split("/")[-2:]): v for v in source.weights}
    for v in target.weights:
        v.assign(held.pop(tuple(v.path.split("/")[-2:])))
    assert not held


@pytest.mark.full
def test_the_largest_maps_in_half_precision():
    options = {"num_classes": 3, "channel_base": 64, "channel_max": 8}
    full = stylegan2_generator((16, 16, 1), 8, 8, **options)
    half = stylegan2_generator((16, 16, 1), 8, 8, **options, half_blocks=2)
    copy_by_name(full, half)
    assert {v.dtype for v in half.weights} == {"float32"}
    kinds = {x.name: x.compute_dtype for x in half.get_layer("synthesis").layers}
    assert kinds["map0_conv"] == kinds["map2_conv_style"] == "float32"
    assert kinds["map1_up"] == kinds["map2_images"] == "bfloat16"
    z, label = np.random.default_rng(0).normal(size=(4, 8)), np.arange(4) % 3
    inputs = [z.astype("float32"), label.astype("int32"), ones(4)]
    exact, images = (np.asarray(g(inputs), "float64") for g in (full, half))
    error = np.abs(images - exact).max() / np.abs(exact).max()
    assert 1e-4 < error < 0.05  # of 8 bits, through two maps
    judge = stylegan2_discriminator((16, 16, 1), **options)
    half = stylegan2_discriminator((16, 16, 1), **options, half_blocks=2)
    copy_by_name(judge, half)
    kinds = {x.name: x.compute_dtype for x in half.layers}
    assert kinds["from_images"] == kinds["map1_skip"] == "bfloat16"
    assert kinds["map0_conv"] == kinds["stddev"] == kinds["fc0"] == "float32"
    seen = [exact.astype("float32"), inputs[1]]
    exact, logits = (np.asarray(d(seen), "float64") for d in (judge, half))
    assert logits.dtype == "float64" and np.abs(logits - exact).max() < 0.05


def test_float16_is_cut_and_normalized():
    options = {"channel_base": 32, "half_blocks": 2, "half_dtype": "float16"}
    generator = stylegan2_generator((8, 8, 1), 4, 4, **options)
    synthesis = generator.get_layer("synthesis")
    for name in ("map0_conv", "map1_up", "map1_conv"):
        # Sums above 65504, which float16 does not have; demodulation undoes them.
        kernel = synthesis.get_layer(name).kernel
        kernel.assign(kernel * 1e3)
        bias = synthesis.get_layer(f"{name}_bias").bias
        bias.assign(np.full(bias.shape, 500.0))
    w = np.random.default_rng(0).normal(size=(2, 4, 4)).astype("float32")
    inner = keras.Model(synthesis.input, synthesis.get_layer("map1_images").input[0])
    x = np.asarray(inner(w), "float32")
    assert np.isfinite(np.asarray(synthesis(w))).all()
    assert x.max() == 256.0
    judge = stylegan2_discriminator((8, 8, 1), **options)
    logits = judge(np.full((4, 8, 8, 1), 6e4, "float32"))
    assert np.isfinite(np.asarray(logits)).all()


@pytest.mark.full
def test_a_step_in_half_precision(images):
    gan = StyleGAN2((8, 8, 1), **SMALL, half_blocks=1)
    gan.compile(run_eagerly=True)
    logs = gan.fit(images(4, 8, 8), batch_size=4, verbose=0).history
    assert all(np.isfinite(x).all() for x in logs.values())
    assert gan.generator.get_layer("synthesis").get_layer(
        "map1_conv"
    ).compute_dtype == ("bfloat16")


@pytest.mark.daily(1)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_configurations_are_built(name):
    gan = StyleGAN2(
        (16, 16, 3), latent_dim=4, w_dim=4, channel_max=4, configuration=name
    )
    assert gan.regularization.adaptive  # as published, in all of them
    phases = [phase.name for phase in gan.phases()]
    assert ("g_reg" in phases) == (name != "cifar")
    assert ("map1_skip" in {x.name for x in gan.discriminator.layers}) == (
        name != "cifar"
    )


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"image_shape": (30, 30, 3)}, "a height of 28 or 32"),
        ({"channel_base": 8}, "Take 64 or more"),
        ({"configuration": "style"}, "stylegan2"),
        ({"gamma": -1.0}, "gamma"),
        ({"style_mixing": 2.0}, "style_mixing"),
        ({"ema": 0.99}, "ema_kimg"),
        ({"num_classes": 1}, "2 classes"),
        ({"half_blocks": 9}, "half_blocks"),
        ({"half_dtype": "float8"}, "bfloat16"),
        ({"num_classes": 3, "packing": 2}, "with its label"),
        ({"image_shape": (8, 8)}, "`image_shape` is"),
        ({"w_dim": 0}, "`w_dim` must lie"),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        StyleGAN2(**{"latent_dim": 4, "w_dim": 4, "channel_max": 4, **kwargs})


@pytest.mark.full
def test_defaults_follow_the_size_that_a_generator_makes():
    large = stylegan2_generator((1024, 1024, 1), 4, 4, channel_base=1024, channel_max=1)
    gan = StyleGAN2(generator=large, channel_max=1)
    assert gan.learning_rate == 0.002


def test_other_generators_are_refused():
    z = keras.Input((4,))
    other = keras.Model(z, keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(z)))
    with pytest.raises(ValueError, match="stylegan2_generator"):
        StyleGAN2(generator=other)
    labelled = stylegan2_generator((8, 8, 1), 4, 4, num_classes=3, channel_base=32)
    with pytest.raises(ValueError, match="num_classes"):
        StyleGAN2(generator=labelled)


def test_networks_load_where_they_were_saved(tmp_path):
    for network in (
        stylegan2_generator((8, 12, 1), 4, 4, num_classes=3, channel_base=32),
        stylegan2_discriminator((8, 12, 1), channel_base=32, residual=False),
    ):
        path = tmp_path / "network.keras"
        network.save(path)
        again = keras.models.load_model(path)
        for one, other in zip(network.weights, again.weights, strict=True):
            np.testing.assert_array_equal(one, other)
