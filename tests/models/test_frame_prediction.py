"""Frame prediction: the reference's networks and losses, training, roll-out."""

import json

from checks import check_gan
from golden.recipe import fill
import keras
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

import keras_gans as kg
from keras_gans import losses
from keras_gans.networks.frame_prediction import frame_discriminator, frame_predictor

# A kernel, a bias: as the reference makes them.
SCALES = [((3, 3), (4,)), ((3, 3), (4,))]
D_SCALES = [((3,), (4,), (6,)), ((3,), (4,), (6,))]
LOG10 = np.log(10)  # the reference's logarithms


def small(shape=(8, 8, 1), **kwargs):
    sizes = {"past": 2, "scales": SCALES, "d_scales": D_SCALES}
    return kg.FramePrediction(shape, **{**sizes, **kwargs})


def clips(n, frames=3, side=8, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    shape = (n, frames, side, side, channels)
    return rng.uniform(-1, 1, shape).astype("float32")


def close(got, want, bound=1e-5):
    got = np.asarray(ops.convert_to_numpy(got), "float64")
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


def unstacked(x, past):
    """Frames on the channels as `[n, past, height, width, channels]`."""
    return np.stack(np.split(x, past, axis=-1), axis=1)


def golden(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    return about, np.load(GOLDEN / f"{name}.npz")


def reference():
    """Generator, discriminators and values of the reference's small table."""
    about, wanted = golden("video_multiscale")
    call = about["call"]
    values = [fill(name, shape) for name, shape in about["weights"]]
    scales = [
        (kernels, maps[1:-1])
        for kernels, maps in zip(
            call["SCALE_KERNEL_SIZES_G"], call["SCALE_FMS_G"], strict=True
        )
    ]
    generator = frame_predictor(4, (None, None, 3), scales, residual=None)
    count = len(generator.weights)
    generator.set_weights(values[:count])
    values, discriminators = values[count:], []
    for i, side in enumerate((8, 16)):
        row = (
            call["SCALE_KERNEL_SIZES_D"][i],
            call["SCALE_CONV_FMS_D"][i][1:],
            call["SCALE_FC_LAYER_SIZES_D"][i][:-1],
        )
        discriminators.append(frame_discriminator((side, side, 3), row, "valid"))
        count = len(discriminators[-1].weights)
        discriminators[-1].set_weights(values[:count])
        values = values[count:]
    assert not values
    return generator, discriminators, wanted


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_networks_are_the_reference_s():
    generator, discriminators, wanted = reference()
    each = keras.Model(
        generator.input, [generator.get_layer(f"prediction_{i}").output for i in (0, 1)]
    )
    for i, made in enumerate(each(unstacked(wanted["x"], 4))):
        close(made, wanted[f"pred_{i}"])
    close(generator(unstacked(wanted["x_test"], 4)), wanted["test_pred"])
    for i, discriminator in enumerate(discriminators):
        for side, frames in (("real", "target"), ("fake", "pred")):
            said = ops.sigmoid(discriminator(wanted[f"{frames}_{i}"]))
            close(ops.clip(said, 0.1, 0.9), wanted[f"d_{side}_{i}"])


def test_losses_are_the_reference_s():
    """The reference adds over rows; its coarse targets are every other pixel."""
    about, wanted = golden("frame_losses")
    names = [(f"target_{i}", f"predicted_{i}") for i in range(3)]
    pairs = [[wanted[name] for name in pair] for pair in names]

    def of(loss, **kwargs):
        rows = len(pairs[0][0])
        return rows * np.mean([float(loss(*pair, **kwargs)) for pair in pairs])

    assert of(losses.frame_distance, p=1) == pytest.approx(wanted["l1"], 1e-5)
    assert of(losses.frame_distance, p=2) == pytest.approx(wanted["l2"], 1e-5)
    gdl = losses.gradient_difference
    assert of(gdl, alpha=1) == pytest.approx(wanted["gdl1"], 1e-5)
    assert of(gdl, alpha=2) == pytest.approx(wanted["gdl2"], 1e-5)
    probabilities = [wanted[f"d_{i}"] for i in range(3)]
    said = [np.log(p / (1 - p)).astype("float32") for p in probabilities]
    g = losses.get("non_saturating").g
    adversarial = len(said[0]) / LOG10 * np.mean([float(g(x)) for x in said])
    assert adversarial == pytest.approx(wanted["adv"], 1e-5)
    call = about["call"]
    combined = (
        call["lam_adv"] * adversarial
        + call["lam_lp"] * of(losses.frame_distance, p=call["l_num"])
        + call["lam_gdl"] * of(gdl, alpha=call["alpha"])
    )
    assert combined == pytest.approx(wanted["combined"], 1e-5)


class Judge(keras.Model):
    """Says in its own code whether frames are real."""

    def __init__(self, activation=None):
        super().__init__()
        self.flat = keras.layers.Flatten()
        self.real = keras.layers.Dense(1, activation=activation, name="real")

    def call(self, x):
        return self.real(self.flat(x))


def test_discriminators_with_code_of_their_own():
    gan = small(discriminator={"coarse": Judge(), "fine": Judge()})
    frames = clips(2)
    said = gan.call_discriminator(frames[:, -1], {"past": frames[:, :-1]}, False)
    assert [tuple(x.shape) for x in said] == [(2, 1), (2, 1)]
    for endings in (("sigmoid", None), (None, "sigmoid")):
        sides = dict(zip(("coarse", "fine"), map(Judge, endings), strict=True))
        with pytest.raises(ValueError, match="layer 'real' ends in a sigmoid"):
            small(discriminator=sides)


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_a_loss_of_all_scales_is_the_reference_s():
    """Without what discriminators say, through which the reference learns nothing."""
    generator, _, wanted = reference()
    gan = kg.FramePrediction(
        (16, 16, 3), generator=generator, d_scales=D_SCALES, adversarial_weight=0.0
    )
    batch = {"past": unstacked(wanted["x"], 4), "real": wanted["y"]}
    loss, logs = gan.generator_loss(gan.generate(batch, False), batch, True)
    rows = len(wanted["y"])
    close(rows * logs["distance_loss"], wanted["lp2"])
    close(rows * logs["gradient_loss"], wanted["gdl1"])
    close(rows * loss, wanted["lp2"] + wanted["gdl1"])


@pytest.mark.full  # runs of the command line train one every day
@pytest.mark.parametrize(
    "executions", [pytest.param(False, marks=pytest.mark.backends), True]
)
def test_frame_prediction(executions):
    past, following = np.split(clips(16), [2], axis=1)
    check_gan(small, past, following[:, 0], atol=1e-6, executions=executions)


@pytest.mark.full
def test_without_what_discriminators_say():
    gan = small(adversarial_weight=0.0, gradient_weight=0.0)
    gan.compile()
    before = [n.get_weights() for n in gan.networks.values()]
    logs = gan.fit(clips(8), batch_size=4, verbose=0).history
    assert logs["g_loss"] == logs["distance_loss"] and "d_loss" not in logs
    after = [n.get_weights() for n in gan.networks.values()]
    moved = [
        any((x != y).any() for x, y in zip(*pair, strict=True))
        for pair in zip(before, after, strict=True)
    ]
    assert moved == [True, False, False]


@pytest.mark.full
def test_clips_are_cut_and_other_lengths_refused():
    gan = small()
    gan.compile()
    data = clips(8)
    logs = gan.fit(data, batch_size=4, shuffle=False, verbose=0).history
    assert {"distance_loss", "gradient_loss", "adversarial_loss"} <= set(logs)
    with pytest.raises(ValueError, match=r"2 frames of the past.*clips of 4 frames"):
        gan.fit(clips(8, frames=4), verbose=0)
    as_bytes = np.rint((data + 1) * 127.5).astype("uint8")
    with pytest.warns(UserWarning, match="8 bits"):
        gan.fit(as_bytes, batch_size=4, verbose=0)


def test_frames_follow_by_recursion():
    gan = small()
    past = clips(3, 4)
    made = gan.predict_frames(past, 3, batch_size=2)
    assert made.shape == (3, 3, 8, 8, 1) and np.abs(made).max() <= 1
    first = gan.sample(3, past=past[:, -2:])
    np.testing.assert_allclose(made[:, 0], first, rtol=0, atol=1e-6)
    second = gan.sample(3, past=np.stack([past[:, -1], first], axis=1))
    np.testing.assert_allclose(made[:, 1], second, rtol=0, atol=1e-6)
    # Of another size than it was trained on.
    assert gan.predict_frames(clips(1, 2, 12), 2).shape == (1, 2, 12, 12, 1)
    with pytest.raises(ValueError, match=r"multiples of 2.*Take"):
        gan.predict_frames(clips(1, 2, 9))
    with pytest.raises(ValueError, match="1 channels, as in training"):
        gan.predict_frames(np.zeros((1, 2, 8, 8, 3), "float32"))
    with pytest.raises(ValueError, match="`frames`"):
        gan.predict_frames(past, 0)
    with pytest.raises(ValueError, match="2 frames or more"):
        gan.predict_frames(clips(1, 1))


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"shape": (10, 9, 3)}, r"multiples of 2.*frame_shape=\(10, 9, 3\)"),
        ({"d_scales": D_SCALES[:1]}, "1 `d_scales` and 2 scales"),
        ({"scales": [((3, 3), (4, 4))]}, "one more odd kernel than widths"),
        ({"d_scales": [((9,), (4,), (6,))] * 2, "padding": "valid"}, "frames of 10"),
        ({"alpha": 0.5}, r"alpha.*\[1, inf\)"),
        ({"adversarial_weight": -1}, "adversarial_weight"),
        ({"r1": 1.0}, "seen at several scales"),
        ({"past": 0}, "past"),
        ({"residual": "last"}, "residual"),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        small(**kwargs)
