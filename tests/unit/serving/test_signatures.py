"""The signatures of exported models, run as TF Serving runs them."""

import io

import keras
from networks import CLASSES, tiny_critic, tiny_generator, tiny_judge, tiny_translator
import numpy as np
from PIL import Image
import pytest
from small import small_cyclegan, small_pix2pix

import keras_gans as kg
from keras_gans.core.signatures import of_samples, of_translations
from keras_gans.inference.opening import open_gan
from keras_gans.modalities.image_files import decode_image

REQUESTS = "assets.extra/tf_serving_warmup_requests"
SEEDS = np.array([3, 8], "int64") << 32


@pytest.fixture
def answer():
    """A function that asks a signature of a model, loaded as by TF Serving."""
    import tensorflow as tf

    sessions = {}

    def ask(path, signature, **inputs):
        if path not in sessions:
            with tf.Graph().as_default():
                session = tf.compat.v1.Session()
                load = tf.compat.v1.saved_model.loader.load
                sessions[path] = session, load(session, ["serve"], path)
        session, meta = sessions[path]
        known = meta.signature_def[signature]
        assert set(inputs) == set(known.inputs), signature
        fetched = {name: tensor.name for name, tensor in known.outputs.items()}
        fed = {known.inputs[name].name: x for name, x in inputs.items()}
        return session.run(fetched, fed)

    yield ask
    for session, _ in sessions.values():
        session.close()


def warmed_up(path, answer):
    """Answers to the requests beside a model, by signature."""
    import tensorflow as tf

    api = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    found = {}
    for record in tf.data.TFRecordDataset(f"{path}/{REQUESTS}"):
        request = api.PredictionLog.FromString(record.numpy()).predict_log.request
        inputs = {name: tf.make_ndarray(x) for name, x in request.inputs.items()}
        signature = request.model_spec.signature_name
        found[signature] = answer(path, signature, **inputs)
    return found


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_seeds_walks_and_scores(answer):
    gan = kg.ConditionalGAN(
        generator=tiny_generator(),
        discriminator=tiny_critic(labelled=True),
        num_classes=CLASSES,
    )
    gan.export("gan/1")
    labels = np.array([2, 1], "int32")
    made = answer("gan/1", "serving_default", seed=SEEDS, label=labels)
    wanted = np.concatenate(list(gan.seed_batches([3, 8], labels=labels)))
    # One graph in batches of another size: rounding.
    np.testing.assert_allclose(made["images"], wanted, atol=1e-6)
    for encoded, image in zip(made["image_bytes"], made["images"], strict=True):
        read = decode_image(encoded, 1)
        np.testing.assert_allclose(read, image, atol=1 / 255 + 1e-6)
    # A seed in a larger batch, in another place, is the same picture.
    more = {"seed": np.tile(SEEDS, 5)[::-1], "label": np.tile(labels, 5)[::-1]}
    again = answer("gan/1", "serving_default", **more)
    assert again["image_bytes"][1] == made["image_bytes"][0]
    t = np.array([0.25], "float32")
    way = {"seed_a": SEEDS[:1], "seed_b": SEEDS[1:], "t": t, "label": labels[:1]}
    walked = kg.latent.walk(gan, [3, 8], frames=5, loop=False, labels=2)[1]
    made = answer("gan/1", "interpolate", **way)
    np.testing.assert_allclose(made["images"][0], walked, atol=1e-6)
    scores = answer("gan/1", "score", images=wanted, label=labels)["logits"]
    seen = gan.networks["discriminator"]([wanted, labels], training=False)
    np.testing.assert_allclose(scores, seen, atol=1e-6)
    with pytest.raises(Exception, match="label lies in"):
        answer("gan/1", "score", images=wanted, label=labels + 1)
    found = warmed_up("gan/1", answer)
    assert set(found) == {"serving_default", "generate", "interpolate", "score"}


@pytest.mark.full
def test_walks_in_w_and_scores_of_one(answer):
    gan = kg.StyleGAN2(
        (8, 8, 3), latent_dim=8, w_dim=8, channel_base=32, mapping_layers=2
    )
    gan.export("gan/1")
    psi = np.array([0.7], "float32")
    way = {"seed_a": SEEDS[:1], "seed_b": SEEDS[1:], "t": psi, "truncation": psi}
    space = kg.latent.LatentSpace(gan)
    a, b = space.styles(space.values([3, 8], truncation=0.7))
    wanted = space.synthesize((a + 0.7 * (b - a))[None])
    # Weights of 8 to 32 channels: float32 sums in another order.
    made = answer("gan/1", "interpolate", **way)["images"]
    np.testing.assert_allclose(made, wanted, atol=1e-5)
    # Its discriminator looks at how a batch varies; here no row sees another.
    images = np.random.default_rng(0).uniform(-1, 1, (3, 8, 8, 3)).astype("float32")
    three = answer("gan/1", "score", images=images)["logits"]
    one = answer("gan/1", "score", images=images[1:2])["logits"]
    np.testing.assert_allclose(three[1], one[0], atol=1e-6)


@pytest.mark.full
def test_pictures_in_and_pictures_out(answer):
    gan = small_cyclegan((3, 1), identity_weight=0)
    gan.export("gan/1")
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8, 4)).astype("uint8")
    clear, opaque = png(pixels), png(np.ascontiguousarray(pixels[..., :3]))
    files = np.array([clear, opaque, opaque], object)
    made = answer("gan/1", "serving_default", image_bytes=files)
    sources = np.stack([decode_image(data, 3) for data in (clear, opaque)])
    wanted = np.concatenate([gan.translate(x[None]) for x in sources])
    # What is laid on white is rounded to 8 bits there, and not here.
    np.testing.assert_allclose(made["images"][0], wanted[0], atol=0.02)
    np.testing.assert_allclose(made["images"][1], wanted[1], atol=1e-6)
    assert made["image_bytes"][1] == made["image_bytes"][2]
    back = decode_image(made["image_bytes"][1], 1)
    np.testing.assert_allclose(back, made["images"][1], atol=1 / 255 + 1e-6)
    floats = answer("gan/1", "translate", images=sources)["images"]
    np.testing.assert_allclose(floats, wanted, atol=1e-6)
    # Of another size: it covers the generator's, and is cut around the middle.
    large = png(np.repeat(np.repeat(pixels[:, :6, :3], 2, 0), 4, 1))  # 16 x 24
    made = answer("gan/1", "serving_default", image_bytes=np.array([large], object))
    assert made["images"].shape == (1, 8, 8, 1)
    for bad in (b"", b"no picture", clear[:60], clear[:16] + b"\x7f\xff\xff\xff" * 2):
        with pytest.raises(Exception, match=r"JPEG|PNG|pixels|decode"):
            answer("gan/1", "serving_default", image_bytes=np.array([bad], object))
    assert {"serving_default", "serving_ba", "ba"} <= set(warmed_up("gan/1", answer))


@pytest.mark.full
def test_a_translator_of_any_size_takes_each_picture_in_its_own(answer):
    """There is no tensor that holds pictures of several sizes: files alone."""
    gan = small_pix2pix(
        generator=tiny_translator(3, 1, side=None), discriminator=tiny_judge(4)
    )
    gan.export("gan/1")
    random = np.random.default_rng(0)
    files = [
        png(random.integers(0, 256, (*size, 3)).astype("uint8"))
        for size in ((8, 12), (20, 9), (8, 12))
    ]
    made = answer("gan/1", "serving_default", image_bytes=np.array(files, object))
    assert set(made) == {"image_bytes"}
    for data, given in zip(made["image_bytes"], files, strict=True):
        wanted = gan.translate(decode_image(given, 3)[None])[0]
        # Half a level of rounding.
        np.testing.assert_allclose(decode_image(data, 1), wanted, atol=0.51 / 127.5)


def test_what_there_is_no_score_of():
    keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(4), keras.layers.Reshape((2, 2, 1))]
    ).save("g.keras")
    alone, _ = open_gan("g.keras")
    packed = kg.DCGAN((16, 16, 1), 4, width=2, packing=2)
    for gan in (alone, packed):
        assert set(of_samples(gan).endpoints) == {
            "serving_default",
            "generate",
            "interpolate",
        }


@pytest.mark.parametrize(("takes", "makes"), [(1, 2), (4, 3), (5, 3)])
def test_translators_of_no_pictures_take_floats(takes, makes):
    """Colours without lightness, a mask beside a picture, and anything else."""
    gan = small_pix2pix(
        generator=tiny_translator(takes, makes), discriminator=tiny_judge(takes + makes)
    )
    endpoints = of_translations(gan).endpoints
    assert endpoints["serving_default"] is endpoints["translate"]
