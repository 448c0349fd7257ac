"""GANs that enlarge: exported and shown, with pictures of any size."""

import io

import numpy as np
from pictures import noise
from PIL import Image as PillowImage
import pytest
import tensorflow as tf

import keras_gans as kg
from keras_gans.core.translation import TranslatingGAN
from keras_gans.networks.srresnet import msrresnet
from keras_gans.networks.superresolution_discriminators import srgan_discriminator
from keras_gans.serving.demo.models import Model


class Enlarging(TranslatingGAN):
    """The least of a GAN that enlarges: trained on crops of 16 pixels."""

    scale = 2

    def check_generators(self, generators, modality):
        return modality

    def evaluates(self, evaluation=None):
        return True

    def translate(self, images):
        return np.clip(self._translate(images, "ab", 0, None), -1, 1)


@pytest.fixture(scope="module")
def gan():
    return Enlarging(
        msrresnet(scale=2, blocks=1, width=4, skip="nearest"),
        srgan_discriminator((16, 16, 3), width=2, dense=2),
        modality=kg.Image((16, 16, 3)),
        inputs=(kg.Source(kg.Image((8, 8, 3))),),
    )


def png(pixels):
    stream = io.BytesIO()
    PillowImage.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def opened(data):
    return np.asarray(PillowImage.open(io.BytesIO(data)))


@pytest.mark.full
def test_an_export_takes_pictures_of_any_size(gan, tmp_path):
    image = noise((21, 17, 3))
    want = kg.upscale(gan, image, verbose=0)
    gan.export(tmp_path / "1")
    serve = tf.saved_model.load(tmp_path / "1").signatures["serving_default"]
    made = serve(image_bytes=tf.constant([png(image), png(image[:9])]))
    large, other = map(opened, made["image_bytes"].numpy())
    assert other.shape == (18, 34, 3)
    # A rounding apart, in another program.
    assert np.abs(large.astype(int) - want).max() <= 1


def test_the_demo_shows_it_at_work(gan):
    model = Model(gan)
    about = model.about()
    assert about["kind"] == "translator" and about["scale"] == 2
    assert about["height"] == about["width"] == 256
    assert opened(model.view.translate(png(noise((300, 280, 3))))).shape == (
        512,
        512,
        3,
    )
