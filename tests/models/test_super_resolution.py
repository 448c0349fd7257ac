"""SRGAN, ESRGAN, Real-ESRGAN: losses, phases, resuming, previews, bad input."""

from checks import check_gan
import keras
from keras import ops
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.utils.resizing import bicubic

TINY = {
    "width": 4,
    "blocks": 1,
    "d_width": 2,
    "perceptual_weight": 0.5,
    "pixel_weight": 0.25,
    "pretrain_rate": 1e-3,
}


def features():
    """A frozen convolution, in place of VGG."""
    return keras.Sequential(
        [
            keras.Input((None, None, 3)),
            keras.layers.Conv2D(3, 3, strides=2, activation="relu"),
        ]
    )


def critic():
    """A small discriminator."""
    return keras.Sequential(
        [
            keras.Input((16, 16, 3)),
            keras.layers.Conv2D(2, 3, strides=2, activation="leaky_relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )


def srgan(shape=(16, 16, 3), scale=2, **kwargs):
    options = {"dense": 3, "pretrain_steps": 5, **TINY, **kwargs}
    options.setdefault("features", features())
    return kg.SRGAN(shape, scale, **options)


@pytest.fixture(scope="module")
def photos():
    """A function that makes n pairs (low, high) of a scale."""

    def make(n, side=16, scale=2):
        high = np.random.default_rng(0).uniform(-1, 1, (n, side, side, 3))
        high = high.astype("float32")
        low = high.reshape(n, side // scale, scale, side // scale, scale, 3)
        return low.mean((2, 4)), high

    return make


@pytest.mark.full
@pytest.mark.backends
def test_srgan(photos):
    """Saved in the pre-training, it goes on into the adversarial phase."""
    options = {"pretrain_steps": 5, "features": features(), **TINY}

    def make():
        # The paper's takes long to compile; the tests below train it.
        return kg.SRGAN((16, 16, 3), 2, ema=0.9, discriminator=critic(), **options)

    check_gan(make, *photos(8), batch_size=2, executions=False)


@pytest.mark.full
def test_esrgan(photos):
    options = {"growth": 2, "pretrain_steps": 5, "features": features(), **TINY}
    low, high = photos(8)
    make = lambda: kg.ESRGAN((16, 16, 3), 2, **options)  # noqa: E731
    # A relativistic loss does not move the last bias.
    check_gan(make, low, high, batch_size=2, still="logits/bias")


@pytest.mark.full
def test_real_esrgan(photos):
    options = {"growth": 2, "pretrain_steps": 5, "features": features(), **TINY}
    low, high = photos(8)
    check_gan(lambda: kg.RealESRGAN((16, 16, 3), 2, **options), low, high, batch_size=2)


def log_sigmoid(x):
    return -np.mean(np.log1p(np.exp(-np.asarray(x, "float64"))))


def test_losses_are_the_papers(photos):
    """By NumPy, of what the networks give: ESRGAN's equations 1 to 3."""
    low, high = photos(2)
    gan = kg.ESRGAN(
        (16, 16, 3), 2, growth=2, features=features(), adversarial_weight=0.125, **TINY
    )
    gan.compile()
    batch = gan.read_batch((low, high))
    fake = gan.generate(batch, False)
    real_c, fake_c = (
        ops.convert_to_numpy(gan.discriminator(x, training=False)).astype("float64")
        for x in (high, fake)
    )
    a, b = real_c - fake_c.mean(), fake_c - real_c.mean()
    d, logs = gan.discriminator_loss(fake, batch, False)
    np.testing.assert_allclose(d, -log_sigmoid(a) - log_sigmoid(-b), rtol=1e-5)
    total, logs = gan.generator_loss(fake, batch, False)
    g = -log_sigmoid(b) - log_sigmoid(-a)
    np.testing.assert_allclose(logs["g_loss"], g, rtol=1e-5)
    made = ops.convert_to_numpy(fake)
    pixel = np.abs(made - high).mean()
    f = gan.networks["features"]
    gap = np.abs(np.asarray(f(made)) - np.asarray(f(high))).mean()
    np.testing.assert_allclose(total, 0.25 * pixel + 0.5 * gap + 0.125 * g, rtol=1e-5)
    np.testing.assert_allclose(logs["perceptual_loss"], gap, rtol=1e-5)
    assert gan.default_optimizers()[2].learning_rate > 0


def values(network):
    return [np.array(ops.convert_to_numpy(v)) for v in network.trainable_variables]


@pytest.mark.full
def test_phases_train_one_side_after_the_other(photos):
    low, high = photos(4)
    gan = srgan(pretrain_steps=2)
    gan.compile()
    d, g = values(gan.discriminator), values(gan.generator)
    f = [np.array(v) for v in gan.networks["features"].variables]
    options = {"batch_size": 2, "shuffle": False, "verbose": 0}
    logs = gan.fit(low, high, **options).history
    own = {"pretrain_loss", "pretrain_grad_norm"}
    assert {n for n in logs if "rate" not in n} == own
    np.testing.assert_equal(values(gan.discriminator), d)
    pairs = zip(values(gan.generator), g, strict=True)
    assert min(np.abs(a - b).max() for a, b in pairs) > 0
    # The rate has fallen by half a cosine, to 0.
    assert float(gan.optimizers["pretrain"].learning_rate) == 0
    logs = gan.fit(low, high, **options).history
    assert {"d_loss", "g_loss", "pixel_loss", "perceptual_loss"} <= set(logs)
    counts = {n: int(o.iterations) for n, o in gan.optimizers.items()}
    assert counts == {"pretrain": 2, "d": 2, "g": 2}
    now = [np.array(v) for v in gan.networks["features"].variables]
    np.testing.assert_equal(now, f)
    # Of any size, clipped, beside its source.
    made = gan.translate(low[:1, :5, :7])
    assert made.shape == (1, 10, 14, 3) and np.abs(made).max() <= 1
    assert gan.preview(2).picture.shape[-1] == 3


@pytest.mark.full
def test_untrained_they_interpolate(photos):
    """Bicubic: where learning starts."""
    low, _ = photos(1)
    kwargs = {"configuration": "msrresnet", "features": features(), **TINY}
    real = kg.RealESRGAN((16, 16, 3), 2, **kwargs)
    cubic = bicubic(np.pad(low[0], ((8, 8), (8, 8), (0, 0)), "symmetric"), 2)
    want = cubic[16:-16, 16:-16].clip(-1, 1)
    for gan in (real, srgan(configuration="msrresnet")):
        np.testing.assert_allclose(gan.translate(low)[0], want, atol=1e-5)
    with pytest.raises(ValueError, match="`configuration`"):
        kg.RealESRGAN((16, 16, 3), 2, configuration="srvgg", features=features())


def test_the_rate_of_the_pretraining_rises_and_falls():
    rate = srgan(pretrain_steps=40).default_optimizers()[2]
    rates = []
    for step in (0, 1, 2, 21, 40):
        rate.iterations.assign(step)
        rates.append(float(rate.learning_rate))
    # Two steps up; half a cosine down, half-way after 19 of 38.
    want = np.array([1 / 3, 2 / 3, 1, 0.5, 0])
    np.testing.assert_allclose(rates, 1e-3 * want, atol=1e-9)


@pytest.mark.full
def test_threefold(photos):
    """Twice and four times are those of other tests."""
    low, _ = photos(1, 36, 3)
    gan = kg.RealESRGAN((24, 24, 3), 3, growth=2, features=features(), **TINY)
    assert gan.translate(low).shape == (1, 36, 36, 3)
    assert gan.source_shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"scale": 5}, "`scale`"),
        ({"shape": (30, 30, 3), "scale": 4}, "multiples of scale=4"),
        ({"generator": features()}, "makes images 2 times larger"),
        ({"configuration": "x"}, "`configuration`"),
        ({"pixel_loss": "l3"}, "`pixel_loss`"),
        ({"pretrain_steps": -1}, "`pretrain_steps`"),
        ({"linear_decay": (1, 2)}, "linear_decay"),
        ({"feature_layers": "conv2_2,conv9_9", "features": None}, "`taps`"),
    ],
)
def test_bad_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        srgan(discriminator=critic(), **options)


def test_bad_batches(photos):
    low, high = photos(4)
    gan = srgan(discriminator=critic())
    gan.compile()
    with pytest.raises(ValueError, match="built for another"):
        gan.fit(low[:, :4], high, verbose=0)
    with pytest.raises(ValueError, match="`evaluation`"):
        gan.translate(low, evaluation=False)


def test_hed_vgg16_is_the_installed_file_s():
    """By a plain convolution, and as a distance of pictures."""
    from keras_gans.networks.features import hed_vgg16

    x = np.random.default_rng(0).uniform(-1, 1, (1, 20, 20, 3)).astype("float32")
    maps = hed_vgg16.HedVGG16(["conv1_1", "relu1_1", "conv2_1"])(x)
    kernel, bias = hed_vgg16._weights()["1_1"]
    pixels = 127.5 * (x[0, 3:6, 4:7, ::-1] + 1) - [104.00699, 116.66877, 122.67892]
    want = np.einsum("hwc,hwcd->d", pixels, kernel) + bias
    got = np.asarray(maps["conv1_1"])[0, 4, 5] * hed_vgg16.SCALES["conv1_1"]
    np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-3)
    assert np.asarray(maps["relu1_1"]).min() == 0
    assert maps["conv2_1"].shape == (1, 10, 10, 128)
    half = hed_vgg16.HedVGG16("conv2_1", dtype="bfloat16")(x)["conv2_1"]
    differ = np.abs(np.asarray(half) - np.asarray(maps["conv2_1"]))
    # Three convolutions, each rounded to 8 bits.
    largest = np.abs(maps["conv2_1"]).max()
    assert half.dtype == maps["conv2_1"].dtype
    assert 0 < differ.max() < 0.02 * largest
    near = kg.metrics.feature_distance(x, 0.9 * x, (-1, 1))
    far = kg.metrics.feature_distance(x, -x, (-1, 1))
    assert 0 < near[0] < 0.2 * far[0]
    # Squares of what float32 rounds: rows of a batch meet other kernels.
    assert kg.metrics.feature_distance(x, x, (-1, 1))[0] < 1e-12
    with pytest.raises(ValueError, match="of one shape"):
        kg.metrics.feature_distance(x[0], x[0], (-1, 1))
