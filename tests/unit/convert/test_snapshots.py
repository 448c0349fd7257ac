"""Snapshots of networks in pickles: read, and nothing in them run."""

import pickle
import sys
import types

import numpy as np
from paths import GOLDEN
import pytest

from keras_gans.convert import convert_file, from_state, read


@pytest.mark.parametrize("name", ["r3gan", "stylegan2"])
@pytest.mark.backends
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
        if name.partition(".")[0] == "training":
            del sys.modules[name]


class Runs:
    def __reduce__(self):
        return (print, ("run",))


def layer(**parts):
    return module("training.networks.Generator", parts)


def within_itself():
    made = layer(_modules={})
    made._modules["inner"] = made
    return made


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
    ],
)
def test_what_a_snapshot_may_not_hold(value, message, write, capsys):
    path = write(value())
    with pytest.raises(ValueError, match=message):
        read(path)
    assert "run" not in capsys.readouterr().out


def test_bytes_that_are_cut_short(tmp_path):
    data = (GOLDEN / "stylegan2_pkl.pkl").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "cut.pkl"
    for stop in rng.integers(1, len(data) - 1, 40):
        path.write_bytes(data[:stop])
        with pytest.raises(ValueError, match="Cannot read"):
            read(path)
