"""Networks of super-resolution: the references' numbers, at any size and scale."""

import json

from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from numpy_networks import conv, relu
from paths import GOLDEN
import pytest

from keras_gans.convert import convert_file, files, from_state, read
from keras_gans.networks import superresolution_discriminators as discriminators
from keras_gans.networks.rrdbnet import rrdbnet
from keras_gans.networks.srresnet import msrresnet, srresnet
from keras_gans.networks.srvgg import srvgg

GENERATORS = ("sr_srresnet_x4", "sr_rrdbnet_x4", "sr_rrdbnet_x2", "sr_srvgg_x4")
DISCRIMINATORS = ("sr_unet_sn_D", "sr_vggstyle128_D")


def filled(shapes):
    state = {name: fill(name, shape) for name, shape in shapes.items()}
    for name in [name for name in state if name.endswith(".weight_orig")]:
        prefix = name.removesuffix("_orig")
        u, _, vh = np.linalg.svd(state[name].reshape(len(state[name]), -1))
        state |= {f"{prefix}_u": u[:, 0], f"{prefix}_v": vh[0]}
    return state


def golden(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    assert about["mode"] == "fan_in"
    return filled(dict(about["weights"])), np.load(GOLDEN / f"{name}.npz")


def run(model, x, **kwargs):
    """Channels first in and out; images in [0, 1]."""
    x = (2 * x.transpose(0, 2, 3, 1) - 1).astype("float32")
    made = ops.convert_to_numpy(model(x, **kwargs))
    if made.ndim == 2 or "logits" in model.output_names:
        return made if made.ndim == 2 else made.transpose(0, 3, 1, 2)
    return (made.transpose(0, 3, 1, 2) + 1) / 2


def check_close(got, want):
    # The project's bound for small fixtures; sums in another order reach 1e-6.
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    "name",
    [
        *(n for n in (*GENERATORS, *DISCRIMINATORS) if n != "sr_srvgg_x4"),
        # On JAX all of them pass, and take a minute and a half to compile.
        pytest.param("sr_srvgg_x4", marks=pytest.mark.backends),
    ],
)
def test_the_reference_outputs_come_out(name):
    state, golden_arrays = golden(name)
    check_close(run(from_state(state), golden_arrays["x"]), golden_arrays["y"])


@pytest.mark.daily(1)
@pytest.mark.parametrize(("file", "wanted"), [("mid", 1), ("old", 1), ("both", 0.5)])
def test_all_names_of_esrgan_load(file, wanted):
    """Two older schemes, and the average of the newest: half of every weight."""
    want, _ = golden("sr_esrgan_names")
    path = GOLDEN / f"sr_esrgan_names_{file}.pth"
    target, text = convert_file(path, "converted", overwrite=True)
    model = keras.saving.load_model(target)  # with Keras alone
    assert "rrdbnet" in text and "scale 4" in text and "blocks 2" in text
    kernel = model.get_layer("block_1_dense3_conv5").kernel
    want = wanted * want["body.1.rdb3.conv5.weight"].transpose(2, 3, 1, 0)
    np.testing.assert_array_equal(ops.convert_to_numpy(kernel), want)


# Written anew in NumPy, for what has no fixture.


def shuffled(x, r):
    n, c, h, w = x.shape
    x = x.reshape(n, c // r**2, r, r, h, w)
    return x.transpose(0, 1, 4, 2, 5, 3).reshape(n, c // r**2, r * h, r * w)


def repeated(x, r):
    return x.repeat(r, 2).repeat(r, 3)


def leaky(x, slope):
    return np.where(x > 0, x, slope * x)


def bilinear(x, r):
    """Between the centres of pixels; beyond the last ones, they go on."""
    for axis in (2, 3):
        side = x.shape[axis]
        at = np.clip((np.arange(r * side) + 0.5) / r - 0.5, 0, side - 1)
        low = np.minimum(at.astype(int), side - 2)
        part = (at - low).reshape([-1 if a == axis else 1 for a in range(4)])
        x = (1 - part) * x.take(low, axis) + part * x.take(low + 1, axis)
    return x


def rrdb_shapes(c, width, blocks, growth, ups, unshuffle):
    shapes = {"conv_first": (width, c * unshuffle**2), "conv_body": (width, width)}
    for i in range(blocks):
        for k in (1, 2, 3):
            for j in range(1, 6):
                outputs = growth if j < 5 else width
                name = f"body.{i}.rdb{k}.conv{j}"
                shapes[name] = (outputs, width + (j - 1) * growth)
    shapes |= {f"conv_up{i + 1}": (width, width) for i in range(ups)}
    return with_biases({**shapes, "conv_hr": (width, width), "conv_last": (c, width)})


def with_biases(pairs):
    shapes = {f"{name}.weight": (*two, 3, 3) for name, two in pairs.items()}
    return shapes | {f"{name}.bias": (two[0],) for name, two in pairs.items()}


def rrdb(state, x, blocks, ups, unshuffle):
    n, c, h, w = x.shape
    r = unshuffle
    x = x.reshape(n, c, h // r, r, w // r, r).transpose(0, 1, 3, 5, 2, 4)
    first = x = conv(x.reshape(n, c * r**2, h // r, w // r), state, "conv_first")
    for i in range(blocks):
        h = x
        for k in (1, 2, 3):
            maps = [h]
            for j in range(1, 6):
                made = conv(np.concatenate(maps, 1), state, f"body.{i}.rdb{k}.conv{j}")
                maps.append(leaky(made, 0.2))
            h = h + 0.2 * made
        x = x + 0.2 * h
    x = first + conv(x, state, "conv_body")
    for i in range(ups):
        x = leaky(conv(repeated(x, 2), state, f"conv_up{i + 1}"), 0.2)
    return conv(leaky(conv(x, state, "conv_hr"), 0.2), state, "conv_last")


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    ("c", "width", "blocks", "growth", "ups", "unshuffle", "scale"),
    [(1, 5, 1, 3, 2, 4, 1), (3, 4, 2, 2, 3, 1, 8), (3, 6, 1, 4, 1, 1, 2)],
)
def test_rrdb_networks_of_other_scales(c, width, blocks, growth, ups, unshuffle, scale):
    state = filled(rrdb_shapes(c, width, blocks, growth, ups, unshuffle))
    x = np.random.default_rng(0).uniform(0, 1, (2, c, 8, 12))
    model = from_state({"params": state})
    assert model.input_shape == (None, None, None, c)
    want = rrdb(state, x, blocks, ups, unshuffle)
    assert want.shape == (2, c, 8 * scale, 12 * scale)
    check_close(run(model, x), want)


@pytest.mark.parametrize("ups", [0, 3])
def test_the_first_names_at_other_scales(ups):
    """As ESRGAN's first version numbers them: at a scale of 1, no doublings."""
    state = filled(rrdb_shapes(3, 4, 2, 2, ups, 1))
    numbers = {"conv_first": "model.0", "conv_body": "model.1.sub.2"}
    numbers |= {f"conv_up{i + 1}": f"model.{3 * i + 3}" for i in range(ups)}
    numbers |= {"conv_hr": f"model.{3 * ups + 2}", "conv_last": f"model.{3 * ups + 4}"}
    old = {}
    for name, value in state.items():
        layer, _, leaf = name.rpartition(".")
        if layer not in numbers:  # body.1.rdb2.conv3
            _, block, dense, conv = layer.split(".")
            numbers[layer] = f"model.1.sub.{block}.RDB{dense[-1]}.{conv}.0"
        old[f"{numbers[layer]}.{leaf}"] = value
    x = np.random.default_rng(0).uniform(0, 1, (1, 3, 5, 6))
    check_close(run(from_state(old), x), rrdb(state, x, 2, ups, 1))


@pytest.mark.parametrize(("scale", "blocks", "width"), [(2, 1, 3), (3, 2, 5)])
def test_srresnets_of_other_scales(scale, blocks, width):
    pairs = {"conv_first": (width, 3), "upconv1": (width * scale**2, width)}
    for i in range(blocks):
        pairs |= {f"body.{i}.conv{k}": (width, width) for k in (1, 2)}
    pairs |= {"conv_hr": (width, width), "conv_last": (3, width)}
    state = filled(with_biases(pairs))
    x = np.random.default_rng(1).uniform(0, 1, (1, 3, 7, 9))
    h = leaky(conv(x, state, "conv_first"), 0.1)
    for i in range(blocks):
        made = conv(relu(conv(h, state, f"body.{i}.conv1")), state, f"body.{i}.conv2")
        h = h + made
    h = leaky(shuffled(conv(h, state, "upconv1"), scale), 0.1)
    want = conv(leaky(conv(h, state, "conv_hr"), 0.1), state, "conv_last")
    check_close(run(from_state(state), x), want + bilinear(x, scale))


def test_rectifiers_and_scales_of_srvgg():
    pairs = {"body.0": (4, 3), "body.2": (4, 4), "body.4": (27, 4)}
    state = filled(with_biases(pairs))
    x = np.random.default_rng(2).uniform(0, 1, (1, 3, 5, 6))
    for given, act in (({}, relu), ({"activation": "leaky_relu"}, None)):
        act = act or (lambda h: leaky(h, 0.1))
        h = act(conv(act(conv(x, state, "body.0")), state, "body.2"))
        want = shuffled(conv(h, state, "body.4"), 3) + repeated(x, 3)
        check_close(run(from_state(state, **given), x), want)


def norm(h, layer):
    """Batch norm by the moving statistics of one of our layers, channels last."""
    gamma, beta, mean, var = layer.get_weights()
    return (h - mean) / np.sqrt(var + 1e-5) * gamma + beta


def test_the_paper_s_network_is_the_paper_s():
    """Batch norm, learned slopes, a skip over all blocks, a tanh; scale 3."""
    model = srresnet(scale=3, blocks=1, width=4)
    rng = np.random.default_rng(3)
    for v in model.weights:
        noise = rng.normal(0, 0.15, v.shape)
        v.assign(np.abs(noise) + 0.5 if "variance" in v.path else noise)
    state = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = layer.get_weights()
            kernel = kernel.transpose(3, 2, 0, 1)
            state |= {f"{layer.name}.weight": kernel, f"{layer.name}.bias": bias}

    def of(name):
        return model.get_layer(name)

    def slope(h, name):
        alpha = of(name).get_weights()[0][0, 0][:, None, None]
        return np.where(h > 0, h, alpha * h)

    def normed(h, name):
        h = conv(h, state, name).transpose(0, 2, 3, 1)
        found = {"body": "body_norm"}.get(name, name.replace("conv", "norm"))
        return norm(h, of(found)).transpose(0, 3, 1, 2)

    x = rng.uniform(0, 1, (1, 3, 6, 5))
    first = slope(conv(x, state, "first"), "first_prelu")
    h = slope(normed(first, "block_0_conv1"), "block_0_prelu")
    h = first + normed(h, "block_0_conv2")
    h = first + normed(h, "body")
    blocks = conv(h, state, "up_0")  # ours are ordered pixel by pixel
    n, c, height, width = blocks.shape
    blocks = blocks.reshape(n, 9, c // 9, height, width).swapaxes(1, 2)
    h = slope(shuffled(blocks.reshape(n, c, height, width), 3), "up_0_prelu")
    want = np.tanh(conv(h, state, "last"))
    check_close(2 * run(model, x) - 1, want)


@pytest.mark.parametrize(
    "build",
    [
        lambda **k: srresnet(blocks=1, width=4, **k),
        lambda **k: msrresnet(blocks=1, width=4, **k),
        lambda **k: rrdbnet(blocks=1, width=4, growth=2, **k),
        lambda **k: srvgg(convs=1, width=4, **k),
    ],
)
def test_any_size_and_channels(build):
    model = build(scale=2, image_shape=(None, None, 4))
    made = model(np.zeros((1, 6, 10, 4), "float32"))
    assert made.shape == (1, 12, 20, 4)
    with pytest.raises(ValueError, match="scale"):
        build(scale=0)


def test_discriminators_of_other_crops():
    for side, last in ((32, 4), (96, 6), (100, 6)):
        model = discriminators.vgg_discriminator((side, side, 3), width=2)
        assert model.get_layer("flat").input.shape[1] == last
        assert model.output_shape == (None, 1)
    paper = discriminators.srgan_discriminator(width=4, dense=8)
    convs = [x for x in paper.layers if isinstance(x, keras.layers.Conv2D)]
    assert [x.filters for x in convs] == [4, 4, 8, 8, 16, 16, 32, 32]
    assert [x.strides[0] for x in convs] == [1, 2] * 4
    assert discriminators.unet_discriminator(width=2).name == "discriminator"
    norms = [x for x in paper.layers if "norm" in x.name]
    assert len(norms) == 7 and paper.get_layer("flat").output.shape[1] == 36 * 32
    with pytest.raises(ValueError, match="larger crops"):
        discriminators.vgg_discriminator((7, 64, 3))
    with pytest.raises(ValueError, match="multiples of 8"):
        discriminators.unet_discriminator((20, 16, 3))


def test_other_architectures_are_refused():
    state, _ = golden("sr_srresnet_x4")
    with pytest.raises(ValueError, match=r"Missing: body.2.conv2.bias"):
        from_state({k: v for k, v in state.items() if k != "body.2.conv2.bias"})
    with pytest.raises(ValueError, match=r"Unexpected: head.0.weight"):
        from_state({**state, "head.0.weight": np.zeros((2, 2, 3, 3))})
    with pytest.raises(ValueError, match="must hold the weights of one network"):
        from_state({"params": state, "other": state})
    edsr = {k.replace("upconv1", "upsample.0"): v for k, v in state.items()}
    edsr |= {"conv_after_body.weight": np.zeros((16, 16, 3, 3))}
    with pytest.raises(ValueError, match="another network of super-resolution"):
        files.detect(edsr)


def test_snapshots_say_which_they_are():
    """The layouts of the official files; those weigh 67 MB."""
    assert read(GOLDEN / "sr_esrgan_names_both.pth").keys() == {"params", "params_ema"}
    state, _ = golden("sr_srvgg_x4")
    model = from_state({"params": state})
    assert model.count_params() == 16768  # of the record
