"""What is saved and exported loads without this package."""

import os
from pathlib import Path
import subprocess
import sys

from golden.recipe import fill
import keras
import numpy as np
from paths import GOLDEN
import pytest
import translation_reference as reference

import keras_gans as kg
from keras_gans.convert import from_state, read
from keras_gans.engine import kernels
from keras_gans.layers import plain_keras
from keras_gans.networks.bigvgan import bigvgan_generator
from keras_gans.networks.conditional_dcgan import CONDITIONINGS
from keras_gans.networks.ctgan import ctgan_generator
from keras_gans.networks.dcgan import dcgan_generator
from keras_gans.networks.hifigan import Configuration, hifigan_generator
from keras_gans.networks.relgan import relgan_generator
from keras_gans.networks.resnet import resnet_generator
from keras_gans.networks.resnet_translator import resnet_translator
from keras_gans.networks.text_to_speech import speech_generator
from keras_gans.networks.unet import unet_generator

# In a process of its own, in which the package cannot be imported.
SCRIPT = """
import importlib.abc, pathlib, sys

class Blocker(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "keras_gans":
            raise ImportError("blocked: " + name)

sys.meta_path.insert(0, Blocker())
import numpy as np
import tensorflow as tf

served = tf.saved_model.load("gan/1")
seeds = 3 * 2**32 + np.arange(8)
images = served.signatures["serving_default"](seed=tf.constant(seeds))
np.save("served", images["images"])
one = [served.serving_default(seeds[i : i + 1])["images"] for i in range(8)]
np.save("one_by_one", np.concatenate(one))
np.save("codes", served.generate(np.ones((3, 6), "float32"))["images"])
empty = served.signatures["serving_default"](seed=tf.zeros([0], tf.int64))
assert empty["images"].shape == (0, 8, 8, 1), empty["images"].shape
assert not any(name.startswith("keras_gans") for name in sys.modules)

import keras

for path in sorted(pathlib.Path(".").glob("*.keras")):
    inputs = np.load(path.with_suffix(".npz"))
    inputs = [inputs[f"arr_{i}"] for i in range(len(inputs.files))]
    model = keras.saving.load_model(path)
    images = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    np.save(path.with_suffix(".npy"), np.asarray(images, "float32"))
print(sorted(name for name in sys.modules if name.startswith("keras_gans")))
"""


def filled(shapes):
    return {name: fill(name, shape) for name, shape in shapes.items()}


def in_bfloat16(make):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        return make()
    finally:
        keras.config.set_dtype_policy("float32")


def generator_of(gan):
    return lambda: gan().sampling_network()


SHAPE = (16, 16, 1)
NETWORKS = {
    "gan": generator_of(lambda: kg.GAN((8, 8, 1), 6)),
    "dcgan": generator_of(lambda: kg.DCGAN((20, 16, 3), 6, width=4, ema=0.9)),
    "dcgan_bfloat16": lambda: in_bfloat16(lambda: dcgan_generator(SHAPE, 6, width=4)),
    "wgan": lambda: trained(kg.WGAN(SHAPE, 6, 4, d_steps=1, ema=0.9)),
    "wgan_gp": generator_of(lambda: kg.WGANGP((28, 20, 3), 6, 8, 8)),
    "resnet_classes": lambda: resnet_generator((16, 16, 3), 6, 8, 3),
    **{
        f"conditional_{name}": generator_of(
            lambda name=name: kg.ConditionalGAN(SHAPE, 3, 6, width=4, conditioning=name)
        )
        for name in CONDITIONINGS
    },
    "acgan": generator_of(lambda: kg.ACGAN(SHAPE, 3, 6, width=4)),
    "infogan": generator_of(lambda: kg.InfoGAN(SHAPE, 3, 2, 6, width=4)),
    "pix2pix": generator_of(lambda: kg.Pix2Pix((64, 70, 3), width=2)),
    "unet": lambda: unet_generator((50, 70, 3), depth=6, width=2),
    "unet_any_size": lambda: unet_generator((None, None, 3), depth=6, width=2),
    "cyclegan": lambda: kg.CycleGAN(
        (24, 28, 1), width=4, blocks=1, n_layers=1
    ).networks["generator_ab"],
    "translator": lambda: resnet_translator(
        (30, 44, 3), blocks=2, width=4, dropout=0.5
    ),
    "translator_any_size": lambda: resnet_translator(
        (None, None, 3), blocks=1, width=4
    ),
    "translator_bfloat16": lambda: in_bfloat16(
        lambda: resnet_translator((None, 44, 3), blocks=1, width=4)
    ),
    "converted_mimicry": lambda: from_state(read(GOLDEN / "mimicry_cgan_pd_32_G.pth")),
    "converted_unet": lambda: from_state(
        filled(reference.unet_shapes("batch", 2, 1, 6, 1))
    ),
    "converted_resnet": lambda: from_state(
        filled(reference.resnet_shapes("instance", 2, 1, 1, 1, True))
    ),
}
SOUND = Configuration(8, (4, 2), (8, 4), "1", (3,), ((1, 3),))
# Those that have layers which Keras lacks.
REBUILT = {
    "biggan": generator_of(lambda: kg.BigGAN((16, 16, 3), 3, width=2, attention=(8,))),
    "bigvgan": lambda: bigvgan_generator(SOUND, bands=8),
    "converted_biggan": lambda: from_state(read(GOLDEN / "biggan32_G.pth")),
    "ctgan": lambda: ctgan_generator(5, [(1, 2), (3, 2)], 2, 4, (8,)),
    "hifigan": lambda: hifigan_generator(SOUND, bands=8),
    "relgan": lambda: relgan_generator(4, 6, head_size=3),
    "sagan": generator_of(lambda: kg.SAGAN(SHAPE, 3, g_width=8, d_width=8, ema=0.9)),
    "sngan": generator_of(lambda: kg.SNGAN(SHAPE, g_width=8, d_width=8)),
    "sngan_bfloat16": lambda: in_bfloat16(
        generator_of(lambda: kg.SNGAN(SHAPE, g_width=8, d_width=8))
    ),
    "stylegan2": generator_of(lambda: kg.StyleGAN2(SHAPE, 4, channel_max=4)),
    "stylegan3": generator_of(lambda: kg.StyleGAN3(SHAPE, 4, channel_max=4)),
    "text_to_speech": lambda: speech_generator(5, SOUND, width=4, blocks=1),
}


def trained(gan):
    x = np.random.default_rng(0).uniform(-1, 1, (4, *SHAPE))
    gan.compile()
    gan.fit(x, batch_size=4, verbose=0)
    return gan.sampling_network()


def inputs_of(network):
    rng = np.random.default_rng(1)

    def drawn(x):
        shape = [2, *(side or 27 for side in x.shape[1:])]
        if x.dtype == "int32":
            return rng.integers(0, 3, shape).astype("int32")
        # (Also temperatures, truncation and noise of U(0, 1).)
        return rng.uniform(0.1, 0.9, shape).astype("float32")

    return [drawn(x) for x in network.inputs]


@pytest.mark.full
def test_all_loads_where_the_package_cannot_be_imported(trained_gan):
    """Generators with Keras alone, and the SavedModel with TensorFlow alone."""
    trained_gan.export("gan/1")
    made = saved()
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert run.stdout.split() == ["[]"]
    for name, images in made.items():
        assert np.isfinite(images).all() and images.std() > 0, name
        loaded = np.load(Path(f"{name}.npy"))
        if name in REBUILT:  # of the same operations, but for faster convolutions
            np.testing.assert_allclose(loaded, images, 1e-5, 1e-6, err_msg=name)
        else:
            np.testing.assert_array_equal(loaded, images, err_msg=name)
    samples = trained_gan.sample(8, seed=3)
    # The same operations in batches of another size: rounding apart.
    np.testing.assert_allclose(np.load("served.npy"), samples, atol=1e-6)
    np.testing.assert_allclose(np.load("one_by_one.npy"), samples, atol=1e-6)
    codes = trained_gan.predict(np.ones((3, 6), "float32"), verbose=0)
    np.testing.assert_allclose(np.load("codes.npy"), codes, atol=1e-6)
    # Nothing is overwritten unasked.
    with pytest.raises(ValueError, match="overwritten unasked"):
        trained_gan.export("gan/1")
    trained_gan.export("gan/1", overwrite=True)


def saved():
    """Saves each network and its inputs; returns what each makes of them."""
    made = {}
    for name, make in {**NETWORKS, **REBUILT}.items():
        keras.utils.set_random_seed(0)
        network = make()
        kernels.accelerate(network)  # bound or not, it is saved as Keras's
        inputs = inputs_of(network)
        given = inputs if len(inputs) > 1 else inputs[0]
        # Other statistics than those that batch norms start with.
        network.trainable = True  # moving averages of networks are frozen
        if name in REBUILT:  # gains of 0 would hide what they multiply
            move_weights(network)
        network(given, training=True)
        made[name] = np.asarray(network(given, training=False), "float32")
        copy = plain_keras(network) if name in REBUILT else network
        copy.save(f"{name}.keras")
        np.savez(f"{name}.npz", *inputs)
    return made


def move_weights(network):
    rng = np.random.default_rng(2)
    for v in network.trainable_variables:
        noise = rng.normal(0, 0.2, v.shape).astype("float32")
        v.assign(np.asarray(v) + noise)
