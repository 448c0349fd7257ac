"""Networks of Pix2Pix and CycleGAN: the reference's numbers, at any size."""

import json

from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest
import translation_reference as reference

import keras_gans
from keras_gans.convert import from_state, read
from keras_gans.engine import kernels
from keras_gans.networks import patchgan, unet
from keras_gans.networks import resnet_translator as resnet
from keras_gans.networks.patchgan import patch_discriminator, pixel_discriminator
from keras_gans.networks.resnet_translator import resnet_translator
from keras_gans.networks.unet import unet_generator

NORMS = ("batch", "instance", None)


def array(x):
    return np.array(ops.cast(x, "float32"))


def uniform(*shape, seed=0):
    x = np.random.default_rng(seed).uniform(-1, 1, shape)
    return x.astype("float32")


def filled(shapes):
    return {name: fill(name, shape) for name, shape in shapes.items()}


def run(model, x, training=False):
    """Channels first in and out."""
    x = np.ascontiguousarray(x.transpose(0, 2, 3, 1).astype("float32"))
    return array(model(x, training=training)).transpose(0, 3, 1, 2)


def check_close(got, want):
    # The project's bound for small fixtures; PyTorch itself comes within 4e-6
    # of them on another processor.
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


# --- The reference's outputs ---


def check_golden(name, state, implementation=lambda network: network):
    """Inputs are PCG64's draws of seed 7; U-Net outputs each 7th pixel's."""
    golden = np.load(GOLDEN / f"{name}.npz")
    x = uniform(*golden["shape"], seed=7)
    dropout = {"dropout": 0.0} if name == "pix2pix_unet256" else {}
    model = implementation(from_state(state, **dropout))
    for outputs, training in (("y_eval", False), ("y_train_nodropout", True)):
        y = run(model, x, training)
        want = golden[outputs]
        # 7 has no factor in common with the strides: no phase is left out.
        step = -(-y.shape[-1] // want.shape[-1])
        check_close(y[:, :, ::step, ::step], want)


@pytest.mark.parametrize(
    "name", ["pix2pix_unet256", "cyclegan_resnet9", "patchgan70", "patchgan70_cond"]
)
def test_the_reference_outputs_come_out(name, implementation):
    check_recipe(name, implementation)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_the_reference_outputs_of_pixels_come_out():
    check_recipe("pixelgan")


def check_recipe(name, *implementation):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    assert about["mode"] == "fan_in"
    check_golden(name, filled(dict(about["weights"])), *implementation)


@pytest.mark.parametrize("name", ["patchgan70", "patchgan70_cond", "pixelgan"])
def test_the_reference_files_load(name):
    check_golden(name, read(GOLDEN / f"{name}.pth"))


def test_the_reference_losses_come_out():
    golden = np.load(GOLDEN / "ganloss.npz")
    logits = golden["logits"]
    get = keras_gans.losses.get
    # Sums of 3,600 float32 numbers.
    for name, objective, factor in (
        ("vanilla", "non_saturating", 1),
        ("lsgan", "least_squares", 2),  # ours is the paper's, halved
        ("wgangp", "wasserstein", 1),
    ):
        real, fake = golden[f"{name}_real"], golden[f"{name}_fake"]
        pair = get(objective)
        np.testing.assert_allclose(factor * pair.g(logits), real, rtol=1e-5)
        got = factor * pair.d(logits, logits)
        np.testing.assert_allclose(got, real + fake, rtol=1e-5, atol=1e-7)


# Another implementation, for sizes that have no fixture.


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("norm", "depth", "width", "channels", "size"),
    [
        ("batch", 2, 3, (1, 2), (8, 4)),
        ("batch", 6, 2, (2, 3), (64, 64)),
        ("instance", 5, 1, (4, 1), (32, 64)),
        (None, 4, 3, (3, 4), (16, 16)),
    ],
)
def test_unets_of_other_sizes(norm, depth, width, channels, size):
    state = filled(reference.unet_shapes(norm, *channels, depth, width))
    x = uniform(2, channels[0], *size)
    model = from_state(state, dropout=0.0)
    for training in (False, True):
        want = reference.unet(state, x, norm, training)
        check_close(run(model, x, training), want)


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("norm", "blocks", "width", "channels", "dropout"),
    [
        ("batch", 2, 2, (1, 2), True),
        ("batch", 1, 3, (2, 2), False),
        ("instance", 3, 2, (4, 1), False),
        (None, 0, 3, (3, 3), False),
    ],
)
def test_resnets_of_other_sizes(norm, blocks, width, channels, dropout):
    shapes = reference.resnet_shapes(norm, *channels, blocks, width, dropout)
    state, x = filled(shapes), uniform(2, channels[0], 12, 16)
    names = [
        layer.name
        for layer in from_state(state).layers
        if isinstance(layer, keras.layers.Dropout)
    ]
    assert names == [f"block_{i}_dropout" for i in range(blocks * dropout)]
    model = from_state(state)
    want = reference.resnet(state, x, norm, False, blocks, dropout)
    check_close(run(model, x), want)
    if not dropout:
        want = reference.resnet(state, x, norm, True, blocks, dropout)
        check_close(run(model, x, training=True), want)


@pytest.mark.parametrize(
    ("norm", "n_layers"), [("batch", 1), ("instance", 2), (None, 5)]
)
def test_patch_discriminators_of_other_sizes(norm, n_layers):
    state = filled(reference.patch_shapes(norm, 5, n_layers, 2))
    side = 3 * 2**n_layers
    x = uniform(2, 5, side + 2 ** (n_layers - 1) + 1, side)
    model = from_state(state)
    for training in (False, True):
        want = reference.patches(state, x, norm, training, n_layers)
        check_close(run(model, x, training), want)


@pytest.mark.parametrize("norm", NORMS)
def test_pixel_discriminators_of_other_sizes(norm):
    state, x = filled(reference.pixel_shapes(norm, 7, 3)), uniform(2, 7, 5, 4)
    model = from_state(state, image_shape=(5, 4, 7))
    for training in (False, True):
        want = reference.pixels(state, x, norm, training)
        check_close(run(model, x, training), want)


def reflected(x, multiple, blocks=1):
    extra = [
        max(-(-side // multiple), blocks) * multiple - side for side in x.shape[2:]
    ]
    pairs = [(e // 2, e - e // 2) for e in extra]
    y = np.pad(x, [(0, 0), (0, 0), *pairs], mode="reflect")
    (top, _), (left, _) = pairs
    return y, np.s_[:, :, top : top + x.shape[2], left : left + x.shape[3]]


@pytest.mark.parametrize(
    ("size", "known"), [((13, 16), False), ((1, 9), False), ((2, 10), True)]
)
def test_any_height_and_width(size, known):
    """Padding repeats the reflection and is cropped away."""
    shape = {"image_shape": (*size, 2)} if known else {}
    x = uniform(1, 2, *size)
    state = filled(reference.unet_shapes("batch", 2, 1, 2, 1))
    y, place = reflected(x, 4)
    want = reference.unet(state, y, "batch", False)[place]
    check_close(run(from_state(state, **shape), x), want)
    state = filled(reference.resnet_shapes("batch", 2, 1, 1, 1))
    y, place = reflected(x, 4, blocks=2)
    want = reference.resnet(state, y, "batch", False, 1)[place]
    check_close(run(from_state(state, **shape), x), want)


@pytest.mark.full
@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="sizes are known on JAX"
)
def test_sizes_unknown_to_a_graph():
    import tensorflow as tf

    makers = [(unet_generator, {"depth": 2}), (resnet_translator, {"blocks": 1})]
    for make, config in makers:
        model = make((None, None, 2), width=2, **config)
        kernels.accelerate(model)
        graph = tf.function(
            lambda x, model=model: model(x, training=False),
            input_signature=[tf.TensorSpec([None, None, None, 2])],
        )
        for size in ((16, 24), (9, 13)):
            x = uniform(2, *size, 2)
            # Sums in another order.
            np.testing.assert_allclose(graph(x), model(x), atol=1e-5)


# --- Building ---


def test_full_size_counts_of_weights(monkeypatch):
    """As the reference prints them: 54.414 M, 2.769 M and 11.378 M."""
    for module in (patchgan, resnet, unet):
        # 68 million random numbers take longer than all other tests.
        monkeypatch.setattr(module, "conv_init", lambda: "zeros")
    for model, count in (
        (patch_discriminator(), 2_768_705),
        (resnet_translator(), 11_378_179),
        (unet_generator(), 54_413_955),
    ):
        trainable = sum(np.prod(w.shape) for w in model.trainable_weights)
        assert trainable == count


def test_weights_start_as_the_paper_has_them():
    model = unet_generator((16, 16, 3), depth=4, width=16)
    for weight in model.weights:
        value = np.array(weight)
        if weight.name == "kernel" and value.size > 10_000:
            assert abs(value.mean()) < 1e-3
            assert abs(value.std() / 0.02 - 1) < 0.05
        elif weight.name in ("bias", "beta"):
            assert not value.any()
    gains = [w for w in model.weights if w.name == "gamma"]
    gains = np.concatenate([np.array(gain) for gain in gains])
    assert 0.01 < gains.std() < 0.03
    assert abs(gains.mean() - 1) < 0.01


@pytest.mark.parametrize(
    ("size", "depth"),
    [((256, 256), 8), ((512, 300), 8), ((128, 256), 7), ((100, 70), 6)],
)
def test_the_depth_follows_from_the_size(size, depth):
    model = unet_generator((*size, 1), output_channels=2, width=1)
    downs = [la for la in model.layers if isinstance(la, keras.layers.Conv2D)]
    assert len(downs) == depth
    assert model.output_shape == (None, *size, 2)
    dropouts = [
        layer.name for layer in model.layers if isinstance(layer, keras.layers.Dropout)
    ]
    assert dropouts == [f"dropout_{i}" for i in range(depth - 2, 3, -1)]


def test_dropout_is_on_in_training_alone():
    model = unet_generator((64, 32, 1), depth=6, width=1, norm=None)
    # So that the deepest maps reach the output.
    for i, weight in enumerate(model.trainable_weights):
        weight.assign(uniform(*weight.shape, seed=i))
    x = uniform(1, 64, 32, 1)
    first, second = (array(model(x, training=True)) for _ in range(2))
    assert np.abs(first - second).max() > 1e-3
    first, second = (array(model(x, training=False)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.full
def test_reduced_precision_and_saving(tmp_path):
    makers = [
        (unet_generator, {"depth": 6}),
        (resnet_translator, {"blocks": 1, "dropout": 0.5}),
        (patch_discriminator, {"n_layers": 1, "norm": "instance"}),
        (pixel_discriminator, {}),
    ]
    x = uniform(1, 13, 18, 3)
    for make, config in makers:
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            model = make((None, None, 3), width=2, **config)
        finally:
            keras.config.set_dtype_policy("float32")
        y = model(x, training=False)
        assert keras.backend.standardize_dtype(y.dtype) == "float32"
        assert {w.dtype for w in model.trainable_weights} == {"float32"}
        model.save(tmp_path / "model.keras")
        loaded = keras.saving.load_model(tmp_path / "model.keras")
        np.testing.assert_array_equal(array(loaded(x)), array(y))


def test_arguments_are_checked():
    def check(match, make, *args, **kwargs):
        with pytest.raises(ValueError, match=match):
            make(*args, **kwargs)

    for make in (
        unet_generator,
        resnet_translator,
        patch_discriminator,
        pixel_discriminator,
    ):
        check("image_shape", make, (64, 64))
        check("image_shape", make, (None, 64, None))
        check("image_shape", make, (None, 0, 3))
        check("`norm` is 'batch'", make, norm="layer")
        check("`width` must", make, width=0)
    for make in (unet_generator, resnet_translator):
        check("`output_channels` must", make, output_channels=0)
        check("`dropout` must", make, dropout=1)
    check("`depth` must", unet_generator, depth=1)
    check("`blocks` must", resnet_translator, blocks=-1)
    check("`n_layers` must", patch_discriminator, n_layers=0)
    check("at least 24 x 24 pixels", patch_discriminator, (64, 23, 3))


# --- Checkpoints that do not fit ---


def states(norm):
    return (
        filled(reference.unet_shapes(norm, 3, 2, 3, 2)),
        filled(reference.resnet_shapes(norm, 3, 2, 1, 2)),
        filled(reference.patch_shapes(norm, 3, 2, 2)),
        filled(reference.pixel_shapes(norm, 3, 2)),
    )


@pytest.mark.parametrize("norm", NORMS)
def test_states_that_do_not_fit_are_refused(norm):
    match = "do not fit|no family known"
    for state in states(norm):
        for name in state:
            with pytest.raises(ValueError, match=match):
                from_state({k: v for k, v in state.items() if k != name})
            for shape in ((), (*state[name].shape, 2), (0,)):
                with pytest.raises(ValueError, match=match):
                    from_state(state | {name: np.zeros(shape)})
        with pytest.raises(ValueError, match=match):
            from_state(state | {"model.99.other.weight": np.zeros(2)})
        with pytest.raises(ValueError, match="`network` must be one of"):
            from_state(state, network="vgg")
        with pytest.raises(ValueError, match="expected"):
            from_state(state, width=5)


def test_idle_statistics_of_old_checkpoints_are_skipped():
    """PyTorch before 0.4 kept them for instance norm and did not use them."""
    state = filled(reference.patch_shapes("instance", 3, 2, 2))
    idle = {
        f"model.{place}.running_{leaf}": np.ones(channels)
        for place, channels in ((3, 4), (6, 8))
        for leaf in ("mean", "var")
    }
    x = uniform(1, 3, 16, 16)
    got, want = (run(from_state(s), x) for s in (state | idle, state))
    np.testing.assert_array_equal(got, want)
    with pytest.raises(ValueError, match=r"Unexpected: model\.1\.running_mean"):
        from_state(state | {"model.1.running_mean": np.ones(2)})


def test_sizes_that_a_file_does_not_have_are_not_allocated():
    state = filled(reference.resnet_shapes("instance", 3, 3, 1, 2))
    wide = np.broadcast_to(np.float32(0), (100_000, 3, 7, 7))
    with pytest.raises(ValueError, match="expected"):
        from_state(state | {"model.1.weight": wide})
