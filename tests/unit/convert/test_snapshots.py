"""Snapshots of networks in pickles: read, and nothing in them run."""

import pickle
import random
import sys
import types

from checkpoints import (
    check_bounded,
    check_refused,
    p_call,
    p_dict,
    p_global,
    p_int,
    p_ints,
    p_str,
    p_tuple,
)
import numpy as np
from paths import GOLDEN
import pytest

from keras_gans.convert import convert_file, from_state, read
from keras_gans.convert.gans import gan_of


@pytest.mark.daily(1)
@pytest.mark.parametrize("name", ["r3gan", "stylegan2"])
def test_networks_of_snapshots_give_the_reference_s_images(name):
    snapshot = read(GOLDEN / f"{name}_pkl.pkl")
    wanted = np.load(GOLDEN / f"{name}_pkl.npz")
    label = wanted["c"].argmax(axis=1).astype("int32")
    for key in ("G", "G_ema"):
        inputs = [wanted["z"], label]
        if name == "stylegan2":
            inputs.append(np.ones(len(label), "float32"))
        images = np.moveaxis(np.asarray(from_state(snapshot[key])(inputs)), -1, 1)
        wish = wanted[f"img_{key}"]
        assert np.abs(images - wish).max() <= 1e-5 * np.abs(wish).max()
    assert from_state(snapshot["D"]).output_shape == (None, 1)


def test_networks_of_tensorflow_give_the_reference_s_images():
    snapshot = read(GOLDEN / "stylegan2_tf_pkl.pkl")
    wanted = np.load(GOLDEN / "stylegan2_tf_pkl.npz")
    label = wanted["c"].argmax(axis=1).astype("int32")
    generator = from_state(snapshot["G_ema"])
    for psi, key in ((1.0, "img_G_ema"), (0.5, "img_G_ema_psi05")):
        inputs = [wanted["z"], label, np.full(len(label), psi, "float32")]
        images = np.moveaxis(np.asarray(generator(inputs)), -1, 1)
        wish = wanted[key]
        assert np.abs(images - wish).max() <= 1e-5 * np.abs(wish).max()
    discriminator = from_state(snapshot["D"])
    label = wanted["cx"].argmax(axis=1).astype("int32")
    logits = discriminator([np.moveaxis(wanted["x"], 1, -1), label])
    wish = wanted["logits"]
    assert np.abs(np.asarray(logits) - wish).max() <= 1e-5 * np.abs(wish).max()


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("stylegan2_pkl", b"\x8c\x0agroup_size\x94"),
        ("stylegan2_tf_pkl", b"mbstd_group_sizer\xcc\x01\x00\x00"),
    ],
    ids=["pytorch", "tensorflow"],
)
def test_the_groups_of_a_discriminator_are_those_of_the_snapshot(
    name, before, tmp_path
):
    """Its weights do not tell them, and its logits depend on them."""
    data = (GOLDEN / f"{name}.pkl").read_bytes()
    assert data.count(before + b"K\x04") == 1
    path = tmp_path / "other.pkl"
    path.write_bytes(data.replace(before + b"K\x04", before + b"K\x02"))
    snapshot = read(path)
    assert from_state(snapshot["D"]).get_layer("stddev").group_size == 2
    gan = gan_of(snapshot)
    again = type(gan).from_config(gan.get_config())
    for one in (gan, again):
        assert one.discriminator.get_layer("stddev").group_size == 2


def test_the_command_converts_one_of_them(tmp_path):
    path, told = convert_file(GOLDEN / "r3gan_pkl.pkl", tmp_path, key="G_ema")
    assert path.is_file() and "R3GAN" in told


def module(name, attributes):
    """An object as a module named `name`'s class pickles it."""
    owner, _, own = name.rpartition(".")
    for i in range(1, owner.count(".") + 2):
        part = ".".join(owner.split(".")[:i])
        sys.modules.setdefault(part, types.ModuleType(part))
    if not hasattr(sys.modules[owner], own):
        setattr(sys.modules[owner], own, type(own, (), {"__module__": owner}))
    made = getattr(sys.modules[owner], own)()
    vars(made).update(attributes)
    return made


@pytest.fixture
def write(tmp_path):
    before = set(sys.modules)

    def write(value):
        path = tmp_path / "network.pkl"
        path.write_bytes(pickle.dumps(value, protocol=4))
        return path

    yield write
    for name in set(sys.modules) - before:
        if name.partition(".")[0] in ("training", "dnnlib"):
            del sys.modules[name]


SHARED = np.zeros(2000, "float32")


class Runs:
    def __reduce__(self):
        return (print, ("run",))


def layer(**parts):
    return module("training.networks.Generator", parts)


def within_itself():
    made = layer(_modules={})
    made._modules["inner"] = made
    return made


class TF:
    """A network of TensorFlow, with what is given for its state."""

    def __new__(cls, *variables, **attributes):
        state = {"variables": list(variables), **attributes}
        return module("dnnlib.tflib.network.Network", state)


def doubled(depth):
    made = layer(_modules={})
    for _ in range(depth):
        made = layer(_modules={"a": made, "b": made})
    return made


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (lambda: {"G": Runs()}, "builtins.print"),
        (lambda: {"G": module("training.loss.Loss", {})}, "training.loss.Loss"),
        (lambda: {"a": 1}, "no network"),
        (lambda: [layer()], "no dict of networks"),
        (lambda: {"G": layer(_parameters={"a": 3})}, "as a parameter"),
        (lambda: {"G": layer(_modules={"a": 3})}, "as a layer"),
        (lambda: {"G": layer(_modules=[1])}, "no dicts"),
        (lambda: {"G": within_itself()}, "deeper than"),
        (lambda: {"G": doubled(40)}, "more than"),
        (lambda: {"G": layer(_parameters={"a": b"1"})}, "as a parameter"),
        (lambda: (TF(), TF()), "no dict of networks"),
        (lambda: {"G": TF(("a", Runs()))}, "builtins.print"),
        (lambda: {"G": TF(("a", np.array(["x"])))}, "another type"),
        (lambda: {"G": TF(("a", np.array([None])))}, "another type"),
        (lambda: {"G": TF(("a", np.array([1], ">f4")))}, "byte order"),
        (lambda: {"G": TF(("a", 3))}, "as a parameter"),
        (lambda: {"G": TF("ab")}, "no pairs"),
        (lambda: {"G": TF(components={"a": 3})}, "as a layer"),
        (lambda: {"G": TF(components=3)}, "no dicts"),
        (
            lambda: {"G": TF(*[(str(i), SHARED) for i in range(70)])},
            "More than 64 variables",
        ),
    ],
)
def test_what_a_snapshot_may_not_hold(value, message, write, capsys):
    path = write(value())
    with pytest.raises(ValueError, match=message):
        read(path)
    assert "run" not in capsys.readouterr().out


@pytest.mark.full
@pytest.mark.parametrize("name", ["stylegan2_pkl", "stylegan2_tf_pkl"])
def test_bytes_that_are_cut_short(name, tmp_path):
    data = (GOLDEN / f"{name}.pkl").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "cut.pkl"
    for stop in rng.integers(1, len(data) - 1, 40):
        path.write_bytes(data[:stop])
        with pytest.raises(ValueError, match="Cannot read"):
            read(path)


def test_other_objects_with_their_source_are_named(tmp_path):
    """What is no network is told by the name of its class; its source is not run."""
    meta = {
        "type": p_str("class"),
        "version": p_int(6),
        "module_src": p_str("raise SystemExit('run')"),
        "class_name": p_str("StyleGAN2Loss"),
        "state": p_dict(weight=p_int(1)),
    }
    loader = "torch_utils.persistence._reconstruct_persistent_obj"
    path = tmp_path / "loss.pkl"
    path.write_bytes(b"\x80\x02" + p_dict(G=p_call(loader, p_dict(**meta))) + b".")
    with pytest.raises(ValueError, match="It holds G, of the class 'StyleGAN2Loss'"):
        read(path)


def test_texts_of_python_2_are_bytes(tmp_path):
    """Python 2 has no bytes: NumPy's numbers are then a text to be encoded."""
    array = p_call(
        "numpy.core.multiarray._reconstruct",
        p_global("numpy.ndarray"),
        p_tuple(p_int(0)),
        p_str("b"),
    )
    kind = p_call("numpy.dtype", p_str("f4"), b"K\x00", b"K\x01")
    kind += p_tuple(b"K\x03", p_str("<"), b"N", b"N", b"N") + b"b"
    text = np.arange(6, dtype="<f4").tobytes().decode("latin1").encode()
    numbers = b"X" + len(text).to_bytes(4, "little") + text
    raw = p_call("_codecs.encode", numbers, p_str("latin1"))
    array += p_tuple(b"K\x01", p_ints((2, 3)), kind, b"\x88", raw) + b"b"
    network = b"cdnnlib.tflib.network\nNetwork\n)\x81"
    variables = b"](" + p_tuple(p_str("a"), array) + b"e"
    network += p_dict(variables=variables) + b"b"
    path = tmp_path / "old.pkl"
    path.write_bytes(b"\x80\x02" + p_dict(G=network) + b".")
    # In Fortran's order.
    np.testing.assert_array_equal(read(path)["G"]["a"], [[0, 2, 4], [1, 3, 5]])
    wrong = path.read_bytes().replace(p_ints((2, 3)), p_ints((2, 4)))
    path.write_bytes(wrong)
    check_refused(path, "another size")


def test_structure_at_random(tmp_path):
    """Parts of a real file in each other's place: read or refused, and soon."""
    data = (GOLDEN / "stylegan2_tf_pkl.pkl").read_bytes()
    met = set()
    path = tmp_path / "mixed.pkl"
    for seed in range(120):
        chosen = random.Random(seed)
        made = bytearray(data)
        # Of structure more than of numbers: most stands before any of those.
        for _ in range(chosen.randrange(1, 4)):
            start, place = (chosen.randrange(3000) for _ in range(2))
            count = chosen.choice((1, 2, 9, 60))
            made[place : place + chosen.choice((0, count))] = data[
                start : start + count
            ]
        path.write_bytes(made)
        met.add(check_bounded(path))
    assert len(met) > 10
