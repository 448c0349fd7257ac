"""`freeze_d`: the first layers of a discriminator keep their weights."""

import keras
from keras import layers, ops
from networks import tiny_generator
import numpy as np
import pytest

import keras_gans as kg


def frozen(gan):
    """The names of the layers of D whose weights are not trained."""
    return [
        layer.name
        for layer in gan.discriminator.layers
        if layer.weights and not layer.trainable_variables
    ]


def test_norms_belong_to_the_layer_before_them():
    gan = kg.DCGAN((16, 16, 1), width=2, freeze_d=2)
    free = kg.DCGAN((16, 16, 1), width=2)
    with_weights = [x for x in free.discriminator.layers if x.weights]
    kinds = [type(x).__name__ for x in with_weights[:3]]
    assert kinds == ["Conv2D", "Conv2D", "BatchNormalization"]
    assert len(frozen(gan)) == 3 and not frozen(free)


def test_layers_of_labels_are_left_alone():
    gan = kg.StyleGAN2(
        (8, 8, 1), 3, latent_dim=4, w_dim=4, channel_base=32, channel_max=4, freeze_d=4
    )
    names = {"from_images", "map1_conv", "map1_down", "map1_skip"}
    assert set(frozen(gan)) == names


def small(**kwargs):
    return kg.ConditionalGAN(
        num_classes=3,
        generator=tiny_generator(),
        discriminator=deep_critic(),
        freeze_d=1,
        **kwargs,
    )


def deep_critic():
    x, label = keras.Input((8, 8, 1)), keras.Input((), dtype="int32")
    h = layers.LeakyReLU(0.2)(layers.Conv2D(2, 3, strides=2)(x))
    h = layers.Concatenate()([layers.Flatten()(h), layers.Embedding(3, 2)(label)])
    return keras.Model([x, label], layers.Dense(1)(h))


@pytest.mark.full
@pytest.mark.backends
def test_a_resumed_training_keeps_them(images, tmp_path):
    x, y = images(8, 8, 8), np.arange(8) % 3
    options = {"batch_size": 4, "shuffle": False, "verbose": 0}

    def start():
        keras.utils.set_random_seed(0)
        gan = small()
        gan.compile()
        return gan

    def held(gan):
        return [np.array(ops.convert_to_numpy(v)) for v in gan.weights]

    straight = start()
    before = held(straight)
    straight.fit(x, y, epochs=2, **options)
    gan = start()
    gan.fit(x, y, **options)
    gan.save(tmp_path / "gan.keras")
    gan = keras.models.load_model(tmp_path / "gan.keras")
    assert len(frozen(gan)) == len(frozen(straight)) == 1
    gan.fit(x, y, epochs=2, initial_epoch=1, **options)
    still = 0
    for one, two, old in zip(held(straight), held(gan), before, strict=True):
        np.testing.assert_array_equal(one, two)
        still += int((one == old).all())
    assert still == 2  # kernel and bias of the one layer


@pytest.mark.parametrize("n", [-1, 1.5, True])
def test_other_numbers_are_refused(n):
    with pytest.raises(ValueError, match="freeze_d"):
        kg.DCGAN((16, 16, 1), width=2, freeze_d=n)


def test_a_layer_is_left_to_train():
    with pytest.raises(ValueError, match=r"freeze_d=1.*has 1 layers"):
        kg.DCGAN(
            generator=tiny_generator(labelled=False),
            discriminator=keras.Sequential(
                [keras.Input((8, 8, 1)), layers.Flatten(), layers.Dense(1)]
            ),
            freeze_d=1,
        )


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.score = layers.Dense(1)

    def call(self, x):
        return self.score(ops.reshape(x, (-1, 64)))


def test_a_discriminator_that_is_no_graph_is_named():
    with pytest.raises(ValueError, match=r"a Own.*trainable = False"):
        kg.DCGAN(
            generator=tiny_generator(labelled=False), discriminator=Own(), freeze_d=1
        )
