"""ImageToVolume: solids of pictures."""

import functools

from checks import check_gan
from keras import ops
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.networks.voxels import image_encoder, voxel_generator


def small(**kwargs):
    options = {
        "size": 8,
        "image_shape": (8, 8, 1),
        "latent_dim": 4,
        "width": 2,
        "encoder_width": 2,
        "d_steps": 1,
    }
    return kg.ImageToVolume(**{**options, **kwargs})


def pairs(n, seed=0):
    rng = np.random.default_rng(seed)
    pictures = rng.uniform(-1, 1, (n, 8, 8, 1)).astype("float32")
    volumes = 2.0 * (rng.random((n, 8, 8, 8, 1)) < 0.3) - 1.0
    return pictures, volumes.astype("float32")


@pytest.mark.full
@pytest.mark.backends
def test_image_to_volume():
    make = functools.partial(small, ema=0.9)
    # The bias of a Wasserstein critic cancels.
    check_gan(make, *pairs(16), still="output/bias", executions=False)


def test_losses_are_those_of_the_codes():
    weights = {"reconstruction_weight": 3.0, "kl_weight": 0.5, "overlap_weight": 0.25}
    gan = small(adversarial_weight=0.0, **weights)
    pictures, volumes = map(ops.convert_to_tensor, pairs(4))
    batch = {"source": pictures, "real": volumes}
    with gan.rng.at("train", 0):
        fake = gan.generate(batch, True)
        loss, logs = gan.generator_loss(fake, batch, True)
    mean, spread = gan.generator.get_layer("encoder").predict(pictures, verbose=0)
    kl = np.mean(mean**2 + np.exp(spread) ** 2 - 1 - 2 * spread) / 2
    made, real = (ops.convert_to_numpy(x + 1) / 2 for x in (fake, volumes))
    error = np.mean((made - real) ** 2)
    both = np.sum(made * real, axis=(1, 2, 3, 4))
    sizes = np.sum(made**2 + real**2, axis=(1, 2, 3, 4))
    overlap = np.mean(1 - (2 * both + 1) / (sizes + 1))
    assert float(logs["kl_loss"]) == pytest.approx(kl, rel=1e-5)
    assert float(logs["reconstruction_loss"]) == pytest.approx(error, rel=1e-5)
    assert float(logs["overlap_loss"]) == pytest.approx(overlap, rel=1e-5)
    wanted = 3 * error + 0.5 * kl + 0.25 * overlap
    assert float(loss) == pytest.approx(wanted, rel=1e-5)


def test_samples_are_of_mean_codes():
    gan = small()
    pictures, _ = pairs(4)
    made = gan.sample(4, seed=1, source=pictures)
    np.testing.assert_array_equal(made, gan.sample(4, seed=2, source=pictures))
    mean, spread = gan.generator.get_layer("encoder").predict(pictures, verbose=0)
    decoder = gan.generator.get_layer("decoder")
    np.testing.assert_allclose(made, decoder.predict(mean, verbose=0), atol=1e-5)
    gan.rng.normal = lambda n, dim, purpose: np.ones((n, dim), "float32")
    decoder.trainable = False  # its batch norms take what they have
    noisy = gan.generate({"source": pictures}, True)
    wanted = decoder.predict(mean + np.exp(spread), verbose=0)
    np.testing.assert_allclose(ops.convert_to_numpy(noisy), wanted, atol=1e-5)


def test_its_generator_is_voxel_gan_s():
    decoder = small().generator.get_layer("decoder")
    wanted = voxel_generator("iwgan32", 8, 1, 4, 2)
    assert [w.shape for w in decoder.weights] == [w.shape for w in wanted.weights]


def test_a_penalty_wants_no_batch_norms():
    def has_norms(**kwargs):
        gan = small(configuration="dense", size=16, **kwargs)
        layers = gan.networks["discriminator"].layers
        return any("BatchNorm" in type(layer).__name__ for layer in layers)

    assert not has_norms()  # which would warn
    assert has_norms(gp_weight=0.0)


@pytest.mark.parametrize("shape", [(8, 8, 1), (32, 48, 3), (100, 100, 4)])
def test_pictures_of_any_size(shape):
    mean, spread = image_encoder(shape, 5, 1)(np.zeros((2, *shape)))
    assert mean.shape == spread.shape == (2, 5)


@pytest.mark.full
def test_exported_to_pictures(tmp_path):
    import tensorflow as tf

    gan = small()
    pictures, _ = pairs(2)
    gan.export(tmp_path / "1")
    served = tf.saved_model.load(tmp_path / "1")
    made = served.signatures["serving_default"](source=tf.constant(pictures))
    wanted = gan.sample(2, source=pictures)
    np.testing.assert_allclose(made["volumes"], wanted, atol=1e-5)
    assert [data[:4] for data in made["mesh_bytes"].numpy()] == [b"glTF"] * 2


def test_refusals():
    with pytest.raises(ValueError, match="kl_weight"):
        small(kl_weight=-1)
    with pytest.raises(ValueError, match="overlap_weight"):
        small(overlap_weight=float("nan"))
    with pytest.raises(ValueError, match="8 x 8 pixels"):
        small(image_shape=(4, 8, 1))
    with pytest.raises(ValueError, match="'encoder'"):
        small(generator=voxel_generator("iwgan32", 8, 1, 4, 2))
    gan = small()
    gan.compile()
    pictures, volumes = pairs(8)
    with pytest.raises(ValueError, match="source"):
        gan.sample(2)
    with pytest.raises(ValueError, match="8, 8, 8"):
        gan.fit(pictures, volumes[:, :4], verbose=0)
