"""VoxelGAN: the references' networks, their penalty, its training."""

import functools
import importlib
import io
import json
import types

from checks import check_gan
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

import keras_gans as kg
from keras_gans.convert import from_state, read
from keras_gans.losses import gradient_penalty
from keras_gans.networks.voxels import voxel_discriminator, voxel_generator


def small(configuration="paper", **kwargs):
    options = {"size": 8, "latent_dim": 4, "width": 2, "d_steps": 1}
    return kg.VoxelGAN(configuration, **{**options, **kwargs})


def solids(n, size=8, low=0.0, seed=0):
    rng = np.random.default_rng(seed)
    filled = rng.random((n, size, size, size, 1)) < 0.3
    return np.where(filled, 1.0, low).astype("float32")


def close(got, want, bound=1e-5):
    got = ops.convert_to_numpy(got)
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


@pytest.mark.daily(1)
@pytest.mark.parametrize("mode", ["eval", "train"])
@pytest.mark.parametrize("name", ["gan3d_16", "gan3d_paper32"])
def test_3d_gans_are_the_references(name, mode):
    training = mode == "train"
    about = json.loads((GOLDEN / f"{name}_G.json").read_text())
    wanted = np.load(GOLDEN / f"{name}_G.npz")
    generator = from_state({n: fill(n, shape) for n, shape in about["weights"]})
    made = ops.convert_to_numpy(generator(wanted["z"], training=training))
    close(np.moveaxis(made, -1, 1), wanted[mode])
    wanted = np.load(GOLDEN / f"{name}_D.npz")
    discriminator = from_state(read(GOLDEN / f"{name}_D.pth"))
    logits = discriminator(np.moveaxis(wanted["x"], 1, -1), training=training)
    close(ops.sigmoid(logits), wanted[mode].reshape(-1, 1))


@pytest.mark.parametrize("name", ["gan3d_16_G", "gan3d_paper32_G"])
def test_checkpoints_are_read(name):
    wanted = np.load(GOLDEN / f"{name}.npz")
    made = from_state(read(GOLDEN / f"{name}.pth"))(wanted["z"])
    close(np.moveaxis(ops.convert_to_numpy(made), -1, 1), wanted["eval"])


def iwgan_weight(name, shape):
    """The fixture's weights, whose deviations are those of its layers."""
    drawn = fill(name, shape)
    if len(shape) == 5:
        fan_in = 8 * shape[4] if "deconv" in name else 64 * shape[3]
        return drawn * np.sqrt(np.prod(shape[1:]) / fan_in).astype("float32")
    return drawn + 1 if name.endswith("gamma") else drawn


@pytest.fixture(scope="module")
def iwgan():
    about = json.loads((GOLDEN / "iwgan3d_32.json").read_text())
    state = {name: iwgan_weight(name, shape) for name, shape in about["weights"]}
    generator, critic = (
        from_state({k: v for k, v in state.items() if k.startswith(side)})
        for side in ("gen", "dis")
    )
    return generator, critic, np.load(GOLDEN / "iwgan3d_32.npz")


@pytest.mark.full
def test_3d_iwgan_is_the_reference_s(iwgan):
    generator, critic, wanted = iwgan
    weights = generator.get_weights()
    fake = generator(wanted["z"], training=True)
    generator.set_weights(weights)
    real = wanted["real"][..., None].astype("float32")
    close(ops.squeeze(fake, -1), wanted["G"])
    d_fake, d_real = critic(fake), critic(real)
    close(d_fake, wanted["d_fake"])
    close(d_real, wanted["d_real"])
    close(-ops.mean(d_fake), wanted["g_loss"])
    between = real + wanted["alpha"][..., None] * (ops.convert_to_numpy(fake) - real)
    for axis, name in ((None, "all_axes"), (1, "reference")):
        penalty = gradient_penalty(critic, between, axis=axis)
        close(penalty, wanted[f"gp_{name}"])
        loss = ops.mean(d_fake) - ops.mean(d_real) + 10 * penalty
        close(loss, wanted[f"d_loss_{name}"])


@pytest.mark.daily(1)
@pytest.mark.parametrize(("axis", "name"), [(None, "all_axes"), (1, "reference")])
def test_penalty_of_the_gan_is_the_reference_s(iwgan, axis, name):
    generator, critic, wanted = iwgan
    gan = kg.VoxelGAN(
        "iwgan32", generator=generator, discriminator=critic, gp_axis=axis
    )
    # What the reference draws for the fakes, this one draws for the reals.
    alpha = 1 - wanted["alpha"].reshape(-1, 1)
    gan.rng.uniform = lambda n, columns, purpose: alpha
    real = wanted["real"][..., None].astype("float32")
    batch = {"real": real}
    loss, logs = gan.discriminator_loss(wanted["G"][..., None], batch, True)
    close(logs["gradient_penalty"], wanted[f"gp_{name}"])
    close(loss, wanted[f"d_loss_{name}"])


def trainable(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


@pytest.mark.full
def test_parameters_are_the_paper_s():
    assert trainable(voxel_generator()) == 17_569_664
    assert trainable(voxel_discriminator()) == 11_048_832
    assert trainable(voxel_generator("dense")) == 17_601_408
    assert trainable(voxel_discriminator("dense")) == 11_048_833


@pytest.mark.parametrize(
    ("form", "size", "channels", "layers"),
    [
        ("paper", 8, 1, 2),
        ("paper", 128, 1, 6),
        ("paper", 16, 3, 3),
        ("dense", 16, 1, 4),
        ("dense", 48, 2, 4),
        ("iwgan32", 4, 1, 1),
        ("iwgan32", 64, 1, 5),
    ],
)
def test_sizes_and_channels(form, size, channels, layers):
    made = voxel_generator(form, size, channels, 3, 1)
    assert made.output_shape == (None, size, size, size, channels)
    ups = [x for x in made.layers if x.name.startswith("up_")]
    seen = voxel_discriminator(form, size, channels, 1)
    assert seen.input_shape == (None, size, size, size, channels)
    assert len([x for x in seen.layers if x.name.startswith("down_")]) == len(ups)
    assert ups[-1].kernel.shape[-2:] == (channels, 1)
    assert len(ups) == {"paper": layers - 1, "dense": 4, "iwgan32": layers}[form]


def torch_state(network):
    """The weights of a network of the paper's, named and laid out as PyTorch has."""
    state, number = {}, 0
    up = network.name == "generator"
    for layer in network.layers:
        if not layer.weights:
            continue
        if isinstance(layer, keras.layers.BatchNormalization):
            names = ("weight", "bias", "running_mean", "running_var")
            for name, value in zip(names, layer.get_weights(), strict=True):
                state[f"main.{number - 2}.{name}"] = value
            continue
        kernel = layer.get_weights()[0]
        if isinstance(layer, keras.layers.Dense):
            width = kernel.size // (64 * (kernel.shape[0] if up else 1))
            channels_last = (len(kernel), 4, 4, 4, -1) if up else (1, 4, 4, 4, width)
            kernel = np.moveaxis(kernel.reshape(channels_last), -1, 1)
        else:
            kernel = np.moveaxis(kernel, (-1, -2), (0, 1))
        state[f"main.{number}.weight"] = kernel
        number += 3
    return state


@pytest.mark.parametrize(("size", "channels", "width"), [(8, 2, 3), (16, 1, 1)])
def test_weights_of_other_sizes_are_read(size, channels, width):
    for build in (
        functools.partial(voxel_generator, latent_dim=5),
        voxel_discriminator,
    ):
        network = build("paper", size, channels, width=width)
        drawn = np.random.default_rng(0)
        network.set_weights([drawn.normal(size=w.shape) for w in network.get_weights()])
        back = from_state(torch_state(network))
        assert back.output_shape == network.output_shape
        for a, b in zip(network.get_weights(), back.get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)


def test_weights_that_do_not_fit_are_refused():
    state = read(GOLDEN / "gan3d_16_G.pth")
    state = dict(state)
    del state["conv2.1.bias"]
    with pytest.raises(ValueError, match=r"Missing: conv2\.1\.bias"):
        from_state(state)
    state["conv1.0.weight"] = np.zeros((1, 1, 3, 4, 4), "float32")
    with pytest.raises(ValueError, match="no family known"):
        from_state(state)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_voxel_gan():
    make = functools.partial(small, d_norm=False, num_classes=2, ema=0.9)
    labels = np.arange(16) % 2
    check_gan(make, solids(16), labels, executions=False)


@pytest.mark.full
@pytest.mark.backends
@pytest.mark.parametrize("configuration", ["paper", "dense", "iwgan32"])
def test_configurations(configuration):
    # The bias of a Wasserstein critic cancels.
    own = {"still": "output/bias"} if configuration == "iwgan32" else {}
    size, low = (16, 0.0) if configuration == "dense" else (8, 0.0)
    low = -1.0 if configuration == "iwgan32" else low
    make = functools.partial(small, configuration, size=size)
    check_gan(make, solids(16, size, low), executions=False, **own)


def test_defaults_are_those_published():
    paper = small()
    assert paper.inputs[0].distribution == "unit" and not paper.gp_weight
    codes = np.asarray(paper.inputs[0].default_rows(0, np.arange(500)))
    assert 0 <= codes.min() < 0.01 and 0.99 < codes.max() < 1
    rates = [float(o.learning_rate) for o in paper.default_optimizers()]
    np.testing.assert_allclose(rates, [1e-5, 2.5e-3])
    iwgan = kg.VoxelGAN("iwgan32", 8, width=2)
    assert iwgan.modality.range == (-1, 1) and iwgan.d_steps == 5
    assert (iwgan.gp_weight, iwgan.gp_axis) == (10, None)
    assert iwgan.inputs[0].distribution == "normal"
    assert not any("norm" in x.name for x in iwgan.discriminator.layers)


def test_codes_of_the_unit_interval_are_walked_and_searched_within():
    directions, path_length = (
        importlib.import_module(f"keras_gans.inference.latent.{name}")
        for name in ("directions", "path_length")
    )
    latent = small().inputs[0]
    assert latent.bounds == (0, 1)
    rows = np.asarray(latent.default_rows(3, np.arange(5)))
    np.testing.assert_array_equal(rows[2:], latent.default_rows(3, np.arange(2, 5)))
    space = types.SimpleNamespace(latent=latent, dim=4, has_w=False)
    for found in (
        path_length._codes(np.random.default_rng(0), 100, space),
        directions._codes(space, 100, 0, {}),
    ):
        assert found.min() >= 0 and 0.9 < found.max() <= 1


def test_refusals():
    with pytest.raises(ValueError, match=r"power of 2 from 8 on.*size=12"):
        small(size=12)
    with pytest.raises(ValueError, match="multiple of 16"):
        small("dense", size=8)
    with pytest.raises(ValueError, match="configuration"):
        small("voxels")
    with pytest.raises(ValueError, match="packing"):
        small(num_classes=3, packing=2)
    with pytest.raises(ValueError, match=r"gp_axis.*1 to 4"):
        small("iwgan32", gp_axis=5)
    gan = small()
    gan.compile()
    with pytest.raises(ValueError, match="Resample the volumes"):
        gan.fit(solids(8, 16), verbose=0)
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        gan.fit(2 * solids(8) - 1, verbose=0)


@pytest.mark.full
def test_exported_as_volumes(tmp_path):
    import tensorflow as tf
    import trimesh

    gan = small()
    gan.export(tmp_path / "1")
    served = tf.saved_model.load(tmp_path / "1").signatures["serving_default"]
    made = served(seed=tf.constant([3], "int64"))
    assert set(made) == {"volumes", "mesh_bytes"}
    assert made["volumes"].dtype == tf.float32
    np.testing.assert_allclose(
        made["volumes"][0], gan.sample(4, seed=0)[3], rtol=0, atol=1e-6
    )
    data, solid = made["mesh_bytes"].numpy()[0], made["volumes"].numpy()[0]
    mesh = trimesh.load(io.BytesIO(data), file_type="glb", force="mesh")
    mesh.merge_vertices()
    assert mesh.is_watertight and mesh.volume > 0
    # Between the voxels that are solid, and one more on each side.
    outer = np.argwhere(solid[..., 0] > 0.5)
    low, high = mesh.bounds
    np.testing.assert_array_less(outer.min(0) - 1, low)
    np.testing.assert_array_less(low, outer.min(0))
    np.testing.assert_array_less(outer.max(0), high)
    np.testing.assert_array_less(high, outer.max(0) + 1)


def test_samples_become_meshes(tmp_path):
    import trimesh

    gan = small(size=16)
    # Of an untrained generator, whatever lies above the middle.
    sample = gan.sample(1, seed=0)[0]
    sample = (sample - sample.min()) / (sample.max() - sample.min())
    for extension in (".glb", ".obj", ".stl"):
        gan.modality.write(tmp_path / f"a{extension}", sample)
        mesh = trimesh.load(tmp_path / f"a{extension}", force="mesh")
        assert mesh.is_watertight and mesh.volume > 0
