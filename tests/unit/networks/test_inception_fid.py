"""The Inception network of FID: the reference's numbers at every tap."""

import json

from golden.recipe import fill
import keras
import numpy as np
from paths import GOLDEN
import pytest

from keras_gans.convert import from_state
from keras_gans.metrics.features.resizing import resize
from keras_gans.networks.features.inception_fid import TAPS, ResizeTF1, inception_fid


@pytest.fixture(scope="module")
def state():
    about = json.loads((GOLDEN / "inception_fid.json").read_text())
    state = {name: fill(name, shape) for name, shape in about["weights"]}
    kernels = {n: 1.4 * w for n, w in state.items() if w.ndim == 4}  # its note
    return state | kernels


@pytest.fixture(scope="module")
def network(state):
    counter = {"Conv2d_1a_3x3.bn.num_batches_tracked": np.array(3)}
    return from_state(state | counter, taps=TAPS)


def pictures(height, width):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (2, height, width, 3), dtype="uint8")


def test_the_reference_outputs_come_out_at_every_tap(network, state):
    golden = np.load(GOLDEN / "inception_fid.npz")
    outputs = network(golden["x"].transpose(0, 2, 3, 1))
    assert set(outputs) == set(TAPS)
    for name in sorted(set(golden) - {"x"}):
        got, want = outputs[name.removeprefix("f")], golden[name]
        assert got.shape == want.shape and got.dtype == "float32"
        # The project's bound; sums in another order reach 5e-7.
        assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()
    bias = outputs["logits"] - outputs["logits_unbiased"]
    np.testing.assert_allclose(bias, [state["fc.bias"]] * 2, atol=1e-6)


def test_what_comes_in_may_be_of_any_size_and_dtype(network):
    first = keras.Model(network.input, network.output["64"])
    for height, width in ((16, 40), (301, 320)):
        x = pictures(height, width)
        want = first(x)
        np.testing.assert_array_equal(first(x.astype("float64")), want)
        # 299 x 299 pixels pass as they are.
        x = resize(x, 299, "legacy_tensorflow")
        np.testing.assert_allclose(first(x), want, rtol=1e-5)


@pytest.mark.full
def test_a_single_tap_cuts_ignores_the_policy_and_reloads(network, tmp_path):
    full = keras.Model(network.input, network.output["64"])
    x = pictures(24, 32)
    want = full(x)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        cut = inception_fid("64")
        assert cut.output_shape == (None, 64)
        assert len(cut.weights) == 3 * 5  # the convolutions so far
        cut.set_weights(full.get_weights())
        cut.save(tmp_path / "network.keras")
        reloaded = keras.models.load_model(tmp_path / "network.keras")
    finally:
        keras.config.set_dtype_policy("float32")
    for model in (cut, reloaded):
        assert not model.trainable_weights
        np.testing.assert_array_equal(model(x), want)


@pytest.mark.backends
@pytest.mark.parametrize("shape", [(2, 9, 13, 3), (2, 40, 11, 3), (1, 1, 1, 2)])
def test_the_layer_resizes_as_legacy_tensorflow(shape):
    x = np.random.default_rng(0).uniform(0, 255, shape).astype("float32")
    # Compilers may fuse i * scale - floor: half a unit of the last place of
    # positions up to 40, times 255.
    want = resize(x, 17, "legacy_tensorflow")
    layer = ResizeTF1(17)
    np.testing.assert_allclose(layer(x), want, atol=1e-3)
    assert layer.compute_output_shape(x.shape) == want.shape
    inputs = keras.Input((None, None, shape[-1]))
    model = keras.Model(inputs, layer(inputs))
    np.testing.assert_allclose(model.predict(x, verbose=0), want, atol=1e-3)


@pytest.mark.full
def test_other_weights_are_refused(state):
    with pytest.raises(ValueError, match=r"'2047'\. Did you mean 2048"):
        from_state(state, taps="2047")
    with pytest.raises(ValueError, match="pytorch-fid"):
        from_state(state | {"AuxLogits.fc.bias": np.zeros(1000)})
    with pytest.raises(ValueError, match=r"fc.weight has shape \(1000, 2048\)"):
        from_state(state | {"fc.weight": np.zeros((1000, 2048))})


@pytest.mark.parametrize(
    ("taps", "message"),
    [
        ("logit", "Received: 'logit'. Did you mean logits"),
        (("64", "2047"), "Received: '2047'. Did you mean 2048"),
        ((), "must be a name"),
        (("64", "64"), "must be a name"),
    ],
)
def test_taps_have_names(taps, message):
    with pytest.raises(ValueError, match=message):
        inception_fid(taps)
