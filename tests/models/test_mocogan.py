"""MoCoGAN: the reference's networks, training, videos of any length."""

import json

from checks import check_gan
from golden.recipe import fill
import keras
from keras import layers
import numpy as np
from paths import GOLDEN
import pytest

import keras_gans as kg
from keras_gans.convert import from_state
from keras_gans.networks.mocogan import (
    least_frames,
    mocogan_generator,
    video_discriminator,
)
from keras_gans.serving import deployment


def small(frames=10, shape=(16, 16, 1), **kwargs):
    sizes = {"content_dim": 4, "motion_dim": 2, "width": 2}
    return kg.MoCoGAN(frames, shape, **{**sizes, **kwargs})


def videos(n, frames=10, side=16, channels=1):
    rng = np.random.default_rng(0)
    shape = (n, frames, side, side, channels)
    return rng.uniform(-1, 1, shape).astype("float32")


def close(got, want, bound=1e-5):
    got = np.asarray(got)
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= bound * np.abs(want).max()


def gru_weights(state):
    """Of PyTorch's cell: its gates are reset, update, new; ours update first."""

    def reordered(x):
        reset, update, new = np.split(x, 3)
        return np.concatenate([update, reset, new])

    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    i, h, b, c = (reordered(state[f"cell.{name}"]) for name in names)
    return [i.T, h.T, np.stack([b, c])]


@pytest.mark.full_on_jax
@pytest.mark.backends
def test_networks_are_the_reference_s():
    about = json.loads((GOLDEN / "mocogan.json").read_text())
    wanted, call = np.load(GOLDEN / "mocogan.npz"), about["call"]
    states = {
        side: {name: fill(name, shape) for name, shape in weights}
        for side, weights in about["weights"].items()
    }
    generator = mocogan_generator(
        16, (64, 64, 3), call["content"], call["motion"], call["ngf"]
    )
    generator.get_layer("motion_codes").set_weights(gru_weights(states["G"]))
    main = {
        name.replace("frames.", "main."): x
        for name, x in states["G"].items()
        if name.startswith("frames.")
    }
    generator.get_layer("frame").set_weights(from_state(main).get_weights())
    motion = np.concatenate([wanted["h0"][:, None], wanted["eps"]], axis=1)
    made = generator.predict_on_batch([wanted["content"], motion])
    shown = np.moveaxis(made[:, ::5, ::4, ::4], -1, 1)
    close(shown, wanted["video"])
    image = {f"main.{name}": x for name, x in states["image_D"].items()}
    said = from_state(image).predict_on_batch(made[:, 3])
    close(said[:, 0], wanted["image_logits"])
    judge = video_discriminator(16, (64, 64, 3), call["ndf"])
    values = states["video_D"].values()
    judge.set_weights(
        [np.transpose(x, (2, 3, 4, 1, 0)) if x.ndim == 5 else x for x in values]
    )
    close(judge.predict_on_batch(made), wanted["video_logits"])


@pytest.mark.full
@pytest.mark.parametrize(
    ("classes", "executions"),
    [pytest.param(None, False, marks=pytest.mark.backends), (3, True)],
)
def test_mocogan(classes, executions):
    check_gan(
        lambda: small(num_classes=classes),
        videos(8),
        np.arange(8) % 3 if classes else None,
        batch_size=2,
        atol=1e-5,
        executions=executions,
    )


@pytest.mark.full
@pytest.mark.parametrize("shape", [(32, 32, 3), (16, 24, 1), (128, 128, 3)])
def test_sizes(shape):
    frames = least_frames(shape) + 2
    made = mocogan_generator(frames, shape, 2, 2, width=1)
    assert made.output_shape == (None, frames, *shape)
    # Each of the last convolution's stretches of frames has a logit.
    assert video_discriminator(frames, shape, 1).output_shape == (None, 3)


def test_frames_are_seen_at_their_places():
    gan = small()
    x = videos(3)
    network = gan.networks["image_discriminator"]
    places = np.array([9, 0, 4])
    said = gan.call_discriminator(x, {"place": places}, False)[0]
    wanted = network(x[np.arange(3), places])
    np.testing.assert_allclose(said, wanted, rtol=0, atol=1e-6)
    middle = gan.discriminate(x, {}, False, "real")[0]
    np.testing.assert_allclose(middle, network(x[:, 5]), rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"frames": 9}, "10 frames or more.*frames=9"),
        ({"shape": (8, 8, 1)}, "16 x 16 pixels"),
        ({"packing": 2}, "one by one"),
        ({"motion_dim": 0}, "motion_dim"),
        ({"discriminator": {}}, "image_discriminator and a video_discriminator"),
    ],
)
def test_bad_arguments_are_refused(kwargs, message):
    with pytest.raises(ValueError, match=message):
        small(**kwargs)


def test_probabilities_of_classes_are_refused():
    images = keras.Input((16, 16, 1))
    frames = keras.Model(images, layers.Dense(1)(layers.Flatten()(images)))
    videos = keras.Input((10, 16, 16, 1))
    x = layers.Flatten()(videos)
    classes = layers.Dense(3, activation="softmax", name="classes")(x)
    judge = keras.Model(videos, [layers.Dense(1)(x), classes])
    sides = {"image_discriminator": frames, "video_discriminator": judge}
    with pytest.raises(ValueError, match="layer 'classes' ends in a softmax"):
        small(num_classes=3, discriminator=sides)


class Judge(keras.Model):
    """Says of a video, in its own code, whether it is real and of which class."""

    def __init__(self, real=None, kinds=None):
        super().__init__()
        self.flat = layers.Flatten()
        self.real = layers.Dense(1, activation=real, name="real")
        self.kinds = layers.Dense(3, activation=kinds, name="kinds")

    def call(self, x):
        x = self.flat(x)
        return self.real(x), self.kinds(x)


def test_discriminators_with_code_of_their_own():
    def sides(*endings):
        frames = keras.Sequential(
            [keras.Input((16, 16, 1)), layers.Flatten(), layers.Dense(1)]
        )
        return {"image_discriminator": frames, "video_discriminator": Judge(*endings)}

    gan = small(num_classes=3, discriminator=sides())
    said = gan.call_discriminator(videos(2), {}, False)
    assert [tuple(x.shape) for x in said] == [(2, 1), (2, 1), (2, 3)]
    with pytest.raises(ValueError, match="layer 'real' ends in a sigmoid"):
        small(num_classes=3, discriminator=sides("sigmoid"))
    with pytest.raises(ValueError, match="layer 'kinds' ends in a softmax"):
        small(num_classes=3, discriminator=sides(None, "softmax"))


def test_what_scores_videos_is_named():
    with pytest.raises(ValueError, match=r"MoCoGAN, of shape.*metrics\.video_scores"):
        kg.metrics.evaluate(small(), videos(2))


@pytest.mark.full
def test_exported_as_videos(tmp_path):
    import tensorflow as tf

    gan = small()
    gan.export(tmp_path / "models" / "clips" / "1")
    served = tf.saved_model.load(tmp_path / "models" / "clips" / "1").signatures[
        "serving_default"
    ]
    made = served(seed=tf.constant([0, 3], "int64"))
    assert set(made) == {"videos", "video_bytes"}
    wanted = gan.sample(4, seed=0)[[0, 3]]
    np.testing.assert_allclose(made["videos"], wanted, rtol=0, atol=1e-6)
    encoded = made["video_bytes"].numpy()
    # Its clients write each video to a file.
    deployment.write(gan, tmp_path / "models" / "clips")
    text = (tmp_path / "models" / "clips_grpc_client.py").read_text()
    loop = text.partition("\nfor i, made in")
    exec("".join(loop[1:]), {"outputs": {"video_bytes": encoded}})
    read = gan.modality.read("1.apng")
    np.testing.assert_allclose(read, wanted[1], rtol=0, atol=1.001 / 255)
