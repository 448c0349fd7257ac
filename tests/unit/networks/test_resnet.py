"""The shared residual networks: sizes, classes, precision, training."""

import keras
from keras import ops
import numpy as np
import pytest

import keras_gans
from keras_gans.layers import SpectralNormalization
from keras_gans.networks.normal import conditional_batch_norm
from keras_gans.networks.resnet import (
    critic_plan,
    generator_plan,
    resnet_critic,
    resnet_generator,
)


def normal(*shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape).astype("float32")


def array(x):
    return np.array(ops.cast(x, "float32"))


# --- Conditional batch normalization ---


def conditional(x, classes, **options):
    """A model of one conditional batch norm, of x like this."""
    inputs = [keras.Input(x.shape[1:]), keras.Input((), dtype="int32")]
    made = conditional_batch_norm(*inputs, classes, "norm", **options)
    return keras.Model(inputs, made)


@pytest.mark.backends
def test_each_class_has_its_own_scale_and_shift():
    # Small, so that epsilon tells.
    x, label = 0.03 * normal(4, 5, 6, 2) + 0.01, np.array([2, 0, 2, 1])
    model = conditional(x, 3, momentum=0.9, epsilon=1e-5)
    tables = [model.get_layer(f"norm_{name}").embeddings for name in ("gamma", "beta")]
    assert [table.shape for table in tables] == [(3, 2)] * 2
    assert np.all(array(tables[1]) == 0)
    assert 0 < np.abs(array(tables[0]) - 1).max() < 0.1  # N(1, .02): 5 sigma
    values = np.split(normal(3, 4, seed=1), 2, -1)
    for table, value in zip(tables, values, strict=True):
        table.assign(value)
    gamma, beta = (value[label][:, None, None] for value in values)
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    want = gamma * (x - mean) / np.sqrt(var + 1e-5) + beta
    # Float32 sums of 120 numbers, and numbers of size 8.
    got = array(model([x, label], training=True))
    np.testing.assert_allclose(got, want, atol=1e-4)
    moved = gamma * (x - 0.1 * mean) / np.sqrt(0.9 + 0.1 * var + 1e-5) + beta
    got = array(model([x, label], training=False))
    np.testing.assert_allclose(got, moved, atol=1e-4)


def test_conditional_norm_is_saved_and_runs_in_bfloat16(tmp_path):
    x, label = normal(2, 4, 3), np.array([4, 0])
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = conditional(x, 5, momentum=0.8, epsilon=1e-3)
    finally:
        keras.config.set_dtype_policy("float32")
    y = model([x, label], training=True)
    assert keras.backend.standardize_dtype(y.dtype) == "bfloat16"
    assert {w.dtype for w in model.weights} == {"float32"}
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    got, want = (array(m([x, label])) for m in (loaded, model))
    np.testing.assert_array_equal(got, want)
    copy = loaded.get_layer("norm")
    assert (copy.momentum, copy.epsilon) == (0.8, 1e-3)
    assert model.output_shape == (None, 4, 3)


def test_conditional_norm_says_what_it_takes():
    x = normal(2, 4, 3)
    with pytest.raises(ValueError, match="num_classes"):
        conditional(x, 0)
    with pytest.raises(ValueError, match=r"takes x .*Received: shapes"):
        conditional_batch_norm(x, np.zeros((2, 1), "int32"), 3, "norm")


# --- Sizes ---


@pytest.mark.parametrize(
    ("side", "base", "widths"),
    [
        (16, 4, [64] * 3),
        (28, 4, [64] * 4),  # cut from 32
        (32, 4, [64] * 4),
        (48, 6, [64, 32, 16, 8]),
        (64, 4, [64, 32, 16, 8, 4]),
        (96, 6, [64, 32, 16, 8, 4]),
        (128, 4, [64, 64, 32, 16, 8, 4]),
        (256, 4, [64, 64, 64, 32, 16, 8, 4]),
    ],
)
def test_the_generator_doubles_up_to_the_size(side, base, widths):
    assert generator_plan((side, side, 3), 64) == ((base, base), widths)


@pytest.mark.parametrize(
    ("side", "widths", "halvings"),
    [
        (16, [64] * 4, 2),
        (32, [64] * 4, 2),
        (48, [4, 8, 16, 32, 64], 4),
        (64, [4, 8, 16, 32, 64], 5),
        (96, [4, 8, 16, 32, 64], 5),
        (128, [4, 8, 16, 32, 64, 64], 5),
        (256, [4, 8, 16, 32, 64, 64, 64], 6),
    ],
)
def test_the_critic_halves_the_size(side, widths, halvings):
    blocks = critic_plan((side, side, 3), 64)
    assert [b.outputs for b in blocks] == widths
    assert [b.inputs for b in blocks] == [3, *widths[:-1]]
    assert [b.halves for b in blocks] == [i < halvings for i in range(len(widths))]


@pytest.mark.daily(1)
@pytest.mark.parametrize("shape", [(16, 16, 1), (28, 28, 1), (25, 37, 2), (64, 48, 3)])
@pytest.mark.parametrize("num_classes", [None, 4])
def test_any_shape(shape, num_classes):
    generator = resnet_generator(shape, 6, 16, num_classes)
    critic = resnet_critic(shape, 16, num_classes)
    z, label = normal(3, 6), np.array([0, 3, 1])
    names = ["z"] if num_classes is None else ["z", "label"]
    assert [t.name for t in generator.inputs] == names
    assert [t.name for t in critic.inputs] == ["images", *names[1:]]
    x = array(generator(z if num_classes is None else [z, label]))
    assert x.shape == (3, *shape)
    assert 0 < np.abs(x).max() < 1
    logits = array(critic(x if num_classes is None else [x, label]))
    assert logits.shape == (3, 1)


def test_no_pixel_is_lost_at_odd_sizes():
    critic, x = resnet_critic((17, 25, 1), 8), normal(3, 17, 25, 1)
    moved = x.copy()
    moved[:, -1, -1] += 1
    assert np.abs(array(critic(moved)) - array(critic(x))).min() > 1e-4


def test_sizes_and_widths_are_checked():
    for make in (resnet_generator, resnet_critic):
        with pytest.raises(ValueError, match="at least 16 x 16 pixels"):
            make((32, 15, 3))
        with pytest.raises(ValueError, match="must be at least 16"):
            make((64, 64, 3), width=15)
        with pytest.raises(ValueError, match="width"):
            make(width=0)
        with pytest.raises(ValueError, match="num_classes"):
            make(width=8, num_classes=0)
    with pytest.raises(ValueError, match="`pooling` must be"):
        resnet_critic(pooling="max")
    with pytest.raises(ValueError, match="latent_dim"):
        resnet_generator(latent_dim=0)


# --- What the networks compute ---


def test_classes_are_projected_onto_features():
    """logits(x, y) - logits(x, y') = (e_y - e_y') . h, and h by another e."""
    critic = resnet_critic((16, 16, 1), 4, 3, pooling="sum")
    x = normal(2, 16, 16, 1)
    features = keras.Model(critic.inputs, critic.get_layer("sum").output)
    h = array(features([x, np.array([0, 0])]))
    pixels = keras.Model(critic.inputs, critic.get_layer("relu").output)
    maps = array(pixels([x, np.array([0, 0])]))
    np.testing.assert_allclose(h, maps.sum((1, 2)), rtol=1e-5)
    table = array(critic.get_layer("class_embedding").embeddings)
    score = critic.get_layer("score")
    for label in ([0, 1], [2, 2]):
        want = h @ array(score.kernel) + array(score.bias)
        want += (table[label] * h).sum(1, keepdims=True)
        got = array(critic([x, np.array(label)]))
        np.testing.assert_allclose(got, want, rtol=1e-4)


def test_pooling_is_a_mean_or_a_sum():
    mean = resnet_critic((16, 16, 1), 4)
    total = resnet_critic((16, 16, 1), 4, pooling="sum")
    total.set_weights(mean.get_weights())
    x = normal(2, 16, 16, 1)
    # Biases start at 0; the last map is 4 x 4.
    np.testing.assert_allclose(array(total(x)), 16 * array(mean(x)), rtol=1e-5)


def test_every_layer_of_the_critic_is_normalized():
    for shape, classes in (((16, 16, 1), None), ((48, 48, 3), 5)):
        critic = resnet_critic(shape, 16, classes, spectral_norm=True)
        wrapped = [
            layer for layer in critic.layers if isinstance(layer, SpectralNormalization)
        ]
        bare = [w for layer in critic.layers for w in layer.trainable_weights]
        inside = [w for layer in wrapped for w in layer.trainable_weights]
        assert len(bare) == len(inside) > 0
        iterating = {layer.name for layer in wrapped if layer.iterate_in_inference}
        assert iterating == {"score"} | ({"class_embedding"} if classes else set())


@pytest.mark.parametrize("gain", [1, 2**0.5])
def test_weights_start_as_xavier_uniform(gain):
    critic = resnet_critic((32, 32, 3), 64)
    name, fans = ("conv1", 9 * 128) if gain > 1 else ("shortcut", 128)
    kernel = array(critic.get_layer(f"block2_{name}").kernel)
    bound = gain * np.sqrt(6 / fans)
    # The largest of 4,096 or more uniform draws lies within 1 % of the bound.
    assert 0.99 * bound < np.abs(kernel).max() <= bound
    generator = resnet_generator((32, 32, 3), 128, 16)
    bound = np.sqrt(6 / (128 + 256))
    kernel = array(generator.get_layer("project").kernel)
    assert 0.99 * bound < np.abs(kernel).max() <= bound


@pytest.mark.full
def test_reduced_precision_and_saving(tmp_path):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        generator = resnet_generator((16, 16, 1), 6, 8, 3)
        critic = resnet_critic((16, 16, 1), 8, 3, True, "sum")
    finally:
        keras.config.set_dtype_policy("float32")
    z, label = normal(2, 6), np.array([0, 2])
    x = array(generator([z, label]))
    logits = critic([x, label], training=True)
    for y in (generator.output, critic.output, logits):
        assert keras.backend.standardize_dtype(y.dtype) == "float32"
    block = critic.get_layer("block1").output
    assert block.dtype == "bfloat16"
    for model, inputs in ((generator, [z, label]), (critic, [x, label])):
        path = tmp_path / f"{model.name}.keras"
        model.save(path)
        np.testing.assert_array_equal(
            array(keras.saving.load_model(path)(inputs)), array(model(inputs))
        )


@pytest.mark.full
def test_they_train(images):
    gan = keras_gans.BaseGAN(
        resnet_generator((16, 16, 1), 4, 4),
        resnet_critic((16, 16, 1), 4, spectral_norm=True, pooling="sum"),
        objective="hinge",
    )
    # One step: on TensorFlow, tracing would take longer than that.
    gan.compile(run_eagerly=keras.backend.backend() == "tensorflow")
    before = [np.array(w) for w in gan.weights]
    logs = gan.fit(images(4), batch_size=4, verbose=0).history
    assert np.isfinite(logs["d_loss"]).all()
    assert np.isfinite(logs["g_loss"]).all()
    for old, variable in zip(before, gan.weights, strict=True):
        if old.shape == (1,) and variable.path.endswith(("/u", "/v")):
            continue  # one number is normalized to itself
        assert np.any(np.array(variable) != old), variable.path


def test_a_normalized_copy_equals_the_one_built_so():
    plain = resnet_critic((16, 16, 1), 4, 3)
    copy = keras_gans.layers.spectral.spectrally_normalized(plain)
    built = resnet_critic((16, 16, 1), 4, 3, spectral_norm=True)
    names = [layer.name for layer in built.layers]
    assert [layer.name for layer in copy.layers] == names
    # Training from the same weights and vectors.
    built.set_weights(copy.get_weights())
    inputs = [normal(2, 16, 16, 1), np.array([0, 2])]
    got, want = (array(m(inputs, training=True)) for m in (copy, built))
    np.testing.assert_array_equal(got, want)
