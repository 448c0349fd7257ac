"""Controllers against closed forms: moving averages, schedules, means."""

import math

import keras
from keras import layers, ops
import numpy as np
import pytest

import keras_gans as kg
from keras_gans.core.controllers import (
    AdaptiveP,
    MovingAverage,
    RunningAverage,
    Schedule,
)


@pytest.mark.backends
@pytest.mark.parametrize(
    ("rampup", "decay"),
    [
        ("steps", lambda t: min(0.9, (1 + t) / (10 + t))),
        (None, lambda t: 0.9),
        # Half the step after which a weight counts half, of half the steps.
        (
            0.5,
            lambda t: (
                0.5 ** (1 / min(math.log(0.5) / math.log(0.9), 0.5 * t)) if t else 0.0
            ),
        ),
    ],
    ids=["steps", "none", "half-life"],
)
@pytest.mark.parametrize("start", [0, 3])
def test_decays(rampup, decay, start):
    ema = kg.EMA(0.9, rampup=rampup, start=start)
    for t in (0, 1, 2, 3, 5, 40, 1000):
        wanted = 0.0 if t < start else decay(t)
        assert float(ema.at(t)) == pytest.approx(wanted, rel=1e-5), t


class Stub:
    """What a controller sees of a GAN."""

    def __init__(self, network=None):
        self.networks = {"generator": network}
        self.step = 0
        self.engine = self

    def mean_over_replicas(self, x):
        return x


@pytest.mark.backends
@pytest.mark.parametrize("buffers", ["averaged", "copied"])
def test_averages(buffers):
    """Weights 0, 1, 2, ... of three steps, of which the first is copied."""

    def network():
        x = keras.Input((2,))
        return keras.Model(x, layers.BatchNormalization()(layers.Dense(2)(x)))

    gan = Stub(network())
    settings = kg.EMA(0.75, rampup=None, start=1, buffers=buffers)
    average = MovingAverage(settings, {"generator": network()})
    assert not average.trainable_variables
    for step in range(3):
        gan.step = step
        for v in gan.networks["generator"].weights:
            v.assign(np.full(v.shape, step))
        average.update(gan, {}, 4)
    # 0, then 0.75 * 0 + 0.25 * 1, then 0.75 * 0.25 + 0.25 * 2
    trained = {id(v) for v in average.networks["generator"].weights[:4]}
    assert len(trained) == 4  # kernel, bias, gamma, beta
    for v in average.networks["generator"].weights:
        copied = buffers == "copied" and id(v) not in trained
        wanted = 2.0 if copied else 0.6875
        np.testing.assert_allclose(ops.convert_to_numpy(v), wanted)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"decay": 1.0}, "`ema` must lie in"),
        ({"rampup": 0}, "`rampup` must lie in"),
        ({"rampup": "step"}, "`rampup` must lie in"),
        ({"start": -1}, "`start` must lie in"),
        ({"buffers": "kept"}, "`buffers` is one of"),
    ],
)
def test_bad_averages(arguments, message):
    with pytest.raises(ValueError, match=message):
        kg.EMA(**{"decay": 0.9, **arguments})


@pytest.mark.backends
@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("linear", [4.0, 3.25, 2.5, 1.0, 1.0]),
        ("exponential", [4.0, 4 ** (3 / 4), 2.0, 1.0, 1.0]),
        ("cosine", [4.0, 1 + 1.5 * (1 + math.sqrt(0.5)), 2.5, 1.0, 1.0]),
    ],
)
def test_schedules(kind, values):
    schedule = Schedule(4.0, 1.0, steps=4, kind=kind)
    made = [float(schedule.at(step)) for step in (0, 1, 2, 4, 9)]
    np.testing.assert_allclose(made, values, rtol=1e-6)
    assert float(schedule.value) == 4.0
    gan = Stub()
    gan.step = 1  # the next one is step 2
    schedule.update(gan, {}, 4)
    assert float(schedule.value) == pytest.approx(values[2], rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kind": "step"}, "`kind` is one of"),
        ({"steps": 0}, "`steps` must lie in"),
        ({"end": 0.0, "kind": "exponential"}, "`end` must lie in"),
        ({"start": math.inf}, "`start` must lie in"),
    ],
)
def test_bad_schedules(arguments, message):
    with pytest.raises(ValueError, match=message):
        Schedule(**{"start": 1.0, "end": 2.0, "steps": 3, **arguments})


@pytest.mark.backends
def test_running_averages():
    average = RunningAverage("length", rate=0.25, value=1.0)
    average.update(Stub(), {"length": ops.convert_to_tensor(3.0)}, 4)
    assert float(average.value) == 1.5
    average.update(Stub(), {}, 4)  # a step without the log
    assert float(average.value) == 1.5
    with pytest.raises(ValueError, match="`rate` must lie in"):
        RunningAverage("length", rate=0.0)


@pytest.mark.backends
def test_p_follows_the_signs_of_reals():
    """Every 4 steps p moves by 4 batches' share of 500,000 images, by the sign of
    the mean of all signs since; a lazy penalty's reals count as much."""
    rng = np.random.default_rng(0)
    controller = AdaptiveP(kg.ADA(p="adaptive"))
    controller.value.assign(1.0 - 1e-4)
    p, signs, turns = 1.0 - 1e-4, [], 0
    for step in range(64):
        # Surer and surer of reals, then less so.
        mean = 0.9 if 16 <= step < 44 else 0.2
        logits = {"d_sign": rng.normal(mean, 0.5, 32).astype("float32")}
        if step % 16 == 0:
            logits["d_reg_sign"] = rng.normal(0.0, 0.5, 32).astype("float32")
        signs += [np.sign(x) for x in logits.values()]
        logs = {name: ops.mean(ops.sign(x)) for name, x in logits.items()}
        controller.update(Stub(), logs, 32)
        if step % 4 == 3:
            up = np.sign(np.mean(signs) - 0.6)
            p, signs = max(0.0, p + up * 32 * 4 / 500_000), []
            turns += up
        got = float(ops.convert_to_numpy(controller.value))
        assert got == pytest.approx(p, abs=1e-6), step
    # Both ways, and above 1: nothing clips it there.
    assert abs(turns) < 16 and p != 1.0 - 1e-4


@pytest.mark.backends
def test_p_is_not_below_zero():
    controller = AdaptiveP(kg.ADA(interval=1, kimg=0.01))
    for sign, want in ((-1.0, 0.0), (1.0, 0.8), (1.0, 1.6), (0.6, 1.6), (-1.0, 0.8)):
        sign = ops.convert_to_tensor(sign, "float32")
        controller.update(Stub(), {"d_sign": sign}, 8)
        got = float(ops.convert_to_numpy(controller.value))
        assert got == pytest.approx(want, abs=1e-6)
