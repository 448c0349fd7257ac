"""GANs of all kinds, each of one file: nothing of the engine is theirs."""

import pathlib
import sys

from checks import check_gan, given_for
import keras
import numpy as np
import pytest
from toys.gumbel_tokens import GumbelGAN
from toys.next_frame import NextFrameGAN
from toys.path_length import PathLengthGAN
from toys.text_to_image import TextToImageGAN
from toys.vocoder import Vocoder
from toys.voxels import VoxelGAN

import keras_gans as kg

TOYS = {
    "path length": lambda: PathLengthGAN(ema=0.9),
    "vocoder": lambda: Vocoder(ema=0.9),
    "voxels": VoxelGAN,
    "next frame": lambda: NextFrameGAN(ema=0.9),
    "text to image": lambda: TextToImageGAN(ema=0.9),
    "tokens": GumbelGAN,
}


def data_of(name):
    """What `fit` takes: (x, y)."""
    rng = np.random.default_rng(0)

    def uniform(*shape, low=-1.0):
        return rng.uniform(low, 1, (16, *shape)).astype("float32")

    if name == "path length":
        return uniform(16, 16, 1), None
    if name == "vocoder":
        return uniform(8, 4), uniform(64, 1)
    if name == "voxels":
        return uniform(8, 8, 8, 1, low=0.0), None
    if name == "next frame":
        frames = uniform(5, 8, 8, 1)
        return frames[:, :4], frames[:, 4]
    if name == "text to image":
        return uniform(8, 8, 1), uniform(5)
    return rng.integers(0, 5, (16, 4)), None


# Of two discriminators; the others in full.
IN_TWOS = ("vocoder",)


def check(name, executions):
    x, y = data_of(name)
    atol = 1e-6 if name == "text to image" else 0.0  # D is called three times
    check_gan(TOYS[name], x, y, atol=atol, executions=executions)


@pytest.mark.daily(1)
@pytest.mark.full_on_jax
@pytest.mark.backends
@pytest.mark.parametrize("name", TOYS)
def test_toy_gans(name):
    check(name, executions=name in IN_TWOS)


@pytest.mark.full
@pytest.mark.parametrize("name", sorted(set(TOYS) - set(IN_TWOS)))
def test_toy_gans_of_two_steps_an_execution(name):
    check(name, executions=True)


@pytest.mark.parametrize("name", TOYS)
def test_toys_are_short(name):
    module = sys.modules[type(TOYS[name]()).__module__]
    assert pathlib.Path(module.__file__).read_text().count("\n") <= 60


@pytest.mark.full
@pytest.mark.parametrize("name", ["vocoder", "next frame", "text to image"])
def test_grids_show_what_fit_saw(name):
    """Samples that are made of something are previewed of the first rows."""
    gan = TOYS[name]()
    gan.compile()
    x, y = data_of(name)
    grid = kg.callbacks.SampleGrid("grids", every=2, n=3)
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}
    gan.fit(x, y, callbacks=[grid], **options)
    assert len(list(pathlib.Path("grids").glob("*.png"))) == 2
    (given,) = given_for(gan, x, y).items()
    rows = given[1][[0, 1, 2, 3, 0]]  # as often as it takes
    what = "samples 0 to 4 of seed 0, row by row"
    wanted = gan.show(gan.sample(5, **{given[0]: rows}), what)
    made = gan.preview(5, given={given[0]: given[1]})
    np.testing.assert_array_equal(made.picture, wanted.picture)
    with pytest.raises(ValueError, match="pass a dict of arguments"):
        gan.keep_for_previews(x)


@pytest.mark.full
@pytest.mark.parametrize("name", ["path length", "vocoder"])
def test_toys_are_served(name):
    import tensorflow as tf

    gan = TOYS[name]()
    gan.export("exported")
    served = tf.saved_model.load("exported")
    if name == "vocoder":
        mel = data_of(name)[0][:4]
        outputs = served.serving_default(mel)
        samples = gan.sample(4, mel=mel)
        sound = gan.modality.decode(outputs["audio_bytes"].numpy()[0])
        np.testing.assert_allclose(sound, samples[0], atol=2**-15)
    else:
        outputs = served.serving_default(3 * 2**32 + np.arange(4))
        samples = gan.sample(4, seed=3)
    made = outputs[gan.modality.tensor_name].numpy()
    np.testing.assert_allclose(made, samples, atol=1e-6)


def test_tokens_cool_down():
    """The temperature is that of the step, also after a restart."""
    gan = GumbelGAN()
    gan.compile()
    x, _ = data_of("tokens")
    gan.fit(x[:8], batch_size=4, verbose=0)  # 2 of 4 steps, from 2 to 0.5
    value = gan.controllers["temperature"].value
    assert float(value) == pytest.approx(1.0, rel=1e-6)
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    assert float(loaded.controllers["temperature"].value) == float(value)
    assert all(
        word in ("a", "red", "blue", "heart")
        for sentence in gan.modality.sentences(gan.sample(4))
        for word in sentence.split()
    )
