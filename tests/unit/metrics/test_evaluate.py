"""Scores of images: values, records, sets of every kind, networks."""

import hashlib

import numpy as np
from PIL import Image
import pytest
from scoring import pictures, tiny, values

import keras_gans as kg
from keras_gans import metrics
from keras_gans.metrics import FeatureNetwork, evaluate
from keras_gans.metrics.features import network

ALL = ("fid", "kid", "is", "precision", "recall", "density", "coverage")


# --- Values and records ---


@pytest.mark.backends
def test_values_are_those_of_the_functions():
    fake, real = pictures(seed=1), pictures(50)
    model = tiny()
    settings = {
        "kid": {"subsets": 3, "subset_size": 10},
        "is": {"splits": 4},
        "recall": {"k": 2},
    }
    records = evaluate(fake, real, ALL, model, seed=5, settings=settings, verbose=0)
    network = FeatureNetwork(model)
    f, r = network(fake), network(real)
    logits, f, r = f["logits"], f["features"], r["features"]
    kid = metrics.kernel_distance(r, f, 3, 10, seed=5)
    score = metrics.inception_score(logits, 4)
    wanted = [
        metrics.frechet_distance(r, f),
        kid.mean,
        score.mean,
        metrics.precision_recall(r, f, 3).precision,
        metrics.precision_recall(r, f, 2).recall,
        *metrics.density_coverage(r, f),
    ]
    # The network's float32, in batches of 64 and of 40 or 50.
    np.testing.assert_allclose([record.value for record in records], wanted, rtol=1e-4)
    assert records[1].std == pytest.approx(kid.std, rel=1e-4)
    assert records[2].std == pytest.approx(score.std, rel=1e-4)
    assert [record.name for record in records][:3] == [
        "tiny Fréchet distance",
        "tiny kernel distance",
        "tiny inception score",
    ]
    assert (records[2].reals, records[2].real) == (None, None)
    assert records[1].settings == settings["kid"]
    assert records[4].settings == {"k": 2}


def test_records_are_lines_and_json():
    fake, real = pictures(20, seed=1), pictures(30)
    [record] = evaluate(fake, real, "kid", tiny(), seed=3, split="test", verbose=0)
    assert metrics.Record.from_json(record.to_json()) == record
    for part in (
        "tiny kernel distance",
        f"{record.value:.6g}",
        "20 fakes",
        "30 reals (array, test)",
        f"tiny {record.weights[:8]} at 8x8, clean",
        "seed 3",
        f"keras_gans {kg.__version__}",
    ):
        assert part in str(record)
    assert "\n" not in str(record) + record.to_json()
    for text in ("{}", "[1]", "no json", record.to_json().replace("3", "x")):
        with pytest.raises(ValueError, match="A record is a line of JSON"):
            metrics.Record.from_json(text)


def test_the_hash_is_of_weights_alone():
    first, again, other = (FeatureNetwork(tiny(seed)) for seed in (0, 0, 1))
    assert first.weights == again.weights != other.weights


# --- Sets of every kind ---


def test_one_set_has_one_score(tmp_path):
    import tensorflow as tf

    real, fake = pictures(), pictures(21, seed=1)
    wanted = values(fake, real)
    # Of the network's float32; the pixels are the same bits.
    same = {"rtol": 1e-5}
    floats = (fake / 127.5 - 1).astype("float32")
    folder = tmp_path / "fakes"
    for i, image in enumerate(fake):
        (folder / "ab"[i // 11]).mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / "ab"[i // 11] / f"{i:02}.png")
    labelled = (floats, np.arange(21))
    dataset = tf.data.Dataset.from_tensor_slices(labelled).batch(5)
    for given in (
        floats,
        labelled,
        dataset,
        dataset.map(lambda image, label: image),
        [fake[:10], fake[10:]],
        tf.constant(fake),
        fake * np.uint16(257),
        folder,
        str(folder),
    ):
        np.testing.assert_allclose(values(given, real), wanted, **same)
    unit = fake.astype("float64") / 255
    ranged = values(unit, real, value_range=(0, 1))
    np.testing.assert_allclose(ranged, wanted, **same)
    for size in (1, 7, 64):
        found = values(fake, real, batch_size=size)
        np.testing.assert_allclose(found, wanted, **same)
    first = values(folder, real, n=9)
    np.testing.assert_allclose(first, values(fake[:9], real), **same)
    assert not np.allclose(first, wanted)


def test_grey_is_repeated():
    grey, real = pictures(20, channels=1), pictures(seed=1)
    np.testing.assert_array_equal(
        values(grey, real), values(np.repeat(grey, 3, -1), real)
    )


def test_folders_of_mixed_sizes(tmp_path):
    images = [pictures(1, size, seed=size)[0] for size in (5, 9, 30, 9)]
    for i, image in enumerate(images):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    network = FeatureNetwork(tiny())
    one_by_one = [network([image])["features"] for image in images]
    # Float32 sums of 192 products, near 10.
    np.testing.assert_allclose(
        network(images)["features"], np.concatenate(one_by_one), atol=1e-4
    )
    real = pictures()
    assert np.isfinite(values(tmp_path, real)).all()


def test_sizes_that_differ_are_told():
    with pytest.warns(UserWarning, match="12 x 12 pixels and fakes 20 x 20"):
        values(pictures(size=20), pictures())


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_a_gan_scores_as_its_samples(trained_gan):
    gan, real = trained_gan, pictures(size=8)
    samples = gan.sample(70, seed=2)
    [record] = evaluate(
        gan, real, "kid", tiny(), n=70, seed=2, batch_size=16, verbose=0
    )
    assert (record.fakes, record.fake) == (70, "GAN, step 2")
    same = values(samples, real, ["kid"])
    np.testing.assert_allclose(record.value, same, rtol=1e-5)
    [record] = evaluate(gan, real, "kid", tiny(), verbose=0)
    assert (record.reals, record.fakes) == (40, 40)


def test_labels_come_as_in_the_data(monkeypatch):
    gan = kg.ConditionalGAN((16, 16, 1), num_classes=3, width=2)
    real = pictures(8, 16, 1), np.array([0, 0, 0, 0, 0, 0, 2, 2])
    drawn = []
    batches = gan.sample_batches

    def noted(n, seed=0, **given):
        if n > 1:  # not the look at whether it samples at all
            drawn.append(given.get("labels"))
        return batches(n, seed, **given)

    monkeypatch.setattr(gan, "sample_batches", noted)
    for n in (8, 4, 10):
        values(gan, real, ["kid"], n=n)
    values(gan, real[0], ["kid"])
    np.testing.assert_array_equal(drawn[0], real[1])
    np.testing.assert_array_equal(drawn[1], [0, 0, 0, 2])
    np.testing.assert_array_equal(drawn[2], [*real[1], 0, 0])
    assert drawn[3] is None


@pytest.mark.full
def test_named_reals_come_at_the_size_of_the_gan():
    gan = kg.DCGAN((16, 16, 1), width=2)
    [record] = evaluate(gan, "emoji:flat", "kid", tiny(), n=4, verbose=0)
    assert (record.real, record.reals) == ("emoji:flat", 1570)
    images = next(
        iter(
            kg.data.load(
                "emoji:flat", image_size=16, channels=1, batch_size=1570, shuffle=False
            )
        )
    )
    np.testing.assert_allclose(
        values(gan.sample(4), images.numpy(), ["kid"]), record.value, rtol=1e-5
    )


# --- Networks ---


@pytest.fixture(scope="module")
def lite0():
    return FeatureNetwork("lite0", input_size=48)


@pytest.mark.full
def test_lite0_tells_noise_by_its_strength(lite0):
    emoji = kg.data.emoji("3d").images[:240, ::2, ::2]
    real, held_out = emoji[::2], emoji[1::2]
    rng = np.random.default_rng(0)
    noise = rng.normal(size=held_out.shape)
    found = []
    for strength in (0, 8, 30, 90):
        fake = np.clip(held_out + strength * noise, 0, 255).astype("uint8")
        with pytest.warns(UserWarning, match="120 reals and 120 fakes are fewer"):
            records = evaluate(fake, real, ("fid", "kid"), lite0, verbose=0)
        found.append([record.value for record in records])
    assert (np.diff(found, axis=0) > 0).all()
    names = [record.name for record in records]
    assert names == ["Lite0 Fréchet distance", "Lite0 kernel distance"]
    assert "FID" not in str(records)


def test_inception_is_fid_with_its_true_weights_alone(monkeypatch, tmp_path):

    weights = tmp_path / "pt_inception-2015-12-05-6726825d.pth"
    with pytest.raises(ValueError, match="releases/tag/fid_weights"):
        FeatureNetwork("inception")
    with pytest.raises(FileNotFoundError, match=r"no file .*Download"):
        FeatureNetwork("inception", weights)
    weights.write_bytes(b"weights")
    monkeypatch.setattr(network, "_converted", lambda *args: tiny())
    # The graph resizes by itself; this model stands in for it.
    real, fake = pictures(size=8), pictures(size=8, seed=1)

    def name_and_mode():
        network = FeatureNetwork("inception", weights)
        [record] = evaluate(fake, real, "fid", network, verbose=0)
        return record.name, record.resize, record.input_size

    mode = ("legacy_tensorflow", (299, 299))
    assert name_and_mode() == ("Inception Fréchet distance", *mode)
    digest = hashlib.sha256(b"weights").hexdigest()
    monkeypatch.setattr(network, "INCEPTION_SHA256", digest)
    assert name_and_mode() == ("FID", *mode)
    with pytest.raises(ValueError, match="Inception sees 299 x 299"):
        FeatureNetwork("inception", weights, input_size=128)


def test_functions_are_networks():
    def mean_colour(images):
        return images.mean(axis=(1, 2))

    network = FeatureNetwork(mean_colour, input_size=4, value_range=(-1, 1))
    white = network(np.full((2, 9, 9, 3), 255, "uint8"))["features"]
    np.testing.assert_allclose(white, 1, atol=1e-6)
    [record] = evaluate(pictures(), pictures(seed=1), "fid", network, verbose=0)
    assert (record.network, record.weights) == ("mean_colour", None)
    with pytest.raises(ValueError, match="nothing tells when mean_colour"):
        evaluate(pictures(), pictures(), "fid", network, cache_dir="c")
