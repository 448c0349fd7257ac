"""StyleGAN3: networks as the reference's, and whole trainings."""

import json

from checks import check_gan
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

from keras_gans.augment.blur import blurred
from keras_gans.convert import from_state, read
from keras_gans.convert.gans import gan_of
from keras_gans.models.stylegan3 import StyleGAN3
from keras_gans.networks.stylegan2 import stylegan2_generator
from keras_gans.networks.stylegan3 import bands, place, stylegan3_generator


def golden(name):
    """What a fixture tells, its arrays, and the state dict that it is of."""
    about = json.loads((GOLDEN / f"stylegan3_{name}_32.json").read_text())
    arrays = dict(np.load(GOLDEN / f"stylegan3_{name}_32.npz"))
    state = {name: fill(name, shape, "unit") for name, shape in about["weights"]}
    for kind in ("buffer:", "filter:"):
        held = [name for name in arrays if name.startswith(kind)]
        state |= {name.removeprefix(kind): arrays[name] for name in held}
    state["synthesis.input.transform"] = np.eye(3, dtype="float32")
    return about, arrays, state


def close(got, want, bound):
    """Within a share of the largest value wanted."""
    got = np.asarray(ops.convert_to_numpy(got), "float64")
    want = np.moveaxis(want, 1, -1)
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


@pytest.mark.daily(1)
@pytest.mark.full_on_jax
@pytest.mark.parametrize("name", ["t", pytest.param("r", marks=pytest.mark.backends)])
def test_the_generator_is_the_reference_s(name):
    _, wanted, state = golden(name)
    generator = from_state(state)
    synthesis = generator.get_layer("synthesis")
    given = [wanted["z"]]
    if "c" in wanted:
        given.append(wanted["c"].argmax(axis=1).astype("int32"))
    w = generator.get_layer("mapping")(given if len(given) > 1 else given[0])
    close(w, wanted["w"], 1e-5)
    mean = ops.convert_to_numpy(generator.get_layer("truncation_of_w").mean)
    ws = np.repeat(wanted["w"][:, None], 16, axis=1)
    cut = ws.copy()
    cut[:, :8] = mean + 0.7 * (cut[:, :8] - mean)  # of the first 8 codes
    layers = ("mixed_waves", "layer0_filtered")
    parts = keras.Model(
        synthesis.input,
        [synthesis.output, *[synthesis.get_layer(part).output for part in layers]],
    )
    images, features, first = parts(np.concatenate([ws, cut]))
    close(images[:2], wanted["img"], 1e-5)
    close(images[2:], wanted["img_psi07"], 1e-5)
    if name == "t":
        close(features[:2], wanted["input_features"], 1e-5)
        close(first[:2], wanted["layer0_out"], 1e-5)
    synthesis.get_layer("waves").transform.assign(wanted["transform"])
    images, *_ = parts(np.concatenate([ws, ws]))
    close(images[:2], wanted["img_transformed"], 1e-5)


@pytest.mark.full
@pytest.mark.parametrize("name", ["t", "r"])
def test_maps_and_filters_are_those_of_the_reference(name):
    about, wanted, state = golden(name)
    # `from_state` refuses filters that are not what is designed.
    synthesis = from_state(state).get_layer("synthesis")
    for i, (band, layer) in enumerate(zip(bands(32), about["layers"], strict=True)):
        assert [band.size] * 2 == layer["out_size"]
        assert band.rate == layer["out_rate"]
        assert np.isclose(band.cutoff, layer["out_cutoff"], rtol=1e-12)
        assert np.isclose(band.width, 2 * layer["out_half_width"], rtol=1e-12)
        if i == 14:
            continue
        for ours, theirs in zip(
            synthesis.get_layer(f"layer{i}_filtered").filters,
            ("up_filter", "down_filter"),
            strict=True,
        ):
            want = wanted[f"filter:synthesis.{layer['name']}.{theirs}"]
            np.testing.assert_allclose(ours, want, rtol=0, atol=2e-7 * want.max())
    key = "synthesis.L3_36_16.down_filter"
    with pytest.raises(
        ValueError, match=rf"{key} is the filter that StyleGAN3 designs"
    ):
        from_state({**state, key: np.roll(state[key], 1, axis=0)})
    with pytest.raises(ValueError, match=r"of no layer: synthesis\.L14"):
        from_state({**state, "synthesis.L14_32_3.up_filter": np.ones(1)})
    with pytest.raises(
        ValueError, match=r"Missing: synthesis\.L0_36_16\.magnitude_ema"
    ):
        from_state({k: v for k, v in state.items() if k[-13:] != "magnitude_ema"})


@pytest.mark.full
def test_files_of_the_reference_are_read(tmp_path):
    _, _, state = golden("t")
    held = from_state(read(GOLDEN / "stylegan3_t_32.pth"))
    for one, other in zip(held.weights, from_state(state).weights, strict=True):
        np.testing.assert_array_equal(one, other)
    held.save(tmp_path / "generator.keras")
    again = keras.models.load_model(tmp_path / "generator.keras")
    assert [layer["name"] for layer in again.get_config()["layers"]] == [
        layer["name"] for layer in held.get_config()["layers"]
    ]
    given = [np.ones((1, 16), "float32"), np.ones(1, "float32")]
    np.testing.assert_array_equal(held(given), again(given))


@pytest.mark.full
def test_images_move_with_what_makes_them():
    """Of R by any angle, of both by any shift: no pixel grid is left in them."""
    z = np.random.default_rng(0).normal(size=(2, 8)).astype("float32")
    given = [z, np.ones(2, "float32")]
    base = {"channel_base": 256, "channel_max": 8, "layers": 4}
    for kernel_size, radial in ((3, False), (1, True)):
        keras.utils.set_random_seed(1)
        generator = stylegan3_generator(
            (32, 32, 1), 8, 8, kernel_size=kernel_size, radial=radial, **base
        )
        straight = np.asarray(generator(given))
        place(generator, shift=(4 / 32, 8 / 32))
        moved = np.asarray(generator(given))
        # But for what the margin does not cover.
        gap = (moved[:, 8:, 4:] - straight[:, :-8, :-4])[:, 4:-4, 4:-4]
        assert np.abs(gap).max() < 1e-4 * straight.std()
        place(generator, angle=90.0)
        turned = np.rot90(np.asarray(generator(given)), -1, (1, 2))
        gap = np.abs((turned - straight)[:, 8:-8, 8:-8]).max()
        if radial:
            assert gap < 1e-4 * straight.std()
        else:
            assert gap > 1e-2 * straight.std()
    with pytest.raises(ValueError, match="which has none"):
        place(stylegan2_generator((8, 8, 1), 4, 4, channel_base=32))
    with pytest.raises(ValueError, match="finite numbers"):
        place(generator, angle=float("nan"))


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_blur_is_a_gaussian():
    x = np.zeros((1, 33, 33, 1), "float32")
    x[0, 16, 16] = 1.0
    got = ops.convert_to_numpy(blurred(x, 2.0, most=10.0))[0, :, :, 0]
    place = np.arange(33) - 16
    wanted = np.exp(-np.add.outer(place**2, place**2) / 8)
    np.testing.assert_allclose(got, wanted / wanted.sum(), atol=1e-6)
    np.testing.assert_array_equal(blurred(x, 0.0, most=10.0), x)


SMALL = {
    "latent_dim": 4,
    "w_dim": 4,
    "channel_base": 32,
    "channel_max": 4,
    "mapping_layers": 1,
    "layers": 3,
}


def means_of(gan):
    """Copies of the means that follow the generator's maps and codes."""
    synthesis = gan.generator.get_layer("synthesis")
    held = [gan.generator.get_layer("truncation_of_w").mean]
    held += [synthesis.get_layer(f"layer{i}_norm").mean_square for i in range(4)]
    return [np.array(ops.convert_to_numpy(v)) for v in held]


@pytest.mark.full
def test_means_follow_the_fakes_of_the_discriminator(images):
    gan = StyleGAN3((8, 8, 1), **SMALL)
    gan.compile()
    batch = {"real": ops.convert_to_tensor(images(4, 8, 8))}
    with gan.rng.at("check"):
        ws = ops.convert_to_numpy(gan.styles(None, 4, True))
    before = means_of(gan)
    with gan.rng.at("check"):
        gan.generate(batch, True)  # as the generator's phase does
    for one, two in zip(before, means_of(gan), strict=True):
        np.testing.assert_array_equal(one, two)
    with gan.rng.at("check"):
        gan.generate_and_follow(batch, True)
    after = means_of(gan)
    np.testing.assert_allclose(after[0], 0.002 * ws[:, 0].mean(axis=0), atol=1e-7)
    synthesis = gan.generator.get_layer("synthesis")
    norms = [synthesis.get_layer(f"layer{i}_norm").input for i in range(4)]
    rate = 1 - 0.5 ** (4 / 20_000)
    for one, two, maps in zip(
        before[1:], after[1:], keras.Model(synthesis.input, norms)(ws), strict=True
    ):
        square = np.mean(np.square(ops.convert_to_numpy(maps)))
        np.testing.assert_allclose(two - one, rate * (square - one), rtol=1e-2)
        assert two != one


@pytest.mark.full
@pytest.mark.backends
def test_training_and_samples(images, tmp_path):
    x, labels = images(8, 8, 8), np.arange(8) % 3
    given = {**SMALL, "configuration": "r", "gamma": 1.0, "diff_augment": None}
    gan = StyleGAN3((8, 8, 1), 3, **given)
    # Two steps take TensorFlow less time than their graph.
    gan.compile(run_eagerly=keras.backend.backend() == "tensorflow")
    before = means_of(gan)
    gan.fit(x, labels, batch_size=4, shuffle=False, verbose=0)
    for one, two in zip(before, means_of(gan), strict=True):
        assert np.abs(one - two).max() > 0
    assert np.isclose(float(gan.controllers["blur"].value), 10 * (1 - 2 / 6250))
    # The mean of w makes one picture of all.
    same = gan.sample(2, seed=1, labels=0, truncation=0.0)
    np.testing.assert_allclose(same[0], same[1], atol=1e-5)
    with pytest.raises(ValueError, match=r"truncation.*\[-2"):
        gan.sample(2, labels=0, truncation=3.0)
    gan.save(tmp_path / "gan.keras")
    again = keras.models.load_model(tmp_path / "gan.keras")
    for one, two in zip(gan.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, two)
    np.testing.assert_array_equal(
        gan.sample(2, seed=1, labels=0), again.sample(2, seed=1, labels=0)
    )


def check(images, shape, **kwargs):
    check_gan(
        lambda: StyleGAN3(shape, **{**SMALL, **kwargs}, ema_kimg=0.01),
        images(16, *shape[:2], channels=shape[2]),
        np.arange(16) % 3 if kwargs.get("num_classes") else None,
        # beta_1 of 0 makes steps of a learning rate of the least gradients.
        atol=1e-5,
    )


@pytest.mark.full
@pytest.mark.parametrize("classes", [None, 3])
@pytest.mark.parametrize("configuration", ["t", "r"])
def test_all_of_stylegan3(images, classes, configuration):
    check(images, (8, 8, 3), num_classes=classes, configuration=configuration)


@pytest.mark.full
def test_configurations_are_built():
    small = {"latent_dim": 4, "w_dim": 4, "channel_base": 64, "channel_max": 8}
    widths = {}
    for name in ("t", "r"):
        gan = StyleGAN3((16, 16, 4), configuration=name, **small)
        assert [phase.name for phase in gan.phases()] == ["g", "d", "d_reg"]
        synthesis = gan.generator.get_layer("synthesis")
        kernels = [synthesis.get_layer(f"layer{i}").kernel.shape for i in range(15)]
        widths[name] = [shape[-1] for shape in kernels]
        assert {shape[0] for shape in kernels[:-1]} == {3 if name == "t" else 1}
        assert synthesis.input.shape == (None, 16, 4)
        assert ("blur" in gan.controllers) == (name == "r")
    assert widths["t"][0] == 8 and widths["t"][13:] == [4, 4]
    gap = np.subtract(widths["r"][:-1], np.multiply(2, widths["t"][:-1]))
    assert np.abs(gap).max() <= 1  # they are rounded


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"image_shape": (48, 48, 3)}, "Near it: 32 x 32 or 64 x 64.*StyleGAN2"),
        ({"image_shape": (16, 32, 3)}, "squares.*Near it: 32 x 32"),
        ({"image_shape": (4, 4, 3)}, "Near it: 8 x 8"),
        ({"configuration": "x"}, "'t'"),
        ({"layers": 2}, "layers"),
        ({"channel_base": 2}, "Take 8 or more"),
        ({"blur": -1.0}, "blur"),
        ({"path_length": 2.0}, "path length"),
        ({"style_mixing": 0.9}, "mixes no styles"),
        ({"learning_rate": 0.1}, "compile"),
        ({"ema": 0.99}, "ema_kimg"),
        ({"num_classes": 1}, "2 classes"),
        (
            {
                "generator": lambda: stylegan2_generator(
                    (8, 8, 1), 4, 4, channel_base=32
                )
            },
            "which is StyleGAN2's",
        ),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    if "generator" in kwargs:
        kwargs = {"generator": kwargs["generator"]()}
    else:
        kwargs = {"image_shape": (8, 8, 3), **SMALL, **kwargs}
    with pytest.raises(ValueError, match=message):
        StyleGAN3(**kwargs)


def discriminator_state(num_classes):
    """Weights of StyleGAN2's discriminator by the reference's names."""
    about = json.loads((GOLDEN / "stylegan2_32_cond_D.json").read_text())
    state = {}
    for name, shape in about["weights"]:
        if num_classes is None and name.startswith("mapping."):
            continue
        if name.startswith("b4.out.") and num_classes is None:
            shape = [1, *shape[1:]]
        if name == "mapping.embed.weight":
            shape = [shape[0], num_classes]
        state[name] = fill(name, shape, "unit")
    return state


@pytest.mark.full
@pytest.mark.parametrize("name", ["t", "r"])
def test_a_whole_gan_is_made_of_a_snapshot(name):
    _, wanted, state = golden(name)
    d = discriminator_state(None if name == "t" else 3)
    gan = gan_of({"G": state, "D": d, "G_ema": state, "cur_nimg": 320})
    assert isinstance(gan, StyleGAN3) and gan.modality.shape == (32, 32, 3)
    assert bool(gan.blur) == (name == "r")
    label = [] if name == "t" else [wanted["c"].argmax(axis=1).astype("int32")]
    inputs = [wanted["z"], *label, np.ones(len(wanted["z"]), "float32")]
    close(gan.ema_generator(inputs), wanted["img"], 1e-5)
    again = StyleGAN3.from_config(gan.constructor_config())
    shapes = [[v.shape for v in g.discriminator.weights] for g in (gan, again)]
    assert shapes[0] == shapes[1]
    given = gan.constructor_config()["generator"]
    assert (given is None) == (name == "t")  # r's widths are no published ones
