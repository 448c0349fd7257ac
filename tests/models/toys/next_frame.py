"""The next frame of a video, from four that came before."""

import keras
from keras import layers, ops

import keras_gans as kg

FRAMES, SHAPE = 4, (8, 8, 1)


def generator():
    past = keras.Input((FRAMES, *SHAPE))
    x = layers.Reshape((8, 8, FRAMES))(layers.Permute((2, 3, 1, 4))(past))
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(1, 3, padding="same", activation="tanh")(x)
    return keras.Model(past, x)


def discriminator():
    frame, past = keras.Input(SHAPE), keras.Input((FRAMES, *SHAPE))
    x = layers.Reshape((1, *SHAPE))(frame)
    x = layers.Concatenate(axis=1)([past, x])
    x = layers.Conv3D(4, (5, 3, 3), activation="leaky_relu")(x)
    return keras.Model([frame, past], layers.Dense(1)(layers.Flatten()(x)))


@keras.saving.register_keras_serializable("tests")
class NextFrameGAN(kg.BaseGAN):
    def __init__(self, l1_weight=10.0, **kwargs):
        image = kg.Image(SHAPE)
        super().__init__(
            generator(),
            discriminator(),
            modality=image,
            inputs=(kg.Past(FRAMES, image),),
            **kwargs,
        )
        self.l1_weight = l1_weight

    def phases(self):
        d = kg.Phase("d", self.discriminator_loss, penalty=self.penalties)
        return [d, kg.Phase("g", self.generator_loss, logs=("l1_loss",))]

    def call_discriminator(self, x, batch, training):
        return self.forward("discriminator", [x, batch["past"]], training)

    def generator_loss(self, fake, batch, training):
        loss, logs = super().generator_loss(fake, batch, training)
        l1 = ops.mean(ops.abs(fake - batch["real"]))
        return loss + self.l1_weight * l1, {**logs, "l1_loss": l1}
