"""Images of a sentence's vector; D also sees images of another sentence."""

import keras
from keras import layers, ops

import keras_gans as kg

DIM, SHAPE = 5, (8, 8, 1)


def generator():
    z, text = keras.Input((6,)), keras.Input((DIM,))
    x = layers.Concatenate()([z, layers.Dense(4)(text)])
    x = layers.Dense(64, activation="tanh")(layers.Dense(16, "relu")(x))
    return keras.Model([z, text], layers.Reshape(SHAPE)(x))


def discriminator():
    images, text = keras.Input(SHAPE), keras.Input((DIM,))
    x = layers.Concatenate()([layers.Flatten()(images), layers.Dense(4)(text)])
    x = layers.Dense(1)(layers.Dense(16, "leaky_relu")(x))
    return keras.Model([images, text], x)


@keras.saving.register_keras_serializable("tests")
class TextToImageGAN(kg.BaseGAN):
    def __init__(self, **kwargs):
        inputs = (kg.Latent(6), kg.Text(DIM))
        super().__init__(generator(), discriminator(), inputs=inputs, **kwargs)

    def phases(self):
        d = kg.Phase("d", self.discriminator_loss, logs=("d_mismatched",))
        return [d, kg.Phase("g", self.generator_loss)]

    def call_discriminator(self, x, batch, training):
        return self.forward("discriminator", [x, batch["text"]], training)

    def discriminator_loss(self, fake, batch, training):
        real = self.discriminate(batch["real"], batch, training, "real")
        fake = self.discriminate(fake, batch, training, "fake")
        other = {**batch, "text": ops.roll(batch["text"], 1, axis=0)}
        wrong = self.discriminate(batch["real"], other, training, "mismatched")
        negatives = ops.concatenate([fake, wrong], axis=0)
        loss, logs = self.d_adversarial(real, negatives)
        return loss, {**logs, "d_mismatched": ops.mean(ops.sigmoid(wrong))}
