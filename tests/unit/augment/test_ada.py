"""ADA's augmentations against the reference's, draws fixed at a percentile."""

import json

import keras
from keras import ops
import numpy as np
from paths import GOLDEN
from percentiles import at_percentile
import pytest

from keras_gans.augment import ADA, as_ada
from keras_gans.augment.ada import GROUPS, TRANSFORMS
from keras_gans.engine import input_gradient

ALL = ",".join(GROUPS)

# Of geometry, colour and filters; the others are made of the same operations.
ON_BOTH = ("rotate", "hue", "imgfilter")


def drawn(n, seed):
    def uniform(columns, purpose):
        rng = np.random.default_rng((seed, purpose))
        return rng.uniform(1e-7, 1 - 1e-7, (n, columns)).astype("float32")

    return uniform


@pytest.mark.full_on_jax
@pytest.mark.parametrize(
    "percentile", [30, pytest.param(60, marks=pytest.mark.backends), 90]
)
@pytest.mark.parametrize("group", ["bgc", "filter", "noise_cutout"])
def test_pictures_are_the_reference_s(group, percentile):
    name = f"ada_{group}_{percentile}"
    call = json.loads((GOLDEN / f"{name}.json").read_text())["call"]
    x, want = (np.moveaxis(np.load(GOLDEN / f"{name}.npz")[k], 1, -1) for k in "xy")
    uniform = at_percentile(percentile / 100)
    got = ADA(call)(x, 1.0, lambda columns, kind: uniform(len(x), columns, kind))
    got = ops.convert_to_numpy(got)
    assert np.abs(got - want).max() <= 1e-5 * np.abs(want).max()


def augmented(ada, x, p=1.0, seed=0):
    return ops.convert_to_numpy(ada(x, p, drawn(len(x), seed)))


def statistics(name, p, count):
    """How far draws are from the record: in standard errors, at most."""
    about = json.loads((GOLDEN / "ada_statistics.json").read_text())
    record = np.load(GOLDEN / "ada_statistics.npz")
    key = f"{name}_p{round(100 * p):03d}"
    x = np.moveaxis(record["x"], 1, -1)
    ada = ADA(about["groups"][name])
    parts = []
    for seed in range(0, count, 1000):
        n = min(1000, count - seed)
        y = augmented(ada, np.repeat(x, n, axis=0), p, seed)
        parts.append(np.moveaxis(y, -1, 1))
    y = np.concatenate(parts).astype("float64")
    mean, std = (record[f"{key}_{k}"].astype("float64") for k in ("mean", "std"))
    share = np.sqrt(1 / about["N"] + 1 / count)
    # Of a standard deviation the error depends on the fourth moment.
    centred = y - y.mean(axis=0)
    fourth = np.mean(centred**4, axis=0)
    variance = np.mean(centred**2, axis=0)
    spread = np.sqrt(np.maximum(fourth - variance**2, 0)) / np.maximum(2 * std, 1e-6)
    unchanged = record[f"{key}_unchanged"]
    ours = np.mean(np.abs(y - record["x"]).max(axis=(1, 2, 3)) < 1e-3)
    error = np.sqrt(max(unchanged * (1 - unchanged), 1e-4)) * share
    rms = np.sqrt(np.mean(y**2, axis=(1, 2, 3)))
    levels = np.array([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    wanted = record[f"{key}_rms_quantiles"]
    # A quantile lies between those of levels five standard errors off.
    margin = 5 * np.sqrt(levels * (1 - levels)) * share
    low, high = (np.quantile(rms, np.clip(levels + s * margin, 0, 1)) for s in (-1, 1))
    within = (wanted >= low - 1e-5) & (wanted <= high + 1e-5)
    return {
        "mean": np.abs((y.mean(axis=0) - mean) / np.maximum(std * share, 1e-6)).max(),
        "std": np.abs((y.std(axis=0) - std) / np.maximum(spread * share, 1e-6)).max(),
        "unchanged": np.abs(ours - unchanged) / error,
        "quantiles": 0 if within.all() else np.inf,
    }


@pytest.mark.daily(2)
@pytest.mark.parametrize("name", [*GROUPS, "bgc"])
@pytest.mark.parametrize(
    ("p", "count"),
    [
        (0.7, 1000),
        pytest.param(0.2, 12000, marks=pytest.mark.full),
        pytest.param(0.7, 12000, marks=pytest.mark.full),
    ],
)
def test_draws_are_as_the_reference_s(name, p, count):
    errors = statistics(name, p, count)
    assert max(errors.values()) <= 5, errors


@pytest.mark.daily(1)
@pytest.mark.full_on_jax
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.backends if name in ON_BOTH else ())
        for name in TRANSFORMS
    ],
)
def test_gradients_are_right(name):
    """Pictures are affine functions of pictures: of a square, two differences of
    any width give the derivative, and of its squared gradient's norm."""
    rng = np.random.default_rng(0)
    x, towards, weights = rng.normal(size=(3, 2, 24, 26, 3)).astype("float32")
    ada, uniform = ADA(name), drawn(2, 1)

    def square(x):
        y = ada(x, 1.0, uniform)
        return ops.sum(weights * ops.square(y), axis=(1, 2, 3))

    def penalty(x):
        _, gradient = input_gradient(square, x)
        return ops.sum(ops.square(gradient), axis=(1, 2, 3))

    for function in (square, penalty):
        _, gradient = input_gradient(function, ops.convert_to_tensor(x))
        got = np.sum(ops.convert_to_numpy(gradient) * towards, axis=(1, 2, 3))
        ends = [ops.convert_to_numpy(function(x + s * towards)) for s in (0.5, -0.5)]
        want = np.subtract(*ends)
        scale = np.abs(ends).max()
        np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("shape", [(24, 22, 3), (22, 30, 4), (32, 24, 1), (22, 22, 2)])
def test_nothing_happens_at_p_0(shape):
    x = np.random.default_rng(0).normal(size=(3, *shape)).astype("float32")
    np.testing.assert_array_equal(augmented(ADA(ALL), x, 0.0), x)
    moved = np.abs(augmented(ADA(ALL), x, 1.0) - x).max(axis=(1, 2, 3))
    assert moved.min() > 0.01


@pytest.mark.parametrize("shape", [(1, 1, 1), (2, 1, 3), (5, 8, 4), (7, 3, 2)])
def test_small_pictures(shape):
    x = np.random.default_rng(0).normal(size=(16, *shape)).astype("float32")
    y = augmented(ADA("blit,geom,color,noise,cutout"), x)
    assert y.shape == x.shape and np.isfinite(y).all()
    # A plain picture is mirrored on: geometry leaves it plain.
    y = augmented(ADA("blit,geom"), np.ones_like(x))
    np.testing.assert_allclose(y, 1.0, atol=1e-5)


def test_channels():
    """Grey has the luma of red, green and blue alike; alpha has no colour."""
    grey = np.random.default_rng(0).normal(size=(8, 6, 6, 1)).astype("float32")
    alike = np.repeat(grey, 3, axis=-1)
    luma = augmented(ADA("color"), alike).mean(axis=-1, keepdims=True)
    np.testing.assert_allclose(augmented(ADA("color"), grey), luma, atol=1e-5)
    for opaque in (grey, alike):
        y = augmented(ADA("color"), np.concatenate([opaque, grey], axis=-1))
        np.testing.assert_array_equal(y[..., -1:], grey)
        want = augmented(ADA("color"), opaque)
        np.testing.assert_array_equal(y[..., :-1], want)
    y = augmented(ADA("geom"), np.concatenate([alike, grey], axis=-1))
    np.testing.assert_allclose(y, y[..., :1].repeat(4, axis=-1), atol=1e-6)


def test_turns_and_mirrors_move_pixels():
    """Of a blot without detail, which sampling would blur a little."""
    y, x = np.mgrid[:32, :32]
    x = np.exp(-((y - 10) ** 2 / 8 + (x - 14) ** 2 / 12))[None, ..., None]
    for name, columns, want in (
        ("xflip", {0: 0.9}, x[:, :, ::-1]),
        ("rotate90", {1: 0.3}, np.rot90(x, 1, (1, 2))),
        ("rotate90", {1: 0.6}, x[:, ::-1, ::-1]),
        # By 2 pixels to the right and by 4 up.
        ("xint", {2: 0.75, 3: 0.0}, np.roll(x, (-4, 2), (1, 2))),
    ):

        def uniform(count, kind, columns=columns):
            u = np.zeros((1, count), "float32")
            if kind == 1:
                u[:, list(columns)] = list(columns.values())
            return u

        y = ops.convert_to_numpy(ADA(name)(x, 1.0, uniform))
        np.testing.assert_allclose(y, want, atol=0.03)


def test_config():
    for ada in (
        ADA(),
        ADA({"blit": 1, "color": 0.5}, (0.0, 0.3), kimg=100),
        ADA("cutout", 0.5, target=0.5, interval=2),
    ):
        config = keras.saving.serialize_keras_object(ada)
        config = json.loads(json.dumps(config))
        again = keras.saving.deserialize_keras_object(config)
        assert again.multipliers == ada.multipliers and again.kimg == ada.kimg
        assert again.adaptive == ada.adaptive and again.target == ada.target
    fixed = as_ada(" ada:0.25 ", ADA("blit"))
    assert (fixed.p, fixed.transforms) == (0.25, "blit")
    assert as_ada("ada", fixed) is fixed and as_ada("color", fixed) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ADA("bilt"), "Did you mean blit"),
        (lambda: ADA("blitz"), "color, filter, noise, cutout, xflip.*imgfilter. R"),
        (lambda: ADA("blit,xflip"), "once. Received: 'xflip' again"),
        (lambda: ADA("blit,blit"), "Received: 'xflip', which 'blit' holds, again"),
        (lambda: ADA(("blit",)), "a str such as"),
        (lambda: ADA({"blit": -1}), "multiplier of blit"),
        (lambda: ADA({"blit": 0}), "changes nothing"),
        (lambda: ADA(p=1.5), r"`p` must lie in \[0, 1\]"),
        (lambda: ADA(p=(0.1, 0.2, 0.3)), "first, last"),
        (lambda: ADA(p="adaptiv"), "adaptive"),
        (lambda: ADA(target=2), "target"),
        (lambda: ADA(interval=0), "interval"),
        (lambda: ADA(kimg=0), "kimg"),
        (lambda: as_ada("ada:much", ADA()), "diff_augment='ada:0.2'"),
        (lambda: as_ada("ada:2", ADA()), "diff_augment='ada:0.2'"),
        (lambda: augmented(ADA(), np.zeros((2, 8))), "images of a fixed shape"),
        (lambda: augmented(ADA(), np.zeros((2, 8, 8, 5))), r"ADA\('blit,geom'\)"),
        (lambda: augmented(ADA("filter"), np.zeros((2, 32, 21, 3))), "22 pixels"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
