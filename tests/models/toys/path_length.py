"""DCGAN with feature matching and lazy path length regularization."""

import keras
from keras import ops

import keras_gans as kg
from keras_gans.core import controllers, optimizers
from keras_gans.engine import input_gradient

EVERY = 2


def judge(shape):
    d = kg.networks.dcgan.dcgan_discriminator(shape, width=4)
    return keras.Model(d.input, [d.output, d.get_layer("lrelu_1").output])


@keras.saving.register_keras_serializable("tests")
class PathLengthGAN(kg.DCGAN):
    def __init__(self, **kwargs):
        super().__init__((16, 16, 1), 8, 4, discriminator=judge, **kwargs)
        self.controllers["mean"] = controllers.RunningAverage("path_length")

    def phases(self):
        d = kg.Phase("d", self.discriminator_loss, keeps=("real_features",))
        g = kg.Phase("g", self.generator_loss, logs=("feature_loss",))
        lazy = {"every": EVERY, "fakes": None, "logs": ("path_length",)}
        return [d, g, kg.Phase("g_reg", self.path_loss, "g", **lazy)]

    def default_optimizers(self):
        d, g = super().default_optimizers()
        return d, optimizers.lazily_regularized(g, EVERY)

    def discriminator_loss(self, fake, batch, training):
        real, seen = self.discriminate(batch["real"], batch, training, "real")
        fake, _ = self.discriminate(fake, batch, training, "fake")
        loss, logs = self.d_adversarial(real, fake)
        return loss, {**logs, "real_features": self.mean_features(seen)}

    def mean_features(self, seen):
        return self.engine.mean_over_replicas(ops.mean(seen, axis=0))

    def generator_loss(self, fake, batch, training):
        fake, seen = self.discriminate(fake, batch, training, "generated")
        loss, logs = self.g_adversarial(fake, batch, training)
        gap = ops.square(self.mean_features(seen) - batch["real_features"])
        return loss + ops.mean(gap), {**logs, "feature_loss": ops.mean(gap)}

    def path_loss(self, fake, batch, training):
        z = self.rng.normal(self.rows_of(batch), 8, "path/latent")
        noise = self.rng.normal(ops.shape(z)[0], 256, "path/noise") / 16.0

        def projected(z):
            images = ops.reshape(self.forward("generator", z, training), (-1, 256))
            return ops.sum(images * noise, axis=1)

        slopes = input_gradient(projected, z)[1]
        lengths = ops.sqrt(ops.sum(ops.square(slopes), axis=1) + 1e-8)
        error = ops.mean(ops.square(lengths - self.controllers["mean"].value))
        return EVERY * error, {"path_length": ops.mean(lengths)}
