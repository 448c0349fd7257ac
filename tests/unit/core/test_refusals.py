"""What passes silently elsewhere: a GAN refuses it, or warns."""

from checks import assert_same, weights
import keras
from keras import layers, ops
from networks import tiny_critic, tiny_generator
import numpy as np
import pytest
from small import small_gan

import keras_gans as kg

OPTIONS = {"batch_size": 4, "shuffle": False, "verbose": 0}
LABELS = np.arange(8) % 3


def compiled(**kwargs):
    gan = small_gan(**kwargs)
    gan.compile()
    return gan


def conditional():
    keras.utils.set_random_seed(1)
    gan = kg.ConditionalGAN(
        num_classes=3,
        generator=tiny_generator(),
        discriminator=tiny_critic(labelled=True),
    )
    gan.compile()
    return gan


@pytest.mark.backends
def test_a_network_frozen_after_compile(images):
    gan = compiled()
    gan.discriminator.layers[-1].trainable = False
    message = r"(?s)changed since `compile`.*discriminator with \d+ trained"
    with pytest.raises(ValueError, match=message):
        gan.fit(images(8, 8, 8), **OPTIONS)
    with pytest.raises(ValueError, match=message):
        gan.train_on_batch(images(4, 8, 8))
    gan.compile()
    gan.fit(images(8, 8, 8), **OPTIONS)


@pytest.mark.parametrize("name", ["sample_weight", "class_weight"])
def test_weights_of_rows(images, name):
    gan, x = compiled(), images(4, 8, 8)
    value = np.ones(4) if name == "sample_weight" else {0: 1.0}
    message = f"does not take `{name}`"
    with pytest.raises(ValueError, match=message):
        gan.fit(x, **OPTIONS, **{name: value})
    with pytest.raises(ValueError, match=message):
        gan.train_on_batch(x, **{name: value})
    with pytest.raises(ValueError, match=message):
        gan.evaluate(x, verbose=0, **{name: value})


@pytest.mark.backends
def test_weights_in_a_data_set(images):
    batch = (images(4, 8, 8), LABELS[:4], np.ones(4))
    with pytest.raises(ValueError, match="does not take `sample_weight`"):
        compiled().fit((b for b in [batch]), verbose=0)


ENDS = {
    "dense": lambda x: layers.Dense(1, activation="sigmoid", name="end")(x),
    "activation": lambda x: layers.Activation("hard_sigmoid", name="end")(
        layers.Dense(1)(x)
    ),
    "softmax": lambda x: layers.Softmax(name="end")(layers.Dense(2)(x)),
    "flat": lambda x: layers.Flatten()(
        layers.Dense(1, activation="sigmoid", name="end")(x)
    ),
    "operation": lambda x: ops.sigmoid(layers.Dense(1)(x)),
    "nested": lambda x: keras.Sequential(
        [layers.Dense(1, activation="softmax", name="end")]
    )(x),
}


@pytest.mark.parametrize("end", ENDS)
def test_probabilities_for_logits(end):
    x = keras.Input((8, 8, 1))
    network = keras.Model(x, ENDS[end](layers.Flatten()(x)))
    named = "sigmoid" if end == "operation" else "end"
    with pytest.raises(ValueError, match=f"whose layer '{named}.* ends in a"):
        kg.GAN((8, 8, 1), 4, discriminator=network)


@pytest.mark.full
def test_one_hot_labels_are_ints(images):
    made = []
    for labels in (LABELS, np.eye(3, dtype="float32")[LABELS]):
        gan = conditional()
        gan.fit(images(8, 8, 8), labels, **OPTIONS)
        made.append(weights(gan))
    assert_same(*made)
    ints, one_hot = (
        gan.sample(3, labels=labels) for labels in ([0, 2, 1], np.eye(3)[[0, 2, 1]])
    )
    np.testing.assert_array_equal(ints, one_hot)


@pytest.mark.backends
def test_fewer_classes_than_the_gan_has(images):
    with pytest.warns(UserWarning, match="held 2 of 3 classes.*: 2. Build"):
        conditional().fit(images(8, 8, 8), LABELS % 2, **OPTIONS)


def test_a_discriminator_through_a_subclass(images):
    """Given as a function through `**kwargs`, it is saved as the network."""
    gan = PassesOn(discriminator=lambda shape: tiny_critic(), latent_dim=6)
    gan.save("gan.keras")
    loaded = keras.models.load_model("gan.keras")
    assert_same(gan.get_weights(), loaded.get_weights())


@keras.saving.register_keras_serializable("tests")
class PassesOn(kg.GAN):
    """A subclass as a user writes one."""

    def __init__(self, **kwargs):
        super().__init__((8, 8, 1), **kwargs)
