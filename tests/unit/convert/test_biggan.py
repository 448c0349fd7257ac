"""BigGAN's files: other sizes, other names, and what does not fit."""

from golden.recipe import fill
import numpy as np
from numpy_networks import conv, halved, kernel, relu
from paths import GOLDEN
import pytest

from keras_gans.convert import from_state, read
from keras_gans.models.biggan import BigGAN
from keras_gans.networks.biggan import (
    D_WIDTHS,
    G_WIDTHS,
    biggan_discriminator,
    biggan_generator,
)


def filled(shapes):
    """The recipe's weights, and a u0 of every matrix that is normalized."""
    state = {name: fill(name, shape) for name, shape in shapes.items()}
    tables = "shared.weight" not in shapes  # of classes, which are not normalized
    for name, shape in shapes.items():
        plain = name.startswith("shared") or len(shape) < 2
        plain = plain or (tables and ".bn" in name)
        if not plain:
            u = fill(name.replace(".weight", ".u0"), (1, shape[0]))
            state[name.replace(".weight", ".u0")] = u / np.linalg.norm(u)
    return state


def conv_shapes(prefix, outputs, inputs, size):
    return {
        f"{prefix}.weight": (outputs, inputs, size, size),
        f"{prefix}.bias": (outputs,),
    }


def attention_shapes(prefix, c):
    kernels = {
        "theta": (max(1, c // 8), c),
        "phi": (max(1, c // 8), c),
        "g": (c // 2, c),
    }
    kernels["o"] = (c, c // 2)
    return {
        f"{prefix}.gamma": (),
        **{f"{prefix}.{k}.weight": (*v, 1, 1) for k, v in kernels.items()},
    }


def attended(x, state, prefix):
    def rows(leaf, pooled):
        y = conv(x, state, f"{prefix}.{leaf}")
        if pooled:
            n, c, h, w = y.shape
            y = y.reshape(n, c, h // 2, 2, w // 2, 2).max((3, 5))
        return y.reshape(*y.shape[:2], -1)

    scores = np.einsum("ncp,ncq->npq", rows("theta", False), rows("phi", True))
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    beta = scores / scores.sum(-1, keepdims=True)
    y = np.einsum("ncq,npq->ncp", rows("g", True), beta)
    y = y.reshape(len(x), -1, *x.shape[2:])
    return x + state[f"{prefix}.gamma"] * conv(y, state, f"{prefix}.o")


def doubled(x):
    return x.repeat(2, axis=2).repeat(2, axis=3)


def normalized(x, state, prefix, code=None):
    if code is None:
        gain, bias = state[f"{prefix}.gain"][None], state[f"{prefix}.bias"][None]
    elif code.ndim == 1:  # classes
        gain = 1 + state[f"{prefix}.gain.weight"][code]
        bias = state[f"{prefix}.bias.weight"][code]
    else:
        gain = 1 + code @ kernel(state, f"{prefix}.gain").T
        bias = code @ kernel(state, f"{prefix}.bias").T
    mean, var = (state[f"{prefix}.stored_{leaf}"] for leaf in ("mean", "var"))
    x = (x - mean[:, None, None]) / np.sqrt(var[:, None, None] + 1e-5)
    return x * gain[..., None, None] + bias[..., None, None]


def generator_state(
    count, width, attention, classes=3, shared=4, chunk=2, channels=3, code=None
):
    code = shared + chunk if code is None else code
    widths = [width * w for w in G_WIDTHS[count]]
    shapes = {
        **({"shared.weight": (classes, shared)} if shared else {}),
        "linear.weight": (16 * widths[0], chunk),
        "linear.bias": (16 * widths[0],),
        "output_layer.0.gain": (widths[-1],),
        "output_layer.0.bias": (widths[-1],),
        "output_layer.0.stored_mean": (widths[-1],),
        "output_layer.0.stored_var": (widths[-1],),
        **conv_shapes("output_layer.2", channels, widths[-1], 3),
    }
    for i in range(count):
        a, b = widths[i : i + 2]
        for norm, c in (("bn1", a), ("bn2", b)):
            prefix = f"blocks.{i}.0.{norm}"
            for leaf in ("gain", "bias"):
                maps = (c, code) if shared else (classes, c)
                shapes[f"{prefix}.{leaf}.weight"] = maps
            for leaf in ("mean", "var"):
                shapes[f"{prefix}.stored_{leaf}"] = (c,)
        shapes |= conv_shapes(f"blocks.{i}.0.conv1", b, a, 3)
        shapes |= conv_shapes(f"blocks.{i}.0.conv2", b, b, 3)
        shapes |= conv_shapes(f"blocks.{i}.0.conv_sc", b, a, 1)
        if 8 << i in attention:
            shapes |= attention_shapes(f"blocks.{i}.1", b)
    return filled(shapes)


def code_size(state):
    return state["blocks.0.0.bn1.gain.weight"].shape[1]


def generated(state, z, label, count):
    shared = state.get("shared.weight")
    if shared is not None and shared.shape[1] == code_size(state):
        first, codes = z, [shared[label]] * count
    elif shared is not None:
        first, *chunks = np.split(z, count + 1, axis=1)
        codes = [np.concatenate([state["shared.weight"][label], c], 1) for c in chunks]
    else:
        first, codes = z, [label] * count
    x = first @ kernel(state, "linear").T + state["linear.bias"]
    x = x.reshape(len(z), -1, 4, 4)
    for i, code in enumerate(codes):
        p = f"blocks.{i}.0"
        h = doubled(relu(normalized(x, state, f"{p}.bn1", code)))
        h = relu(normalized(conv(h, state, f"{p}.conv1"), state, f"{p}.bn2", code))
        x = conv(h, state, f"{p}.conv2") + conv(doubled(x), state, f"{p}.conv_sc")
        if f"blocks.{i}.1.gamma" in state:
            x = attended(x, state, f"blocks.{i}.1")
    x = relu(normalized(x, state, "output_layer.0"))
    return np.tanh(conv(x, state, "output_layer.2"))


def discriminator_state(count, width, attention, classes=3, channels=3):
    widths = [width * w for w in D_WIDTHS[count]]
    shapes = {
        "linear.weight": (1, widths[-1]),
        "linear.bias": (1,),
        "embed.weight": (classes, widths[-1]),
    }
    before = channels
    for i, after in enumerate(widths):
        p = f"blocks.{i}.0"
        shapes |= conv_shapes(f"{p}.conv1", after, before, 3)
        shapes |= conv_shapes(f"{p}.conv2", after, after, 3)
        if i < count or before != after:
            shapes |= conv_shapes(f"{p}.conv_sc", after, before, 1)
        if (2 << count) >> i in attention and i < count:
            shapes |= attention_shapes(f"blocks.{i}.1", after)
        before = after
    return filled(shapes)


def scored(state, x, label, count):
    for i in range(len(D_WIDTHS[count])):
        p = f"blocks.{i}.0"
        h = relu(x) if i else x
        h = conv(relu(conv(h, state, f"{p}.conv1")), state, f"{p}.conv2")
        if i == 0:
            x = conv(halved(x), state, f"{p}.conv_sc")
        elif f"{p}.conv_sc.weight" in state:
            x = conv(x, state, f"{p}.conv_sc")
        if i < count:
            h, x = halved(h), x if i == 0 else halved(x)
        x = h + x
        if f"blocks.{i}.1.gamma" in state:
            x = attended(x, state, f"blocks.{i}.1")
    h = relu(x).sum((2, 3))
    y = h @ kernel(state, "linear").T + state["linear.bias"]
    return y + (kernel(state, "embed")[label] * h).sum(1, keepdims=True)


def close(got, want):
    assert got.shape == want.shape
    assert np.abs(np.asarray(got) - want).max() <= 1e-5 * np.abs(want).max()


# Doublings, width, sizes of maps with attention, channels of images.
SIZES = [
    (4, 4, (32,), 1),
    (5, 4, (64,), 3),
    pytest.param(6, 4, (64,), 3, marks=pytest.mark.full),
]


@pytest.mark.full
@pytest.mark.parametrize(("count", "width", "attention", "channels"), SIZES)
def test_other_sizes(count, width, attention, channels):
    rng = np.random.default_rng(0)
    label = np.array([2, 0], "int32")
    state = generator_state(count, width, attention, channels=channels)
    z = rng.normal(size=(2, 2 * (count + 1))).astype("float32")
    images = np.asarray(from_state(state)([z, label])).transpose(0, 3, 1, 2)
    close(images, generated(state, z, label, count))
    state = discriminator_state(count, width, attention, channels=channels)
    x = rng.normal(size=(2, channels, 4 << count, 4 << count)).astype("float32")
    logits = from_state(state)([np.moveaxis(x, 1, -1), label])
    close(logits, scored(state, x, label, count))


@pytest.mark.full
def test_networks_without_a_shared_embedding():
    """The reference's for CIFAR: tables of classes, z for the first map alone."""
    state = generator_state(3, 2, (), shared=0, chunk=5)
    z = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    label = np.array([2, 0], "int32")
    images = np.asarray(from_state(state)([z, label])).transpose(0, 3, 1, 2)
    close(images, generated(state, z, label, 3))
    gan = BigGAN((8, 8, 3), 3, width=1, configuration="cifar")
    assert gan.generator.input_shape[0] == (None, 128)
    names = {layer.name for layer in gan.generator.layers}
    assert "shared" not in names and "block0_norm2_gain" in names
    assert gan.sample(2).shape == (2, 8, 8, 3)
    with pytest.raises(ValueError, match=r"shared_dim.*\[0, inf\)"):
        biggan_generator((8, 8, 3), 3, width=1, shared_dim=-1)


@pytest.mark.full
def test_norms_that_learn_from_the_shared_embedding_alone():
    state = generator_state(3, 2, (), shared=4, chunk=5, code=4)
    z = np.random.default_rng(0).normal(size=(2, 5)).astype("float32")
    label = np.array([2, 0], "int32")
    model = from_state(state)
    images = np.asarray(model([z, label])).transpose(0, 3, 1, 2)
    close(images, generated(state, z, label, 3))
    gan = BigGAN((32, 32, 3), 3, 5, 2, shared_dim=4, hierarchical=False)
    own = [v.shape for v in gan.generator.trainable_variables]
    assert own == [v.shape for v in model.trainable_variables]
    deep = biggan_generator(
        (16, 16, 3), 3, 5, 2, shared_dim=4, hierarchical=False, bottleneck=2
    )
    assert deep.get_layer("block0_norm1_gain").layer.kernel.shape[0] == 4
    assert deep.get_layer("project").layer.kernel.shape[0] == 5
    whole = BigGAN((8, 8, 3), 3, width=1, shared_dim=4, hierarchical=False)
    assert whole.sample(2).shape == (2, 8, 8, 3)


@pytest.mark.full
def test_names_of_synchronized_norms_and_folders():
    """Other statistics' names, and a checkpoint folder's own files."""
    state = read(GOLDEN / "biggan32_G.pth")
    renamed = {
        name.replace(".stored_", ".bn.running_"): value for name, value in state.items()
    }
    assert set(renamed) != set(state)
    plain = from_state(state).get_weights()
    wrapped = {f"module.{name}": value for name, value in state.items()}
    for name, one in (("renamed", renamed), ("module", wrapped)):
        for a, b in zip(from_state(one).get_weights(), plain, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)
    for name in ("G_ema", "D"):
        model = from_state(read(GOLDEN / f"biggan_ckpt_{name}.pth"))
        assert len(model.inputs) == 2


def test_what_does_not_fit_is_told():
    state = read(GOLDEN / "biggan32_G.pth")
    del state["blocks.1.0.conv1.u0"]
    with pytest.raises(ValueError, match=r"blocks\.1\.0\.conv1\.weight"):
        from_state(state)
    state = read(GOLDEN / "biggan32_D.pth")
    state["linear.u0"] = np.ones((1, 7), "float32")
    with pytest.raises(ValueError, match="one number for each row"):
        from_state(state)


@pytest.mark.full
def test_deep_networks():
    """Blocks of four convolutions, twice as many: the paper's counts of layers."""
    generator = biggan_generator((32, 32, 1), 3, 16, 4, depth=2, bottleneck=4)
    discriminator = biggan_discriminator((32, 32, 1), 3, 4, depth=2, bottleneck=4)
    for network, blocks in ((generator, 6), (discriminator, 6)):
        names = [layer.name for layer in network.layers]
        assert sum(name.endswith("_conv4") for name in names) == blocks
    # Half of the blocks double, and a shortcut has no weights.
    assert not any(layer.name.endswith("_shortcut") for layer in generator.layers)
    z = np.zeros((2, 16), "float32")
    assert generator([z, np.arange(2)]).shape == (2, 32, 32, 1)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"image_shape": (30, 30, 3)}, "a height of 28 or 32"),
        ({"image_shape": (1024, 1024, 3)}, "shorter side has 8 to 896 pixels"),
        ({"attention": (64,)}, "shorter sides of maps, of 8, 16, 32"),
        ({"latent_dim": 30}, "28 or 32"),
        ({"bottleneck": 64}, "larger `width`"),
        ({"num_classes": 1}, "2 classes"),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    given = {"image_shape": (32, 32, 3), "num_classes": 3, "width": 4, **kwargs}
    with pytest.raises(ValueError, match=message):
        biggan_generator(**given)


def deep_state(count=3, width=4, classes=3, z=4, shared=4, attended=16, outputs=None):
    """BigGAN-deep in pytorch-pretrained-BigGAN's layout."""
    widths = [width * w for w in G_WIDTHS[count]]
    outputs = outputs or widths[-1]
    shapes = {
        "embeddings.weight": (shared, classes),
        "generator.gen_z.weight": (16 * widths[0], z + shared),
        "generator.gen_z.bias": (16 * widths[0],),
        **conv_shapes("generator.conv_to_rgb", outputs, widths[-1], 3),
        "generator.bn.weight": (widths[-1],),
        "generator.bn.bias": (widths[-1],),
    }
    norms, place = {"generator.bn": widths[-1]}, 0
    for i in range(2 * count):
        c, after = widths[i // 2], widths[(i + 1) // 2]
        p = f"generator.layers.{place}"
        kinds = (
            (c // 4, c, 1),
            (c // 4, c // 4, 3),
            (c // 4, c // 4, 3),
            (after, c // 4, 1),
        )
        for j, (rows, inputs, size) in enumerate(kinds):
            shapes |= conv_shapes(f"{p}.conv_{j}", rows, inputs, size)
            norms[f"{p}.bn_{j}"] = inputs
            for leaf in ("scale", "offset"):
                shapes[f"{p}.bn_{j}.{leaf}.weight"] = (inputs, z + shared)
        place += 1
        if 4 << (i + 1) // 2 == attended and i % 2:
            p = f"generator.layers.{place}"
            names = {"theta": "snconv1x1_theta", "phi": "snconv1x1_phi"}
            names |= {"g": "snconv1x1_g", "o": "snconv1x1_o_conv"}
            for name, shape in attention_shapes("", after).items():
                leaf, _, rest = name[1:].partition(".")
                shapes[f"{p}.{names.get(leaf, leaf)}{'.' if rest else ''}{rest}"] = (
                    shape
                )
            place += 1
    state = {}
    for name, shape in shapes.items():
        value = fill(name, shape)
        if name.endswith(".weight") and len(shape) > 1 and name[0] == "g":
            u, _, vh = np.linalg.svd(value.reshape(len(value), -1))
            state |= {f"{name}_orig": value, f"{name}_u": u[:, 0], f"{name}_v": vh[0]}
        else:
            state[name] = value
    for name, c in norms.items():
        state[f"{name}.running_means"] = fill(f"{name}.running_mean", (51, c))
        state[f"{name}.running_vars"] = fill(f"{name}.running_var", (51, c))
    return state


def generated_deep(state, z, label, statistics, epsilon=1e-4):
    """Of z and the class's row, in that order, and channels last at first."""
    code = np.concatenate([z, state["embeddings.weight"].T[label]], axis=1)

    def norm(x, prefix):
        if f"{prefix}.weight" in state:
            gain, bias = (
                state[f"{prefix}.{leaf}"][None] for leaf in ("weight", "bias")
            )
        else:
            gain = 1 + code @ kernel(state, f"{prefix}.scale").T
            bias = code @ kernel(state, f"{prefix}.offset").T
        mean, var = (
            np.tensordot(statistics, state[f"{prefix}.running_{leaf}"], 1)
            for leaf in ("means", "vars")
        )
        x = (x - mean[:, None, None]) / np.sqrt(var[:, None, None] + epsilon)
        return x * gain[..., None, None] + bias[..., None, None]

    x = code @ kernel(state, "generator.gen_z").T + state["generator.gen_z.bias"]
    x = x.reshape(len(z), 4, 4, -1).transpose(0, 3, 1, 2)
    place, blocks = 0, 0
    while f"generator.layers.{place}.gamma" in state or (
        f"generator.layers.{place}.conv_0.bias" in state
    ):
        p = f"generator.layers.{place}"
        place += 1
        if f"{p}.gamma" in state:
            own = {
                name.replace("snconv1x1_", "").replace("o_conv", "o"): value
                for name, value in state.items()
                if name.startswith(p)
            }
            x = attended(x, own, p)
            continue
        h = conv(relu(norm(x, f"{p}.bn_0")), state, f"{p}.conv_0")
        h = relu(norm(h, f"{p}.bn_1"))
        if blocks % 2:
            h, x = doubled(h), doubled(x)
        h = conv(h, state, f"{p}.conv_1")
        h = conv(relu(norm(h, f"{p}.bn_2")), state, f"{p}.conv_2")
        h = conv(relu(norm(h, f"{p}.bn_3")), state, f"{p}.conv_3")
        x = x[:, : h.shape[1]] + h
        blocks += 1
    x = conv(relu(norm(x, "generator.bn")), state, "generator.conv_to_rgb")
    return np.tanh(x[:, :3])


def rows_of_statistics(**shares):
    """How much of each of 51 rows a truncation takes."""
    shares = {int(name[1:]): share for name, share in shares.items()}
    return np.array([shares.get(i, 0.0) for i in range(51)])


@pytest.mark.full
def test_the_layout_of_pretrained_files():
    state = deep_state()
    z = np.random.default_rng(0).normal(size=(2, 4)).astype("float32")
    label = np.array([2, 0], "int32")
    for truncation, statistics in (
        (1.0, {"_50": 1}),
        (0.4, {"_20": 1}),
        # The reference weights the two nearest rows the other way round.
        (0.405, {"_20": 0.25, "_21": 0.75}),
        (0.58, {"_28": 1}),  # 28.999999999999996 of its steps
    ):
        model = from_state(state, truncation=truncation)
        images = np.asarray(model([z, label])).transpose(0, 3, 1, 2)
        rows = rows_of_statistics(**statistics)
        close(images, generated_deep(state, z, label, rows))
    for rows in (1, 0):
        damaged = state | {"generator.bn.running_vars": np.ones((rows, 16))}
        with pytest.raises(ValueError, match=r"Missing: generator\.bn\.running_var"):
            from_state(damaged)


def as_biggan_pytorch(state):
    """The same weights by the names of BigGANdeep.py, a u of each matrix."""
    state = dict(state)
    for leaf in ("weight_orig", "weight_u", "bias"):
        name = f"generator.gen_z.{leaf}"  # of maps whose channels come first
        rows = state[name].reshape(4, 4, -1, *state[name].shape[1:])
        state[name] = np.moveaxis(rows, 2, 0).reshape(state[name].shape)
    found = {"shared.weight": state.pop("embeddings.weight").T}
    places = {"generator.gen_z": "linear", "generator.conv_to_rgb": "output_layer.2"}
    places["generator.bn"] = "output_layer.0"
    place, block = 0, 0
    while f"generator.layers.{place}.conv_0.bias" in state:
        p = f"generator.layers.{place}"
        for j in range(4):
            places[f"{p}.conv_{j}"] = f"blocks.{block}.0.conv{j + 1}"
            places[f"{p}.bn_{j}"] = f"blocks.{block}.0.bn{j + 1}"
            for theirs, leaf in (("scale", "gain"), ("offset", "bias")):
                places[f"{p}.bn_{j}.{theirs}"] = f"blocks.{block}.0.bn{j + 1}.{leaf}"
        place += 1
        if f"generator.layers.{place}.gamma" in state:
            p = f"generator.layers.{place}"
            for leaf in ("theta", "phi", "g"):
                places[f"{p}.snconv1x1_{leaf}"] = f"blocks.{block}.1.{leaf}"
            places[f"{p}.snconv1x1_o_conv"] = f"blocks.{block}.1.o"
            places[p] = f"blocks.{block}.1"
            place += 1
        block += 1
    leaves = {"weight_orig": "weight", "weight_u": "u0", "weight": "gain"}
    leaves |= {"running_means": "stored_mean", "running_vars": "stored_var"}
    for name, value in state.items():
        prefix, _, leaf = name.rpartition(".")
        if leaf.startswith("running"):
            value = value[50]
        value = value[None] if leaf == "weight_u" else value
        if leaf != "weight_v":
            found[f"{places[prefix]}.{leaves.get(leaf, leaf)}"] = value
    return found


def deep_discriminator_state(count, width, attention, classes=3):
    stem, *widths = [width * w for w in D_WIDTHS[count]]
    shapes = {
        **conv_shapes("input_conv", stem, 3, 3),
        "linear.weight": (1, widths[-1]),
        "linear.bias": (1,),
        "embed.weight": (classes, widths[-1]),
    }
    before = stem
    for i, after in enumerate(widths):
        for j in range(2):
            p, h = f"blocks.{i}.{j}", after // 4
            shapes |= conv_shapes(f"{p}.conv1", h, before, 1)
            shapes |= conv_shapes(f"{p}.conv2", h, h, 3)
            shapes |= conv_shapes(f"{p}.conv3", h, h, 3)
            shapes |= conv_shapes(f"{p}.conv4", after, h, 1)
            if before != after:
                shapes |= conv_shapes(f"{p}.conv_sc", after - before, before, 1)
            before = after
        if (2 << count) >> i in attention:
            shapes |= attention_shapes(f"blocks.{i}.2", after)
    return filled(shapes)


def scored_deep(state, x, label, count):
    x, i = conv(x, state, "input_conv"), 0
    while f"blocks.{i}.0.conv1.weight" in state:
        for j in range(2):
            p = f"blocks.{i}.{j}"
            h = conv(relu(x), state, f"{p}.conv1")
            h = conv(relu(h), state, f"{p}.conv2")
            h = relu(conv(relu(h), state, f"{p}.conv3"))
            if j == 0 and i < count:
                h, x = halved(h), halved(x)
            h = conv(h, state, f"{p}.conv4")
            if f"{p}.conv_sc.weight" in state:
                x = np.concatenate([x, conv(x, state, f"{p}.conv_sc")], axis=1)
            x = h + x
        if f"blocks.{i}.2.gamma" in state:
            x = attended(x, state, f"blocks.{i}.2")
        i += 1
    h = relu(x).sum((2, 3))
    y = h @ kernel(state, "linear").T + state["linear.bias"]
    return y + (kernel(state, "embed")[label] * h).sum(1, keepdims=True)


@pytest.mark.full
@pytest.mark.parametrize("count", [3, 4])
def test_deep_networks_of_biggan_pytorch(count):
    rng = np.random.default_rng(0)
    label = np.array([2, 0], "int32")
    width = {3: 4, 4: 2}[count]
    state = deep_state(count, width, z=5, outputs=128, attended=8)
    z = rng.normal(size=(2, 5)).astype("float32")
    model = from_state(as_biggan_pytorch(state))
    images = np.asarray(model([z, label])).transpose(0, 3, 1, 2)
    want = generated_deep(state, z, label, rows_of_statistics(_50=1), 1e-5)
    assert want.shape == (2, 3, 4 << count, 4 << count)
    close(images, want)
    state = deep_discriminator_state(count, 4, {3: (), 4: (16,)}[count])
    x = rng.normal(size=(2, 3, 4 << count, 4 << count)).astype("float32")
    logits = from_state(state)([np.moveaxis(x, 1, -1), label])
    close(logits, scored_deep(state, x, label, min(count, 4) if count > 3 else 2))
    # What BigGAN makes has the same weights.
    sizes = ((4 << count, 4 << count, 3), 3, 5, width)
    gan = BigGAN(*sizes, configuration="biggan_deep", shared_dim=4, attention=(8,))
    own = [v.shape for v in gan.generator.trainable_variables]
    assert own == [v.shape for v in model.trainable_variables]


def test_deep_networks_that_do_not_fit_are_told():
    generator = as_biggan_pytorch(deep_state(outputs=128))
    discriminator = deep_discriminator_state(3, 4, ())
    for state, missing, other in (
        (generator, "blocks.3.0.bn2.gain", "blocks.1.0.conv1.weight"),
        (discriminator, "blocks.1.1.conv3", "blocks.1.0.conv4.weight"),
    ):
        left = {k: v for k, v in state.items() if k != f"{missing}.weight"}
        with pytest.raises(ValueError, match=missing):
            from_state(left)
        with pytest.raises(ValueError, match="family known"):
            from_state(state | {other: np.ones((3, 3, 1, 1))})
