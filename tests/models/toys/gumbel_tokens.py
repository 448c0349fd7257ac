"""Sentences of tokens by the Gumbel-softmax, ever colder."""

import keras
from keras import layers, ops

import keras_gans as kg

LENGTH, WORDS = 4, ("", "a", "red", "blue", "heart")


def generator():
    x = z = keras.Input((6,))
    x = layers.Dense(LENGTH * len(WORDS))(layers.Dense(16, "relu")(x))
    x = layers.Softmax()(layers.Reshape((LENGTH, len(WORDS)))(x))
    return keras.Model(z, x)


def discriminator():
    x = tokens = keras.Input((LENGTH, len(WORDS)))
    x = layers.Conv1D(8, 3, padding="same", activation="leaky_relu")(x)
    return keras.Model(tokens, layers.Dense(1)(layers.Flatten()(x)))


@keras.saving.register_keras_serializable("tests")
class GumbelGAN(kg.BaseGAN):
    def __init__(self, cooling=4, **kwargs):
        modality = kg.Tokens(LENGTH, WORDS)
        super().__init__(generator(), discriminator(), modality=modality, **kwargs)
        self.controllers["temperature"] = kg.core.controllers.Schedule(
            2.0, 0.5, steps=cooling, kind="exponential"
        )

    def generate(self, batch, training):
        p = super().generate(batch, training)
        n = ops.shape(p)[0]
        u = self.rng.uniform(n, LENGTH * len(WORDS), "gumbel")
        gumbel = -ops.log(-ops.log(ops.reshape(u, ops.shape(p))))
        cold = self.controllers["temperature"].value
        return ops.softmax((ops.log(p + 1e-8) + gumbel) / cold)
