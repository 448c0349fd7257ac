"""Phases: when they run, what they drive, what they share, what they keep."""

from checks import assert_same, rewinding, weights
import keras
from keras import ops
from networks import tiny_critic, tiny_generator
import numpy as np
import pytest

import keras_gans as kg

SGD = keras.optimizers.SGD
OPTIONS = {"batch_size": 4, "shuffle": False, "verbose": 0}


@keras.saving.register_keras_serializable("tests")
class Phased(kg.BaseGAN):
    """A GAN whose phases are given, and that counts those of "extra"."""

    def __init__(self, phases="lazy", **kwargs):
        generator = tiny_generator(labelled=False)
        super().__init__(generator, tiny_critic(), **kwargs)
        self.plan = phases
        self.seen = self.add_weight(
            name="seen", shape=(8,), initializer="zeros", trainable=False
        )

    def phases(self):
        return PLANS[self.plan](self)

    def extra(self, fake, batch, training):
        """Counts by step, and draws the first variable to zero."""
        here = ops.arange(8) == self.step.value
        self.seen.assign_add(ops.cast(here, "float32"))
        first = self.networks["generator"].trainable_variables[0]
        return ops.sum(ops.square(first)), {}

    def odd(self, fake, batch, training):
        loss, logs = super().generator_loss(fake, batch, training)
        return loss, {**logs, "odd": loss}


def _base(gan):
    return [kg.Phase("d", gan.discriminator_loss), kg.Phase("g", gan.generator_loss)]


def _extra(gan, **kwargs):
    return kg.Phase("extra", gan.extra, optimizer="g", **kwargs)


PLANS = {
    "plain": _base,
    "lazy": lambda gan: [*_base(gan), _extra(gan, every=3, fakes=None)],
    "late": lambda gan: [*_base(gan), _extra(gan, every=2, start=1, end=6, fakes=None)],
    "pre-training": lambda gan: [
        _extra(gan, end=2, fakes=None),
        *[kg.Phase(p.name, p.loss, start=2) for p in _base(gan)],
    ],
    "alone": lambda gan: [
        _extra(gan, every=2, fakes=None),
        *[kg.Phase(p.name, p.loss, start=9) for p in _base(gan)],
    ],
    "undeclared": lambda gan: [_base(gan)[0], kg.Phase("g", gan.odd)],
    "fresh": lambda gan: [
        _base(gan)[0],
        kg.Phase("g", gan.generator_loss, fakes="fresh"),
    ],
    "unconnected": lambda gan: [
        _base(gan)[0],
        kg.Phase("g", gan.extra, optimizer="d", fakes=None),
    ],
    "unkept": lambda gan: [
        kg.Phase("d", gan.discriminator_loss, keeps=("features",)),
        _base(gan)[1],
    ],
}


def phased(plan, compiled=None, **kwargs):
    keras.utils.set_random_seed(1)
    gan = Phased(plan, **kwargs)
    gan.compile(SGD(0.05), SGD(0.05), **(compiled or {}))
    return gan


def seen(gan):
    return ops.convert_to_numpy(gan.seen).tolist()


DUE = {
    "lazy": [1, 0, 0, 1, 0, 0, 1, 0],
    "late": [0, 1, 0, 1, 0, 1, 0, 0],
    "pre-training": [1, 1, 0, 0, 0, 0, 0, 0],
}


@pytest.mark.daily(1)
@pytest.mark.backends
@pytest.mark.parametrize(
    ("plan", "executions"),
    [
        *[(plan, 1) for plan in DUE],
        ("lazy", 3),
        *[
            pytest.param(plan, 3, marks=pytest.mark.full)
            for plan in ("late", "pre-training")
        ],
    ],
)
def test_phases_run_in_the_steps_they_are_due_in(images, plan, executions):
    due = DUE[plan]
    gan = phased(plan, {"steps_per_execution": executions})
    logs = gan.fit(images(32, 8, 8), **OPTIONS).history
    assert seen(gan) == due
    plain = 6 if plan == "pre-training" else 8
    d, g = (int(o.iterations) for o in gan.optimizer.optimizers)
    assert (d, g) == (plain, plain + sum(due))
    assert logs["extra_loss"][0] > 0


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    "plan",
    [
        pytest.param("lazy", marks=pytest.mark.backends),
        pytest.param("late", marks=pytest.mark.full),
        "pre-training",
    ],
)
def test_resume_in_mid_interval_is_exact(images, plan):
    data = images(32, 8, 8)
    gan = phased(plan)
    again = rewinding(gan)
    gan.fit(data, **OPTIONS)
    count = len(gan.weights)  # the means of logs are of one fit each
    whole, wanted = weights(gan)[:count], seen(gan)
    again()
    for rows in (data[:4], data[4:20], data[20:]):  # fits of 1, 4, 3 steps
        gan.fit(rows, **OPTIONS)
    assert_same(whole, weights(gan)[:count])
    assert seen(gan) == wanted
    again().fit(data[:20], **OPTIONS)  # 5 steps, between two of "extra"
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    loaded.fit(data[20:], **OPTIONS)
    assert_same(whole, weights(loaded)[:count])
    assert seen(loaded) == wanted


@pytest.mark.backends
def test_pre_training_leaves_the_others_alone(images):
    gan = phased("pre-training")
    before = weights(gan)[: len(gan.weights)]
    gan.fit(images(8, 8, 8), **OPTIONS)
    moved = [
        v.path
        for v, a, b in zip(
            gan.weights, before, weights(gan)[: len(before)], strict=True
        )
        if np.abs(a - b).max() > 0
    ]
    first = gan.generator.trainable_variables[0].path
    assert set(moved) == {first, gan.seen.path, gan.step.path}


@pytest.mark.backends
@pytest.mark.parametrize("accumulate", [1, 2])
def test_a_lazy_phase_is_accumulated(images, accumulate):
    """w <- w - rate * 2 w in each of two steps, whatever the parts."""
    gan = phased("alone", {"accumulate": accumulate})
    first = gan.generator.trainable_variables[0]
    before = ops.convert_to_numpy(first)
    gan.fit(images(16, 8, 8), **OPTIONS)
    assert seen(gan)[:4] == [accumulate, 0, accumulate, 0]
    after = ops.convert_to_numpy(first)
    np.testing.assert_allclose(after, before * 0.9**2, rtol=1e-5)


@keras.saving.register_keras_serializable("tests")
class TwoCritics(kg.BaseGAN):
    """A GAN of three optimizers."""

    optimizer_networks = {"d": ("a",), "g": ("generator",), "x": ("b",)}

    def __init__(self, **kwargs):
        generator = tiny_generator(labelled=False)
        critics = {"a": tiny_critic(), "b": tiny_critic()}
        super().__init__(generator, critics, **kwargs)

    def phases(self):
        return [
            kg.Phase("d", self.loss_of("a")),
            kg.Phase("x", self.loss_of("b")),
            kg.Phase("g", self.generator_loss),
        ]

    def loss_of(self, name):
        def loss(fake, batch, training):
            real = self.forward(name, batch["real"], training)
            return self.objective.d(real, self.forward(name, fake, training)), {}

        return loss

    def generator_loss(self, fake, batch, training):
        a, b = (self.forward(name, fake, training) for name in "ab")
        return self.objective.g(a) + 2 * self.objective.g(b), {}


@pytest.mark.full
@pytest.mark.backends
def test_a_third_optimizer(images):
    gan = TwoCritics()
    with pytest.raises(ValueError, match="y_optimizer"):
        gan.compile(y_optimizer=SGD(0.1))
    with pytest.raises(ValueError, match="d_optimizer, g_optimizer and x_optimizer"):
        gan.compile(optimizer=SGD(0.1))
    with pytest.raises(ValueError, match="are the same object"):
        one = SGD(0.1)
        gan.compile(d_optimizer=one, x_optimizer=one)
    gan.compile(SGD(0.1), SGD(0.1), x_optimizer=SGD(1e-20))
    before = gan.networks["b"].get_weights()
    other = gan.networks["a"].get_weights()
    logs = gan.fit(images(16, 8, 8), **OPTIONS).history
    assert {"d_loss", "x_loss", "g_loss", "x_grad_norm"} <= set(logs)
    for a, b in zip(before, gan.networks["b"].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-15)
    after = gan.networks["a"].get_weights()
    assert all(np.abs(a - b).max() > 0 for a, b in zip(other, after, strict=True))
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    assert list(loaded.optimizers) == ["d", "g", "x"]
    assert float(loaded.optimizers["x"].learning_rate) == np.float32(1e-20)
    for g in (gan, loaded):
        g.fit(images(8, 8, 8), **OPTIONS)
    assert_same(weights(gan), weights(loaded))


@pytest.mark.full
@pytest.mark.backends
def test_scores_that_no_phase_reports(images):
    """They are left out, and others are means over the epoch."""
    gan = TwoCritics()
    gan.compile(SGD(0.1), SGD(0.1), x_optimizer=SGD(0.1))
    batches = []
    seen = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: batches.append(dict(logs))
    )
    data = images(16, 8, 8)
    logs = gan.fit(data, callbacks=[seen], validation_data=(data, None), **OPTIONS)
    for names in (*batches, logs.history):
        assert not {"d_real", "d_fake"} & set(names)
    for name in ("d_loss", "x_loss", "g_grad_norm"):
        mean = np.mean([float(row[name]) for row in batches])
        assert logs.history[name] == pytest.approx([mean], rel=1e-5)
    assert not {"d_real", "d_fake"} & set(
        gan.evaluate(data, verbose=0, return_dict=True)
    )
    late = phased("pre-training")  # its scores begin with step 2
    history = late.fit(data, epochs=2, **{**OPTIONS, "batch_size": 8}).history
    assert len(history["d_real"]) == len(history["d_loss"]) == 1
    assert 0 < history["d_real"][0] < 1


@keras.saving.register_keras_serializable("tests")
class OwnNames(Phased):
    """A GAN that names one loss alone, and not its first."""

    loss_names = ("g_loss",)


@pytest.mark.full
@pytest.mark.backends
def test_loss_names_of_ones_own(images):
    gan = OwnNames("plain")
    gan.compile(SGD(0.05), SGD(0.05))
    data = images(8, 8, 8)
    logs = gan.fit(data, validation_data=(data, None), **OPTIONS).history
    assert {"d_loss", "g_loss", "val_d_loss", "val_g_loss"} <= set(logs)


@pytest.mark.parametrize(("plan", "shared"), [("plain", True), ("fresh", False)])
def test_shared_and_fresh_fakes(images, monkeypatch, plan, shared):
    """What D and G see: rows of one draw, or of two."""
    gan = phased(plan)
    gan.run_eagerly = True
    drawn = []
    normal = gan.rng.normal

    def noted(n, columns, purpose):
        z = normal(n, columns, purpose)
        drawn.append(z)
        return z

    monkeypatch.setattr(gan.rng, "normal", noted)
    gan.fit(images(4, 8, 8), **OPTIONS)
    assert len(drawn) == (1 if shared else 2)


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        ("undeclared", r"Received: 'odd'.*logs=\('odd',\)"),
        ("unconnected", "does not depend on any variable"),
        ("unkept", "Return 'features' among its values"),
    ],
)
@pytest.mark.backends
def test_bad_phases_of_a_gan(images, plan, message):
    gan = phased(plan)
    with pytest.raises(ValueError, match=message):
        gan.fit(images(4, 8, 8), **OPTIONS)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 0}, "`every` must lie in"),
        ({"batches": 0}, "`batches` must lie in"),
        ({"start": -1}, "`start` must lie in"),
        ({"start": 3, "end": 3}, "`end` must lie in"),
        ({"fakes": "new"}, "`fakes` is one of 'shared', 'fresh', None"),
        ({"logs": "odd"}, "`logs` is a tuple of names"),
        ({"generate": print}, "fakes='fresh'"),
    ],
)
def test_bad_phases(arguments, message):
    with pytest.raises(ValueError, match=message):
        kg.Phase("d", print, **arguments)
