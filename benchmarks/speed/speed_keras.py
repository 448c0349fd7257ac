"""The sides of speed.py on Keras: ours, and plain Keras.

    python benchmarks/speed/speed_keras.py ours|recipe|keras

It waits for lines of JSON, as speed.py sends them, and idles between. Plain
Keras is a `keras.Model` with a `train_step` of its own as Keras's guides to
GANs write it: functional networks of Keras's layers, G run once for D and once
for G, gradient tapes, Keras's Adam.
"""

import collections
import importlib.metadata
import math
import os
import pathlib
import sys
import tempfile
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
from keras import layers
import numpy as np
from speed_keras_networks import CLASSES, NETWORKS
from speed_keras_networks import LATENT_DIMS as PLAIN_DIMS
import tensorflow as tf

import keras_gans
from keras_gans.networks.resnet_translator import resnet_translator
from keras_gans.networks.unet import unet_generator
from keras_gans.training import recipes

sys.path.append(str(pathlib.Path(__file__).parents[1] / "shared"))

from timed import Clock
import workers

LATENT_DIMS = {**PLAIN_DIMS, "r3gan": 64, "stylegan2": 64}
# What both sides leave out of a recipe.
LEFT_OUT = {"ema": None, "diff_augment": None}
POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def adam(model):
    if model in ("wgan_gp", "r3gan", "stylegan2"):
        return keras.optimizers.Adam(2e-4, beta_1=0.0, beta_2=0.9)
    return keras.optimizers.Adam(2e-4, beta_1=0.5)


class Contender:
    """What speed.py can ask for; a subclass builds `self.gan`."""

    def open(self, settings):
        """Makes a model ready; returns the parameters of G and of D."""
        self.settings = settings
        keras.config.set_dtype_policy(POLICIES[settings["dtype"]])
        keras.utils.set_random_seed(0)
        self.build()
        self.dataset = self.data()
        self.built_mib = round(workers.memory())
        self.train(1)  # traces
        return [
            sum(int(np.prod(v.shape)) for v in variables)
            for variables in self.variables()
        ]

    def variables(self):
        """What G and D learn."""
        networks = self.gan.generator, self.gan.discriminator
        return [network.trainable_variables for network in networks]

    def data(self):
        """The same batch for ever: no input that takes time."""
        dataset = tf.data.Dataset.from_tensors(self.batch()).repeat()
        options = tf.data.Options()
        options.autotune.enabled = False  # it delays the return of `fit`
        return dataset.with_options(options)

    def batch(self):
        model = self.settings["model"]
        if model == "conditional":
            return self.images(), self.labels()
        if model in ("pix2pix", "cyclegan"):
            return self.images(), self.images()
        return self.images()

    def images(self):
        size = self.settings["size"]
        return self.uniform(size, size, 3)

    def uniform(self, *shape):
        """A batch of U(-1, 1)."""
        shape = (self.settings["batch"], *shape)
        return np.random.uniform(-1, 1, shape).astype("float32")

    def labels(self):
        return np.arange(self.settings["batch"], dtype="int32") % CLASSES

    def versions(self):
        found = {"keras": keras.__version__, "tensorflow": tf.__version__}
        if keras.backend.backend() == "jax":
            found["jax"] = importlib.metadata.version("jax")
        return found

    def train(self, steps):
        """Seconds of steps of `fit`, after one that does not count."""
        clock, size = Clock(), self.settings.get("round", 1)
        self.gan.fit(
            self.dataset,
            steps_per_epoch=steps * size + 1,
            shuffle=False,
            verbose=0,
            callbacks=[clock],
        )
        return workers.rounds(clock.seconds, size)

    def infer(self, steps):
        """Seconds of a batch of images, from arrays to arrays."""
        inputs = self.inputs()
        return timed(lambda: self.make(inputs), steps)

    def inputs(self):
        """What the generator takes, for one batch."""
        model = self.settings["model"]
        if model not in LATENT_DIMS:
            return self.images()
        z = np.random.normal(size=(self.settings["batch"], LATENT_DIMS[model]))
        z = z.astype("float32")
        more = {
            "conditional": [self.labels()],
            "stylegan2": [np.ones(len(z), "float32")],  # no truncation
        }
        return [z, *more[model]] if model in more else z

    def make(self, inputs):
        return self.predictor.predict_on_batch(inputs)

    def multiply(self, steps):
        """Seconds of matrix products of 2048, in the type of the model."""
        dtype = self.settings["dtype"]
        a, b = (tf.random.uniform((2048, 2048)) for _ in range(2))
        a, b = tf.cast(a, dtype), tf.cast(b, dtype)
        return timed(lambda: tf.matmul(a, b)[0, 0].numpy(), steps)

    def memory(self):
        """MiB at most: once the networks were built, and up to now."""
        return {"built": self.built_mib, "peak": round(workers.memory())}


def timed(function, steps):
    function()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return seconds


# --- Ours ---


class Ours(Contender):
    """What users run."""

    def build(self):
        s = self.settings
        model, width = s["model"], s["width"]
        shape = (s["size"], s["size"], 3)
        made = {
            "dcgan": lambda: keras_gans.DCGAN(shape, width=width),
            "conditional": lambda: keras_gans.ConditionalGAN(
                shape, num_classes=CLASSES, width=width
            ),
            "wgan_gp": lambda: keras_gans.WGANGP(
                shape, g_width=2 * width, d_width=width, d_steps=s["d_steps"]
            ),
            "pix2pix": lambda: keras_gans.Pix2Pix(shape, width=width),
            "cyclegan": lambda: keras_gans.CycleGAN(shape, width=width),
            "r3gan": lambda: keras_gans.R3GAN(shape, width=width, blocks=1, ema_kimg=0),
            "stylegan2": lambda: keras_gans.StyleGAN2(
                shape,
                latent_dim=64,
                w_dim=64,
                channel_max=width,
                ema_kimg=0,
                diff_augment=None,
            ),
        }
        self.gan = self.predictor = made[model]()
        self.gan.compile(adam(model), adam(model))

    def variables(self):
        return [self.gan.variables_of(name) for name in ("g", "d")]

    def versions(self):
        found = {"keras_gans": keras_gans.__version__}
        return found | super().versions()

    def make(self, inputs):
        if self.settings["model"] in LATENT_DIMS:
            return super().make(inputs)
        return self.gan.translate(inputs, evaluation=True)

    def choosing(self):
        """Seconds that it took to find the fastest implementations."""
        return self.gan.engine.choices.seconds

    def count(self):
        """Operations of a forward pass of an image: those of G and of D."""
        s = self.settings
        g, d = (self.gan.networks.get(name) for name in ("generator", "discriminator"))
        shape = (s["size"], s["size"], 3)
        # Those in use are for images of any size, and do not tell.
        if s["model"] == "pix2pix":
            g = unet_generator(shape, width=s["width"])
        elif s["model"] == "cyclegan":
            blocks = 6 if s["size"] < 256 else 9
            g = resnet_translator(shape, blocks=blocks, width=s["width"])
            d = self.gan.networks["discriminator_a"]
        return [operations(g), operations(d)]

    def profile(self, steps):
        training = profile(lambda: self.train(steps), steps)
        return f"{training}\n\n{profile(lambda: self.infer(steps), steps)}"


class OursByRecipe(Ours):
    """A recipe's configuration and optimizers."""

    def build(self):
        recipe = recipes.get(self.settings["recipe"])
        given = {**LEFT_OUT, **self.settings.get("given", {})}
        if recipe.name == "ctgan":
            given["table"] = table(self.settings["size"])
        arguments = recipes.arguments(recipe, given)
        self.gan = self.predictor = recipes.model_of(recipe)(**arguments)
        recipes.compile(recipe, self.gan)

    def batch(self):
        size, n = self.settings["size"], self.settings["batch"]
        model = self.settings["recipe"]
        if model == "srgan":
            return self.uniform(size // 4, size // 4, 3), self.images()
        if model in ("hifigan", "wavegan"):
            return self.uniform(size, 1)
        if model == "voxel_gan":
            return self.uniform(size, size, size, 1)
        if model == "ctgan":
            conditions = np.eye(2, dtype="float32")[np.arange(n) % 2]
            return self.uniform(*self.gan.table.shape), conditions
        labels = np.arange(n, dtype="int32") % self.settings["classes"]
        return self.images(), labels

    def inputs(self):
        batch, model = self.batch(), self.settings["recipe"]
        if model == "srgan":
            return batch[0]
        if model == "hifigan":
            return self.gan.mel(batch).numpy()
        rows = np.arange(self.settings["batch"])
        values = [np.asarray(i.default_rows(0, rows)) for i in self.gan.inputs]
        return values if len(values) > 1 else values[0]

    def make(self, inputs):
        return self.predictor.predict_on_batch(inputs)


def table(count):
    """A `Table` of so many numbers of three modes, and a category of two."""
    modes = [(0.0, 1.0), (4.0, 1.0), (8.0, 1.0)]
    numbers = {f"number_{i}": modes for i in range(count)}
    return keras_gans.Table({**numbers, "kind": ["a", "b"]})


# --- The work of a step ---


def operations(network):
    """Of all convolutions and dense layers of a functional network."""
    total, wrapped = 0, set()
    for layer in network._flatten_layers(include_self=False):
        # A layer of normalized weights is called within another.
        inner = getattr(layer, "layer", layer)
        if not hasattr(inner, "kernel") or id(layer) in wrapped:
            continue
        wrapped.add(id(inner))
        # Each pixel that comes out, or goes into a transposed convolution,
        # takes part in as many products as the kernel has numbers.
        transposed = isinstance(inner, layers.Conv2DTranspose)
        known = (layers.Conv2DTranspose, layers.Conv2D, layers.Dense)
        known += (layers.DepthwiseConv2D,)
        if isinstance(inner, layers.EinsumDense):
            continue  # R3GAN's first map: a product for each number
        if not isinstance(inner, known):
            sys.exit(f"The work of a {type(inner).__name__} is not known.")
        shape = (layer.input if transposed else layer.output).shape
        total += 2 * math.prod(shape[1:-1]) * math.prod(inner.kernel.shape)
    return total


def profile(function, steps):
    """The time of a step by types of operations, as a table in Markdown."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        function()
        tf.profiler.experimental.stop()
        (path,) = pathlib.Path(folder).rglob("*.xplane.pb")
        space = xplane_pb2.XSpace.FromString(path.read_bytes())
    times, calls = collections.Counter(), collections.Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                # An operation is "node name:type".
                name = plane.event_metadata[event.metadata_id].name
                kind = name.rpartition(":")[2]
                # (Fused ones have an underscore, and no Python function.)
                if kind.startswith(("_Fused", "_Mkl")) or hasattr(tf.raw_ops, kind):
                    times[kind] += event.duration_ps / 1e9 / (steps + 1)
                    calls[kind] += 1 / (steps + 1)
    rows = ["| operation | ms a step | calls |", "|---|---|---|"]
    rows.append(f"| all | {times.total():.1f} | {calls.total():g} |")
    for kind, time_ in times.most_common(30):
        rows.append(f"| {kind} | {time_:.1f} | {calls[kind]:g} |")
    return "\n".join(rows)


# --- Plain Keras ---


class PlainGAN(keras.Model):
    """DCGAN, with labels or without, as Keras's guides write it."""

    def __init__(self, generator, discriminator, latent_dim):
        super().__init__()
        self.generator = generator
        self.discriminator = discriminator
        self.latent_dim = latent_dim
        self.d_loss_metric = keras.metrics.Mean(name="d_loss")
        self.g_loss_metric = keras.metrics.Mean(name="g_loss")

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.d_optimizer = d_optimizer
        self.g_optimizer = g_optimizer
        self.loss_fn = keras.losses.BinaryCrossentropy(from_logits=True)

    @property
    def metrics(self):
        return [self.d_loss_metric, self.g_loss_metric]

    def fakes(self, real, labels):
        z = tf.random.normal((tf.shape(real)[0], self.latent_dim))
        inputs = z if labels is None else [z, labels]
        return self.generator(inputs, training=True)

    def discriminate(self, x, labels):
        inputs = x if labels is None else [x, labels]
        return self.discriminator(inputs, training=True)

    def update(self, tape, loss, optimizer, network):
        weights = network.trainable_weights
        optimizer.apply_gradients(
            zip(tape.gradient(loss, weights), weights, strict=True)
        )

    def logs(self, d_loss, g_loss):
        self.d_loss_metric.update_state(d_loss)
        self.g_loss_metric.update_state(g_loss)
        return {m.name: m.result() for m in self.metrics}

    def train_step(self, data):
        real, labels = data if isinstance(data, tuple) else (data, None)
        fake = self.fakes(real, labels)
        with tf.GradientTape() as tape:
            on_real = self.discriminate(real, labels)
            on_fake = self.discriminate(fake, labels)
            d_loss = self.loss_fn(tf.ones_like(on_real), on_real)
            d_loss += self.loss_fn(tf.zeros_like(on_fake), on_fake)
        self.update(tape, d_loss, self.d_optimizer, self.discriminator)
        with tf.GradientTape() as tape:
            on_fake = self.discriminate(self.fakes(real, labels), labels)
            g_loss = self.loss_fn(tf.ones_like(on_fake), on_fake)
        self.update(tape, g_loss, self.g_optimizer, self.generator)
        return self.logs(d_loss, g_loss)


class PlainWGANGP(PlainGAN):
    """WGAN-GP: several steps of the critic on a batch, one of G."""

    def __init__(self, *args, d_steps):
        super().__init__(*args)
        self.d_steps = d_steps

    def penalty(self, real, fake):
        alpha = tf.random.uniform((tf.shape(real)[0], 1, 1, 1))
        between = real + alpha * (fake - real)
        with tf.GradientTape() as tape:
            tape.watch(between)
            scores = self.discriminate(between, None)
        slopes = tape.gradient(scores, between)
        norms = tf.sqrt(tf.reduce_sum(tf.square(slopes), axis=[1, 2, 3]))
        return tf.reduce_mean((norms - 1.0) ** 2)

    def train_step(self, real):
        for _ in range(self.d_steps):
            fake = self.fakes(real, None)
            with tf.GradientTape() as tape:
                d_loss = tf.reduce_mean(self.discriminate(fake, None))
                d_loss -= tf.reduce_mean(self.discriminate(real, None))
                d_loss += 10.0 * self.penalty(real, fake)
            self.update(tape, d_loss, self.d_optimizer, self.discriminator)
        with tf.GradientTape() as tape:
            scores = self.discriminate(self.fakes(real, None), None)
            g_loss = -tf.reduce_mean(scores)
        self.update(tape, g_loss, self.g_optimizer, self.generator)
        return self.logs(d_loss, g_loss)


class PlainKeras(Contender):
    def build(self):
        s = self.settings
        model, dim = s["model"], LATENT_DIMS[s["model"]]
        networks = NETWORKS[model](s["size"], s["width"])
        if model == "wgan_gp":
            self.gan = PlainWGANGP(*networks, dim, d_steps=s["d_steps"])
        else:
            self.gan = PlainGAN(*networks, dim)
        self.gan.compile(adam(model), adam(model))
        self.predictor = self.gan.generator


if __name__ == "__main__":
    contenders = {"ours": Ours, "recipe": OursByRecipe, "keras": PlainKeras}
    workers.serve(contenders[sys.argv[1]]())
