"""DiffAugment against its definition, written again in numpy."""

import keras
from keras import ops
import numpy as np
import pytest

from keras_gans.augment.diff_augment import check_policy, diff_augment

NAMES = ("color", "translation", "cutout")
PURPOSES = dict(zip(NAMES, range(3), strict=True))
SHAPES = [(16, 16, 3), (9, 20, 1), (1, 5, 2)]


def given(**numbers):
    """The source of uniform numbers that gives these, one row an image."""
    rows = {PURPOSES[name]: u for name, u in numbers.items()}

    def uniform(columns, purpose):
        u = np.asarray(rows[purpose], "float32")
        assert u.shape[1] == columns
        return u

    return uniform


def drawn(n, seed=0):
    def uniform(columns, purpose):
        rng = np.random.default_rng([seed, purpose])
        return rng.uniform(size=(n, columns)).astype("float32")

    return uniform


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, "float32")


def augment(*args):
    return ops.convert_to_numpy(diff_augment(*args))


def expected(x, policy, uniform):
    """The definition in float64, an image and a pixel at a time."""
    out = x.astype("float64")
    for name in policy:
        columns = 3 if name == "color" else 2
        for i, u in enumerate(np.asarray(uniform(columns, PURPOSES[name]))):
            out[i] = globals()[f"expected_{name}"](out[i], u)
    return out


def expected_color(x, u):
    x = x + float(u[0]) - 0.5
    mean = x.mean(axis=-1, keepdims=True)
    x = mean + 2 * u[1] * (x - mean)
    return x.mean() + (0.5 + u[2]) * (x - x.mean())


def expected_translation(x, u):
    height, width, _ = x.shape
    most = [int(side / 8 + 0.5) for side in (height, width)]
    dy, dx = (
        min(int(v * (2 * m + 1)), 2 * m) - m for v, m in zip(u, most, strict=True)
    )
    out = np.zeros_like(x)
    for i in range(height):
        for j in range(width):
            if 0 <= i - dy < height and 0 <= j - dx < width:
                out[i, j] = x[i - dy, j - dx]
    return out


def expected_cutout(x, u):
    out = x.copy()
    corners = []
    for side, v in zip(x.shape, u, strict=False):
        size = int(side / 2 + 0.5)
        places = side + 1 - size % 2
        middle = min(int(v * places), places - 1)
        corners.append((max(middle - size // 2, 0), middle + size - size // 2))
    (top, bottom), (left, right) = corners
    out[top:bottom, left:right] = 0
    return out


@pytest.mark.full_on_jax
@pytest.mark.backends
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "policy", [*((name,) for name in NAMES), NAMES, NAMES[::-1]], ids=str
)
def test_every_policy_is_its_definition(shape, policy):
    x = normal(32, *shape)
    for seed in range(2):
        uniform = drawn(32, seed)
        y = augment(x, policy, uniform)
        assert y.dtype == np.float32
        # Values of some units, rounded in float32: 1e-6 of the largest.
        np.testing.assert_allclose(
            y, expected(x, policy, uniform), rtol=0, atol=1e-6 * np.abs(x).max()
        )


@pytest.mark.backends
def test_moves_and_masks_are_exact():
    """Each pixel is moved by a product with 1, and zeros added to it."""
    x = normal(32, 16, 24, 3)
    for policy in ("translation", "cutout", "translation,cutout"):
        y = augment(x, policy, drawn(32))
        np.testing.assert_array_equal(y, expected(x, policy.split(","), drawn(32)))


def test_the_middle_of_the_ranges():
    x = normal(1, 16, 16, 3)
    still = augment(x, "translation", given(translation=[[0.5, 0.5]]))
    np.testing.assert_array_equal(still, x)
    same = augment(x, "color", given(color=[[0.5, 0.5, 0.5]]))
    np.testing.assert_allclose(same, x, atol=1e-6)
    cut = augment(x, "cutout", given(cutout=[[0.5, 0.5]]))
    np.testing.assert_array_equal(cut[0, 4:12, 4:12], 0)
    cut[:, 4:12, 4:12] = x[:, 4:12, 4:12]
    np.testing.assert_array_equal(cut, x)


def test_color_by_hand():
    # Mean 0.3; channels' means 0.2 and 0.4.
    x = np.array([[[[0.1, 0.3], [0.3, 0.5]]]], "float32")
    brighter = augment(x, "color", given(color=[[1.0, 0.5, 0.5]]))
    np.testing.assert_allclose(brighter, x + 0.5, atol=1e-6)
    grey = augment(x, "color", given(color=[[0.5, 0.0, 0.5]]))
    np.testing.assert_allclose(grey, [[[[0.2, 0.2], [0.4, 0.4]]]], atol=1e-6)
    vivid = augment(x, "color", given(color=[[0.5, 1.0, 0.5]]))
    np.testing.assert_allclose(vivid, [[[[0.0, 0.4], [0.2, 0.6]]]], atol=1e-6)
    flat = augment(x, "color", given(color=[[0.5, 0.5, 0.0]]))
    np.testing.assert_allclose(flat, [[[[0.2, 0.3], [0.3, 0.4]]]], atol=1e-6)
    sharp = augment(x, "color", given(color=[[0.5, 0.5, 1.0]]))
    np.testing.assert_allclose(sharp, [[[[0.0, 0.3], [0.3, 0.6]]]], atol=1e-6)


def test_color_of_one_channel():
    x = normal(3, 4, 4, 1)
    u = [[0.5, s, 0.7] for s in (0.0, 0.3, 1.0)]
    y = augment(x, "color", given(color=u))
    same = augment(x, "color", given(color=[[0.5, 0.5, 0.7]] * 3))
    np.testing.assert_array_equal(y, same)


def test_moves_by_hand():
    x = normal(2, 16, 8, 3)
    y = augment(x, "translation", given(translation=[[0, 0], [1, 1]]))
    np.testing.assert_array_equal(y[0, :-2, :-1], x[0, 2:, 1:])
    np.testing.assert_array_equal(y[1, 2:, 1:], x[1, :-2, :-1])
    assert not y[0, -2:].any() and not y[0, :, -1:].any()
    assert not y[1, :2].any() and not y[1, :, :1].any()


# Evenly spaced, so each range is met at both ends and all in between.
EVEN = (np.arange(1000) + 0.5) / 1000


def test_moves_take_all_values_alike():
    # One bright pixel in the middle of 32 x 16 tells the move.
    x = np.zeros((1000, 32, 16, 1), "float32")
    x[:, 16, 8] = 1
    u = np.stack([EVEN, EVEN[::-1]], axis=1)
    y = augment(x, "translation", given(translation=u))
    _, rows, columns, _ = np.nonzero(y)
    values, counts = np.unique(rows - 16, return_counts=True)
    np.testing.assert_array_equal(values, range(-4, 5))
    assert counts.min() >= 111 and counts.max() <= 112
    values, counts = np.unique(columns - 8, return_counts=True)
    np.testing.assert_array_equal(values, range(-2, 3))
    assert set(counts) == {200}


@pytest.mark.parametrize(("side", "size"), [(16, 8), (10, 5), (9, 5), (2, 1)])
def test_cuts_reach_both_ends(side, size):
    x = np.ones((1000, side, side, 1), "float32")
    u = np.stack([EVEN, np.full(1000, 0.5)], axis=1)
    y = augment(x, "cutout", given(cutout=u))
    cut = (y == 0).any(axis=(2, 3))
    starts = np.argmax(cut, axis=1)
    lengths = cut.sum(axis=1)
    # From half the square above the image to half of it below.
    assert starts.min() == 0 and (starts + lengths).max() == side
    assert lengths.max() == size
    assert lengths.min() == (size + 1) // 2
    assert lengths[0] == lengths[-1] == lengths.min()
    pixels = (y == 0).sum(axis=(1, 2, 3))
    np.testing.assert_array_equal(pixels, lengths * size)


@pytest.mark.backends
def test_numbers_at_both_ends_are_in_range():
    x = normal(2, 8, 8, 3)
    ends = {
        name: [[0.0] * k, [1.0] * k] for name, k in zip(NAMES, (3, 2, 2), strict=True)
    }
    y = augment(x, NAMES, given(**ends))
    np.testing.assert_allclose(
        y, expected(x, NAMES, given(**ends)), atol=1e-6 * np.abs(x).max()
    )


def test_a_policy_draws_the_same_in_any_company():
    x = normal(8, 16, 16, 3)
    alone = augment(x, "cutout", drawn(8))
    together = augment(x, "translation,cutout", drawn(8))
    mask = alone == 0
    assert mask.any() and (together[mask] == 0).all()


def derivatives(f, x):
    """First derivative of `f`, and that of its squared length, compiled."""
    if keras.backend.backend() == "jax":
        import jax

        first = jax.grad(f)
        both = jax.jit(
            lambda x: (first(x), jax.grad(lambda x: ops.sum(first(x) ** 2))(x))
        )
        return both(x)
    import tensorflow as tf

    @tf.function(jit_compile=True)
    def both(x):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = f(x)
            first = inner.gradient(y, x)
            length = ops.sum(first**2)
        return first, outer.gradient(length, x)

    return both(tf.constant(x))


@pytest.mark.daily(1)
@pytest.mark.full_on_jax
@pytest.mark.backends
@pytest.mark.parametrize("policy", ["color", "translation", "cutout", NAMES])
def test_derivatives(policy):
    """Against central differences of the definition in float64."""
    shape = (2, 8, 9, 2)
    x, weights = normal(*shape), normal(*shape, seed=1)
    names = check_policy(policy)

    def f(x):
        y = diff_augment(x, policy, drawn(2))
        return ops.sum(ops.square(y) * weights)

    first, second = map(ops.convert_to_numpy, derivatives(f, x))

    # The augmentation is linear but for a constant, y = A x + b, so that
    # f' = 2 A^T W y and the derivative of |f'|^2 is 4 A^T W A f'.
    def linear(dx):
        """A dx, exactly: a difference in float64."""
        x64 = x.astype("float64")
        high = expected(x64 + dx, names, drawn(2))
        return high - expected(x64, names, drawn(2))

    y = expected(x.astype("float64"), names, drawn(2))
    push = linear(first.astype("float64"))
    rng = np.random.default_rng(2)
    for _ in range(8):
        dx = rng.standard_normal(shape)
        moved = linear(dx)
        slope = 2 * np.sum(weights * y * moved)
        # float32 sums of 288 terms of order 1 to 10.
        assert np.sum(first * dx) == pytest.approx(slope, rel=1e-5, abs=1e-4)
        bend = 4 * np.sum(weights * push * moved)
        assert np.sum(second * dx) == pytest.approx(bend, rel=1e-5, abs=1e-3)


def test_half_precision_is_augmented_in_single():
    x = ops.cast(normal(4, 8, 8, 3), "bfloat16")
    y = augment(x, NAMES, drawn(4))
    assert y.dtype == np.float32
    x = ops.convert_to_numpy(ops.cast(x, "float32"))
    np.testing.assert_allclose(y, expected(x, NAMES, drawn(4)), atol=5e-6)


def test_batches_of_unknown_size():
    tf = pytest.importorskip("tensorflow")
    x = normal(5, 16, 16, 3)

    @tf.function(input_signature=[tf.TensorSpec((None, 16, 16, 3))])
    def run(x):
        def uniform(columns, purpose):
            return ops.convert_to_tensor(drawn(5)(columns, purpose))

        return diff_augment(x, NAMES, uniform)

    np.testing.assert_allclose(run(x), augment(x, NAMES, drawn(5)), atol=1e-6)


def test_policies():
    assert check_policy("color") == ("color",)
    assert check_policy("cutout, color") == ("cutout", "color")
    assert check_policy(list(NAMES)) == NAMES
    assert check_policy(NAMES, (8, 8, 3)) == NAMES
    assert check_policy(None) == check_policy(()) == ()
    assert check_policy(None, (2,)) == ()
    x = normal(2, 4, 4, 3)
    np.testing.assert_array_equal(augment(x, None, None), x)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: check_policy("colour"), "'colour'. Did you mean color"),
        (lambda: check_policy("color,translate"), "mean translation"),
        (lambda: check_policy(""), "Received: ''"),
        (lambda: check_policy("color,color"), "once"),
        (lambda: check_policy("ada,color"), "'ada' stands alone. Received: ada, color"),
        (lambda: check_policy(True), "cutout; or 'ada'. Received: True"),
        (lambda: check_policy([1]), "Received: 1"),
        (lambda: check_policy("cutout", (2,)), r"vectors cannot.*\(2,\)"),
        (lambda: diff_augment(normal(4, 2), "color", drawn(4)), "vectors"),
    ],
)
def test_bad_policies_are_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
