"""The GANs that people find first, rebuilt to be compared with.

Networks, losses, rates, batch sizes and loops of three tutorials, in plain
Keras, as TensorFlow runs them. Where an image is not the 28 x 28 grey one that
they were written for, first maps and channels follow the image, and nothing
else does.

- `guide_dcgan`: Keras's guide "Customizing what happens in fit() with
  TensorFlow", its end-to-end GAN;
- `example_wgan_gp`: keras.io's "WGAN-GP overriding Model.train_step". Its
  gradient penalty draws alpha from a normal distribution, where the paper has
  a uniform one: a tutorial is rebuilt with what is in it;
- `tutorial_dcgan`: TensorFlow's "Deep Convolutional Generative Adversarial
  Network".
"""

import keras
from keras import layers
import numpy as np
import tensorflow as tf

SAMPLE_BATCH = 100


class Baseline(keras.Model):
    """A generator and a discriminator trained by a plain `train_step`."""

    latent_dim = 128
    batch_size = 64
    rates = {}  # of Adam

    def __init__(self, shape):
        super().__init__()
        self.generator = self.make_generator(shape)
        self.discriminator = self.make_discriminator(shape)

    def compile(self):
        super().compile()
        self.d_optimizer = keras.optimizers.Adam(**self.rates)
        self.g_optimizer = keras.optimizers.Adam(**self.rates)

    def z(self, n):
        return tf.random.normal((n, self.latent_dim))

    def sample_batches(self, n, seed=0):
        """Images in [-1, 1], in batches, as evaluations take them."""
        z = np.random.default_rng(seed).normal(size=(n, self.latent_dim))
        for rows in np.array_split(z.astype("float32"), -(-n // SAMPLE_BATCH)):
            yield self.to_unit(self.generator(rows, training=False).numpy())

    def to_unit(self, images):
        return images

    def descend(self, tape, loss, network, optimizer):
        variables = network.trainable_variables
        gradients = tape.gradient(loss, variables)
        optimizer.apply_gradients(zip(gradients, variables, strict=True))


def _binary(labels, logits):
    loss = keras.losses.binary_crossentropy(labels, logits, from_logits=True)
    return tf.reduce_mean(loss)


def _stack(shape, *parts):
    return keras.Sequential([keras.Input(shape), *parts])


class GuideDCGAN(Baseline):
    """Images in [0, 1]; reals have label 0, fakes 1, with noise."""

    rates = {"learning_rate": 3e-4}

    def make_generator(self, shape):
        height, width, channels = shape[0] // 4, shape[1] // 4, shape[2]
        up = {"strides": 2, "padding": "same"}
        return _stack(
            (self.latent_dim,),
            layers.Dense(height * width * 128),
            layers.LeakyReLU(0.2),
            layers.Reshape((height, width, 128)),
            layers.Conv2DTranspose(128, 4, **up),
            layers.LeakyReLU(0.2),
            layers.Conv2DTranspose(128, 4, **up),
            layers.LeakyReLU(0.2),
            layers.Conv2D(channels, 7, padding="same", activation="sigmoid"),
        )

    def make_discriminator(self, shape):
        return _stack(
            shape,
            layers.Conv2D(64, 3, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.Conv2D(128, 3, strides=2, padding="same"),
            layers.LeakyReLU(0.2),
            layers.GlobalMaxPooling2D(),
            layers.Dense(1),
        )

    def to_unit(self, images):
        return 2 * images - 1

    def train_step(self, real):
        real = (real + 1) / 2
        n = tf.shape(real)[0]
        both = tf.concat([self.generator(self.z(n), training=True), real], 0)
        labels = tf.concat([tf.ones((n, 1)), tf.zeros((n, 1))], 0)
        labels += 0.05 * tf.random.uniform(tf.shape(labels))
        with tf.GradientTape() as tape:
            d_loss = _binary(labels, self.discriminator(both, training=True))
        self.descend(tape, d_loss, self.discriminator, self.d_optimizer)
        z = self.z(n)
        with tf.GradientTape() as tape:
            fake = self.generator(z, training=True)
            logits = self.discriminator(fake, training=True)
            g_loss = _binary(tf.zeros((n, 1)), logits)
        self.descend(tape, g_loss, self.generator, self.g_optimizer)
        return {"d_loss": d_loss, "g_loss": g_loss}


class ExampleWGANGP(Baseline):
    """Three critic steps, all on one batch of reals."""

    batch_size = 512
    rates = {"learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.9}
    d_steps = 3
    gp_weight = 10.0

    def make_generator(self, shape):
        def up(filters, activation):
            return [
                layers.UpSampling2D(),
                layers.Conv2D(filters, 3, padding="same", use_bias=False),
                layers.BatchNormalization(),
                activation,
            ]

        return _stack(
            (self.latent_dim,),
            layers.Dense(4 * 4 * 256, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.2),
            layers.Reshape((4, 4, 256)),
            *up(128, layers.LeakyReLU(0.2)),
            *up(64, layers.LeakyReLU(0.2)),
            *up(shape[-1], layers.Activation("tanh")),
            layers.Cropping2D(_margin(shape)),
        )

    def make_discriminator(self, shape):
        def down(filters):
            conv = layers.Conv2D(filters, 5, strides=2, padding="same")
            return [conv, layers.LeakyReLU(0.2)]

        return _stack(
            shape,
            layers.ZeroPadding2D(_margin(shape)),
            *down(64),
            *down(128),
            layers.Dropout(0.3),
            *down(256),
            layers.Dropout(0.3),
            *down(512),
            layers.Flatten(),
            layers.Dropout(0.2),
            layers.Dense(1),
        )

    def penalty(self, real, fake):
        alpha = tf.random.normal((tf.shape(real)[0], 1, 1, 1))
        x = real + alpha * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(x)
            logits = self.discriminator(x, training=True)
        gradient = tape.gradient(logits, x)
        norm = tf.sqrt(tf.reduce_sum(gradient**2, axis=(1, 2, 3)))
        return tf.reduce_mean((norm - 1) ** 2)

    def train_step(self, real):
        n = tf.shape(real)[0]
        for _ in range(self.d_steps):
            z = self.z(n)
            with tf.GradientTape() as tape:
                fake = self.generator(z, training=True)
                of_fake = self.discriminator(fake, training=True)
                of_real = self.discriminator(real, training=True)
                d_loss = tf.reduce_mean(of_fake) - tf.reduce_mean(of_real)
                d_loss += self.gp_weight * self.penalty(real, fake)
            self.descend(tape, d_loss, self.discriminator, self.d_optimizer)
        z = self.z(n)
        with tf.GradientTape() as tape:
            fake = self.generator(z, training=True)
            g_loss = -tf.reduce_mean(self.discriminator(fake, training=True))
        self.descend(tape, g_loss, self.generator, self.g_optimizer)
        return {"d_loss": d_loss, "g_loss": g_loss}


class TutorialDCGAN(Baseline):
    """Both networks learn from the same fakes, at once."""

    latent_dim = 100
    batch_size = 256
    rates = {"learning_rate": 1e-4}

    def make_generator(self, shape):
        height, width, channels = shape[0] // 4, shape[1] // 4, shape[2]

        def up(filters, strides, **more):
            return layers.Conv2DTranspose(
                filters, 5, strides, padding="same", use_bias=False, **more
            )

        return _stack(
            (self.latent_dim,),
            layers.Dense(height * width * 256, use_bias=False),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.3),
            layers.Reshape((height, width, 256)),
            up(128, 1),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.3),
            up(64, 2),
            layers.BatchNormalization(),
            layers.LeakyReLU(0.3),
            up(channels, 2, activation="tanh"),
        )

    def make_discriminator(self, shape):
        return _stack(
            shape,
            layers.Conv2D(64, 5, strides=2, padding="same"),
            layers.LeakyReLU(0.3),
            layers.Dropout(0.3),
            layers.Conv2D(128, 5, strides=2, padding="same"),
            layers.LeakyReLU(0.3),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(1),
        )

    def train_step(self, real):
        z = self.z(tf.shape(real)[0])
        with tf.GradientTape(persistent=True) as tape:
            fake = self.generator(z, training=True)
            of_real = self.discriminator(real, training=True)
            of_fake = self.discriminator(fake, training=True)
            g_loss = _binary(tf.ones_like(of_fake), of_fake)
            d_loss = _binary(tf.ones_like(of_real), of_real)
            d_loss += _binary(tf.zeros_like(of_fake), of_fake)
        self.descend(tape, g_loss, self.generator, self.g_optimizer)
        self.descend(tape, d_loss, self.discriminator, self.d_optimizer)
        return {"d_loss": d_loss, "g_loss": g_loss}


def _margin(shape):
    """What its networks for 32 x 32 need around the image, on each side."""
    return tuple((32 - side) // 2 for side in shape[:2])


BASELINES = {
    "guide_dcgan": GuideDCGAN,
    "example_wgan_gp": ExampleWGANGP,
    "tutorial_dcgan": TutorialDCGAN,
}
