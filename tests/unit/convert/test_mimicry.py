"""Mimicry's residual networks: its numbers come out, at any size it has."""

import json

from golden.recipe import fill
import keras
import numpy as np
from numpy_networks import conv, halved, kernel, relu
from paths import GOLDEN
import pytest

from keras_gans.convert import from_state, read
from keras_gans.layers import SpectralNormalization


def with_singular_vectors(state):
    """Adds weight_u and weight_v to each weight_orig: the first ones."""
    for name in [name for name in state if name.endswith(".weight_orig")]:
        prefix = name.removesuffix("_orig")
        u, _, vh = np.linalg.svd(state[name].reshape(len(state[name]), -1))
        state |= {f"{prefix}_u": u[:, 0], f"{prefix}_v": vh[0]}
    return state


def recipe_state(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    assert about["mode"] == "fan_in"
    return with_singular_vectors(
        {weight: fill(weight, shape) for weight, shape in about["weights"]}
    )


def file_state(name):
    return read(GOLDEN / f"{name}.pth")


def check_close(got, want):
    # The project's bound for small fixtures; sums in another order reach 1e-6.
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


def run(model, x, label=None):
    inputs = x if label is None else [x, label]
    return np.asarray(model(inputs, training=False))


def generated(model, z, label=None):
    return run(model, z, label).transpose(0, 3, 1, 2)


def scored(model, x, label=None):
    return run(model, x.transpose(0, 2, 3, 1).astype("float32"), label)


@pytest.mark.daily(2)
@pytest.mark.full_on_jax
@pytest.mark.parametrize("state_of", [recipe_state, file_state])
@pytest.mark.parametrize(
    "name", ["wgan_gp", "sngan", pytest.param("cgan_pd", marks=pytest.mark.backends)]
)
def test_the_reference_outputs_come_out(name, state_of, implementation):
    golden = np.load(GOLDEN / f"mimicry_{name}_32_G.npz")
    label = golden["y"].astype("int32") if name == "cgan_pd" else None
    model = implementation(from_state(state_of(f"mimicry_{name}_32_G")))
    check_close(generated(model, golden["z"], label), golden["img"])
    golden = np.load(GOLDEN / f"mimicry_{name}_32_D.npz")
    model = implementation(from_state(state_of(f"mimicry_{name}_32_D")))
    check_close(scored(model, golden["x"], label), golden["logits"])


def doubled(x):
    """Bilinear: 3/4 of the pixel, 1/4 of its neighbour on that side."""
    for axis in (2, 3):
        x = np.moveaxis(x, axis, -1)
        before = np.concatenate([x[..., :1], x[..., :-1]], -1)
        after = np.concatenate([x[..., 1:], x[..., -1:]], -1)
        halves = np.stack([0.75 * x + 0.25 * before, 0.75 * x + 0.25 * after])
        x = np.moveaxis(halves, 0, -1).reshape(*x.shape[:-1], -1)
        x = np.moveaxis(x, -1, axis)
    return x


def norm(x, state, prefix, label):
    if label is None:
        gain, bias = (state[f"{prefix}.{leaf}"] for leaf in ("weight", "bias"))
        gain, bias, stats = gain[None], bias[None], prefix
    else:
        gain, bias = np.split(state[f"{prefix}.embed.weight"][label], 2, -1)
        stats = f"{prefix}.bn"
    mean, var = (
        state[f"{stats}.running_{leaf}"][:, None, None] for leaf in ("mean", "var")
    )
    x = (x - mean) / np.sqrt(var + 1e-5)
    return x * gain[:, :, None, None] + bias[:, :, None, None]


def generator_reference(state, z, base, blocks, label=None):
    x = z @ state["l1.weight"].T + state["l1.bias"]
    x = x.reshape(len(z), -1, base, base)
    for i in range(2, blocks + 2):
        name = f"block{i}"
        h = doubled(relu(norm(x, state, f"{name}.b1", label)))
        h = relu(norm(conv(h, state, f"{name}.c1"), state, f"{name}.b2", label))
        x = conv(h, state, f"{name}.c2") + conv(doubled(x), state, f"{name}.c_sc")
    x = relu(norm(x, state, f"b{blocks + 2}", None))
    return np.tanh(conv(x, state, f"c{blocks + 2}"))


def critic_reference(state, x, halves, linear, pool, label=None):
    h = conv(relu(conv(x, state, "block1.c1")), state, "block1.c2")
    x = halved(h) + conv(halved(x), state, "block1.c_sc")
    for i, halve in enumerate(halves[1:], start=2):
        name, x = f"block{i}", relu(x)
        h = conv(relu(conv(x, state, f"{name}.c1")), state, f"{name}.c2")
        if f"{name}.c_sc.bias" in state:
            x = conv(x, state, f"{name}.c_sc")
        x = halved(h) + halved(x) if halve else h + x
    h = getattr(np, pool)(relu(x), (2, 3))
    y = h @ kernel(state, linear).T + state[f"{linear}.bias"]
    if label is not None:
        y += (kernel(state, "l_y")[label] * h).sum(1, keepdims=True)
    return y


def filled(shapes):
    return {name: fill(name, shape) for name, shape in shapes.items()}


def conv_shapes(prefix, inputs, outputs, size, leaf="weight"):
    return {
        f"{prefix}.{leaf}": (outputs, inputs, size, size),
        f"{prefix}.bias": (outputs,),
    }


def generator_state(nz, base, widths, nc, classes=None):
    shapes = {
        "l1.weight": (base * base * widths[0], nz),
        "l1.bias": (base * base * widths[0],),
    }

    def add_norm(prefix, channels, classes):
        stats = prefix if classes is None else f"{prefix}.bn"
        for leaf in ("running_mean", "running_var"):
            shapes[f"{stats}.{leaf}"] = (channels,)
        if classes is None:
            for leaf in ("weight", "bias"):
                shapes[f"{prefix}.{leaf}"] = (channels,)
        else:
            shapes[f"{prefix}.embed.weight"] = (classes, 2 * channels)

    end = len(widths) + 1
    for i in range(2, end):
        a, b = widths[i - 2 : i]
        add_norm(f"block{i}.b1", a, classes)
        add_norm(f"block{i}.b2", b, classes)
        shapes |= conv_shapes(f"block{i}.c1", a, b, 3)
        shapes |= conv_shapes(f"block{i}.c2", b, b, 3)
        shapes |= conv_shapes(f"block{i}.c_sc", a, b, 1)
    add_norm(f"b{end}", widths[-1], None)
    shapes |= conv_shapes(f"c{end}", widths[-1], nc, 3)
    return filled(shapes)


def critic_state(nc, widths, halves, linear, spectral=False, classes=None):
    leaf = "weight_orig" if spectral else "weight"
    shapes = {}
    for i, (a, b) in enumerate(zip([nc, *widths[:-1]], widths, strict=True), start=1):
        hidden = b if i == 1 else a
        shapes |= conv_shapes(f"block{i}.c1", a, hidden, 3, leaf)
        shapes |= conv_shapes(f"block{i}.c2", hidden, b, 3, leaf)
        if halves[i - 1] or a != b:
            shapes |= conv_shapes(f"block{i}.c_sc", a, b, 1, leaf)
    if classes is None:
        shapes |= {f"{linear}.{leaf}": (1, widths[-1])}
    else:
        shapes |= {
            f"{linear}.weight": (1, widths[-1]),
            f"{linear}.sn_u": (1, 1),
            f"{linear}.sn_sigma": (1,),
            "l_y.weight": (classes, widths[-1]),
            "l_y.sn_u": (1, classes),
            "l_y.sn_sigma": (1,),
        }
    shapes |= {f"{linear}.bias": (1,)}
    return with_singular_vectors(filled(shapes))


# Image side, smallest map and widths, as torch_mimicry/nets has them; classes.
GENERATORS = [
    (32, 4, [8, 8, 8, 8], 3),
    (32, 4, [24, 24, 24, 24], None),
    (48, 6, [24, 12, 6, 3], None),
    (64, 4, [24, 12, 6, 3, 1], 3),
    (128, 4, [32, 32, 16, 8, 4, 2], None),
]
# Model and image side: widths, how many blocks halve the map, the last layer.
CRITICS = [
    ("wgan_gp", 32, [24] * 4, 2, "l5"),
    ("cgan_pd", 32, [8] * 4, 2, "l5"),
    ("sngan", 48, [1, 3, 6, 12, 24], 4, "l5"),
    ("cgan_pd", 64, [1, 3, 6, 12, 24], 5, "l6"),
    ("wgan_gp", 128, [2, 4, 8, 16, 32, 32], 5, "l7"),
]


@pytest.mark.daily(1)
@pytest.mark.parametrize(("side", "base", "widths", "classes"), GENERATORS)
def test_generators_of_other_sizes(side, base, widths, classes):
    state = generator_state(5, base, widths, 2, classes)
    z = np.random.default_rng(0).standard_normal((2, 5)).astype("float32")
    label = None if classes is None else np.array([2, 0])
    want = generator_reference(state, z, base, len(widths) - 1, label)
    assert want.shape == (2, 2, side, side)
    check_close(generated(from_state(state), z, label), want)


@pytest.mark.daily(1)
@pytest.mark.parametrize(("kind", "side", "widths", "count", "linear"), CRITICS)
def test_critics_of_other_sizes(kind, side, widths, count, linear):
    spectral, classes = kind != "wgan_gp", 3 if kind == "cgan_pd" else None
    halves = [i < count for i in range(len(widths))]
    state = critic_state(1, widths, halves, linear, spectral, classes)
    x = np.random.default_rng(0).standard_normal((2, 1, side, side))
    label = None if classes is None else np.array([2, 1])
    pool = "mean" if kind == "wgan_gp" else "sum"
    want = critic_reference(state, x, halves, linear, pool, label)
    model = from_state(state)
    assert model.get_layer("images").output.shape[1:] == (side, side, 1)
    check_close(scored(model, x, label), want)


def test_the_size_that_names_do_not_tell_is_an_argument():
    """WGAN-GP's last layer is l6 at 48 pixels as at 64."""
    widths, halves = [1, 2, 4, 8, 16], [True] * 4 + [False]
    state = critic_state(3, widths, halves, "l6")
    x = np.random.default_rng(0).standard_normal((2, 3, 48, 48))
    model = from_state(state, image_shape=(48, 48, 3))
    want = critic_reference(state, x, halves, "l6", "mean")
    check_close(scored(model, x), want)
    summed = from_state(state, image_shape=(48, 48, 3), pooling="sum")
    want = critic_reference(state, x, halves, "l6", "sum")
    check_close(scored(summed, x), want)


def test_evaluation_iterates_where_the_reference_does(tmp_path):
    model = from_state(file_state("mimicry_cgan_pd_32_D"))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for network in (model, loaded):
        iterating = {
            layer.name
            for layer in network.layers
            if isinstance(layer, SpectralNormalization) and layer.iterate_in_inference
        }
        assert iterating == {"score", "class_embedding"}
    model = from_state(file_state("mimicry_sngan_32_D"))
    assert not model.get_layer("score").iterate_in_inference


def test_states_that_do_not_fit_are_refused():
    generator = generator_state(5, 4, [8, 8, 8, 8], 3, 3)
    halves = [True, True, False, False]
    critic = critic_state(3, [8] * 4, halves, "l5", True, 3)
    # Each name the build needs, missing or of another shape; the message
    # depends on what its absence makes of the rest.
    match = r"do not fit|no family known|sn_u must have|16 x 16|`width`"
    for state in (generator, critic):
        for name in set(state) - {"l5.sn_sigma", "l_y.sn_sigma"}:
            with pytest.raises(ValueError, match=match):
                from_state({k: v for k, v in state.items() if k != name})
            for shape in ((), (2, *state[name].shape), (0,)):
                with pytest.raises(ValueError, match=match):
                    from_state(state | {name: np.zeros(shape)})

    def check(match, state, **config):
        with pytest.raises(ValueError, match=match):
            from_state(state, **config)

    check(r"Unexpected: l_y\.bias", critic | {"l_y.bias": np.ones(3)})
    check("Unexpected: attn_block", critic | {"attn_block.gamma": np.ones(())})
    check(r"expected \(9, 9, 3, 3\)", critic, width=9)
    check("`network` must be one of", critic, network="encoder")
    check(r"Missing: .*c_sc", critic, image_shape=(64, 64, 3), width=16)
    check("l_y.sn_u must have one number", critic | {"l_y.sn_u": np.ones((1, 4))})


def test_sizes_that_a_file_does_not_have_are_not_allocated():
    """Arrays of a few megabytes must not ask for one of 360 gigabytes."""
    wide = 100_000
    state = generator_state(1, 4, [8, 8, 8, 8], 3)
    state["l1.weight"] = np.broadcast_to(np.float32(0), (16 * wide, 1))
    state["block2.c1.weight"] = np.broadcast_to(np.float32(0), (1, wide, 3, 3))
    match = r"fit the generator.*expected \(3, 100000, 3, 3\)"
    with pytest.raises(ValueError, match=match):
        from_state(state)
