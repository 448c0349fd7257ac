"""R3GAN: networks, resampling and whole steps as the reference's."""

import dataclasses
import json

from checks import check_gan
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
from percentiles import Augmented
import pytest
import tensorflow as tf

from keras_gans.convert import from_state, read
from keras_gans.core.inputs import Label, Text
from keras_gans.models.r3gan import R3GAN, default_gamma
from keras_gans.networks.r3gan import r3gan_discriminator, r3gan_generator
from keras_gans.networks.resampling import downsampled, upsampled


def golden(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    return about, np.load(GOLDEN / f"{name}.npz")


def filled(weights):
    return {name: fill(name, shape) for name, shape in weights}


def channels_last(x):
    return np.moveaxis(x, 1, -1)


def close(got, want, bound):
    """Within a share of the largest value wanted."""
    got = np.asarray(ops.convert_to_numpy(got), "float64")
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


def test_resampling_is_the_reference_s():
    _, wanted = golden("r3gan_resample")
    x = channels_last(wanted["x"])
    close(upsampled(x), channels_last(wanted["up"]), 1e-6)
    close(downsampled(x), channels_last(wanted["down"]), 1e-6)


@pytest.mark.full_on_jax
@pytest.mark.parametrize(
    "source", [pytest.param("names", marks=pytest.mark.backends), "file"]
)
def test_conditional_networks_are_the_reference_s(source):
    for side in "GD":
        name = f"r3gan_32_cond_{side}"
        about, wanted = golden(name)
        state = filled(about["weights"])
        if source == "file":
            state = read(GOLDEN / f"{name}.pth")
        model = from_state(state)
        assert model.count_params() == about["params"]
        label = wanted["c"].argmax(axis=1).astype("int32")
        if side == "G":
            close(model([wanted["z"], label]), channels_last(wanted["img"]), 1e-5)
        else:
            x = channels_last(wanted["x"])
            close(model([x, label])[:, 0], wanted["logits"], 1e-5)


def test_unconditional_networks_are_the_reference_s():
    for side in "GD":
        about, wanted = golden(f"r3gan_64_{side}")
        model = from_state(filled(about["weights"]))
        if side == "G":
            close(model(wanted["z"]), channels_last(wanted["img"]), 1e-5)
        else:
            close(model(channels_last(wanted["x"]))[:, 0], wanted["logits"], 1e-5)


# brownvc/R3GAN, counted from its presets.
@pytest.mark.parametrize(
    ("configuration", "num_classes", "counts"),
    [
        ("cifar10", 10, (20_781_952, 21_280_512)),
        ("ffhq64", None, (22_429_824, 22_381_440)),
    ],
)
@pytest.mark.full
def test_published_networks_have_the_published_sizes(
    configuration, num_classes, counts
):
    gan = R3GAN(num_classes=num_classes, configuration=configuration)
    networks = (gan.generator, gan.discriminator)
    assert tuple(n.count_params() for n in networks) == counts


class Told(R3GAN):
    """Reads latent codes from the data, as a record of the reference has them."""

    def read_codes(self, size, num_classes):
        label = (Label(num_classes),) if num_classes else ()
        self.inputs_of_generator = (Text(size), *label)
        # Its reals are normal numbers.
        self.modality = dataclasses.replace(self.modality, range=(-9.0, 9.0))


@pytest.mark.full_on_jax
@pytest.mark.parametrize(
    "name",
    [
        pytest.param("r3gan_step", marks=pytest.mark.backends),
        pytest.param("r3gan_step_aug", marks=pytest.mark.full),
    ],
)
def test_whole_steps_are_the_reference_s(name):
    """As they are, and with ADA at a fixed percentile."""
    about, wanted = golden(name)
    told = about["schedules"]
    classes = about["c_dim"] or None
    gan = Told(
        num_classes=classes,
        diff_augment="ada" if about["augment"] else None,
        generator=from_state(filled(about["G_weights"])),
        discriminator=from_state(filled(about["D_weights"])),
        gamma=(told["gamma"]["base_value"], told["gamma"]["final_value"]),
        ema_kimg=told["ema"]["final_value"] / 1000,
        decay_kimg=told["gamma"]["total_nimg"] / 1000,
    )
    size = wanted["s0_D_z"].shape[1]
    gan.read_codes(size, classes)
    gan.controllers["images"].value.assign(about["steps"][0]["nimg"])
    if about["augment"]:
        p = gan.controllers["ada"]
        p.value.assign(about["steps"][0]["nimg"])
        gan.rng = Augmented(gan.rng, about["augment"]["debug_percentile"])
    # The graph of so many transforms takes longer than its steps do.
    gan.compile(run_eagerly=bool(about["augment"]))
    label = []
    if classes:
        label = [wanted["c"].argmax(axis=1).astype("int32")]
    for i, step in enumerate(about["steps"]):
        parts = [
            (
                channels_last(wanted[f"s{i}_{side}_real"]),
                wanted[f"s{i}_{side}_z"],
                *label,
            )
            for side in "DG"
        ]
        if about["augment"]:
            np.testing.assert_allclose(p.p, step["aug"], rtol=1e-6)
        rates = [float(o.learning_rate) for o in gan.optimizers.values()]
        np.testing.assert_allclose(rates, step["lr"], rtol=1e-6)
        dataset = tf.data.Dataset.from_tensor_slices(
            tuple(np.concatenate(part) for part in zip(*parts, strict=True))
        ).batch(about["batch"], drop_remainder=True)
        logs = gan.fit(dataset, steps_per_epoch=1, verbose=0).history
        logs = {name: values[0] for name, values in logs.items()}
        record = {
            "d_loss": wanted[f"s{i}_D_adv"].mean(),
            "g_loss": wanted[f"s{i}_G_adv"].mean(),
            "d_grad_norm": np.linalg.norm(wanted[f"s{i}_D_gradnorm"]),
            "g_grad_norm": np.linalg.norm(wanted[f"s{i}_G_gradnorm"]),
            **{
                f"r{j}": 0.5 * step["gamma"] * wanted[f"s{i}_D_r{j}"].mean()
                for j in (1, 2)
            },
        }
        for name, value in record.items():
            # The record, of float32, is within 7e-7 of float64's.
            np.testing.assert_allclose(logs[name], value, rtol=1e-5, err_msg=name)
    z = wanted["test_z"]
    label = [x[: len(z)] for x in label]
    given = [z, *label] if label else z
    # Four updates of Adam, that divide by small numbers: 4e-6 of float64's.
    images = gan.generator(given)
    close(images, channels_last(wanted["test_img"]), 3e-5)
    images = gan.ema_generator(given)
    close(images, channels_last(wanted["test_img_ema"]), 3e-5)
    images = np.ascontiguousarray(channels_last(wanted["test_img_ema"]))
    logits = gan.discriminator([images, *label] if label else images)
    close(logits[:, 0], wanted["test_logits"], 3e-5)


@pytest.mark.full
@pytest.mark.backends
def test_r3gan(images):
    check_gan(
        lambda: R3GAN((8, 8, 1), 3, width=8, blocks=1, decay_kimg=0.1, ema_kimg=0.01),
        images(16, 8, 8),
        np.arange(16) % 3,
        batch_size=2,
        # beta_1 of 0 makes steps of a learning rate of the least gradients.
        atol=1e-6,
    )


def test_networks_start_as_they_should():
    """Blocks begin as the identity: images are those of the first map."""
    generator = r3gan_generator((16, 16, 1), widths=(16, 16, 16), blocks=1)
    mixed = [v for v in generator.trainable_variables if "reduce" in v.path]
    assert len(mixed) == 3
    assert not any(np.any(ops.convert_to_numpy(v)) for v in mixed)
    kernel = generator.get_layer("stage1_block0_mix").kernel
    # He's for a slope of 0.2, 9 taps of 16 channels, 3 blocks.
    wanted = np.sqrt(2 / 1.04 / (9 * 16)) * 3**-0.25
    assert abs(np.std(ops.convert_to_numpy(kernel)) / wanted - 1) < 0.1


@pytest.mark.full
def test_penalties_are_those_of_each_row(images):
    gan = R3GAN((16, 16, 3), width=8, blocks=1, gamma=1.0)
    gan.compile()
    x, fake = images(4, channels=3), images(8, channels=3)[4:]
    _, logs = gan.discriminator_loss(fake, {"real": x}, True)
    for name, samples in (("r1", x), ("r2", fake)):
        samples = ops.convert_to_tensor(samples)
        with tf.GradientTape() as tape:
            tape.watch(samples)
            total = tf.reduce_sum(gan.discriminator(samples))
        squares = tf.reduce_sum(tape.gradient(total, samples) ** 2, axis=(1, 2, 3))
        close(logs[name], np.asarray(0.5 * tf.reduce_mean(squares)), 1e-5)


@pytest.mark.full
@pytest.mark.backends
def test_the_largest_maps_in_half_precision():
    for build in (r3gan_generator, r3gan_discriminator):
        options = {"widths": (16, 8, 8), "blocks": 1, "num_classes": 3}
        full = build((16, 16, 1), **options)
        half = build((16, 16, 1), **options, half_blocks=2)
        held = {tuple(v.path.split("/")[-2:]): v for v in full.weights}
        for v in half.weights:
            own = held.pop(tuple(v.path.split("/")[-2:]))
            own.assign(fill(v.path, v.shape))  # some start as zeros
            v.assign(own)
        assert not held and {v.dtype for v in half.weights} == {"float32"}
        kinds = {x.name: x.compute_dtype for x in half.layers}
        assert kinds["stage1_block0_mix"] == kinds["stage2_block0"] == "bfloat16"
        assert kinds["stage0_block0_mix"] == kinds["basis"] == "float32"
        shape = full.input_shape[0][1:]
        x = np.random.default_rng(0).normal(size=(4, *shape)).astype("float32")
        inputs = [x, np.arange(4, dtype="int32") % 3]
        exact, made = (np.asarray(m(inputs), "float64") for m in (full, half))
        error = np.abs(made - exact).max() / np.abs(exact).max()
        assert 1e-5 < error < 0.05, build  # of 8 bits


def test_gamma_follows_the_size():
    assert default_gamma((32, 32, 3)) == (0.05, 0.005)
    assert default_gamma((256, 256, 1)) == (150.0, 15.0)
    assert 0.05 < default_gamma((48, 48, 3))[0] < 2.0


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"image_shape": (30, 30, 3)}, "a height of 28 or 32"),
        ({"widths": (16, 16)}, "4 stages"),
        ({"widths": (12,) * 4, "group_size": 16}, "group size that divides 24"),
        ({"configuration": "ffhq"}, "ffhq64"),
        ({"gamma": -1.0}, "gamma"),
        ({"decay_kimg": 0}, "decay_kimg"),
        ({"minibatch_stddev": 4}, "each row"),
        ({"ema": 0.99}, "ema_kimg"),
        ({"num_classes": 1}, "2 classes"),
        ({"width": 0}, "`width` must lie"),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        R3GAN(**{"width": 8, **kwargs})


def test_a_discriminator_of_the_size_that_a_generator_makes():
    generator = r3gan_generator((8, 12, 1), 4, (4, 4), blocks=1)
    gan = R3GAN(generator=generator, width=4, blocks=1)
    assert gan.discriminator.input_shape == (None, 8, 12, 1)


def test_batch_norm_is_warned_of():
    own = r3gan_discriminator((16, 16, 3), (16, 16, 16), blocks=1)
    x = keras.layers.BatchNormalization(name="norm")(own.output)
    with pytest.warns(UserWarning, match="`gamma` is a penalty on the gradient"):
        R3GAN((16, 16, 3), width=8, discriminator=keras.Model(own.input, x))
