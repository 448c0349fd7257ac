"""From mel spectrograms to waveforms, against two discriminators."""

import keras
from keras import layers, ops

import keras_gans as kg

BANDS, FRAMES, HOP = 4, 8, 8


def vocoder():
    x = mel = keras.Input((FRAMES, BANDS))
    x = layers.Conv1DTranspose(4, 8, 4, "same", activation="leaky_relu")(x)
    return keras.Model(
        mel, layers.Conv1DTranspose(1, 4, 2, "same", activation="tanh")(x)
    )


def judge(period):
    audio = keras.Input((FRAMES * HOP, 1))
    x = layers.Reshape((FRAMES * HOP // period, period))(audio)
    features = layers.Conv1D(4, 5, 2, activation="leaky_relu")(x)
    return keras.Model(audio, [layers.Conv1D(1, 3)(features), features])


@keras.saving.register_keras_serializable("tests")
class Vocoder(kg.BaseGAN):
    def __init__(self, feature_weight=2.0, **kwargs):
        super().__init__(
            vocoder(),
            {"fine": judge(1), "coarse": judge(4)},
            modality=kg.Waveform(FRAMES * HOP, rate=8000),
            inputs=(kg.Mel(BANDS, FRAMES),),
            objective="least_squares",
            **kwargs,
        )
        self.feature_weight = feature_weight

    def phases(self):
        d = kg.Phase("d", self.discriminator_loss, penalty=self.penalties)
        return [d, kg.Phase("g", self.generator_loss, logs=("feature_loss",))]

    def call_discriminator(self, x, batch, training):
        names = self.discriminator_names
        return [self.forward(name, x, training) for name in names]

    def discriminator_loss(self, fake, batch, training):
        real = self.discriminate(batch["real"], batch, training, "real")
        fake = self.discriminate(fake, batch, training, "fake")
        pairs = zip(real, fake, strict=True)
        return sum(self.objective.d(r[0], f[0]) for r, f in pairs), {}

    def generator_loss(self, fake, batch, training):
        fake = self.discriminate(fake, batch, training, "generated")
        real = self.discriminate(batch["real"], batch, training, "real")
        loss = sum(self.objective.g(logits) for logits, _ in fake)
        pairs = zip(real, fake, strict=True)
        matched = sum(ops.mean(ops.abs(r[1] - f[1])) for r, f in pairs)
        return loss + self.feature_weight * matched, {"feature_loss": matched}
