"""Penalties against closed forms, on either backend."""

import keras
from keras import ops
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.engine import input_gradient
from keras_gans.networks.dcgan import dcgan_discriminator
from keras_gans.networks.mlp import mlp_discriminator, mlp_generator

W = np.array([[3.0], [0.0], [4.0]], "float32")  # of length 5


def linear(x):
    return ops.matmul(x, W)


@pytest.mark.backends
def test_penalties_of_a_linear_critic():
    """Its slope is |w| everywhere: (5 - 1)^2, (5 - 2)^2 and 25 / 2."""
    x = ops.convert_to_tensor(np.random.default_rng(0).normal(size=(6, 3)))
    x = ops.cast(x, "float32")
    penalty = kg.losses.gradient_penalty
    assert float(penalty(linear, x)) == pytest.approx(16, rel=1e-6)
    assert float(penalty(linear, x, 2.0)) == pytest.approx(9, rel=1e-6)
    centred = kg.losses.zero_centred_penalty(linear, x)
    assert float(centred) == pytest.approx(12.5, rel=1e-6)


@pytest.mark.backends
def test_a_pack_is_one_input():
    """Two rows judged together: the slope of the pack is 5 sqrt(2)."""
    x = ops.ones((6, 3))

    def critic(x):
        return ops.sum(ops.reshape(linear(x), (3, 2)), axis=1, keepdims=True)

    squares = kg.losses.squared_gradient_norms(critic, x)
    np.testing.assert_allclose(ops.convert_to_numpy(squares), [50] * 3)


@pytest.mark.backends
def test_the_penalty_of_a_quadratic_critic():
    """C(x) = |x|^2 / 2 has slope |x|, a different one each row."""
    x = np.random.default_rng(1).normal(size=(5, 4, 4, 2)).astype("float32")
    norms = np.sqrt((x.reshape(5, -1) ** 2).sum(1))

    def critic(x):
        return ops.sum(ops.square(x), axis=(1, 2, 3)) / 2.0

    got = kg.losses.gradient_penalty(critic, ops.convert_to_tensor(x))
    assert float(got) == pytest.approx(((norms - 1) ** 2).mean(), rel=1e-5)


@pytest.mark.backends
def test_the_penalty_is_finite_where_the_slope_is_zero():
    """d/dx of the penalty of C = |x|^2 / 2 at 0, and at rows that are not."""

    def critic(x):
        return ops.sum(ops.square(x), axis=1) / 2.0

    x = np.array([[0.0, 0.0], [3.0, 4.0]], "float32")
    value, gradient = input_gradient(
        lambda x: kg.losses.gradient_penalty(critic, x), ops.convert_to_tensor(x)
    )
    assert float(value) == pytest.approx((1 + 16) / 2, rel=1e-6)
    # (|x| - 1)^2 / 2 has the gradient (|x| - 1) x / |x|.
    expected = [[0.0, 0.0], [4 * 3 / 5, 4 * 4 / 5]]
    got = ops.convert_to_numpy(gradient)
    np.testing.assert_allclose(got, expected, rtol=1e-6)


def linear_critic():
    critic = keras.Sequential(
        [keras.Input((2, 2, 1)), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    critic.layers[-1].kernel.assign([[3.0], [0.0], [0.0], [4.0]])
    return critic


def tiny(cls, images, **kwargs):
    generator = mlp_generator((2, 2, 1), 3, width=4)
    gan = cls(generator=generator, discriminator=linear_critic(), **kwargs)
    still = keras.optimizers.SGD(0.0), keras.optimizers.SGD(0.0)
    gan.compile(*still)
    logs = gan.fit(images, batch_size=4, epochs=1, shuffle=False, verbose=0)
    return {name: values[0] for name, values in logs.history.items()}


@pytest.mark.full
@pytest.mark.backends
def test_wgan_gp_reports_the_penalty(images):
    logs = tiny(kg.WGANGP, images(20, 2, 2))
    assert logs["gradient_penalty"] == pytest.approx(16, rel=1e-5)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_r1_and_r2_by_interval(images):
    """gamma / 2 * 25 in the mean over steps, whatever the interval."""
    for interval in (1, 4):
        logs = tiny(kg.GAN, images(32, 2, 2), r1=2.0, r2=4.0, penalty_interval=interval)
        assert logs["r1"] == pytest.approx(25, rel=1e-5)
        assert logs["r2"] == pytest.approx(50, rel=1e-5)


@pytest.mark.backends
def test_r1_pulls_the_slope_down(images):
    """One step of SGD at rate a on gamma / 2 |w|^2 alone: w (1 - a gamma)."""
    generator = mlp_generator((2, 2, 1), 3, width=4)
    critic = linear_critic()
    gan = kg.GAN(
        generator=generator, discriminator=critic, objective="wasserstein", r1=10.0
    )
    gan.compile(keras.optimizers.SGD(0.01), keras.optimizers.SGD(0.0))
    x = images(4, 2, 2)
    z = gan.rng
    with z.at("train", 0, 0):
        fake = ops.convert_to_numpy(gan.generate({"real": x}, True))
    # d/dw of E[C(G(z))] - E[C(x)]
    drift = (fake - x).reshape(4, 4).mean(0)[:, None]
    w = np.array([[3.0], [0.0], [0.0], [4.0]])
    gan.fit(x, batch_size=4, verbose=0, shuffle=False)
    got = ops.convert_to_numpy(critic.layers[-1].kernel)
    np.testing.assert_allclose(got, w - 0.01 * (10 * w + drift), atol=1e-6)


def test_batch_norm_under_a_penalty_warns():
    critic = dcgan_discriminator((16, 16, 1), 2)
    with pytest.warns(UserWarning, match="section 4"):
        kg.WGANGP((16, 16, 1), g_width=4, discriminator=critic)
    with pytest.warns(UserWarning, match="section 4"):
        kg.DCGAN((16, 16, 1), width=2, r1=1.0)
    for norm in ("layer", None):
        critic = dcgan_discriminator((16, 16, 1), 2, norm=norm)
        kg.WGANGP((16, 16, 1), g_width=4, discriminator=critic)


def test_wgan_clips_after_each_update(images):
    gan = kg.WGAN((16, 16, 1), 4, width=2, clip=0.02, d_steps=2)
    before = [np.abs(ops.convert_to_numpy(v)).max() for v in gan.variables_of("d")]
    assert max(before) > 0.02
    gan.compile()
    gan.fit(images(8), batch_size=4, verbose=0)
    for v in gan.variables_of("d"):
        assert np.abs(ops.convert_to_numpy(v)).max() <= np.float32(0.02)


@pytest.mark.full
def test_every_critic_step_has_fresh_noise(images):
    """The generator learns through fakes that the critic never saw."""
    seen = []

    class Spy(kg.WGANGP):
        def generate(self, batch, training):
            seen.append(self.rng._words("latent")[1:])
            return super().generate(batch, training)

    gan = Spy(
        generator=mlp_generator((8, 8, 1), 3, width=4),
        discriminator=mlp_discriminator((8, 8, 1), width=4, pieces=2),
        d_steps=3,
    )
    gan.compile(run_eagerly=keras.backend.backend() == "tensorflow")
    gan.fit(images(12, 8, 8), batch_size=4, verbose=0)
    assert len(seen) == 4  # three for the critic, one for the generator
    assert [place[2] for place in seen] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: kg.WGAN(clip=0), "`clip` must lie in"),
        (lambda: kg.WGANGP(gp_weight=-1.0), "`gp_weight` must lie in"),
        (lambda: kg.GAN(r1=-1), "`r1` must lie in"),
        (lambda: kg.GAN(r2="x"), "`r2` must lie in"),
        (lambda: kg.GAN(penalty_interval=0), "`penalty_interval` must lie"),
        (lambda: kg.GAN(instance_noise=-0.1), "`instance_noise` is a standard"),
        (lambda: kg.GAN(instance_noise=(0.1, 0)), "`instance_noise` is"),
        (lambda: kg.GAN(packing=0), "`packing` must lie in"),
        (lambda: kg.GAN(diff_augment="colour"), "Did you mean color"),
        (lambda: kg.GAN((2,), diff_augment="color"), "vectors cannot"),
        (lambda: kg.GAN(minibatch_stddev=0), "`minibatch_stddev` must lie"),
        (lambda: kg.ACGAN(num_classes=3, packing=2), "ACGAN does not take `packing`"),
        (lambda: kg.InfoGAN(packing=2), "InfoGAN does not take `packing`"),
    ],
)
def test_bad_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.backends
def test_a_batch_that_packing_does_not_divide(images):
    gan = kg.GAN(
        generator=mlp_generator((8, 8, 1), 3, width=4),
        discriminator=mlp_discriminator((8, 8, 3), width=4, pieces=2),
        packing=3,
    )
    gan.compile()
    before = gan.get_weights()
    with pytest.raises(ValueError, match="not divisible by packing=3"):
        gan.fit(images(8, 8, 8), batch_size=4, verbose=0)
    for a, b in zip(before, gan.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match=r"packing=3\), a discriminator of"):
        kg.GAN(
            generator=mlp_generator((8, 8, 1), 3, width=4),
            discriminator=mlp_discriminator((8, 8, 1), width=4, pieces=2),
            packing=3,
        )
