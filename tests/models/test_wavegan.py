"""WaveGAN: the reference's networks, its training, its files."""

import functools
import json

from checks import check_gan
from golden.recipe import fill
from keras import ops
import numpy as np
from paths import GOLDEN
import pytest

import keras_gans as kg
from keras_gans.convert import from_state, read
from keras_gans.networks.wavegan import wavegan_discriminator, wavegan_generator


def small(**kwargs):
    options = {"samples": 256, "rate": 8000, "dim": 2, "latent_dim": 4, "d_steps": 1}
    return kg.WaveGAN(**{**options, **kwargs})


def sounds(n, samples=256, channels=1, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (n, samples, channels)).astype("float32")


def close(got, want, bound=1e-5):
    got = ops.convert_to_numpy(got)
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


def states(about):
    state = {name: fill(name, shape) for name, shape in about["weights"]}
    return [
        {k.removeprefix(side): v for k, v in state.items() if k.startswith(side)}
        for side in ("G/", "D/")
    ]


@pytest.mark.parametrize("name", ["wavegan_16384", "wavegan_nn"])
def test_networks_are_the_reference_s(name):
    about = json.loads((GOLDEN / f"{name}.json").read_text())
    wanted = np.load(GOLDEN / f"{name}.npz")
    generator, discriminator = map(from_state, states(about))
    # The fixtures are of float32: float64 is 8.0e-6 from G's of "nn", and 1.0e-5 from
    # the shuffled logits. What is ours adds up to 6.3e-6, by the processor.
    close(generator.predict_on_batch(wanted["z"]), wanted["G"], 1.7e-5)
    close(discriminator.predict_on_batch(wanted["x"])[:, 0], wanted["D"])
    shuffled = wavegan_discriminator(dim=about["call"]["D"]["dim"])
    shuffled.set_weights(discriminator.get_weights())
    shifts = np.tile(wanted["shifts"], (2, 1))
    made = shuffled.predict_on_batch([wanted["x"], shifts])
    close(made[:, 0], wanted["D_shuffled"], 1.7e-5)


def test_parameters_are_the_paper_s():
    assert wavegan_generator().count_params() == 19_065_345
    assert wavegan_discriminator().count_params() == 17_427_969


def test_checkpoint_of_tensorflow_is_read(tmp_path):
    state = read(GOLDEN / "wavegan_16384.ckpt.index")
    assert set(state) == {"G", "D"}
    wanted = np.load(GOLDEN / "wavegan_16384.npz")
    close(from_state(state["G"])(wanted["z"]), wanted["G"])
    del state["G"]["upconv_2/conv2d_transpose/bias"]
    with pytest.raises(ValueError, match=r"Missing: upconv_2/conv2d_transpose/bias"):
        from_state(state["G"])
    lonely = tmp_path / "model.ckpt.index"
    lonely.write_bytes((GOLDEN / "wavegan_16384.ckpt.index").read_bytes())
    with pytest.raises(ValueError, match=r"model.ckpt.data-00000-of-00001 is not"):
        read(lonely)


@pytest.mark.parametrize(
    ("samples", "channels", "strides"),
    [(32768, 1, None), (65536, 2, None), (4096, 1, None), (1000, 6, (4, 5, 5))],
)
def test_lengths_and_channels(samples, channels, strides):
    made = wavegan_generator(samples, channels, 3, 1, strides=strides)
    assert made.output_shape == (None, samples, channels)
    seen = wavegan_discriminator(samples, channels, 1, strides=strides)
    assert seen.output_shape == (None, 1)
    # 32 * dim channels of the first map where there are six layers
    assert made.get_layer("upconv_0").kernel.shape[-1] == 2 ** (
        len([x for x in made.layers if x.name.startswith("upconv")]) - 1
    )


@pytest.mark.backends
def test_wavegan():
    # The bias of a Wasserstein critic cancels.
    make = functools.partial(small, samples=64, ema=0.9)
    check_gan(make, sounds(16, 64), still="output/bias", executions=False)


@pytest.mark.full
@pytest.mark.backends
def test_spectrograms_are_judged_too():
    make = functools.partial(
        small, mel_bands=8, gp_weight=0.0, objective="non_saturating", r1=1
    )
    check_gan(make, sounds(16), executions=False)


@pytest.mark.daily(1)
@pytest.mark.parametrize(
    "options",
    [
        {"gp_weight": 10.0},
        {"objective": "relativistic", "r1": 1.0, "r2": 1.0, "penalty_interval": 2},
        {"objective": "non_saturating", "channels": 2, "num_classes": 3, "r1": 1.0},
        {"objective": "non_saturating", "channels": 2, "packing": 2},
    ],
)
def test_losses_of_spectrograms_are_added(options):
    options = {"gp_weight": 0.0, **options}
    both, one = small(mel_bands=8, **options), small(**options)
    for name, network in one.networks.items():
        network.set_weights(both.networks[name].get_weights())
    x = sounds(8, channels=options.get("channels", 1))
    args = (x, np.arange(8) % 3) if "num_classes" in options else (x,)
    for gan in (both, one):
        gan.compile(run_eagerly=True)
    # Of a second discriminator that says 0 of all.
    output = both.networks["spectrogram"].get_layer("output")
    output.kernel.assign(0 * output.kernel)
    if "num_classes" in options:
        embed = both.networks["spectrogram"].get_layer("embed")
        embed.embeddings.assign(0 * embed.embeddings)
    got, without = (gan.test_on_batch(*args, return_dict=True) for gan in (both, one))
    constant = {
        "gp_weight": (0, 0),
        "relativistic": (np.log(2), np.log(2)),
        "non_saturating": (2 * np.log(2), np.log(2)),
    }["gp_weight" if options["gp_weight"] else options["objective"]]
    for name, more in zip(("d_loss", "g_loss"), constant, strict=True):
        np.testing.assert_allclose(got[name], without[name] + more, rtol=1e-5)
    names = [v.path for v in both.networks["spectrogram"].trainable_variables]
    before = both.networks["spectrogram"].get_weights()
    logs = both.fit(*args, batch_size=8, epochs=2, verbose=0).history
    after = both.networks["spectrogram"].get_weights()
    for path, a, b in zip(names, before, after, strict=True):
        cancels = options.get("objective") != "non_saturating"
        still = cancels and path.endswith("output/bias")
        assert (a != b).any() or still, path
    for name in ("r1", "r2"):
        assert (name in logs) == (name in options)


def test_spectrograms_know_no_sign_and_hold_each_channel():
    gan = small(mel_bands=8, channels=2)
    x = sounds(2, channels=2)
    seen = ops.convert_to_numpy(gan.spectrograms(x, False, "real"))
    turned = ops.convert_to_numpy(gan.spectrograms(-x, False, "real"))
    assert seen.shape == (2, 4, 16)
    np.testing.assert_allclose(seen, turned, atol=1e-5)
    alone = small(mel_bands=8)
    for i in range(2):
        one = alone.spectrograms(x[..., i : i + 1], False, "real")
        close(seen[..., 8 * i : 8 * i + 8], ops.convert_to_numpy(one))


def test_networks_beside_spectrograms_may_be_own():
    seen = wavegan_discriminator(256, dim=3)
    gan = small(mel_bands=8, discriminator=seen)
    assert gan.discriminator is seen
    names = {"discriminator": seen, "other": small(mel_bands=8).networks["spectrogram"]}
    with pytest.raises(ValueError, match=r"of 'discriminator' and 'spectrogram'"):
        small(mel_bands=8, discriminator=names)
    with pytest.raises(ValueError, match=r"without, it is a keras.Model"):
        small(discriminator=names)
    for options in ({"mel_bands": 200}, {"mel_bands": 8, "samples": 128}):
        with pytest.raises(ValueError, match=r"fewer bands or longer sounds"):
            small(**options)
    with pytest.raises(ValueError, match="mel_bands"):
        small(mel_bands=0)


def test_classes_and_stereo():
    gan = small(channels=2, num_classes=3, gp_weight=0.0, r1=1.0, penalty_interval=2)
    gan.compile(run_eagerly=True)
    gan.fit(sounds(8, channels=2), np.arange(8) % 3, batch_size=4, verbose=0)
    one, two = gan.sample(2, seed=0, labels=1), gan.sample(2, seed=0, labels=2)
    assert one.shape == (2, 256, 2)
    assert np.abs(one - two).max() > 0


def count_apart(values):
    """How many values there are that rounding does not explain."""
    return 1 + int((np.diff(np.sort(values.ravel())) > 1e-6).sum())


def test_phases_are_shuffled_in_training_by_row():
    gan = small(samples=1024)
    x = np.repeat(sounds(1, 1024), 64, axis=0)
    batch = {"real": x}
    with gan.rng.at("train", 0):
        first = ops.convert_to_numpy(gan.discriminate(x, batch, True, "real"))
        again = ops.convert_to_numpy(gan.discriminate(x, batch, True, "real"))
        fake = ops.convert_to_numpy(gan.discriminate(x, batch, True, "fake"))
        plain = ops.convert_to_numpy(gan.discriminate(x, batch, False, "real"))
    np.testing.assert_array_equal(first, again)
    assert 5 < count_apart(first) <= 5**2  # of two maps, five shifts each
    assert (first != fake).any()
    assert count_apart(plain) == 1


def test_refusals():
    with pytest.raises(ValueError, match=r"16 samples times a power of 2.*1000"):
        small(samples=1000)
    with pytest.raises(ValueError, match="product divides"):
        small(strides=(3, 5))
    with pytest.raises(ValueError, match="packing"):
        small(num_classes=3, packing=2)
    gan = small()
    gan.compile()
    with pytest.raises(ValueError, match=r"256, 1"):
        gan.fit(sounds(8, channels=2), verbose=0)


@pytest.mark.full
def test_exported_as_floats_and_files(tmp_path):
    import tensorflow as tf

    gan = small()
    gan.export(tmp_path / "1")
    made = tf.saved_model.load(tmp_path / "1").signatures["serving_default"](
        seed=tf.constant([3], "int64")
    )
    assert made["audio"].shape == (1, 256, 1)
    data = made["audio_bytes"].numpy()[0]
    back = gan.modality.decode(data)
    np.testing.assert_allclose(back, made["audio"][0], atol=1 / 32768)
