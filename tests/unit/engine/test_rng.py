"""Random draws: the same everywhere, and random enough."""

from keras import ops
import numpy as np
import pytest

from keras_gans.engine import rng


def numpy(x):
    return np.asarray(ops.convert_to_numpy(x))


def by_hand(words, row, column):
    """The counter hash, one number at a time, in Python's integers."""

    def mix(x):
        x = ((x ^ (x >> 16)) * 0x7FEB352D) % 2**32
        x = ((x ^ (x >> 15)) * 0x846CA68B) % 2**32
        return x ^ (x >> 16)

    odd = 0x9E3779B9
    a, b = 0x243F6A88, 0x85A308D3
    for word in (*words, row):
        a, b = mix(a ^ word), mix((b + word * odd) % 2**32)
    return mix(mix((a + column * odd) % 2**32) ^ b)


@pytest.mark.backends
def test_bits_by_hand():
    words = (7, 2**32 - 1, 0)
    got = numpy(rng.bits(words, ops.arange(5), 4))
    for row in range(5):
        for column in range(4):
            assert got[row, column] == by_hand(words, row, column)


@pytest.mark.backends
def test_words_may_be_tensors():
    """Of a step, of one a row, or of both; odd and even numbers of columns."""
    step, rows = ops.convert_to_tensor(3), ops.arange(4)
    own = ops.convert_to_tensor(np.array([5, 6, 7, 8]))
    for words, value in (
        ((7, step, "masks"), lambda row: (7, 3, 5)),
        ((step,), lambda row: (3,)),
        ((7, own, step), lambda row: (7, 5 + row, 3)),
    ):
        for columns in (3, 4):
            got = numpy(rng.bits(words, rows, columns))
            want = [
                [by_hand(value(row), row, column) for column in range(columns)]
                for row in range(4)
            ]
            np.testing.assert_array_equal(got, want)
            u = numpy(rng.uniform(words, rows, columns))
            tops = (np.array(want, "uint32") >> np.uint32(8)).astype("float32")
            np.testing.assert_array_equal(u, tops * 2.0**-24 + 2.0**-25)
            assert rng.normal(words, rows, columns).shape == (4, columns)


def test_a_draw_is_few_operations_of_a_graph():
    """A step has many draws, and takes as long to build as it has operations."""
    import tensorflow as tf

    @tf.function(input_signature=[tf.TensorSpec((), "int32")], autograph=False)
    def draw(step):
        return rng.normal((0, "train", step, 0, "latent"), tf.range(4), 6)

    graph = draw.get_concrete_function().graph
    assert len(graph.get_operations()) < 30

    rows = tf.TensorSpec([None], "int32")  # as exported models are asked

    @tf.function(input_signature=[rows, rows], autograph=False)
    def served(high, low):
        return rng.latents(high, low, 6)

    np.testing.assert_array_equal(
        served([5, 5], [0, 1]), rng.latents(5, np.arange(2, dtype="uint32"), 6)
    )
    np.testing.assert_array_equal(
        draw(2),
        rng.normal((0, "train", 2, 0, "latent"), np.arange(4, dtype="uint32"), 6),
    )


@pytest.mark.backends
def test_latents_are_a_promise():
    z = numpy(rng.latents(3, np.arange(2, dtype="uint32"), 3))
    # Worked in double precision. Images of a seed never change.
    promised = [[0.3301579, -0.9700836, -0.4383637], [0.8577297, 0.6401973, -1.1269565]]
    np.testing.assert_allclose(z, promised, atol=1e-6)


@pytest.mark.backends
def test_prefix_and_independence():
    rows = ops.arange(64)
    z = numpy(rng.normal((1, 2), rows, 10))
    np.testing.assert_array_equal(z[:8], rng.normal((1, 2), rows[:8], 10))
    np.testing.assert_array_equal(z[8:], rng.normal((1, 2), rows[8:], 10))
    for other in ((1, 3), (2, 2), (1, 2, 0)):
        other = numpy(rng.normal(other, rows, 10))
        assert np.mean(z == other) < 0.01


@pytest.mark.backends
def test_distributions():
    n, d = 2000, 50
    u = numpy(rng.uniform((0, 0), ops.arange(n), d))
    assert u.min() > 0 and u.max() < 1
    counts = np.histogram(u, 100, (0, 1))[0]
    chi2 = np.sum((counts - n * d / 100) ** 2 / (n * d / 100))
    assert 50 < chi2 < 160  # chi-square of 99: outside less than once in 10^4
    z = numpy(rng.normal((0, 1), ops.arange(n), d)).astype("float64")
    error = 1 / np.sqrt(n * d)
    assert abs(z.mean()) < 5 * error
    assert abs(z.var() - 1) < 5 * np.sqrt(2) * error
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96) * error
    correlation = np.corrcoef(z.T) - np.eye(d)
    assert np.abs(correlation).max() < 5.5 / np.sqrt(n)
    assert np.abs(np.corrcoef(z[:-1].ravel(), z[1:].ravel())[0, 1]) < 5 * error


def test_draws_need_a_place():
    with pytest.raises(RuntimeError, match="outside"):
        rng.RNG(0, ops.arange).normal(2, 3, "latent")
