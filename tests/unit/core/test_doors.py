"""What cannot be trained or saved is refused by name, at the door."""

import keras
from keras import layers
from networks import tiny_critic, tiny_generator, tiny_judge, tiny_translator
import numpy as np
import pytest
from small import small_gan, small_pix2pix

import keras_gans as kg
from keras_gans.networks import building
from keras_gans.networks.dcgan import dcgan_generator

HUGE = (1_000_000, 1_000_000, 3)
GANS = {
    "gan": kg.GAN,
    "dcgan": kg.DCGAN,
    "wgan": kg.WGAN,
    "wgan_gp": kg.WGANGP,
    "conditional_gan": lambda shape: kg.ConditionalGAN(shape, 3),
    "projection": lambda shape: kg.ConditionalGAN(shape, 3, conditioning="projection"),
    "acgan": lambda shape: kg.ACGAN(shape, 3),
    "infogan": kg.InfoGAN,
    "pix2pix": kg.Pix2Pix,
    "cyclegan": kg.CycleGAN,
}


@pytest.mark.daily(2)
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.backends if name == "dcgan" else ())
        for name in GANS
    ],
)
def test_huge_images(name):
    message = r"would take at least .*(weights|image), each several times"
    with pytest.raises(ValueError, match=message):
        GANS[name](HUGE)


def test_images_a_little_too_large(monkeypatch):
    """Measured or not, the same weights are drawn."""
    keras.utils.set_random_seed(0)
    plain = dcgan_generator((32, 32, 3), 8, 4)
    monkeypatch.setattr(building, "LARGE", 1)
    keras.utils.set_random_seed(0)
    measured = dcgan_generator((32, 32, 3), 8, 4)
    for a, b in zip(plain.get_weights(), measured.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    monkeypatch.setattr(building, "_memory", lambda: 10_000)
    with pytest.raises(ValueError, match="kB for its weights"):
        dcgan_generator((32, 32, 3), 8, 4)


@pytest.mark.parametrize("name", GANS)
def test_channels_first(name):
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(ValueError, match="image_data_format='channels_first'"):
            GANS[name]((16, 16, 3))
        kg.GAN((2,))  # vectors have no such axis
    finally:
        keras.config.set_image_data_format("channels_last")


def test_own_networks_with_channels_first():
    images = keras.Input((8, 8, 8))
    x = layers.Conv2D(2, 3, data_format="channels_first", name="first")(images)
    critic = keras.Model(images, layers.Dense(1)(layers.Flatten()(x)))
    z = keras.Input((6,))
    x = layers.Reshape((8, 8, 8))(layers.Dense(512)(z))
    with pytest.raises(ValueError, match=r"`discriminator` takes.*layer .first."):
        kg.BaseGAN(keras.Model(z, x), critic)


@pytest.mark.full_on_jax
@pytest.mark.backends
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype float64")
@pytest.mark.parametrize("policy", ["float16", "bfloat16", "float64"])
def test_weights_in_other_precisions(policy):
    keras.config.set_dtype_policy(policy)
    try:
        gan = small_gan()
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match=f"trained in float32.*floatx of {policy}"):
        gan.compile()


@pytest.mark.backends
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype float64")
def test_floatx():
    keras.config.set_floatx("float64")
    try:
        gan = small_gan()
        with pytest.raises(ValueError, match=r"set_floatx\('float32'\)"):
            gan.compile()
    finally:
        keras.config.set_floatx("float32")


def ending(activation):
    z = keras.Input((6,))
    x = layers.Dense(64, activation=activation, name="end")(z)
    return keras.Model(z, layers.Reshape((8, 8, 1))(x))


@pytest.mark.parametrize("activation", ["sigmoid", "relu", "softplus"])
def test_a_generator_that_cannot_make_the_data(activation):
    message = f"lie in .-1, 1.*layer 'end' ends in a {activation}.*End it in a tanh"
    with pytest.raises(ValueError, match=message):
        kg.GAN(generator=ending(activation), discriminator=tiny_critic())
    modality = kg.Image((8, 8, 1), range=(0, 1))
    kg.BaseGAN(ending("sigmoid"), tiny_critic(), modality=modality)
    kg.BaseGAN(ending(None), tiny_critic())


class Rows(keras.Model):
    """Layers one after another, built when they are called."""

    def __init__(self, *rows):
        super().__init__()
        self.rows = list(rows)

    def call(self, inputs, training=False):
        x = inputs
        if isinstance(x, (list, tuple)):
            x = layers.Concatenate()([layers.Flatten()(part) for part in x])
        for layer in self.rows:
            x = layer(x)
        return x


def rows_generator():
    return Rows(layers.Dense(64, "tanh"), layers.Reshape((8, 8, 1)))


def rows_critic():
    return Rows(layers.Flatten(), layers.Dense(1))


def test_networks_that_are_not_built(images):
    x, options = images(8, 8, 8), {"batch_size": 4, "verbose": 0}
    gan = kg.GAN(generator=rows_generator(), discriminator=rows_critic(), latent_dim=6)
    gan.compile()
    gan.fit(x, **options)
    unbuilt = keras.Sequential([layers.Flatten(), layers.Dense(1)])
    kg.GAN(generator=tiny_generator(labelled=False), discriminator=unbuilt)
    gan = kg.Pix2Pix(
        (8, 8, 1),
        generator=Rows(layers.Conv2D(1, 3, padding="same", activation="tanh")),
        discriminator=Rows(layers.Conv2D(1, 3)),
    )
    gan.compile()
    gan.fit(x, 0.5 * x, **options)
    kg.CycleGAN(
        generator_ab=tiny_translator(),
        generator_ba=Rows(layers.Conv2D(1, 3, padding="same")),
        discriminator_a=Rows(layers.Conv2D(1, 3)),
        discriminator_b=tiny_judge(),
        pool_size=0,
    )
    with pytest.raises(ValueError, match=r"(?s)cannot be called.*Kernel"):
        kg.GAN((8, 8, 1), 6, discriminator=Rows(layers.Conv1D(1, 3)))


@pytest.mark.backends
@pytest.mark.parametrize("rate", [-1e-4, np.inf, np.nan])
def test_learning_rates(rate):
    sgd = keras.optimizers.SGD
    for optimizers in ((sgd(rate), None), (None, sgd(rate))):
        with pytest.raises(ValueError, match=r"is a positive number, or 0"):
            small_gan().compile(*optimizers)
    scaled = keras.optimizers.LossScaleOptimizer(sgd(rate))
    with pytest.raises(ValueError, match=r"`d_optimizer` \(--d_learning_rate\) is a"):
        small_gan().compile(scaled)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, 10, warmup_target=0.1, warmup_steps=2
    )
    small_gan().compile(sgd(schedule))


@pytest.mark.backends
def test_a_base_gan_is_saved_and_loaded(images):
    gan = kg.BaseGAN(tiny_generator(labelled=False), tiny_critic())
    gan.compile()
    gan.fit(images(8, 8, 8), batch_size=4, verbose=0)
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    np.testing.assert_array_equal(gan.sample(2), loaded.sample(2))
    loaded.fit(images(8, 8, 8), batch_size=4, verbose=0)


@pytest.mark.backends
def test_other_formats(tmp_path):
    for gan in (small_gan(), small_pix2pix()):
        for name in ("x.h5", "x", tmp_path / "x.hdf5"):
            with pytest.raises(ValueError, match=r"saved to a \.keras file"):
                gan.save(name)
        for given in ({"format": "onnx"}, {"overwrite": "onnx"}):
            with pytest.raises(ValueError, match=r"sampling_network\(\)\.export"):
                gan.export("x", **given)
    assert not list(tmp_path.iterdir())
