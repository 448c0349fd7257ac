"""Networks rebuilt from Keras's own layers."""

import json

import keras
from keras import ops
import numpy as np
import pytest

from keras_gans import layers
from keras_gans.layers import plain_keras
from keras_gans.layers.weight_norm import WeightNormalization
from keras_gans.networks.hifigan import Configuration, hifigan_generator
from keras_gans.networks.stylegan2 import stylegan2_generator

pytestmark = pytest.mark.backends


def noisy(network, seed=0):
    """`network` with other weights than those it starts from."""
    rng = np.random.default_rng(seed)
    for v in network.variables:
        if "float" in v.dtype and v.name not in ("u", "v"):
            v.assign(np.asarray(v) + rng.normal(0, 0.3, v.shape).astype("float32"))
    return network


def model_of(layer, shape):
    x = keras.Input(shape)
    return noisy(keras.Model(x, layer(x)))


def drawn(*shape):
    return np.random.default_rng(1).normal(size=shape).astype("float32")


def config_of(network):
    return json.dumps(keras.saving.serialize_keras_object(network))


def check(network, *given):
    """Returns the copy, which makes of each input what `network` does."""
    copy = plain_keras(network)
    assert "keras_gans" in config_of(network)
    assert "keras_gans" not in config_of(copy)
    for x in given:
        wanted = np.asarray(ops.cast(network(x, training=False), "float32"))
        found = np.asarray(ops.cast(copy(x, training=False), "float32"))
        assert found.shape == wanted.shape
        # The same operations; a compiler may order them anew.
        np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    return copy


@pytest.mark.full_on_jax
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    ("make", "kind"),
    [
        (lambda p: layers.EqualizedDense(5, rate=0.1, dtype=p), "Dense"),
        (lambda p: layers.EqualizedConv2D(5, 3, strides=2, dtype=p), "Conv2D"),
        (
            lambda p: layers.SpectralNormalization(
                keras.layers.Conv2DTranspose(5, 4, strides=2, dtype=p)
            ),
            "Conv2DTranspose",
        ),
        (lambda p: WeightNormalization(keras.layers.Conv2D(5, 3, dtype=p)), "Conv2D"),
        (lambda p: layers.SelfAttention(dtype=p), "Conv2D"),
        (lambda p: layers.Bias(dtype=p), "Embedding"),
        (lambda p: layers.NoiseMap(dtype=p), "Embedding"),
    ],
)
def test_a_layer_and_its_weights_become_kerass(make, kind, policy):
    """Also where they compute in half precision, in which rounding is coarse."""
    copy = check(model_of(make(policy), (6, 4, 8)), drawn(3, 6, 4, 8))
    assert kind in [type(layer).__name__ for layer in copy.layers]


@pytest.mark.full_on_jax
def test_sequences_keep_their_open_length():
    numbers = Configuration(4, (2,), (4,), "1", (3,), ((1, 3),))
    check(noisy(hifigan_generator(numbers, 3)), drawn(2, 5, 3), drawn(1, 9, 3))
    snake = model_of(layers.AntiAliasedSnake(), (None, 3))
    check(snake, drawn(2, 5, 3), drawn(1, 12, 3))
    stft = model_of(layers.InverseSTFT(8, 2), (None, 10))
    check(stft, drawn(2, 5, 10), drawn(1, 12, 10))


@pytest.mark.full_on_jax
def test_a_generator_of_models_keeps_its_names_and_takes_no_rows():
    network = noisy(stylegan2_generator((8, 8, 1), 4, 4, channel_max=8))
    before = config_of(network), [np.asarray(w) for w in network.weights]
    z = drawn(3, 4)
    copy = check(network, [z, np.full(3, 0.7, "float32")], [z[:0], z[:0, 0]])
    assert {"mapping", "synthesis"} <= {layer.name for layer in copy.layers}
    assert config_of(network) == before[0]
    for old, new in zip(before[1], network.weights, strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.full_on_jax
def test_weights_stay_weights():
    """A file's config, which is text, holds none of them, and shared ones once."""
    x, style = keras.Input((8, 8, 64)), keras.Input((64,))
    conv = layers.ModulatedConv2D(64, 3)
    network = keras.Model([x, style], conv([conv([x, style]), style]))
    copy = check(network, [drawn(2, 8, 8, 64), drawn(2, 64)])
    # The kernel, and sums of its squares.
    assert copy.count_params() == network.count_params() + 64 * 64
    assert len(config_of(copy)) < network.count_params()


@keras.saving.register_keras_serializable("keras_gans_tests")
def steep(x):
    return ops.tanh(3 * x)


@pytest.mark.full_on_jax
def test_layers_of_keras_with_what_keras_lacks():
    """A Sequential that was never called, too."""
    network = noisy(
        keras.Sequential(
            [
                keras.Input((8, 8, 3)),
                keras.layers.Conv2D(4, 3, activation=steep),
                layers.Bias(),
                keras.layers.Activation(steep),
                keras.layers.Conv2D(2, 3, activation="tanh"),
            ]
        )
    )
    copy = check(network, drawn(2, 8, 8, 3))
    kinds = [type(layer).__name__ for layer in copy.layers]
    assert kinds.count("Conv2D") == 2 and kinds.count("Activation") == 0
    assert copy.layers[-1].get_config()["activation"] == "tanh"  # as it was


@keras.saving.register_keras_serializable("keras_gans_tests")
class Styled(keras.layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x, style=None, mask=None, over=1.0):
        x = x if mask is None else x * ops.cast(mask, x.dtype)[..., None]
        return x if style is None else x + over * style[:, None]


def test_layers_of_tensors_by_name():
    """Keras gives masks so."""
    tokens, style = keras.Input((5,), dtype="int32"), keras.Input((4,))
    x = keras.layers.Embedding(6, 4, mask_zero=True)(tokens)
    styled = Styled()
    y = styled(styled(x, style=style), style=style, over=0.5)
    network = noisy(keras.Model([tokens, style], y))
    ids = np.random.default_rng(0).integers(0, 3, (2, 5)).astype("int32")
    check(network, [ids, drawn(2, 4)])


class Untraceable(keras.layers.Layer):
    def call(self, x):
        return ops.reshape(x, (-1, ops.shape(x)[1] * 2, 1))


class Subclassed(keras.Model):
    def call(self, x):
        return x


def test_what_cannot_be_rebuilt_is_refused():
    x = keras.Input((None, 2))
    network = keras.Model(x, Untraceable(name="odd")(x))
    with pytest.raises(ValueError, match=r"'odd' \(of type Untraceable\) cannot be"):
        plain_keras(network)
    network = Subclassed(name="own")
    network(np.zeros((1, 2)))
    with pytest.raises(ValueError, match=r"Functional and Sequential.*own"):
        plain_keras(network)
