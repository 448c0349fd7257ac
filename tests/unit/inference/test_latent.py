"""Latent spaces of any GAN: seeds, walks, directions, projection."""

import math

import keras
from keras import ops
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.core.inputs import Latent
from keras_gans.inference.latent.features import box_reduced, features_of
from keras_gans.networks.mlp import mlp_discriminator, mlp_generator


def bright(gan, scale=15.0):
    """Larger weights: new ones make samples that hardly differ."""
    for v in gan.generator.trainable_variables:
        if v.path.endswith(("kernel", "embeddings")):
            v.assign(v * scale)
    return gan


@pytest.fixture(scope="module")
def style():
    keras.utils.set_random_seed(1)
    small = {"latent_dim": 6, "w_dim": 6, "channel_base": 64}
    return kg.StyleGAN2((12, 12, 3), 3, **small)


@pytest.fixture(scope="module")
def dcgan():
    keras.utils.set_random_seed(1)
    return bright(kg.DCGAN((16, 16, 1), 6, width=4))


@pytest.fixture(scope="module")
def uniform():
    keras.utils.set_random_seed(1)
    gan = kg.BaseGAN(
        mlp_generator((8, 8, 1), 5, width=16),
        mlp_discriminator((8, 8, 1), width=8),
        inputs=(Latent(5, "uniform"),),
    )
    return bright(gan)


def conditional(conditioning="embedding"):
    return bright(
        kg.ConditionalGAN((16, 16, 1), 3, 6, width=2, conditioning=conditioning)
    )


def test_arcs_and_lines():
    a, b = np.random.default_rng(0).normal(size=(2, 5, 7))
    for way in (kg.latent.slerp, kg.latent.lerp):
        np.testing.assert_allclose(way(a, b, 0.0), a, atol=1e-12)
        np.testing.assert_allclose(way(a, b, 1.0), b, atol=1e-12)
    right = np.array([[3.0, 0.0], [0.0, 3.0]])
    middle = kg.latent.slerp(*right, 0.5)
    np.testing.assert_allclose(middle, [3 / math.sqrt(2)] * 2)
    np.testing.assert_allclose(kg.latent.slerp(a, 3 * a, 0.5), 2 * a)


@pytest.mark.full
def test_samples_of_seeds_are_those_of_sample(style, dcgan):
    given = {"labels": [2, 0], "truncation": 0.5}
    one = np.concatenate(
        [style.sample(1, s, labels=c, truncation=0.5) for s, c in ((3, 2), (8, 0))]
    )
    np.testing.assert_allclose(
        kg.latent.generate(style, [3, 8], **given), one, atol=1e-6
    )
    cut = kg.latent.generate(style, [3, 8], cutoff=4, **given)
    np.testing.assert_allclose(cut, one, atol=1e-4)
    none = kg.latent.generate(style, [3, 8], cutoff=0, **given)
    plain = kg.latent.generate(style, [3, 8], labels=[2, 0])
    np.testing.assert_allclose(none, plain, atol=1e-4)
    assert np.abs(none - one).max() > 1e-2
    codes = np.random.RandomState(4).randn(1, 6).astype("float32")
    made = kg.latent.generate(dcgan, [4], draws="numpy")
    np.testing.assert_allclose(made, dcgan.predict(codes, verbose=0), atol=1e-5)


@pytest.mark.full
@pytest.mark.backends
def test_walks_meet_their_seeds(style, dcgan):
    seeds = [3, 8, 12]
    for gan, given in ((style, {"labels": [0, 1, 2]}), (dcgan, {})):
        met = kg.latent.generate(gan, seeds, **given)
        loop = kg.latent.walk(gan, seeds, 6, **given)
        np.testing.assert_allclose(loop[::2], met, atol=1e-4)
        way = kg.latent.walk(gan, seeds, 5, loop=False, **given)
        np.testing.assert_allclose(way[::2], met, atol=1e-4)
        np.testing.assert_allclose(way[1], loop[1], atol=1e-4)
        assert np.abs(loop[1] - loop[0]).max() > 1e-3
        # From the last to the first again.
        assert np.abs(loop[5] - loop[4]).max() > 1e-3
    arcs = kg.latent.walk(style, seeds, 6, space="z", labels=1)
    assert np.abs(arcs[1] - kg.latent.walk(style, seeds, 6, labels=1)[1]).max() > 1e-3


@pytest.mark.parametrize("conditioning", ["embedding", "one_hot", "projection"])
def test_walks_pass_from_class_to_class(conditioning):
    gan = conditional(conditioning)
    met = kg.latent.generate(gan, [1, 1], labels=[0, 2])
    way = kg.latent.walk(gan, [1, 1], 3, loop=False, labels=[0, 2])
    np.testing.assert_allclose(way[[0, 2]], met, atol=1e-5)
    between = [np.abs(way[1] - way[i]).max() for i in (0, 2)]
    assert min(between) > 1e-4


def test_walks_of_uniform_codes_are_lines(uniform):
    z = [
        ops.convert_to_numpy(uniform.inputs[0].rows(s, np.zeros(1, int), None))
        for s in (1, 2)
    ]
    way = kg.latent.walk(uniform, [1, 2], 3, loop=False)
    middle = uniform.predict((z[0] + z[1]) / 2, verbose=0)
    np.testing.assert_allclose(way[1], middle[0], atol=1e-5)


def same_lines(found, wanted, bound):
    assert np.abs(np.sum(found * wanted, axis=1)).min() > bound


def test_the_first_layer_has_closed_form_directions(dcgan):
    def eigenvectors(kernel):
        a = kernel / np.linalg.norm(kernel, axis=0)
        return np.linalg.svd(a)[0].T

    kernel = np.asarray(dcgan.generator.get_layer("project").kernel)
    found = kg.latent.directions(dcgan, "sefa", 3, samples=8)
    assert found.space == "z" and found.layers == []
    same_lines(found.vectors, eigenvectors(kernel)[:3], 0.999)
    assert (np.diff(found.values) <= 0).all()
    gan = conditional()  # of z joined to a class
    kernel = np.asarray(gan.generator.get_layer("project").kernel)[:6]
    found = kg.latent.directions(gan, "sefa", 2, samples=8)
    same_lines(found.vectors, eigenvectors(kernel)[:2], 0.999)
    with pytest.raises(ValueError, match="Take method='pca'"):
        z = keras.Input((6,))
        x = keras.layers.Dense(8)(keras.layers.Activation("tanh")(z))
        x = keras.layers.Reshape((8, 8, 1))(keras.layers.Dense(64)(x))
        judge = mlp_discriminator((8, 8, 1), width=8)
        kg.latent.directions(kg.GAN(generator=keras.Model(z, x), discriminator=judge))


def test_components_of_first_features_are_brought_back(dcgan):
    kernel = np.asarray(dcgan.generator.get_layer("project").kernel)
    wanted, singular, _ = np.linalg.svd(kernel)
    found = kg.latent.directions(dcgan, "pca", 6, samples=4000)
    np.testing.assert_allclose(found.values, singular, rtol=0.05)
    np.testing.assert_allclose(found.deviations, np.ones(6), rtol=0.05)
    # Of deviations that are near each other, samples turn the components.
    assert abs(found.vectors[0] @ wanted[:, :2]).max() > 0.7


def test_directions_come_back_from_their_file(style):
    found = kg.latent.directions(style, "pca", 2, layers=[0, 1], samples=64)
    assert found.space == "w"
    found.save("d.npz")
    back = kg.latent.Directions.load("d.npz")
    np.testing.assert_array_equal(back.vectors, found.vectors)
    assert (back.layers, back.method) == ([0, 1], "pca")
    with pytest.raises(ValueError, match="Nothing is overwritten"):
        found.save("d.npz")
    np.savez("other.npz", x=np.zeros(2))
    with pytest.raises(ValueError, match="vectors, values"):
        kg.latent.Directions.load("other.npz")
    moved = kg.latent.edit(np.zeros((1, 3, 2)), [1.0, 0.0], [-1, 2], [1])
    assert moved[0, :, 1, 0].tolist() == [-1, 2]
    assert not moved[..., [0, 2], :].any()


@pytest.mark.full
@pytest.mark.backends
def test_a_sample_is_found_again(style):
    weights = style.get_weights()
    target = style.sample(1, 5, labels=2)[0]
    seen = []
    found = kg.latent.project(
        style,
        target,
        steps=60,
        w_samples=64,
        labels=2,
        progress=lambda step, distance: seen.append((step, distance)),
    )
    assert found.space == "w+" and found.codes.shape == (1, 4, 6)
    assert found.distances[-1] < 0.3 * found.distances[0]
    assert found.ssim > 0.5 and found.distance < 0.3 * found.distances[0]
    assert seen[-1][0] == 60
    for a, b in zip(weights, style.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    found.save("w.npz")
    with np.load("w.npz") as held:
        assert held["w"].shape == (1, 4, 6) and held["label"] == 2
    codes = kg.latent.load_codes(style, "w.npz")
    images = kg.latent.LatentSpace(style).synthesize(codes)
    np.testing.assert_allclose(images[0], found.image, atol=1e-6)
    assert found.preview("A caption.").picture.shape[2] == 3


@pytest.mark.full
def test_a_sample_is_found_in_z(dcgan, uniform):
    for gan in (dcgan, uniform):
        z = ops.convert_to_numpy(gan.inputs[0].rows(78, np.zeros(1, int), None))
        if gan is dcgan:
            z = z * math.sqrt(6) / np.linalg.norm(z)
        target = gan.predict(z, verbose=0)[0]
        found = kg.latent.project(gan, target, steps=50)
        assert found.space == "z" and found.codes.shape[0] == 1
        assert found.distances[-1] < 0.2 * found.distances[0]
        if gan is uniform:
            assert np.abs(found.codes).max() <= 1 and found.ssim is None
        else:
            assert np.linalg.norm(found.codes) == pytest.approx(math.sqrt(6), rel=1e-4)
    found.save("z.npz")
    assert np.load("z.npz")["z"].shape == (1, 5)


def test_the_nearest_class_is_taken_in_z():
    gan = conditional()
    target = gan.sample(1, 3, labels=[2])[0]
    assert kg.latent.project(gan, target, steps=2).label == 2


def test_pixels_are_compared_at_several_sizes():
    a, b = np.random.default_rng(0).uniform(-1, 1, (2, 3, 16, 8, 2)).astype("float32")
    pixels = features_of("pixels")
    found = ops.convert_to_numpy(ops.sum(ops.square(pixels(a) - pixels(b)), axis=1))
    halves = [x.reshape(3, 8, 2, 4, 2, 2).mean(axis=(2, 4)) for x in (a, b)]
    pairs = ((a, b), halves)
    wanted = sum(np.square(x - y).mean(axis=(1, 2, 3)) for x, y in pairs)
    np.testing.assert_allclose(found, wanted, rtol=1e-5)
    large = np.arange(12.0).reshape(1, 4, 3, 1)
    assert box_reduced(large, 2) is large
    np.testing.assert_allclose(box_reduced(large, 1)[0, :, :, 0], [[4], [7]][:1])


@pytest.mark.full
def test_path_lengths_by_lite0(style):
    """Smoother where w is truncated: pictures change less."""
    lengths = [
        kg.latent.perceptual_path_length(style, 32, truncation=psi) for psi in (1, 0.3)
    ]
    assert lengths[0] > lengths[1] > 0


def test_path_lengths_are_of_the_seed(dcgan):
    options = {"features": "pixels", "sampling": "full"}
    length = kg.latent.perceptual_path_length(dcgan, 8, seed=1, **options)
    assert 0 < length < math.inf
    assert kg.latent.perceptual_path_length(dcgan, 8, seed=1, **options) == length
    assert kg.latent.perceptual_path_length(dcgan, 8, seed=2, **options) != length


def test_what_does_not_fit_is_told(style, dcgan, uniform):
    x = np.zeros((12, 12, 3), "float32")
    latent = kg.latent
    space, ws = latent.LatentSpace(style), np.zeros((1, 4, 6))
    cases = [
        (lambda: latent.generate(dcgan, [0], truncation=0.5), "takes a seed alone"),
        (lambda: latent.generate(dcgan, [0], cutoff=1), "no intermediate codes"),
        (lambda: latent.generate(style, [0], cutoff=9), r"\[0, 4\]"),
        (lambda: latent.generate(style, []), "no seeds"),
        (lambda: latent.generate(style, [-1]), "2\\*\\*31"),
        (lambda: latent.generate(uniform, [0], draws="numpy"), "normal numbers"),
        (lambda: latent.generate(style, [0], draws="nump"), "numpy"),
        (lambda: latent.mix(dcgan, [0], [1]), "no intermediate codes"),
        (lambda: latent.mix(style, [0], [1], [4]), r"\[0, 4\)"),
        (lambda: latent.walk(dcgan, [1]), "two or more"),
        (lambda: latent.walk(dcgan, [1, 2], 1), "2 frames"),
        (lambda: latent.walk(dcgan, [1, 2], space="w"), "no intermediate codes"),
        (lambda: latent.walk(style, [1, 2], space="z", cutoff=1), "space='z'"),
        (
            lambda: latent.walk(style, [1, 2], space="z", labels=[0, 1]),
            "all seeds one class",
        ),
        (lambda: latent.directions(style, number=7), r"\[1, 6\]"),
        (lambda: latent.directions(style, "sef"), "sefa"),
        (lambda: latent.directions(dcgan, layers=[0]), "no intermediate codes"),
        (lambda: latent.project(dcgan, x), r"\(batch, 16, 16, 1\)"),
        (lambda: latent.project(dcgan, x, "w+"), "no intermediate codes"),
        (lambda: latent.project(style, x, features="pixel"), "Did you mean pixels"),
        (lambda: latent.project(style, x, learning_rate=0), "learning_rate"),
        (lambda: latent.project(style, x, steps=0), "steps"),
        (lambda: latent.load_codes(dcgan, "w.npz"), "no intermediate codes"),
        (lambda: latent.load_codes(style, "none.npz"), "none.npz"),
        (lambda: latent.LatentSpace(3), "Received: int"),
        (lambda: latent.generate(style.networks["generator"], [0]), "open_gan"),
        (lambda: space.synthesize(np.zeros((1, 9, 6))), r"\(n, 4, 6\)"),
        (lambda: space.synthesize(np.zeros((1, 3, 6))), r"shape \(1, 3, 6\)"),
        (lambda: space.synthesize(np.zeros((1, 4, 5))), r"shape \(1, 4, 5\)"),
        (lambda: space.synthesize(np.zeros((4, 6))), r"ws\[None\]"),
        (lambda: space.synthesize(ws * np.nan), "infinity, 24 of 24"),
        (lambda: latent.LatentSpace(dcgan).synthesize(ws), "no intermediate codes"),
        (lambda: space.styles(np.zeros((1, 5))), "Received: ndarray"),
        (lambda: space.styles({"z": ws[0]}), "Received: a dict of z"),
        (lambda: space.styles({**space.values([0]), "z": ws[0, :, :5]}), "`z` has"),
        (lambda: latent.edit(ws, np.ones(6), [1], [99]), r"\[0, 4\).*\[99\]"),
        (lambda: latent.edit(ws[0], np.ones(6), [1], [0]), "of codes w"),
        (lambda: latent.edit(ws, np.ones(6), [np.nan]), "`amounts` are finite"),
        (lambda: latent.edit(ws, np.ones(6), 1), "a list of floats"),
        (lambda: latent.edit(ws, np.ones(5), [1]), r"\(6,\). Received: shape \(5,"),
        (lambda: latent.edit(ws[0, 0], np.ones(6), [1]), "a batch of one"),
        (
            lambda: latent.LatentSpace(
                kg.Pix2Pix((16, 16, 1), width=2, depth=2, n_layers=1)
            ),
            "takes source",
        ),
    ]
    for call, match in cases:
        with pytest.raises(ValueError, match=match):
            call()
    np.savez("w.npz", w=np.zeros((1, 5, 6)))
    with pytest.raises(ValueError, match=r"\(n, 4, 6\)"):
        latent.load_codes(style, "w.npz")
