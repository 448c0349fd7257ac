"""Reference weights as Keras models: the reference's numbers must come out."""

import json

from golden.recipe import fill
import numpy as np
from paths import GOLDEN
import pytest

from keras_gans.convert import from_state, read


def recipe_state(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    return {
        weight: fill(weight, shape, about["mode"]) for weight, shape in about["weights"]
    }


def file_state(name):
    return read(GOLDEN / f"{name}.pth")


def check_close(got, want):
    # The project's bound for small fixtures; sums in another order reach 1e-6.
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


def run(model, x, training):
    return np.asarray(model(x, training=training))


@pytest.mark.full_on_jax
@pytest.mark.parametrize("state_of", [recipe_state, file_state])
@pytest.mark.parametrize(
    "mode", ["eval", pytest.param("train", marks=pytest.mark.backends)]
)
# Of the other implementations, the one that is taken for it.
@pytest.mark.parametrize(
    "implementation",
    ["keras", pytest.param("winograd", marks=pytest.mark.full)],
    indirect=True,
)
def test_dcgan_generator_gives_the_reference_images(state_of, mode, implementation):
    golden = np.load(GOLDEN / "dcgan64_G.npz")
    model = implementation(from_state(state_of("dcgan64_G")))
    images = run(model, golden["z"][:, :, 0, 0], mode == "train")
    check_close(images.transpose(0, 3, 1, 2), golden[f"img_{mode}"])


@pytest.mark.full_on_jax
@pytest.mark.parametrize("state_of", [recipe_state, file_state])
@pytest.mark.parametrize(
    "mode", ["eval", pytest.param("train", marks=pytest.mark.backends)]
)
def test_dcgan_discriminator_gives_the_reference_scores(state_of, mode, implementation):
    golden = np.load(GOLDEN / "dcgan64_D.npz")
    model = implementation(from_state(state_of("dcgan64_D")))
    images = golden["x"].transpose(0, 2, 3, 1)
    logits = run(model, images, mode == "train")
    assert logits.shape == (len(images), 1)
    check_close(1 / (1 + np.exp(-logits[:, 0])), golden[f"p_{mode}"])


# The reference's definition in numpy, channels first, for other sizes.


def conv(x, weight, stride, pad):
    """out[o, h, w] = sum of x[i, h s + y - p, w s + x - p] W[o, i, y, x]."""
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(
        x, weight.shape[2:], axis=(2, 3)
    )[:, :, ::stride, ::stride]
    return np.einsum("nihwyx,oiyx->nohw", windows, weight)


def conv_transpose(x, weight, stride, pad):
    """Each pixel stamps its kernel on the output, `stride` apart."""
    batch, _, height, width = x.shape
    size = weight.shape[2]
    out = np.zeros(
        (
            batch,
            weight.shape[1],
            (height - 1) * stride + size,
            (width - 1) * stride + size,
        )
    )
    for row in range(height):
        for column in range(width):
            top, left = row * stride, column * stride
            out[:, :, top : top + size, left : left + size] += np.einsum(
                "ni,ioyx->noyx", x[:, :, row, column], weight
            )
    return out[:, :, pad : out.shape[2] - pad, pad : out.shape[3] - pad]


def norm(x, state, prefix):
    mean, var, gain, bias = (
        state[f"{prefix}.{leaf}"][:, None, None]
        for leaf in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / np.sqrt(var + 1e-5) * gain + bias


def norm_state(prefix, size):
    leaves = ("weight", "bias", "running_mean", "running_var")
    return {f"{prefix}.{leaf}": fill(f"{prefix}.{leaf}", (size,)) for leaf in leaves}


def generator_state(nz, widths, nc):
    ladder = [nz, *widths, nc]
    state = {}
    for i in range(len(ladder) - 1):
        name = f"main.{3 * i}.weight"
        state[name] = fill(name, (*ladder[i : i + 2], 4, 4))
        if i < len(widths):
            state |= norm_state(f"main.{3 * i + 1}", widths[i])
    return state


def generator_reference(z, state, depth):
    x = conv_transpose(z[:, :, None, None], state["main.0.weight"], 1, 0)
    for i in range(1, depth + 1):
        x = np.maximum(norm(x, state, f"main.{3 * i - 2}"), 0)
        x = conv_transpose(x, state[f"main.{3 * i}.weight"], 2, 1)
    return np.tanh(x)


def discriminator_state(nc, widths):
    ladder = [nc, *widths, 1]
    state = {}
    for i in range(len(ladder) - 1):
        name = f"main.{3 * i - 1 if i else 0}.weight"
        state[name] = fill(name, (ladder[i + 1], ladder[i], 4, 4))
        if 0 < i < len(widths):
            state |= norm_state(f"main.{3 * i}", widths[i])
    return state


def discriminator_reference(x, state, depth):
    x = conv(x, state["main.0.weight"], 2, 1)
    for i in range(1, depth):
        x = np.maximum(x, 0.2 * x)
        x = conv(x, state[f"main.{3 * i - 1}.weight"], 2, 1)
        x = norm(x, state, f"main.{3 * i}")
    x = np.maximum(x, 0.2 * x)
    return conv(x, state[f"main.{3 * depth - 1}.weight"], 1, 0)[:, :, 0, 0]


@pytest.mark.parametrize("nz, widths, nc", [(32, [32, 16, 8, 4], 1), (7, [6, 3], 4)])
def test_generator_of_any_size(nz, widths, nc):
    state = generator_state(nz, widths, nc)
    z = np.random.default_rng(0).standard_normal((2, nz)).astype("float32")
    want = generator_reference(z, state, len(widths))
    side = 4 * 2 ** len(widths)
    assert want.shape == (2, nc, side, side)
    images = run(from_state(state), z, False)
    check_close(images.transpose(0, 3, 1, 2), want)


@pytest.mark.parametrize("nc, widths", [(1, [4, 8, 16, 32]), (2, [3, 6])])
def test_discriminator_of_any_size(nc, widths):
    state = discriminator_state(nc, widths)
    side = 4 * 2 ** len(widths)
    x = np.random.default_rng(0).standard_normal((2, nc, side, side))
    want = discriminator_reference(x, state, len(widths))
    got = run(from_state(state), x.transpose(0, 2, 3, 1).astype("f4"), False)
    check_close(got, want)


@pytest.fixture
def state():
    """A small discriminator of 16 x 16 images with two channels."""
    return discriminator_state(2, [3, 6])


def weights_of(model):
    return np.concatenate([np.asarray(w.value).ravel() for w in model.weights])


def test_wrapped_and_prefixed_states_are_the_same(state):
    want = weights_of(from_state(state))
    parallel = {f"module.{name}": value for name, value in state.items()}
    counted = state | {"main.3.num_batches_tracked": np.array(9)}
    half = {name: value.astype("float64") for name, value in state.items()}
    wrapped = {"epoch": 3, "model": parallel, "optimizer": {"state": {0: {}}}}
    for other in (parallel, counted, half, {"state_dict": state}, wrapped):
        np.testing.assert_array_equal(weights_of(from_state(other)), want)
    forced = from_state(state, family="dcgan", width=3, image_shape=(16, 16, 2))
    np.testing.assert_array_equal(weights_of(forced), want)


def aligned(value):
    """A copy where JAX would use the memory itself: at 64 bytes."""
    raw = np.empty(value.nbytes + 64, "uint8")
    start = -raw.ctypes.data % 64
    copy = raw[start : start + value.nbytes].view(value.dtype)
    copy = copy.reshape(value.shape)
    copy[...] = value
    return copy


@pytest.mark.backends
def test_the_state_is_copied(state):
    state = {name: aligned(value) for name, value in state.items()}
    model = from_state(state)
    want = weights_of(model)
    for value in state.values():
        value += 1
    np.testing.assert_array_equal(weights_of(model), want)


def test_names_that_do_not_fit_are_listed(state):
    def check(changed, match, **config):
        with pytest.raises(ValueError, match=match):
            from_state(changed, **config)

    def without(*names):
        return {k: v for k, v in state.items() if k not in names}

    check(without("main.3.bias"), r"Missing: main\.3\.bias\.")
    check(without("main.2.weight"), r"Missing: main\.2\.weight\.")
    check(state | {"main.9.bias": np.ones(2)}, r"Unexpected: main\.9\.bias\.")
    check(
        state | {"main.3.weight": np.ones(5)},
        r"main\.3\.weight has shape \(5,\), expected \(6,\)",
    )
    check(
        state | {"main.2.weight": np.ones((6, 3, 4, 3))},
        r"main\.2\.weight has shape \(6, 3, 4, 3\), expected \(6, 3, 4, 4\)",
    )
    check(state, r"main\.0\.weight has shape .*expected \(5, 2", width=5)
    check(state, "`network` must be one of", network="encoder")
    check(state, r"Received others: \['depth'\]", depth=3)


def test_other_states_are_refused(state):
    cases = {
        "no family known: dcgan.*conv1.weight": {"conv1.weight": np.ones(3)},
        "no family known.*main.1.weight": {"main.1.weight": np.ones(3)},
        "must be a dict": [1, 2],
        "must be a dict.*{}": {},
        "one network.*'epoch'": {"epoch": 3},
        "Pass one of these": {"g": state, "d": state},
        "'epoch' must be an array": state | {"epoch": 3},
        "'x' must be an array of real": state | {"x": np.array(["a"])},
        "real numbers.*complex64": state | {"x": np.ones(1, "complex64")},
    }
    for match, other in cases.items():
        with pytest.raises(ValueError, match=match):
            from_state(other)
    with pytest.raises(ValueError, match="`family` must be one of"):
        from_state(state, family="vae")
    with pytest.raises(ValueError, match="no family known"):
        from_state({"conv1.weight": np.ones(3)}, family="dcgan")


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_values_that_are_not_finite_are_refused(state, value):
    bias = np.array([0, 0, 0, 0, 0, value])
    with pytest.raises(ValueError, match=r"main\.3\.bias.*not finite"):
        from_state(state | {"main.3.bias": bias})


def test_sizes_that_a_file_does_not_have_are_not_allocated():
    """Kernels of a few megabytes must not ask for one of a terabyte."""
    wide = 100_000
    shapes = [(1, wide, 4, 4), (wide, 1, 4, 4), (wide, 1, 4, 4)]
    state = {
        f"main.{3 * i}.weight": np.broadcast_to(np.float32(0), shape)
        for i, shape in enumerate(shapes)
    }
    with pytest.raises(ValueError, match=r"main\.3\.weight.*expected \(200000"):
        from_state(state)
