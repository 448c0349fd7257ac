"""GANs of one's own: saved, loaded, and refused where they are not whole."""

import keras
from keras import layers, ops
import numpy as np
import pytest

import keras_gans as kg


def generator(*inputs, shape=(4, 4, 1), name=None):
    tensors = [keras.Input(i.shape, dtype=i.dtype) for i in inputs]
    flat = [layers.Flatten()(ops.cast(x, "float32")) for x in tensors]
    x = layers.Concatenate()(flat) if len(flat) > 1 else flat[0]
    x = layers.Dense(int(np.prod(shape)), activation="tanh")(x)
    x = layers.Reshape(shape)(x)
    return keras.Model(tensors if len(tensors) > 1 else tensors[0], x)


def discriminator(shape=(4, 4, 1)):
    return keras.Sequential([keras.Input(shape), layers.Flatten(), layers.Dense(1)])


def data(*shape, n=8):
    rng = np.random.default_rng(0)
    return rng.uniform(-1, 1, (n, *shape)).astype("float32")


Z = kg.Latent(3)


@pytest.mark.backends
def test_a_plain_base_gan_is_loaded():
    gan = kg.BaseGAN(generator(Z), discriminator(), objective="hinge", ema=0.9)
    gan.compile()
    gan.fit(data(4, 4, 1), batch_size=4, verbose=0)
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    assert loaded.objective is kg.losses.get("hinge")
    np.testing.assert_array_equal(gan.sample(4), loaded.sample(4))


@pytest.mark.backends
@pytest.mark.parametrize(
    "given",
    [
        kg.Source(kg.Image((4, 4, 1))),
        kg.Past(2, kg.Image((4, 4, 1))),
        kg.Mel(5, 3),
        kg.Attributes(4),
        kg.Text(4),
    ],
    ids=lambda given: given.name,
)
def test_inputs_are_saved_with_their_gan(given):
    config = keras.saving.serialize_keras_object(given)
    assert keras.saving.deserialize_keras_object(config) == given
    gan = kg.BaseGAN(generator(Z, given), discriminator(), inputs=(Z, given), seed=1)
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    assert loaded.inputs == (Z, given)
    values = {given.given: np.abs(data(*given.shape, n=2))}
    made, again = (g.sample(2, **values) for g in (gan, loaded))
    np.testing.assert_array_equal(made, again)


class TwoGeneratorPhases(kg.BaseGAN):
    """A second phase of the generator on the fakes of the first."""

    def phases(self):
        d, g = super().phases()
        return [d, g, kg.Phase("g_reg", self.small, optimizer="g")]

    def small(self, fake, batch, training):
        return ops.mean(ops.square(fake)), {}


@pytest.mark.full
@pytest.mark.backends
@pytest.mark.parametrize("options", [{}, {"accumulate": 2}])
def test_each_phase_learns_through_the_generator_as_it_is(options):
    """A second update is that of fakes which the first has changed."""
    keras.utils.set_random_seed(0)
    gan = TwoGeneratorPhases(generator(Z), discriminator())
    gan.compile(*[keras.optimizers.SGD(0.5) for _ in "dg"], **options)
    keras.utils.set_random_seed(0)
    plain = kg.BaseGAN(generator(Z), discriminator())
    plain.compile(*[keras.optimizers.SGD(0.5) for _ in "dg"])
    x = data(4, 4, 1)
    logs = gan.fit(x, batch_size=8, shuffle=False, verbose=0).history
    plain.fit(x, batch_size=8, shuffle=False, verbose=0)
    with plain.rng.at("train", 0, 0):
        fake = plain.generate({"real": x}, True)
    # Of the generator after its first update, on the same latent codes.
    wanted = float(ops.mean(ops.square(fake)))
    assert logs["g_reg_loss"][0] == pytest.approx(wanted, rel=1e-5)


@pytest.mark.backends
def test_phases_without_fakes_are_evaluated():
    class Direct(kg.BaseGAN):
        def phases(self):
            d, g = super().phases()
            weights = kg.Phase("w", self.weights_loss, optimizer="g", fakes=None)
            return [d, g, weights]

        def weights_loss(self, fake, batch, training):
            assert fake is None
            return ops.mean(ops.square(self.variables_of("g")[0])), {}

    gan = Direct(generator(Z), discriminator())
    gan.compile()
    logs = gan.evaluate(data(4, 4, 1), verbose=0, return_dict=True)
    assert logs["w_loss"] > 0 and {"d_loss", "g_loss"} <= set(logs)


class Changed(kg.BaseGAN):
    """A GAN whose phases are given."""

    made = ()

    def phases(self):
        return list(self.made)


def with_phases(*phases):
    gan = Changed(generator(Z), discriminator())
    gan.made = phases
    gan.compile()


def loss(fake, batch, training):
    return ops.mean(fake), {}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: kg.BaseGAN(generator(Z), discriminator(), inputs=Z),
            "tuple of inputs",
        ),
        (
            lambda: kg.BaseGAN(generator(Z, Z), discriminator(), inputs=(Z, Z)),
            "name of its own. Received: z, z",
        ),
        (
            lambda: kg.BaseGAN(
                {"a": generator(Z)}, {"a": discriminator()}, inputs=(Z,)
            ),
            "Pass `modality` and `inputs`",
        ),
        (
            lambda: kg.BaseGAN(
                {"a": generator(Z)},
                {"a": discriminator()},
                inputs=(Z,),
                modality=kg.Image((4, 4, 1)),
            ),
            "belongs to one side",
        ),
        (lambda: kg.Source((4, 4, 1)), "`modality` is a modality"),
        (lambda: kg.Past(2, "frame"), "`frame` is a modality"),
        (lambda: with_phases(), "no phases"),
        (
            lambda: with_phases(kg.Phase("g", loss), kg.Phase("g", loss)),
            "a name of its own. Received: g, g",
        ),
        (lambda: with_phases(kg.Phase("x", loss)), "optimizer='x'"),
        (lambda: kg.Phase("g", loss, logs="abc"), "is a tuple of names"),
        (
            lambda: kg.Phase("g", loss, keeps=("a",), every=2),
            "Keep them in a phase of every step",
        ),
    ],
)
def test_what_is_not_whole_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_loss_is_a_scalar():
    class Wrong(kg.BaseGAN):
        def generator_loss(self, fake, batch, training):
            return ops.square(fake), {}

    gan = Wrong(generator(Z), discriminator())
    gan.compile()
    with pytest.raises(ValueError, match="is a scalar"):
        gan.fit(data(4, 4, 1), batch_size=4, verbose=0)


def test_sources_out_of_range_are_refused():
    source = kg.Source(kg.Image((4, 4, 1)))
    gan = kg.BaseGAN(generator(source), discriminator(), inputs=(source,))
    x = data(4, 4, 1, n=2)
    one = gan.sample(2, source=x[0])
    np.testing.assert_array_equal(one[0], one[1])
    with pytest.raises(ValueError, match="lie in"):
        gan.sample(2, source=9 * x)
    with pytest.raises(ValueError, match="NaN"):
        kg.Mel(2).check(np.full((1, 3, 2), np.nan))


def test_a_run_resumes_between_executions():
    gan = kg.BaseGAN(generator(Z), discriminator())
    gan.compile(steps_per_execution=2)
    with pytest.raises(ValueError, match="3 steps behind it"):
        gan.step_iterator.skip_steps(3, {})
